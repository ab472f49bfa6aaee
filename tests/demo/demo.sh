#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A whole election on this machine: keys and certificates, 2,000 branches, the daemon on loopback, every terminal
# sending over mutual TLS, results, a receipt checked offline, a clean stop.  Nothing is left behind.
#
#   make demo           runs it and ends            BRANCHES=500 make demo    a smaller one
#   make demo KEEP=1    stays up until Ctrl-C and prints how to look at it
set -eu
cd "$(dirname "$0")/../.."
. tests/integration/lib.sh

BRANCHES=${BRANCHES:-2000}
SEED=${SEED:-7}
KEEP=${KEEP:-}
dir=$t_dir
keys=$dir/keys
started=$(date +%s)

step() { printf '\n== %s\n' "$*"; }
ctl() { "$B/tallyctl" "$@" --url "https://localhost:$daemon_api" --ca "$keys/ca.crt" --client "$keys/clients/$viewer.pem"; }

step "1. A rehearsal election: 31 provinces, $BRANCHES branches, city and village councils, Tehran by list"
"$B/tallysim" make --branches "$BRANCHES" --seed "$SEED" "$dir"

step "2. Enrolment: certificates, signing keys, the registry, both signed by the root key"
"$B/tallysim" enrol "$dir"
"$B/tallyctl" definition check "$dir/definition"
"$B/tallyctl" registry check "$dir/registry"

step "3. Every terminal signs its bundle"
"$B/tallysim" record "$dir" -o "$dir/night.ndjson" --seed "$SEED"
ls -l "$dir/night.ndjson" | awk '{printf "recorded: %.1f MB\n", $5 / 1e6}'

step "4. A private PostgreSQL, the schema, the genesis entry"
pg_start --fsync
"$B/tallyctl" migrate --database "$pg_conn"
"$B/tallyctl" election open "$dir/definition" "$dir/registry" --root-key "$keys/root.key" --database "$pg_conn"

step "5. The signer, which alone holds the log's key, and the daemon, on loopback"
viewer=$(basename "$(ls "$keys"/clients/auditor*.pem | head -1)" .pem)
write_config "$dir" "$dir/tallyd.conf"
echo "log $("$B/tally-signer" --config "$dir/tallyd.conf.signer" --vkey) (process $signer_pid)"
start_daemon "$dir/tallyd.conf"
echo "ingest https://localhost:$daemon_ingest, api https://localhost:$daemon_api (process $daemon_pid)"

step "6. The night: $BRANCHES terminals, each over mutual TLS with its own certificate"
"$B/tallysim" replay "$dir/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$keys" \
    --fresh --connections 16 --receipts "$dir/receipts.ndjson"

step "7. Results"
wait_for 60 sh -c "[ \"\$('$B/tallyctl' status --json --url https://localhost:$daemon_api --ca '$keys/ca.crt' \
    --client '$keys/clients/$viewer.pem' | sed 's/.*\"published\": *\([0-9]*\).*/\1/')\" = $((BRANCHES + 1)) ]"
ctl status
ctl results >"$dir/results.txt"
echo
head -12 "$dir/results.txt"
echo "... $(wc -l <"$dir/results.txt") lines: tallyctl results"
echo
ctl results --contest "$(awk '$2 == "list_ir" {print $1; exit}' "$dir/results.txt")" >"$dir/tehran.txt"
head -40 "$dir/tehran.txt"
echo "..."

step "8. One receipt, checked offline with the log's public key"
head -1 "$dir/receipts.ndjson" | /usr/bin/python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["receipt"])' >"$dir/first.tlog-proof"
"$B/tallyctl" receipt check "$dir/first.tlog-proof" --log-key "$keys/log.key"

if [ -n "$KEEP" ]; then
    cat <<EOF

It stays up until Ctrl-C.  In another terminal:
  export TALLY_URL=https://localhost:$daemon_api TALLY_CA=$keys/ca.crt TALLY_CLIENT=$keys/clients/$viewer.pem
  $B/tallyctl status
  $B/tallyctl results
  $B/tallyctl branches --status silent
  curl --cacert $keys/ca.crt --cert $keys/clients/$viewer.pem https://localhost:$daemon_api/v1/election
  curl http://127.0.0.1:$daemon_ops/metrics
  psql '$pg_conn'
The published folder, which any web server can offer: $dir/log
  /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory $dir/log 8000
EOF
    wait "$daemon_pid" || true
fi

step "9. A clean stop"
stop_daemon
stop_signer
echo "tallyd ended with $daemon_rc, tally-signer with $signer_rc, after $(($(date +%s) - started)) seconds in all"
[ "$daemon_rc" -eq 0 ] && [ "$signer_rc" -eq 0 ]
