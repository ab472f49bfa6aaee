#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Decisions about keys and the election's state: keys.py against a daemon of its own (TAP); all of it stands after a
# restart, after a kill in the middle, and when the journal puts it back; under TSan, too.  Timeout: 300 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
enrol_election "$t_dir" 120
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf"
head_row() { pg_sql "SELECT size || ' ' || encode(root, 'hex') FROM tally.log_head"; }
old_head=$(head_row)
keys() { # NAME WANTED ARGUMENT...: a part of keys.py as one test
    t_part=$1 t_wanted=$2
    shift 2
    keys_rc=0
    PATH=$pg_bin:$PATH "$python" -B tests/integration/keys.py "$t_dir" "$daemon_ingest" "$daemon_api" "$@" >"$t_dir/keys.tap" 2>&1 || keys_rc=$?
    grep -v '^ok\|^1\.\.' "$t_dir/keys.tap" | sed 's/^/# /' || true
    is "$t_part" "$keys_rc $(grep -c '^not ok' "$t_dir/keys.tap")" '0 0'
    like "$t_part: all of it" "$(grep -c '^ok' "$t_dir/keys.tap")" "$t_wanted"
}
keys 'every step of keys.py' '^[6-9][0-9]$' "$pg_conn" "$B/tallyctl"
stop_daemon
is 'a clean stop' "$daemon_rc" 0
ok 'it starts again' start_daemon "$t_dir/tallyd.conf"
keys 'after a restart' '^[78]$' again

# The database loses all of it: what was journaled is put back by the same rules.
stop_daemon KILL
new_head=$(head_row)
pg_sql "BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM tally.ledger WHERE position >= ${old_head% *};
    DELETE FROM tally.head WHERE size > ${old_head% *};
    UPDATE tally.log_head SET size = ${old_head% *}, root = '\\x${old_head#* }'; COMMIT" >/dev/null
ok 'it starts from the journal' start_daemon "$t_dir/tallyd.conf"
is 'the same ledger' "$(head_row)" "$new_head"
keys 'put back' '^[78]$' again

# Killed while keys change and their bundles come.
"$python" -B tests/integration/keys.py "$t_dir" "$daemon_ingest" "$daemon_api" storm >"$t_dir/storm.out" 2>&1 &
storm_pid=$!
at_exit 'kill "$storm_pid" 2>/dev/null || true'
some() { [ "$(grep -o payload "$t_dir/storm.json" | wc -l)" -ge 20 ]; }
ok 'keys rotate, bundles come' wait_for 60 some
stop_daemon KILL
wait "$storm_pid" || { note "storm: $(cat "$t_dir/storm.out")"; }
ok 'it starts after the kill' start_daemon "$t_dir/tallyd.conf"
keys 'after the kill' '^3$' stormed

# From the operator's side.
export TALLY_URL="https://localhost:$daemon_api" TALLY_CA="$t_dir/keys/ca.crt" TALLY_CLIENT="$t_dir/keys/clients/officer.pem"
ctl() { rc=0; "$B/tallyctl" "$@" >"$t_dir/ctl.out" 2>"$t_dir/ctl.err" || rc=$?; echo $rc; }
said() { like "$1" "$(cat "$t_dir/ctl.err")" "$2"; }
officer() { echo "$t_dir/keys/officers/$1.key"; }
settled() { "$B/tallyctl" status --json | "$python" -c 'import json, sys; e = json.load(sys.stdin); sys.exit(e["accepted"] != e["published"])'; }
decide() { rm -f "$t_dir/decision"; wait_for 60 settled || true; ctl decide "$@" --reason 'به دستور هیئت' --key "$(officer commission1)" --to "$t_dir/decision"; }
carry() { # NAME: cosigned and posted
    is "$1: cosigned" "$(ctl cosign "$t_dir/decision" --key "$(officer operator1)")" 0
    is "$1: posted" "$(ctl post "$t_dir/decision")" 0
}
spare=$(awk -F, '$2 == "" && $7 == "active" { print $1 }' "$t_dir/registry/terminals.csv" | tail -1)
branch=$(sed -n '2s/,.*//p' "$t_dir/definition/branches.csv")
is 'assign' "$(decide key assign "$spare" "$branch")" 0
said 'says what was signed' "\"target\":{\"action\":\"assign\",\"terminal\":\"$spare\",\"branch\":\"$branch\"}"
carry 'assign'
is 'revoke' "$(decide key revoke "$spare")" 0
carry 'revoke'
is 'revoke again' "$(decide key revoke "$spare")" 0
is 'cosigned' "$(ctl cosign "$t_dir/decision" --key "$(officer operator1)")" 0
is 'is refused' "$(ctl post "$t_dir/decision")" 1
said 'and why' 'answers 409: key: the terminal is revoked'
is 'add' "$(decide key add more-1 --signing-key 46517f788c431726032b3824e5d62a891eac2964026ee7e493f555afa630de09 \
    --certificate 00000000000000000000000000000000000000000000000000000000000000aa --not-before 1 --not-after 99)" 0
carry 'add'
is 'rotate' "$(decide key rotate more-1 --certificate 00000000000000000000000000000000000000000000000000000000000000ab)" 0
carry 'rotate'
is 'half a target' "$(decide key assign more-1)" 2
is 'no action' "$(decide key steal more-1)" 2
is 'no time' "$(decide state closed --until soon)" 2
is 'closed' "$(decide state closed --until 4102444800)" 0
carry 'closed'
shown() { "$B/tallyctl" status | grep -q 'state closed until 4102444800$'; }
ok 'status tells it' wait_for 60 shown
stop_daemon
is 'a clean stop at last' "$daemon_rc" 0
pg_sql "ALTER TABLE tally.ledger DISABLE TRIGGER refuse;
        UPDATE tally.ledger SET held = replace(held, 'action revoke', 'action assign') WHERE kind = 10" >/dev/null
ok 'a decision whose row was changed: no start' sh -c '! "$1/tallyd" --config "$2" >"$3" 2>&1' - "$B" "$t_dir/tallyd.conf" "$t_dir/refused"
like 'and the reason' "$(cat "$t_dir/refused")" 'kind or target is not the payload'
done_testing
