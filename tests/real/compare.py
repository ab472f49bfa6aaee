#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares a running daemon's answers with what was published of a recorded election (TAP).

    compare.py DIR URL       DIR: converted, enrolled and replayed; URL: the api listener, https://HOST:PORT

Reads as the enrolled auditor over mutual TLS. Branches that expected.json says are held must be held by those
checks; all others must be counted, and the totals are the published ones less the held branches.
Station by station the ballots come from the branch's own answer and the votes from the bundle the daemon kept.
"""
import base64
import csv
import http.client
import json
import ssl
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote, urlsplit

from tap import Tap

ROLE = "auditor"
TIMEOUT_S = 60
PUBLISHED_S = 60  # what was acknowledged is published well within that
POLL_S = 0.05
PAGE = 50


class Api:
    """One kept-alive connection."""

    def __init__(self, directory, url):
        self.connection = http.client.HTTPSConnection(urlsplit(url).netloc, timeout=TIMEOUT_S,
                                                      context=client_context(directory))

    def get(self, path):
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {body[:300]!r}")
        return answer, json.loads(body)

    def items(self, path):
        """All pages of a list."""
        cursor = None
        while True:
            _, page = self.get(f"{path}?limit={PAGE}" + (f"&cursor={quote(cursor)}" if cursor else ""))
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return


def client_context(directory):
    with open(directory / "registry/clients.csv", encoding="utf-8", newline="") as text:
        client = next(row["client"] for row in csv.DictReader(text) if row["role"] == ROLE)
    context = ssl.create_default_context(cafile=directory / "keys/ca.crt")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(directory / f"keys/clients/{client}.pem")
    return context


def counted_total(published, held, field):
    """The published total of a field of the branches' figures, less the held branches."""
    total = Counter(published[field])
    for branch in held:
        total.subtract(published["branches"][branch][field])
    return dict(total)


def votes_of(rows, code):
    return {row[code]: row["votes"] for row in rows}


def compare_contest(tap, api, contest, published, held):
    answer, got = api.get(f"/v1/contests/{contest}")
    tap.same(answer.headers["Tally-Phase"], "rehearsal", f"{contest}: phase")
    all_n, held_n = len(published["branches"]), len(held)
    want = {"expected": all_n, "reported": all_n, "counted": all_n - held_n, "held": held_n, "annulled": 0}
    tap.same(got["progress"], want, f"{contest}: progress")
    tap.same((got["method"], got["seats"]), (published["method"], published["seats"]), f"{contest}: method and seats")
    tap.same(votes_of(got["candidates"], "candidate"), counted_total(published, held, "candidates"),
             f"{contest}: votes of {len(published['candidates'])} candidates")
    if published["lists"]:
        tap.same(votes_of(got["lists"], "list"), counted_total(published, held, "lists"),
                 f"{contest}: votes of {len(published['lists'])} lists")
        filled = sum(row["seats"] for row in got["lists"]) + got["vacancies"]
        tap.same(filled, published["seats"], f"{contest}: every seat is some list's, or vacant")
    compare_ballots(tap, contest, published, held, got["ballots"])
    if published["winners"]:
        tap.same(got["status"], "complete", f"{contest}: status")
        tap.same(sorted(got["winners"]), sorted(published["winners"]), f"{contest}: winners")
        tap.same(got["ties"], [], f"{contest}: no tie")
    elif held:
        tap.same(got["status"], "partial", f"{contest}: status")


def compare_ballots(tap, contest, published, held, got):
    """Sums over the counted branches; where the source publishes a total, it is that less the held ones."""
    total = Counter()
    for branch, says in published["branches"].items():
        if branch not in held:
            total.update(says["ballots"])
    tap.same({field: got[field] for field in total}, dict(total), f"{contest}: ballots")
    if published["ballots"]:
        tap.same(dict(total), counted_total(published, held, "ballots"), f"{contest}: ballots as published")


def given(votes):
    """Votes as bundles and tables hold them: whoever got none is left out."""
    return {code: n for code, n in votes.items() if n}


def compare_table(tap, api, contest, published, held):
    """The branch-by-branch table behind the contest has each branch once, with its state and votes."""
    rows = list(api.items(f"/v1/contests/{contest}/branches"))
    branches = published["branches"]
    tap.same(len(rows), len(branches), f"{contest}: rows of the table of branches")
    tap.same({row["branch"]: row["state"] for row in rows},
             {branch: "held" if branch in held else "counted" for branch in branches}, f"{contest}: states in it")
    tap.same({row["branch"]: dict(row["candidates"]) for row in rows},
             {branch: given(says["candidates"]) for branch, says in branches.items()}, f"{contest}: votes in it")


def compare_branch(api, contest, branch, says, checks):
    """What differs at one branch, in words."""
    _, got = api.get(f"/v1/branches/{branch}")
    mine = next(row for row in got["contests"] if row["contest"] == contest)
    want = "held" if checks else "counted"
    if mine["state"] != want or not set(checks) <= set(mine["checks"]):
        yield f"{branch}: {mine['state']} {mine['checks']}, want {want} {checks}"
    different = {f: mine["ballots"][f] for f in says["ballots"] if mine["ballots"][f] != says["ballots"][f]}
    if different:
        yield f"{branch}: ballots {different}"
    _, envelope = api.get(f"/v1/branches/{branch}/bundles/1")
    payload = json.loads(base64.b64decode(envelope["payload"], validate=True))
    kept = next(row for row in payload["contests"] if row["contest"] == contest)
    if given(dict(kept["candidates"])) != given(says["candidates"]):
        yield f"{branch}: votes of the bundle differ"


def wait_published(api, branches_n):
    """Until every bundle stands in the snapshot that readers see, behind the genesis entry; the election then."""
    until = time.monotonic() + PUBLISHED_S
    while True:
        _, election = api.get("/v1/election")
        if election["published"] > branches_n or time.monotonic() > until:
            return election
        time.sleep(POLL_S)


def main(argv):
    if len(argv) != 3:
        print("usage: compare.py DIR URL", file=sys.stderr)
        return 2
    directory = Path(argv[1])
    expected = json.loads((directory / "expected.json").read_text("utf-8"))
    tap, api = Tap(), Api(directory, argv[2])
    branches = {branch for published in expected["contests"].values() for branch in published["branches"]}
    election = wait_published(api, len(branches))
    decisions = expected.get("decisions", 0)
    tap.same(election["published"], len(branches) + 1 + decisions, "entries published: the genesis and a bundle a branch")
    tap.same(election["election"], expected["election"], "the election")
    for contest, published in expected["contests"].items():
        held = {row["branch"]: row["checks"] for row in expected["held"] if row["contest"] == contest}
        compare_contest(tap, api, contest, published, held)
        compare_table(tap, api, contest, published, held)
        faults = [fault for branch, says in published["branches"].items()
                  for fault in compare_branch(api, contest, branch, says, held.get(branch, []))]
        tap.ok(not faults, f"{contest}: {len(published['branches'])} branches one by one", *faults[:10])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
