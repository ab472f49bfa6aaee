-- SPDX-License-Identifier: Apache-2.0
-- For a connection that compares: no transaction of it writes.  What stands in the way of the writer is given up.
-- One row:  text.
SELECT set_config('default_transaction_read_only', 'on', false) || set_config('lock_timeout', '2s', false)
