/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that people make for equals, in every method: the cases by hand, and random contests in
 * which ties are settled one after the other until none is left.  What was certain stays, the first
 * of an order is served first, and every tie ends.  TALLY_SEED=N chooses the random contests. */
#include "base/check.h"
#include "core/outcome.h"
#include "t.h"

#define LISTS_MAX   4
#define PERSONS_MAX 12
#define LOTS_MAX    40
#define RUNS        30000

static const char *const methods[] = {
    "block", "list_ir", "hare_lr", "droop_lr", "dhondt", "sainte_lague", "modified_sainte_lague"};

struct contest_case {
    const struct method *method;
    struct method_input  in;
    uint32_t             params[METHOD_PARAMS_MAX];
    uint64_t             ballots[LISTS_MAX], personal[PERSONS_MAX];
    uint32_t             list_of[PERSONS_MAX];
    uint8_t              excluded[PERSONS_MAX];
};

static uint64_t
rnd(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z          = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z          = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void
case_init(struct contest_case *c, const char *method, uint32_t seats, uint32_t lists,
          uint32_t persons)
{
    memset(c, 0, sizeof *c);
    c->method = method_find(tly_text(method));
    for (unsigned i = 0; i < c->method->params_n; i++) {
        c->params[i] = c->method->params[i].initial;
    }
    for (uint32_t i = 0; i < persons; i++) {
        c->list_of[i] = lists == 0 ? IX_NONE : i % lists;
    }
    c->in = (struct method_input){.params         = c->params,
                                  .seats          = seats,
                                  .alternates     = 2,
                                  .lists_n        = lists,
                                  .candidates_n   = persons,
                                  .list_ballots   = c->ballots,
                                  .personal       = c->personal,
                                  .candidate_list = c->list_of,
                                  .excluded       = c->excluded,
                                  .valid_ballots  = 1000};
}

static struct lot *
lot_add(struct contest_case *c, struct tly_arena *arena, bool lists, const uint32_t order[],
        uint32_t n)
{
    struct lot *lot = tly_arena_alloc(arena, sizeof *lot + n * sizeof *order, 1);
    lot->before     = c->in.lots;
    lot->lists      = lists;
    lot->n          = n;
    memcpy(lot->order, order, n * sizeof *order);
    c->in.lots = lot;
    return lot;
}

static bool
has(const uint32_t list[], uint32_t n, uint32_t who)
{
    for (uint32_t i = 0; i < n; i++) {
        if (list[i] == who) {
            return true;
        }
    }
    return false;
}

/* Two lists with equal votes and an odd seat: whoever is first in the order has it. */
static void
test_lists(const char *method)
{
    struct contest_case c;
    struct outcome      o;
    char                what[64];
    for (uint32_t first = 0; first < 2; first++) {
        TLY_AUTO(arena) struct tly_arena arena   = {.bytes_max = (size_t)4 << 20};
        const uint32_t                   order[] = {first, 1 - first};
        case_init(&c, method, 3, 2, 8);
        c.ballots[0] = c.ballots[1] = 100;
        for (uint32_t i = 0; i < 8; i++) {
            c.personal[i] = 8 - i / 2; /* the same in both lists */
        }
        bool ok = outcome_of(c.method, &c.in, &arena, &o) == TLY_OK && o.ties_n >= 1 &&
                  o.ties[0].kind == TIE_LIST && o.ties[0].at_stake == 1;
        lot_add(&c, &arena, true, order, 2);
        ok = ok && outcome_of(c.method, &c.in, &arena, &o) == TLY_OK && o.list_seats[first] == 2 &&
             o.list_seats[1 - first] == 1 && o.winners_n == 3;
        for (uint32_t i = 0; ok && i < o.ties_n; i++) {
            ok = o.ties[i].kind == TIE_ALTERNATE; /* the persons of both lists are equals, too */
        }
        (void)snprintf(what, sizeof what, "%s: list %u is first", method, first);
        T_OK(ok, what);
    }
}

/* The losers of an order stand next in line, in its order; of the excluded nobody knows. */
static void
test_persons(void)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = (size_t)4 << 20};
    struct contest_case              c;
    struct outcome                   o;
    static const uint32_t            order[] = {4, 2, 3};
    case_init(&c, "block", 3, 0, 6);
    const uint64_t votes[] = {60, 50, 40, 40, 40, 10};
    memcpy(c.personal, votes, sizeof votes);
    T_OK(outcome_of(c.method, &c.in, &arena, &o) == TLY_OK && o.ties_n == 1 && o.winners_n == 2,
         "three for a seat");
    lot_add(&c, &arena, false, order, 3);
    T_OK(outcome_of(c.method, &c.in, &arena, &o) == TLY_OK && o.ties_n == 0 && o.winners_n == 3 &&
             has(o.winners, 3, 4) && o.alternates_n == 2 && o.alternates[0] == 2 &&
             o.alternates[1] == 3,
         "the order seats one, and lines up two");
    c.excluded[4] = 1;
    T_OK(outcome_of(c.method, &c.in, &arena, &o) == TLY_OK && o.ties_n == 0 &&
             has(o.winners, 3, 2) && o.alternates[0] == 3 && o.alternates[1] == 5 &&
             o.rank[4] == 0 && o.votes[4] == 40,
         "without the excluded one");
    c.in.lots = NULL;
    lot_add(&c, &arena, true, order, 3);
    T_OK(outcome_of(c.method, &c.in, &arena, &o) == TLY_OK && o.ties_n == 1,
         "an order of lists settles nothing between persons");
}

