# SPDX-License-Identifier: Apache-2.0
"""Files flipped, cut, swapped, taken away, put beside."""
from rows import damage, entry, flip
from forge import name, tiles

LAST = "the last partial"


def last(a, base, level=0):
    """The path of a level's last tile."""
    n, width = tiles(len(a.leaves) >> 8 * level)[-1]
    return name(base, n, width)


# What a file is called here; {last} is that of the log's end.
PLACES = {"the full tile of hashes": lambda a: "tile/0/000", "the last tile of hashes": lambda a: last(a, "tile/0"),
          "the tile above": lambda a: last(a, "tile/1", 1), "the full file of entries": lambda a: "tile/entries/000",
          "the last file of entries": lambda a: last(a, "tile/entries"), "the full pack": lambda a: "bundle/000",
          "the last pack": lambda a: last(a, "bundle")}


def syntax_or_size(path):
    return "file.size" if path.startswith("tile/") and not path.startswith("tile/entries") else "file.syntax"


def unread(a, path):
    """What follows when the envelopes of this pack are not read: key decisions are not in force."""
    return a.keyed() if path == "bundle/000" else []


for title, where in PLACES.items():
    @damage(f"{title} is missing")
    def _(a, where=where):
        path = where(a)
        del a.files[path]
        return [f"file.missing {path}"] + unread(a, path)

    @damage(f"{title} is empty")
    def _(a, where=where):
        path = where(a)
        a.files[path] = b""
        return [f"{syntax_or_size(path)} {path}"] + unread(a, path)

    @damage(f"{title} is cut by a byte")
    def _(a, where=where):
        path = where(a)
        a.files[path] = a.files[path][:-1]
        return [f"{syntax_or_size(path)} {path}"] + unread(a, path)

    @damage(f"{title} is a byte longer")
    def _(a, where=where):
        path = where(a)
        a.files[path] += b"\0"
        return [f"{syntax_or_size(path)} {path}"] + unread(a, path)

    @damage(f"{title} is over the limit")
    def _(a, where=where):
        path = where(a)
        a.files[path] = b"\0" * ((64 << 20) + 1)
        return [f"file.size {path}"] + unread(a, path)

for title in ("the full tile of hashes", "the last tile of hashes", "the tile above"):
    for at in (0, 31, -1):
        @damage(f"{title}, byte {at} flipped")
        def _(a, where=PLACES[title], at=at):
            path = where(a)
            a.files[path] = flip(a.files[path], at)
            return [f"tile.hash {path}"]


@damage("two hashes of a tile swapped")
def _(a):
    d = a.files["tile/0/000"]
    a.files["tile/0/000"] = d[32:64] + d[:32] + d[64:]
    return ["tile.hash tile/0/000"]


@damage("every hash of a tile is wrong: one finding")
def _(a):
    a.files["tile/0/000"] = b"\1" * 8192
    return ["tile.hash tile/0/000"]


@damage("a tile holds the level above")
def _(a):
    a.files["tile/1/000.p/1"] = a.files["tile/0/000"][:32]
    return ["tile.hash tile/1/000.p/1"]


