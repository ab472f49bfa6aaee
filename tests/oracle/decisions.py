# SPDX-License-Identifier: Apache-2.0
"""What officers decide: who must have signed, what can be decided when, and what it does (second counter).

Decisions(ledger).take(envelope) answers as the daemon must: (status, code or None).  Written from
doc/formats.md, decisions, alone.
"""
import base64
import hashlib
import json

import ed25519
from checks import Refused
from ledger import keyid, pae

DECISION = "application/vnd.tally.decision.v1+json"
KINDS = ("release", "explain", "annul", "reinstate", "lot", "exclude", "key", "state", "certify")
GROUNDS = ("veteran", "degree", "lot")
POOL = "pool"
NUMBERS = ("issued", "cast", "blank", "invalid", "valid", "excluded")


def result_of(tally, code):
    """The hash that a certificate names."""
    c, shown = tally.d.contests[code], tally.contest(code)
    p, _, rows = tally.numbers([(b, code) for b in c.branches])
    lists, persons = tally.votes(c, rows)
    lines = ["tally/result/v1", f"election {tally.d.head['election']}", f"contest {code}",
             f"branches {p['expected']} {p['counted']} {p['annulled']}"]
    lines += [f"authenticated_{way} {sum(row['authenticated'][way] for row in rows)}" for way in ("online", "offline", "manual")]
    lines += [f"{key} {sum(row[key] for row in rows)}" for key in NUMBERS]
    lines.append(f"mixed {sum(row.get('mixed', 0) for row in rows)}")
    votes = {one["candidate"]: one["votes"] for one in shown["candidates"]}
    of_list = {e: 0 for e in (*c.lists, None)}
    for person, of in c.candidates.items():
        of_list[of] += votes[person]
    seats = {e["list"]: e["seats"] for e in shown["lists"]}
    credited = c.method == "list_ir"
    for e in sorted(c.lists, key=str.encode):
        lines.append(f"list {e} {lists[e]} {of_list[e] + (0 if credited else lists[e])} {seats[e] or 0}")
    lines.append(f"pool {of_list[None]} {shown['pool']['seats'] if shown['pool'] else 0}")
    for person in sorted(c.candidates, key=str.encode):
        word = "excluded" if person in tally.excluded[code] else "candidate"
        lines.append(f"{word} {person} {persons[person]} {votes[person]}")
    lines += [f"winner {w}" for w in sorted(shown["winners"], key=str.encode)]
    lines += [f"alternate {a}" for a in shown["alternates"]]
    lines.append(f"vacancies {shown['vacancies']}")
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


