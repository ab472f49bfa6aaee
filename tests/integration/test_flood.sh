#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One certificate against everybody: unread answers, garbage without end, connections.  flood.py against a daemon of
# its own (TAP), under TSan too.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
enrol_election "$t_dir" 120
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf" "ingest.memory = 64M"
start_daemon "$t_dir/tallyd.conf"
python_test tests/integration/flood.py "$t_dir" "$daemon_ingest" "$daemon_ops" "$pg_conn" "$daemon_pid" "$B"
