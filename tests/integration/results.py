# SPDX-License-Identifier: Apache-2.0
"""Published results documents through the running daemon: what they must say, who signs, in which order (TAP).

    results.py DIR INGEST_PORT API_PORT          everything; leaves DIR/results.json
    results.py DIR INGEST_PORT API_PORT again    after a restart: the next of each scope follows on what was there
"""
import base64
import copy
import hashlib
import json
import sys
from urllib.parse import quote

from client import ENVELOPE, Client, check_receipt, dumps, envelope, leaf_of
from decide import World, load

RESULTS = "application/vnd.tally.results.v1+json"
THREE = ("commission1", "commission2", "supervision1")
MEMBERS = ("status", "ballots", "winners", "alternates", "seats", "result")


class Results(World):
    def __init__(self, argv):
        super().__init__(argv)
        load(self)
        self.root = self.e.root_area()

    def head(self):
        """The published head, once it is the newest."""
        while True:
            now = self.settled()
            origin, size, root = self.officer.get("/log/checkpoint").body.decode().split("\n")[:3]
            if int(size) == now:
                return {"origin": origin, "size": now, "root": root}

    def contest_of(self, code, at):
        c = self.get(f"/v1/contests/{quote(code)}?at={at}")
        seats = [[x["list"], x["seats"]] for x in c["lists"] if x["seats"] is not None]
        seats += [["pool", c["pool"]["seats"]]] if c["pool"] else []
        return {"contest": code, "status": c["status"], "ballots": c["ballots"] and c["ballots"]["cast"], "winners": c["winners"],
                "alternates": c["alternates"], "seats": seats, "result": c["result"]}

    def make(self, scope, serial=1, prev=None):
        log = self.head()
        at = log["size"]
        codes, cursor = [], ""
        while cursor is not None:
            page = self.get(f"/v1/contests?area={quote(scope)}&at={at}&limit=1000{cursor and '&cursor=' + cursor}")
            codes += [c["contest"] for c in page["items"]]
            cursor = page["next"]
        p = self.get(f"/v1/areas/{quote(scope)}?at={at}")["progress"]
        self.salt += 1
        return {"election": self.e.about["election"], "phase": self.e.about["phase"], "scope": scope, "log": log,
                "units": {**{k: p[k] for k in ("expected", "counted", "held", "annulled")}, "missing": p["expected"] - p["reported"]},
                "contests": [self.contest_of(c, at) for c in codes], "software": "v1", "serial": serial, "prev": prev,
                "salt": f"{self.salt:032x}"}

    def hand_in(self, document, signers=THREE, kind=RESULTS, path="/v1/results", client=None):
        body = envelope(dumps(document), [self.e.officer_key(s) for s in signers], kind)
        return (client or self.officer).request("POST", path, body, Content_Type=ENVELOPE)

    def wrong(self, name, document, change, status, code, words=""):
        other = copy.deepcopy(document)
        change(other)
        self.refused(name, self.hand_in(other), status, code, words)


def hash_of(document):
    return hashlib.sha256(dumps(document)).hexdigest()


def wrong_documents(w, d):
    def put(*path):
        *keys, last, value = path
        def change(document):
            for k in keys:
                document = document[k]
            document[last] = value
        return change
    zero = base64.b64encode(bytes(32)).decode()
    for name, change, status, code, words in (
            ("another election", put("election", "x"), 422, "A07", ""), ("another phase", put("phase", "official"), 422, "A05", ""),
            ("an unknown scope", put("scope", "nowhere"), 422, "A07", ""), ("another log", put("log", "origin", "x/y/z"), 422, "A07", ""),
            ("size 0", put("log", "size", 0), 422, "range", ""), ("a size to come", put("log", "size", 10**6), 409, "state", "not come"),
            ("another root", put("log", "root", zero), 409, "state", "root"), ("no root", put("log", "root", "x"), 400, "S01", ""),
            ("serial 0", put("serial", 0), 422, "range", ""), ("serial 2 at first", put("serial", 2), 409, "state", "serial 1"),
            ("a prev at first", put("prev", "0" * 64), 409, "state", "before"), ("a prev that is none", put("prev", 7), 400, "S01", ""),
            ("a short salt", put("salt", "00"), 400, "S01", ""), ("no software", put("software", ""), 422, "range", ""),
            ("a key too many", put("note", "x"), 400, "S01", ""), ("a contest's key too many", put("contests", 0, "note", 1), 400, "S01", ""),
            ("no contests", put("contests", []), 409, "numbers", "missing"), ("contests that are none", put("contests", {}), 400, "S01", ""),
            ("one contest less", lambda x: x["contests"].pop(), 409, "numbers", "missing"),
            ("two contests turned round", lambda x: x["contests"].reverse(), 409, "numbers", "another place"),
            ("a contest twice", lambda x: x["contests"].append(x["contests"][0]), 422, "range", "more contests"),
            ("an escape in a code", lambda x: x["contests"][0].update(winners=['\\"']), 400, "S01", "")):
        w.wrong(name, d, change, status, code, words)
    for unit in d["units"]:
        w.wrong(f"units: {unit} one more", d, put("units", unit, d["units"][unit] + 1), 409, "numbers", "the ledger gives")
    w.wrong("units without one", d, lambda x: x["units"].pop("held"), 400, "S01")
    at, counted = next((i, c) for i, c in enumerate(d["contests"]) if c["ballots"] and len(c["winners"]) > 1)
    other = {"status": "certified" if counted["status"] != "certified" else "complete", "ballots": counted["ballots"] + 1,
             "winners": counted["winners"][::-1], "alternates": counted["alternates"][1:] or ["x"], "seats": [["x", 1]], "result": "0" * 64}
    for member in MEMBERS:
        w.wrong(f"another {member}", d, put("contests", at, member, other[member]), 409, "numbers", f"{member} of contest {counted['contest']}")
    w.wrong("ballots null where there are some", d, put("contests", at, "ballots", None), 409, "numbers", "ballots")
    w.wrong("one winner less", d, lambda x: x["contests"][at]["winners"].pop(), 409, "numbers", "winners")
    listed = next((i for i, c in enumerate(d["contests"]) if c["seats"]), None)
    if listed is not None:
        w.wrong("a seat more for a list", d, put("contests", listed, "seats", 0, 1, d["contests"][listed]["seats"][0][1] + 1), 409, "numbers", "seats")
    waiting = next((i for i, c in enumerate(d["contests"]) if c["ballots"] is None), None)
    if waiting is not None:
        w.wrong("no ballots as 0", d, put("contests", waiting, "ballots", 0), 409, "numbers", "ballots")
    text = dumps(d)
    keys = [w.e.officer_key(s) for s in THREE]
    bad = [n for n in range(0, len(text), 97)
           if w.officer.request("POST", "/v1/results", envelope(text[:n], keys, RESULTS), Content_Type=ENVELOPE).status != 400]
    w.tap.same(bad, [], "cut at many bytes: refused")


