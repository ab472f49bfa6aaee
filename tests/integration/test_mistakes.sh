#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a tired operator does wrong: the message names the thing, its value and the way on, the exit code is
# that of the guide, and nothing stays silent for minutes.  Timeout: 600 s.
. "$(dirname "$0")/lib.sh"

ctl=$B/tallyctl sim=$B/tallysim e=$t_dir/e
wrong() { # NAME CODE REGEX COMMAND...: output in $out
    e_name=$1 e_want=$2 e_text=$3
    shift 3
    e_rc=0
    out=$(timeout 120 "$@" 2>&1 </dev/null) || e_rc=$?
    is "$e_name: exit code" "$e_rc" "$e_want"
    like "$e_name: says so" "$out" "$e_text"
}
waits() { # NAME REGEX COMMAND...: says so and goes on, until somebody ends it
    e_name=$1 e_text=$2
    shift 2
    rm -f "$t_dir/waits" # what the one before said is no word of this one
    "$@" >"$t_dir/waits" 2>&1 </dev/null &
    e_pid=$!
    at_exit "kill $e_pid 2>/dev/null || true"
    ok "$e_name: says so" wait_for 60 grep -Eq -- "$e_text" "$t_dir/waits"
    ok "$e_name: goes on" kill "$e_pid"
    wait "$e_pid" || true
}
# A port of loopback that nobody listens on: it is bound, so that nobody else can take it meanwhile.
mkfifo "$t_dir/hold"
"$python" -c 'import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); sys.stdin.read()' \
    <"$t_dir/hold" >"$t_dir/port" &
exec 9>"$t_dir/hold"
wait_for 60 test -s "$t_dir/port"
nobody=https://127.0.0.1:$(cat "$t_dir/port")

# ---- making the same again, keys, numbers -----------------------------------------------------------------
ok 'make' "$sim" make --branches 100 --seed 3 "$e"
wrong 'record before enrol' 2 'e/registry: ' "$sim" record "$e" -o "$t_dir/x"
ok 'enrol' "$sim" enrol "$e"
ok 'record' "$sim" record "$e" -o "$e/night.ndjson"
cp -r "$e" "$t_dir/f"
sed -i '3s/,active/,asleep/' "$t_dir/f/registry/terminals.csv"
wrong 'record with a fault in the registry: its folder' 2 '/f/registry/terminals\.csv:3:' "$sim" record "$t_dir/f" -o "$t_dir/x"
cp "$e/registry/terminals.csv" "$t_dir/f/registry/"
sed -i '3s/.$/g/' "$t_dir/f/keys/signing.csv"
wrong 'record with a fault in the keys: their folder' 2 '/f/keys/signing\.csv:3:' "$sim" record "$t_dir/f" -o "$t_dir/x"
wrong 'make over an election' 1 'election\.json: is there already and is not overwritten' "$sim" make "$e"
wrong 'enrol over keys' 1 'root\.key: is there already and is not overwritten' "$sim" enrol "$e"
is 'seeds of the terminals are for their owner alone' "$(stat -c %a "$e/keys/signing.csv")" 600
is 'the registry is for everybody' "$(stat -c %a "$e/registry/terminals.csv")" 644
wrong 'a number with a letter' 2 'option --branches: "2k" is no whole number' "$sim" make --branches 2k "$t_dir/x"
wrong 'an option without its value' 2 'option --branches takes a value' "$sim" make "$t_dir/x" --branches
wrong 'an option twice' 2 'option --seed stands more than once' "$sim" make --seed 1 --seed 2 "$t_dir/x"
wrong 'a short one without its value' 2 'option -o takes a value' "$sim" record "$e" -o

