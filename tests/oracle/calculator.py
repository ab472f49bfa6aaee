# SPDX-License-Identifier: Apache-2.0
"""Random contests through `tallyctl seats` and through methods.py: seats, winners, ties, readings (TAP).

    calculator.py TALLYCTL CONTESTS [SEED]
"""
import json
import random
import subprocess
import sys
from decimal import Decimal

import methods
import seats

SHOWN_MAX = 5


def asked(c, number):
    """The contest as the calculator reads it, and as methods.py does."""
    if c["method"] == "block":
        persons = {f"p {i}": (None, n) for i, (_, n) in enumerate(c["persons"])}
        alternates = min(c["alternates"], len(persons))  # more is bad input
        line = {"id": f"#{number}", "seats": c["seats"], "alternates": alternates,
                "candidates": [{"id": p, "votes": n} for p, (_, n) in persons.items()]}
        return line, ({}, persons, {}, alternates)
    lists, persons, pool = {f"l {i}": 0 for i in range(len(c["lists"]))}, {}, None
    line = {"id": f"#{number}", "method": c["method"], "seats": c["seats"], "lists": []}
    for i, ballots in enumerate(c["lists"]):
        room = sum(of == i for of, _ in c["persons"])
        line["lists"].append({"id": f"l {i}", "votes": ballots if room else 0, "candidates": room})
        persons.update({(i, k): (f"l {i}", ballots if k == 0 else 0) for k in range(room)})
    independent = [n for of, n in c["persons"] if of < 0]
    parameters = dict(c["parameters"])
    if c["method"] == "list_ir":
        if independent:
            pool = {"votes": sum(independent), "candidates": len(independent)}
            line["pool"] = pool
            persons.update({(-1, k): (None, n) for k, n in enumerate(independent)})
        line.update(parameters=parameters, valid_ballots=c["valid"])
    else:
        line["threshold"] = float(Decimal(parameters["threshold_bp"]) / 10000)
        line["threshold_rule"] = parameters["threshold_rule"]
        if parameters["equal_quotients"] == "more_votes":
            line["equal_quotients_rule"] = "equal ones to the list with more votes"
    return line, (lists, persons, parameters, 0)


def tied(ties, kind):
    return sorted([t["at_stake"], sorted("pool" if x is None else x for x in t["among"])]
                  for t in ties if t["kind"] == kind)


def wanted(c, out):
    want = {"unfilled": out["vacancies"]}
    if c["method"] == "block":
        want.update(winners=sorted(out["winners"]), alternates=sorted(out["alternates"]),
                    alternate_ties=tied(out["ties"], "alternate"), ties=tied(out["ties"], "seat"))
    else:
        want.update(seats=out["seats"], pool=out["pool"]["seats"] if out["pool"] else None,
                    ties=tied(out["ties"], "list"))
    return want


def given(c, answer):
    got = {"unfilled": answer.get("unfilled", 0),
           "ties": [[answer["ties"]["at_stake"], sorted(answer["ties"]["among"])]] if answer.get("ties") else []}
    if c["method"] == "block":
        got.update(winners=sorted(answer["winners"]), alternates=sorted(answer["alternates"]), alternate_ties=sorted(
            [t["at_stake"], sorted(t["among"])] for t in answer.get("alternate_ties", [])))
    else:
        got.update(seats=answer["seats"], pool=answer.get("pool"))
    return got


def readings(c, told, answer):
    """{parameters: seats} of the calculator, and of the oracle."""
    lists, persons, parameters, _ = told
    if c["method"] != "list_ir":
        return answer.get("readings", []), []

    def key(p):
        return tuple(sorted((k, str(v)) for k, v in p.items()))
    got = {key(r["parameters"]): (r["seats"], r.get("pool")) for r in answer["readings"]}
    want = {}
    for p in methods.readings({**methods.DEFAULTS["list_ir"], **parameters}):
        out = methods.outcome("list_ir", p, c["seats"], 0, lists, persons, c["valid"])
        want[key(p)] = (out["seats"], out["pool"]["seats"] if out["pool"] else None)
    return got, want


def main():
    program, n = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(2**32)
    print(f"# seed {seed}")
    dice = random.Random(seed)
    contests = []
    while len(contests) < n:  # without anybody to elect it is bad input
        c = seats.contest(dice)
        if c["persons"] if c["method"] == "block" else c["lists"]:
            contests.append(c)
    asks = [asked(c, i) for i, c in enumerate(contests)]
    text = "".join(json.dumps(line) + "\n" for line, _ in asks)
    done = subprocess.run([program, "seats"], input=text.encode(), stdout=subprocess.PIPE)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    bad = []
    for c, (line, told), answer in zip(contests, asks, answers):
        lists, persons, parameters, alternates = told
        out = methods.outcome(c["method"], parameters, c["seats"], alternates, lists, persons, c["valid"])
        try:
            got, want = given(c, answer), wanted(c, out)
            others = readings(c, told, answer)
        except KeyError:
            got, want, others = answer, "an answer", (0, 0)
        if got != want or answer.get("id") != line["id"] or others[0] != others[1]:
            bad.append({"asked": line, "answer": {**answer, "steps": 0, "readings": 0}, "want": want,
                        "readings": others[0] == others[1]})
    for one in sorted(bad, key=lambda one: len(json.dumps(one)))[:SHOWN_MAX]:
        print("# " + json.dumps(one))
    good = not bad and len(answers) == n and done.returncode == 0
    print(f"{'ok' if good else 'not ok'} 1 - {n} contests, {len(answers)} answers, exit {done.returncode}, {len(bad)} differences")
    print("1..1")
    sys.exit(not good)


if __name__ == "__main__":
    main()
