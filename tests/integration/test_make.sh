#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rehearsal elections: the same seed gives the same bytes, counts are honest (checked by other code), and
# recordings carry what the terminals of the registry would sign.
set -eu
. "$(dirname "$0")/lib.sh"
sim=$B/tallysim

for n in a b; do
    ok "make $n" $sim make --branches 300 --seed 7 "$t_dir/$n"
done
ok 'the same seed, the same bytes' diff -r "$t_dir/a" "$t_dir/b"
ok 'make c' $sim make --branches 300 --seed 8 "$t_dir/c"
differs() { ! cmp -s "$1" "$2"; }
ok 'another seed, other counts' differs "$t_dir/a/counts.csv" "$t_dir/c/counts.csv"
over=0
$sim make --branches 300 --seed 7 "$t_dir/a" >/dev/null 2>&1 || over=$?
is 'an old package is never written over' "$over" 1
ok 'its definition is good' "$B/tallyctl" definition check "$t_dir/a/definition"

ok 'enrol' $sim enrol "$t_dir/a"
cp -r "$t_dir/a" "$t_dir/twin"
ok 'record' $sim record "$t_dir/a" -o "$t_dir/1.ndjson" --seed 3 --spread 60
ok 'record again' $sim record "$t_dir/twin" -o "$t_dir/2.ndjson" --seed 3 --spread 60
ok 'the same seed, the same bytes' cmp "$t_dir/1.ndjson" "$t_dir/2.ndjson"
ok 'another seed' $sim record "$t_dir/a" -o "$t_dir/3.ndjson" --seed 4 --spread 60
ok 'other salts' differs "$t_dir/1.ndjson" "$t_dir/3.ndjson"
ok 'a correction' $sim record "$t_dir/a" -o "$t_dir/r2.ndjson" --seed 3 --spread 60 --revision 2

