#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every source names its licence in its first three lines; scripts parse; scripts that are run say by
# what; a document that a source names is in doc/ or at the root.  Usage: texts.sh FOLDER
set -eu
cd "$1"
bad=0
files=$(find Makefile .ci conf doc include sql src systemd tests tools -type f 2>/dev/null \
    \( -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' -o -name '*.py' -o -name '*.sql' -o -name '*.js' -o -name '*.mjs' -o -name '*.css' \
    -o -name '*.html' -o -name Makefile -o -path '*/tests/run' -o -path tests/run -o -path .ci/run \) \
    -not -path '*/corpus/*' | LC_ALL=C sort)
for f in $files; do
    if ! head -3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2\.0'; then
        echo "$f: no SPDX line in the first three"
        bad=1
    fi
    case $(head -1 "$f") in
    '#!/bin/sh'*) sh -n "$f" || bad=1 ;;
    '#!/bin/bash'* | '#!/usr/bin/env bash'*) bash -n "$f" || bad=1 ;;
    *) case $f in
        *.sh)
            sh -n "$f" || bad=1
            if [ -x "$f" ]; then
                echo "$f: may be run, but does not say by what"
                bad=1
            fi
            ;;
        esac ;;
    esac
    if grep -nH '[[:space:]]$' "$f" || grep -nHP '^(<<<<<<<|>>>>>>>) ' "$f"; then
        echo "$f: white space at the end of a line, or an unsolved merge"
        bad=1
    fi
    for name in $(grep -oE '[A-Za-z0-9_-]+\.md\>' "$f" | LC_ALL=C sort -u); do
        if ! [ -f "doc/$name" ] && ! [ -f "$name" ]; then
            echo "$f: names $name, which is not here"
            bad=1
        fi
    done
done
exit $bad
