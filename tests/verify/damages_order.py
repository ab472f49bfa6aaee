# SPDX-License-Identifier: Apache-2.0
"""Forged leaves, with tree and head made anew: what an entry says beside those before it."""
from forge import facts, sha
from rows import damage, entry


def leaf(title, change, wanted, base="night"):
    """Changes the leaf of a plain bundle."""
    @damage(f"a leaf {title}", base)
    def _(a):
        i = a.plain(2)
        a.leaves[i] = change(a.leaves[i])
        a.rebuild()
        return [f"{w} {entry(i)}" for w in wanted]


def line(key, value):
    def change(text):
        lines = text.decode().split("\n")
        at = next(k for k, one in enumerate(lines) if one.startswith(key + " "))
        old = lines[at].split(" ", 1)[1]
        lines[at] = f"{key} {value(old) if callable(value) else value}"
        return "\n".join(lines).encode()
    return change


def swap(one, two):
    def change(text):
        lines = text.split(b"\n")
        i, j = (next(k for k, x in enumerate(lines) if x.startswith(w)) for w in (one, two))
        lines[i], lines[j] = lines[j], lines[i]
        return b"\n".join(lines)
    return change


SYNTAX = ["leaf.syntax"]
leaf("that is empty", lambda t: b"", SYNTAX)
leaf("of 16384 bytes", lambda t: t + b"held x " + b"N02," * ((16384 - len(t) - 11) // 4) + b"N" * (1 + (16384 - len(t) - 11) % 4 - 1 + 2) + b"\n", ["leaf.held"])
leaf("without its last line feed", lambda t: t[:-1], SYNTAX)
leaf("with a line feed more", lambda t: t + b"\n", SYNTAX)
leaf("with a line more", lambda t: t + b"note x\n", SYNTAX)
leaf("with a line less", lambda t: t.replace(b"prev -\n", b""), SYNTAX)
leaf("with two lines exchanged", swap(b"revision ", b"prev "), SYNTAX)
leaf("of an unknown kind", line("kind", "gift"), SYNTAX)
leaf("with a code that is none", line("branch", "b/1"), SYNTAX)
leaf("with a code of 65 letters", line("branch", "b" * 65), SYNTAX)
leaf("with an empty code", line("terminal", ""), SYNTAX)
leaf("with a hash in capitals", line("payload", lambda v: v.upper()), SYNTAX)
leaf("with a hash of 63 digits", line("key", lambda v: v[1:]), SYNTAX)
leaf("with a number with a leading zero", line("accepted", lambda v: "0" + v), SYNTAX)
leaf("with a negative number", line("accepted", lambda v: "-" + v), SYNTAX)
leaf("with a number over 2^64", line("accepted", "18446744073709551616"), SYNTAX)
leaf("of revision 0", line("revision", "0"), SYNTAX)
leaf("of revision 2^31", line("revision", "2147483648"), SYNTAX)
leaf("with two spaces", lambda t: t.replace(b"kind bundle", b"kind  bundle"), SYNTAX)
leaf("with a tab", lambda t: t.replace(b"kind bundle", b"kind\tbundle"), SYNTAX)
leaf("with CR before its line feeds", lambda t: t.replace(b"\n", b"\r\n"), SYNTAX)
leaf("with a NUL", lambda t: t.replace(b"kind bundle", b"kind bundle\0"), SYNTAX)
leaf("with a held line without checks", lambda t: t + b"held x \n", SYNTAX)
leaf("with a held line with a comma too many", lambda t: t + b"held x N08,\n", SYNTAX)
leaf("with a check in small letters", lambda t: t + b"held x n08\n", SYNTAX)
leaf("with a check of nine letters", lambda t: t + b"held x N08888888\n", SYNTAX)
leaf("with a check of eight letters", lambda t: t + b"held x N0888888\n", ["leaf.held"])
leaf("that begins with another version", lambda t: t.replace(b"/v1", b"/v2"), SYNTAX)

leaf("of another election", line("election", "other"), ["leaf.election", "payload.leaf"])
leaf("accepted before the one before it", line("accepted", "5"), ["leaf.time"])
leaf("of a branch that there is not", line("branch", "nowhere"), ["leaf.branch", "payload.leaf"])
leaf("of a terminal that there is not", line("terminal", "nobody"), ["leaf.key", "payload.leaf"])
leaf("of a key that there is not", line("key", "0" * 64), ["leaf.key"])
leaf("of revision 2", line("revision", "2"), ["revision.gap", "payload.leaf", "bundle.cosigners"])
leaf("of revision 2147483647", line("revision", "2147483647"), ["revision.gap", "payload.leaf", "bundle.cosigners"])
leaf("with a prev in revision 1", line("prev", "0" * 64), ["revision.prev", "payload.leaf"])
leaf("of another payload hash", line("payload", lambda v: "0" * 64 + v[64:]), ["payload.hash"])
leaf("of another payload length", line("payload", lambda v: v[:65] + "1"), ["payload.hash"])
leaf("of another envelope hash", line("envelope", lambda v: "0" * 64 + v[64:]), ["envelope.hash"])
leaf("of another envelope length", line("envelope", lambda v: v[:65] + "1"), ["envelope.hash"])
leaf("of an envelope length over 2^32", line("envelope", lambda v: v[:65] + str(int(v[65:]) + (1 << 32))), ["envelope.hash"])
leaf("that holds what no check holds", lambda t: t + b"held x N08\n", ["leaf.held"])


@damage("two facts of one leaf are wrong: both are said")
def _(a):
    i = a.plain(2)
    a.line(i, "accepted", 5)
    a.line(i, "election", "other")
    a.line(i, "key", "0" * 64)
    a.rebuild()
    return [f"{w} {entry(i)}" for w in ("leaf.time", "leaf.election", "leaf.key", "payload.leaf")]


@damage("the key of another terminal that signed")
def _(a):
    i, j = a.plain(2), a.plain(3)
    a.document(i, a.payload(i), keys=a.signers(j))
    a.line(i, "key", facts(a.leaves[j])["key"])
    a.rebuild()
    return [f"leaf.key {entry(i)}"]


@damage("numbers for a branch by the terminal of another one")
def _(a):
    i, j = a.plain(2), a.plain(3)
    branch, other = (facts(a.leaves[k]) for k in (i, j))
    a.edit(i, lambda p: p.update(terminal=other["terminal"]), keys=a.signers(j))
    a.line(i, "key", other["key"])
    a.line(i, "terminal", other["terminal"])
    a.rebuild()
    assert branch["branch"] != other["branch"]
    return [f"leaf.key {entry(i)}"]


@damage("numbers by a spare terminal, which has no branch")
def _(a):
    i = a.plain(2)
    spare = next(t for t, row in a.e.terminals.items() if not row["branch"])
    a.edit(i, lambda p: p.update(terminal=spare), keys=[a.e.key(spare)])
    a.line(i, "key", next(k for k, v in a.base.keys.items() if bytes(v) == bytes(a.e.key(spare))))
    a.line(i, "terminal", spare)
    a.rebuild()
    return [f"leaf.key {entry(i)}"]


@damage("numbers by a revoked terminal")
def _(a):
    revoked = next(row for row in a.e.terminals.values() if row["state"] == "revoked")
    i = a.bundle(revoked["branch"], revoked["terminal"])
    a.rebuild()
    return [f"leaf.key {entry(i)}"]


@damage("entry 0 is no genesis")
def _(a):
    a.leaves[0], a.envelopes[0] = a.leaves[1], a.envelopes[1]
    a.rebuild()
    return ["leaf.genesis entry 0", "payload.twice entry 1", "revision.twice entry 1"]


@damage("the genesis stands twice")
def _(a):
    i = a.append(a.leaves[0], b"")
    a.line(i, "accepted", a.accepted() + (1 << 41))
    a.rebuild()
    return [f"leaf.genesis {entry(i)}"]


@damage("the genesis is of another election")
def _(a):
    a.line(0, "election", "other")
    a.rebuild()
    return [f"leaf.election {entry(i)}" for i in range(1, len(a.leaves))] + a.keyed()


@damage("the genesis' text is cut: entries are not compared with its election")
def _(a):
    a.leaves[0] = a.leaves[0][:-1]
    a.line(a.plain(), "election", "other")
    a.rebuild()
    return ["leaf.syntax entry 0", f"payload.leaf {entry(a.plain())}"]


@damage("the genesis has an envelope")
def _(a):
    a.envelopes[0] = b"x"
    a.rebuild()
    return ["envelope.unexpected entry 0"]


@damage("the genesis is withheld", "small")
def _(a):
    a.envelopes[0] = None
    a.rebuild()
    return ["envelope.unexpected entry 0"]


@damage("all entries at the same moment: clean")
def _(a):
    for i in range(len(a.leaves)):
        a.line(i, "accepted", 1795779999000)
    a.rebuild()
    return []


@damage("time goes back once: one entry has it")
def _(a):
    i = a.plain(2)
    a.line(i, "accepted", 1 << 50)
    a.rebuild()
    return [f"leaf.time {entry(i + 1)}"]


@damage("time is compared with the last leaf that can be read")
def _(a):
    i = a.plain(2)
    a.line(i, "accepted", 1)
    a.leaves[i] = a.leaves[i][:-1]
    a.rebuild()
    return [f"leaf.syntax {entry(i)}"]


# ---- revisions ----
def revise(a, i, n=2, officers=("supervision1",), **changes):
    """One more revision of the branch of entry i, as if it followed on it."""
    payload = a.payload(i)
    f = facts(a.leaves[i])
    payload.update(revision=n, prev=f["payload"][:64], salt="cd" * 16)
    payload.update(changes)
    keys = [a.signers(i)[0], *a.officers(*officers)]
    branch = payload.pop("branch")
    terminal = payload.pop("terminal")
    return a.bundle(branch, terminal, keys=keys, **payload)


@damage("a revision as it should be: clean")
def _(a):
    revise(a, a.plain(2))
    a.rebuild()
    return []


@damage("a revision without its officers")
def _(a):
    i = revise(a, a.plain(2), officers=())
    a.rebuild()
    return [f"bundle.cosigners {entry(i)}"]


@damage("a revision with officers of another role")
def _(a):
    i = revise(a, a.plain(2), officers=("commission1", "commission2"))
    a.rebuild()
    return [f"bundle.cosigners {entry(i)}"]


@damage("a revision with an officer of another area")
def _(a):
    inside = a.e.officers["supervision.part"]["area"]
    at = next(k for k in map(a.plain, range(40)) if not a.e.within(a.e.branches[facts(a.leaves[k])["branch"]]["area"], inside))
    i = revise(a, at, officers=("supervision.part",))
    a.rebuild()
    return [f"bundle.cosigners {entry(i)}"]


@damage("a revision whose officer signed something else")
def _(a):
    i = revise(a, a.plain(2))
    text = a.envelopes[i]
    wrong = a.signers(i)[1].sign(b"something else").signature
    import json
    from forge import b64
    doc = json.loads(text)
    doc["signatures"][1]["sig"] = b64(wrong)
    a.text(i, json.dumps(doc, separators=(",", ":")).encode())
    a.rebuild()
    return [f"bundle.cosigners {entry(i)}"]


@damage("a revision without its officers: the next one follows on it all the same")
def _(a):
    i = revise(a, a.plain(2), officers=())
    revise(a, i, 3, salt="ef" * 16)
    a.rebuild()
    return [f"bundle.cosigners {entry(i)}"]


@damage("revision 3 behind revision 1")
def _(a):
    i = revise(a, a.plain(2), 3)
    a.rebuild()
    return [f"revision.gap {entry(i)}"]


@damage("a revision of nothing")
def _(a):
    branch = a.missing()
    i = a.bundle(branch, revision=2, prev="0" * 64, keys=[a.e.key(a.e.terminal_of(branch)), *a.officers("supervision1")])
    a.rebuild()
    return [f"revision.gap {entry(i)}"] if a.e.terminals[a.e.terminal_of(branch)]["state"] == "active" else \
        [f"revision.gap {entry(i)}", f"leaf.key {entry(i)}"]


@damage("a revision that replaces another payload")
def _(a):
    i = revise(a, a.plain(2), prev="0" * 64)
    a.rebuild()
    return [f"revision.prev {entry(i)}"]


@damage("revision 2 without a prev")
def _(a):
    i = revise(a, a.plain(2), prev=None)
    a.rebuild()
    return [f"revision.prev {entry(i)}"]


@damage("a second revision 1")
def _(a):
    j = a.plain(2)
    i = revise(a, j, 1, officers=(), prev=None)
    a.rebuild()
    return [f"revision.twice {entry(i)}"]


@damage("a second revision 2, and one that follows on it")
def _(a):
    i = revise(a, a.plain(2))
    j = revise(a, a.plain(2), salt="12" * 16)
    k = revise(a, j, 3, salt="34" * 16)
    revise(a, i, 3, salt="56" * 16)
    a.rebuild()
    return [f"revision.twice {entry(j)}", f"revision.prev {entry(k)}"]


@damage("the same bundle twice")
def _(a):
    i = a.plain(2)
    j = a.append(a.leaves[i], a.envelopes[i])
    a.line(j, "accepted", a.base.facts[-1]["accepted"])
    a.rebuild()
    return [f"payload.twice {entry(j)}", f"revision.twice {entry(j)}"]


@damage("the same payload in another envelope")
def _(a):
    i = a.plain(2)
    j = a.append(a.leaves[i], None)
    a.text(j, a.envelopes[i].replace(b'{"payload"', b'{ "payload"'))
    a.line(j, "accepted", a.base.facts[-1]["accepted"])
    a.rebuild()
    return [f"payload.twice {entry(j)}", f"revision.twice {entry(j)}"]


@damage("a bundle that was left out, whose correction stands")
def _(a):
    i = a.of("bundle", 1)
    assert "held" in facts(a.leaves[i])
    a.leaves[i] = a.leaves[i][:-1]
    a.rebuild()
    return [f"leaf.syntax {entry(i)}", f"decision.state {entry(3)}", f"decision.state {entry(4)}", "conflict.first entry 5",
            "decision.state entry 6", "revision.gap entry 7", "decision.state entry 8", "revision.gap entry 9"]


# ---- conflicts ----
def conflict(a, i, first=None, **changes):
    f = facts(a.leaves[i])
    payload = a.payload(i)
    payload.update(salt="9a" * 16)
    payload.update(changes)
    branch, terminal = payload.pop("branch"), payload.pop("terminal")
    return a.bundle(branch, terminal, kind="conflict", first=first or f["envelope"][:64], keys=a.signers(i)[:1], **payload)


@damage("a conflict as it should be: clean")
def _(a):
    conflict(a, a.plain(2))
    a.rebuild()
    return []


@damage("a conflict with another envelope than the one logged")
def _(a):
    i = conflict(a, a.plain(2), first="0" * 64)
    a.rebuild()
    return [f"conflict.first {entry(i)}"]


@damage("a conflict with what is not logged")
def _(a):
    i = conflict(a, a.plain(2), revision=2, prev="0" * 64)
    a.rebuild()
    return [f"conflict.first {entry(i)}"]


@damage("a conflict with another branch's bundle")
def _(a):
    i = conflict(a, a.plain(2), first=facts(a.leaves[a.plain(3)])["envelope"][:64])
    a.rebuild()
    return [f"conflict.first {entry(i)}"]


@damage("the same conflict twice")
def _(a):
    i = conflict(a, a.plain(2))
    j = a.append(a.leaves[i], a.envelopes[i])
    a.rebuild()
    return [f"payload.twice {entry(j)}"]


@damage("a conflict that is the very bundle that it contradicts")
def _(a):
    i = conflict(a, a.plain(2), salt=a.payload(a.plain(2))["salt"])
    a.rebuild()
    return [f"payload.twice {entry(i)}"]


@damage("a bundle that was logged as a conflict before")
def _(a):
    j = a.plain(2)
    i = conflict(a, j)
    body = a.payload(i)
    branch, terminal = body.pop("branch"), body.pop("terminal")
    k = a.bundle(branch, terminal, keys=a.signers(j)[:1], **body)
    a.rebuild()
    return [f"payload.twice {entry(k)}", f"revision.twice {entry(k)}"]


@damage("a conflict of an unknown branch")
def _(a):
    i = conflict(a, a.plain(2))
    a.edit(i, lambda p: p.update(branch="nowhere"))
    a.line(i, "branch", "nowhere")
    a.rebuild()
    return [f"leaf.branch {entry(i)}", f"conflict.first {entry(i)}"]


@damage("a conflict of a revision without its officers: they are not asked for, clean")
def _(a):
    j = revise(a, a.plain(2))
    conflict(a, j)
    a.rebuild()
    return []


@damage("a conflict with a held line")
def _(a):
    i = conflict(a, a.plain(2))
    a.leaves[i] = a.leaves[i].replace(b"first ", b"held x N08\nfirst ")
    a.rebuild()
    return [f"leaf.syntax {entry(i)}"]


@damage("a bundle became a conflict")
def _(a):
    i = a.plain(2)
    a.leaves[i] = a.leaves[i].replace(b"kind bundle", b"kind conflict") + b"first " + sha(b"x").encode() + b"\n"
    a.rebuild()
    return [f"conflict.first {entry(i)}"]


@damage("a conflict became a bundle")
def _(a):
    i = a.of("conflict")
    a.leaves[i] = a.leaves[i].replace(b"kind conflict", b"kind bundle").split(b"first ")[0]
    a.rebuild()
    held = a.base.facts[2]["held"]
    assert held
    return [f"revision.twice {entry(i)}", f"leaf.held {entry(i)}"]
