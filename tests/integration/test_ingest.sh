#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every answer of POST /v1/bundles, and what is left behind: ingest.py against a daemon of its own (TAP), under TSan too.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
enrol_election "$t_dir" 120
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf"
start_daemon "$t_dir/tallyd.conf"
python_test tests/integration/ingest.py "$t_dir" "$daemon_ingest" "$daemon_api" "$pg_conn"
