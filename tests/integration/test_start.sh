#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The start: settings, and every contradiction between packages, keys and database is named and ends it (TAP).
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
conf=$t_dir/tallyd.conf

# ---- settings ----
"$B/tallyd" --sample-config >"$t_dir/sample"
ok "conf/tallyd.conf is the sample that the settings table gives" cmp conf/tallyd.conf "$t_dir/sample"
"$B/tallyd" --print-config >"$t_dir/printed"
ok "the sample, read, is the defaults" sh -c "'$B/tallyd' --config '$t_dir/sample' --print-config |
    sed 's,$t_dir/,,' | cmp - '$t_dir/printed'"
"$B/tallyd" --config "$t_dir/printed" --print-config | sed "s,$t_dir/,," >"$t_dir/again"
ok "what is printed is read again as the same" cmp "$t_dir/again" "$t_dir/printed"
exits() { # RC REGEX COMMAND...
    want_rc=$1 want_text=$2 rc=0
    shift 2
    said=$("$@" 2>&1) || rc=$?
    printf '%s\n' "exit $rc: $said"
    [ "$rc" = "$want_rc" ] && printf '%s\n' "$said" | grep -Eq -- "$want_text"
}
setting() { printf '%s\n' "$1" >"$t_dir/one"; "$B/tallyd" --config "$t_dir/one" --check-config; }
ok "an unknown setting: file, line" exits 2 'one:1: no setting is called "colour"' setting 'colour = red'
ok "out of range: file, line, range" exits 2 'one:1: api.port = "70000" is not in 0 to 65535' setting 'api.port = 70000'
ok "an unknown option" exits 2 'nonsense' "$B/tallyd" --nonsense
ok "an argument too many" exits 2 'unexpected' "$B/tallyd" more
ok "no such file" exits 2 'nowhere' "$B/tallyd" --config "$t_dir/nowhere"
ok "--version" exits 0 '^tallyd ' "$B/tallyd" --version
ok "--help" exits 0 'check-config' "$B/tallyd" --help
ok "--help says how it is called" exits 0 '^Usage: tallyd ' "$B/tallyd" --help

# ---- packages and keys ----
enrol_election "$t_dir" 100
open_election "$t_dir"
write_config "$t_dir" "$conf"
ok "--check-config is content" exits 0 'rehearsal: 100 branches, .*: fine' "$B/tallyd" --config "$conf" --check-config
with() { # SETTING VALUE: the settings file with one changed
    sed "s|^$1 = .*|$1 = $2|" "$conf" >"$t_dir/with.conf"
    timeout 120 "$B/tallyd" --config "$t_dir/with.conf"
}
copy() { rm -rf "$t_dir/copy"; cp -a "$t_dir/$1" "$t_dir/copy"; }
"$B/tallyctl" key new "$t_dir/other.key" >/dev/null
ok "another root key" exits 1 'daemon.refused error=ENOKEY' with root_keys "$t_dir/other.key"
copy definition
echo >>"$t_dir/copy/areas.csv"
ok "a definition changed after it was signed" exits 1 'daemon.refused' with definition "$t_dir/copy"
copy definition
printf 'x"y,"a ""b\n<3>forged.event why=c",,1,,\n' >>"$t_dir/copy/areas.csv"
ok "what a CSV value says stays in its value" exits 1 '^<3>package.fault at=areas.csv:[0-9:]+ why="([^"\\]|\\["\\x])*"$' with definition "$t_dir/copy"
ok "and begins no line" test "$(with definition "$t_dir/copy" 2>&1 | grep -vc '^<[0-9]>[a-z.]* [a-z]*=')" = 0
copy definition
rm "$t_dir/copy/signatures.dsse"
ok "a definition that nobody signed" exits 1 'signatures.dsse' with definition "$t_dir/copy"
copy registry
sed -i '$d' "$t_dir/copy/clients.csv"
"$B/tallyctl" sign "$t_dir/copy" --definition "$t_dir/definition" --key "$t_dir/keys/root.key" >/dev/null
ok "another registry than the one that was opened" exits 1 'the database was opened with registry [0-9a-f]{64}, loaded is' \
    with registry "$t_dir/copy"
