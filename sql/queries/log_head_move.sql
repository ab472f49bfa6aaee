-- SPDX-License-Identifier: Apache-2.0
-- Moves the head from what we know to what the batch makes of it: compare-and-swap.
-- $1 int8 size   $2 bytea root   $3 int8 old size   $4 bytea old root   $5 int8 epoch
-- One row, or none when the head is not ours:  text synchronous_commit, read in the transaction.
UPDATE tally.log_head SET size = $1::int8, root = $2::bytea
WHERE size = $3::int8 AND root = $4::bytea AND epoch = $5::int8
RETURNING current_setting('synchronous_commit')
