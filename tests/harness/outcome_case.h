/* SPDX-License-Identifier: Apache-2.0 */
/* A contest in a few arrays, for tests of the methods: votes in, outcome out. */
#pragma once

#include "base/arena.h"
#include "base/check.h"
#include "core/outcome.h"

#include "t.h"

#define CASE_LISTS_MAX      64
#define CASE_CANDIDATES_MAX 4096
#define CASE_ARENA_MAX      ((size_t)64 << 20)

struct outcome_case {
    const struct method *method;
    uint32_t             params[METHOD_PARAMS_MAX];
    struct method_input  in;
    uint64_t             ballots[CASE_LISTS_MAX];
    uint64_t             personal[CASE_CANDIDATES_MAX];
    uint32_t             list[CASE_CANDIDATES_MAX];
    struct tly_arena     arena;
    struct outcome       out;
};

static inline void
case_init(struct outcome_case *c, const char *method, uint32_t seats, uint32_t alternates)
{
    tly_arena_init(&c->arena, CASE_ARENA_MAX);
    c->method = method_find(tly_text(method));
    TLY_CHECK(c->method != NULL);
    for (unsigned i = 0; i < c->method->params_n; i++) {
        c->params[i] = c->method->params[i].initial;
    }
    c->in = (struct method_input){.params         = c->params,
                                  .seats          = seats,
                                  .alternates     = alternates,
                                  .list_ballots   = c->ballots,
                                  .personal       = c->personal,
                                  .candidate_list = c->list};
}

/* "name=word" or "name=number", one. */
static inline void
case_param(struct outcome_case *c, const char *setting)
{
    const size_t len = strcspn(setting, "=");
    const int at = method_param_find(c->method, (struct tly_bytes){(const uint8_t *)setting, len});
    TLY_CHECK(at >= 0);
    const struct method_param *param = &c->method->params[at];
    const char                *value = setting + len + 1;
    if (param->words == NULL) {
        c->params[at] = (uint32_t)strtoul(value, NULL, 10);
        return;
    }
    uint32_t i = 0;
    while (param->words[i] != NULL && strcmp(param->words[i], value) != 0) {
        i++;
    }
    TLY_CHECK(param->words[i] != NULL);
    c->params[at] = i;
}

static inline void
case_person(struct outcome_case *c, uint32_t list, uint64_t votes)
{
    TLY_CHECK(c->in.candidates_n < CASE_CANDIDATES_MAX);
    c->personal[c->in.candidates_n] = votes;
    c->list[c->in.candidates_n++]   = list;
}

/* A list with `persons` members, the first of whom has all its votes. */
static inline uint32_t
case_list(struct outcome_case *c, uint64_t votes, uint32_t persons)
{
    TLY_CHECK(c->in.lists_n < CASE_LISTS_MAX);
    const uint32_t list = c->in.lists_n++;
    c->ballots[list]    = 0;
    for (uint32_t i = 0; i < persons; i++) {
        case_person(c, list, i == 0 ? votes : 0);
    }
    return list;
}

static inline const struct outcome *
case_run(struct outcome_case *c)
{
    const enum tly_err err = outcome_of(c->method, &c->in, &c->arena, &c->out);
    TLY_CHECK(err == TLY_OK);
    return &c->out;
}

static inline void
case_done(struct outcome_case *c)
{
    tly_arena_done(&c->arena);
    *c = (struct outcome_case){0};
}

static inline const struct tie *
case_tie(const struct outcome *out, enum tie_kind kind)
{
    for (uint32_t i = 0; i < out->ties_n; i++) {
        if (out->ties[i].kind == kind) {
            return &out->ties[i];
        }
    }
    return NULL;
}

/* A small generator (xorshift64*), so that a printed seed repeats a test anywhere. */
static inline uint64_t
case_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static inline uint32_t
case_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((case_random(state) >> 32) * n >> 32);
}
