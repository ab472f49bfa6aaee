#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing, saying which and why; quick and silent when all is
# there.  Usage: tools/bootstrap.sh [--all | --third-party] [--list]
#   --all           also what make check-all, lint and fuzz need (clang and its tools)
#   --third-party   also what tests/integration/test_third_party.sh compares us with (200 MB); it asks itself
#   --list          only prints the packages and what each is for
set -eu

packages() { # NAME REASON, one a line
    cat <<'P'
gcc                 compiles everything
libc6-dev           the C library's headers
pkg-config          tells the compiler where the libraries are
libmicrohttpd-dev   the HTTPS server
libgnutls28-dev     its TLS: client certificates are pinned in the handshake
libpq-dev           talks to PostgreSQL
libssl-dev          SHA-256, certificates, and TLS in our own clients
libjansson-dev      JSON outside the hot path
libsodium-dev       Ed25519 signatures
libsystemd-dev      tells systemd when the daemon is ready
zlib1g-dev          reads compressed recordings
postgresql-15       the database; tests and demo start a private cluster of it in the build folder
python3             converts recorded elections, and checks answers independently
python3-nacl        Ed25519 for those checks
nodejs              runs the verifier in JavaScript, and makes its page
openssl             certificates of the tests, and an independent look at ours
P
    [ "$third" = no ] || cat <<'P'
golang-go                  compiles checks of ours on the libraries of the next line
golang-golang-x-mod-dev    the Go team's reader of notes and logs: sumdb/note, sumdb/tlog
P
    # Debian's npm, unless there is another one.
    [ "$third" = no ] || command -v npm >/dev/null || echo 'npm                        brings node and fetches Sigstore'"'"'s verifier'
    [ "$all" = no ] || cat <<'P'
clang               a second compiler, and the fuzzer
libclang-rt-14-dev  the fuzzer's and the sanitizers' runtime
clang-format        the shape of the code
clang-tidy          a linter
chromium            tries the verifier's page as a person would
P
}

all=no third=no list=no
for arg in "$@"; do
    case $arg in
    --all) all=yes ;;
    --third-party) third=yes ;;
    --list) list=yes ;;
    *)
        sed -n '3,8s/^# //p' "$0" >&2
        exit 2
        ;;
    esac
done
if [ $list = yes ]; then
    packages
    exit 0
fi
if ! command -v dpkg-query >/dev/null; then
    echo "bootstrap: not a Debian system; needed are (Debian's names):" >&2
    packages >&2
    exit 0 # whoever builds elsewhere sees to it himself
fi

# Installed, or provided by another package (pkgconf for pkg-config).
has() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
missing=()
while read -r name reason; do
    if ! has "$name"; then
        [ ${#missing[@]} -gt 0 ] || echo "These Debian packages are missing and will be installed:"
        printf '  %-18s  %s\n' "$name" "$reason"
        missing+=("$name")
    fi
done <<<"$(packages)"
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    if ! command -v sudo >/dev/null; then
        echo "bootstrap: neither root nor sudo here; as root run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "Administrator's rights are needed for that: sudo may ask for your password."
fi
give_up() {
    echo "bootstrap: $1; as root run: apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
}
# Debian starts a cluster on port 5432 when PostgreSQL is installed; nobody asked for one here.
no_cluster() {
    local conf=/etc/postgresql-common/createcluster.conf
    if ! has postgresql-common && ! [ -e $conf ]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common &&
            echo 'create_main_cluster = false' | "${as_root[@]}" tee $conf >/dev/null
    fi
}
case " ${missing[*]} " in *' postgresql-15 '*) no_cluster || give_up "cannot write /etc/postgresql-common" ;; esac

apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
options=(-y --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120)
echo "Installing (a minute or two) ..."
"${apt[@]}" update >/dev/null || echo "bootstrap: the package lists could not be refreshed; trying with those at hand" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${apt[@]}" install "${options[@]}" "${missing[@]}" >"$log" 2>&1 || {
    tail -15 "$log" >&2
    give_up "apt-get failed"
}
echo "Installed."
