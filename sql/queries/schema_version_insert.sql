-- SPDX-License-Identifier: Apache-2.0
-- Records a migration.
-- $1 int4 version   $2 text name
INSERT INTO tally.schema_version (version, name) VALUES ($1::int4, $2::text)