chmod 0644 "$t_dir/keys/server.key"
ok "a TLS key that others can read" exits 1 'keys/server.key' with ops.port 0
chmod 0600 "$t_dir/keys/server.key"
ok "no file: the setting and the file" exits 1 'server_cert: .*/nowhere: No such file' with server_cert "$t_dir/nowhere"
ok "no certificate" exits 1 'server_cert: .*/root.key: holds no certificate' with server_cert "$t_dir/keys/root.key"
echo x >"$t_dir/nokey"
chmod 0600 "$t_dir/nokey"
ok "no key" exits 1 'server_key: .*/nokey: holds no private key' with server_key "$t_dir/nokey"
ok "the key of somebody else" exits 1 'server_key: .*/other.key: is not the key of server_cert .*/server.crt' with server_key "$t_dir/other.key"
printf '%s\n' '[ca]' 'default_ca = d' '[d]' "database = $t_dir/tls.index" "new_certs_dir = $t_dir" 'default_md = sha256' "serial = $t_dir/tls.serial" \
    'policy = p' '[p]' 'commonName = supplied' '[client]' 'extendedKeyUsage = clientAuth' >"$t_dir/tls.cnf"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$t_dir/tls.key" -subj /CN=localhost -out "$t_dir/tls.csr" 2>/dev/null
chmod 0600 "$t_dir/tls.key"
dated() { # FROM TO [OPTION...]: --check-config with a certificate of those dates (as date -d reads them)
    from=$(date -u -d "$1" +%Y%m%d%H%M%SZ) to=$(date -u -d "$2" +%Y%m%d%H%M%SZ)
    shift 2
    : >"$t_dir/tls.index"
    openssl ca -config "$t_dir/tls.cnf" -selfsign -keyfile "$t_dir/tls.key" -in "$t_dir/tls.csr" -create_serial -batch -notext \
        -startdate "$from" -enddate "$to" "$@" -out "$t_dir/tls.crt" 2>"$t_dir/tls.err" || cat "$t_dir/tls.err"
    sed "s|^server_cert = .*|server_cert = $t_dir/tls.crt|; s|^server_key = .*|server_key = $t_dir/tls.key|" "$conf" >"$t_dir/tls.conf"
    "$B/tallyd" --config "$t_dir/tls.conf" --check-config
}
ok "a certificate that ended" exits 1 'error=EINPUT why="server_cert: .*/tls.crt: ended 5 hours ago"' dated '-9 days' '-5 hours -1 minute'
ok "one that ends within a week: a warning" exits 0 '^<4>server_cert.ends file=.*/tls.crt" hours=16[67]$' dated '-9 days' '+167 hours'
ok "one that begins tomorrow: a warning" exits 0 '^<4>server_cert.begins file=.*/tls.crt" hours=2[34]$' dated '+24 hours' '+90 days'
ok "a client's certificate" exits 1 'server_cert: .*/tls.crt: is not a server.s certificate' dated '-1 day' '+90 days' -extensions client
ok "one that ends later" exits 0 'fine$' dated '-1 day' '+169 hours'
ok "without a warning" test "$("$B/tallyd" --config "$t_dir/tls.conf" --check-config 2>&1 | wc -l)" = 1
ok "a root key that is not there: the setting and the file" exits 1 'root_keys: .*/nowhere: No such file' with root_keys "$t_dir/nowhere"
ok "a database text that nobody can read does not wait" exits 1 'database: invalid connection option \\"hots\\"' with database 'hots=x dbname=tally'
ok "a name for an address" exits 1 'ingest.address = \\"localhost\\" is no IP address' with ingest.address localhost
ok "an address of another machine" exits 1 'error=EIO why="api.address = 192.0.2.1, api.port = 0: cannot listen: Cannot assign' with api.address 192.0.2.1
checked() { sed "s|^$1 = .*|$1 = $2|" "$conf" >"$t_dir/with.conf"; "$B/tallyd" --config "$t_dir/with.conf" --check-config; }
ok "known to --check-config" exits 1 'api.address = 192.0.2.1, .*: cannot listen' checked api.address 192.0.2.1
sed 's/^\(ingest\|api\)\.port = 0/\1.port = 28443/' "$conf" >"$t_dir/with.conf"
ok "two listeners at one place" exits 1 'why="ingest.port and api.port are both 28443"' "$B/tallyd" --config "$t_dir/with.conf" --check-config
without() { # a database of that name
    sed "s|^database = .*|database = $pg_daemon_conn|; s|/tally?|/nosuch?|" "$conf" >"$t_dir/with.conf"
    echo 'database_wait = 300ms' >>"$t_dir/with.conf"
    timeout 120 "$B/tallyd" --config "$t_dir/with.conf"
}
ok "no such database: libpq's reason, whole, while it waits" exits 1 '^<4>store.wait .*database \\"nosuch\\" does not exist' without
ok "the owner's database role" exits 1 'error=ECORRUPT .*role \\"tally\\"' with database "$pg_conn"

