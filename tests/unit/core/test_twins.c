/* SPDX-License-Identifier: Apache-2.0 */
/* P08: the vectors of tests/vectors/checks/twins.json; random branches against a comparison of all
 * with all, across copies; what a twin does to explanations and positions. */
#include <jansson.h>

#include "core/checks.h"

#include "election_make.h"
#include "outcome_case.h"
#include "t.h"

#define VECTORS    "tests/vectors/checks/twins.json"
#define ARENA_MAX  ((size_t)16 << 20)
#define SLOTS_MAX  256
#define CODES_MAX  128
#define CANDIDATES 3

static struct election_maker m;
static struct tly_arena      arena;
static struct tally          tally;
static uint64_t              position;

/* ---- vectors ---- */

static struct contest_ix
contest_of(const json_t *step)
{
    return election_contest(&m.e, tly_text(json_string_value(json_object_get(step, "contest"))));
}

static void
definition_make(const json_t *vectors, const json_t *c)
{
    const json_t *min = json_object_get(c, "P08_min");
    size_t        i, k;
    json_t       *v, *code;
    make_begin(&m, ARENA_MAX);
    m.e.limits.p08_min =
        (uint32_t)json_integer_value(min != NULL ? min : json_object_get(vectors, "P08_min"));
    const struct area_ix root = make_area(&m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    json_array_foreach(json_object_get(vectors, "contests"), i, v)
    {
        const uint32_t rule = make_rule(&m, json_string_value(json_object_get(v, "method")));
        (void)make_contest(&m, json_string_value(json_object_get(v, "contest")), root, rule, 1);
        json_array_foreach(json_object_get(v, "lists"), k, code)
        {
            (void)make_list(&m, json_string_value(code));
        }
        json_array_foreach(json_object_get(v, "candidates"), k, code)
        {
            (void)make_candidate(&m, json_string_value(code), (struct list_ix){IX_NONE});
        }
    }
    json_array_foreach(json_object_get(vectors, "branches"), i, v)
    {
        (void)make_branch(&m, json_string_value(v), root, 0);
        for (uint32_t n = 0; n < m.e.contests_n; n++) {
            (void)make_slot(&m, (struct contest_ix){n});
        }
    }
    (void)make_done(&m);
}

static uint32_t
number(const json_t *row, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(row, key));
}

/* The row with the step's changes, as the checks would hand it over. */
static const struct counts *
counts_of(const json_t *base, const json_t *step)
{
    const struct contest_ix ix    = contest_of(step);
    const struct contest   *c     = &m.contests[ix.v];
    json_t                 *row   = json_copy(json_object_get(base, c->code));
    const json_t           *parts = NULL;
    size_t                  i;
    json_t                 *v;
    (void)json_object_update(row, json_object_get(step, "row"));
    struct counts *counts = tly_arena_alloc(
        &arena, 1, sizeof *counts + (c->lists_n + c->candidates_n) * sizeof(uint32_t));
    TLY_CHECK(counts != NULL && row != NULL);
    parts                    = json_object_get(row, "authenticated");
    counts->n[COUNT_ONLINE]  = number(parts, "online");
    counts->n[COUNT_OFFLINE] = number(parts, "offline");
    counts->n[COUNT_MANUAL]  = number(parts, "manual");
    for (unsigned n = COUNT_ISSUED; n < COUNTS_N; n++) {
        counts->n[n] = number(row, count_name((enum count)n));
    }
    json_array_foreach(json_object_get(row, "lists"), i, v)
    {
        const struct list_ix list =
            election_list(&m.e, ix, tly_text(json_string_value(json_array_get(v, 0))));
        counts->options[list.v - c->lists_first] =
            (uint32_t)json_integer_value(json_array_get(v, 1));
    }
    json_array_foreach(json_object_get(row, "candidates"), i, v)
    {
        const struct candidate_ix p =
            election_candidate(&m.e, ix, tly_text(json_string_value(json_array_get(v, 0))));
        counts->options[c->lists_n + p.v - c->candidates_first] =
            (uint32_t)json_integer_value(json_array_get(v, 1));
    }
    json_decref(row);
    return counts;
}

static void
step_decide(const char *kind, struct slot_ix slot)
{
    if (strcmp(kind, "annul") == 0) {
        tally_annul(&tally, slot, position++);
    } else if (strcmp(kind, "reinstate") == 0) {
        tally_reinstate(&tally, slot, position++);
    } else {
        TLY_CHECK(strcmp(kind, "release") == 0);
        tally_release(&tally, slot, position++);
    }
}

