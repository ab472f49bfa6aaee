# SPDX-License-Identifier: Apache-2.0
"""Random contests through the core (outcome_lines) and through methods.py: every number equal (TAP).

    seats.py OUTCOME_LINES CONTESTS [SEED] [--jobs N]

Most contests are tiny, so that ties, full lists and empty ones happen all the time; in some of them persons are
excluded, and ties settled by orders of those who are equal, or of all lists, one after the other.  Of each contest the
core also sees a twin with lists and persons in another order, and one with all votes times a factor:
neither may change who is elected (a Droop quota is rounded, so that only the order is changed there).
"""
import argparse
import json
import multiprocessing
import random
import subprocess
import sys
import time
from collections import Counter

import methods

CHUNK = 2000
SHOWN_MAX = 5


def votes(dice):
    """Small numbers tie; multiples give equal quotients; large ones need wide products."""
    shape = dice.random()
    if shape < 0.55:
        return lambda: dice.randint(0, 6)
    if shape < 0.75:
        unit = dice.choice((10, 12, 60))
        return lambda: unit * dice.randint(0, 8)
    if shape < 0.9:
        return lambda: dice.randint(0, 1000)
    return lambda: dice.randint(0, 10**dice.randint(4, 9))


def parameters(dice, method):
    if method == "block":
        return {}
    bar = dice.choice((0, 0, 0, 0, 300, 500, 1000, 2500, 5000, 10000))
    if method != "list_ir":
        return {"threshold_bp": bar, "threshold_rule": dice.choice(("plain", "scaled_by_candidates")),
                "equal_quotients": dice.choice(("lot", "more_votes"))}
    return {"base": dice.choice(("votes", "votes", "ballots_x_seats")),
            "first_round": dice.choice(("round_half_up", "floor")),
            "remainder": dice.choice(("highest_share", "largest_remainder", "highest_average")),
            "remainder_pool": dice.choice(("lists_and_indep", "lists_only")),
            "over_rule": dice.choice(("lowest_share", "smallest_rounded_up_fraction", "halt")),
            "cursor": dice.choice(("restart", "continue")), "threshold_bp": bar,
            "alternates_rule": dice.choice(("overall_next", "same_list_next"))}


