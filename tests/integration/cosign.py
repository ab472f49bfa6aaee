# SPDX-License-Identifier: Apache-2.0
"""A witness that says what it is told, by the specification alone: cosign.py KEY NAME CHECKPOINT TIME [SIZE [ROOT]]

Prints the body of the checkpoint (of that size and base64 root instead, if told) and the witness's line over it.
"""
import base64
import hashlib
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from nacl.signing import SigningKey  # noqa: E402

from client import seed_of  # noqa: E402
from logs import key_id  # noqa: E402

key, name, at = SigningKey(seed_of(sys.argv[1])), sys.argv[2], int(sys.argv[4])
lines = Path(sys.argv[3]).read_text("utf-8").split("\n")[:3]
if len(sys.argv) > 5:
    lines[1] = sys.argv[5]
    lines[2] = sys.argv[6] if len(sys.argv) > 6 else base64.b64encode(hashlib.sha256(sys.argv[5].encode()).digest()).decode()
body = "\n".join(lines) + "\n"
signature = key.sign(b"cosignature/v1\ntime %d\n" % at + body.encode()).signature
field = key_id(name, 4, bytes(key.verify_key)) + struct.pack(">Q", at) + signature
sys.stdout.write(f"{body}\n\u2014 {name} {base64.b64encode(field).decode()}\n")
