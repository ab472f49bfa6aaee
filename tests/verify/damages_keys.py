# SPDX-License-Identifier: Apache-2.0
"""Decisions about terminals and about the state of the election, and what entries behind them may be."""
import hashlib

from forge import dumps, envelope, facts, keyid
from nacl.signing import SigningKey
from rows import damage, entry

KEYS = ("commission1", "operator1")
NEW = [SigningKey(hashlib.sha256(b"another key %d" % n).digest()) for n in range(4)]
CERTS = [hashlib.sha256(b"certificate %d" % n).hexdigest() for n in range(4)]
DATES = {"not_before": 0, "not_after": (1 << 40) - 1}


def public(key):
    return bytes(key.verify_key).hex()


def decide(a, target, signers=KEYS, kind="key", **options):
    return a.decision(kind, target, signers, **options)


def spare(a, n=0):
    """A terminal without a branch, of which nothing was decided."""
    touched = {f.get("terminal") for f in a.base.facts}
    return [t for t, row in a.e.terminals.items() if not row["branch"] and t not in touched][n]


def row(a, i):
    """Terminal and branch of a plain bundle."""
    f = facts(a.leaves[i])
    return f["terminal"], f["branch"]


def revised(a, i, terminal, key, **changes):
    """A second revision for entry i's branch, by this terminal and key."""
    payload = a.payload(i)
    payload.update(revision=2, prev=facts(a.leaves[i])["payload"][:64], salt="cd" * 16, **changes)
    branch = payload.pop("branch")
    payload.pop("terminal")
    return a.bundle(branch, terminal, keys=[key, *a.officers("supervision1")], **payload)


def after(title, make, wanted=()):
    """Something of the terminal of a plain bundle, then a revision of that bundle: make(a, i) returns the revision, whose
    findings these are."""
    @damage(f"keys: {title}")
    def _(a):
        j = make(a, a.plain(2))
        a.rebuild()
        return [f"{w} {entry(j)}" for w in wanted]


def old(a, i):
    return a.e.key(row(a, i)[0])


def rotated(a, i, signer, position=None):
    t, _ = row(a, i)
    decide(a, {"action": "rotate", "terminal": t, "signing_key": public(NEW[0])}, position=position)
    return revised(a, i, t, signer)


after("a revision by the new key: clean", lambda a, i: rotated(a, i, NEW[0]))
after("a revision by the old key, which was replaced", lambda a, i: rotated(a, i, old(a, i)), ["leaf.key"])
after("a revision by a key that nobody has", lambda a, i: revised(a, i, row(a, i)[0], NEW[1]), ["leaf.key"])


def by_other(a, i):
    """In the name of the terminal, by a key that another terminal got: the key is known, the signature is looked at."""
    j = a.plain(3)
    decide(a, {"action": "rotate", "terminal": row(a, j)[0], "signing_key": public(NEW[0])})
    return revised(a, i, row(a, i)[0], NEW[0])


after("a revision by another terminal's new key", by_other, ["leaf.key"])


def forged(a, i):
    t, _ = row(a, i)
    decide(a, {"action": "rotate", "terminal": t, "signing_key": public(NEW[0])})
    k = revised(a, i, t, NEW[1])
    a.document(k, a.payload(k), keys=[NEW[1], *a.officers("supervision1")], keyids=[keyid(NEW[0]), keyid(a.officers("supervision1")[0])])
    a.line(k, "key", keyid(NEW[0]))
    return k


after("a signature in the new key's name that is not its", forged, ["envelope.signature"])


def revoked(a, i):
    t, _ = row(a, i)
    decide(a, {"action": "revoke", "terminal": t})
    return revised(a, i, t, a.e.key(t))


after("a revision by a revoked terminal", revoked, ["leaf.key"])


def assigned(a, i):
    t = spare(a)
    decide(a, {"action": "assign", "terminal": t, "branch": row(a, i)[1]})
    return revised(a, i, t, a.e.key(t))


after("a revision by a spare that was assigned: clean", assigned)


def moved(a, i):
    t, _ = row(a, i)
    decide(a, {"action": "assign", "terminal": t, "branch": row(a, a.plain(3))[1]})
    return revised(a, i, t, a.e.key(t))


after("a revision by a terminal that was moved away", moved, ["leaf.key"])


def new(a, i, **more):
    decide(a, {"action": "add", "terminal": "t-2", "branch": row(a, i)[1], "signing_key": public(NEW[0]), "certificate": CERTS[0],
               **DATES, **more})
    return revised(a, i, "t-2", NEW[0])


after("a revision by a new terminal: clean", new)
after("a revision by a new terminal whose key begins later (A04)", lambda a, i: new(a, i, not_before=(1 << 40) - 2), ["leaf.held"])


