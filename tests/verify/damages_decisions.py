# SPDX-License-Identifier: Apache-2.0
"""Forged decisions: who signed them, what they say, whether they can stand there."""
from forge import DECISION, STRANGER, BUNDLE, facts
from rows import damage, entry

BOTH = ("commission1", "supervision1")
BOARDS = ("supervision1", "supervision2")
THREE = ("commission1", "commission2", "supervision1")


def target(a, i):
    """Branch and first contest of a bundle."""
    return {"branch": facts(a.leaves[i])["branch"], "contest": a.payload(i)["contests"][0]["contest"]}


def changed(title, kind, change, wanted, follow=(), of_type=None, **options):
    """The document of the night's decision of a kind, signed anew by its own officers."""
    @damage(f"{kind}: {title}")
    def _(a):
        i = a.of(kind)
        a.edit(i, change, kind=of_type, **options)
        a.rebuild()
        return [f"{w} {entry(i)}" for w in wanted] + list(follow)


# After a release that does not stand: the contest is still held, and may be explained, annulled, reinstated all the same.
def text(key, value):
    return lambda p: p.update({key: value})


for key, value in (("reason", " "), ("reason", "x" * 1001), ("position", 0), ("position", -1), ("position", "1"), ("position", 1 << 32),
                   ("made_at", 1 << 40), ("made_at", "now"), ("salt", "00"), ("salt", "AA" * 16), ("kind", "forgive"), ("kind", "revise"),
                   ("target", []), ("target", {}), ("phase", "test"), ("election", 7)):
    changed(f"{key} {str(value)[:20]!r}", "exclude", text(key, value), ["payload.syntax"])
changed("a key more", "exclude", text("more", 1), ["payload.syntax"])
changed("a key less", "exclude", lambda p: {k: v for k, v in p.items() if k != "salt"}, ["payload.syntax"])
changed("a target with a key more", "exclude", lambda p: p["target"].update(branch="x"), ["payload.syntax"])
changed("something behind", "exclude", lambda p: __import__("json").dumps(p).encode() + b"{}", ["payload.syntax"])
changed("another election", "exclude", text("election", "other"), ["payload.leaf"])
changed("the official phase", "exclude", text("phase", "official"), ["payload.leaf"])
changed("another reason: clean", "exclude", text("reason", "حکم دادگاه"), [])
changed("a candidate that there is not", "exclude", lambda p: p["target"].update(candidate="nobody"), ["payload.syntax"])
changed("another candidate", "exclude", lambda p: p["target"].update(candidate="1002"), ["payload.leaf"])
changed("a position that is not reached", "exclude", lambda p: p.update(position=11), ["decision.state"])
changed("of another kind than its leaf", "explain", lambda p: p.update(kind="annul"), ["payload.leaf"])
changed("by nobody who may", "exclude", lambda p: None, ["decision.signers"], keys=[STRANGER])
changed("of the type of bundles", "exclude", lambda p: None, ["envelope.type"], of_type=BUNDLE)
changed("a ground that there is not", "lot", lambda p: p["target"].update(ground="age"), ["payload.syntax"], ["certificate.result entry 13"])
changed("an order of one", "lot", lambda p: p["target"].update(order=p["target"]["order"][:1]), ["payload.syntax"], ["certificate.result entry 13"])
changed("a stranger in the order", "lot", lambda p: p["target"]["order"].append("nobody"), ["payload.syntax"], ["certificate.result entry 13"])
changed("one twice in the order", "lot", lambda p: p["target"]["order"].append(p["target"]["order"][0]), ["payload.syntax"],
        ["certificate.result entry 13"])
changed("two of the three", "lot", lambda p: p["target"].update(order=p["target"]["order"][:2]), ["decision.state"], ["certificate.result entry 13"])
changed("one too many", "lot", lambda p: p["target"]["order"].append("1001"), ["decision.state"], ["certificate.result entry 13"])
changed("another order: the certificate is of another result", "lot", lambda p: p["target"]["order"].reverse(), [],
        ["certificate.result entry 13"])
