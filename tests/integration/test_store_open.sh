#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tallyctl migrate and election open: each repeats safely, and refuses what is not signed, not whole,
# or would put a second election into the database.
. "$(dirname "$0")/lib.sh"

pg_start || skip_all "PostgreSQL is not installed"
ctl=$B/tallyctl
run() { "$@" >"$t_dir/out" 2>&1; echo $?; } # the exit code; the words are in out
open() { # FOLDER OPTION...
    open_dir=$1
    shift
    run "$ctl" election open "$open_dir/definition" "$open_dir/registry" --database "$pg_conn" "$@"
}
said() { like "$1" "$(cat "$t_dir/out")" "$2"; }

for n in 1 2; do
    "$B/tallysim" make --branches 100 --seed $n "$t_dir/$n" >/dev/null 2>&1
    "$B/tallysim" enrol "$t_dir/$n" >/dev/null 2>&1
done
root=$t_dir/1/keys/root.key

is "opening needs a migrated database" "$(open "$t_dir/1" --root-key "$root")" 2
said "and says so" 'tallyctl migrate'
is "migrate" "$(run "$ctl" migrate --database "$pg_conn")" 0
said "from nothing" 'from schema version 0 to 3'
is "migrate again" "$(TALLY_DATABASE=$pg_conn run "$ctl" migrate)" 0
said "nothing to do" 'version 3 already'
is "migrate without a server" "$(run "$ctl" migrate --database 'host=/nowhere')" 2
is "two at once" "$(run sh -c "'$ctl' migrate --database '$pg_conn' & '$ctl' migrate --database '$pg_conn' && wait \$!")" 0

is "no root key" "$(open "$t_dir/1")" 2
is "a key that did not sign" "$(open "$t_dir/1" --root-key "$t_dir/1/keys/log.key")" 1
is "no such key" "$(open "$t_dir/1" --root-key "$t_dir/1/keys/none.key")" 2
is "the daemon's role may not" "$(run "$ctl" election open "$t_dir/1/definition" "$t_dir/1/registry" \
    --root-key "$root" --database "$pg_daemon_conn")" 2

cp -r "$t_dir/1" "$t_dir/bad"
sed -i '2s/$/x/' "$t_dir/bad/definition/areas.csv"
is "a file changed after signing" "$(open "$t_dir/bad" --root-key "$root")" 2
said "is not what was signed" "hash"
cp "$t_dir/1/definition/areas.csv" "$t_dir/bad/definition/areas.csv"
sed -i '2s/,active$/,asleep/' "$t_dir/bad/registry/terminals.csv"
is "a registry with a fault" "$(open "$t_dir/bad" --root-key "$root")" 2
said "named with file, line and column" 'registry/terminals.csv:2:[0-9]+: .*asleep'
cp "$t_dir/1/registry/terminals.csv" "$t_dir/bad/registry/terminals.csv"
: >"$t_dir/bad/registry/more.csv"
is "a file too many" "$(open "$t_dir/bad" --root-key "$root")" 2
rm "$t_dir/bad/registry/more.csv" "$t_dir/bad/registry/signatures.dsse"
is "no signature" "$(open "$t_dir/bad" --root-key "$root")" 1
cp "$t_dir/1/definition/signatures.dsse" "$t_dir/bad/registry/"
is "the other package's signature" "$(open "$t_dir/bad" --root-key "$root")" 2
is "nothing of all that was opened" "$(pg_sql 'SELECT count(*) FROM tally.ledger')" 0

is "open" "$(open "$t_dir/1" --root-key "$t_dir/2/keys/root.key" --root-key "$root")" 0
said "the log's name" '^opened tally.example/'
is "the genesis entry" "$(pg_sql 'SELECT position, kind FROM tally.ledger')" "0|1"
is "the head" "$(pg_sql 'SELECT size, epoch FROM tally.log_head')" "1|0"
hash=$(cd "$t_dir/1/definition" && LC_ALL=C sha256sum areas.csv ballots.csv branches.csv candidates.csv \
    contests.csv election.json lists.csv | sha256sum | cut -d' ' -f1)
is "the definition's hash is what sha256sum makes of it" \
    "$(pg_sql "SELECT encode(definition, 'hex') FROM tally.election")" "$hash"
is "open again" "$(open "$t_dir/1" --root-key "$root")" 0
said "open already" '^open already'
is "another election" "$(open "$t_dir/2" --root-key "$t_dir/2/keys/root.key")" 1
said "is refused" 'is open in this database'
is "still one entry" "$(pg_sql 'SELECT count(*) FROM tally.ledger')" 1
done_testing
