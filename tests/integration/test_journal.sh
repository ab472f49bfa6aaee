#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The journal: what was written down and never reached PostgreSQL, or was lost there, is put back at the start, under
# the same root; what contradicts the ledger, is damaged or is somebody else's ends the start with its reason (TAP).
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
BRANCHES=120
make_plain() { quietly "$B/tallysim" make --branches "$BRANCHES" --seed 21 "$t_dir" && quietly "$B/tallysim" enrol "$t_dir" &&
    quietly "$B/tallysim" record "$t_dir" -o "$t_dir/night.ndjson" --seed 5; }
ok "an election of $BRANCHES branches" make_plain
open_election "$t_dir"
write_config "$t_dir" "$t_dir/tallyd.conf"
split -l 40 -d -a 1 "$t_dir/night.ndjson" "$t_dir/third."
journal=$t_dir/journal

replay() { # FILE [OPTION]...
    t_file=$1
    shift
    "$B/tallysim" replay "$t_file" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --connections 4 \
        --receipts "$t_dir/receipts" "$@" >"$t_dir/replay.out" 2>&1
}
acked() { "$python" -B tests/integration/acked.py "$t_dir" "$daemon_api" "$t_dir/receipts" "$@"; }
rows() { pg_sql 'SELECT count(*) FROM tally.ledger'; }
said() { grep -q "$1" "$daemon_log"; }
started() { start_daemon "$t_dir/tallyd.conf" >"$t_dir/start.out" 2>&1; }
refused() { # NAME REASON
    ok "$1: it does not start" sh -c "! timeout 60 '$B/tallyd' --config '$t_dir/tallyd.conf' >'$t_dir/refused.log' 2>&1"
    like "$1: and says why" "$(grep '^<3>daemon.refused ' "$t_dir/refused.log")" "$2"
}
# What only a superuser can do: the newest rows and heads gone, the head row back at N entries.
cut_database() { # N HEX_ROOT
    pg_sql "BEGIN; SET LOCAL session_replication_role = replica;
        DELETE FROM tally.ledger WHERE position >= $1; DELETE FROM tally.head WHERE size > $1;
        UPDATE tally.log_head SET size = $1, root = '\\x$2'; COMMIT" >/dev/null
}
head_row() { pg_sql "SELECT size || ' ' || encode(root, 'hex') FROM tally.log_head"; }

ok "it starts with a new journal" started
ok "forty bundles" replay "$t_dir/third.0"
old_head=$(head_row)

# ---- written down, not in PostgreSQL: the head row is locked, the daemon killed while it waits ----
# The session that holds the row ends when its pipe is closed.
mkfifo "$t_dir/hold"
PGOPTIONS='' "$pg_bin/psql" -X -q -d "$pg_conn" <"$t_dir/hold" >"$t_dir/hold.out" 2>&1 &
hold_pid=$!
exec 3>"$t_dir/hold"
at_exit 'exec 3>&-; kill "$hold_pid" 2>/dev/null || true'
echo "BEGIN; SELECT size FROM tally.log_head FOR UPDATE;" >&3
locked() { [ "$(pg_sql "SELECT count(*) FROM pg_locks WHERE relation = 'tally.log_head'::regclass AND mode = 'RowShareLock'")" = 1 ]; }
ok "the head row is locked" wait_for 60 locked
"$B/tallysim" replay "$t_dir/third.1" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --connections 4 \
    --receipts "$t_dir/receipts.1" >"$t_dir/replay.1" 2>&1 &
