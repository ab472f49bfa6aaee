/* SPDX-License-Identifier: Apache-2.0 */
/* The tally: what each branch's contest stands at, and every total, added from leaves only (design
 * 2).
 *
 * Dense arrays beside the election's.  Blocks of counts never change once handed over, so that a
 * copy of the arrays is a complete snapshot. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "core/election.h"
#include "core/payload.h"

/* EXPECTED -> RECEIVED -> HELD | COUNTED -> CORRECTED, and ANNULLED by decision (design 7).
 * RECEIVED is the moment between queue and ledger and is never seen in a snapshot. */
enum slot_state {
    SLOT_EXPECTED,
    SLOT_RECEIVED,
    SLOT_HELD,
    SLOT_COUNTED,
    SLOT_CORRECTED,
    SLOT_ANNULLED,
    SLOT_STATES_N
};

/* One branch's numbers for one contest: n[], then the contest's lists, then its candidates. */
struct counts {
    uint32_t n[COUNTS_N];
    uint32_t options[]; /* contest.lists_n + contest.candidates_n */
};

/* What one branch's contest stands at. */
struct standing {
    const struct counts
            *counts;   /* of the newest revision; NULL: none could be read, or not held there */
    uint64_t checks;   /* bits 1 << enum check: what the newest revision was held or flagged for */
    uint64_t position; /* ledger position of the newest change; 0: none */
    uint32_t revision; /* 0: none */
    uint8_t  state;    /* enum slot_state */
    bool     not_held; /* the branch says that this contest was not held there */
};

/* Branch-contests, design 9 `P`. */
struct progress {
    uint32_t expected, reported, counted, held, annulled;
};

/* Sums over counted branch-contests, by enum count; 64 bits hold 2^32 branches. */
struct totals {
    uint64_t n[COUNTS_N];
};

struct tally {
    const struct election *election;
    struct standing       *slots;            /* election.slots_n */
    struct totals         *contests;         /* contests_n */
    struct progress       *contest_progress; /* contests_n */
    uint64_t              *contest_position; /* contests_n: last ledger position that changed it */
    uint64_t              *options; /* options_n: ballots of lists, personal votes of candidates */
    struct totals         *areas;   /* areas_n: branch-contests of branches in the area */
    struct progress       *area_progress;   /* areas_n */
    uint64_t              *area_position;   /* areas_n */
    uint64_t              *branch_position; /* branches_n */
    uint8_t               *branch_conflict; /* branches_n: a conflict is logged (flagged) */
    uint64_t               position;        /* ledger entries applied: the next position */
};

const char *slot_state_name(enum slot_state state);

/* Zeroes everything and counts what is expected.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err tally_init(struct tally *tally, const struct election *election,
                                 struct tly_arena *arena);

/* What a logged bundle says about one slot. */
struct tally_change {
    struct slot_ix       slot;
    const struct counts *counts; /* kept; NULL: not held there, or unreadable (then `held`) */
    uint64_t             checks;
    uint32_t             revision;
    bool                 held;
    bool                 not_held;
};

/* Applies one slot's change at a ledger position: the old revision's numbers leave every sum they
 * were in, the new ones enter, up the whole tree.  A revision not above the slot's is a bug of
 * ours. */
void tally_apply(struct tally *tally, const struct tally_change *change, uint64_t position);
/* A conflict was logged for the branch: it is flagged. */
void tally_conflict(struct tally *tally, struct branch_ix branch, uint64_t position);

/* Votes that count by law: list_ir: personal plus the list's ballots; other methods: personal. */
uint64_t tally_candidate_votes(const struct tally *tally, struct candidate_ix candidate);
/* A list's votes: list_ir: the sum of its members'; other list methods: its ballots plus its
 * members' votes. */
uint64_t tally_list_votes(const struct tally *tally, struct list_ix list);

/* Copies all arrays of one tally over another of the same election (a snapshot).  Cost: some MB
 * copied. */
void tally_copy(struct tally *to, const struct tally *from);
