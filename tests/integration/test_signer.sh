#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tally-signer as a program, and tallyd beside it: settings, killed -9 under load, away and back, its state or the
# database put back from an older copy (whoever can see it stops, and says which), its state lost (TAP).
# Timeout: 240 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
signer=$B/tally-signer
exits() { # RC REGEX COMMAND...
    want_rc=$1 want_text=$2 rc=0
    shift 2
    said=$("$@" 2>&1) || rc=$?
    printf '%s\n' "exit $rc: $said"
    [ "$rc" = "$want_rc" ] && printf '%s\n' "$said" | grep -Eq -- "$want_text"
}

# ---- settings and state ----
"$signer" --sample-config >"$t_dir/sample"
ok "conf/tally-signer.conf is the sample that the settings table gives" cmp conf/tally-signer.conf "$t_dir/sample"
"$signer" --print-config >"$t_dir/printed"
ok "the sample, read, is the defaults" sh -c "'$signer' --config '$t_dir/sample' --print-config |
    sed 's,= $t_dir/,= ,' | cmp - '$t_dir/printed'"
ok "an unknown option" exits 2 'nonsense' "$signer" --nonsense
ok "--from without --init" exits 2 'goes with --init' "$signer" --from x
ok "--version" exits 0 '^tally-signer ' "$signer" --version
ok "--help" exits 0 '^Usage: tally-signer ' "$signer" --help
enrol_election "$t_dir" 100
open_election "$t_dir"
write_signer_config "$t_dir" "$t_dir/alone"
socket=$(sed -n 's/^socket = //p' "$t_dir/alone")
with() { # SETTING VALUE: the settings with one changed
    sed "s|^$1 = .*|$1 = $2|" "$t_dir/alone" >"$t_dir/with"
    timeout 20 "$signer" --config "$t_dir/with"
}
ok "no state: it does not start, and says what to do" exits 1 'error=ENOENT .*alone.state: no such file: .*--init' "$signer" --config "$t_dir/alone"
ok "nor makes one by itself" test ! -e "$t_dir/alone.state"
ok "--init makes it" exits 0 'alone.state: made for .*/rehearsal, its last signed head has size 0' "$signer" --config "$t_dir/alone" --init
ok "but never over one" exits 1 'error=ECONFLICT .*is there already' "$signer" --config "$t_dir/alone" --init
ok "--check-config is content" exits 0 'rehearsal: the last signed head has size 0: fine' "$signer" --config "$t_dir/alone" --check-config
ok "--vkey prints the key of the log" exits 0 '^[^ +]*/rehearsal\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}$' "$signer" --config "$t_dir/alone" --vkey
ok "no origin" exits 1 'origin = .* is no log.s name' sh -c "sed '/^origin/d' '$t_dir/alone' >'$t_dir/with'; '$signer' --config '$t_dir/with'"
ok "an origin that is none" exits 1 'is no log.s name' with origin 'tally example'
ok "another phase than the state's" exits 1 'error=ECORRUPT .*of another log or another key' with origin 'tally.example/x/official'
"$B/tallyctl" key new "$t_dir/other.key" >/dev/null
ok "another key than the state's" exits 1 'error=ECORRUPT .*of another log or another key' with key "$t_dir/other.key"
ok "no such user" exits 1 'client = ."nobody-at-all.": there is no such user' with client nobody-at-all
ok "no such group" exits 1 'group = ."nobody-at-all.": there is no such group' sh -c "{ cat '$t_dir/alone'; echo group = nobody-at-all; } >'$t_dir/with'
    '$signer' --config '$t_dir/with'"
chmod 0644 "$t_dir/keys/log.key"
ok "a key that others can read" exits 1 'keys/log.key: open to others' "$signer" --config "$t_dir/alone"
chmod 0600 "$t_dir/keys/log.key"
: >"$t_dir/file"
ok "a file where the socket should be stays" exits 1 'error=ECONFLICT .*no socket' with socket "$t_dir/file"

start_signer "$t_dir/alone"
is "the socket is closed to others" "$(stat -c %a "$socket")" 600
is "no core file" "$(awk '/^Max core file size/ {print $5, $6}' "/proc/$signer_pid/limits")" '0 0'
case $B in
*san) skip "pages are locked" "sanitizers pass over mlockall()" ;;
*) ok "pages are locked" sh -c "[ \$(awk '/^VmLck/ {print \$2}' /proc/$signer_pid/status) -gt 0 ]" ;;
esac
ok "a second signer on its state" exits 1 'error=ECONFLICT .*another tally-signer has it' "$signer" --config "$t_dir/alone"
cp "$t_dir/alone.state" "$t_dir/copy.state"
ok "a second signer on its socket, with a state of its own" exits 1 'error=ECONFLICT .*somebody listens there' with state "$t_dir/copy.state"
ok "--check-config beside it" exits 0 'fine' "$signer" --config "$t_dir/alone" --check-config
stop_signer
is "a clean stop" "$signer_rc" 0
ok "takes its socket along" test ! -e "$socket"
{ cat "$t_dir/alone"; echo "group = $(id -g)"; } >"$t_dir/grouped"
start_signer "$t_dir/grouped"
is "with a group it may open the socket too" "$(stat -c '%a %g' "$socket")" "660 $(id -g)"
stop_signer
outside() { "$python" -B tests/integration/signer.py "$@"; }
ok "a socket passed by systemd" outside passed "$signer" "$t_dir/alone"

