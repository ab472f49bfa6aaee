#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A night with two witnesses, their mirrors and the courier; then the same log's key over another ledger, which both
# refuse, one of them after kill -9 (TAP).  Timeout: 180 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
log=$t_dir/log cos=$t_dir/cosignatures

# ---- services of ours: NAME PROGRAM CONFIG; $pid_NAME, the log in $t_dir/NAME.said ----
begin() {
    : >"$t_dir/$1.said"
    setpriv --pdeathsig KILL -- "$B/$2" --config "$3" >>"$t_dir/$1.said" 2>&1 </dev/null &
    eval "pid_$1=$!"
    if ! wait_for 60 grep -q "^<5>${2#tally-}.ready" "$t_dir/$1.said"; then
        note "$1 is not ready"
        sed 's/^/# /' "$t_dir/$1.said"
        return 1
    fi
}
end() { # NAME SIGNAL
    eval "end_pid=\$pid_$1"
    kill -s "$2" "$end_pid"
    end_rc=0
    wait "$end_pid" || end_rc=$?
}
port_of() { sed -n 's/^<5>witness\.ready port=\([0-9]*\).*/\1/p' "$t_dir/$1.said"; }

make_witness() { # NAME
    mkdir -p "$t_dir/$1/state"
    quietly "$B/tallyctl" key new "$t_dir/$1/witness.key"
    printf 'name = %s.example/witness\nport = 0\n' "$1" >"$t_dir/$1/conf"
    "$B/tally-witness" --config "$t_dir/$1/conf" --print-vkey
}

quietly "$B/tallysim" make --branches 300 --seed 11 "$t_dir"
quietly "$B/tallysim" enrol "$t_dir"
quietly "$B/tallysim" record "$t_dir" -o "$t_dir/night.ndjson" --seed 5
open_election "$t_dir"
vkey_a=$(make_witness a) vkey_b=$(make_witness b)
printf 'witness a %s\nwitness b %s\ngroup both all a b\nquorum both\n' "$vkey_a" "$vkey_b" >"$t_dir/witnesses"
write_config "$t_dir" "$t_dir/tallyd.conf" "publish = $log" "publish_policy = $t_dir/witnesses" "cosignatures = $cos" \
    'publish_interval = 100ms'
start_daemon "$t_dir/tallyd.conf"
election() { curl -sf --cacert "$t_dir/keys/ca.crt" --cert "$t_dir/keys/clients/$1.pem" "https://localhost:$daemon_api/v1/election"; }
metric() { curl -sf "http://127.0.0.1:$daemon_ops/metrics" | sed -n "s/^$1 //p"; }
like 'without a cosignature: null, and no age' "$(election witness)|$(metric tally_witnessed_age_seconds)" '"witnessed":null,.*\|$'

# a mirrors from the folder, b over HTTPS with the certificate of a witness
log_line=$(sed -n '/^log /p' "$log/policy")
printf '%s %s\nquorum none\n' "$log_line" "$log" >"$t_dir/a/logs"
printf '%s https://localhost:%s/log\nquorum none\n' "$log_line" "$daemon_api" >"$t_dir/b/logs"
echo "mirror = mirror" >>"$t_dir/a/conf"
printf 'mirror = mirror\nmirror.ca = %s\nmirror.client = %s\n' "$t_dir/keys/ca.crt" "$t_dir/keys/clients/witness.pem" >>"$t_dir/b/conf"
begin a tally-witness "$t_dir/a/conf"
begin b tally-witness "$t_dir/b/conf"

courier_config() { # FILE LOG COSIGNATURES
    printf '%s\nwitness a %s http://127.0.0.1:%s\nwitness b %s http://127.0.0.1:%s\nquorum none\n' "$log_line" \
        "$vkey_a" "$(port_of a)" "$vkey_b" "$(port_of b)" >"$1.policy"
    printf 'log = %s\npolicy = %s\ncosignatures = %s\ninterval = 50ms\nbackoff = 200ms\n' "$2" "$1.policy" "$3" >"$1"
}
courier_config "$t_dir/courier.conf" "$log" "$cos"
begin courier tally-courier "$t_dir/courier.conf"