def dated(a, i):
    t, _ = row(a, i)
    decide(a, {"action": "rotate", "terminal": t, "signing_key": public(NEW[0]), "not_before": 0, "not_after": 5})
    return revised(a, i, t, NEW[0])


after("a revision by a key that ended (A04)", dated, ["leaf.held"])


def unassigned(a, i):
    decide(a, {"action": "add", "terminal": "t-2", "signing_key": public(NEW[0]), "certificate": CERTS[0], **DATES})
    return revised(a, i, "t-2", NEW[0])


after("a revision by a new spare", unassigned, ["leaf.key"])


@damage("keys: a key decision that too few signed has no force")
def _(a):
    i = a.plain(2)
    t, _ = row(a, i)
    j = decide(a, {"action": "rotate", "terminal": t, "signing_key": public(NEW[0])}, signers=("commission1",))
    k = revised(a, i, t, NEW[0])
    a.rebuild()
    return [f"decision.signers {entry(j)}", f"leaf.key {entry(k)}"]


@damage("keys: what was logged before a revocation stays")
def _(a):
    decide(a, {"action": "revoke", "terminal": row(a, a.plain(2))[0]})
    a.rebuild()
    return []


@damage("keys: a decision taken out: what hung on it does not stand")
def _(a):
    i = a.of("key", 0)
    j = next(k for k in range(i, len(a.leaves)) if facts(a.leaves[k]).get("terminal") == a.base.facts[i]["terminal"] and k > i)
    a.leaves[i] = a.leaves[i][:-1]
    a.rebuild()
    return [f"leaf.syntax {entry(i)}", f"leaf.key {entry(j)}"]


# ---- decisions that cannot stand there ----
def wrong(title, target, wanted, signers=KEYS, kind="key", **options):
    @damage(f"{kind}: {title}")
    def _(a):
        made = decide(a, target(a) if callable(target) else target, signers, kind, **options)
        a.rebuild()
        return [f"{w} {entry(made)}" for w in wanted]


def of_plain(a):
    return row(a, a.plain(2))[0]


wrong("add of a registered terminal", lambda a: {"action": "add", "terminal": of_plain(a), "signing_key": public(NEW[0]),
                                                 "certificate": CERTS[0], **DATES}, ["decision.state"])
wrong("add, as it should be: clean", {"action": "add", "terminal": "t-2", "signing_key": public(NEW[0]), "certificate": CERTS[0], **DATES}, [])
wrong("add with a key that a terminal has", lambda a: {"action": "add", "terminal": "t-2", "certificate": CERTS[0], **DATES,
                                                       "signing_key": a.e.terminals[of_plain(a)]["signing_key"]}, ["decision.state"])
wrong("add with an officer's key", lambda a: {"action": "add", "terminal": "t-2", "certificate": CERTS[0], **DATES,
                                              "signing_key": a.e.officers["commission1"]["signing_key"]}, ["decision.state"])
wrong("add with a certificate that a terminal has", lambda a: {"action": "add", "terminal": "t-2", "signing_key": public(NEW[0]), **DATES,
                                                               "certificate": a.e.terminals[of_plain(a)]["certificate"]}, ["decision.state"])
wrong("add with a client's certificate", lambda a: {"action": "add", "terminal": "t-2", "signing_key": public(NEW[0]), **DATES,
                                                    "certificate": next(iter(a.e.clients.values()))["certificate"]}, ["decision.state"])
wrong("add with a key of small order", {"action": "add", "terminal": "t-2", "signing_key": "01" + "00" * 31, "certificate": CERTS[0], **DATES},
      ["payload.syntax"])
wrong("add of an unknown branch", {"action": "add", "terminal": "t-2", "branch": "nowhere", "signing_key": public(NEW[0]),
                                   "certificate": CERTS[0], **DATES}, ["leaf.branch"])
wrong("add without a certificate", {"action": "add", "terminal": "t-2", "signing_key": public(NEW[0]), **DATES}, ["leaf.syntax"])
wrong("add without dates", {"action": "add", "terminal": "t-2", "signing_key": public(NEW[0]), "certificate": CERTS[0]}, ["leaf.syntax"])
wrong("add with dates the wrong way round", {"action": "add", "terminal": "t-2", "signing_key": public(NEW[0]), "certificate": CERTS[0],
                                             "not_before": 5, "not_after": 4}, ["leaf.syntax"])
wrong("add with a date of 2^40", {"action": "add", "terminal": "t-2", "signing_key": public(NEW[0]), "certificate": CERTS[0],
                                  "not_before": 5, "not_after": 1 << 40}, ["leaf.syntax"])
