-- SPDX-License-Identifier: Apache-2.0
-- What is counted of each sender of evidence, and what there is of it, in one snapshot.
-- $1 int8 rows to look at, at most
-- Rows, by sender:  bytea sender, int8 kept_n or null, int8 bytes or null, int8 dropped or null (no row),
--   int8 rows, int8 bytes of their bodies.
SELECT sender, s.kept_n, s.bytes, s.dropped, coalesce(e.n, 0), coalesce(e.bytes, 0)::int8
FROM tally.evidence_sender s
     FULL JOIN (SELECT sender, count(*) AS n, sum(octet_length(body)) AS bytes FROM tally.evidence GROUP BY sender) e
     USING (sender)
ORDER BY sender LIMIT $1::int8
