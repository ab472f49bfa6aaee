#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Packages from the command line: hashes that coreutils recompute, keys and signatures that openssl reads,
# every fault with file, line and column, exit codes.
set -eu
. "$(dirname "$0")/lib.sh"

ctl=$B/tallyctl sim=$B/tallysim e=$t_dir/e
definition=$e/definition registry=$e/registry
exits() { # NAME CODE COMMAND...: output in $out
    e_name=$1 e_want=$2
    shift 2
    e_rc=0
    out=$("$@" 2>&1) || e_rc=$?
    is "$e_name (exit $e_want)" "$e_rc" "$e_want" || note "$out"
}
sums() { (cd "$1" && sha256sum $2) | sha256sum | cut -d' ' -f1; }

ok 'make' $sim make --branches 200 --seed 5 "$e"
ok 'enrol' $sim enrol "$e"

# ---- good packages ------------------------------------------------------------------------------------
exits 'definition check' 0 $ctl definition check "$definition"
like 'counts' "$out" '^branches +200$'
d_files='areas.csv ballots.csv branches.csv candidates.csv contests.csv election.json lists.csv'
d_hash=$(sums "$definition" "$d_files")
like 'coreutils recompute the hash' "$out" "^hash +$d_hash\$"
exits 'registry check' 0 $ctl registry check "$registry"
r_hash=$(sums "$registry" 'clients.csv officers.csv terminals.csv')
like 'coreutils recompute the hash of the registry' "$out" "^hash +$r_hash\$"
json=$($ctl definition check "$definition" --json)
is '--json' "$(printf '%s' "$json" | /usr/bin/python3 -c 'import json,sys
d = json.load(sys.stdin)
print(d["ok"], d["hash"], d["counts"]["branches"], d["faults_n"], d["faults"])')" "True $d_hash 200 0 []"
cp -r "$registry" "$t_dir/alone"
exits 'a registry away from its definition' 2 $ctl registry check "$t_dir/alone"
exits 'is told where that is' 0 $ctl registry check "$t_dir/alone" --definition "$definition"
# A quote that is never closed swallows the rest of the file: one fault, not one for each contest behind it.
cp -r "$definition" "$t_dir/quote"
sed -i '5s/,[^,]*$/,"x/' "$t_dir/quote/candidates.csv"
exits 'a quote never closed' 1 $ctl definition check "$t_dir/quote"
is 'is one fault' "$(printf '%s\n' "$out" | sed "s,$t_dir/,,; s/:5:[0-9]*:/:5:/")" 'quote/candidates.csv:5: the quote that opens here is never closed
1 fault'

# ---- keys and signatures by openssl -------------------------------------------------------------------
root=$e/keys/root.key
like 'openssl reads the root key' "$(openssl pkey -in "$root" -noout -text)" 'ED25519 Private-Key'
openssl pkey -in "$root" -pubout -out "$t_dir/root.pub"
is 'key public agrees with openssl' "$($ctl key public "$root")" \
    "$(openssl pkey -in "$root" -pubout -outform DER | tail -c 32 | od -An -tx1 | tr -d ' \n')"
is 'and reads what openssl wrote' "$($ctl key public "$t_dir/root.pub")" "$($ctl key public "$root")"
exits 'key public -o' 0 $ctl key public "$root" -o "$t_dir/root2.pub"
ok 'is what openssl writes' cmp "$t_dir/root.pub" "$t_dir/root2.pub"
openssl genpkey -algorithm ed25519 -out "$t_dir/theirs.key"
chmod 600 "$t_dir/theirs.key"