def contest(dice):
    method = dice.choice(("block", "list_ir", "list_ir", "list_ir", *methods.DIVISORS, *methods.QUOTAS))
    some = votes(dice)
    seats = dice.choice((1, 2, 3, 3, 4, 5, 7, dice.randint(1, 21)))
    lists = [some() for _ in range(dice.choice((0, 1, 2, 2, 3, 3, 4, 5, 6, 8)))]
    if dice.random() < 0.3:  # lists of a few strengths only
        lists = [dice.choice(lists[:2]) for _ in lists]
    few = dice.random() < 0.6  # else there are always persons enough
    people = []
    for i in range(-1, len(lists)):
        quiet = dice.random() < 0.3  # nobody named a person
        size = dice.choice((0, 1, 2, 3, 4, 8)) if few else seats
        people += [[i, 0 if quiet else some()] for _ in range(size if i >= 0 or dice.random() < 0.5 else 0)]
    if method == "block":
        lists, people = [], [[-1, n] for _, n in people]
    marks = sum(n + (lists[of] if of >= 0 else 0) for of, n in people)
    choices = dice.choice((1, seats, seats, seats + 2))
    valid = sum(lists) + -(-marks // choices) + (some() if dice.random() < 0.5 else 0)
    c = {"method": method, "parameters": parameters(dice, method), "seats": seats,
         "alternates": dice.choice((0, 1, 2, 3, 5)), "valid": valid, "lists": lists, "persons": people,
         "excluded": [i for i in range(len(people)) if dice.random() < 0.2] if dice.random() < 0.25 else [], "orders": []}
    for _ in range(dice.choice((0, 0, 0, 1, 2, 4))):
        settle(dice, c)
    return c


def settle(dice, c):
    """One more order, the newest: of exactly those of a tie, or of everybody who may take seats."""
    ties = expected(c)["ties"]
    if ties:
        kind, _, among = dice.choice(ties)
        kind = "list" if kind == "list" else "person"
        order = list(range(len(c["lists"]) + 1)) if kind == "list" and dice.random() < 0.5 else list(among)
        dice.shuffle(order)
        c["orders"].insert(0, [kind, order])


def expected(c):
    """methods.py's answer in the shape of outcome_lines."""
    out = methods.outcome(c["method"], c["parameters"], c["seats"], c["alternates"], dict(enumerate(c["lists"])),
                          {i: (of if of >= 0 else methods.POOL, n) for i, (of, n) in enumerate(c["persons"])},
                          c["valid"], c["excluded"],
                          [(kind, [methods.POOL if kind == "list" and x == len(c["lists"]) else x for x in order])
                           for kind, order in c["orders"]])
    number = {methods.POOL: len(c["lists"])}
    pool = out["pool"]
    if c["method"] == "block" and c["persons"]:
        pool = {"votes": sum(n for _, n in c["persons"]), "seats": 0}
    return {"seats": list(out["seats"].values()), "pool": pool and [pool["votes"], pool["seats"]],
            "votes": list(out["votes"].values()), "list_votes": list(out["list_votes"].values()),
            "winners": out["winners"], "alternates": out["alternates"], "rank": [n or 0 for n in out["rank"].values()],
            "ties": [[t["kind"], t["at_stake"], [number.get(x, x) if t["kind"] == "list" else x for x in t["among"]]]
                     for t in out["ties"]], "vacancies": out["vacancies"]}


def plain(answer, same_list):
    """The same answer whatever the order of equals; people must come by votes, most first."""
    n = answer["votes"]
    for line in ("winners",) if same_list else ("winners", "alternates"):
        ordered = [n[i] for i in answer[line]]
        assert ordered == sorted(ordered, reverse=True), (line, answer)
    return {**answer, "winners": sorted(answer["winners"]), "alternates": sorted(answer["alternates"]),
            "ties": sorted([kind, at_stake, sorted(among)] for kind, at_stake, among in answer["ties"])}


def shuffled(dice, c):
    """The contest with lists and persons in another order, and how to read its answer."""
    lists, people = list(range(len(c["lists"]))), list(range(len(c["persons"])))
    dice.shuffle(lists)
    dice.shuffle(people)
    place = {-1: -1, **{old: new for new, old in enumerate(lists)}}
    twin = {**c, "lists": [c["lists"][i] for i in lists],
            "persons": [[place[c["persons"][i][0]], c["persons"][i][1]] for i in people],
            "excluded": [people.index(i) for i in c["excluded"]],
            "orders": [[kind, [people.index(i) if kind == "person" else place.get(i, i) for i in order]]
                       for kind, order in c["orders"]]}

    def back(answer):
        out = dict(answer)
        for key, old in (("seats", lists), ("list_votes", lists), ("votes", people), ("rank", people)):
            if answer[key]:
                out[key] = [n for _, n in sorted(zip(old, answer[key]))]
        for key in ("winners", "alternates"):
            out[key] = [people[i] for i in answer[key]]
        entity = [*lists, len(lists)]
        out["ties"] = [[kind, n, [(entity if kind == "list" else people)[i] for i in among]]
                       for kind, n, among in answer["ties"]]
        return out
    return twin, back


def scaled(dice, c):
    factor = 1 if c["method"] == "droop_lr" else dice.choice((2, 3, 1000))
    twin = {**c, "lists": [n * factor for n in c["lists"]], "persons": [[of, n * factor] for of, n in c["persons"]],
            "valid": c["valid"] * factor}

    def back(answer):
        pool = answer["pool"] and [answer["pool"][0] // factor, answer["pool"][1]]
        return {**answer, "votes": [n // factor for n in answer["votes"]], "pool": pool,
                "list_votes": [n // factor for n in answer["list_votes"]]}
    return twin, back


def run_core(program, contests):
    lines = "".join(json.dumps(c) + "\n" for c in contests)
    done = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def chunk(task):
    """One chunk of contests by its own seed: (differences, what was met)."""
    program, seed, n = task
    dice = random.Random(seed)
    cases = []
    for _ in range(n):
        c = contest(dice)
        cases.append((c, [(c, dict), shuffled(dice, c), scaled(dice, c)]))
    answers = iter(run_core(program, [twin for _, twins in cases for twin, _ in twins]))
    bad, met = [], Counter()
    for c, twins in cases:
        same_list = c["parameters"].get("alternates_rule") == "same_list_next"
        want = plain(expected(c), same_list)
        met[c["method"]] += 1
        met.update({f"tie:{kind}" for kind, _, _ in want["ties"]})
        met["vacancies"] += want["vacancies"] > 0
        met.update({f"order:{kind}" for kind, _ in c["orders"]})
        met["excluded"] += bool(c["excluded"])
        for (_, back), name in zip(twins, ("as it is", "in another order", "times a factor")):
            got = plain(back(next(answers)), same_list)
            if got != want:
                differ = [key for key in want if got.get(key) != want[key]]
                bad.append({"contest": c, "which": name, "differ": differ, "core": got, "oracle": want})
    return bad, met


def main():
    args = argparse.ArgumentParser()
    args.add_argument("program")
    args.add_argument("contests", type=int)
    args.add_argument("seed", type=int, nargs="?", default=random.SystemRandom().randrange(2**32))
    args.add_argument("--jobs", type=int, default=1)
    a = args.parse_args()
    print(f"# seed {a.seed}")
    begun = time.monotonic()
    tasks = [(a.program, a.seed * 1000003 + i, min(CHUNK, a.contests - i)) for i in range(0, a.contests, CHUNK)]
    bad, met = [], Counter()
    with multiprocessing.Pool(a.jobs) as pool:
        for some, more in pool.imap_unordered(chunk, tasks):
            bad += some
            met += more
            if len(bad) > 1000:
                pool.terminate()
                break
    bad.sort(key=lambda one: len(json.dumps(one)))
    for one in bad[:SHOWN_MAX]:
        print("# " + json.dumps(one))
    print("# " + ", ".join(f"{name} {n}" for name, n in sorted(met.items())))
    print(f"# {time.monotonic() - begun:.1f} s")
    ok = "not ok" if bad else "ok"
    print(f"{ok} 1 - {a.contests} contests, each in another order and scaled: {len(bad)} differences")
    kinds = all(met[name] > 0 for name in ("tie:seat", "tie:alternate", "tie:list", "vacancies", "order:list",
                                           "order:person", "excluded"))
    print(f"{'ok' if kinds else 'not ok'} 2 - among them ties of every kind, vacancies, orders and excluded persons")
    print("1..2")
    sys.exit(1 if bad or not kinds else 0)


if __name__ == "__main__":
    main()
