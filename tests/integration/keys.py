# SPDX-License-Identifier: Apache-2.0
"""Keys and the election's state, changed by decisions while the daemon runs (TAP).

    keys.py DIR INGEST_PORT API_PORT DATABASE TALLYCTL    everything; leaves DIR/keys.json
    keys.py DIR INGEST_PORT API_PORT again                after a restart: all of it stands
    keys.py DIR INGEST_PORT API_PORT storm                rotates a key and counts a bundle, over and over, until the
                                                          daemon is gone; DIR/storm.json has what was acknowledged
    keys.py DIR INGEST_PORT API_PORT stormed              all of that is in the ledger
"""
import hashlib
import http.client
import json
import os
import ssl
import subprocess
import sys
import time

from nacl.signing import SigningKey

from client import NDJSON, Client, dumps, envelope, leaf_of
from decide import World, load

SIGNERS = ("commission1", "operator1")
GONE = (ConnectionError, http.client.HTTPException, ssl.SSLError, OSError)


def fresh():
    return SigningKey(os.urandom(32))


def public(key):
    return bytes(key.verify_key).hex()


class Keys(World):
    def __init__(self, argv):
        super().__init__(argv)
        load(self)
        self.kept = self.e.dir / "keys.json"

    def key(self, action, terminal, signers=SIGNERS, position=None, **members):
        target = {"action": action, "terminal": terminal, **members}
        return self.decide("key", target, signers, **({} if position is None else {"position": position}))

    def state(self, state, signers=SIGNERS, **until):
        return self.decide("state", {"state": state, **until}, signers)

    def bundle(self, branch, terminal, key, **change):
        payload = {**self.e.payload(branch), "terminal": terminal, **change}
        return payload, self.relay.post(envelope(dumps(payload), [key]))

    def counted(self, name, answer):
        self.tap.ok(answer.status == 201 and answer.headers["Tally-Status"] == "counted", name, answer)

    def connects(self, pem):
        """Does a GET with this certificate get through the handshake?"""
        client = Client(self.e, self.ingest, pem)
        try:
            return client.get("/v1/election").status
        except GONE:
            return None
        finally:
            client.close()

    def ready(self, n):
        """Branches that count whole: their recorded bundle has no hold."""
        found = [b for b in self.e.branches if self.e.terminals[self.e.terminal_of(b)]["state"] == "active"
                 and self.e.terminal_of(b) in self.e.recorded]
        return found[:n]


def fingerprint(pem):
    der = ssl.PEM_cert_to_DER_cert(pem.read_text()[:pem.read_text().index("-----END CERTIFICATE-----") + 25])
    return hashlib.sha256(der).hexdigest()


