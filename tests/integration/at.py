# SPDX-License-Identifier: Apache-2.0
"""?at=POSITION: the numbers as they stood, at every position of a night with holds, corrections and decisions (TAP).

    at.py DIR INGEST_PORT API_PORT OPS_PORT          leaves DIR/past.json and DIR/first
    at.py DIR INGEST_PORT API_PORT OPS_PORT again    after a restart: the past is that of DIR/past.json
"""
import base64
import hashlib
import http.client
import json
import random
import re
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
from client import Client, dumps, envelope  # noqa: E402
from decide import BOTH, World, load  # noqa: E402

BOARDS = ("supervision1", "supervision2")
LISTS = ("/v1/areas", "/v1/contests", "/v1/branches")


class Night(World):
    """Everything that the API says, each time that the ledger grew by one entry."""

    def __init__(self, argv):
        super().__init__(argv)
        self.ops, self.past, self.looked = int(argv[4]), {}, []
        self.kinds = ["genesis"]
        self.auditor = Client(self.e, self.api, self.e.pem("auditor"))

    def get(self, path):
        return self.ask(path).json()

    def ask(self, path, at=None, status=200, **headers):
        glue = "&" if "?" in path else "?"
        answer = self.auditor.get(path if at is None else f"{path}{glue}at={at}", **headers)
        assert answer.status == status, (path, at, answer)
        return answer

    def pages(self, path, at, limit):
        cursor, items = "", []
        while cursor is not None:
            glue = "&" if "?" in path else "?"
            page = self.ask(f"{path}{glue}limit={limit}" + (f"&cursor={cursor}" if cursor else ""), at).json()
            items += page["items"]
            cursor = page["next"]
        return items

    def all(self, at=None, limit=1000):
        """What every route with ?at= says; of contests and branches those that the night is about."""
        election = self.ask("/v1/election", at).json()
        del election["as_of"] # the clock's: looked at on its own
        paths = [f"/v1/areas/{self.e.root_area()}"]
        for branch, contest in self.looked:
            paths += [f"/v1/branches/{branch}", f"/v1/contests/{contest}", f"/v1/areas/{self.e.branches[branch]['area']}"]
        out = {"/v1/election": election}
        for path in dict.fromkeys(paths):
            out[path] = self.ask(path, at).json()
        for path in [*LISTS, "/v1/branches?status=held", "/v1/contests?status=complete", f"/v1/areas?parent={self.e.root_area()}",
                     *(f"/v1/contests/{contest}/{table}" for contest in dict.fromkeys(c for _, c in self.looked)
                       for table in ("branches", "areas"))]:
            out[path] = self.pages(path, at, limit)
        return out

    def step(self, kind):
        """One more entry is published: keeps what is said now."""
        position = self.settled()
        self.kinds.append(kind)
        assert position == len(self.kinds), (kind, position)
        self.past[position] = self.all()
        self.officer.close() # idle for as long as that took: the next request connects again
        self.relay.close()

    def decided(self, kind, target, signers=BOTH):
        answer = self.decide(kind, target, signers)
        assert answer.status == 201, answer
        self.step(kind)

    def revised(self, before, votes, voters=0):
        """The next revision of a payload: so many votes less for its first candidate, so many voters more."""
        payload = json.loads(dumps(before))
        row = payload["contests"][0]
        row["candidates"][0][1] -= votes
        row["authenticated"]["online"] += voters
        payload.update(revision=before["revision"] + 1, prev=hashlib.sha256(dumps(before)).hexdigest())
        self.send(payload, officers=("supervision1",))
        self.step("bundle")
        return payload


def night(w):
    """Every kind of entry, each at a position of its own."""
    branch, contest = w.single()
    tied_branch, tied = w.single()
    w.looked = [(branch, contest), (tied_branch, tied)]
    target = {"branch": branch, "contest": contest}
    plain = next(b for b in w.e.branches if b not in w.used and w.e.terminals[w.e.terminal_of(b)]["state"] == "active"
                 and "cast" in w.e.payload(b)["contests"][0])
    w.looked.append((plain, w.e.payload(plain)["contests"][0]["contest"]))
    w.past[1] = w.all()
    w.send(w.e.payload(plain))
    w.step("bundle")
    (w.e.dir / "first").write_text(f"{w.looked[2][1]} {plain} {len(w.kinds)}\n", "utf-8")

    few = [60, 50, 40, 30, 20, 10] + [0] * (len(w.candidates(contest)) - 6)
    held = w.with_votes(branch, few)
    held["contests"][0]["authenticated"]["online"] -= 5
    w.send(held, held=True)
    w.step("held")
    w.decided("release", target)
    w.decided("explain", target, ("commission1",))
    other = json.loads(dumps(held))
    other["salt"] = "f" * 32
    answer = w.relay.post(envelope(dumps(other), [w.e.key(w.e.terminal_of(branch))]))
    assert answer.status == 409, answer
    w.step("conflict")
    w.decided("annul", target, BOARDS)
    second = w.revised(held, 1, voters=5)
    w.decided("reinstate", target, BOARDS)
    w.revised(second, 3)
    w.decided("exclude", {"contest": contest, "candidate": w.candidates(contest)[0]})

    a, b, c, d, e, f = w.candidates(tied)[:6]
    first = w.with_votes(tied_branch, [60, 50, 40, 40, 40, 30] + [0] * 20)
    w.send(first)
    w.step("bundle")
    w.decided("lot", {"contest": tied, "order": [d, e, c], "ground": "lot"})
    shown = w.contest(tied)
    w.decided("certify", {"contest": tied, "at": w.settled(), "result": shown["result"]}, ("commission1", "commission2", "supervision1"))
    w.revised(first, 1)


