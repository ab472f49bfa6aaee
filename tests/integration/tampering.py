# SPDX-License-Identifier: Apache-2.0
"""What a superuser can do to the tables, row by row: the SQL, and what must be said of it (TAP).

    tampering.py fill DIR DATABASE fill INGEST API                fills every table with all that it can hold
    tampering.py live DIR DATABASE live INGEST API OPS LOG        each row is found by the daemon that runs, and undone
    tampering.py offline DIR DATABASE offline TALLYD CONFIG       each row ends the next start, and is undone
"""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
from client import Client, Election, dumps, envelope  # noqa: E402
from decide import World as Officers, load  # noqa: E402
from tap import Tap  # noqa: E402

DEADLINE_S = 60
TABLES = ("schema_version", "election", "ledger", "log_head", "head", "evidence", "evidence_sender")

FLIP = "set_byte({0}, 5, get_byte({0}, 5) # 1)"
ZERO = "decode(repeat('00', 32), 'hex')"
ODD = "decode(repeat('00', 31), 'hex')"


class Sql:
    """A superuser's session in which no trigger fires."""

    def __init__(self, conn):
        self.psql = subprocess.Popen(["psql", "-qAtX", "-d", conn], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.run("SET session_replication_role = replica")

    def run(self, text):
        self.psql.stdin.write(text + ";\n\\echo ---\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline()) not in ("---\n", ""):
            lines.append(line.rstrip("\n"))
        wrong = [line for line in lines if line.startswith(("ERROR", "FATAL", "psql:"))]
        assert not wrong, (text, wrong)
        return "\n".join(lines)

    def keep(self):
        self.run("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept")
        for table in TABLES:
            self.run(f"CREATE TABLE kept.{table} AS TABLE tally.{table}")

    def restore(self):
        """Every table that is not as it was kept; each in one transaction, so that nobody sees it half."""
        for table in TABLES:
            same = self.run(f"SELECT NOT EXISTS ((TABLE tally.{table} EXCEPT ALL TABLE kept.{table}) UNION ALL "
                            f"(TABLE kept.{table} EXCEPT ALL TABLE tally.{table}))")
            if same != "t":
                self.run(f"BEGIN; DELETE FROM tally.{table}; INSERT INTO tally.{table} OVERRIDING SYSTEM VALUE "
                         f"TABLE kept.{table}; COMMIT")


def seat_belts_off(sql):
    """Constraints but primary keys are the owner's to drop, and this one does: nothing may hang on them."""
    sql.run("DROP INDEX tally.ledger_revision")
    sql.run("""DO $$DECLARE c record; BEGIN
        FOR c IN SELECT conrelid::regclass AS t, conname AS n FROM pg_constraint
                 WHERE connamespace = 'tally'::regnamespace AND contype IN ('c', 'u') LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.n); END LOOP;
        FOR c IN SELECT a.attrelid::regclass AS t, a.attname AS n FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
                 WHERE r.relnamespace = 'tally'::regnamespace AND r.relkind = 'r' AND a.attnum > 0 AND a.attnotnull
                   AND a.attidentity = '' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = r.oid AND i.indisprimary
                                                          AND a.attnum = ANY (i.indkey)) LOOP
            EXECUTE format('ALTER TABLE %s ALTER %I DROP NOT NULL', c.t, c.n); END LOOP; END$$""")


# ---- the list --------------------------------------------------------------------------------------------
def places(sql):
    """Positions and keys that the list speaks of."""
    one = lambda q: sql.run(q)  # noqa: E731
    at = {"G": "0", "N": one("SELECT max(position) FROM tally.ledger"),
          "R": one("SELECT max(position) FROM tally.ledger WHERE kind = 2 AND revision = 2"),
          "C": one("SELECT max(position) FROM tally.ledger WHERE kind = 3"),
          "D": one("SELECT max(position) FROM tally.ledger WHERE kind = 6"),
          "E": one("SELECT min(id) FROM tally.evidence"), "F": one("SELECT max(id) FROM tally.evidence"),
          "M": one("SELECT id FROM tally.evidence ORDER BY id OFFSET 3 LIMIT 1"),
          "X": one("SELECT id FROM tally.evidence WHERE octet_length(body) < body_len LIMIT 1"),
          "H": one("SELECT size FROM tally.head ORDER BY size OFFSET 7 LIMIT 1"),
          "H1": one("SELECT min(size) FROM tally.head"), "HN": one("SELECT max(size) FROM tally.head"),
          "H2": one("SELECT size FROM tally.head ORDER BY size OFFSET 9 LIMIT 1"),
          "S": one("SELECT encode(sender, 'hex') FROM tally.evidence_sender ORDER BY sender LIMIT 1"),
          "SIZE": one("SELECT size FROM tally.log_head")}
    bundles = one("SELECT position FROM tally.ledger WHERE kind = 2 AND revision = 1 AND position > 5 ORDER BY 1").split()
    at.update(A=bundles[3], B=bundles[8], B2=bundles[9], K=bundles[15])
    at["S8"] = at["S"][:16]
    for name, value in at.items():
        assert value != "", name
    return at


def ledger_rows():
    """(name, SQL, what the running daemon says, what a start says)"""
    def change(who, at, column, value, offline=None, live=None):
        column_seen = live or column
        return (f"{who}: {column} = {value}",
                f"UPDATE tally.ledger SET {column} = {value.format(column)} WHERE position = {{{at}}}",
                f"ledger position {{{at}}}: {column_seen}: ", offline or f"position {{{at}}}: {column_seen}: no such value")

    def other(column):
        return f"(SELECT k.{column} FROM kept.ledger k WHERE k.position = {{{{K}}}})"

    for column, value, offline, live in (
            ("kind", "99", None, None), ("kind", "3", "first_envelope: no such value", "first_envelope"),
            ("kind", "NULL", None, None), ("kind", "-1", None, None), ("kind", "6", "branch: no such value", "branch"),
            ("branch", other("branch"), "branch is not", None), ("branch", "'nowhere'", "branch is not", None),
            ("branch", "repeat('x', 500)", "branch is not", None), ("branch", "NULL", None, None),
            ("terminal", other("terminal"), "terminal is not", None), ("terminal", "''", "terminal is not", None),
            ("revision", "7", "revision is not", None), ("revision", "NULL", None, None), ("revision", "-2", None, None),
            ("prev", ZERO, "prev is not", None), ("prev", ODD, None, None),
            ("payload_hash", FLIP, "the payload has another hash", None), ("payload_hash", ODD, None, None),
            ("payload_hash", "NULL", None, None), ("payload_hash", other("payload_hash"), "the payload has", None),
            ("envelope_hash", FLIP, "the envelope .* has another hash", None), ("envelope_hash", "''", None, None),
            ("first_envelope", ZERO, None, None), ("first_envelope", ODD, None, None),
            ("payload", FLIP, "the payload has another hash", None), ("payload", "''", "the payload has another", None),
            ("payload", "substr({0}, 1, octet_length({0}) - 1)", "the payload has another hash", None),
            ("payload", "NULL", None, None), ("payload", other("payload"), "the payload has another hash", None),
            ("head", FLIP, "the envelope .head, tail, alphabet. has", "head or tail"),
            ("head", "'\\x20' || {0}", "the envelope .head, tail, alphabet. has", "head or tail"),
            ("head", "NULL", None, None), ("tail", "{0} || '\\x20'", "the envelope .*tail", "head or tail"),
            ("tail", other("tail"), "the envelope .*tail", "head or tail"), ("tail", "NULL", None, None),
            ("alphabet", "1 - {0}", "alphabet", None), ("alphabet", "5", None, None),
            ("alphabet", "NULL", None, None), ("held", "'held x N08'", "held: the checks hold something", None),
            ("held", "NULL", None, None), ("accepted_ms", "{0} + 1", "the database gives ..accepted", None),
            ("accepted_ms", "0", "accepted before its predecessor", None), ("accepted_ms", "NULL", None, None),
            ("accepted_ms", "-5", None, None)):
        text = change("a bundle", "B", column, value, offline and f"position {{B}}: .*{offline}", live)
        yield text if live != "first_envelope" and live != "branch" else (
            text[0], text[1], "ledger position {B}: (kind|first_envelope|branch): ", text[3])
    for column, value in (("kind", "2"), ("branch", "'x'"), ("terminal", "'x'"), ("revision", "1"), ("prev", ZERO),
                          ("payload_hash", ZERO), ("envelope_hash", ZERO), ("first_envelope", ZERO), ("payload", "'\\x7b7d'"),
                          ("head", "''"), ("tail", "'x'"), ("alphabet", "0"), ("held", "''")):
        text = change("genesis", "G", column, value)
        yield text if column != "kind" else (text[0], text[1], "ledger position 0: ", "position 0: [a-z_]*: no such value")
    yield change("genesis", "G", "accepted_ms", "{0} - 1", "position {G}: the database gives ..accepted")
    for column, value, offline, live in (
            ("held", "'x'", "held: a conflict holds nothing", None), ("held", "NULL", None, None),
            ("first_envelope", FLIP, "a conflict of revision", None), ("first_envelope", "NULL", None, None),
            ("payload", FLIP, "the payload has", None), ("revision", "2", "revision is not", None),
            ("accepted_ms", "{0} + 1", "the database gives ..accepted", None)):
        yield change("a conflict", "C", column, value, offline and f"position {{C}}: .*{offline}", live)
    for column, value, offline in (
            ("prev", "NULL", "prev is not"), ("prev", FLIP, "prev is not"), ("revision", "3", "revision is not"),
            ("kind", "4", None)):
        text = change("a correction", "R", column, value, offline and f"position {{R}}: .*{offline}")
        yield text if column != "kind" else (text[0], text[1], "ledger position {R}: (kind|branch): ", "position {R}: branch: no such")
    for column, value, offline in (
            ("kind", "7", "kind or target is not"), ("kind", "10", "kind or target is not"),
            ("held", "replace({0}, 'branch b', 'branch c')", "kind or target is not"), ("held", "''", "kind or target is not"),
            ("branch", "'x'", None), ("terminal", "'x'", None), ("revision", "1", None), ("prev", ZERO, None),
            ("first_envelope", ZERO, None), ("payload", FLIP, "the payload has"), ("envelope_hash", FLIP, "the envelope .* has"),
            ("accepted_ms", "{0} + 1", "the database gives ..accepted")):
        yield change("a decision", "D", column, value, offline and f"position {{D}}: .*{offline}")

    fitted = ("payload = p, payload_hash = sha256(p), envelope_hash = sha256(head || convert_to(translate(encode(p, "
              "'base64'), E'\\n', ''), 'UTF8') || tail)")
    copied = "kind, branch, terminal, revision, prev, payload_hash, envelope_hash, first_envelope, payload, head, tail, " \
             "alphabet, held"
    yield ("a payload changed, its hashes made to fit",
           f"UPDATE tally.ledger SET {fitted} FROM (SELECT set_byte(payload, 60, get_byte(payload, 60) # 1) AS p FROM kept.ledger "
           "WHERE position = {B}) x WHERE position = {B}", "ledger position {B}: payload_hash: ", "ledger position {B}: ")
    yield ("an older row in the place of the correction",
           f"UPDATE tally.ledger l SET ({copied}) = (SELECT {copied} FROM kept.ledger k WHERE k.branch = l.branch AND k.kind = 2 "
           "AND k.revision = 1) WHERE position = {R}", "ledger position {R}: ", "position {R}: ")
    yield ("two rows swapped, times and all",
           "UPDATE tally.ledger l SET position = -1 WHERE position = {A}; UPDATE tally.ledger SET position = {A} WHERE position = {B}; "
           "UPDATE tally.ledger SET position = {B} WHERE position = -1", "ledger position ({A}|{B}): ", "position ({A}|{B}|[0-9]*): ")
    yield ("two rows swapped, times kept",
           f"UPDATE tally.ledger l SET ({copied}) = (SELECT {copied} FROM kept.ledger k WHERE k.position = "
           "CASE l.position WHEN {A} THEN {B} ELSE {A} END) WHERE position IN ({A}, {B})", "ledger position ({A}|{B}): ",
           "ledger position {A}: ")
    yield ("two payloads swapped",
           "UPDATE tally.ledger l SET payload = (SELECT payload FROM kept.ledger k WHERE k.position = "
           "CASE l.position WHEN {A} THEN {B} ELSE {A} END) WHERE position IN ({A}, {B})", "ledger position {A}: payload: ",
           "ledger position {A}: the payload has another hash")
    yield ("the genesis row deleted", "DELETE FROM tally.ledger WHERE position = 0", "ledger position 0: no such row",
           "ledger position 0: no such row")
    yield ("a row deleted", "DELETE FROM tally.ledger WHERE position = {B}", "ledger position {B}: no such row",
           "ledger position {B}: no such row")
    yield ("the last row deleted", "DELETE FROM tally.ledger WHERE position = {N}", "ledger position {N}: no such row",
           "the ledger has {N} entries, its head row says")
    yield ("the last ten rows deleted", "DELETE FROM tally.ledger WHERE position > {N} - 10", "ledger position [0-9]*: no such row",
           "the ledger has [0-9]* entries, its head row says")
    yield ("all rows deleted", "DELETE FROM tally.ledger", "ledger.position: no such value can be",
           "the ledger has 0 entries|no row")
    yield ("a row moved behind the end", "UPDATE tally.ledger SET position = {N} + 50 WHERE position = {B}",
           "ledger position [0-9]*: behind the head row", "ledger position {B}: no such row")
    yield ("a row moved before the beginning", "UPDATE tally.ledger SET position = -7 WHERE position = {B}",
           "ledger.position: no such value can be", "position")
    yield ("a row added behind the end",
           f"INSERT INTO tally.ledger (position, accepted_ms, {copied}) SELECT {{N}} + 1, accepted_ms, {copied} FROM kept.ledger "
           "WHERE position = {N}", "ledger position [0-9]*: behind the head row's size", "position {SIZE}: ")
    yield ("a row added before the beginning",
           f"INSERT INTO tally.ledger (position, accepted_ms, {copied}) SELECT -1, accepted_ms, {copied} FROM kept.ledger "
           "WHERE position = {N}", "ledger.position: no such value can be", "ledger.position: no such value can be")
    yield ("a row twice, the key dropped",
           "ALTER TABLE tally.ledger DROP CONSTRAINT ledger_pkey; INSERT INTO tally.ledger SELECT * FROM kept.ledger WHERE position = {B}",
           "ledger position {B}: stands twice", "ledger position {B}: stands twice")
    yield ("a row without a position, the key dropped",
           "ALTER TABLE tally.ledger DROP CONSTRAINT ledger_pkey; ALTER TABLE tally.ledger ALTER position DROP NOT NULL; "
           f"INSERT INTO tally.ledger (accepted_ms, {copied}) SELECT accepted_ms, {copied} FROM kept.ledger WHERE position = {{B}}",
           "ledger.position, head.size or evidence.id", "ledger.position, head.size or evidence.id")


def small_rows():
    who = "head {H}: "
    no = "signed head of size {H}"
    yield ("a signed head: sig", f"UPDATE tally.head SET sig = {FLIP.format('sig')} WHERE size = {{H}}", who + "sig: ", no)
    yield ("a signed head: sig cut", "UPDATE tally.head SET sig = substr(sig, 1, 63) WHERE size = {H}", who + "sig: ", no)
    yield ("a signed head: sig NULL", "UPDATE tally.head SET sig = NULL WHERE size = {H}", who + "sig: ", no)
    yield ("a signed head: size", "UPDATE tally.head SET size = {HN} + 100 WHERE size = {H}", who + "no such row, but it was signed",
           "signed head of size [0-9]* is not of this ledger")
    yield ("two signed heads swapped", "UPDATE tally.head h SET sig = (SELECT sig FROM kept.head k WHERE k.size = CASE h.size "
           "WHEN {H} THEN {H2} ELSE {H} END) WHERE size IN ({H}, {H2})", who + "sig: ", no)
    yield ("a signed head deleted", "DELETE FROM tally.head WHERE size = {H}", who + "no such row", "head {H}: no such row, but it was there")
    yield ("the first signed head deleted", "DELETE FROM tally.head WHERE size = {H1}", "head {H1}: no such row", "head {H1}: no such row")
    yield ("the newest stored head deleted", "DELETE FROM tally.head WHERE size = {HN}", "head {HN}: no such row", "head {HN}: no such row")
    yield ("all signed heads deleted", "DELETE FROM tally.head", "head {H1}: no such row", "head {H1}: no such row")
    yield ("a signed head added", "INSERT INTO tally.head SELECT {SIZE} + 7, sig FROM kept.head WHERE size = {H}",
           "head [0-9]*: signed by nobody", "signed head of size [0-9]* is not of this ledger")
    yield ("a signed head of size -3 added", "INSERT INTO tally.head SELECT -3, sig FROM kept.head WHERE size = {H}",
           "head -3: signed by nobody", "signed head of size")
    for name, value, live, offline in (
            ("size", "size + 1", "log_head: size: ", "its head row says"), ("size", "size - 1", "log_head: size: ", "its head row says"),
            ("size", "0", "log_head: size: ", "its head row says"), ("size", "NULL", "log_head.size: no such", "log_head.size: no such"),
            ("size", "-1", "log_head.size: no such", "log_head.size: no such"),
            ("root", FLIP.format("root"), "log_head: root: ", "root is not that of its head row"),
            ("root", ODD, "log_head.root: no such", "log_head.root: no such"),
            ("epoch", "epoch + 1", "log_head: epoch: ", None), ("epoch", "epoch - 1", "log_head: epoch: ", "log_head: epoch: was"),
            ("epoch", "NULL", "log_head.epoch: no such", "log_head.epoch: no such"),
            ("barrier", "barrier - 1", "log_head: barrier: was", "log_head: barrier: was"),
            ("barrier", "NULL", "log_head.barrier: no such", "log_head.barrier: no such"),
            ("one", "false", "log_head.one: no such", "log_head.one: no such")):
        yield (f"the head row: {name} = {value}", f"UPDATE tally.log_head SET {name} = {value}", live, offline)
    yield ("the head row deleted", "DELETE FROM tally.log_head", "log_head.one: no such", "no election is open")
    yield ("a second head row", "INSERT INTO tally.log_head SELECT false, size, root, epoch, barrier FROM kept.log_head",
           "election and log_head: more than one row", "more than one row")
    for name, value, live, offline in (
            ("code", "'another'", "election: code: ", "holds election another"),
            ("code", "NULL", "election.code: no such", "election.code: no such"),
            ("definition", FLIP.format("definition"), "election: definition: ", "opened with definition"),
            ("registry", FLIP.format("registry"), "election: registry: ", "opened with registry"),
            ("registry", ODD, "election.registry: no such", "election.registry: no such"),
            ("opened_at", "opened_at + interval '1 second'", "election: opened_at: ", "election: opened_at: "),
            ("one", "false", "election.one: no such", "election.one: no such")):
        yield (f"the election: {name} = {value}", f"UPDATE tally.election SET {name} = {value}", live, offline)
    yield ("the election deleted", "DELETE FROM tally.election", "election.one: no such", "no election is open")
    yield ("a second election", "INSERT INTO tally.election SELECT false, 'other', definition, registry, opened_at FROM kept.election",
           "election and log_head: more than one row", "more than one row")
    yield ("a migration: version", "UPDATE tally.schema_version SET version = 9 WHERE version = 1", "schema_version [0-9]*: no such row", "schema")
    yield ("a migration: name", "UPDATE tally.schema_version SET name = 'x' WHERE version = 1", "schema_version 1: name: ", "schema_version 1: name: ")
    yield ("a migration: applied_at", "UPDATE tally.schema_version SET applied_at = now() WHERE version = 2",
           "schema_version 2: applied_at: ", "schema_version 2: applied_at: ")
    yield ("a migration deleted", "DELETE FROM tally.schema_version WHERE version = 1", "schema_version [0-9]*: no such row", "schema_version [0-9]*: no such row")
    yield ("the newest migration deleted", "DELETE FROM tally.schema_version WHERE version = (SELECT max(version) FROM tally.schema_version)",
           "schema_version [0-9]*: no such row", "the database has schema version")
    yield ("a migration added", "INSERT INTO tally.schema_version VALUES (77, 'x')", "schema_version 77: no such row can be", "schema version 77")
    for name, value in (("received_at", "received_at + interval '1 ms'"), ("sender", FLIP.format("sender")),
                        ("body_hash", FLIP.format("body_hash")), ("body_len", "body_len + 1"), ("body", FLIP.format("body")),
                        ("status", "200"), ("code", "'S07'"), ("detail", "detail || '.'")):
        text = "(evidence {M}: (" + name + "|a column): |evidence_sender [0-9a-f]*...: )"
        yield (f"evidence: {name} = {value}", f"UPDATE tally.evidence SET {name} = {value} WHERE id = {{M}}", text, text)
    for name in ("received_at", "sender", "body_hash", "body_len", "body", "status", "code", "detail"):
        yield (f"evidence: {name} = NULL", f"UPDATE tally.evidence SET {name} = NULL WHERE id = {{M}}",
               "evidence {M}: a column that is null", "evidence {M}: a column that is null")
    yield ("evidence: a cut body, shorter", "UPDATE tally.evidence SET body = substr(body, 1, 100) WHERE id = {X}", "evidence {X}: ", "evidence {X}: ")
    yield ("evidence: body, hash and length made to fit", "UPDATE tally.evidence SET body = 'harmless', body_hash = sha256('harmless'), "
           "body_len = 8 WHERE id = {M}", "evidence {M}: ", "evidence {M}: ")
    yield ("evidence: id", "UPDATE tally.evidence SET id = DEFAULT WHERE id = {M}", "evidence {M}: no such row", "evidence {M}: no such row")
    for key, name in (("E", "the first"), ("M", "a"), ("F", "the newest")):
        yield (f"{name} row of evidence deleted", f"DELETE FROM tally.evidence WHERE id = {{{key}}}", f"evidence {{{key}}}: no such row",
               f"evidence {{{key}}}: no such row")
    yield ("evidence deleted, its sender's counts made to fit",
           "UPDATE tally.evidence_sender s SET kept_n = kept_n - 1, bytes = bytes - octet_length(e.body) FROM tally.evidence e "
           "WHERE e.id = {F} AND e.sender = s.sender; DELETE FROM tally.evidence WHERE id = {F}", "evidence {F}: no such row",
           "evidence {F}: no such row")
    yield ("all evidence deleted, and its senders", "DELETE FROM tally.evidence; DELETE FROM tally.evidence_sender", "evidence {E}: no such row",
           "evidence {E}: no such row")
    yield ("evidence added", "INSERT INTO tally.evidence (sender, body, body_hash, body_len, status, code, detail) SELECT sender, 'x', "
           "sha256('x'), 1, 400, 'S01', 'no' FROM kept.evidence WHERE id = {E}", "evidence_sender [0-9a-f]*...: kept_n: ",
           "evidence_sender [0-9a-f]*...: kept_n: ")
    yield ("evidence added before the first", "INSERT INTO tally.evidence OVERRIDING SYSTEM VALUE SELECT -4, received_at, sender, body_hash, "
           "body_len, body, status, code, detail FROM kept.evidence WHERE id = {E}", "evidence -4: id: ", "evidence -4: id: ")
    yield ("two rows of evidence swapped", "UPDATE tally.evidence v SET (body, body_hash, body_len) = (SELECT body, body_hash, body_len "
           "FROM kept.evidence k WHERE k.id = CASE v.id WHEN {E} THEN {M} ELSE {E} END) WHERE id IN ({E}, {M})", "evidence {E}: ", "evidence {E}: ")
    sender = "evidence_sender {S8}...: "
    for name, value, text in (("kept_n", "kept_n + 1", "kept_n: it counts"), ("kept_n", "NULL", "kept_n: no such"), ("bytes", "bytes - 1", "bytes: it counts"),
                              ("bytes", "-1", "bytes: no such"), ("dropped", "dropped - 1", "dropped: was 5"), ("dropped", "-1", "dropped: no such")):
        yield (f"a sender: {name} = {value}", f"UPDATE tally.evidence_sender SET {name} = {value} WHERE sender = '\\x{{S}}'",
               sender + text, sender + text)
    yield ("a sender: sender", f"UPDATE tally.evidence_sender SET sender = {FLIP.format('sender')} WHERE sender = '\\x{{S}}'",
           "evidence_sender [0-9a-f]*...: ", "evidence_sender [0-9a-f]*...: ")
    yield ("a sender deleted", "DELETE FROM tally.evidence_sender WHERE sender = '\\x{S}'", sender + "kept_n: no such", sender + "kept_n: no such")
    yield ("a sender added", f"INSERT INTO tally.evidence_sender VALUES ({ZERO}, 1, 1, 0)", "evidence_sender 0000000000000000...: kept_n",
           "evidence_sender 0000000000000000...: kept_n")


UNDO = {"dropped": "ALTER TABLE tally.ledger ADD PRIMARY KEY (position)"}


def rows(at):
    def fill(text):
        return None if text is None else re.sub(r"\{([A-Z0-9]+)\}", lambda m: at[m.group(1)], text.replace("{{", "{").replace("}}", "}"))
    for name, sql, live, offline in [*ledger_rows(), *small_rows()]:
        yield name, fill(sql), fill(live), fill(offline), next((u for word, u in UNDO.items() if f"key {word}" in name), None)


def undone(sql, undo):
    sql.restore()
    if undo:
        sql.run(undo)


# ---- filling ---------------------------------------------------------------------------------------------
def fill(tap, e, sql, ingest, api):
    relay = Client(e, ingest, e.pem("relay"))
    w = Officers(["", str(e.dir), str(ingest), str(api)])
    load(w)
    seat_belts_off(sql)
    ready = e.ready()
    for terminal in ready[:40]:
        assert relay.post(dumps(e.recorded[terminal])).status == 201
    first = base64.b64decode(e.recorded[ready[0]]["payload"])
    prev = hashlib.sha256(first).hexdigest()
    two = envelope(dumps({**json.loads(first), "revision": 2, "prev": prev}), [e.key(ready[0]), e.officer_key("supervision1")])
    tap.same(relay.post(two).status, 201, "a correction")
    again = json.loads(base64.b64decode(e.recorded[ready[1]]["payload"]))
    tap.same(relay.post(envelope(dumps({**again, "salt": os.urandom(16).hex()}), [e.key(ready[1])])).status, 409, "a conflict")
    row = json.loads(base64.b64decode(e.recorded[ready[2]]["payload"]))
    target = {"branch": row["branch"], "contest": row["contests"][0]["contest"]}
    tap.same(w.decide("annul", target, ("supervision1", "supervision2")).status, 201, "a decision")
    terminal = Client(e, ingest, e.pem(ready[3]))
    for n in range(6):
        assert relay.post(b"no envelope %d" % n).status == 400
        assert terminal.post(b'{"nothing":%d}' % n).status == 400
    assert relay.post(b"{" + b" " * 70000).status == 400
    sql.run("UPDATE tally.evidence_sender SET dropped = 5")
    # A session that dies makes the daemon look whether its head still stands: the barrier is counted up.
    sql.run("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    until = time.monotonic() + DEADLINE_S
    while sql.run("SELECT barrier FROM tally.log_head") == "0" and time.monotonic() < until:
        time.sleep(0.05)
    for terminal_ in ready[40:50]:
        answer = relay.post(dumps(e.recorded[terminal_]))
        while answer.status == 503 and time.monotonic() < until:
            time.sleep(0.05)
            answer = relay.post(dumps(e.recorded[terminal_]))
        assert answer.status in (200, 201), answer
    tap.same(sql.run("SELECT count(*) FILTER (WHERE kind = 2), count(*) FILTER (WHERE kind = 3), count(*) FILTER (WHERE kind > 3) "
                     "FROM tally.ledger"), "51|1|1", "the ledger has some of each")
    tap.same(sql.run("SELECT count(*), count(DISTINCT sender) FROM tally.evidence"), "13|2", "so has the evidence")


# ---- while it runs ---------------------------------------------------------------------------------------
class Daemon:
    def __init__(self, e, api, ops, log):
        self.api, self.ops, self.log = Client(e, api, e.pem("auditor")), ops, log
        self.seen = 0

    def health(self, path="/healthz"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ops}{path}", timeout=DEADLINE_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name):
        return int(re.search(rf"^{name} (\d+)$", self.health("/metrics")[1], re.M).group(1))

    def passes(self):
        return self.metric("tally_scrub_passes_total")

    def mark(self):
        self.seen = os.path.getsize(self.log)

    def said(self, pattern):
        with open(self.log, "rb") as text:
            text.seek(self.seen)
            lines = text.read().decode("ascii", "replace").replace("\\'", "'")
        return re.search(rf'^<3>scrub.differs why="{pattern}', lines, re.M), lines

    def numbers(self):
        shown = {path: self.api.get(path).json() for path in ("/v1/areas?limit=1000", "/v1/contests?limit=1000", "/v1/branches?limit=1000")}
        election = self.api.get("/v1/election").json()
        return shown, (election["progress"], election["accepted"]), election["database_differs"]

    def until(self, what):
        until = time.monotonic() + DEADLINE_S
        while not what():
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def green(self):
        return self.until(lambda: self.health()[0] == 200)


def live_one(tap, d, sql, before, row):
    name, change, live, _, undo = row
    began = time.monotonic()
    d.mark()
    sql.run(change)
    found = d.until(lambda: d.said(live)[0] and d.health()[0] == 503 and d.health("/readyz")[0] == 503)
    took = time.monotonic() - began
    during = d.numbers()
    named = d.health()
    lines = d.said(live)[1]
    undone(sql, undo)
    green = d.green()
    tap.ok(found and green and during[:2] == before[:2] and during[2] is not None and "differs from memory: " in named[1],
           f"live: {name}", f"found {found}, green again {green}, numbers as before {during[:2] == before[:2]}", change, live, named,
           lines[-600:])
    return took


def published(e):
    return int((e.dir / "log/checkpoint").read_text("utf-8").split("\n")[1])


def hold(tap, e, d, sql, ingest, at):
    """While a row differs nothing is published that covers it; afterwards all of it."""
    relay = Client(e, ingest, e.pem("relay"))
    ready, size = e.ready(), published(e)
    tap.same(size, int(sql.run("SELECT size FROM tally.log_head")), "all is published")
    sql.run(f"UPDATE tally.ledger SET held = 'held x N08' WHERE position = {at['B']}")
    d.until(lambda: d.health()[0] == 503)
    answers = [relay.post(dumps(e.recorded[terminal])).status for terminal in ready[50:53]]
    tap.same(answers, [201, 201, 201], "bundles are taken while a row differs")
    passes = d.passes()
    d.until(lambda: d.passes() > passes + 20)
    tap.same(published(e), size, "and not published")
    code = subprocess.run([sys.executable, "-B", "tests/integration/publog.py", str(e.dir / "log")], stdout=subprocess.DEVNULL).returncode
    tap.same(code, 0, "the folder is right all the while")
    sql.run(f"UPDATE tally.ledger l SET held = k.held FROM kept.ledger k WHERE k.position = l.position AND l.position = {at['B']}")
    tap.ok(d.green(), "the row is put back: green by itself")
    tap.ok(d.until(lambda: published(e) == size + 3), "all of it is published then")
    code = subprocess.run([sys.executable, "-B", "tests/integration/publog.py", str(e.dir / "log"), str(size + 3)], stdout=subprocess.DEVNULL).returncode
    tap.same(code, 0, "and right")
    sql.run(f"UPDATE tally.evidence SET detail = 'x' WHERE id = {at['M']}")
    d.until(lambda: d.health()[0] == 503)
    answer = relay.post(dumps(e.recorded[ready[53]]))
    tap.ok(answer.status == 201 and d.until(lambda: published(e) == size + 4), "what the ledger does not cover holds nothing", answer)
    sql.run(f"UPDATE tally.evidence v SET detail = k.detail FROM kept.evidence k WHERE k.id = v.id AND v.id = {at['M']}")
    tap.ok(d.green(), "green again")


def served(tap, e, d, sql, at):
    """A row that was exchanged, hashes and all, is not served as the branch's envelope."""
    branch = sql.run(f"SELECT branch FROM tally.ledger WHERE position = {at['B']}")
    copied = "payload_hash, envelope_hash, payload, head, tail, alphabet"
    good = d.api.get(f"/v1/branches/{branch}/bundles/1")
    sql.run(f"UPDATE tally.ledger l SET ({copied}) = (SELECT {copied} FROM kept.ledger k WHERE k.position = {at['K']}) WHERE position = {at['B']}")
    bad = d.api.get(f"/v1/branches/{branch}/bundles/1")
    sql.restore()
    tap.same((good.status, bad.status), (200, 500), "another branch's envelope in its place is not served")
    tap.ok(d.green(), "green again")


def gone(tap, d, sql):
    """What cannot be read at all is red, too, and a database that is away is not."""
    sql.run("ALTER TABLE tally.head RENAME TO tail")
    tap.ok(d.until(lambda: "cannot be read" in d.health()[1]), "a table that is not there", d.health())
    sql.run("ALTER TABLE tally.tail RENAME TO head")
    tap.ok(d.green(), "green again")
    failed = d.metric("tally_scrub_failed_total")
    sql.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tallyd' AND query LIKE '%int4send%'")
    passes = d.passes()
    tap.ok(d.until(lambda: d.passes() > passes + 3) and d.health()[0] == 200, "its session is ended: it connects again")
    tap.ok(d.metric("tally_scrub_failed_total") - failed <= 2 and d.metric("tally_scrub_red") == 0 and
           d.metric("tally_scrub_age_seconds") < 30 and d.metric("tally_scrub_rows") > 100, "and its metrics say so")


def live(tap, e, sql, ingest, api, ops, log):
    d = Daemon(e, api, ops, log)
    passes = d.passes()
    tap.ok(d.until(lambda: d.passes() > passes + 2) and d.health() == (200, "ready"), "green at first", d.health())
    sql.keep()
    at = places(sql)
    before = d.numbers()
    tap.same(before[2], None, "/v1/election says that nothing differs")
    times = [live_one(tap, d, sql, before, row) for row in rows(at)]
    print(f"# {len(times)} tamperings found live, in {sum(times) / len(times):.2f} s, the slowest in {max(times):.2f} s")
    tap.ok(len(times) > 150, "the list is long")
    served(tap, e, d, sql, at)
    hold(tap, e, d, sql, ingest, at)
    gone(tap, d, sql)


# ---- at the start ----------------------------------------------------------------------------------------
def start(program, config):
    """What a start says, and how it ends; one that gets ready is ended."""
    process = subprocess.Popen([program, "--config", config], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("<5>daemon.ready"):
            process.terminate()
    return process.wait(DEADLINE_S), "".join(lines)


def offline(tap, e, sql, program, config):
    sql.keep()
    at = places(sql)
    n = 0
    for name, change, _, want, undo in rows(at):
        if want is None:  # what any other daemon does, too
            continue
        sql.run(change)
        code, said = start(program, config)
        undone(sql, undo)
        refused = re.findall(r'^<3>(?:daemon.refused .*|ledger.differs )why="(.*)$', said, re.M)
        tap.ok(code == 1 and any(re.search(want, why) for why in refused), f"at the start: {name}", f"exit {code}", said[-600:], change, want)
        n += 1
    print(f"# {n} tamperings found at the start")


def main(argv):
    mode, e, sql = argv[1], Election(argv[2]), Sql(argv[3])
    tap = Tap()
    rest = argv[5:]
    if mode == "offline":
        offline(tap, e, sql, *rest)
    elif mode == "fill":
        fill(tap, e, sql, int(rest[0]), int(rest[1]))
    else:
        live(tap, e, sql, int(rest[0]), int(rest[1]), int(rest[2]), rest[3])
    tap.done()


if __name__ == "__main__":
    main(sys.argv)
