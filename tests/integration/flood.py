# SPDX-License-Identifier: Apache-2.0
"""What one certificate can do to the others: little.  Memory stays under its bound, evidence under its cap, and a good
client is served all the while (TAP).

    flood.py DIR INGEST_PORT OPS_PORT DATABASE DAEMON_PID BUILD
"""
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
from client import NDJSON, Client, Election  # noqa: E402
from tap import Tap  # noqa: E402

CONNECTIONS = 15
BATCH_BYTES = 8 << 20
BATCH_LINES = 4096
BUDGET_MIB = 64  # ingest.memory of the daemon
# Above the budget: what the allocator keeps, one answer while it is written, TLS of the connections.
RSS_MORE_MIB = BUDGET_MIB + 96
EVIDENCE_ROWS = 1000
GARBAGE = 5000
OWN_LINES = 16


class World:
    def __init__(self, argv):
        self.tap = Tap()
        self.e = Election(argv[1])
        self.ingest, self.ops, self.database, self.pid = int(argv[2]), int(argv[3]), argv[4], int(argv[5])
        self.plain = not re.search("/(san|tsan)$", argv[6])  # sanitizers keep what is freed
        self.terminals = self.e.ready()

    def rss_mib(self):
        text = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.M).group(1)) >> 10

    def metric(self, name):
        connection = http.client.HTTPConnection("localhost", self.ops, timeout=60)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return int(re.search(rf"^{re.escape(name)} (\d+)$", text, re.M).group(1))

    def sql(self, text):
        done = subprocess.run(["psql", "-qXAt", "-d", self.database, "-c", text], stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()

    def bundle(self, terminal):
        return json.dumps(self.e.recorded[terminal], separators=(",", ":")).encode()


class Good(threading.Thread):
    """A well-behaved client beside the flood: counts the answers to its bundles."""

    def __init__(self, world, terminals):
        super().__init__()
        self.world, self.terminals, self.enough, self.answers, self.slowest = world, terminals, False, {}, 0.0

    def run(self):
        i = 0
        while not self.enough or i == 0:
            terminal = self.terminals[i % len(self.terminals)]
            client = Client(self.world.e, self.world.ingest, self.world.e.pem(terminal))
            begun = time.monotonic()
            answer = client.post(self.world.bundle(terminal))
            status = answer.status if answer.status < 400 else (answer.status, answer.json().get("detail"))
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.answers[status] = self.answers.get(status, 0) + 1
            client.close()
            i += 1

    def stop(self):
        self.enough = True
        self.join()
        print(f"# good client: {self.answers}, slowest {self.slowest * 1000:.0f} ms")
        return set(self.answers)


def unread(world, pem, body):
    """Posts a body over a connection of its own and never reads the answer; the connection."""
    context = ssl.create_default_context(cafile=world.e.dir / "keys/ca.crt")
    context.load_cert_chain(pem)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(60)
    plain.connect(("127.0.0.1", world.ingest))
    line = context.wrap_socket(plain, server_hostname="localhost")
    head = (f"POST /v1/bundles HTTP/1.1\r\nHost: x\r\nContent-Type: {NDJSON}\r\nContent-Length: {len(body)}\r\n\r\n")
    try:
        line.sendall(head.encode() + body)
    except OSError:
        pass  # refused before it was read
    return line


def settle(read):
    """Waits until a figure stands still; the highest seen."""
    high, still, last = 0, 0, None
    while still < 20:
        now = read()
        still = still + 1 if now == last else 0
        high, last = max(high, now), now
        time.sleep(0.05)
    return high


def test_unread_answers(world):
    relay = world.e.pem("relay")
    line = world.bundle(world.terminals[0]) + b"\n"
    client = Client(world.e, world.ingest, relay)
    world.tap.same(client.post(line).status, 201, "a bundle is logged")
    body = line * min(BATCH_LINES, BATCH_BYTES // len(line))
    before = world.rss_mib()
    good = Good(world, world.terminals[1:20])
    good.start()
    lines, high = [], 0
    for _ in range(CONNECTIONS):
        lines.append(unread(world, relay, body))
        high = max(high, world.rss_mib())
    high = max(high, settle(world.rss_mib))
    held = world.metric('tally_http_memory_bytes{listener="ingest"}') >> 20
    answers = good.stop()
    refused = world.metric('tally_http_memory_refused_total{listener="ingest"}')
    print(f"# {CONNECTIONS} x {len(body) >> 20} MiB of {len(line)}-byte lines, unread: RSS {before} -> {high} MiB, "
          f"{held} MiB held, {refused} bodies refused")
    world.tap.ok(held <= BUDGET_MIB + 8, "what unread answers hold is bounded", held)
    if world.plain:
        world.tap.ok(high < before + RSS_MORE_MIB, "and so is the daemon's memory", (before, high))
    world.tap.ok(answers <= {200, 201}, "good clients are served all the while", answers)
    for one in lines:
        one.close()
    deadline = time.monotonic() + 60
    while world.metric('tally_http_memory_bytes{listener="ingest"}') > 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    world.tap.same(world.metric('tally_http_memory_bytes{listener="ingest"}'), 0, "afterwards nothing is held")
    world.tap.same(client.post(line).status, 200, "and bundles are taken")


def test_garbage(world):
    sender = world.terminals[30]
    good = Good(world, world.terminals[31:60])
    good.start()
    client = Client(world.e, world.ingest, world.e.pem(sender))
    statuses = set()
    kept, dropped = world.metric("tally_evidence_total"), world.metric("tally_evidence_dropped_total")
    for first in range(0, GARBAGE, OWN_LINES):
        n = min(OWN_LINES, GARBAGE - first)
        answer = client.post(b"\n".join(b"garbage %d" % (first + i) for i in range(n)), NDJSON)
        statuses |= {json.loads(line)["status"] for line in answer.body.splitlines()}
    answers = good.stop()
    world.tap.same(statuses, {400}, f"{GARBAGE} refused lines are answered 400")
    world.tap.ok(answers <= {200, 201}, "meanwhile no good client is sent away", answers)
    certificate = world.e.terminals[sender]["certificate"]
    world.tap.same(world.sql(f"SELECT count(*) FROM tally.evidence WHERE sender = '\\x{certificate}'"),
                   str(EVIDENCE_ROWS), "evidence of one sender is kept up to its cap")
    kept, dropped = world.metric("tally_evidence_total") - kept, world.metric("tally_evidence_dropped_total") - dropped
    counted = int(world.sql(f"SELECT dropped FROM tally.evidence_sender WHERE sender = '\\x{certificate}'"))
    world.tap.same(kept + dropped, GARBAGE, "the counters tell of every line")
    world.tap.same(kept, EVIDENCE_ROWS + counted, "what was handed to the database is kept or counted there")
    world.tap.ok(dropped >= GARBAGE // 2, "and most of it never came that far", dropped)
    other = Client(world.e, world.ingest, world.e.pem(world.terminals[61]))
    world.tap.same(other.post(b"x").status, 400, "another's garbage is refused")
    world.tap.same(world.sql("SELECT count(*) FROM tally.evidence WHERE sender = "
                             f"'\\x{world.e.terminals[world.terminals[61]]['certificate']}'"), "1", "and kept")


def main(argv):
    world = World(argv)
    for test in (test_unread_answers, test_garbage):
        test(world)
    world.tap.done()


if __name__ == "__main__":
    main(sys.argv)
