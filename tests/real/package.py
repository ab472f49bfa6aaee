# SPDX-License-Identifier: Apache-2.0
"""Writes a recorded election as DIR/definition, DIR/counts.csv and DIR/expected.json.

A converter fills a Package: what was elected (areas, contests, branches), what each branch reported
(report), and what was published about it (publish). expected.json is for our tests only; it keeps the
published figures apart from the counts, so that a fault in a converter shows as a difference.
"""
import csv
import json
import lzma
import re
import unicodedata
from pathlib import Path

FORMAT = "tally-definition/1"
CODE_MAX = 64

# Which roles must sign what; the same in every package made here.
POLICY = {
    "root": 1,
    "release": {"commission": 1, "supervision": 1},
    "explain": {"commission": 1},
    "annul": {"supervision": 2},
    "reinstate": {"supervision": 2},
    "lot": {"commission": 1, "supervision": 1},
    "exclude": {"commission": 1, "supervision": 1},
    "key": {"operator": 1, "commission": 1},
    "state": {"operator": 1, "commission": 1},
    "certify": {"commission": 2, "supervision": 1},
    "revise": {"supervision": 1},
    "publish_min_ballots": 0,
}

# Shares in basis points. Only P05 is looser than usual: in a precinct of four ballots one candidate
# on all of them says nothing, and a share over the whole is never reached.
LIMITS = {
    "P01_bp": 300, "P02_bp": 300, "P03_bp": 200, "P03_abs": 15,
    "P05_bp": 10000, "P06_bp": 2000, "N08_missing_bp": 200,
}

HEADERS = {
    "areas": "area,parent,level,name_fa,name_en",
    "contests": "contest,area,rule,seats,alternates,max_choices,closes_at,name_fa,name_en",
    "lists": "contest,list,name_fa,name_en",
    "candidates": "contest,candidate,list,name_fa,name_en",
    "branches": "branch,area,kind,capacity,name_fa,name_en",
    "ballots": "branch,contest",
}
COUNTS_HEADER = "branch,contest,field,code,value"
BALLOTS = ("cast", "blank", "invalid", "valid")


def slug(text):
    """A code ([A-Za-z0-9._-]{1,64}) from a name: "Lauren Folkerts" (no-break space) -> lauren-folkerts."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    code = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    if not 0 < len(code) <= CODE_MAX:
        raise ValueError(f"no code for the name {text!r}")
    return code


def open_source(path):
    """A source file as text; both sources with and without a byte order mark occur."""
    return lzma.open(path, "rt", encoding="utf-8-sig", newline="")


def write_csv(path, header, rows):
    with open(path, "x", encoding="utf-8", newline="") as out:
        out.write(header + "\n")
        csv.writer(out, lineterminator="\n").writerows(rows)


def write_json(path, value):
    with open(path, "x", encoding="utf-8", newline="\n") as out:
        json.dump(value, out, ensure_ascii=False, indent=1)
        out.write("\n")


class Package:
    """One election. Names stand in both name columns: the sources know neither Persian nor English."""

    def __init__(self, election, name, time_zone, rules):
        self.head = {
            "format": FORMAT, "election": election, "domain": "tally.example",
            "name": {"fa": name, "en": name}, "phase": "rehearsal", "time_zone": time_zone,
            "rules": rules, "limits": LIMITS, "policy": POLICY,
        }
        self.tables = {table: [] for table in HEADERS}
        self.counts = []
        self.expected = {"election": election, "contests": {}, "held": []}

    def area(self, area, parent, level, name):
        self.tables["areas"].append((area, parent, level, name, name))

    def contest(self, contest, area, rule, seats, max_choices, name):
        self.tables["contests"].append((contest, area, rule, seats, 0, max_choices, "", name, name))
        method = self.head["rules"][rule]["method"]
        self.expected["contests"][contest] = {"method": method, "seats": seats, "branches": {}}

    def list(self, contest, code, name):
        self.tables["lists"].append((contest, code, name, name))

    def candidate(self, contest, code, of_list, name):
        self.tables["candidates"].append((contest, code, of_list, name, name))

    def branch(self, branch, area, capacity, name):
        self.tables["branches"].append((branch, area, "fixed", capacity, name, name))

    def report(self, branch, contest, ballots, candidates, mixed=None):
        """What the branch reports: ballots holds cast, blank, invalid, valid and, where the source
        tells them, authenticated and issued (else they equal cast). mixed: in list methods only."""
        self.tables["ballots"].append((branch, contest))
        fields = {
            "authenticated_online": ballots.get("authenticated", ballots["cast"]),
            "authenticated_offline": 0,
            "authenticated_manual": 0,
            "issued": ballots.get("issued", ballots["cast"]),
            **{field: ballots[field] for field in BALLOTS},
            "excluded": 0,
        }
        if mixed is not None:
            fields["mixed"] = mixed
        rows = [(branch, contest, field, "", n) for field, n in fields.items()]
        rows += [(branch, contest, "candidate", code, n) for code, n in candidates.items()]
        self.counts += rows

    def publish_branch(self, contest, branch, ballots, candidates, lists=None):
        """What the source says of one branch (all figures that must be met exactly)."""
        self.expected["contests"][contest]["branches"][branch] = {
            "ballots": ballots, "candidates": candidates, "lists": lists or {}}

    def publish(self, contest, candidates, ballots=None, lists=None, winners=None, source=None):
        """What was published of the whole contest; winners in the order of their votes."""
        self.expected["contests"][contest].update(
            {"candidates": candidates, "ballots": ballots or {}, "lists": lists or {},
             "winners": winners, "winners_source": source})

    def hold(self, branch, contest, check):
        self.expected["held"].append({"branch": branch, "contest": contest, "checks": [check]})

    def write(self, directory):
        """Refuses a directory that already holds a package: it may be a signed one."""
        definition = Path(directory) / "definition"
        definition.mkdir(parents=True)
        write_json(definition / "election.json", self.head)
        for table, rows in self.tables.items():
            write_csv(definition / f"{table}.csv", HEADERS[table], rows)
        write_csv(Path(directory) / "counts.csv", COUNTS_HEADER, self.counts)
        write_json(Path(directory) / "expected.json", self.expected)
