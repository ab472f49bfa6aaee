# SPDX-License-Identifier: Apache-2.0
"""Definition and registry: files, hash, signatures, content; and the genesis that names them."""
import base64
import json

from forge import DEFINITION, PACKAGE, REGISTRY, STRANGER, dumps, envelope
from rows import damage, flip

KINDS = {"definition": DEFINITION, "registry": REGISTRY}
FOLDER = {kind: f"doc/{kind}" for kind in KINDS}

for kind, files in KINDS.items():
    for file in (*files, "signatures.dsse"):
        @damage(f"{kind}/{file} is missing")
        def _(a, path=f"doc/{kind}/{file}"):
            del a.files[path]
            return [f"package.files {path}"]

    @damage(f"{kind}: all of it is missing")
    def _(a, kind=kind, files=files):
        for file in (*files, "signatures.dsse"):
            del a.files[f"doc/{kind}/{file}"]
        return [f"package.files doc/{kind}/{file}" for file in (*files, "signatures.dsse")]

    @damage(f"{kind}: files too many")
    def _(a, kind=kind):
        for name in ("notes.txt", "sub/areas.csv", "areas.csv~"):
            a.files[f"doc/{kind}/{name}"] = b"x"
        return [f"package.files doc/{kind}/{name}" for name in ("notes.txt", "sub/areas.csv", "areas.csv~")]

    for file in [f for f in files if f.endswith(".csv") and f != "lists.csv"]:
        @damage(f"{kind}/{file}, a line feed behind: the hash is another")
        def _(a, kind=kind, file=file):
            a.files[f"doc/{kind}/{file}"] += b"\n"
            return [f"package.hash doc/{kind}", f"package.content doc/{kind}"]

        @damage(f"{kind}/{file}, CR before line feeds, signed by the root")
        def _(a, kind=kind, file=file):
            a.files[f"doc/{kind}/{file}"] = a.files[f"doc/{kind}/{file}"].replace(b"\n", b"\r\n")
            a.package(kind)
            a.rebuild()
            return [f"package.content doc/{kind}"]

        @damage(f"{kind}/{file}, its header changed, signed by the root")
        def _(a, kind=kind, file=file):
            a.files[f"doc/{kind}/{file}"] = a.files[f"doc/{kind}/{file}"].replace(b",", b";", 1)
            a.package(kind)
            a.rebuild()
            return [f"package.content doc/{kind}"]

    @damage(f"{kind}: signed by a stranger")
    def _(a, kind=kind):
        payload = base64.b64decode(json.loads(a.files[f"doc/{kind}/signatures.dsse"])["payload"])
        a.files[f"doc/{kind}/signatures.dsse"] = envelope(payload, [STRANGER], PACKAGE)
        return [f"package.signature doc/{kind}"]

    @damage(f"{kind}: a stranger's signature in the root key's name")
    def _(a, kind=kind):
        signed = json.loads(a.files[f"doc/{kind}/signatures.dsse"])
        payload = base64.b64decode(signed["payload"])
        a.files[f"doc/{kind}/signatures.dsse"] = envelope(payload, [STRANGER], PACKAGE, [signed["signatures"][0]["keyid"]])
        return [f"package.signature doc/{kind}"]

    @damage(f"{kind}: a stranger's signature beside the root's: clean")
    def _(a, kind=kind):
        payload = base64.b64decode(json.loads(a.files[f"doc/{kind}/signatures.dsse"])["payload"])
        a.files[f"doc/{kind}/signatures.dsse"] = envelope(payload, [STRANGER, a.base.root_key], PACKAGE)
        return []

    @damage(f"{kind}: the root's signature without a key id, and line feeds behind: clean")
    def _(a, kind=kind):
        payload = base64.b64decode(json.loads(a.files[f"doc/{kind}/signatures.dsse"])["payload"])
        a.files[f"doc/{kind}/signatures.dsse"] = envelope(payload, [a.base.root_key], PACKAGE, ["x"]) + b"\n\n\n"
        return []

    @damage(f"{kind}: another spelling of what was signed: clean")
    def _(a, kind=kind):
        payload = json.loads(base64.b64decode(json.loads(a.files[f"doc/{kind}/signatures.dsse"])["payload"]))
        text = json.dumps(dict(reversed(payload.items())), indent=3).replace("a", "\\u0061", 1).encode()
        a.files[f"doc/{kind}/signatures.dsse"] = envelope(text, [a.base.root_key], PACKAGE)
        return []

    def signed_as(title, change, wanted, kind=kind):
        @damage(f"{kind}: signed as {title}")
        def _(a):
            payload = json.loads(base64.b64decode(json.loads(a.files[f"doc/{kind}/signatures.dsse"])["payload"]))
            new = change(payload)
            a.files[f"doc/{kind}/signatures.dsse"] = envelope(new if isinstance(new, bytes) else dumps(new),
                                                              [a.base.root_key], PACKAGE)
            return [f"{w} doc/{kind}" for w in wanted]

    signed_as("another election", lambda p: {**p, "election": "other"}, ["package.signature"])
    signed_as("another hash", lambda p: {**p, "hash": "0" * 64}, ["package.hash"])
    signed_as("a hash in capitals", lambda p: {**p, "hash": p["hash"].upper()}, ["package.hash"])
    signed_as("another election and hash", lambda p: {**p, "election": "other", "hash": "x"}, ["package.hash", "package.signature"])
    signed_as("the other package", lambda p: {**p, "package": "registry" if p["package"] == "definition" else "definition"},
              ["package.signature"])
    signed_as("something with a key more", lambda p: {**p, "more": 1}, ["package.signature"])
    signed_as("something without its hash", lambda p: {k: v for k, v in p.items() if k != "hash"}, ["package.signature"])
    signed_as("something with a key twice", lambda p: dumps(p)[:-1] + b',"hash":"0"}', ["package.signature"])
    signed_as("a hash that is a number", lambda p: {**p, "hash": 7}, ["package.signature"])
    signed_as("no JSON", lambda p: dumps(p) + b"}", ["package.signature"])
    signed_as("an array", lambda p: dumps([p]), ["package.signature"])

    @damage(f"{kind}: an envelope of another type")
    def _(a, kind=kind):
        payload = base64.b64decode(json.loads(a.files[f"doc/{kind}/signatures.dsse"])["payload"])
        a.files[f"doc/{kind}/signatures.dsse"] = envelope(payload, [a.base.root_key], PACKAGE.replace("package", "decision"))
        return [f"package.signature doc/{kind}"]

    @damage(f"{kind}: a signature with a bit flipped")
    def _(a, kind=kind):
        path = f"doc/{kind}/signatures.dsse"
        at = a.files[path].index(b'"sig":"') + 10
        a.files[path] = flip(a.files[path], at, 2)
        return [f"package.signature doc/{kind}"]

    for title, text in (("empty", b""), ("rubbish", b"{"), ("over 64 KiB", b" " * (64 << 10) + b"{}")):
        @damage(f"{kind}: signatures.dsse is {title}")
        def _(a, kind=kind, text=text):
            a.files[f"doc/{kind}/signatures.dsse"] = text
            return [f"package.signature doc/{kind}"]


