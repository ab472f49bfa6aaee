#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The council election of West Maas en Waal, Netherlands, 16 March 2022, from either of its two forms.

    nl_gr2022.py csv|eml SOURCE_DIR DIR       SOURCE_DIR: nl-eml-west-maas-en-waal

csv: osv4-3_telling_gr2022... (one column a station). eml: Telling_GR2022... (EML_NL 510b) with the names
of Kandidatenlijsten_GR2022... (230b). Both give the same package, byte for byte.

How the source's figures become ours, for each station:
    authenticated   toegelaten kiezers (admitted voters: polling cards + proxies + voter passes)
    valid           geldige stembiljetten         blank, invalid   blanco, ongeldige stembiljetten
    cast, issued    aangetroffen stembiljetten (found in the box); EML leaves it out, it is the sum of the three
Every ballot names one candidate, so lists is empty, mixed = valid and max_choices 1; the votes of a list are
its candidates' votes. Station 7 found 869 ballots for 868 admitted voters: N08 must hold it.

Seats are not in the files and are not compared. There are 17: EML's subcategory GR1 says fewer than 19, and
the municipality had between 15,001 and 20,000 inhabitants (Gemeentewet, article 8). The rule here is D'Hondt;
Dutch councils of this size give their residual seats by largest remainders (Kieswet P 8).
"""
import csv
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

from package import Package, open_source

CONTEST = "gr2022"
MUNICIPALITY = "0668"
SEATS = 17
BOX = {"valid": "geldige stembiljetten", "blank": "blanco stembiljetten", "invalid": "ongeldige stembiljetten"}
ADMITTED = ("geldige stempas", "geldig volmachtbewijs", "geldige kiezerspas")
# Published with the fault: one ballot more than voters at station 7.
HELD = (("SB7", "N08"),)

EML = "{urn:oasis:names:tc:evs:schema:eml}"
XNL = "{urn:oasis:names:tc:ciq:xsdschema:xNL:2.0}"
EML_ADMITTED = ("geldige stempassen", "geldige volmachtbewijzen", "geldige kiezerspassen")


class Column:
    """One station's figures, or the published total's: ballots by our names, votes by list and candidate."""

    def __init__(self, code, name):
        self.code, self.name = code, name
        self.ballots, self.lists, self.candidates = {}, {}, {}

    def check(self, found, admitted_parts):
        """The source's own sums; found is None where the source does not tell it."""
        cast = sum(self.ballots[field] for field in BOX)
        if found is not None and found != cast:
            raise ValueError(f"{self.code}: {found} ballots found, {cast} counted")
        if self.ballots["authenticated"] != admitted_parts:
            raise ValueError(f"{self.code}: admitted voters are not cards, proxies and passes")
        self.ballots.update(cast=cast, issued=cast)


class Source:
    """What both forms hold: the name, list and candidate names, the published total, the stations."""

    def __init__(self, name, total, stations):
        self.name, self.total, self.stations = name, total, stations
        self.list_names, self.candidate_names = {}, {}


def read_csv(folder):
    with open_source(folder / "osv4-3_telling_gr2022_westmaasenwaal.csv.xz") as text:
        rows = [row for row in csv.reader(text, delimiter=";") if row]
    titles = {row[0]: row for row in rows if row[0]}
    figures = {row[1]: row[4:] for row in rows if not row[0] and row[1]}
    total = Column("total", "")
    stations = [Column(f"SB{number}", f"Stembureau {name} (postcode: {postcode})")
                for number, name, postcode in zip(titles["Gebiednummer"][5:], titles["Lijstnummer"][5:],
                                                  titles["Postcode"][5:], strict=True)]
    source = Source(titles["Verkiezing"][2], total, stations)
    csv_votes(source, rows)
    for at, column in enumerate([total, *stations]):
        column.ballots = {field: int(figures[title][at]) for field, title in BOX.items()}
        column.ballots["authenticated"] = int(figures["toegelaten kiezers"][at])
        column.check(int(figures["aangetroffen stembiljetten"][at]), sum(int(figures[f][at]) for f in ADMITTED))
    return source


def csv_votes(source, rows):
    """A list's row holds its number and name, and its candidates' rows follow it."""
    of_list = None
    for row in rows:
        if row[0].isdigit():
            of_list = row[0]
            source.list_names[of_list] = row[1]
        for column, votes in zip([source.total, *source.stations], row[4:]):
            if row[0].isdigit():
                column.lists[of_list] = int(votes)
            elif of_list and row[2].isdigit():
                column.candidates[of_list, row[2]] = int(votes)
        if of_list and row[2].isdigit():
            source.candidate_names[of_list, row[2]] = row[3]


