#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random elections with random decisions between the bundles, every answer and number equal to the oracle's.
# Timeout: 400 s.  TALLY_SEEDS=N plays N elections instead of 4 (and T_LIMIT_S=3600 waits for them); TALLY_SEED=S
# begins with that one.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
pg_start
. tests/integration/oracle.sh
play_seeds boards.py 4
done_testing
