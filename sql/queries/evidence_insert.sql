-- SPDX-License-Identifier: Apache-2.0
-- Keeps what was refused, up to 1,000 rows and 16 MiB a sender; what comes over it is only counted,
-- and the same body refused for the same reason is kept once.  One writer.
-- $1 bytea[] sender   $2 bytea[] body   $3 bytea[] body hash   $4 int8[] body length
-- $5 int2[] status   $6 text[] code   $7 text[] detail
WITH given AS (
    SELECT DISTINCT ON (g.sender, g.body_hash, g.code) g.*
    FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::int8[], $5::int2[], $6::text[],
                $7::text[])
         WITH ORDINALITY AS g (sender, body, body_hash, body_len, status, code, detail, n)
    WHERE NOT EXISTS (SELECT FROM tally.evidence e
                      WHERE (e.sender, e.body_hash, e.code) = (g.sender, g.body_hash, g.code))
    ORDER BY g.sender, g.body_hash, g.code, g.n
), ranked AS (
    SELECT g.*,
           coalesce(s.kept_n, 0) + row_number() OVER same_sender <= 1000
           AND coalesce(s.bytes, 0) + sum(octet_length(g.body)) OVER same_sender <= 16777216 AS fits
    FROM given g LEFT JOIN tally.evidence_sender s USING (sender)
    WINDOW same_sender AS (PARTITION BY g.sender ORDER BY g.n)
), kept AS (
    INSERT INTO tally.evidence (sender, body, body_hash, body_len, status, code, detail)
    SELECT sender, body, body_hash, body_len, status, code, detail FROM ranked WHERE fits ORDER BY n
)
INSERT INTO tally.evidence_sender AS s (sender, kept_n, bytes, dropped)
SELECT sender, count(*) FILTER (WHERE fits),
       coalesce(sum(octet_length(body)) FILTER (WHERE fits), 0), count(*) FILTER (WHERE NOT fits)
FROM ranked GROUP BY sender
ON CONFLICT (sender) DO UPDATE
SET kept_n = s.kept_n + excluded.kept_n, bytes = s.bytes + excluded.bytes,
    dropped = s.dropped + excluded.dropped
