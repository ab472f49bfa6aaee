/* SPDX-License-Identifier: Apache-2.0 */
/* The worked examples E1 to E10 of the law's readings, and an independent second implementation
 * that follows the law's pseudocode seat by seat, on random contests. */
#include "outcome_case.h"

#define P_MAX 8

struct example {
    const char *name;
    const char *params[P_MAX]; /* "name=word" */
    uint32_t    lists_n;
    uint64_t    votes[6];
    uint32_t    persons[6];
    uint64_t    pool;
    uint32_t    independents; /* 0: no pool */
    uint64_t    valid;
    uint32_t    want[7]; /* lists, then the pool */
    uint32_t    tied;    /* seats at stake between lists */
};

#define A_(...)
#define B_ "first_round=floor"
#define C_ "first_round=floor", "remainder=largest_remainder"
#define D_ "first_round=floor", "remainder=highest_average"
#define E1                                                                                         \
    .lists_n = 3, .votes = {6300000, 4900000, 2100000}, .persons = {21, 21, 21}, .pool = 1700000,  \
    .independents = 21
#define E2                                                                                         \
    .lists_n = 3, .votes = {8400, 5450, 4350}, .persons = {21, 21, 21}, .pool = 2800,              \
    .independents = 21
#define E3                                                                                         \
    .lists_n = 3, .votes = {7800, 6700, 4600}, .persons = {21, 21, 21}, .pool = 1900,              \
    .independents = 21
#define E4                                                                                         \
    .lists_n = 3, .votes = {9000, 6000, 3000}, .persons = {21, 21, 21}, .pool = 3000,              \
    .independents = 1
#define E5                                                                                         \
    .lists_n = 2, .votes = {16600, 2400}, .persons = {14, 21}, .pool = 2000, .independents = 21
#define E6 .lists_n = 2, .votes = {10500, 10500}, .persons = {21, 21}
#define E7                                                                                         \
    .lists_n = 4, .votes = {9300, 4440, 3400, 1460}, .persons = {21, 21, 21, 21}, .pool = 2400,    \
    .independents = 21
#define E8                                                                                         \
    .lists_n = 3, .votes = {8400, 5450, 4350}, .persons = {21, 21, 21}, .pool = 2800,              \
    .independents = 2
#define E10                                                                                        \
    .lists_n = 2, .votes = {9300, 4100}, .persons = {21, 14}, .pool = 1800, .independents = 21,    \
    .valid = 1000

