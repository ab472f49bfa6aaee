# SPDX-License-Identifier: Apache-2.0
"""A terminal, a relay or a reader for the integration tests: signs bundles, speaks mutual TLS."""
import base64
import copy
import csv
import hashlib
import http.client
import json
import re
import ssl
from pathlib import Path

from nacl.signing import SigningKey

ENVELOPE = "application/vnd.dsse.envelope.v1+json"
NDJSON = "application/x-ndjson"
BUNDLE = "application/vnd.tally.bundle.v1+json"
TIMEOUT_S = 60


def rows(path):
    with open(path, encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def pae(kind, body):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)


def seed_of(path):
    """The seed inside an Ed25519 PKCS#8 PEM file is its last 32 bytes."""
    text = "".join(line for line in Path(path).read_text().splitlines() if not line.startswith("-"))
    return base64.b64decode(text)[-32:]


def envelope(payload, keys, kind=BUNDLE, keyids=None):
    """The envelope of payload bytes, signed by nacl keys; keyids overrides what they claim."""
    signatures = []
    for i, key in enumerate(keys):
        keyid = hashlib.sha256(bytes(key.verify_key)).hexdigest() if keyids is None else keyids[i]
        signature = key.sign(pae(kind, payload)).signature
        signatures.append({"keyid": keyid, "sig": base64.b64encode(signature).decode()})
    return json.dumps({"payload": base64.b64encode(payload).decode(), "payloadType": kind,
                       "signatures": signatures}, separators=(",", ":")).encode()


def dumps(payload):
    return json.dumps(payload, separators=(",", ":")).encode()


class Election:
    """An enrolled election (tallysim make, enrol, record) and everybody's keys."""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.about = json.loads((self.dir / "definition/election.json").read_text("utf-8"))
        self.terminals = {row["terminal"]: row for row in rows(self.dir / "registry/terminals.csv")}
        self.clients = {row["client"]: row for row in rows(self.dir / "registry/clients.csv")}
        self.officers = {row["officer"]: row for row in rows(self.dir / "registry/officers.csv")}
        self.branches = {row["branch"]: row for row in rows(self.dir / "definition/branches.csv")}
        self.areas = {row["area"]: row for row in rows(self.dir / "definition/areas.csv")}
        self.seeds = {row["terminal"]: row["seed"] for row in rows(self.dir / "keys/signing.csv")}
        self.recorded = {}
        with open(self.dir / "night.ndjson", encoding="utf-8") as lines:
            for line in lines:
                one = json.loads(line)
                self.recorded[one["terminal"]] = one["envelope"]

    def ready(self):
        """Terminals with a recorded bundle that will be taken."""
        return [t for t in self.recorded if self.terminals[t]["state"] == "active"]

    def terminal_of(self, branch):
        return next(t for t, row in self.terminals.items() if row["branch"] == branch)

    def payload(self, branch):
        """The recorded payload of a branch, to be changed at will."""
        text = self.recorded[self.terminal_of(branch)]["payload"]
        return copy.deepcopy(json.loads(base64.b64decode(text)))

    def key(self, terminal):
        return SigningKey(bytes.fromhex(self.seeds[terminal]))

    def officer_key(self, officer):
        return SigningKey(seed_of(self.dir / f"keys/officers/{officer}.key"))

    def client(self, role, area=None):
        """The first client of a role, of an area if told."""
        return next(c for c, row in self.clients.items()
                    if row["role"] == role and area in (None, row["area"]))

    def pem(self, name):
        """The PEM file of a client or a terminal."""
        found = self.dir / f"keys/clients/{name}.pem"
        return found if found.exists() else self.dir / f"keys/terminals/{name}.pem"

    def within(self, area, above):
        while area:
            if area == above:
                return True
            area = self.areas[area]["parent"]
        return False

    def root_area(self):
        return next(a for a, row in self.areas.items() if not row["parent"])


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def code(self):
        """The code of a problem, after checking that it is one of RFC 9457."""
        problem = self.json()
        assert self.headers["Content-Type"] == "application/problem+json", self.headers["Content-Type"]
        assert problem["type"] == f"urn:tally:problem:{problem['code']}", problem
        assert problem["status"] == self.status and problem["title"], problem
        return problem["code"]

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


class Client:
    """One kept-alive connection with somebody's certificate (a PEM file; None: without one)."""

    def __init__(self, election, port, pem):
        context = ssl.create_default_context(cafile=election.dir / "keys/ca.crt")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if pem is not None:
            context.load_cert_chain(pem)
        self.connection = http.client.HTTPSConnection("localhost", port, timeout=TIMEOUT_S, context=context)

    def request(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, headers)
        return Answer(self.connection.getresponse())

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def post(self, body, kind=ENVELOPE):
        return self.request("POST", "/v1/bundles", body, Content_Type=kind)

    def close(self):
        self.connection.close()


def leaf_of(receipt):
    """The leaf's text of a receipt, as a dict of its lines (held: a list)."""
    text = base64.b64decode(re.search(rb"^extra (.*)$", receipt, re.M).group(1)).decode()
    leaf = {"held": []}
    for line in text.splitlines()[1:]:
        name, _, value = line.partition(" ")
        if name == "held":
            leaf["held"].append(value)
        else:
            leaf[name] = value
    return leaf


def check_receipt(receipt, vkey, origin):
    """Path and signature of a receipt, by the specification alone; returns (index, size)."""
    head, _, note = receipt.partition(b"\n\n")
    lines = head.split(b"\n")
    assert lines[0] == b"c2sp.org/tlog-proof@v1", lines[0]
    leaf = base64.b64decode(lines[1].removeprefix(b"extra "))
    index = int(lines[2].removeprefix(b"index "))
    proof = [base64.b64decode(line) for line in lines[3:]]
    body, _, signatures = note.partition(b"\n\n")
    body += b"\n"
    name, size, root = body.decode().splitlines()
    assert name == origin, name
    signature = next(line for line in signatures.decode().splitlines()
                     if line.startswith(f"\u2014 {origin} "))
    vkey.verify(body, base64.b64decode(signature.split()[2])[4:])
    assert root_from(index, int(size), leaf, proof) == base64.b64decode(root), "path"
    return index, int(size)


def root_from(index, size, leaf, proof):
    """RFC 9162 section 2.1.3.2."""
    def node(left, right):
        return hashlib.sha256(b"\1" + left + right).digest()
    fn, sn, r = index, size - 1, hashlib.sha256(b"\0" + leaf).digest()
    for p in proof:
        assert sn != 0, "proof too long"
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0, "proof too short"
    return r
