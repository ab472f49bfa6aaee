-- SPDX-License-Identifier: Apache-2.0
-- Ends a transaction; the only statement whose outcome can be in doubt.
COMMIT
