#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The store against a PostgreSQL of its own: tests/unit/store/test_store.c does the work, it may
# change the server's settings and kill its sessions.
. "$(dirname "$0")/lib.sh"

program=$B/tests/unit/store/test_store
make -s CFG="$(basename "$B")" "build/$(basename "$B")/tests/unit/store/test_store" >&2 # never a stale one
pg_start || skip_all "PostgreSQL is not installed"
TALLY_TEST_OWNER=$pg_conn TALLY_TEST_DAEMON=$pg_daemon_conn "$program"
