/* SPDX-License-Identifier: Apache-2.0 */
/* The tally against a recomputation from scratch, on random trees, bundles and corrections; and a
 * country's worth of it, timed. */
#include "core/tally.h"

#include "core/outcome.h"

#include "t.h"
#include "tally_make.h"

#define BATCH 64 /* bundles applied together; divides the country */

static struct tally tally;

/* What the naive side remembers of a slot. */
struct naive {
    const struct counts *counts;
    bool                 reported, counted;
};

/* One revision of one slot, on both sides. */
static void
revise(uint64_t *rng, uint32_t slot, struct naive *naive, uint64_t position)
{
    const bool          not_held = case_below(rng, 8) == 0;
    const bool          held     = case_below(rng, 3) == 0;
    const bool          unread   = held && case_below(rng, 3) == 0;
    struct tally_change change   = {
          .slot     = {slot},
          .counts   = not_held || unread ? NULL : counts_random(rng, slot),
          .checks   = held ? 1 : 0,
          .revision = tally.slots[slot].revision + 1 + case_below(rng, 2),
          .held     = held,
          .not_held = not_held,
    };
    tally_apply(&tally, &change, 1, position);
    *naive = (struct naive){change.counts, true, !held};
}

/* Every number of the tally from the leaves, area by area. */
static unsigned
differences(const struct naive naive[])
{
    const struct election *e     = &m.e;
    unsigned               wrong = 0;
    for (uint32_t c = 0; c < e->contests_n; c++) {
        const struct contest *contest     = &m.contests[c];
        struct totals         sum         = {{0}};
        struct progress       p           = {0};
        uint64_t              options[64] = {0};
        for (uint32_t s = 0; s < e->slots_n; s++) {
            if (m.slots[s].contest.v != c) {
                continue;
            }
            p.expected++;
            p.reported += naive[s].reported;
            p.counted += naive[s].counted;
            p.held += naive[s].reported && !naive[s].counted;
            for (unsigned i = 0; naive[s].counted && naive[s].counts != NULL && i < COUNTS_N; i++) {
                sum.n[i] += naive[s].counts->n[i];
            }
            for (uint32_t i = 0; naive[s].counted && naive[s].counts != NULL &&
                                 i < contest->lists_n + contest->candidates_n;
                 i++) {
                options[i] += naive[s].counts->options[i];
            }
        }
        wrong += memcmp(&sum, &tally.contests[c].totals, sizeof sum) != 0;
        wrong += memcmp(&p, &tally.contests[c].progress, sizeof p) != 0;
        wrong += memcmp(options, &tally.options[contest->options_first],
                        (contest->lists_n + contest->candidates_n) * sizeof options[0]) != 0;
    }
    for (uint32_t a = 0; a < e->areas_n; a++) {
        struct totals   sum = {{0}};
        struct progress p   = {0};
        for (uint32_t s = 0; s < e->slots_n; s++) {
            const struct area_ix at = m.branches[m.slots[s].branch.v].area;
            if (!election_within(e, at, (struct area_ix){a})) {
                continue;
            }
            p.expected++;
            p.reported += naive[s].reported;
            p.counted += naive[s].counted;
            p.held += naive[s].reported && !naive[s].counted;
            for (unsigned i = 0; naive[s].counted && naive[s].counts != NULL && i < COUNTS_N; i++) {
                sum.n[i] += naive[s].counts->n[i];
            }
        }
        wrong += memcmp(&sum, &tally.areas[a].totals, sizeof sum) != 0;
        wrong += memcmp(&p, &tally.areas[a].progress, sizeof p) != 0;
    }
    return wrong;
}

/* Votes by law, added up the long way. */
static unsigned
votes_differ(void)
{
    unsigned wrong = 0;
    for (uint32_t c = 0; c < m.e.contests_n; c++) {
        const struct contest *contest  = &m.contests[c];
        const bool            credits  = m.rules[contest->rule].method->credits;
        const uint64_t       *options  = &tally.options[contest->options_first];
        uint64_t              lists[8] = {0};
        for (uint32_t l = 0; l < contest->lists_n && !credits; l++) {
            lists[l] = options[l];
        }
        for (uint32_t k = 0; k < contest->candidates_n; k++) {
            const struct candidate_ix ix    = {contest->candidates_first + k};
            const uint32_t            list  = m.candidates[ix.v].list.v;
            uint64_t                  votes = options[contest->lists_n + k];
            if (list != IX_NONE) {
                votes += credits ? options[list - contest->lists_first] : 0;
                lists[list - contest->lists_first] += votes;
            }
            wrong += tally_candidate_votes(&tally, ix) != votes;
        }
        struct outcome o;
        wrong += outcome_run(&tally, (struct contest_ix){c}, &arena, &o) != TLY_OK;
        for (uint32_t l = 0; l < contest->lists_n; l++) {
            wrong +=
                tally_list_votes(&tally, (struct list_ix){contest->lists_first + l}) != lists[l];
            wrong += o.list_votes[l] != lists[l];
        }
    }
    return wrong;
}

