# SPDX-License-Identifier: Apache-2.0
"""Totals, added from the newest bundle of each branch, never from other totals (second counter)."""
import checks
import methods

BALLOTS = ("issued", "cast", "blank", "invalid", "valid", "excluded")


def some(votes):
    return {code: n for code, n in votes.items() if n > 0}


class Standing:
    """What one branch's contest stands at."""

    def __init__(self, contest, row, revision, holds, flags, position):
        self.revision, self.holds, self.flags, self.position = revision, holds, flags, position
        self.state = "held" if holds else self.when_counted
        self.beneath, self.explained = None, False  # beneath: what a reinstatement gives back
        self.not_held = row is not None and "not_held" in row
        numbers = row is not None and not self.not_held
        known = numbers and ("lists" in row) == contest.by_lists and (
            {c for c, _ in row["candidates"]} <= set(contest.candidates)
            and {c for c, _ in row.get("lists", [])} <= set(contest.lists))
        self.row = row if known else None

    @property
    def when_counted(self):
        return "counted" if self.revision == 1 else "corrected"

    @property
    def counted(self):
        return self.state in ("counted", "corrected")

    def annul(self):
        self.beneath, self.state = self.state, "annulled"


def ballots_of(row):
    return {"authenticated": sum(row["authenticated"].values()), **{key: row[key] for key in BALLOTS}}


def total(rows):
    out = dict.fromkeys(("authenticated", *BALLOTS), 0)
    for row in rows:
        for key, n in ballots_of(row).items():
            out[key] += n
    return out


def progress(standings):
    """Of the branch-contests of some area or contest; None: nothing came."""
    return {"expected": len(standings), "reported": sum(s is not None for s in standings),
            "counted": sum(s is not None and s.counted for s in standings),
            **{state: sum(s is not None and s.state == state for s in standings) for state in ("held", "annulled")}}


