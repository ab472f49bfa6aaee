# SPDX-License-Identifier: Apache-2.0
"""Runs the bench: see bench.sh.  Progress goes to stderr, figures to stdout."""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import time
from pathlib import Path

B, PG, T = Path(os.environ["B"]), os.environ["pg_conn"], Path(os.environ["t_dir"])
POSTMASTER = int(os.environ["pg_pid"])
RUNS, BUNDLES = int(os.environ["RUNS"]), int(os.environ["BUNDLES"])
START_BUNDLES = int(os.environ["START_BUNDLES"])
CONNECTIONS = 2000
HERE = Path(__file__).resolve().parent


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, text=True,
                          stdout=subprocess.PIPE, **options).stdout


def verify_us():
    return float(run(B / "tests/bench/verify"))


# ---- what a process has used -----------------------------------------------------------------------------
def task_ns(pid):
    """CPU nanoseconds of a process's threads that live; the daemon's live as long as it does."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def postgres_ns():
    """Each process of the cluster by itself, so that one that ends does not count backwards."""
    used = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid = int(status.parent.name)
            parent = int(status.read_text().rsplit(")", 1)[1].split()[1])
            if POSTMASTER in (pid, parent):
                used[pid] = task_ns(pid)
        except (OSError, ValueError):
            continue  # ended while we looked
    return used


def rss_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def sql(text, database="tally"):
    return run("psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-h", os.environ["pg_sock"], "-U", "tally",
               "-d", database, "-c", text).strip()


# ---- an election, a database, a daemon -------------------------------------------------------------------
class Election:
    """DIR with definition, registry, keys and a recording."""

    def __init__(self, name, branches, make=None):
        self.dir, self.branches = T / name, branches
        say(f"making {name}: {branches} branches")
        if make is None:
            run("/usr/bin/python3", HERE / "election.py", branches, self.dir)
        else:
            run(B / "tallysim", "make", "--branches", branches, "--seed", 1, self.dir)
        run(B / "tallysim", "enrol", self.dir)
        self.recording = self.dir / "recording.ndjson"
        if make is None:
            run(B / "tallysim", "record", self.dir, "-o", self.recording)

    def fresh_database(self):
        for folder in ("journal", "log"):
            shutil.rmtree(self.dir / folder, ignore_errors=True)
        (self.dir / "signer.state").unlink(missing_ok=True)  # a log of its own
        sql("DROP DATABASE IF EXISTS tally", "postgres")
        sql("CREATE DATABASE tally", "postgres")
        run(B / "tallyctl", "migrate", "--database", PG)
        run(B / "tallyctl", "election", "open", self.dir / "definition", self.dir / "registry",
            "--root-key", self.dir / "keys/root.key", "--database", PG)


def ready(process, log, event, seconds):
    """The values of a line that a program writes when it is ready."""
    started = time.monotonic()
    while True:
        for line in log.read_text().splitlines():
            words = line.split(">", 1)[-1].split()
            if words and words[0] == event:
                return dict(w.split("=", 1) for w in words[1:] if "=" in w)
        if process.poll() is not None or time.monotonic() - started > seconds:
            raise RuntimeError(f"no {event}:\n" + log.read_text()[-2000:])
        time.sleep(0.005)


class Signer:
    """Of an election's log, with a state that goes on as long as the database does."""

    def __init__(self, election):
        config, self.state = election.dir / "signer.conf", election.dir / "signer.state"
        self.socket, log = T / "signer.socket", election.dir / "signer.log"
        about = json.loads((election.dir / "definition/election.json").read_text())
        settings = {
            "socket": self.socket, "client": os.getuid(), "key": election.dir / "keys/log.key",
            "state": self.state, "origin": "/".join(about[k] for k in ("domain", "election", "phase")),
        }
        config.write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
        if not self.state.exists():
            run(B / "tally-signer", "--config", config, "--init")
        with open(log, "w") as out:
            self.process = subprocess.Popen([B / "tally-signer", "--config", config], stderr=out, stdout=out)
        ready(self.process, log, "signer.ready", 120)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60) != 0:
            raise RuntimeError("tally-signer ended with " + str(self.process.returncode))


