#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Objects, versions, pages, and the route table against every role: read.py (TAP), under TSan too.  Timeout: 180 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
enrol_election "$t_dir" 150
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf" 'publish_interval = 0'
start_daemon "$t_dir/tallyd.conf"
python_test tests/integration/read.py "$t_dir" "$daemon_ingest" "$daemon_api" "$daemon_ops" src/api/routes.c
