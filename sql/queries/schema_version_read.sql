-- SPDX-License-Identifier: Apache-2.0
-- One row:  int4 the newest migration applied, 0 none.
SELECT coalesce(max(version), 0) FROM tally.schema_version
