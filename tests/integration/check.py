# SPDX-License-Identifier: Apache-2.0
"""The offline check, as the operator (tallyctl import --check) and the terminal (tallysim check) see it (TAP).

    check.py BUILD DIR

The vectors of the checks become definitions and signed bundles; what is printed of them must be what they expect.
"""
import csv
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "oracle"), str(HERE.parent / "real")]
from client import dumps, envelope, rows  # noqa: E402
from nacl.signing import SigningKey  # noqa: E402
from tap import Tap  # noqa: E402
from vectors import patched  # noqa: E402

ROOT = HERE.parent.parent
TABLE = re.findall(r"^    X\((\w+), (HOLD|FLAG), ", (ROOT / "include/core/checks.h").read_text(), re.M)
REFUSALS = re.findall(r'^    \{"(\w+)",', (ROOT / "src/core/refusal.c").read_text(), re.M)
PERSIAN = re.compile("[\u0600-\u06ff]")
FILES = ("areas.csv", "ballots.csv", "branches.csv", "candidates.csv", "contests.csv", "election.json", "lists.csv")


class Check:
    def __init__(self, build, directory):
        self.build, self.dir, self.tap = Path(build), Path(directory), Tap()
        self.vectors = json.loads((ROOT / "tests/vectors/checks/checks.json").read_text("utf-8"))
        self.reached = {}  # (code, level): a finding

    # ---- an election -------------------------------------------------------------------------------------
    def write(self, folder, name, header, lines):
        with open(folder / name, "w", encoding="utf-8", newline="") as out:
            out.write(header + "\n")
            csv.writer(out, lineterminator="\n").writerows(lines)

    def define(self, about, folder):
        """The vectors' definition as a package; returns its hash."""
        folder.mkdir(parents=True, exist_ok=True)
        contests = [*about["contests"], {"lists": [], "candidates": [["w1", None]], "max_choices": 1, "closes_at": 0,
                                         **about["elsewhere"]}]
        rules = {c["contest"]: {"method": c["method"], **({"list_plus_individual": True} if c.get("list_plus_individual")
                                                          else {})} for c in contests}
        head = {"format": "tally-definition/1", "election": "test", "domain": "tally.example", "name": {"fa": "آ", "en": "t"},
                "phase": "rehearsal", "time_zone": "Asia/Tehran", "rules": rules, "limits": about["limits"],
                "policy": {"root": 1, "publish_min_ballots": about["publish_min_ballots"]}}
        (folder / "election.json").write_text(json.dumps(head, ensure_ascii=False), "utf-8")
        self.write(folder, "areas.csv", "area,parent,level,name_fa,name_en", [("ir", "", "country", "آ", "a")])
        self.write(folder, "contests.csv", "contest,area,rule,seats,alternates,max_choices,closes_at,name_fa,name_en",
                   [(c["contest"], "ir", c["contest"], c["max_choices"], 0, c["max_choices"], c["closes_at"] or "", "آ", "a")
                    for c in contests])
        self.write(folder, "lists.csv", "contest,list,name_fa,name_en",
                   [(c["contest"], e, "آ", "a") for c in contests for e in c["lists"]])
        self.write(folder, "candidates.csv", "contest,candidate,list,name_fa,name_en",
                   [(c["contest"], p, e or "", "آ", "a") for c in contests for p, e in c["candidates"]])
        self.write(folder, "branches.csv", "branch,area,kind,capacity,name_fa,name_en",
                   [(b, "ir", "fixed", about["capacity"] or "", "آ", "a") for b in ("b", "twin", "other")])
        own = [c["contest"] for c in about["contests"]]
        self.write(folder, "ballots.csv", "branch,contest",
                   [(b, c) for b in ("b", "twin") for c in own] + [("other", about["elsewhere"]["contest"])])
        lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def registry(self, dates, folder):
        """The enrolled registry with these dates of every terminal's key."""
        folder.mkdir(exist_ok=True)
        for name in ("clients.csv", "officers.csv"):
            (folder / name).write_bytes((self.dir / "registry" / name).read_bytes())
        lines = [{**row, "not_before": dates["not_before"], "not_after": dates["not_after"]}
                 for row in rows(self.dir / "registry/terminals.csv")]
        self.write(folder, "terminals.csv", ",".join(lines[0]), [row.values() for row in lines])

    def enrol(self):
        self.hash = self.define(self.vectors["definition"], self.dir / "definition")
        subprocess.run([self.build / "tallysim", "enrol", self.dir], check=True, stdout=subprocess.DEVNULL)
        self.registry(self.vectors["definition"]["terminal"], self.dir / "plain")
        self.seeds = {row["terminal"]: row["seed"] for row in rows(self.dir / "keys/signing.csv")}
        self.terminals = {}
        for row in rows(self.dir / "registry/terminals.csv"):
            if row["branch"]:
                self.terminals.setdefault(row["branch"], row["terminal"])

    # ---- bundles -----------------------------------------------------------------------------------------
    def bundle(self, changes=None, branch="b", digest=None):
        """The vectors' bundle with their changes, from a branch's own terminal."""
        p = patched({**self.vectors["bundle"], "definition": digest or self.hash, "terminal": self.terminals[branch],
                     "branch": branch}, changes or {})
        return p

    def sign(self, payload, terminal=None):
        key = SigningKey(bytes.fromhex(self.seeds[terminal or self.terminals["b"]]))
        return envelope(payload if isinstance(payload, bytes) else dumps(payload), [key])

    def file(self, name, *envelopes):
        path = self.dir / name
        path.write_bytes(b"".join(x + b"\n" for x in envelopes))
        return path

    def run(self, *files, registry="plain", definition="definition", json_lines=True, program="tallyctl"):
        command = [self.build / "tallyctl", "import", "--check"] if program == "tallyctl" else [self.build / "tallysim", "check"]
        done = subprocess.run([*command, *files, "--registry", self.dir / registry, "--definition", self.dir / definition,
                               *(["--json"] if json_lines else [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out = [json.loads(line) for line in done.stdout.splitlines()] if json_lines else done.stdout
        for one in out if json_lines else ():
            for finding in one.get("findings", ()):
                self.reached[finding["code"], finding["level"]] = finding
        return done.returncode, out, done.stderr

    # ---- the tests ---------------------------------------------------------------------------------------
    def table(self):
        """Every vector: one definition a patch, its cases in one file."""
        groups = {}
        for case in self.vectors["cases"]:
            groups.setdefault(json.dumps(case.get("definition", {})), []).append(case)
        for n, (patch, cases) in enumerate(groups.items()):
            about = patched(self.vectors["definition"], json.loads(patch))
            digest = self.define(about, self.dir / f"d{n}")
            self.registry(about["terminal"], self.dir / f"r{n}")
            path = self.file(f"g{n}.ndjson", *(self.sign(self.bundle(c.get("bundle"), digest=digest)) for c in cases))
            rc, out, err = self.run(path, registry=f"r{n}", definition=f"d{n}")
            want = [c.get("error") or {k: sorted(v) for k, v in c["expect"].items()} for c in cases]
            got = [o["findings"][0]["code"] if o["status"] >= 400 else
                   {c["contest"]: sorted(c["checks"]) for c in o["contests"] if c["checks"]} for o in out]
            self.tap.same(got, want, f"{len(cases)} vectors of definition {n}")
            self.told(out, cases)
            worse = any(o["status"] != 201 or o["tally_status"] != "counted" for o in out)
            self.tap.same((rc, err), (int(worse), ""), f"and the exit status, definition {n}")

    def told(self, out, cases):
        """Each code of each contest has a finding that tells it, with its level, field and values."""
        bad = []
        for one, case in zip(out, cases):
            for c in one["contests"]:
                told = {f["code"] for f in one["findings"] if f["contest"] in (None, c["contest"])}
                levels = {f["level"] for f in one["findings"] if f["contest"] in (None, c["contest"])}
                if not set(c["checks"]) <= told or (c["state"] == "held") != ("HOLD" in levels):
                    bad.append((case["name"], c, one["findings"]))
            bad += [(case["name"], f) for f in one["findings"] if not f["field"]]
        self.tap.same(bad, [], f"each code of {len(cases)} bundles is told, with its field")

    def values(self):
        rc, out, _ = self.run(self.file("n08.ndjson", self.sign(self.bundle({"/contests/0/authenticated/online": 89}))))
        f = out[0]["findings"][0]
        self.tap.same((rc, f["code"], f["level"], f["contest"], f["field"], f["left"], f["right"], f["tolerance"]),
                      (1, "N08", "HOLD", "v", "contests[0].cast", 100, 99, 0), "N08 with its values")
        self.tap.same((out[0]["branch"], out[0]["revision"], out[0]["terminal"], out[0]["tally_status"]),
                      ("b", 1, self.terminals["b"], "partly"), "of which bundle")

    def twins(self):
        """P08 among the files, in whatever order; a flag alone is no refusal."""
        one = self.file("one.ndjson", self.sign(self.bundle()))
        two = self.file("two.ndjson", self.sign(self.bundle(branch="twin"), self.terminals["twin"]))
        self.tap.same(self.run(one)[1][0]["findings"], [], "one alone has no twin")
        for files in ((one, two), (two, one)):
            rc, out, _ = self.run(*files)
            self.tap.same([sorted((f["code"], f["contest"], f["twin"]) for f in o["findings"]) for o in out],
                          [[("P08", "t", b), ("P08", "v", b)] for b in (("twin", "b") if files[0] == one else ("b", "twin"))],
                          "both branches have P08, and say with whom")
            self.tap.same((rc, [o["tally_status"] for o in out]), (0, ["counted"] * 2), "and would be counted")
        other = self.bundle({"/contests/0/excluded": 1, "/contests/1/excluded": 1, "/revision": 1}, branch="twin")
        rc, out, _ = self.run(one, self.file("three.ndjson", self.sign(other, self.terminals["twin"])))
        self.tap.same([o["findings"] for o in out], [[], []], "not with one number another")

    def refusals(self):
        t, strange = self.terminals, SigningKey(b"s" * 32)
        cases = {
            "S01": [self.sign(b'{"x":1}'), b'{"payload":"!","payloadType":"x","signatures":[]}'],
            "S06": [self.sign(self.bundle({"/contests/0/cast": 2**31}))],
            "S04": [self.sign(self.bundle({"/revision": 2, "/prev": "0" * 64}))],
            "A02": [envelope(dumps(self.bundle()), [strange])],
            "A03": [self.sign(self.bundle(), t["twin"]), self.sign(self.bundle({"/branch": "twin"}))],
            "A05": [self.sign(self.bundle({"/phase": "official"}))],
            "A07": [self.sign(self.bundle({"/election": "another"})), self.sign(self.bundle({"/branch": "zz"}))],
            "too_large": [self.sign(b" " * (2**20 + 1))],
        }
        status = {"S01": 400, "S06": 422, "S04": 409, "A02": 401, "A03": 403, "A05": 422, "A07": 422, "too_large": 413}
        for code, envelopes in cases.items():
            rc, out, _ = self.run(self.file(f"{code}.ndjson", *envelopes))
            self.tap.same((rc, [(o["status"], o["tally_status"], [(f["code"], f["level"]) for f in o["findings"]]) for o in out]),
                          (1, [(status[code], None, [(code, "REJECT")])] * len(envelopes)), f"{code} would be refused")
            self.tap.ok(all(f["detail"] for o in out for f in o["findings"]), f"{code} says what exactly")

    def languages(self):
        want = {(code.removesuffix("M") if code == "N08M" else code, level) for code, level in TABLE}
        want |= {(code, "REJECT") for code in REFUSALS}
        self.tap.same(sorted(self.reached), sorted(want), "every row of the table and every refusal was reported")
        poor = [key for key, f in self.reached.items() for part in (f["text"], f["advice"])
                if not part["en"] or not part["en"].isascii() or not PERSIAN.search(part["fa"])]
        self.tap.same(poor, [], "each in English and Persian, with what to do")

    def text(self):
        """What people read says what scripts read."""
        files = [self.dir / "g0.ndjson", self.dir / "one.ndjson", self.dir / "two.ndjson", self.dir / "A02.ndjson"]
        where = {"registry": "r0", "definition": "d0"}
        _, out, _ = self.run(*files, **where)
        rc, text, _ = self.run(*files, json_lines=False, **where)
        missing = []
        for o in out:
            for f in o["findings"]:
                line = f"    en: {f['text']['en']}; now: {f['advice']['en']}\n    fa: {f['text']['fa']}؛ اکنون: {f['advice']['fa']}\n"
                head = f"  {f['level']} {f['code']}" + (f" contest {f['contest']}" if f["contest"] else "")
                values = "" if f["left"] is None else f": {f['left']} against {f['right']}, tolerance {f['tolerance']}"
                if line not in text or head not in text or values not in text:
                    missing.append(f)
        self.tap.same((rc, missing), (1, []), "all findings are in the text, too")
        self.tap.same(len(re.findall(r"^\S+:\d+: branch \S+, revision \d+, terminal \S+: \d+ \w+", text, re.M)), len(out),
                      "a line a bundle")
        self.tap.same(self.run(*files, json_lines=False, program="tallysim", **where)[1], text, "the terminal's program says the same")

    def files(self):
        good, tap = self.sign(self.bundle()), self.tap
        record = b'{"at_ms":5,"terminal":"%s","envelope":%s}' % (self.terminals["b"].encode(), good)
        whole = json.dumps(json.loads(good), indent=2).encode()
        for name, text in (("recording", record + b"\n"), ("envelopes", good + b"\n\n" + good), ("one envelope", good),
                           ("one envelope over lines", b"\n" + whole + b"\n"), ("CRLF", record + b"\r\n")):
            rc, out, err = self.run(self.file("f", text))
            tap.same((rc, {o.get("status") for o in out}, err), (0, {201}, ""), f"{name} is recognised")
        rc, out, _ = self.run(self.file("f", record, record[:-9], b"rubbish", good[:200], b"{}", good))
        tap.same((rc, [(o["line"], o.get("status")) for o in out]),
                 (2, [(1, 201), (2, None), (3, None), (4, None), (5, None), (6, 201)]), "bad lines in the middle, by number")
        tap.ok(all("not a bundle" in o["error"] for o in out[1:5]), "they say so")
        bad = self.sign(self.bundle({"/contests/0/cast": 101}))
        rc, out, _ = self.run(self.file("f", bad, record[:50], bad), json_lines=False)
        tap.ok(rc == 2 and re.search(r"/f:2: not a bundle", out) and "2 bundles: 0 would be counted" in out
               and "1 lines are no bundle" in out, "the text, too", out)
        (self.dir / "empty").write_bytes(b"")
        fine = self.file("fine", good)
        for name, path, said in (("an empty file", self.dir / "empty", "empty: empty, no bundle"),
                                 ("empty lines", self.file("blank", b"", b" "), "blank: only empty lines"),
                                 ("a folder", self.dir, "a folder or a device"), ("no file", self.dir / "none", "none: No such file")):
            rc, out, err = self.run(path, fine)
            tap.ok(rc == 2 and said in err and err.count("\n") == 1 and [o["status"] for o in out] == [201],
                   f"{name} is told once; the next file is still reported", f"{rc} {out} {err}")
        for n in range(1, len(record), 97):
            rc, out, _ = self.run(self.file("f", record[:n]))
            if (rc, [o.get("status") for o in out]) != (2, [None]):
                tap.ok(False, f"cut at byte {n}", f"{rc} {out}")
        tap.ok(True, "a recording cut anywhere is no bundle")
        rc, out, err = self.run(fine, registry="nowhere")
        tap.ok(rc == 2 and "nowhere" in err and not out, "a registry that is not there", err)
        rc, out, err = self.run(fine, registry="r0", definition="registry")
        tap.ok(rc == 2 and not out, "folders exchanged", err)

    def all(self):
        self.enrol()
        self.table()
        self.values()
        self.twins()
        self.refusals()
        self.languages()
        self.text()
        self.files()
        self.tap.done()


if __name__ == "__main__":
    Check(*sys.argv[1:]).all()
