-- SPDX-License-Identifier: Apache-2.0
-- The migrations that were applied.
-- $1 int8 rows to look at, at most
-- Rows:  int4 version, text name, bytea applied_at.
SELECT version, name, timestamptz_send(applied_at) FROM tally.schema_version ORDER BY version LIMIT $1::int8
