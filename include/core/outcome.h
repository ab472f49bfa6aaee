/* SPDX-License-Identifier: Apache-2.0 */
/* Who is elected: the outcome of a contest from its totals, by its rule (doc/methods.md). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "core/method.h"
#include "core/tally.h"

#define OUTCOME_TEXT_MAX 256

/* A list, or the independents together, told by totals alone (the seat calculator). */
struct method_totals {
    uint64_t votes;
    uint32_t persons; /* who can take a seat */
};

/* What a method sees: counts, no names and no order that could decide anything. */
struct method_input {
    const uint32_t   *params; /* rule.params */
    uint32_t          seats, alternates;
    uint32_t          lists_n, candidates_n;
    const uint64_t   *list_ballots;   /* lists_n */
    const uint64_t   *personal;       /* candidates_n: votes given to persons */
    const uint32_t   *candidate_list; /* candidates_n: 0..lists_n-1, or IX_NONE: independent */
    uint64_t          valid_ballots;
    const uint8_t    *excluded; /* candidates_n: takes no seat; NULL: nobody is excluded */
    const struct lot *lots;     /* orders made for equals; NULL: none */
    /* lists_n, and one more when there is a pool; candidates_n is then 0 and only seats are found.
     * NULL: votes and persons are those of the candidates.  The votes together fit 64 bits. */
    const struct method_totals *totals;
    bool                        totals_pool;
    bool                        quiet; /* no steps */
};

enum tie_kind { TIE_SEAT, TIE_ALTERNATE, TIE_LIST };

/* The last at_stake places of a kind are between equals; a person decides. */
struct tie {
    enum tie_kind   kind;
    uint32_t        at_stake;
    const uint32_t *among; /* candidates; of TIE_LIST lists, and lists_n: the independents' pool */
    uint32_t        among_n;
};

/* One step of the rule, as data and as sentences. */
struct step {
    const char *name;   /* "quota" "rounded" "over" "remainder" "unfilled" "elected" "tie" ... */
    uint32_t    entity; /* list, lists_n: the pool; IX_NONE: none */
    uint64_t    a, b;   /* what the step is about; the sentence tells */
    char        en[OUTCOME_TEXT_MAX];
    char        fa[OUTCOME_TEXT_MAX];
};

struct outcome {
    uint64_t    *votes;      /* candidates_n: votes that count by law */
    uint64_t    *list_votes; /* lists_n */
    uint32_t    *list_seats; /* lists_n; NULL for methods without lists */
    uint64_t     pool_votes; /* independents together */
    uint32_t     pool_seats;
    bool         has_pool;
    uint32_t    *winners; /* candidates, most votes first; with ties, only the certain ones */
    uint32_t     winners_n;
    uint32_t    *alternates; /* certain ones, in order; in which order equals stand a tie tells */
    uint32_t     alternates_n;
    uint32_t    *rank;     /* candidates_n: 1 is first; equal votes, equal rank; excluded: 0 */
    uint32_t    *order;    /* candidates_n, most votes first, the excluded last; among equals it
                           decides nothing */
    uint32_t     ranked_n; /* of order: those that are not excluded */
    struct tie  *ties;
    uint32_t     ties_n;
    uint32_t     vacancies; /* seats that nobody can take */
    struct step *steps;
    uint32_t     steps_n;
};

/* Runs a method over given counts (the seat calculator, tests); as outcome_run() otherwise. */
TLY_MUST enum tly_err outcome_of(const struct method *method, const struct method_input *in,
                                 struct tly_arena *arena, struct outcome *out);
/* What a contest's totals are to its rule.  Borrows from the tally and the definition.
 * Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err outcome_input(const struct tally *tally, struct contest_ix contest,
                                    struct tly_arena *arena, struct method_input *in);
/* Runs a contest's rule over its totals.  Deterministic; does not depend on the order of lists or
 * candidates.
 * Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err outcome_run(const struct tally *tally, struct contest_ix contest,
                                  struct tly_arena *arena, struct outcome *out);
