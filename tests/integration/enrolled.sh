# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh: an enrolled election with everybody the tests need, and a database that it is open in.
#
#   enrol_election DIR BRANCHES    made, enrolled, signed, recorded (prepare.py says who was added)
#   open_election DIR              a cluster of its own, migrated, the genesis entry written

quietly() { "$@" >"$t_dir/quiet.out" 2>&1 || { cat "$t_dir/quiet.out" >&2; return 1; }; }

enrol_election() {
    quietly "$B/tallysim" make --branches "$2" --seed 11 "$1" &&
        quietly "$B/tallysim" enrol "$1" &&
        quietly "$B/tallysim" record "$1" -o "$1/night.ndjson" --seed 5 &&
        quietly "$python" -B tests/integration/prepare.py "$1" "$B/tallyctl"
}

open_election() {
    pg_start &&
        quietly "$B/tallyctl" migrate --database "$pg_conn" &&
        quietly "$B/tallyctl" election open "$1/definition" "$1/registry" --root-key "$1/keys/root.key" \
            --database "$pg_conn"
}
