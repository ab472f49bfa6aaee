# SPDX-License-Identifier: Apache-2.0
"""methods.py against the law's worked examples and against real elections (TAP): examples.py [SEAT_CASES]

E1 to E10 and (a) to (c) are the examples that come with the reading of the law (S = 21 unless said).
SEAT_CASES is a folder with apportionment.jsonl and blockvote.jsonl (votes in, official seats out).
"""
import itertools
import json
import random
import sys
from decimal import Decimal
from pathlib import Path

import methods

A = {}
B = {"first_round": "floor"}
C = {**B, "remainder": "largest_remainder"}
D = {**B, "remainder": "highest_average"}
FRACTION = {"over_rule": "smallest_rounded_up_fraction"}
LISTS_ONLY = {"remainder_pool": "lists_only"}
BALLOTS = {"base": "ballots_x_seats"}
E1 = {"A": 6300000, "B": 4900000, "C": 2100000, "I": 1700000}
E2 = {"A": 8400, "B": 5450, "C": 4350, "I": 2800}
E3 = {"A": 7800, "B": 6700, "C": 4600, "I": 1900}
E4 = {"A": 9000, "B": 6000, "C": 3000, "I": 3000}
E5 = {"A": 16600, "B": 2400, "I": 2000}
E6 = {"A": 10500, "B": 10500}
E7 = {"A": 9300, "B": 4440, "C": 3400, "D": 1460, "I": 2400}
E10 = {"A": 9300, "B": 4100, "I": 1800}
# votes, persons where they are few, parameters, seats in the order of the votes ("TIE": at stake between lists)
EXAMPLES = [
    ("E1 A", E1, {}, A, [9, 7, 3, 2]), ("E1 B", E1, {}, B, [9, 7, 3, 2]),
    ("E1 C", E1, {}, C, [9, 7, 3, 2]), ("E1 D", E1, {}, D, [9, 7, 3, 2]),
    ("E2 A", E2, {}, A, [9, 5, 4, 3]), ("E2 B", E2, {}, B, [9, 6, 4, 2]), ("E2 C", E2, {}, C, [8, 6, 4, 3]),
    ("E2 C lists", E2, {}, {**C, **LISTS_ONLY}, [9, 6, 4, 2]), ("E2 D", E2, {}, D, [9, 5, 4, 3]),
    ("E3 A", E3, {}, A, [8, 7, 5, 1]), ("E3 A fraction", E3, {}, FRACTION, [8, 7, 4, 2]),
    ("E3 B", E3, {}, B, [8, 7, 5, 1]), ("E3 C", E3, {}, C, [8, 7, 4, 2]),
    ("E3 C lists", E3, {}, {**C, **LISTS_ONLY}, [8, 7, 5, 1]), ("E3 D", E3, {}, D, [8, 7, 4, 2]),
    ("E3 D lists", E3, {}, {**D, **LISTS_ONLY}, [8, 7, 5, 1]), ("E3 halt", E3, {}, {"over_rule": "halt"}, "TIE"),
    *((f"E4 {n}", E4, {"I": 1}, p, [10, 7, 3, 1]) for n, p in (("A", A), ("B", B), ("C", C), ("D", D))),
    *((f"E5 {n}", E5, {"A": 14}, p, [14, 5, 2]) for n, p in (("A", A), ("B", B), ("C", C), ("D", D))),
    *((f"E6 {n}", E6, {}, p, "TIE") for n, p in (("A", A), ("B", B), ("C", C), ("D", D))),
    ("E7 A", E7, {}, A, [10, 5, 3, 1, 2]), ("E7 B", E7, {}, B, [10, 5, 3, 1, 2]),
    ("E7 C", E7, {}, C, [9, 5, 3, 2, 2]), ("E7 D", E7, {}, D, [10, 5, 3, 1, 2]),
    ("E8 A restart", E2, {"I": 2}, A, [10, 5, 4, 2]), ("E8 A continue", E2, {"I": 2}, {"cursor": "continue"}, [9, 6, 4, 2]),
    ("E8 B", E2, {"I": 2}, B, [9, 6, 4, 2]), ("E8 C", E2, {"I": 2}, C, [9, 6, 4, 2]),
    *((f"E10 {n}", E10, {"B": 14}, p, [13, 6, 2]) for n, p in (("A", A), ("B", B), ("C", C))),
    ("E10 E", E10, {"B": 14}, BALLOTS, [11, 6, 4]), ("E10 E floor", E10, {"B": 14}, {**BALLOTS, **B}, [12, 6, 3]),
    ("E10 E remainder", E10, {"B": 14}, {**BALLOTS, **C}, [11, 6, 4]),
]
run = bad = 0


def ok(good, name, *about):
    global run, bad
    run += 1
    bad += not good
    print(f"{'ok' if good else 'not ok'} {run} - {name}")
    for line in () if good else about:
        print(f"# {line}")


