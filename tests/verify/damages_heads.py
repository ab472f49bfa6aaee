# SPDX-License-Identifier: Apache-2.0
"""The policy and the checkpoint: signatures, witnesses, options."""
import hashlib

from forge import STRANGER, b64, cosign_line, name, note_id, note_line, tiles, vkey
from nacl.signing import SigningKey
from rows import damage

W = [SigningKey(hashlib.sha256(b"witness %d" % i).digest()) for i in range(4)]
NAMES = [f"witness.example/{i}" for i in range(4)]


def policy(a, quorum="two", log=None, more=""):
    text = f"log {log or vkey(a.origin, a.base.log_key)}\n"
    text += "".join(f"witness w{i} {vkey(NAMES[i], W[i], 4)}\n" for i in range(4))
    return (text + f"group two 2 w0 w1 w2 w3\ngroup all all w0 w1\n{more}quorum {quorum}\n").encode()


def cosign(a, *who):
    for i in who:
        a.files["checkpoint"] += cosign_line(NAMES[i], W[i], a.body()).encode()


@damage("two of four witnesses, as the policy asks: clean")
def _(a):
    a.files["policy"] = policy(a)
    cosign(a, 0, 3)
    return []


@damage("one of four witnesses")
def _(a):
    a.files["policy"] = policy(a)
    cosign(a, 0)
    return ["checkpoint.quorum checkpoint"]


@damage("one witness twice is one")
def _(a):
    a.files["policy"] = policy(a)
    cosign(a, 0, 0)
    return ["checkpoint.quorum checkpoint"]


@damage("no witness")
def _(a):
    a.files["policy"] = policy(a)
    return ["checkpoint.quorum checkpoint"]


@damage("a cosignature with a bit flipped")
def _(a):
    a.files["policy"] = policy(a)
    cosign(a, 0)
    line = cosign_line(NAMES[1], W[1], a.body())
    a.files["checkpoint"] += (line[:-20] + ("A" if line[-20] != "A" else "B") + line[-19:]).encode()
    return ["checkpoint.quorum checkpoint", f"checkpoint.cosignature checkpoint {NAMES[1]}"]


@damage("a wrong cosignature beside enough right ones")
def _(a):
    a.files["policy"] = policy(a)
    cosign(a, 0, 2)
    a.files["checkpoint"] += cosign_line(NAMES[1], W[1], b"another body\n").encode()
    return [f"checkpoint.cosignature checkpoint {NAMES[1]}"]


@damage("a cosignature over an older head")
def _(a):
    a.files["policy"] = policy(a, "w0")
    a.files["checkpoint"] += cosign_line(NAMES[0], W[0], a.head(20).split(b"\n\n")[0] + b"\n").encode()
    return [f"checkpoint.cosignature checkpoint {NAMES[0]}", "checkpoint.quorum checkpoint"]


@damage("a cosignature under another's name is nobody's")
def _(a):
    a.files["policy"] = policy(a, "w0")
    a.files["checkpoint"] += cosign_line(NAMES[0], STRANGER, a.body()).encode()
    return ["checkpoint.quorum checkpoint"]


@damage("a cosignature of a wrong length")
def _(a):
    a.files["policy"] = policy(a, "none")
    a.files["checkpoint"] += f"\u2014 {NAMES[0]} {b64(note_id(NAMES[0], W[0], 4) + bytes(64))}\n".encode()
    return [f"checkpoint.cosignature checkpoint {NAMES[0]}"]


@damage("a plain signature with a witness's key is no cosignature")
def _(a):
    a.files["policy"] = policy(a, "w0")
    a.files["checkpoint"] += note_line(NAMES[0], W[0], a.body()).encode()
    return ["checkpoint.quorum checkpoint"]


@damage("a group of all, one is missing")
def _(a):
    a.files["policy"] = policy(a, "all")
    cosign(a, 0, 2, 3)
    return ["checkpoint.quorum checkpoint"]


@damage("a group of groups: clean")
def _(a):
    a.files["policy"] = policy(a, "both", more="group both all two all\n")
    cosign(a, 0, 1)
    return []


@damage("a policy of one's own asks for more")
def _(a):
    a.policy = policy(a, "all")
    return ["checkpoint.quorum checkpoint"]


@damage("a policy of one's own asks for less: clean")
def _(a):
    a.files["policy"] = policy(a)
    a.policy = policy(a, "none")
    return []


@damage("a policy of one's own names another log")
def _(a):
    a.policy = policy(a, "none", vkey(a.origin, STRANGER))
    return ["log.key policy", "checkpoint.signature checkpoint"]


