/* SPDX-License-Identifier: Apache-2.0 */
/* Which branches gave the same numbers for one contest (P08, doc/checks.md): an index over the
 * newest counts of all slots.  It says nothing that the standings do not say, only sooner. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "core/tally.h"

struct twins;

/* An empty index.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err twins_new(const struct election *election, struct tly_arena *arena,
                                struct twins **out);
/* The standings were replaced from outside: they are gone through again before the next question. */
void twins_forget(struct twins *twins);

/* What the index makes of a slot's new counts (NULL: none).  Asked early: the memory that will be
 * needed is then on its way while the sums are moved. */
struct twins_key {
    bool     says_something; /* else the counts are not looked for */
    uint64_t hash;
};
struct twins_key twins_prepare(const struct twins *twins, struct slot_ix ix,
                               const struct counts *counts);

/* The slot's counts go (before they are replaced) and come (when they stand in its standing).
 * Returns a slot that this may have left without a twin, or given one; IX_NONE: none.
 *
 * Limits:  as many comparisons of hashes as the contest has branches at the worst, one or two in
 *          practice; numbers are compared only where 64 bits of hash agree. */
struct slot_ix twins_leave(struct twins *twins, const struct standing slots[], struct slot_ix ix);
struct slot_ix twins_enter(struct twins *twins, const struct standing slots[], struct slot_ix ix,
                           struct twins_key key);

/* Another slot with the same numbers; IX_NONE: there is none. */
struct slot_ix twins_other(const struct twins *twins, struct slot_ix ix);
