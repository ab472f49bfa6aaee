# SPDX-License-Identifier: Apache-2.0
"""The checks of a bundle, every HOLD and FLAG rule, written from their text alone (second counter).

    findings(definition, terminal, payload) -> {contest: (holds, flags)}, sets of codes

Letters are those of the rules: A authenticated, C cast, B blank, I invalid, V valid, y ballots of lists,
m mixed, p votes for persons.  A share of a number is in basis points and rounded up.
What follows from a finding is not reported beside it: a code that is not known makes the votes of its
contest unreadable; N03 stands for N04, and these and N05 for N07, all of them for P05; N08 for P03.
"""


class Refused(Exception):
    """The bundle is no ledger entry."""

    def __init__(self, status, code):
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


def share(bp, n):
    return -(-n * bp // 10000)


def once(codes):
    if len(set(codes)) != len(codes):
        raise Refused(400, "S01")


def bundle_holds(d, terminal, payload):
    """What holds the whole branch."""
    holds = set()
    if not int(terminal["not_before"]) <= payload["made_at"] <= int(terminal["not_after"]):
        holds.add("A04")
    if payload["definition"] != d.hash:
        holds.add("A06")
    if not payload["opened_at"] < payload["closed_at"] <= payload["made_at"]:
        holds.add("S05")
    return holds


class Row:
    """One contest's numbers in a bundle."""

    def __init__(self, d, contest, row, other_definition):
        self.row, self.contest = row, contest
        self.y = dict(row.get("lists", []))
        self.p = dict(row["candidates"])
        once([code for code, _ in row.get("lists", [])])
        once([code for code, _ in row["candidates"]])
        self.readable = set(self.y) <= set(contest.lists) and set(self.p) <= set(contest.candidates)
        if ("lists" in row) != contest.by_lists:
            if not other_definition:
                raise Refused(422, "S06") if contest.by_lists else Refused(400, "S01")
            self.readable = False
        self.A = sum(row["authenticated"].values())
        self.C, self.B, self.I, self.V = (row[k] for k in ("cast", "blank", "invalid", "valid"))
        self.m = row.get("mixed", self.V)
        self.d = d

    def number_holds(self, capacity):
        row, holds = self.row, set()
        if self.C != self.V + self.B + self.I:
            holds.add("N02")
        if self.C > self.A:
            holds.add("N08")
        if capacity is not None and (self.A > capacity or self.C > capacity):
            holds.add("N09")
        if row["issued"] < self.C:
            holds.add("N10")
        return holds | (self.vote_holds() if self.readable else {"S02"})

    def vote_holds(self):
        y, p, m, holds = sum(self.y.values()), sum(self.p.values()), self.m, set()
        if any(n > m for n in self.p.values()):
            holds.add("N03")
        elif p > self.contest.max_choices * m:
            holds.add("N04")
        if self.contest.by_lists and not self.adds_up(y, m):
            holds.add("N05")
        if not holds and (self.V > 0) != (y + p > 0):
            holds.add("N07")
        return holds

    def adds_up(self, y, m):
        """Each valid ballot is one of a list or a mixed one; where the law allows it, both."""
        if self.contest.parameters.get("list_plus_individual"):
            return y <= self.V and m <= self.V and y + m >= self.V
        return y + m == self.V

    def flags(self, holds):
        limits, flags = self.d.limits, set()
        missing = self.A - self.C
        if missing > share(limits["N08_missing_bp"], self.A):
            flags.add("N08")
        elif missing > 0 and (missing >= share(limits["P03_bp"], self.C) or missing >= limits["P03_abs"]):
            flags.add("P03")
        if self.B > 0 and self.B >= share(limits["P01_bp"], self.C):
            flags.add("P01")
        if self.I > 0 and self.I >= share(limits["P02_bp"], self.C):
            flags.add("P02")
        if self.C == 0 or self.A == 0:
            flags.add("P04")
        if not holds & {"S02", "N03", "N04", "N05", "N07"} and self.nearly_all():
            flags.add("P05")
        if self.A - self.row["authenticated"]["online"] > share(limits["P06_bp"], self.A):
            flags.add("P06")
        if self.C < self.d.policy["publish_min_ballots"]:
            flags.add("P09")
        return flags

    def nearly_all(self):
        limit, c = share(self.d.limits["P05_bp"], self.V), self.contest
        credited = c.method == "list_ir"
        if len(c.lists) > 1 and any(n > limit for n in self.y.values()):
            return True
        return len(c.candidates) > 1 and any(
            n + (self.y.get(c.candidates[code], 0) if credited else 0) > limit for code, n in self.p.items())


def vector(row):
    """All counts of one contest, absent options left out; None: they say too little to be compared."""
    options = {(kind, code): n for kind in ("lists", "candidates") for code, n in row.get(kind, []) if n > 0}
    plain = ("issued", "cast", "blank", "invalid", "valid", "excluded")
    return None if len(options) < 2 else (
        tuple(sorted(row["authenticated"].items())), tuple(row[key] for key in plain), row.get("mixed", 0),
        frozenset(options.items()))


def twins(limit, rows):
    """P08: of {(branch, contest): the newest numbers, readable ones only} those that another branch has, too."""
    seen = {}
    for (branch, contest), row in rows.items():
        numbers = vector(row) if limit > 0 and row["cast"] >= limit else None
        if numbers is not None:
            seen.setdefault((contest, numbers), []).append((branch, contest))
    return {key for same in seen.values() if len(same) > 1 for key in same}


def findings(d, terminal, payload):
    branch = d.branches[payload["branch"]]
    whole = bundle_holds(d, terminal, payload)
    named = [row["contest"] for row in payload["contests"]]
    once([code for code in named if code in branch.contests])
    strange = any(code not in branch.contests for code in named)
    given = {row["contest"]: row for row in payload["contests"]}
    read = {code: Row(d, d.contests[code], given[code], "A06" in whole) for code in branch.contests
            if code in given and "not_held" not in given[code]}
    most = max((row.A for row in read.values()), default=0)
    out = {}
    for code in branch.contests:
        holds, flags = set(whole), set()
        if strange:
            holds.add("S02")
        elif code not in given:
            holds.add("S03")
        if code in read:
            row = read[code]
            closes_at = d.contests[code].closes_at
            if closes_at is not None and payload["closed_at"] < closes_at:
                holds.add("S05")
            numbers = row.number_holds(branch.capacity)
            holds |= numbers
            flags |= row.flags(numbers)
            if most - row.A > share(d.limits["P07_bp"], most):
                flags.add("P07")
        out[code] = (holds, flags)
    return out
