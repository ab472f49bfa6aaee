#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Old and forked states put together in every way that matters: database, journal, signer, published folder and witness of
# different moments, of another past, of another election; signers that lie.  Whoever cannot go on says why, and of no size
# two heads are ever given (TAP).  Timeout: 300 s.
set -eu
. "$(dirname "$0")/lib.sh"
. tests/integration/enrolled.sh
conf=$t_dir/tallyd.conf log=$t_dir/log cos=$t_dir/cosignatures
: >"$t_dir/heads"

make_plain() { quietly "$B/tallysim" make --branches "$2" --seed "$3" "$1" && quietly "$B/tallysim" enrol "$1" &&
    quietly "$B/tallysim" record "$1" -o "$1/night.ndjson" --seed 5; }
send() { # FILE
    rm -f "$t_dir/receipts"
    quietly "$B/tallysim" replay "$1" --url "https://localhost:$daemon_ingest" --keys "$t_dir/keys" --connections 4 --receipts "$t_dir/receipts"
}
# Every head that anybody was ever given: of receipts, and the published one.
collect() {
    "$python" - "$log/checkpoint" "$t_dir/receipts" >>"$t_dir/heads" <<'PY'
import json, os, sys
notes = [open(sys.argv[1]).read()]
if os.path.exists(sys.argv[2]):
    notes += [json.loads(line)["receipt"].split("\n\n", 1)[1] for line in open(sys.argv[2])]
for note in notes:
    print(*note.split("\n")[1:3])
PY
}
# ---- moments: kept and put back, part by part ----
moments=$t_dir/moments
tables='schema_version election ledger log_head head evidence evidence_sender'
copy_tables() { # TO FROM, schemas
    copy_sql="CREATE SCHEMA $1"
    for t_n in $tables; do copy_sql="$copy_sql; CREATE TABLE $1.$t_n AS TABLE $2.$t_n"; done
    pg_sql "$copy_sql" >/dev/null
}
keep() { # NAME
    mkdir -p "$moments/$1"
    copy_tables "at_$1" tally
    cp -a "$t_dir/journal" "$moments/$1/journal"
    cp -a "$conf.signer.state" "$moments/$1/state"
    cp -a "$log" "$moments/$1/log"
}
put() { # DATABASE JOURNAL SIGNER LOG COSIGNATURES, each of a moment, "-": none
    stop_daemon
    stop_signer
    put_sql='BEGIN; SET LOCAL session_replication_role = replica'
    for t_n in $tables; do
        put_sql="$put_sql; DELETE FROM tally.$t_n; INSERT INTO tally.$t_n OVERRIDING SYSTEM VALUE TABLE at_$1.$t_n"
    done
    pg_sql "$put_sql; COMMIT" >/dev/null
    rm -rf "$t_dir/journal" "$conf.signer.state" "$log" "$cos"
    [ "$2" = - ] || cp -a "$moments/$2/journal" "$t_dir/journal"
    [ "$3" = - ] || cp -a "$moments/$3/state" "$conf.signer.state"
    [ "$4" = - ] || cp -a "$moments/$4/log" "$log"
    [ "$5" = - ] || cp -a "$moments/$5/cosignatures" "$cos"
}
starts() {
    start_signer "$conf.signer" && start_daemon "$conf" || return 1
    rm -f "$t_dir/receipts"
    collect
    stop_daemon
}
refused() { # REGEX
    kept=$(cat "$log/checkpoint" 2>/dev/null | sha256sum)
    rc=0
    timeout 30 "$B/tallyd" --config "$conf" >"$t_dir/refused" 2>&1 </dev/null || rc=$?
    cat "$t_dir/refused"
    [ "$rc" = 1 ] && grep -Eq "^<3>daemon.refused .*($1)" "$t_dir/refused" && [ "$(cat "$log/checkpoint" 2>/dev/null | sha256sum)" = "$kept" ]
}
ledger() { pg_sql "SELECT md5(string_agg(md5(l::text), '' ORDER BY position)) FROM tally.ledger l"; }
signer_refuses() { ! timeout 20 "$B/tally-signer" --config "$conf.signer" >"$t_dir/refused" 2>&1 && grep -Eq "$1" "$t_dir/refused"; }

