-- SPDX-License-Identifier: Apache-2.0
-- The next rows of evidence, each as a hash over all its columns, and a byte of a hash of each, which tells which one
-- was changed: the bodies stay where they are.
-- $1 int8 behind this id   $2 int8 rows at most   $3 int8 bytes at which bodies are cut
-- Rows:  int8 id, bytea hash or null (a column is null), bytea a byte each of received_at, sender, body_hash, body_len,
--        body, status, code, detail; bool or null: the body is what body_hash and body_len say.
SELECT id,
       sha256(int8send(id) || timestamptz_send(received_at) || int4send(octet_length(sender)) || sender ||
              int4send(octet_length(body_hash)) || body_hash || int8send(body_len) || sha256(body) ||
              int2send(status) || int4send(octet_length(code)) || textsend(code) || textsend(detail)),
       substr(sha256(timestamptz_send(received_at)), 1, 1) || substr(sha256(sender), 1, 1) ||
       substr(sha256(body_hash), 1, 1) || substr(sha256(int8send(body_len)), 1, 1) || substr(sha256(body), 1, 1) ||
       substr(sha256(int2send(status)), 1, 1) || substr(sha256(textsend(code)), 1, 1) ||
       substr(sha256(textsend(detail)), 1, 1),
       CASE WHEN octet_length(body) = body_len THEN sha256(body) = body_hash
            ELSE octet_length(body) = $3::int8 AND body_len > $3::int8 END
FROM tally.evidence WHERE id > $1::int8 ORDER BY id LIMIT $2::int8
