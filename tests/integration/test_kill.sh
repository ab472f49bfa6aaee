#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 in the middle of a replay, 20 times: the daemon comes back, and every acknowledged bundle is there at the
# place its receipt names (TAP).  Timeout: 300 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
KILLS=${KILLS:-20}
CHUNK=60    # bundles of one replay, which one kill interrupts
RATE=40     # of them a second: time to see it is under way
BRANCHES=$((KILLS * 2 * CHUNK))
SEED=${SEED:-$(date +%s)}
note "seed $SEED"

make_plain() { quietly "$B/tallysim" make --branches "$BRANCHES" --seed 11 "$t_dir" && quietly "$B/tallysim" enrol "$t_dir" &&
    quietly "$B/tallysim" record "$t_dir" -o "$t_dir/night.ndjson" --seed 5; }
ok "an election of $BRANCHES branches" make_plain
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf"
free_port # the replay keeps its address while daemons come and go
sed -i "s/^ingest.port = 0/ingest.port = $port/" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf"

: >"$t_dir/receipts"
split -l $CHUNK -d -a 3 "$t_dir/night.ndjson" "$t_dir/chunk."

replay_pid=''
at_exit 'kill $replay_pid 2>/dev/null || true'
begin_replay() { # CHUNK
    "$B/tallysim" replay "$1" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --rate "$RATE" \
        --connections 8 --receipts "$t_dir/receipts" --json >"$t_dir/replay.json" 2>"$t_dir/replay.err" &
    replay_pid=$!
}
acked() { "$python" -B tests/integration/acked.py "$t_dir" "$daemon_api" "$t_dir/receipts" "$@"; }
lines() { wc -l <"$t_dir/receipts"; }
more_than() { [ "$(lines)" -gt "$1" ]; }

# A kill counts when the replay was under way before and after it: on a busy machine one may come too late.
killed=0 during=0 state=$SEED
for chunk in "$t_dir"/chunk.*; do
    state=$(((state * 1103515245 + 12345) % 2147483648))
    before=$(lines)
    begin_replay "$chunk"
    ok "replay $((killed + 1)) is under way" wait_for 60 more_than $((before + state / 65536 % 16))
    kill -s KILL "$daemon_pid"
    if [ "$(lines)" -lt $((before + CHUNK)) ]; then during=$((during + 1)); fi
    stop_daemon KILL
    killed=$((killed + 1))
    ok "kill $killed: it comes back" start_daemon "$t_dir/tallyd.conf"
    ok "kill $killed: what was acknowledged is there" acked
    replay_rc=0
    wait "$replay_pid" || replay_rc=$?
    is "kill $killed: the replay ends with every bundle acknowledged" "$replay_rc" 0
    if [ $during -eq "$KILLS" ]; then break; fi
done
is "kills in the middle" "$during" "$KILLS"

# ---- once more from the beginning ----
cat "$t_dir"/chunk.* >"$t_dir/again.ndjson"
resend() { "$B/tallysim" replay "$t_dir/again.ndjson" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" \
    --connections 8 --receipts "$t_dir/receipts.again" --json >"$t_dir/replay.json"; }
ok "a replay of all ends with every bundle acknowledged" resend
like "all were sent, none refused" "$(cat "$t_dir/replay.json")" "\"sent\": ?$BRANCHES,.*\"conflict\": ?0, ?\"refused\": ?0"
mv "$t_dir/receipts.again" "$t_dir/receipts"
ok "all are counted once, at the places of their receipts" acked all
note "$(cat "$t_dir/replay.json")"
rows=$(pg_sql 'SELECT count(*) FROM tally.ledger')
is "rows of the ledger" "$rows" $((BRANCHES + 1))
stop_daemon
is "a clean stop" "$daemon_rc" 0
done_testing
