# SPDX-License-Identifier: Apache-2.0
"""Receipts and older heads that somebody kept."""
import base64

from forge import STRANGER, b64, note_line
from rows import damage, flip

R = "receipt r.tlog-proof"


def receipts(a, text):
    a.receipts = {"r.tlog-proof": text}


def receipt(title, make, wanted):
    @damage(f"a receipt {title}")
    def _(a):
        receipts(a, make(a))
        return [f"{w} {R}" for w in wanted]


@damage("the receipts of the night: clean")
def _(a):
    a.receipts = dict(a.base.receipts)
    return []


@damage("the receipts of the night with withheld bundles: clean", "small")
def _(a):
    a.receipts = dict(a.base.receipts)
    return []


@damage("files that are no receipts are passed over")
def _(a):
    a.receipts = {"notes.txt": b"x", ".tlog-proof": b"x", ".r.tlog-proof": b"x", "r.tlog-proof.old": b"x"}
    return []


@damage("an empty folder of receipts: clean")
def _(a):
    a.receipts = {}
    return []


@damage("a folder of receipts that is not there: unusable")
def _(a):
    a.args = ["--receipts", "/nonexistent/receipts"]
    return 2


def line(text, n, change):
    parts = text.split(b"\n")
    parts[n] = change(parts[n])
    return b"\n".join(parts)


receipt("of the first entry: clean", lambda a: a.receipt(0), [])
receipt("of the last entry: clean", lambda a: a.receipt(len(a.leaves) - 1), [])
receipt("against a smaller head: clean", lambda a: a.receipt(100, size=256, note=a.head(256)), [])
receipt("of a log of one entry: clean", lambda a: a.receipt(0, size=1, note=a.head(1)), [])
receipt("that is empty", lambda a: b"", ["receipt.syntax"])
receipt("of another version", lambda a: a.receipt(9).replace(b"@v1", b"@v2"), ["receipt.syntax"])
receipt("without extra", lambda a: a.receipt(9).replace(b"extra ", b"extro "), ["receipt.syntax"])
receipt("whose extra is no base64", lambda a: line(a.receipt(9), 1, lambda x: x + b"!"), ["receipt.syntax"])
receipt("whose extra is longer than a leaf", lambda a: line(a.receipt(9), 1, lambda x: b"extra " + b64(bytes(16385)).encode()), ["receipt.syntax"])
receipt("whose extra is as long as a leaf may be", lambda a: line(a.receipt(9), 1, lambda x: b"extra " + b64(bytes(16384)).encode()),
        ["receipt.proof", "receipt.entry"])
receipt("whose extra is empty", lambda a: line(a.receipt(9), 1, lambda x: b"extra "), ["receipt.proof", "receipt.entry"])
receipt("with a leading zero in its index", lambda a: line(a.receipt(9), 2, lambda x: b"index 09"), ["receipt.syntax"])
receipt("without an index", lambda a: line(a.receipt(9), 2, lambda x: b"index "), ["receipt.syntax"])
receipt("with an index of 2^32", lambda a: line(a.receipt(9), 2, lambda x: b"index 4294967296"), ["receipt.syntax"])
receipt("with an index outside", lambda a: line(a.receipt(9), 2, lambda x: b"index 4294967295"), ["receipt.proof", "receipt.entry"])
receipt("with a hash too short", lambda a: line(a.receipt(9), 4, lambda x: x[:-4]), ["receipt.syntax"])
receipt("with 65 hashes", lambda a: line(a.receipt(9), 3, lambda x: b"\n".join([x] * 65)), ["receipt.syntax"])
receipt("with 64 hashes", lambda a: line(a.receipt(9), 3, lambda x: b"\n".join([x] * (64 - 8))), ["receipt.proof"])
receipt("cut in its path", lambda a: a.receipt(9)[:-400], ["receipt.syntax"])
receipt("without a checkpoint", lambda a: a.receipt(9, note=b""), ["receipt.syntax"])
receipt("with rubbish behind", lambda a: a.receipt(9) + b"x", ["receipt.syntax"])
receipt("over a MiB", lambda a: a.receipt(9) + "\u2014 other.example AAAAAAAA\n".encode() * 40000, ["receipt.syntax"])
receipt("with CR before its line feeds", lambda a: a.receipt(9).replace(b"\n", b"\r\n"), ["receipt.syntax"])
receipt("with a hash flipped", lambda a: line(a.receipt(9), 4, lambda x: base64.b64encode(flip(base64.b64decode(x), 3))), ["receipt.proof"])
receipt("with two hashes exchanged", lambda a: b"\n".join([*a.receipt(9).split(b"\n")[:3], a.receipt(9).split(b"\n")[4], a.receipt(9).split(b"\n")[3],
                                                           *a.receipt(9).split(b"\n")[5:]]), ["receipt.proof"])
