/* SPDX-License-Identifier: Apache-2.0 */
/* One contest by area: what the branches of an area and of those below it reported for it. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "core/tally.h"

/* A contest's slots in the order of the tree, so that those of an area and of all below it stand
 * side by side: every sum is one pass over leaves, never over other sums, and only the sums that
 * are asked for take memory. */
struct by_area {
    const struct tally *tally;
    struct contest_ix   contest;
    struct slot_ix     *slots; /* contest.slots_n */
    uint32_t           *first; /* areas_n: in slots */
    uint32_t           *n;     /* areas_n: of the area and those below it */
};

struct area_sum {
    struct progress progress;
    struct totals   totals;
};

/* Owns: arrays in the arena; borrows the tally.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err by_area_init(const struct tally *tally, struct contest_ix contest,
                                   struct tly_arena *arena, struct by_area *out);
/* Does a branch there, or below, report the contest? */
bool by_area_has(const struct by_area *by, struct area_ix area);
/* Adds up one area.  options: contest.lists_n + contest.candidates_n, written; NULL: not wanted.
 * Where progress.counted is 0 the numbers say nothing.  Cost: its slots, times the options. */
void by_area_sum(const struct by_area *by, struct area_ix area, struct area_sum *out,
                 uint64_t options[]);