# ---- killed -9 under load ----
SEED=${SEED:-$(date +%s)}
ok "killed -9 thirty times under load: one head a size, each extending the last" outside kills "$signer" "$t_dir/alone" "${KILLS:-30}" "$SEED"
note "$(cat "$t_dir/ok.out")"

# ---- beside the daemon ----
write_config "$t_dir" "$t_dir/tallyd.conf"
state=$t_dir/tallyd.conf.signer.state
vkey=$("$signer" --config "$t_dir/tallyd.conf.signer" --vkey)
daemon_with() { # SETTING VALUE
    { sed "/^$1 = /d" "$t_dir/tallyd.conf"; echo "$1 = $2"; } >"$t_dir/with"
    timeout 20 "$B/tallyd" --config "$t_dir/with"
}
ok "the daemon wants the key that log_vkey names" exits 1 'error=EINPUT .*has the key .*, log_vkey = ' daemon_with log_vkey "${vkey%??}A="
start_daemon "$t_dir/tallyd.conf"
stop_daemon
cp "$state" "$t_dir/first.state"
echo "log_vkey = $vkey" >>"$t_dir/tallyd.conf"
ok "with the right one it starts" start_daemon "$t_dir/tallyd.conf"
ok "the daemon has no file of the key open, nor names one" sh -c "! grep -q log.key '$t_dir/tallyd.conf' && ! ls -l /proc/$daemon_pid/fd | grep -q log.key"

