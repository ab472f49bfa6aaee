# SPDX-License-Identifier: Apache-2.0
# Sourced from the repository's root, by sh or bash.  A PostgreSQL cluster of the caller's own: in the
# build folder ($B), on a unix socket only, run by an unprivileged user even for root, and gone when
# the caller ends, also by Ctrl-C, and even by kill -9 (the postmaster then gets a signal of its own).
#
#   pg_start [-c NAME=VALUE]...             makes and starts it; then $pg_conn is a libpq URI of an
#                                           empty database owned by the superuser "tally", and
#                                           $pg_daemon_conn one of the role that the daemon uses
#   pg_stop                                 stops it and removes everything
#   pg_restart [fast|immediate]             stops and starts it again with the same data
#   pg_halt [fast|immediate]; pg_resume     the two halves of that
#   pg_crash                                kill -9 of postmaster and backends; then pg_resume
#   pg_children_of                          process ids of the postmaster's children, backends and others
#   pg_sql [OPTION...] SQL                  psql: bare rows, stops at the first error
#   at_exit COMMAND                         runs it when the caller ends; the last one given runs first

B=${B:-build/release}
pg_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
pg_wait_s=60

# ---- leaving nothing behind -------------------------------------------------------------------------
exit_commands=''
at_exit() { exit_commands="$1
$exit_commands"; }
exit_run() {
    exit_rc=$?
    trap '' INT TERM HUP
    eval "$exit_commands"
    exit "$exit_rc"
}
trap exit_run EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- who runs it, and where ---------------------------------------------------------------------------
pg_user=$(id -un)
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    pg_user=nobody
    if id -u postgres >/dev/null 2>&1; then pg_user=postgres; fi
fi
# Runs a command as that user; nothing of ours may outlive us.  The exec form keeps the process id.
pg_as() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid="$pg_user" --regid="$(id -g "$pg_user")" --init-groups -- "$@"
    else
        "$@"
    fi
}
# A folder under $1 that the user can use; the system's temporary folder when it cannot reach $1.
pg_mktemp() {
    pg_made=$(mktemp -d "$1/pg.XXXXXX") || return 1
    chmod 0711 "$pg_made"
    if [ "$(id -u)" = 0 ]; then chown "$pg_user" "$pg_made"; fi
    if ! pg_as test -w "$pg_made"; then
        rmdir "$pg_made"
        pg_made=$(mktemp -d "${TMPDIR:-/tmp}/tally-pg.XXXXXX") || return 1
        chmod 0711 "$pg_made"
        chown "$pg_user" "$pg_made"
    fi
}