static void
step_run(const json_t *base, const json_t *step)
{
    const struct branch_ix branch =
        election_branch(&m.e, tly_text(json_string_value(json_object_get(step, "branch"))));
    const struct slot_ix slot     = election_slot(&m.e, branch, contest_of(step));
    const char          *kind     = json_string_value(json_object_get(step, "decide"));
    const bool           unread   = json_is_true(json_object_get(step, "unread"));
    const bool           not_held = json_is_true(json_object_get(step, "not_held"));
    const bool           held     = json_is_true(json_object_get(step, "held"));
    if (kind != NULL) {
        step_decide(kind, slot);
        return;
    }
    tally_apply(&tally,
                &(struct tally_change){.slot   = slot,
                                       .counts = unread || not_held ? NULL : counts_of(base, step),
                                       .checks = unread ? CHECK_BIT(CHECK_S02) : 0,
                                       .revision = tally.slots[slot.v].revision + 1,
                                       .held     = unread || held,
                                       .not_held = not_held},
                1, position++);
}

static bool
has_p08(const struct tally *of, uint32_t slot)
{
    return (of->slots[slot].checks & CHECK_BIT(CHECK_P08)) != 0;
}

/* "b1 b2 " of the step's contest, as found and as expected. */
static bool
step_same(const json_t *step)
{
    char    got[CODES_MAX] = "", want[CODES_MAX] = "";
    size_t  i, len                               = 0;
    json_t *v;
    for (uint32_t b = 0; b < m.e.branches_n; b++) {
        const struct slot_ix slot = election_slot(&m.e, (struct branch_ix){b}, contest_of(step));
        if (has_p08(&tally, slot.v)) {
            len += (size_t)snprintf(got + len, sizeof got - len, "%s ", m.branches[b].code);
        }
    }
    len = 0;
    json_array_foreach(json_object_get(step, "expect"), i, v)
    {
        len += (size_t)snprintf(want + len, sizeof want - len, "%s ", json_string_value(v));
    }
    if (strcmp(got, want) != 0) {
        printf("# got %s, want %s\n", got, want);
    }
    return strcmp(got, want) == 0;
}

static void
check_vectors(void)
{
    json_error_t error;
    json_t      *vectors = json_load_file(VECTORS, 0, &error), *c, *step;
    size_t       i, k;
    TLY_CHECK(vectors != NULL);
    json_array_foreach(json_object_get(vectors, "cases"), i, c)
    {
        bool same = true;
        tly_arena_init(&arena, ARENA_MAX);
        definition_make(vectors, c);
        TLY_CHECK(tally_init(&tally, &m.e, &arena) == TLY_OK);
        position = 1;
        json_array_foreach(json_object_get(c, "steps"), k, step)
        {
            step_run(json_object_get(vectors, "rows"), step);
            same = step_same(step) && same;
        }
        T_OK(same, json_string_value(json_object_get(c, "name")));
        make_free(&m);
        tly_arena_done(&arena);
    }
    json_decref(vectors);
}

/* ---- random ---- */