static void
check_random(uint64_t seed, unsigned elections)
{
    uint64_t rng   = seed;
    unsigned wrong = 0, applied = 0;
    for (unsigned n = 0; n < elections; n++) {
        struct tally copy;
        tly_arena_init(&arena, ARENA_MAX);
        election_random(&rng);
        struct naive *naive = TLY_NEW(&arena, struct naive, m.e.slots_n);
        TLY_CHECK(naive != NULL && tally_init(&tally, &m.e, &arena) == TLY_OK);
        TLY_CHECK(tally_init(&copy, &m.e, &arena) == TLY_OK);
        wrong += differences(naive);
        const uint32_t changes = m.e.slots_n == 0 ? 0 : case_below(&rng, 4 * m.e.slots_n);
        for (uint32_t i = 0; i < changes; i++) {
            const uint32_t slot = case_below(&rng, m.e.slots_n);
            revise(&rng, slot, &naive[slot], 1 + i);
            applied++;
            wrong += i % 16 == 0 ? differences(naive) : 0;
        }
        wrong += differences(naive) + votes_differ();
        wrong += changes > 0 && tally.position != changes + 1;
        tally_copy(&copy, &tally);
        wrong += memcmp(copy.areas, tally.areas, m.e.areas_n * sizeof *copy.areas) != 0 ||
                 memcmp(copy.slots, tally.slots, m.e.slots_n * sizeof *copy.slots) != 0 ||
                 copy.position != tally.position;
        make_free(&m);
        tly_arena_done(&arena);
    }
    printf("# seed %llu: %u elections, %u revisions\n", (unsigned long long)seed, elections,
           applied);
    T_EQ(wrong, 0, "contests, lists, persons and every area equal the sum of the leaves");
}

