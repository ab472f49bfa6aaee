# SPDX-License-Identifier: Apache-2.0
# Sourced first by every integration test (sh): goes to the repository's root, TAP, waiting, a database,
# a daemon.  $B is the build folder, $t_dir a folder of the test's own, both gone or clean afterwards.
#
#   . "$(dirname "$0")/lib.sh"
#   ok NAME COMMAND...            is NAME GOT WANT            like NAME TEXT REGEX (extended)
#   skip NAME REASON              skip_all REASON             done_testing (the last line)
#   wait_for SECONDS COMMAND...   polls until it succeeds; false when the time is over: at least 60, so that only a
#                                 fault takes so long, never a busy machine
#   free_port                     then $port: of 127.0.0.1, and it stays free until the test ends
#   write_config DIR CONFIG [LINE]...   settings for the election that enrol made in DIR, any free ports, $pg_daemon_conn;
#                                 a client of a busy machine is not cut for being slow
#                                 its signer's in CONFIG.signer, which is made for a new log and started
#   start_daemon CONFIG           then $daemon_pid, $daemon_ingest $daemon_api $daemon_ops (ports), $daemon_log
#   stop_daemon [SIGNAL]          TERM unless told; waits; then $daemon_rc
#   new_log CONFIG                its signer and its published folder forget: for a database that is opened anew
#   start_signer CONFIG.signer    then $signer_pid, $signer_log; start_daemon does it when it does not run
#   stop_signer [SIGNAL]          then $signer_rc
# and everything of pg.sh.

cd "$(dirname "$0")/../.." || exit 1
. tests/integration/pg.sh

export LC_ALL=C
TALLY_SHARED=${TALLY_SHARED:-../shared}
if [ -d "$TALLY_SHARED" ]; then TALLY_SHARED=$(cd "$TALLY_SHARED" && pwd); fi
export TALLY_SHARED
python=/usr/bin/python3 # Debian's own: it sees Debian's modules

mkdir -p "$B"
B=$(cd "$B" && pwd)
t_run=0 t_bad=0
t_dir=$(mktemp -d "$B/t.XXXXXX")
at_exit 'rm -rf "$t_dir"'