receipt("with a hash too few", lambda a: b"\n".join(a.receipt(9).split(b"\n")[:3] + a.receipt(9).split(b"\n")[4:]), ["receipt.proof"])
receipt("with a hash too many", lambda a: line(a.receipt(9), 3, lambda x: x + b"\n" + x), ["receipt.proof"])
receipt("in the name of another entry", lambda a: line(a.receipt(9), 2, lambda x: b"index 10"), ["receipt.proof", "receipt.entry"])
receipt("of another leaf", lambda a: a.receipt(9, leaf=a.leaves[10]), ["receipt.proof", "receipt.entry"])
receipt("of a log that another key signed", lambda a: a.receipt(100, size=256, note=a.head(256, key=STRANGER)), ["receipt.signature"])
receipt("of another origin", lambda a: a.receipt(100, size=256, note=a.head(256, origin="other.example/x/y")), ["receipt.signature"])
receipt("whose checkpoint has a line of somebody else beside: clean",
        lambda a: a.receipt(9) + note_line("somebody.example", STRANGER, a.body()).encode(), [])
receipt("whose checkpoint is signed by somebody else alone", lambda a: a.receipt(9, note=a.body() + b"\n" + note_line(
    "somebody.example", STRANGER, a.body()).encode()), ["receipt.signature"])


def other_log(a, i):
    """The same log with another entry i: what the operator shows to one branch."""
    from forge import Forge
    b = Forge(a.base)
    b.edit(i, lambda p: p.update(salt="ab" * 16))
    b.rebuild()
    return b


@damage("a receipt of an entry that was replaced afterwards")
def _(a):
    i = a.plain(4)
    receipts(a, other_log(a, i).receipt(i))
    return [f"receipt.prefix {R}", f"receipt.entry {R}"]


@damage("a receipt of an entry that was kept, when another was replaced")
def _(a):
    receipts(a, other_log(a, a.plain(4)).receipt(a.plain(5)))
    return [f"receipt.prefix {R}"]


@damage("a receipt from before an entry was replaced: clean")
def _(a):
    i = a.plain(4)
    receipts(a, other_log(a, i).receipt(3, size=i, note=a.head(i)))
    return []


@damage("a log that was cut behind a receipt")
def _(a):
    n = len(a.leaves)
    receipts(a, a.receipt(n - 1))
    del a.leaves[n - 1:], a.envelopes[n - 1:]
    a.rebuild()
    return [f"receipt.prefix {R}", f"receipt.entry {R}"]


@damage("a log that was cut behind a receipt's entry, not its head")
def _(a):
    n = len(a.leaves)
    receipts(a, a.receipt(5))
    del a.leaves[n - 1:], a.envelopes[n - 1:]
    a.rebuild()
    return [f"receipt.prefix {R}"]


@damage("a log whose order was changed: receipts tell")
def _(a):
    i, j = a.plain(0), a.plain(1)
    a.receipts = {"a.tlog-proof": a.receipt(i), "b.tlog-proof": a.receipt(j), "c.tlog-proof": a.receipt(2, size=3, note=a.head(3))}
    at = [a.base.facts[k]["accepted"] for k in (i, j)]
    a.leaves[i], a.leaves[j] = a.leaves[j], a.leaves[i]
    a.envelopes[i], a.envelopes[j] = a.envelopes[j], a.envelopes[i]
    a.line(i, "accepted", at[0])
    a.line(j, "accepted", at[1])
    a.rebuild()
    return [f"{w} receipt {n}.tlog-proof" for w in ("receipt.prefix", "receipt.entry") for n in "ab"]


