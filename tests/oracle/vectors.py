# SPDX-License-Identifier: Apache-2.0
"""checks.py against the vectors of the checks (TAP): vectors.py tests/vectors/checks/{checks,twins}.json"""
import copy
import json
import sys
from pathlib import Path

import checks
import definition


def patched(whole, patches):
    """JSON pointers; an index at the end of an array appends, null removes."""
    out = copy.deepcopy(whole)
    for pointer, value in patches.items():
        *path, last = pointer.split("/")[1:]
        at = out
        for step in path:
            at = at[int(step)] if isinstance(at, list) else at[step]
        last = int(last) if isinstance(at, list) else last
        if value is None:
            del at[last]
        elif isinstance(at, list) and last == len(at):
            at.append(value)
        else:
            at[last] = value
    return out


def definition_of(v):
    d = definition.Definition({"limits": v["limits"], "policy": {"publish_min_ballots": v["publish_min_ballots"]}}, v["hash"])
    branch = definition.Branch("b", "ir", v["capacity"] or None)
    for c in v["contests"]:
        more = {"list_plus_individual": bool(c.get("list_plus_individual"))} if c["method"] == "list_ir" else {}
        contest = definition.Contest(c["contest"], "ir", c["method"], more, 3, 0, c["max_choices"], c["closes_at"] or None)
        contest.lists, contest.candidates = c["lists"], dict(c["candidates"])
        d.contests[c["contest"]] = contest
        branch.contests.append(c["contest"])
    d.branches["b"] = branch
    return d


def twins(vectors, case):
    """P08 after each step; whatever is decided, the numbers are those of the newest revision."""
    rows = {}
    for step in case["steps"]:
        key = step["branch"], step["contest"]
        if step.get("unread") or step.get("not_held"):
            rows.pop(key, None)
        elif "decide" not in step:
            rows[key] = {**vectors["rows"][step["contest"]], **step.get("row", {})}
        found = checks.twins(case.get("P08_min", vectors["P08_min"]), rows)
        yield sorted(b for b, c in found if c == step["contest"])


def steps(vectors):
    bad = 0
    for i, case in enumerate(vectors["cases"], 1):
        got, want = list(twins(vectors, case)), [step["expect"] for step in case["steps"]]
        bad += got != want
        print(f"{'ok' if got == want else 'not ok'} {i} - {case['name']}")
        if got != want:
            print(f"# got {got}, want {want}")
    print(f"1..{len(vectors['cases'])}")
    return bad > 0


def main():
    vectors = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    if "rows" in vectors:
        sys.exit(steps(vectors))
    bad = 0
    for i, case in enumerate(vectors["cases"], 1):
        about = patched(vectors["definition"], case.get("definition", {}))
        payload = patched(vectors["bundle"], case.get("bundle", {}))
        try:
            found = checks.findings(definition_of(about), about["terminal"], payload)
            got = {c: [sorted(holds), sorted(flags - holds)] for c, (holds, flags) in found.items() if holds | flags}
            got = {c: sorted(holds + flags) for c, (holds, flags) in got.items()}
        except checks.Refused as why:
            got = why.code
        want = case.get("error") or {c: sorted(codes) for c, codes in case["expect"].items()}
        bad += got != want
        print(f"{'ok' if got == want else 'not ok'} {i} - {case['name']}")
        if got != want:
            print(f"# got {got}, want {want}")
    print(f"1..{len(vectors['cases'])}")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