# An initialised cluster is made once a build folder and then copied: initdb takes longer than most tests.
pg_initdb_to() { # FOLDER, which the user may write to
    pg_as "$pg_bin/initdb" -D "$1/data" -A trust -U tally --no-sync -E UTF8 --no-locale >"$pg_dir/initdb.log" 2>&1 ||
        { cat "$pg_dir/initdb.log" >&2; return 1; }
}
pg_initdb() {
    pg_template=$(dirname "$pg_dir")/pg.template.$("$pg_bin/postgres" -V | awk '{print $3}').$pg_user
    case $pg_template in
    "$pg_b"/*) ;;
    *) pg_initdb_to "$pg_dir"; return ;; # in a folder that others can write to nothing is shared
    esac
    (
        exec 8>"$pg_template.lock"
        flock 8
        if ! [ -f "$pg_template/done" ]; then
            rm -rf "$pg_template"
            mkdir -m 0755 "$pg_template"
            if [ "$(id -u)" = 0 ]; then chown "$pg_user" "$pg_template"; fi
            pg_initdb_to "$pg_template" && : >"$pg_template/done"
        fi
    ) && cp -a "$pg_template/data" "$pg_dir/data"
}

# ---- starting and stopping ------------------------------------------------------------------------------
pg_ready() { "$pg_bin/pg_isready" -q -t 1 -h "$pg_sock" -d postgres; }
pg_gone() { # of a process that may stay a zombie: not every process 1 collects orphans
    ! [ -d "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null || ! [ -d "/proc/$1" ]
}

pg_resume() {
    rm -f "$pg_dir/data/postmaster.pid" "$pg_sock"/.s.PGSQL.*
    if [ "$(id -u)" = 0 ]; then
        setsid setpriv --reuid="$pg_user" --regid="$(id -g "$pg_user")" --init-groups --pdeathsig QUIT -- \
            "$pg_bin/postgres" -D "$pg_dir/data" >>"$pg_dir/log" 2>&1 </dev/null &
    else
        setsid setpriv --pdeathsig QUIT -- "$pg_bin/postgres" -D "$pg_dir/data" >>"$pg_dir/log" 2>&1 </dev/null &
    fi
    pg_pid=$!
    pg_tries=$((pg_wait_s * 20))
    until pg_ready; do
        pg_tries=$((pg_tries - 1))
        if [ $pg_tries -le 0 ] || pg_gone "$pg_pid"; then
            echo "PostgreSQL does not start:" >&2
            tail -20 "$pg_dir/log" >&2
            return 1
        fi
        sleep 0.05
    done
}

pg_start() {
    if [ -z "$pg_bin" ]; then
        echo "PostgreSQL's programs are not installed (looked for /usr/lib/postgresql/*/bin)" >&2
        return 1
    fi
    mkdir -p "$B"
    pg_b=$(cd "$B" && pwd)
    pg_mktemp "$pg_b" || return 1
    pg_dir=$pg_made pg_sock=$pg_made pg_pid=''
    at_exit pg_stop
    # The address of a unix socket holds 107 bytes.
    if [ "$(printf '%s/.s.PGSQL.5432' "$pg_sock" | wc -c)" -gt 107 ]; then
        pg_mktemp "${TMPDIR:-/tmp}" || return 1
        pg_sock=$pg_made
    fi
    pg_initdb || return 1
    {
        printf "listen_addresses = ''\nunix_socket_directories = '%s'\nunix_socket_permissions = 0700\n" "$pg_sock"
        printf "max_connections = 40\nlog_line_prefix = '%%m [%%p] '\n"
        while [ "${1:-}" = -c ]; do
            printf "%s = '%s'\n" "${2%%=*}" "${2#*=}"
            shift 2
        done
    } >>"$pg_dir/data/postgresql.conf"
    : >"$pg_dir/log"
    pg_resume || return 1
    "$pg_bin/psql" -qX -h "$pg_sock" -U tally -d postgres -c 'CREATE DATABASE tally' || return 1
    pg_conn="postgresql://tally@/tally?host=$pg_sock"
    pg_daemon_conn="postgresql://tallyd@/tally?host=$pg_sock"
}

pg_halt() {
    if [ -z "$pg_pid" ]; then return 0; fi
    case ${1:-fast} in
    immediate) kill -QUIT "$pg_pid" 2>/dev/null || true ;;
    *) kill -INT "$pg_pid" 2>/dev/null || true ;;
    esac
    wait "$pg_pid" 2>/dev/null || true
    pg_pid=''
}

pg_restart() { pg_halt "${1:-fast}" && pg_resume; }

# Stopped first: a postmaster that runs would put new backends in the places of the killed ones, and backends that
# outlive it could go on writing.
pg_crash() {
    kill -STOP "$pg_pid"
    pg_children=$(pg_children_of)
    for pg_child in $pg_children; do kill -KILL "$pg_child" 2>/dev/null || true; done
    kill -KILL "$pg_pid"
    wait "$pg_pid" 2>/dev/null || true
    for pg_child in $pg_children; do
        pg_tries=$((pg_wait_s * 20))
        until pg_gone "$pg_child" || [ $pg_tries -eq 0 ]; do pg_tries=$((pg_tries - 1)); sleep 0.05; done
    done
    pg_pid=''
}
pg_children_of() { cat "/proc/$pg_pid/task/$pg_pid/children" 2>/dev/null || ps -o pid= --ppid "$pg_pid"; }

pg_stop() {
    if [ -z "${pg_dir:-}" ]; then return 0; fi
    pg_halt immediate
    rm -rf "$pg_dir" "$pg_sock"
    pg_dir=''
}

pg_sql() { "$pg_bin/psql" -qXAt -v ON_ERROR_STOP=1 -d "$pg_conn" -c "$@"; }
