#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs that are not ours agree: the Go team's sumdb libraries read a running daemon's published folder and its
# receipts, and cosign what our courier brings; Sigstore's verifier checks receipts and every kind of envelope (TAP).
# Go comes from Debian, Sigstore's packages from npm; without them this skips.  Timeout: 900 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
there=$B/third_party # kept: nothing in it is made twice
log=$t_dir/log cos=$t_dir/cosignatures
mkdir -p "$there"

# ---- what is not ours ----
go_library=/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog
all_here() { command -v go && command -v node && command -v npm && [ -d $go_library ]; }
may_install() { [ "$(id -u)" = 0 ] || sudo -n true; }
if ! all_here >/dev/null && may_install 2>/dev/null; then
    (
        flock 9
        tools/bootstrap.sh --third-party 2>&1 | sed 's/^/# /'
    ) 9>"$there/lock" || true
fi
go=no
if command -v go >/dev/null && [ -d $go_library ]; then
    go=yes
    build_go() {
        GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$there/go-cache GOFLAGS='' CGO_ENABLED=0 \
            go build -o "$there/log" tests/third_party/log.go tests/third_party/witness.go
    }
    ok 'Go builds our checks on golang.org/x/mod/sumdb' build_go
fi
npm=no
install_npm() {
    cp tests/third_party/package.json tests/third_party/package-lock.json "$there/"
    (cd "$there" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund) >"$t_dir/npm.out" 2>&1
}
if command -v node >/dev/null && command -v npm >/dev/null; then
    lock=$(cat tests/third_party/package-lock.json)
    if [ "$lock" = "$(cat "$there/installed" 2>/dev/null)" ]; then
        npm=yes
    elif install_npm; then
        printf '%s\n' "$lock" >"$there/installed"
        npm=yes
    else
        sed 's/^/# /' "$t_dir/npm.out"
    fi
    cp tests/third_party/envelopes.mjs "$there/"
fi
is 'the list of npm packages names no server' \
    "$(grep '"resolved"' tests/third_party/package-lock.json | grep -cv '"https://registry\.npmjs\.org/')" 0
if [ $go = no ] && [ $npm = no ]; then
    skip 'other programs agree' 'neither Go with golang-golang-x-mod-dev nor npm with a registry is here'
    done_testing
fi

# ---- a night with a decision, published and witnessed ----
# A program that goes on until it is ended: NAME PATTERN COMMAND...
begin() {
    begin_said=$t_dir/$1.said begin_until=$2
    shift 2
    : >"$begin_said"
    setpriv --pdeathsig KILL -- "$@" >>"$begin_said" 2>&1 </dev/null &
    at_exit "kill $! 2>/dev/null || true"
    wait_for 60 grep -q "$begin_until" "$begin_said" || { sed 's/^/# /' "$begin_said"; return 1; }
}
quietly "$B/tallysim" make --branches 600 --seed 11 "$t_dir"
quietly "$B/tallysim" enrol "$t_dir"
quietly "$B/tallysim" record "$t_dir" -o "$t_dir/night.ndjson" --seed 5
open_election "$t_dir"

mkdir -p "$t_dir/ours/state" "$cos"
quietly "$B/tallyctl" key new "$t_dir/ours/witness.key"
printf 'name = ours.example/witness\nport = 0\n' >"$t_dir/ours/conf"
vkey_ours=$("$B/tally-witness" --config "$t_dir/ours/conf" --print-vkey)
write_config "$t_dir" "$t_dir/tallyd.conf"
origin=$(sed -n 's/^origin = //p' "$t_dir/tallyd.conf.signer")
vkey=$("$B/tally-signer" --config "$t_dir/tallyd.conf.signer" --vkey)
like "the signer's vkey is of this log" "$vkey" "^$origin\+"
witnesses="$vkey_ours"
printf 'witness ours %s\n' "$vkey_ours" >"$t_dir/witnesses"
if [ $go = yes ]; then
    is 'Go: our vkey is one' "$("$there/log" vkey "$vkey")" "$origin"
    begin go '^ready ' "$there/log" witness "$vkey" go.example/witness
    go_port=$(sed -n 's/^ready \([0-9]*\) .*/\1/p' "$t_dir/go.said") vkey_go=$(sed -n 's/^ready [0-9]* //p' "$t_dir/go.said")
    witnesses="$witnesses $vkey_go"
    printf 'witness go %s\n' "$vkey_go" >>"$t_dir/witnesses"
