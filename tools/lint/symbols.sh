#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An exported name starts with its file's name or its layer's, or stands in the file's own header
# (election.h: phase_name).  Usage: symbols.sh OBJECT...
set -eu
bad=0
for o in "$@"; do
    file=$(basename "$o" .o); layer=$(basename "$(dirname "$o")")
    first=${file%%_*}
    for s in $(nm --extern-only --defined-only "$o" | awk 'NF == 3 {print $3}'); do
        case $s in "$file"|"$file"_*|"$first"_*|"$layer"_*|tly_*|main|__*|param_*|result_*) ;;
        *) grep -qw -- "$s" "include/$layer/$file.h" 2>/dev/null || {
               echo "$o: $s is not named after $file or $layer"; bad=1; } ;;
        esac
    done
done
exit $bad
