#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Functions nobody may call, found in the objects rather than in the text.  Usage: banned.sh OBJECT...
set -eu
banned='gets|strcpy|strcat|strncat|strncpy|sprintf|vsprintf|strtok|atoi|atol|atof|sscanf|gmtime|localtime|ctime|rand|random|srand|system|popen|tmpnam|mktemp|alloca|strerror|getenv|sleep|usleep'
bad=0
for o in "$@"; do
    hit=$(nm -u "$o" | awk '{print $NF}' | sed 's/^__isoc99_//; s/_chk$//; s/^__//' | grep -Ex "$banned" || true)
    [ -z "$hit" ] || { echo "$o: calls $hit"; bad=1; }
done
exit $bad
