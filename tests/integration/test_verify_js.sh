#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The verifier in JavaScript: its parts and methods, what a daemon published, the table of damages, each time the same bytes as
# tally-verify; and its page in a real browser.  Of the damages each eighth; TALLY_DAMAGES=1: all.  Timeout: 1800 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
. tests/integration/archive.sh
if ! command -v node >/dev/null; then skip_all 'node is not installed'; fi

tap() { # NAME COMMAND...: a TAP program as one test of this one
    t_name=$1
    shift
    t_rc=0
    "$@" >"$t_dir/tap.out" 2>&1 || t_rc=$?
    if ! grep -q '^1\.\.[1-9]' "$t_dir/tap.out"; then t_rc=1; fi
    t_result "$t_rc" "$t_name: $(grep -c '^ok ' "$t_dir/tap.out") tests" ||
        { grep -A3 '^not ok' "$t_dir/tap.out" || tail -5 "$t_dir/tap.out"; } | cut -c1-1000 | sed 's/^/# /'
}

# ---- what is handed out, made anew ----
ok 'one file and one page are made' node src/verify-js/build.mjs "$t_dir"
js=$t_dir/tally-verify.mjs page=$t_dir/tally-verify.html
is 'no module of anybody else' "$(grep -hoE "^(import|export) .* from '[^']+'" src/verify-js/*.mjs src/verify-js/methods/*.mjs | sed "s/.* from/from/" | grep -v "from '\.\|from 'node:" || true)" ''
is 'the page has no address in it' "$(grep -cE '(src|href|action)="?https?:|url\(' "$page" || true)" 0
like 'and a policy that allows none' "$(grep Content-Security-Policy "$page")" "default-src 'none'; script-src 'sha256-"

# ---- parts and methods ----
tap 'parts' node tests/verify-js/parts.mjs
tap 'vectors, tables and real elections' node tests/verify-js/vectors.mjs "$TALLY_SHARED/data/seat-cases"
tap 'random contests, as the second counter has them' "$python" -B tests/oracle/seats.py tests/verify-js/outcome_lines.mjs "${TALLY_CONTESTS:-6000}"

# ---- archives ----
verify() { rc=0; node "$js" "$@" >"$t_dir/report" 2>"$t_dir/why" || rc=$?; echo $rc; }
clean() { # DIR
    set -- "$1" "$1/log" --root-key "$1/keys/root.key" --receipts "$1/receipts" --since "$1/since.note" --json
    dir=$1
    shift
    is 'verified' "$(verify "$@")" 0
    like 'and clean' "$(cut -c1-70 "$t_dir/report")" '"verdict":"clean"'
    is 'nothing else is said' "$(cat "$t_dir/why")" ''
    ok 'its numbers are those of the API' same "$dir"
    "$B/tally-verify" "$@" >"$t_dir/report.c" 2>/dev/null || true
    ok 'tally-verify prints the same bytes' cmp "$t_dir/report" "$t_dir/report.c"
}
mkdir "$t_dir/night" "$t_dir/small" "$t_dir/results"
make_night "$t_dir/night" 400 night
clean "$t_dir/night"
make_night "$t_dir/results" 120 results
clean "$t_dir/results"
make_night "$t_dir/small" 120 results 's/"publish_min_ballots":0/"publish_min_ballots":100/'
clean "$t_dir/small"
like 'some of them withheld' "$(cat "$t_dir/report")" '"withheld":[1-9][0-9]*,"receipts"'

# ---- damaged copies ----
damages 8 --same "$B/tally-verify" -- node "$js"  # and tally-verify prints the same bytes

# ---- for people, and what it refuses ----
root=$t_dir/night/keys/root.key
is 'a report for people' "$(verify "$t_dir/night/log" --root-key "$root")" 0
like 'says that it is clean, in both languages' "$(tail -2 "$t_dir/report" | tr '\n' ' ')" 'clean: nothing wrong was found پاک'
like 'whose word the key is' "$(cat "$t_dir/report")" 'the one in the archive: compare it with the printed one'
is 'nothing at all' "$(verify)" 2
like 'says what is needed' "$(cat "$t_dir/why")" 'give one folder or TAR'
is 'no root key' "$(verify "$t_dir/night/log")" 2
like 'says so' "$(cat "$t_dir/why")" '1 to 4 --root-key'
is 'an option that there is not' "$(verify "$t_dir/night/log" --root-key "$root" --nonsense)" 2
like 'names it' "$(cat "$t_dir/why")" '^tally-verify.mjs: .*--nonsense'
is 'one line' "$(wc -l <"$t_dir/why")" 1
is 'the folder above' "$(verify "$t_dir/night" --root-key "$root")" 2
like 'says what is missing and what to give' "$(cat "$t_dir/why")" 'no file "checkpoint": give the published folder'
is 'what is not there' "$(verify "$t_dir/nowhere" --root-key "$root")" 2
like 'names it' "$(cat "$t_dir/why")" 'nowhere cannot be read .ENOENT'
is 'a certificate for a root key' "$(verify "$t_dir/night/log" --root-key "$t_dir/night/keys/ca.crt")" 2
ln -s checkpoint "$t_dir/night/log/link"
is 'a link in the folder' "$(verify "$t_dir/night/log" --root-key "$root")" 2
like 'is named' "$(cat "$t_dir/why")" '"link" is neither a file nor a folder'
rm "$t_dir/night/log/link"
is '--help' "$(verify --help)" 0
like 'knows the exit statuses' "$(cat "$t_dir/report")" '0 clean, 1 findings, 2 unusable'

# ---- the page ----
cp -r "$t_dir/night/log" "$t_dir/damaged"
rm "$t_dir/damaged/tile/0/000"
printf x >>"$t_dir/damaged/doc/definition/areas.csv"
: >"$t_dir/damaged/<b>strange"
chromium=$(command -v chromium || command -v google-chrome || true)
if [ -n "$chromium" ]; then
    mkdir "$t_dir/browser"
    tap 'the page, in a browser' node tests/verify-js/browser.mjs "$chromium" "$page" "$js" "$t_dir/night" "$t_dir/damaged" "$t_dir/browser"
else
    skip 'the page, in a browser' 'chromium is not installed (tools/bootstrap.sh --all)'
fi
done_testing
