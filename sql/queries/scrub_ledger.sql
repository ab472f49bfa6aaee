-- SPDX-License-Identifier: Apache-2.0
-- A stretch of the ledger as it is, whatever is missing in it or stands there twice.
-- $1 int8 from (inclusive)   $2 int8 to (exclusive)   $3 int8 rows at most
-- Rows:  as in ledger_read.sql.
SELECT position, kind, branch, terminal, revision, prev, payload_hash, envelope_hash,
       first_envelope, payload, head, tail, alphabet, held, accepted_ms
FROM tally.ledger WHERE position >= $1::int8 AND position < $2::int8 ORDER BY position LIMIT $3::int8
