# SPDX-License-Identifier: Apache-2.0
"""Published results documents: who signed them, their order, their numbers."""
import copy

from forge import DECISION, STRANGER, b64, dumps, envelope, facts, keyid, sha
from rows import damage, entry

RESULTS = "application/vnd.tally.results.v1+json"
THREE = ("commission1", "commission2", "supervision1")


def newest(a):
    """The last document of the night: of the whole country, serial 2."""
    return a.of("result", 2)


def changed(title, change, wanted, **options):
    """The newest document changed and signed anew; wanted: checks."""
    @damage(f"results: {title}", "results")
    def _(a):
        i = newest(a)
        a.edit(i, change, **options)
        a.rebuild()
        return [f"{w} {entry(i)}" for w in wanted]


def voted(document):
    """The first contest with ballots."""
    return next(c for c in document["contests"] if c["ballots"] is not None)


def member(title, change):
    """A member of the first contest with ballots."""
    @damage(f"results: {title}", "results")
    def _(a):
        i = newest(a)
        document = a.payload(i)
        row = voted(document)
        change(row)
        a.document(i, document)
        a.rebuild()
        return [f"result.numbers {entry(i)} {row['contest']}"]


member("one ballot more", lambda c: c.update(ballots=c["ballots"] + 1))
member("ballots null", lambda c: c.update(ballots=None))
member("another status", lambda c: c.update(status="certified"))
member("a winner less", lambda c: c["winners"].pop())
member("a winner more", lambda c: c["winners"].append("nobody"))
member("two winners exchanged", lambda c: c["winners"].reverse())
member("an alternate more", lambda c: c["alternates"].append(c["winners"][0]))
member("seats where the method has none", lambda c: c["seats"].append(["A", 1]))
member("another result hash", lambda c: c.update(result="0" * 64))
member("result null", lambda c: c.update(result=None))


@damage("results: a contest that waits has ballots", "results")
def _(a):
    i = newest(a)
    document = a.payload(i)
    row = next(c for c in document["contests"] if c["ballots"] is None)
    row["ballots"] = 0
    a.document(i, document)
    a.rebuild()
    return [f"result.numbers {entry(i)} {row['contest']}"]


@damage("results: a contest is missing", "results")
def _(a):
    i = newest(a)
    document = a.payload(i)
    row = document["contests"].pop(3)
    a.document(i, document)
    a.rebuild()
    return [f"result.numbers {entry(i)} {row['contest']}"]


@damage("results: all contests are missing", "results")
def _(a):
    i = newest(a)
    document = a.payload(i)
    rows, document["contests"] = document["contests"], []
    a.document(i, document)
    a.rebuild()
    return [f"result.numbers {entry(i)} {row['contest']}" for row in rows]


@damage("results: a contest stands twice, in the place of another", "results")
def _(a):
    i = newest(a)
    document = a.payload(i)
    gone = document["contests"][4]["contest"]
    document["contests"][4] = copy.deepcopy(document["contests"][3])
    a.document(i, document)
    a.rebuild()
    return [f"result.numbers {entry(i)} {c}" for c in (gone, document["contests"][3]["contest"])]


@damage("results: a contest more than there are", "results")
def _(a):
    i = newest(a)
    document = a.payload(i)
    document["contests"].append({**document["contests"][0], "contest": "nothing"})
    a.document(i, document)
    a.rebuild()
    return [f"payload.syntax {entry(i)}"]


@damage("results: a contest that there is not", "results")
def _(a):
    i = newest(a)
    document = a.payload(i)
    gone = document["contests"][4]["contest"]
    document["contests"][4]["contest"] = "nothing"
    a.document(i, document)
    a.rebuild()
    return [f"result.numbers {entry(i)} {gone}", f"result.numbers {entry(i)} nothing"]


@damage("results: two contests exchanged: clean", "results")
def _(a):
    i = newest(a)
    document = a.payload(i)
    rows = document["contests"]
    rows[3], rows[4] = rows[4], rows[3]
    a.document(i, document)
    a.rebuild()
    return []


@damage("results: a contest outside the scope", "results")
def _(a):
    i = a.of("result", 0)
    document = a.payload(i)
    inside = {c["contest"] for c in document["contests"]}
    other = next(c for c in a.payload(newest(a))["contests"] if c["contest"] not in inside)
    document["contests"].append(other)
    a.document(i, document)
    a.rebuild()
    return [f"result.numbers {entry(i)} {other['contest']}"] + \
        [f"result.serial {entry(a.of('result', n))}" for n in (1, 2)]  # the root at their sizes is another one now


def unit(name):
    changed(f"units: one {name} more", lambda p: p["units"].update({name: p["units"][name] + 1}), ["result.numbers"])


for name in ("expected", "counted", "held", "annulled", "missing"):
    unit(name)