@damage("definition: another root key is given")
def _(a):
    a.root_keys = ["officers/commission1.key"]
    return ["package.signature doc/definition", "package.signature doc/registry"]


@damage("two root keys are given, one signed: clean")
def _(a):
    a.root_keys = ["officers/commission1.key", "root.key"]
    return []


def election_json(a, old, new):
    path = "doc/definition/election.json"
    assert old in a.files[path], old
    a.files[path] = a.files[path].replace(old, new)
    a.package("definition")


@damage("the policy asks for two root keys, one signed")
def _(a):
    election_json(a, b'"root":1', b'"root":2')
    a.rebuild()
    a.line(0, "definition", a.base.facts[0]["definition"])
    a.rebuild()
    return ["package.signature doc/definition", "package.signature doc/registry"]


@damage("the same root key twice is one")
def _(a):
    election_json(a, b'"root":1', b'"root":2')
    for kind in KINDS:
        payload = base64.b64decode(json.loads(a.files[f"doc/{kind}/signatures.dsse"])["payload"])
        a.files[f"doc/{kind}/signatures.dsse"] = envelope(payload, [a.base.root_key, a.base.root_key], PACKAGE)
    a.root_keys = ["root.key", "root.key"]
    return ["package.signature doc/definition", "package.signature doc/registry"]