# ---- three moments of one night, another past from the first on, another election ----
ok 'an election' make_plain "$t_dir" 120 21
open_election "$t_dir"
"$B/tallyctl" key new "$t_dir/witness.key" >/dev/null
mkdir "$t_dir/a" && mv "$t_dir/witness.key" "$t_dir/a/witness.key"
printf 'name = a.example/witness\n' >"$t_dir/a/conf"
printf 'witness a %s\nquorum none\n' "$("$B/tally-witness" --config "$t_dir/a/conf" --print-vkey)" >"$t_dir/witnesses"
write_config "$t_dir" "$conf" "publish_policy = $t_dir/witnesses" "cosignatures = $cos" 'publish_interval = 20ms'
split -l 40 -d -a 1 "$t_dir/night.ndjson" "$t_dir/third."
cp "$t_dir/third.2" "$t_dir/other.1" && cp "$t_dir/third.1" "$t_dir/other.2"
night() { # NAMES FILES
    for t_n in $1; do
        start_daemon "$conf" && send "$2.$t_n" || return 1
        stop_daemon # publishes the rest
        if [ "$2" = "$t_dir/third" ]; then collect; fi
        stop_signer
        keep "$3$t_n"
    done
}
ok 'a night, in three parts' night '0 1 2' "$t_dir/third" m
put m0 m0 m0 m0 -
ok 'another past from the first part on, which a copy of the signer signs' night '1 2' "$t_dir/other" f
cosigned() { # MOMENT
    mkdir "$moments/$1/cosignatures"
    "$python" -B tests/integration/cosign.py "$t_dir/a/witness.key" a.example/witness "$moments/$1/log/checkpoint" "$(date +%s)" >"$moments/$1/cosignatures/a"
}
cosigned m2 && cosigned m1
mkdir "$moments/bad" && cp -a "$moments/m2/cosignatures" "$moments/bad/cosignatures"
sed -i '2s/.*/999/' "$moments/bad/cosignatures/a"
mkdir "$t_dir/o"
ok 'another election' make_plain "$t_dir/o" 100 22
pg_sql 'CREATE DATABASE other'
other() { printf '%s' "$1" | sed 's|/tally?|/other?|'; }
quietly "$B/tallyctl" migrate --database "$(other "$pg_conn")"
quietly "$B/tallyctl" election open "$t_dir/o/definition" "$t_dir/o/registry" --root-key "$t_dir/o/keys/root.key" --database "$(other "$pg_conn")"
write_config "$t_dir/o" "$t_dir/o/tallyd.conf" "database = x"
sed -i "/^database = x/d; s|^database = .*|database = $(other "$pg_daemon_conn")|" "$t_dir/o/tallyd.conf"
ok 'runs, too' start_daemon "$t_dir/o/tallyd.conf"
quietly "$B/tallysim" replay "$t_dir/o/night.ndjson" --url "https://localhost:$daemon_ingest" --keys "$t_dir/o/keys"
stop_daemon
stop_signer
mkdir -p "$moments/o"
cp -a "$t_dir/o/journal" "$moments/o/journal"
cp -a "$t_dir/o/tallyd.conf.signer.state" "$moments/o/state"
cp -a "$t_dir/o/log" "$moments/o/log"

