#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 at random moments under load: of the daemon, also while it starts, of the signer, of single backends of
# PostgreSQL, of all of PostgreSQL.  Afterwards no receipt that was ever given is broken, and every bundle is counted
# once (TAP).  TALLY_KILLS says how many; make check-all asks for 200.  Timeout: 900 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
KILLS=${TALLY_KILLS:-24}
CHUNK=9         # new bundles for each kill
RATE=60         # of them a second
REPLAYS_MAX=8   # at once: those that a kill interrupted go on beside the next ones
BRANCHES=$((KILLS * CHUNK > 100 ? KILLS * CHUNK : 100))
SEED=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
note "seed $SEED, $KILLS kills"
RANDOM=$((SEED % 32768)) # bash: every number below comes from it

make_plain() { quietly "$B/tallysim" make --branches "$BRANCHES" --seed 11 "$t_dir" && quietly "$B/tallysim" enrol "$t_dir" &&
    quietly "$B/tallysim" record "$t_dir" -o "$t_dir/night.ndjson" --seed 5; }
ok "an election of $BRANCHES branches" make_plain
# After a crash PostgreSQL syncs every file of the cluster one by one, which takes longer than all the rest.
open_election "$t_dir" -c recovery_init_sync_method=syncfs
log=$t_dir/log
write_config "$t_dir" "$t_dir/tallyd.conf" "publish = $log" 'publish_interval = 50ms'
free_port # the replays keep their address while daemons come and go
sed -i "s/^ingest.port = 0/ingest.port = $port/" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf"
mkdir "$t_dir/receipts"
split -l $CHUNK -d -a 4 "$t_dir/night.ndjson" "$t_dir/chunk."
# Every head that a reader of the folder could see while all this goes on.
"$python" -B tests/integration/kills.py watch "$log/checkpoint" "$t_dir/seen" &
watch_pid=$!
at_exit 'kill $watch_pid 2>/dev/null || true'

# ---- load ----
replays=() at_work=0
at_exit 'kill ${replays[*]} 2>/dev/null || true'
replay() { # RECORDING RECEIPTS [OPTION]...
    "$B/tallysim" replay "$1" --url "https://localhost:$port" --keys "$t_dir/keys" --retry-for 300 --receipts "$2" --json \
        "${@:3}" >"$t_dir/${2##*/}.said" 2>"$t_dir/${2##*/}.err"
}
begin_load() { # CHUNK
    replay "$t_dir/chunk.$1" "$t_dir/receipts/$1" --rate $RATE --connections 4 --duplicates 25 &
    replays+=($!)
}
end_oldest() {
    wait "${replays[0]}" || at_work=$((at_work + 1))
    replays=("${replays[@]:1}")
}
answered() { # CHUNK N: so many answers of that chunk are written down
    [ -f "$t_dir/receipts/$1" ] && [ "$(wc -l <"$t_dir/receipts/$1")" -ge "$2" ]
}

# ---- kills ----
# A process that is started and killed before it can be ready, most often.
false_start() {
    setpriv --pdeathsig KILL -- "$B/tallyd" --config "$t_dir/tallyd.conf" >"$t_dir/false.log" 2>&1 </dev/null &
    daemon_pid=$!
    sleep "0.$(printf %03d $((RANDOM % 300)))"
    stop_daemon KILL
}
a_backend() { # of the daemon, or another process of the cluster
    local pid all=() daemons=()
    for pid in $(pg_children_of); do
        all+=("$pid")
        if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q '^postgres: tallyd '; then daemons+=("$pid"); fi
    done
    [ ${#daemons[@]} -gt 0 ] || return 1
    backend=${daemons[RANDOM % ${#daemons[@]}]}
    if [ $((RANDOM % 4)) -eq 0 ]; then backend=${all[RANDOM % ${#all[@]}]}; fi
}
declare -A struck=([daemon]=0 [start]=0 [signer]=0 [backend]=0 [postgres]=0)
killed=0 during=0
strike() { # WHAT: kills it, and starts what does not come back by itself
    case $1 in
    daemon | start)
        kill -s KILL "$daemon_pid"
        stop_daemon KILL
        if [ "$1" = start ]; then false_start; fi
        start_daemon "$t_dir/tallyd.conf"
        ;;
    signer)
        stop_signer KILL
        start_signer "$t_dir/tallyd.conf.signer"
        ;;
    backend)
        wait_for 60 a_backend && kill -s KILL "$backend"
        ;;
    postgres)
        pg_crash
        pg_resume
        ;;
    esac
}
one_kill() { # CHUNK WHAT
    begin_load "$1"
    wait_for 60 answered "$1" $((1 + RANDOM % 5)) || return 1
    if ! answered "$1" $CHUNK; then during=$((during + 1)); fi
    strike "$2" || return 1
    struck[$2]=$((struck[$2] + 1))
    killed=$((killed + 1))
    if [ "$2" = start ]; then killed=$((killed + 1)); fi
}
kinds=(daemon daemon start signer signer backend backend postgres)
began=$SECONDS
for chunk in "$t_dir"/chunk.*; do
    what=${kinds[RANDOM % ${#kinds[@]}]}
    if [ $killed -ge "$KILLS" ]; then break; fi
    if [ $((killed + 1)) -eq "$KILLS" ] && [ "$what" = start ]; then what=daemon; fi # two kills
    ok "kill $((killed + 1)): $what" one_kill "${chunk##*.}" "$what"
    while [ ${#replays[@]} -gt $REPLAYS_MAX ]; do end_oldest; done
done
note "$(for what in "${!struck[@]}"; do printf '%s %d, ' "$what" "${struck[$what]}"; done)$((SECONDS - began)) s"
is 'kills' "$killed" "$KILLS"
ok "at least half of them while that load was under way: $during" [ $during -ge $((KILLS / 2)) ]
while [ ${#replays[@]} -gt 0 ]; do end_oldest; done
is 'replays that ended without every bundle acknowledged' "$at_work" 0
for chunk in "$t_dir"/chunk.*; do # those of which no kill made use
    if ! [ -f "$t_dir/receipts/${chunk##*.}" ]; then cat "$chunk"; fi
done >"$t_dir/rest"
if [ -s "$t_dir/rest" ]; then ok 'the rest of the night' replay "$t_dir/rest" "$t_dir/receipts/rest"; fi

# ---- what is left ----
ok 'the whole night again is acknowledged again' replay "$t_dir/night.ndjson" "$t_dir/receipts/again" --connections 8
is 'rows of the ledger' "$(pg_sql 'SELECT count(*) FROM tally.ledger')" $((BRANCHES + 1))
whole() { "$python" -B tests/integration/publog.py "$log" $((BRANCHES + 1)); }
ok 'the published folder is whole' wait_for 60 whole
wait_for 60 grep -q "\\\\n$((BRANCHES + 1))\\\\n" "$t_dir/seen" || note 'the last checkpoint was not seen'
kill $watch_pid
wait $watch_pid || true
check_rc=0
"$python" -B tests/integration/kills.py check "$t_dir" "$daemon_api" "$log" "$t_dir/seen" "$t_dir"/receipts/* \
    >"$t_dir/check.tap" || check_rc=$?
while read -r result; do
    case $result in
    'ok '*) ok "${result#ok }" true ;;
    'not ok '*) ok "${result#not ok }" false ;;
    *) note "$result" ;;
    esac
done <"$t_dir/check.tap"
is 'all was looked at' "$check_rc" 0
stop_daemon
is 'a clean stop' "$daemon_rc" 0
done_testing
