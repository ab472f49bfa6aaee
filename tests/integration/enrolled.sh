# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh: an enrolled election with everybody the tests need, and a database that it is open in.
#
#   enrol_election DIR BRANCHES    made, enrolled, signed, recorded (prepare.py says who was added)
#   python_test FILE ARGUMENT...   runs a test in Python, then stops the daemon and ends
#   open_election DIR [-c NAME=VALUE]...   a cluster of its own (with settings), migrated, the genesis entry written

quietly() { "$@" >"$t_dir/quiet.out" 2>&1 || { cat "$t_dir/quiet.out" >&2; return 1; }; }

enrol_election() {
    quietly "$B/tallysim" make --branches "$2" --seed 11 "$1" &&
        quietly "$B/tallysim" enrol "$1" &&
        quietly "$B/tallysim" record "$1" -o "$1/night.ndjson" --seed 5 &&
        quietly "$python" -B tests/integration/prepare.py "$1" "$B/tallyctl"
}

open_election() {
    open_dir=$1
    shift
    pg_start "$@" &&
        quietly "$B/tallyctl" migrate --database "$pg_conn" &&
        quietly "$B/tallyctl" election open "$open_dir/definition" "$open_dir/registry" \
            --root-key "$open_dir/keys/root.key" --database "$pg_conn"
}

# The rest of the test is Python, which prints its own plan; the daemon must then stop cleanly (a sanitizer's
# complaint is an exit status of its own).
python_test() {
    python_rc=0
    PATH=$pg_bin:$PATH "$python" -B "$@" || python_rc=$?
    stop_daemon
    if [ "$daemon_rc" -ne 0 ]; then
        note "tallyd ended with $daemon_rc"
        tail -60 "$daemon_log" | sed 's/^/# /'
        exit 1
    fi
    exit "$python_rc"
}