/* clang-format off */
static const struct example examples[] = {
    {"E1 A", {A_()}, E1, .want = {9, 7, 3, 2}},
    {"E1 B", {B_}, E1, .want = {9, 7, 3, 2}},
    {"E1 C", {C_}, E1, .want = {9, 7, 3, 2}},
    {"E1 D", {D_}, E1, .want = {9, 7, 3, 2}},
    {"E2 A", {A_()}, E2, .want = {9, 5, 4, 3}},
    {"E2 B", {B_}, E2, .want = {9, 6, 4, 2}},
    {"E2 C", {C_}, E2, .want = {8, 6, 4, 3}},
    {"E2 C lists_only", {C_, "remainder_pool=lists_only"}, E2, .want = {9, 6, 4, 2}},
    {"E2 D", {D_}, E2, .want = {9, 5, 4, 3}},
    {"E3 A lowest_share", {A_()}, E3, .want = {8, 7, 5, 1}},
    {"E3 A smallest fraction", {"over_rule=smallest_rounded_up_fraction"}, E3, .want = {8, 7, 4, 2}},
    {"E3 A halt", {"over_rule=halt"}, E3, .want = {0, 0, 0, 0}, .tied = 21},
    {"E3 B", {B_}, E3, .want = {8, 7, 5, 1}},
    {"E3 C", {C_}, E3, .want = {8, 7, 4, 2}},
    {"E3 C lists_only", {C_, "remainder_pool=lists_only"}, E3, .want = {8, 7, 5, 1}},
    {"E3 D", {D_}, E3, .want = {8, 7, 4, 2}},
    {"E3 D lists_only", {D_, "remainder_pool=lists_only"}, E3, .want = {8, 7, 5, 1}},
    {"E4 A", {A_()}, E4, .want = {10, 7, 3, 1}},
    {"E4 B", {B_}, E4, .want = {10, 7, 3, 1}},
    {"E4 C", {C_}, E4, .want = {10, 7, 3, 1}},
    {"E4 D", {D_}, E4, .want = {10, 7, 3, 1}},
    {"E5 A", {A_()}, E5, .want = {14, 5, 2}},
    {"E5 B", {B_}, E5, .want = {14, 5, 2}},
    {"E5 C", {C_}, E5, .want = {14, 5, 2}},
    {"E5 D", {D_}, E5, .want = {14, 5, 2}},
    {"E6 A", {A_()}, E6, .want = {10, 10}, .tied = 1},
    {"E6 B", {B_}, E6, .want = {10, 10}, .tied = 1},
    {"E6 C", {C_}, E6, .want = {10, 10}, .tied = 1},
    {"E6 D", {D_}, E6, .want = {10, 10}, .tied = 1},
    {"E7 A", {A_()}, E7, .want = {10, 5, 3, 1, 2}},
    {"E7 B", {B_}, E7, .want = {10, 5, 3, 1, 2}},
    {"E7 C", {C_}, E7, .want = {9, 5, 3, 2, 2}},
    {"E7 D", {D_}, E7, .want = {10, 5, 3, 1, 2}},
    {"E8 A restart", {A_()}, E8, .want = {10, 5, 4, 2}},
    {"E8 A continue", {"cursor=continue"}, E8, .want = {9, 6, 4, 2}},
    {"E8 B", {B_}, E8, .want = {9, 6, 4, 2}},
    {"E8 C", {C_}, E8, .want = {9, 6, 4, 2}},
    {"E10 A", {A_()}, E10, .want = {13, 6, 2}},
    {"E10 B", {B_}, E10, .want = {13, 6, 2}},
    {"E10 C", {C_}, E10, .want = {13, 6, 2}},
    {"E10 E rounded", {"base=ballots_x_seats"}, E10, .want = {11, 6, 4}},
    {"E10 E floor", {"base=ballots_x_seats", B_}, E10, .want = {12, 6, 3}},
    {"E10 E largest remainder", {"base=ballots_x_seats", C_}, E10, .want = {11, 6, 4}},
    {"threshold of 10.01 % leaves C and D out", {"threshold_bp=1001"},
     .lists_n = 4, .votes = {6000, 2000, 1000, 1000}, .persons = {21, 21, 21, 21}, .want = {15, 6, 0, 0}},
    {"threshold of 10 % exactly is reached", {"threshold_bp=1000"},
     .lists_n = 4, .votes = {6000, 2000, 1000, 1000}, .persons = {21, 21, 21, 21}, .want = {13, 4, 2, 2}},
    {"nobody voted", {A_()}, .lists_n = 2, .votes = {0, 0}, .persons = {3, 3}, .want = {0, 0}},
    {"a list without votes takes nothing", {A_()}, .lists_n = 2, .votes = {10, 0}, .persons = {20, 20}, .want = {20, 0}},
    {"a draw that decides nothing is not asked for", {A_()},
     .lists_n = 2, .votes = {105, 105}, .persons = {5, 5}, .want = {5, 5}},
    {"more than all seats: nothing is taken back from whole ones", {"base=ballots_x_seats", "over_rule=smallest_rounded_up_fraction"},
     .lists_n = 2, .votes = {22600, 1270}, .persons = {30, 21}, .valid = 1000, .want = {21, 0}},
    {"three left-over seats among six equals", {B_},
     .lists_n = 6, .votes = {5, 5, 5, 5, 5, 5}, .persons = {21, 21, 21, 21, 21, 21}, .want = {3, 3, 3, 3, 3, 3}, .tied = 3},
};
/* clang-format on */

static struct outcome_case c;

