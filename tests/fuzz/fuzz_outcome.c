/* SPDX-License-Identifier: Apache-2.0 */
/* Any counts under any method and parameters: every seat is somebody's, at stake or vacant, nobody who
 * has room was worth more than who got a seat (outcome_second.h), the contest turned round gives the
 * same seats, and so do all its votes times a number. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "core/readings.h"

#include "outcome_second.h"

#define LISTS_MAX      16
#define CANDIDATES_MAX 96
#define SEATS_MAX      64
#define ARENA_MAX      ((size_t)8 << 20)

struct reader {
    const uint8_t *p, *end;
};

struct contest_of {
    struct method_input in;
    uint32_t            params[METHOD_PARAMS_MAX];
    uint64_t            ballots[LISTS_MAX], personal[CANDIDATES_MAX];
    uint32_t            list[CANDIDATES_MAX];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t
take(struct reader *rd, unsigned bytes)
{
    uint32_t v = 0;
    for (; bytes > 0; bytes--) {
        v = v << 8 | (rd->p < rd->end ? *rd->p++ : 0);
    }
    return v;
}

static const struct method *
contest_read(struct reader *rd, struct contest_of *c)
{
    unsigned methods = 0;
    while (method_at(methods) != NULL) {
        methods++;
    }
    const struct method *method = method_at(take(rd, 1) % methods);
    for (unsigned i = 0; i < method->params_n; i++) {
        const struct method_param *p = &method->params[i];
        c->params[i] = p->min + take(rd, p->max > 255 ? 2 : 1) % (p->max - p->min + 1);
    }
    c->in               = (struct method_input){.params         = c->params,
                                                .seats          = 1 + take(rd, 1) % SEATS_MAX,
                                                .alternates     = take(rd, 1) % 12,
                                                .lists_n        = take(rd, 1) % LISTS_MAX,
                                                .candidates_n   = take(rd, 1) % CANDIDATES_MAX,
                                                .list_ballots   = c->ballots,
                                                .personal       = c->personal,
                                                .candidate_list = c->list,
                                                .valid_ballots  = take(rd, 3)};
    const unsigned wide = take(rd, 1) % 4; /* small counts make ties */
    for (uint32_t l = 0; l < c->in.lists_n; l++) {
        c->ballots[l] = take(rd, 1 + wide);
    }
    for (uint32_t k = 0; k < c->in.candidates_n; k++) {
        const uint32_t list = take(rd, 1) % (c->in.lists_n + 1);
        c->list[k]          = list == c->in.lists_n ? IX_NONE : list;
        c->personal[k]      = take(rd, 1 + wide);
    }
    return method;
}

static uint64_t
at_stake(const struct outcome *o, enum tie_kind kind)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < o->ties_n; i++) {
        sum += o->ties[i].kind == kind ? o->ties[i].at_stake : 0;
    }
    return sum;
}

static void
invariants(const struct method_input *in, const struct outcome *o)
{
    uint64_t given = o->pool_seats;
    for (uint32_t l = 0; o->list_seats != NULL && l < in->lists_n; l++) {
        given += o->list_seats[l];
    }
    if (o->list_seats != NULL) {
        TLY_CHECK(given + at_stake(o, TIE_LIST) + o->vacancies == in->seats);
        TLY_CHECK(o->winners_n <= given);
    } else {
        TLY_CHECK(o->winners_n + at_stake(o, TIE_SEAT) + o->vacancies == in->seats);
    }
    TLY_CHECK(o->winners_n + o->alternates_n <= in->candidates_n);
    for (uint32_t i = 0; i < o->ties_n; i++) {
        TLY_CHECK(o->ties[i].at_stake > 0 && o->ties[i].among_n > 0);
        TLY_CHECK(o->ties[i].kind != TIE_SEAT || o->ties[i].among_n > o->ties[i].at_stake);
    }
}

/* Place in the turned contest: from the last to the first, and `by` further round. */
static uint32_t
turned_place(uint32_t place, uint32_t n, uint32_t by)
{
    return (n - 1 - place + by) % n;
}

static void
turn(const struct contest_of *c, uint32_t by, struct contest_of *t)
{
    const uint32_t lists = c->in.lists_n, n = c->in.candidates_n;
    *t                   = *c;
    t->in.params         = t->params;
    t->in.list_ballots   = t->ballots;
    t->in.personal       = t->personal;
    t->in.candidate_list = t->list;
    for (uint32_t l = 0; l < lists; l++) {
        t->ballots[turned_place(l, lists, by)] = c->ballots[l];
    }
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t at = turned_place(k, n, by);
        t->personal[at]   = c->personal[k];
        t->list[at]       = c->list[k] == IX_NONE ? IX_NONE : turned_place(c->list[k], lists, by);
    }
}