fi
echo 'quorum none' >>"$t_dir/witnesses"
write_config "$t_dir" "$t_dir/tallyd.conf" "publish = $log" "publish_policy = $t_dir/witnesses" "cosignatures = $cos" \
    'publish_interval = 100ms'
start_daemon "$t_dir/tallyd.conf"
is 'the published policy has that vkey' "$(sed -n 's/^log //p' "$log/policy")" "$vkey"
printf 'log %s\nquorum none\n' "$vkey" >"$t_dir/ours/logs"
begin ours '^<5>witness.ready' "$B/tally-witness" --config "$t_dir/ours/conf"
ours_port=$(sed -n 's/^<5>witness\.ready port=\([0-9]*\).*/\1/p' "$t_dir/ours.said")
{
    printf 'log %s\nwitness ours %s http://127.0.0.1:%s\n' "$vkey" "$vkey_ours" "$ours_port"
    if [ $go = yes ]; then printf 'witness go %s http://127.0.0.1:%s\n' "$vkey_go" "$go_port"; fi
    echo 'quorum none'
} >"$t_dir/courier.policy"
printf 'log = %s\npolicy = %s\ncosignatures = %s\ninterval = 50ms\n' "$log" "$t_dir/courier.policy" "$cos" >"$t_dir/courier.conf"
begin courier '^<5>courier.ready' "$B/tally-courier" --config "$t_dir/courier.conf"

replay() {
    quietly "$B/tallysim" replay "$t_dir/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" \
        --rate 200 --receipts "$t_dir/receipts.ndjson"
}
ok 'a night' replay
export TALLY_URL="https://localhost:$daemon_api" TALLY_CA="$t_dir/keys/ca.crt" TALLY_CLIENT="$t_dir/keys/clients/officer.pem"
decision() {
    contest=$(sed -n '$s/,.*//p' "$t_dir/definition/candidates.csv")
    candidate=$(sed -n '$s/[^,]*,\([^,]*\),.*/\1/p' "$t_dir/definition/candidates.csv")
    "$B/tallyctl" decide exclude "$contest" "$candidate" --reason r --key "$t_dir/keys/officers/commission1.key" \
        --to "$t_dir/decision" &&
        "$B/tallyctl" cosign "$t_dir/decision" --key "$t_dir/keys/officers/supervision1.key" &&
        "$B/tallyctl" post "$t_dir/decision" >"$t_dir/decided.tlog-proof"
}
ok 'a decision of two officers' decision
"$python" -c 'import json, sys; print(json.dumps({"receipt": open(sys.argv[1]).read()}))' "$t_dir/decided.tlog-proof" >>"$t_dir/receipts.ndjson"
size=$(pg_sql 'SELECT count(*) FROM tally.ledger')
# shellcheck disable=SC2086 # a list of vkeys
cosigned() { "$python" -B tests/integration/cosigned.py "$log/checkpoint" $witnesses | grep -q "^$size ours"; }
ok 'all of it is published, and cosigned' wait_for 60 cosigned
ok 'our reader takes the folder' "$python" -B tests/third_party/published.py "$t_dir" "$log" "$t_dir"

