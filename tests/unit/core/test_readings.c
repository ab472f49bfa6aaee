/* SPDX-License-Identifier: Apache-2.0 */
/* The other readings of a rule equal runs of their own and say rightly whether they differ; lists
 * told by totals get the seats that their persons' votes give. */
#include "core/readings.h"

#include "outcome_case.h"

static struct outcome_case c;
static struct reading     *list;
static uint32_t            list_n;

static void
readings(void)
{
    const enum tly_err err = readings_of(c.method, &c.in, case_run(&c), &c.arena, &list, &list_n);
    TLY_CHECK(err == TLY_OK);
}

static const struct reading *
find(const char *name)
{
    for (uint32_t i = 0; i < list_n; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

static bool
gives(const char *name, bool differs, uint32_t a, uint32_t b, uint32_t d, uint32_t pool)
{
    const struct reading *r = find(name);
    const bool ok           = r != NULL && r->differs == differs && r->outcome.list_seats[0] == a &&
                    r->outcome.list_seats[1] == b && r->outcome.list_seats[2] == d &&
                    r->outcome.pool_seats == pool && r->outcome.steps_n == 0;
    if (!ok && r != NULL) {
        printf("# %s: %u %u %u, pool %u, differs %d\n", name, r->outcome.list_seats[0],
               r->outcome.list_seats[1], r->outcome.list_seats[2], r->outcome.pool_seats,
               r->differs);
    }
    return ok;
}

/* E2 and E3 of doc/methods.md: A, B and C all differ. */
static void
check_examples(void)
{
    case_init(&c, "list_ir", 21, 11);
    (void)case_list(&c, 8400, 21);
    (void)case_list(&c, 5450, 21);
    (void)case_list(&c, 4350, 21);
    for (unsigned i = 0; i < 21; i++) {
        case_person(&c, IX_NONE, i == 0 ? 2800 : 0);
    }
    c.in.valid_ballots = 1000;
    readings();
    T_OK(gives("A", false, 9, 5, 4, 3), "E2: A is the definition's own");
    T_OK(gives("B", true, 9, 6, 4, 2), "E2: B would elect somebody else");
    T_OK(gives("C", true, 8, 6, 4, 3), "E2: C");
    T_OK(gives("D", false, 9, 5, 4, 3), "E2: D");
    T_OK(find("first_round=floor") == NULL, "B changed alone is not told twice");
    T_OK(find("base=ballots_x_seats") == NULL && find("E") != NULL, "nor E");
    T_OK(find("E floor") != NULL && find("remainder_pool=lists_only") != NULL &&
             find("over_rule=halt") != NULL && find("cursor=continue") != NULL &&
             find("remainder=largest_remainder") != NULL &&
             find("alternates_rule=same_list_next") != NULL,
         "the others are told");
    T_OK(find("over_rule=lowest_share") == NULL, "what is in force is no other reading");
    T_EQ(list_n, 13, "six variants and seven parameters");
    case_done(&c);

    case_init(&c, "list_ir", 21, 0);
    (void)case_list(&c, 7800, 21);
    (void)case_list(&c, 6700, 21);
    (void)case_list(&c, 4600, 21);
    for (unsigned i = 0; i < 21; i++) {
        case_person(&c, IX_NONE, i == 0 ? 1900 : 0);
    }
    case_param(&c, "first_round=floor");
    readings();
    T_OK(gives("B", false, 8, 7, 5, 1), "E3: in force is B");
    T_OK(gives("A", false, 8, 7, 5, 1), "E3: A gives the same");
    T_OK(gives("C", true, 8, 7, 4, 2), "E3: C does not");
    T_OK(find("first_round=round_half_up") == NULL, "A changed alone is not told twice");
    T_OK(gives("over_rule=halt", false, 8, 7, 5, 1), "nothing is over with whole numbers");
    case_done(&c);

    case_init(&c, "dhondt", 3, 0);
    (void)case_list(&c, 3, 3);
    readings();
    T_EQ(list_n, 0, "one reading only: none of others");
    case_done(&c);
}

/* The seats are the same, the persons are not; a draw that one reading needs and another does not. */
static void
check_persons(void)
{
    case_init(&c, "list_ir", 2, 0);
    c.in.lists_n = 2;
    case_person(&c, 0, 100);
    case_person(&c, 1, 100);
    c.in.valid_ballots = 200;
    readings();
    T_EQ(c.out.ties_n, 0, "one seat each");
    bool differs = false;
    for (uint32_t i = 0; i < list_n; i++) {
        differs = differs || list[i].differs;
    }
    T_OK(!differs, "and under every reading");
    case_done(&c);

    case_init(&c, "list_ir", 3, 0);
    c.in.lists_n = 2;
    for (unsigned i = 0; i < 3; i++) {
        case_person(&c, 0, i == 0 ? 100 : 0);
        case_person(&c, 1, i == 0 ? 100 : 0);
    }
    readings();
    T_EQ(c.out.ties_n, 1, "a seat between two lists");
    T_OK(find("C") != NULL && !find("C")->differs, "the same draw is no difference");
    T_OK(find("over_rule=halt")->differs, "a draw for all seats is");
    case_done(&c);
}

static void
random_contest(uint64_t *rng)
{
    static const char *const methods[] = {"list_ir", "hare_lr",      "droop_lr",
                                          "dhondt",  "sainte_lague", "modified_sainte_lague",
                                          "list_ir"};
    const uint32_t           seats     = 1 + case_below(rng, 25);
    const uint32_t           range     = case_below(rng, 3) == 0 ? 10 : 100000;
    case_init(&c, methods[case_below(rng, TLY_N(methods))], seats, case_below(rng, 5));
    for (unsigned i = 0; i < c.method->params_n; i++) {
        const struct method_param *p = &c.method->params[i];
        c.params[i]                  = p->words != NULL ? case_below(rng, p->max + 1) : p->initial;
    }
    const uint32_t lists_n = 1 + case_below(rng, 8);
    for (uint32_t l = 0; l < lists_n; l++) {
        (void)case_list(&c, case_below(rng, range), 1 + case_below(rng, seats + 3));
    }
    for (uint32_t i = case_below(rng, 4); i > 0; i--) {
        case_person(&c, IX_NONE, case_below(rng, range));
    }
    c.in.valid_ballots = range;
}

/* Votes and persons of each list as one number each. */
static void
totals_of(const struct outcome *o, struct method_totals totals[])
{
    for (uint32_t l = 0; l < c.in.lists_n; l++) {
        totals[l].votes = o->list_votes[l];
    }
    totals[c.in.lists_n].votes = o->pool_votes;
    for (uint32_t k = 0; k < c.in.candidates_n; k++) {
        totals[c.list[k] == IX_NONE ? c.in.lists_n : c.list[k]].persons++;
    }
}

static bool
same_seats(const struct outcome *a, const struct outcome *b)
{
    const struct tie *x = case_tie(a, TIE_LIST), *y = case_tie(b, TIE_LIST);
    bool              same = a->pool_seats == b->pool_seats && a->vacancies == b->vacancies &&
                (x == NULL) == (y == NULL) &&
                (x == NULL || (x->at_stake == y->at_stake && x->among_n == y->among_n));
    for (uint32_t l = 0; l < c.in.lists_n; l++) {
        same = same && a->list_seats[l] == b->list_seats[l];
    }
    return same;
}

static bool
totals_agree(const struct outcome *own)
{
    struct method_totals totals[CASE_LISTS_MAX + 1] = {0};
    struct method_input  in                         = c.in;
    struct outcome       out;
    totals_of(own, totals);
    in.candidates_n = 0;
    in.totals       = totals;
    in.totals_pool  = own->has_pool;
    TLY_CHECK(outcome_of(c.method, &in, &c.arena, &out) == TLY_OK);
    return same_seats(own, &out) && out.winners_n == 0 && out.alternates_n == 0;
}

static bool
readings_agree(const struct outcome *own)
{
    bool agree = true;
    for (uint32_t i = 0; i < list_n; i++) {
        struct method_input in = c.in;
        struct outcome      out;
        in.params = list[i].params;
        TLY_CHECK(outcome_of(c.method, &in, &c.arena, &out) == TLY_OK);
        const struct outcome *r = &list[i].outcome;
        agree                   = agree && same_seats(&out, r) && out.winners_n == r->winners_n &&
                memcmp(out.winners, r->winners, out.winners_n * sizeof *out.winners) == 0;
        const bool others =
            !same_seats(own, &out) || own->winners_n != out.winners_n ||
            memcmp(own->winners, out.winners, out.winners_n * sizeof *out.winners) != 0;
        agree = agree && (list[i].differs || !others);
        for (uint32_t k = 0; k < i; k++) {
            agree = agree && memcmp(list[k].params, list[i].params, sizeof list[i].params) != 0;
        }
    }
    return agree;
}

static void
check_random(uint64_t seed, unsigned runs)
{
    uint64_t rng          = seed;
    unsigned totals_wrong = 0, readings_wrong = 0, differ = 0;
    for (unsigned i = 0; i < runs; i++) {
        random_contest(&rng);
        readings();
        const struct outcome own = c.out;
        totals_wrong += !totals_agree(&own);
        readings_wrong += !readings_agree(&own);
        for (uint32_t k = 0; k < list_n; k++) {
            differ += list[k].differs;
        }
        case_done(&c);
    }
    printf("# seed %llu: %u contests, %u readings that differ\n", (unsigned long long)seed, runs,
           differ);
    T_EQ(totals_wrong, 0, "totals give the seats that persons' votes give");
    T_EQ(readings_wrong, 0, "a reading is a run of its own, and says whether it differs");
    T_OK(differ > runs, "and many do");
}

/* No memory at any point: an error, and nothing written. */
static void
check_memory(void)
{
    case_init(&c, "list_ir", 21, 11);
    for (unsigned i = 0; i < 4; i++) {
        (void)case_list(&c, 1000 + 100 * i, 21);
    }
    const struct outcome *own    = case_run(&c);
    unsigned              failed = 0;
    bool                  kept = true, done = false;
    for (size_t max = 1; max < CASE_ARENA_MAX && !done; max *= 2) {
        TLY_AUTO(arena) struct tly_arena small = {0};
        struct reading                  *got   = NULL;
        uint32_t                         got_n = 77;
        tly_arena_init(&small, max);
        const enum tly_err err = readings_of(c.method, &c.in, own, &small, &got, &got_n);
        done                   = err == TLY_OK;
        failed += !done;
        kept = kept && (done ? got_n == 13 : err == TLY_ENOMEM && got == NULL && got_n == 77);
    }
    T_OK(failed > 5 && done && kept, "without memory it is TLY_ENOMEM and nothing is written");
    case_done(&c);
}

int
main(void)
{
    check_examples();
    check_persons();
    check_random(14050724, 4000);
    check_memory();
    return T_DONE();
}