changed("a result that is no hash", "certify", lambda p: p["target"].update(result="x"), ["payload.syntax"])
changed("another result", "certify", lambda p: p["target"].update(result="0" * 64), ["payload.leaf"])
changed("another at", "certify", lambda p: p["target"].update(at=12), ["payload.leaf"])


@damage("certify: another result, the leaf says so")
def _(a):
    i = a.of("certify")
    a.edit(i, lambda p: p["target"].update(result="0" * 64))
    a.line(i, "result", "0" * 64)
    a.rebuild()
    return [f"certificate.result {entry(i)}"]


@damage("certify: at before the lot")
def _(a):
    i = a.of("certify")
    a.edit(i, lambda p: p["target"].update(at=12))
    a.line(i, "at", 12)
    a.rebuild()
    return [f"decision.state {entry(i)}"]


@damage("certify: at behind its position")
def _(a):
    i = a.of("certify")
    a.edit(i, lambda p: p["target"].update(at=14))
    a.line(i, "at", 14)
    a.rebuild()
    return [f"decision.state {entry(i)}"]


@damage("certify: by too few")
def _(a):
    i = a.of("certify")
    a.document(i, a.payload(i), keys=a.officers("commission1", "supervision1"))
    a.rebuild()
    return [f"decision.signers {entry(i)}"]


@damage("certify: numbers were changed behind the certificate's back")
def _(a):
    i = a.of("bundle", 4)
    f = facts(a.leaves[i])
    assert f["branch"] == facts(a.leaves[14])["branch"], f
    a.edit(i, lambda p: p["contests"][0]["candidates"][0].__setitem__(1, p["contests"][0]["candidates"][0][1] - 1))
    a.line(14, "prev", facts(a.leaves[i])["payload"][:64])
    a.edit(14, lambda p: p.update(prev=facts(a.leaves[i])["payload"][:64]))
    a.rebuild()
    return ["certificate.result entry 13"]


def signed(title, signers, wanted, kind="exclude"):
    @damage(f"{kind}: signed by {title}")
    def _(a):
        i = a.of(kind)
        a.document(i, a.payload(i), keys=a.officers(*signers))
        a.rebuild()
        return [f"{w} {entry(i)}" for w in wanted]


signed("one role", ("commission1",), ["decision.signers"])
signed("the other role", ("supervision1",), ["decision.signers"])
signed("one officer twice", ("commission1", "commission1"), ["decision.signers"])
signed("two of one role", ("commission1", "commission2"), ["decision.signers"])
signed("a role that does not count", ("commission1", "operator1"), ["decision.signers"])
signed("more than are needed: clean", ("commission1", "commission2", "supervision1", "operator1"), [])
signed("other officers of the roles: clean", ("commission2", "supervision2"), [])


@damage("exclude: a good document, an officer's signature over something else")
def _(a):
    i = a.of("exclude")
    keys = a.officers(*BOTH)
    from forge import keyid
    a.document(i, a.payload(i), keys=[keys[0], STRANGER], keyids=[keyid(k) for k in keys])
    a.rebuild()
    return [f"decision.signers {entry(i)}"]


@damage("exclude: signed by terminals")
def _(a):
    i = a.of("exclude")
    terminals = list(a.e.seeds)[:2]
    a.document(i, a.payload(i), keys=[a.e.key(t) for t in terminals])
    a.rebuild()
    return [f"decision.signers {entry(i)}"]


@damage("a decision by an officer of another area")
def _(a):
    inside = a.e.officers["supervision.part"]["area"]
    at = next(k for k in map(a.plain, range(40)) if not a.e.within(a.e.branches[facts(a.leaves[k])["branch"]]["area"], inside))
    i = a.decision("annul", target(a, at), ("supervision.part", "supervision1"))
    a.rebuild()
    return [f"decision.signers {entry(i)}"]