opens="$ctl election open --root-key $e/keys/root.key --database none"
wrong 'a registry given as definition' 2 'e/registry: this is a registry, not a definition \(folders swapped\?\)' $opens "$e/registry" "$e/definition"
is 'nothing about its files' "$(printf '%s\n' "$out" | wc -l)" 1
wrong 'a definition given as registry' 2 'e/definition: this is a definition, not a registry' $opens "$e/definition" "$e/definition"
mkdir "$t_dir/both"
cp "$e/definition/"* "$e/registry/terminals.csv" "$t_dir/both/"
wrong 'a file of the other kind in between: that file' 2 'both/terminals\.csv: this file does not belong to a definition; remove it' \
    $opens "$t_dir/both" "$e/registry"

# ---- nobody there --------------------------------------------------------------------------------------
wrong 'replay to nobody' 1 "$nobody: .*Connection refused; repeating for up to 2 s" \
    "$sim" replay "$e/night.ndjson" --keys "$e/keys" --url "$nobody" --retry-for 2
is 'once, not for every bundle' "$(printf '%s\n' "$out" | grep -c repeating)" 1
like 'without a word for every bundle' "$out" '\(further ones are only counted\)'
like 'and every bundle is accounted for' "$out" '^sent 100 .* 0 new, 0 the same, 0 conflicting, 100 refused'
wrong 'replay to nobody, paced' 1 '100 refused' \
    "$sim" replay "$e/night.ndjson" --keys "$e/keys" --url "$nobody" --retry-for 1 --rate 1000
waits 'import to nobody' "$nobody: .*Connection refused; repeating for up to 600 s" \
    "$ctl" import "$e/night.ndjson" --url "$nobody" --ca "$e/keys/ca.crt" --client "$e/keys/clients/relay.pem"
wrong 'two speeds' 2 '--rate and --timed: one or the other' \
    "$sim" replay "$e/night.ndjson" --keys "$e/keys" --url "$nobody" --rate 1 --timed
wrong 'receipts into nowhere' 2 'nowhere/r: cannot be written: No such file' \
    "$sim" replay "$e/night.ndjson" --keys "$e/keys" --url "$nobody" --receipts "$t_dir/nowhere/r"
wrong 'import of a folder' 2 'a folder or a device, not a recording' \
    "$ctl" import "$e" --url "$nobody" --ca "$e/keys/ca.crt" --client "$e/keys/clients/relay.pem"
wrong 'import of something else' 2 'counts\.csv:1: not a recorded bundle' \
    "$ctl" import "$e/counts.csv" --url "$nobody" --ca "$e/keys/ca.crt" --client "$e/keys/clients/relay.pem"
waits 'import goes to the ingest port, whatever TALLY_URL says' "^$nobody: " \
    env TALLY_URL=https://localhost:1 TALLY_INGEST_URL="$nobody" "$ctl" import "$e/night.ndjson" --ca "$e/keys/ca.crt" --client "$e/keys/clients/relay.pem"
wrong 'status of nobody' 2 'Connection refused \(is the daemon running, and is this its api port\?\)' \
    "$ctl" status --url "$nobody" --ca "$e/keys/ca.crt" --client "$e/keys/clients/auditor.pem"

# ---- receipts ------------------------------------------------------------------------------------------
wrong 'not a receipt' 2 'lists\.csv: not a receipt' "$ctl" receipt check "$e/definition/lists.csv" --log-key "$e/keys/log.key"
printf 'x\n\ny\n' >"$t_dir/x"
printf 'a\n\nx y+z\n3\n' >"$t_dir/odd"
wrong 'a receipt of a log without a proper name' 2 'odd: not a receipt' "$ctl" receipt check "$t_dir/odd" --log-key "$e/keys/log.key"
wrong 'an origin that is no name' 2 'origin: not the name of a log' "$ctl" receipt check "$t_dir/odd" --origin 'a b+c' --log-key "$e/keys/log.key"
wrong 'no key of a log' 2 'server\.key: not an Ed25519 key' "$ctl" receipt check "$t_dir/x" --log-key "$e/keys/server.key"
wrong 'a receipt with nothing in it' 1 '.' "$ctl" receipt check "$t_dir/x" --log-key "$e/keys/log.key"
exec 9>&-
done_testing
