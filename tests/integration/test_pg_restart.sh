#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL away at the start, restarted in the middle of a replay, crashed in the middle of another: the daemon
# waits, answers 503 with Retry-After, goes on by itself, and loses nothing (TAP), under TSan too.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
BRANCHES=400
make_plain() { quietly "$B/tallysim" make --branches "$BRANCHES" --seed 12 "$t_dir" && quietly "$B/tallysim" enrol "$t_dir" &&
    quietly "$B/tallysim" record "$t_dir" -o "$t_dir/night.ndjson" --seed 5; }
ok "an election of $BRANCHES branches" make_plain
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf"

ops() { "$python" -c 'import sys, urllib.request, urllib.error
try: print(urllib.request.urlopen(sys.argv[1], timeout=60).status)
except urllib.error.HTTPError as e: print(e.code, e.read().decode())' "http://127.0.0.1:$daemon_ops$1"; }
post_once() { "$python" -B tests/integration/post.py "$t_dir" "$daemon_ingest" "$1"; }
said() { grep -q "$1" "$daemon_log"; }

# ---- away at the start ----
pg_halt
daemon_log=$t_dir/early.log
setpriv --pdeathsig KILL -- "$B/tallyd" --config "$t_dir/tallyd.conf" >"$daemon_log" 2>&1 </dev/null &
daemon_pid=$!
ok "without PostgreSQL it waits and says so" wait_for 60 said '^<4>store.wait '
ok "and is not ready" sh -c "! grep -q daemon.ready '$daemon_log'"
pg_resume
ok "it starts as soon as PostgreSQL is there" wait_for 60 said '^<5>daemon.ready '
daemon_ingest=$(daemon_port ingest) daemon_api=$(daemon_port api) daemon_ops=$(daemon_port ops)

# ---- away while nobody sends anything ----
unready() { ops /readyz | grep -q '^503 waiting for the database'; }
ready_again() { [ "$(ops /readyz)" = 200 ]; }
for how in fast immediate; do
    is "ready, PostgreSQL there" "$(ops /readyz)" 200
    pg_halt $how
    ok "PostgreSQL stopped ($how): /readyz says so without a bundle" wait_for 60 unready
    pg_resume
    ok "and that it is back" wait_for 60 ready_again
done
marks() { [ "$(pg_sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")" = 1 ]; }
ok "it is marked as the writer again" wait_for 60 marks
is "the log too, both times" "$(grep -c '^<4>store.away ' "$daemon_log") $(grep -c '^<5>store.back ' "$daemon_log")" '2 2'

# ---- away while it runs ----
pg_halt
away() { post_once 0 | grep -q '^503 busy [1-9]'; }
ok "PostgreSQL away: 503 with Retry-After" wait_for 60 away
like "/readyz says so" "$(ops /readyz)" '^503 waiting for the database'
is "/healthz stays well" "$(ops /healthz)" 200
pg_resume
back() { [ "$(ops /readyz)" = 200 ]; }
ok "it goes on by itself" wait_for 60 back
like "and takes the bundle, or had written it down before it noticed" "$(post_once 0)" '^20[01] '

# ---- going down while it is away ----
pg_halt immediate
away_1() { post_once 1 | grep -q '^503 busy [1-9]'; }
ok "away again" wait_for 60 away_1
stop_daemon
is "it goes down without PostgreSQL too" "$daemon_rc" 0
pg_resume
ok "and starts again" start_daemon "$t_dir/tallyd.conf"

# ---- restarted and crashed in the middle of a replay ----
"$B/tallysim" replay "$t_dir/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --rate 100 \
    --connections 8 --receipts "$t_dir/receipts" --json >"$t_dir/replay.json" 2>"$t_dir/replay.err" &
replay_pid=$!
at_exit 'kill "$replay_pid" 2>/dev/null || true'
lines() { wc -l <"$t_dir/receipts" 2>/dev/null || echo 0; }
more_than() { [ "$(lines)" -gt "$1" ]; }
ok "a replay is under way" wait_for 60 more_than 30
ok "PostgreSQL is restarted" pg_restart fast
ok "it goes on" wait_for 60 more_than 120
ok "PostgreSQL is restarted without a word" pg_restart immediate
ok "it goes on" wait_for 60 more_than 200
pg_crash
ok "PostgreSQL comes back from a kill -9" pg_resume
replay_rc=0
wait "$replay_pid" || replay_rc=$?
is "the replay ends with every bundle acknowledged" "$replay_rc" 0
note "$(cat "$t_dir/replay.json")"
ok "every acknowledged bundle is there, counted once" "$python" -B tests/integration/acked.py "$t_dir" "$daemon_api" \
    "$t_dir/receipts" all
like "the daemon is still the same process" "$(grep -c '^<5>daemon.ready ' "$daemon_log")" '^1$'
stop_daemon
is "a clean stop" "$daemon_rc" 0
done_testing
