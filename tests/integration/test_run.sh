#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/run itself: what counts as passed, failed and skipped, in order, alone, and not for ever.
set -u
. "$(dirname "$0")/lib.sh"
run=$PWD/tests/run
mkdir "$t_dir/tests"
cd "$t_dir" || exit 1
prog() { # NAME BODY
    printf '#!/bin/sh\n%s\n' "$2" >"tests/$1"
    chmod +x "tests/$1"
}
prog good 'sleep 0.3; echo "ok 1 - a"; echo "ok 2 - b"; echo 1..2'
prog bad 'echo "ok 1 - a"; echo "not ok 2 - b"; echo "# got 3"; echo 1..2; exit 1'
prog skips 'echo "ok 1 - a # SKIP no $1 here"; echo 1..1'
prog dies 'echo "ok 1 - a"; kill -SEGV $$'
prog short 'echo "ok 1 - a"; echo 1..2'
prog silent ':'
prog lies 'echo "ok 1 - a"; echo 1..1; exit 3'
prog hangs '# Timeout: 1 s.
echo "ok 1 - a"; sleep 1000 & echo $! >sleeper; sleep 1000'

said() { T_JOBS=${T_JOBS:-2} B=build/release "$run" "$@" 2>&1; }
last() { said "$@" | tail -1; }
is 'all good' "$(last tests/good)" '2 passed, 0 failed, 0 skipped'
is 'arguments, and a skip' "$(last 'tests/skips wood')" '0 passed, 0 failed, 1 skipped'
like 'a skip says why' "$(said 'tests/skips wood')" 'skipped: a: no wood here'
is 'a failure' "$(last tests/bad)" '1 passed, 1 failed, 0 skipped'
like 'a failure says why' "$(said tests/bad)" '# got 3'
for p in dies short silent lies; do
    like "what $p fails" "$(last tests/$p)" ' 1 failed, 0 skipped'
done
is 'what is not there fails' "$(last tests/nothing)" '0 passed, 1 failed, 0 skipped'
hung='' n=0
until [ -s sleeper ] || [ $n -eq 30 ]; do # on a busy machine it is stopped before it has begun to hang
    hung=$(said tests/hangs)
    n=$((n + 1))
done
like 'what hangs is stopped' "$hung" 'stopped after 1 s'
ok 'with its children' wait_for 60 pg_gone "$(cat sleeper)"
ok 'good is a success' "$run" tests/good
ok 'bad is none' sh -c "! $run tests/good tests/bad"
is 'in order, the quick one last' "$(said tests/good tests/bad tests/short | grep -oE '^(pass|FAIL) tests/[a-z]+' | tr '\n' ' ')" \
    'pass tests/good FAIL tests/bad FAIL tests/short '
is 'all together' "$(T_COUNTS=counts last tests/good tests/bad tests/skips tests/dies)" '4 passed, 2 failed, 1 skipped'
is 'also for a sum' "$(cat counts)" '4 2 1'

prog alone1 '# Runs alone.
test ! -e busy && touch busy && sleep 0.2 && rm busy && echo "ok 1 - a" && echo 1..1'
cp tests/alone1 tests/alone2
cp tests/alone1 tests/alone3
is 'those that run alone do' "$(T_JOBS=3 last tests/alone1 tests/alone2 tests/alone3)" '3 passed, 0 failed, 0 skipped'
done_testing