replay() {
    quietly "$B/tallysim" replay "$t_dir/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" \
        --client relay "$@"
}
ok 'a night, while it is witnessed' replay --rate 150
size=$(pg_sql 'SELECT count(*) FROM tally.ledger')
cosigned() { "$python" -B tests/integration/cosigned.py "$log/checkpoint" "$vkey_a" "$vkey_b" | grep -q "^$size a"; }
ok 'the published checkpoint of the whole night carries a line of each, and they verify' wait_for 60 cosigned
served() {
    curl -sf --cacert "$t_dir/keys/ca.crt" --cert "$t_dir/keys/clients/witness.pem" "https://localhost:$daemon_api/log/checkpoint" \
        >"$t_dir/served"
    "$python" -B tests/integration/cosigned.py "$t_dir/served" "$vkey_a" "$vkey_b"
}
ok 'so does /log/checkpoint' served
witnessed() { election witness | grep -q "\"witnessed\":{\"size\":$size,"; }
ok '/v1/election says so' wait_for 30 witnessed
is '/metrics: the size' "$(metric tally_witnessed_entries)" "$size"
like '/metrics: its age' "$(metric tally_witnessed_age_seconds)" '^[0-9]+$'

# ---- the mirrors ----
copy_a=$(echo "$t_dir"/a/mirror/*) copy_b=$(echo "$t_dir"/b/mirror/*)
whole() { [ "$(sed -n 2p "$1/checkpoint")" = "$size" ]; }
same() { # every file of the mirror is the log's, and the newest of each kind is among them
    (cd "$1" && find . -type f ! -name checkpoint) >"$t_dir/files" && [ "$(grep -c doc/ "$t_dir/files")" -gt 10 ] &&
        grep -q "/bundle/001.p/$((size - 256))$" "$t_dir/files" && grep -q '/tile/entries/000$' "$t_dir/files" &&
        grep -q "/tile/0/001.p/$((size - 256))$" "$t_dir/files" && grep -q '/tile/1/000.p/1$' "$t_dir/files" &&
        while read -r file; do cmp "$log/$file" "$1/$file" || return 1; done <"$t_dir/files"
}
for copy in "$copy_a" "$copy_b"; do
    ok "a mirror has all of it" wait_for 60 whole "$copy"
    ok "byte for byte" same "$copy"
done
end b KILL
rm -r "$copy_b/tile/entries"
printf 'rubbish' >"$copy_b/tile/0/000"
begin b tally-witness "$t_dir/b/conf"
ok "a mirror that was damaged is fetched again" wait_for 60 same "$copy_b"
end courier TERM
is 'the courier stops cleanly' "$end_rc" 0
like 'no alarm so far' "$(cat "$t_dir/a.said" "$t_dir/b.said" "$t_dir/courier.said" "$daemon_log" | grep -c '^<3>')" '^0$'

# ---- after a start the daemon shows what the files say ----
stop_daemon
is 'a clean stop' "$daemon_rc" 0
start_daemon "$t_dir/tallyd.conf"
ok 'after a start, without a courier: the lines are there again' wait_for 30 cosigned
cp "$cos/a" "$t_dir/kept"
sed 's/^— a\.example/— b.example/' "$t_dir/kept" >"$cos/a.new" && mv "$cos/a.new" "$cos/a"
alarmed() { grep -q "$1" "$daemon_log"; }
ok 'a file that is not the witness'"'"'s own is refused and told' wait_for 30 alarmed '^<4>cosigned.refused witness=a'
mkfifo "$cos/a.new" && mv "$cos/a.new" "$cos/a"
ok 'a pipe in its place does not hold the daemon up' wait_for 60 alarmed '^<4>cosigned.refused witness=a .*regular file'
cp "$t_dir/kept" "$cos/a.new" && mv "$cos/a.new" "$cos/a"
stop_daemon

# ---- how far the quorum goes, and since when ----
# A line of a witness of ours: NAME TIME [SIZE [ROOT]], laid down at TIME, or now.
lay() {
    lay_name=$1
    shift
    "$python" -B tests/integration/cosign.py "$t_dir/$lay_name/witness.key" "$lay_name.example/witness" "$log/checkpoint" "$@" >"$cos/$lay_name.new"
    touch -d "@$(($1 < $(date +%s) ? $1 : $(date +%s) - 500))" "$cos/$lay_name.new"
    mv "$cos/$lay_name.new" "$cos/$lay_name"
}
now=$(date +%s)
mv "$cos/b" "$t_dir/kept.b"
start_daemon "$t_dir/tallyd.conf"
lay a $((now - 300))
lined() { "$python" -B tests/integration/cosigned.py "$log/checkpoint" "$vkey_a" | grep -Eq "^$size a\S* [3-5][0-9][0-9]\$"; } # that one came through
ok 'a line of one witness is published' wait_for 30 lined
is 'without the other, whom the quorum wants too: nothing is witnessed' "$(metric tally_witnessed_entries)|$(metric tally_witnessed_age_seconds)" '0|'
lay b $((now - 1000))
aged() { age=$(metric tally_witnessed_age_seconds) && [ "$age" -ge "$1" ] && [ "$age" -lt $(($1 + 200)) ]; }
ok 'with it: as old as the older of both' wait_for 30 aged 1000
is 'and of that size' "$(metric tally_witnessed_entries)" "$size"
lay a $((now + 315000000))
ok 'a clock that is ten years ahead is told' wait_for 30 alarmed '^<4>cosigned.ahead witness=a seconds=31[0-9]*$'
lay b $((now + 315000000))
ok 'and does not make a line younger than its file' wait_for 30 aged 500
stop_daemon
lay a "$now" $((size + 5))
refused_start() { ! timeout 60 "$B/tallyd" --config "$t_dir/tallyd.conf" >"$t_dir/refused" 2>&1 && grep -q "^<3>daemon.refused error=ECORRUPT why=\"witness a: it cosigned $1" "$t_dir/refused"; }
ok 'a witness that knows a larger head: no start' refused_start "size $((size + 5)), which this ledger does not have"
lay a "$now" $((size - 5))
ok 'or another root: no start' refused_start "another root of size $((size - 5))"
ok 'and nothing was published over it' test "$(sed -n 2p "$log/checkpoint")" = "$size"
cp "$t_dir/kept" "$cos/a" && cp "$t_dir/kept.b" "$cos/b"
ok 'with their own lines it starts' start_daemon "$t_dir/tallyd.conf"
stop_daemon

# ---- another ledger under the same key ----
pg_stop
mv "$log" "$log.first"
mv "$t_dir/journal" "$t_dir/journal.first"
stop_signer
mv "$t_dir/tallyd.conf.signer.state" "$t_dir/signer.first" # a key that was stolen signs for both
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf" "publish = $log" "publish_policy = $t_dir/witnesses" "cosignatures = $cos" \
    'publish_interval = 100ms'
ok 'a ledger that is behind what was cosigned: no start' refused_start "size $size, which this ledger does not have: was an old copy restored"
mv "$cos" "$cos.away"
start_daemon "$t_dir/tallyd.conf"
mv "$cos.away" "$cos"
ok 'one that runs says so' wait_for 30 alarmed '^<3>cosigned.refused witness=a .*old copy'
ok 'the same night again, on another ledger' replay
published() { [ "$(sed -n 2p "$log/checkpoint")" = "$(pg_sql 'SELECT count(*) FROM tally.ledger')" ]; }
ok 'it is published' wait_for 30 published
ok 'a daemon whose log was forked says so' wait_for 30 alarmed '^<3>cosigned.fork witness=a'
head_of() { echo "$t_dir/$1"/state/*.head; }
before=$(cat "$(head_of a)" "$(head_of b)" | sha256sum)
courier_config "$t_dir/fork.conf" "$log" "$t_dir/none"
visit() { "$B/tally-courier" --config "$t_dir/fork.conf" --once >"$t_dir/visit" 2>&1; }
ok 'no witness takes it' sh -c "! '$B/tally-courier' --config '$t_dir/fork.conf' --once >'$t_dir/visit' 2>&1"
is 'both say why' "$(grep -c '^<3>courier.fork' "$t_dir/visit")" 2
end a KILL
begin a tally-witness "$t_dir/a/conf"
courier_config "$t_dir/fork.conf" "$log" "$t_dir/none"
visit || true
is 'after kill -9: neither' "$(grep -c '^<3>courier.fork' "$t_dir/visit")" 2
is 'what they know is unchanged' "$(cat "$(head_of a)" "$(head_of b)" | sha256sum)" "$before"
is 'nothing was laid down' "$(ls "$t_dir/none")" ''
ok 'the fork is kept as evidence' sh -c "cmp -s '$log/checkpoint' '$t_dir'/a/state/evidence.* && cmp -s '$log/checkpoint' '$t_dir'/b/state/evidence.*"
for name in a b; do
    end $name TERM
    is "witness $name stops cleanly" "$end_rc" 0
done
stop_daemon
is 'a clean stop' "$daemon_rc" 0
done_testing
