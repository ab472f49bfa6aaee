-- SPDX-License-Identifier: Apache-2.0
-- Opens the election: its row, the genesis entry and the head over it, once.
-- $1 text code   $2 bytea definition   $3 bytea registry   $4 int8 accepted_ms   $5 bytea root
-- One row when it was opened now, none when one is open already:  int8 size.
WITH opened AS (
    INSERT INTO tally.election (code, definition, registry) VALUES ($1::text, $2::bytea, $3::bytea)
    ON CONFLICT DO NOTHING RETURNING one
), genesis AS (
    INSERT INTO tally.ledger (position, kind, accepted_ms) SELECT 0, 1, $4::int8 FROM opened
    RETURNING position
)
INSERT INTO tally.log_head (size, root, epoch) SELECT 1, $5::bytea, 0 FROM genesis RETURNING size
