# SPDX-License-Identifier: Apache-2.0
"""Makes small random elections: DIR/definition and DIR/counts.csv.  elections.py DIR SEED

Trees of any shape, contests of every method at every level, honest counts and every kind of fault.
Numbers are small, so that ties, vacancies and branches without voters are common.
"""
import copy
import csv
import json
import random
import sys
from pathlib import Path

import methods

LEVELS = ("country", "province", "county", "district", "city", "rural_district", "village", "nomad")
HEADERS = {
    "areas": "area,parent,level,name_fa,name_en",
    "contests": "contest,area,rule,seats,alternates,max_choices,closes_at,name_fa,name_en",
    "lists": "contest,list,name_fa,name_en",
    "candidates": "contest,candidate,list,name_fa,name_en",
    "branches": "branch,area,kind,capacity,name_fa,name_en",
    "ballots": "branch,contest",
}
NAMES = (("شورای شهر", "Council"), ('با "نقل"، ویرگول', 'with "quotes", commas'), ("می‌شود", "ZWNJ"), ("علی", "علی"))
CLOSES_AT = 1792182600
NUMBERS = ("issued", "cast", "blank", "invalid", "valid", "excluded")
DEVICES = ("online", "offline", "manual")


def rules(dice):
    """Every method, with parameters at random."""
    def some(options):
        return {k: dice.choice(v) for k, v in options.items() if dice.random() < 0.6}
    quotients = {"threshold_bp": (0, 500, 2500), "threshold_rule": ("plain", "scaled_by_candidates"),
                 "equal_quotients": ("lot", "more_votes")}
    out = {"plurality": {"method": "block"}}
    for method in (*methods.DIVISORS, *methods.QUOTAS):
        out[method] = {"method": method, **some(quotients)}
    for n in range(3):
        out[f"tehran{n}"] = {"method": "list_ir", **some({**methods.READ_TWICE, "threshold_bp": (0, 500, 3000),
                                                          "list_plus_individual": (False, True)})}
    return out


