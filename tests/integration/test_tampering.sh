#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A superuser at the tables: every row of tampering.py's list is found by the daemon while it runs, and by its next start;
# no number moves meanwhile, nothing is published over a row that differs (TAP); under TSan too.  Timeout: 600 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
enrol_election "$t_dir" 100
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf" 'scrub_interval = 60ms' 'publish_interval = 50ms'
start_daemon "$t_dir/tallyd.conf"
tamper() { PATH=$pg_bin:$PATH "$python" -B tests/integration/tampering.py "$1" "$t_dir" "$pg_conn" "$@" 2>&1; }
# The lines of the Python part are numbered anew here.
part() { # MODE ARGUMENT...
    tamper "$@" >"$t_dir/part.tap" || true
    while IFS= read -r line; do
        case $line in
        'ok '*) t_result 0 "${line#* - }" ;;
        'not ok '*) t_result 1 "${line#* - }" || true ;;
        1..*) part_ended=yes ;;
        *) printf '%s\n' "$line" | sed 's/^#* */# /' ;;
        esac
    done <"$t_dir/part.tap"
    is "$1: to its end" "$part_ended" yes
    part_ended=no
}
part_ended=no
part fill "$daemon_ingest" "$daemon_api"
part live "$daemon_ingest" "$daemon_api" "$daemon_ops" "$daemon_log"
stop_daemon
is 'a clean stop' "$daemon_rc" 0
case $B in
*tsan) skip 'at the start' 'one thread does it' ;;
*) part offline "$B/tallyd" "$t_dir/tallyd.conf" ;;
esac
ok 'all undone: it starts' start_daemon "$t_dir/tallyd.conf"
is 'and nothing was red' "$(grep -c '^<3>' "$daemon_log" || true)" 0
stop_daemon
is 'a clean stop' "$daemon_rc" 0
done_testing
