# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh and enrolled.sh by tests that play random elections against the second counter (bash).
#
#   play PROGRAM SEED     one election of tests/oracle/elections.py in a database of its own; PROGRAM is a TAP program of
#                         tests/oracle, called as PROGRAM DIR SEED INGEST_PORT API_PORT TALLYSIM
#   play_seeds PROGRAM N  N elections from $TALLY_SEED on (a random one unless told); TALLY_SEEDS=N plays N
cluster=$pg_conn cluster_daemon=$pg_daemon_conn
sim=$B/tallysim
in_database() { printf '%s' "$1" | sed "s,@/tally?,@/$2?,"; }
play() {
    local program=$1 seed=$2 dir=$t_dir/$2 rc=0
    "$python" -B tests/oracle/elections.py "$dir" "$seed"
    quietly "$sim" enrol "$dir"
    quietly "$python" -B tests/oracle/officers.py "$dir" "$seed" "$B/tallyctl"
    quietly "$sim" record "$dir" -o "$dir/night.ndjson" --seed "$seed" --spread 0
    pg_conn=$cluster
    pg_sql "CREATE DATABASE night$seed" >/dev/null
    pg_conn=$(in_database "$cluster" "night$seed") pg_daemon_conn=$(in_database "$cluster_daemon" "night$seed")
    quietly "$B/tallyctl" migrate --database "$pg_conn"
    quietly "$B/tallyctl" election open "$dir/definition" "$dir/registry" --root-key "$dir/keys/root.key" --database "$pg_conn"
    write_config "$dir" "$dir/tallyd.conf"
    start_daemon "$dir/tallyd.conf"
    PATH=$pg_bin:$PATH "$python" -B "tests/oracle/$program" "$dir" "$seed" "$daemon_ingest" "$daemon_api" "$sim" >"$dir/tap" 2>&1 || rc=1
    stop_daemon
    [ "$daemon_rc" -eq 0 ] || { rc=1; tail -20 "$daemon_log" | sed 's/^/# /'; }
    grep -q '^1\.\.[1-9]' "$dir/tap" || rc=1
    t_result $rc "seed $seed: $(grep -c '^ok ' "$dir/tap") of $(tail -1 "$dir/tap") comparisons" ||
        { grep -v '^ok ' "$dir/tap" | cut -c1-1500 | head -40 | sed 's/^\(# \)*/# /'; }
    [ $rc -ne 0 ] || grep '^# ' "$dir/tap" || true
    rm -rf "$dir"
}
play_seeds() {
    local i seed=${TALLY_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
    for i in $(seq "$seed" $((seed + ${TALLY_SEEDS:-$2} - 1))); do play "$1" "$i"; done
}
