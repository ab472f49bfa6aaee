/* SPDX-License-Identifier: Apache-2.0 */
/* A pass over the database: every row against what memory says, or what was sealed.  The same at the
 * start, before anybody is served, and by a thread of its own while the daemon runs. */
#pragma once

#include "../service.h"
#include "api/state.h"
#include "seals.h"
#include "store/scrub.h"

#define SCRUB_TEXTS_MAX 16  /* differences that are kept as texts; the others are counted */
#define SCRUB_CHUNK     256 /* rows of a statement */
#define SCRUB_NOWHERE   UINT64_MAX

/* A row that is new and will be sealed when the pass found nothing. */
struct scrub_new {
    enum seal_table table;
    struct seal     seal;
};

struct scrub_pass {
    struct service *service;
    struct store   *store;
    struct seals   *seals;
    bool            start; /* nobody is served yet, and the epoch was taken over a moment ago */
    bool            lost;  /* at the start: the database lost its newest commits, and had only */
    uint64_t        had;   /* these entries; what else it lost with them cannot be told */
    /* found */
    uint64_t rows;        /* compared */
    uint64_t differences; /* rows */
    uint64_t position;    /* the first ledger entry that one touches, or SCRUB_NOWHERE */
    unsigned texts_n;
    char     texts[SCRUB_TEXTS_MAX][API_SCRUB_WHY];
    void (*alarm)(struct scrub_pass *pass, const char *text); /* at each text; NULL: nobody */
    void *arg;                                                /* of alarm */
    /* new */
    struct scrub_new *fresh;
    size_t            fresh_n, fresh_cap;
};

/* A row differs; position: the ledger entry that it touches, SCRUB_NOWHERE none. */
void scrub_differs(struct scrub_pass *pass, uint64_t position, const char *format, ...)
    TLY_PRINTF(3, 4);
/* A row that was not there at the last pass.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err scrub_fresh(struct scrub_pass *pass, enum seal_table table, uint64_t key,
                                  const void *seal, size_t len);
/* A counter's value as it was noted, 0: not yet; and what it is now. */
uint64_t              scrub_noted(const struct scrub_pass *pass, uint64_t key);
TLY_MUST enum tly_err scrub_note(struct scrub_pass *pass, uint64_t key, uint64_t value);
/* Seals what is new when nothing differs, and forgets it otherwise. */
TLY_MUST enum tly_err scrub_seal(struct scrub_pass *pass, struct tly_diag *diag);
void                  scrub_pass_done(struct scrub_pass *pass);

/* ledger.c: rows from..to of the ledger, to - from <= SCRUB_CHUNK; to is signed.
 * Errors here and below: those of store.h; what differs is none. */
TLY_MUST enum tly_err scrub_ledger(struct scrub_pass *pass, uint64_t from, uint64_t to,
                                   struct tly_diag *diag);

/* rows.c */
TLY_MUST enum tly_err scrub_once(struct scrub_pass *pass, struct tly_diag *diag);
TLY_MUST enum tly_err scrub_versions(struct scrub_pass *pass, struct tly_diag *diag);
TLY_MUST enum tly_err scrub_heads(struct scrub_pass *pass, struct tly_diag *diag);
/* evidence.c */
TLY_MUST enum tly_err scrub_evidence(struct scrub_pass *pass, struct tly_diag *diag);
TLY_MUST enum tly_err scrub_senders(struct scrub_pass *pass, struct tly_diag *diag);
/* All of rows.c and evidence.c. */
TLY_MUST enum tly_err scrub_small(struct scrub_pass *pass, struct tly_diag *diag);
