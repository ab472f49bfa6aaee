-- SPDX-License-Identifier: Apache-2.0
-- No row, or one:  text code, bytea definition, bytea registry, int8 size, bytea root, int8 epoch.
SELECT e.code, e.definition, e.registry, h.size, h.root, h.epoch
FROM tally.election e, tally.log_head h