changed("another salt and software: clean", lambda p: p.update(salt="9" * 32, software="v2"), [])
changed("a status that there is not", lambda p: voted(p).update(status="lost"), ["payload.syntax"])
changed("a winner that is no code", lambda p: voted(p)["winners"].append("a b"), ["payload.syntax"])
changed("serial 3", lambda p: p.update(serial=3), ["payload.leaf", "result.serial"])
changed("without a prev", lambda p: p.update(prev=None), ["result.serial"])
changed("another prev", lambda p: p.update(prev="0" * 64), ["result.serial"])
changed("another root", lambda p: p["log"].update(root=b64(bytes(32))), ["result.serial"])
changed("another size", lambda p: p["log"].update(size=p["log"]["size"] - 1), ["payload.leaf", "result.serial"])
changed("another origin", lambda p: p["log"].update(origin="other.example/x/y"), ["result.serial"])
changed("another election, its origin the old one", lambda p: p.update(election="other"), ["payload.leaf"])
changed("another scope", lambda p: p.update(scope="nowhere"), ["payload.syntax"])
changed("a key more", lambda p: p.update(more=1), ["payload.syntax"])
changed("a key less", lambda p: {k: v for k, v in p.items() if k != "software"}, ["payload.syntax"])
changed("a contest with a key more", lambda p: p["contests"][0].update(more=1), ["payload.syntax"])
changed("a contest with a key less", lambda p: p["contests"][0].pop("seats") and None, ["payload.syntax"])
changed("units that are no numbers", lambda p: p["units"].update(held="x"), ["payload.syntax"])
changed("serial 0", lambda p: p.update(serial=0), ["payload.syntax"])
changed("size 0", lambda p: p["log"].update(size=0), ["payload.syntax"])
changed("a salt too short", lambda p: p.update(salt="00"), ["payload.syntax"])
changed("software of 65 bytes", lambda p: p.update(software="x" * 65), ["payload.syntax"])
changed("a result that is no hash", lambda p: voted(p).update(result="x"), ["payload.syntax"])
changed("something behind", lambda p: dumps(p) + b"x", ["payload.syntax"])
changed("signed by nobody who may", lambda p: None, ["result.signers"], keys=[STRANGER])
changed("of the type of decisions", lambda p: None, ["envelope.type"], kind=DECISION)


@damage("results: another election and its origin", "results")
def _(a):
    i = newest(a)
    def other(p):
        p["election"] = "other"
        p["log"]["origin"] = f"{a.about['domain']}/other/{a.about['phase']}"
    a.edit(i, other)
    a.rebuild()
    return [f"payload.leaf {entry(i)}", f"result.serial {entry(i)}"]


@damage("results: signed by too few", "results")
def _(a):
    i = newest(a)
    a.document(i, a.payload(i), keys=a.officers("commission1", "supervision1"))
    a.rebuild()
    return [f"result.signers {entry(i)}"]


@damage("results: an officer's signature over something else", "results")
def _(a):
    i = newest(a)
    keys = a.officers(*THREE)
    a.document(i, a.payload(i), keys=[*keys[:2], STRANGER], keyids=[keyid(k) for k in keys])
    a.rebuild()
    return [f"result.signers {entry(i)}"]


@damage("results: by an officer of another area", "results")
def _(a):
    i = newest(a)
    a.document(i, a.payload(i), keys=a.officers("commission1", "commission2", "supervision.part"))
    a.rebuild()
    return [f"result.signers {entry(i)}"]


def leaf(title, key, value, wanted):
    @damage(f"results: a leaf {title}", "results")
    def _(a):
        i = newest(a)
        a.line(i, key, value)
        a.rebuild()
        return [f"{w} {entry(i)}" for w in wanted]


leaf("of an unknown scope", "scope", "nowhere", ["leaf.branch"])
leaf("of at 0", "at", 0, ["leaf.syntax"])
leaf("of serial 0", "serial", 0, ["leaf.syntax"])
leaf("of serial 2^31", "serial", 1 << 31, ["leaf.syntax"])
leaf("of another serial", "serial", 7, ["payload.leaf"])
leaf("of another size", "at", 1, ["payload.leaf"])
leaf("without its scope", "scope", None, ["leaf.syntax"])


@damage("results: a leaf of another scope", "results")
def _(a):
    i = newest(a)
    a.line(i, "scope", facts(a.leaves[a.of("result", 0)])["scope"])
    a.rebuild()
    return [f"payload.leaf {entry(i)}"]


@damage("results: the first document is taken out", "results")
def _(a):
    i = a.of("result", 1)
    a.leaves[i] = a.leaves[i][:-1]
    a.rebuild()
    return [f"leaf.syntax {entry(i)}", f"result.serial {entry(newest(a))}"]