# A check that says what it looked at.
agrees() { # NAME WANT COMMAND...
    agrees_name=$1 agrees_want=$2
    shift 2
    agrees_rc=0
    "$@" >"$t_dir/agrees" 2>&1 || agrees_rc=$?
    like "$agrees_name" "$agrees_rc: $(tail -3 "$t_dir/agrees")" "^0: $agrees_want"
    note "$(tail -3 "$t_dir/agrees")"
}

# ---- Go ----
entries=$size receipts=$(wc -l <"$t_dir/receipts.ndjson")
if [ $go = yes ]; then
    # shellcheck disable=SC2086
    agrees 'Go: note.Open takes the checkpoint with both cosignatures' "size $entries, 3 signatures; refused" \
        "$there/log" checkpoint "$log" "$vkey" $witnesses
    agrees 'Go: tlog.CheckRecord takes every receipt' "$receipts receipts$" \
        "$there/log" inclusion "$log" "$vkey" "$t_dir/receipts.ndjson"
    agrees 'Go: tlog.CheckTree takes every pair of heads' '[0-9]+ heads, [0-9]+ pairs$' \
        "$there/log" consistency "$log" "$vkey" "$t_dir/receipts.ndjson"
    agrees 'Go: tlog.TileHashReader reads every entry' "$entries entries, [0-9]+ tiles$" "$there/log" tiles "$log" "$vkey"
    grown=$(grep -c '^from [1-9][0-9]* to [0-9]*, [1-9][0-9]* hashes' "$t_dir/go.said" || true)
    like "Go: tlog.CheckTree takes our courier's proofs" "$grown" '^([3-9]|[1-9][0-9]+)$'
    note "$grown proofs of our courier"
    # Another log's key, and a folder whose newest entry was changed.
    wrong=$(printf '%s' "$vkey" | sed "s|^$origin|$origin.other|")
    ok 'Go: another vkey is refused' sh -c '! "$@" >/dev/null' - "$there/log" checkpoint "$log" "$wrong"
    cp -r "$log" "$t_dir/changed"
    changed=$(find "$t_dir/changed/tile/entries" -name "$((size % 256))" -path '*.p/*' | head -1)
    printf 'X' | dd of="$changed" bs=1 seek=40 conv=notrunc 2>/dev/null
    ok 'Go: a folder with one letter changed is refused' sh -c '! "$@" >/dev/null' - "$there/log" tiles "$t_dir/changed" "$vkey"
else
    skip 'Go: sumdb/note and sumdb/tlog' 'golang-go and golang-golang-x-mod-dev are not installed'
fi

# ---- Sigstore ----
if [ $npm = yes ]; then
    agrees 'Sigstore: every bundle of the folder' '600 envelopes, 600 signatures$' \
        node "$there/envelopes.mjs" dsse application/vnd.tally.bundle.v1+json "$t_dir/keys.txt" "$t_dir/bundles.ndjson"
    agrees 'Sigstore: the decision, both officers' '1 envelopes, 2 signatures$' \
        node "$there/envelopes.mjs" dsse application/vnd.tally.decision.v1+json "$t_dir/keys.txt" "$t_dir/decisions.ndjson"
    agrees 'Sigstore: definition and registry' '2 envelopes, 2 signatures$' \
        node "$there/envelopes.mjs" dsse application/vnd.tally.package.v1+json "$t_dir/keys.txt" \
        "$log/doc/definition/signatures.dsse" "$log/doc/registry/signatures.dsse"
    agrees 'Sigstore: checkpoint and path of every receipt' "$receipts receipts$" \
        node "$there/envelopes.mjs" inclusion "$vkey" "$t_dir/receipts.ndjson"
    ok 'Sigstore: another log is refused' sh -c '! "$@" >/dev/null 2>&1' - \
        node "$there/envelopes.mjs" inclusion "$vkey_ours" "$t_dir/receipts.ndjson"
else
    skip 'Sigstore: @sigstore/verify' 'npm is not installed, or reaches no registry'
fi
stop_daemon
is 'a clean stop' "$daemon_rc" 0
done_testing
