/* SPDX-License-Identifier: Apache-2.0 */
/* A definition built in memory, for tests that need one without files.  Lists and candidates belong
 * to the newest contest, slots to the newest branch. */
#pragma once

#include "base/arena.h"
#include "base/check.h"
#include "core/election.h"

#include <stdio.h>
#include <stdlib.h>

struct election_maker {
    struct tly_arena  arena;
    struct election   e;
    struct area      *areas;
    struct rule      *rules;
    struct contest   *contests;
    struct list      *lists;
    struct candidate *candidates;
    struct branch    *branches;
    struct slot      *slots;
    struct slot_ix   *contest_slots;
    uint32_t areas_max, rules_max, contests_max, lists_max, candidates_max, branches_max, slots_max;
};

/* Room for one more: the array doubles (its old copy stays in the arena until the end). */
#define MAKE_ROOM(m, array)                                                                        \
    do {                                                                                           \
        if ((m)->e.array##_n == (m)->array##_max) {                                                \
            (m)->array##_max = (m)->array##_max == 0 ? 16 : (m)->array##_max * 2;                  \
            void *make_more_ = tly_arena_alloc(&(m)->arena, (m)->array##_max, sizeof *(m)->array); \
            TLY_CHECK(make_more_ != NULL);                                                         \
            if ((m)->e.array##_n > 0) {                                                            \
                memcpy(make_more_, (m)->array, (m)->e.array##_n * sizeof *(m)->array);             \
            }                                                                                      \
            (m)->array   = make_more_;                                                             \
            (m)->e.array = make_more_;                                                             \
        }                                                                                          \
    } while (0)

static inline const char *
make_text(struct election_maker *m, const char *text)
{
    const char *copy = tly_arena_text(&m->arena, tly_text(text));
    TLY_CHECK(copy != NULL);
    return copy;
}

static inline void
make_begin(struct election_maker *m, size_t bytes_max)
{
    *m = (struct election_maker){0};
    tly_arena_init(&m->arena, bytes_max);
    m->e.code        = "test";
    m->e.domain      = "tally.example";
    m->e.time_zone   = "Asia/Tehran";
    m->e.name        = (struct name){"آزمون", "test"};
    m->e.limits      = (struct limits){.p01_bp         = 300,
                                       .p02_bp         = 300,
                                       .p03_bp         = 200,
                                       .p03_abs        = 15,
                                       .p05_bp         = 9900,
                                       .p06_bp         = 2000,
                                       .p07_bp         = 10000,
                                       .p08_min        = 30,
                                       .n08_missing_bp = 200};
    m->e.policy.root = 1;
    memset(m->e.definition.b, 0xdd, sizeof m->e.definition.b);
}

static inline struct area_ix
make_area(struct election_maker *m, const char *code, struct area_ix parent, enum area_level level)
{
    MAKE_ROOM(m, areas);
    m->areas[m->e.areas_n] = (struct area){
        .code = make_text(m, code), .name = {code, code}, .parent = parent, .level = level};
    m->areas[m->e.areas_n].name = (struct name){m->areas[m->e.areas_n].code, "an area"};
    if (parent.v != IX_NONE) {
        m->areas[parent.v].children_n++;
    }
    return (struct area_ix){m->e.areas_n++};
}

/* A rule with the method's defaults. */
static inline uint32_t
make_rule(struct election_maker *m, const char *method)
{
    MAKE_ROOM(m, rules);
    struct rule *rule = &m->rules[m->e.rules_n];
    *rule = (struct rule){.code = make_text(m, method), .method = method_find(tly_text(method))};
    TLY_CHECK(rule->method != NULL);
    for (unsigned i = 0; i < rule->method->params_n; i++) {
        rule->params[i] = rule->method->params[i].initial;
    }
    return m->e.rules_n++;
}

static inline struct contest_ix
make_contest(struct election_maker *m, const char *code, struct area_ix area, uint32_t rule,
             uint32_t seats)
{
    MAKE_ROOM(m, contests);
    m->contests[m->e.contests_n] = (struct contest){.code             = make_text(m, code),
                                                    .name             = {"حوزه", "a contest"},
                                                    .area             = area,
                                                    .rule             = rule,
                                                    .seats            = seats,
                                                    .alternates       = seats,
                                                    .max_choices      = seats,
                                                    .lists_first      = m->e.lists_n,
                                                    .candidates_first = m->e.candidates_n};
    m->areas[area.v].contests_n++;
    return (struct contest_ix){m->e.contests_n++};
}

static inline struct list_ix
make_list(struct election_maker *m, const char *code)
{
    MAKE_ROOM(m, lists);
    const struct contest_ix contest = {m->e.contests_n - 1};
    m->lists[m->e.lists_n] =
        (struct list){.code = make_text(m, code), .name = {"فهرست", "a list"}, .contest = contest};
    m->contests[contest.v].lists_n++;
    return (struct list_ix){m->e.lists_n++};
}

static inline struct candidate_ix
make_candidate(struct election_maker *m, const char *code, struct list_ix list)
{
    MAKE_ROOM(m, candidates);
    const struct contest_ix contest  = {m->e.contests_n - 1};
    m->candidates[m->e.candidates_n] = (struct candidate){.code    = make_text(m, code),
                                                          .name    = {"نامزد", "a person"},
                                                          .contest = contest,
                                                          .list    = list};
    m->contests[contest.v].candidates_n++;
    if (list.v != IX_NONE) {
        m->lists[list.v].members_n++;
    }
    return (struct candidate_ix){m->e.candidates_n++};
}

static inline struct branch_ix
make_branch(struct election_maker *m, const char *code, struct area_ix area, uint32_t capacity)
{
    MAKE_ROOM(m, branches);
    m->branches[m->e.branches_n] = (struct branch){.code        = make_text(m, code),
                                                   .name        = {"شعبه", "a branch"},
                                                   .area        = area,
                                                   .capacity    = capacity,
                                                   .slots_first = m->e.slots_n};
    return (struct branch_ix){m->e.branches_n++};
}

static inline struct slot_ix
make_slot(struct election_maker *m, struct contest_ix contest)
{
    MAKE_ROOM(m, slots);
    m->slots[m->e.slots_n] = (struct slot){{m->e.branches_n - 1}, contest};
    m->branches[m->e.branches_n - 1].slots_n++;
    m->contests[contest.v].slots_n++;
    return (struct slot_ix){m->e.slots_n++};
}

static inline void
make_codes(struct election_maker *m)
{
    struct election *e  = &m->e;
    bool             ok = codes_init(&e->area_codes, &m->arena, e->areas_n) &&
              codes_init(&e->contest_codes, &m->arena, e->contests_n) &&
              codes_init(&e->branch_codes, &m->arena, e->branches_n) &&
              codes_init(&e->list_codes, &m->arena, e->lists_n) &&
              codes_init(&e->candidate_codes, &m->arena, e->candidates_n);
    for (uint32_t i = 0; i < e->areas_n; i++) {
        ok = ok && codes_add(&e->area_codes, 0, m->areas[i].code, i);
    }
    for (uint32_t i = 0; i < e->contests_n; i++) {
        ok = ok && codes_add(&e->contest_codes, 0, m->contests[i].code, i);
    }
    for (uint32_t i = 0; i < e->branches_n; i++) {
        ok = ok && codes_add(&e->branch_codes, 0, m->branches[i].code, i);
    }
    for (uint32_t i = 0; i < e->lists_n; i++) {
        ok = ok && codes_add(&e->list_codes, m->lists[i].contest.v, m->lists[i].code, i);
    }
    for (uint32_t i = 0; i < e->candidates_n; i++) {
        ok = ok &&
             codes_add(&e->candidate_codes, m->candidates[i].contest.v, m->candidates[i].code, i);
    }
    TLY_CHECK(ok);
}

/* Places of options and of each contest's slots, and the codes. */
static inline const struct election *
make_done(struct election_maker *m)
{
    uint32_t slots   = 0;
    uint32_t options = 0;
    m->contest_slots = TLY_NEW(&m->arena, struct slot_ix, m->e.slots_n);
    TLY_CHECK(m->contest_slots != NULL);
    for (uint32_t i = 0; i < m->e.contests_n; i++) {
        m->contests[i].options_first = options;
        m->contests[i].slots_first   = slots;
        options += m->contests[i].lists_n + m->contests[i].candidates_n;
        slots += m->contests[i].slots_n;
        m->contests[i].slots_n = 0;
    }
    for (uint32_t i = 0; i < m->e.slots_n; i++) {
        struct contest *c                               = &m->contests[m->slots[i].contest.v];
        m->contest_slots[c->slots_first + c->slots_n++] = (struct slot_ix){i};
    }
    m->e.contest_slots = m->contest_slots;
    m->e.options_n     = options;
    make_codes(m);
    return &m->e;
}

static inline void
make_free(struct election_maker *m)
{
    tly_arena_done(&m->arena);
}
