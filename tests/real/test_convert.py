#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Converts every recorded election and checks what came out, knowing nothing of how it was made.

Packages: the rules of doc/formats.md. Counts: the N checks; exactly the branches of expected.json may break one. Totals:
the sums of the counts are the published totals, and those are the votes of data/seat-cases/blockvote.jsonl.
Converters: a damaged source is refused, and so is a directory that holds a package already.
"""
import csv
import filecmp
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from tap import Tap

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("TALLY_SHARED", HERE.parent.parent.parent / "shared"))
DATA = SHARED / "data"
DUTCH = ("nl_gr2022.py", DATA / "nl-eml-west-maas-en-waal")
AMERICAN = ("us_block.py", DATA / "us-block-vote-precincts")
# name -> converter, its form of the source, branches, contests, candidates (with write-ins)
ELECTIONS = {
    "nl_gr2022_csv": (DUTCH, "csv", 21, 1, 251),
    "nl_gr2022_eml": (DUTCH, "eml", 21, 1, 251),
    "boulder_2019": (AMERICAN, "boulder_2019", 88, 1, 15),
    "boulder_2021": (AMERICAN, "boulder_2021", 88, 1, 10),
    "dc_2016": (AMERICAN, "dc_2016", 143, 1, 7),
    "vt_2012": (AMERICAN, "vt_2012", 249, 10, 61),
}
# Names of the cases in blockvote.jsonl, by election and contest.
CASES = {"boulder_2019": "us-boulder2019", "boulder_2021": "us-boulder2021", "dc_2016": "us-dc2016",
         "vt_2012": "us-vt2012-senate-{}"}

TABLES = {
    "areas": ("area", "parent", "level", "name_fa", "name_en"),
    "contests": ("contest", "area", "rule", "seats", "alternates", "max_choices", "closes_at", "name_fa", "name_en"),
    "lists": ("contest", "list", "name_fa", "name_en"),
    "candidates": ("contest", "candidate", "list", "name_fa", "name_en"),
    "branches": ("branch", "area", "kind", "capacity", "name_fa", "name_en"),
    "ballots": ("branch", "contest"),
}
KEYS = {"areas": ("area",), "contests": ("contest",), "lists": ("contest", "list"),
        "candidates": ("contest", "candidate"), "branches": ("branch",), "ballots": ("branch", "contest")}
CODES = {"area", "contest", "list", "candidate", "branch", "rule"}
CODE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
LEVELS = {"country", "province", "county", "district", "city", "rural_district", "village", "nomad"}
COUNT_MAX = 2**31 - 1
FIELDS = {"authenticated_online", "authenticated_offline", "authenticated_manual", "issued", "cast", "blank",
          "invalid", "valid", "excluded"}


def run(converter, form, source, target):
    return subprocess.run([sys.executable, HERE / converter, form, source, target], capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def read_table(path, header):
    """Rows as dicts; UTF-8, LF, every row as long as the header."""
    raw = path.read_bytes()
    assert b"\r" not in raw and raw.endswith(b"\n") and not raw.startswith(b"\xef\xbb\xbf"), path
    rows = list(csv.reader(raw.decode("utf-8").splitlines(keepends=True), strict=True))
    assert tuple(rows[0]) == header, f"{path}: header {rows[0]}"
    assert all(len(row) == len(header) for row in rows), path
    return [dict(zip(header, row)) for row in rows[1:]]


class Election:
    """A converted election, read back from its files."""

    def __init__(self, directory):
        self.directory = directory
        self.head = json.loads((directory / "definition/election.json").read_text("utf-8"))
        self.expected = json.loads((directory / "expected.json").read_text("utf-8"))
        self.tables = {t: read_table(directory / f"definition/{t}.csv", header) for t, header in TABLES.items()}
        self.reports = defaultdict(lambda: defaultdict(dict))
        self.repeated = []
        for row in read_table(directory / "counts.csv", ("branch", "contest", "field", "code", "value")):
            fields = self.reports[row["branch"], row["contest"]][row["field"]]
            if row["code"] in fields:
                self.repeated.append(row)
            fields[row["code"]] = row["value"]

    def column(self, table, *names):
        return [tuple(row[name] for name in names) for row in self.tables[table]]


def definition_faults(election):
    """Every breach of doc/formats.md, in words."""
    tables = election.tables
    names = {path.name for path in (election.directory / "definition").iterdir()}
    if names != {"election.json", *(f"{t}.csv" for t in TABLES)}:
        yield f"files: {sorted(names)}"
    for table, key in KEYS.items():
        for code, n in Counter(election.column(table, *key)).items():
            if n > 1:
                yield f"{table}: {code} stands {n} times"
        for row in tables[table]:
            for field, value in row.items():
                empty_allowed = field in ("closes_at", "capacity", "parent") or (table, field) == ("candidates", "list")
                if not value and not empty_allowed:
                    yield f"{table}: {field} is empty in {row}"
                if field in CODES and value and not CODE.match(value):
                    yield f"{table}: {value!r} is no code"
    yield from area_faults(tables["areas"])
    yield from reference_faults(election)


def area_faults(areas):
    parents = {row["area"]: row["parent"] for row in areas}
    roots = [row for row in areas if not row["parent"]]
    if len(roots) != 1 or roots[0]["level"] != "country":
        yield f"roots: {roots}"
    for row in areas:
        if row["level"] not in LEVELS:
            yield f"level {row['level']}"
        at, steps = row["area"], 0
        while parents.get(at) and steps <= len(areas):
            at, steps = parents[at], steps + 1
        if at != roots[0]["area"]:
            yield f"{row['area']} does not lead to the root"


def reference_faults(election):
    """Every code that another table must have, and that a branch lies in the area of its contests."""
    tables = election.tables
    parents = dict(election.column("areas", "area", "parent"))
    contests = {row["contest"]: row for row in tables["contests"]}
    branches = dict(election.column("branches", "branch", "area"))
    lists = set(election.column("lists", "contest", "list"))
    for row in tables["contests"]:
        numbers = [int(row[field]) for field in ("seats", "alternates", "max_choices")]
        if row["area"] not in parents or row["rule"] not in election.head["rules"] or min(numbers[0], numbers[2]) < 1:
            yield f"contest {row}"
    for row in tables["candidates"]:
        if row["contest"] not in contests or (row["list"] and (row["contest"], row["list"]) not in lists):
            yield f"candidate {row}"
    yield from (f"list {row}" for row in tables["lists"] if row["contest"] not in contests)
    yield from (f"branch {row}" for row in tables["branches"] if row["area"] not in parents
                or row["kind"] not in ("fixed", "mobile") or not re.match(r"[0-9]*\Z", row["capacity"]))
    for branch, contest in election.column("ballots", "branch", "contest"):
        area = branches.get(branch)
        while area and contest in contests and area != contests[contest]["area"]:
            area = parents.get(area)
        if not area or contest not in contests:
            yield f"ballot {branch} {contest}"
    for missing in set(branches) - {branch for branch, _ in election.column("ballots", "branch", "contest")}:
        yield f"branch {missing} reports nothing"


def count_faults(election):
    """Every breach of the format of counts.csv."""
    candidates = set(election.column("candidates", "contest", "candidate"))
    methods = {row["contest"]: election.head["rules"][row["rule"]]["method"] for row in election.tables["contests"]}
    yield from (f"twice: {row}" for row in election.repeated)
    if set(election.reports) != set(election.column("ballots", "branch", "contest")):
        yield "reports are not those of ballots.csv"
    for (branch, contest), fields in election.reports.items():
        want = FIELDS | {"candidate"} | ({"mixed"} if methods[contest] != "block" else set())
        if set(fields) != want:
            yield f"{branch} {contest}: fields {sorted(fields)}"
        for field, values in fields.items():
            for code, value in values.items():
                known = (contest, code) in candidates if field == "candidate" else code == ""
                if not known or not re.match(r"(0|[1-9][0-9]*)\Z", value) or int(value) > COUNT_MAX:
                    yield f"{branch} {contest} {field} {code} {value}"


def broken_checks(election):
    """{(branch, contest): codes of the N checks it breaks}, after doc/checks.md."""
    contests = {row["contest"]: row for row in election.tables["contests"]}
    capacity = dict(election.column("branches", "branch", "capacity"))
    broken = {}
    for (branch, contest), fields in election.reports.items():
        one = {field: int(values[""]) for field, values in fields.items() if field != "candidate"}
        votes = [int(n) for n in fields["candidate"].values()]
        k = int(contests[contest]["max_choices"])
        admitted = sum(one[f"authenticated_{how}"] for how in ("online", "offline", "manual"))
        mixed = one.get("mixed", one["valid"])
        most = int(capacity[branch] or COUNT_MAX)
        held = {
            "N02": one["cast"] != one["valid"] + one["blank"] + one["invalid"],
            "N03": max(votes) > mixed,
            "N04": sum(votes) > k * mixed,
            "N05": mixed != one["valid"],
            "N07": (one["valid"] > 0) != (sum(votes) > 0),
            "N08": one["cast"] > admitted,
            "N09": admitted > most or one["cast"] > most,
            "N10": one["issued"] < one["cast"],
        }
        if any(held.values()):
            broken[branch, contest] = [code for code, bad in held.items() if bad]
    return broken


def check_totals(tap, name, election):
    """The counts add up to what was published, in all and by branch."""
    party = {(c, p): of for c, p, of in election.column("candidates", "contest", "candidate", "list")}
    for contest, published in election.expected["contests"].items():
        votes, lists, boxes, wrong = Counter(), Counter(), Counter(), []
        for branch, says in published["branches"].items():
            fields = election.reports[branch, contest]
            mine = {code: int(n) for code, n in fields["candidate"].items()}
            box = {field: int(fields[field][""]) for field in ("cast", "blank", "invalid", "valid")}
            of_list = Counter()
            for code, n in mine.items():
                of_list[party[contest, code]] += n
            lists.update(of_list)
            votes.update(mine)
            boxes.update(box)
            same_lists = not says["lists"] or says["lists"] == dict(of_list)
            if mine != says["candidates"] or box.items() - says["ballots"].items() or not same_lists:
                wrong.append(branch)
        tap.same(wrong, [], f"{name} {contest}: {len(published['branches'])} branches as the source has them")
        tap.same(dict(votes), published["candidates"], f"{name} {contest}: votes add up to the published totals")
        if published["lists"]:
            tap.same(dict(lists), published["lists"], f"{name} {contest}: list votes add up")
            tap.ok(not boxes.items() - published["ballots"].items(), f"{name} {contest}: ballots add up", boxes)


def check_winners(tap, name, election, cases):
    """The published winners are those of seat-cases, and have the most votes."""
    # The Boulder source of 2021 has no-break spaces in names, which seat-cases does not.
    titles = {(row["contest"], row["candidate"]): row["name_en"].replace("\u00a0", " ")
              for row in election.tables["candidates"]}
    for contest, published in election.expected["contests"].items():
        case = cases[CASES[name].format(contest)]
        votes = {titles[contest, code]: n for code, n in published["candidates"].items() if code != "write-in"}
        tap.same(votes, {c["id"]: c["votes"] for c in case["candidates"]}, f"{name} {contest}: votes of seat-cases")
        winners = sorted(titles[contest, code] for code in published["winners"])
        tap.same(winners, sorted(case["expected_winners"]), f"{name} {contest}: winners of seat-cases")
        first = sorted(published["candidates"], key=published["candidates"].get, reverse=True)[:published["seats"]]
        tap.same(sorted(first), sorted(published["winners"]), f"{name} {contest}: the {len(first)} with most votes won")


def check_election(tap, name, election, size):
    counted = tuple(len(election.tables[table]) for table in ("branches", "contests", "candidates"))
    tap.same(counted, size, f"{name}: branches, contests, candidates")
    tap.same(list(definition_faults(election))[:5], [], f"{name}: the definition keeps the rules")
    tap.same(list(count_faults(election))[:5], [], f"{name}: the counts keep the format")
    held = {(h["branch"], h["contest"]): h["checks"] for h in election.expected["held"]}
    tap.same(broken_checks(election), held, f"{name}: only what is expected breaks an N check")
    check_totals(tap, name, election)


def damaged(folder, source, name, old, new):
    """A copy of the source with one text changed in one file, which must hold it exactly once."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder, copy_function=shutil.copyfile)
    folder.chmod(0o700)
    text = lzma.open(folder / name, "rt", encoding="utf-8", newline="").read()
    assert text.count(old) == 1, (name, old)
    with lzma.open(folder / name, "wt", encoding="utf-8", newline="") as out:
        out.write(text.replace(old, new))
    return folder


