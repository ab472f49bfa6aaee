/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the checks: codes are resolved first (checks_resolve.c), then the rules of every slot
 * are tried, causes before consequences (checks_run.c). */
#pragma once

#include "core/checks.h"

/* Votes of a contest could not be placed: beside CHECK_BITs, never shown. */
#define CHECKS_UNREAD (UINT64_C(1) << 63)
_Static_assert(CHECKS_N < 63, "a bit each, and one for CHECKS_UNREAD");

/* A slot at work. */
struct checks_slot {
    const struct payload_contest *row;  /* NULL: the contest is missing */
    uint32_t                      at;   /* its place in the payload */
    uint64_t                      seen; /* CHECK_BITs found, hidden ones too */
};

struct checks_work {
    const struct checks_input *in;
    struct tly_arena          *arena;
    struct checked            *out;
    struct checks_slot        *slots;   /* of the branch */
    uint32_t                  *places;  /* of each vote of the payload: in its contest's options */
    bool                       no_room; /* for the findings */
};

/* A finding to be, of one slot (place in the branch) or CHECKS_ALL.  row: place in the named array
 * of the payload's contest, or IX_NONE.  at: the contest's place in the payload; IX_NONE: the field
 * is of the payload itself. */
struct checks_found {
    enum check  check;
    uint32_t    place, at;
    const char *field;
    uint32_t    row;
    uint64_t    left, right, tolerance;
};
#define CHECKS_ALL UINT32_MAX

void checks_find(struct checks_work *w, const struct checks_found *found);
/* Fills slots, places and the counts of every slot that could be read. */
TLY_MUST enum tly_err checks_resolve(struct checks_work *w, struct tly_diag *diag);
/* "contests[1].lists[2]", "contests[1].cast" or "made_at". */
void checks_field(char out[sizeof((struct finding *)0)->field], uint32_t at, const char *field,
                  uint32_t row);
