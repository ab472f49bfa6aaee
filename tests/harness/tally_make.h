/* SPDX-License-Identifier: Apache-2.0 */
/* Elections and counts at random for tests of the tally: small ones of any shape, and one as large as
 * a country. */
#pragma once

#include <time.h>

#include "core/tally.h"

#include "election_make.h"
#include "outcome_case.h"

#define ARENA_MAX   ((size_t)16 << 20)
#define COUNTRY_MAX ((size_t)512 << 20)

static struct election_maker m;
static struct tly_arena      arena;

static inline struct counts *
counts_new(struct tly_arena *where, uint32_t slot)
{
    const struct contest *c = &m.contests[m.slots[slot].contest.v];
    return tly_arena_alloc(
        where, 1, sizeof(struct counts) + (c->lists_n + c->candidates_n) * sizeof(uint32_t));
}

static inline const struct counts *
counts_random(uint64_t *rng, uint32_t slot)
{
    const struct contest *c      = &m.contests[m.slots[slot].contest.v];
    struct counts        *counts = counts_new(&arena, slot);
    const uint32_t        range  = case_below(rng, 4) == 0 ? (uint32_t)INT32_MAX : 2000;
    TLY_CHECK(counts != NULL);
    for (unsigned i = 0; i < COUNTS_N; i++) {
        counts->n[i] = case_below(rng, range);
    }
    for (uint32_t i = 0; i < c->lists_n + c->candidates_n; i++) {
        counts->options[i] = case_below(rng, range);
    }
    return counts;
}

static inline void
election_random(uint64_t *rng)
{
    static const char *const methods[] = {"block", "list_ir", "dhondt"};
    char                     code[32];
    make_begin(&m, ARENA_MAX);
    for (unsigned i = 0; i < TLY_N(methods); i++) {
        (void)make_rule(&m, methods[i]);
    }
    const uint32_t areas = 1 + case_below(rng, 40);
    for (uint32_t i = 0; i < areas; i++) {
        (void)snprintf(code, sizeof code, "a%u", i);
        const struct area_ix parent = {i == 0 ? IX_NONE : case_below(rng, i)};
        (void)make_area(&m, code, parent, i == 0 ? LEVEL_COUNTRY : LEVEL_CITY);
    }
    const uint32_t contests = 1 + case_below(rng, 12);
    for (uint32_t i = 0; i < contests; i++) {
        (void)snprintf(code, sizeof code, "c%u", i);
        (void)make_contest(&m, code, (struct area_ix){case_below(rng, areas)},
                           case_below(rng, TLY_N(methods)), 1 + case_below(rng, 5));
        const uint32_t lists = case_below(rng, 4), persons = case_below(rng, 12);
        uint32_t       first = m.e.lists_n;
        for (uint32_t k = 0; k < lists; k++) {
            (void)snprintf(code, sizeof code, "l%u", k);
            (void)make_list(&m, code);
        }
        for (uint32_t k = 0; k < persons; k++) {
            (void)snprintf(code, sizeof code, "p%u", k);
            const uint32_t list = case_below(rng, lists + 1);
            (void)make_candidate(&m, code,
                                 (struct list_ix){list == lists ? IX_NONE : first + list});
        }
    }
    const uint32_t branches = 1 + case_below(rng, 40);
    for (uint32_t i = 0; i < branches; i++) {
        (void)snprintf(code, sizeof code, "b%u", i);
        (void)make_branch(&m, code, (struct area_ix){case_below(rng, areas)}, 0);
        for (uint32_t k = 0; k < contests; k++) {
            if (case_below(rng, 3) == 0) {
                (void)make_slot(&m, (struct contest_ix){k});
            }
        }
    }
    (void)make_done(&m);
}

/* 31 provinces, 465 counties, 1,395 districts; 40,000 contests; 80,000 branches with 2 contests. */
static inline void
country_make(void)
{
    char code[32];
    make_begin(&m, COUNTRY_MAX);
    const uint32_t       block = make_rule(&m, "block");
    const struct area_ix root  = make_area(&m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    for (uint32_t i = 0; i < 31 + 465 + 1395; i++) {
        const uint32_t parent = i < 31 ? root.v : i < 496 ? 1 + i % 31 : 32 + i % 465;
        (void)snprintf(code, sizeof code, "a%u", i);
        (void)make_area(&m, code, (struct area_ix){parent},
                        i < 31    ? LEVEL_PROVINCE
                        : i < 496 ? LEVEL_COUNTY
                                  : LEVEL_DISTRICT);
    }
    for (uint32_t i = 0; i < 40000; i++) {
        (void)snprintf(code, sizeof code, "c%u", i);
        (void)make_contest(&m, code, (struct area_ix){497 + i % 1395}, block, 5);
        for (uint32_t k = 0; k < 8; k++) {
            (void)snprintf(code, sizeof code, "p%u", k);
            (void)make_candidate(&m, code, (struct list_ix){IX_NONE});
        }
    }
    for (uint32_t i = 0; i < 80000; i++) {
        (void)snprintf(code, sizeof code, "b%u", i);
        (void)make_branch(&m, code, (struct area_ix){497 + i % 1395}, 0);
        (void)make_slot(&m, (struct contest_ix){i % 40000});
        (void)make_slot(&m, (struct contest_ix){(i + 1395) % 40000});
    }
    (void)make_done(&m);
}

static inline uint64_t
cpu_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}