def spoiled(a, i):
    """What the tree says when a leaf is another one than was signed."""
    path = name("tile/0", i // 256, 256 if i < 256 else len(a.leaves) % 256)
    return [f"tile.hash {path}", "checkpoint.root checkpoint"] + (["tile.hash tile/1/000.p/1"] if i < 256 else [])


def leaf_at(a, i):
    """The offset of a leaf's text in its file."""
    first = i // 256 * 256
    return sum(2 + len(x) for x in a.leaves[first:i]) + 2


def entries_path(a, i):
    return name("tile/entries", i // 256, 256 if i < 256 else len(a.leaves) % 256)


def scribble(a, i, old, new):
    """Changes a leaf's text in its file and nowhere else, to one as long."""
    assert len(old) == len(new) and old in a.leaves[i], (old, a.leaves[i])
    path, at = entries_path(a, i), leaf_at(a, i) + a.leaves[i].index(old)
    a.files[path] = a.files[path][:at] + new + a.files[path][at + len(old):]
    return spoiled(a, i)


@damage("a letter of the first leaf's kind")
def _(a):
    return scribble(a, 0, b"genesis", b"genesit") + ["leaf.syntax entry 0"]


@damage("a digit of the genesis' definition hash")
def _(a):
    i = a.leaves[0].index(b"definition ") + 11
    old = a.leaves[0][i:i + 1]
    new = b"0" if old != b"0" else b"1"
    return scribble(a, 0, b"definition " + old, b"definition " + new) + ["genesis.package entry 0"]


@damage("a digit of the genesis' registry hash")
def _(a):
    i = a.leaves[0].index(b"registry ") + 9
    old = a.leaves[0][i:i + 1]
    return scribble(a, 0, b"registry " + old, b"registry " + (b"0" if old != b"0" else b"1")) + ["genesis.package entry 0"]


@damage("a leaf's first line")
def _(a):
    i = a.plain()
    return scribble(a, i, b"tally/leaf/v1", b"tally/leaf/v2") + [f"leaf.syntax {entry(i)}"]


@damage("a leaf's kind becomes another")
def _(a):
    i = a.of("annul")
    n = a.of("reinstate")
    return scribble(a, i, b"kind annul", b"kind ennul") + [f"leaf.syntax {entry(i)}", f"decision.state {entry(n)}"]


@damage("a leaf's key, in the last file")
def _(a):
    i = next(k for k in range(256, len(a.leaves)) if b"kind bundle" in a.leaves[k] and b"held" not in a.leaves[k])
    at = a.leaves[i].index(b"key ") + 4
    old = a.leaves[i][at:at + 2]
    return scribble(a, i, b"key " + old, b"key " + (b"00" if old != b"00" else b"11")) + [f"leaf.key {entry(i)}"]


@damage("a leaf's payload hash")
def _(a):
    i = a.plain()
    at = a.leaves[i].index(b"payload ") + 8
    old = a.leaves[i][at:at + 2]
    return scribble(a, i, b"payload " + old, b"payload " + (b"00" if old != b"00" else b"11")) + [f"payload.hash {entry(i)}"]


@damage("a leaf's envelope hash")
def _(a):
    i = a.plain()
    at = a.leaves[i].index(b"envelope ") + 9
    old = a.leaves[i][at:at + 2]
    return scribble(a, i, b"envelope " + old, b"envelope " + (b"00" if old != b"00" else b"11")) + [f"envelope.hash {entry(i)}"]


@damage("two files of entries swapped")
def _(a):
    one, two = "tile/entries/000", last(a, "tile/entries")
    a.files[one], a.files[two] = a.files[two], a.files[one]
    return [f"file.syntax {one}", f"file.syntax {two}"]


@damage("two packs swapped")
def _(a):
    one, two = "bundle/000", last(a, "bundle")
    a.files[one], a.files[two] = a.files[two], a.files[one]
    return [f"file.syntax {one}", f"file.syntax {two}"] + unread(a, one)


def envelope_at(a, i):
    """The pack of an entry, and where its envelope begins in it."""
    first = i // 256 * 256
    at = sum(4 + len(x or b"") for x in a.envelopes[first:i]) + 4
    return name("bundle", i // 256, 256 if i < 256 else len(a.leaves) % 256), at


for title, at in (("first", 0), ("second", 1), ("hundredth", 100), ("last", -1)):
    @damage(f"the {title} byte of an envelope flipped")
    def _(a, at=at):
        i = a.plain(3)
        path, begin = envelope_at(a, i)
        a.files[path] = flip(a.files[path], begin + at % len(a.envelopes[i]))
        return [f"envelope.hash {entry(i)}"]


@damage("the envelope of a decision flipped")
def _(a):
    i = a.of("exclude")
    path, begin = envelope_at(a, i)
    a.files[path] = flip(a.files[path], begin + 20)
    return [f"envelope.hash {entry(i)}"]


@damage("the envelope of a conflict flipped")
def _(a):
    i = a.of("conflict")
    path, begin = envelope_at(a, i)
    a.files[path] = flip(a.files[path], begin + 20)
    return [f"envelope.hash {entry(i)}"]


@damage("a length in a pack one too large")
def _(a):
    path, begin = envelope_at(a, a.plain(3))
    a.files[path] = flip(a.files[path], begin - 1)
    return [f"file.syntax {path}"] + unread(a, path)


@damage("a length in a file of entries too large for a leaf")
def _(a):
    at = leaf_at(a, 3) - 2
    a.files["tile/entries/000"] = flip(a.files["tile/entries/000"], at, 0x80)
    return ["file.syntax tile/entries/000"]


# ---- partial files ----
@damage("smaller partial files beside, as a mirror keeps them: clean")
def _(a):
    n, width = tiles(len(a.leaves))[-1]
    for base, prefix, pieces in (("tile/entries", 2, a.leaves), ("bundle", 4, a.envelopes)):
        data = b"".join(len(x).to_bytes(prefix, "big") + x for x in pieces[n * 256:n * 256 + 7])
        a.files[name(base, n, 7)] = data
    a.files[name("tile/0", n, 7)] = a.files[name("tile/0", n, width)][:7 * 32]
    a.files["tile/0/000.p/9"] = a.files["tile/0/000"][:9 * 32]
    return []


@damage("files of a larger log beside: clean")
def _(a):
    for path in ("tile/0/001.p/255", "tile/0/002", "tile/entries/002.p/9", "bundle/x001/234", "tile/2/000", "tile/3/000.p/1"):
        a.files[path] = b"not looked at"
    return []


@damage("a smaller tile that says something else")
def _(a):
    a.files["tile/0/000.p/9"] = flip(a.files["tile/0/000"][:9 * 32], 40)
    return ["tile.hash tile/0/000.p/9"]


@damage("a smaller tile of a wrong length")
def _(a):
    a.files["tile/0/000.p/9"] = a.files["tile/0/000"][:9 * 32 + 1]
    return ["file.size tile/0/000.p/9"]


@damage("a smaller file of entries that says something else")
def _(a):
    data = b"".join(len(x).to_bytes(2, "big") + x for x in a.leaves[:3])
    a.files["tile/entries/000.p/3"] = flip(data, 10)
    return ["file.syntax tile/entries/000.p/3"]


@damage("a smaller file of entries with one entry more")
def _(a):
    data = b"".join(len(x).to_bytes(2, "big") + x for x in a.leaves[:4])
    a.files["tile/entries/000.p/3"] = data
    return ["file.syntax tile/entries/000.p/3"]


@damage("a smaller pack that says something else")
def _(a):
    data = b"".join(len(x).to_bytes(4, "big") + x for x in a.envelopes[:5])
    a.files["bundle/000.p/5"] = flip(data, 30)
    return ["file.syntax bundle/000.p/5"]


@damage("a smaller pack, cut")
def _(a):
    a.files["bundle/000.p/5"] = b"".join(len(x).to_bytes(4, "big") + x for x in a.envelopes[:5])[:-1]
    return ["file.syntax bundle/000.p/5"]


@damage("a smaller pack beside one that cannot be read")
def _(a):
    a.files["bundle/000.p/5"] = b"rubbish"
    a.files["bundle/000"] = b""
    return ["file.syntax bundle/000"] + unread(a, "bundle/000")


def grown(a, more=300):
    """The files of the same log when it was longer, with the checkpoint of now."""
    keep = {p: a.files[p] for p in ("checkpoint", "tile/1/000.p/1")}
    size = len(a.leaves)
    a.leaves += a.leaves[1:more]
    a.envelopes += a.envelopes[1:more]
    a.rebuild(sign=False)
    a.files.update(keep)
    a.leaves, a.envelopes = a.leaves[:size], a.envelopes[:size]


@damage("the full files in place of the partial: clean")
def _(a):
    grown(a)
    return []


@damage("the full tile in place of the partial, another hash in its beginning")
def _(a):
    grown(a)
    a.files["tile/0/001"] = flip(a.files["tile/0/001"], 33)
    return ["tile.hash tile/0/001"]


@damage("the full tile in place of the partial, another hash behind: not looked at")
def _(a):
    grown(a)
    a.files["tile/0/001"] = flip(a.files["tile/0/001"], -1)
    return []


@damage("the full tile in place of the partial, cut")
def _(a):
    grown(a)
    a.files["tile/0/001"] = a.files["tile/0/001"][:-32]
    return ["file.size tile/0/001"]


@damage("the full pack in place of the partial, rubbish behind what is needed: not looked at")
def _(a):
    grown(a)
    data = a.files["bundle/001"]
    need = sum(4 + len(x) for x in a.envelopes[256:])
    a.files["bundle/001"] = data[:need] + b"\xff\xff"
    return []


@damage("the full pack in place of the partial, too short")
def _(a):
    grown(a)
    a.files["bundle/001"] = a.files["bundle/001"][:100]
    return ["file.syntax bundle/001"]


# ---- names ----
@damage("files that belong to no archive")
def _(a):
    paths = ("index.html", "tile/4/000", "tile/0/0", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/x000/001", "bundle/000.p/01",
             "doc/readme.txt", "bundle/entries/000", "checkpoint.old", "tile/entries/000.p", "tile/00/000", "Policy", "doc/keys/root.key",
             "tile/0/000/000", "سند")
    for path in paths:
        if path not in ("tile/0/000/000",):
            a.files[path] = b"x"
    return [f"file.unknown {p}" for p in paths if p != "tile/0/000/000"]


@damage("names with a dot before are passed over")
def _(a):
    for path in (".lock", "tile/.put", "bundle/.fix/000", "doc/definition/.swp", ".git/config", "doc/.x/y"):
        a.files[path] = b"x"
    return []


@damage("the order of places: numbers as numbers")
def _(a):
    for path in ("x10", "x9", "x09", "x9a", "y1z", "x", "x1/2", "x1/10"):
        a.files[path] = b""
    return [f"file.unknown {p}" for p in ("x10", "x9", "x09", "x9a", "y1z", "x", "x1/2", "x1/10")]


@damage("a name that JSON must escape")
def _(a):
    a.files['a"b\\c\n\x01'] = b""
    return ['file.unknown a"b\\c\n\x01']


@damage("no checkpoint: not an archive")
def _(a):
    del a.files["checkpoint"]
    return 2


@damage("an empty folder: not an archive")
def _(a):
    a.files.clear()
    a.files["x/y"] = b""
    return 2


@damage("more findings than are listed")
def _(a):
    for i in range(10050):
        a.files[f"u/{i}"] = b""
    wanted = sorted(range(10050))[:10000]
    return [f"file.unknown u/{i}" for i in wanted]