static void
check_example(const struct example *x)
{
    case_init(&c, "list_ir", 21, 0);
    for (unsigned i = 0; i < P_MAX && x->params[i] != NULL; i++) {
        case_param(&c, x->params[i]);
    }
    for (uint32_t l = 0; l < x->lists_n; l++) {
        (void)case_list(&c, x->votes[l], x->persons[l]);
    }
    for (uint32_t i = 0; i < x->independents; i++) {
        case_person(&c, IX_NONE, i == 0 ? x->pool : 0);
    }
    c.in.valid_ballots       = x->valid;
    const struct outcome *o  = case_run(&c);
    bool                  ok = o->pool_seats == (x->independents > 0 ? x->want[x->lists_n] : 0);
    for (uint32_t l = 0; l < x->lists_n; l++) {
        ok = ok && o->list_seats[l] == x->want[l];
    }
    const struct tie *tie = case_tie(o, TIE_LIST);
    ok                    = ok && (tie != NULL ? tie->at_stake : 0) == x->tied;
    if (!T_OK(ok, x->name)) {
        for (uint32_t l = 0; l < x->lists_n; l++) {
            printf("# list %u: %u\n", l, o->list_seats[l]);
        }
        printf("# pool: %u, at stake %u, vacant %u\n", o->pool_seats,
               tie != NULL ? tie->at_stake : 0, o->vacancies);
    }
    case_done(&c);
}

/* E9 of doc/methods.md: the whole chain from ballots to persons. */
static void
check_chain(void)
{
    static const uint64_t personal[] = {5, 12, 0, 2, 9, 35, 10};
    static const uint32_t list[]     = {0, 0, 0, 1, 1, IX_NONE, IX_NONE};
    static const uint64_t votes[]    = {45, 52, 40, 32, 39, 35, 10};

    case_init(&c, "list_ir", 3, 2);
    c.in.lists_n = 2;
    c.ballots[0] = 40;
    c.ballots[1] = 30;
    for (unsigned i = 0; i < TLY_N(personal); i++) {
        case_person(&c, list[i], personal[i]);
    }
    c.in.valid_ballots      = 110;
    const struct outcome *o = case_run(&c);
    T_OK(memcmp(o->votes, votes, sizeof votes) == 0, "E9: persons' votes with list ballots");
    T_EQ(o->list_votes[0], 137, "E9: V of A");
    T_EQ(o->list_votes[1], 71, "E9: V of B");
    T_EQ(o->pool_votes, 45, "E9: V of the independents");
    T_EQ(o->winners_n, 3, "E9: three winners");
    T_OK(o->winners[0] == 1 && o->winners[1] == 0 && o->winners[2] == 4, "E9: a2, a1, b2");
    T_EQ(o->alternates_n, 2, "E9: two alternates");
    T_OK(o->alternates[0] == 2 && o->alternates[1] == 5, "E9: a3 and x are next");
    T_EQ(o->ties_n, 0, "E9: no tie");
    T_EQ(o->rank[5], 5, "E9: x ranks fifth");
    T_OK(o->steps_n > 5 && strcmp(o->steps[0].en, "253 votes share 3 seats.") == 0,
         "E9: steps in English");
    T_STR(o->steps[0].fa, "۲۵۳ رأی بر ۳ کرسی تقسیم می‌شود.",
          "E9: steps in Persian");
    T_STR(o->steps[1].en, "Exactly 1.62 seats, rounded to 2.", "E9: exact share in a step");

    case_param(&c, "base=ballots_x_seats");
    o = case_run(&c);
    T_OK(o->list_seats[0] == 2 && o->list_seats[1] == 1 && o->pool_seats == 0, "E9: variant E");
    case_param(&c, "base=votes");
    case_param(&c, "alternates_rule=same_list_next");
    o = case_run(&c);
    T_EQ(o->alternates_n, 2, "same list next: one behind each list with seats");
    T_OK(o->alternates[0] == 2 && o->alternates[1] == 3, "same list next: a3 for A, b1 for B");
    case_done(&c);
}

/* More ways than are followed: all seats are at stake, none is called certain or vacant, and no step
 * tells of a seat that the order in the files gave. */