def test_same(w):
    """Nothing about a position has changed since it was the newest; whatever the order of asking, and the page."""
    order = list(w.past)
    seed = random.randrange(1 << 30)
    print(f"# seed {seed}")
    random.Random(seed).shuffle(order)
    w.tap.ok(len(order) >= 14 and {"held", "release", "conflict", "annul", "reinstate", "lot", "certify"} <= set(w.kinds),
             f"every position of: {' '.join(w.kinds)}")
    for position in order:
        for limit in (1000, 23):
            now = w.all(position, limit)
            wrong = [path for path in w.past[position] if now[path] != w.past[position][path]]
            w.tap.same(wrong, [], f"at={position} ({w.kinds[position - 1]}), pages of {limit}: as it stood")
    different = {json.dumps(w.past[p], sort_keys=True) for p in order}
    w.tap.same(len(different), len(order), "no two positions are alike")


def test_versions(w):
    newest = w.settled()
    contest = w.looked[0][1]
    changes = sorted({row["position"] for p in w.past.values() for row in [p[f"/v1/contests/{contest}"]]})
    w.tap.ok(len(changes) > 5, "the contest changed", changes)
    for path in ("/v1/election", f"/v1/contests/{contest}", "/v1/areas", f"/v1/branches/{w.looked[0][0]}"):
        now = w.ask(path)
        tags = {at: w.ask(path, at).headers["ETag"] for at in w.past}
        w.tap.ok(len({*tags.values(), now.headers["ETag"]}) == len(tags) + 1
                 and all(re.fullmatch(rf'"at-{at}-[0-9a-f]{{16}}"', tag) for at, tag in tags.items()),
                 f"{path}: a version of its own at each position", tags)
        at = newest - 2
        again = w.ask(path, at, 304, If_None_Match=tags[at])
        w.tap.same((again.body, again.headers["ETag"], again.headers["Tally-Published"]), (b"", tags[at], str(at)), f"{path}: 304")
        w.ask(path, at, 200, If_None_Match=f'{tags[at - 1]}, {now.headers["ETag"]}')
        answer = w.ask(path, at)
        w.tap.same((answer.headers["Tally-Published"], answer.headers["Tally-Position"], answer.headers["Tally-Root"]),
                   (str(at), str(newest), now.headers["Tally-Root"]), f"{path}: the position of its numbers, and the newest head")
    answer = w.ask("/v1/election", newest)
    root = base64.b64decode(answer.headers["Tally-Root"]).hex() # the checkpoint may be a publish_interval older
    w.tap.same(answer.headers["ETag"], f'"at-{newest}-{root[:16]}"', "which names the ledger's root there")
    shown = [w.ask("/v1/election", at).json() for at in sorted(w.past)]
    w.tap.same([(s["accepted"], s["published"]) for s in shown], [(at, at) for at in sorted(w.past)], "the past knows nothing later")
    times = [s["as_of"] for s in shown]
    line = w.ask(f"/v1/branches/{w.looked[0][0]}").json()["timeline"]
    wants = {row["position"] + 1: row["accepted_ms"] // 1000 for row in line}
    w.tap.ok(times == sorted(times) and all(shown[at - 1]["as_of"] == s for at, s in wants.items()), "and is as of its last entry", times)
    w.tap.same([row["position"] for row in w.ask(f"/v1/branches/{w.looked[0][0]}", line[2]["position"]).json()["timeline"]],
               [row["position"] for row in line[:2]], "a timeline ends at the position")


def test_refused(w):
    newest = w.settled()
    bad = ("0", "", "-1", "+1", "1.0", "0x1", "x", "%201", "1%20", "00", str(newest + 1), str(1 << 32), str(1 << 64), "9" * 40, "%D9%A1")
    paths = ("/v1/election", "/v1/areas", f"/v1/areas/{w.e.root_area()}", "/v1/contests", f"/v1/contests/{w.looked[0][1]}",
             f"/v1/contests/{w.looked[0][1]}/branches", f"/v1/contests/{w.looked[0][1]}/areas", "/v1/branches",
             f"/v1/branches/{w.looked[0][0]}")
    want = (422, "query", "at", f"not a number of ledger entries from 1 to {newest}, which are published now")
    wrong = []
    for path in paths:
        for query in [f"at={value}" for value in bad] + ["at"]:
            answer = w.auditor.get(f"{path}?{query}")
            problem = answer.json()
            if (answer.status, problem["code"], problem["field"], problem["detail"]) != want:
                wrong.append((path, query, answer.status, problem))
    w.tap.same(wrong, [], f"{len(paths)} routes, {len(bad) + 1} values that are no position: 422, and what is allowed")
    digest = w.ask(f"/v1/branches/{w.looked[0][0]}").json()["timeline"][0]["payload"]
    for client, path in ((w.auditor, "/log/checkpoint"), (w.auditor, f"/v1/receipts/{digest}"),
                         (w.auditor, f"/v1/branches/{w.looked[0][0]}/bundles/1"), (w.relay, "/v1/election"),
                         (w.relay, f"/v1/receipts/{digest}")):
        answer = client.get(f"{path}?at=1")
        w.tap.same((answer.status, answer.code(), answer.json()["field"], answer.json()["detail"]),
                   (422, "unknown_parameter", "at", "this path takes no parameter"), f"{path}?at=1: has no past")
    for path, status, code in (("/v1/contests/none", 404, "not_found"), ("/v1/contests/none/areas", 404, "not_found"),
                               ("/v1/areas/none", 404, "not_found"), ("/v1/branches/none", 404, "not_found"),
                               ("/v1/branches?area=none", 404, "not_found"), ("/v1/branches?status=x", 422, "query"),
                               ("/v1/contests?limit=0", 422, "query"), ("/v1/areas?cursor=x", 422, "query"),
                               ("/v1/areas?area=x", 422, "unknown_parameter")):
        for at in (1, newest):
            answer = w.auditor.get(f"{path}{'&' if '?' in path else '?'}at={at}")
            w.tap.same((answer.status, answer.code()), (status, code), f"{path} at {at}: {status}")
    outside = Client(w.e, w.api, w.e.pem("officer.part"))
    for path in ("/v1/branches?at=1", f"/v1/branches/{w.looked[0][0]}?at=1"):
        inside = w.e.within(w.e.branches[w.looked[0][0]]["area"], w.e.clients["officer.part"]["area"])
        w.tap.same(outside.get(path).status, 200 if inside and path != "/v1/branches?at=1" else 403, f"{path}: the same areas as now")
    outside.close()


def metrics(w):
    connection = http.client.HTTPConnection("127.0.0.1", w.ops, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.M)}