# Rows, heads and head row cut back to an earlier size, as the owner can; and a head row that a changed entry fits to.
cut() { # NAME, FROM, TO THE SIZE OF: moments
    copy_tables "at_$1" "at_$2"
    pg_sql "DELETE FROM at_$1.ledger WHERE position >= (SELECT size FROM at_$3.log_head);
        DELETE FROM at_$1.head WHERE size > (SELECT size FROM at_$3.log_head);
        UPDATE at_$1.log_head h SET size = k.size, root = k.root FROM at_$3.log_head k" >/dev/null
}
cut cut m2 m1
fit() { # NAME: the last entry's time, and a root over it
    copy_tables "at_$1" at_m2
    fit_root=$("$python" -B - "$moments/m2/log" <<'PY'
import hashlib, re, sys
sys.path.insert(0, "tests/integration")
from publog import folder, root_of
leaves = folder(sys.argv[1]).leaves()
leaves[-1] = re.sub(rb"accepted (\d+)", lambda m: b"accepted %d" % (int(m.group(1)) + 1), leaves[-1])
print(root_of([hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]).hex())
PY
    )
    pg_sql "UPDATE at_$1.ledger SET accepted_ms = accepted_ms + 1 WHERE position = (SELECT max(position) FROM at_$1.ledger);
        UPDATE at_$1.log_head SET root = '\\x$fit_root'" >/dev/null
}
fit fit

# ---- the table: what is put together, and what must be said; "starts": nothing contradicts ----
n2=$(sed -n 2p "$moments/m2/log/checkpoint") n1=$(sed -n 2p "$moments/m1/log/checkpoint")
while IFS='|' read -r name db journal signer folder witness want; do
    put "$db" "$journal" "$signer" "$folder" "$witness"
    case $want in
    starts) ok "$name: starts" starts ;;
    signer:*) ok "$name: the signer refuses" signer_refuses "${want#signer:}" ;;
    *)
        start_signer "$conf.signer"
        before=$(ledger)
        ok "$name: no start" refused "$want"
        [ "$(ledger)" = "$before" ] || t_result 1 "$name: the ledger is as it was" || true
        ;;
    esac
done <<END
all of the newest|m2|m2|m2|m2|m2|starts
an older database, which the journal completes|m1|m2|m2|m2|m2|starts
the oldest database, which the journal completes|m0|m2|m2|m2|m2|starts
an older database and journal|m1|m1|m2|m2|m2|the signer signed a head of size $n2, the ledger has $n1 entries
an older database, no journal|m1|-|m2|m2|m2|the signer signed a head of size $n2
an older database, journal and signer|m1|m1|m1|m2|-|publish: .* is of a longer ledger than this one of $n1 entries: were entries lost
everything older but what a witness signed|m1|m1|m1|m1|m2|witness a: it cosigned size $n2, which this ledger does not have
everything older, the published folder lost|m1|m1|m1|-|m2|witness a: it cosigned size $n2
an older witness|m2|m2|m2|m2|m1|starts
a witness's line that it did not sign|m2|m2|m2|m2|bad|starts
an older journal|m2|m1|m2|m2|m2|starts
the oldest journal|m2|m0|m2|m2|m2|starts
no journal|m2|-|m2|m2|m2|starts
an older signer|m2|m2|m1|m2|m2|the signer's last head has size $n1, but it signed size [0-9]+: its state file is an older copy
the oldest signer|m2|m2|m0|m2|m2|its state file is an older copy
an older database and signer, the journal newer|m1|m2|m1|m2|m2|starts
no signer's state|m2|m2|-|m2|m2|signer:state: no such file
the signer's state of another log|m2|m2|o|m2|m2|signer:of another log or another key
an older published folder|m2|m2|m2|m1|m2|starts
the oldest published folder|m2|m2|m2|m0|m2|starts
no published folder|m2|m2|m2|-|m2|starts
the published folder of another log|m2|m2|m2|o|m2|checkpoint: not a checkpoint of this log and key
the journal of another election|m2|o|m2|m2|m2|journal and database disagree about the first 1 entries
the journal of the other past|m2|f2|m2|m2|m2|journal and database disagree
an older database, the journal of the other past|m0|f2|m2|m2|m2|the journal has another past: the signer signed another root for size $n2
an older database, the journal of the other past, an older signer|m0|f2|m0|m2|m2|the journal has another past: published is another root for size $n2
the database of the other past|f2|m2|m2|m2|m2|the signer signed another root for size $n2
the database of the other past, no journal, no folder|f2|-|m2|-|-|the signer signed another root for size $n2
an older one of the other past, no journal, no folder|f1|-|m2|-|-|the signer signed a head of size $n2
database and journal of the other past|f2|f2|m2|m2|m2|the signer signed another root for size $n2
an older one, database and journal|f1|f1|m2|m2|m2|the signer signed a head of size $n2
database, journal and signer of the other past|f2|f2|f2|m2|-|the published root is not the ledger's
an older one, under a newer published folder|f1|f1|f1|m2|-|publish: .* is of a longer ledger than this one of $n1 entries
all of the other past but the witness|f2|f2|f2|f2|m2|witness a: it cosigned another root of size $n2
an older one, and the witness|f1|f1|f1|f1|m2|witness a: it cosigned size $n2, which this ledger does not have
the signer of the other past|m2|m2|f2|m2|m2|the signer signed another root for size $n2
an older signer of the other past|m2|m2|f1|m2|m2|its state file is an older copy
the published folder of the other past|m2|m2|m2|f2|m2|the published root is not the ledger's
an older one|m2|m2|m2|f1|m2|the published root is not the ledger's
rows cut off, the head row with them; the journal puts them back|cut|m2|m2|m2|m2|starts
rows cut off, no journal|cut|-|m2|m2|m2|the signer signed a head of size $n2
rows cut off, no journal, an older signer|cut|-|m1|m2|-|publish: .* is of a longer ledger than this one of $n1 entries
rows cut off, no journal, an older signer, no folder|cut|-|m1|-|m2|witness a: it cosigned size $n2
an entry changed, the head row made to fit|fit|m2|m2|m2|m2|another root for size $n2
an entry changed, the head row made to fit, no journal|fit|-|m2|m2|m2|another root for size $n2
an entry changed, the head row made to fit, no journal, no folder|fit|-|m2|-|m2|signed another root for size $n2
END

