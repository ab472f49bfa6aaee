/* SPDX-License-Identifier: Apache-2.0 */
/* What the tally methods share: entities that take seats, who sits on them, ties and steps. */
#pragma once

#include "base/num.h"
#include "core/outcome.h"

/* Work of one run of a method.  An entity is a list, or (lists_n) the independents together. */
struct seats {
    const struct method_input *in;
    struct tly_arena          *arena;
    struct outcome            *out;
    uint32_t                   entities_n; /* lists, and the pool when there are independents */
    const uint64_t            *votes;      /* entities_n */
    uint64_t                   votes_sum;  /* of all entities */
    uint32_t                  *cap;        /* entities_n: persons that can take a seat */
    uint32_t                  *won;        /* entities_n: seats; with ties, the certain ones */
    bool                      *stands;     /* entities_n: takes part: has votes, is over the bar */
    bool                      *open;       /* entities_n: may yet get seats that are at stake */
    uint32_t                  *order;      /* candidates, most votes first */
    uint32_t                   order_n;    /* those that are not excluded */
    bool                      *elected;    /* candidates_n */
    uint32_t                   steps_max, ties_max; /* room */
    bool                       quiet;               /* steps are not recorded */
    bool                       full;                /* the arena is: TLY_ENOMEM */
};

/* Parameters of the methods that know a threshold and equal quotients, in this order. */
enum seats_param {
    SEATS_THRESHOLD_BP,
    SEATS_THRESHOLD_RULE,
    SEATS_EQUAL_QUOTIENTS,
    SEATS_PARAMS_N
};
enum { THRESHOLD_PLAIN, THRESHOLD_SCALED };
enum { EQUAL_LOT, EQUAL_MORE_VOTES };
extern const struct method_param seats_params[SEATS_PARAMS_N];

/* Sorts places by their key, largest first; equal keys by place, which decides nothing: callers
 * treat equals as one group. */
void seats_sort(uint32_t places[], uint32_t n, const uint64_t key[]);

/* Needs votes, list_votes, pool_votes and order of `out`. */
TLY_MUST enum tly_err seats_begin(struct seats *s, const struct method_input *in,
                                  struct tly_arena *arena, struct outcome *out);
/* Entities without votes do not stand, nor lists under the bar (pool: no bar). */
void seats_threshold(struct seats *s);
/* Gives the seats to persons by their votes, then the alternates; writes what `out` still lacks. */
TLY_MUST enum tly_err seats_end(struct seats *s, bool same_list_next);

/* $a, $b in the sentence are the numbers, $h is b in hundredths ("8.40").  entity: IX_NONE for
 * none. */
struct seats_say {
    const char *name, *en, *fa;
};
void seats_step(struct seats *s, const struct seats_say *say, uint32_t entity, uint64_t a,
                uint64_t b);
void seats_tie(struct seats *s, enum tie_kind kind, uint32_t at_stake, const uint32_t among[],
               uint32_t among_n);
/* A tie for list seats: at_stake seats among these entities, which become open. */
void seats_tie_lists(struct seats *s, uint32_t at_stake, const uint32_t among[], uint32_t among_n);
/* Puts equals in the order that people made for them; false: there is none for all of these. */
bool seats_settled(struct seats *s, bool lists, uint32_t among[], uint32_t n);
/* TIE_ALTERNATE and alternates from order[0..n): what fits whole is certain, an order of equals is
 * not. */
void seats_alternates(struct seats *s, uint32_t order[], uint32_t n, uint32_t places);

/* Highest quotients votes / divisor(seats won), one by one. */
TLY_MUST enum tly_err seats_divisors(const struct method_input *in, struct tly_arena *arena,
                                     struct outcome *out, uint64_t (*divisor)(uint32_t won));
/* Whole quotas votes * num / den, then the largest remainders. */
struct seats_quota {
    uint64_t num, den;
};
TLY_MUST enum tly_err seats_remainders(const struct method_input *in, struct tly_arena *arena,
                                       struct outcome *out,
                                       struct seats_quota (*quota)(uint64_t votes, uint32_t seats));
