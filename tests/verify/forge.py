# SPDX-License-Identifier: Apache-2.0
"""A published archive that can be forged: whoever operates the log has its key and every key of the rehearsal, and makes
tiles, root and checkpoint anew around what was changed (doc/formats.md and RFC 6962 alone).

    a = Forge(Base(DIR))        DIR: an enrolled election with log/ (the published folder) and keys/
    a.files                     path: bytes; changed at will
    a.leaves, a.envelopes       texts and bytes (None: withheld); rebuild() makes files of them
"""
import base64
import copy
import hashlib
import json
import sys
from pathlib import Path

from nacl.signing import SigningKey

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from client import BUNDLE, Election, dumps, envelope, pae, seed_of  # noqa: E402,F401
from decide import DECISION  # noqa: E402
from publog import WITHHELD, Log, name, node, root_of, tiles  # noqa: E402,F401

PACKAGE = "application/vnd.tally.package.v1+json"
DEFINITION = ("areas.csv", "ballots.csv", "branches.csv", "candidates.csv", "contests.csv", "election.json", "lists.csv")
REGISTRY = ("clients.csv", "officers.csv", "terminals.csv")
DASH = "\u2014"
STRANGER = SigningKey(hashlib.sha256(b"stranger").digest())


def sha(data):
    return hashlib.sha256(data).hexdigest()


def b64(data):
    return base64.b64encode(data).decode()


def keyid(key):
    return sha(bytes(key.verify_key))


def note_id(origin, key, kind=1):
    return hashlib.sha256(origin.encode() + b"\n" + bytes([kind]) + bytes(key.verify_key)).digest()[:4]


def note_line(origin, key, body):
    return f"{DASH} {origin} {b64(note_id(origin, key) + key.sign(body).signature)}\n"


def cosign_line(witness, key, body, time=1795779999):
    message = f"cosignature/v1\ntime {time}\n".encode() + body
    return f"{DASH} {witness} {b64(note_id(witness, key, 4) + time.to_bytes(8, 'big') + key.sign(message).signature)}\n"


def vkey(origin, key, kind=1):
    return f"{origin}+{note_id(origin, key, kind).hex()}+{b64(bytes([kind]) + bytes(key.verify_key))}"


class Base:
    """An archive as it was published, read once."""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.e = Election(directory)
        log = self.dir / "log"
        self.files = {str(p.relative_to(log)): p.read_bytes() for p in sorted(log.rglob("*"))
                      if p.is_file() and not p.name.startswith(".")}
        size = int(self.files["checkpoint"].split(b"\n")[1])
        for path in list(self.files):  # older partial files come and go with time: the table must not
            base, part, width = path.rpartition(".p/")
            if part and int(width) != width_of(base, size):
                del self.files[path]
        reader = Log(lambda path: self.files[path])
        self.leaves, self.envelopes = reader.leaves(), reader.envelopes()
        self.root_key, self.log_key = (SigningKey(seed_of(self.dir / f"keys/{k}.key")) for k in ("root", "log"))
        self.keys = {keyid(self.e.key(t)): self.e.key(t) for t in self.e.seeds}
        for n in range(2):  # those of verify_night.py
            key = SigningKey(hashlib.sha256(b"new key %d" % n).digest())
            self.keys[keyid(key)] = key
        for officer in self.e.officers:
            key = self.e.officer_key(officer)
            self.keys[keyid(key)] = key
        self.receipts = {p.name: p.read_bytes() for p in sorted((self.dir / "receipts").iterdir())}
        self.since = (self.dir / "since.note").read_bytes()
        self.facts = [facts(leaf) for leaf in self.leaves]
        self.quiet = max(i for i, f in enumerate(self.facts) if f["kind"] not in ("bundle", "conflict"))  # then plain bundles


def width_of(base, size):
    """The width of the last tile of the base's level ("tile/0/001"), or 0."""
    where = base.split("/")
    level = int(where[1]) if where[0] == "tile" and where[1] != "entries" else 0
    return (size >> 8 * level) % 256


def facts(leaf):
    return dict(line.split(" ", 1) for line in leaf.decode().splitlines() if " " in line)


