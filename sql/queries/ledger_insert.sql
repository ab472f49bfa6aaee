-- SPDX-License-Identifier: Apache-2.0
-- Stores the rows of a batch, in order.
-- $1 int8 position of the first   $2 int2[] kind   $3 text[] branch or null
-- $4 text[] terminal or null   $5 int4[] revision, 0: null   $6 bytea[] prev or null   $7 bytea[] payload hash   $8 bytea[] envelope hash
-- $9 bytea[] first envelope or null   $10 bytea[] payload   $11 bytea[] head   $12 bytea[] tail
-- $13 int2[] alphabet   $14 text[] held   $15 int8[] accepted_ms
INSERT INTO tally.ledger (position, kind, branch, terminal, revision, prev, payload_hash,
                          envelope_hash, first_envelope, payload, head, tail, alphabet, held,
                          accepted_ms)
SELECT $1::int8 + r.n - 1, r.kind, r.branch, r.terminal, nullif(r.revision, 0), r.prev, r.payload_hash,
       r.envelope_hash, r.first_envelope, r.payload, r.head, r.tail, r.alphabet, r.held,
       r.accepted_ms
FROM unnest($2::int2[], $3::text[], $4::text[], $5::int4[], $6::bytea[], $7::bytea[], $8::bytea[],
            $9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[], $13::int2[], $14::text[],
            $15::int8[])
     WITH ORDINALITY
     AS r (kind, branch, terminal, revision, prev, payload_hash, envelope_hash, first_envelope,
           payload, head, tail, alphabet, held, accepted_ms, n)
