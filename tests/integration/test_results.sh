#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Published results: results.py against a daemon of its own (TAP); they stand after a restart, and when the journal puts
# them back; tallyctl makes, cosigns and posts one.  Timeout: 300 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
enrol_election "$t_dir" 100
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf"
head_row() { pg_sql "SELECT size || ' ' || encode(root, 'hex') FROM tally.log_head"; }
old_head=$(head_row)
results() { # NAME WANTED ARGUMENT...
    t_part=$1 t_wanted=$2
    shift 2
    results_rc=0
    PATH=$pg_bin:$PATH "$python" -B tests/integration/results.py "$t_dir" "$daemon_ingest" "$daemon_api" "$@" >"$t_dir/results.tap" 2>&1 || results_rc=$?
    grep -v '^ok\|^1\.\.' "$t_dir/results.tap" | sed 's/^/# /' || true
    is "$t_part" "$results_rc $(grep -c '^not ok' "$t_dir/results.tap")" '0 0'
    like "$t_part: all of it" "$(grep -c '^ok' "$t_dir/results.tap")" "$t_wanted"
}
results 'every step of results.py' '^[5-6][0-9]$'
stop_daemon KILL
ok 'it starts again' start_daemon "$t_dir/tallyd.conf"
results 'after a restart' '^3$' again
stop_daemon KILL
new_head=$(head_row)
pg_sql "BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM tally.ledger WHERE position >= ${old_head% *};
    DELETE FROM tally.head WHERE size > ${old_head% *};
    UPDATE tally.log_head SET size = ${old_head% *}, root = '\\x${old_head#* }'; COMMIT" >/dev/null
ok 'it starts from the journal' start_daemon "$t_dir/tallyd.conf"
is 'the same ledger' "$(head_row)" "$new_head"

export TALLY_URL="https://localhost:$daemon_api" TALLY_CA="$t_dir/keys/ca.crt" TALLY_CLIENT="$t_dir/keys/clients/officer.pem"
ctl() { rc=0; "$B/tallyctl" "$@" >"$t_dir/ctl.out" 2>"$t_dir/ctl.err" || rc=$?; echo $rc; }
said() { like "$1" "$(cat "$t_dir/ctl.err")" "$2"; }
officer() { echo "$t_dir/keys/officers/$1.key"; }
settled() { "$B/tallyctl" status --json | "$python" -c 'import json, sys; e = json.load(sys.stdin); sys.exit(e["accepted"] != e["published"])'; }
area=$(awk -F, '$2 == "" { print $1 }' "$t_dir/definition/areas.csv")
wait_for 60 settled || true
is 'a document' "$(ctl results --document "$area" --key "$(officer commission1)" -o "$t_dir/document")" 0
said 'and what it says' "\"scope\":\"$area\".*\"serial\":4"
is 'not over a file' "$(ctl results --document "$area" --key "$(officer commission1)" -o "$t_dir/document")" 1
is 'too few signatures' "$(ctl post "$t_dir/document")" 1
said 'and which' 'certify needs commission 2, supervision 1; it has commission 1, supervision 0'
is 'cosigned' "$(ctl cosign "$t_dir/document" --key "$(officer commission2)")$(ctl cosign "$t_dir/document" --key "$(officer supervision1)")" 00
is 'posted' "$(ctl post "$t_dir/document")" 0
cp "$t_dir/ctl.out" "$t_dir/document.tlog-proof"
ok 'its receipt is good' "$B/tallyctl" receipt check "$t_dir/document.tlog-proof" --log-key "$t_dir/keys/log.key"
is 'no such area' "$(ctl results --document nowhere --key "$(officer commission1)")" 2
is 'nobody signs' "$(ctl results --document "$area")" 2
is 'of another size' "$(ctl results --document "$area" --key "$(officer commission1)" --at 2)" 2
stop_daemon
is 'a clean stop' "$daemon_rc" 0
pg_sql "ALTER TABLE tally.ledger DISABLE TRIGGER refuse; UPDATE tally.ledger SET held = replace(held, 'serial 4', 'serial 5') WHERE kind = 13" >/dev/null
ok 'a document whose row was changed: no start' sh -c '! "$1/tallyd" --config "$2" >"$3" 2>&1' - "$B" "$t_dir/tallyd.conf" "$t_dir/refused"
like 'and the reason' "$(cat "$t_dir/refused")" 'kind or target is not the payload'
done_testing
