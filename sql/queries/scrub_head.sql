-- SPDX-License-Identifier: Apache-2.0
-- The next signed heads.
-- $1 int8 behind this size   $2 int8 rows at most
-- Rows:  int8 size, bytea signature.
SELECT size, sig FROM tally.head WHERE size > $1::int8 ORDER BY size LIMIT $2::int8
