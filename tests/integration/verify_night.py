# SPDX-License-Identifier: Apache-2.0
"""A night with every kind of entry, for the verifiers; and what the API then says, as their report says it.

    verify_night.py DIR INGEST_PORT API_PORT LOG night    sends it (`results`: and publishes results in it); leaves DIR/receipts/*.tlog-proof and DIR/since.note,
                                                          a checkpoint of its middle
    verify_night.py DIR INGEST_PORT API_PORT LOG numbers  prints {"units","contests","conflicted"} as the API has them
"""
import hashlib
import json
import sys
import time
from pathlib import Path

from nacl.signing import SigningKey

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
import at  # noqa: E402
from client import Client, dumps, envelope  # noqa: E402
from decide import load  # noqa: E402
from results import Results, hash_of  # noqa: E402

SAVED = 40


class Quick(at.Night, Results):
    """The same night, without looking at everything after each entry."""

    def __init__(self, argv):
        super().__init__([argv[0], argv[1], argv[2], argv[3], "0"])
        self.log = Path(argv[4])

    def all(self, at_=None, limit=1000):
        return {}

    def step(self, kind):
        self.settled()
        self.kinds.append(kind)

    def published(self, size):
        deadline = time.monotonic() + 60
        while int((self.log / "checkpoint").read_text("utf-8").split("\n")[1]) < size:
            assert time.monotonic() < deadline, "not published"
            time.sleep(0.02)


KEYS = ("commission1", "operator1")


def terminals(w):
    """A spare that is assigned, a key that is changed, a terminal that is new, one that is revoked; and a pause."""
    spare = next(t for t, row in w.e.terminals.items() if not row["branch"])
    free = [t for t in w.e.ready() if w.e.terminals[t]["branch"] not in w.used]
    dates = {k: int(w.e.terminals[free[0]][k]) for k in ("not_before", "not_after")}
    new = [SigningKey(hashlib.sha256(b"new key %d" % n).digest()) for n in range(2)]

    def vote(terminal, by, key):
        payload = w.e.payload(w.e.terminals[terminal]["branch"])
        w.used.add(payload["branch"])
        payload["terminal"] = by
        answer = w.relay.post(envelope(dumps(payload), [key]))
        assert answer.status == 201, answer
        w.step("bundle")
    w.decided("key", {"action": "assign", "terminal": spare, "branch": w.e.terminals[free[0]]["branch"]}, KEYS)
    vote(free[0], spare, w.e.key(spare))
    w.decided("key", {"action": "rotate", "terminal": free[1], "signing_key": bytes(new[0].verify_key).hex()}, KEYS)
    vote(free[1], free[1], new[0])
    w.decided("key", {"action": "add", "terminal": "t-new", "branch": w.e.terminals[free[2]]["branch"], "certificate": "ab" * 32,
                      "signing_key": bytes(new[1].verify_key).hex(), **dates}, KEYS)
    vote(free[2], "t-new", new[1])
    vote(free[3], free[3], w.e.key(free[3]))
    w.decided("key", {"action": "revoke", "terminal": free[3]}, KEYS)
    w.decided("state", {"state": "maintenance", "until": 1795990000}, KEYS)
    w.decided("state", {"state": "open"}, KEYS)


def announce(w):
    """Results of one area, and of the country twice."""
    part = w.e.branches[w.looked[0][0]]["area"]
    for scope, serial in ((part, 1), (w.e.root_area(), 1), (w.e.root_area(), 2)):
        document = w.make(scope, serial, hash_of(document) if serial > 1 else None)
        answer = w.hand_in(document)
        assert answer.status == 201, answer
        w.step("result")


def save(directory, name, text):
    (directory / f"{name}.tlog-proof").write_bytes(text)


def send_night(w):
    receipts = w.e.dir / "receipts"
    receipts.mkdir(exist_ok=True)
    at.night(w)
    terminals(w)
    if w.publishes:
        announce(w)
    w.published(w.settled())
    (w.e.dir / "since.note").write_bytes((w.log / "checkpoint").read_bytes())
    rest = [t for t in w.e.ready() if w.e.terminals[t]["branch"] not in w.used]
    for i, terminal in enumerate(rest):
        payload = w.e.payload(w.e.terminals[terminal]["branch"])
        answer = w.relay.post(envelope(dumps(payload), [w.e.key(terminal)]))
        assert answer.status in (200, 201), answer
        if i % (len(rest) // SAVED + 1) == 0:
            save(receipts, f"r{i}", answer.body)
    w.published(w.settled())


def pages(client, path):
    cursor, items = "", []
    while cursor is not None:
        answer = client.get(f"{path}?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status == 200, answer
        page = answer.json()
        items += page["items"]
        cursor = page["next"]
    return items


def contest(shown):
    """An object of the API as the verifiers' report has it."""
    counted = shown["ballots"] is not None
    seats = [[row["list"], row["seats"]] for row in shown["lists"] if row["seats"] is not None]
    if shown["pool"] is not None:
        seats.append(["pool", shown["pool"]["seats"]])
    return {"contest": shown["contest"], "status": shown["status"], "ballots": shown["ballots"]["cast"] if counted else None,
            "winners": shown["winners"], "alternates": shown["alternates"], "seats": seats, "result": shown["result"],
            "withheld": 0}


def numbers(w):
    auditor = Client(w.e, w.api, w.e.pem("auditor"))
    root = auditor.get(f"/v1/areas/{w.e.root_area()}").json()["progress"]
    units = {"expected": root["expected"], "counted": root["counted"], "held": root["held"], "annulled": root["annulled"],
             "missing": root["expected"] - root["reported"]}
    codes = [row["contest"] for row in pages(auditor, "/v1/contests")]
    contests = [contest(auditor.get(f"/v1/contests/{code}").json()) for code in codes]
    conflicted = []
    for branch in w.e.branches:
        line = auditor.get(f"/v1/branches/{branch}").json()["timeline"]
        if any(row["kind"] == "conflict" for row in line):
            conflicted.append(branch)
    print(json.dumps({"units": units, "conflicted": conflicted, "contests": contests}))


def main(argv):
    w = Quick(argv)
    load(w)
    w.publishes = argv[5] == "results"
    if argv[5] == "numbers":
        numbers(w)
    else:
        send_night(w)


if __name__ == "__main__":
    main(sys.argv)
