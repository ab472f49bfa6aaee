-- SPDX-License-Identifier: Apache-2.0
-- Begins a transaction.
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE
