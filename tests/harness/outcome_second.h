/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of an outcome, said without the algorithm that made it: nobody who has room was worth
 * more than somebody who got a seat.  Quotients v / d are compared by cross-multiplication. */
#pragma once

#include "base/check.h"
#include "base/num.h"
#include "core/outcome.h"

#define SECOND_MAX 64 /* lists and the pool */

struct second {
    const struct method_input *in;
    const struct outcome      *o;
    uint32_t                   n; /* lists, and the pool where there is one */
    uint64_t                   votes[SECOND_MAX];
    uint32_t                   cap[SECOND_MAX], seats[SECOND_MAX];
    bool                       stands[SECOND_MAX], tied[SECOND_MAX];
    uint64_t                   sum, standing;
    bool                       more_votes; /* of equal quotients the one with more votes first */
};

/* Over the bar of `threshold_bp`, which a list with fewer persons than seats need reach only in part. */
static inline bool
second_stands(const struct second *s, uint32_t e, uint32_t bp, bool scaled)
{
    const bool     part = scaled && s->cap[e] < s->in->seats;
    const tly_u128 have = (tly_u128)s->votes[e] * 10000 * (part ? s->in->seats : 1);
    const tly_u128 need = (tly_u128)s->sum * bp * (part ? s->cap[e] : 1);
    return s->votes[e] > 0 && (e == s->in->lists_n || have >= need);
}

static inline void
second_init(struct second *s, const struct method *method, const struct method_input *in,
            const struct outcome *o)
{
    const int bp    = method_param_find(method, tly_text("threshold_bp"));
    const int rule  = method_param_find(method, tly_text("threshold_rule"));
    const int equal = method_param_find(method, tly_text("equal_quotients"));
    *s              = (struct second){.in = in, .o = o, .n = in->lists_n + (o->has_pool ? 1 : 0)};
    TLY_CHECK(s->n <= SECOND_MAX && bp >= 0 && rule >= 0 && equal >= 0);
    for (uint32_t c = 0; c < in->candidates_n; c++) {
        s->cap[in->candidate_list[c] == IX_NONE ? in->lists_n : in->candidate_list[c]]++;
    }
    for (uint32_t e = 0; e < s->n; e++) {
        s->votes[e] = e < in->lists_n ? o->list_votes[e] : o->pool_votes;
        s->seats[e] = e < in->lists_n ? o->list_seats[e] : o->pool_seats;
        s->sum += s->votes[e];
    }
    for (uint32_t e = 0; e < s->n; e++) {
        s->stands[e] = second_stands(s, e, in->params[bp], in->params[rule] == 1);
        s->standing += s->stands[e] ? s->votes[e] : 0;
        TLY_CHECK(s->seats[e] == 0 || s->stands[e]);
        TLY_CHECK(s->seats[e] <= s->cap[e]);
    }
    for (uint32_t i = 0; i < o->ties_n; i++) {
        for (uint32_t k = 0; o->ties[i].kind == TIE_LIST && k < o->ties[i].among_n; k++) {
            s->tied[o->ties[i].among[k]] = true;
        }
    }
    s->more_votes = in->params[equal] == 1;
}

static inline bool
second_room(const struct second *s, uint32_t e)
{
    return s->stands[e] && s->seats[e] < s->cap[e];
}

/* a > b, or equal and more votes where that decides. */
static inline bool
second_first(const struct second *s, tly_u128 a, tly_u128 b, uint32_t i, uint32_t j)
{
    return a > b || (a == b && s->more_votes && s->votes[i] > s->votes[j]);
}

/* Nothing that the rule goes by tells them apart. */
static inline bool
second_equal(const struct second *s, uint32_t i, uint32_t j)
{
    return !s->more_votes || s->votes[i] == s->votes[j];
}

/* The last seat of i was worth more than the next of j would be; what is tied is worth the same, and
 * more than the next of all who are not. */
static inline void
second_divisors(const struct second *s, uint64_t (*divisor)(uint32_t seat))
{
    for (uint32_t j = 0; j < s->n; j++) {
        if (!second_room(s, j)) {
            TLY_CHECK(!s->tied[j]);
            continue;
        }
        TLY_CHECK(s->o->vacancies == 0);
        const uint64_t dj = divisor(s->seats[j]);
        for (uint32_t i = 0; i < s->n; i++) {
            if (s->seats[i] > 0) {
                const uint64_t di = divisor(s->seats[i] - 1);
                TLY_CHECK(i == j || second_first(s, (tly_u128)s->votes[i] * dj,
                                                 (tly_u128)s->votes[j] * di, i, j));
            }
            if (s->tied[i] && i != j) {
                const tly_u128 a = (tly_u128)s->votes[i] * dj;
                const tly_u128 b = (tly_u128)s->votes[j] * divisor(s->seats[i]);
                TLY_CHECK(s->tied[j] ? a == b && second_equal(s, i, j)
                                     : second_first(s, a, b, i, j));
            }
        }
    }
}

