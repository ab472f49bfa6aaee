# SPDX-License-Identifier: Apache-2.0
"""Bad input, and what it gets: each with its exact status and code, through the running daemon; afterwards the
totals, the ledger and the evidence are exactly as they must be (TAP).

    ingest.py DIR INGEST_PORT API_PORT DATABASE
"""
import base64
import hashlib
import json
import os
import random
import ssl
import subprocess
import sys
import time
from pathlib import Path

from nacl.signing import SigningKey

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
from client import (ENVELOPE, NDJSON, Answer, Client, Election, check_receipt, dumps, envelope,  # noqa: E402
                    leaf_of, seed_of)
from tap import Tap  # noqa: E402

KEEP = object()
CUTS = 150  # of a bundle at random places, beside all places of its envelope's own syntax
EVIDENCE_BYTES = 65536


class World:
    """The daemon, and what it must have logged and kept by now."""

    def __init__(self, argv):
        self.tap = Tap()
        self.e = Election(argv[1])
        self.ingest, self.api, self.database = int(argv[2]), int(argv[3]), argv[4]
        self.relay = Client(self.e, self.ingest, self.e.pem("relay"))
        self.auditor = Client(self.e, self.api, self.e.pem("auditor"))
        self.origin = f"{self.e.about['domain']}/{self.e.about['election']}/{self.e.about['phase']}"
        self.log_key = SigningKey(seed_of(self.e.dir / "keys/log.key")).verify_key
        self.branches = list(self.e.branches)
        self.leaves = 1  # the genesis entry
        self.evidence = set()  # (sender, body, code)
        self.counted = {}  # branch: payload

    def branch(self, within=None):
        """A branch that nothing was sent for yet."""
        branch = next(b for b in self.branches
                      if within is None or self.e.within(self.e.branches[b]["area"], within))
        self.branches.remove(branch)
        return branch

    def settled(self):
        """Waits until the snapshot has everything that was answered; the election's object."""
        deadline = time.monotonic() + 60
        while True:
            shown = self.auditor.get("/v1/election").json()
            if shown["published"] == self.leaves or time.monotonic() > deadline:
                return shown

    def sign(self, payload, terminal=None, *more, **keywords):
        return envelope(dumps(payload), [self.e.key(terminal or payload["terminal"]), *more], **keywords)

    def refused(self, name, body, status, code, client=None, who="relay", kind=ENVELOPE, kept=KEEP):
        """Refused with this status and code, and kept as evidence once."""
        answer = (client or self.relay).post(body, kind)
        got = (answer.status, answer.code() if answer.status >= 400 else None)
        self.tap.same(got, (status, code), name)
        if kept is KEEP:
            self.evidence.add((who, body, code))

    def accepted(self, name, body, status=201, tally_status="counted", client=None):
        answer = (client or self.relay).post(body)
        receipt = answer.body
        if not self.tap.same((answer.status, answer.headers["Tally-Status"]), (status, tally_status), name):
            print("#", answer)
            return answer
        index, size = check_receipt(receipt, self.log_key, self.origin)
        if status == 201:
            self.tap.same(index, self.leaves, f"{name}: its place")
            self.leaves += 1
        return answer

    def sql(self, text):
        done = subprocess.run(["psql", "-qXAt", "-d", self.database, "-c", text], stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()


def test_good(w):
    branch = w.branch()
    terminal = w.e.terminal_of(branch)
    own = Client(w.e, w.ingest, w.e.pem(terminal))
    body = w.sign(w.e.payload(branch))
    first = w.accepted("a terminal's own bundle", body, client=own)
    w.counted[branch] = w.e.payload(branch)
    w.tap.same(first.headers["Content-Type"], "text/plain; charset=utf-8", "a receipt is a text")
    leaf = leaf_of(first.body)
    w.tap.same(leaf["payload"], f"{hashlib.sha256(dumps(w.e.payload(branch))).hexdigest()} "
                                f"{len(dumps(w.e.payload(branch)))}", "its leaf names the payload")
    w.tap.same(leaf["envelope"], f"{hashlib.sha256(body).hexdigest()} {len(body)}", "and the envelope")
    w.tap.same((leaf["branch"], leaf["terminal"], leaf["kind"]), (branch, terminal, "bundle"), "and who sent it")
    again = w.accepted("replayed: 200", body, 200, client=own)
    w.tap.ok(again.body == first.body, "with the same receipt, byte for byte")
    spaced = json.dumps(json.loads(body), indent=1).encode()
    third = w.accepted("the same payload in other bytes, through a relay: 200", spaced, 200)
    w.tap.ok(third.body == first.body, "with the same receipt")
    url = json.loads(body)
    url["payload"] = base64.urlsafe_b64encode(base64.b64decode(url["payload"])).decode()
    w.accepted("in URL-safe base64: 200", dumps(url), 200)
    own.close()


def structural_cuts(body):
    """Places of the envelope's own syntax: all of it but the inside of the payload's base64."""
    start = body.index(b'"payload":"') + 11
    end = body.index(b'"', start)
    return list(range(0, start + 6)) + list(range(end - 6, len(body)))


def test_cut(w):
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    dice = random.Random(seed)
    print(f"# seed {seed}")
    body = w.sign(w.e.payload(w.branch()))
    cuts = sorted(set(structural_cuts(body)) | set(dice.sample(range(len(body)), CUTS)))
    wrong = []
    for at in cuts:
        answer = w.relay.post(body[:at])
        if (answer.status, answer.code()) != (400, "S01"):
            wrong.append(f"at {at}: {answer}")
        w.evidence.add(("relay", body[:at], "S01"))
    w.tap.ok(not wrong, f"truncated at {len(cuts)} places: 400 S01", *wrong[:5])
    payload, key = dumps(w.e.payload(w.branch())), w.e.key(json.loads(base64.b64decode(
        json.loads(body)["payload"]))["terminal"])
    wrong = []
    for at in dice.sample(range(len(payload)), 60):
        cut = envelope(payload[:at], [key])
        answer = w.relay.post(cut)
        if (answer.status, answer.code()) != (400, "S01"):
            wrong.append(f"at {at}: {answer}")
        w.evidence.add(("relay", cut, "S01"))
    w.tap.ok(not wrong, "a payload truncated and then signed: 400 S01", *wrong[:5])


def test_envelope(w):
    branch = w.branch()
    payload = w.e.payload(branch)
    body = w.sign(payload)
    w.refused("trailing bytes", body + b"x", 400, "S01")
    w.refused("two envelopes in one body", body + body, 400, "S01")
    w.refused("a key of the envelope twice", body[:-1] + b',"payloadType":"x"}', 400, "S01")
    w.refused("no signature", dumps({**json.loads(body), "signatures": []}), 400, "S01")
    w.refused("five signatures", w.sign(payload, None, *[SigningKey.generate() for _ in range(4)]), 400, "S01")
    w.refused("another payload type", w.sign(payload, kind="application/vnd.tally.package.v1+json"), 400, "S01")
    short = json.loads(body)
    short["signatures"][0]["sig"] = base64.b64encode(bytes(63)).decode()
    w.refused("a signature of 63 bytes", dumps(short), 400, "S01")
    loose = json.loads(body)
    loose["payload"] = loose["payload"].rstrip("=") + "===="
    w.refused("base64 that is not canonical", dumps(loose), 400, "S01")
    w.refused("an empty body", b"", 400, "S01")
    w.refused("no JSON at all", b"\x00\xff" * 40, 400, "S01")
    w.refused("another media type", body, 415, "media_type", kind="application/json")
    w.refused("an over-long payload", envelope(b'{"election":"' + b"x" * (1 << 20) + b'"}', [w.e.key(
        payload["terminal"])]), 413, "too_large")
    w.refused("a body over 2 MiB", b" " * ((2 << 20) + 1), 413, "too_large", kept=None)


def test_signature(w):
    branch = w.branch()
    terminal = w.e.terminal_of(branch)
    payload = w.e.payload(branch)
    flipped = bytearray(dumps(payload))
    flipped[-3] ^= 1
    forged = json.loads(w.sign(payload))
    forged["payload"] = base64.b64encode(flipped).decode()
    w.refused("a byte of the payload changed after signing", dumps(forged), 401, "A02")
    w.refused("unsigned: a signature of zeros", dumps({**json.loads(w.sign(payload)), "signatures": [
        {"keyid": hashlib.sha256(bytes(w.e.key(terminal).verify_key)).hexdigest(),
         "sig": base64.b64encode(bytes(64)).decode()}]}), 401, "A02")
    stranger = SigningKey.generate()
    w.refused("signed by a key that nobody registered", envelope(dumps(payload), [stranger]), 401, "A02")
    claimed = hashlib.sha256(bytes(w.e.key(terminal).verify_key)).hexdigest()
    w.refused("signed by it under the terminal's key id",
              envelope(dumps(payload), [stranger], keyids=[claimed]), 401, "A02")
    w.refused("signed by an officer alone", envelope(dumps(payload), [w.e.officer_key("commission1")]), 401, "A02")
    junk = envelope(b"not even JSON", [stranger])
    w.refused("rubbish that nobody signed is not parsed", junk, 401, "A02")
    last = list(w.e.branches)[-1]
    w.refused("signed by a revoked key", w.sign(w.e.payload(last)), 403, "A03")


def test_identity(w):
    part = w.e.clients["relay.part"]["area"]
    branch, other = w.branch(within=part), w.branch()
    terminal, stranger = w.e.terminal_of(branch), w.e.terminal_of(other)
    payload = w.e.payload(branch)
    w.refused("signed by another terminal's key", w.sign(payload, stranger), 403, "A03")
    w.refused("another branch's terminal", w.sign({**payload, "terminal": stranger}, stranger), 403, "A03")
    w.refused("a spare terminal", w.sign({**payload, "terminal": "spare01"}, "spare01"), 403, "A03")
    wrong = Client(w.e, w.ingest, w.e.pem(stranger))
    w.refused("right key and wrong certificate", w.sign(payload), 403, "A03", wrong, stranger)
    wrong.close()
    outside = next(b for b, row in reversed(w.e.branches.items()) if not w.e.within(row["area"], part)
                   and w.e.terminals[w.e.terminal_of(b)]["state"] == "active")
    local = Client(w.e, w.ingest, w.e.pem("relay.part"))
    w.refused("a branch outside the relay's area", w.sign(w.e.payload(outside)), 403, "A03", local, "relay.part")
    w.accepted("a branch inside it", w.sign(payload), client=local)
    w.counted[branch] = payload
    local.close()
    payload = w.e.payload(other)
    w.refused("wrong election", w.sign({**payload, "election": "another"}), 422, "A07")
    w.refused("wrong phase", w.sign({**payload, "phase": "official"}), 422, "A05")
    w.refused("a phase that is none", w.sign({**payload, "phase": "practice"}), 422, "S06")
    w.refused("unknown branch", w.sign({**payload, "branch": "b999999"}), 422, "A07")


def replaced(payload, old, new):
    """The text of a payload with one literal piece changed."""
    text = dumps(payload)
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def test_values(w):
    payload = w.e.payload(w.branch())
    key = w.e.key(payload["terminal"])
    cast = b'"cast":%d' % payload["contests"][0]["cast"]

    def refuse(name, old, new, status, code):
        w.refused(name, envelope(replaced(payload, old, new), [key]), status, code)

    refuse("a key twice", b'"revision":1', b'"revision":1,"revision":1', 400, "S01")
    refuse("a count twice", cast, cast + b"," + cast, 400, "S01")
    refuse("an unknown key", b'"revision":1', b'"revision":1,"note":1', 400, "S01")
    refuse("a float", cast, cast + b".0", 400, "S01")
    refuse("an exponent", cast, b'"cast":1e2', 400, "S01")
    refuse("a leading zero", cast, b'"cast":0%d' % payload["contests"][0]["cast"], 400, "S01")
    refuse("a number as text", cast, b'"cast":"12"', 400, "S01")
    refuse("not UTF-8", b'"' + payload["contests"][0]["contest"].encode() + b'"', b'"\xff"', 400, "S01")
    refuse("negative", cast, b'"cast":-1', 422, "S06")
    refuse("2^31", cast, b'"cast":2147483648', 422, "S06")
    refuse("2^64", cast, b'"cast":18446744073709551616', 422, "S06")
    refuse("a count missing", cast + b",", b"", 422, "S06")
    refuse("revision 0", b'"revision":1', b'"revision":0', 422, "S06")
    refuse("a time of 2^40", b'"made_at":%d' % payload["made_at"], b'"made_at":1099511627776', 422, "S06")
    refuse("no salt", b'"salt":"%s",' % payload["salt"].encode(), b"", 422, "S06")
    w.refused("trailing bytes in the payload", envelope(dumps(payload) + b" x", [key]), 400, "S01")


def test_held(w):
    branch = w.branch()
    payload = w.e.payload(branch)
    contests = [row["contest"] for row in payload["contests"]]
    answer = w.accepted("wrong definition is held", w.sign({**payload, "definition": "00" * 32}), 201, "held")
    w.tap.same(answer.headers["Tally-Checks"].split(","), [f"{c}:A06" for c in contests], "by A06, every contest")
    w.tap.same(leaf_of(answer.body)["held"], [f"{c} A06" for c in contests], "and the leaf says so")
    branch = w.branch()
    payload = w.e.payload(branch)
    payload["contests"][0]["cast"] += 1
    answer = w.accepted("cast is not the sum of its parts: held", w.sign(payload), 201,
                        "partly" if len(payload["contests"]) > 1 else "held")
    w.tap.ok(f"{payload['contests'][0]['contest']}:N02" in answer.headers["Tally-Checks"], "by N02",
             answer.headers["Tally-Checks"])
    w.settled()
    got = w.auditor.get(f"/v1/branches/{branch}").json()
    w.tap.same(got["contests"][0]["state"], "held", "the branch's page says so")
    if len(payload["contests"]) > 1:
        w.counted[branch] = {**payload, "contests": payload["contests"][1:]}


def test_revisions(w):
    branch = w.branch()
    one = w.e.payload(branch)
    officer = w.e.officer_key("supervision1")

    def revised(revision, prev, **fields):
        return {**one, "revision": revision, "prev": prev, "salt": os.urandom(16).hex(), **fields}

    first_hash = hashlib.sha256(dumps(one)).hexdigest()
    w.refused("revision 2 before revision 1", w.sign(revised(2, first_hash), None, officer), 409, "S04")
    w.refused("revision 1 with a prev", w.sign({**one, "prev": "11" * 32}), 409, "S04")
    w.accepted("revision 1", w.sign(one))
    conflict = w.sign(revised(1, None))
    w.refused("conflicting: another payload for revision 1", conflict, 409, "S04", kept=None)
    w.leaves += 1  # a conflict is logged, with both envelopes
    w.refused("the same conflict again: logged once", conflict, 409, "S04", kept=None)
    w.refused("revision 3 after 1", w.sign(revised(3, first_hash), None, officer), 409, "S04")
    w.refused("revision 2 with a wrong prev", w.sign(revised(2, "22" * 32), None, officer), 409, "S04")
    two = revised(2, first_hash)
    w.refused("revision 2 by the terminal alone", w.sign(two), 409, "S04")
    w.refused("with the wrong role's officer", w.sign(two, None, w.e.officer_key("commission1")), 409, "S04")
    w.refused("with an officer of another province", w.sign(two, None, w.e.officer_key("supervision.part")), 409,
              "S04")
    w.refused("with an officer's key that signed something else", dumps({**json.loads(w.sign(two)), "signatures": [
        *json.loads(w.sign(two))["signatures"],
        json.loads(envelope(b"{}", [officer]))["signatures"][0]]}), 409, "S04")
    two["contests"] = [{**row} for row in two["contests"]]
    w.accepted("revision 2 with supervision's signature", w.sign(two, None, officer))
    w.accepted("revision 1 again: still its receipt", w.sign(one), 200)
    w.counted[branch] = two
    w.settled()
    got = w.auditor.get(f"/v1/branches/{branch}").json()
    w.tap.same([row["state"] for row in got["contests"]], ["corrected"] * len(one["contests"]), "it is corrected")
    w.tap.ok("conflicting" in got["status"] and "flagged" in got["status"], "and flagged as conflicting", got)
    w.tap.same([row["kind"] for row in got["timeline"]], ["bundle", "conflict", "bundle"], "its timeline")


def test_batch(w):
    good, other = w.branch(), w.branch()
    bodies = [w.sign(w.e.payload(good)), b"{", w.sign({**w.e.payload(other), "phase": "official"}),
              w.sign(w.e.payload(good)), w.sign(w.e.payload(other))]
    answer = w.relay.post(b"\n".join(bodies) + b"\n", NDJSON)
    w.tap.same((answer.status, answer.headers["Content-Type"]), (200, NDJSON), "NDJSON: 200")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    w.tap.same([line["status"] for line in lines], [201, 400, 422, 200, 201], "one answer a line, in order")
    w.tap.same([line["problem"]["code"] for line in lines if "problem" in line], ["S01", "A05"], "with problems")
    w.tap.same({line["problem"]["type"] for line in lines if "problem" in line},
               {"urn:tally:problem:S01", "urn:tally:problem:A05"}, "as RFC 9457 has them")
    for i, body in ((0, bodies[0]), (4, bodies[4])):
        line = lines[i]
        payload = base64.b64decode(json.loads(body)["payload"])
        w.tap.same((line["payload"], line["tally_status"], line["checks"]),
                   (hashlib.sha256(payload).hexdigest(), "counted", []), f"line {i}: what became of it")
        index, _ = check_receipt(line["receipt"].encode(), w.log_key, w.origin)
        w.tap.ok(index in (w.leaves, w.leaves + 1), f"line {i}: a receipt")
    w.tap.ok(lines[3]["receipt"] == lines[0]["receipt"], "a bundle twice in one body: the same receipt")
    w.leaves += 2
    w.counted[good], w.counted[other] = w.e.payload(good), w.e.payload(other)
    w.evidence |= {("relay", bodies[1], "S01"), ("relay", bodies[2], "A05")}
    big = b" " * ((2 << 20) + 1)
    answer = w.relay.post(big + b"\n" + bodies[0], NDJSON)
    lines = [json.loads(line) for line in answer.body.splitlines()]
    w.tap.same([line["status"] for line in lines], [413, 200], "a line over 2 MiB: 413, the other is answered")
    w.tap.same(lines[0]["problem"]["code"], "too_large", "as for a body of its own")
    w.evidence.add(("relay", big, "too_large"))
    answer = w.relay.post(b"\n" * 100, NDJSON)
    w.tap.same((answer.status, answer.body), (200, b""), "no line, no answer")
    answer = w.relay.post(b"x\n" * 4097, NDJSON)
    w.tap.same((answer.status, answer.code()), (413, "too_large"), "4,097 lines: 413")
    own = Client(w.e, w.ingest, w.e.pem(w.e.terminal_of(good)))
    answer = own.post(b"\n".join([bodies[0]] * 16), NDJSON)
    w.tap.same([json.loads(line)["status"] for line in answer.body.splitlines()], [200] * 16, "a terminal's 16 lines")
    answer = own.post(b"\n".join([bodies[0]] * 17), NDJSON)
    w.tap.same((answer.status, answer.code()), (413, "too_large"), "17 of them: 413")
    own.connection.putrequest("POST", "/v1/bundles")
    own.connection.putheader("Content-Type", NDJSON)
    own.connection.putheader("Content-Length", (2 << 20) + 1)
    own.connection.endheaders()
    answer = Answer(own.connection.getresponse())
    w.tap.same((answer.status, answer.code()), (413, "too_large"), "a terminal's 2 MiB and a byte: 413, and unread")


def refused_handshake(w, pem):
    """Whether a connection with this certificate ends without an answer in HTTP."""
    client = Client(w.e, w.ingest, pem)
    try:
        answer = client.get("/v1/election")
        return f"{answer}"
    except (ssl.SSLError, ConnectionError, OSError) as error:
        return type(error).__name__ and None
    finally:
        client.close()


def test_certificates(w):
    last = w.e.terminal_of(list(w.e.branches)[-1])
    for name, pem in (("expired", w.e.pem("relay.expired")), ("not yet valid", w.e.pem("relay.future")),
                      ("revoked", w.e.pem(last)), ("unknown, of our own authority",
                                                   w.e.dir / "keys/strangers/unknown.pem"),
                      ("self-signed", w.e.dir / "keys/strangers/selfsigned.pem"), ("no", None)):
        w.tap.same(refused_handshake(w, pem), None, f"{name} certificate: never reaches a handler")


def test_afterwards(w):
    """Ledger, evidence and totals are exactly what the answers said."""
    w.tap.same(int(w.sql("SELECT count(*) FROM tally.ledger")), w.leaves, "rows of the ledger")
    kept = w.sql("SELECT encode(sender,'hex')||' '||encode(body_hash,'hex')||' '||code||' '||body_len||' '||"
                 "encode(body,'base64')||'|' FROM tally.evidence")
    got = set()
    for row in kept.split("|"):
        if row.strip():
            sender, digest, code, length, *body = row.split()
            got.add((sender, digest, code, int(length), base64.b64decode("".join(body))))
    want = {(certificate(w, who), hashlib.sha256(body).hexdigest(), code, len(body), body[:EVIDENCE_BYTES])
            for who, body, code in w.evidence}
    w.tap.same(len(got), len(want), "rows of evidence")
    w.tap.ok(got == want, "each the refused body, its sender and its code",
             *(repr(x)[:200] for x in list(got ^ want)[:5]))
    wanted = totals_of(w.counted.values())
    shown = w.settled()
    w.tap.same((shown["accepted"], shown["published"]), (w.leaves, w.leaves), "accepted and published")
    shown = {}
    for contest in pages(w, "/v1/contests"):
        if contest["ballots"] is not None:
            whole = w.auditor.get(f"/v1/contests/{contest['contest']}").json()
            shown[contest["contest"]] = (whole["ballots"]["cast"], whole["ballots"]["valid"], {
                row["candidate"]: row.get("personal", row["votes"]) for row in whole["candidates"]
                if row.get("personal", row["votes"])})
    w.tap.same(shown, wanted, f"totals of {len(wanted)} contests, added up here from what was counted")


def totals_of(payloads):
    total = {}
    for payload in payloads:
        for row in payload["contests"]:
            if "not_held" in row:
                continue
            cast, valid, candidates = total.get(row["contest"], (0, 0, {}))
            for code, votes in row["candidates"]:
                if votes:
                    candidates[code] = candidates.get(code, 0) + votes
            total[row["contest"]] = (cast + row["cast"], valid + row["valid"], candidates)
    return total


def pages(w, path):
    cursor = ""
    while cursor is not None:
        page = w.auditor.get(f"{path}?limit=37" + (f"&cursor={cursor}" if cursor else "")).json()
        yield from page["items"]
        cursor = page["next"]


def certificate(w, who):
    return (w.e.clients.get(who) or w.e.terminals[who])["certificate"]


def main(argv):
    w = World(argv)
    for test in (test_good, test_identity, test_cut, test_envelope, test_signature, test_values, test_held,
                 test_revisions, test_batch, test_certificates, test_afterwards):
        test(w)
    w.tap.done()


if __name__ == "__main__":
    main(sys.argv)