/* ---- random contests ---- */

static void
random_case(struct contest_case *c, uint64_t *state)
{
    const char    *method  = methods[rnd(state) % TLY_N(methods)];
    const bool     lists   = strcmp(method, "block") != 0;
    const uint32_t persons = 2 + (uint32_t)(rnd(state) % (PERSONS_MAX - 1));
    case_init(c, method, 1 + (uint32_t)(rnd(state) % 7),
              lists ? 1 + (uint32_t)(rnd(state) % LISTS_MAX) : 0, persons);
    for (unsigned i = 0; i < c->method->params_n; i++) { /* every reading, but a rule that halts */
        const struct method_param *p    = &c->method->params[i];
        const bool                 over = strcmp(p->name, "over_rule") == 0;
        if (p->words != NULL) {
            c->params[i] = (uint32_t)(rnd(state) % (over ? p->max : p->max + 1));
        }
    }
    for (uint32_t l = 0; l < c->in.lists_n; l++) {
        c->ballots[l] = rnd(state) % 4 * 10;
    }
    for (uint32_t i = 0; i < persons; i++) {
        c->personal[i] = rnd(state) % 4;
        c->excluded[i] = rnd(state) % 8 == 0;
        if (lists && rnd(state) % 5 == 0) {
            c->list_of[i] = IX_NONE;
        }
    }
}

/* The tie's order: by chance. */
static void
shuffle(uint32_t order[], uint32_t n, uint64_t *state)
{
    for (uint32_t i = n; i > 1; i--) {
        const uint32_t k    = (uint32_t)(rnd(state) % i);
        const uint32_t swap = order[i - 1];
        order[i - 1]        = order[k];
        order[k]            = swap;
    }
}

