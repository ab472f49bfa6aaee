# SPDX-License-Identifier: Apache-2.0
"""Forged documents of bundles, signed by the terminals' own keys: what only their content tells."""
import base64
import json

from forge import BUNDLE, STRANGER, b64, dumps, envelope, facts, keyid, sha
from rows import damage, entry


def envelope_of(title, change, wanted, base="night"):
    """The envelope's text changed; its leaf names the new one."""
    @damage(f"an envelope {title}", base)
    def _(a):
        i = a.plain(2)
        a.text(i, change(a.envelopes[i]))
        a.rebuild()
        return [f"{w} {entry(i)}" for w in wanted]


def parts(text):
    return json.loads(text)


def pack(doc):
    return json.dumps(doc, separators=(",", ":")).encode()


def changed(**changes):
    return lambda t: pack({**parts(t), **changes})


SYNTAX = ["envelope.syntax"]
envelope_of("of rubbish", lambda t: b"rubbish", SYNTAX)
envelope_of("that is cut", lambda t: t[:-1], SYNTAX)
envelope_of("with something behind", lambda t: t + b"{}", SYNTAX)
envelope_of("with a key twice", lambda t: t[:-1] + b',"payloadType":"x"}', SYNTAX)
envelope_of("without signatures", changed(signatures=[]), SYNTAX)
envelope_of("without the key signatures", lambda t: pack({k: v for k, v in parts(t).items() if k != "signatures"}), SYNTAX)
envelope_of("with five signatures", lambda t: pack({**parts(t), "signatures": parts(t)["signatures"] * 5}), SYNTAX)
envelope_of("with four signatures, all the same: clean", lambda t: pack({**parts(t), "signatures": parts(t)["signatures"] * 4}), [])
envelope_of("with a signature of 63 bytes", lambda t: pack({**parts(t), "signatures": [{"keyid": "x", "sig": b64(bytes(63))}]}), SYNTAX)
envelope_of("with a signature that is no base64", lambda t: pack({**parts(t), "signatures": [{"keyid": "x", "sig": "!" * 88}]}), SYNTAX)
envelope_of("whose payload is not padded", lambda t: pack({**parts(t), "payload": parts(t)["payload"][:-1]}), SYNTAX)
envelope_of("with an escape in its payload", lambda t: t.replace(b'"payload":"e', b'"payload":"\\u0065', 1), SYNTAX)
envelope_of("with an escape in a key", lambda t: t.replace(b'"payload"', b'"\\u0070ayload"', 1), SYNTAX)
envelope_of("that is an array", lambda t: b"[" + t + b"]", SYNTAX)
envelope_of("nested too deep", lambda t: t[:-1] + b',"x":' + b"[" * 17 + b"]" * 17 + b"}", SYNTAX)
envelope_of("with 32 unknown keys", lambda t: t[:-1] + b"".join(b',"x%d":1' % n for n in range(32)) + b"}", SYNTAX)
envelope_of("with bytes that are not UTF-8", lambda t: t[:-1] + b',"x":"\xff"}', SYNTAX)
envelope_of("with a byte order mark", lambda t: b"\xef\xbb\xbf" + t, SYNTAX)
envelope_of("over 2 MiB", lambda t: t + b" " * (2 << 20), SYNTAX)
envelope_of("with white space and unknown keys: clean",
            lambda t: b"\n\t" + t[:-1].replace(b":", b" : ", 1) + b' , "x":{"y":[1.5e3,null,"\\u0000"]}}\r\n ', [])
envelope_of("in the URL alphabet: clean", lambda t: pack({**parts(t), "payload": parts(t)["payload"].replace("+", "-").replace("/", "_")}), [])
envelope_of("with its keys in another order: clean", lambda t: pack(dict(reversed(parts(t).items()))), [])
envelope_of("of another type, as signed", lambda t: envelope(base64.b64decode(parts(t)["payload"]), [STRANGER], "application/x"),
            ["envelope.type"])
envelope_of("of the type of decisions", changed(payloadType=BUNDLE.replace("bundle", "decision")), ["envelope.type"])
envelope_of("of a type in capitals", changed(payloadType=BUNDLE.upper()), ["envelope.type"])
envelope_of("with an escape in its type, which says the same: clean", lambda t: t.replace(b'"application/vnd', b'"\\u0061pplication/vnd', 1), [])
envelope_of("with a key id that is not the key's", lambda t: pack({**parts(t), "signatures": [{**parts(t)["signatures"][0], "keyid": "0" * 64}]}),
            ["envelope.signature"])
