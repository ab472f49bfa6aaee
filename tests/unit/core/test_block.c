/* SPDX-License-Identifier: Apache-2.0 */
/* Plurality-at-large: the examples of doc/methods.md, and every kind of tie and of empty seat. */
#include "outcome_case.h"

#define ROWS_MAX 9

struct example {
    const char *name;
    uint32_t    seats, alternates;
    uint64_t    votes[ROWS_MAX];
    uint32_t    votes_n;
    const char *winners, *alternate; /* places in votes[], as digits, in any order */
    const char *ties;                /* "S2:678 A1:23" kind, at stake, among */
    uint32_t    vacancies;
};

/* clang-format off */
static const struct example examples[] = {
    {"(a) first five and three alternates", 5, 3, {910, 880, 700, 650, 610, 590, 400, 390, 120}, 9, "01234", "567", "", 0},
    {"(b) three for the fifth seat; the losers fill two alternate places", 5, 3, {910, 880, 700, 610, 590, 590, 590, 400}, 8, "0123", "7", "S1:456", 0},
    {"(c) a village: one ordering settles seat and alternates", 3, 2, {40, 40, 12, 12, 12}, 5, "01", "", "S1:234", 0},
    {"whoever loses the draw is the alternate, not who stands behind", 1, 1, {5, 5, 3}, 3, "", "", "S1:01", 0},
    {"equals who are all elected need no draw", 3, 0, {7, 7, 7, 2}, 4, "012", "", "", 0},
    {"equals before the last seat need no draw", 3, 1, {9, 9, 7, 2}, 4, "012", "3", "", 0},
    {"equals across the last alternate place", 1, 1, {9, 5, 5}, 3, "0", "", "A1:12", 0},
    {"equals inside the alternates: who is first is drawn", 1, 2, {9, 5, 5, 1}, 4, "0", "12", "A2:12", 0},
    {"two groups of equals in the alternates", 1, 3, {9, 5, 5, 3, 3}, 5, "0", "12", "A2:12 A1:34", 0},
    {"equals behind the last alternate need no draw", 1, 1, {9, 5, 3, 3}, 4, "0", "1", "", 0},
    {"all equal", 2, 1, {4, 4, 4, 4}, 4, "", "", "S2:0123", 0},
    {"who has no vote is not elected", 3, 1, {8, 5, 0, 0}, 4, "01", "", "", 1},
    {"without votes nobody is", 3, 2, {0, 0, 0}, 3, "", "", "", 3},
    {"fewer candidates than seats", 5, 2, {8, 5}, 2, "01", "", "", 3},
    {"more alternates than candidates", 1, 10000, {8, 5, 3, 0}, 4, "0", "12", "", 0},
    {"no candidates", 5, 2, {0}, 0, "", "", "", 5},
    {"no seats", 0, 1, {8, 5}, 2, "", "0", "", 0},
    {"as many as there are seats", 2, 1, {8, 8}, 2, "01", "", "", 0},
    {"counts beyond 32 bits", 1, 1, {UINT64_C(1) << 40, (UINT64_C(1) << 40) + 1}, 2, "1", "0", "", 0},
};
/* clang-format on */

static struct outcome_case c;

/* The same places, in any order. */
static bool
same_places(const uint32_t got[], uint32_t n, const char *want, size_t want_n)
{
    bool same = n == want_n;
    for (uint32_t i = 0; same && i < n; i++) {
        same = memchr(want, (int)('0' + got[i]), want_n) != NULL;
    }
    return same;
}

static bool
same_ties(const struct outcome *o, const char *want)
{
    for (uint32_t i = 0; i < o->ties_n; i++) {
        const struct tie *tie = &o->ties[i];
        const size_t      len = strcspn(want, " ");
        if (len < 4 || (want[0] == 'S') != (tie->kind == TIE_SEAT) ||
            (uint32_t)(want[1] - '0') != tie->at_stake ||
            !same_places(tie->among, tie->among_n, want + 3, len - 3)) {
            return false;
        }
        want += len + (want[len] == ' ');
    }
    return *want == '\0';
}

