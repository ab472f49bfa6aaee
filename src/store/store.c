/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "store/scrub.h"
#include "store_int.h"
#include "sys/clock.h"

#define SERVER_VERSION_MIN 150000 /* PostgreSQL 15 */
#define WHO_SIZE           100    /* a process and an address */

void
tly_auto_pgresult(PGresult **result)
{
    PQclear(*result);
}

void
tly_auto_store(struct store **store)
{
    store_close(*store);
}

/* ---- warnings ---- */

/* Anything above NOTICE.  Under synchronous replication a COMMIT may report success and yet only a
 * WARNING tells that no standby has it. */
static void
on_notice(void *arg, const PGresult *result)
{
    struct store *store    = arg;
    const char   *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char   *text     = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (severity != NULL && (strcmp(severity, "NOTICE") == 0 || strcmp(severity, "INFO") == 0 ||
                             strcmp(severity, "LOG") == 0 || strcmp(severity, "DEBUG") == 0)) {
        return;
    }
    if (!store->warned) {
        (void)snprintf(store->warning, sizeof store->warning, "%s", text == NULL ? "" : text);
    }
    store->warned = true;
}

/* ---- errors ---- */

void
store_drop(struct store *store)
{
    PQfinish(store->conn);
    store->conn   = NULL;
    store->marked = false;
}

static enum tly_err
lost(struct store *store, struct tly_diag *diag)
{
    const char *why = PQerrorMessage(store->conn);
    size_t      len = strlen(why); /* libpq ends its texts with a newline */
    while (len > 0 && why[len - 1] == '\n') {
        len--;
    }
    (void)tly_fail(diag, TLY_EBUSY, "database connection: %.*s", (int)len, why);
    store_drop(store);
    return TLY_EBUSY;
}

/* Errors of the server that pass by themselves (PostgreSQL, appendix A): connection, rollback for
 * another's sake, resources, lock not available, intervention, a standby that takes no writes. */
