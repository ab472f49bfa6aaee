# SPDX-License-Identifier: Apache-2.0
"""A reader of the published folder, after doc/formats.md and RFC 6962 alone.

    publog.py DIR [SIZE]     checks everything below the checkpoint; prints its size and root; exit 1: what is wrong.
                             SIZE: not right before the checkpoint has that size
"""
import base64
import hashlib
import sys
from pathlib import Path

WIDTH = 256
NONE, WITHHELD = 0, 0xFFFFFFFF


class Wrong(Exception):
    """The folder is not what its checkpoint promises."""


def need(good, what):
    if not good:
        raise Wrong(what)


def number(n):
    """1234067: x001/x234/067."""
    groups = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03}")
    return "/".join(groups)


def name(base, n, width):
    return f"{base}/{number(n)}" + (f".p/{width}" if width < WIDTH else "")


def tiles(size):
    """(number, width) of the tiles of one level with so many hashes."""
    return [(n, min(WIDTH, size - n * WIDTH)) for n in range((size + WIDTH - 1) // WIDTH)]


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes):
    """RFC 6962 2.1, by splitting at the largest power of two."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return node(root_of(hashes[:k]), root_of(hashes[k:]))


class Log:
    """read(path below the log) gives bytes or raises."""

    def __init__(self, read):
        self.read = read
        note = read("checkpoint").decode("utf-8")
        self.origin, size, root = note.split("\n")[:3]
        self.size, self.root = int(size), base64.b64decode(root)
        self.signers = [line.split(" ")[1] for line in note.split("\n\n")[1].splitlines()]

    def _pieces(self, base, prefix):
        out = []
        for n, width in tiles(self.size):
            path = name(base, n, width)
            data, at, count = self.read(path), 0, 0
            while at < len(data):
                length = int.from_bytes(data[at:at + prefix], "big")
                at += prefix
                if prefix == 4 and length == WITHHELD:
                    out.append(None)
                else:
                    need(at + length <= len(data), f"{path}: cut")
                    out.append(data[at:at + length])
                    at += length
                count += 1
            need(count == width, f"{path}: {count} entries")
        return out

    def leaves(self):
        return self._pieces("tile/entries", 2)

    def envelopes(self):
        """b"" has none, None: withheld."""
        return self._pieces("bundle", 4)

    def paths(self):
        """Every file that a reader of this checkpoint asks for."""
        level, size, out = 0, self.size, ["checkpoint", "policy"]
        for base in ("tile/entries", "bundle"):
            out += [name(base, n, width) for n, width in tiles(self.size)]
        while size > 0:
            out += [name(f"tile/{level}", n, width) for n, width in tiles(size)]
            level, size = level + 1, size // WIDTH
        return out

    def check(self):
        """Root and tiles from the entries, envelopes against the entries; what the entries say."""
        leaves, envelopes = self.leaves(), self.envelopes()
        hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
        need(root_of(hashes) == self.root, "the entries have another root than the checkpoint")
        level = 0
        while hashes:
            for n, width in tiles(len(hashes)):
                path = name(f"tile/{level}", n, width)
                need(self.read(path) == b"".join(hashes[n * WIDTH:n * WIDTH + width]), f"{path}: another hash")
            hashes = [root_of(hashes[i:i + WIDTH]) for i in range(0, len(hashes) // WIDTH * WIDTH, WIDTH)]
            level += 1
        need(len(envelopes) == len(leaves), "not as many envelopes as entries")
        facts = []
        for i, (leaf, envelope) in enumerate(zip(leaves, envelopes)):
            fact = dict(line.split(" ", 1) for line in leaf.decode().splitlines() if " " in line)
            facts.append(fact)
            if "envelope" not in fact:
                need(envelope == b"", f"entry {i} has no envelope")
            elif envelope is not None:
                digest, length = fact["envelope"].split(" ")
                need(len(envelope) == int(length) and hashlib.sha256(envelope).hexdigest() == digest,
                     f"entry {i}: another envelope")
        return facts, envelopes


def folder(path):
    return Log(lambda name_: (Path(path) / name_).read_bytes())


def main(argv):
    try:
        log = folder(argv[1])
        log.check()
        need(len(argv) < 3 or log.size == int(argv[2]), f"size {log.size}")
    except (Wrong, OSError, ValueError, IndexError) as wrong:
        print(f"{argv[1]}: {wrong}")
        return 1
    print(log.size, base64.b64encode(log.root).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
