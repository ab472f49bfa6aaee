#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The guides are true: every ```sh block of doc/operations.md and doc/observers.md runs as it is written, in order,
# in a folder of its own, and a daemon is started where operations.md says so.  Only the guide's port numbers are
# changed, to ones that are free here, and https://log.example is a plain server of the folder that the daemon
# publishes.  Timeout: 600 s.
. "$(dirname "$0")/lib.sh"

command -v curl >/dev/null || skip_all 'curl is not installed'
root=$(pwd)
PATH=$B:$PATH
cd "$t_dir" || exit 1
pg_start --fsync
OWNER=$pg_conn DAEMON=$pg_daemon_conn
export OWNER DAEMON PATH

free_ports=
for _ in 1 2 3 4; do
    free_port
    free_ports="$free_ports $port"
done
ports() { # ports of the guide to free ones
    # shellcheck disable=SC2086
    set -- $free_ports
    sed "s/18443/$1/g; s/18444/$2/g; s/19464/$3/g; s|https://log\.example|http://127.0.0.1:$4|g"
}

# The n-th block of a guide into a file; empty when there is none.
block() { # GUIDE N
    awk -v want="$2" '/^```sh$/ {n++; on = n == want; next} /^```/ {on = 0} on' "$root/doc/$1" | ports >"$t_dir/block.sh"
    [ -s "$t_dir/block.sh" ]
}
# Signer and daemon of operations.md, once their settings are there; ports are those of the guide.
start_guide_daemon() {
    if [ -z "$signer_pid" ] && [ -f rehearsal/signer.conf ]; then start_signer rehearsal/signer.conf || return 1; fi
    if [ -z "$daemon_pid" ] && [ -f rehearsal/tallyd.conf ]; then start_daemon rehearsal/tallyd.conf; fi
}
run_guide() { # GUIDE BLOCKS
    n=0
    while block "$1" $((n + 1)); do
        n=$((n + 1))
        ok "$1, block $n: $(sed -n '1s/ .*//p' block.sh)" sh -eu ./block.sh
        # What a block exports is for the blocks behind it, as in one terminal.
        eval "$(grep '^export ' block.sh)"
        start_guide_daemon || ok 'the daemon starts' false
    done
    is "blocks of $1" "$n" "$2"
}

run_guide operations.md 10
setpriv --pdeathsig KILL -- "$python" -m http.server --bind 127.0.0.1 --directory rehearsal/log "${free_ports##* }" \
    >served 2>&1 </dev/null &
at_exit "kill $! 2>/dev/null || true"
served() { curl -sf "http://127.0.0.1:${free_ports##* }/checkpoint"; }
ok 'the folder is served as any web server would' wait_for 60 served
run_guide observers.md 10
openssl pkey -in rehearsal/keys/log.key -pubout -out expected.pub
ok "the policy's key is the log's" cmp expected.pub log.pub
cp first.tlog-proof kept.tlog-proof
# A receipt of another entry, root or path, in the guide's own words.
n=0
while block observers.md $((n + 1)) && ! grep -q 'it is in the ledger' block.sh; do n=$((n + 1)); done
refused() { sed "$1" kept.tlog-proof >first.tlog-proof && ! cmp -s first.tlog-proof kept.tlog-proof && ! sh -eu ./block.sh; }
ok 'the recipe refuses another place' refused 's/^index .*/index 0/'
ok 'another entry' refused 's/^extra dGFs/extra dGFt/'
ok 'another path' refused '4{s/^A/B/;t;s/^./A/}'
ok 'a shorter path' refused 4d
cp kept.tlog-proof first.tlog-proof
ok 'and takes the right one' sh -eu ./block.sh
get() { curl -s --cacert "$TALLY_CA" --cert "$TALLY_CLIENT" "$TALLY_URL$1"; }
like 'what there is not: no such path, and where it might be' "$(get /v1/bundles)" '"status":404,"detail":"no such path on this port'
like 'no such contest' "$(get /v1/contests/none)" '"status":404,"detail":"no such contest"'
like 'no such contest, in its tables' "$(get /v1/contests/none/areas)" '"status":404,"detail":"no such contest"'
like 'no such area' "$(get /v1/areas/none)" '"status":404,"detail":"no such area"'
like 'no such branch' "$(get /v1/branches/none)" '"status":404,"detail":"no such branch"'
like 'no such revision' "$(get /v1/branches/b000001/bundles/7)" '"status":404,"detail":"no such bundle'
like 'a method that is not offered' "$(curl -s -X DELETE --cacert "$TALLY_CA" --cert "$TALLY_CLIENT" "$TALLY_URL/v1/election")" '"status":405,"detail":"this path takes '
# Readers see a snapshot, which follows the ledger within a quarter of a second.
wait_for 60 sh -c 'tallyctl branches --status silent | grep -q "^0 branches"' || note 'the snapshot does not follow'
like 'silent branches: none after the night' "$(tallyctl branches --status silent 2>&1)" '^0 branches'
ok 'a receipt of another log is refused, and why' sh -c 'tallyctl key new other.key >/dev/null
    ! tallyctl receipt check first.tlog-proof --log-key other.key 2>&1 | tee said | grep -q good && grep -q "not signed by this key as tally" said'
printf 'x' >>first.tlog-proof
ok 'a receipt with one byte more is refused' sh -c '! tallyctl receipt check first.tlog-proof --log-key rehearsal/keys/log.key'
cd "$root" || exit 1
stop_daemon
is 'clean stop' "$daemon_rc" 0
done_testing
