# SPDX-License-Identifier: Apache-2.0
"""Posts the N-th recorded bundle as the relay: post.py DIR INGEST_PORT N.  Prints status, code, Retry-After."""
import sys

from client import Client, Election, dumps

e = Election(sys.argv[1])
answer = Client(e, int(sys.argv[2]), e.pem("relay")).post(dumps(e.recorded[e.ready()[int(sys.argv[3])]]))
print(answer.status, answer.code() if answer.status >= 400 else "-", answer.headers["Retry-After"] or "-")