class Tally:
    """The newest standing of every branch's contest."""

    def __init__(self, d):
        self.d = d
        self.stand = {(b.code, c): None for b in d.branches.values() for c in b.contests}
        self.conflicts = set()
        self.changed = dict.fromkeys(d.contests, 0)  # the last entry that changed it
        self.orders = {code: [] for code in d.contests}  # for equals, the newest first
        self.excluded = {code: set() for code in d.contests}
        self.certified = {}  # contest: entry
        self.twins = set()  # who has P08

    def change(self, contest, position):
        """Orders are void once anything of the contest changes."""
        self.changed[contest], self.orders[contest] = position, []

    def apply(self, payload, found, position):
        rows = {row["contest"]: row for row in payload["contests"]}
        for code, (holds, flags) in found.items():
            before = self.stand[payload["branch"], code]
            s = Standing(self.d.contests[code], rows.get(code), payload["revision"], holds, flags, position)
            if before is not None and before.state == "annulled":
                s.annul()
            self.stand[payload["branch"], code] = s
            self.change(code, position)
        self.find_twins(position)

    def find_twins(self, position):
        """Whoever gets a twin or loses the last one is changed; an explanation did not know of a new one."""
        twins = checks.twins(self.d.limits["P08_min"], {key: s.row for key, s in self.stand.items() if s and s.row})
        for key in twins ^ self.twins:
            s = self.stand[key]
            s.position, s.explained = position, s.explained and key not in twins
        self.twins = twins

    def flags_of(self, key):
        return self.stand[key].flags | ({"P08"} if key in self.twins else set())

    def checks_of(self, key):
        """What the newest bundle of a branch's contest is held or flagged for."""
        return self.stand[key].holds | self.flags_of(key)

    def numbers(self, keys):
        """Progress and ballots of some branch-contests; null until something is counted."""
        standings = [self.stand[key] for key in keys]
        p = progress(standings)
        rows = [s.row for s in standings if s is not None and s.counted and s.row is not None]
        return p, total(rows) if p["counted"] else None, rows

    def area(self, code):
        keys = [key for key in self.stand if self.d.within(self.d.branches[key[0]].area, code)]
        p, ballots, _ = self.numbers(keys)
        return {"area": code, "progress": p, "ballots": ballots}

    def branch(self, code):
        b = self.d.branches[code]
        contests, status = [], set()
        for contest in sorted(b.contests):
            s = self.stand[code, contest]
            if s is None:
                contests.append({"contest": contest, "state": "expected", "revision": 0, "not_held": False,
                                 "ballots": None, "checks": [], "explained": False})
                continue
            status.add("counted" if s.counted else s.state)
            if self.flags_of((code, contest)):
                status.add("flagged")
            contests.append({"contest": contest, "state": s.state, "revision": s.revision, "not_held": s.not_held,
                             "ballots": ballots_of(s.row) if s.row else None, "checks": sorted(self.checks_of((code, contest))),
                             "explained": s.explained})
        if not status:
            status.add("silent")
        if code in self.conflicts:
            status |= {"conflicting", "flagged"}
        return {"branch": code, "area": b.area, "status": sorted(status), "contests": contests}

    def votes(self, contest, rows):
        lists, persons = dict.fromkeys(contest.lists, 0), dict.fromkeys(contest.candidates, 0)
        for row in rows:
            for code, n in row.get("lists", []):
                lists[code] += n
            for code, n in row["candidates"]:
                persons[code] += n
        return lists, persons

    def contest_areas(self, code):
        """The contest's branches by area, at every level."""
        c, out = self.d.contests[code], {}
        for area in {a for b in c.branches for a in self.d.up(self.d.branches[b].area)}:
            keys = [(b, code) for b in c.branches if self.d.within(self.d.branches[b].area, area)]
            p, ballots, rows = self.numbers(keys)
            lists, persons = self.votes(c, rows)
            out[area] = {"progress": p, "ballots": ballots, **dict.fromkeys(("lists", "mixed", "candidates"))}
            if p["counted"]:
                out[area].update(lists=some(lists), candidates=some(persons), mixed=sum(r.get("mixed", 0) for r in rows))
        return out

    def is_certified(self, code):
        return code in self.certified and self.certified[code] == self.changed[code]

    def is_complete(self, code):
        """Everybody is counted or annulled, and somebody is counted."""
        p, _, _ = self.numbers([(b, code) for b in self.d.contests[code].branches])
        return p["counted"] > 0 and p["counted"] + p["annulled"] == p["expected"]

    def outcome_now(self, code, *more):
        """Who is elected, with more orders than those decided; only where something is counted."""
        c = self.d.contests[code]
        _, ballots, rows = self.numbers([(b, code) for b in c.branches])
        return self.outcome(c, c.parameters, *self.votes(c, rows), ballots["valid"], more)

    def contest(self, code):
        c = self.d.contests[code]
        p, ballots, rows = self.numbers([(b, code) for b in c.branches])
        lists, persons = self.votes(c, rows)
        out = {"contest": code, "area": c.area, "method": c.method, "parameters": c.parameters, "seats": c.seats,
               "alternates_n": c.alternates, "progress": p, "ballots": ballots, "position": self.changed[code],
               "final": self.is_certified(code)}
        if ballots is None:
            out.update(status="waiting" if not p["reported"] else "annulled" if p["annulled"] == p["expected"] else "partial",
                       vacancies=None, pool=None, winners=[], alternates=[], ties=[], lists=[], candidates=[], readings={})
            return out
        result = self.outcome(c, c.parameters, lists, persons, ballots["valid"])
        tied = bool(result["ties"])
        out["status"] = "partial" if not self.is_complete(code) else "certified" if out["final"] else "tied" if tied else "complete"
        out.update({key: result[key] for key in ("vacancies", "pool", "winners", "alternates", "ties")})
        out["lists"] = [{"list": e, "ballots": lists[e] if c.by_lists else None,
                         "votes": result["list_votes"][e] if c.by_lists else None, "seats": result["seats"].get(e)}
                        for e in c.lists]
        out["candidates"] = [
            {"candidate": code, "list": of, "votes": result["votes"][code], "rank": result["rank"][code],
             "personal": persons[code], "elected": "main" if code in result["winners"] else
             "alternate" if code in result["alternates"] else None, "excluded": code in self.excluded[c.code]}
            for code, of in c.candidates.items()]
        out["readings"] = self.readings(c, lists, persons, ballots["valid"], result)
        return out

    def outcome(self, c, parameters, lists, persons, valid, more=()):
        given = lists if c.by_lists else {}
        people = {code: (of if c.by_lists else methods.POOL, persons[code]) for code, of in c.candidates.items()}
        result = methods.outcome(c.method, parameters, c.seats, c.alternates, given, people, valid,
                                 self.excluded[c.code], [*more, *self.orders[c.code]])
        result["list_votes"] = {e: result["list_votes"].get(e, 0) for e in c.lists}
        return result

    def readings(self, c, lists, persons, valid, own):
        """{parameters: outcome} of the law's variants A to E and of every parameter that is one of its readings
        changed alone."""
        if c.method != "list_ir":
            return {}
        out = {}
        for parameters in methods.readings(c.parameters):
            other = self.outcome(c, parameters, lists, persons, valid)
            other["differs"] = any(elected(other)[k] != elected(own)[k] for k in elected(own))
            out[frozenset(parameters.items())] = other
        return out


def elected(outcome):
    return {"seats": outcome["seats"], "pool": outcome["pool"], "winners": set(outcome["winners"]),
            "vacancies": outcome["vacancies"],
            "ties": {(t["kind"], t["at_stake"], frozenset(t["among"])) for t in outcome["ties"] if t["kind"] != "alternate"}}
