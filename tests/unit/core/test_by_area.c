/* SPDX-License-Identifier: Apache-2.0 */
/* A contest's votes by area: on random trees every area is its own branches and its children, the
 * root is the contest, and nothing is known of an area until something is counted there; then a
 * capital's contest, timed. */
#include "core/by_area.h"

#include <time.h>

#include "election_make.h"
#include "outcome_case.h"
#include "t.h"

#define ARENA_MAX   ((size_t)16 << 20)
#define CAPITAL_MAX ((size_t)1 << 30)
#define OPTIONS_MAX 16

static struct election_maker m;
static struct tly_arena      arena;
static struct tally          tally;

static void
options_make(uint32_t lists, uint32_t persons)
{
    char           code[32];
    const uint32_t first = m.e.lists_n;
    for (uint32_t i = 0; i < lists; i++) {
        (void)snprintf(code, sizeof code, "l%u", i);
        (void)make_list(&m, code);
    }
    for (uint32_t i = 0; i < persons; i++) {
        (void)snprintf(code, sizeof code, "p%u", i);
        (void)make_candidate(&m, code, (struct list_ix){i < lists ? first + i : IX_NONE});
    }
}

static void
election_random(uint64_t *rng)
{
    char code[32];
    make_begin(&m, ARENA_MAX);
    const uint32_t rules[] = {make_rule(&m, "block"), make_rule(&m, "list_ir")};
    const uint32_t areas   = 1 + case_below(rng, 30);
    for (uint32_t i = 0; i < areas; i++) {
        (void)snprintf(code, sizeof code, "a%u", i);
        const struct area_ix parent = {i == 0 ? IX_NONE : case_below(rng, i)};
        (void)make_area(&m, code, parent, i == 0 ? LEVEL_COUNTRY : LEVEL_CITY);
    }
    for (uint32_t i = 0; i < 4; i++) {
        (void)snprintf(code, sizeof code, "c%u", i);
        (void)make_contest(&m, code, (struct area_ix){case_below(rng, areas)}, rules[i % 2], 3);
        options_make(i % 2 == 0 ? 0 : case_below(rng, 4), case_below(rng, 12));
    }
    const uint32_t branches = 1 + case_below(rng, 40);
    for (uint32_t i = 0; i < branches; i++) {
        (void)snprintf(code, sizeof code, "b%u", i);
        (void)make_branch(&m, code, (struct area_ix){case_below(rng, areas)}, 0);
        for (uint32_t k = 0; k < 4; k++) {
            if (case_below(rng, 3) == 0) {
                (void)make_slot(&m, (struct contest_ix){k});
            }
        }
    }
    (void)make_done(&m);
}

static struct counts *
counts_make(uint64_t *rng, uint32_t slot, uint32_t range)
{
    const struct contest *c = &m.contests[m.slots[slot].contest.v];
    const uint32_t        n = c->lists_n + c->candidates_n;
    struct counts *counts   = tly_arena_alloc(&arena, 1, sizeof *counts + n * sizeof(uint32_t));
    TLY_CHECK(counts != NULL);
    for (unsigned i = 0; i < COUNTS_N; i++) {
        counts->n[i] = case_below(rng, range);
    }
    for (uint32_t i = 0; i < n; i++) {
        counts->options[i] = case_below(rng, range);
    }
    return counts;
}

/* Bundles of every kind, and decisions, in any order; some slots stay silent. */
static void
night(uint64_t *rng)
{
    uint64_t position = tally.position + 1;
    for (uint32_t i = 0; i < 2 * m.e.slots_n; i++) {
        const struct slot_ix   s    = {case_below(rng, m.e.slots_n)};
        const struct standing *st   = &tally.slots[s.v];
        const uint32_t         what = case_below(rng, 6);
        if (what == 0 && st->state == SLOT_ANNULLED) {
            tally_reinstate(&tally, s, position++);
        } else if (what <= 1 && st->state != SLOT_EXPECTED && st->state != SLOT_ANNULLED) {
            tally_annul(&tally, s, position++);
        } else {
            const bool          not_held = case_below(rng, 8) == 0;
            struct tally_change change   = {
                  .slot     = s,
                  .counts   = not_held ? NULL : counts_make(rng, s.v, INT32_MAX),
                  .revision = st->revision + 1,
                  .held     = case_below(rng, 4) == 0,
                  .not_held = not_held,
            };
            tally_apply(&tally, &change, 1, position++);
        }
    }
}

