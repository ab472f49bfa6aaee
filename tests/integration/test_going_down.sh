#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Going down in the middle of a replay, with idle connections, half-open handshakes and bodies half sent: it ends
# by itself and waits for none of them, and what it acknowledged is there (TAP), under TSan too.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
BRANCHES=800
STOPS=5
STOP_MS_MAX=60000 # of 600 s that each of them may take
QUICK_MS_MAX=8000 # one of the stops at least, on the busiest machine
make_plain() { quietly "$B/tallysim" make --branches "$BRANCHES" --seed 13 "$t_dir" && quietly "$B/tallysim" enrol "$t_dir" &&
    quietly "$B/tallysim" record "$t_dir" -o "$t_dir/night.ndjson" --seed 5; }
ok "an election of $BRANCHES branches" make_plain
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf" "stop_timeout = 2s" "body_timeout = 600s"
free_port
sed -i "s/^ingest.port = 0/ingest.port = $port/" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf"

"$B/tallysim" replay "$t_dir/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --rate 200 \
    --connections 16 --receipts "$t_dir/receipts" --json >"$t_dir/replay.json" 2>"$t_dir/replay.err" &
replay_pid=$!
at_exit 'kill "$replay_pid" 2>/dev/null || true'
lines() { wc -l <"$t_dir/receipts" 2>/dev/null || echo 0; }
more_than() { [ "$(lines)" -gt "$1" ]; }

quickest=$STOP_MS_MAX
for i in $(seq $STOPS); do
    "$python" -B tests/integration/loiter.py "$t_dir" "$daemon_ingest" >"$t_dir/loiter" 2>&1 &
    loiter_pid=$!
    at_exit "kill $loiter_pid 2>/dev/null || true"
    ok "stop $i: loiterers are there" wait_for 60 grep -q there "$t_dir/loiter"
    ok "stop $i: the replay is under way" wait_for 60 more_than $((i * 100))
    from=$(date +%s%3N)
    stop_daemon
    took=$(($(date +%s%3N) - from))
    is "stop $i: it ends by itself" "$daemon_rc" 0
    ok "stop $i: within $STOP_MS_MAX ms ($took)" [ "$took" -le "$STOP_MS_MAX" ]
    if [ "$took" -lt "$quickest" ]; then quickest=$took; fi
    ok "stop $i: and says so" grep -q '^<5>daemon.stopped ' "$daemon_log"
    kill $loiter_pid 2>/dev/null || true
    ok "stop $i: it starts again" start_daemon "$t_dir/tallyd.conf"
done
ok "the quickest within $QUICK_MS_MAX ms ($quickest)" [ "$quickest" -le "$QUICK_MS_MAX" ]
replay_rc=0
wait "$replay_pid" || replay_rc=$?
is "the replay ends with every bundle acknowledged" "$replay_rc" 0
note "$(cat "$t_dir/replay.json")"
ok "all are there, counted once" "$python" -B tests/integration/acked.py "$t_dir" "$daemon_api" "$t_dir/receipts" all
stop_daemon
is "a clean stop" "$daemon_rc" 0
done_testing