class Daemon:
    def __init__(self, election):
        keys, config = election.dir / "keys", election.dir / "tallyd.conf"
        self.signer = Signer(election)
        settings = {
            "database": os.environ["pg_daemon_conn"], "journal": election.dir / "journal", "definition": election.dir / "definition",
            "registry": election.dir / "registry", "root_keys": keys / "root.key",
            "signer": self.signer.socket, "server_cert": keys / "server.crt",
            "server_key": keys / "server.key", "ingest.address": "127.0.0.1", "ingest.port": 0,
            "api.address": "127.0.0.1", "api.port": 0, "ops.port": 0,
        }
        config.write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
        self.log, self.election = election.dir / "tallyd.log", election
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([B / "tallyd", "--config", config], stderr=log, stdout=log)
        self.started = time.monotonic()
        values = ready(self.process, self.log, "daemon.ready", 120)
        self.seconds = time.monotonic() - self.started
        self.ports = {k: int(values[k]) for k in ("ingest", "api", "ops")}

    def event(self, name):
        for line in self.log.read_text().splitlines():
            words = line.split(">", 1)[-1].split()
            if words and words[0] == name:
                return dict(w.split("=", 1) for w in words[1:] if "=" in w)
        return None

    def replay(self, *options):
        out = run(B / "tallysim", "replay", self.election.recording, "--url",
                  f"https://localhost:{self.ports['ingest']}", "--keys", self.election.dir / "keys",
                  "--json", *options, stderr=subprocess.DEVNULL)
        return json.loads(out)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60) != 0:
            raise RuntimeError("tallyd ended with " + str(self.process.returncode))
        self.signer.stop()


# ---- the figures -------------------------------------------------------------------------------------------
def ingest(election, *options):
    """CPU of daemon, signer and PostgreSQL per bundle in verifications, and WAL bytes per bundle."""
    election.fresh_database()
    sql("CHECKPOINT")
    daemon = Daemon(election)
    before = verify_us()
    wal, pg, own = sql("SELECT pg_current_wal_lsn()"), postgres_ns(), task_ns(daemon.process.pid)
    signer = task_ns(daemon.signer.process.pid)
    answer = daemon.replay(*options)
    own, signer = task_ns(daemon.process.pid) - own, task_ns(daemon.signer.process.pid) - signer
    after = postgres_ns()
    pg = sum(ns - pg.get(pid, 0) for pid, ns in after.items())
    wal = int(sql(f"SELECT pg_current_wal_lsn() - '{wal}'::pg_lsn"))
    unit = (before + verify_us()) / 2
    daemon.stop()
    if answer["created"] != election.branches:
        raise RuntimeError(f"only {answer['created']} of {election.branches} were new: {answer}")
    us = (own + signer + pg) / 1000 / election.branches
    say(f"  {' '.join(options)}: {us:.0f} us ({own / 1000 / election.branches:.0f} daemon, "
        f"{signer / 1000 / election.branches:.0f} signer, {pg / 1000 / election.branches:.0f} PostgreSQL), {us / unit:.2f} verifications, "
        f"{answer['rate']:.0f} a second, {wal / election.branches:.0f} B of WAL")
    return us / unit, wal / election.branches


def loaded(election):
    """Its whole recording is in the ledger and published."""
    if not hasattr(election, "loaded"):
        election.fresh_database()
        daemon = Daemon(election)
        daemon.replay("--batch", "64", "--connections", "4")
        daemon.stop()
        election.loaded = True
    return election


def archive(election):
    """Seconds that tally-verify takes for the published folder, and its largest memory."""
    values = []
    for _ in range(RUNS):
        started = time.monotonic()
        report = json.loads(run("/usr/bin/time", "-f", "%M %U %S", "-o", T / "verify.kib", B / "tally-verify", election.dir / "log",
                                "--root-key", election.dir / "keys/root.key", "--json"))
        values.append(time.monotonic() - started)
        if report["verdict"] != "clean" or report["checked"]["envelopes"] != START_BUNDLES:
            raise RuntimeError(f"not clean: {report['checked']} {report['findings'][:5]}")
        say(f"  an archive of {START_BUNDLES} bundles: {values[-1]:.2f} s, {int((T / 'verify.kib').read_text()) // 1024} MiB")
    return values


