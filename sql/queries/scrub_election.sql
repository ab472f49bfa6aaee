-- SPDX-License-Identifier: Apache-2.0
-- What stands once: the election, the head, and between which positions the ledger's rows lie, in one snapshot.
-- $1 int8 rows to look at, at most
-- Rows, one but where somebody put more:  bool one, text code, bytea definition, bytea registry, bytea opened_at,
--   bool one, int8 size, bytea root, int8 epoch, int8 barrier, int8 first position or null, int8 last or null,
--   bool a row of ledger, head or evidence has no key.
SELECT e.one, e.code, e.definition, e.registry, timestamptz_send(e.opened_at),
       h.one, h.size, h.root, h.epoch, h.barrier,
       (SELECT min(l.position) FROM tally.ledger l), (SELECT max(l.position) FROM tally.ledger l),
       EXISTS (SELECT FROM tally.ledger l WHERE l.position IS NULL) OR
       EXISTS (SELECT FROM tally.head s WHERE s.size IS NULL) OR
       EXISTS (SELECT FROM tally.evidence v WHERE v.id IS NULL)
FROM tally.election e FULL JOIN tally.log_head h ON true
LIMIT $1::int8