@damage("a decision by an officer of the very area: clean")
def _(a):
    inside = a.e.officers["supervision.part"]["area"]
    at = next(k for k in map(a.plain, range(300)) if a.e.within(a.e.branches[facts(a.leaves[k])["branch"]]["area"], inside))
    a.decision("annul", target(a, at), ("supervision.part", "supervision1"))
    a.rebuild()
    return []


# ---- leaves of decisions ----
def leaf(title, kind, key, value, wanted, follow=()):
    @damage(f"{kind}: a leaf {title}")
    def _(a):
        i = a.of(kind)
        a.line(i, key, value)
        a.rebuild()
        return [f"{w} {entry(i)}" for w in wanted] + list(follow)


leaf("of a branch that there is not", "explain", "branch", "nowhere", ["leaf.branch"])
leaf("of a contest that there is not", "explain", "contest", "nothing", ["leaf.branch"])
leaf("of a candidate that there is not", "exclude", "candidate", "nobody", ["leaf.branch"])
leaf("of another candidate", "exclude", "candidate", "1002", ["payload.leaf"])
leaf("of another branch's pair", "explain", "branch", "b000001", ["leaf.branch"])
leaf("of another election", "exclude", "election", "other", ["leaf.election", "payload.leaf"])
leaf("without its contest", "exclude", "contest", None, ["leaf.syntax"])
leaf("of an at with a leading zero", "certify", "at", "013", ["leaf.syntax"])
leaf("of a result that is no hash", "certify", "result", "x", ["leaf.syntax"])
leaf("of a kind that it is not", "explain", "kind", "annul", ["payload.leaf", "decision.signers"])
leaf("with another payload length", "exclude", "payload", "0" * 64 + " 1", ["payload.hash"])


@damage("a decision whose envelope is missing")
def _(a):
    i = a.of("exclude")
    a.envelopes[i] = b""
    a.rebuild()
    return [f"envelope.missing {entry(i)}"]


@damage("a decision whose envelope is over 136 KiB")
def _(a):
    i = a.of("exclude")
    a.text(i, a.envelopes[i] + b" " * (136 << 10))
    a.rebuild()
    return [f"envelope.syntax {entry(i)}"]


@damage("a decision whose payload is over 96 KiB")
def _(a):
    i = a.of("exclude")
    import json
    a.document(i, json.dumps(a.payload(i)).encode() + b" " * (96 << 10))
    a.rebuild()
    return [f"envelope.syntax {entry(i)}"]


# ---- what cannot stand there ----
def more(title, make, wanted=("decision.state",), base="night"):
    """One more decision at the end."""
    @damage(title, base)
    def _(a):
        made = make(a)
        a.rebuild()
        return [f"{w} {entry(made)}" for w in wanted]


more("release of what is counted", lambda a: a.decision("release", target(a, a.plain(2)), BOTH))
more("annul, as it should be: clean", lambda a: a.decision("annul", target(a, a.plain(2)), BOARDS), ())
more("annul twice", lambda a: [a.decision("annul", target(a, a.plain(2)), BOARDS) for _ in range(2)][1])
more("reinstate of what is not annulled", lambda a: a.decision("reinstate", target(a, a.plain(2)), BOARDS))
more("annul and reinstate: clean", lambda a: [a.decision(k, target(a, a.plain(2)), BOARDS) for k in ("annul", "reinstate")][1], ())
more("annul of what was not reported", lambda a: a.decision("annul", unreported(a), BOARDS))
more("explain of what was not reported", lambda a: a.decision("explain", unreported(a), ("commission1",)))
more("release of what was not reported", lambda a: a.decision("release", unreported(a), BOTH))
more("annul at a position before the bundle", lambda a: a.decision("annul", target(a, a.plain(2)), BOARDS, position=a.plain(2)))
more("annul at the position of the bundle: clean", lambda a: a.decision("annul", target(a, a.plain(2)), BOARDS, position=a.plain(2) + 1), ())
more("annul at a position of the future", lambda a: a.decision("annul", target(a, a.plain(2)), BOARDS, position=len(a.leaves) + 1))
more("exclude at a position long ago: clean", lambda a: a.decision("exclude", {"contest": first_contest(a), "candidate": candidate(a)}, BOTH, position=1), ())
more("exclude of who is excluded", lambda a: a.decision("exclude", {"contest": facts(a.leaves[10])["contest"], "candidate": "1001"}, BOTH))
more("lot without a tie", lambda a: a.decision("lot", {"contest": facts(a.leaves[10])["contest"], "order": ["1002", "1003"], "ground": "lot"}, BOTH))
more("lot of a contest that still waits", lambda a: a.decision("lot", {"contest": unreported(a)["contest"], "order": codes(a, unreported(a)["contest"])[:2],
                                                                       "ground": "lot"}, BOTH))
