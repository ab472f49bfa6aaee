#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The private cluster: survives what the other tests do to it, and leaves nothing behind.
set -eu
. "$(dirname "$0")/lib.sh"
if [ -z "$pg_bin" ]; then skip_all "PostgreSQL is not installed"; fi

ok "starts" pg_start -c work_mem=5MB
is "takes settings" "$(pg_sql 'SHOW work_mem')" 5MB
is "listens on no network address" "$(pg_sql 'SHOW listen_addresses')" ''
is "runs as an unprivileged user" "$(stat -c %U "/proc/$pg_pid")" "$pg_user"
pg_sql 'CREATE TABLE t AS SELECT 1 AS a'
ok "restarts" pg_restart
is "with its data" "$(pg_sql 'SELECT a FROM t')" 1
ok "restarts at once" pg_restart immediate
is "with its data again" "$(pg_sql 'SELECT a FROM t')" 1
ok "is killed" pg_crash
ok "and is gone" sh -c "! $pg_bin/pg_isready -q -h $pg_sock"
ok "comes back from the kill" pg_resume
is "with its data after recovery" "$(pg_sql 'SELECT a FROM t')" 1

# A child that starts a cluster and is interrupted in the middle.
cat >"$t_dir/child.sh" <<'C'
. tests/integration/pg.sh
pg_start || exit 1
echo "$pg_dir $pg_sock $pg_pid" >"$1"
sleep 60 & wait $!
C
for signal in INT TERM KILL; do
    rm -f "$t_dir/says"
    # A background shell ignores SIGINT, and sh cannot take that back: env does.
    B=$B env --default-signal=INT sh "$t_dir/child.sh" "$t_dir/says" &
    child=$!
    ok "a second cluster beside it ($signal)" wait_for 60 test -s "$t_dir/says"
    read -r dir sock pid <"$t_dir/says"
    kill -s $signal $child
    wait $child || true
    ok "no postmaster after $signal" wait_for 60 pg_gone "$pid"
    if [ $signal = KILL ]; then
        rm -rf "$dir" "$sock"
    else
        ok "no folder after $signal" sh -c "! [ -e $dir ] && ! [ -e $sock ]"
    fi
done

dir=$pg_dir
ok "stops" pg_stop
ok "and leaves no folder" sh -c "! [ -e $dir ]"

B_keep=$B
B=$t_dir/$(printf '%0100d' 0)
mkdir -p "$B"
for mode in 0711 0700; do # 0700: the unprivileged user cannot reach the folder at all
    chmod $mode "$t_dir"
    ok "starts under a path too long for a socket ($mode)" pg_start
    is "and answers" "$(pg_sql 'SELECT 2')" 2
    dir=$pg_dir sock=$pg_sock
    pg_stop
    ok "and leaves no folder" sh -c "! [ -e $sock ] && ! [ -e $dir ]"
done
B=$B_keep
done_testing
