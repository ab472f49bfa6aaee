#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What tools/bootstrap.sh does where packages are missing, with the system's commands replaced by ones
# that only tell; installing for good is what a fresh machine does.
set -u
. "$(dirname "$0")/lib.sh"

ok 'lists packages with a reason each' sh -c "tools/bootstrap.sh --list | grep -Eq '^gcc +[a-z]'"
is 'none without a reason' "$(tools/bootstrap.sh --all --list | awk 'NF < 3')" ''
ok '--all has more' sh -c "tools/bootstrap.sh --all --list | grep -q '^clang-tidy '"
ok '--third-party has Go' sh -c "tools/bootstrap.sh --third-party --list | grep -q '^golang-go '"
is 'which is not asked for otherwise' "$(tools/bootstrap.sh --all --list | grep -c golang)" 0
is 'an unknown option: usage' "$(tools/bootstrap.sh --nonsense >/dev/null 2>&1; echo $?)" 2

bin=$t_dir/bin
mkdir "$bin"
say() { # NAME BODY: a command of this name, first in the path
    printf '#!/bin/sh\n%s\n' "$2" >"$bin/$1"
    chmod +x "$bin/$1"
}
run() { PATH="$bin:$PATH" tools/bootstrap.sh "$@" 2>&1; }
say dpkg-query 'echo installed'
say apt-get 'echo "apt-get was called"; exit 1'
is 'silent when all is there' "$(run --all)" ''

# Missing: only libpq-dev, whatever else this machine has.
say dpkg-query 'for p; do :; done; case $p in libpq-dev) echo "no such package" >&2; exit 1 ;; *) echo installed ;; esac'
say apt-get "echo \"apt-get \$*\" >>$t_dir/called"
say sudo "echo sudo >>$t_dir/called; exec \"\$@\""
said=$(run)
like 'says what and why' "$said" '^  libpq-dev +talks to PostgreSQL$'
like 'installs just that' "$(grep ' install ' "$t_dir/called")" '--no-install-recommends .* libpq-dev$'
is 'after a refresh of the lists' "$(grep -c ' update$' "$t_dir/called")" 1

say id 'if [ "$*" = -u ]; then echo 1000; else exec /usr/bin/id "$@"; fi'
rm "$t_dir/called"
like 'announces sudo when not root' "$(run)" 'sudo may ask for your password'
is 'and uses it' "$(head -1 "$t_dir/called")" sudo

say apt-get 'echo "E: no network" >&2; exit 100'
said=$(run) && said="passed: $said"
like 'a failure shows the reason' "$said" 'E: no network'
like 'and the exact command' "$said" 'as root run: .*apt-get install .*libpq-dev$'
done_testing