static bool
is_passing(const char *sqlstate)
{
    static const char *const passing[] = {"08", "40", "53", "57", "58", "55P03", "25006"};
    for (size_t i = 0; i < TLY_N(passing); i++) {
        if (strncmp(sqlstate, passing[i], strlen(passing[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* The server's refusal; the connection is dropped. */
static enum tly_err
refused(struct store *store, const PGresult *result, const char *what, struct tly_diag *diag)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text     = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (sqlstate == NULL) { /* libpq's own: the connection broke */
        return lost(store, diag);
    }
    const enum tly_err err = is_passing(sqlstate) ? TLY_EBUSY : TLY_ECORRUPT;
    (void)tly_fail(diag, err, "%s: %s (SQLSTATE %s)", what, text == NULL ? "" : text, sqlstate);
    store_drop(store);
    return err;
}

/* ---- waiting ---- */

void
store_set_deadline(struct store *store, unsigned answer_ms)
{
    store->answer_ms = answer_ms;
}

static uint64_t
deadline(const struct store *store)
{
    return clock_mono_ms() + (store->answer_ms == 0 ? STORE_ANSWER_MS : store->answer_ms);
}

static enum tly_err
wait_socket(struct store *store, short events, uint64_t until_ms, struct tly_diag *diag)
{
    const uint64_t now = clock_mono_ms();
    struct pollfd  fd  = {.fd = PQsocket(store->conn), .events = events};
    const int      ms  = now >= until_ms ? 0 : (int)(until_ms - now);
    if (poll(&fd, 1, ms) == 0 && clock_mono_ms() >= until_ms) {
        store_drop(store);
        return tly_fail(diag, TLY_EBUSY, "the database did not answer in time");
    }
    return TLY_OK; /* ready, or interrupted: the caller looks again */
}

/* The next result, or NULL when a statement has no more. */
static enum tly_err
next_result(struct store *store, uint64_t until_ms, PGresult **out, struct tly_diag *diag)
{
    for (;;) {
        const int unsent = PQflush(store->conn);
        if (unsent < 0) {
            return lost(store, diag);
        }
        if (!PQisBusy(store->conn)) {
            break;
        }
        const enum tly_err err =
            wait_socket(store, (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN), until_ms, diag);
        if (err != TLY_OK) {
            return err;
        }
        if (PQconsumeInput(store->conn) == 0) {
            return lost(store, diag);
        }
    }
    *out = PQgetResult(store->conn);
    return TLY_OK;
}

/* ---- statements ---- */

static bool
send(struct store *store, enum store_stmt stmt, const struct store_params *ps)
{
    TLY_CHECK((ps == NULL ? 0 : ps->n) == store_stmt_texts[stmt].params_n);
    return PQsendQueryPrepared(store->conn, store_stmt_texts[stmt].name, ps == NULL ? 0 : ps->n,
                               ps == NULL ? NULL : ps->values, ps == NULL ? NULL : ps->lengths,
                               ps == NULL ? NULL : ps->formats, 1) == 1;
}

static bool
is_good(const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* The result of one statement of a pipeline, and the NULL behind it. */
static enum tly_err
pipeline_result(struct store *store, const char *what, uint64_t until_ms, PGresult **out,
                struct tly_diag *diag)
{
    TLY_AUTO(pgresult) PGresult *result = NULL;
    PGresult                    *end    = NULL;
    enum tly_err                 err    = next_result(store, until_ms, &result, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (result == NULL || !is_good(result)) {
        return refused(store, result, what, diag);
    }
    err = next_result(store, until_ms, &end, diag);
    TLY_CHECK(err != TLY_OK || end == NULL);
    if (err == TLY_OK) {
        *out = TLY_TAKE(result);
    }
    return err;
}

static enum tly_err
pipeline_end(struct store *store, uint64_t until_ms, struct tly_diag *diag)
{
    TLY_AUTO(pgresult) PGresult *sync = NULL;
    const enum tly_err           err  = next_result(store, until_ms, &sync, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (PQresultStatus(sync) != PGRES_PIPELINE_SYNC || PQexitPipelineMode(store->conn) != 1) {
        return lost(store, diag);
    }
    return TLY_OK;
}

enum tly_err
store_calls(struct store *store, struct store_call calls[], unsigned n, struct tly_diag *diag)
{
    const uint64_t until = deadline(store);
    bool           sent  = PQenterPipelineMode(store->conn) == 1;
    for (unsigned i = 0; i < n; i++) {
        if (calls[i].params != NULL && calls[i].params->no_memory) {
            store_drop(store);
            return tly_fail(diag, TLY_EBUSY, "no memory for a statement's parameters");
        }
        sent = sent && send(store, calls[i].stmt, calls[i].params);
    }
    if (!sent || PQpipelineSync(store->conn) != 1) {
        return lost(store, diag);
    }
    for (unsigned i = 0; i < n; i++) {
        const enum tly_err err = pipeline_result(store, store_stmt_texts[calls[i].stmt].name, until,
                                                 &calls[i].result, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return pipeline_end(store, until, diag);
}

void
store_calls_done(struct store_call calls[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        PQclear(calls[i].result);
        calls[i].result = NULL;
    }
}

/* Takes in what is left of a statement; the first result counts. */
static enum tly_err
one_result(struct store *store, PGresult **out, struct tly_diag *diag)
{
    const uint64_t               until  = deadline(store);
    TLY_AUTO(pgresult) PGresult *result = NULL;
    enum tly_err                 err    = next_result(store, until, &result, diag);
    for (bool more = result != NULL; err == TLY_OK && more;) {
        TLY_AUTO(pgresult) PGresult *next = NULL; /* stays so when the connection is lost here */
        err                               = next_result(store, until, &next, diag);
        more                              = next != NULL;
    }
    if (err == TLY_OK) {
        *out = TLY_TAKE(result);
    }
    return err;
}

enum tly_err
store_commit_now(struct store *store, struct tly_diag *diag)
{
    TLY_AUTO(pgresult) PGresult *result = NULL;
    struct tly_diag              why    = {0};
    if (!send(store, STMT_TX_COMMIT, NULL)) { /* nothing left our memory, or part of it did */
        (void)lost(store, &why);
        return tly_fail(diag, TLY_EUNSURE, "COMMIT: %s", why.text);
    }
    if (one_result(store, &result, &why) != TLY_OK) {
        return tly_fail(diag, TLY_EUNSURE, "COMMIT: %s", why.text);
    }
    if (result != NULL && PQresultStatus(result) == PGRES_COMMAND_OK) {
        const bool rolled_back = strcmp(PQcmdStatus(result), "ROLLBACK") == 0;
        if (!store->warned && strcmp(PQcmdStatus(result), "COMMIT") == 0) {
            return TLY_OK;
        }
        store_drop(store);
        return tly_fail(diag, rolled_back ? TLY_EBUSY : TLY_EUNSURE, "COMMIT: %s",
                        rolled_back ? "rolled back" : store->warning);
    }
    (void)refused(store, result, "COMMIT", &why);
    return tly_fail(diag, TLY_EUNSURE, "%s", why.text);
}

enum tly_err
store_stream(struct store *store, enum store_stmt stmt, const struct store_params *params,
             struct tly_diag *diag)
{
    if (params != NULL && params->no_memory) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a statement's parameters");
    }
    if (!send(store, stmt, params) || PQsetSingleRowMode(store->conn) != 1) {
        return lost(store, diag);
    }
    return TLY_OK;
}

enum tly_err
store_next(struct store *store, PGresult **row, struct tly_diag *diag)
{
    TLY_AUTO(pgresult) PGresult *result = NULL;
    for (;;) {
        const enum tly_err err = next_result(store, deadline(store), &result, diag);
        if (err != TLY_OK) {
            return err;
        }
        if (result == NULL || PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
            *row = TLY_TAKE(result);
            return TLY_OK;
        }
        if (PQresultStatus(result) != PGRES_TUPLES_OK) {
            return refused(store, result, "reading", diag);
        }
        PQclear(TLY_TAKE(result)); /* the empty one behind the last row */
    }
}

enum tly_err
store_run(struct store *store, const char *sql, const struct store_params *params,
          PGresult **result, struct tly_diag *diag)
{
    TLY_AUTO(pgresult) PGresult *got = NULL;
    /* Without parameters the simple protocol, which takes a whole script at once. */
    const int sent = params == NULL
                         ? PQsendQuery(store->conn, sql)
                         : PQsendQueryParams(store->conn, sql, params->n, NULL, params->values,
                                             params->lengths, params->formats, 1);
    if (sent != 1) {
        return lost(store, diag);
    }
    const uint64_t until = deadline(store);
    for (;;) {
        TLY_AUTO(pgresult) PGresult *next = NULL;
        const enum tly_err           err  = next_result(store, until, &next, diag);
        if (err != TLY_OK) {
            return err;
        }
        if (next == NULL) {
            break;
        }
        if (!is_good(next)) {
            return refused(store, next, "database", diag);
        }
        PQclear(got);
        got = TLY_TAKE(next);
    }
    if (result != NULL) {
        *result = TLY_TAKE(got);
    }
    return TLY_OK;
}

/* ---- connecting ---- */

/* Waiting does not mend a text that libpq cannot read.  One without '=' and "://" is a bare name. */
static enum tly_err
conninfo_check(const char *conninfo, struct tly_diag *diag)
{
    if (strchr(conninfo, '=') == NULL && strstr(conninfo, "://") == NULL) {
        return TLY_OK;
    }
    char             *why     = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &why);
    enum tly_err      err     = TLY_OK;
    if (options == NULL) {
        const size_t len = why == NULL ? 0 : strcspn(why, "\n");
        err = tly_fail(diag, TLY_EINPUT, "database: %.*s", (int)len, why == NULL ? "" : why);
    }
    PQconninfoFree(options);
    PQfreemem(why);
    return err;
}

enum tly_err
store_dial(struct store *store, struct tly_diag *diag)
{
    /* What stands before dbname gives way to what the connection string says. */
    const char *const names[]  = {"application_name", "tcp_user_timeout", "dbname", NULL};
    const char *const values[] = {"tally", "10000", store->conninfo, NULL};
    const uint64_t    until =
        clock_mono_ms() + (store->owner ? STORE_OWNER_CONNECT_MS : STORE_CONNECT_MS);
    store_drop(store);
    store->conn = PQconnectStartParams(names, values, 1);
    if (store->conn == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a connection");
    }
    (void)PQsetNoticeReceiver(store->conn, on_notice, store);
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (PQstatus(store->conn) != CONNECTION_BAD && state != PGRES_POLLING_OK) {
        const enum tly_err err =
            wait_socket(store, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until, diag);
        if (err != TLY_OK) {
            return err;
        }
        state = PQconnectPoll(store->conn);
    }
    if (PQstatus(store->conn) != CONNECTION_OK || PQsetnonblocking(store->conn, 1) != 0) {
        return lost(store, diag);
    }
    if (PQserverVersion(store->conn) < SERVER_VERSION_MIN) {
        store_drop(store);
        return tly_fail(diag, TLY_ECORRUPT, "the database server is older than PostgreSQL 15");
    }
    store->warned = false;
    return TLY_OK;
}

static enum tly_err
check_schema(struct store *store, struct tly_diag *diag)
{
    TLY_AUTO(pgresult) PGresult *result = NULL;
    struct store_params          none   = {0};
    const enum tly_err           err =
        store_run(store, store_stmt_texts[STMT_SCHEMA_VERSION_READ].sql, &none, &result, diag);
    if (err == TLY_ECORRUPT) {
        char why[sizeof diag->text] = "";
        if (diag != NULL) {
            (void)snprintf(why, sizeof why, "%s", diag->text);
        }
        return tly_fail(diag, err,
                        "no tally database, or not ours to read (tallyctl migrate): %.200s", why);
    }
    if (err != TLY_OK) {
        return err;
    }
    const unsigned version = (unsigned)store_result_int(result, 0);
    if (version != STORE_SCHEMA_VERSION) {
        store_drop(store);
        return tly_fail(
            diag, TLY_ECORRUPT,
            "the database has schema version %u, this program needs %d (tallyctl migrate)", version,
            STORE_SCHEMA_VERSION);
    }
    return TLY_OK;
}

/* All of them: a statement that does not fit the schema stops the daemon here, not at night. */
static enum tly_err
prepare(struct store *store, struct tly_diag *diag)
{
    const uint64_t until = deadline(store);
    bool           sent  = PQenterPipelineMode(store->conn) == 1;
    for (int i = 0; i < STMT_N; i++) {
        sent = sent && PQsendPrepare(store->conn, store_stmt_texts[i].name, store_stmt_texts[i].sql,
                                     0, NULL) == 1;
    }
    if (!sent || PQpipelineSync(store->conn) != 1) {
        return lost(store, diag);
    }
    for (int i = 0; i < STMT_N; i++) {
        TLY_AUTO(pgresult) PGresult *result = NULL;
        const enum tly_err           err =
            pipeline_result(store, store_stmt_texts[i].name, until, &result, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return pipeline_end(store, until, diag);
}

static enum tly_err
check_session(struct store *store, struct tly_diag *diag)
{
    struct store_call calls[] = {{.stmt = STMT_SESSION_SET}, {.stmt = STMT_SESSION_CHECK}};
    enum tly_err      err     = store_calls(store, calls, TLY_N(calls), diag);
    if (err == TLY_OK && store_result_text(calls[1].result, 0)[0] != '\0') {
        err = tly_fail(diag, TLY_ECORRUPT, "unsafe database: %s",
                       store_result_text(calls[1].result, 0));
    } else if (err == TLY_OK && store_result_bool(calls[1].result, 1)) {
        err = tly_fail(diag, TLY_EBUSY, "the database server is a standby");
    } else if (err == TLY_OK && !store->owner && store_result_bool(calls[1].result, 2)) {
        err =
            tly_fail(diag, TLY_ECORRUPT,
                     "the database role \"%s\" could change what is recorded: connect as one that "
                     "has only what sql/roles.sql grants (tallyd)",
                     PQuser(store->conn));
    }
    store_calls_done(calls, TLY_N(calls));
    if (err != TLY_OK) {
        store_drop(store);
    }
    return err;
}

/* An idle connection has little to say: what makes it readable is mostly its end, and finding that
 * before a batch is sent spares the batch. */
static enum tly_err
look(struct store *store, struct tly_diag *diag)
{
    if (store->conn == NULL) {
        return tly_fail(diag, TLY_EBUSY, "database connection: none");
    }
    for (;;) {
        struct pollfd fd = {.fd = PQsocket(store->conn), .events = POLLIN};
        if (PQstatus(store->conn) != CONNECTION_OK) {
            return lost(store, diag);
        }
        if (poll(&fd, 1, 0) == 0) {
            return TLY_OK;
        }
        if (PQconsumeInput(store->conn) == 0) {
            return lost(store, diag);
        }
        store->warned = false;
        (void)PQisBusy(store->conn); /* takes in what came: a setting that changed, a last word */
        if (store->warned) {         /* its end follows, perhaps a moment later */
            store_drop(store);
            return tly_fail(diag, TLY_EBUSY, "database connection: %s", store->warning);
        }
    }
}

/* Tries for the writer's mark; *who has it, when it is not ours, '\0' when that is over. */
static enum tly_err
mark(struct store *store, char who[], size_t size, struct tly_diag *diag)
{
    struct store_call call = {.stmt = STMT_WRITER_LOCK};
    enum tly_err      err  = store_calls(store, &call, 1, diag);
    if (err == TLY_OK) {
        store->marked = store_result_bool(call.result, 0);
        (void)snprintf(who, size, "%s", store_result_text(call.result, 1));
    }
    store_calls_done(&call, 1);
    return err;
}

enum tly_err
store_claim(struct store *store, struct tly_diag *diag)
{
    char         who[WHO_SIZE] = "";
    enum tly_err err           = store_connect(store, diag);
    if (err == TLY_OK && !store->marked) {
        err = mark(store, who, sizeof who, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    store->writer = store->marked;
    return store->marked
               ? TLY_OK
               : tly_fail(diag, TLY_EBUSY, "another tallyd writes to this database (%s)", who);
}

enum tly_err
store_idle_check(struct store *store, struct tly_diag *diag)
{
    char               who[WHO_SIZE];
    const enum tly_err err = look(store, diag);
    return err == TLY_OK && store->writer && !store->marked ? mark(store, who, sizeof who, diag)
                                                            : err;
}

enum tly_err
store_connect(struct store *store, struct tly_diag *diag)
{
    if (look(store, NULL) == TLY_OK) {
        return TLY_OK;
    }
    enum tly_err err = store_dial(store, diag);
    if (err == TLY_OK) {
        err = check_schema(store, diag);
    }
    if (err == TLY_OK) {
        err = prepare(store, diag);
    }
    if (err == TLY_OK) {
        err = check_session(store, diag);
    }
    if (err == TLY_OK && store->reader) {
        struct store_call call = {.stmt = STMT_SESSION_READ_ONLY};
        err                    = store_calls(store, &call, 1, diag);
        store_calls_done(&call, 1);
    }
    if (err == TLY_OK && store->writer) { /* without it just as well: the epoch tells */
        char who[WHO_SIZE];
        err = mark(store, who, sizeof who, diag);
    }
    return err;
}

static enum tly_err
open_as(const char *conninfo, bool reader, struct store **out, struct tly_diag *diag)
{
    TLY_AUTO(store) struct store *store = calloc(1, sizeof *store);
    if (store == NULL || (store->conninfo = strdup(conninfo)) == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a connection");
    }
    store->reader    = reader;
    enum tly_err err = conninfo_check(conninfo, diag);
    if (err == TLY_OK) {
        err = store_connect(store, diag);
    }
    if (err == TLY_OK) {
        *out = TLY_TAKE(store);
    }
    return err;
}

enum tly_err
store_open(const char *conninfo, struct store **out, struct tly_diag *diag)
{
    return open_as(conninfo, false, out, diag);
}

enum tly_err
store_open_reader(const char *conninfo, struct store **out, struct tly_diag *diag)
{
    return open_as(conninfo, true, out, diag);
}

void
store_close(struct store *store)
{
    if (store != NULL) {
        PQfinish(store->conn);
        free(store->conninfo);
        free(store);
    }
}
