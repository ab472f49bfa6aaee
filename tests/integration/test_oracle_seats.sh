#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The methods against a second implementation in exact fractions, which itself meets the law's examples and
# real elections; its checks meet the vectors of the checks.  Timeout: 600 s.
# TALLY_CONTESTS=1000000 T_LIMIT_S=3600 runs as many random contests.
set -eu
. "$(dirname "$0")/lib.sh"
tap() { # NAME COMMAND...: a TAP program as one test of this one
    t_name=$1
    shift
    t_rc=0
    "$@" >"$t_dir/tap.out" 2>&1 || t_rc=$?
    grep '^# ' "$t_dir/tap.out" | cut -c1-2000 || true
    if ! grep -q '^1\.\.[1-9]' "$t_dir/tap.out"; then t_rc=1; fi
    t_result "$t_rc" "$t_name: $(grep -c '^ok ' "$t_dir/tap.out") tests" || { grep '^not ok' "$t_dir/tap.out" || tail -5 "$t_dir/tap.out"; } | sed 's/^/# /'
}
if [ -d "$TALLY_SHARED/data/seat-cases" ]; then
    tap 'oracle: the law, and real elections' "$python" -B tests/oracle/examples.py "$TALLY_SHARED/data/seat-cases"
else
    tap 'oracle: the law' "$python" -B tests/oracle/examples.py
    skip 'oracle: real elections' 'the shared folder is not there'
fi
tap 'oracle: the vectors of the checks' "$python" -B tests/oracle/vectors.py tests/vectors/checks/checks.json
tap 'oracle: the vectors of P08' "$python" -B tests/oracle/vectors.py tests/vectors/checks/twins.json
tap 'core and oracle' "$python" -B tests/oracle/seats.py "$B/tests/oracle/outcome_lines" "${TALLY_CONTESTS:-20000}" --jobs "${T_JOBS:-1}"
tap 'calculator and oracle' "$python" -B tests/oracle/calculator.py "$B/tallyctl" "$((${TALLY_CONTESTS:-20000} / 10))"
done_testing