class Decisions:
    def __init__(self, ledger):
        self.ledger, self.d, self.tally = ledger, ledger.d, ledger.tally
        self.taken = set()  # payloads that are logged

    # ---- the document --------------------------------------------------------------------------------------
    def target_areas(self, document):
        """Where the target lies, when there is such a target: who signs is responsible for all of it."""
        head, target, kind = self.d.head, document["target"], document["kind"]
        if document["election"] != head["election"]:
            raise Refused(422, "A07")
        if document["phase"] != head["phase"]:
            raise Refused(422, "A05")
        if kind not in KINDS:
            raise Refused(422, "kind")
        if not document["reason"].strip() or document["position"] < 1:
            raise Refused(422, "range")
        if kind == "key":
            return self.ledger.registry.check_key(target)
        if kind == "state":
            return self.ledger.registry.check_state(target)
        contest = self.d.contests.get(target["contest"])
        if "branch" in target:
            branch = self.d.branches.get(target["branch"])
            if branch is None or target["contest"] not in branch.contests:
                raise Refused(422, "A07")
            return [branch.area]
        if contest is None:
            raise Refused(422, "A07")
        if kind == "exclude" and target["candidate"] not in contest.candidates:
            raise Refused(422, "A07")
        if kind == "lot":
            self.order_kind(contest, target)
        return [contest.area]

    @staticmethod
    def order_kind(contest, target):
        order = target["order"]
        different = len(set(order)) == len(order)
        kind = "person" if different and set(order) <= set(contest.candidates) else \
            "list" if different and set(order) <= {*contest.lists, POOL} else None
        if kind is None:
            raise Refused(422, "A07")
        if len(order) < 2 or target["ground"] not in GROUNDS:
            raise Refused(422, "range")
        return kind

    def quorum(self, envelope, body, kind, areas):
        text, known, have = pae(envelope["payloadType"], body), False, {}
        officers = {keyid(o["signing_key"]): (code, o) for code, o in self.d.officers.items()}
        for signature in envelope["signatures"]:
            code, o = officers.get(signature["keyid"], (None, None))
            if o is None or not ed25519.verify(bytes.fromhex(o["signing_key"]), text, base64.b64decode(signature["sig"])):
                continue
            known = True
            if all(self.d.within(area, o["area"]) for area in areas):
                have.setdefault(o["role"], set()).add(code)
        if not known:
            raise Refused(401, "A02")
        if any(len(have.get(role, ())) < n for role, n in self.d.policy[kind].items()):
            raise Refused(403, "quorum")

    # ---- can it be so? -------------------------------------------------------------------------------------
    def judge(self, document):
        kind, target, seen = document["kind"], document["target"], document["position"]
        if seen > self.ledger.entries:
            raise Refused(409, "changed")
        if kind in ("key", "state"):
            getattr(self.ledger.registry, f"judge_{kind}")(target, seen)
        elif "branch" in target:
            self.judge_branch(kind, target, seen)
        elif kind == "exclude":
            if target["candidate"] in self.tally.excluded[target["contest"]]:
                raise Refused(409, "state")
        else:
            if self.tally.changed[target["contest"]] >= seen:
                raise Refused(409, "changed")
            (self.judge_lot if kind == "lot" else self.judge_certify)(target, seen)

    def judge_branch(self, kind, target, seen):
        key = target["branch"], target["contest"]
        s = self.tally.stand[key]
        if s is None:
            raise Refused(409, "state")
        since = [at for branch, at in self.ledger.contradictions.values() if branch == target["branch"]]
        if s.position >= seen or any(at >= seen for at in since):
            raise Refused(409, "changed")
        good = {"release": s.state == "held" and (s.row is not None or s.not_held), "annul": s.state != "annulled",
                "reinstate": s.state == "annulled",
                "explain": bool(self.tally.checks_of(key)) and not s.explained}[kind]
        if not good:
            raise Refused(409, "state")

    @staticmethod
    def is_of(kind, order, ties):
        names = set(order)
        for t in ties:
            among = {POOL if x is None else x for x in t["among"]}
            if (kind == "list" and t["kind"] == "list" and among <= names) or \
                    (kind == "person" and t["kind"] != "list" and among == names):
                return True
        return False

    def judge_lot(self, target, _):
        code = target["contest"]
        kind = self.order_kind(self.d.contests[code], target)
        if not self.tally.is_complete(code) or not self.is_of(kind, target["order"], self.tally.outcome_now(code)["ties"]):
            raise Refused(409, "state")
        if self.is_of(kind, target["order"], self.tally.outcome_now(code, self.order_of(target))["ties"]):
            raise Refused(409, "state")

    def order_of(self, target):
        kind = self.order_kind(self.d.contests[target["contest"]], target)
        return kind, [None if kind == "list" and x == POOL else x for x in target["order"]]

    def judge_certify(self, target, seen):
        code = target["contest"]
        if self.tally.is_certified(code) or target["at"] > seen or self.tally.changed[code] >= target["at"] or \
                not self.tally.is_complete(code) or self.tally.outcome_now(code)["ties"] or \
                result_of(self.tally, code) != target["result"]:
            raise Refused(409, "state")

    # ---- in force ------------------------------------------------------------------------------------------
    def apply(self, document, position):
        kind, target, tally = document["kind"], document["target"], self.tally
        if kind in ("key", "state"):
            getattr(self.ledger.registry, f"apply_{kind}")(target, position)
            return
        contest = target["contest"]
        if "branch" in target:
            s = tally.stand[target["branch"], contest]
            if kind == "explain":
                s.explained = True
                return
            if kind == "annul":
                s.annul()
            else:
                s.state = s.when_counted if kind == "release" else s.beneath
            s.position = position
            tally.change(contest, position)
            return
        kept = tally.orders[contest]
        tally.change(contest, position)
        if kind == "exclude":
            tally.excluded[contest].add(target["candidate"])
        elif kind == "lot":
            tally.orders[contest] = [self.order_of(target), *kept]
        else:
            tally.orders[contest], tally.certified[contest] = kept, position

    def take(self, envelope):
        body = base64.b64decode(envelope["payload"], validate=True)
        document = json.loads(body)
        self.quorum(envelope, body, document["kind"], self.target_areas(document))
        if body in self.taken:
            return 200, None
        self.judge(document)
        self.apply(document, self.ledger.entries)
        self.taken.add(body)
        self.ledger.entries += 1
        return 201, None