/* All votes and ballots times a number: shares are what they were. */
static void
scale(const struct contest_of *c, uint32_t times, struct contest_of *t)
{
    *t                   = *c;
    t->in.params         = t->params;
    t->in.list_ballots   = t->ballots;
    t->in.personal       = t->personal;
    t->in.candidate_list = t->list;
    t->in.valid_ballots *= times;
    for (uint32_t l = 0; l < c->in.lists_n; l++) {
        t->ballots[l] *= times;
    }
    for (uint32_t k = 0; k < c->in.candidates_n; k++) {
        t->personal[k] *= times;
    }
}

static void
same(const struct method_input *in, uint32_t by, const struct outcome *a, const struct outcome *b)
{
    TLY_CHECK(a->winners_n == b->winners_n && a->alternates_n == b->alternates_n);
    TLY_CHECK(a->ties_n == b->ties_n && a->vacancies == b->vacancies);
    TLY_CHECK(a->pool_seats == b->pool_seats && a->pool_votes == b->pool_votes);
    for (uint32_t l = 0; a->list_seats != NULL && l < in->lists_n; l++) {
        TLY_CHECK(a->list_seats[l] == b->list_seats[turned_place(l, in->lists_n, by)]);
    }
    for (uint32_t k = 0; k < in->candidates_n; k++) {
        TLY_CHECK(a->rank[k] == b->rank[turned_place(k, in->candidates_n, by)]);
    }
}

static void
same_scaled(const struct method_input *in, const struct outcome *a, const struct outcome *b)
{
    TLY_CHECK(a->ties_n == b->ties_n && a->vacancies == b->vacancies);
    TLY_CHECK(a->pool_seats == b->pool_seats);
    TLY_CHECK(a->winners_n == b->winners_n && a->alternates_n == b->alternates_n);
    TLY_CHECK(a->winners_n == 0 ||
              memcmp(a->winners, b->winners, a->winners_n * sizeof *a->winners) == 0);
    TLY_CHECK(a->alternates_n == 0 ||
              memcmp(a->alternates, b->alternates, a->alternates_n * sizeof *a->alternates) == 0);
    for (uint32_t l = 0; a->list_seats != NULL && l < in->lists_n; l++) {
        TLY_CHECK(a->list_seats[l] == b->list_seats[l]);
    }
    for (uint32_t i = 0; i < a->ties_n; i++) {
        TLY_CHECK(a->ties[i].kind == b->ties[i].kind &&
                  a->ties[i].at_stake == b->ties[i].at_stake &&
                  a->ties[i].among_n == b->ties[i].among_n);
    }
}

/* Every reading is an outcome too, under parameters of its own. */
static void
readings(const struct method *method, const struct method_input *in, const struct outcome *own,
         struct tly_arena *arena)
{
    struct reading *list;
    uint32_t        n;
    TLY_CHECK(readings_of(method, in, own, arena, &list, &n) == TLY_OK);
    TLY_CHECK(n <= READINGS_MAX && (n > 0) == (method->variants != NULL));
    for (uint32_t i = 0; i < n; i++) {
        invariants(in, &list[i].outcome);
        TLY_CHECK(!list[i].differs ||
                  memcmp(list[i].params, in->params, method->params_n * sizeof *in->params) != 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct contest_of         c, turned;
    TLY_AUTO(arena) struct tly_arena arena = {0};
    struct outcome                   one, two, three;
    struct reader                    rd     = {data, data + size};
    const struct method             *method = contest_read(&rd, &c);
    tly_arena_init(&arena, ARENA_MAX);
    TLY_CHECK(outcome_of(method, &c.in, &arena, &one) == TLY_OK);
    invariants(&c.in, &one);
    second_check(method, &c.in, &one);
    turn(&c, (uint32_t)size, &turned);
    TLY_CHECK(outcome_of(method, &turned.in, &arena, &two) == TLY_OK);
    same(&c.in, (uint32_t)size, &one, &two);
    if (strcmp(method->name, "droop_lr") != 0) { /* its quota is rounded: it knows how many votes */
        scale(&c, 2 + (uint32_t)size % 1000, &turned);
        TLY_CHECK(outcome_of(method, &turned.in, &arena, &three) == TLY_OK);
        same_scaled(&c.in, &one, &three);
    }
    readings(method, &c.in, &one, &arena);
    return 0;
}
