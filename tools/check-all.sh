#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All there is to check, one step after the other, none skipped because an earlier one failed; ends
# with what each step gave and the sum.  Usage (by make): tools/check-all.sh FUZZ_TARGET...
set -u
make=${MAKE:-make}
counts=$(mktemp) || exit 1
trap 'rm -f "$counts"' EXIT
trap 'exit 130' INT TERM HUP
export T_COUNTS=$counts
summary=()

# A step is what tests/run counted; a step without tests counts as one, and so does a failure to build.
step() { # NAME COMMAND...
    local name=$1 before after rc=0 began=$SECONDS
    shift
    printf '\n==== %s\n' "$name"
    before=$(wc -l <"$counts")
    "$@" || rc=$?
    after=$(wc -l <"$counts")
    if [ "$after" -eq "$before" ]; then
        if [ $rc -eq 0 ]; then echo '1 0 0'; else echo '0 1 0'; fi >>"$counts"
    fi
    summary+=("$(printf '%-34s %s, %d s' "$name" "$(tail -1 "$counts" | awk '{print $1 " passed, " $2 " failed, " $3 " skipped"}')" $((SECONDS - began)))")
}
missing() { # NAME REASON
    printf '\n==== %s\nskipped: %s\n' "$1" "$2"
    echo '0 0 1' >>"$counts"
    summary+=("$(printf '%-34s skipped: %s' "$1" "$2")")
}

# TALLY_CHECKED=1: `make check` was run on this tree a moment ago, as in .ci/run.
[ -n "${TALLY_CHECKED:-}" ] || step 'check' $make check
step 'check under ASan and UBSan' $make CFG=san check
step 'threaded tests under TSan' $make CFG=tsan check
step '200 kills under load' env TALLY_KILLS=200 $make check T=test_kills.sh
step 'both verifiers, each second damage' env TALLY_DAMAGES=2 $make check T=integration/test_verify
step 'simulator: 100,000 seeds' $make sim SEEDS=100000
if command -v clang >/dev/null; then
    step 'build by clang' $make CC=clang B=build/clang all
else
    missing 'build by clang' 'clang is not installed'
fi
if command -v clang-format clang-tidy >/dev/null; then
    step 'lint' $make -k lint
else
    missing 'lint' 'clang-format and clang-tidy are not installed'
fi
step 'mutants: planted faults are caught' $make mutants
fuzz_quiet() { # TARGET: the run is only shown when it found something
    local log
    log=$(mktemp)
    if $make fuzz "T=$1" SECONDS="${FUZZ_SECONDS:-10}" >"$log" 2>&1; then
        sed -n 's/^stat::number_of_executed_units: */runs: /p' "$log"
        rm -f "$log"
    else
        tail -60 "$log"
        rm -f "$log"
        return 1
    fi
}
for target in "$@"; do
    if command -v clang >/dev/null; then
        step "fuzz $target" fuzz_quiet "$target"
    else
        missing "fuzz $target" 'clang is not installed'
    fi
done

printf '\n==== in all, %d s\n' "$SECONDS"
printf '%s\n' "${summary[@]}"
awk '{p += $1; f += $2; s += $3} END {printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0}' "$counts"
