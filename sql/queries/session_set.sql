-- SPDX-License-Identifier: Apache-2.0
-- Settings of our sessions.  lock_timeout is certain not to have done anything when it strikes; a
-- statement_timeout would cancel a commit that waits for its standby, so there is none.
-- The level of messages must let WARNING through: a warning before the COMMIT tag means doubt.
-- A host that died without a word is noticed within half a minute, and its writer's mark is free.
-- One row:  text.
SELECT set_config('client_min_messages', 'warning', false) || set_config('lock_timeout', '5s', false) ||
       set_config('statement_timeout', '0', false) ||
       set_config('idle_in_transaction_session_timeout', '10s', false) ||
       set_config('tcp_keepalives_idle', '10', false) || set_config('tcp_keepalives_interval', '5', false) ||
       set_config('tcp_keepalives_count', '3', false) ||
       set_config('default_transaction_deferrable', 'off', false)