static void
check_too_many(void)
{
    case_init(&c, "list_ir", 8, 0);
    case_param(&c, "first_round=floor");
    for (unsigned l = 0; l < 16; l++) {
        (void)case_list(&c, 100, 21);
    }
    const struct outcome *o     = case_run(&c);
    const struct tie     *tie   = case_tie(o, TIE_LIST);
    uint32_t              given = 0, steps = 0;
    for (uint32_t l = 0; l < 16; l++) {
        given += o->list_seats[l];
    }
    for (uint32_t i = 0; i < o->steps_n; i++) {
        steps += strcmp(o->steps[i].name, "remainder") == 0;
    }
    T_OK(tie != NULL && tie->at_stake == 8 && tie->among_n == 16, "8 of 16 equals: 12,870 ways");
    T_OK(given == 0 && steps == 0 && o->winners_n == 0, "nothing is certain, no step says so");
    case_done(&c);

    /* Five seats of the first list are unfilled.  Eleven are left over, for 15 lists and the pool: if
     * the pool gets one, lists take all five, if not, four. */
    case_init(&c, "list_ir", 17, 0);
    case_param(&c, "first_round=floor");
    (void)case_list(&c, 918, 1);
    for (unsigned l = 0; l < 15; l++) {
        (void)case_list(&c, 100, 1);
    }
    case_person(&c, IX_NONE, 100);
    o   = case_run(&c);
    tie = case_tie(o, TIE_LIST);
    T_OK(tie != NULL && tie->at_stake == 17 && tie->among_n == 17 && o->vacancies == 0,
         "a seat that may be vacant is at stake");
    case_done(&c);
}

/* Equal votes at the cut of a list: a draw between persons, nothing else is uncertain. */
static void
check_persons_tie(void)
{
    case_init(&c, "list_ir", 2, 1);
    c.in.lists_n = 1;
    c.ballots[0] = 10;
    case_person(&c, 0, 5);
    case_person(&c, 0, 3);
    case_person(&c, 0, 3);
    const struct outcome *o   = case_run(&c);
    const struct tie     *tie = case_tie(o, TIE_SEAT);
    T_EQ(o->winners_n, 1, "one certain winner");
    T_OK(tie != NULL && tie->at_stake == 1 && tie->among_n == 2, "one seat between two persons");
    T_EQ(o->alternates_n, 0, "no alternate before the draw");
    case_done(&c);
}

/* ---- a second implementation --------------------------------------------------------------- */

struct oracle {
    uint32_t entities, pool; /* pool: its place, or entities */
    uint64_t votes[CASE_LISTS_MAX];
    uint32_t cap[CASE_LISTS_MAX], n[CASE_LISTS_MAX];
    uint32_t order[CASE_LISTS_MAX];
    bool     tie; /* equals were met somewhere */
};

static void
oracle_order(struct oracle *o, uint32_t order[], const uint64_t key[])
{
    for (uint32_t i = 0; i < o->entities; i++) {
        order[i] = i;
    }
    for (uint32_t i = 0; i < o->entities; i++) {
        for (uint32_t j = i + 1; j < o->entities; j++) {
            if (key[order[j]] > key[order[i]]) {
                const uint32_t t = order[i];
                order[i]         = order[j];
                order[j]         = t;
            }
        }
    }
}

static bool
oracle_room(const struct oracle *o, uint32_t e, bool pool_too)
{
    return o->votes[e] > 0 && o->n[e] < o->cap[e] && (pool_too || e != o->pool);
}

/* The reference's give(k, elig): from `start` in the order, round and round; returns the next
 * place. */
static uint32_t
oracle_give(struct oracle *o, uint32_t k, const uint32_t order[], const uint64_t key[],
            bool pool_too, uint32_t start)
{
    uint32_t i   = start;
    uint32_t dry = 0;
    while (k > 0 && dry <= o->entities) {
        const uint32_t e = order[i % o->entities];
        dry++;
        if (oracle_room(o, e, pool_too)) {
            for (uint32_t x = 0; x < o->entities; x++) {
                if (x != e && oracle_room(o, x, pool_too) && key[x] == key[e]) {
                    o->tie = true;
                }
            }
            o->n[e]++;
            k--;
            dry = 0;
        }
        i++;
    }
    return i;
}