static void
case_votes(const uint64_t votes[], uint32_t n, uint32_t seats, uint32_t alternates)
{
    case_init(&c, "block", seats, alternates);
    for (uint32_t i = 0; i < n; i++) {
        case_person(&c, IX_NONE, votes[i]);
    }
}

static void
check_example(const struct example *x)
{
    case_votes(x->votes, x->votes_n, x->seats, x->alternates);
    const struct outcome *o = case_run(&c);
    T_OK(same_places(o->winners, o->winners_n, x->winners, strlen(x->winners)) &&
             same_places(o->alternates, o->alternates_n, x->alternate, strlen(x->alternate)) &&
             same_ties(o, x->ties) && o->vacancies == x->vacancies && o->list_seats == NULL,
         x->name);
    case_done(&c);
}

/* A person of each list-labelled party: the label counts for nothing. */
static void
check_label(void)
{
    case_init(&c, "block", 1, 0);
    c.in.lists_n = 1;
    c.ballots[0] = 0;
    case_person(&c, 0, 3);
    case_person(&c, IX_NONE, 4);
    const struct outcome *o = case_run(&c);
    T_OK(o->winners_n == 1 && o->winners[0] == 1, "a list is only a label in a block contest");
    T_EQ(o->list_votes[0], 3, "its members' votes are still added");
    T_EQ(o->rank[1], 1, "rank of the first");
    T_EQ(o->rank[0], 2, "rank of the second");
    case_done(&c);
}

/* Equals have one rank, whatever the order of the file; who comes behind them is not next. */
static void
check_ranks(void)
{
    static const uint64_t votes[]  = {3, 5, 5, 3, 9};
    static const uint32_t wanted[] = {4, 2, 2, 4, 1};
    case_votes(votes, TLY_N(votes), 1, 0);
    const struct outcome *o = case_run(&c);
    T_OK(memcmp(o->rank, wanted, sizeof wanted) == 0, "ranks of equals");
    case_done(&c);
}

/* Turned round, the same persons are elected and the same are tied. */
static void
check_permutation(uint64_t seed, unsigned runs)
{
    uint64_t rng   = seed;
    unsigned wrong = 0;
    for (unsigned i = 0; i < runs; i++) {
        uint64_t       votes[64], turned[64];
        uint32_t       sum[2][3] = {{0}};
        const uint32_t n         = case_below(&rng, 64);
        const uint32_t range     = 1 + case_below(&rng, 40);
        const uint32_t seats = case_below(&rng, 12), alternates = case_below(&rng, 8);
        for (uint32_t k = 0; k < n; k++) {
            votes[k] = turned[n - 1 - k] = case_below(&rng, range);
        }
        for (unsigned side = 0; side < 2; side++) {
            case_votes(side == 0 ? votes : turned, n, seats, alternates);
            const struct outcome *o = case_run(&c);
            for (uint32_t k = 0; k < o->winners_n; k++) {
                sum[side][0] += (side == 0 ? o->winners[k] : n - 1 - o->winners[k]) + 1;
            }
            for (uint32_t k = 0; k < o->alternates_n; k++) {
                sum[side][1] += (side == 0 ? o->alternates[k] : n - 1 - o->alternates[k]) + 1;
            }
            for (uint32_t k = 0; k < o->ties_n; k++) {
                sum[side][2] += o->ties[k].at_stake + 100 * o->ties[k].among_n;
            }
            uint32_t filled = o->winners_n + o->vacancies;
            for (uint32_t k = 0; k < o->ties_n; k++) {
                filled += o->ties[k].kind == TIE_SEAT ? o->ties[k].at_stake : 0;
            }
            wrong += filled != seats;
            case_done(&c);
        }
        wrong += memcmp(sum[0], sum[1], sizeof sum[0]) != 0;
    }
    printf("# permutations, seed %llu: %u\n", (unsigned long long)seed, runs);
    T_EQ(wrong, 0, "order decides nothing; winners, ties and vacancies are all the seats");
}

int
main(void)
{
    for (unsigned i = 0; i < TLY_N(examples); i++) {
        check_example(&examples[i]);
    }
    check_label();
    check_ranks();
    check_permutation(1405, 20000);
    return T_DONE();
}
