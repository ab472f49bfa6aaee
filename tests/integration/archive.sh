# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh and enrolled.sh by the tests of both verifiers: archives that a daemon published.
#
#   make_night DIR BRANCHES WORD [SED]   a night with every kind of entry, published in DIR/log; DIR/api.json: what the API said
#   damages EVERY WORD...                each so-many-th row of the table of damages, by run.py with these words
#   same DIR                             the numbers of $t_dir/report are those of DIR/api.json

make_night() { # DIR BRANCHES WORD [SED SCRIPT FOR election.json]: sent (WORD: night, or with results), published, and what the API says in DIR/api.json
    log=$1/log
    quietly "$B/tallysim" make --branches "$2" --seed 11 "$1"
    if [ -n "${4:-}" ]; then sed -i "$4" "$1/definition/election.json"; fi
    quietly "$B/tallysim" enrol "$1" && quietly "$B/tallysim" record "$1" -o "$1/night.ndjson" --seed 5
    quietly "$python" -B tests/integration/prepare.py "$1" "$B/tallyctl"
    open_election "$1"
    write_config "$1" "$1/tallyd.conf" 'publish_interval = 50ms' "publish = $log"
    start_daemon "$1/tallyd.conf"
    ok "a night of $2 branches with every kind of entry" night "$1" "$3"
    night "$1" numbers >"$1/api.json"
    stop_daemon
    is 'a clean stop' "$daemon_rc" 0
    pg_stop
}
night() { "$python" -B tests/integration/verify_night.py "$1" "$daemon_ingest" "$daemon_api" "$log" "$2"; }
same() { # DIR: the report's numbers are the API's, but for contests that nobody outside can count
    "$python" -B - "$t_dir/report" "$1/api.json" <<'END'
import json, sys
report, api = (json.load(open(p, encoding="utf-8")) for p in sys.argv[1:])
hidden = {c["contest"]: c for c in report["contests"] if c["withheld"]}
print(len(hidden), "contests with something withheld")
api["contests"] = [hidden.get(c["contest"], c) for c in api["contests"]]
for key in api:
    if report[key] != api[key]:
        print(key, [(a, b) for a, b in zip(report[key], api[key]) if a != b][:3] if isinstance(api[key], list) else (report[key], api[key]))
        sys.exit(1)
END
}
damages() { # EVERY RUN.PY'S OPTIONS -- COMMAND: TALLY_DAMAGES in place of EVERY; the sanitizers take a quarter
    every=${TALLY_DAMAGES:-$1}
    shift
    case $B in *san) every=$((every * 4)) ;; esac
    damaged_rc=0
    "$python" -B tests/verify/run.py "$t_dir/night" "$t_dir/small" "$t_dir/results" --every "$every" "$@" >"$t_dir/damaged.tap" 2>&1 || damaged_rc=$?
    grep -A1 '^not ok\|^[^on1#]' "$t_dir/damaged.tap" | sed 's/^not ok [0-9]* - /# not ok: /; s/^[^#]/# &/' || true
    is 'the table of damages' "$damaged_rc" 0
    note "$(grep -c '^ok' "$t_dir/damaged.tap") damaged archives"
    like 'and so many of them' "$(grep -c '^ok' "$t_dir/damaged.tap")" '^[1-9][0-9]{1,2}$'
}