@damage("a policy of one's own that is none: unusable")
def _(a):
    a.policy = b"quorum none"
    return 2


@damage("a policy of one's own without a log: unusable")
def _(a):
    a.policy = b"quorum none\n"
    return 2


@damage("the log's key as given: clean")
def _(a):
    a.args = ["--log", vkey(a.origin, a.base.log_key)]
    return []


@damage("another log's key given")
def _(a):
    a.args = ["--log", vkey(a.origin, STRANGER)]
    return ["log.key policy", "checkpoint.signature checkpoint"]


@damage("the log's key given under another name")
def _(a):
    a.args = ["--log", vkey("other.example/x/y", a.base.log_key)]
    return ["log.key policy", "log.origin checkpoint", "checkpoint.signature checkpoint"]


@damage("a --log that is none: unusable")
def _(a):
    a.args = ["--log", vkey(a.origin, a.base.log_key)[:-1]]
    return 2


@damage("--log and --policy of two logs: unusable")
def _(a):
    a.policy = policy(a, "none")
    a.args = ["--log", vkey(a.origin, STRANGER)]
    return 2


@damage("no root key: unusable")
def _(a):
    a.root_keys = []
    return 2


@damage("an option that there is not: unusable")
def _(a):
    a.args = ["--fast"]
    return 2


@damage("a root key that is not there: unusable")
def _(a):
    a.root_keys = ["none.key"]
    return 2


@damage("five root keys: unusable")
def _(a):
    a.root_keys = ["root.key"] * 5
    return 2


@damage("a root key that is none: unusable")
def _(a):
    a.root_keys = ["ca.crt"]
    return 2


# ---- policy ----
@damage("no policy file")
def _(a):
    del a.files["policy"]
    return ["file.missing policy"]


@damage("no policy file, the key given")
def _(a):
    del a.files["policy"]
    a.args = ["--log", vkey(a.origin, a.base.log_key)]
    return ["file.missing policy"]


@damage("no policy file and a checkpoint that nobody signed: the key is not known")
def _(a):
    del a.files["policy"]
    a.checkpoint(key=STRANGER)
    return ["file.missing policy"]


for title, text in (("empty", b""), ("without a newline at its end", None), ("without a quorum", b""), ("rubbish", b"\xff\xfe\n")):
    @damage(f"a policy {title}")
    def _(a, title=title, text=text):
        whole = a.files["policy"]
        a.files["policy"] = {"without a newline at its end": whole[:-1],
                             "without a quorum": whole.replace(b"quorum none\n", b"")}.get(title, text)
        return ["policy.syntax policy"]


@damage("a policy with two logs")
def _(a):
    a.files["policy"] += f"log {vkey('other.example/x/y', STRANGER)}\n".encode()
    return ["policy.syntax policy"]


@damage("a policy without a log")
def _(a):
    a.files["policy"] = b"quorum none\n"
    return ["policy.syntax policy"]


@damage("a policy with a comment and blank lines: clean")
def _(a):
    a.files["policy"] = b"# as printed\n\n  \t\n" + a.files["policy"].replace(b"quorum none", b"quorum\tnone  ")
    return []


@damage("a policy whose vkey is cut")
def _(a):
    line, rest = a.files["policy"].split(b"\n", 1)
    a.files["policy"] = line[:-1] + b"\n" + rest
    return ["policy.syntax policy"]


@damage("a policy of another key: the archive contradicts itself")
def _(a):
    a.files["policy"] = f"log {vkey(a.origin, STRANGER)}\nquorum none\n".encode()
    return ["checkpoint.signature checkpoint"]


@damage("a policy of another name")
def _(a):
    a.files["policy"] = f"log {vkey('other.example/x/y', a.base.log_key)}\nquorum none\n".encode()
    return ["log.origin checkpoint", "checkpoint.signature checkpoint"]


@damage("a policy with a key id that is not the key's")
def _(a):
    text = a.files["policy"].decode()
    at = text.index("+") + 1
    a.files["policy"] = (text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:]).encode()
    return ["policy.syntax policy"]


@damage("a policy over its limit")
def _(a):
    a.files["policy"] = b"#" + b" " * (64 << 10) + b"\n" + a.files["policy"]
    return ["policy.syntax policy"]


# ---- checkpoint ----
def syntax(title, change):
    @damage(f"a checkpoint {title}")
    def _(a):
        a.files["checkpoint"] = change(a.files["checkpoint"])
        return ["checkpoint.syntax checkpoint"]


