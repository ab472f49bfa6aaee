/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what is stored to compare it with memory: every table, as it is, also where a superuser
 * was at work.  Nothing here refuses a row; whoever compares says what is wrong with it. */
#pragma once

#include "store/store.h"

#define STORE_TIME_BYTES 8 /* of a timestamptz, as PostgreSQL sends it */
#define STORE_TAGS       8 /* columns of evidence but its id: received_at to detail */

/* As store_open(), but no transaction of the connection can write. */
TLY_MUST enum tly_err store_open_reader(const char *conninfo, struct store **out,
                                        struct tly_diag *diag);

/* tally.election and tally.log_head, and where the ledger's rows lie, in one snapshot. */
struct store_once {
    unsigned              rows_n; /* 1, unless rows were added or taken away */
    const char           *fault;  /* "table.column" whose value no program of ours wrote, or NULL */
    struct store_election election;
    uint8_t               opened_at[STORE_TIME_BYTES];
    uint64_t              barrier;
    uint64_t              first, last; /* positions of the ledger's rows */
};
/* Errors as those of every function of store.h. */
TLY_MUST enum tly_err store_once(struct store *store, struct store_once *out,
                                 struct tly_diag *diag);

/* Gives the rows with from <= position < to, rows_max at most, in order of position; some may be
 * missing, stand twice, or have a fault. */
TLY_MUST enum tly_err store_scrub_ledger(struct store *store, uint64_t from, uint64_t to,
                                         uint64_t rows_max, store_row_fn fn, void *arg,
                                         struct tly_diag *diag);

/* A row of one of the other tables; which members stand depends on the function. */
struct store_small {
    const char      *fault; /* its column, or NULL */
    int64_t          key;   /* version, size, id */
    const char      *name;  /* schema_version */
    uint8_t          at[STORE_TIME_BYTES];
    struct tly_sig   sig;              /* head */
    struct tly_hash  hash;             /* evidence: over all its columns */
    uint8_t          tags[STORE_TAGS]; /* and a byte of each */
    bool             whole;            /* evidence: the body fits its hash */
    struct tly_bytes sender;           /* evidence_sender */
    uint64_t         kept_n, bytes, dropped, are_n, are_bytes; /* counted, and what there is */
};
typedef enum tly_err (*store_small_fn)(void *arg, const struct store_small *row,
                                       struct tly_diag *diag);
/* All of them, rows_max at most. */
TLY_MUST enum tly_err store_scrub_versions(struct store *store, uint64_t rows_max,
                                           store_small_fn fn, void *arg, struct tly_diag *diag);
TLY_MUST enum tly_err store_scrub_senders(struct store *store, uint64_t rows_max, store_small_fn fn,
                                          void *arg, struct tly_diag *diag);
/* A page: the next rows_max with a key over `after`, in order (INT64_MIN: from the first).
 * body_max: where bodies of evidence are cut. */
TLY_MUST enum tly_err store_scrub_heads(struct store *store, int64_t after, uint64_t rows_max,
                                        store_small_fn fn, void *arg, struct tly_diag *diag);
TLY_MUST enum tly_err store_scrub_evidence(struct store *store, int64_t after, uint64_t rows_max,
                                           uint64_t body_max, store_small_fn fn, void *arg,
                                           struct tly_diag *diag);

/* The migration of that version; NULL: this program knows none. */
const char *store_version_name(unsigned version);
