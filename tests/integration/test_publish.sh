#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The published folder: filled in a night with a kill -9 in its middle, served, damaged, put right or refused, and
# what happens when it cannot be written (TAP).  Timeout: 480 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
log=$t_dir/log conf=$t_dir/tallyd.conf

plain() { # DIR BRANCHES [SED SCRIPT FOR election.json]: an election, recorded
    quietly "$B/tallysim" make --branches "$2" --seed 11 "$1"
    if [ -n "${3:-}" ]; then sed -i "$3" "$1/definition/election.json"; fi
    quietly "$B/tallysim" enrol "$1" && quietly "$B/tallysim" record "$1" -o "$1/night.ndjson" --seed 5
}
right() { "$python" -B tests/integration/publog.py "$log" "$@" >/dev/null; }
# Tests in Python number their own lines; here they are one.
run_python() { "$python" -B "$@" >"$t_dir/python.out" 2>&1 || { grep -A3 -v '^ok' "$t_dir/python.out"; return 1; }; }
send() { # FILE OPTION...
    file=$1
    shift
    quietly "$B/tallysim" replay "$file" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --client relay "$@"
}
exits() { # RC REGEX COMMAND...
    want_rc=$1 want_text=$2 rc=0
    shift 2
    said=$("$@" 2>&1) || rc=$?
    printf '%s\n' "exit $rc: $said"
    [ "$rc" = "$want_rc" ] && printf '%s\n' "$said" | grep -Eq -- "$want_text"
}
tallyd_once() { timeout 60 "$B/tallyd" --config "$1"; }

# ---- a night with a kill in the middle ----
ok "an election of 2000 branches" plain "$t_dir" 2000
open_election "$t_dir"
write_config "$t_dir" "$conf" 'publish_interval = 100ms'
start_daemon "$conf"
ok "with the genesis entry alone it is right" right 1
head -1000 "$t_dir/night.ndjson" >"$t_dir/first"
send "$t_dir/first" --rate 400 --connections 4 &
replay_pid=$!
half() { [ "$(sed -n 2p "$log/checkpoint")" -gt 400 ]; }
ok "checkpoints follow while bundles come" wait_for 60 half
stop_daemon KILL
kill "$replay_pid"
wait "$replay_pid" || note "the replay was cut off, as it should be"
ok "after kill -9 no checkpoint promises what is not there" right
start_daemon "$conf"
ok "after the next start it is right" right "$(pg_sql 'SELECT count(*) FROM tally.ledger')"
ok "the whole night" send "$t_dir/night.ndjson" --batch 64
all() { right 2001; }
ok "all of it is published within a moment" wait_for 30 all
ok "served, packed, signed" run_python tests/integration/publish.py "$t_dir" "$daemon_api" "$daemon_ingest" "$log"
is "no half-written file is left" "$(find "$log" -name '.put' -o -name '.copy' -o -name '.fix')" ""
is "partial files went with the full ones" "$(find "$log" -name '*.p' | wc -l)" 4
modes() { find "$log" ! -name .lock ! -name '.open-*' -printf '%y %m\n' | sort -u | tr '\n' ' '; }
is "everybody may read them" "$(modes)" "d 755 f 644 "

# ---- it cannot be written ----
metric() { curl -sf "http://127.0.0.1:$daemon_ops/metrics" | sed -n "s/^$1 //p"; }
mv "$log/tile" "$log/tile.aside"
: >"$log/tile"
ok "a correction, while nothing can be published" test "$("$python" -B tests/integration/revise.py "$t_dir" "$daemon_ingest" | cut -d' ' -f1)" = 201
ok "says so" wait_for 10 daemon_said '^<3>publish.fail error=EIO why="publish: .*tile/'
is "the metrics show how far behind it is" "$(metric tally_ledger_signed) $(metric tally_log_published)" "2002 2001"
rm "$log/tile"
mv "$log/tile.aside" "$log/tile"
more() { right 2002; }
ok "once it can be written again all of it is there" wait_for 30 more
ok "says so too" wait_for 10 daemon_said '^<5>publish.back size=2002'