envelope_of("without a key id", lambda t: pack({**parts(t), "signatures": [{"sig": parts(t)["signatures"][0]["sig"]}]}), ["envelope.signature"])
envelope_of("whose signature is zero", lambda t: pack({**parts(t), "signatures": [{**parts(t)["signatures"][0], "sig": b64(bytes(64))}]}),
            ["envelope.signature"])
envelope_of("with a wrong signature before the right one: clean", lambda t: pack({**parts(t), "signatures": [
    {**parts(t)["signatures"][0], "sig": b64(bytes(64))}, parts(t)["signatures"][0]]}), [])
envelope_of("with another payload and the old signature", lambda t: pack({**parts(t), "payload": b64(
    base64.b64decode(parts(t)["payload"]).replace(b'"blank":', b'"blank": '))}), ["payload.hash"])


@damage("a signature whose s is not reduced")
def _(a):
    i = a.plain(2)
    doc = parts(a.envelopes[i])
    sig = base64.b64decode(doc["signatures"][0]["sig"])
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(sig[32:], "little") + order
    doc["signatures"][0]["sig"] = b64(sig[:32] + s.to_bytes(32, "little"))
    a.text(i, pack(doc))
    a.rebuild()
    return [f"envelope.signature {entry(i)}"]


@damage("the envelope of another bundle, leaf untouched")
def _(a):
    i, j = a.plain(2), a.plain(3)
    a.envelopes[i] = a.envelopes[j]
    a.rebuild()
    return [f"envelope.hash {entry(i)}"]


@damage("two envelopes exchanged")
def _(a):
    i, j = a.plain(2), a.plain(3)
    a.envelopes[i], a.envelopes[j] = a.envelopes[j], a.envelopes[i]
    a.rebuild()
    return [f"envelope.hash {entry(i)}", f"envelope.hash {entry(j)}"]


@damage("the envelope of another bundle, the leaf says so")
def _(a):
    i, j = a.plain(2), a.plain(3)
    a.text(i, a.envelopes[j])
    a.rebuild()
    return [f"payload.hash {entry(i)}"]


@damage("the envelope and payload of another bundle, the leaf says so")
def _(a):
    i, j = a.plain(2), a.plain(3)
    a.text(i, a.envelopes[j])
    a.line(i, "payload", facts(a.leaves[j])["payload"])
    a.rebuild()
    return [f"envelope.signature {entry(i)}", f"payload.leaf {entry(i)}", f"payload.twice {entry(j)}"]


@damage("a bundle without its envelope")
def _(a):
    i = a.plain(2)
    a.envelopes[i] = b""
    a.rebuild()
    return [f"envelope.missing {entry(i)}"]


@damage("a bundle withheld though nothing may be")
def _(a):
    i = a.plain(2)
    a.envelopes[i] = None
    a.rebuild()
    return [f"envelope.missing {entry(i)}"]


@damage("a conflict withheld though nothing may be")
def _(a):
    i = a.of("conflict")
    a.envelopes[i] = None
    a.rebuild()
    return [f"envelope.missing {entry(i)}"]


@damage("a decision withheld", "small")
def _(a):
    i = a.of("exclude")
    a.envelopes[i] = None
    a.rebuild()
    return [f"envelope.missing {entry(i)}"]


@damage("a large bundle withheld: nobody can tell, clean", "small")
def _(a):
    a.envelopes[a.plain(2)] = None
    a.rebuild()
    return []


@damage("a withheld bundle without its mark", "small")
def _(a):
    i = next(k for k in range(a.base.quiet, len(a.leaves)) if a.envelopes[k] is None)
    a.envelopes[i] = b""
    a.rebuild()
    return [f"envelope.missing {entry(i)}"]


# ---- the payload ----
def payload(title, change, wanted):
    """The payload changed and signed anew by its terminal."""
    @damage(f"a payload {title}")
    def _(a):
        i = a.plain(2)
        a.edit(i, change)
        a.rebuild()
        return [f"{w} {entry(i)}" for w in wanted]


def text(change):
    """On the payload's bytes."""
    return lambda p: change(dumps(p))


def first(**changes):
    return lambda p: p["contests"][0].update(changes)