replay_pid=$!
at_exit 'kill "$replay_pid" 2>/dev/null || true'
waits() { [ "$(pg_sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'tallyd'")" = 1 ]; }
ok "a commit waits for it" wait_for 60 waits
is "nothing of it is in the ledger" "$(rows)" 41
stop_daemon KILL
kill "$replay_pid" 2>/dev/null || true
wait "$replay_pid" 2>/dev/null || true
is "nobody was acknowledged" "$(wc -l <"$t_dir/receipts.1" 2>/dev/null || echo 0)" 0
exec 3>&-
wait "$hold_pid" || true
ok "it starts again" started
ok "and puts the batch back" said '^<5>journal.redone entries='
is "which is in the ledger now" "$(($(rows) > 41))" 1
ok "sent again, the rest too" replay "$t_dir/third.1"
ok "every receipt holds" acked
stop_daemon
is "a clean stop" "$daemon_rc" 0
ok "it starts again" started
is "nothing is put back twice" "$(grep -c '^<5>journal.redone ' "$daemon_log" || true)" 0
stop_daemon

# ---- PostgreSQL loses what was acknowledged (a failover without a fence, an old backup) ----
new_head=$(head_row)
cut_database "${old_head% *}" "${old_head#* }"
is "forty acknowledged entries are gone" "$(rows)" 41
ok "it starts" started
ok "and puts them back" said '^<5>journal.redone entries='
is "at their places, under the same root" "$(head_row)" "$new_head"
is "under the head that was signed before" "$(grep -c 'head\.' "$signer_log" || true)" 0
ok "every receipt holds" acked
ok "the last forty" replay "$t_dir/third.2"
ok "all are counted once" acked all
stop_daemon
cp -a "$journal" "$t_dir/journal.good"
good_journal() { rm -rf "$journal"; cp -a "$t_dir/journal.good" "$journal"; }
last_head=$(head_row)
signed=${last_head% *}

# ---- contradictions ----
cut_database 1 "$(pg_sql "SELECT repeat('00', 32)")"
refused "a head row that is not the ledger's" 'root'
pg_sql "BEGIN; SET LOCAL session_replication_role = replica; UPDATE tally.log_head SET size = ${last_head% *}, root = '\\x${last_head#* }'; COMMIT" >/dev/null
refused "a head row larger than the ledger" 'head row says'
ok "an empty database is opened for the same election again" sh -c "$(cat <<EOF
'$pg_bin/psql' -X -q -d '$pg_conn' -c 'DROP SCHEMA tally CASCADE' &&
'$B/tallyctl' migrate --database '$pg_conn' &&
'$B/tallyctl' election open '$t_dir/definition' '$t_dir/registry' --root-key '$t_dir/keys/root.key' --database '$pg_conn'
EOF
)"
refused "a ledger that begins at another moment" 'journal and database disagree about the first 1 entries'
rm -rf "$journal"
refused "a ledger shorter than what was signed, and no journal" "the signer signed a head of size $signed, the ledger has 1 entries, and the journal no more"
new_log "$t_dir/tallyd.conf"
ok "without the journal, and with a signer of its own, it starts" started
is "a new election's is new" "$(grep -c '^<4>journal.new ' "$daemon_log" || true)" 0
ok "sent again" replay "$t_dir/third.0"
stop_daemon
cp -a "$journal" "$t_dir/journal.two"

# ---- damage ----
flip() { # FILE BYTE
    "$python" -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); b = f.read(1); f.seek(-1, 1); f.write(bytes([b[0] ^ 1]))' "$1" "$2"
}
ok "one more" started
ok "one more frame at least" replay "$t_dir/third.1"
stop_daemon
flip "$journal/journal.0" 100
refused "a changed byte" 'journal.0: damaged at byte 0'
flip "$journal/journal.0" 100
ok "changed back, it starts" started
ok "a second daemon does not" sh -c "! timeout 60 '$B/tallyd' --config '$t_dir/tallyd.conf' >'$t_dir/refused.log' 2>&1"
like "because the journal is open" "$(grep '^<3>daemon.refused ' "$t_dir/refused.log")" 'another daemon has this journal open'
stop_daemon
rm -rf "$journal"
cp -a "$t_dir/journal.two" "$journal"
ok "an older journal of the same ledger is no contradiction" started
ok "the rest" replay "$t_dir/third.2"
stop_daemon
rm -rf "$journal"
ok "a lost journal is no contradiction" started
ok "but is said" said '^<4>journal.new '
stop_daemon
good_journal
refused "the journal of another ledger" 'journal and database disagree'
rm -rf "$journal"
: >"$journal"
refused "a file where the folder should be" 'journal'
done_testing