class Made:
    def __init__(self, seed):
        self.dice = dice = random.Random(seed)
        self.tables = {table: [] for table in HEADERS}
        self.rules = rules(dice)
        self.areas, self.parents, self.contests, self.branches = [], {}, {}, {}
        self.limits = {k: dice.choice(v) for k, v in {
            "P01_bp": (300, 1000), "P02_bp": (300, 5000), "P03_bp": (200, 0, 2000), "P03_abs": (1, 3, 15),
            "P05_bp": (9900, 7000), "P06_bp": (2000, 0, 5000), "P07_bp": (10000, 500, 0),
            "P08_min": (30, 0, 1, 10),
            "N08_missing_bp": (200, 0, 3000)}.items() if dice.random() < 0.7}
        self.few = dice.choice((0, 0, 5))
        self.make_areas()
        self.make_contests()
        self.make_branches()
        self.counts = {}
        for code in self.branches:
            self.counts[code] = self.report(code)

    def name(self):
        return self.dice.choice(NAMES)

    def add_area(self, parent, level):
        code = f"a.{len(self.areas)}_{LEVELS[level][:2]}"
        self.areas.append((code, level))
        self.parents[code] = parent
        self.tables["areas"].append((code, parent or "", LEVELS[level], *self.name()))
        return code

    def make_areas(self):
        self.add_area(None, 0)
        for _ in range(self.dice.randint(3, 14)):
            parent, level = self.dice.choice(self.areas)
            if level < len(LEVELS) - 1:
                self.add_area(parent, self.dice.randint(level + 1, min(level + 2, len(LEVELS) - 1)))
        self.dice.shuffle(self.tables["areas"])  # parents need not stand first

    def make_contests(self):
        for i in range(self.dice.randint(3, 7)):
            rule = self.dice.choice(("plurality", "plurality", "tehran0", "tehran1", "tehran2",
                                     self.dice.choice((*methods.DIVISORS, *methods.QUOTAS))))
            code, area = f"C-{i}", self.dice.choice(self.areas)[0]
            seats = self.dice.choice((1, 2, 3, 5, 7))
            choices = self.dice.choice((1, seats, seats, seats + 1))
            closes_at = self.dice.choice(("", "", CLOSES_AT - 60 * i))
            self.tables["contests"].append((code, area, rule, seats, self.dice.randint(0, 4), choices, closes_at, *self.name()))
            lists = [f"L{n}" for n in range(self.dice.randint(0 if rule == "plurality" else 1, 4))]
            self.tables["lists"] += [(code, e, *self.name()) for e in lists]
            people = {}
            for of in [*lists, ""]:
                for _ in range(self.dice.choice((0, 1, 2, 4))):
                    people[f"{100 + len(people)}"] = of
            if not people:
                people["100"] = ""
            self.tables["candidates"] += [(code, p, of, *self.name()) for p, of in people.items()]
            self.contests[code] = {"rule": self.rules[rule], "area": area, "lists": lists, "people": people,
                                   "choices": choices}
        for table in ("lists", "candidates"):
            self.dice.shuffle(self.tables[table])

    def make_branches(self):
        ballots = []
        for i in range(self.dice.randint(6, 16)):
            code, area = f"b{i:02}", self.dice.choice(self.areas)[0]
            of = [c for c in self.contests if self.dice.random() < 0.5] or [next(iter(self.contests))]
            capacity = self.dice.choice(("", "", 40, 60))
            self.branches[code] = {"area": area, "contests": of, "capacity": capacity}
            self.tables["branches"].append((code, area, self.dice.choice(("fixed", "mobile")), capacity, *self.name()))
            ballots += [(code, c) for c in of]
        for c in self.contests:
            if not any(c == contest for _, contest in ballots):
                first = next(iter(self.branches))
                self.branches[first]["contests"].append(c)
                ballots.append((first, c))
        self.dice.shuffle(ballots)
        self.tables["ballots"] = ballots

    # ---- what branches say -------------------------------------------------------------------------------
    def honest(self, contest):
        """A contest's numbers as a careful branch reports them."""
        dice = self.dice
        voters = dice.choice((0, dice.randint(1, 6), dice.randint(5, 50), dice.randint(20, 60)))
        wasted = sum(dice.random() < 0.02 for _ in range(voters)), sum(dice.random() < 0.02 for _ in range(voters))
        valid = voters - sum(wasted)
        row = {"authenticated": {"online": voters, "offline": 0, "manual": 0}, "issued": voters, "cast": voters,
               "blank": wasted[0], "invalid": wasted[1], "valid": valid, "excluded": dice.choice((0, 0, 1))}
        lists, people = dict.fromkeys(contest["lists"], 0), dict.fromkeys(contest["people"], 0)
        mixed, by_lists = 0, contest["rule"]["method"] != "block"
        for _ in range(valid):
            listed = by_lists and lists and dice.random() < 0.6
            both = listed and contest["rule"].get("list_plus_individual") and dice.random() < 0.3
            if listed:
                lists[dice.choice(contest["lists"])] += 1
            if not listed or both:
                mixed += 1
                for p in dice.sample(list(people), dice.randint(1, min(contest["choices"], len(people)))):
                    people[p] += 1
        if by_lists:
            row.update(lists=[[e, n] for e, n in lists.items() if n], mixed=mixed)
        row["candidates"] = [[p, n] for p, n in people.items() if n]
        return row

    def copied(self, code):
        """Now and then the numbers of another branch for this contest, as they are (P08)."""
        rows = [row for contests in self.counts.values() for row in contests
                if row["contest"] == code and "not_held" not in row]
        if not rows or self.dice.random() > 0.2:
            return None
        return {key: value for key, value in copy.deepcopy(self.dice.choice(rows)).items() if key != "contest"}

    def spoil(self, contest, row):
        """One fault: some number, somewhere, is another one."""
        dice = self.dice
        kind = dice.choice(("number", "number", "online", "by_hand", "votes", "votes", "mixed", "missing", "surplus", "none",
                            "all"))
        if kind == "number":
            key = dice.choice(NUMBERS)
            row[key] = max(0, row[key] + dice.choice((-1, 1, 5, 300)))
        elif kind == "online":
            row["authenticated"]["online"] = max(0, row["authenticated"]["online"] + dice.choice((-3, -1, 1, 2, 30)))
        elif kind == "by_hand":
            row["authenticated"][dice.choice(DEVICES[1:])] += dice.choice((1, 10))
        elif kind == "votes" and row["candidates"]:
            one = dice.choice(row["candidates"])
            one[1] = max(0, one[1] + dice.choice((-1, 1, 60)))
        elif kind == "mixed" and "mixed" in row:
            row["mixed"] = max(0, row["mixed"] + dice.choice((-1, 1)))
        elif kind == "missing":  # authenticated, no ballot
            row["authenticated"]["online"] += 1 + row["cast"] // 2
        elif kind == "surplus":
            n = dice.choice((1, 100))
            row["cast"] += n
            row["valid"] += n
        elif kind == "none":
            row["candidates"] = []
            row.update({"lists": []} if "lists" in row else {})
        elif kind == "all":
            row["candidates"] = [[p, row.get("mixed", row["valid"])] for p in contest["people"]]

    def report(self, branch):
        """The branch's contests; some are missing (S03) or were not held, but one is there."""
        dice, out = self.dice, []
        careless = dice.random() < 0.5
        for code in self.branches[branch]["contests"]:
            contest = self.contests[code]
            if dice.random() < 0.05:
                out.append({"contest": code, "not_held": "flood, سیل"})
                continue
            if dice.random() < 0.05 and out:
                continue
            row = self.copied(code) or self.honest(contest)
            for _ in range(dice.randint(1, 2) if careless and dice.random() < 0.6 else 0):
                self.spoil(contest, row)
            out.append({"contest": code, **row})
        return out

    # ---- files -------------------------------------------------------------------------------------------
    def counts_rows(self):
        for branch, contests in self.counts.items():
            for row in contests:
                where = (branch, row["contest"])
                if "not_held" in row:
                    yield (*where, "not_held", row["not_held"], "")
                    continue
                for device, n in row["authenticated"].items():
                    yield (*where, f"authenticated_{device}", "", n)
                for key in NUMBERS:
                    yield (*where, key, "", row[key])
                if "mixed" in row:
                    yield (*where, "mixed", "", row["mixed"])
                    yield from ((*where, "list", e, n) for e, n in row["lists"])
                yield from ((*where, "candidate", p, n) for p, n in row["candidates"])

    def quorums(self):
        """Who decides what; left out where the default is good enough.  There are two of each board and an operator."""
        some = ({"commission": 1}, {"supervision": 1}, {"commission": 1, "supervision": 1}, {"commission": 2, "supervision": 2},
                {"operator": 1, "commission": 1}, {"commission": 2, "supervision": 1})
        return {kind: self.dice.choice(some) for kind in ("release", "explain", "annul", "reinstate", "lot", "exclude", "certify")
                if self.dice.random() < 0.5}

    def write(self, directory):
        folder = Path(directory) / "definition"
        folder.mkdir(parents=True)
        head = {"format": "tally-definition/1", "election": "random-1", "domain": "tally.example",
                "name": {"fa": "آزمایشی", "en": "random"}, "phase": "rehearsal", "time_zone": "Asia/Tehran",
                "rules": self.rules, "limits": self.limits,
                "policy": {"root": 1, "revise": {"supervision": self.dice.choice((1, 2))}, **self.quorums(),
                           "publish_min_ballots": self.few}}
        (folder / "election.json").write_text(json.dumps(head, ensure_ascii=False, indent=1), "utf-8")
        for table, rows in self.tables.items():
            self.write_csv(folder / f"{table}.csv", HEADERS[table], rows)
        self.write_csv(Path(directory) / "counts.csv", "branch,contest,field,code,value", self.counts_rows())

    @staticmethod
    def write_csv(path, header, rows):
        with open(path, "x", encoding="utf-8", newline="") as out:
            out.write(header + "\n")
            csv.writer(out, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    Made(int(sys.argv[2])).write(sys.argv[1])