# ---- signers that lie ----
liar_pid=''
at_exit '[ -z "$liar_pid" ] || kill -KILL "$liar_pid" 2>/dev/null || true'
lies() { # MODE SIZE ROOT
    : >"$t_dir/liar.said"
    setpriv --pdeathsig KILL -- "$python" -B tests/integration/liar.py "$conf.signer" "$@" 2>"$t_dir/liar.said" </dev/null &
    liar_pid=$!
    wait_for 60 grep -q 'signer.ready' "$t_dir/liar.said"
}
honest() {
    kill -KILL "$liar_pid" 2>/dev/null || true
    wait "$liar_pid" 2>/dev/null || true
    liar_pid=''
}
head_of() { sed -n '2,3p' "$moments/$1/log/checkpoint" | tr '\n' ' '; }
echo 'signer_timeout = 300ms' >>"$conf"
while IFS='|' read -r name mode of db journal folder witness want; do
    put "$db" "$journal" - "$folder" "$witness"
    # shellcheck disable=SC2046 # size and root
    lies "$mode" $(head_of "$of")
    ok "a signer that $name: no start" refused "$want"
    honest
done <<END
has another root|root|m2|m2|m2|m2|m2|the signer signed another root for size $n2
knows a head that nobody has|ahead|m2|m2|m2|m2|m2|the signer signed a head of size $((n2 + 1000))
forgot everything|forgets|m2|m2|m2|m2|m2|its state file is an older copy
has another key|other|m2|m2|m2|m2|m2|not a checkpoint of this log and key
signs for another log|name|m2|m2|m2|m2|m2|signs for the log
goes along with an older database|agrees|m1|m1|m1|m2|-|is of a longer ledger than this one of $n1 entries
goes along, the folder is lost|agrees|m1|m1|m1|-|m2|witness a: it cosigned size $n2
goes along with the other past|agrees|f2|f2|f2|m2|-|the published root is not the ledger's
goes along with the other past, the folder too|agrees|f2|f2|f2|f2|m2|witness a: it cosigned another root
signs something else|wrong|m1|m1|m2|m2|m2|signature of size [0-9]+ does not verify
says for ever that another head is its last|again|m1|m1|m2|m2|m2|the signer's last head changes
refuses what is to be signed|refuses|m1|m1|m2|m2|m2|the signer refuses the head of size
END
# What is no answer is as if nobody were there: it waits, and says so; nothing is signed by anybody else.
for mode in silent garbage long; do
    put m2 m2 - m2 m2
    lies $mode
    : >"$t_dir/waits"
    setpriv --pdeathsig KILL -- "$B/tallyd" --config "$conf" >"$t_dir/waits" 2>&1 </dev/null &
    daemon_pid=$!
    ok "a signer that is $mode: it waits, and says so" wait_for 20 grep -Eq '^<4>signer.wait ' "$t_dir/waits"
    stop_daemon
    is "$mode: nothing was published" "$(sed -n 2p "$log/checkpoint")" "$n2"
    honest