def start(election):
    values = []
    for _ in range(RUNS):
        daemon = Daemon(election)
        values.append(daemon.seconds - int(daemon.event("ledger.verified")["packages_ms"]) / 1000)
        say(f"  start with {START_BUNDLES} bundles: {values[-1]:.2f} s after the definition is loaded")
        daemon.stop()
    return values


def memory(election):
    """MiB with a country loaded and 2,000 connections; KiB of each connection."""
    election.fresh_database()
    daemon = Daemon(election)
    context = ssl.create_default_context(cafile=election.dir / "keys/ca.crt")
    context.load_cert_chain(election.dir / "keys/clients/relay.pem")
    empty, kept = rss_kib(daemon.process.pid), []
    for _ in range(CONNECTIONS):
        kept.append(context.wrap_socket(
            socket.create_connection(("127.0.0.1", daemon.ports["ingest"])), server_hostname="localhost"))
        kept[-1].sendall(b"GET /v1/election HTTP/1.1\r\nHost: localhost\r\n\r\n")
        kept[-1].recv(65536)
    full = rss_kib(daemon.process.pid)
    for connection in kept:
        connection.close()
    daemon.stop()
    say(f"  memory: {empty / 1024:.0f} MiB loaded, {full / 1024:.0f} MiB with {CONNECTIONS} connections")
    return full / 1024, (full - empty) / CONNECTIONS


def figures(wanted):
    """Yields (name, unit, values)."""
    modes = {"fresh": ("--fresh", "--connections", "16"), "keepalive": ("--connections", "32"),
             "batch": ("--batch", "64", "--connections", "4")}
    if "verify_us" in wanted:
        yield "verify_us", "us", [verify_us() for _ in range(RUNS)]
    if "totals_us" in wanted:  # the test that adds up a country says what it took
        said = [run(B / "tests/unit/core/test_tally") for _ in range(RUNS)]
        yield "totals_us", "us", [int(re.search(r"(\d+) ns a bundle", text)[1]) / 1000 for text in said]
    if wanted & {"seats_us", "contests_ms"}:
        values = [[float(n) for n in run(B / "tests/bench/seats").split()] for _ in range(RUNS)]
        yield "seats_us", "us", [v[0] for v in values]
        yield "contests_ms", "ms", [v[1] for v in values]
    if wanted & (set(modes) | {"wal_bytes"}):
        election, wal = Election("ingest", BUNDLES), []
        for name, options in modes.items():
            if name in wanted or (name == "batch" and "wal_bytes" in wanted):
                values = [ingest(election, *options) for _ in range(RUNS)]
                yield name, "verifications", [v[0] for v in values]
                wal = [v[1] for v in values]
        if "wal_bytes" in wanted:
            yield "wal_bytes", "bytes", wal
    if wanted & {"start_s", "archive_s"}:
        election = loaded(Election("start", START_BUNDLES))
        if "start_s" in wanted:
            yield "start_s", "s", start(election)
        if "archive_s" in wanted:
            yield "archive_s", "s", archive(election)
    if wanted & {"memory_mib", "connection_kib"}:
        country = Election("country", 80000, make=True)
        values = [memory(country) for _ in range(RUNS)]
        yield "memory_mib", "MiB", [v[0] for v in values]
        yield "connection_kib", "KiB", [v[1] for v in values]


def main():
    names = ["verify_us", "totals_us", "seats_us", "contests_ms", "fresh", "keepalive", "batch", "wal_bytes", "start_s", "archive_s", "memory_mib",
             "connection_kib"]
    wanted = set(filter(None, os.environ["F"].split(","))) or set(names)
    if wanted - set(names):
        sys.exit(f"no such figure: {', '.join(sorted(wanted - set(names)))}; there are {', '.join(names)}")
    rows = []
    for name, unit, values in figures(wanted):
        row = {"figure": name, "value": round(statistics.median(values), 3), "unit": unit,
               "runs": len(values), "min": round(min(values), 3), "max": round(max(values), 3)}
        rows.append(row)
        print(json.dumps(row), flush=True)
    print(f"\n{'figure':<16}{'median':>12}{'min':>12}{'max':>12}  unit")
    for r in rows:
        print(f"{r['figure']:<16}{r['value']:>12}{r['min']:>12}{r['max']:>12}  {r['unit']}")


if __name__ == "__main__":
    main()
