#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random elections through the daemon, every number equal to the oracle's, at 20 past positions, too.  Timeout: 240 s.
# TALLY_SEEDS=N plays N elections instead of 4 (and T_LIMIT_S=3600 waits for them); TALLY_SEED=S begins with that one.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
seed=${TALLY_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
pg_start
sim=$B/tallysim
cluster=$pg_conn cluster_daemon=$pg_daemon_conn
in_database() { printf '%s' "$1" | sed "s,@/tally?,@/$2?,"; }
play() { # SEED: one election in a database of its own
    local dir=$t_dir/$1 rc=0
    "$python" -B tests/oracle/elections.py "$dir" "$1"
    quietly "$sim" enrol "$dir"
    quietly "$sim" record "$dir" -o "$dir/night.ndjson" --seed "$1" --spread 0
    pg_conn=$cluster
    pg_sql "CREATE DATABASE night$1" >/dev/null
    pg_conn=$(in_database "$cluster" "night$1") pg_daemon_conn=$(in_database "$cluster_daemon" "night$1")
    quietly "$B/tallyctl" migrate --database "$pg_conn"
    quietly "$B/tallyctl" election open "$dir/definition" "$dir/registry" --root-key "$dir/keys/root.key" --database "$pg_conn"
    write_config "$dir" "$dir/tallyd.conf"
    start_daemon "$dir/tallyd.conf"
    PATH=$pg_bin:$PATH "$python" -B tests/oracle/night.py "$dir" "$1" "$daemon_ingest" "$daemon_api" "$sim" >"$dir/tap" 2>&1 || rc=1
    stop_daemon
    [ "$daemon_rc" -eq 0 ] || { rc=1; tail -20 "$daemon_log" | sed 's/^/# /'; }
    grep -q '^1\.\.[1-9]' "$dir/tap" || rc=1
    t_result $rc "seed $1: $(grep -c '^ok ' "$dir/tap") of $(tail -1 "$dir/tap") comparisons" ||
        { grep -v '^ok ' "$dir/tap" | cut -c1-1500 | head -40 | sed 's/^\(# \)*/# /'; }
    rm -rf "$dir"
}
for ((i = 0; i < ${TALLY_SEEDS:-4}; i++)); do play $((seed + i)); done
done_testing