def lines(data, at, text):
    parts = data.split(b"\n")
    parts[at] = text(parts[at]) if callable(text) else text
    return b"\n".join(parts)


syntax("that is empty", lambda d: b"")
syntax("of rubbish", lambda d: b"\xff" * 300)
syntax("with CR before its line feeds", lambda d: d.replace(b"\n", b"\r\n"))
syntax("with a leading zero in its size", lambda d: lines(d, 1, lambda x: b"0" + x))
syntax("with a plus in its size", lambda d: lines(d, 1, lambda x: b"+" + x))
syntax("with a space in its size", lambda d: lines(d, 1, lambda x: x + b" "))
syntax("of size 2^32", lambda d: lines(d, 1, b"4294967296"))
syntax("of size 2^64", lambda d: lines(d, 1, b"18446744073709551616"))
syntax("of no size", lambda d: lines(d, 1, b""))
syntax("whose root is short", lambda d: lines(d, 2, lambda x: x[:-4]))
syntax("whose root has unused bits", lambda d: lines(d, 2, lambda x: x[:-2] + bytes([x[-2] + 1]) + b"="))
syntax("whose root is in the other alphabet", lambda d: lines(d, 2, b"-_" * 21 + b"8="))
syntax("with a fourth line", lambda d: lines(d, 2, lambda x: x + b"\nextension"))
syntax("without its empty line", lambda d: d.replace(b"\n\n", b"\n"))
syntax("without a signature line", lambda d: d[:d.index(b"\n\n") + 2])
syntax("whose last line does not end", lambda d: d[:-1])
syntax("with rubbish behind", lambda d: d + b"x\n")
syntax("with an empty line behind", lambda d: d + b"\n")
syntax("with a hyphen for the dash", lambda d: d.replace("\u2014".encode(), b"-"))
syntax("with a signature of four bytes", lambda d: d + "\u2014 x AAAAAA==\n".encode())
syntax("with a signature that is no base64", lambda d: d + "\u2014 x AAAAAAAA!\n".encode())
syntax("with a signer without a name", lambda d: d + "\u2014  AAAAAAAA\n".encode())
syntax("with a plus in a signer's name", lambda d: d + "\u2014 a+b AAAAAAAA\n".encode())
syntax("with a space in its origin", lambda d: lines(d, 0, b"a b"))
syntax("with a plus in its origin", lambda d: lines(d, 0, b"a+b"))
syntax("with an origin that is not ASCII", lambda d: lines(d, 0, "انتخابات".encode()))
syntax("with an empty origin", lambda d: lines(d, 0, b""))
syntax("with an origin of 201 bytes", lambda d: lines(d, 0, b"x" * 201))
syntax("over 4096 bytes", lambda d: d + "\u2014 other.example AAAAAAAA\n".encode() * 200)


@damage("a checkpoint over the limit of a file")
def _(a):
    a.files["checkpoint"] += b"\n" * ((64 << 20) + 1)
    return ["file.size checkpoint"]


@damage("a checkpoint with a line of somebody else: clean")
def _(a):
    a.checkpoint(more=note_line("somebody.example", STRANGER, a.body()))
    return []


@damage("the log's line twice: clean")
def _(a):
    a.checkpoint(more=note_line(a.origin, a.base.log_key, a.body()))
    return []


@damage("a second line of the log that does not verify")
def _(a):
    a.checkpoint(more=note_line(a.origin, a.base.log_key, b"something else\n"))
    return ["checkpoint.signature checkpoint"]


@damage("a line of the log's name by another key beside: clean")
def _(a):
    a.checkpoint(more=note_line(a.origin, STRANGER, a.body()))
    return []


@damage("signed by another key")
def _(a):
    a.checkpoint(key=STRANGER)
    return ["checkpoint.signature checkpoint"]


@damage("another key under the id of the log's")
def _(a):
    body = a.body()
    sig = STRANGER.sign(body).signature
    a.files["checkpoint"] = body + b"\n" + f"\u2014 {a.origin} {b64(note_id(a.origin, a.base.log_key) + sig)}\n".encode()
    return ["checkpoint.signature checkpoint"]


@damage("a signature of 63 bytes")
def _(a):
    body = a.body()
    sig = a.base.log_key.sign(body).signature[:63]
    a.files["checkpoint"] = body + b"\n" + f"\u2014 {a.origin} {b64(note_id(a.origin, a.base.log_key) + sig)}\n".encode()
    return ["checkpoint.signature checkpoint"]