WRONG = ["payload.syntax"]
payload("with another salt: clean", lambda p: p.update(salt="11" * 16), [])
payload("in another spelling: clean", lambda p: json.dumps(p, indent=1).encode() + b"\n", [])
payload("with something behind", text(lambda t: t + b"x"), WRONG)
payload("that is empty", text(lambda t: b""), WRONG)
payload("with a key more", lambda p: p.update(more=1), WRONG)
payload("with a key less", lambda p: {k: v for k, v in p.items() if k != "salt"}, WRONG)
payload("with a key twice", text(lambda t: t[:-1] + b',"revision":1}'), WRONG)
payload("with a float", text(lambda t: t.replace(b'"revision":1', b'"revision":1.0')), WRONG)
payload("with an exponent", text(lambda t: t.replace(b'"revision":1', b'"revision":1e0')), WRONG)
payload("with a leading zero", text(lambda t: t.replace(b'"revision":1', b'"revision":01')), WRONG)
payload("with a number for a code", lambda p: p.update(branch=7), WRONG)
payload("with an escape in a code", text(lambda t: t.replace(b'"branch":"b', b'"branch":"\\u0062')), WRONG)
payload("with a definition that is no hash", lambda p: p.update(definition="x"), WRONG)
payload("with a phase that there is not", lambda p: p.update(phase="test"), WRONG)
payload("with a salt too short", lambda p: p.update(salt="00"), WRONG)
payload("with a time of 2^40", lambda p: p.update(made_at=1 << 40), WRONG)
payload("with a negative count", first(blank=-1), WRONG)
payload("with a count of 2^31", first(blank=1 << 31), WRONG)
payload("with a contest twice", lambda p: p["contests"].append(p["contests"][0]), WRONG)
payload("with a candidate twice", lambda p: p["contests"][0]["candidates"].append(p["contests"][0]["candidates"][0]), WRONG)
payload("with 65 contests", lambda p: p.update(contests=[{"contest": f"c{n}", "not_held": "x"} for n in range(65)]), WRONG)
payload("with an empty reason", lambda p: p.update(contests=[{"contest": p["contests"][0]["contest"], "not_held": ""}]), WRONG)
payload("with numbers beside not_held", first(not_held="x"), WRONG)
payload("with lists and without mixed", first(lists=[]), WRONG)
payload("with lists where the method has none", first(lists=[], mixed=0), WRONG)
payload("that is an array", lambda p: [p], WRONG)
payload("with bytes that are not UTF-8", text(lambda t: t.replace(b'"salt":"', b'"salt":"\xff', 1)), WRONG)
payload("of another election", lambda p: p.update(election="other"), ["payload.leaf"])
payload("of the official phase", lambda p: p.update(phase="official"), ["payload.leaf"])
payload("of another branch", lambda p: p.update(branch="b999999"), ["payload.leaf"])
payload("of another terminal", lambda p: p.update(terminal="t999999"), ["payload.leaf"])
payload("of revision 2", lambda p: p.update(revision=2, prev="0" * 64), ["payload.leaf"])
payload("with a prev", lambda p: p.update(prev="0" * 64), ["payload.leaf"])
payload("with other numbers that add up: nobody can tell, clean", lambda p: p["contests"][0]["candidates"][0].__setitem__(
    1, max(0, p["contests"][0]["candidates"][0][1] - 1)), [])


@damage("a payload of a contest with lists, without lists")
def _(a):
    def has_lists(i):
        return any("lists" in c for c in a.payload(i)["contests"])
    i = next(k for k in map(a.plain, range(200)) if has_lists(k))

    def change(p):
        for c in p["contests"]:
            c.pop("lists", None)
            c.pop("mixed", None)
    a.edit(i, change)
    a.rebuild()
    return [f"payload.syntax {entry(i)}"]


# ---- what the checks hold ----
def held(title, change, wanted="leaf.held"):
    payload(f"that must be held: {title}", change, [wanted])


def cast_more(p):
    c = p["contests"][0]
    c["cast"] += 1


held("cast is not the sum (N02)", cast_more)
held("nobody was admitted (N08)", first(authenticated={"online": 0, "offline": 0, "manual": 0}))
held("fewer issued than cast (N10)", first(issued=0))
held("another definition (A06)", lambda p: p.update(definition="0" * 64))
held("no contest (S03)", lambda p: p.update(contests=[]))
held("an unknown candidate (S02)", lambda p: p["contests"][0]["candidates"].append(["nobody", 1]))
held("another branch's contest (S02)", lambda p: p["contests"].append({"contest": "nowhere", "not_held": "x"}))
held("closed before it opened (S05)", lambda p: p.update(opened_at=p["closed_at"]))
held("made before its key (A04)", lambda p: p.update(made_at=p["closed_at"], opened_at=1, closed_at=1) or p.update(made_at=2))
held("made after its key (A04)", lambda p: p.update(made_at=(1 << 40) - 1))


