#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every answer of tally-witness, its state under kill -9, and another implementation's requests: witness_answers.py
# (TAP), under TSan too.  Timeout: 120 s.
set -eu
. "$(dirname "$0")/lib.sh"
"$python" -B tests/integration/witness_answers.py "$t_dir" "$B" "$TALLY_SHARED"