static bool
sound(const struct contest_case *c, const struct outcome *o)
{
    uint32_t at_stake = 0;
    for (uint32_t i = 0; i < o->winners_n; i++) {
        if (c->excluded[o->winners[i]] || has(o->alternates, o->alternates_n, o->winners[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < o->alternates_n; i++) {
        if (c->excluded[o->alternates[i]]) {
            return false;
        }
    }
    for (uint32_t i = 0; i < o->ties_n; i++) {
        at_stake += o->ties[i].kind == TIE_ALTERNATE ? 0 : o->ties[i].at_stake;
    }
    return o->winners_n + o->vacancies <= c->in.seats &&
           (at_stake > 0 || o->winners_n + o->vacancies == c->in.seats);
}

/* Is this very tie still there? */
static bool
stays(const struct outcome *o, const struct tie *tie)
{
    for (uint32_t i = 0; i < o->ties_n; i++) {
        const struct tie *t = &o->ties[i];
        if (t->kind == tie->kind && t->among_n == tie->among_n &&
            memcmp(t->among, tie->among, tie->among_n * sizeof *tie->among) == 0) {
            return true;
        }
    }
    return false;
}

/* Settles one tie by a random order of those in it; when lists meet others on the way whose seats
 * do not depend on it, by an order of all lists. */
static const char *
settle_one(struct contest_case *c, const struct outcome *o, const struct tie *tie,
           struct tly_arena *arena, uint64_t *state, struct outcome *next)
{
    uint32_t   order[PERSONS_MAX + LISTS_MAX];
    const bool lists = tie->kind == TIE_LIST;
    memcpy(order, tie->among, tie->among_n * sizeof *order);
    shuffle(order, tie->among_n, state);
    lot_add(c, arena, lists, order, tie->among_n);
    if (outcome_of(c->method, &c->in, arena, next) != TLY_OK) {
        return "no outcome";
    }
    if (stays(next, tie) && lists) {
        for (uint32_t i = 0; i <= c->in.lists_n; i++) {
            order[i] = i;
        }
        shuffle(order, c->in.lists_n + 1, state);
        c->in.lots = c->in.lots->before;
        lot_add(c, arena, true, order, c->in.lists_n + 1);
        if (outcome_of(c->method, &c->in, arena, next) != TLY_OK) {
            return "no outcome";
        }
    }
    if (stays(next, tie) || !sound(c, next)) {
        return "an order that settles nothing, or an outcome that cannot be";
    }
    for (uint32_t i = 0; i < o->winners_n; i++) {
        if (!has(next->winners, next->winners_n, o->winners[i])) {
            return "who was certain lost his seat by an order";
        }
    }
    for (uint32_t l = 0; o->list_seats != NULL && l < c->in.lists_n; l++) {
        if (next->list_seats[l] < o->list_seats[l]) {
            return "a list's certain seats went";
        }
    }
    for (uint32_t i = 0; tie->kind == TIE_SEAT && i < tie->among_n; i++) {
        if (has(next->winners, next->winners_n, order[i]) != (i < tie->at_stake)) {
            return "not the first of the order are elected";
        }
    }
    return NULL;
}

/* Settles ties until none is left; what is wrong, or NULL. */
static const char *
settle(struct contest_case *c, uint64_t *state, unsigned *lots)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = (size_t)64 << 20};
    struct outcome                   o, next;
    const char                      *wrong = NULL;
    if (outcome_of(c->method, &c->in, &arena, &o) != TLY_OK) {
        return "no outcome";
    }
    for (unsigned n = 0; o.ties_n > 0 && wrong == NULL; n++) {
        const struct tie tie = o.ties[rnd(state) % o.ties_n];
        if (n == LOTS_MAX) {
            return "ties without end";
        }
        ++*lots;
        wrong = settle_one(c, &o, &tie, &arena, state, &next);
        o     = next;
    }
    return wrong != NULL ? wrong : sound(c, &o) ? NULL : "the end is not an outcome";
}

static void
test_random(void)
{
    const char *given = secure_getenv("TALLY_SEED");
    uint64_t    state = given == NULL ? 20261121 : strtoull(given, NULL, 10);
    unsigned    lots = 0, tied = 0;
    const char *wrong = NULL;
    printf("# seed %llu\n", (unsigned long long)state);
    for (unsigned i = 0; i < RUNS && wrong == NULL; i++) {
        struct contest_case c;
        const unsigned      before = lots;
        random_case(&c, &state);
        wrong = settle(&c, &state, &lots);
        tied += lots > before;
        if (wrong != NULL) {
            printf("# contest %u, %s: %s\n", i, c.method->name, wrong);
        }
    }
    printf("# %u contests, %u with ties, %u orders\n", RUNS, tied, lots);
    T_OK(wrong == NULL && tied > RUNS / 10, "ties are settled, one after the other");
}

int
main(void)
{
    for (size_t i = 1; i < TLY_N(methods); i++) {
        test_lists(methods[i]);
    }
    test_persons();
    test_random();
    return T_DONE();
}