/* Votes V are V * num / den quotas.  Seats beyond whole quotas go round by remainders: nobody has two
 * more of them than somebody with room, and who has one more has the larger remainder. */
static inline void
second_quotas(const struct second *s, uint64_t num, uint64_t den)
{
    uint64_t rest[SECOND_MAX]  = {0};
    uint32_t extra[SECOND_MAX] = {0};
    for (uint32_t e = 0; e < s->n && den > 0; e++) {
        const tly_u128 v     = (tly_u128)s->votes[e] * num;
        const uint64_t whole = (uint64_t)(v / den);
        const uint64_t least = !s->stands[e] ? 0 : whole < s->cap[e] ? whole : s->cap[e];
        TLY_CHECK(s->seats[e] >= least);
        extra[e] = (uint32_t)(s->seats[e] - least);
        rest[e]  = (uint64_t)(v % den);
    }
    for (uint32_t j = 0; j < s->n; j++) {
        if (!second_room(s, j)) {
            TLY_CHECK(!s->tied[j]);
            continue;
        }
        TLY_CHECK(s->o->vacancies == 0);
        for (uint32_t i = 0; i < s->n; i++) {
            TLY_CHECK(extra[i] <= extra[j] + 1);
            TLY_CHECK(extra[i] != extra[j] + 1 || second_first(s, rest[i], rest[j], i, j));
            if (!s->tied[i] || i == j) {
                continue;
            }
            TLY_CHECK(extra[j] >= extra[i]);
            if (s->tied[j]) {
                TLY_CHECK(extra[i] == extra[j] && rest[i] == rest[j] && second_equal(s, i, j));
            } else {
                TLY_CHECK(extra[j] > extra[i] || second_first(s, rest[i], rest[j], i, j));
            }
        }
    }
}

/* Elected: whoever fits although all with as many votes or more are seated too. */
static inline void
second_block(const struct method_input *in, const struct outcome *o)
{
    uint32_t elected = 0;
    for (uint32_t i = 0; i < in->candidates_n; i++) {
        uint32_t as_many = 0;
        for (uint32_t k = 0; k < in->candidates_n; k++) {
            as_many += in->personal[k] >= in->personal[i];
        }
        const bool certain = in->personal[i] > 0 && as_many <= in->seats;
        bool       listed  = false;
        for (uint32_t k = 0; k < o->winners_n; k++) {
            listed = listed || o->winners[k] == i;
        }
        TLY_CHECK(listed == certain);
        elected += certain;
    }
    TLY_CHECK(elected == o->winners_n);
}

static inline uint64_t
second_by_one(uint32_t seat)
{
    return (uint64_t)seat + 1;
}

static inline uint64_t
second_by_two(uint32_t seat)
{
    return (uint64_t)seat * 2 + 1;
}

/* 1.4, 3, 5, ... in tenths. */
static inline uint64_t
second_modified(uint32_t seat)
{
    return seat == 0 ? 14 : 10 * second_by_two(seat);
}

/* list_ir has a second implementation of its own in test_list_ir.c, and the oracle's. */
static inline void
second_check(const struct method *method, const struct method_input *in, const struct outcome *o)
{
    struct second s;
    if (strcmp(method->name, "block") == 0) {
        second_block(in, o);
        return;
    }
    if (method->credits) {
        return;
    }
    second_init(&s, method, in, o);
    if (strcmp(method->name, "dhondt") == 0) {
        second_divisors(&s, second_by_one);
    } else if (strcmp(method->name, "sainte_lague") == 0) {
        second_divisors(&s, second_by_two);
    } else if (strcmp(method->name, "modified_sainte_lague") == 0) {
        second_divisors(&s, second_modified);
    } else if (strcmp(method->name, "hare_lr") == 0) {
        second_quotas(&s, in->seats, s.standing);
    } else {
        TLY_CHECK(strcmp(method->name, "droop_lr") == 0);
        second_quotas(&s, 1, s.standing / ((uint64_t)in->seats + 1) + 1);
    }
}
