# SPDX-License-Identifier: Apache-2.0
"""Connections that only stand there, until killed: idle ones, handshakes that stop in the middle, headers and bodies
that stop in the middle.  loiter.py DIR INGEST_PORT; prints "there" when all are open."""
import signal
import socket
import sys

from client import Client, Election

EACH = 10
HELLO = bytes.fromhex("1603010100010000fc0303")  # the beginning of a ClientHello

e = Election(sys.argv[1])
port = int(sys.argv[2])
kept = []
for i in range(EACH):
    silent = socket.create_connection(("localhost", port))
    half = socket.create_connection(("localhost", port))
    half.sendall(HELLO)
    idle = Client(e, port, e.pem("relay"))
    assert idle.get("/v1/election").status == 200
    header = Client(e, port, e.pem("relay"))
    header.connection.connect()
    header.connection.sock.sendall(b"POST /v1/bundles HTTP/1.1\r\nHost: x\r\nContent-")
    body = Client(e, port, e.pem("relay"))
    body.connection.connect()
    body.connection.sock.sendall(b"POST /v1/bundles HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
                                 b"Content-Type: application/vnd.dsse.envelope.v1+json\r\n\r\n{")
    kept += [silent, half, idle, header, body]
print("there", flush=True)
signal.pause()
