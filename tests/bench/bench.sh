#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measured figures, a JSON line each, then a table.  A private PostgreSQL with fsync on, the daemon on loopback,
# CPU of daemon, signer and PostgreSQL together in units of one Ed25519 verification calibrated beside each run.
#
#   make bench                 all figures        make bench F=fresh,batch   some of them
#   RUNS=5 BUNDLES=8000 make bench                more runs, more bundles a run
set -eu
. "$(dirname "$0")/../integration/lib.sh"
export B RUNS="${RUNS:-3}" BUNDLES="${BUNDLES:-4000}" START_BUNDLES="${START_BUNDLES:-70000}" F="${F:-}"
pg_start --fsync -c shared_buffers=256MB -c max_wal_size=4GB
export pg_conn pg_daemon_conn pg_pid t_dir pg_sock
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/bench/bench.py
