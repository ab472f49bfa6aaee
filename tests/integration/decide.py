# SPDX-License-Identifier: Apache-2.0
"""Decisions through the running daemon: who must sign, what is refused and why, and what each does to the numbers
(TAP).

    decide.py DIR INGEST_PORT API_PORT DATABASE    everything; leaves DIR/numbers.json
    decide.py DIR INGEST_PORT API_PORT             after a restart: the numbers are those of DIR/numbers.json
"""
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

from nacl.signing import SigningKey

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
from client import ENVELOPE, Client, Election, check_receipt, dumps, envelope, leaf_of, seed_of  # noqa: E402
from tap import Tap  # noqa: E402

DECISION = "application/vnd.tally.decision.v1+json"
BOTH = ("commission1", "supervision1")


class World:
    def __init__(self, argv):
        self.tap = Tap()
        self.e = Election(argv[1])
        self.ingest, self.api = int(argv[2]), int(argv[3])
        self.relay = Client(self.e, self.ingest, self.e.pem("relay"))
        self.officer = Client(self.e, self.api, self.e.pem("officer"))
        self.origin = f"{self.e.about['domain']}/{self.e.about['election']}/{self.e.about['phase']}"
        self.log_key = SigningKey(seed_of(self.e.dir / "keys/log.key")).verify_key
        self.salt = 0

    def get(self, path):
        answer = self.officer.get(path)
        assert answer.status == 200, (path, answer)
        return answer.json()

    def settled(self):
        """Waits for the snapshot; the position that signers then see."""
        deadline = time.monotonic() + 60
        while True:
            shown = self.get("/v1/election")
            if shown["published"] == shown["accepted"]:
                return shown["accepted"]
            assert time.monotonic() < deadline, shown

    def contest(self, code):
        self.settled()
        return self.get(f"/v1/contests/{code}")

    def slot(self, branch, contest):
        self.settled()
        return next(row for row in self.get(f"/v1/branches/{branch}")["contests"] if row["contest"] == contest)

    def document(self, kind, target, position=None, **other):
        self.salt += 1
        return {"election": self.e.about["election"], "phase": self.e.about["phase"], "kind": kind, "target": target,
                "reason": "صورت‌جلسه 12", "position": self.settled() if position is None else position,
                "made_at": int(time.time()), "salt": f"{self.salt:032x}", **other}

    def sign(self, document, signers):
        return envelope(dumps(document), [self.e.officer_key(s) for s in signers], DECISION)

    def post(self, body, client=None, kind=ENVELOPE):
        return (client or self.officer).request("POST", "/v1/decisions", body, Content_Type=kind)

    def decide(self, kind, target, signers=BOTH, **other):
        return self.post(self.sign(self.document(kind, target, **other), signers))

    def done(self, name, answer):
        self.tap.ok(answer.status == 201, name, answer)

    def refused(self, name, answer, status, code, words=""):
        detail = answer.json().get("detail", "") if answer.status >= 400 else ""
        self.tap.ok(answer.status == status and answer.code() == code and words in detail, name, answer)

    def send(self, payload, terminal=None, officers=(), status=201, held=False):
        terminal = terminal or self.e.terminal_of(payload["branch"])
        keys = [self.e.key(terminal)] + [self.e.officer_key(o) for o in officers]
        answer = self.relay.post(envelope(dumps(payload), keys))
        assert answer.status == status, answer
        assert answer.headers["Tally-Status"] == "counted" or held, answer.headers["Tally-Checks"]
        return answer

    def single(self, seats=3, candidates=6):
        """A branch nothing was sent for, alone in its only contest; (branch, contest, its row of the definition)."""
        for branch in self.e.branches:
            payload = self.e.payload(branch)
            if branch in self.used or len(payload["contests"]) != 1:
                continue
            contest = payload["contests"][0]["contest"]
            row = self.contests[contest]
            if (self.ballots.count(contest), row["seats"]) == (1, str(seats)) and "candidates" in payload["contests"][0] \
                    and len(self.candidates(contest)) >= candidates and self.e.terminals[self.e.terminal_of(branch)]["state"] == "active":
                self.used.add(branch)
                return branch, contest
        raise AssertionError("no such branch")

    def candidates(self, contest):
        return [row["candidate"] for row in self.candidate_rows if row["contest"] == contest]

    def with_votes(self, branch, votes):
        """The branch's payload with these votes of its contest's candidates, in the definition's order."""
        payload = self.e.payload(branch)
        contest = payload["contests"][0]
        codes = self.candidates(contest["contest"])
        contest["candidates"] = [[c, v] for c, v in zip(codes, votes)]
        n = max(max(votes), -(-sum(votes) // 3))
        contest["authenticated"] = {"online": n, "offline": 0, "manual": 0}
        contest.update(issued=n, cast=n, blank=0, invalid=0, valid=n, excluded=0)
        return payload


def load(w):
    import csv
    def rows(name):
        with open(w.e.dir / "definition" / name, encoding="utf-8", newline="") as text:
            return list(csv.DictReader(text))
    w.used = set()
    w.contests = {row["contest"]: row for row in rows("contests.csv")}
    w.candidate_rows = rows("candidates.csv")
    w.ballots = [row["contest"] for row in rows("ballots.csv")]


def wrong_signers(w, branch, target):
    """Every way of signing that is not enough, each with its reason."""
    document = w.document("release", target)
    stranger = SigningKey(bytes(32))
    for name, signers, words in (
            ("one role is missing", ("commission1",), "supervision 0"),
            ("the other role is missing", ("supervision1",), "commission 0"),
            ("one officer twice", ("commission1", "commission1"), "the same officer again"),
            ("two of one role", ("commission1", "commission2"), "it has commission 2, supervision 0"),
            ("a role that does not count", ("commission1", "operator1"), "supervision 0"),
            ("an officer of another area", ("commission1", "supervision.part"), "area does not hold")):
        w.refused(name, w.post(w.sign(document, signers)), 403, "quorum", words)
    w.refused("nobody's key", w.post(envelope(dumps(document), [stranger], DECISION)), 401, "A02")
    keys = [w.e.officer_key(o) for o in BOTH]
    terminal = w.e.key(w.e.terminal_of(branch))
    w.refused("a terminal's key beside one officer's", w.post(envelope(dumps(document), [keys[0], terminal], DECISION)),
              403, "quorum", "not that of a registered officer")
    ids = [hashlib.sha256(bytes(k.verify_key)).hexdigest() for k in keys]
    w.refused("a signature over something else, in the second's name",
              w.post(envelope(dumps(document), [keys[0], stranger], DECISION, ids)), 403, "quorum", "not over this document")
    w.refused("the signatures of a bundle",
              w.post(envelope(dumps(document), keys, "application/vnd.tally.bundle.v1+json")), 400, "S01")
    w.refused("the type changed behind the signature",
              w.post(envelope(dumps(document), keys, "application/vnd.tally.bundle.v1+json").replace(
                  b"tally.bundle", b"tally.decision")), 401, "A02")
    good = w.sign(document, BOTH)
    w.refused("posted by an auditor", w.post(good, Client(w.e, w.api, w.e.pem("auditor"))), 403, "role")
    inside = w.e.within(w.e.branches[branch]["area"], w.e.clients["officer.part"]["area"])
    w.tap.ok(not inside, "the branch lies outside officer.part's area")
    w.refused("posted by an officer of another area", w.post(good, Client(w.e, w.api, w.e.pem("officer.part"))), 403, "area")
    w.refused("another media type", w.post(good, kind="application/json"), 415, "media_type")


def wrong_documents(w, branch, target):
    for name, change, status, code in (
            ("another election", {"election": "x"}, 422, "A07"), ("another phase", {"phase": "official"}, 422, "A05"),
            ("an unknown kind", {"kind": "forgive"}, 422, "kind"), ("another kind's target", {"kind": "key"}, 400, "S01"),
            ("a bundle's policy", {"kind": "revise"}, 422, "kind"),
            ("no reason", {"reason": " "}, 422, "range"), ("a reason too long", {"reason": "x" * 1001}, 422, "range"),
            ("position 0", {"position": 0}, 422, "range"), ("a negative position", {"position": -1}, 422, "range"),
            ("a position that is no number", {"position": "1"}, 400, "S01"), ("position 2^64", {"position": 1 << 64}, 422, "range"),
            ("made_at 2^40", {"made_at": 1 << 40}, 422, "range"), ("a short salt", {"salt": "00"}, 400, "S01"),
            ("a field too many", {"note": "x"}, 400, "S01"), ("a target that is none", {"target": []}, 400, "S01"),
            ("a target too many", {"target": {**target, "candidate": "x"}}, 400, "S01"),
            ("half a target", {"target": {"branch": branch}}, 400, "S01"),
            ("an unknown branch", {"target": {**target, "branch": "nowhere"}}, 422, "A07"),
            ("an unknown contest", {"target": {**target, "contest": "nothing"}}, 422, "A07"),
            ("a contest of another branch", {"target": {**target, "contest": next(c for c in w.contests if c != target["contest"] and w.ballots.count(c) == 1)}}, 422, "A07")):
        w.refused(name, w.decide("release", target, **change) if "target" not in change and "kind" not in change
                  else w.post(w.sign({**w.document("release", target), **change}, BOTH)), status, code)
    document = w.document("release", target)
    for field in list(document):
        w.refused(f"without {field}", w.post(w.sign({k: v for k, v in document.items() if k != field}, BOTH)), 400, "S01")
    text = dumps(document)
    keys = [w.e.officer_key(o) for o in BOTH]
    w.refused("a field twice", w.post(envelope(text[:-1] + b',"salt":"' + b"0" * 32 + b'"}', keys, DECISION)), 400, "S01")
    w.refused("something behind it", w.post(envelope(text + b" {}", keys, DECISION)), 400, "S01")
    cut = [n for n in range(len(text)) if w.post(envelope(text[:n], keys, DECISION)).status != 400]
    w.tap.same(cut, [], "the document cut at every byte is refused")


def test_release(w):
    branch, contest = next((b, c) for b, c in (w.single() for _ in range(40))
                           if not w.e.within(w.e.branches[b]["area"], w.e.clients["officer.part"]["area"])
                           and not w.e.within(w.e.branches[b]["area"], w.e.officers["supervision.part"]["area"]))
    target = {"branch": branch, "contest": contest}
    w.refused("release of what was not reported", w.decide("release", target), 409, "state", "has not reported")
    before = w.settled()
    few = [60, 50, 40, 30, 20, 10] + [0] * (len(w.candidates(contest)) - 6)
    payload = w.with_votes(branch, few)
    payload["contests"][0]["authenticated"]["online"] -= 5
    answer = w.send(payload, held=True)
    w.tap.ok(answer.headers["Tally-Status"] == "held" and f"{contest}:N08" in answer.headers["Tally-Checks"],
             "a station with more ballots than voters is held by N08", answer.headers["Tally-Checks"])
    shown = w.contest(contest)
    w.tap.ok(shown["status"] == "partial" and shown["ballots"] is None and shown["progress"]["held"] == 1, "not counted", shown)
    wrong_signers(w, branch, target)
    wrong_documents(w, branch, target)
    w.refused("signed before the bundle came", w.decide("release", target, position=before), 409, "changed",
              f"is a bundle of branch {branch}, revision 1")
    w.refused("signed for a ledger yet to come", w.decide("release", target, position=w.settled() + 1), 409, "changed", "yet")
    w.refused("reinstate of what is not annulled", w.decide("reinstate", target, ("supervision1", "supervision2")), 409, "state")
    w.tap.same(w.contest(contest), shown, "nothing of all that changed a number")
    body = w.sign(w.document("release", target), BOTH)
    answer = w.post(body)
    w.done("released by commission and supervision", answer)
    index, _ = check_receipt(answer.body, w.log_key, w.origin)
    leaf = leaf_of(answer.body)
    w.tap.ok(leaf["kind"] == "release" and leaf["branch"] == branch and leaf["contest"] == contest, "its leaf", leaf)
    again = w.post(body)
    w.tap.ok(again.status == 200 and again.body == answer.body, "sent again: the same receipt", again)
    shown = w.contest(contest)
    w.tap.ok(shown["status"] == "complete" and shown["ballots"]["cast"] == 70 and shown["position"] == index, "counted from there", shown)
    w.tap.same([c["votes"] for c in shown["candidates"]], few, "with its votes")
    w.refused("released twice, as seen before", w.decide("release", target, position=index), 409, "changed", "is a release")
    w.refused("released twice", w.decide("release", target), 409, "state", "not held")
    w.done("explained", w.decide("explain", target, ("commission1",)))
    w.tap.ok(w.slot(branch, contest)["explained"], "and shown as explained")
    w.refused("explained twice", w.decide("explain", target, ("commission2",)), 409, "state", "already")
    kinds = [row["kind"] for row in w.get(f"/v1/branches/{branch}")["timeline"]]
    w.tap.same(kinds, ["bundle", "release", "explain"], "the branch's timeline has all three")
    return contest, branch


def test_annul(w):
    """In a contest of several branches: one leaves every sum and comes back."""
    contest = next(c for c in w.contests if 3 <= w.ballots.count(c) <= 30 and w.contests[c]["rule"] == "experts")
    for branch in w.e.branches:
        payload = w.e.payload(branch)
        if any(c["contest"] == contest for c in payload["contests"]) and \
                w.e.terminals[w.e.terminal_of(branch)]["state"] == "active":
            w.send(payload)
            w.used.add(branch)
            last = branch
    target = {"branch": last, "contest": contest}
    boards = ("supervision1", "supervision2")
    def numbers():
        shown = w.contest(contest)
        return {c["candidate"]: c["votes"] for c in shown["candidates"]}, shown["ballots"]["cast"], shown["progress"]
    votes, cast, progress = numbers()
    part = next(c for c in w.e.payload(last)["contests"] if c["contest"] == contest)
    area = w.get(f"/v1/areas/{w.e.branches[last]['area']}")["progress"]
    w.refused("annulled by one board only", w.decide("annul", target, ("supervision1",)), 403, "quorum", "supervision 1")
    w.done("annulled by both", w.decide("annul", target, boards))
    votes_now, cast_now, progress_now = numbers()
    mine = dict(map(tuple, part["candidates"]))
    w.tap.same(votes_now, {c: v - mine.get(c, 0) for c, v in votes.items()}, "its votes leave the sum")
    w.tap.ok(cast_now == cast - part["cast"] and progress_now == {**progress, "counted": progress["counted"] - 1, "annulled": 1},
             "so do its ballots", progress_now)
    w.tap.same(w.get(f"/v1/areas/{w.e.branches[last]['area']}")["progress"],
               {**area, "counted": area["counted"] - 1, "annulled": area["annulled"] + 1}, "and up the tree")
    w.refused("annulled twice", w.decide("annul", target, boards), 409, "state", "already")
    w.tap.same(w.slot(last, contest)["state"], "annulled", "shown as annulled")
    w.done("reinstated", w.decide("reinstate", target, boards))
    w.tap.same(numbers(), (votes, cast, progress), "every sum is as before")
    w.done("annulled again", w.decide("annul", target, boards))
    seen = w.settled()
    payload = w.e.payload(last)
    prev = hashlib.sha256(dumps(payload)).hexdigest()
    row = next(c for c in payload["contests"] if c["contest"] == contest)
    row["candidates"][0][1] -= 1
    payload.update(revision=2, prev=prev)
    w.send(payload, officers=("supervision1",))
    w.tap.ok(w.slot(last, contest)["state"] == "annulled" and numbers()[2]["annulled"] == 1, "a revision does not undo it")
    w.refused("reinstated as it was before the revision", w.decide("reinstate", target, boards, position=seen), 409, "changed",
              "revision 2")
    w.done("reinstated with the revision", w.decide("reinstate", target, boards))
    first = row["candidates"][0][0]
    w.tap.same((numbers()[0], w.slot(last, contest)["state"]), ({**votes, first: votes[first] - 1}, "corrected"), "its new numbers count")


def test_lot(w):
    branch, contest = w.single(3)
    a, b, c, d, e, f = w.candidates(contest)[:6]
    lot = {"contest": contest, "order": [d, e, c], "ground": "lot"}
    w.refused("a lot before the count", w.decide("lot", lot), 409, "state", "not every branch")
    w.send(w.with_votes(branch, [60, 50, 40, 40, 40, 30] + [0] * 20))
    shown = w.contest(contest)
    w.tap.ok(shown["status"] == "tied" and shown["ties"] == [{"at_stake": 1, "among": [c, d, e], "kind": "seat"}], "three for one seat",
             shown["ties"])
    for name, order in (("two of the three", [c, d]), ("one too many", [c, d, e, f]), ("others", [a, b, f])):
        w.refused(f"an order of {name}", w.decide("lot", {**lot, "order": order}), 409, "state", "exactly these")
    for name, change, status, code in (("one candidate twice", {"order": [c, c, d]}, 422, "A07"), ("a stranger", {"order": [c, d, "x"]}, 422, "A07"),
                                       ("one alone", {"order": [c]}, 422, "range"), ("nobody", {"order": []}, 422, "range"),
                                       ("no array", {"order": c}, 400, "S01"), ("another ground", {"ground": "age"}, 422, "range")):
        w.refused(f"an order of {name}", w.decide("lot", {**lot, **change}), status, code)
    certify = {"contest": contest, "at": w.settled(), "result": shown["result"]}
    three = ("commission1", "commission2", "supervision1")
    w.refused("a certificate over a tie", w.decide("certify", certify, three), 409, "state", "tie")
    w.done("the order is decided", w.decide("lot", lot))
    shown = w.contest(contest)
    w.tap.ok(shown["status"] == "complete" and shown["ties"] == [] and shown["winners"] == [a, b, d], "the first of it is elected", shown["winners"])
    w.tap.same(shown["alternates"], [e, c], "the others are next in line, in its order")
    w.refused("a second order", w.decide("lot", lot), 409, "state", "no tie")

    w.refused("a certificate of the result before", w.decide("certify", certify, three), 409, "state", "changed behind")
    certify.update(at=w.settled())
    w.refused("a certificate of another result", w.decide("certify", certify, three), 409, "state", "another one")
    certify["result"] = shown["result"]
    w.refused("a certificate of the future", w.decide("certify", {**certify, "at": w.settled() + 5}, three), 409, "state")
    w.refused("a certificate by too few", w.decide("certify", certify), 403, "quorum", "commission 1")
    w.done("certified", w.decide("certify", certify, three))
    final = w.contest(contest)
    w.tap.ok(final["status"] == "certified" and final["final"] is True and final["winners"] == [a, b, d], "the contest is final", final["status"])
    w.refused("certified twice", w.decide("certify", {**certify, "at": w.settled()}, three), 409, "state", "already")
    w.tap.same(final["result"], shown["result"], "the certificate does not change the result")
    w.tap.same(w.get(f"/v1/contests?status=certified")["items"][0]["contest"], contest, "the list finds it")
    w.done("annulled after all", w.decide("annul", {"branch": branch, "contest": contest}, ("supervision1", "supervision2")))
    gone = w.contest(contest)
    w.tap.ok(gone["status"] == "annulled" and gone["final"] is False and gone["winners"] == [], "the certificate is of other numbers", gone)
    w.done("reinstated", w.decide("reinstate", {"branch": branch, "contest": contest}, ("supervision1", "supervision2")))
    w.tap.same(w.contest(contest)["status"], "tied", "an order does not outlive the numbers that it was made for")


def test_exclude(w):
    branch, contest = w.single(3)
    a, b, c, d, e, f = w.candidates(contest)[:6]
    w.send(w.with_votes(branch, [60, 50, 40, 30, 20, 10] + [0] * 20))
    w.tap.same(w.contest(contest)["winners"], [a, b, c], "the first three")
    w.refused("excluded by the commission alone", w.decide("exclude", {"contest": contest, "candidate": a}, ("commission1", "commission2")),
              403, "quorum")
    w.refused("an unknown candidate", w.decide("exclude", {"contest": contest, "candidate": "x"}), 422, "A07")
    w.done("the first is excluded", w.decide("exclude", {"contest": contest, "candidate": a}))
    shown = w.contest(contest)
    row = shown["candidates"][0]
    w.tap.same((shown["winners"], shown["alternates"]), ([b, c, d], [e, f]), "the next moves up")
    w.tap.same((row["votes"], row["rank"], row["excluded"], row["elected"]), (60, None, True, None), "the votes stay, without a rank")
    w.refused("excluded twice", w.decide("exclude", {"contest": contest, "candidate": a}), 409, "state", "already")


def numbers(w):
    w.settled()
    shown, cursor = [], ""
    while cursor is not None:
        page = w.get(f"/v1/contests?limit=1000{cursor and '&cursor=' + cursor}")
        shown += [w.get(f"/v1/contests/{c['contest']}") for c in page["items"]]
        cursor = page["next"]
    return {"contests": shown, "areas": w.get("/v1/areas?limit=1000"),
            "branches": [w.get(f"/v1/branches/{b}") for b in sorted(w.used)] if hasattr(w, "used") else None}


def main(argv):
    w = World(argv)
    kept = w.e.dir / "numbers.json"
    load(w)
    if len(argv) == 4:
        before = json.loads(kept.read_text("utf-8"))
        w.used = {b["branch"] for b in before["branches"]}
        now = numbers(w)
        for part in before:
            w.tap.ok(now[part] == before[part], f"{part}: as before the daemon was killed")
        w.tap.done()
        return
    for test in (test_release, test_annul, test_lot, test_exclude):
        test(w)
    kept.write_text(json.dumps(numbers(w)), "utf-8")
    refused = subprocess.run(["psql", "-qAtX", argv[4], "-c", "SELECT count(*), count(*) FILTER (WHERE code = 'quorum'), count(*) "
                              "FILTER (WHERE code IN ('changed', 'state')) FROM tally.evidence"], check=True, stdout=subprocess.PIPE)
    total, quorum, late = map(int, refused.stdout.decode().strip().split("|"))
    w.tap.ok(total > 300 and quorum >= 11 and late >= 20, "what was refused is kept with its reason", (total, quorum, late))
    w.tap.done()


if __name__ == "__main__":
    main(sys.argv)
