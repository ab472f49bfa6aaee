-- Ends a transaction; the only statement whose outcome can be in doubt.
COMMIT
