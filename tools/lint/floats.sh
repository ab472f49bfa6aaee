#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Counts are integers: no floating point in the core.  Usage: floats.sh FILE...
[ $# -gt 0 ] || exit 0
if grep -nHwE 'float|double|_Float[0-9]+x?|__float128|strto[df]|strtold' "$@"; then
    echo "floating point in the core" >&2
    exit 1
fi
