-- SPDX-License-Identifier: Apache-2.0
-- Keeps the signature of a tree head.  Ed25519 is deterministic: the same size has the same one.
-- $1 int8 size   $2 bytea signature
INSERT INTO tally.head (size, sig) VALUES ($1::int8, $2::bytea) ON CONFLICT DO NOTHING
