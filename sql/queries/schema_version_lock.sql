-- SPDX-License-Identifier: Apache-2.0
-- One migration at a time.
LOCK TABLE tally.schema_version IN EXCLUSIVE MODE