def everything(w):
    branches = [b for b in w.e.branches if w.e.terminals[w.e.terminal_of(b)]["state"] == "active" and w.e.terminal_of(b) in w.e.recorded]
    for branch in branches[:-2]:
        w.send(w.e.payload(branch), held=True)
    d = w.make(w.root)
    wrong_documents(w, d)
    w.refused("signed by too few", w.hand_in(d, ("commission1", "supervision1")), 403, "quorum", "certify needs commission 2")
    w.refused("as a decision's envelope", w.hand_in(d, kind="application/vnd.tally.decision.v1+json"), 400, "S01")
    w.refused("to the decisions' path", w.hand_in(d, path="/v1/decisions"), 400, "S01", "/v1/results")
    w.refused("by an auditor", w.hand_in(d, client=Client(w.e, w.api, w.e.pem("auditor"))), 403, "role")
    w.refused("by an officer of a part", w.hand_in(d, client=Client(w.e, w.api, w.e.pem("officer.part"))), 403, "area")
    w.tap.ok(w.officer.get(f"/v1/results/{w.root}").status == 404, "nothing is published yet")
    before = {c["contest"]: c for c in d["contests"]}
    answer = w.hand_in(d)
    w.done("published", answer)
    index, _ = check_receipt(answer.body, w.log_key, w.origin)
    leaf = leaf_of(answer.body)
    w.tap.same([leaf.get(k) for k in ("kind", "scope", "at", "serial")], ["result", w.root, str(d["log"]["size"]), "1"], "its leaf")
    again = w.hand_in(d)
    w.tap.ok(again.status == 200 and again.body == answer.body, "again: the same receipt", again)
    w.settled()
    shown = w.get(f"/v1/results/{w.root}")
    w.tap.same((shown["serial"], shown["payload"], shown["position"]), (1, hash_of(d), index), "it is shown as the newest")
    after = w.make(w.root, 2, hash_of(d))
    w.tap.same({c["contest"]: c for c in after["contests"]}, before, "it changed no number")
    w.refused("serial 1 once more", w.hand_in({**after, "serial": 1, "prev": None}), 409, "state", "serial 2")
    w.refused("on another one before", w.hand_in({**after, "prev": "0" * 64}), 409, "state", "before")
    w.done("the next one", w.hand_in(after))
    stale = w.make(w.root, 3, hash_of(after))
    w.send(w.e.payload(branches[-1]), held=True)
    w.refused("of a ledger that went on", w.hand_in(stale), 409, "changed", "changed a contest or a branch")
    w.done("of the ledger as it is", w.hand_in(w.make(w.root, 3, hash_of(after))))
    part = w.e.branches[branches[0]]["area"]
    small = w.make(part)
    w.done("of a part, which counts for itself", w.hand_in(small))
    far = next(b for b in branches[::-1] if not w.e.within(w.e.branches[b]["area"], part))
    w.tap.ok(w.get(f"/v1/results/{part}")["serial"] == 1 if w.settled() else False, "serials are of a scope")
    small2 = w.make(part, 2, hash_of(small))
    w.send({**w.e.payload(branches[-2])}, held=True) if not w.e.within(w.e.branches[branches[-2]]["area"], part) else None
    w.tap.ok(far is not None and w.hand_in(small2).status == 201, "what came from elsewhere meanwhile does not matter")
    (w.e.dir / "results.json").write_text(json.dumps({"part": part, "prev": hash_of(small2)}), "utf-8")


def main(argv):
    w = Results(argv)
    if len(argv) == 5:
        kept = json.loads((w.e.dir / "results.json").read_text("utf-8"))
        w.salt = 10**6
        w.tap.same([w.get(f"/v1/results/{kept['part']}")[k] for k in ("serial", "payload")], [2, kept["prev"]], "the newest is known again")
        w.refused("not from the beginning", w.hand_in(w.make(kept["part"])), 409, "state")
        w.done("it goes on", w.hand_in(w.make(kept["part"], 3, kept["prev"])))
    else:
        everything(w)
    w.tap.done()


if __name__ == "__main__":
    main(sys.argv)
