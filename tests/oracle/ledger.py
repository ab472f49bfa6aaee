# SPDX-License-Identifier: Apache-2.0
"""Which bundles make the tally, and in what order: from a recording, or from a running daemon (second counter).

Ledger.take(envelope) answers as the daemon must: (status, code or tally status, {contest: checks}).
"""
import base64
import hashlib
import http.client
import json
import ssl
from pathlib import Path
from urllib.parse import quote, urlsplit

import ed25519
from checks import Refused, findings
from registry import Registry, keyid
from tally import Tally

BUNDLE = "application/vnd.tally.bundle.v1+json"
PAGE = 500


def pae(kind, body):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)


class Ledger:
    def __init__(self, definition):
        self.d = definition
        self.tally = Tally(definition)
        self.payloads = {}  # branch: payloads of its revisions, as bytes
        self.registry = Registry(definition)
        self.contradictions = {}  # payloads that contradict what was there: (branch, entry)
        self.entries = 1  # genesis

    def signed(self, envelope, payload):
        """The terminal, and the officers who signed beside it."""
        text, terminal, officers = pae(envelope["payloadType"], payload), None, []
        for signature in envelope["signatures"]:
            one = self.registry.terminal_of(signature["keyid"])
            key = one and self.registry.keys[signature["keyid"]]
            of = [o for o in self.d.officers.values() if keyid(o["signing_key"]) == signature["keyid"]]
            key = key or (of[0]["signing_key"] if of else None)
            if key is None or not ed25519.verify(bytes.fromhex(key), text, base64.b64decode(signature["sig"])):
                continue
            if terminal is None and one is not None and not self.registry.in_force(one, signature["keyid"]):
                raise Refused(403, "A03")
            terminal = terminal or one
            officers += of
        if terminal is None:
            raise Refused(401, "A02")
        return terminal, officers

    def place(self, payload, body, officers):
        """Revision and predecessor; None: new, else the answer for one that is there."""
        known = self.payloads.get(payload["branch"], [])
        n = payload["revision"]
        if n <= len(known):
            if known[n - 1] == body:
                return "same"
            self.tally.conflicts.add(payload["branch"])
            if body not in self.contradictions:  # each is an entry once, however often it comes
                self.contradictions[body] = payload["branch"], self.entries
                self.entries += 1
            raise Refused(409, "S04")
        prev = hashlib.sha256(known[-1]).hexdigest() if known else None
        area = self.d.branches[payload["branch"]].area
        for role, wanted in self.d.policy["revise"].items() if n > 1 else ():
            if sum(o["role"] == role and self.d.within(area, o["area"]) for o in officers) < wanted:
                raise Refused(409, "S04")
        if n != len(known) + 1 or payload["prev"] != prev:
            raise Refused(409, "S04")
        return None

    def take(self, envelope):
        if self.registry.state != "open":
            raise Refused(503, "state")
        body = base64.b64decode(envelope["payload"], validate=True)
        terminal, officers = self.signed(envelope, body)
        payload = json.loads(body)
        head = self.d.head
        if payload["election"] != head["election"] or payload["branch"] not in self.d.branches:
            raise Refused(422, "A07")
        if payload["phase"] != head["phase"]:
            raise Refused(422, "A05")
        if (terminal["terminal"], terminal["branch"]) != (payload["terminal"], payload["branch"]):
            raise Refused(403, "A03")
        found = findings(self.d, terminal, payload)  # a code twice is no bundle, whatever its revision
        if self.place(payload, body, officers) == "same":
            return 200, None, None
        self.tally.apply(payload, found, self.entries)
        self.payloads.setdefault(payload["branch"], []).append(body)
        self.entries += 1
        held = sum(bool(holds) for holds, _ in found.values())
        status = "counted" if not held else "held" if held == len(found) else "partly"
        return 201, status, {c: sorted(holds | flags) for c, (holds, flags) in found.items() if holds | flags}


def from_recording(definition, path):
    ledger = Ledger(definition)
    for line in Path(path).read_text("utf-8").splitlines():
        try:
            ledger.take(json.loads(line)["envelope"])
        except Refused:
            continue
    return ledger


class Api:
    """Reads the daemon with an auditor's certificate."""

    def __init__(self, url, keys):
        context = ssl.create_default_context(cafile=Path(keys) / "ca.crt")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(Path(keys) / "clients/auditor.pem")
        where = urlsplit(url)
        self.connection = http.client.HTTPSConnection(where.hostname, where.port, timeout=60, context=context)

    def get(self, path):
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return json.loads(body)

    def pages(self, path):
        items, cursor = [], ""
        while cursor is not None:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit={PAGE}" + (f"&cursor={cursor}" if cursor else ""))
            items += page["items"]
            cursor = page["next"]
        return items


def entries(definition, api):
    """(position, branch, kind, envelope) of the ledger's bundles and conflicts, in its own order; what the daemon made of
    them is not looked at."""
    found = []
    for code in definition.branches:
        for event in api.get(f"/v1/branches/{quote(code)}")["timeline"]:
            envelope = None
            if event["kind"] == "bundle":
                envelope = api.get(f"/v1/branches/{quote(code)}/bundles/{event['revision']}")
                if hashlib.sha256(base64.b64decode(envelope["payload"])).hexdigest() != event["payload"]:
                    raise RuntimeError(f"the envelope is not the one of {event['payload']}")
            found.append((event["position"], code, event["kind"], envelope))
    return sorted(found, key=lambda entry: entry[0])


def follow(ledger, entry):
    """One of entries()."""
    position, branch, kind, envelope = entry
    if kind == "bundle":
        ledger.take(envelope)
    elif kind == "conflict":
        ledger.tally.conflicts.add(branch)
        ledger.entries += 1
    else:
        raise RuntimeError(f"this counter knows no {kind}")
    if ledger.entries != position + 1:
        raise RuntimeError(f"an entry before position {position} is missing")


def from_api(definition, api):
    """The bundles alone."""
    ledger = Ledger(definition)
    for _, _, kind, envelope in entries(definition, api):
        if kind == "bundle":
            ledger.take(envelope)
    return ledger
