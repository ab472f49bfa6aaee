#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tallyctl seats: the law's worked examples, official results of real elections, lines that must be refused, and pages
# for people.  Timeout: 600 s.
set -eu
. "$(dirname "$0")/lib.sh"
"$python" -B tests/integration/seats.py "$B/tallyctl"
