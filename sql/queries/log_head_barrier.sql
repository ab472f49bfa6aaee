-- SPDX-License-Identifier: Apache-2.0
-- A barrier after doubt.  It waits for whoever still holds the row, so the head it returns is final;
-- its own commit, done without a warning, proves that all commits before it are as durable as it is.
-- One row:  int8 size, bytea root, int8 epoch, text synchronous_commit.
UPDATE tally.log_head SET barrier = barrier + 1
RETURNING size, root, epoch, current_setting('synchronous_commit')
