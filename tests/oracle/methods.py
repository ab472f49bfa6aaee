# SPDX-License-Identifier: Apache-2.0
"""Who is elected: a second implementation of every method, written from the text of the law alone.

It shares nothing with the C code, not even the way of thinking: seats are exact fractions, one seat is
given at a time, and where equals stand before it every one of them is followed in a world of its own.
What all worlds agree on is certain; what they differ in is a tie.  Slow, and meant to be read.

    outcome(method, parameters, seats, alternates, lists, persons, valid, excluded, orders)

lists: {list: its ballots}; persons: {candidate: (list or None, votes given to the person)}.
POOL stands for the independents together.  excluded: persons who keep their votes and take nothing.
orders: what people decided for equals, [("list" or "person", [the first is served first, ...])], the newest
first: where an order names all who are equal it decides, and their worlds are one.

Where the text is silent these readings are taken (the same as tallyd's, on purpose):
  - who has no vote wins nothing: lists and the pool take no seat, candidates of a block contest neither;
    on a list with seats a person without votes can sit; nobody without votes is an alternate
  - threshold: the share of all votes, the pool has none; rounds of remainders begin again while seats last
  - equal fractions or averages that are all served: the one with the fewest votes was served last
  - nobody's first round is more than all seats (possible only with base=ballots_x_seats)
  - list methods name alternates only when no seat is tied
"""
from fractions import Fraction
from math import floor

POOL = None
DEFAULTS = {
    "block": {},
    "list_ir": {"base": "votes", "first_round": "round_half_up", "remainder": "highest_share",
                "remainder_pool": "lists_and_indep", "over_rule": "lowest_share", "cursor": "restart",
                "threshold_bp": 0, "list_min": 0, "list_max": 21, "list_plus_individual": False,
                "alternates_rule": "overall_next"},
}
QUOTIENTS = {"threshold_bp": 0, "threshold_rule": "plain", "equal_quotients": "lot"}
DIVISORS = {"dhondt": lambda won: Fraction(won + 1),
            "sainte_lague": lambda won: Fraction(2 * won + 1),
            "modified_sainte_lague": lambda won: Fraction(7, 5) if won == 0 else Fraction(2 * won + 1)}
