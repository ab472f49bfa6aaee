/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 8: what the log's numbers make of each contest. */
#pragma once

#include "core/outcome.h"
#include "recount.h"

struct contest_result {
    const struct contest *contest;
    const char           *status;
    bool                  has_ballots; /* a branch whose numbers are known is counted */
    uint64_t              ballots;
    bool                  has_seats; /* has_ballots, and the method has lists */
    struct outcome        outcome;   /* when has_ballots */
    bool                  has_result;
    struct tly_hash       result;
    uint32_t              withheld; /* branches */
};

/* Errors: TLY_ENOMEM.  The outcome's arrays are in the arena. */
TLY_MUST enum tly_err contests_result(const struct recount *c, struct contest_ix ix,
                                      struct tly_arena *arena, struct contest_result *out);

/* Branch-contests of the whole election. */
struct unit_counts {
    uint64_t expected, counted, held, annulled, missing;
};
struct unit_counts contests_units(const struct recount *c);
