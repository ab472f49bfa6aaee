-- SPDX-License-Identifier: Apache-2.0
-- Takes over as the one writer.
-- No row when no election is open, or one:  int8 epoch, text synchronous_commit.
UPDATE tally.log_head SET epoch = epoch + 1 RETURNING epoch, current_setting('synchronous_commit')