@damage("a bit of the checkpoint's root flipped")
def _(a):
    root = hashlib.sha256(b"another").digest()
    a.files["checkpoint"] = lines(a.files["checkpoint"], 2, b64(root).encode())
    return ["checkpoint.signature checkpoint", "checkpoint.root checkpoint"]


@damage("a signed checkpoint of another root")
def _(a):
    a.checkpoint(root=hashlib.sha256(b"another").digest())
    return ["checkpoint.root checkpoint"]


@damage("a signed checkpoint of another origin")
def _(a):
    a.checkpoint(origin="tally.example/other/rehearsal")
    return ["log.origin checkpoint", "checkpoint.signature checkpoint"]


@damage("a checkpoint of another origin, signed in the log's name")
def _(a):
    a.checkpoint(origin="tally.example/other/rehearsal", name_=a.origin)
    return ["log.origin checkpoint"]


@damage("a checkpoint of the official phase, with its policy")
def _(a):
    origin = a.origin.replace("/rehearsal", "/official")
    a.checkpoint(origin=origin)
    a.files["policy"] = f"log {vkey(origin, a.base.log_key)}\nquorum none\n".encode()
    return ["log.origin checkpoint"]


def wanted_at(a, size):
    """Names of the last files at another size that are not there."""
    n, width = tiles(size)[-1]
    return [f"file.missing {name(base, n, width)}" for base in ("tile/0", "tile/entries", "bundle")]


@damage("a signed checkpoint one entry ahead of the files")
def _(a):
    a.checkpoint(size=len(a.leaves) + 1)
    return wanted_at(a, len(a.leaves) + 1)


@damage("a signed checkpoint one entry behind, its partial files gone")
def _(a):
    a.files["checkpoint"] = a.head(len(a.leaves) - 1)
    return wanted_at(a, len(a.leaves) - 1)


@damage("a signed checkpoint one entry behind, with its files: clean")
def _(a):
    keep = {p: d for p, d in a.files.items() if p.startswith(("tile/", "bundle/"))}
    a.leaves.pop()
    a.envelopes.pop()
    a.rebuild()
    a.files.update(keep)
    return []


@damage("a checkpoint of size 0")
def _(a):
    a.files["checkpoint"] = a.head(0)
    return ["leaf.genesis entry 0"]


@damage("a checkpoint of size 0 with a root")
def _(a):
    a.files["checkpoint"] = a.head(0, root=bytes(32))
    return ["leaf.genesis entry 0", "checkpoint.root checkpoint"]


@damage("a log of the genesis alone: clean")
def _(a):
    del a.leaves[1:], a.envelopes[1:]
    a.rebuild()
    return []


@damage("a log of exactly 256 entries: clean")
def _(a):
    del a.leaves[256:], a.envelopes[256:]
    a.rebuild()
    return []


@damage("a log of 257 entries: clean")
def _(a):
    del a.leaves[257:], a.envelopes[257:]
    a.rebuild()
    return []


@damage("an unsigned checkpoint of 30000 entries")
def _(a):
    a.files["checkpoint"] = lines(a.files["checkpoint"], 1, b"30000")
    wanted = ["checkpoint.signature checkpoint"]
    size, level = 30000, 0
    while size:
        for n, width in tiles(size):
            if level == 0:
                wanted += [f"file.missing {name(base, n, width)}" for base in ("tile/entries", "bundle")
                           if name(base, n, width) not in a.files]
            if name(f"tile/{level}", n, width) not in a.files:
                wanted.append(f"file.missing {name(f'tile/{level}', n, width)}")
        size, level = size >> 8, level + 1
    return wanted


@damage("the tree of another log of the same key beside this checkpoint")
def _(a):
    keep = a.files["checkpoint"]
    i, j = a.plain(0), a.plain(1)
    a.leaves[i], a.leaves[j] = a.leaves[j], a.leaves[i]
    a.envelopes[i], a.envelopes[j] = a.envelopes[j], a.envelopes[i]
    t, u = (x.split(b"accepted ")[1].split(b"\n")[0].decode() for x in (a.leaves[i], a.leaves[j]))
    a.line(i, "accepted", u)
    a.line(j, "accepted", t)
    a.rebuild()
    a.files["checkpoint"] = keep
    return ["checkpoint.root checkpoint"]


@damage("a byte of the checkpoint's signature")
def _(a):
    text = a.files["checkpoint"]
    a.files["checkpoint"] = text[:-12] + (b"B" if text[-12:-11] == b"A" else b"A") + text[-11:]
    return ["checkpoint.signature checkpoint"]