@damage("a held bundle that the leaf does not hold")
def _(a):
    i = a.of("bundle", 1)
    a.line(i, "held", None)
    a.rebuild()
    return [f"leaf.held {entry(i)}", "decision.state entry 3", "decision.state entry 4", "decision.state entry 6",
            "decision.state entry 8"]


@damage("a held bundle that is held for another check")
def _(a):
    i = a.of("bundle", 1)
    f = facts(a.leaves[i])["held"]
    a.line(i, "held", f.replace("N08", "N10"))
    a.rebuild()
    return [f"leaf.held {entry(i)}", "decision.state entry 3", "decision.state entry 4", "decision.state entry 6",
            "decision.state entry 8"]


@damage("numbers that must be held and are, released by nobody: clean")
def _(a):
    i = a.plain(2)
    contest = a.payload(i)["contests"][0]["contest"]
    a.edit(i, first(issued=0))
    a.leaves[i] += f"held {contest} N10\n".encode()
    a.rebuild()
    return []


@damage("not held there, with its reason: clean")
def _(a):
    i = a.plain(2)
    a.edit(i, lambda p: p.update(contests=[{"contest": c["contest"], "not_held": "سیل"} for c in p["contests"]]))
    a.rebuild()
    return []


@damage("a terminal that signs for an unknown branch")
def _(a):
    i = a.plain(2)
    a.edit(i, lambda p: p.update(branch="nowhere"))
    a.line(i, "branch", "nowhere")
    a.rebuild()
    return [f"leaf.branch {entry(i)}"]


@damage("a bundle that a stranger signed, in the terminal's name")
def _(a):
    i = a.plain(2)
    a.document(i, a.payload(i), keys=[STRANGER], keyids=[facts(a.leaves[i])["key"]])
    a.rebuild()
    return [f"envelope.signature {entry(i)}"]


@damage("a bundle that a stranger signed, the leaf says so")
def _(a):
    i = a.plain(2)
    a.document(i, a.payload(i), keys=[STRANGER])
    a.line(i, "key", keyid(STRANGER))
    a.rebuild()
    return [f"leaf.key {entry(i)}"]


@damage("wrong signature, other branch, held: all that can be said is")
def _(a):
    i = a.plain(2)
    p = a.payload(i)
    p["branch"] = "other"
    p["contests"][0]["issued"] = 0
    a.document(i, p, keys=[STRANGER], keyids=[facts(a.leaves[i])["key"]])
    a.rebuild()
    return [f"envelope.signature {entry(i)}", f"payload.leaf {entry(i)}"]


@damage("wrong signature and numbers that must be held")
def _(a):
    i = a.plain(2)
    p = a.payload(i)
    p["contests"][0]["issued"] = 0
    a.document(i, p, keys=[STRANGER], keyids=[facts(a.leaves[i])["key"]])
    a.rebuild()
    return [f"envelope.signature {entry(i)}", f"leaf.held {entry(i)}"]


@damage("a conflict with a payload of another branch")
def _(a):
    i = a.of("conflict")
    a.edit(i, lambda p: p.update(branch="b000001"))
    a.rebuild()
    return [f"payload.leaf {entry(i)}"]


@damage("a conflict that is no payload")
def _(a):
    i = a.of("conflict")
    a.document(i, b"{}")
    a.rebuild()
    return [f"payload.syntax {entry(i)}"]


@damage("a conflict with lists where there are none")
def _(a):
    i = a.of("conflict")
    a.edit(i, first(lists=[], mixed=0))
    a.rebuild()
    return [f"payload.syntax {entry(i)}"]


@damage("a conflict that a stranger signed")
def _(a):
    i = a.of("conflict")
    a.document(i, a.payload(i), keys=[STRANGER], keyids=[facts(a.leaves[i])["key"]])
    a.rebuild()
    return [f"envelope.signature {entry(i)}"]


@damage("every envelope is missing")
def _(a):
    a.envelopes = [b""] * len(a.leaves)
    a.rebuild()
    return [f"envelope.missing {entry(i)}" for i in range(1, len(a.leaves))] + a.keyed()


@damage("every bundle of one tile is another one")
def _(a):
    wanted = []
    for i in range(256, len(a.leaves)):
        a.text(i, sha(a.envelopes[i]).encode())
        wanted.append(f"envelope.syntax {entry(i)}")
    a.rebuild()
    return wanted