# ---- the ledger ----
start_daemon "$conf"
quietly "$B/tallysim" replay "$t_dir/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --batch 10 --client relay || true
is "99 of 100 branches are in (one terminal is revoked)" "$(pg_sql 'SELECT count(*) FROM tally.ledger')" 100
stop_daemon

sed "s|^key = .*|key = $t_dir/other.key|; s|^state = .*|state = $t_dir/other.state|; s|^socket = .*|socket = $t_dir/other.socket|" \
    "$conf.signer" >"$t_dir/other.signer"
other_key() { # a signer with another key, and a state of its own
    if [ ! -e "$t_dir/other.state" ]; then quietly "$B/tally-signer" --config "$t_dir/other.signer" --init || return 1; fi
    start_signer "$t_dir/other.signer" && with signer "$t_dir/other.socket"
}
ok "another log key, by what was published" exits 1 'log/checkpoint: not a checkpoint of this log and key' other_key
rm -rf "$t_dir/log"
ok "and by the signed heads" exits 1 'signed head of size [0-9]+ is not of this ledger and log key' other_key
start_signer "$conf.signer"
# The owner of the tables can take off the seat belts; the daemon then finds what was done.
pg_sql "ALTER TABLE tally.ledger DISABLE TRIGGER refuse; ALTER TABLE tally.head DISABLE TRIGGER refuse"
tampered() { # NAME REGEX SQL UNDO
    pg_sql "$3"
    ok "$1" exits 1 "$2" with ops.port 0
    pg_sql "$4"
}
pg_sql "CREATE TABLE kept AS SELECT * FROM tally.ledger; CREATE TABLE heads AS SELECT * FROM tally.head"
back() { printf 'UPDATE tally.ledger l SET %s = k.%s FROM kept k WHERE k.position = l.position' "$1" "$1"; }
tampered "a byte of a payload" 'ledger position 7: the payload has another hash' \
    "UPDATE tally.ledger SET payload = set_byte(payload, 60, 48) WHERE position = 7" "$(back payload)"
