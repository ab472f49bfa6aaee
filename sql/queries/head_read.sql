-- SPDX-License-Identifier: Apache-2.0
-- All signed heads in order.
-- Rows:  int8 size, bytea signature.
SELECT size, sig FROM tally.head ORDER BY size
