# SPDX-License-Identifier: Apache-2.0
"""A signer that lies: liar.py CONFIG.signer MODE [SIZE ROOT]   (the socket, key and origin are those of the settings)

    agrees     remembers nothing: its last head is whatever it is asked to extend, and it signs everything
    forgets    says that it signed nothing yet, and signs everything
    root       says SIZE, with another root
    ahead      says a size that nobody has
    wrong      signs, but not what it was asked
    other      has another key
    name       signs for another log
    refuses    refuses every head
    again      says for ever that its last head is another
    silent     takes the connection and says nothing
    garbage    answers what is no answer
    long       announces an answer of 2 GiB
SIZE ROOT: of the last head that it says (base64).  Ends with the connection of its parent: SIGTERM.
"""
import base64
import hashlib
import os
import socket
import struct
import sys

from nacl.signing import SigningKey

from client import seed_of
from logs import b64, key_id

settings = dict(line.split(" = ", 1) for line in open(sys.argv[1]).read().splitlines() if line)
mode = sys.argv[2]
key = SigningKey(seed_of(settings["key"]))
if mode == "other":
    key = SigningKey(hashlib.sha256(b"other").digest())
origin = settings["origin"] + ("/x" if mode == "name" else "")
public = bytes(key.verify_key)
vkey = "+".join((origin, key_id(origin, 1, public).hex(), b64(b"\1" + public)))
size, root = (int(sys.argv[3]), sys.argv[4]) if len(sys.argv) > 3 else (0, b64(hashlib.sha256(b"").digest()))
other_root = b64(hashlib.sha256(b"another").digest())
if mode == "root":
    root = other_root
if mode == "ahead":
    size = size + 1000
if mode == "forgets":
    size, root = 0, b64(hashlib.sha256(b"").digest())


def answer(text):
    if text == "hello\n":
        return f"hello\n{vkey}\n{size}\n{root}\n"
    body = text.split("\n\n", 1)[1]
    if mode == "refuses":
        return "refused\nno\n"
    if mode == "again":
        return f"last\n{size}\n{root}\n"
    if mode == "wrong":
        body = body.replace("\n", "\n1", 1)
    return f"signed\n{b64(key.sign(body.encode()).signature)}\n"


def read(peer, n):
    data = b""
    while len(data) < n:
        more = peer.recv(n - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def serve(peer):
    while True:
        text = read(peer, struct.unpack(">I", read(peer, 4))[0]).decode()
        if mode == "silent":
            peer.recv(1)
            return
        if mode == "garbage":
            peer.sendall(struct.pack(">I", 7) + b"\0\xff\n\n\n\n\n")
        elif mode == "long":
            peer.sendall(struct.pack(">I", 1 << 31) + b"x" * 4096)
        else:
            out = answer(text).encode()
            peer.sendall(struct.pack(">I", len(out)) + out)


listener = socket.socket(socket.AF_UNIX)
if os.path.exists(settings["socket"]):
    os.unlink(settings["socket"])
listener.bind(settings["socket"])
listener.listen()
print("<5>signer.ready liar", file=sys.stderr, flush=True)
while True:
    one, _ = listener.accept()
    try:
        serve(one)
    except (ConnectionError, OSError):
        pass
    one.close()
