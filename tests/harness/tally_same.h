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
    TALLY_SAME(contests, e->contests_n)
    TALLY_SAME(contest_progress, e->contests_n)
    TALLY_SAME(contest_position, e->contests_n)
    TALLY_SAME(options, e->options_n)
    TALLY_SAME(areas, e->areas_n)
    TALLY_SAME(area_progress, e->areas_n)
    TALLY_SAME(area_position, e->areas_n)
    TALLY_SAME(branch_position, e->branches_n)
    TALLY_SAME(branch_conflict, e->branches_n)
    TALLY_SAME(excluded, e->candidates_n)
    TALLY_SAME(lots, e->contests_n)
    TALLY_SAME(certified, e->contests_n)
    return a->position == b->position ? NULL : "position";
}