wrong("rotate of an unknown terminal", {"action": "rotate", "terminal": "nobody", "signing_key": public(NEW[0])}, ["leaf.branch"])
wrong("rotate to the key that it has", lambda a: {"action": "rotate", "terminal": of_plain(a),
                                                  "signing_key": a.e.terminals[of_plain(a)]["signing_key"]}, ["decision.state"])
wrong("rotate of the certificate alone: clean", lambda a: {"action": "rotate", "terminal": of_plain(a), "certificate": CERTS[0]}, [])
wrong("rotate of both, with dates: clean", lambda a: {"action": "rotate", "terminal": of_plain(a), "signing_key": public(NEW[0]),
                                                      "certificate": CERTS[0], **DATES}, [])
wrong("rotate of nothing", lambda a: {"action": "rotate", "terminal": of_plain(a)}, ["leaf.syntax"])
wrong("rotate with one date", lambda a: {"action": "rotate", "terminal": of_plain(a), "certificate": CERTS[0], "not_before": 1}, ["leaf.syntax"])
wrong("rotate with a branch", lambda a: {"action": "rotate", "terminal": of_plain(a), "branch": "b000001", "certificate": CERTS[0]}, ["leaf.syntax"])
wrong("rotate of a revoked terminal", lambda a: {"action": "rotate", "terminal": a.base.facts[a.of("key", 3)]["terminal"],
                                                 "certificate": CERTS[0]}, ["decision.state"])
wrong("revoke of a terminal that the package revokes", lambda a: {"action": "revoke", "terminal": next(
    t for t, r in a.e.terminals.items() if r["state"] == "revoked")}, ["decision.state"])
wrong("revoke of an unknown terminal", {"action": "revoke", "terminal": "nobody"}, ["leaf.branch"])
wrong("revoke with a certificate", lambda a: {"action": "revoke", "terminal": of_plain(a), "certificate": CERTS[0]}, ["leaf.syntax"])
wrong("revoke before a change of the terminal", lambda a: {"action": "revoke", "terminal": "t-new"}, ["decision.state"], position=5)
wrong("revoke of a terminal that never changed, long ago: clean", lambda a: {"action": "revoke", "terminal": of_plain(a)}, [], position=1)
wrong("revoke at a position of the future", lambda a: {"action": "revoke", "terminal": of_plain(a)}, ["decision.state"], position=100000)
wrong("assign to its own branch", lambda a: {"action": "assign", "terminal": of_plain(a), "branch": row(a, a.plain(2))[1]}, ["decision.state"])
wrong("assign to an unknown branch", lambda a: {"action": "assign", "terminal": of_plain(a), "branch": "nowhere"}, ["leaf.branch"])
wrong("assign without a branch", lambda a: {"action": "assign", "terminal": of_plain(a)}, ["leaf.syntax"])
wrong("of an action that there is not", lambda a: {"action": "lend", "terminal": of_plain(a)}, ["leaf.syntax"])
wrong("by the supervision", lambda a: {"action": "revoke", "terminal": of_plain(a)}, ["decision.signers"], signers=("supervision1", "operator1"))


@damage("key: a leaf that names another terminal than the document")
def _(a):
    i = decide(a, {"action": "revoke", "terminal": of_plain(a)})
    a.line(i, "terminal", row(a, a.plain(3))[0])
    a.rebuild()
    return [f"payload.leaf {entry(i)}"]


@damage("key: a leaf that names another key than the document")
def _(a):
    i = decide(a, {"action": "rotate", "terminal": of_plain(a), "signing_key": public(NEW[0])})
    a.line(i, "signing_key", public(NEW[1]))
    a.rebuild()
    return [f"payload.leaf {entry(i)}"]


@damage("key: a document with a member that its action does not have")
def _(a):
    i = decide(a, {"action": "revoke", "terminal": of_plain(a)})
    a.edit(i, lambda p: p["target"].update(certificate=CERTS[0]))
    a.rebuild()
    return [f"payload.syntax {entry(i)}"]


@damage("key: a document of an unknown terminal, its leaf of a known one")
def _(a):
    i = decide(a, {"action": "revoke", "terminal": of_plain(a)})
    a.edit(i, lambda p: p["target"].update(terminal="nobody"))
    a.rebuild()
    return [f"payload.syntax {entry(i)}"]


@damage("key: the lines of its leaf in another order")
def _(a):
    i = decide(a, {"action": "rotate", "terminal": of_plain(a), "signing_key": public(NEW[0]), "certificate": CERTS[0]})
    lines = a.leaves[i].split(b"\n")
    lines[-3], lines[-2] = lines[-2], lines[-3]
    a.leaves[i] = b"\n".join(lines)
    a.rebuild()
    return [f"leaf.syntax {entry(i)}"]