more("certify of a contest that still waits", lambda a: a.decision("certify", {"contest": unreported(a)["contest"], "at": len(a.leaves), "result": "0" * 64},
                                                                   THREE), ("certificate.result",))
more("certify long before", lambda a: a.decision("certify", {"contest": first_contest(a), "at": 1, "result": "0" * 64}, THREE, position=1),
     ("decision.state", "certificate.result"))
more("a decision of an unknown contest", lambda a: a.decision("exclude", {"contest": "nothing", "candidate": "x"}, BOTH), ("leaf.branch",))


def first_contest(a):
    return a.payload(a.plain(2))["contests"][0]["contest"]


def codes(a, contest):
    lines = a.files["doc/definition/candidates.csv"].decode().splitlines()[1:]
    return [x.split(",")[1] for x in lines if x.split(",")[0] == contest]


def candidate(a):
    return codes(a, first_contest(a))[0]


def unreported(a):
    branch = a.missing()
    return {"branch": branch, "contest": a.e.payload(branch)["contests"][0]["contest"]}


@damage("the same decision twice")
def _(a):
    i = a.of("exclude")
    j = a.append(a.leaves[i], a.envelopes[i])
    a.line(j, "accepted", a.base.facts[-1]["accepted"])
    a.rebuild()
    return [f"decision.state {entry(j)}"]


@damage("a decision that was taken out: what hung on it does not stand")
def _(a):
    i = a.of("annul")
    j = a.of("reinstate")
    a.leaves[i] = a.leaves[i][:-1]
    a.rebuild()
    return [f"leaf.syntax {entry(i)}", f"decision.state {entry(j)}"]


@damage("a release that too few signed, and what follows on it")
def _(a):
    i = a.of("release")
    a.document(i, a.payload(i), keys=a.officers("commission1"))
    a.rebuild()
    return [f"decision.signers {entry(i)}"]


@damage("a conflict that the signers did not know of")
def _(a):
    i = a.of("annul")
    a.edit(i, lambda p: p.update(position=5))
    a.rebuild()
    return [f"decision.state {entry(i)}", f"decision.state {entry(a.of('reinstate'))}"]


@damage("a conflict with a finding does not count as one")
def _(a):
    i, c = a.of("annul"), a.of("conflict")
    a.edit(i, lambda p: p.update(position=5))
    a.line(c, "first", "0" * 64)
    a.rebuild()
    return [f"conflict.first {entry(c)}"]


@damage("a bundle with a finding: decisions on it do not stand")
def _(a):
    i = a.plain(2)
    a.envelopes[i] = a.envelopes[i][:-1] + b" "
    j = a.decision("annul", {"branch": facts(a.leaves[i])["branch"], "contest": Forge_contest(a, i)}, BOARDS)
    a.rebuild()
    return [f"envelope.hash {entry(i)}", f"decision.state {entry(j)}"]


def Forge_contest(a, i):
    import base64
    import json
    return json.loads(base64.b64decode(json.loads(a.base.envelopes[i])["payload"]))["contests"][0]["contest"]