def law():
    for name, votes, few, parameters, want in EXAMPLES:
        lists = {e: 0 for e in votes if e != "I"}
        persons = {(e, i): (methods.POOL if e == "I" else e, votes[e] if i == 0 else 0)
                   for e in votes for i in range(few.get(e, 21))}
        out = methods.outcome("list_ir", parameters, 21, 0, lists, persons, 1000)
        got = [*out["seats"].values(), *([out["pool"]["seats"]] if out["pool"] else [])]
        tied = any(t["kind"] == "list" for t in out["ties"])
        ok(tied if want == "TIE" else got == want and not tied, f"law, {name}", got, out["ties"])
    lists = {"A": 40, "B": 30}
    persons = {"a1": ("A", 5), "a2": ("A", 12), "a3": ("A", 0), "b1": ("B", 2), "b2": ("B", 9), "x": (None, 35), "y": (None, 10)}
    for name, parameters, want in (("A", A, [2, 1, 0]), ("B", B, [2, 1, 0]), ("C", C, [2, 1, 0]), ("E", BALLOTS, [2, 1, 0])):
        out = methods.outcome("list_ir", parameters, 3, 2, lists, persons, 110)
        got = [*out["seats"].values(), out["pool"]["seats"]]
        ok(got == want and out["winners"] == ["a2", "a1", "b2"] and not out["ties"], f"law, E9 {name}", got, out)
    for name, seats, alternates, votes, winners, line, ties in (
            ("a", 5, 3, [910, 880, 700, 650, 610, 590, 400, 390, 120], [0, 1, 2, 3, 4], [5, 6, 7], []),
            ("b", 5, 3, [910, 880, 700, 610, 590, 590, 590, 400], [0, 1, 2, 3], [7], [("seat", 1, [4, 5, 6])]),
            ("c", 3, 2, [40, 40, 12, 12, 12], [0, 1], [], [("seat", 1, [2, 3, 4])])):
        out = methods.outcome("block", {}, seats, alternates, {}, {i: (None, n) for i, n in enumerate(votes)}, 0)
        got = [(t["kind"], t["at_stake"], t["among"]) for t in out["ties"]]
        ok((out["winners"], out["alternates"], got) == (winners, line, ties), f"law, ({name})", out)


def every_order(seats, alternates, votes):
    """The block vote by brute force: every order of equals, and what all of them agree on."""
    ends = set()
    for order in itertools.permutations(votes):
        if all(votes[a] >= votes[b] for a, b in zip(order, order[1:])):
            stands = [p for p in order if votes[p] > 0]
            ends.add((tuple(stands[:seats]), tuple(stands[seats:seats + alternates])))
    winners = set.intersection(*(set(w) for w, _ in ends))
    line = set.intersection(*(set(a) for _, a in ends))
    drawn = len({frozenset(w) for w, _ in ends}) > 1 or len({a for _, a in ends}) > 1
    return winners, line, drawn


def brute(dice):
    good = True
    for _ in range(400):
        votes = {i: dice.randint(0, 3) for i in range(dice.randint(0, 6))}
        seats, alternates = dice.randint(1, 4), dice.randint(0, 3)
        out = methods.outcome("block", {}, seats, alternates, {}, {i: (None, n) for i, n in votes.items()}, 0)
        winners, line, drawn = every_order(seats, alternates, votes)
        good &= (set(out["winners"]), set(out["alternates"]), bool(out["ties"])) == (winners, line, drawn)
    ok(good, "block votes: 400 small ones equal every order of equals followed by force")


def seat_case(case):
    parameters = {"threshold_rule": case.get("threshold_rule", "plain"),
                  "equal_quotients": "more_votes" if case.get("equal_quotients_rule") else "lot"}
    bp = Decimal(str(case.get("threshold") or 0)) * 10000
    if bp != int(bp):
        raise ValueError(f"{case['id']}: threshold {case['threshold']}")
    parameters["threshold_bp"] = int(bp)
    lists = {e["id"]: e["votes"] for e in case["lists"]}
    persons = {(e["id"], i): (e["id"], 0) for e in case["lists"] for i in range(e.get("candidates", case["seats"]))}
    return methods.outcome(case["method"], parameters, case["seats"], 0, lists, persons, 0)


def met(certain, expected, ties, case):
    """Equal, or equal but for the seats that a lot gave away."""
    tied = case.get("ties")
    if (not tied) != (not ties):
        return False
    if not tied or not case.get("tie_resolved_by_lot"):
        good = certain == expected
    else:
        good = all(certain[e] <= n <= certain[e] + (1 if e in tied["among"] else 0) for e, n in expected.items())
    return good and (not tied or (ties[0]["at_stake"], sorted(ties[0]["among"])) == (tied["at_stake"], sorted(tied["among"])))


def real(folder):
    for case in map(json.loads, (folder / "apportionment.jsonl").read_text("utf-8").splitlines()):
        out = seat_case(case)
        ties = [t for t in out["ties"] if t["kind"] == "list"]
        good = met(out["seats"], case["expected"], ties, case) and out["vacancies"] == case.get("unfilled", 0)
        ok(good, f"real, {case['id']}", out["seats"], case["expected"], ties, case.get("ties"))
    for case in map(json.loads, (folder / "blockvote.jsonl").read_text("utf-8").splitlines()):
        persons = {c["id"]: (None, c["votes"]) for c in case["candidates"]}
        out = methods.outcome("block", {}, case["seats"], 0, {}, persons, 0)
        certain = {p: int(p in out["winners"]) for p in persons}
        expected = {p: int(p in case["expected_winners"]) for p in persons}
        good = met(certain, expected, out["ties"], case) and out["vacancies"] == case.get("unfilled", 0)
        ok(good, f"real, {case['id']}", out["winners"], case["expected_winners"], out["ties"], case.get("ties"))


def main():
    seed = random.SystemRandom().randrange(2**32)
    print(f"# seed {seed}")
    law()
    brute(random.Random(seed))
    if len(sys.argv) > 1:
        real(Path(sys.argv[1]))
    else:
        ok(True, "real elections # SKIP the shared folder is not there")
    print(f"1..{run}")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