static void
oracle_over(struct oracle *o, uint32_t over, bool fraction, const uint64_t frac[],
            const uint32_t floor_n[])
{
    for (; over > 0; over--) {
        uint32_t worst = UINT32_MAX;
        for (uint32_t i = o->entities; i-- > 0;) {
            const uint32_t e = o->order[i];
            if (o->n[e] == 0 || (fraction && o->n[e] <= floor_n[e])) {
                continue;
            }
            const uint64_t *key = fraction ? frac : o->votes;
            if (worst == UINT32_MAX || key[e] < key[worst]) {
                worst = e;
            } else if (key[e] == key[worst]) {
                o->tie = true;
            }
        }
        o->n[worst]--;
    }
}

static void
oracle_average(struct oracle *o, uint32_t k, bool pool_too)
{
    for (; k > 0; k--) {
        uint32_t best = UINT32_MAX;
        for (uint32_t e = 0; e < o->entities; e++) {
            if (!oracle_room(o, e, pool_too)) {
                continue;
            }
            if (best == UINT32_MAX) {
                best = e;
                continue;
            }
            const uint64_t a = o->votes[e] * (o->n[best] + 1);
            const uint64_t b = o->votes[best] * (o->n[e] + 1);
            o->tie |= a == b;
            best = a > b ? e : best;
        }
        if (best != UINT32_MAX) {
            o->n[best]++;
        }
    }
}

/* The algorithm of doc/methods.md once more, as plainly as it goes, for base=votes. */
static void
oracle_run(struct oracle *o, const uint32_t params[], uint32_t seats)
{
    uint64_t total = 0, frac[CASE_LISTS_MAX] = {0};
    uint32_t floor_n[CASE_LISTS_MAX] = {0}, sum = 0, u = 0, pos = 0, by_frac[CASE_LISTS_MAX] = {0};
    for (uint32_t e = 0; e < o->entities; e++) {
        total += o->votes[e];
    }
    for (uint32_t e = 0; e < o->entities; e++) {
        floor_n[e] = (uint32_t)(seats * o->votes[e] / total);
        frac[e]    = seats * o->votes[e] % total;
        o->n[e]    = params[1] == 0 ? (uint32_t)((2 * seats * o->votes[e] + total) / (2 * total))
                                    : floor_n[e];
        sum += o->n[e];
    }
    oracle_order(o, o->order, o->votes);
    oracle_order(o, by_frac, frac);
    if (sum > seats) {
        oracle_over(o, sum - seats, params[4] == 1, frac, floor_n);
        sum = seats;
    }
    for (uint32_t e = 0; e < o->entities; e++) {
        u += o->n[e] > o->cap[e] ? o->n[e] - o->cap[e] : 0;
        o->n[e] = o->n[e] > o->cap[e] ? o->cap[e] : o->n[e];
    }
    const bool pool_too = params[3] == 0;
    if (params[2] == 2) {
        oracle_average(o, seats - sum, pool_too);
    } else if (params[2] == 1) {
        pos = oracle_give(o, seats - sum, by_frac, frac, pool_too, 0);
    } else {
        pos = oracle_give(o, seats - sum, o->order, o->votes, pool_too, 0);
    }
    (void)oracle_give(o, u, o->order, o->votes, false, params[5] == 0 ? 0 : pos);
}

static void
random_case(uint64_t *rng, struct oracle *o)
{
    const uint32_t seats   = 1 + case_below(rng, 30);
    const uint32_t lists_n = 1 + case_below(rng, 7);
    const uint32_t range   = case_below(rng, 3) == 0 ? 12 : 1000000;
    *o                     = (struct oracle){0};
    case_init(&c, "list_ir", seats, 0);
    for (uint32_t l = 0; l < lists_n; l++) {
        o->votes[l] = case_below(rng, range);
        o->cap[l]   = 1 + case_below(rng, seats + 4);
        (void)case_list(&c, o->votes[l], o->cap[l]);
    }
    o->entities = o->pool = lists_n;
    if (case_below(rng, 2) == 0) {
        o->votes[lists_n] = case_below(rng, range);
        o->cap[lists_n]   = 1 + case_below(rng, 4);
        for (uint32_t i = 0; i < o->cap[lists_n]; i++) {
            case_person(&c, IX_NONE, i == 0 ? o->votes[lists_n] : 0);
        }
        o->entities++;
    }
    o->votes[0] += 1; /* somebody voted */
    c.personal[0] += 1;
    c.params[1] = case_below(rng, 2);
    c.params[2] = case_below(rng, 3);
    c.params[3] = case_below(rng, 2);
    c.params[4] = case_below(rng, 2);
    c.params[5] = c.params[2] == 0 ? case_below(rng, 2) : 0; /* the script's cursor is by shares */
}

