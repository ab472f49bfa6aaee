# SPDX-License-Identifier: Apache-2.0
"""A random night through the running daemon, every number compared with the oracle's (TAP).

    night.py DIR SEED INGEST_PORT API_PORT TALLYSIM

DIR: made by elections.py with the same seed, enrolled and recorded (night.ndjson).  First most of the
recording is replayed, in any way that replay knows, and what it left out comes bundle by bundle: as it is,
again, spoilt and signed once more, by the wrong one; then corrections, good and bad ones.  Each answer is
the one that the oracle's ledger gives, and after each act all objects are equal.
"""
import base64
import copy
import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parent / "real")]
import definition  # noqa: E402
import ledger  # noqa: E402
from checks import Refused  # noqa: E402
from client import Client, Election, dumps, envelope  # noqa: E402
from elections import Made  # noqa: E402
from tally import elected  # noqa: E402
from tap import Tap  # noqa: E402

SETTLE_S = 60
STRANGE = "zz.unknown"
PAST = 20


class Past:
    """The daemon's answers as they stood."""

    def __init__(self, api, at):
        self.api, self.at = api, at

    def path(self, path):
        return f"{path}{'&' if '?' in path else '?'}at={self.at}"

    def get(self, path):
        return self.api.get(self.path(path))

    def pages(self, path):
        return self.api.pages(self.path(path))