tampered "a payload with its hashes made to fit" 'ledger position 7: ' \
    "UPDATE tally.ledger SET payload = p, payload_hash = sha256(p), envelope_hash = sha256(
        head || convert_to(translate(encode(p, 'base64'), E'\\n', ''), 'UTF8') || tail)
     FROM (SELECT set_byte(payload, 60, get_byte(payload, 60) # 1) AS p FROM kept WHERE position = 7) x WHERE position = 7" \
    "UPDATE tally.ledger l SET payload = k.payload, payload_hash = k.payload_hash, envelope_hash = k.envelope_hash
     FROM kept k WHERE k.position = l.position"
tampered "a row given to another branch" 'ledger position 8: branch is not the payload.s' \
    "UPDATE tally.ledger SET branch = 'b000099x' WHERE position = 8" "$(back branch)"
tampered "a hold that nobody found" 'ledger position 9: held: the checks hold something else' \
    "UPDATE tally.ledger SET held = 'held x N08' WHERE position = 9" "$(back held)"
tampered "the time of an entry" 'the ledger.s root is not that of its head row' \
    "UPDATE tally.ledger SET accepted_ms = accepted_ms + 1 WHERE position = 99" "$(back accepted_ms)"
tampered "an entry gone from the end" 'the ledger has 99 entries, its head row says 100' \
    "DELETE FROM tally.ledger WHERE position = 99" "INSERT INTO tally.ledger SELECT * FROM kept WHERE position = 99"
tampered "an entry gone from the middle" 'position|ledger' \
    "DELETE FROM tally.ledger WHERE position = 50" "INSERT INTO tally.ledger SELECT * FROM kept WHERE position = 50"
tampered "an entry behind the head" 'position 100: ' \
    "INSERT INTO tally.ledger SELECT 100, 3, branch, terminal, revision, prev, payload_hash, envelope_hash, envelope_hash,
        payload, head, tail, alphabet, held, accepted_ms FROM kept WHERE position = 99" \
    "DELETE FROM tally.ledger WHERE position = 100"
tampered "a time set back" 'position 1: accepted before its predecessor' \
    "UPDATE tally.ledger SET accepted_ms = 0 WHERE position = 1" "$(back accepted_ms)"
tampered "a signed head forged" 'signed head of size [0-9]+ is not of this ledger' \
    "UPDATE tally.head SET sig = set_byte(sig, 5, get_byte(sig, 5) # 1) WHERE size = (SELECT min(size) FROM tally.head)" \
    "UPDATE tally.head h SET sig = k.sig FROM heads k WHERE k.size = h.size"
ok "all undone: it starts" start_daemon "$conf"

# ---- two writers ----
epoch=$(pg_sql 'SELECT epoch FROM tally.log_head')
ok "a second daemon on a port of the first" exits 1 "error=ECONFLICT why=\"api.address = 127.0.0.1, api.port = $daemon_api: cannot listen: Address already in use\"" with api.port "$daemon_api"
ok "takes nothing over" test "$(pg_sql 'SELECT epoch FROM tally.log_head')" = "$epoch"
ok "--check-config beside a daemon that runs only warns" exits 0 "^<4>listen.taken why=.*ingest.port = $daemon_ingest: " checked ingest.port "$daemon_ingest"
first_log=$daemon_log first_pid=$daemon_pid
revise() { "$python" -B tests/integration/revise.py "$t_dir" "$1"; }
second_log=$t_dir/second.log
{ sed "s|^journal = .*|journal = $t_dir/journal.second|" "$conf"; echo 'publish = log.second'; } >"$t_dir/second.conf" # each has its own
setpriv --pdeathsig KILL -- "$B/tallyd" --config "$t_dir/second.conf" >"$second_log" 2>&1 </dev/null &
second_pid=$!
at_exit 'kill -KILL "$second_pid" 2>/dev/null || true'
second_said() { grep -q "$1" "$second_log"; }
ok "a second daemon waits and says for whom" wait_for 60 second_said '^<4>store.wait why="another tallyd writes to this database (PostgreSQL process [0-9]*)"'
is "and takes nothing over" "$(pg_sql 'SELECT epoch FROM tally.log_head')" "$epoch"
kill -s HUP "$first_pid"
reloaded() { grep -q '^<4>daemon.reload ' "$first_log"; }
ok "SIGHUP says that it cannot reload yet" wait_for 60 reloaded
# The first one loses its session while it is stopped: the second one is the writer before it can look.
kill -s STOP "$first_pid"
pg_sql "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'" >"$t_dir/killed"
is "one session has the mark" "$(cat "$t_dir/killed")" t
ok "without it the second one takes over" wait_for 60 second_said '^<5>daemon.ready '
kill -s CONT "$first_pid"
rc=0
wait "$first_pid" || rc=$?
is "the first one ends as failed" "$rc" 1
ok "naming it" grep -q '^<3>ledger.stopped .*another epoch' "$first_log"
daemon_pid=$second_pid daemon_log=$second_log
daemon_ingest=$(daemon_port ingest)
like "the second one takes it" "$("$python" -B tests/integration/revise.py "$t_dir" "$daemon_ingest")" '^201 '
stop_daemon
is "a clean stop" "$daemon_rc" 0
done_testing