@damage("two root keys signed, as the policy asks: the hash of the definition is another than the bundles'")
def _(a):
    election_json(a, b'"root":1', b'"root":2')
    other = a.officers("commission1")[0]
    for kind in KINDS:
        payload = base64.b64decode(json.loads(a.files[f"doc/{kind}/signatures.dsse"])["payload"])
        a.files[f"doc/{kind}/signatures.dsse"] = envelope(payload, [a.base.root_key, other], PACKAGE)
    a.root_keys = ["root.key", "officers/commission1.key"]
    del a.leaves[1:], a.envelopes[1:]
    a.rebuild()
    return []


def content(title, kind, file, change):
    @damage(f"{kind}/{file}: {title}, signed by the root")
    def _(a):
        path = f"doc/{kind}/{file}"
        new = change(a.files[path])
        assert new != a.files[path]
        a.files[path] = new
        a.package(kind)
        a.rebuild()
        return [f"package.content doc/{kind}"]


def row(data, n, change):
    lines = data.split(b"\n")
    lines[n] = change(lines[n])
    return b"\n".join(lines)


content("another key", "definition", "election.json", lambda d: d.replace(b'"election":', b'"elections":'))
content("a key twice", "definition", "election.json", lambda d: d.replace(b'"phase":', b'"phase":"official","phase":'))
content("a phase that there is not", "definition", "election.json", lambda d: d.replace(b'"rehearsal"', b'"test"'))
content("a method that there is not", "definition", "election.json", lambda d: d.replace(b'"block"', b'"bloc"', 1))
content("a parameter out of range", "definition", "election.json", lambda d: d.replace(b'"list_max":21', b'"list_max":10001'))
content("a limit out of range", "definition", "election.json", lambda d: d.replace(b'"P01_bp":300', b'"P01_bp":10001'))
content("a quorum of nobody", "definition", "election.json", lambda d: d.replace(b'"explain":{"commission":1}', b'"explain":{"commission":0}'))
content("another format", "definition", "election.json", lambda d: d.replace(b"definition/1", b"definition/2"))
content("a float", "definition", "election.json", lambda d: d.replace(b'"P01_bp":300', b'"P01_bp":300.0'))
content("a code twice", "definition", "branches.csv", lambda d: row(d, 2, lambda r: d.split(b"\n")[1].split(b",")[0] + r[r.index(b","):]))
content("a row with a field more", "definition", "branches.csv", lambda d: row(d, 1, lambda r: r + b",x"))
content("a capacity of 0", "definition", "branches.csv", lambda d: row(d, 1, lambda r: b",".join([*r.split(b",")[:3], b"0", *r.split(b",")[4:]])))
content("an area that there is not", "definition", "branches.csv", lambda d: row(d, 1, lambda r: b",".join([r.split(b",")[0], b"nowhere", *r.split(b",")[2:]])))
content("a kind that there is not", "definition", "branches.csv", lambda d: row(d, 1, lambda r: r.replace(b",fixed,", b",fixt,").replace(b",mobile,", b",mobil,")))
content("a second root", "definition", "areas.csv", lambda d: row(d, 2, lambda r: b",".join([r.split(b",")[0], b"", *r.split(b",")[2:]])))
content("seats 0", "definition", "contests.csv", lambda d: row(d, 1, lambda r: b",".join([*r.split(b",")[:3], b"0", *r.split(b",")[4:]])))
content("a rule that there is not", "definition", "contests.csv", lambda d: row(d, 1, lambda r: b",".join([*r.split(b",")[:2], b"x", *r.split(b",")[3:]])))
content("a pair twice", "definition", "ballots.csv", lambda d: d + d.split(b"\n")[1] + b"\n")
content("a contest that there is not", "definition", "ballots.csv", lambda d: d + d.split(b"\n")[1].split(b",")[0] + b",nothing\n")
content("a contest without a branch", "definition", "contests.csv", lambda d: d + b"lonely" + d.split(b"\n")[1][d.split(b"\n")[1].index(b","):] + b"\n")
content("a candidate twice", "definition", "candidates.csv", lambda d: d + d.split(b"\n")[1] + b"\n")
content("a candidate of no contest", "definition", "candidates.csv", lambda d: d + b"nothing,1,,x,x\n")
content("a list that there is not", "definition", "candidates.csv", lambda d: d + d.split(b"\n")[1].split(b",")[0] + b",zz,nolist,x,x\n")
content("text that is not UTF-8", "definition", "candidates.csv", lambda d: row(d, 1, lambda r: r + b"\xff"))
content("a quote that does not end", "definition", "candidates.csv", lambda d: d + b'"x')
content("a list of no contest", "definition", "lists.csv", lambda d: d + b"nothing,1,x,x\n")
content("a key in capitals", "registry", "terminals.csv", lambda d: row(d, 1, lambda r: r.replace(r.split(b",")[2], r.split(b",")[2].upper())))
content("a key of small order", "registry", "terminals.csv", lambda d: row(d, 1, lambda r: r.replace(r.split(b",")[2], b"01" + b"00" * 31)))
content("a key with a part of small order", "registry", "terminals.csv", lambda d: row(d, 1, lambda r: r.replace(
    r.split(b",")[2], b"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")))