def issue(w, tallyctl, name):
    """A certificate of the election's own authority, that no package names."""
    subprocess.run([tallyctl, "pki", "issue", w.e.dir / "keys", name, "-o", w.e.dir / name], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return w.e.dir / f"{name}.pem"


def test_assign(w, branch):
    spare = next(t for t, row in w.e.terminals.items() if row["branch"] == "" and row["state"] == "active")
    key = w.e.key(spare)
    _, answer = w.bundle(branch, spare, key)
    w.refused("a spare's bundle", answer, 403, "A03", "not registered for branch")
    seen = w.settled()
    w.refused("assigned by the commission alone", w.key("assign", spare, ("commission1", "commission2"), branch=branch), 403, "quorum",
              "operator 0")
    w.refused("assigned to no branch that there is", w.key("assign", spare, branch="nowhere"), 422, "A07")
    w.refused("assigned with a key", w.key("assign", spare, branch=branch, signing_key=public(fresh())), 400, "S01")
    answer = w.key("assign", spare, branch=branch)
    w.done("a spare is assigned", answer)
    leaf = leaf_of(answer.body)
    w.tap.same([leaf.get(k) for k in ("kind", "action", "terminal", "branch", "contest")], ["key", "assign", spare, branch, None], "its leaf")
    w.refused("assigned again", w.key("assign", spare, branch=branch), 409, "state", "already")
    other = next(b for b in w.e.branches if b != branch)
    w.refused("assigned elsewhere by who had not seen it", w.key("assign", spare, position=seen, branch=other), 409, "changed", "is a key")
    _, answer = w.bundle(branch, spare, key)
    w.counted("its bundle is counted", answer)
    w.tap.same(w.connects(w.e.pem(spare)), 200, "its certificate connects")
    own = Client(w.e, w.ingest, w.e.pem(spare))
    receipt = own.get(f"/v1/receipts/{leaf_of(answer.body)['payload'].split()[0]}")
    w.tap.ok(receipt.status == 200, "and fetches its receipt", receipt)
    return spare


def test_rotate(w, branch, tallyctl):
    terminal = w.e.terminal_of(branch)
    old, new = w.e.key(terminal), fresh()
    w.refused("a key that another terminal has", w.key("rotate", terminal, signing_key=w.e.terminals[w.e.terminal_of(w.ready(3)[2])]["signing_key"]),
              409, "state", "signing key stands")
    w.refused("its own key once more", w.key("rotate", terminal, signing_key=public(old)), 409, "state", "signing key stands")
    w.refused("an officer's key", w.key("rotate", terminal, signing_key=public(w.e.officer_key("commission1"))), 409, "state", "signing key")
    w.refused("a relay's certificate", w.key("rotate", terminal, certificate=w.e.clients["relay"]["certificate"]), 409, "state", "certificate stands")
    w.refused("a key of small order", w.key("rotate", terminal, signing_key="00" * 32), 422, "range", "small order")
    w.refused("nothing to rotate", w.key("rotate", terminal), 400, "S01")
    w.refused("a stranger", w.key("rotate", "nobody", signing_key=public(new)), 422, "A07")
    kept = Client(w.e, w.ingest, w.e.pem(terminal))
    w.tap.ok(kept.get("/v1/election").status == 200, "the terminal is connected")
    w.done("its key is rotated", w.key("rotate", terminal, signing_key=public(new)))
    _, answer = w.bundle(branch, terminal, old)
    w.refused("the old key", answer, 403, "A03", "has another key now")
    w.refused("the old key, sent by itself", kept.post(envelope(dumps(w.e.payload(branch)), [old])), 403, "A03")
    w.refused("nobody's key", w.bundle(branch, terminal, fresh())[1], 401, "A02")
    payload, answer = w.bundle(branch, terminal, new)
    w.counted("the new key", answer)
    w.tap.same(leaf_of(answer.body)["key"], hashlib.sha256(bytes(new.verify_key)).hexdigest(), "which its leaf names")
    pem = issue(w, tallyctl, "second")
    w.tap.same(w.connects(pem), None, "a certificate that nobody registered does not connect")
    w.done("its certificate is rotated", w.key("rotate", terminal, certificate=fingerprint(pem), not_before=1, not_after=2**40 - 1))
    w.tap.same((w.connects(w.e.pem(terminal)), w.connects(pem)), (None, 200), "the new one connects, the old one does not any more")
    w.refused("the old one on a connection that stood", kept.get("/v1/election"), 403, "A01")
    own = Client(w.e, w.ingest, pem)
    again = own.post(envelope(dumps(payload), [new]))
    w.tap.ok(again.status == 200 and again.body == answer.body, "the same bundle over it: the same receipt", again)
    w.refused("the old certificate again", w.key("rotate", terminal, certificate=w.e.terminals[terminal]["certificate"]), 409, "state")
    return {"terminal": terminal, "seed": bytes(new).hex(), "payload": payload}


def test_revoke(w, branch):
    terminal = w.e.terminal_of(branch)
    kept = Client(w.e, w.ingest, w.e.pem(terminal))
    w.tap.ok(kept.get("/v1/election").status == 200, "a terminal is connected")
    w.done("and revoked", w.key("revoke", terminal))
    w.refused("on its connection", kept.post(envelope(dumps(w.e.payload(branch)), [w.e.key(terminal)])), 403, "A01")
    w.tap.same(w.connects(w.e.pem(terminal)), None, "it cannot connect again")
    _, answer = w.bundle(branch, terminal, w.e.key(terminal))
    w.refused("its bundle by a relay", answer, 403, "A03", "revoked")
    w.refused("revoked twice", w.key("revoke", terminal), 409, "state", "is revoked")
    w.refused("rotated after all", w.key("rotate", terminal, signing_key=public(fresh())), 409, "state", "is revoked")
    return terminal


def test_add(w, branch, tallyctl):
    pem, key = issue(w, tallyctl, "third"), fresh()
    members = {"branch": branch, "signing_key": public(key), "certificate": fingerprint(pem), "not_before": 1, "not_after": 2**40 - 1}
    count = w.get("/v1/election")["counts"]["terminals"]
    w.refused("added without a key", w.key("add", "extra", **{k: v for k, v in members.items() if k != "signing_key"}), 400, "S01")
    w.refused("added under a code that there is", w.key("add", w.e.terminal_of(branch), **members), 409, "state", "of that code")
    w.refused("added with dates the wrong way round", w.key("add", "extra", **{**members, "not_before": 9, "not_after": 8}), 422, "range")
    at = w.settled()
    w.done("a terminal is added", w.key("add", "extra", **members))
    w.settled()
    w.tap.same((w.get("/v1/election")["counts"]["terminals"], w.get(f"/v1/election?at={at}")["counts"]["terminals"]), (count + 1, count),
               "there is one more, and there was not")
    w.tap.same(w.connects(pem), 200, "it connects")
    own = Client(w.e, w.ingest, pem)
    payload = {**w.e.payload(branch), "terminal": "extra"}
    w.counted("its bundle is counted", own.post(envelope(dumps(payload), [key])))
    return payload


def test_state(w, branch):
    terminal = w.e.terminal_of(branch)
    before, until = w.settled(), int(time.time()) + 600
    w.refused("closed by the commission alone", w.state("closed", ("commission1",)), 403, "quorum")
    w.refused("closed by an officer of a part", w.state("closed", ("commission1", "supervision.part")), 403, "quorum")
    w.refused("open already", w.state("open"), 409, "state", "already")
    w.refused("no state that there is", w.state("ajar"), 422, "range")
    w.done("closed", w.state("closed", until=until))
    _, answer = w.bundle(branch, terminal, w.e.key(terminal))
    wait = int(answer.headers["Retry-After"])
    w.refused("a bundle", answer, 503, "state", "closed")
    w.tap.ok(500 < wait <= 600, "to come again when the time is over", wait)
    answer = w.relay.post(envelope(dumps(w.e.payload(branch)), [w.e.key(terminal)]) + b"\n", NDJSON)
    w.refused("bundles by the line", answer, 503, "state")
    w.settled()
    now, then = w.get("/v1/election"), w.get(f"/v1/election?at={before}")
    w.tap.same((now["state"], now["until"], then["state"], then["until"]), ("closed", until, "open", None), "shown as it is, and as it was")
    w.tap.same(w.settled(), before + 1, "nothing but the decision is logged")
    w.refused("closed again", w.state("closed", until=until), 409, "state", "already")
    w.done("maintenance, without a time", w.state("maintenance"))
    _, answer = w.bundle(branch, terminal, w.e.key(terminal))
    w.tap.same((answer.status, answer.headers["Retry-After"]), (503, "60"), "no time: a minute")
    w.done("another time", w.state("maintenance", until=2**40 - 1))
    _, answer = w.bundle(branch, terminal, w.e.key(terminal))
    w.tap.same((answer.status, answer.headers["Retry-After"]), (503, "3600"), "a time far off: an hour")
    w.refused("opened by who had not seen it", w.decide("state", {"state": "open"}, SIGNERS, position=before), 409, "changed", "is a state")
    w.done("open again", w.state("open"))
    _, answer = w.bundle(branch, terminal, w.e.key(terminal))
    w.counted("the bundle is counted", answer)


def everything(w, argv):
    one, two, three, four, five = w.ready(5)
    kept = {"spare": test_assign(w, one), "rotated": test_rotate(w, two, argv[5]), "revoked": test_revoke(w, three),
            "added": test_add(w, four, argv[5])}
    test_state(w, five)
    w.settled()
    shown = w.get("/v1/election")
    kept["election"] = {k: shown[k] for k in ("state", "until", "counts", "progress", "accepted")}
    w.kept.write_text(json.dumps(kept), "utf-8")
    rows = subprocess.run(["psql", "-qAtX", argv[4], "-c", "SELECT count(*) FILTER (WHERE status = 403 AND code = 'A03'), count(*) FILTER "
                           "(WHERE status = 503) FROM tally.evidence"], check=True, stdout=subprocess.PIPE).stdout.decode()
    refused, later = map(int, rows.split("|"))
    w.tap.ok(refused >= 4 and later == 0, "what was signed by the wrong key is kept, what came too early is not", rows)


def again(w):
    kept = json.loads(w.kept.read_text("utf-8"))
    shown = w.get("/v1/election")
    w.tap.same({k: shown[k] for k in kept["election"]}, kept["election"], "the election is as before")
    rotated, payload = kept["rotated"], kept["rotated"]["payload"]
    key = SigningKey(bytes.fromhex(rotated["seed"]))
    w.tap.ok(w.relay.post(envelope(dumps(payload), [key])).status == 200, "the new key is known")
    w.refused("the old one is not", w.relay.post(envelope(dumps(payload), [w.e.key(rotated["terminal"])])), 403, "A03", "another key now")
    w.tap.same((w.connects(w.e.pem(rotated["terminal"])), w.connects(w.e.dir / "second.pem")), (None, 200), "so are certificates")
    w.tap.same(w.connects(w.e.pem(kept["revoked"])), None, "the revoked one stays out")
    w.tap.same((w.connects(w.e.dir / "third.pem"), w.connects(w.e.pem(kept["spare"]))), (200, 200), "the added and the assigned one come in")
    code = kept["added"]["branch"]
    timeline = w.get(f"/v1/branches/{code}")["timeline"]
    w.tap.same([row["terminal"] for row in timeline], ["extra"], "an entry names the terminal that came later")


def storm(w):
    """A terminal for each branch from the end; every bundle by a key that is one decision old."""
    done, path = [], w.e.dir / "storm.json"
    for branch in reversed(w.ready(10**6)[5:]):
        terminal, key = w.e.terminal_of(branch), fresh()
        try:
            position = w.get("/v1/election")["accepted"]
            if w.key("rotate", terminal, position=position, signing_key=public(key)).status != 201:
                break
            payload, answer = w.bundle(branch, terminal, key)
            if answer.status != 201:
                break
        except GONE:
            break
        done.append({"branch": branch, "payload": hashlib.sha256(dumps(payload)).hexdigest()})
        part = path.with_suffix(".part")
        part.write_text(json.dumps(done), "utf-8")
        part.rename(path)


def stormed(w):
    done = json.loads((w.e.dir / "storm.json").read_text("utf-8"))
    w.settled()
    missing = [one for one in done if w.officer.get(f"/v1/receipts/{one['payload']}").status != 200]
    w.tap.same(missing, [], f"{len(done)} bundles by new keys are all there")
    branch = next(b for b in w.ready(10**6)[5:] if not w.get(f"/v1/branches/{b}")["timeline"])
    terminal = w.e.terminal_of(branch)
    w.done("and it goes on", w.key("rotate", terminal, signing_key=public(fresh())))
    w.refused("with the old key out", w.bundle(branch, terminal, w.e.key(terminal))[1], 403, "A03")


def main(argv):
    w = Keys(argv)
    if argv[4] == "storm":
        storm(w)
        return
    {"again": again, "stormed": stormed}.get(argv[4], lambda w: everything(w, argv))(w)
    w.tap.done()


if __name__ == "__main__":
    main(sys.argv)
