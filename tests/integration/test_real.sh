#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real recorded elections, each converted, enrolled, recorded and replayed through a running daemon over mutual TLS, then
# compared with the published totals and winners, station by station; and again after a restart from the ledger.
set -eu
. "$(dirname "$0")/lib.sh"
if ! [ -d "$TALLY_SHARED/data" ]; then skip_all "no $TALLY_SHARED/data"; fi
if [ -z "$pg_bin" ]; then skip_all "PostgreSQL is not installed"; fi

py() { /usr/bin/python3 -B "$@"; }
number_of() { py -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
compare() { py tests/real/compare.py "$1" "https://localhost:${daemon_api:-0}"; }
replay() { # DIR NAME OPTION...
    r_dir=$1 r_name=$2
    shift 2
    "$B/tallysim" replay "$r_dir/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$r_dir/keys" \
        --json "$@" >"$r_dir/$r_name.json"
}

# The package, signed, the recording, and the daemon over a database of its own.
prepare() { # NAME CONVERTER FORM SOURCE
    dir=$t_dir/$1
    ok "$1: converts" py "tests/real/$2" "$3" "$TALLY_SHARED/data/$4" "$dir"
    ok "$1: is enrolled" "$B/tallysim" enrol "$dir"
    ok "$1: its definition is whole" "$B/tallyctl" definition check "$dir/definition"
    ok "$1: its registry is whole" "$B/tallyctl" registry check "$dir/registry"
    ok "$1: is recorded" "$B/tallysim" record "$dir" -o "$dir/night.ndjson" --seed 1
    pg_start
    ok "$1: the schema" "$B/tallyctl" migrate --database "$pg_conn"
    ok "$1: the genesis entry" "$B/tallyctl" election open "$dir/definition" "$dir/registry" \
        --root-key "$dir/keys/root.key" --database "$pg_conn"
    write_config "$dir" "$dir/tallyd.conf"
    ok "$1: the daemon starts" start_daemon "$dir/tallyd.conf"
}

election() { # NAME CONVERTER FORM SOURCE BRANCHES HELD OPTION_OF_REPLAY...
    name=$1 branches=$5 held=$6
    prepare "$1" "$2" "$3" "$4"
    shift 6
    if [ -z "$daemon_pid" ]; then pg_stop; return 0; fi
    ok "$name: is replayed" replay "$dir" first "$@"
    is "$name: created" "$(number_of "$dir/first.json" created)" "$branches"
    is "$name: of them held" "$(number_of "$dir/first.json" held)" "$held"
    ok "$name: equals the published figures" compare "$dir"
    ok "$name: is replayed again" replay "$dir" again "$@"
    is "$name: the same bundles" "$(number_of "$dir/again.json" same)" "$branches"
    ok "$name: still equals them" compare "$dir"
    stop_daemon
    is "$name: stops cleanly" "$daemon_rc" 0
    ok "$name: starts from the ledger" start_daemon "$dir/tallyd.conf"
    ok "$name: equals them after the start" compare "$dir"
}

# One vote more in the published figures must be noticed, in a total and at a station.
falsified() { # CONTEST BRANCH CANDIDATE
    py - "$dir/expected.json" "$@" <<'P'
import json, sys
path, contest, branch, candidate = sys.argv[1:]
expected = json.load(open(path, encoding="utf-8"))
for votes in (expected["contests"][contest], expected["contests"][contest]["branches"][branch]):
    votes["candidates"][candidate] += 1
json.dump(expected, open(path, "w", encoding="utf-8"))
P
    is "$name: one vote more is noticed in 3 places" "$(compare "$dir" | grep -c '^not ok')" 3
}

us=us-block-vote-precincts
election nl_gr2022 nl_gr2022.py csv nl-eml-west-maas-en-waal 21 1 --fresh
# The station that N08 holds: shown, not counted, until commission and supervision release it.
ctl() { "$B/tallyctl" "$@"; }
export TALLY_URL="https://localhost:$daemon_api" TALLY_CA="$dir/keys/ca.crt" TALLY_CLIENT="$dir/keys/clients/officer.pem"
held=$(ctl branches --status held | sed -n 's/^\(SB[0-9]*\) .*/\1/p')
is "$name: one station is held" "$held" SB7
status() { ctl results --contest gr2022 --json | py -c 'import json, sys; c = json.load(sys.stdin)
print(c["status"], c["progress"]["counted"], c["ballots"]["cast"])'; }
before=$(status)
like "$name: it is not counted" "$before" '^partial 20 '
ok "$name: the commission decides" ctl decide release SB7 gr2022 --reason 'Proces-verbaal: one ballot too many' \
    --key "$dir/keys/officers/commission1.key" --to "$t_dir/release"
ok "$name: the supervision cosigns" ctl cosign "$t_dir/release" --key "$dir/keys/officers/supervision1.key"
ok "$name: it is posted" ctl post "$t_dir/release"
complete() { status | grep -Eq '^(complete|tied) 21 '; }
ok "$name: and the council is complete" wait_for 60 complete
note "$before, then $(status)"
py - "$dir/expected.json" <<'P'
import json, sys
expected = json.load(open(sys.argv[1], encoding="utf-8"))
expected["held"], expected["decisions"] = [], 1
json.dump(expected, open(sys.argv[1], "w", encoding="utf-8"))
P
ok "$name: equals all published figures" compare "$dir"
falsified gr2022 SB3 2-4
stop_daemon
pg_stop
for one in boulder_2019:88 boulder_2021:88 dc_2016:143 vt_2012:249; do
    election "${one%:*}" us_block.py "${one%:*}" $us "${one#*:}" 0
    stop_daemon
    pg_stop
done
done_testing