content("a key not written canonically", "registry", "terminals.csv", lambda d: row(d, 1, lambda r: r.replace(
    r.split(b",")[2], b"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")))
content("a key twice", "registry", "terminals.csv", lambda d: row(d, 1, lambda r: r.replace(r.split(b",")[2], d.split(b"\n")[2].split(b",")[2])))
content("a certificate twice", "registry", "terminals.csv", lambda d: row(d, 1, lambda r: r.replace(r.split(b",")[3], d.split(b"\n")[2].split(b",")[3])))
content("dates the wrong way round", "registry", "terminals.csv", lambda d: row(d, 1, lambda r: b",".join([*r.split(b",")[:4], r.split(b",")[5], r.split(b",")[4], r.split(b",")[6]])))
content("a state that there is not", "registry", "terminals.csv", lambda d: row(d, 1, lambda r: r.replace(b",active", b",asleep")))
content("a branch that there is not", "registry", "terminals.csv", lambda d: row(d, 1, lambda r: b",".join([r.split(b",")[0], b"nowhere", *r.split(b",")[2:]])))
content("a role that there is not", "registry", "officers.csv", lambda d: row(d, 1, lambda r: r.replace(b",commission,", b",king,")))
content("an officer with a terminal's key", "registry", "officers.csv", lambda d: row(d, 1, lambda r: r.replace(r.split(b",")[3], b"0" * 64)))
content("an area that there is not", "registry", "officers.csv", lambda d: row(d, 1, lambda r: r.replace(b",ir,", b",mars,")))
content("a role that there is not", "registry", "clients.csv", lambda d: row(d, 1, lambda r: b",".join([r.split(b",")[0], b"spy", *r.split(b",")[2:]])))
content("a code twice", "registry", "clients.csv", lambda d: d + d.split(b"\n")[1] + b"\n")


@damage("definition and registry are exchanged")
def _(a):
    other = {p: d for p, d in a.files.items() if p.startswith("doc/")}
    for path in other:
        del a.files[path]
    for path, data in other.items():
        new = path.replace("doc/definition", "doc/x").replace("doc/registry", "doc/definition").replace("doc/x", "doc/registry")
        a.files[new] = data
    return [f"package.files doc/{kind}/{f}" for kind in KINDS for f in KINDS[kind]] + \
        [f"package.files doc/{'registry' if kind == 'definition' else 'definition'}/{f}" for kind in KINDS for f in KINDS[kind]] + \
        ["package.signature doc/definition", "package.signature doc/registry"]


@damage("the genesis names another definition")
def _(a):
    a.line(0, "definition", "0" * 64)
    a.rebuild()
    return ["genesis.package entry 0"]


@damage("the genesis names another registry")
def _(a):
    a.line(0, "registry", "0" * 64)
    a.rebuild()
    return ["genesis.package entry 0"]


@damage("the genesis names other packages")
def _(a):
    a.line(0, "definition", "0" * 64)
    a.line(0, "registry", "1" * 64)
    a.rebuild()
    return ["genesis.package entry 0"]


@damage("a faulty package: what needs none is checked all the same")
def _(a):
    a.files["doc/registry/signatures.dsse"] = b""
    i, j = a.plain(0), a.plain(1)
    a.line(i, "accepted", 5)
    a.envelopes[j] = a.envelopes[j][:-1] + b" "
    a.line(a.plain(2), "revision", 3)
    a.rebuild()
    return ["package.signature doc/registry", f"leaf.time entry {i}", f"envelope.hash entry {j}", f"revision.gap entry {a.plain(2)}"]
