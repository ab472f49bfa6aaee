-- SPDX-License-Identifier: Apache-2.0
-- Whether the server keeps what it says it keeps, and our role may do no more than it must.
-- One row:  text what is wrong ('' nothing), bool the server is a standby, bool the role may change
-- or drop what is recorded.
SELECT CASE WHEN current_setting('fsync') <> 'on' THEN 'fsync is off'
            WHEN current_setting('full_page_writes') <> 'on' THEN 'full_page_writes is off'
            WHEN current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')
                THEN 'synchronous_commit is ' || current_setting('synchronous_commit')
            WHEN current_setting('data_sync_retry') <> 'off' THEN 'data_sync_retry is on'
            ELSE '' END,
       pg_is_in_recovery(),
       EXISTS (SELECT FROM pg_class c
               WHERE c.relnamespace = 'tally'::regnamespace AND c.relkind IN ('r', 'p')
                 AND (pg_has_role(c.relowner, 'USAGE')
                      OR has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER')
                      OR (c.relname IN ('ledger', 'head', 'evidence', 'election')
                          AND has_any_column_privilege(c.oid, 'UPDATE'))))
