#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An exported name starts with its file's name or its layer's, or with that of a private header beside it
# (service.h, post_int.h: service_stop, post_line), or stands in the file's own public header
# (election.h: phase_name).  Usage: symbols.sh OBJECT...
set -eu
bad=0
for o in "$@"; do
    file=$(basename "$o" .o); folder=$(dirname "$o"); folder=src/${folder##*src/}
    layer=$(basename "$folder")
    first=${file%%_*}
    for s in $(nm --extern-only --defined-only "$o" | awk 'NF == 3 {print $3}'); do
        case $s in "$file"|"$file"_*|"$first"_*|"$layer"_*|tly_*|main|__*) continue ;; esac
        for header in "$folder/${s%%_*}.h" "$folder/${s%%_*}_int.h"; do
            if grep -qw -- "$s" "$header" 2>/dev/null; then continue 2; fi
        done
        if grep -qw -- "$s" "include/$layer/$file.h" 2>/dev/null; then continue; fi
        echo "$o: $s is not named after $file or $layer"
        bad=1
    done
done
exit $bad
