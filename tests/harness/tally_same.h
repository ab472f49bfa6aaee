/* SPDX-License-Identifier: Apache-2.0 */
/* Two tallies of one election, field by field. */
#pragma once

#include <string.h>

#include "core/tally.h"

/* Not by memcmp: there are holes in it. */
static inline bool
standing_same(const struct standing *a, const struct standing *b)
{
    return a->counts == b->counts && a->checks == b->checks && a->position == b->position &&
           a->revision == b->revision && a->state == b->state && a->beneath == b->beneath &&
           a->not_held == b->not_held && a->explained == b->explained;
}

static inline bool
sums_same(const struct totals *a, const struct progress *p, const struct totals *b,
          const struct progress *q)
{
    return memcmp(a, b, sizeof *a) == 0 && memcmp(p, q, sizeof *p) == 0;
}

static inline bool
contest_same(const struct contest_tally *a, const struct contest_tally *b)
{
    return sums_same(&a->totals, &a->progress, &b->totals, &b->progress) &&
           a->position == b->position && a->lots == b->lots && a->certified == b->certified;
}

static inline bool
area_same(const struct area_tally *a, const struct area_tally *b)
{
    return sums_same(&a->totals, &a->progress, &b->totals, &b->progress) &&
           a->position == b->position;
}

#define TALLY_SAME(field, n)                                                                       \
    if (memcmp(a->field, b->field, (size_t)(n) * sizeof *a->field) != 0) {                         \
        return #field;                                                                             \
    }

/* The first field that differs; NULL: none does. */
static inline const char *
tally_differs(const struct tally *a, const struct tally *b)
{
    const struct election *e = a->election;
    for (uint32_t i = 0; i < e->slots_n; i++) {
        if (!standing_same(&a->slots[i], &b->slots[i])) {
            return "slots";
        }
    }
    for (uint32_t i = 0; i < e->contests_n; i++) {
        if (!contest_same(&a->contests[i], &b->contests[i])) {
            return "contests";
        }
    }
    for (uint32_t i = 0; i < e->areas_n; i++) {
        if (!area_same(&a->areas[i], &b->areas[i])) {
            return "areas";
        }
    }
    TALLY_SAME(options, e->options_n)
    TALLY_SAME(branch_position, e->branches_n)
    TALLY_SAME(branch_conflict, e->branches_n)
    TALLY_SAME(excluded, e->candidates_n)
    if (a->state != b->state || a->state_until != b->state_until ||
        a->state_position != b->state_position || a->terminals_added != b->terminals_added) {
        return "state";
    }
    return a->position == b->position ? NULL : "position";
}
