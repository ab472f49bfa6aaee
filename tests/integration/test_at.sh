#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The numbers as they stood: at.py (TAP), under TSan too; again after kill -9; and from tallyctl.  Timeout: 300 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
enrol_election "$t_dir" 150
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf"
at() { # NAME [WORD]: a run of at.py, its failures told
    at_rc=0
    PATH=$pg_bin:$PATH "$python" -B tests/integration/at.py "$t_dir" "$daemon_ingest" "$daemon_api" "$daemon_ops" ${2:-} \
        >"$t_dir/at.tap" 2>"$t_dir/at.err" || at_rc=$?
    grep -v '^ok\|^1\.\.' "$t_dir/at.tap" | sed 's/^not ok [0-9]* - /# not ok: /' || true
    sed 's/^/# /' "$t_dir/at.err"
    is "$1" "$at_rc $(grep -c '^not ok' "$t_dir/at.tap")" '0 0'
    like 'and all of it' "$(grep -c '^ok' "$t_dir/at.tap")" '^[0-9]{2,3}$'
}
at 'every step of at.py'
stop_daemon KILL
ok 'it starts again from the ledger' start_daemon "$t_dir/tallyd.conf"
at 'the past is the same' again

export TALLY_URL="https://localhost:$daemon_api" TALLY_CA="$t_dir/keys/ca.crt" TALLY_CLIENT="$t_dir/keys/clients/auditor.pem"
ctl() { rc=0; "$B/tallyctl" "$@" >"$t_dir/ctl.out" 2>"$t_dir/ctl.err" || rc=$?; echo $rc; }
read -r contest branch entry <"$t_dir/first" # the first bundle that counted, and the entries with it
is 'results --at 1' "$(ctl results --at 1 --json)" 0
is 'every contest waits' "$(grep -c '"status":"waiting"' "$t_dir/ctl.out")" "$(grep -c . "$t_dir/ctl.out")"
is 'one contest before its bundle' "$(ctl results --contest "$contest" --at $((entry - 1)) --json)" 0
like 'has no ballots' "$(cat "$t_dir/ctl.out")" '"ballots":null'
is 'with it' "$(ctl results --contest "$contest" --at "$entry" --json)" 0
like 'it has' "$(cat "$t_dir/ctl.out")" '"ballots":\{'
is 'branches --at, the status of then' "$(ctl branches --status counted --at "$entry" --json)" 0
is 'is that branch alone' "$(sed -n 's/.*"branch":"\([^"]*\)".*/\1/p' "$t_dir/ctl.out")" "$branch"
is 'none before' "$(ctl branches --status counted --at $((entry - 1)))" 0
like 'and it says so' "$(cat "$t_dir/ctl.out")" '^0 branches$'
is 'at 0' "$(ctl results --at 0)" 2
like 'is no position' "$(cat "$t_dir/ctl.err")" 'answers 422: not a number of ledger entries from 1 to [0-9]+'
stop_daemon
is 'a clean stop' "$daemon_rc" 0
done_testing
