#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A witness's mirror before servers that do it harm: a head without measure, a log that never ends, one that says
# nothing, documents that are not the log's (TAP), under TSan too.  Timeout: 180 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
quietly "$B/tallysim" make --branches 300 --seed 11 "$t_dir"
quietly "$B/tallysim" enrol "$t_dir"
quietly "$B/tallysim" record "$t_dir" -o "$t_dir/night.ndjson" --seed 5
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf" "publish = $t_dir/log" 'publish_interval = 100ms'
start_daemon "$t_dir/tallyd.conf"
quietly "$B/tallysim" replay "$t_dir/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --batch 64 \
    --connections 1
whole() { "$python" -B tests/integration/publog.py "$t_dir/log" 301; }
ok 'a log that is published' wait_for 60 whole
stop_daemon
is 'a clean stop' "$daemon_rc" 0
mirror_rc=0
"$python" -B tests/integration/mirror.py "$t_dir" "$B" >"$t_dir/mirror.tap" || mirror_rc=$?
while read -r result; do
    case $result in
    'ok '*) ok "${result#ok * - }" true ;;
    'not ok '*) ok "${result#not ok * - }" false ;;
    '1..'*) ;;
    *) note "$result" ;;
    esac
done <"$t_dir/mirror.tap"
is 'all steps' "$mirror_rc" 0
done_testing
