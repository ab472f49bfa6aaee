# SPDX-License-Identifier: Apache-2.0
"""Totals, added from the newest bundle of each branch, never from other totals (second counter)."""
import methods

BALLOTS = ("issued", "cast", "blank", "invalid", "valid", "excluded")


class Standing:
    """What one branch's contest stands at."""

    def __init__(self, contest, row, revision, holds, flags):
        self.revision, self.holds, self.flags = revision, holds, flags
        self.state = "held" if holds else "counted" if revision == 1 else "corrected"
        self.not_held = row is not None and "not_held" in row
        numbers = row is not None and not self.not_held
        known = numbers and ("lists" in row) == contest.by_lists and (
            {c for c, _ in row["candidates"]} <= set(contest.candidates)
            and {c for c, _ in row.get("lists", [])} <= set(contest.lists))
        self.row = row if known else None

    @property
    def counted(self):
        return not self.holds


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
            "held": sum(s is not None and not s.counted for s in standings), "annulled": 0}


class Tally:
    """The newest standing of every branch's contest."""

    def __init__(self, d):
        self.d = d
        self.stand = {(b.code, c): None for b in d.branches.values() for c in b.contests}
        self.conflicts = set()

    def apply(self, payload, found):
        rows = {row["contest"]: row for row in payload["contests"]}
        for code, (holds, flags) in found.items():
            self.stand[payload["branch"], code] = Standing(
                self.d.contests[code], rows.get(code), payload["revision"], holds, flags)

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
            status.add("counted" if s.counted else "held")
            if s.flags:
                status.add("flagged")
            contests.append({"contest": contest, "state": s.state, "revision": s.revision, "not_held": s.not_held,
                             "ballots": ballots_of(s.row) if s.row else None, "checks": sorted(s.holds | s.flags),
                             "explained": False})
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
            p, ballots, _ = self.numbers(keys)
            out[area] = {"progress": p, "ballots": ballots}
        return out

    def contest(self, code):
        c = self.d.contests[code]
        p, ballots, rows = self.numbers([(b, code) for b in c.branches])
        lists, persons = self.votes(c, rows)
        out = {"contest": code, "area": c.area, "method": c.method, "parameters": c.parameters, "seats": c.seats,
               "alternates_n": c.alternates, "progress": p, "ballots": ballots}
        if ballots is None:
            out.update(status="partial" if p["reported"] else "waiting", vacancies=None, pool=None, winners=[],
                       alternates=[], ties=[], lists=[], candidates=[], readings={})
            return out
        result = self.outcome(c, c.parameters, lists, persons, ballots["valid"])
        tied = bool(result["ties"])
        out["status"] = "partial" if p["counted"] < p["expected"] else "tied" if tied else "complete"
        out.update({key: result[key] for key in ("vacancies", "pool", "winners", "alternates", "ties")})
        out["lists"] = [{"list": e, "ballots": lists[e] if c.by_lists else None,
                         "votes": result["list_votes"][e] if c.by_lists else None, "seats": result["seats"].get(e)}
                        for e in c.lists]
        out["candidates"] = [
            {"candidate": code, "list": of, "votes": result["votes"][code], "rank": result["rank"][code],
             "personal": persons[code], "elected": "main" if code in result["winners"] else
             "alternate" if code in result["alternates"] else None} for code, of in c.candidates.items()]
        out["readings"] = self.readings(c, lists, persons, ballots["valid"], result)
        return out

    def outcome(self, c, parameters, lists, persons, valid):
        given = lists if c.by_lists else {}
        people = {code: (of if c.by_lists else methods.POOL, persons[code]) for code, of in c.candidates.items()}
        result = methods.outcome(c.method, parameters, c.seats, c.alternates, given, people, valid)
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
