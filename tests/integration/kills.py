# SPDX-License-Identifier: Apache-2.0
"""What must hold after any number of kills.

    kills.py watch CHECKPOINT OUT                     appends every checkpoint that stands there, until it is ended
    kills.py check DIR API_PORT LOG SEEN RECEIPTS...  DIR: the election, of which every branch was sent; LOG: its
                                                      published folder, whole.  Prints "ok WHAT" or "not ok WHAT" and
                                                      what is wrong; exit 1 when it could not look
"""
import base64
import hashlib
import json
import sys
import time
from collections import Counter
from pathlib import Path

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from client import Client, Election, check_receipt, leaf_of, rows, seed_of
from publog import folder, node

PARTS = ("authenticated", "issued", "cast", "blank", "invalid", "valid", "excluded")


def watch(checkpoint, out):
    """The file is replaced whole, so what is read is one checkpoint; a JSON string a line."""
    last = None
    with open(out, "a", encoding="utf-8", buffering=1) as seen:
        while True:
            text = Path(checkpoint).read_text("utf-8")
            if text != last:
                seen.write(json.dumps(text) + "\n")
                last = text
            time.sleep(0.01)


class Tree:
    """The root of every prefix of the final ledger, computed from its entries (RFC 6962 2.1)."""

    def __init__(self, leaves):
        self.roots, peaks = [hashlib.sha256(b"").digest()], []
        for i, leaf in enumerate(leaves):
            top, n = hashlib.sha256(b"\x00" + leaf).digest(), i
            while n & 1:  # as many complete subtrees end here as there are ones
                top, n = node(peaks.pop(), top), n >> 1
            peaks.append(top)
            root = peaks[-1]
            for peak in reversed(peaks[:-1]):
                root = node(peak, root)
            self.roots.append(root)


