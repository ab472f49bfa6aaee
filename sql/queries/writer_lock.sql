-- SPDX-License-Identifier: Apache-2.0
-- The one writer's mark, as long as its session lives: a second daemon waits instead of taking over.
-- What guards the ledger is log_head's epoch, not this.  The key is "t", "ally" in ASCII.
-- One row:  bool it is ours, text who has it ('' nobody any more).
SELECT pg_try_advisory_lock(116, 1634495609),
       coalesce((SELECT 'PostgreSQL process ' || l.pid || coalesce(' for ' || a.client_addr, '')
                 FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                 WHERE l.locktype = 'advisory' AND l.classid = 116 AND l.objid = 1634495609 AND l.granted
                   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())), '')
