#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tally-courier between a published folder and two witnesses: courier.py (TAP), under TSan too.  Timeout: 120 s.
set -eu
. "$(dirname "$0")/lib.sh"
"$python" -B tests/integration/courier.py "$t_dir" "$B"