@damage("the pack with the decisions cannot be read: they are not in force, and nothing is said of them")
def _(a):
    a.files["bundle/000"] = b""
    return ["file.syntax bundle/000"] + a.keyed()


# ---- with withheld bundles ----
def hidden(a):
    """A withheld bundle with nothing else at its branch: (position, branch, contest)."""
    lines = a.files["doc/definition/ballots.csv"].decode().splitlines()[1:]
    for i, f in enumerate(a.base.facts):
        if f["kind"] == "bundle" and a.base.envelopes[i] is None and i > a.base.quiet and "held" not in f:
            contests = [x.split(",")[1] for x in lines if x.split(",")[0] == f["branch"]]
            return i, f["branch"], contests[0]
    raise AssertionError


def at_hidden(title, kind, signers, wanted, **options):
    @damage(f"withheld: {title}", "small")
    def _(a):
        _, branch, contest = hidden(a)
        i = a.decision(kind, {"branch": branch, "contest": contest}, signers, **options)
        a.rebuild()
        return [f"{w} {entry(i)}" for w in wanted]


at_hidden("annul: clean", "annul", BOARDS, [])
at_hidden("explain, nobody can tell of what: clean", "explain", ("commission1",), [])
at_hidden("release of what is not held", "release", BOTH, ["decision.state"])
at_hidden("explain before it was reported", "explain", ("commission1",), ["decision.state"], position=3)
at_hidden("reinstate of what is not annulled", "reinstate", BOARDS, ["decision.state"])


@damage("withheld: explained twice, nobody can tell: clean", "small")
def _(a):
    _, branch, contest = hidden(a)
    for _ in range(2):
        a.decision("explain", {"branch": branch, "contest": contest}, ("commission1",))
    a.rebuild()
    return []


@damage("withheld: a certificate of any result, where all is complete: clean", "small")
def _(a):
    _, branch, contest = hidden(a)
    lines = a.files["doc/definition/ballots.csv"].decode().splitlines()[1:]
    one = next(c for c in (x.split(",")[1] for x in lines if x.split(",")[0] == branch)
               if sum(x.split(",")[1] == c for x in lines) == 1)
    a.decision("certify", {"contest": one, "at": len(a.leaves), "result": "0" * 64}, THREE)
    a.rebuild()
    return []


@damage("withheld: a certificate twice", "small")
def _(a):
    _, branch, contest = hidden(a)
    lines = a.files["doc/definition/ballots.csv"].decode().splitlines()[1:]
    one = next(c for c in (x.split(",")[1] for x in lines if x.split(",")[0] == branch)
               if sum(x.split(",")[1] == c for x in lines) == 1)
    for _ in range(2):
        i = a.decision("certify", {"contest": one, "at": len(a.leaves), "result": "0" * 64}, THREE)
    a.rebuild()
    return [f"decision.state {entry(i)}"]


@damage("withheld: a held line that the leaf adds, nobody can tell: clean", "small")
def _(a):
    i, branch, contest = hidden(a)
    a.leaves[i] += f"held {contest} N08\n".encode()
    a.decision("release", {"branch": branch, "contest": contest}, BOTH)
    a.rebuild()
    return []


@damage("withheld: revision 2 over it, published: clean", "small")
def _(a):
    i, branch, _ = hidden(a)
    a.bundle(branch, keys=[a.e.key(a.e.terminal_of(branch)), *a.officers("supervision1")], revision=2,
             prev=facts(a.leaves[i])["payload"][:64])
    a.rebuild()
    return []


@damage("withheld: of another terminal", "small")
def _(a):
    i, _, _ = hidden(a)
    a.line(i, "terminal", "t000001" if facts(a.leaves[i])["terminal"] != "t000001" else "t000002")
    a.rebuild()
    return [f"leaf.key {entry(i)}"]


@damage("withheld: of revision 2", "small")
def _(a):
    i, _, _ = hidden(a)
    a.line(i, "revision", 2)
    a.rebuild()
    return [f"revision.gap {entry(i)}"]


_ = DECISION