# ---- who else ----
pg_sql 'CREATE DATABASE other' >/dev/null
other_conn=$(printf '%s' "$pg_conn" | sed 's|/tally?|/other?|')
other_daemon=$(printf '%s' "$pg_daemon_conn" | sed 's|/tally?|/other?|')
quietly "$B/tallyctl" migrate --database "$other_conn"
quietly "$B/tallyctl" election open "$t_dir/definition" "$t_dir/registry" --root-key "$t_dir/keys/root.key" --database "$other_conn"
sed "s|^database = .*|database = $other_daemon|; s|^journal = .*|journal = $t_dir/journal.other|" "$conf" >"$t_dir/other.conf"
ok "a second daemon in the same folder, of another database" exits 1 'error=EBUSY why="publish: another process publishes in .*/log' tallyd_once "$t_dir/other.conf"
is "and took nothing over" "$("$pg_bin/psql" -AtX "$other_conn" -c 'SELECT epoch FROM tally.log_head')" 0
stop_daemon
is "a clean stop" "$daemon_rc" 0
sum() { find "$log" -type f ! -name .lock | LC_ALL=C sort | xargs sha256sum | sha256sum; }
before=$(sum)
# With a signer of the same key that knows nothing of the first ledger: else that one would say so first.
sed "s|^state = .*|state = $t_dir/other.state|; s|^socket = .*|socket = $t_dir/other.socket|" "$conf.signer" >"$t_dir/other.signer"
sed -i "s|^signer = .*|signer = $t_dir/other.socket|" "$t_dir/other.conf"
quietly "$B/tally-signer" --config "$t_dir/other.signer" --init
start_signer "$t_dir/other.signer"
ok "and afterwards: the same election, another ledger" exits 1 'error=ECORRUPT why="publish: ' tallyd_once "$t_dir/other.conf"
is "nothing was touched" "$(sum)" "$before"
start_signer "$conf.signer"

# ---- damage ----
start_daemon "$conf" # older partial packs go
stop_daemon
before=$(sum)
rm "$log/tile/entries/002" "$log/bundle/003" "$log/policy"
truncate -s 700 "$log/tile/entries/004"
printf 'X' | dd of="$log/bundle/005" bs=1 seek=100000 conv=notrunc 2>/dev/null
printf 'X' | dd of="$log/tile/0/001" bs=1 seek=99 conv=notrunc 2>/dev/null
mv "$log/bundle/000" "$log/x" && mv "$log/bundle/001" "$log/bundle/000" && mv "$log/x" "$log/bundle/001"
mkdir -p "$log/bundle/004.p" && cp "$log/bundle/004" "$log/bundle/004.p/17"
echo hello >"$log/index.html"
start_daemon "$conf"
ok "deleted, cut, changed, exchanged and stale files: right again" right 2002
for file in tile/entries/004 bundle/005 bundle/000 bundle/001 tile/0/001; do
    ok "named: $file" daemon_said "^<4>publish.repaired file=\"$file\""
done
ok "a file that is not ours is named" daemon_said '^<4>publish.foreign file="index.html"'
is "and stays" "$(cat "$log/index.html")" hello
ok "the stale one is gone" test ! -e "$log/bundle/004.p"
stop_daemon
rm "$log/index.html"
is "byte for byte what it was" "$(sum)" "$before"
cp "$log/checkpoint" "$t_dir/kept"
refuses() { # NAME REGEX
    ok "$1" exits 1 "$2" tallyd_once "$conf"
    cp "$t_dir/kept" "$log/checkpoint"
}
sed -i '1s/rehearsal$/official/' "$log/checkpoint"
refuses "a checkpoint of another origin" 'checkpoint: not a checkpoint of this log and key .checkpoint of another origin'
echo hello >"$log/checkpoint"
refuses "no checkpoint at all" 'checkpoint: not a checkpoint of this log and key'

# ---- small branches ----
start_daemon "$conf"
ok "undone: it starts" right 2002
stop_daemon
pg_stop
few=$t_dir/few
mkdir "$few"
ok "an election whose small branches are not shown alone" plain "$few" 300 's/"publish_min_ballots":0/"publish_min_ballots":200/'
open_election "$few"
write_config "$few" "$few/tallyd.conf" 'publish = public/log'
start_daemon "$few/tallyd.conf"
quietly "$B/tallysim" replay "$few/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$few/keys" --batch 64
log=$few/public/log
ok "all of it" wait_for 30 right 301
ok "those are withheld" run_python tests/integration/publish.py "$few" "$daemon_api" "$daemon_ingest" "$log" 200
stop_daemon
rm "$log/bundle/000"
start_daemon "$few/tallyd.conf"
ok "after a start, too" run_python tests/integration/publish.py "$few" "$daemon_api" "$daemon_ingest" "$log" 200
stop_daemon
done_testing