# ---- TAP ----------------------------------------------------------------------------------------------
t_result() { # RC NAME
    t_run=$((t_run + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $t_run - $2"
    else
        t_bad=$((t_bad + 1))
        echo "not ok $t_run - $2"
        return 1
    fi
}
note() { printf '%s\n' "$*" | sed 's/^/# /'; }
# A failed test is remembered, never an exit by `set -e`: these all return 0.
ok() {
    t_name=$1
    shift
    t_rc=0
    "$@" >"$t_dir/ok.out" 2>&1 || t_rc=$?
    t_result "$t_rc" "$t_name" || { note "exit $t_rc of: $*"; tail -40 "$t_dir/ok.out" | sed 's/^/# /'; }
}
is() {
    t_rc=0
    [ "$2" = "$3" ] || t_rc=1
    t_result $t_rc "$1" || { note "got:  $2"; note "want: $3"; }
}
like() {
    t_rc=0
    printf '%s\n' "$2" | grep -Eq -- "$3" || t_rc=1
    t_result $t_rc "$1" || { note "got:  $2"; note "want: $3"; }
}
skip() {
    t_run=$((t_run + 1))
    echo "ok $t_run - $1 # SKIP $2"
}
skip_all() {
    skip "$(basename "$0" .sh)" "$1"
    done_testing
}
done_testing() {
    echo "1..$t_run"
    [ "$t_bad" -eq 0 ] || exit 1
    exit 0
}

wait_for() { # SECONDS COMMAND...
    t_until=$(($(date +%s%3N) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$(date +%s%3N)" -ge "$t_until" ]; then return 1; fi
        sleep 0.02
    done
}

# For who must come back at the same place.  A port that the system gave to somebody who asked for any may be given away
# again while its daemon is down; these are below those (32768), and a folder says to other tests that it is taken.
free_port() {
    while :; do
        port=$((10000 + $(od -An -N2 -tu2 /dev/urandom) % 20000))
        t_taken=${TMPDIR:-/tmp}/tally-port.$port
        mkdir "$t_taken" 2>/dev/null || continue
        at_exit "rmdir '$t_taken'"
        if "$python" -c "import socket; socket.socket().bind(('127.0.0.1', $port))" 2>/dev/null; then return 0; fi
    done
}

# ---- the daemon -----------------------------------------------------------------------------------------
daemon_pid='' daemon_rc='' daemon_starts=0
daemon_wait_s=60
at_exit 'stop_daemon KILL'

daemon_said() { grep -q "$1" "$daemon_log"; }
daemon_ready() { daemon_said '^<5>daemon.ready ' || pg_gone "$daemon_pid"; }
daemon_port() { sed -n "s/^<5>daemon\.ready .*\<$1=\([0-9]*\).*/\1/p" "$daemon_log" | head -1; }

# ---- the signer -----------------------------------------------------------------------------------------
signer_pid='' signer_rc='' signer_starts=0 signer_config='' signer_sockets=''
at_exit 'stop_signer KILL; rm -rf $signer_sockets'

signer_said() { grep -q "$1" "$signer_log"; }
signer_settled() { signer_said '^<5>signer.ready ' || pg_gone "$signer_pid"; }

# The address of a unix socket holds 107 bytes.
signer_socket() { # CONFIG.signer
    signer_at=$1.socket
    if [ "${#signer_at}" -gt 100 ]; then
        signer_at=$(mktemp -d "${TMPDIR:-/tmp}/tally-signer.XXXXXX")
        signer_sockets="$signer_sockets $signer_at"
        signer_at=$signer_at/socket
    fi
}

write_signer_config() { # DIR CONFIG.signer: with the key that enrol made, for the log of its definition
    signer_socket "$2"
    cat >"$2" <<EOF
socket = $signer_at
client = $(id -u)
key = $1/keys/log.key
state = $2.state
origin = $("$python" -c 'import json, sys; e = json.load(open(sys.argv[1])); print(e["domain"], e["election"], e["phase"], sep="/")' \
        "$1/definition/election.json")
EOF
}

start_signer() { # CONFIG.signer
    stop_signer
    signer_config=$1
    signer_starts=$((signer_starts + 1))
    signer_log=$t_dir/tally-signer.$signer_starts.log
    : >"$signer_log"
    setpriv --pdeathsig KILL -- "$B/tally-signer" --config "$1" >>"$signer_log" 2>&1 </dev/null &
    signer_pid=$!
    if ! wait_for $daemon_wait_s signer_settled || ! signer_said '^<5>signer.ready '; then
        note "tally-signer is not ready"
        tail -40 "$signer_log" | sed 's/^/# /'
        stop_signer KILL
        return 1
    fi
}

stop_signer() { # [SIGNAL]
    if [ -z "$signer_pid" ]; then return 0; fi
    kill -s "${1:-TERM}" "$signer_pid" 2>/dev/null || true
    signer_rc=0
    wait "$signer_pid" 2>/dev/null || signer_rc=$?
    signer_pid=''
}

new_log() { # CONFIG
    stop_signer
    rm -f "$1.signer.state"
    rm -rf "$(dirname "$1")/log"
    "$B/tally-signer" --config "$1.signer" --init >/dev/null
    start_signer "$1.signer"
}

write_config() { # DIR CONFIG [LINE]...
    t_config=$2
    stop_signer
    write_signer_config "$1" "$2.signer"
    [ -f "$2.signer.state" ] || "$B/tally-signer" --config "$2.signer" --init >/dev/null
    start_signer "$2.signer"
    cat >"$t_config" <<EOF
database = $pg_daemon_conn
journal = $1/journal
journal_size = 24M
definition = $1/definition
registry = $1/registry
root_keys = $1/keys/root.key
signer = $signer_at
server_cert = $1/keys/server.crt
server_key = $1/keys/server.key
ingest.address = 127.0.0.1
ingest.port = 0
api.address = 127.0.0.1
api.port = 0
ops.port = 0
handshake_timeout = 600s
head_timeout = 600s
idle_timeout = 600s
EOF
    shift 2
    for t_line in "$@"; do printf '%s\n' "$t_line" >>"$t_config"; done
}

start_daemon() { # CONFIG
    if [ -f "$1.signer" ] && { [ -z "$signer_pid" ] || [ "$signer_config" != "$1.signer" ]; }; then
        start_signer "$1.signer" || return 1
    fi
    daemon_starts=$((daemon_starts + 1))
    daemon_log=$t_dir/tallyd.$daemon_starts.log
    : >"$daemon_log"
    setpriv --pdeathsig KILL -- "$B/tallyd" --config "$1" >>"$daemon_log" 2>&1 </dev/null &
    daemon_pid=$!
    if ! wait_for $daemon_wait_s daemon_ready || ! daemon_said '^<5>daemon.ready '; then
        note "tallyd is not ready"
        tail -40 "$daemon_log" | sed 's/^/# /'
        stop_daemon KILL
        return 1
    fi
    daemon_ingest=$(daemon_port ingest) daemon_api=$(daemon_port api) daemon_ops=$(daemon_port ops)
}

stop_daemon() { # [SIGNAL]
    if [ -z "$daemon_pid" ]; then return 0; fi
    kill -s "${1:-TERM}" "$daemon_pid" 2>/dev/null || true
    daemon_rc=0
    wait "$daemon_pid" 2>/dev/null || daemon_rc=$?
    daemon_pid=''
}
