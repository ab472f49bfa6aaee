#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each check of `make lint` finds the offender planted for it, and passes what is allowed.
set -u
. "$(dirname "$0")/lib.sh"
command -v gcc >/dev/null || skip_all 'gcc is not installed'
lint=$PWD/tools/lint
tree=$t_dir/tree
fresh() { # makes an empty tree and goes there
    rm -rf "$tree"
    mkdir -p "$tree/src/base" "$tree/src/core/methods" "$tree/src/sys" "$tree/src/net" "$tree/src/store" "$tree/src/api" "$tree/src/ctl" \
        "$tree/src/daemon" "$tree/include/core" "$tree/tests"
    cd "$tree" || exit 1
}
# finds NAME REGEX COMMAND...: it fails, and says what the offender is.
finds() {
    local name=$1 regex=$2 said rc=0
    shift 2
    said=$("$@" 2>&1) || rc=$?
    if [ $rc -eq 0 ]; then said='(it passed)'; fi
    like "$name" "$said" "$regex"
}

# ---- layers: FILE INCLUDE, refused or allowed
layers() { awk -f "$lint/layers.awk" "$1"; }
while read -r verdict file include; do
    fresh
    printf '#include %s\n' "$include" >"$file"
    case $verdict in
    no) finds "$file must not include $include" 'must not include' layers "$file" ;;
    yes) ok "$file may include $include" layers "$file" ;;
    esac
done <<'T'
no  src/core/x.c      "store/store.h"
no  src/core/x.c      "sys/clock.h"
no  src/core/methods/x.c "sys/clock.h"
no  src/core/x.c      "../../src/sys/file.h"
no  src/core/x.c      <time.h>
no  src/core/x.c      <stdio.h>
no  src/core/x.c      <math.h>
no  src/core/x.c      <stdatomic.h>
yes src/base/x.c      <stdatomic.h>
no  src/base/x.c      <unistd.h>
no  include/core/x.h  <stdlib.h>
no  src/base/x.c      "core/tally.h"
no  src/sys/x.c       "core/tally.h"
no  src/sys/x.c       <libpq-fe.h>
no  src/sys/x.c       <jansson.h>
no  src/net/x.c       "core/tally.h"
no  src/net/x.c       "store/store.h"
no  src/net/x.c       <libpq-fe.h>
no  src/store/x.c     "net/http.h"
no  src/store/x.c     <jansson.h>
no  src/store/x.c     <microhttpd.h>
no  src/api/x.c       <libpq-fe.h>
no  src/api/x.c       <microhttpd.h>
no  src/api/x.c       "daemon/x.h"
no  src/daemon/x.c    "ctl/x.h"
no  src/ctl/x.c       "api/x.h"
no  src/ctl/x.c       <microhttpd.h>
yes src/core/x.c      "base/bytes.h"
yes src/core/methods/x.c "../methods.h"
yes src/core/x.c      <sodium.h>
yes src/sys/x.c       <time.h>
yes src/net/x.c       "sys/log.h"
yes src/net/x.c       <microhttpd.h>
yes src/store/x.c     "core/tally.h"
yes src/store/x.c     <libpq-fe.h>
yes src/api/x.c       "net/http.h"
yes src/api/x.c       <jansson.h>
yes src/ctl/x.c       "net/client.h"
yes src/daemon/x.c    "api/x.h"
T

# ---- what the objects say
compile() { gcc -O0 -w -c -o "${1%.c}.o" "$1"; }
archive() { # BODY of src/core/x.c, into libcore.a
    fresh
    printf '%s\n' "$1" >src/core/x.c
    printf 'int tly_known(void) { return 1; }\n' >src/base/y.c
    compile src/core/x.c && compile src/base/y.c && ar rcs libcore.a src/core/x.o && ar rcs libbase.a src/base/y.o
}
for call in malloc free clock_gettime time printf getrandom open rand; do
    archive "void $call(); void x_f(void) { $call(); }"
    finds "the core calls $call" "may not: $call" "$lint/purity.sh" libcore.a libbase.a
done
archive 'extern int errno_of(void); int x_f(void) { return errno_of(); }'
finds 'the core calls what nobody has' 'may not: errno_of' "$lint/purity.sh" libcore.a libbase.a
archive 'int tly_known(void); void *memcpy(); int x_f(char *p) { memcpy(p, p + 1, 9); return tly_known(); }'
ok 'the core may call memcpy and base' "$lint/purity.sh" libcore.a libbase.a

symbols() { # FILE BODY
    fresh
    printf '%s\n' "$2" >"$1"
    compile "$1" && "$lint/symbols.sh" "${1%.c}.o"
}
finds 'an exported name of nobody' 'helper is not named' symbols src/sys/file.c 'int helper(void) { return 1; }'
finds 'an exported variable' 'counter is not named' symbols src/sys/file.c 'int counter;'
finds 'a name that only begins alike' 'filename is not named' symbols src/sys/file.c 'int filename(void) { return 1; }'
with_header() { # FILE BODY, beside src/sys/service.h
    fresh
    printf 'int service_stop(void);\n' >src/sys/service.h
    printf '%s\n' "$2" >"$1"
    compile "$1" && "$lint/symbols.sh" "${1%.c}.o"
}
ok 'a name in the private header that it begins with' with_header src/sys/stop.c 'int service_stop(void) { return 1; }'
finds 'one that is not in it' 'service_go is not named' with_header src/sys/stop.c 'int service_go(void) { return 1; }'
ok 'a name after its file' symbols src/sys/file.c 'int file_read(void) { return 1; }'
ok 'a name after its layer' symbols src/sys/sha256.c 'int sys_sha256(void) { return 1; }'
ok 'a private name' symbols src/sys/file.c 'static int helper(void) { return 1; } int file_x(void) { return helper(); }'

