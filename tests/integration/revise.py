# SPDX-License-Identifier: Apache-2.0
"""Posts revision 2 of the first recorded bundle, cosigned by supervision: revise.py DIR INGEST_PORT."""
import base64
import hashlib
import json
import sys

from client import Client, Election, dumps, envelope

e = Election(sys.argv[1])
terminal = e.ready()[0]
first = base64.b64decode(e.recorded[terminal]["payload"])
payload = {**json.loads(first), "revision": 2, "prev": hashlib.sha256(first).hexdigest()}
body = envelope(dumps(payload), [e.key(terminal), e.officer_key("supervision1")])
answer = Client(e, int(sys.argv[2]), e.pem("relay")).post(body)
print(answer.status, answer.code() if answer.status >= 400 else "-")
