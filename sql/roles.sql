-- SPDX-License-Identifier: Apache-2.0
-- What the daemon's role may do, and nothing more.  Applied by every migration; repeats safely.
-- The owner is whoever migrates.  The daemon logs in as tallyd: with peer authentication the
-- service's user of that name, without a password.

DO $$BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tallyd') THEN
        CREATE ROLE tallyd LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
END$$;

REVOKE ALL ON SCHEMA tally FROM PUBLIC, tallyd;
REVOKE ALL ON ALL TABLES IN SCHEMA tally FROM PUBLIC, tallyd;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA tally FROM PUBLIC, tallyd;

GRANT USAGE ON SCHEMA tally TO tallyd;
GRANT SELECT ON tally.schema_version, tally.election TO tallyd;
GRANT SELECT, INSERT ON tally.ledger, tally.head, tally.evidence TO tallyd;
GRANT SELECT, UPDATE (size, root, epoch, barrier) ON tally.log_head TO tallyd;
GRANT SELECT, INSERT, UPDATE (kept_n, bytes, dropped) ON tally.evidence_sender TO tallyd;