/* The life of one slot, step by step. */
static void
check_states(void)
{
    tly_arena_init(&arena, ARENA_MAX);
    make_begin(&m, ARENA_MAX);
    const uint32_t          block = make_rule(&m, "block");
    const struct area_ix    root  = make_area(&m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    const struct area_ix    city  = make_area(&m, "city", root, LEVEL_CITY);
    const struct area_ix    other = make_area(&m, "other", root, LEVEL_CITY);
    const struct contest_ix c     = make_contest(&m, "c", city, block, 1);
    (void)make_candidate(&m, "p", (struct list_ix){IX_NONE});
    const struct branch_ix b  = make_branch(&m, "b", city, 0);
    const struct slot_ix   s  = make_slot(&m, c);
    const struct branch_ix b2 = make_branch(&m, "b2", other, 0);
    (void)make_done(&m);
    T_EQ(tally_init(&tally, &m.e, &arena), TLY_OK, "init");
    T_EQ(tally.areas[root.v].progress.expected, 1, "one branch-contest is expected in the country");
    T_EQ(tally.areas[other.v].progress.expected, 0, "none where the branch reports no contest");
    T_STR(slot_state_name((enum slot_state)tally.slots[s.v].state), "expected", "expected");
    T_OK(!tally_is_complete(&tally, c), "nothing is complete");

    struct counts *one = counts_new(&arena, s.v), *two = counts_new(&arena, s.v);
    one->n[COUNT_CAST] = 10;
    one->options[0]    = 7;
    two->n[COUNT_CAST] = 4;
    two->options[0]    = 3;
    tally_apply(
        &tally,
        &(struct tally_change){.slot = s, .counts = one, .checks = 5, .revision = 1, .held = true},
        1, 1);
    T_STR(slot_state_name((enum slot_state)tally.slots[s.v].state), "held", "held");
    T_OK(tally.contests[c.v].totals.n[COUNT_CAST] == 0 && tally.options[0] == 0,
         "held adds nothing");
    T_OK(!tally_is_complete(&tally, c), "held is not settled");
    T_OK(tally.contests[c.v].progress.held == 1 && tally.contests[c.v].progress.reported == 1 &&
             tally.contests[c.v].progress.counted == 0,
         "but has reported");
    tally_apply(&tally, &(struct tally_change){.slot = s, .counts = one, .revision = 2}, 1, 2);
    T_STR(slot_state_name((enum slot_state)tally.slots[s.v].state), "corrected", "corrected");
    T_EQ(tally.areas[root.v].totals.n[COUNT_CAST], 10, "counted up to the country");
    T_OK(tally_is_complete(&tally, c), "its only branch: the contest is complete");
    T_EQ(tally.areas[other.v].totals.n[COUNT_CAST], 0, "not beside");
    tally_apply(&tally, &(struct tally_change){.slot = s, .counts = two, .revision = 3}, 1, 3);
    T_EQ(tally.areas[root.v].totals.n[COUNT_CAST], 4, "a correction replaces");
    T_EQ(tally.options[0], 3, "votes too");
    T_OK(tally.areas[root.v].progress.reported == 1 && tally.areas[root.v].progress.counted == 1,
         "once");
    tally_apply(&tally, &(struct tally_change){.slot = s, .not_held = true, .revision = 4}, 1, 4);
    T_OK(tally.areas[root.v].totals.n[COUNT_CAST] == 0 && tally.options[0] == 0,
         "not held adds nothing");
    T_EQ(tally.contests[c.v].progress.counted, 1, "and is settled");
    T_OK(tally.contests[c.v].position == 4 && tally.areas[city.v].position == 4 &&
             tally.areas[root.v].position == 4 && tally.branch_position[b.v] == 4 &&
             tally.slots[s.v].position == 4 && tally.position == 5,
         "positions");
    tally_conflict(&tally, b2, 5);
    T_OK(tally.branch_conflict[b2.v] && !tally.branch_conflict[b.v], "a conflict flags its branch");
    T_OK(tally.branch_position[b2.v] == 5 && tally.areas[other.v].position == 5 &&
             tally.areas[city.v].position == 4 && tally.position == 6,
         "and moves its areas");
    tally_annul(&tally, s, 6);
    T_OK(tally.contests[c.v].progress.annulled == 1 && !tally_is_complete(&tally, c),
         "where nothing counts nothing is complete");
    make_free(&m);
    tly_arena_done(&arena);
    tly_arena_init(&arena, 8);
    T_EQ(tally_init(&tally, &m.e, &arena), TLY_ENOMEM, "no room");
    tly_arena_done(&arena);
}

/* A batch's bundles, their counts copied to where the tally keeps them, as the sequencer does just
 * before it applies them. */
static void
batch_make(const uint32_t branches[BATCH], const struct counts *const counts[],
           struct tally_change changes[BATCH][2])
{
    for (uint32_t i = 0; i < BATCH; i++) {
        const struct branch *b = &m.branches[branches[i]];
        TLY_CHECK(b->slots_n == 2);
        for (uint32_t j = 0; j < 2; j++) {
            const uint32_t slot  = b->slots_first + j;
            const size_t   size  = sizeof(struct counts) + 8 * sizeof(uint32_t);
            struct counts *found = tly_arena_alloc(&arena, 1, size);
            TLY_CHECK(found != NULL);
            memcpy(found, counts[slot], size);
            changes[i][j] = (struct tally_change){.slot = {slot}, .counts = found, .revision = 1};
        }
    }
}

static void
check_country(void)
{
    uint64_t rng = 7;
    tly_arena_init(&arena, COUNTRY_MAX);
    country_make();
    TLY_CHECK(tally_init(&tally, &m.e, &arena) == TLY_OK);
    const struct counts **counts = TLY_NEW(&arena, const struct counts *, m.e.slots_n);
    uint32_t             *order  = TLY_NEW(&arena, uint32_t, m.e.branches_n);
    uint64_t              cast   = 0;
    TLY_CHECK(counts != NULL && order != NULL);
    for (uint32_t i = 0; i < m.e.slots_n; i++) {
        counts[i] = counts_random(&rng, i);
        cast += counts[i]->n[COUNT_CAST];
    }
    for (uint32_t i = 0; i < m.e.branches_n; i++) { /* branches arrive in any order */
        const uint32_t at = case_below(&rng, i + 1);
        order[i]          = order[at];
        order[at]         = i;
    }
    uint64_t applied = 0;
    for (uint32_t i = 0; i < m.e.branches_n; i += BATCH) {
        struct tally_change changes[BATCH][2];
        batch_make(order + i, counts, changes);
        const uint64_t start = cpu_us();
        for (uint32_t j = 0; j < BATCH; j++) {
            tally_apply(&tally, changes[j], 2, i + j + 1);
        }
        applied += cpu_us() - start;
    }
    struct tally copy;
    struct lot   lot = {.n = 0};
    tally_exclude(&tally, (struct candidate_ix){5}, m.e.branches_n + 1);
    tally_lot(&tally, (struct contest_ix){9}, &lot, m.e.branches_n + 2);
    tally_certify(&tally, (struct contest_ix){7}, m.e.branches_n + 3);
    tally_conflict(&tally, (struct branch_ix){3}, m.e.branches_n + 4);
    TLY_CHECK(tally_init(&copy, &m.e, &arena) == TLY_OK);
    const uint64_t copying = cpu_us();
    tally_copy(&copy, &tally);
    const uint64_t copied = cpu_us() - copying;
    printf("# 80,000 bundles of 2 contests in %llu us: %llu ns a bundle; a copy takes %llu us\n",
           (unsigned long long)applied, (unsigned long long)applied * 1000 / m.e.branches_n,
           (unsigned long long)copied);
    T_EQ(copy.areas[0].totals.n[COUNT_CAST], cast, "the country is the sum of its leaves");
    T_EQ(copy.areas[0].progress.counted, 160000, "all are counted");
    T_OK(copy.excluded[5] && !copy.excluded[4] && copy.contests[9].lots == &lot &&
             copy.contests[8].lots == NULL && tally_is_certified(&copy, (struct contest_ix){7}) &&
             !tally_is_certified(&copy, (struct contest_ix){6}) && copy.branch_conflict[3] &&
             !copy.branch_conflict[2],
         "a copy has the decisions too");
    make_free(&m);
    tly_arena_done(&arena);
}

int
main(void)
{
    check_states();
    check_random(14050211, 300);
    check_country();
    return T_DONE();
}
