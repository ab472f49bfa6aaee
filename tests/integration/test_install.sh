#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a packager gets from `make install`: every file in its place, paths that fit PREFIX, a unit that systemd
# takes and rates as closed, and nothing in the source tree.
. "$(dirname "$0")/lib.sh"

d=$t_dir/dest
before=$(git status --porcelain 2>/dev/null || true)
# -o all: install what is built, build nothing, since other tests run these programs meanwhile.
ok 'make install' env -u MAKEFLAGS -u MAKELEVEL make -o all CFG="$(basename "$B")" DESTDIR="$d" PREFIX=/usr install
is 'nothing in the source tree' "$(git status --porcelain 2>/dev/null || true)" "$before"
for f in usr/bin/tallyd usr/bin/tallyctl usr/bin/tallysim usr/bin/tally-signer etc/tallyd/tallyd.conf.sample usr/share/doc/tallyd/COPYING \
    usr/share/doc/tallyd/README.md usr/share/doc/tallyd/operations.md usr/lib/systemd/system/tallyd.service \
    usr/lib/systemd/system/tally-signer.service etc/tallyd/tally-signer.conf.sample usr/lib/sysusers.d/tallyd.conf; do
    ok "$f" test -s "$d/$f"
done
ok 'the installed program runs' "$d/usr/bin/tallyd" --version
for program in tallyd tally-signer; do
    ok "the installed sample of $program is one" cmp "$d/etc/tallyd/$program.conf.sample" "conf/$program.conf"
    unit=$d/usr/lib/systemd/system/$program.service
    like "the unit of $program starts what was installed" "$(cat "$unit")" "^ExecStart=/usr/bin/$program --config /etc/tallyd/$program.conf$"
    is 'no path of another prefix' "$(grep -c /usr/local "$unit")" 0
    for f in $(sed -n 's,^Documentation=file://,,p' "$unit"); do ok "the unit's $f is there" test -s "$d$f"; done
    like 'the user of the unit is made' "$(cat "$d/usr/lib/sysusers.d/tallyd.conf")" "^u $(sed -n 's/^User=//p' "$unit") "
    if command -v systemd-analyze >/dev/null; then
        # As it is, but for the paths: nothing is installed on this machine.
        sed "s,/usr/bin/,$d/usr/bin/,; s,file:///usr/,file://$d/usr/," "$unit" >"$t_dir/$program.service"
        ok 'systemd takes it' systemd-analyze verify "$t_dir/$program.service"
        ok 'and calls it closed' systemd-analyze security --offline=true --threshold=15 "$t_dir/$program.service"
    else
        skip 'systemd takes it' 'systemd-analyze is not installed'
    fi
done
if command -v systemd-sysusers >/dev/null; then
    mkdir -p "$t_dir/sysroot/etc"
    ok 'systemd makes the user' systemd-sysusers --root="$t_dir/sysroot" "$d/usr/lib/sysusers.d/tallyd.conf"
    like 'as a user of the system, without a shell' "$(cat "$t_dir/sysroot/etc/passwd")" '^tallyd:.*nologin$'
fi
done_testing
