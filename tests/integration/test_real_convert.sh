#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The converters of recorded elections; needs no program of ours (TAP).
exec /usr/bin/python3 -B "$(dirname "$0")/../real/test_convert.py"