ops() { "$python" -c 'import sys, urllib.request, urllib.error
try: print(urllib.request.urlopen(sys.argv[1], timeout=20).status)
except urllib.error.HTTPError as e: print(e.code, e.read().decode())' "http://127.0.0.1:$daemon_ops$1"; }
post_once() { "$python" -B tests/integration/post.py "$t_dir" "$daemon_ingest" "$1"; }
unready() { ops /readyz | grep -q '^503 waiting for the signer'; }
ready() { [ "$(ops /readyz)" = 200 ]; }
config=$signer_config

stop_signer KILL
like "killed: a bundle is stored but not signed, or not taken: 503" "$(post_once 0)" '^503 (unsure|busy) [1-9]'
ok "/readyz says so" wait_for 20 unready
like "what comes then is not taken" "$(post_once 1)" '^503 busy [1-9]'
ok "the log too" daemon_said '^<4>signer.away why="the signer at '
start_signer "$config"
ok "back: the daemon goes on by itself" wait_for 30 ready
like "the bundle is there, or taken now" "$(post_once 0)" '^20[01] '
like "the next is taken" "$(post_once 1)" '^201 '
stop_signer
ok "gone while nobody sends: noticed" wait_for 20 unready
start_signer "$config"
ok "and its return" wait_for 30 ready
kill -s STOP "$signer_pid"
echo "signer_timeout = 300ms" >>"$t_dir/tallyd.conf"
stop_daemon
start_frozen() { setpriv --pdeathsig KILL -- "$B/tallyd" --config "$t_dir/tallyd.conf" >"$daemon_log" 2>&1 </dev/null & daemon_pid=$!; }
start_frozen
ok "a signer that hangs: the daemon waits at its start, and says so" wait_for 20 daemon_said '^<4>signer.wait .*timed out'
kill -s CONT "$signer_pid"
ok "until it answers" wait_for 30 daemon_said '^<5>daemon.ready '
daemon_ingest=$(daemon_port ingest) daemon_api=$(daemon_port api) daemon_ops=$(daemon_port ops)

# ---- the whole night, the signer killed meanwhile ----
"$B/tallysim" replay "$t_dir/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --rate 20 \
    --client relay --connections 4 --receipts "$t_dir/receipts" --json >"$t_dir/replay.json" 2>"$t_dir/replay.err" &
replay_pid=$!
at_exit 'kill "$replay_pid" 2>/dev/null || true'
lines() { wc -l <"$t_dir/receipts" 2>/dev/null || echo 0; }
more_than() { [ "$(lines)" -gt "$1" ]; }
for n in 10 30 50 70; do
    ok "the night is under way: $n receipts" wait_for 60 more_than $n
    stop_signer KILL
    start_signer "$config"
done
wait "$replay_pid" || note "one terminal is revoked: the replay ends with 1"
note "$(cat "$t_dir/replay.json")"
is "99 of 100 branches have a receipt" "$(lines)" 99
ok "every receipt's bundle is in the ledger" "$python" -B tests/integration/acked.py "$t_dir" "$daemon_api" "$t_dir/receipts"
is "the daemon is still the same process" "$(grep -c '^<5>daemon.ready ' "$daemon_log")" 1
size=$(outside size "$config")
is "the signer's head is the ledger's" "$size" 100

# ---- the signer's state put back from an older copy ----
cp "$state" "$t_dir/newest.state"
stop_signer
cp "$t_dir/first.state" "$state"
start_signer "$config"
older='the signer.s last head has size 1, but it signed size 100: its state file is an older copy'
ok "an older state under a daemon that runs: the daemon stops before anything is signed" wait_for 30 daemon_said "^<3>ledger.stopped why=\"$older"
rc=0
wait "$daemon_pid" || rc=$?
daemon_pid=''
is "as failed" "$rc" 1
is "nothing was signed" "$(outside size "$config")" 1
starts() { timeout 30 "$B/tallyd" --config "$t_dir/tallyd.conf"; }
ok "and does not start" exits 1 'daemon.refused error=ECORRUPT why="the signer.s last head has size 1, but it signed size [0-9]+: its state file is an older copy' starts
stop_signer
cp "$t_dir/newest.state" "$state"
ok "with the newest one it does" start_daemon "$t_dir/tallyd.conf"
stop_daemon

# ---- the state lost ----
stop_signer
rm "$state"
receipt() { # SIZE-ORDER: the receipt against the smallest (1) or the largest (-1) head
    "$python" - "$t_dir/receipts" "$1" <<'PY'
import json, sys
texts = [json.loads(line)["receipt"] for line in open(sys.argv[1])]
texts.sort(key=lambda t: int(t.split("\n\n", 1)[1].split("\n")[1]))
sys.stdout.write(texts[0] if sys.argv[2] == "1" else texts[-1])
PY
}
receipt 1 >"$t_dir/old.tlog-proof"
receipt -1 >"$t_dir/new.tlog-proof"
sed '1,/^$/d' "$t_dir/new.tlog-proof" >"$t_dir/checkpoint"
sed 's|/rehearsal$|/official|' "$t_dir/checkpoint" >"$t_dir/other.checkpoint"
sed '2s/.*/101/' "$t_dir/checkpoint" >"$t_dir/forged.checkpoint"
from() { "$signer" --config "$config" --init --from "$1"; }
ok "it is not made of another log's checkpoint" exits 1 'of another origin' from "$t_dir/other.checkpoint"
ok "nor of a forged one" exits 1 'signature .* does not verify' from "$t_dir/forged.checkpoint"
ok "nor of no file" exits 1 'nowhere: No such file' from "$t_dir/nowhere"
ok "it is made of a receipt" exits 0 'its last signed head has size' from "$t_dir/old.tlog-proof"
start_signer "$config"
ok "from an older one the daemon does not start" exits 1 'error=ECORRUPT why="the signer.s last head has size [0-9]+, but it signed' starts
stop_signer
rm "$state"
ok "made of the newest checkpoint" exits 0 'its last signed head has size 100' from "$t_dir/checkpoint"
ok "it does" start_daemon "$t_dir/tallyd.conf"
stop_daemon

# ---- the database put back ----
pg_sql 'CREATE DATABASE older' >/dev/null
# With a journal of its own: the other one would put back what the database lost.
sed -i "s|^journal = .*|journal = $t_dir/older.journal|" "$t_dir/tallyd.conf"
older_conn() { printf '%s' "$1" | sed 's|/tally?|/older?|'; }
opened_again() { quietly "$B/tallyctl" migrate --database "$(older_conn "$pg_conn")" &&
    quietly "$B/tallyctl" election open "$t_dir/definition" "$t_dir/registry" --root-key "$t_dir/keys/root.key" \
        --database "$(older_conn "$pg_conn")"; }
ok "an older database" opened_again
ok "a ledger that is shorter than what was signed: no start" exits 1 'error=ECORRUPT why="the signer signed a head of size 100, the ledger has 1 entries, and the journal no more: the database is an older copy' \
    daemon_with database "$(older_conn "$pg_daemon_conn")"
stop_signer
cp "$t_dir/first.state" "$state"
start_signer "$config"
ok "one of the same size with another past: no start" exits 1 'error=ECORRUPT why="the signer signed another root for size 1 than this ledger' \
    daemon_with database "$(older_conn "$pg_daemon_conn")"
stop_signer
is "a clean stop of the signer" "$signer_rc" 0
done_testing
