-- SPDX-License-Identifier: Apache-2.0
-- The ledger and its head, signed heads, evidence, and the election they belong to.

CREATE TABLE tally.election (
    one           boolean  PRIMARY KEY DEFAULT true CHECK (one),
    code          text     NOT NULL CHECK (code ~ '^[A-Za-z0-9._-]{1,64}$'),
    definition    bytea    NOT NULL CHECK (octet_length(definition) = 32),
    registry      bytea    NOT NULL CHECK (octet_length(registry) = 32),
    opened_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tally.election IS
    'The one election of this database; the same facts stand in the genesis leaf, ledger position 0';

CREATE TABLE tally.ledger (
    position       bigint   PRIMARY KEY CHECK (position >= 0),
    kind           smallint NOT NULL CHECK (kind IN (1, 2, 3)),
    branch         text     COLLATE "C" CHECK (octet_length(branch) <= 64),
    terminal       text     COLLATE "C" CHECK (octet_length(terminal) <= 64),
    revision       integer  CHECK (revision >= 1),
    prev           bytea    CHECK (octet_length(prev) = 32),
    payload_hash   bytea    CHECK (octet_length(payload_hash) = 32),
    envelope_hash  bytea    CHECK (octet_length(envelope_hash) = 32),
    first_envelope bytea    CHECK (octet_length(first_envelope) = 32),
    payload        bytea    COMPRESSION lz4,
    head           bytea,
    tail           bytea,
    alphabet       smallint CHECK (alphabet IN (0, 1)),
    held           text     COLLATE "C",
    accepted_ms    bigint   NOT NULL CHECK (accepted_ms >= 0),
    CHECK ((kind = 1) = (position = 0)),
    CHECK ((kind = 1) = (payload IS NULL)),
    CHECK (kind = 1 OR (branch, terminal, revision, payload_hash, envelope_hash, head, tail,
                        alphabet, held) IS NOT NULL),
    CHECK ((kind = 3) = (first_envelope IS NOT NULL))
);
CREATE UNIQUE INDEX ledger_revision ON tally.ledger (branch, revision) WHERE kind = 2;
-- A row of a usual bundle, compressed, stays in its page: a tenth less WAL than beside it in TOAST.
-- PLAIN only where a CHECK or the code's length bounds it; the others still leave when they must.
ALTER TABLE tally.ledger
    ALTER payload SET STORAGE MAIN, ALTER head SET STORAGE MAIN, ALTER tail SET STORAGE MAIN,
    ALTER held SET STORAGE MAIN, ALTER branch SET STORAGE PLAIN, ALTER terminal SET STORAGE PLAIN,
    ALTER prev SET STORAGE PLAIN, ALTER payload_hash SET STORAGE PLAIN,
    ALTER envelope_hash SET STORAGE PLAIN, ALTER first_envelope SET STORAGE PLAIN;
COMMENT ON TABLE tally.ledger IS
    'One row a leaf of the log, never changed; leaf texts are derived from it';
COMMENT ON COLUMN tally.ledger.kind IS '1 genesis, 2 bundle, 3 conflict';
COMMENT ON COLUMN tally.ledger.head IS
    'The envelope as received is head, base64(payload) in the alphabet, tail';
COMMENT ON COLUMN tally.ledger.alphabet IS '0 standard, 1 URL-safe';
COMMENT ON COLUMN tally.ledger.held IS 'The lines "held CONTEST CODE,CODE" of the leaf';
COMMENT ON INDEX tally.ledger_revision IS 'One bundle for each revision of a branch';

CREATE TABLE tally.log_head (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    size    bigint  NOT NULL CHECK (size >= 1),
    root    bytea   NOT NULL CHECK (octet_length(root) = 32),
    epoch   bigint  NOT NULL CHECK (epoch >= 0),
    barrier bigint  NOT NULL DEFAULT 0
);
COMMENT ON TABLE tally.log_head IS
    'Size and root of the tree over the ledger, moved by compare-and-swap with each batch';
COMMENT ON COLUMN tally.log_head.epoch IS 'The writer''s turn: who takes over adds one';
COMMENT ON COLUMN tally.log_head.barrier IS
    'Counted up after doubt: a commit that succeeds proves what was committed before it';

CREATE TABLE tally.head (
    size bigint PRIMARY KEY CHECK (size >= 1),
    sig  bytea  NOT NULL CHECK (octet_length(sig) = 64)
);
COMMENT ON TABLE tally.head IS
    'Signatures of tree heads that receipts name; the newest comes with the batch after it';

CREATE TABLE tally.evidence (
    id          bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    sender      bytea    NOT NULL CHECK (octet_length(sender) = 32),
    body_hash   bytea    NOT NULL CHECK (octet_length(body_hash) = 32),
    body_len    bigint   NOT NULL,
    body        bytea    COMPRESSION lz4 NOT NULL CHECK (octet_length(body) <= body_len),
    status      smallint NOT NULL,
    code        text     NOT NULL,
    detail      text     NOT NULL,
    UNIQUE (sender, body_hash, code)
);
COMMENT ON TABLE tally.evidence IS 'What was refused, and why; not part of the ledger';
COMMENT ON COLUMN tally.evidence.sender IS 'SHA-256 of the client certificate';
COMMENT ON COLUMN tally.evidence.body IS 'Cut at a limit; body_len and body_hash are of the whole';

CREATE TABLE tally.evidence_sender (
    sender  bytea  PRIMARY KEY CHECK (octet_length(sender) = 32),
    kept_n  bigint NOT NULL CHECK (kept_n BETWEEN 0 AND 1000),
    bytes   bigint NOT NULL CHECK (bytes BETWEEN 0 AND 16777216),
    dropped bigint NOT NULL CHECK (dropped >= 0)
);
COMMENT ON TABLE tally.evidence_sender IS
    'How much evidence each certificate takes: 1,000 rows and 16 MiB, then it is only counted';

-- A seat belt beside the privileges: whoever may change rows must say so by dropping a trigger.
CREATE FUNCTION tally.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'rows of tally.% are never changed', TG_TABLE_NAME; END$$;
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON tally.ledger
    EXECUTE FUNCTION tally.refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON tally.election
    EXECUTE FUNCTION tally.refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON tally.head
    EXECUTE FUNCTION tally.refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON tally.evidence
    EXECUTE FUNCTION tally.refuse();
CREATE TRIGGER refuse BEFORE DELETE OR TRUNCATE ON tally.log_head
    EXECUTE FUNCTION tally.refuse();