/* What one branch-contest adds to its areas, written a second time. */
static void
leaf_add(uint32_t slot, struct area_sum *sum, uint64_t options[])
{
    const struct standing *st      = &tally.slots[slot];
    const struct contest  *c       = &m.contests[m.slots[slot].contest.v];
    const bool             counted = st->state == SLOT_COUNTED || st->state == SLOT_CORRECTED;
    sum->progress.expected += 1;
    sum->progress.reported += st->revision > 0;
    sum->progress.counted += counted;
    sum->progress.annulled += st->state == SLOT_ANNULLED;
    sum->progress.held += st->state == SLOT_HELD;
    for (unsigned i = 0; counted && st->counts != NULL && i < COUNTS_N; i++) {
        sum->totals.n[i] += st->counts->n[i];
    }
    for (uint32_t i = 0; counted && st->counts != NULL && i < c->lists_n + c->candidates_n; i++) {
        options[i] += st->counts->options[i];
    }
}

static void
child_add(const struct by_area *by, uint32_t child, struct area_sum *sum, uint64_t options[])
{
    struct area_sum below;
    uint64_t        votes[OPTIONS_MAX] = {0};
    by_area_sum(by, (struct area_ix){child}, &below, votes);
    sum->progress.expected += below.progress.expected;
    sum->progress.reported += below.progress.reported;
    sum->progress.counted += below.progress.counted;
    sum->progress.held += below.progress.held;
    sum->progress.annulled += below.progress.annulled;
    for (unsigned i = 0; i < COUNTS_N; i++) {
        sum->totals.n[i] += below.totals.n[i];
    }
    for (unsigned i = 0; i < OPTIONS_MAX; i++) {
        options[i] += votes[i];
    }
}

/* Every area against its own branches and its children; the root against the contest. */
static unsigned
differences(const struct by_area *by)
{
    const struct contest *c         = &m.contests[by->contest.v];
    const size_t          options_n = (size_t)c->lists_n + c->candidates_n;
    unsigned              wrong     = 0;
    for (uint32_t a = 0; a < m.e.areas_n; a++) {
        struct area_sum got, want = {0};
        uint64_t        votes[OPTIONS_MAX] = {0}, want_votes[OPTIONS_MAX] = {0};
        for (uint32_t s = 0; s < m.e.slots_n; s++) {
            if (m.slots[s].contest.v == by->contest.v &&
                m.branches[m.slots[s].branch.v].area.v == a) {
                leaf_add(s, &want, want_votes);
            }
        }
        for (uint32_t child = a + 1; child < m.e.areas_n; child++) {
            if (m.areas[child].parent.v == a) {
                child_add(by, child, &want, want_votes);
            }
        }
        by_area_sum(by, (struct area_ix){a}, &got, votes);
        wrong += memcmp(&got, &want, sizeof got) != 0;
        wrong += memcmp(votes, want_votes, sizeof votes) != 0;
        wrong += by_area_has(by, (struct area_ix){a}) != (want.progress.expected > 0);
        by_area_sum(by, (struct area_ix){a}, &got, NULL);
        wrong += memcmp(&got, &want, sizeof got) != 0;
        if (a == 0) {
            wrong +=
                memcmp(&got.totals, &tally.contests[by->contest.v].totals, sizeof got.totals) != 0;
            wrong += memcmp(&got.progress, &tally.contests[by->contest.v].progress,
                            sizeof got.progress) != 0;
            wrong +=
                memcmp(votes, tally.options + c->options_first, options_n * sizeof *votes) != 0;
        }
    }
    return wrong;
}