@damage("results: the first document has wrong numbers, the second follows on it", "results")
def _(a):
    i = a.of("result", 1)
    a.edit(i, lambda p: p["units"].update(held=99))
    a.edit(newest(a), lambda p: p.update(prev=facts(a.leaves[i])["payload"][:64]))
    a.rebuild()
    return [f"result.numbers {entry(i)}", f"result.serial {entry(newest(a))}"]


def later(a, change=lambda p: None, position=None, **top):
    """One more document of the country at the end, about the past: the numbers of the newest one, at its size."""
    i = newest(a)
    payload = a.payload(i)
    payload.update(serial=3, prev=facts(a.leaves[i])["payload"][:64], salt="5" * 32)
    payload.update(top)
    change(payload)
    body = dumps(payload)
    text = envelope(body, a.officers(*THREE), RESULTS)
    leaf_ = (f"tally/leaf/v1\nkind result\nelection {a.about['election']}\npayload {sha(body)} {len(body)}\n"
             f"envelope {sha(text)} {len(text)}\naccepted {a.accepted()}\nscope {payload['scope']}\nat {payload['log']['size']}\n"
             f"serial {payload['serial']}\n")
    return a.append(leaf_.encode(), text)


@damage("results: of the past, when much has changed since: clean", "results")
def _(a):
    later(a)
    a.rebuild()
    return []


@damage("results: of the past, a number is not what it was", "results")
def _(a):
    n = []
    i = later(a, lambda p: (n.append(voted(p)["contest"]), voted(p).update(ballots=voted(p)["ballots"] - 1)))
    a.rebuild()
    return [f"result.numbers {entry(i)} {n[0]}"]


@damage("results: of the past, the units are those of now", "results")
def _(a):
    i = later(a, lambda p: p["units"].update(counted=p["units"]["counted"] + p["units"]["missing"], missing=0))
    a.rebuild()
    return [f"result.numbers {entry(i)}"]


@damage("results: of a size behind its own place", "results")
def _(a):
    i = later(a, lambda p: p["log"].update(size=len(a.leaves) + 1))
    a.rebuild()
    return [f"result.serial {entry(i)}"]


@damage("results: the same document twice", "results")
def _(a):
    i = newest(a)
    j = a.append(a.leaves[i], a.envelopes[i])
    a.line(j, "accepted", a.base.facts[-1]["accepted"])
    a.rebuild()
    return [f"result.serial {entry(j)}"]


@damage("results: its envelope is missing", "results")
def _(a):
    i = newest(a)
    a.envelopes[i] = b""
    a.rebuild()
    return [f"envelope.missing {entry(i)}"]


@damage("results: withheld", "small")
def _(a):
    i = newest(a)
    a.envelopes[i] = None
    a.rebuild()
    return [f"envelope.missing {entry(i)}"]


@damage("results: over 2 MiB", "results")
def _(a):
    i = newest(a)
    a.text(i, a.envelopes[i] + b" " * (2 << 20))
    a.rebuild()
    return [f"envelope.syntax {entry(i)}"]


@damage("results: numbers of a contest that is withheld, nobody can tell: clean", "small")
def _(a):
    hidden = facts(a.leaves[3])["contest"]
    i = newest(a)
    a.edit(i, lambda p: [c.update(ballots=c["ballots"] + 1) for c in p["contests"] if c["contest"] == hidden] and None)
    a.rebuild()
    return []


@damage("results: numbers of a contest that is not withheld", "small")
def _(a):
    """The last contest that no withheld bundle ever touched."""
    hidden = set()
    lines = a.files["doc/definition/ballots.csv"].decode().splitlines()[1:]
    for f, text in zip(a.base.facts, a.base.envelopes):
        if f["kind"] == "bundle" and text is None:
            hidden |= {x.split(",")[1] for x in lines if x.split(",")[0] == f["branch"]}
    i = newest(a)
    document = a.payload(i)
    row = next(c for c in document["contests"] if c["contest"] not in hidden)
    row["status"] = "annulled"
    a.document(i, document)
    a.rebuild()
    return [f"result.numbers {entry(i)} {row['contest']}"]


@damage("results: numbers were changed behind the document's back", "results")
def _(a):
    i = a.of("bundle", 0)
    row = a.payload(i)["contests"][0]
    a.edit(i, lambda p: p["contests"][0]["candidates"][0].__setitem__(1, p["contests"][0]["candidates"][0][1] - 1))
    a.rebuild()
    of = [a.of("result", n) for n in range(3)]
    return [f"result.serial {entry(k)}" for k in of] + [  # the root at their sizes is another one, too
        f"result.numbers {entry(k)} {row['contest']}" for k in of
        if row["contest"] in {c["contest"] for c in a.payload(k)["contests"]}]