@damage("receipts where the entries cannot be read")
def _(a):
    a.receipts = {"a.tlog-proof": a.receipt(9), "b.tlog-proof": a.receipt(len(a.leaves) - 1), "c.tlog-proof": a.receipt(300, leaf=b"x")}
    a.files["tile/entries/000"] = b""
    return ["file.syntax tile/entries/000", "receipt.proof receipt c.tlog-proof", "receipt.entry receipt c.tlog-proof"]


@damage("receipts are sorted by their numbers")
def _(a):
    a.receipts = {f"r{n}.tlog-proof": b"" for n in (10, 9, 100, 1)}
    return [f"receipt.syntax receipt r{n}.tlog-proof" for n in (10, 9, 100, 1)]


@damage("receipts without a readable checkpoint are left out")
def _(a):
    a.receipts = {"r.tlog-proof": b""}
    a.since = {"old.note": b""}
    a.files["checkpoint"] = b"x"
    return ["checkpoint.syntax checkpoint"]


# ---- since ----
def since(title, make, wanted):
    @damage(f"since {title}")
    def _(a):
        a.since = {"old.note": make(a)}
        return [f"{w} since old.note" for w in wanted]


since("the checkpoint of the middle of the night: clean", lambda a: a.base.since, [])
since("the same checkpoint: clean", lambda a: a.files["checkpoint"], [])
since("an empty log: clean", lambda a: a.head(0), [])
since("an empty log with a root", lambda a: a.head(0, root=bytes(32)), ["since.prefix"])
since("a receipt: clean", lambda a: a.receipt(9), [])
since("a receipt that proves nothing, its head alone counts: clean", lambda a: a.receipt(9, leaf=b"x"), [])
since("a receipt without a checkpoint", lambda a: a.receipt(9, note=b""), ["since.syntax"])
since("a receipt without an empty line", lambda a: b"c2sp.org/tlog-proof@v1\n", ["since.syntax"])
since("rubbish", lambda a: b"rubbish", ["since.syntax"])
since("nothing", lambda a: b"", ["since.syntax"])
since("a checkpoint, cut", lambda a: a.files["checkpoint"][:-1], ["since.syntax"])
since("a checkpoint of size 2^32", lambda a: a.files["checkpoint"].replace(b"\n%d\n" % len(a.leaves), b"\n4294967296\n"), ["since.syntax"])
since("more than a MiB", lambda a: b"x" * ((1 << 20) + 1), ["since.syntax"])
since("a head of another root", lambda a: a.head(200, root=bytes(32)), ["since.prefix"])
since("a larger head", lambda a: a.head(len(a.leaves), root=bytes(32)).replace(b"\n%d\n" % len(a.leaves), b"\n%d\n" % (len(a.leaves) + 1)),
      ["since.prefix", "since.signature"])
since("a head that another key signed", lambda a: a.head(200, key=STRANGER), ["since.signature"])
since("a head of another origin", lambda a: a.head(200, origin="other.example/x/y"), ["since.signature"])
since("a head of another origin and root", lambda a: a.head(200, origin="other.example/x/y", root=bytes(32)), ["since.signature", "since.prefix"])


@damage("since several heads, one of them another log's")
def _(a):
    a.since = {"a": a.head(5), "b10": other_log(a, a.plain()).head(200), "b9": other_log(a, a.plain()).head(150), "c": other_log(a, a.plain()).head(20)}
    return ["since.prefix since b10", "since.prefix since b9"]


@damage("since a head, where entries below it cannot be read")
def _(a):
    a.since = {"a": a.head(300, root=bytes(32))}
    a.files["tile/entries/000"] = b""
    return ["file.syntax tile/entries/000"]


@damage("since a head, where entries above it cannot be read")
def _(a):
    a.since = {"a": a.head(200, root=bytes(32)), "b": a.head(200)}
    path = next(p for p in a.files if p.startswith("tile/entries/001.p/"))
    a.files[path] = b""
    return [f"file.syntax {path}", "since.prefix since a"]


@damage("since a file that is not there: unusable")
def _(a):
    a.args = ["--since", "/nonexistent/checkpoint"]
    return 2