static void
check_random(uint64_t seed, unsigned elections)
{
    uint64_t rng   = seed;
    unsigned wrong = 0, sums = 0;
    for (unsigned n = 0; n < elections; n++) {
        tly_arena_init(&arena, ARENA_MAX);
        election_random(&rng);
        TLY_CHECK(tally_init(&tally, &m.e, &arena) == TLY_OK);
        for (unsigned nights = 0; nights < 2; nights++) {
            for (uint32_t c = 0; c < m.e.contests_n; c++) {
                struct by_area by;
                TLY_CHECK(by_area_init(&tally, (struct contest_ix){c}, &arena, &by) == TLY_OK);
                wrong += differences(&by);
                sums += m.e.areas_n;
            }
            night(&rng);
        }
        make_free(&m);
        tly_arena_done(&arena);
    }
    printf("# seed %llu: %u elections, %u sums\n", (unsigned long long)seed, elections, sums);
    T_EQ(wrong, 0, "an area is its branches and its children, the root is the contest");
}

static uint64_t
cpu_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* 3,000 candidates, 5,000 branches in 400 quarters of 22 districts of a county. */
static void
check_capital(void)
{
    char     code[32];
    uint64_t rng = 7, votes[3030], sum = 0;
    tly_arena_init(&arena, CAPITAL_MAX);
    make_begin(&m, CAPITAL_MAX);
    const uint32_t       rule = make_rule(&m, "list_ir");
    const struct area_ix root = make_area(&m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    const struct area_ix city = make_area(&m, "tehran", root, LEVEL_COUNTY);
    for (uint32_t i = 0; i < 22 + 400; i++) {
        (void)snprintf(code, sizeof code, "a%u", i);
        (void)make_area(&m, code, (struct area_ix){i < 22 ? city.v : 2 + i % 22},
                        i < 22 ? LEVEL_DISTRICT : LEVEL_CITY);
    }
    const struct contest_ix c = make_contest(&m, "council", city, rule, 21);
    options_make(30, 3000);
    for (uint32_t i = 0; i < 5000; i++) {
        (void)snprintf(code, sizeof code, "b%u", i);
        (void)make_branch(&m, code, (struct area_ix){24 + i % 400}, 0);
        (void)make_slot(&m, c);
    }
    (void)make_done(&m);
    TLY_CHECK(tally_init(&tally, &m.e, &arena) == TLY_OK);
    for (uint32_t s = 0; s < m.e.slots_n; s++) {
        tally_apply(
            &tally,
            &(struct tally_change){.slot = {s}, .counts = counts_make(&rng, s, 100), .revision = 1},
            1, 1 + s);
    }
    const uint64_t   begin = cpu_ms();
    struct tly_arena own;
    struct by_area   by;
    struct area_sum  area;
    tly_arena_init(&own, (size_t)256 << 10);
    T_EQ(by_area_init(&tally, c, &own, &by), TLY_OK, "no array of all sums: 256 KiB are enough");
    for (uint32_t a = 0; a < m.e.areas_n; a++) {
        by_area_sum(&by, (struct area_ix){a}, &area, votes);
        sum += a >= 2 && a < 24 ? votes[29] + votes[3029] : 0;
    }
    printf("# 424 areas, 5,000 branches, 3,030 options: %llu ms, %zu KiB\n",
           (unsigned long long)(cpu_ms() - begin), own.bytes >> 10);
    T_EQ(sum, tally.options[29] + tally.options[3029], "the districts of a capital add up to it");
    tly_arena_done(&own);
    make_free(&m);
    tly_arena_done(&arena);
}

static void
check_no_memory(void)
{
    struct by_area by;
    tly_arena_init(&arena, ARENA_MAX);
    uint64_t rng = 1;
    election_random(&rng);
    TLY_CHECK(tally_init(&tally, &m.e, &arena) == TLY_OK);
    struct tly_arena small = {.bytes_max = 8};
    T_EQ(by_area_init(&tally, (struct contest_ix){0}, &small, &by), TLY_ENOMEM, "no room");
    tly_arena_done(&small);
    make_free(&m);
    tly_arena_done(&arena);
}

int
main(void)
{
    const char *seed = getenv("TALLY_SEED");
    check_random(seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL), 400);
    check_capital();
    check_no_memory();
    return T_DONE();
}