def test_flood(w):
    """Many at once, at any position: each gets its answer, or 503 and when to ask again; a past is made once."""
    newest = w.settled()
    before = metrics(w)["tally_at_made_total"]
    w.ask("/v1/election", 3)
    once = metrics(w)["tally_at_made_total"]
    w.ask("/v1/areas", 3)
    w.ask("/v1/branches", newest)
    w.tap.ok(once - before <= 1 and metrics(w)["tally_at_made_total"] == once, "what was made is kept, and now is no past")
    seen, lock = [], threading.Lock()

    def ask(seed):
        dice, client, mine = random.Random(seed), Client(w.e, w.api, w.e.pem("auditor")), []
        for _ in range(20):
            at = dice.randint(1, newest)
            answer = client.get(f"/v1/contests/{w.looked[0][1]}?at={at}")
            good = (answer.status == 200 and answer.json() == w.past[at][f"/v1/contests/{w.looked[0][1]}"]) or \
                   (answer.status == 503 and answer.code() == "busy" and answer.headers["Retry-After"])
            mine.append((answer.status, good))
        client.close()
        with lock:
            seen.extend(mine)
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    w.auditor.close()
    for thread in threads:
        thread.join()
    w.tap.ok(len(seen) == 160 and all(good for _, good in seen), "160 requests of 8 readers at any position",
             [s for s in seen if not s[1]][:5])
    w.tap.same(w.ask("/v1/election").json()["published"], newest, "and the present answers")


def main(argv):
    w = Night(argv)
    load(w)
    kept = w.e.dir / "past.json"
    if len(argv) > 5:
        before = json.loads(kept.read_text("utf-8"))
        w.looked, w.kinds = [tuple(x) for x in before["looked"]], before["kinds"]
        w.past = {int(at): past for at, past in before["past"].items()}
    else:
        night(w)
        kept.write_text(json.dumps({"looked": w.looked, "kinds": w.kinds, "past": w.past}), "utf-8")
    for test in (test_same, test_versions, test_refused, test_flood):
        test(w)
    w.tap.done()


if __name__ == "__main__":
    main(sys.argv)
