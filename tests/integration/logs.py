# SPDX-License-Identifier: Apache-2.0
"""Logs, notes, cosignatures and a witness's HTTP side, by their specifications alone: shares no code with ours."""
import base64
import hashlib
import http.client
import os
import re
import struct
import subprocess
import time

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

DEADLINE_S = 60


def sha(data):
    return hashlib.sha256(data).digest()


def b64(data):
    return base64.b64encode(data).decode()


def split(n):
    """The largest power of two below n."""
    return 1 << ((n - 1).bit_length() - 1)


def root(hashes):
    """RFC 6962 section 2.1, of leaf hashes."""
    if not hashes:
        return sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return sha(b"\1" + root(hashes[:k]) + root(hashes[k:]))


def consistency(m, hashes, whole=True):
    """RFC 6962 section 2.1.2: PROOF(m, D[n]), or SUBPROOF."""
    if m == len(hashes):
        return [] if whole else [root(hashes)]
    if m == 0:
        return []
    k = split(len(hashes))
    if m <= k:
        return consistency(m, hashes[:k], whole) + [root(hashes[k:])]
    return consistency(m - k, hashes[k:], False) + [root(hashes[:k])]


def key_id(name, algorithm, public):
    return sha(name.encode() + b"\n" + bytes([algorithm]) + public)[:4]


class Log:
    """A log whose leaves are made of numbers; `twist` makes it another from that leaf on."""

    def __init__(self, name, seed, size, twist=None):
        self.name = name
        self.key = SigningKey(sha(seed))
        self.hashes = [sha(b"\0%d%s" % (i, b"!" if twist is not None and i >= twist else b"")) for i in range(size)]

    def vkey(self):
        public = bytes(self.key.verify_key)
        return "+".join((self.name, key_id(self.name, 1, public).hex(), b64(b"\1" + public)))

    def body(self, size):
        return f"{self.name}\n{size}\n{b64(root(self.hashes[:size]))}\n".encode()

    def note(self, size, key=None):
        body = self.body(size)
        field = key_id(self.name, 1, bytes(self.key.verify_key)) + (key or self.key).sign(body).signature
        return body + f"\n\u2014 {self.name} {b64(field)}\n".encode()

    def request(self, old, size, **changes):
        proof = changes["proof"] if "proof" in changes else consistency(old, self.hashes[:size])
        lines = "".join(b64(one) + "\n" for one in proof)
        return f"old {changes.get('said', old)}\n{lines}\n".encode() + changes.get("note", self.note(size))


def cosigned_at(vkey, body, line):
    """The time of a witness's line over a body; raises when it is not what the witness of that vkey signs."""
    name, key, public = vkey.split("+", 2)
    public = base64.b64decode(public)
    assert public[0] == 4, "not a witness's key"
    match = re.fullmatch("\u2014 (\\S+) (\\S+)\n", line.decode())
    assert match and match.group(1) == name, line
    field = base64.b64decode(match.group(2), validate=True)
    assert field[:4].hex() == key == key_id(name, 4, public[1:]).hex(), "another key's id"
    at = struct.unpack(">Q", field[4:12])[0]
    try:
        VerifyKey(public[1:]).verify(b"cosignature/v1\ntime %d\n" % at + body, field[12:])
    except BadSignatureError as error:
        raise AssertionError(line) from error
    return at


class Witness:
    """A tally-witness of its own."""

    def __init__(self, program, config, log):
        self.log = open(log, "ab")
        self.path = log
        self.began = self.log.tell()
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", program, "--config", str(config)],
                                        stderr=self.log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + DEADLINE_S
        while not (ready := self.said(r"witness\.ready port=(\d+) vkey=(\S+)")) and time.monotonic() < until:
            assert self.process.poll() is None, self.text()
            time.sleep(0.01)
        assert ready, self.text()
        self.port, self.vkey = int(ready.group(1)), ready.group(2)

    def text(self):
        with open(self.path, encoding="utf-8") as text:
            text.seek(self.began)
            return text.read()

    def said(self, pattern):
        return re.search(pattern, self.text())

    def post(self, body, path="/add-checkpoint", method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.headers.get("Content-Type"), text

    def end(self, signal):
        os.kill(self.process.pid, signal)
        code = self.process.wait(DEADLINE_S)
        self.log.close()
        return code


def publish(log, folder, size):
    """A log's published folder as far as a courier reads it: tiles of the lowest level, then the checkpoint."""
    for n in range((size + 255) // 256):
        hashes = log.hashes[256 * n:min(256 * n + 256, size)]
        path = folder / "tile/0" / (f"{n:03d}" if len(hashes) == 256 else f"{n:03d}.p/{len(hashes)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(hashes))
    (folder / "checkpoint.new").write_bytes(log.note(size))
    (folder / "checkpoint.new").rename(folder / "checkpoint")