class Night:
    def __init__(self, argv):
        self.dir, seed = Path(argv[1]), int(argv[2])
        self.tap, self.dice, self.made = Tap(), random.Random(seed ^ 0x5eed), Made(seed)
        self.d = definition.read(self.dir)
        self.e = Election(self.dir)
        self.oracle = ledger.Ledger(self.d)
        self.ingest, self.sim = argv[3], argv[5]
        self.relay = Client(self.e, int(argv[3]), self.e.pem("relay"))
        self.url = f"https://localhost:{argv[4]}"
        self.api = ledger.Api(self.url, self.dir / "keys")
        self.officers = [o for o, row in self.d.officers.items() if row["role"] == "supervision"]
        self.terminal = {row["branch"]: code for code, row in reversed(self.d.terminals.items()) if row["branch"]}
        self.recorded = {self.branch(x): x for x in self.e.recorded.values()}
        self.answers = self.wrong = 0

    @staticmethod
    def payload(x):
        return json.loads(base64.b64decode(x["payload"]))

    def branch(self, x):
        return self.payload(x)["branch"]

    def sign(self, payload, officers=0, terminal=None):
        keys = [self.e.key(terminal or payload["terminal"])]
        keys += [self.e.officer_key(o) for o in self.officers[:officers]]
        return json.loads(envelope(dumps(payload), keys))

    # ---- sending -------------------------------------------------------------------------------------------
    def post(self, x, name, refused=None):
        """Sends one envelope; the answer must be the oracle's, or the one told for what is no bundle at all."""
        answer = self.relay.post(dumps(x))
        headers = answer.headers
        found = None
        if answer.status == 201:
            listed = [item.split(":") for item in (headers["Tally-Checks"] or "").split(",") if item]
            found = {c: sorted(k for contest, k in listed if contest == c) for c, _ in listed}
        got = (answer.status, headers["Tally-Status"] if answer.status == 201 else
               None if answer.status == 200 else answer.code(), found)
        if refused and self.oracle.registry.state == "open":
            want = (*refused, None)
        else:
            try:
                want = self.oracle.take(x)
            except Refused as why:
                want = (why.status, why.code, None)
        self.answers += 1
        if got != want:
            self.wrong += 1
            print(f"# {name}: got {got}, want {want}: {json.dumps(self.payload(x))[:3000]}")

    def replay(self, branches):
        """Any way that replay knows; what comes first is its own business, so the oracle hears of each once."""
        part = self.dir / "part.ndjson"
        with open(self.dir / "night.ndjson", encoding="utf-8") as lines, open(part, "w", encoding="utf-8") as out:
            for line in lines:
                x = json.loads(line)["envelope"]
                if self.branch(x) in branches:
                    out.write(line)
                    self.oracle.take(x)
        how = self.dice.choice((["--fresh", "--connections", "3"], ["--batch", "4"], ["--connections", "2"]))
        how += self.dice.choice(([], ["--duplicates", "50"]))
        done = subprocess.run([self.sim, "replay", part, "--url", f"https://localhost:{self.ingest}", "--keys",
                               self.dir / "keys", *how], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.tap.ok(done.returncode == 0, f"replay {' '.join(how)} of {len(branches)} bundles", done.stdout.decode())

    def spoilt(self, branch):
        """(envelope, what is wrong, what is answered when it is no bundle at all)."""
        dice, p = self.dice, self.payload(self.recorded[branch])
        held = [row for row in p["contests"] if "not_held" not in row]
        row = dice.choice(held) if held else None
        lists = [r for r in held if "lists" in r]
        other = [c for c in self.d.contests if c not in self.d.branches[branch].contests]
        kind = dice.choice(("definition", "made_at", "opened_at", "closed_at", "early", "unknown contest", "unknown person",
                            "unknown list", "foreign contest", "missing", "phase", "election", "branch", "terminal", "key",
                            "first revision", "prev", "extra key", "range", "time", "negative", "twice", "person twice", "lists",
                            "float", "other lists"))
        refused, signer = None, None
        if kind == "definition":
            p["definition"] = "0" * 64
        elif kind == "other lists" and row:
            p["definition"] = "f" * 64
            if "lists" in row:
                del row["lists"], row["mixed"]
            else:
                row.update(lists=[], mixed=row["valid"])
        elif kind == "made_at":
            p["made_at"] = dice.choice((p["closed_at"] - 1, p["closed_at"], 1767139100, 2**40 - 1))
        elif kind == "opened_at":
            p["opened_at"] = p["closed_at"] - dice.choice((0, 1))
        elif kind == "closed_at":
            p["closed_at"] = p["made_at"] + dice.choice((0, 1))
        elif kind == "early":
            p["closed_at"] = 1792182600 - 60 * dice.randint(0, 7) - dice.choice((0, 1))
        elif kind == "unknown contest":
            p["contests"].append({"contest": STRANGE, "not_held": "?"})
        elif kind == "foreign contest" and other:
            p["contests"].append({"contest": dice.choice(other), "not_held": "?"})
        elif kind == "unknown person" and row:
            row["candidates"].append([STRANGE, dice.choice((0, 1, 500))])
        elif kind == "unknown list" and lists:
            dice.choice(lists)["lists"].append([STRANGE, dice.choice((0, 1))])
        elif kind == "missing":
            p["contests"] = p["contests"][1:]
        elif kind == "phase":
            p["phase"] = "official"
        elif kind == "election":
            p["election"] = "other-1"
        elif kind == "branch":
            p["branch"] = STRANGE
        elif kind == "terminal":
            signer = dice.choice([t for t in self.e.seeds if t != p["terminal"]])
            p["terminal"] = dice.choice((signer, p["terminal"]))
        elif kind == "key":
            x = self.sign(p)
            x["signatures"][0]["sig"] = self.recorded[dice.choice(list(self.recorded))]["signatures"][0]["sig"]
            if p == self.payload(self.recorded[branch]):
                p["salt"] = "0" * 32
                x["payload"] = base64.b64encode(dumps(p)).decode()
            return x, kind, None
        elif kind == "first revision":
            p.update(revision=2, prev="0" * 64)
        elif kind == "prev":
            p["prev"] = "0" * 64
            refused = None
        elif kind == "extra key":
            (row or p)["remark"] = 1
            refused = (400, "S01")
        elif kind == "range" and row:
            row[dice.choice(("cast", "excluded", "issued"))] = 2**31
            refused = (422, "S06")
        elif kind == "time":
            p["opened_at"] = 2**40
            refused = (422, "S06")
        elif kind == "negative" and row:
            row["blank"] = -1
            refused = (422, "S06")
        elif kind == "float" and row:
            row["blank"] = 1.0
            refused = (400, "S01")
        elif kind == "twice":
            p["contests"].append(copy.deepcopy(p["contests"][0]))
        elif kind == "person twice" and row and row["candidates"]:
            row["candidates"].append(list(row["candidates"][0]))
        elif kind == "lists" and row:
            if "lists" in row:
                del row["lists"], row["mixed"]
            else:
                row.update(lists=[], mixed=row["valid"])
        return self.sign(p, terminal=signer), kind, refused

    def correction(self, branch):
        """Revision n + 1 with new numbers, or one that cannot stand there."""
        dice = self.dice
        known = self.oracle.payloads.get(branch, [])
        n, wanted = len(known) + 1, self.d.policy["revise"]["supervision"]
        p = copy.deepcopy(self.payload(self.recorded[branch]))
        p.update(revision=n, prev=hashlib.sha256(known[-1]).hexdigest() if known else None,
                 salt=f"{dice.randrange(2**128):032x}", made_at=p["made_at"] + 3600 * n)
        p["contests"] = [self.as_sent(row) for row in self.made.report(branch)]
        kind = dice.choice(("good",) * 6 + ("unsigned", "gap", "prev", "conflict"))
        officers = wanted if n > 1 else 0
        if kind == "unsigned" and n > 1:
            officers = wanted - 1
        elif kind == "gap":
            p["revision"] += 1
            officers = wanted
        elif kind == "prev":
            p["prev"] = "e" * 64
            officers = wanted
        elif kind == "conflict" and n > 1:
            p["revision"] = dice.randint(1, n - 1)
            p["prev"] = None if p["revision"] == 1 else hashlib.sha256(known[p["revision"] - 2]).hexdigest()
            officers = wanted
        return self.sign(p, officers), f"correction, {kind}"

    @staticmethod
    def as_sent(row):
        return {key: [x for x in value if x[1] > 0] if key in ("lists", "candidates") else value
                for key, value in row.items()}

    # ---- comparing -----------------------------------------------------------------------------------------
    def settle(self):
        until = time.monotonic() + SETTLE_S
        while time.monotonic() < until:
            about = self.api.get("/v1/election")
            if about["published"] >= self.oracle.entries:
                return about
        return about

    def compare(self, when):
        about = self.settle()
        self.tap.same((about["accepted"], about["published"]), (self.oracle.entries,) * 2, f"{when}: entries of the ledger")
        return self.compare_numbers(when, about, self.oracle.tally, self.api, list(self.d.contests))

    def compare_past(self):
        """Twenty positions, counted again from the ledger's own entries below each."""
        entries, again = ledger.entries(self.d, self.api), ledger.Ledger(self.d)
        last = entries[-1][0] + 1
        positions = sorted(self.dice.sample(range(1, last + 1), min(PAST, last)))
        for at in positions:
            while again.entries < at:
                ledger.follow(again, entries[again.entries - 1])
            past = Past(self.api, at)
            about = past.get("/v1/election")
            self.tap.same((about["accepted"], about["published"]), (at, at), f"at {at}: entries of the ledger")
            self.compare_numbers(f"at {at}", about, again.tally, past, [self.dice.choice(list(self.d.contests))])

    def compare_numbers(self, when, about, tally, api, tables):
        same = self.tap.same
        root = next(a for a, up in self.d.parents.items() if up is None)
        same(about["progress"], tally.area(root)["progress"], f"{when}: progress of the election")
        got = {a["area"]: {k: a[k] for k in ("area", "progress", "ballots")} for a in api.pages("/v1/areas")}
        same(got, {a: tally.area(a) for a in self.d.parents}, f"{when}: areas")
        got = {b["branch"]: self.branch_of(b) for b in api.pages("/v1/branches")}
        same(got, {b: tally.branch(b) for b in self.d.branches}, f"{when}: branches")
        single = self.dice.choice(list(self.d.branches))
        same(self.branch_of(api.get(f"/v1/branches/{quote(single)}")), tally.branch(single), f"{when}: one branch")
        wants = {code: tally.contest(code) for code in self.d.contests}
        listed = {c["contest"]: c for c in api.pages("/v1/contests")}
        for code in self.d.contests:
            whole = api.get(f"/v1/contests/{quote(code)}")
            short = {key: value for key, value in whole.items() if key not in ("candidates", "steps", "readings", "result")}
            want = shape(wants[code])
            same(shape_api(whole), want, f"{when}: {code}, {want['method']} {want['status']}")
            same(listed[code], short, f"{when}: {code} in the list")
        for code in tables:
            self.compare_tables(when, tally, api, code)
        return wants

    @staticmethod
    def branch_of(b):
        return {"branch": b["branch"], "area": b["area"], "status": sorted(b["status"]),
                "contests": [{**c, "checks": sorted(c["checks"])} for c in sorted(b["contests"], key=lambda c: c["contest"])]}

    def compare_tables(self, when, tally, api, code):
        got = {a["area"]: {"progress": a["progress"], "ballots": a["ballots"], "mixed": a["mixed"],
                           "lists": votes_of(a["lists"]), "candidates": votes_of(a["candidates"])}
               for a in api.pages(f"/v1/contests/{quote(code)}/areas")}
        self.tap.same(got, tally.contest_areas(code), f"{when}: {code} by area")
        got = {b["branch"]: [b["state"], votes_of(b["lists"]), votes_of(b["candidates"])]
               for b in api.pages(f"/v1/contests/{quote(code)}/branches")}
        want = {}
        for b in self.d.contests[code].branches:
            s = tally.stand[b, code]
            row = s.row if s else None
            want[b] = [s.state if s else "expected", *([some(row.get("lists", [])), some(row["candidates"])] if row else [None] * 2)]
        self.tap.same(got, want, f"{when}: {code} by branch")

    # ---- the night -----------------------------------------------------------------------------------------
    def run(self):
        self.compare("before")
        branches = list(self.d.branches)
        early = {b for b in branches if self.dice.random() < 0.7}
        self.replay(early)
        self.compare("replayed")
        for b in branches:
            for _ in range(self.dice.choice((0, 0, 1, 2))):
                self.post(*self.spoilt(b))
        for b in self.dice.sample(branches, len(branches) // 2):
            if not self.oracle.payloads.get(b):
                self.post(self.recorded[b], "as it is")
            self.post(self.recorded[b], "again")
        self.tap.ok(not self.wrong, f"{self.answers} bundles one by one: answers as expected", f"{self.wrong} others")
        self.compare("spoilt")
        for _ in range(len(branches)):
            self.post(*self.correction(self.dice.choice(branches)))
        self.tap.ok(not self.wrong, f"corrections, {self.answers} answers in all: as expected", f"{self.wrong} others")
        wants = self.compare("corrected")
        again = ledger.from_api(self.d, self.api)
        got = {code: shape(again.tally.contest(code)) for code in self.d.contests}
        self.tap.same(got, {code: shape(c) for code, c in wants.items()}, "counted again from the daemon's own ledger")
        self.compare_past()
        self.tap.done()


def votes_of(pairs):
    """Null stays null: not reported is not zero."""
    return None if pairs is None else dict(pairs)


def some(pairs):
    return {code: n for code, n in pairs if n > 0}


def tie_of(t, pool):
    return (t["kind"], t["at_stake"], tuple(sorted(pool if x is None else x for x in t["among"])))


def shape(c):
    """A contest of the oracle as things that can be compared."""
    out = {k: c[k] for k in ("contest", "area", "method", "parameters", "seats", "alternates_n", "status", "final",
                             "progress", "ballots", "pool", "vacancies")}
    out["winners"], out["alternates"] = sorted(c["winners"]), sorted(c["alternates"])
    out["ties"] = sorted(tie_of(t, "pool") for t in c["ties"])
    out["lists"] = {e["list"]: (e["ballots"], e["votes"], e["seats"]) for e in c["lists"]}
    out["candidates"] = {p["candidate"]: (p["list"], p["votes"], p["rank"], p["elected"], p["excluded"]) for p in c["candidates"]}
    out["by_list"] = {p["candidate"]: (p["personal"], p["votes"] - p["personal"]) for p in c["candidates"]} \
        if c["method"] == "list_ir" else None
    out["readings"] = {tuple(sorted((k, str(v)) for k, v in key)): reading(r) for key, r in c["readings"].items()}
    return out


def reading(r):
    e = elected(r)
    return {"seats": e["seats"], "pool": e["pool"]["seats"] if e["pool"] else None, "winners": sorted(e["winners"]),
            "vacancies": e["vacancies"], "ties": sorted(tie_of(t, "pool") for t in r["ties"]), "differs": r["differs"]}


def shape_api(c):
    """The daemon's contest in the same shape; what must stand in an order is looked at here."""
    counted = c["ballots"] is not None
    out = {k: c[k] for k in ("contest", "area", "method", "parameters", "seats", "alternates_n", "status", "final",
                             "progress", "ballots", "pool", "vacancies")}
    votes = {p["candidate"]: p["votes"] for p in c["candidates"]}
    in_order = [c["winners"]] + ([c["alternates"]] if c["parameters"].get("alternates_rule") != "same_list_next" else [])
    for line in in_order:
        if [votes[p] for p in line] != sorted((votes[p] for p in line), reverse=True):
            out["order"] = line
    out["winners"], out["alternates"] = sorted(c["winners"]), sorted(c["alternates"])
    out["ties"] = sorted(tie_of(t, "pool") for t in c["ties"])
    out["lists"] = {e["list"]: (e["ballots"], e["votes"], e["seats"]) for e in c["lists"]} if counted else {}
    out["candidates"] = {p["candidate"]: (p["list"], p["votes"], p["rank"], p["elected"], p["excluded"]) for p in c["candidates"]} \
        if counted else {}
    out["by_list"] = {p["candidate"]: (p["personal"], p["by_list"]) for p in c["candidates"] if counted} \
        if c["method"] == "list_ir" else None
    out["readings"] = {tuple(sorted((k, str(v)) for k, v in r["parameters"].items())):
                       {**{k: r[k] for k in ("seats", "pool", "vacancies", "differs")}, "winners": sorted(r["winners"]),
                        "ties": sorted(tie_of(t, "pool") for t in r["ties"])} for r in c["readings"]}
    return out


if __name__ == "__main__":
    Night(sys.argv).run()