dsse_part() { /usr/bin/python3 - "$1" "$t_dir" <<'PY'
import base64, json, sys
envelope = json.load(open(sys.argv[1]))
payload = base64.b64decode(envelope["payload"], validate=True)
kind = envelope["payloadType"].encode()
open(sys.argv[2] + "/pae", "wb").write(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
for i, signature in enumerate(envelope["signatures"]):
    open(f"{sys.argv[2]}/sig{i}", "wb").write(base64.b64decode(signature["sig"], validate=True))
body = json.loads(payload)
print(body["package"], body["election"], body["hash"], len(envelope["signatures"]))
PY
}
verifies() { openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$t_dir/pae" -sigfile "$2"; }
is 'what the registry is signed with' "$(dsse_part "$registry/signatures.dsse")" "registry ir-rehearsal-5 $r_hash 1"
ok 'openssl verifies it' verifies "$t_dir/root.pub" "$t_dir/sig0"
exits 'sign with another key, made by openssl' 0 $ctl sign "$definition" --key "$t_dir/theirs.key"
is 'prints the hash' "$out" "$d_hash"
is 'two signatures' "$(dsse_part "$definition/signatures.dsse")" "definition ir-rehearsal-5 $d_hash 2"
openssl pkey -in "$t_dir/theirs.key" -pubout -out "$t_dir/theirs.pub"
ok 'openssl verifies the first' verifies "$t_dir/root.pub" "$t_dir/sig0"
ok 'openssl verifies the second' verifies "$t_dir/theirs.pub" "$t_dir/sig1"
crossed=refused
if verifies "$t_dir/root.pub" "$t_dir/sig1" >/dev/null 2>&1; then crossed=accepted; fi
is 'not by the other key' "$crossed" refused
exits 'the hash does not depend on signatures' 0 $ctl definition check "$definition"
like 'the same' "$out" "^hash +$d_hash\$"

exits 'no key given' 2 $ctl sign "$definition"
exits 'a key that is not there' 2 $ctl sign "$definition" --key "$t_dir/none.key"
chmod 644 "$t_dir/theirs.key"
exits 'a key that others can read' 2 $ctl sign "$definition" --key "$t_dir/theirs.key"
like 'says what to do' "$out" 'chmod 600'
exits 'a public key does not sign' 2 $ctl sign "$definition" --key "$t_dir/theirs.pub"
exits 'key new' 0 $ctl key new "$t_dir/new.key"
is 'its mode' "$(stat -c %a "$t_dir/new.key")" 600
is 'prints its public half' "$out" "$($ctl key public "$t_dir/new.key")"
exits 'never overwrites' 1 $ctl key new "$t_dir/new.key"

# ---- certificates --------------------------------------------------------------------------------------
ca=$t_dir/ca
ok 'pki ca' $ctl pki ca "$ca"
exits 'never overwrites an authority' 1 $ctl pki ca "$ca"
exits 'pki issue, a server' 0 $ctl pki issue "$ca" srv --hosts localhost,127.0.0.1,::1 -o "$t_dir/srv"
is 'its fingerprint' "$out" "$(openssl x509 -in "$t_dir/srv.crt" -outform DER | sha256sum | cut -d' ' -f1)"
ok 'verifies as a server' openssl verify -x509_strict -purpose sslserver -CAfile "$ca/ca.crt" "$t_dir/srv.crt"
ok 'for localhost' openssl verify -verify_hostname localhost -CAfile "$ca/ca.crt" "$t_dir/srv.crt"
for ip in 127.0.0.1 ::1; do
    ok "for $ip" openssl verify -verify_ip $ip -CAfile "$ca/ca.crt" "$t_dir/srv.crt"
done
exits 'pki issue, a client' 0 $ctl pki issue "$ca" t1 --uri urn:tally:e:terminal:t1 -o "$t_dir/t1"
t1=$out
ok 'verifies as a client' openssl verify -x509_strict -purpose sslclient -CAfile "$ca/ca.crt" "$t_dir/t1.pem"
like 'not as a server' "$(openssl verify -purpose sslserver -CAfile "$ca/ca.crt" "$t_dir/t1.pem" 2>&1 || true)" 'unsuitable|unsupported|purpose'
like 'P-256' "$(openssl x509 -in "$t_dir/t1.pem" -noout -text)" 'NIST CURVE: P-256'
like 'its identity' "$(openssl x509 -in "$t_dir/t1.pem" -noout -ext subjectAltName)" 'URI:urn:tally:e:terminal:t1'
exits 'a name that is no code' 2 $ctl pki issue "$ca" 'a,b' -o "$t_dir/x"
exits 'pki revoke' 0 $ctl pki revoke "$ca" t1
is 'what' "$out" "$t1"
exits 'revoked already' 1 $ctl pki revoke "$ca" t1
exits 'pki list' 0 $ctl pki list "$ca"
like 'revoked' "$out" "^revoked .* $t1 t1\$"
like 'good' "$out" '^good .* server .* srv$'
ok 'enrolled certificates verify too' openssl verify -purpose sslclient -CAfile "$e/keys/ca.crt" "$e/keys/clients/relay.pem"
ok 'and the server' openssl verify -verify_hostname localhost -CAfile "$e/keys/ca.crt" "$e/keys/server.crt"

# ---- faults --------------------------------------------------------------------------------------------
bad=$t_dir/bad
cp -r "$definition" "$bad"
sed -i '3s/,province,/,provnce,/' "$bad/areas.csv"
sed -i '7s/^[^,]*,/no-such,/' "$bad/candidates.csv"
sed -i '9s/$/\r/' "$bad/contests.csv"
sed -i '4s/,fixed,/,moving,/' "$bad/branches.csv"
printf 'b000001,nowhere\n' >>"$bad/ballots.csv"
sed -i '1s/"domain"/"domian"/' "$bad/election.json"
: >"$bad/notes"
exits 'faults' 1 $ctl definition check "$bad"
last=$(wc -l <"$bad/ballots.csv")
width=$(sed -n 9p "$bad/contests.csv" | tr -d '\r\n' | wc -c)
at=$(sed -n 3p "$bad/areas.csv" | cut -d, -f1-2 | wc -c)
like 'a level' "$out" "^$bad/areas.csv:3:$((at + 1)): level \"provnce\" is none of country"
like 'a contest' "$out" "^$bad/candidates.csv:7:1: contest \"no-such\" is no contest of contests.csv"
like 'a carriage return' "$out" "^$bad/contests.csv:9:$((width + 1)): a carriage return"
at=$(sed -n 4p "$bad/branches.csv" | cut -d, -f1-2 | wc -c)
like 'a kind' "$out" "^$bad/branches.csv:4:$((at + 1)): kind \"moving\" is neither fixed nor mobile"
like 'a ballot' "$out" "^$bad/ballots.csv:$last:9: contest \"nowhere\""
like 'a key unknown' "$out" "^$bad/election.json:1:[0-9]+: domian is no key"
like 'a key missing' "$out" "^$bad/election.json:1:1: domain is missing"
like 'a file too many' "$out" "^$bad/notes: this file does not belong"
like 'counted' "$out" '^[0-9]+ faults$'
is 'in order of file and line' "$out" "$(printf '%s\n' "$out" | sort -t: -k1,1 -k2,2n -k3,3n -s | grep -v ' faults$'; printf '%s\n' "$out" | tail -1)"
json=$($ctl definition check "$bad" --json) || true
like 'as JSON' "$(printf '%s' "$json" | /usr/bin/python3 -c 'import json,sys
d = json.load(sys.stdin)
print(d["ok"], d["hash"], d["faults_n"] == len(d["faults"]), [f["line"] for f in d["faults"] if f["file"] == "branches.csv"][0])')" \
    '^False None True 4$'
exits 'is not signed' 1 $ctl sign "$bad" --key "$root"

cp -r "$registry" "$t_dir/badr"
sed -i '3s/,active$/,activ/; 5s/^[^,]*,/t000001,/' "$t_dir/badr/terminals.csv"
sed -i '2s/,relay,ir,/,relay,iq,/' "$t_dir/badr/clients.csv"
exits 'faults of a registry' 1 $ctl registry check "$t_dir/badr" --definition "$definition"
like 'a state' "$out" "/terminals.csv:3:[0-9]+: state \"activ\" is neither active nor revoked"
like 'a double, with its first place' "$out" "/terminals.csv:5:1: terminal \"t000001\" stands in terminals.csv line 2 already"
is 'nothing else in that file' "$(printf '%s\n' "$out" | grep -c terminals.csv:)" 2

# ---- what cannot be used -------------------------------------------------------------------------------
exits 'no such folder' 2 $ctl definition check "$t_dir/none"
exits 'no argument' 2 $ctl definition check
exits 'two arguments' 2 $ctl definition check a b
exits 'no such option' 2 $ctl definition check "$definition" --nope
exits 'no such command' 2 $ctl definitely
exits 'help' 0 $ctl --help
for command in 'definition check' 'registry check' sign 'key new' 'key public' 'pki ca' 'pki issue' 'pki revoke' 'pki list'; do
    like "--help lists $command" "$out" "^  $command "
done

# ---- real elections ------------------------------------------------------------------------------------
if [ -d "$TALLY_SHARED/data/nl-eml-west-maas-en-waal" ]; then
    ok 'convert the Dutch council election' /usr/bin/python3 tests/real/nl_gr2022.py csv "$TALLY_SHARED/data/nl-eml-west-maas-en-waal" "$t_dir/nl"
    exits 'its definition is good' 0 $ctl definition check "$t_dir/nl/definition"
else
    skip 'the Dutch council election' "no $TALLY_SHARED/data"
fi
done_testing
