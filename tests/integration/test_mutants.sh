#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The table of planted faults fits the sources, and its runner tells a fault that is caught from one that is not, from a
# row that is stale, and from one that does not build.  Timeout: 300 s.
set -eu
. "$(dirname "$0")/lib.sh"
command -v gcc >/dev/null || skip_all 'gcc is not installed'
mutants() { B=$B T_JOBS=1 T_COUNTS='' "$python" -B tests/mutation/mutants.py "$@"; }
ok 'every row of the table fits: its old text stands there once' mutants --check

# A table of our own, of faults in a file with a quick test.
rows() { printf 'name  %s\nfile  src/core/codes.c\nold   %s\nnew   %s\ndoes  harm\ntest  %s\n\n' "$@"; }
rows good "c >= 'a' && c <= 'z'" "c >= 'a' && c < 'z'" test_codes \
    harmless 'uint32_t cells_n = 4;' 'uint32_t cells_n = 8;' test_codes \
    gone 'no such text' 'x' test_codes \
    twice 'return false;' 'return true;' test_codes \
    broken 'cells_n *= 2;' 'cells_n *= two;' test_codes \
    unseen 'cells_n < 2 * n' 'cells_n < 3 * n' test_no_such_test >"$t_dir/table"
sum=$(cksum src/core/codes.c)
rc=0
said=$(mutants --table "$t_dir/table" --work "$t_dir/work" 2>&1) || rc=$?
is 'five of six are no good: exit 1' "$rc" 1
like 'a fault that is caught, by which test' "$said" '^caught good \(.* s\) by tests/unit/core/test_codes: letters, digits'
like 'one that is not' "$said" '^FAIL   harmless .* SURVIVED [0-9]+ tests of test_codes: harm'
like 'a row whose text is gone' "$said" '^FAIL   gone .* DOES NOT APPLY: the old text stands 0 times'
like 'a row whose text stands twice' "$said" '^FAIL   twice .* DOES NOT APPLY: the old text stands [2-9] times'
like 'one that does not compile' "$said" '^FAIL   broken .* DOES NOT BUILD'
like 'a word of no test catches nothing' "$said" '^FAIL   unseen .* 0 passed, 0 failed without the fault'
like 'the last line counts' "$(printf '%s\n' "$said" | tail -1)" '^1 passed, 5 failed, 0 skipped$'
is 'the source tree is as it was' "$(cksum src/core/codes.c)" "$sum"
rc=0
said=$(mutants --table "$t_dir/table" --work "$t_dir/work" good 2>&1) || rc=$?
is 'the good one alone: exit 0' "$rc" 0
rc=0
said=$(mutants --check --table "$t_dir/table" 2>&1) || rc=$?
is 'a stale row is told without building' "$rc $(printf '%s\n' "$said" | tail -1)" '1 4 passed, 2 failed, 0 skipped'
done_testing