look() { /usr/bin/python3 - "$t_dir/a" "$t_dir/1.ndjson" "$t_dir/r2.ndjson" <<'PY'
"""Reads everything again with code that shares nothing with the simulator."""
import base64, csv, hashlib, json, sys
from collections import defaultdict
from pathlib import Path

root, first, second = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
rows = lambda name: list(csv.DictReader(open(root / name, newline="", encoding="utf-8")))
contests = {r["contest"]: r for r in rows("definition/contests.csv")}
branches = {r["branch"]: r for r in rows("definition/branches.csv")}
areas = rows("definition/areas.csv")
ballots = {(r["branch"], r["contest"]) for r in rows("definition/ballots.csv")}
candidates = {(r["contest"], r["candidate"]) for r in rows("definition/candidates.csv")}
lists = {(r["contest"], r["list"]) for r in rows("definition/lists.csv")}
assert len(branches) == 300 and sum(a["level"] == "province" for a in areas) == 31
assert any(b["kind"] == "mobile" for b in branches.values())
assert any("\u200c" in a["name_fa"] for a in areas), "no zero-width non-joiner in any name"
assert [c for c in contests.values() if c["rule"] == "tehran" and (c["seats"], c["alternates"]) == ("21", "11")]

# Every check of doc/checks.md that holds a bundle, on counts.csv.
n = defaultdict(dict)
for r in rows("counts.csv"):
    key = r["field"] if not r["code"] else (r["field"], r["code"])
    assert key not in n[r["branch"], r["contest"]]
    n[r["branch"], r["contest"]][key] = int(r["value"])
assert set(n) == ballots
for (branch, contest), c in n.items():
    persons = {k[1]: v for k, v in c.items() if isinstance(k, tuple) and k[0] == "candidate"}
    by_list = {k[1]: v for k, v in c.items() if isinstance(k, tuple) and k[0] == "list"}
    assert all((contest, x) in candidates for x in persons) and all((contest, x) in lists for x in by_list)
    authenticated = sum(c["authenticated_" + k] for k in ("online", "offline", "manual"))
    mixed = c.get("mixed", c["valid"])
    assert c["cast"] == c["valid"] + c["blank"] + c["invalid"]                              # N02
    assert all(v <= mixed for v in persons.values())                                        # N03
    assert sum(persons.values()) <= int(contests[contest]["max_choices"]) * mixed           # N04
    assert "mixed" not in c or sum(by_list.values()) + mixed == c["valid"]                  # N05
    assert (c["valid"] > 0) == (sum(persons.values()) + sum(by_list.values()) > 0)          # N07
    assert c["cast"] <= authenticated <= int(branches[branch]["capacity"])                  # N08 N09
    assert c["issued"] >= c["cast"]                                                         # N10

# The recording against counts.csv, the registry and the seeds.
terminals = {r["terminal"]: r for r in rows("registry/terminals.csv")}
officers = {hashlib.sha256(bytes.fromhex(r["signing_key"])).hexdigest(): r for r in rows("registry/officers.csv")}
text = "".join(f"{hashlib.sha256((root / 'definition' / f).read_bytes()).hexdigest()}  {f}\n"
               for f in sorted(p.name for p in (root / "definition").iterdir() if p.name != "signatures.dsse"))
definition = hashlib.sha256(text.encode()).hexdigest()
try:
    from nacl.signing import VerifyKey
except ImportError:
    VerifyKey = None


def bundles(path):
    last = 0
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        assert last <= record["at_ms"] <= 60_000
        last = record["at_ms"]
        envelope = record["envelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        kind = envelope["payloadType"].encode()
        pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
        keys = {hashlib.sha256(bytes.fromhex(t["signing_key"])).hexdigest(): t["signing_key"]
                for t in [terminals[record["terminal"]], *officers.values()]}
        for s in envelope["signatures"]:
            if VerifyKey:
                VerifyKey(bytes.fromhex(keys[s["keyid"]])).verify(pae, base64.b64decode(s["sig"]))
        yield record["terminal"], envelope, payload, json.loads(payload)


seen, salts = {}, set()
for terminal, envelope, payload, b in bundles(first):
    assert len(envelope["signatures"]) == 1 and terminals[terminal]["branch"] == b["branch"]
    assert (b["definition"], b["phase"], b["revision"], b["prev"]) == (definition, "rehearsal", 1, None)
    closes = max(int(contests[c["contest"]]["closes_at"]) for c in b["contests"])
    assert b["opened_at"] < b["closed_at"] <= b["made_at"] and b["closed_at"] >= closes     # S05
    assert int(terminals[terminal]["not_before"]) <= b["made_at"] <= int(terminals[terminal]["not_after"])
    assert {(b["branch"], c["contest"]) for c in b["contests"]} == {k for k in ballots if k[0] == b["branch"]}
    for c in b["contests"]:
        want = n[b["branch"], c["contest"]]
        got = {k: v for k, v in c.items() if k not in ("contest", "authenticated", "lists", "candidates")}
        got |= {"authenticated_" + k: v for k, v in c["authenticated"].items()}
        got |= {("candidate", k): v for k, v in c["candidates"]} | {("list", k): v for k, v in c.get("lists", [])}
        assert {k: v for k, v in got.items() if v} == {k: v for k, v in want.items() if v}
    assert b["branch"] not in seen and b["salt"] not in salts
    salts.add(b["salt"])
    seen[b["branch"]] = hashlib.sha256(payload).hexdigest()
assert set(seen) == set(branches)
corrected = set()
for terminal, envelope, payload, b in bundles(second):
    assert b["revision"] == 2 and b["prev"] == seen[b["branch"]]
    roles = [officers[s["keyid"]]["role"] for s in envelope["signatures"] if s["keyid"] in officers]
    assert len(envelope["signatures"]) == 2 and roles == ["supervision"], "policy revise"
    corrected.add(b["branch"])
assert corrected == set(branches)
print("good", "verified" if VerifyKey else "unverified")
PY
}
like 'counts and recordings, read by other code' "$(look 2>&1)" '^good'
done_testing
