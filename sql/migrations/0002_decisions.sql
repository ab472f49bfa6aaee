-- SPDX-License-Identifier: Apache-2.0
-- Decisions are leaves too: kinds 4 to 12, without branch, terminal and revision (their payload names the target).
ALTER TABLE tally.ledger
    DROP CONSTRAINT ledger_kind_check, DROP CONSTRAINT ledger_check2,
    ADD CONSTRAINT ledger_kind CHECK (kind BETWEEN 1 AND 12),
    ADD CONSTRAINT ledger_logged CHECK (kind = 1 OR (payload_hash, envelope_hash, payload, head, tail, alphabet,
                                                     held) IS NOT NULL),
    ADD CONSTRAINT ledger_bundle CHECK (kind NOT IN (2, 3) OR (branch, terminal, revision) IS NOT NULL),
    ADD CONSTRAINT ledger_decision CHECK (kind < 4 OR ((branch, terminal, revision, prev) IS NULL AND held <> ''));
COMMENT ON COLUMN tally.ledger.kind IS
    '1 genesis, 2 bundle, 3 conflict; decisions: 4 release, 5 explain, 6 annul, 7 reinstate, 8 lot, 9 exclude, 12 certify';
COMMENT ON COLUMN tally.ledger.held IS
    'The lines "held CONTEST CODE,CODE" of a bundle''s leaf, or those of a decision''s target';