class Forge:
    def __init__(self, base):
        self.base, self.e = base, base.e
        self.files, self.leaves, self.envelopes = dict(base.files), list(base.leaves), list(base.envelopes)
        self.args, self.receipts, self.since, self.policy, self.raw = [], None, {}, None, None
        self.root_keys = ["root.key"]
        self.about = copy.deepcopy(base.e.about)
        self.origin = f"{self.about['domain']}/{self.about['election']}/{self.about['phase']}"

    # ---- looking ----
    def kind(self, i):
        return facts(self.leaves[i])["kind"]

    def of(self, kind, n=0):
        """The position of the n-th entry of a kind."""
        return [i for i, f in enumerate(self.base.facts) if f["kind"] == kind][n]

    def plain(self, n=0):
        """A bundle that stands for itself: revision 1 of a branch without anything else, published and nothing held, its
        contests not the business of a decision."""
        def lonely(i, f):
            return f["kind"] == "bundle" and "held" not in f and self.base.envelopes[i] and i > self.base.quiet and \
                sum(g.get("branch") == f["branch"] for g in self.base.facts) == 1
        return [i for i, f in enumerate(self.base.facts) if lonely(i, f)][n]

    def payload(self, i):
        return json.loads(base64.b64decode(json.loads(self.envelopes[i])["payload"]))

    def signers(self, i):
        return [self.base.keys[s["keyid"]] for s in json.loads(self.envelopes[i])["signatures"]]

    # ---- forging ----
    def line(self, i, key, value, n=0):
        """Sets the n-th line `key` of a leaf; None: takes it out."""
        lines = self.leaves[i].decode().split("\n")
        at = [k for k, line in enumerate(lines) if line.startswith(key + " ")][n]
        lines[at:at + 1] = [] if value is None else [f"{key} {value}"]
        self.leaves[i] = "\n".join(lines).encode()

    def text(self, i, text):
        """The document of an entry becomes these bytes; its leaf names them."""
        self.envelopes[i] = text
        self.line(i, "envelope", f"{sha(text)} {len(text)}")

    def document(self, i, payload, keys=None, kind=None, keyids=None):
        """Signs a document anew; payload: an object, or bytes."""
        body = payload if isinstance(payload, bytes) else dumps(payload)
        kind = kind or json.loads(self.envelopes[i])["payloadType"]
        text = envelope(body, self.signers(i) if keys is None else keys, kind, keyids)
        self.line(i, "payload", f"{sha(body)} {len(body)}")
        self.text(i, text)

    def edit(self, i, change, **options):
        """Changes an entry's payload by a function and signs it anew."""
        payload = self.payload(i)
        new = change(payload)
        self.document(i, payload if new is None else new, **options)

    def officers(self, *names):
        return [self.e.officer_key(n) for n in names]

    def accepted(self):
        return int(facts(self.leaves[-1])["accepted"])

    def append(self, leaf, text):
        self.leaves.append(leaf)
        self.envelopes.append(text)
        return len(self.leaves) - 1

    def bundle(self, branch, terminal=None, keys=None, kind="bundle", first=None, held=(), **changes):
        """One more bundle, or conflict: the branch's recorded payload with changes."""
        payload = self.e.payload(branch)
        terminal = terminal or self.e.terminal_of(branch)
        payload["terminal"] = terminal
        payload.update(changes)
        keys = keys or [self.e.key(terminal)]
        body = dumps(payload)
        text = envelope(body, keys)
        prev = payload["prev"] or "-"
        leaf = (f"tally/leaf/v1\nkind {kind}\nelection {self.about['election']}\nbranch {branch}\nrevision {payload['revision']}\n"
                f"prev {prev}\nkey {keyid(keys[0])}\npayload {sha(body)} {len(body)}\nenvelope {sha(text)} {len(text)}\n"
                f"accepted {self.accepted()}\nterminal {terminal}\n" + "".join(f"held {h}\n" for h in held))
        if kind == "conflict":
            leaf += f"first {first}\n"
        return self.append(leaf.encode(), text)

    def decision(self, kind, target, signers, position=None, lines=None, **changes):
        """One more decision."""
        document = {"election": self.about["election"], "phase": self.about["phase"], "kind": kind, "target": target,
                    "reason": "forged", "position": len(self.leaves) if position is None else position, "made_at": 1795780000,
                    "salt": f"{len(self.leaves):032x}", **changes}
        body = dumps(document)
        text = envelope(body, self.officers(*signers), DECISION)
        shown = {"certify": ("contest", "at", "result"), "state": ("state", "until"),
                 "key": ("action", "terminal", "branch", "signing_key", "certificate", "not_before", "not_after")
                 }.get(kind, ("branch", "contest", "candidate"))
        lines = lines or "".join(f"{k} {target[k]}\n" for k in shown if k in target)
        leaf = (f"tally/leaf/v1\nkind {kind}\nelection {self.about['election']}\npayload {sha(body)} {len(body)}\n"
                f"envelope {sha(text)} {len(text)}\naccepted {self.accepted()}\n{lines}")
        return self.append(leaf.encode(), text)

    def keyed(self):
        """leaf.key of the bundles that hang on a `key` decision of the night, when none of them is in force."""
        by = {f["terminal"]: i for i, f in enumerate(self.base.facts) if f["kind"] == "key" and f["action"] != "revoke"}
        return [f"leaf.key entry {i}" for i, f in enumerate(self.base.facts)
                if f["kind"] == "bundle" and by.get(f["terminal"], i) < i]

    def missing(self):
        """A branch with an active terminal of which nothing is logged, free of the business of others."""
        seen = {f.get("branch") for f in map(facts, self.leaves)}
        return next(b for b in self.e.branches if b not in seen)

    # ---- files ----
    def put(self, base, pieces, prefix):
        for n, width in tiles(len(pieces)):
            data = b""
            for piece in pieces[n * 256:n * 256 + width]:
                data += WITHHELD.to_bytes(4, "big") if piece is None else len(piece).to_bytes(prefix, "big") + piece
            self.files[name(base, n, width)] = data

    def rebuild(self, sign=True):
        """All files of the log from leaves and envelopes, and a signed checkpoint."""
        for path in [p for p in self.files if p.startswith(("tile/", "bundle/"))]:
            del self.files[path]
        self.put("tile/entries", self.leaves, 2)
        self.put("bundle", self.envelopes, 4)
        hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in self.leaves]
        root, level = root_of(hashes) if hashes else hashlib.sha256().digest(), 0
        while hashes:
            for n, width in tiles(len(hashes)):
                self.files[name(f"tile/{level}", n, width)] = b"".join(hashes[n * 256:n * 256 + width])
            hashes = [root_of(hashes[i:i + 256]) for i in range(0, len(hashes) // 256 * 256, 256)]
            level += 1
        if sign:
            self.checkpoint(len(self.leaves), root)

    def body(self, size=None, root=None, origin=None):
        old = self.files["checkpoint"].split(b"\n")
        size = old[1].decode() if size is None else size
        root = old[2].decode() if root is None else b64(root)
        return f"{origin or self.origin}\n{size}\n{root}\n".encode()

    def checkpoint(self, size=None, root=None, origin=None, key=None, name_=None, more=""):
        body = self.body(size, root, origin)
        line = note_line(name_ or origin or self.origin, key or self.base.log_key, body)
        self.files["checkpoint"] = body + b"\n" + line.encode() + more.encode()

    def package(self, kind):
        """Signs a package of the archive anew by the root key; genesis follows."""
        files = DEFINITION if kind == "definition" else REGISTRY
        text = "".join(f"{sha(self.files[f'doc/{kind}/{f}'])}  {f}\n" for f in sorted(files))
        digest = sha(text.encode())
        payload = dumps({"package": kind, "election": self.about["election"], "hash": digest})
        self.files[f"doc/{kind}/signatures.dsse"] = envelope(payload, [self.base.root_key], PACKAGE)
        self.line(0, kind, digest)
        return digest

    def receipt(self, i, leaf=None, index=None, size=None, note=None):
        """A receipt of entry i against the archive's checkpoint."""
        hashes = [hashlib.sha256(b"\x00" + x).digest() for x in self.leaves[:size]]
        lines = ["c2sp.org/tlog-proof@v1", "extra " + b64(self.leaves[i] if leaf is None else leaf),
                 f"index {i if index is None else index}"] + [b64(h) for h in path_of(hashes, i)]
        return ("\n".join(lines) + "\n\n").encode() + (self.files["checkpoint"] if note is None else note)

    def head(self, size, origin=None, key=None, root=None):
        """A signed checkpoint of a smaller size of this log."""
        hashes = [hashlib.sha256(b"\x00" + x).digest() for x in self.leaves[:size]]
        root = root or (root_of(hashes) if hashes else hashlib.sha256().digest())
        body = self.body(size, root, origin)
        return body + b"\n" + note_line(origin or self.origin, key or self.base.log_key, body).encode()


def path_of(hashes, i):
    """RFC 6962 2.1.1."""
    if len(hashes) == 1:
        return []
    k = 1 << (len(hashes) - 1).bit_length() - 1
    if i < k:
        return path_of(hashes[:k], i) + [root_of(hashes[k:])]
    return path_of(hashes[k:], i - k) + [root_of(hashes[:k])]
