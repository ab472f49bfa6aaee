#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""American block votes (vote for up to k, the top k win) by precinct.

    us_block.py boulder_2019|boulder_2021|dc_2016|vt_2012 SOURCE_DIR DIR      SOURCE_DIR: us-block-vote-precincts

Method block, seats = max_choices = k. The sources count marks, not ballots, so ballots are derived. Let p be
the largest count of one person:

    Boulder           cast = ballots_cast; all valid; capacity = active_voters
    DC                marks + under votes + over votes = k a ballot: cast = that / k, rounded up
                      an over-voted ballot loses all its k marks: invalid = over votes / k; the others are valid
    VT                Total Votes Cast = marks + blanks: cast = that / k, rounded up, and p at least; all valid

In Vermont RUT WAS WHM WND report blanks, so Total Votes Cast is k a ballot and cast is true, but for Fair Haven
(RUT): 731 votes for one person on 2148 / 3 = 716 ballots, a fault of the source; cast is 731. The other districts
write 0 for blanks, so cast is the least number that the marks allow. Marks left out cannot be told from ballots
left blank, so blank is 0, unless a precinct has no mark at all: then its ballots are blank and valid is 0.
Write-ins are one candidate (write-in), never expected to win. Parties stand as lists, a label in a block contest;
independents have none.

Only the contests whose winners are on record are taken: City of Boulder (in 2019 the two lowest of the six, in
2021 the lowest of the five, served two years instead of four: the seats are filled together all the same),
DC at large, and Vermont's districts of two seats or more.