def read_eml(folder):
    with open_source(folder / "Telling_GR2022_WestMaasenWaal.eml.xml.xz") as text:
        count = xml.parse(text).getroot()
    total = eml_column(count.find(f".//{EML}TotalVotes"), "total", "")
    stations = []
    for unit in count.iter(f"{EML}ReportingUnitVotes"):
        name = unit.find(f"{EML}ReportingUnitIdentifier")
        stations.append(eml_column(unit, name.get("Id").split("::")[1], name.text))
    source = Source(count.find(f".//{EML}ElectionName").text, total, stations)
    with open_source(folder / "Kandidatenlijsten_GR2022_WestMaasenWaal.eml.xml.xz") as text:
        eml_names(source, xml.parse(text).getroot())
    return source


def eml_column(unit, code, name):
    """A list's Selection comes first, and its candidates' follow it."""
    column = Column(code, name)
    of_list = None
    for selection in unit.iter(f"{EML}Selection"):
        votes = int(selection.find(f"{EML}ValidVotes").text)
        affiliation = selection.find(f"{EML}AffiliationIdentifier")
        if affiliation is not None:
            of_list = affiliation.get("Id")
            column.lists[of_list] = votes
        else:
            number = selection.find(f".//{EML}CandidateIdentifier").get("Id")
            column.candidates[of_list, number] = votes
    reasons = {e.get("ReasonCode"): int(e.text) for tag in ("RejectedVotes", "UncountedVotes")
               for e in unit.iter(f"{EML}{tag}")}
    column.ballots = {"valid": int(unit.find(f"{EML}TotalCounted").text), "blank": reasons["blanco"],
                      "invalid": reasons["ongeldig"], "authenticated": reasons["toegelaten kiezers"]}
    column.check(None, sum(reasons[reason] for reason in EML_ADMITTED))
    return column


def eml_names(source, root):
    """Names as the CSV writes them: prefix and surname, initials."""
    for affiliation in root.iter(f"{EML}Affiliation"):
        identifier = affiliation.find(f"{EML}AffiliationIdentifier")
        of_list = identifier.get("Id")
        source.list_names[of_list] = identifier.find(f"{EML}RegisteredName").text
        for candidate in affiliation.iter(f"{EML}Candidate"):
            part = {e.tag: e.text for e in candidate.find(f".//{XNL}PersonName")}
            surname = " ".join(filter(None, (part.get(f"{XNL}NamePrefix"), part[f"{XNL}LastName"])))
            number = candidate.find(f"{EML}CandidateIdentifier").get("Id")
            source.candidate_names[of_list, number] = f"{surname}, {part[f'{XNL}NameLine']}"


def person(key):
    """The code of candidate 4 of list 2: 2-4."""
    return "-".join(key)


def convert(source):
    package = Package("nl-gr2022-west-maas-en-waal", source.name, "Europe/Amsterdam",
                      {"dutch": {"method": "dhondt"}})
    package.area("nl", "", "country", "Nederland")
    package.area("nl-ge", "nl", "province", "Gelderland")
    package.area(MUNICIPALITY, "nl-ge", "city", "West Maas en Waal")
    package.contest(CONTEST, MUNICIPALITY, "dutch", SEATS, 1, source.name)
    for code, name in source.list_names.items():
        package.list(CONTEST, code, name)
    for key, name in source.candidate_names.items():
        package.candidate(CONTEST, person(key), key[0], name)
    for station in source.stations:
        votes = {person(key): n for key, n in station.candidates.items()}
        package.branch(station.code, MUNICIPALITY, "", station.name)
        package.report(station.code, CONTEST, station.ballots, votes, mixed=station.ballots["valid"])
        package.publish_branch(CONTEST, station.code, station.ballots, votes, station.lists)
    votes = {person(key): n for key, n in source.total.candidates.items()}
    package.publish(CONTEST, votes, source.total.ballots, source.total.lists)
    for branch, check in HELD:
        package.hold(branch, CONTEST, check)
    return package


READERS = {"csv": read_csv, "eml": read_eml}


def main(argv):
    if len(argv) != 4 or argv[1] not in READERS:
        print("usage: nl_gr2022.py csv|eml SOURCE_DIR DIR", file=sys.stderr)
        return 2
    convert(READERS[argv[1]](Path(argv[2]))).write(argv[3])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
