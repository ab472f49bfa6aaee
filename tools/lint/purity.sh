#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The core is a function of its arguments: its objects may import only what is listed here (the
# compiler's 128-bit division is arithmetic).
# Usage: purity.sh libcore.a libbase.a
set -eu
allow='(__)?mem(cpy|set|cmp|move|chr)(_chk)?|str(cmp|len|ncmp)|crypto_(hash|sign|generichash|shorthash)_?.*|crypto_core_ed25519_is_valid_point|sodium_mem(cmp|zero)|__stack_chk_fail|__u?(div|mod|divmod)ti[34]|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|sanitizer|gcov|llvm|start|stop)_.*'
nm -u "$1" | awk 'NF == 2 {print $2}' | sort -u >"${TMPDIR:-/tmp}/imports.$$"
nm --defined-only "$1" "$2" 2>/dev/null | awk 'NF == 3 {print $3}' | sort -u >"${TMPDIR:-/tmp}/ours.$$"
bad=$(comm -23 "${TMPDIR:-/tmp}/imports.$$" "${TMPDIR:-/tmp}/ours.$$" | grep -Evx "$allow" || true)
rm -f "${TMPDIR:-/tmp}/imports.$$" "${TMPDIR:-/tmp}/ours.$$"
[ -z "$bad" ] || { echo "core imports what it may not: $bad"; exit 1; }
