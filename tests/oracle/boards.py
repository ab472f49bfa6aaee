# SPDX-License-Identifier: Apache-2.0
"""A random night with everything that officers decide, through the running daemon (TAP).

    boards.py DIR SEED INGEST_PORT API_PORT TALLYSIM

DIR: as for night.py, with the officers of officers.py.  Bundles of every kind of fault, corrections, the
same again, and between them decisions of every kind, signed by enough officers or not, at the position that
their signers saw or another; later contests are brought to their end, so that ties are settled and results
certified.  Every answer is the one that the oracle gives; after each act all objects are equal, and at the
end those of twenty past positions.
"""
import hashlib
import json
import sys

from nacl.signing import SigningKey

import night  # first: it knows where the others are
import decisions
from client import Client, dumps, envelope

MADE_AT = 1792190000
SIGNATURES_MAX = 4
SLOT_KINDS = ("release", "release", "annul", "annul", "reinstate", "reinstate", "explain")


def dice_choice(dice, values):
    return dice.choice(list(values))


class Boards(night.Night):
    def __init__(self, argv):
        super().__init__(argv)
        self.decided = decisions.Decisions(self.oracle)
        self.officer = Client(self.e, int(argv[4]), self.e.pem("officer"))
        self.posted, self.kinds, self.seeds = [], {}, {}
        self.handed_in = []  # all that became an entry: (who took it, envelope)
        self.tally = self.oracle.tally

    # ---- a decision ----------------------------------------------------------------------------------------
    def areas_of(self, kind, target):
        root = next(iter(self.d.parents))
        if kind == "state":
            return [root]
        if kind == "key":
            registry = self.oracle.registry
            branches = [target.get("branch"), registry.terminals.get(target.get("terminal"), {}).get("branch")]
            return [self.d.branches[b].area for b in branches if b in self.d.branches] or [root]
        if target.get("branch") in self.d.branches:
            return [self.d.branches[target["branch"]].area]
        return [self.d.contests[target["contest"]].area] if target["contest"] in self.d.contests else [root]

    def signers(self, kind, target):
        """Enough officers who are responsible, in any order; or, now and then, not quite."""
        dice, out = self.dice, []
        areas = self.areas_of(kind, target)
        quorum = self.d.policy.get(kind, {"commission": 1})
        for role, n in quorum.items():
            fit = [o for o, row in self.d.officers.items() if row["role"] == role and all(self.d.within(area, row["area"]) for area in areas)]
            out += dice.sample(fit, n)
        spare = [o for o in self.d.officers if o not in out]
        way = dice.choice(("enough",) * 12 + ("one less", "another", "twice", "beside"))
        if way == "one less":
            out.remove(dice.choice(out))
        elif way == "another":
            out[dice.randrange(len(out))] = dice.choice(spare)
        elif way == "twice":
            out[dice.randrange(len(out))] = dice.choice(out)
        elif way == "beside":
            out = [*out, dice.choice(spare)][:SIGNATURES_MAX]
        dice.shuffle(out)
        return [self.e.officer_key(o) for o in out]

    def document(self, kind, target, **other):
        return {"election": self.d.head["election"], "phase": self.d.head["phase"], "kind": kind, "target": target,
                "reason": self.dice.choice(("صورت‌جلسه ۱۲", "protocol 7, \"as heard\"")), "position": self.oracle.entries,
                "made_at": MADE_AT, "salt": f"{self.dice.randrange(2**128):032x}", **other}

    def seen(self):
        """The ledger as the signers saw it: mostly as it is."""
        now = self.oracle.entries
        return self.dice.choice((now,) * 8 + (now + 1, max(1, now - 1), max(1, now - self.dice.randint(1, 8)), 1))

    def decide(self, kind, target, **other):
        document = self.document(kind, target, **{"position": self.seen(), **other})
        keys, dice = self.signers(kind, target), self.dice
        ids = None
        if keys and dice.random() < 0.03:  # nobody's key: alone, beside the others, or in the name of one
            one = dice.randrange(len(keys))
            ids = [hashlib.sha256(bytes(k.verify_key)).hexdigest() for k in keys]
            keys[one] = SigningKey(bytes(32))
            ids[one] = dice.choice((ids[one], hashlib.sha256(bytes(keys[one].verify_key)).hexdigest()))
        body = envelope(dumps(document), keys, decisions.DECISION, ids) if keys else None
        return self.hand_in(json.loads(body), f"{kind} {target}") if body else None

    def hand_in(self, x, name):
        before = self.oracle.entries
        answer = self.officer.request("POST", "/v1/decisions", dumps(x), Content_Type="application/vnd.dsse.envelope.v1+json")
        got = answer.status, None if answer.status < 400 else answer.code()
        try:
            want = self.decided.take(x)
        except decisions.Refused as why:
            want = why.status, why.code
        self.answers += 1
        document = self.payload(x)
        what = document["kind"]
        if what == "lot":
            what += " of lists" if set(document["target"]["order"]) & {"pool", *self.d.contests[document["target"]["contest"]].lists} \
                else " of persons"
        elif what == "key":
            what += f" {document['target'].get('action')}"
        key = what, want
        self.kinds[key] = self.kinds.get(key, 0) + 1
        if want[0] == 201:
            self.posted.append(x)
            if what == "key":
                self.learn(document["target"])
        if self.oracle.entries > before:
            self.handed_in.append((self.decided, x))
        if got != want:
            self.wrong += 1
            print(f"# {name} at {self.oracle.entries}: got {got} {answer.body[:300]!r}, want {want}: {json.dumps(self.payload(x))[:2000]}")
        return want[0] == 201

    def post(self, x, name, refused=None):
        before = self.oracle.entries
        super().post(x, name, refused)
        if self.oracle.entries > before:
            self.handed_in.append((self.oracle, x))

    # ---- which one -----------------------------------------------------------------------------------------
    def wanted(self, kind):
        """A branch's contest that can be decided so, if there is one."""
        fit = {"release": lambda s: s.state == "held", "annul": lambda s: s.state != "annulled",
               "reinstate": lambda s: s.state == "annulled", "explain": lambda s: s.holds or s.flags}[kind]
        keys = [key for key, s in self.tally.stand.items() if s is not None and fit(s)]
        if not keys or self.dice.random() < 0.2:
            keys = list(self.tally.stand)
        branch, contest = self.dice.choice(keys)
        return {"branch": branch, "contest": contest}

    def lot(self, code):
        """An order for a tie of the contest: of exactly those, of all lists, or a wrong one."""
        dice, c = self.dice, self.d.contests[code]
        ties = self.tally.outcome_now(code)["ties"] if self.tally.is_complete(code) else []
        if ties:
            t = dice.choice(ties)
            order = ["pool" if x is None else x for x in t["among"]]
            if t["kind"] == "list" and dice.random() < 0.6:
                order = [*c.lists, "pool"]
        else:
            order = dice.sample(list(c.candidates), min(2, len(c.candidates)))
        dice.shuffle(order)
        wrong = dice.choice(("no",) * 9 + ("less", "other", "twice", "stranger", "ground"))
        if wrong == "less":
            order = order[:-1]
        elif wrong == "other":
            order[0] = dice.choice([*c.candidates, *c.lists, "pool"])
        elif wrong == "twice":
            order.append(order[0])
        elif wrong == "stranger":
            order.append(night.STRANGE)
        return {"contest": code, "order": order, "ground": "age" if wrong == "ground" else dice.choice(decisions.GROUNDS)}

    def certificate(self, code):
        dice, counted = self.dice, self.tally.contest(code)["ballots"] is not None
        result = decisions.result_of(self.tally, code) if counted and dice.random() < 0.9 else "0" * 64
        now, last = self.oracle.entries, self.tally.changed[code]
        return {"contest": code, "at": dice.choice((now, now, now, last + 1, last, now + 1)), "result": result}

    # ---- keys, and the state -------------------------------------------------------------------------------
    def fresh(self):
        """A signing key that nobody has; its seed is remembered by the public half."""
        seed = bytes(self.dice.randrange(256) for _ in range(32))
        public = bytes(SigningKey(seed).verify_key).hex()
        self.seeds[public] = seed.hex()
        return public

    def credentials(self):
        """Mostly new ones; dates that hold what is made at night, or do not."""
        dice, t = self.dice, dice_choice(self.dice, self.oracle.registry.terminals.values())
        key, cert = self.fresh(), f"{dice.randrange(2**256):064x}"
        wrong = dice.choice(("no",) * 12 + ("key", "cert", "officer", "zero", "short"))
        key = {"key": t["signing_key"], "officer": dice_choice(dice, self.d.officers.values())["signing_key"], "zero": "0" * 64,
               "short": key[:-2]}.get(wrong, key)
        cert = t["certificate"] if wrong == "cert" else cert
        dates = dice.choice(((1, 2**40 - 1),) * 4 + ((1, 2), (9, 8)))
        return {"signing_key": key, "certificate": cert, "not_before": dates[0], "not_after": dates[1]}

    def key_target(self):
        dice, terminals = self.dice, self.oracle.registry.terminals
        idle = [c for c, t in terminals.items() if c not in self.terminal.values()]
        code = dice.choice((dice.choice(list(terminals)), dice.choice(idle), dice.choice(idle), f"x{len(terminals)}"))
        action = dice.choice(("add", "rotate", "rotate", "rotate", "assign", "assign", "revoke"))
        branch, members = dice.choice(list(self.d.branches)), self.credentials()
        if action == "revoke" and code not in idle and dice.random() < 0.7:
            code = dice.choice(idle)
        target = {"action": action, "terminal": f"x{len(terminals)}" if action == "add" and dice.random() < 0.9 else code}
        if action == "add":
            target |= members | ({"branch": branch} if dice.random() < 0.7 else {})
        elif action == "rotate":
            drop = dice.choice(((), ("certificate",), ("signing_key",), ("not_before", "not_after", "certificate"), ("not_before", "not_after")))
            target |= {k: v for k, v in members.items() if k not in drop}
        elif action == "assign":
            target["branch"] = branch
        wrong = dice.choice(("no",) * 15 + ("less", "more", "action", "branch"))
        if wrong == "less":
            target.pop(dice.choice(list(target)))
        elif wrong == "more":
            target |= dice.choice(({"until": 1}, {"branch": branch}, {"not_before": 1}))
        elif wrong == "action":
            target["action"] = "steal"
        elif wrong == "branch":
            target["branch"] = night.STRANGE
        return target

    def learn(self, target):
        """From now on the terminal signs with its new key, and may speak for its branch."""
        code, t = target["terminal"], self.oracle.registry.terminals[target["terminal"]]
        if "signing_key" in target:
            self.e.seeds[code] = self.seeds[target["signing_key"]]
        if t["state"] == "active" and t["branch"] and self.dice.random() < 0.9:
            self.terminal[t["branch"]] = code
            self.recorded[t["branch"]] = self.sign({**self.payload(self.recorded[t["branch"]]), "terminal": code})

    def state_target(self):
        target = {"state": self.dice.choice(("open", "closed", "maintenance", "ajar"))}
        if self.dice.random() < 0.4:
            target["until"] = self.dice.choice((0, 1793200000, 2**40 - 1, 2**40))
        return target

    def closed_for_a_while(self):
        for _ in range(self.dice.randint(1, 3)):
            self.decide("state", self.state_target())
            for _ in range(self.dice.randint(0, 3)):
                (self.any_bundle if self.dice.random() < 0.6 else self.any_decision)()
        self.reopen()

    def reopen(self):
        while self.oracle.registry.state != "open":
            self.decide("state", {"state": "open"})

    def strange(self):
        """A document that is none, whatever is decided."""
        branch, contest = self.dice.choice(list(self.tally.stand))
        target, other = {"branch": branch, "contest": contest}, {}
        what = self.dice.choice(("branch", "contest", "foreign", "phase", "election", "kind", "reason", "position", "person"))
        if what in ("branch", "contest"):
            target[what] = night.STRANGE
        elif what == "foreign":
            target["contest"] = self.dice.choice(list(self.d.contests))
        elif what == "phase":
            other["phase"] = "official"
        elif what == "election":
            other["election"] = "other-1"
        elif what == "reason":
            other["reason"] = "  "
        elif what == "position":
            other["position"] = 0
        elif what == "person":
            return self.decide("exclude", {"contest": contest, "candidate": night.STRANGE})
        return self.decide(self.dice.choice(("forgive", "revise")) if what == "kind" else "annul", target, **other)

    def any_decision(self):
        dice, code = self.dice, self.dice.choice(list(self.d.contests))
        way = dice.choice(("slot",) * 8 + ("key",) * 3 + ("exclude", "lot", "certify", "strange", "again", "again"))
        if way == "key":
            return self.decide("key", self.key_target())
        if way == "slot":
            kind = dice.choice(SLOT_KINDS)
            return self.decide(kind, self.wanted(kind))
        if way == "exclude":
            return self.decide("exclude", {"contest": code, "candidate": dice.choice(list(self.d.contests[code].candidates))})
        if way == "lot":
            return self.decide("lot", self.lot(code))
        if way == "certify":
            return self.decide("certify", self.certificate(code))
        if way == "strange" or not self.posted:
            return self.strange()
        x = dice.choice(self.posted)  # the same document, signed by others too, or by too few
        document = self.payload(x)
        keys = self.signers(document["kind"], document["target"])
        if dice.random() < 0.5 and keys:
            x = json.loads(envelope(dumps(document), keys, decisions.DECISION))
        return self.hand_in(x, "again")

    # ---- the night -----------------------------------------------------------------------------------------
    def any_bundle(self):
        branch = self.dice.choice(list(self.d.branches))
        way = self.dice.choice(("first", "first", "first", "spoilt", "correction", "again"))
        if way == "spoilt":
            self.post(*self.spoilt(branch))
        elif way == "correction" and self.oracle.payloads.get(branch):
            self.post(*self.correction(branch))
        else:
            self.post(self.recorded[branch], way)

    def level(self, code):
        """One branch corrects its numbers so that all lists are equal, and is the only one that is not annulled: such ties
        are rare by themselves."""
        c = self.d.contests[code]
        branch, *others = self.dice.sample(c.branches, len(c.branches))
        for b in others:
            if self.tally.stand[b, code] is not None and self.tally.stand[b, code].state != "annulled":
                self.decide("annul", {"branch": b, "contest": code})
        known = self.oracle.payloads.get(branch)
        if not known:
            return
        p, each = json.loads(known[-1]), self.dice.choice((1, 3, 5))
        n = each * len(c.lists)
        row = {"contest": code, "authenticated": {"online": n, "offline": 0, "manual": 0}, "issued": n, "cast": n, "blank": 0,
               "invalid": 0, "valid": n, "excluded": 0, "lists": [[e, each] for e in c.lists], "mixed": 0, "candidates": []}
        p.update(revision=len(known) + 1, prev=hashlib.sha256(known[-1]).hexdigest(), salt=f"{self.dice.randrange(2**128):032x}",
                 contests=[r for r in p["contests"] if r["contest"] != code] + [row])
        self.post(self.sign(p, self.d.policy["revise"]["supervision"]), "all lists equal")

    def finish(self, code):
        """Brings a contest to its end: everybody reports, is counted or annulled; ties; the certificate."""
        if self.d.contests[code].by_lists and len(self.d.contests[code].lists) > 1 and self.dice.random() < 0.4:
            self.level(code)
        for b in self.d.contests[code].branches:
            if self.tally.stand[b, code] is None:
                self.post(self.recorded[b], "first")
            for _ in range(8):
                s = self.tally.stand[b, code]
                if s is None or s.state != "held":
                    break
                kind = "release" if (s.row is not None or s.not_held) and self.dice.random() < 0.8 else "annul"
                self.decide(kind, {"branch": b, "contest": code})
        for _ in range(12):
            if not self.tally.is_complete(code) or not self.tally.outcome_now(code)["ties"]:
                break
            self.decide("lot", self.lot(code))
        for _ in range(self.dice.randint(0, 4)):
            self.decide("certify", self.certificate(code))

    def told(self, name):
        self.tap.ok(not self.wrong, f"{name}: {self.answers} answers as expected", f"{self.wrong} others")

    def compare_numbers(self, when, about, tally, api, tables):
        wants = super().compare_numbers(when, about, tally, api, tables)
        for code, want in wants.items():
            got = api.get(f"/v1/contests/{night.quote(code)}")
            hashed = decisions.result_of(tally, code) if want["ballots"] is not None else None
            if any(t["kind"] == "alternate" for t in want["ties"]):
                hashed = got["result"]  # equals in no order: nothing to be certified
            self.tap.same((got["position"], got["result"]), (want["position"], hashed), f"{when}: {code}: position and result")
        return wants

    def told_of(self, when, about, registry):
        self.tap.same((about["state"], about["until"], about["counts"]["terminals"]),
                      (registry.state, registry.until, len(registry.terminals)), f"{when}: state and terminals")

    def compare_past(self):
        """Twenty positions, from all that was handed in before each."""
        ledger = night.ledger.Ledger(self.d)
        again, handed_in = decisions.Decisions(ledger), iter(self.handed_in)
        last = self.oracle.entries
        for at in sorted(self.dice.sample(range(1, last + 1), min(night.PAST, last))):
            while ledger.entries < at:
                taker, x = next(handed_in)
                try:
                    (again if taker is self.decided else ledger).take(x)
                except decisions.Refused:
                    continue
            past = night.Past(self.api, at)
            about = past.get("/v1/election")
            self.told_of(f"at {at}", about, ledger.registry)
            self.tap.same((about["accepted"], about["published"]), (at, at), f"at {at}: entries of the ledger")
            self.compare_numbers(f"at {at}", about, ledger.tally, past, [self.dice.choice(list(self.d.contests))])

    def run(self):
        branches, contests = list(self.d.branches), list(self.d.contests)
        for b in branches:
            if self.dice.random() < 0.5:
                self.post(self.recorded[b], "first")
        for _ in range(4 * len(branches)):
            (self.any_bundle if self.dice.random() < 0.4 else self.any_decision)()
        self.closed_for_a_while()
        self.told("bundles and decisions in any order")
        self.compare("mixed")
        for code in self.dice.sample(contests, len(contests)):
            self.finish(code)
        self.told("contests brought to their end")
        self.compare("finished")
        for _ in range(2 * len(branches)):
            (self.any_bundle if self.dice.random() < 0.3 else self.any_decision)()
        self.told("and disturbed once more")
        self.compare("disturbed")
        self.compare_past()
        print("# " + ", ".join(f"{kind} {status}{' ' + code if code else ''}: {n}"
                               for (kind, (status, code)), n in sorted(self.kinds.items(), key=str)))
        self.tap.done()


if __name__ == "__main__":
    Boards(sys.argv).run()
