-- SPDX-License-Identifier: Apache-2.0
-- Decisions about keys and the state (10, 11), and published results (13).
ALTER TABLE tally.ledger
    DROP CONSTRAINT ledger_kind,
    ADD CONSTRAINT ledger_kind CHECK (kind BETWEEN 1 AND 13);
COMMENT ON COLUMN tally.ledger.kind IS
    '1 genesis, 2 bundle, 3 conflict; decisions: 4 release, 5 explain, 6 annul, 7 reinstate, 8 lot, 9 exclude, 10 key, 11 state, 12 certify; 13 result';