Vermont's source has stray precinct labels on single rows. A label is a polling place of its own only if every
label of the town carries all the rows of the district; else the town is one place and its rows, each there
exactly once, are put together. Every place's marks and blanks then equal its Total Votes Cast, which is checked.
"""
import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path

from package import Package, open_source, slug

RULES = {"block": {"method": "block"}}
WRITE_IN = "write-in"
NO_PARTY = {"", "IND", "NON", "Independent"}

# Public record, as listed in the README of the data and in seat-cases/blockvote.jsonl; in no order.
RECORD = "public record (data/us-block-vote-precincts/README.md, data/seat-cases/blockvote.jsonl)"
WINNERS = {
    "boulder-2019": "Bob Yates, Junie Joseph, Rachel Friend, Aaron Brockett, Adam Swetlik, Mark Wallach",
    "boulder-2021": "Mark Wallach, Matt Benjamin, Nicole Speer, Lauren Folkerts, Tara Winer",
    "dc-2016": "Robert White, David Grosso",
    "ADD": "Claire Ayer, Christopher A. Bray",
    "BEN": "Dick Sears, Bob Hartwell",
    "CAL": "Jane Kitchel, Joe Benning",
    "CHT": "Tim Ashe, Virginia Lyons, Sally Fox, David Zuckerman, Diane B. Snelling, Philip Baruth",
    "ESS-ORL": "Robert A. Starr, John S. Rodgers",
    "FRK": "Norm McAllister, Donald Collins",
    "RUT": "Bill Carris, Kevin J. Mullin, Peg Flory",
    "WAS": "William Bill Doyle, Ann Cummings, Anthony Pollina",
    "WHM": "Jeanette White, Peter W. Galbraith",
    "WND": "John Campbell, Richard McCormack, Alice W. Nitka",
}
VERMONT_SEATS = {"ADD": 2, "BEN": 2, "CAL": 2, "CHT": 6, "ESS-ORL": 2, "FRK": 2, "RUT": 3, "WAS": 3, "WHM": 2,
                 "WND": 3}
# Rows that are not persons.
DC_UNDER, DC_OVER, DC_WRITE_IN = "UNDER VOTES", "OVER VOTES", "WRITE-IN"
VT_BLANKS, VT_TOTAL, VT_WRITE_IN = "Blanks", "Total Votes Cast", "Write Ins"


def read(folder, name):
    with open_source(folder / name) as text:
        return list(csv.DictReader(text))


def up(marks, k):
    """Ballots that hold that many marks, k on each, rounded up."""
    return -(-marks // k)


def ballots(cast, invalid, votes):
    """Ballots of a precinct where nothing is known to be blank."""
    blank = 0 if any(votes.values()) else cast - invalid
    return {"cast": cast, "blank": blank, "invalid": invalid, "valid": cast - invalid - blank}


def add_contest(package, contest, area, seats, name, persons):
    """persons: name -> party, "" for none, in the order of the source."""
    package.contest(contest, area, "block", seats, seats, name)
    parties = [party for party in dict.fromkeys(persons.values()) if party not in NO_PARTY]
    for party in parties:
        package.list(contest, slug(party), party)
    for person, party in persons.items():
        package.candidate(contest, slug(person), slug(party) if party in parties else "", person)


def add_precinct(package, contest, branch, counted, votes):
    """votes: code -> marks."""
    package.report(branch, contest, counted, votes)
    package.publish_branch(contest, branch, counted, votes)


def publish(package, contest, rows):
    """rows: name and votes of every person, straight from the source, before any regrouping."""
    total = Counter()
    for person, votes in rows:
        total[slug(person)] += votes
    winners = [slug(person) for person in WINNERS[contest].split(", ")]
    package.publish(contest, dict(total), winners=winners, source=RECORD)


def boulder(folder, year, seats):
    title = "City of Boulder Council Candidates"
    rows = [row for row in read(folder, f"boulder_{year}_councils_precinct.csv.xz") if row["contest"] == title]
    contest = f"boulder-{year}"
    package = Package(f"us-{contest}", f"{title}, {rows[0]['election_date']}", "America/Denver", RULES)
    package.area("us", "", "country", "United States")
    package.area("us-co", "us", "province", "Colorado")
    package.area("boulder-county", "us-co", "county", "Boulder County")
    package.area("boulder", "boulder-county", "city", "City of Boulder")
    add_contest(package, contest, "boulder", seats, title, {row["candidate_or_option"]: row["party"] for row in rows})
    precincts = defaultdict(list)
    for row in rows:
        precincts[row["precinct_id"]].append(row)
    for branch, part in precincts.items():
        votes = {slug(row["candidate_or_option"]): int(row["votes"]) for row in part}
        package.branch(branch, "boulder", part[0]["active_voters"], f"Precinct {part[0]['precinct_name']}")
        add_precinct(package, contest, branch, ballots(int(part[0]["ballots_cast"]), 0, votes), votes)
    publish(package, contest, ((row["candidate_or_option"], int(row["votes"])) for row in rows))
    return package


def dc(folder):
    contest, seats = "dc-2016", 2
    rows = read(folder, "dc_2016_council_at_large_precinct.csv.xz")
    persons = [row for row in rows if row["candidate"] not in (DC_UNDER, DC_OVER)]
    package = Package(f"us-{contest}", "DC Council at large, 2016-11-08", "America/New_York", RULES)
    package.area("us", "", "country", "United States")
    package.area("us-dc", "us", "province", "District of Columbia")
    for ward in sorted({row["ward"] for row in rows}):
        package.area(f"ward-{ward}", "us-dc", "district", f"Ward {ward}")
    add_contest(package, contest, "us-dc", seats, rows[0]["office"].capitalize(),
                {row["candidate"]: row["party"] for row in persons})
    precincts = defaultdict(dict)
    for row in rows:
        precincts[row["ward"], row["precinct"]][row["candidate"]] = int(row["votes"])
    for (ward, number), marks in precincts.items():
        cast = up(sum(marks.values()), seats)
        invalid = up(marks.pop(DC_OVER), seats)
        del marks[DC_UNDER]
        votes = {slug(person): n for person, n in marks.items()}
        branch = f"precinct-{number}"
        package.branch(branch, f"ward-{ward}", "", f"Precinct {number}")
        add_precinct(package, contest, branch, ballots(cast, invalid, votes), votes)
    publish(package, contest, ((row["candidate"], int(row["votes"])) for row in persons))
    return package


def vermont(folder):
    rows = [row for row in read(folder, "vt_2012_legislature_precinct.csv.xz") if row["office"] == "State Senate"]
    package = Package("us-vt-2012", "Vermont Senate, 2012-11-06", "America/New_York", RULES)
    package.area("us-vt", "", "country", "Vermont")
    for district, seats in VERMONT_SEATS.items():
        vermont_district(package, district, seats, [row for row in rows if row["district"] == district])
    return package


def vermont_district(package, district, seats, rows):
    persons = {}
    for row in rows:
        if row["candidate"] == VT_WRITE_IN:
            persons[WRITE_IN] = ""
        elif row["candidate"] not in (VT_BLANKS, VT_TOTAL):
            persons[row["candidate"]] = row["party"]
    package.area(district, "us-vt", "province", district)
    add_contest(package, district, district, seats, f"State Senate, {district}", persons)
    for county in dict.fromkeys(row["county"] for row in rows):
        package.area(f"{district}-{slug(county)}", district, "county", county)
    for county, town in dict.fromkeys((row["county"], row["town"]) for row in rows):
        package.area(f"{district}-{slug(county)}-{slug(town)}", f"{district}-{slug(county)}", "city", town)
    for county, town, label, marks in vermont_places(rows):
        area = f"{district}-{slug(county)}-{slug(town)}"
        votes = {slug(person): marks[VT_WRITE_IN if person == WRITE_IN else person] for person in persons}
        cast = max(up(marks[VT_TOTAL], seats), *votes.values())
        branch = f"{area}-{slug(label)}" if label else area
        package.branch(branch, area, "", f"{town}, {label}" if label else town)
        add_precinct(package, district, branch, ballots(cast, 0, votes), votes)
    publish(package, district, ((WRITE_IN if row["candidate"] == VT_WRITE_IN else row["candidate"], int(row["votes"]))
                                for row in rows if row["candidate"] not in (VT_BLANKS, VT_TOTAL)))


def vermont_places(rows):
    """(county, town, label, marks by row name), a polling place each; label "" where the town is one place."""
    names = {row["candidate"] for row in rows}
    towns = defaultdict(lambda: defaultdict(list))
    for row in rows:
        towns[row["county"], row["town"]][row["precinct"]].append((row["candidate"], int(row["votes"])))
    for (county, town), labels in towns.items():
        whole = all({name for name, _ in part} == names for part in labels.values())
        places = labels.items() if whole else [("", [row for part in labels.values() for row in part])]
        for label, part in places:
            marks = dict(part)
            if len(part) != len(names) or set(marks) != names:
                raise ValueError(f"{town} {label}: rows missing or twice")
            if sum(marks.values()) != 2 * marks[VT_TOTAL]:
                raise ValueError(f"{town} {label}: marks and blanks are not the total")
            yield county, town, label, marks


CONVERTERS = {
    "boulder_2019": lambda folder: boulder(folder, 2019, 6),
    "boulder_2021": lambda folder: boulder(folder, 2021, 5),
    "dc_2016": dc,
    "vt_2012": vermont,
}


def main(argv):
    if len(argv) != 4 or argv[1] not in CONVERTERS:
        print(f"usage: us_block.py {'|'.join(CONVERTERS)} SOURCE_DIR DIR", file=sys.stderr)
        return 2
    CONVERTERS[argv[1]](Path(argv[2])).write(argv[3])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
