#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tallyctl import --check and tallysim check: every row of the check table and every refusal reaches the report, in
# both languages; bad files and lines are named, and the others are still reported.  Timeout: 120 s.
. "$(dirname "$0")/lib.sh"
"$python" -B tests/integration/check.py "$B" "$t_dir/e"