static bool
same_seats(const struct oracle *o, const struct outcome *out)
{
    bool same = true;
    for (uint32_t e = 0; e < o->entities; e++) {
        same = same && o->n[e] == (e == o->pool ? out->pool_seats : out->list_seats[e]);
    }
    return same;
}

static void
check_oracle(uint64_t seed, unsigned runs)
{
    static struct oracle o;
    uint64_t             rng      = seed;
    unsigned             compared = 0, tied = 0, wrong = 0;
    for (unsigned i = 0; i < runs; i++) {
        random_case(&rng, &o);
        const struct outcome *out = case_run(&c);
        oracle_run(&o, c.params, c.in.seats);
        const bool ours = case_tie(out, TIE_LIST) != NULL;
        tied += ours;
        if (ours ? !o.tie : !o.tie && !same_seats(&o, out)) {
            wrong++;
            printf("# seed %llu case %u differs\n", (unsigned long long)seed, i);
        }
        compared += !o.tie;
        case_done(&c);
    }
    printf("# seed %llu: %u contests, %u compared seat by seat, %u tied\n",
           (unsigned long long)seed, runs, compared, tied);
    T_EQ(wrong, 0, "the second implementation agrees, and a tie of ours is one of its");
    T_OK(compared > runs / 2 && tied > 0, "both kinds were met");
}

/* The same contest with its lists in another order: the same seats, the same seats at stake. */
static void
check_permutation(uint64_t seed, unsigned runs)
{
    static struct oracle o;
    uint64_t             rng   = seed;
    unsigned             wrong = 0;
    for (unsigned i = 0; i < runs; i++) {
        static struct outcome_case was;
        random_case(&rng, &o);
        (void)case_run(&c);
        was                         = c; /* its arena lives on in c */
        const struct outcome *first = &was.out;
        const struct tie     *tie1  = case_tie(first, TIE_LIST);
        const uint32_t        n     = c.in.lists_n;
        uint32_t              perm[CASE_LISTS_MAX];
        for (uint32_t l = 0; l < n; l++) {
            const uint32_t at = case_below(&rng, l + 1);
            perm[l]           = perm[at];
            perm[at]          = l;
        }
        for (uint32_t k = 0; k < c.in.candidates_n; k++) {
            const uint32_t from = c.in.candidates_n - 1 - k; /* persons turned round too */
            c.personal[k]       = was.personal[from];
            c.list[k]           = was.list[from] == IX_NONE ? IX_NONE : perm[was.list[from]];
        }
        c.in.list_ballots          = c.ballots;
        const struct outcome *two  = case_run(&c);
        const struct tie     *tie2 = case_tie(two, TIE_LIST);
        bool                  same =
            first->pool_seats == two->pool_seats && first->vacancies == two->vacancies &&
            (tie1 == NULL) == (tie2 == NULL) &&
            (tie1 == NULL || (tie1->at_stake == tie2->at_stake && tie1->among_n == tie2->among_n));
        for (uint32_t l = 0; l < n; l++) {
            same = same && first->list_seats[l] == two->list_seats[perm[l]];
        }
        wrong += !same;
        case_done(&c);
    }
    printf("# permutations, seed %llu: %u\n", (unsigned long long)seed, runs);
    T_EQ(wrong, 0, "the order of lists and persons changes nothing");
}

int
main(void)
{
    for (unsigned i = 0; i < TLY_N(examples); i++) {
        check_example(&examples[i]);
    }
    check_chain();
    check_persons_tie();
    check_too_many();
    check_oracle(20260501, 20000);
    check_permutation(14051101, 5000);
    return T_DONE();
}