@damage("key: the same key for two terminals")
def _(a):
    decide(a, {"action": "rotate", "terminal": of_plain(a), "signing_key": public(NEW[0])})
    i = decide(a, {"action": "rotate", "terminal": row(a, a.plain(3))[0], "signing_key": public(NEW[0])})
    a.rebuild()
    return [f"decision.state {entry(i)}"]


@damage("key: back to a key that was replaced")
def _(a):
    t = of_plain(a)
    decide(a, {"action": "rotate", "terminal": t, "signing_key": public(NEW[0])})
    i = decide(a, {"action": "rotate", "terminal": t, "signing_key": a.e.terminals[t]["signing_key"]})
    a.rebuild()
    return [f"decision.state {entry(i)}"]


@damage("key: an officer of another area assigns")
def _(a):
    inside = a.e.officers["supervision.part"]["area"]
    assert inside
    i = decide(a, {"action": "revoke", "terminal": of_plain(a)}, signers=("commission1", "supervision.part"))
    a.rebuild()
    return [f"decision.signers {entry(i)}"]


# ---- state ----
def state(a, word, signers=KEYS, **options):
    target = {"state": word}
    if "until" in options:
        target["until"] = options.pop("until")
    return decide(a, target, signers, "state", **options)


wrong("closed, as it should be: clean", {"state": "closed"}, [], kind="state")
wrong("closed until a time: clean", {"state": "closed", "until": 0}, [], kind="state")
wrong("open, which it is", {"state": "open"}, ["decision.state"], kind="state")
wrong("open until a time, which is something else: clean", {"state": "open", "until": 7}, [], kind="state")
wrong("a state that there is not", {"state": "ajar"}, ["leaf.syntax"], kind="state")
wrong("a time of 2^40", {"state": "closed", "until": 1 << 40}, ["leaf.syntax"], kind="state")
wrong("closed before the state changed", {"state": "closed"}, ["decision.state"], kind="state", position=5)
wrong("closed by the commission alone", {"state": "closed"}, ["decision.signers"], kind="state", signers=("commission1", "commission2"))


@damage("state: bundles while it is closed; they are counted all the same")
def _(a):
    n = a.plain(2)
    state(a, "closed")
    i = revised(a, n, row(a, n)[0], old(a, n))
    j = state(a, "open")
    k = revised(a, a.plain(3), row(a, a.plain(3))[0], old(a, a.plain(3)))
    state(a, "maintenance", until=99)
    m = revised(a, a.plain(4), row(a, a.plain(4))[0], old(a, a.plain(4)))
    a.rebuild()
    assert j < k
    return [f"state.closed {entry(i)}", f"state.closed {entry(m)}"]


@damage("state: conflicts while it is closed, and other findings beside")
def _(a):
    state(a, "closed")
    f = facts(a.leaves[a.plain(2)])
    payload = a.payload(a.plain(2))
    payload["salt"] = "9a" * 16
    branch, terminal = payload.pop("branch"), payload.pop("terminal")
    i = a.bundle(branch, terminal, kind="conflict", first=f["envelope"][:64], **payload)
    j = a.append(a.leaves[i], a.envelopes[i])
    a.rebuild()
    return [f"state.closed {entry(i)}", f"state.closed {entry(j)}", f"payload.twice {entry(j)}"]


@damage("state: decisions while it is closed: clean")
def _(a):
    state(a, "closed")
    f = facts(a.leaves[a.plain(2)])
    a.decision("annul", {"branch": f["branch"], "contest": a.payload(a.plain(2))["contests"][0]["contest"]}, ("supervision1", "supervision2"))
    a.rebuild()
    return []


@damage("state: closed by a decision without force: nothing is closed")
def _(a):
    i = state(a, "closed", signers=("commission1",))
    revised(a, a.plain(2), row(a, a.plain(2))[0], old(a, a.plain(2)))
    a.rebuild()
    return [f"decision.signers {entry(i)}"]


@damage("state: the reopening is taken out: all that follows was logged while it was closed")
def _(a):
    i = a.of("state", 1)
    a.leaves[i] = a.leaves[i][:-1]
    a.rebuild()
    return [f"leaf.syntax {entry(i)}"] + [f"state.closed {entry(k)}" for k in range(i + 1, len(a.leaves))]


@damage("state: withheld bundles while it is closed", "small")
def _(a):
    i = a.of("state", 1)
    a.leaves[i] = a.leaves[i][:-1]
    a.rebuild()
    return [f"leaf.syntax {entry(i)}"] + [f"{'result.serial' if a.kind(k) == 'result' else 'state.closed'} {entry(k)}"
                                          for k in range(i + 1, len(a.leaves))]


_ = (dumps, envelope)
