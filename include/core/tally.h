/* SPDX-License-Identifier: Apache-2.0 */
/* The tally: what each branch's contest stands at, and every total, added from leaves only.
 *
 * Dense arrays beside the election's.  Blocks of counts never change once handed over, so that a
 * copy of the arrays is a complete snapshot. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "core/election.h"
#include "core/payload.h"

/* What a branch's contest stands at (doc/formats.md), and what moves it there:
 *
 *   EXPECTED            bundle            -> HELD | COUNTED
 *   HELD                release           -> COUNTED | CORRECTED
 *   any reported        bundle (revision) -> HELD | CORRECTED
 *   any reported        annul             -> ANNULLED
 *   ANNULLED            reinstate         -> what it was
 *   ANNULLED            bundle (revision) -> ANNULLED: its numbers are kept, and what the new
 *                                            revision would stand at is what a reinstatement gives
 *
 * A released slot is COUNTED, or CORRECTED when its revision is above 1.  RECEIVED is the moment
 * between queue and ledger and is never seen in a snapshot. */
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
            *counts; /* of the newest revision; NULL: none could be read, or not held there */
    uint64_t checks; /* CHECK_BITs of what the newest revision is held or flagged for; P08 comes and
                         goes with the numbers of other branches */
    uint64_t position;  /* ledger position of the newest change, of checks too; 0: none */
    uint32_t revision;  /* 0: none */
    uint8_t  state;     /* enum slot_state */
    uint8_t  beneath;   /* ANNULLED: the state that a reinstatement gives back */
    bool     not_held;  /* the branch says that this contest was not held there */
    bool     explained; /* a decision explains the checks of this revision; not one found since */
};

/* An order that people drew or found for equals (doc/methods.md).  It never changes once
 * handed over, and holds as long as the numbers that it was made for. */
struct lot {
    const struct lot *before; /* of the same numbers */
    bool              lists;  /* places are lists, and lists_n the independents; else candidates */
    uint32_t          n;
    uint32_t          order[]; /* places in the contest, the first is served first */
};

/* Branch-contests: progress in doc/api.md. */
struct progress {
    uint32_t expected, reported, counted, held, annulled;
};

/* Sums over counted branch-contests, by enum count; 64 bits hold 2^32 branches. */
struct totals {
    uint64_t n[COUNTS_N];
};

/* All that one bundle changes of a contest, and of an area, lies side by side: bundles come in any
 * order, and each would miss the cache once for every array that it touches. */
struct contest_tally {
    struct totals     totals;
    struct progress   progress;
    uint64_t          position;  /* of the last ledger entry that changed it */
    const struct lot *lots;      /* the newest; NULL: none */
    uint64_t          certified; /* the newest certificate's position; 0: none */
};

struct area_tally { /* of branch-contests of the branches in it */
    struct totals   totals;
    struct progress progress;
    uint64_t        position;
};
/* What the whole election stands at, by decision. */
enum election_state { ELECTION_OPEN, ELECTION_CLOSED, ELECTION_MAINTENANCE, ELECTION_STATES_N };

#define ELECTION_NO_UNTIL UINT64_MAX

struct twins; /* src/core/twins.h */

struct tally {
    const struct election *election;
    struct standing       *slots;    /* election.slots_n */
    struct contest_tally  *contests; /* contests_n */
    uint64_t              *options;  /* options_n: ballots of lists, personal votes of candidates */
    struct area_tally     *areas;    /* areas_n */
    uint64_t              *branch_position; /* branches_n */
    uint8_t               *branch_conflict; /* branches_n: a conflict is logged (flagged) */
    uint8_t               *excluded;        /* candidates_n: by decision */
    enum election_state    state;
    uint64_t      state_until;     /* Unix seconds, what people were told; or ELECTION_NO_UNTIL */
    uint64_t      state_position;  /* of the newest `state` entry; 0: none */
    uint32_t      terminals_added; /* by `key` entries, to those of the package */
    uint64_t      position;        /* ledger entries applied: the next position */
    struct twins *twins;           /* slots with the same counts, for P08 */
};

const char *slot_state_name(enum slot_state state);
const char *election_state_name(enum election_state state); /* "open" */
bool        election_state_find(struct tly_bytes name, enum election_state *out);

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

/* Applies what a logged bundle says about its slots, all of one branch, at its ledger position: the old
 * revision's numbers leave every sum they were in, the new ones enter, and the tree above is walked
 * once for all of them; P08 is found or lost, here and at the branch that has, or had, the same
 * counts.  A revision not above the slot's is a bug of ours. */
void tally_apply(struct tally *tally, const struct tally_change changes[], uint32_t n,
                 uint64_t position);
/* A conflict was logged for the branch: it is flagged. */
void tally_conflict(struct tally *tally, struct branch_ix branch, uint64_t position);

/* Decisions; the caller has judged them: a move that the table above does not have is a
 * bug of ours. */
void tally_release(struct tally *tally, struct slot_ix ix, uint64_t position);
void tally_annul(struct tally *tally, struct slot_ix ix, uint64_t position);
void tally_reinstate(struct tally *tally, struct slot_ix ix, uint64_t position);
void tally_explain(struct tally *tally, struct slot_ix ix, uint64_t position);
/* The candidate keeps his votes, and takes no seat or place. */
void tally_exclude(struct tally *tally, struct candidate_ix candidate, uint64_t position);
/* lot: kept; its `before` is set, once: applied again where the past is made again (core/history.h),
 * beside readers, it is only read. */
void tally_lot(struct tally *tally, struct contest_ix contest, struct lot *lot, uint64_t position);
void tally_certify(struct tally *tally, struct contest_ix contest, uint64_t position);
/* Bundles are counted while the state is open; until: as state_until. */
void tally_state(struct tally *tally, enum election_state state, uint64_t until, uint64_t position);
/* Nothing changed in the contest since it was certified. */
bool tally_is_certified(const struct tally *tally, struct contest_ix contest);
/* Every branch of the contest is counted or annulled, and at least one is counted. */
bool tally_is_complete(const struct tally *tally, struct contest_ix contest);
/* "waiting" "partial" "complete" "tied" "certified" "annulled" (doc/api.md); tied: its outcome has a
 * tie. */
const char *tally_contest_status(const struct tally *tally, struct contest_ix contest, bool tied);

/* Votes that count by law: list_ir: personal plus the list's ballots; other methods: personal. */
uint64_t tally_candidate_votes(const struct tally *tally, struct candidate_ix candidate);
/* A list's votes: list_ir: the sum of its members'; other list methods: its ballots plus its
 * members' votes. */
uint64_t tally_list_votes(const struct tally *tally, struct list_ix list);

/* A slot of another branch with the same counts for the contest (P08), which of them does not
 * matter; IX_NONE: none.  Not of a copy to which nothing was applied. */
struct slot_ix tally_twin(const struct tally *tally, struct slot_ix ix);

/* Copies all arrays of one tally over another of the same election (a snapshot).  Cost: some MB
 * copied; the first bundle that is applied to the copy goes through all its slots. */
void tally_copy(struct tally *to, const struct tally *from);