static void
small_election(uint32_t branches, uint32_t contests, uint32_t min)
{
    char code[16];
    make_begin(&m, ARENA_MAX);
    m.e.limits.p08_min        = min;
    const uint32_t       rule = make_rule(&m, "block");
    const struct area_ix root = make_area(&m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    for (uint32_t i = 0; i < contests; i++) {
        (void)snprintf(code, sizeof code, "c%u", i);
        (void)make_contest(&m, code, root, rule, 1);
        for (uint32_t k = 0; k < CANDIDATES; k++) {
            (void)snprintf(code, sizeof code, "p%u", k);
            (void)make_candidate(&m, code, (struct list_ix){IX_NONE});
        }
    }
    for (uint32_t i = 0; i < branches; i++) {
        (void)snprintf(code, sizeof code, "b%u", i);
        (void)make_branch(&m, code, root, 0);
        for (uint32_t k = 0; k < contests; k++) {
            (void)make_slot(&m, (struct contest_ix){k});
        }
    }
    (void)make_done(&m);
    TLY_CHECK(tally_init(&tally, &m.e, &arena) == TLY_OK);
    position = 1;
}

/* Few different numbers, so that many are equal, and enough of them to meet in one bucket. */
static const struct counts *
few_counts(uint64_t *rng)
{
    struct counts *counts =
        tly_arena_alloc(&arena, 1, sizeof *counts + CANDIDATES * sizeof(uint32_t));
    TLY_CHECK(counts != NULL);
    counts->n[COUNT_CAST]  = case_below(rng, 3);
    counts->n[COUNT_BLANK] = case_below(rng, 2);
    for (unsigned i = 0; i < CANDIDATES; i++) {
        counts->options[i] = case_below(rng, 2);
    }
    return counts;
}

static bool
naive_trivial(const struct counts *counts)
{
    unsigned with = 0;
    for (unsigned i = 0; i < CANDIDATES; i++) {
        with += counts->options[i] > 0;
    }
    return m.e.limits.p08_min == 0 || counts->n[COUNT_CAST] < m.e.limits.p08_min || with < 2;
}

static unsigned
differences(const struct tally *of)
{
    const size_t size  = sizeof(struct counts) + CANDIDATES * sizeof(uint32_t);
    unsigned     wrong = 0;
    for (uint32_t i = 0; i < m.e.slots_n; i++) {
        const struct counts *own  = of->slots[i].counts;
        bool                 twin = false;
        for (uint32_t k = 0; k < m.e.slots_n && own != NULL; k++) {
            const struct counts *other = of->slots[k].counts;
            twin =
                twin || (k != i && other != NULL && m.slots[k].contest.v == m.slots[i].contest.v &&
                         !naive_trivial(own) && memcmp(own, other, size) == 0);
        }
        wrong += twin != has_p08(of, i);
    }
    return wrong;
}

/* A revision of a random slot in both tallies, which must never differ. */
static void
revise(uint64_t *rng, struct tally *copy)
{
    const struct slot_ix      slot   = {case_below(rng, m.e.slots_n)};
    const bool                none   = case_below(rng, 6) == 0;
    const struct tally_change change = {.slot     = slot,
                                        .counts   = none ? NULL : few_counts(rng),
                                        .revision = tally.slots[slot.v].revision + 1,
                                        .not_held = none};
    tally_apply(&tally, &change, 1, position);
    tally_apply(copy, &change, 1, position++);
}

static void
check_random(uint64_t seed, unsigned rounds)
{
    unsigned wrong = 0, flagged = 0, apart = 0;
    uint64_t rng = seed;
    for (unsigned i = 0; i < rounds; i++) {
        struct tally copy;
        tly_arena_init(&arena, ARENA_MAX);
        small_election(1 + case_below(&rng, 12), 1 + case_below(&rng, 3), case_below(&rng, 3));
        TLY_CHECK(tally_init(&copy, &m.e, &arena) == TLY_OK);
        for (unsigned k = 0; k < 120; k++) {
            revise(&rng, &copy);
            wrong += differences(&tally);
            flagged += has_p08(&tally, 0);
            apart += memcmp(tally.slots, copy.slots, m.e.slots_n * sizeof *copy.slots) != 0;
            if (case_below(&rng, 10) == 0) {
                tally_copy(&copy, &tally);
            }
        }
        make_free(&m);
        tly_arena_done(&arena);
    }
    printf("# seed %llu\n", (unsigned long long)seed);
    T_EQ(wrong, 0, "flagged as when all are compared with all");
    T_OK(flagged > rounds, "and it happens");
    T_EQ(apart, 0, "a copy goes on as the original does");
}

/* ---- explanations ---- */

static void
apply(uint32_t slot, uint32_t blank)
{
    struct counts *counts =
        tly_arena_alloc(&arena, 1, sizeof *counts + CANDIDATES * sizeof(uint32_t));
    TLY_CHECK(counts != NULL);
    counts->n[COUNT_CAST]  = 50;
    counts->n[COUNT_BLANK] = blank;
    counts->options[0] = counts->options[2] = 20;
    tally_apply(&tally,
                &(struct tally_change){.slot     = {slot},
                                       .counts   = counts,
                                       .checks   = CHECK_BIT(CHECK_P01),
                                       .revision = tally.slots[slot].revision + 1},
                1, position++);
}

static void
check_explained(void)
{
    tly_arena_init(&arena, ARENA_MAX);
    small_election(4, 1, 30);
    const struct standing *first = &tally.slots[0];
    apply(0, 1); /* at 1 */
    tally_explain(&tally, (struct slot_ix){0}, position++);
    T_OK(first->explained && first->position == 1, "an explanation stands");
    apply(1, 1); /* at 3 */
    T_OK(has_p08(&tally, 0) && !first->explained, "a twin that comes later is not explained by it");
    T_EQ(first->position, 3, "what was signed before does not know it");
    T_EQ(tally.branch_position[0], 3, "readers of the branch see a change");
    T_EQ(first->checks, CHECK_BIT(CHECK_P01) | CHECK_BIT(CHECK_P08), "beside what was found");
    T_EQ(tally_twin(&tally, (struct slot_ix){0}).v, 1, "which branch it is");
    tally_explain(&tally, (struct slot_ix){0}, position++);
    apply(2, 1); /* at 5 */
    T_OK(first->explained && first->position == 3, "a third one changes nothing for the first two");
    apply(1, 1); /* at 6, the same numbers again */
    T_OK(first->explained && first->position == 3, "nor a revision without another number");
    apply(1, 2);
    T_OK(first->explained && has_p08(&tally, 0), "nor one that leaves it with a twin");
    apply(2, 3); /* at 8 */
    T_OK(first->explained && !has_p08(&tally, 0) && first->position == 8, "the last twin is gone");
    T_EQ(tally_twin(&tally, (struct slot_ix){0}).v, IX_NONE, "none is left");
    T_EQ(first->checks, CHECK_BIT(CHECK_P01), "the other finding stays");
    make_free(&m);
    tly_arena_done(&arena);
}

int
main(void)
{
    check_vectors();
    check_random(14050305, 60);
    check_explained();
    return T_DONE();
}
