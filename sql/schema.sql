-- SPDX-License-Identifier: Apache-2.0
-- Where migrations are recorded; repeats safely.
CREATE SCHEMA IF NOT EXISTS tally;
CREATE TABLE IF NOT EXISTS tally.schema_version (
    version    integer PRIMARY KEY CHECK (version >= 1),
    name       text    NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tally.schema_version IS 'Migrations that were applied, by number';
