# SPDX-License-Identifier: Apache-2.0
"""Every acknowledged bundle is in the ledger that runs now: receipts of a replay against the newest head.

    acked.py DIR API_PORT RECEIPTS [ALL]

Each receipt is checked by itself and against the daemon's ledger: the same leaf at the same place.  With ALL the
recording is complete: every branch is counted and the totals are those of counts.csv.  Prints how many; exit 1 with
what is wrong.
"""
import json
import sys
import time
from pathlib import Path

from nacl.signing import SigningKey

from client import Client, Election, check_receipt, leaf_of, rows, seed_of


def receipts(path):
    """Whole lines only: the last one may be half written."""
    text = Path(path).read_bytes() if Path(path).exists() else b""
    return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]


def same_place(api, key, origin, receipt):
    """What is wrong with one receipt, or None."""
    index, size = check_receipt(receipt, key, origin)
    leaf = leaf_of(receipt)
    now = api.get(f"/v1/receipts/{leaf['payload'].split()[0]}")
    if now.status != 200:
        return f"{leaf['branch']}: acknowledged at {index}, now {now}"
    now_index, now_size = check_receipt(now.body, key, origin)
    if (now_index, leaf_of(now.body)) != (index, leaf) or now_size < size:
        return f"{leaf['branch']}: acknowledged at {index} of {size}, now at {now_index} of {now_size}"
    return None


def complete(e, api):
    """What is not as counts.csv has it."""
    deadline = time.monotonic() + 60
    while True:
        election = api.get("/v1/election").json()
        progress = election["progress"]
        if election["accepted"] == election["published"] or time.monotonic() > deadline:
            break
    if progress["counted"] != progress["expected"]:
        yield f"progress: {progress}"
    if election["accepted"] != len(e.branches) + 1:
        yield f"{election['accepted']} entries for {len(e.branches)} branches"
    cast = sum(int(row["value"]) for row in rows(e.dir / "counts.csv") if row["field"] == "cast")
    shown = api.get(f"/v1/areas/{e.root_area()}").json()["ballots"]
    if shown["cast"] != cast:
        yield f"cast: {shown['cast']}, counts.csv has {cast}"


def main(argv):
    e = Election(argv[1])
    api = Client(e, int(argv[2]), e.pem("auditor"))
    origin = f"{e.about['domain']}/{e.about['election']}/{e.about['phase']}"
    key = SigningKey(seed_of(e.dir / "keys/log.key")).verify_key
    got = receipts(argv[3])
    faults = [f for f in (same_place(api, key, origin, row["receipt"].encode()) for row in got) if f]
    if len(argv) > 4:
        faults += list(complete(e, api))
        if len(got) < len(e.branches):
            faults.append(f"{len(got)} receipts for {len(e.branches)} branches")
    print(len(got))
    for fault in faults[:10]:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
