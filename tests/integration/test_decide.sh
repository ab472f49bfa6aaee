#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Decisions: decide.py against a daemon of its own (TAP); after kill -9 the ledger gives the same numbers.  Timeout: 120 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
enrol_election "$t_dir" 150
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf"
decide() { PATH=$pg_bin:$PATH "$python" -B tests/integration/decide.py "$t_dir" "$daemon_ingest" "$daemon_api" "$@"; }
decide_rc=0
decide "$pg_conn" >"$t_dir/decide.tap" || decide_rc=$?
grep -v '^ok\|^1\.\.' "$t_dir/decide.tap" | sed 's/^not ok [0-9]* - /# not ok: /'
is 'every step of decide.py' "$decide_rc $(grep -c '^not ok' "$t_dir/decide.tap")" '0 0'
like 'and all of them' "$(grep -c '^ok' "$t_dir/decide.tap")" '^1[0-9][0-9]$'
stop_daemon KILL
ok 'it starts again from the ledger' start_daemon "$t_dir/tallyd.conf"
ok 'with the same numbers' decide
stop_daemon
is 'a clean stop' "$daemon_rc" 0
pg_sql "ALTER TABLE tally.ledger DISABLE TRIGGER refuse; UPDATE tally.ledger SET held = replace(held, 'branch b', 'branch c')
        WHERE kind = 4" >/dev/null
ok 'a decision whose row was changed: no start' sh -c '! "$1/tallyd" --config "$2" >"$3" 2>&1' - "$B" "$t_dir/tallyd.conf" "$t_dir/refused"
like 'and the reason' "$(cat "$t_dir/refused")" 'kind or target is not the payload'
done_testing
