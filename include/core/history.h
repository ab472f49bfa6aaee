/* SPDX-License-Identifier: Apache-2.0 */
/* What every ledger entry did to the tally, in order and for ever, so that the tally of any position
 * can be made again: 32 bytes for each slot of a bundle, or for the whole of any other entry.
 * Counts and lots are the tally's own, which never change once handed over, and are only pointed to.
 *
 * One writer, the sequencer, and no lock.  A reader may replay every position that was published to
 * it, while the writer appends, because
 *   - an entry is appended whole before its position is published, and publishing (the swap of the
 *     snapshot under a mutex, api/state.h) orders all that was written before it, for whoever learns
 *     the position by it;
 *   - nothing that was appended changes or moves afterwards: chunks are linked, never copied;
 *   - a replay reads the entries below its position and nothing else: the newest event of an entry
 *     says that it is the last, so that no size is read which the writer moves on, and the link to the
 *     next chunk is followed only for an event in it, which was appended after the link was set. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "core/decision.h"
#include "core/tally.h"

struct history;

/* An empty history; the arena must outlive it.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err history_new(struct tly_arena *arena, struct history **out);
/* Makes room for so many events before anything of them is in force, since an entry that is stored
 * cannot be refused any more.  A bundle has one event a slot, but at least one; any other entry has
 * one.  Asking again for what there is room for costs nothing.  false: no memory, nothing changed. */
TLY_MUST bool history_reserve(struct history *history, uint32_t events_n);

/* What the entry did, beside the call that does it to the tally; the room is there. */
void history_change(struct history *history, const struct tally_change *change);
void history_conflict(struct history *history, struct branch_ix branch);
/* Of the decision only kind, target and lot are kept (decision_keep()); of a `key` one its action. */
void history_decision(struct history *history, const struct decision *decision);
/* The entry is whole, also one that did nothing (the genesis).  It is the ledger's `position`. */
void history_end(struct history *history, uint64_t position);

/* Puts the entries [0, position) into a tally as tally_init() leaves it, by the functions that put them
 * into the live one: every field is what stood when that position was the newest.  Entries below
 * `position` must have been published to the caller.  Cost: that of all their changes. */
void history_replay(const struct history *history, uint64_t position, struct tally *tally);
