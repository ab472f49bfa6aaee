# SPDX-License-Identifier: Apache-2.0
"""Reading: the objects of doc/api.md, versions, pages, filters, who may read what (TAP).

    read.py DIR INGEST_PORT API_PORT OPS_PORT ROUTES_FILE
"""
import base64
import hashlib
import http.client
import json
import re
import sys
import time
from pathlib import Path

from nacl.signing import SigningKey

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
from client import NDJSON, Client, Election, check_receipt, dumps, seed_of  # noqa: E402
from tap import Tap  # noqa: E402

HEADERS = ("Tally-Position", "Tally-Published", "Tally-Root", "Tally-Definition", "Tally-Phase", "Tally-Software")
NAME = {"fa", "en"}
PROGRESS = {"expected", "reported", "counted", "held", "annulled"}
BALLOTS = {"authenticated", "issued", "cast", "blank", "invalid", "valid", "excluded"}
READERS = ("dashboard", "observer", "officer", "auditor", "operator")
LOCAL = ("dashboard", "officer")


class World:
    def __init__(self, argv):
        self.tap = Tap()
        self.e = Election(argv[1])
        self.ingest, self.api, self.ops = (int(port) for port in argv[2:5])
        self.relay = Client(self.e, self.ingest, self.e.pem("relay"))
        self.auditor = Client(self.e, self.api, self.e.pem("auditor"))
        self.leaves = 1

    def get(self, path, **headers):
        return self.auditor.get(path, **headers)

    def send(self, terminals):
        bodies = [dumps(self.e.recorded[t]) for t in terminals]
        answer = self.relay.post(b"\n".join(bodies), NDJSON)
        lines = [json.loads(line) for line in answer.body.splitlines()]
        assert all(line["status"] == 201 for line in lines), [line["status"] for line in lines]
        self.leaves += len(bodies)
        self.settle()

    def settle(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.get("/v1/election").json()["published"] == self.leaves:
                return
        raise RuntimeError("no snapshot in time")

    def pages(self, path, limit):
        glue = "&" if "?" in path else "?"
        cursor, items = "", []
        while cursor is not None:
            page = self.get(f"{path}{glue}limit={limit}" + (f"&cursor={cursor}" if cursor else "")).json()
            assert set(page) == {"items", "next"} and len(page["items"]) <= limit, page.keys()
            items += page["items"]
            cursor = page["next"]
        return items


def test_empty(w):
    """Before anything came nothing is 0 that is not known."""
    election = w.get("/v1/election").json()
    w.tap.same(election["progress"], {"expected": sum(len(w.e.payload(b)["contests"]) for b in w.e.branches),
                                      "reported": 0, "counted": 0, "held": 0, "annulled": 0}, "nothing reported")
    contest = w.get("/v1/contests?limit=1").json()["items"][0]["contest"]
    whole = w.get(f"/v1/contests/{contest}").json()
    w.tap.same((whole["status"], whole["ballots"], whole["winners"], whole["vacancies"]), ("waiting", None, [], None),
               "a contest that waits: null, not 0")
    w.tap.ok(all(row["votes"] is None and row["rank"] is None and row["elected"] is None
                 for row in whole["candidates"]), "nor its candidates")
    w.tap.same(w.get(f"/v1/areas/{w.e.root_area()}").json()["ballots"], None, "nor the country's ballots")
    branch = w.get("/v1/branches?limit=1").json()["items"][0]
    w.tap.same((branch["status"], branch["contests"][0]["state"], branch["contests"][0]["ballots"]),
               (["silent"], "expected", None), "a silent branch")
    w.tap.same(len(w.get("/v1/branches?status=counted").json()["items"]), 0, "none is counted")
    w.tap.same({(a["ballots"], a["lists"], a["mixed"], a["candidates"]) for a in w.pages(f"/v1/contests/{contest}/areas", 50)},
               {(None,) * 4}, "nor is anything known of an area")


def test_shape(w):
    answer = w.get("/v1/election")
    election = answer.json()
    w.tap.same(list(election), ["election", "name", "phase", "state", "until", "definition", "counts", "progress", "accepted",
                                "published", "as_of", "witnessed", "database_differs"], "election: its keys in order")
    w.tap.same(election["counts"], {"areas": len(w.e.areas), "contests": len({r["contest"] for b in w.e.branches
               for r in w.e.payload(b)["contests"]}), "candidates": election["counts"]["candidates"],
               "branches": len(w.e.branches), "terminals": len(w.e.terminals)}, "election: counts")
    w.tap.ok(all(answer.headers[name] for name in HEADERS), "every answer says where it stands", answer.headers)
    w.tap.same((answer.headers["Tally-Position"], answer.headers["Tally-Published"]), (str(w.leaves),) * 2,
               "the positions")
    area = w.get(f"/v1/areas/{w.e.root_area()}").json()
    w.tap.same((list(area), set(area["name"]), set(area["progress"]), set(area["ballots"])),
               (["area", "parent", "level", "name", "progress", "ballots", "contests", "children"], NAME, PROGRESS,
                BALLOTS), "area")
    block = next(c for c in w.pages("/v1/contests?method=block", 50) if c["ballots"])
    whole = w.get(f"/v1/contests/{block['contest']}").json()
    keys = ["contest", "area", "name", "rule", "method", "parameters", "seats", "alternates_n", "status", "final",
            "progress", "ballots", "lists", "pool", "candidates", "winners", "alternates", "ties", "vacancies",
            "steps", "readings", "result", "position"]
    w.tap.same(list(whole), keys, "contest: its keys in order")
    w.tap.same(list(block), [k for k in keys if k not in ("candidates", "steps", "readings", "result")],
               "in lists without candidates, steps and readings")
    w.tap.same(set(whole["candidates"][0]), {"candidate", "name", "list", "votes", "elected", "excluded", "rank"},
               "candidate")
    w.tap.same({json.dumps(c["pool"]) for c in w.pages("/v1/contests?method=block", 50)}, {"null"}, "a block contest has no pool")
    lists = w.pages("/v1/contests?method=list_ir", 50)
    whole = w.get(f"/v1/contests/{lists[0]['contest']}").json()
    w.tap.same(set(whole["candidates"][0]), {"candidate", "name", "list", "votes", "personal", "by_list", "elected",
                                             "excluded", "rank"}, "candidate of list_ir")
    w.tap.same(set(whole["lists"][0]), {"list", "name", "ballots", "votes", "seats"}, "list")
    check_readings(w, next(c for c in lists if c["ballots"])["contest"])
    branch = w.get(f"/v1/branches/{next(iter(w.e.branches))}").json()
    w.tap.same(list(branch), ["branch", "area", "kind", "name", "status", "contests", "timeline"], "branch")
    w.tap.ok({"contest", "state", "revision", "ballots", "checks"} <= set(branch["contests"][0]), "its contests")


def check_readings(w, code):
    """What the law's other readings give, beside what is in force."""
    contest = w.get(f"/v1/contests/{code}").json()
    readings = contest["readings"]
    w.tap.same({tuple(r) for r in readings}, {("name", "parameters", "seats", "pool", "winners", "ties", "vacancies",
               "differs")}, "every reading: its keys in order")
    names = [r["name"] for r in readings]
    w.tap.ok(names[:5] == ["A", "B", "C", "D", "E"] and len(set(names)) == len(names) > 10,
             "the variants, then every parameter changed alone", names)
    w.tap.same(len({json.dumps(r["parameters"]) for r in readings}), len(readings), "a set of parameters once")
    own = {"seats": {row["list"]: row["seats"] for row in contest["lists"]},
           "pool": contest["pool"] and contest["pool"]["seats"], "winners": contest["winners"],
           "vacancies": contest["vacancies"]}
    w.tap.same([r["name"] for r in readings if not r["differs"] and {k: r[k] for k in own} != own], [],
               "one that does not differ elects the same")
    w.tap.same([r["differs"] for r in readings if r["parameters"] == contest["parameters"]], [False],
               "the one in force is among them")


def leaf_numbers(row):
    """The numbers of a row of a table as one flat dict; nothing where nothing is counted."""
    if row["ballots"] is None:
        return {}
    return {**row["ballots"], "mixed": row["mixed"], **{("list", c): n for c, n in row["lists"]},
            **{("candidate", c): n for c, n in row["candidates"]}}


def added(rows):
    out = {}
    for numbers in map(leaf_numbers, rows):
        for key, n in numbers.items():
            out[key] = out.get(key, 0) + n
    return out


def check_areas(w, method, areas, branches):
    """Every area is its own branches and the areas below it; null where nothing is counted, zeroes never left out."""
    w.tap.same({tuple(row) for row in areas}, {("area", "level", "name", "progress", "ballots", "lists", "mixed",
               "candidates")}, f"{method}: areas: their keys in order")
    here = {a["area"] for a in areas}
    wrong = []
    for row in areas:
        below = [a for a in areas if w.e.areas[a["area"]]["parent"] == row["area"]]
        own = [b for b in branches if b["area"] == row["area"]]
        counted = [b for b in own if b["state"] in ("counted", "corrected")]
        want = added(below + counted)
        known = any(a["ballots"] for a in below) or bool(counted)
        if (leaf_numbers(row) if known else row["ballots"]) != (want if known else None) or \
                (row["progress"]["expected"], row["progress"]["counted"]) != \
                (len(own) + sum(a["progress"]["expected"] for a in below),
                 len(counted) + sum(a["progress"]["counted"] for a in below)) or \
                [row[key] is None for key in ("lists", "mixed", "candidates")] != [not known] * 3:
            wrong.append((row["area"], leaf_numbers(row), want))
    w.tap.same(wrong, [], f"{method}: {len(areas)} areas, each its branches and the areas below it")
    w.tap.ok(all(b["area"] in here for b in branches), f"{method}: and no branch is outside of them")


def test_numbers(w):
    """Tables add up to what stands above them."""
    for method in ("block", "list_ir"):
        contest = next(c for c in w.pages(f"/v1/contests?method={method}", 100) if c["ballots"])
        rows = w.pages(f"/v1/contests/{contest['contest']}/branches", 7)
        w.tap.same(len(rows), contest["progress"]["expected"], f"{method}: a row a branch")
        counted = [r for r in rows if r["state"] == "counted"]
        w.tap.same({k: sum(r["ballots"][k] for r in counted) for k in BALLOTS}, contest["ballots"],
                   f"{method}: branches add up to the contest")
        areas = w.pages(f"/v1/contests/{contest['contest']}/areas", 5)
        w.tap.same(areas[0]["ballots"], contest["ballots"], f"{method}: so does the tree of areas")
        check_areas(w, method, areas, rows)
        whole = w.get(f"/v1/contests/{contest['contest']}").json()
        personal = {c["candidate"]: 0 for c in whole["candidates"]}
        for row in counted:
            for code, votes in row["candidates"]:
                personal[code] += votes
        w.tap.same({c["candidate"]: c.get("personal", c["votes"]) for c in whole["candidates"]}, personal,
                   f"{method}: and the votes of persons")
        own = {c: n for c, n in personal.items() if n}, {e["list"]: e["ballots"] for e in whole["lists"] if e["ballots"]}
        w.tap.same((dict(areas[0]["candidates"]), dict(areas[0]["lists"])), own, f"{method}: which the root of the areas has, too")
    root = w.get(f"/v1/areas/{w.e.root_area()}").json()
    children = w.pages(f"/v1/areas?parent={w.e.root_area()}", 9)
    w.tap.same(len(children), root["children"], "children of the root")
    w.tap.same({k: sum(c["progress"][k] for c in children) for k in PROGRESS}, root["progress"],
               "progress of provinces adds up")


def test_pages(w):
    for path, n in (("/v1/areas", len(w.e.areas)), ("/v1/branches", len(w.e.branches)),
                    (f"/v1/branches?area={w.e.root_area()}", len(w.e.branches))):
        items = w.pages(path, 1000)
        small = w.pages(path, 13)
        w.tap.ok(len(items) == n and items == small, f"{path}: {n} items, whatever the page", len(items), len(small))
    part = w.e.clients["relay.part"]["area"]
    want = [b for b, row in w.e.branches.items() if w.e.within(row["area"], part)]
    w.tap.same([b["branch"] for b in w.pages(f"/v1/branches?area={part}", 3)], want, "branches of one province")
    sent = {b["branch"] for b in w.pages("/v1/branches?status=counted", 10)}
    silent = {b["branch"] for b in w.pages("/v1/branches?status=silent", 10)}
    w.tap.ok(sent and silent and sent | silent == set(w.e.branches) and not sent & silent, "counted and silent")
    complete = w.pages("/v1/contests?status=complete", 10) + w.pages("/v1/contests?status=tied", 10)
    w.tap.ok(complete and all(c["progress"]["counted"] == c["progress"]["expected"] for c in complete),
             "contests that are complete or tied")
    for query in ("limit=0", "limit=1001", "limit=x", "cursor=-1", "cursor=zz", "status=nonsense"):
        answer = w.get(f"/v1/branches?{query}")
        w.tap.same((answer.status, answer.code()), (422, "query"), f"?{query}: 422")
    for path, query, offered in (("/v1/branches", "staus=held", "area status limit cursor at"),
                                 ("/v1/branches", "status=held&Limit=1", "area status limit cursor at"),
                                 ("/v1/branches", "statu=held", "area status limit cursor at"),
                                 ("/v1/branches", "status%20limit=1", "area status limit cursor at"),
                                 ("/v1/branches", "limit=1&x", "area status limit cursor at"),
                                 ("/v1/contests", "parent=x", "area status method limit cursor at"),
                                 ("/v1/areas", "area=x", "parent limit cursor at"),
                                 ("/v1/election", "limit=1", "at"), ("/log/checkpoint", "at=1", None), ("/log/checkpoint", "since=1", None)):
        answer = w.get(f"{path}?{query}")
        field = query.split("&")[-1].split("=")[0].replace("%20", " ")
        w.tap.same((answer.status, answer.code(), answer.json().get("field"), answer.json().get("detail")),
                   (422, "unknown_parameter", field, f"this path takes: {offered}" if offered else
                    "this path takes no parameter"), f"{path}?{query}: unknown")
    answer = w.get("/v1/branches?%D9%BE%FF=1")
    w.tap.same((answer.status, answer.json()["field"]), (422, "???"), "a name that is no ASCII is not repeated")
    answer = w.get("/v1/contests?method=guess")
    w.tap.same((answer.status, answer.code()), (422, "query"), "an unknown method: 422")
    w.tap.same(w.get("/v1/branches?area=nowhere").status, 404, "an unknown area: 404")


def test_versions(w):
    """A version stands as long as the resource does, and no longer."""
    rest = [t for t in w.e.ready() if w.get(f"/v1/branches/{w.e.terminals[t]['branch']}").json()["status"] == ["silent"]]
    terminal = rest[0]
    branch = w.e.terminals[terminal]["branch"]
    contest = w.e.payload(branch)["contests"][0]["contest"]
    far = next(b for b in w.e.branches if w.e.branches[b]["area"][:3] != w.e.branches[branch]["area"][:3])
    changing = ["/v1/election", f"/v1/areas/{w.e.root_area()}", f"/v1/areas/{w.e.branches[branch]['area']}",
                "/v1/areas", "/v1/contests", f"/v1/contests/{contest}", f"/v1/contests/{contest}/branches",
                f"/v1/contests/{contest}/areas", f"/v1/branches/{branch}", "/v1/branches", "/log/checkpoint"]
    standing = [f"/v1/branches/{far}", f"/v1/areas/{w.e.branches[far]['area']}"]
    tags = {}
    for path in changing + standing:
        first = w.get(path)
        tags[path] = first.headers["ETag"]
        again = w.get(path, If_None_Match=f'"zzz", {tags[path]}')
        w.tap.same((first.status, bool(re.fullmatch(r'"\d+"', tags[path] or "")), again.status, again.body,
                    again.headers["ETag"]), (200, True, 304, b"", tags[path]), f"{path}: 304 while nothing changes")
    w.send([terminal])
    for path in changing:
        again = w.get(path, If_None_Match=tags[path])
        w.tap.ok(again.status == 200 and again.headers["ETag"] != tags[path], f"{path}: 200 after it changed", again)
    for path in standing:
        w.tap.same(w.get(path, If_None_Match=tags[path]).status, 304, f"{path}: 304, something else changed")


def test_log(w):
    terminal = next(t for t, row in w.e.terminals.items() if row["branch"] == next(iter(w.e.branches)))
    body = w.e.recorded[terminal]
    payload = base64.b64decode(body["payload"])
    digest = hashlib.sha256(payload).hexdigest()
    exact = w.get(f"/v1/branches/{w.e.terminals[terminal]['branch']}/bundles/1")
    w.tap.ok(exact.body == dumps(body), "the exact envelope", exact)
    w.tap.same(exact.headers["Content-Type"], "application/vnd.dsse.envelope.v1+json", "its type")
    for path in (f"/v1/branches/{w.e.terminals[terminal]['branch']}/bundles/{n}"
                 for n in ("2", "0", "x", "4294967297", "01x")):
        w.tap.same(w.get(path).status, 404, f"{path}: 404")
    key = SigningKey(seed_of(w.e.dir / "keys/log.key")).verify_key
    origin = f"{w.e.about['domain']}/{w.e.about['election']}/{w.e.about['phase']}"
    receipt = w.get(f"/v1/receipts/{digest}")
    index, size = check_receipt(receipt.body, key, origin)
    w.tap.same((size, index < size), (w.leaves, True), "a receipt against the newest head")
    note = w.get("/log/checkpoint")
    w.tap.ok(receipt.body.endswith(note.body), "whose checkpoint is the one at /log/checkpoint", note.body)
    w.tap.same(note.body.decode().splitlines()[2], note.headers["Tally-Root"], "and Tally-Root is its root")
    for path in ("/v1/receipts/" + "00" * 32, "/v1/receipts/" + digest.upper(), "/v1/receipts/" + digest[:-1]):
        w.tap.same(w.get(path).status, 404, f"{path[:24]}...: 404")
    own = Client(w.e, w.ingest, w.e.pem(terminal))
    w.tap.same((own.get(f"/v1/receipts/{digest}").body == receipt.body, own.get("/v1/election").status), (True, 200),
               "a terminal reads its own receipt and the election on ingest")
    own.close()
    other = Client(w.e, w.ingest, w.e.pem(next(t for t in w.e.ready() if t != terminal)))
    answer = other.get(f"/v1/receipts/{digest}")
    w.tap.same((answer.status, answer.code()), (403, "area"), "and nobody else's")
    other.close()
    far = next(b for b in w.e.branches if not w.e.within(w.e.branches[b]["area"],
               w.e.clients["relay.part"]["area"]) and w.get(f"/v1/branches/{b}").json()["timeline"])
    relay = Client(w.e, w.ingest, w.e.pem("relay.part"))
    theirs = w.get(f"/v1/branches/{far}").json()["timeline"][0]["payload"]
    w.tap.same((relay.get(f"/v1/receipts/{theirs}").status, w.relay.get(f"/v1/receipts/{theirs}").status), (403, 200),
               "a relay those of its area")
    relay.close()


def routes(path):
    """Rows of the route table: (listener, method, pattern, roles anywhere, roles in their area)."""
    text = Path(path).read_text("utf-8")
    sets = {"ROLE_READERS": set(READERS), "ROLE_NATION": {"observer", "auditor", "operator"},
            "ROLE_LOCAL": set(LOCAL)}

    def roles(words):
        named = set()
        for word in words.split("|"):
            word = word.strip()
            if word not in ("0", "ROLE_ANY"):
                named |= sets.get(word) or {word.removeprefix("ROLE_").lower()}
        return named
    row = re.compile(r'\{ON\(API_(\w+)\),\s*"(\w+)",\s*"([^"]+)",\s*\w+,\s*([^,]+),\s*([^,]+),\s*WHERE_\w+,')
    return [(m[1], m[2], m[3], roles(m[4]), roles(m[5])) for m in row.finditer(text)]


def example(w, pattern, within):
    """A path of the pattern that exists, inside or outside of an area."""
    branch = next(b for b, row in w.e.branches.items() if w.e.within(row["area"], within[0]) == within[1]
                  and w.get(f"/v1/branches/{b}").json()["timeline"])
    contest = next(c["contest"] for c in w.pages("/v1/contests", 500)
                   if w.e.within(c["area"], within[0]) == within[1])
    payload = w.get(f"/v1/branches/{branch}").json()["timeline"][0]["payload"]
    area = w.e.branches[branch]["area"]
    return (pattern.replace("/areas/{}", f"/areas/{area}").replace("/contests/{}", f"/contests/{contest}")
            .replace("/branches/{}", f"/branches/{branch}").replace("/bundles/{}", "/bundles/1")
            .replace("/tile/{*}", f"/tile/0/000.p/{w.leaves}").replace("/bundle/{*}", f"/bundle/000.p/{w.leaves}")
            .replace("/doc/{}/{}", "/doc/definition/areas.csv").replace("/receipts/{}", f"/receipts/{payload}").replace("/results/{}", f"/results/{area}")) + (f"?area={area}" if pattern == "/v1/branches" else "")


def test_roles(w, table):
    part = w.e.clients["relay.part"]["area"]
    terminal = w.e.ready()[0]
    people = {"auditor": "auditor", "observer": "observer", "operator": "operator", "witness": "witness",
              "officer": "officer.part", "dashboard": f"dashboard.{part}", "relay": "relay.part", "terminal": terminal}
    listed = routes(table)
    w.tap.ok(len(listed) >= 15, f"{len(listed)} rows of the route table", listed)
    for listener, method, pattern, anywhere, local in listed:
        if listener == "OPS":
            continue
        for role, name in people.items():
            client = Client(w.e, {"INGEST": w.ingest, "READ": w.api}[listener], w.e.pem(name))
            for inside in (True, False):
                if role == "terminal" and pattern == "/v1/receipts/{}":
                    continue # its own and another's: test_log
                path = example(w, pattern, (part, inside))
                answer = client.request(method, path, b"{" if method == "POST" else None,
                                        **({"Content_Type": "application/vnd.dsse.envelope.v1+json"}
                                           if method == "POST" else {}))
                good = role in anywhere or (role in local and inside)
                want = 403 if not good else 400 if method == "POST" else 404 if "/results/" in pattern else 200 # none is published
                w.tap.same(answer.status, want, f"{listener.lower()} {method} {pattern} as {role}, "
                                                f"{'inside' if inside else 'outside'} its area")
            client.close()
    client = Client(w.e, w.api, w.e.pem("officer.part"))
    w.tap.same(client.get("/v1/branches").status, 403, "the whole country's branches: not for a province's officer")
    client.close()


def test_unknown(w):
    for client, path in ((w.auditor, "/"), (w.auditor, "/v1"), (w.auditor, "/v1/election/"), (w.auditor, "/v1/areas/"),
                         (w.auditor, "/v1/areas/none"), (w.auditor, "/v1/contests/none"),
                         (w.auditor, "/v1/branches/none"), (w.auditor, "/v1/contests/none/branches"),
                         (w.auditor, "/v1/branches/none/bundles/1"), (w.auditor, "/v1/bundles"),
                         (w.relay, "/v1/areas"), (w.relay, "/log/checkpoint")):
        answer = client.get(path)
        w.tap.same((answer.status, answer.code()), (404, "not_found"), f"{path}: 404")
    for client, method, path, allow in ((w.auditor, "POST", "/v1/election", "GET, HEAD"),
                                        (w.auditor, "DELETE", "/v1/branches", "GET, HEAD"),
                                        (w.relay, "GET", "/v1/bundles", "POST"),
                                        (w.relay, "PUT", "/v1/bundles", "POST")):
        answer = client.request(method, path, b"{}" if method != "GET" else None)
        w.tap.same((answer.status, answer.headers["Allow"]), (405, allow), f"{method} {path}: 405 with Allow")
    answer = w.auditor.request("HEAD", "/v1/election")
    w.tap.same((answer.status, answer.body, bool(answer.headers["ETag"])), (200, b"", True), "HEAD")


def test_ops(w):
    connection = http.client.HTTPConnection("127.0.0.1", w.ops, timeout=60)

    def get(path):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    w.tap.same(get("/healthz"), (200, "ready"), "/healthz")
    w.tap.same(get("/readyz"), (200, "ready"), "/readyz")
    status, text = get("/metrics")
    figures = dict(re.findall(r"^(\w+) (\d+)$", text, re.M))
    w.tap.same((status, figures["tally_ready"], figures["tally_bundles_created_total"],
                figures["tally_ledger_published"]), (200, "1", str(w.leaves - 1), str(w.leaves)), "/metrics")
    w.tap.same(get("/v1/election")[0], 404, "and nothing else there")


def main(argv):
    w = World(argv)
    test_empty(w)
    w.send(w.e.ready()[: len(w.e.recorded) * 2 // 3])
    first = w.e.terminal_of(next(iter(w.e.branches)))
    if not w.get(f"/v1/branches/{w.e.terminals[first]['branch']}").json()["timeline"]:
        w.send([first])
    for test in (test_shape, test_numbers, test_pages, test_log, test_versions, test_unknown, test_ops):
        test(w)
    test_roles(w, argv[5])
    w.tap.done()


if __name__ == "__main__":
    main(sys.argv)
