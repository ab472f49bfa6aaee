-- SPDX-License-Identifier: Apache-2.0
-- Ledger rows in order.
-- $1 int8 from (inclusive)   $2 int8 to (exclusive)
-- Rows:  int8 position, int2 kind, text branch, text terminal, int4 revision, bytea prev or null,
--        bytea payload hash, bytea envelope hash, bytea first envelope, bytea payload, bytea head,
--        bytea tail, int2 alphabet, text held, int8 accepted_ms; genesis: null but the first two and
--        the last.
SELECT position, kind, branch, terminal, revision, prev, payload_hash, envelope_hash,
       first_envelope, payload, head, tail, alphabet, held, accepted_ms
FROM tally.ledger WHERE position >= $1::int8 AND position < $2::int8 ORDER BY position
