/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the store: the connection, parameters, results. */
#pragma once

#include <libpq-fe.h>

#include "store/store.h"
#include "store_stmt.h"

struct store {
    char    *conninfo;
    PGconn  *conn;   /* NULL: lost, connect before use */
    bool     owner;  /* tallyctl's: the role is not checked */
    bool     writer; /* of store_claim(): every session of ours tries for the mark */
    bool     marked; /* this session has it */
    bool     reader; /* of store_open_reader(): no transaction of ours writes */
    bool     warned;
    char     warning[160]; /* the first WARNING since warned was cleared */
    unsigned answer_ms;    /* 0: STORE_ANSWER_MS */
    uint64_t epoch;        /* of store_take_over() */
};

/* ---- parameters, binary; memory comes from the arena; no_memory is looked at once, in sending
 * ---- */

#define STORE_PARAMS_MAX 16

struct store_params {
    struct tly_arena *arena;
    int               n;
    bool              no_memory;
    const char       *values[STORE_PARAMS_MAX];
    int               lengths[STORE_PARAMS_MAX];
    int               formats[STORE_PARAMS_MAX];
};

/* pg_type.dat */
enum store_oid {
    STORE_BYTEA = 17,
    STORE_INT8  = 20,
    STORE_INT2  = 21,
    STORE_INT4  = 23,
    STORE_TEXT  = 25
};

void store_param_int4(struct store_params *ps, uint32_t value);
void store_param_int8(struct store_params *ps, uint64_t value);
void store_param_bytes(struct store_params *ps, struct tly_bytes value); /* bytea or text */
/* An array of integers of that type. */
void store_param_ints(struct store_params *ps, enum store_oid oid, const uint64_t values[],
                      unsigned n);
/* An array of bytea or text; data NULL with len SIZE_MAX is null. */
void store_param_array(struct store_params *ps, enum store_oid oid, const struct tly_bytes values[],
                       unsigned n);
#define STORE_NULL ((struct tly_bytes){NULL, SIZE_MAX})

/* ---- the connection ---- */

/* Connected, checked and prepared; does nothing when it is already. */
TLY_MUST enum tly_err store_connect(struct store *store, struct tly_diag *diag);
/* Connected, nothing more. */
TLY_MUST enum tly_err store_dial(struct store *store, struct tly_diag *diag);
void                  store_drop(struct store *store);

void tly_auto_pgresult(PGresult **result);

/* One statement of a pipeline, and its result. */
struct store_call {
    enum store_stmt            stmt;
    const struct store_params *params; /* NULL: none */
    PGresult                  *result; /* freed by store_calls_done() */
};

/* Sends all statements in one round trip and waits for all results.  When one fails, or the
 * connection does, the connection is dropped: an open transaction is certainly not committed. */
TLY_MUST enum tly_err store_calls(struct store *store, struct store_call calls[], unsigned n,
                                  struct tly_diag *diag);
void                  store_calls_done(struct store_call calls[], unsigned n);
/* Sends COMMIT.  TLY_OK: done without a warning.  TLY_EUNSURE: anything else but a clean rollback,
 * which is TLY_EBUSY.  The connection is dropped unless TLY_OK. */
TLY_MUST enum tly_err store_commit_now(struct store *store, struct tly_diag *diag);
/* Sends one statement for streaming; rows come by store_next(), NULL at the end. */
TLY_MUST enum tly_err store_stream(struct store *store, enum store_stmt stmt,
                                   const struct store_params *params, struct tly_diag *diag);
TLY_MUST enum tly_err store_next(struct store *store, PGresult **row, struct tly_diag *diag);
/* Connects, and gives each row of the statement to `give`; stops at its first error. */
typedef enum tly_err (*store_each_fn)(void *arg, const PGresult *row, struct tly_diag *diag);
TLY_MUST enum tly_err store_each(struct store *store, enum store_stmt stmt,
                                 const struct store_params *params, store_each_fn give, void *arg,
                                 struct tly_diag *diag);
/* Runs a text that is not prepared; *result may be NULL. */
TLY_MUST enum tly_err store_run(struct store *store, const char *sql,
                                const struct store_params *params, PGresult **result,
                                struct tly_diag *diag);

/* ---- results, binary; a wrong type or length is our bug ---- */

uint64_t store_result_int(const PGresult *result, int column); /* int2, int4, int8; of row 0 */
bool     store_result_bool(const PGresult *result, int column);
bool     store_result_null(const PGresult *result, int column);
struct tly_bytes store_result_bytes(const PGresult *result, int column);
const char      *store_result_text(const PGresult *result, int column); /* "" for null */

/* ---- the same where a superuser may have been at work: what could not be is said, no bug ---- */

/* Null, another length than an integer's, or negative: false. */
TLY_MUST bool store_take_int(const PGresult *result, int column, uint64_t *out);
/* Null, or not `len` bytes: false. */
TLY_MUST bool store_take_exact(const PGresult *result, int column, void *out, size_t len);

/* A ledger row of any statement whose first columns are those of ledger_read.sql. */
struct store_row store_row_of(const PGresult *result);
