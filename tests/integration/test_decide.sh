#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Decisions: decide.py against a daemon of its own (TAP); after kill -9 the ledger gives the same numbers.  Timeout: 600 s.
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

# From the officers' side: made, cosigned offline, posted.
export TALLY_URL="https://localhost:$daemon_api" TALLY_CA="$t_dir/keys/ca.crt" TALLY_CLIENT="$t_dir/keys/clients/officer.pem"
ctl() { rc=0; "$B/tallyctl" "$@" >"$t_dir/ctl.out" 2>"$t_dir/ctl.err" || rc=$?; echo $rc; }
said() { like "$1" "$(cat "$t_dir/ctl.err")" "$2"; }
officer() { echo "$t_dir/keys/officers/$1.key"; }
contest=$(sed -n '$s/,.*//p' "$t_dir/definition/candidates.csv")
candidate=$(sed -n '$s/[^,]*,\([^,]*\),.*/\1/p' "$t_dir/definition/candidates.csv")
file=$t_dir/exclude
is 'decide' "$(ctl decide exclude "$contest" "$candidate" --reason 'حکم دادگاه 7' --key "$(officer commission1)" --to "$file")" 0
said 'and says what was signed' '"kind":"exclude".*"reason":"حکم دادگاه 7","position":[0-9]'
is 'posted too early' "$(ctl post "$file")" 1
said 'and what is missing' 'answers 403: exclude needs commission 1, supervision 1; it has commission 1, supervision 0'
is 'cosigned by the same officer' "$(ctl cosign "$file" --key "$(officer commission1)")" 1
said 'and why not' 'signed it already'
is 'cosigned by the commission again' "$(ctl cosign "$file" --key "$(officer commission2)")" 0
is 'posted too early still' "$(ctl post "$file")" 1
is 'cosigned by the supervision' "$(TALLY_URL='' ctl cosign "$file" --key "$(officer supervision1)")" 0
said 'who sees what' '"kind":"exclude"'
is 'posted by an auditor' "$(ctl post "$file" --client "$t_dir/keys/clients/auditor.pem")" 1
is 'posted' "$(ctl post "$file")" 0
said 'in force' 'logged, and in force'
cp "$t_dir/ctl.out" "$t_dir/excluded.tlog-proof"
ok 'its receipt is good' "$B/tallyctl" receipt check "$t_dir/excluded.tlog-proof" --log-key "$t_dir/keys/log.key"
is 'posted again' "$(ctl post "$file")" 0
ok 'the same receipt' cmp "$t_dir/ctl.out" "$t_dir/excluded.tlog-proof"
is 'a fourth signature' "$(ctl cosign "$file" --key "$(officer operator1)")" 0
is 'a fifth' "$(ctl cosign "$file" --key "$(officer supervision2)")" 1
said 'is one too many' 'takes no more'
is 'more signatures, the same decision' "$(ctl post "$file")" 0
excluded() { "$B/tallyctl" results --contest "$contest" --json | grep -q '"excluded":true'; }
ok 'the candidate is excluded' wait_for 60 excluded
election=$(sed -n 's/.*"election": *"\([^"]*\)".*/\1/p' "$t_dir/definition/election.json")
is 'over a file that others signed' "$(ctl decide exclude "$contest" "$candidate" --reason r --key "$(officer commission1)" --to "$file")" 1
said 'nothing is written' "$file: is there already and is not overwritten"
rm "$file"
is 'decided without a daemon' "$(TALLY_URL=https://localhost:1 ctl decide exclude "$contest" "$candidate" --reason r \
    --key "$(officer commission1)" --election "$election" --phase rehearsal --position 2 --to "$file")" 0
is 'and cosigned' "$(ctl cosign "$file" --key "$(officer supervision1)")" 0
is 'excluded twice' "$(ctl post "$file")" 1
said 'and why not' 'answers 409: exclude: the candidate is excluded already'
is 'an unknown kind' "$(ctl decide forgive a b --reason r --key "$(officer commission1)")" 2
is 'no reason' "$(ctl decide exclude a b --key "$(officer commission1)")" 2
is 'half a target' "$(ctl decide release a --reason r --key "$(officer commission1)")" 2
is 'a lot without its ground' "$(ctl decide lot a b c --reason r --key "$(officer commission1)")" 2
is 'no such key' "$(ctl decide exclude a b --reason r --key "$t_dir/none")" 2
is 'cosigning what is no decision' "$(ctl cosign "$t_dir/definition/signatures.dsse" --key "$(officer commission1)")" 2
said 'and why not' 'no decision'
is 'posting what is not there' "$(ctl post "$t_dir/none")" 2
stop_daemon
is 'a clean stop' "$daemon_rc" 0
pg_sql "ALTER TABLE tally.ledger DISABLE TRIGGER refuse; UPDATE tally.ledger SET held = replace(held, 'branch b', 'branch c')
        WHERE kind = 4" >/dev/null
ok 'a decision whose row was changed: no start' sh -c '! "$1/tallyd" --config "$2" >"$3" 2>&1' - "$B" "$t_dir/tallyd.conf" "$t_dir/refused"
like 'and the reason' "$(cat "$t_dir/refused")" 'kind or target is not the payload'
done_testing
