#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random elections through the daemon, every number equal to the oracle's, at 20 past positions, too.  Timeout: 600 s.
# TALLY_SEEDS=N plays N elections instead of 4 (and T_LIMIT_S=3600 waits for them); TALLY_SEED=S begins with that one.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
pg_start
. tests/integration/oracle.sh
play_seeds night.py 4
done_testing