class Check:
    def __init__(self, argv):
        self.e = Election(argv[0])
        self.api = Client(self.e, int(argv[1]), self.e.pem("auditor"))
        self.log = folder(argv[2])
        self.origin = self.log.origin
        self.key = SigningKey(seed_of(self.e.dir / "keys/log.key")).verify_key
        self.leaves = self.log.leaves()
        self.tree = Tree(self.leaves)
        self.seen = [json.loads(line) for line in Path(argv[3]).read_text("utf-8").splitlines()]
        self.receipts = [json.loads(line)["receipt"].encode() for path in argv[4:]
                         for line in Path(path).read_bytes().splitlines()]

    def say(self, what, faults):
        found = []
        try:
            found.extend(faults)
        except (AssertionError, BadSignatureError, LookupError, ValueError) as error:  # no receipt, no checkpoint
            found.append(repr(error))
        print(f"{'not ok' if found else 'ok'} {what}")
        for fault in found[:10]:
            print(f"  {fault}")

    def signed(self, note):
        """Size and root of a checkpoint whose signature is the log's."""
        body, _, lines = note.partition("\n\n")
        body += "\n"
        origin, size, root = body.splitlines()
        assert origin == self.origin, origin
        line = next(one for one in lines.splitlines() if one.startswith(f"\u2014 {origin} "))
        self.key.verify(body.encode(), base64.b64decode(line.split(" ")[2])[4:])
        return int(size), base64.b64decode(root)

    def prefix(self, size, root):
        return size < len(self.tree.roots) and self.tree.roots[size] == root

    def own_heads(self):
        """Each receipt by itself, and its head against the final ledger."""
        heads = set()
        for receipt in self.receipts:
            index, _ = check_receipt(receipt, self.key, self.origin)
            size, root = self.signed(receipt.decode().split("\n\n", 1)[1])
            heads.add((size, root))
            if not self.prefix(size, root):
                yield f"a receipt of entry {index} has a head of size {size} that is no prefix of the ledger"
        print(f"{len(self.receipts)} receipts under {len(heads)} heads")

    def same_now(self):
        """Each payload's receipt of now: the same entry at the same place, under the newest head."""
        for payload, receipt in self.by_payload.items():
            index, size = check_receipt(receipt, self.key, self.origin)
            answer = self.api.get(f"/v1/receipts/{payload}")
            if answer.status != 200:
                yield f"{payload}: acknowledged at {index}, now {answer}"
                continue
            now, now_size = check_receipt(answer.body, self.key, self.origin)
            if now != index or leaf_of(answer.body) != leaf_of(receipt) or now_size != len(self.leaves):
                yield f"{payload}: acknowledged at {index} of {size}, now at {now} of {now_size}"

    def same_ever(self):
        self.by_payload = {}
        for receipt in self.receipts:
            payload = leaf_of(receipt)["payload"].split()[0]
            if self.by_payload.setdefault(payload, receipt) != receipt:
                yield f"{payload}: two receipts"

    def counted_once(self):
        kinds, payloads = Counter(), Counter()
        for leaf in self.leaves:
            lines = dict(line.split(" ", 1) for line in leaf.decode().splitlines() if " " in line)
            kinds[lines["kind"]] += 1
            if lines["kind"] == "bundle":
                payloads[lines["payload"].split()[0]] += 1
        if kinds != {"genesis": 1, "bundle": len(self.e.branches)}:
            yield f"entries: {dict(kinds)}"
        twice = [payload for payload, n in payloads.items() if n > 1]
        missing = [payload for payload in self.by_payload if payload not in payloads]
        if twice or missing or len(self.by_payload) != len(self.e.branches):
            yield f"twice {twice[:3]}, missing {missing[:3]}, acknowledged {len(self.by_payload)}"

    def one_chain(self):
        sizes, last = set(), 0
        for note in self.seen:
            size, root = self.signed(note)
            if not self.prefix(size, root):
                yield f"a checkpoint of size {size} is no prefix of the ledger"
            if size < last:
                yield f"a checkpoint of size {size} was published after one of size {last}"
            sizes.add(size)
            last = size
        if last != len(self.leaves):
            yield f"the last one that was seen has size {last} of {len(self.leaves)}"
        print(f"{len(sizes)} published checkpoints")

    def settled(self):
        deadline = time.monotonic() + 60
        while True:
            shown = self.api.get("/v1/election").json()
            if shown["accepted"] == shown["published"] == len(self.leaves) or time.monotonic() > deadline:
                return shown

    def wanted(self):
        """counts.csv by contest, field and code."""
        sums = {}
        for row in rows(self.e.dir / "counts.csv"):
            contest = sums.setdefault(row["contest"], Counter())
            field = "authenticated" if row["field"].startswith("authenticated_") else row["field"]
            contest[field, row["code"]] += int(row["value"])
        return sums

    def shown(self, contest):
        """The same from the API: the row of the whole country, which comes first."""
        answer = self.api.get(f"/v1/contests/{contest}/areas?limit=1")
        assert answer.status == 200, answer
        row = answer.json()["items"][0]
        assert row["area"] == self.e.root_area(), row
        return row

    def totals(self):
        progress = self.settled()["progress"]
        if progress["counted"] != progress["expected"] or progress["held"] != 0:
            yield f"progress: {progress}"
        wanted = self.wanted()
        numbers = 0
        for contest, want in wanted.items():
            row = self.shown(contest)
            got = Counter({("candidate", code): n for code, n in row["candidates"] or ()})
            got.update({("list", code): n for code, n in row["lists"] or ()})
            got["mixed", ""] = row["mixed"] or 0
            for part in PARTS:
                got[part, ""] = row["ballots"][part]
            numbers += len(want)
            if +got != +want:  # without zeros
                yield f"{contest}: {dict((+got - +want) + (+want - +got))} differ"
        print(f"{len(wanted)} contests, {numbers} sums of counts.csv")

    def all(self):
        self.say("every receipt verifies, and its head is a prefix of the final ledger", self.own_heads())
        self.say("a bundle's receipts are the same bytes, however often it was sent", self.same_ever())
        self.say("every receipt's entry is where it was, under the newest head", self.same_now())
        self.say("every acknowledged bundle is in the ledger once, and nothing else is", self.counted_once())
        self.say("all checkpoints that were ever published are one chain", self.one_chain())
        self.say("totals are the generator's", self.totals())


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(*sys.argv[2:4])
    else:
        Check(sys.argv[2:]).all()