def check_refusals(tap, scratch):
    dutch, american = DUTCH[1], AMERICAN[1]
    vermont = "vt_2012_legislature_precinct.csv.xz"
    row = "Addison,State Senate,ADD,Addison,,Claire Ayer,Democratic,"
    line = next(l for l in lzma.open(american / vermont, "rt", newline="") if l.startswith(row))
    cases = [
        ("a Dutch box that does not add up", DUTCH[0], "csv", dutch, "osv4-3_telling_gr2022_westmaasenwaal.csv.xz",
         '"aangetroffen stembiljetten";;;"9398"', '"aangetroffen stembiljetten";;;"9399"'),
        ("Dutch voters that do not add up", DUTCH[0], "eml", dutch, "Telling_GR2022_WestMaasenWaal.eml.xml.xz",
         '<UncountedVotes ReasonCode="toegelaten kiezers">9398<', '<UncountedVotes ReasonCode="toegelaten kiezers">9397<'),
        ("a Vermont row missing", AMERICAN[0], "vt_2012", american, vermont, line, ""),
        ("a Vermont row twice", AMERICAN[0], "vt_2012", american, vermont, line, line + line),
        ("Vermont votes changed", AMERICAN[0], "vt_2012", american, vermont, line, line.replace(row, row + "1")),
    ]
    for what, converter, form, source, name, old, new in cases:
        folder = damaged(scratch / "damaged", source, name, old, new)
        got = run(converter, form, folder, scratch / "refused")
        tap.ok(got.returncode != 0 and not (scratch / "refused").exists(), f"refused: {what}", got.stderr)
    again = run(DUTCH[0], "csv", dutch, scratch / "nl_gr2022_csv")
    tap.ok(again.returncode != 0, "refused: a directory that holds a package")
    tap.same(run(DUTCH[0], "pdf", dutch, scratch / "refused").returncode, 2, "refused: an unknown form")


