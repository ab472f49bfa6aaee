#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tallyctl import: what it says of a stick's files, in words, and of foreign bytes nothing that a terminal obeys.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
enrol_election "$t_dir" 100
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf"
imports() { # FILE [WORD...]: output in $out, messages in $err, exit code in $rc
    rc=0
    "$B/tallyctl" import "$@" --url "https://localhost:$daemon_ingest" --ca "$t_dir/keys/ca.crt" \
        --client "$t_dir/keys/clients/relay.pem" >"$t_dir/out" 2>"$t_dir/err" || rc=$?
    out=$(cat "$t_dir/out") err=$(cat "$t_dir/err")
}

head -40 "$t_dir/night.ndjson" >"$t_dir/forty.ndjson"
head -1 "$t_dir/night.ndjson" >"$t_dir/one.ndjson"
imports "$t_dir/one.ndjson"
is 'one bundle: exit code' "$rc" 0
like 'counted' "$out" 'one\.ndjson: 1 bundle, 1 new \(0 held or partly\), 0 known already, 0 conflicting, 0 refused$'
imports "$t_dir/forty.ndjson"
is 'all of them: exit code' "$rc" 0
like 'the first is known' "$out" '40 bundles, 39 new .* 1 known already, 0 conflicting, 0 refused$'
imports "$t_dir/forty.ndjson" --json
is 'as JSON' "$(printf '%s' "$out" | "$python" -c 'import json, sys
o = json.load(sys.stdin)
print(o["file"].rsplit("/", 1)[1], o["sent"], o["created"], o["same"], o["refused"])')" 'forty.ndjson 40 0 40 0'

# Signed by another terminal's key, and by nobody's; the name before it tries to paint the screen.
esc=$(printf '\033')
"$python" - "$t_dir" "$esc" <<'END'
import base64, json, sys
folder, esc = sys.argv[1:]
lines = open(folder + "/night.ndjson", encoding="utf-8").read().splitlines()
row = json.loads(lines[2])
payload = base64.b64decode(row["envelope"]["payload"])
row["envelope"]["payload"] = base64.b64encode(payload.replace(b'"revision":1', b'"revision":2')).decode()
line = json.dumps(row, separators=(",", ":"))
name = '"terminal":"' + row["terminal"]
assert name in line
open(folder + "/bad.ndjson", "w", encoding="utf-8").write(line.replace(name, name + esc + "[31m") + "\n" + lines[3] + "\n")
END
imports "$t_dir/bad.ndjson"
is 'one is refused: exit code' "$rc" 1
like 'by file and line, in words' "$err" 'bad\.ndjson:1: terminal "[^"]*\\x1b\[31m": 401 A02: '
is 'not as JSON' "$(printf '%s' "$err" | grep -c '[{}]')" 0
is 'nothing that a terminal obeys' "$(printf '%s' "$err$out" | grep -c "$esc")" 0
like 'the others are taken' "$out" '2 bundles, 0 new .* 1 known already, 0 conflicting, 1 refused$'
stop_daemon
is 'a clean stop' "$daemon_rc" 0
done_testing