QUOTAS = {"hare_lr": lambda votes, seats: Fraction(votes, seats),
          "droop_lr": lambda votes, seats: Fraction(votes // (seats + 1) + 1)}
for _method in (*DIVISORS, *QUOTAS):
    DEFAULTS[_method] = QUOTIENTS


def is_list_method(method):
    return method != "block"


class Claims:
    """Entities that may take seats: votes and the persons they have."""

    def __init__(self, method, lists, persons, excluded=(), orders=()):
        self.orders = orders
        self.votes = {}  # of persons, as they count by law
        self.claim = {code: 0 if method == "list_ir" else ballots for code, ballots in lists.items()}
        self.members = {code: [] for code in lists}
        for person, (of, personal) in persons.items():
            self.votes[person] = personal + (lists[of] if method == "list_ir" and of is not POOL else 0)
            self.claim[of] = self.claim.get(of, 0) + self.votes[person]
            self.members.setdefault(of, []).extend([] if person in excluded else [person])
        self.people = [p for p in persons if p not in excluded]
        self.entities = list(self.claim)
        self.room = {e: len(self.members[e]) for e in self.entities}
        self.all_votes = sum(self.claim.values())

    def settled(self, kind, equals):
        """The equals in the order that people gave them, or None."""
        for of, order in self.orders:
            if of == kind and set(equals) <= set(order):
                return sorted(equals, key=order.index)
        return None

    def next(self, equals):
        """Who may be served next: one, where people said who."""
        return self.settled("list", equals)[:1] if self.settled("list", equals) else equals

    def losers(self, equals):
        return self.settled("list", equals)[-1:] if self.settled("list", equals) else equals

    def standing(self, bar):
        """With votes, and no list below its bar."""
        return [e for e in self.entities
                if self.claim[e] > 0 and (e is POOL or self.claim[e] >= bar(e))]


def plus(won, entity):
    return {**won, entity: won[entity] + 1}


def minus(won, entity):
    return {**won, entity: won[entity] - 1}


def frozen(won):
    return tuple(won.items())


def best(entities, key):
    """All that share the highest key."""
    top = max(key(e) for e in entities)
    return [e for e in entities if key(e) == top]


# ---- quotients and remainders -----------------------------------------------------------------------
def bar_of(parameters, claims, seats):
    share = Fraction(parameters["threshold_bp"], 10000)

    def bar(entity):
        short = claims.room[entity] < seats and parameters["threshold_rule"] == "scaled_by_candidates"
        return claims.all_votes * share * (Fraction(claims.room[entity], seats) if short else 1)
    return bar


def first_among(entities, key, parameters, claims):
    tops = best(entities, key)
    if parameters["equal_quotients"] == "more_votes":
        tops = best(tops, claims.claim.get)
    return claims.next(tops)


def divisor_worlds(divisor, parameters, seats, claims):
    stands = claims.standing(bar_of(parameters, claims, seats))
    worlds = {frozen({e: 0 for e in claims.entities})}
    for _ in range(seats):
        after = set()
        for world in worlds:
            won = dict(world)
            takers = [e for e in stands if won[e] < claims.room[e]]
            if not takers:
                after.add(world)
                continue
            for e in first_among(takers, lambda e, w=won: claims.claim[e] / divisor(w[e]), parameters, claims):
                after.add(frozen(plus(won, e)))
        worlds = after
    return worlds


def remainder_worlds(quota, parameters, seats, claims):
    stands = claims.standing(bar_of(parameters, claims, seats))
    nothing = {e: 0 for e in claims.entities}
    if not stands:
        return {frozen(nothing)}
    one = quota(sum(claims.claim[e] for e in stands), seats)
    whole = {e: floor(claims.claim[e] / one) for e in stands}
    rest = {e: claims.claim[e] - whole[e] * one for e in stands}
    won = {**nothing, **{e: min(whole[e], claims.room[e]) for e in stands}}
    worlds = {(frozen(won), frozenset())}
    for _ in range(seats - sum(won.values())):
        after = set()
        for world, served in worlds:
            won = dict(world)
            takers = [e for e in stands if won[e] < claims.room[e]]
            fresh = [e for e in takers if e not in served]
            if takers and not fresh:  # everybody had one: again from the largest
                fresh, served = takers, frozenset()
            if not takers:
                after.add((world, served))
                continue
            for e in first_among(fresh, rest.get, parameters, claims):
                after.add((frozen(plus(won, e)), served | {e}))
        worlds = after
    return {world for world, _ in worlds}


# ---- list_ir: doc/methods.md --------------------------------------------------------------------------
class Halt(Exception):
    """over_rule=halt: the first round gave too many; .among had seats in it."""

    def __init__(self, among):
        super().__init__()
        self.among = among


class ListIr:
    def __init__(self, parameters, seats, claims, valid):
        self.p, self.seats, self.claims = parameters, seats, claims
        self.total = seats * valid if parameters["base"] == "ballots_x_seats" else claims.all_votes
        bar = Fraction(parameters["threshold_bp"], 10000) * self.total
        self.stands = claims.standing(lambda e: bar)

    def exact(self, e):
        return Fraction(self.seats * self.claims.claim[e], self.total)

    def fraction(self, e):
        return self.exact(e) - floor(self.exact(e))

    def share(self, e):
        return self.claims.claim[e]

    def worlds(self):
        won = {e: 0 for e in self.claims.entities}
        if self.total == 0:
            return {frozen(won)}
        half = Fraction(1, 2) if self.p["first_round"] == "round_half_up" else 0
        won.update({e: min(floor(self.exact(e) + half), self.seats) for e in self.stands})
        if sum(won.values()) > self.seats and self.p["over_rule"] == "halt":
            raise Halt([e for e in won if won[e] > 0])
        return {end for fewer in self.fewer(won) for end in self.rest(dict(fewer))}

    def fewer(self, won):
        """Too many after rounding: one by one from the last, or from the smallest fraction rounded up."""
        nobody = ()  # None is the pool
        worlds = {(frozen(won), nobody)}
        for _ in range(sum(won.values()) - self.seats):
            after = set()
            for world, losing in worlds:
                now = dict(world)
                up = [e for e in self.stands if now[e] > floor(self.exact(e))]
                if self.p["over_rule"] == "smallest_rounded_up_fraction" and up:
                    for e in self.claims.losers(best(up, lambda e: -self.fraction(e))):
                        after.add((frozen(minus(now, e)), nobody))
                    continue
                having = [e for e in self.stands if now[e] > 0]
                last = best(having, lambda e: -self.share(e))
                # the last in the order goes on losing while it has any
                last = [losing] if losing in last else self.claims.losers(last)
                for e in last:
                    after.add((frozen(minus(now, e)), e))
            worlds = after
        return {world for world, _ in worlds}

    def rest(self, won):
        """Left-over seats, then those that lists and the pool cannot fill."""
        left = self.seats - sum(won.values())
        unfilled = sum(max(0, won[e] - self.claims.room[e]) for e in won)
        won = {e: min(won[e], self.claims.room[e]) for e in won}
        eligible = [e for e in self.stands if e is not POOL or self.p["remainder_pool"] == "lists_and_indep"]
        for world, last in self.left_over(won, left, eligible):
            passed = frozenset()
            if self.p["cursor"] == "continue" and last:
                fewest = min(self.share(e) for e in last)
                passed = frozenset(e for e in self.stands if self.share(e) > fewest
                                   or (self.share(e) == fewest and e in last))
            lists = [e for e in self.stands if e is not POOL]
            for end, _ in self.rounds(dict(world), unfilled, lists, self.share, passed):
                yield end

    def left_over(self, won, left, eligible):
        if self.p["remainder"] == "highest_average":
            return self.averages(won, left, eligible)
        key = self.share if self.p["remainder"] == "highest_share" else self.fraction
        return self.rounds(won, left, eligible, key, frozenset())

    def rounds(self, won, left, eligible, key, passed):
        """One each in the order of the key, again and again.  Worlds and who of equals was served last."""
        worlds = {(frozen(won), passed, frozenset())}
        for _ in range(left):
            after = set()
            for world, served, last in worlds:
                now = dict(world)
                takers = [e for e in eligible if now[e] < self.claims.room[e]]
                fresh = [e for e in takers if e not in served]
                if takers and not fresh:
                    fresh, served, last = takers, frozenset(), frozenset()
                if not takers:
                    after.add((world, served, last))
                    continue
                for e in self.claims.next(best(fresh, key)):
                    equals = frozenset(o for o in last if key(o) == key(e)) | {e}
                    after.add((frozen(plus(now, e)), served | {e}, equals))
            worlds = after
        return {(world, last) for world, _, last in worlds}

    def averages(self, won, left, eligible):
        worlds = {(frozen(won), None, frozenset())}
        for _ in range(left):
            after = set()
            for world, before, last in worlds:
                now = dict(world)
                takers = [e for e in eligible if now[e] < self.claims.room[e]]
                if not takers:
                    after.add((world, before, last))
                    continue

                def average(e, won=now):
                    return Fraction(self.share(e), won[e] + 1)
                for e in self.claims.next(best(takers, average)):
                    equals = (last if average(e) == before else frozenset()) | {e}
                    after.add((frozen(plus(now, e)), average(e), equals))
            worlds = after
        return {(world, last) for world, _, last in worlds}


# ---- persons ---------------------------------------------------------------------------------------------
def groups(people, votes):
    """Equals together, most votes first."""
    for n in sorted({votes[p] for p in people}, reverse=True):
        yield n, [p for p in people if votes[p] == n]


def tie(kind, at_stake, among):
    return {"kind": kind, "at_stake": at_stake, "among": sorted(among, key=str)}


def line_up(people, claims, places):
    """Alternates by votes: who has one for certain, and ties about their places."""
    certain, ties, taken = [], [], 0
    for n, group in groups(people, claims.votes):
        if n == 0 or taken >= places:
            break
        settled = claims.settled("person", group) if len(group) > 1 else None
        if settled:
            certain += settled[:places - taken]
            taken += len(group)
            continue
        if len(group) > 1:
            ties.append(tie("alternate", min(len(group), places - taken), group))
        if taken + len(group) <= places:
            certain += group
        taken += len(group)
    return certain, ties


def block(seats, alternates, claims):
    winners, ties, place = [], [], 0
    for n, group in groups(claims.people, claims.votes):
        if n == 0 or place >= seats:
            break
        if place + len(group) > seats and claims.settled("person", group):
            winners += claims.settled("person", group)[:seats - place]
            place = seats  # the losers stand in the line like everybody
            break
        if place + len(group) <= seats:
            winners += group
        else:
            ties.append(tie("seat", seats - place, group))
        place += len(group)
    behind = [p for p in claims.people if p not in winners and not any(p in t["among"] for t in ties)]
    waiting = max(0, place - seats)  # who loses the draw stands first among the alternates
    line, more = line_up(behind, claims, max(0, alternates - waiting))
    return {"winners": winners, "alternates": line, "ties": ties + more, "vacancies": max(0, seats - place)}


def seat_people(low, open_to, claims):
    winners, ties = [], []
    for e, seats in low.items():
        place = 0
        for _, group in groups(claims.members[e], claims.votes):
            if place >= seats:
                break
            if place + len(group) <= seats:
                winners += group
            elif e not in open_to and claims.settled("person", group):
                winners += claims.settled("person", group)[:seats - place]
            elif e not in open_to:
                ties.append(tie("seat", seats - place, group))
            place += len(group)
    return winners, ties


def by_lists(worlds, halted, seats, claims, parameters, alternates):
    ends = [dict(world) for world in worlds]
    low = {e: min(end[e] for end in ends) for e in claims.entities}
    vacancies = min(seats - sum(end.values()) for end in ends) if halted is None else 0
    open_to = halted or [e for e in claims.entities if any(end[e] != low[e] for end in ends)]
    ties = [tie("list", seats - vacancies - sum(low.values()), open_to)] if open_to else []
    winners, more = seat_people(low, open_to, claims)
    ties += more
    line = []
    if not ties:
        rest = [p for p in claims.people if p not in winners]
        teams = [rest]
        if parameters.get("alternates_rule") == "same_list_next":
            teams = [[p for p in rest if p in claims.members[e]] for e in claims.entities if low[e] > 0]
        for team in teams:
            certain, more = line_up(team, claims, alternates)
            line += certain
            ties += more
    winners.sort(key=lambda p: -claims.votes[p])
    return {"low": low, "winners": winners, "alternates": line, "ties": ties, "vacancies": vacancies}


def outcome(method, parameters, seats, alternates, lists, persons, valid, excluded=(), orders=()):
    """What the law gives: seats, winners, alternates, ties, vacancies, and the votes they follow from."""
    p = {**DEFAULTS[method], **parameters}
    claims = Claims(method, lists, persons, excluded, orders)
    if method == "block":
        result = block(seats, alternates, claims)
        result["seats"], result["pool"] = {}, None
    else:
        halted, worlds = None, {frozen({e: 0 for e in claims.entities})}
        try:
            if method == "list_ir":
                worlds = ListIr(p, seats, claims, valid).worlds()
            elif method in DIVISORS:
                worlds = divisor_worlds(DIVISORS[method], p, seats, claims)
            else:
                worlds = remainder_worlds(QUOTAS[method], p, seats, claims)
        except Halt as halt:
            halted = halt.among
        result = by_lists(worlds, halted, seats, claims, p, alternates)
        low = result.pop("low")
        result["seats"] = {e: low[e] for e in lists}
        result["pool"] = {"votes": claims.claim[POOL], "seats": low[POOL]} if POOL in low else None
    result["votes"] = claims.votes
    result["list_votes"] = {e: claims.claim[e] for e in lists}
    ahead = [claims.votes[p] for p in claims.people]
    result["rank"] = {p: 1 + sum(n > claims.votes[p] for n in ahead) if p in claims.people else None for p in claims.votes}
    result["parameters"] = p
    return result


# ---- other readings of the law ---------------------------------------------------------------------------
VARIANTS = (("votes", "round_half_up", "highest_share"), ("votes", "floor", "highest_share"),
            ("votes", "floor", "largest_remainder"), ("votes", "floor", "highest_average"),
            ("ballots_x_seats", "round_half_up", "highest_share"), ("ballots_x_seats", "floor", "highest_share"))
READ_TWICE = {"base": ("votes", "ballots_x_seats"), "first_round": ("round_half_up", "floor"),
              "remainder": ("highest_share", "largest_remainder", "highest_average"),
              "remainder_pool": ("lists_and_indep", "lists_only"),
              "over_rule": ("lowest_share", "smallest_rounded_up_fraction", "halt"),
              "cursor": ("restart", "continue"), "alternates_rule": ("overall_next", "same_list_next")}


def readings(parameters):
    """A to E (E with both roundings), and every other word of each parameter alone."""
    for base, first_round, remainder in VARIANTS:
        yield {**parameters, "base": base, "first_round": first_round, "remainder": remainder}
    for name, words in READ_TWICE.items():
        for word in words:
            if word != parameters[name]:
                yield {**parameters, name: word}
