/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 7: entries without a finding, in order, put into the tally by the sequencer's own rules. */
#pragma once

#include "core/history.h"
#include "item.h"

/* In a slot's checks: its newest bundle is withheld.  No check has this bit. */
#define RECOUNT_HIDDEN (UINT64_C(1) << 63)

struct scope {
    uint32_t        serial; /* 0: none */
    struct tly_hash payload;
};

struct recount {
    const struct verify *v;
    struct tally         tally;
    struct book         *book;       /* places of what was applied; others hold their place only */
    uint8_t             *was_hidden; /* contests_n: one was, at some time */
    struct history      *history;    /* the numbers of every place can be made again */
    struct scope        *scopes;     /* areas_n: its newest results document */
    struct tly_arena    *arena;      /* of what is kept */
};

/* Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err recount_init(struct recount *c, const struct verify *v,
                                   struct tly_arena *arena);
/* The next entry, of whatever kind: judges decisions (decision.state, certificate.result are found here)
 * and applies what has no finding.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err recount_take(struct recount *c, struct item *item);
/* How many of a contest's slots are hidden, and how many of them stand among the counted. */
struct recount_hidden {
    uint32_t all, counted;
};
struct recount_hidden recount_hidden_of(const struct tally *tally, struct contest_ix ix);