done

# ---- two databases, one signer: it signs one past ----
put m2 m2 m2 m2 m2
sed "s|^database = .*|database = $(printf '%s' "$pg_daemon_conn" | sed 's|/tally?|/twin?|')|; s|^journal = .*|journal = $t_dir/twin.journal|" "$conf" >"$t_dir/twin.conf"
echo "publish = $t_dir/twin.log" >>"$t_dir/twin.conf"
"$pg_bin/psql" -qX -h "$pg_sock" -U tally -d postgres -c 'CREATE DATABASE twin TEMPLATE tally'
cp -a "$moments/m2/journal" "$t_dir/twin.journal"
cp -a "$moments/m2/log" "$t_dir/twin.log"
start_signer "$conf.signer"
ok 'a daemon' start_daemon "$conf"
first_pid=$daemon_pid first_ingest=$daemon_ingest first_log=$daemon_log
daemon_pid=''
at_exit 'kill -KILL "$first_pid" 2>/dev/null || true'
mv "$conf.signer" "$conf.signer.aside" # start_daemon would start it again
ok 'and another one with a copy of its database, beside it' start_daemon "$t_dir/twin.conf"
mv "$conf.signer.aside" "$conf.signer"
revise() { "$python" -B - "$t_dir" "$1" "$2" <<'PY'
import base64, hashlib, json, sys
sys.path.insert(0, "tests/integration")
from client import Client, Election, dumps, envelope
e = Election(sys.argv[1])
terminal = e.ready()[0]
first = base64.b64decode(e.recorded[terminal]["payload"])
payload = {**json.loads(first), "revision": 2, "prev": hashlib.sha256(first).hexdigest(), "salt": sys.argv[3] * 32}
answer = Client(e, int(sys.argv[2]), e.pem(terminal)).post(
    envelope(dumps(payload), [e.key(terminal), e.officer_key("supervision1")]))
if answer.status == 201:
    open(sys.argv[1] + "/receipts", "w").write(json.dumps({"receipt": answer.body.decode()}) + "\n")
print(answer.status)
PY
}
rm -f "$t_dir/receipts"
is 'the first one takes a bundle' "$(revise "$first_ingest" 1)" 201
collect
rm -f "$t_dir/receipts"
like 'the other one another in its place: without a receipt' "$(revise "$daemon_ingest" 2)" '^503$'
twin_stopped() { grep -Eq '^<3>ledger.stopped .*the signer (refuses the head of size|signed another root for size|signed a head of size)' "$daemon_log"; }
ok 'and it stops, saying why' wait_for 30 twin_stopped
rc=0
wait "$daemon_pid" || rc=$?
daemon_pid=''
is 'as failed' "$rc" 1
is 'nothing of it was published' "$(sed -n 2p "$t_dir/twin.log/checkpoint")" "$n2"
is 'the first one goes on' "$(revise "$first_ingest" 1)" 200
kill -s TERM "$first_pid"
rc=0
wait "$first_pid" || rc=$?
is 'and stops cleanly' "$rc" 0
collect
stop_signer

like 'many heads were given' "$(sort -u "$t_dir/heads" | wc -l)" '^[1-9][0-9]+$'
is 'of no size two' "$(sort -u "$t_dir/heads" | cut -d' ' -f1 | uniq -d)" ''
done_testing