banned() { # CALL
    fresh
    printf 'int %s(); int x_f(void) { return %s(); }\n' "$1" "$1" >src/sys/x.c
    compile src/sys/x.c && "$lint/banned.sh" src/sys/x.o
}
for call in gets strcpy strcat sprintf strtok atoi sscanf __isoc99_sscanf gmtime localtime rand system popen mktemp strerror getenv sleep usleep \
    __strcpy_chk __sprintf_chk; do
    finds "a call of $call" "calls" banned $call
done
ok 'a call of snprintf' banned snprintf
ok 'a call of mkostemp' banned mkostemp

# ---- what the texts say
floats() {
    fresh
    printf '%s\n' "$1" >src/core/x.c
    "$lint/floats.sh" src/core/x.c
}
finds 'a double in the core' 'x.c:1:' floats 'static double share;'
finds 'a float in the core' 'x.c:1:' floats 'int f(float x);'
ok 'a word that only contains one' floats 'static int doubled, floating;'

spdx='/* SPDX-License-Identifier: Apache-2.0 */'
texts() { # NAME TEXT
    fresh
    printf '%b' "$2" >"$1"
    "$lint/texts.sh" .
}
finds 'a source without a licence line' 'src/sys/x.c: no SPDX' texts src/sys/x.c 'int x;\n'
finds 'a licence line too late' 'no SPDX' texts src/sys/x.c "\n\n\n$spdx\n"
finds 'another licence' 'no SPDX' texts src/sys/x.c '/* SPDX-License-Identifier: MIT */\n'
finds 'a script that does not parse' 'x.sh' texts tests/x.sh '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\nif true; then\n'
finds 'a bash script that does not parse' 'x.sh' texts tests/x.sh '#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\na=(\n'
finds 'a script that is sourced and does not parse' 'x.sh' texts tests/x.sh '# SPDX-License-Identifier: Apache-2.0\nf() {\n'
finds 'white space at the end of a line' 'white space' texts src/sys/x.c "$spdx\nint x; \n"
finds 'a document that is not here' 'names far\.m' texts src/sys/x.c "$spdx\n/* far.\0155d 2.2 */\nint x;\n"
with_document() {
    fresh
    mkdir -p doc
    : >doc/near.m''d
    printf '%b' "$spdx\n/* doc/near.\0155d, and why */\nint x;\n" >src/sys/x.c
    "$lint/texts.sh" .
}
ok 'a document that is here' with_document
ok 'a good source' texts src/sys/x.c "$spdx\nint x;\n"
ok 'a good script' texts tests/x.sh '#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\na=(1)\n'

# ---- clang's tools, with the settings of the tree
root=${lint%/tools/lint}
shape() { # NAME BODY
    fresh
    cp "$root/.clang-format" "$root/.clang-tidy" .
    printf '%b' "$1" >src/sys/x.c
}
if command -v clang-format >/dev/null; then
    shape 'int\nx_f(void)\n{\n    return 1;\n}\n'
    ok 'a source in shape' clang-format --dry-run -Werror src/sys/x.c
    shape 'int x_f(void) { return 1; }\n'
    finds 'a source out of shape' 'x.c:1' clang-format --dry-run -Werror src/sys/x.c
else
    skip 'shape' 'clang-format is not installed'
fi
if command -v clang-tidy >/dev/null; then
    shape 'int x_f(int a);\nint\nx_f(int a)\n{\n    if (a) return 1;\n    return 2;\n}\n'
    finds 'an if without braces' 'braces' clang-tidy --quiet src/sys/x.c --
    shape 'int camelCase(void);\nint\ncamelCase(void)\n{\n    return 1;\n}\n'
    finds 'a name in another case' 'identifier-naming' clang-tidy --quiet src/sys/x.c --
    shape "int x_f(int a);\nint\nx_f(int a)\n{\n$(printf '    a += 1;\\n%.0s' $(seq 75))    return a;\n}\n"
    finds 'a function of 77 lines' 'function-size' clang-tidy --quiet src/sys/x.c --
    shape 'int x_f(int a);\nint\nx_f(int a)\n{\n    return a;\n}\n'
    ok 'a tidy source' clang-tidy --quiet src/sys/x.c --
else
    skip 'tidiness' 'clang-tidy is not installed'
fi

# ---- a header that does not compile alone: what the Makefile does for each
cd "$root" || exit 1
mkdir -p "$t_dir/include/sys"
header() { printf '#pragma once\n%b' "$1" >"$t_dir/include/sys/planted.h" && gcc -fsyntax-only -x c "$t_dir/include/sys/planted.h"; }
finds 'a header that leans on another' 'size_t' header 'size_t planted_n(void);\n'
ok 'a header that stands alone' header '#include <stddef.h>\nsize_t planted_n(void);\n'
done_testing