def main():
    tap = Tap()
    if not DATA.is_dir():
        tap.skip("recorded elections", f"no {DATA}")
        tap.done()
    cases = {case["id"]: case for case in map(json.loads, open(DATA / "seat-cases/blockvote.jsonl", encoding="utf-8"))}
    with tempfile.TemporaryDirectory(prefix="tally-real-") as scratch:
        scratch = Path(scratch)
        for name, ((converter, source), form, *size) in ELECTIONS.items():
            got = run(converter, form, source, scratch / name)
            if tap.ok(got.returncode == 0, f"{name}: converted", got.stderr):
                election = Election(scratch / name)
                check_election(tap, name, election, tuple(size))
                if name in CASES:
                    check_winners(tap, name, election, cases)
        check_dutch(tap, scratch)
        check_refusals(tap, scratch)
    tap.done()


def check_dutch(tap, scratch):
    one, other = scratch / "nl_gr2022_csv", scratch / "nl_gr2022_eml"
    files = sorted(str(path.relative_to(one)) for path in one.rglob("*") if path.is_file())
    tap.same(sorted(str(path.relative_to(other)) for path in other.rglob("*") if path.is_file()), files,
             "nl_gr2022: CSV and EML give the same files")
    tap.same(filecmp.cmpfiles(one, other, files, shallow=False)[1:], ([], []), "nl_gr2022: and the same bytes in each")
    published = Election(one).expected
    tap.same(published["held"], [{"branch": "SB7", "contest": "gr2022", "checks": ["N08"]}],
             "nl_gr2022: station 7 is to be held")
    seven = published["contests"]["gr2022"]["branches"]["SB7"]["ballots"]
    tap.same((seven["cast"], seven["authenticated"]), (869, 868), "nl_gr2022: 869 ballots, 868 admitted voters")


if __name__ == "__main__":
    main()
