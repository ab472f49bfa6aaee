/* SPDX-License-Identifier: Apache-2.0 */
/* The textbook's 100/80/30/20 thousand under every list method, caps, bars and equal quotients; and
 * the table of methods itself. */
#include "outcome_case.h"

#define LISTS 4

struct example {
    const char *name, *method, *params[3];
    uint32_t    seats;
    uint64_t    votes[LISTS];
    uint32_t    persons[LISTS];
    uint32_t    want[LISTS];
    uint32_t    tied, among, vacancies;
};

#define BOOK .votes = {100000, 80000, 30000, 20000}, .persons = {8, 8, 8, 8}

/* clang-format off */
static const struct example examples[] = {
    {"D'Hondt", "dhondt", {0}, 8, BOOK, .want = {4, 3, 1, 0}},
    {"Sainte-Lague", "sainte_lague", {0}, 8, BOOK, .want = {3, 3, 1, 1}},
    {"modified: 100/7 and 20/1.4 are equal, exactly", "modified_sainte_lague", {0}, 8, BOOK, .want = {3, 3, 1, 0}, .tied = 1, .among = 2},
    {"modified: equal quotients to more votes", "modified_sainte_lague", {"equal_quotients=more_votes"}, 8, BOOK, .want = {4, 3, 1, 0}},
    {"modified: one seat less is certain", "modified_sainte_lague", {0}, 7, BOOK, .want = {3, 3, 1, 0}},
    {"Hare", "hare_lr", {0}, 8, BOOK, .want = {3, 3, 1, 1}},
    {"Droop", "droop_lr", {0}, 8, BOOK, .want = {4, 3, 1, 0}},
    {"Hare: 1.71, 0.86 and 0.43 seats", "hare_lr", {0}, 3, .votes = {4, 2, 1}, .persons = {3, 3, 3}, .want = {2, 1, 0}},
    {"Droop: a quarter of the votes is no quota of three seats", "droop_lr", {0}, 3, .votes = {75, 25}, .persons = {3, 3}, .want = {2, 1}},
    {"a bar of 13.05 % keeps out 30 of 230; 100/5 equals 80/4", "dhondt", {"threshold_bp=1305"}, 8, BOOK, .want = {4, 3, 0, 0}, .tied = 1, .among = 2},
    {"a bar of 13.04 % does not", "dhondt", {"threshold_bp=1304"}, 8, BOOK, .want = {4, 3, 1, 0}, .tied = 0},
    {"a bar reached exactly", "dhondt", {"threshold_bp=2000"}, 5, .votes = {60, 20, 20}, .persons = {5, 5, 5}, .want = {3, 1, 1, 0}},
    {"a short list has a lower bar", "dhondt", {"threshold_bp=2500", "threshold_rule=scaled_by_candidates"}, 4, .votes = {88, 12}, .persons = {2, 1}, .want = {2, 1, 0, 0}, .vacancies = 1},
    {"a full list has not", "dhondt", {"threshold_bp=2500", "threshold_rule=scaled_by_candidates"}, 4, .votes = {88, 12}, .persons = {4, 4}, .want = {4, 0, 0, 0}},
    {"what a short list cannot take goes to others", "dhondt", {0}, 8, .votes = {100000, 80000, 30000, 20000}, .persons = {2, 8, 8, 8}, .want = {2, 4, 1, 1}},
    {"the same with remainders", "hare_lr", {0}, 8, .votes = {100000, 80000, 30000, 20000}, .persons = {2, 8, 8, 8}, .want = {2, 3, 2, 1}},
    {"nobody left to take the seats", "dhondt", {0}, 8, .votes = {9, 8}, .persons = {2, 3}, .want = {2, 3, 0, 0}, .vacancies = 3},
    {"nobody left, with remainders", "hare_lr", {0}, 8, .votes = {9, 8}, .persons = {2, 3}, .want = {2, 3, 0, 0}, .vacancies = 3},
    {"no votes at all", "hare_lr", {0}, 3, .votes = {0, 0}, .persons = {3, 3}, .vacancies = 3},
    {"a list without votes gets no vacant seat", "sainte_lague", {0}, 3, .votes = {5, 0}, .persons = {1, 3}, .want = {1}, .vacancies = 2},
    {"equals who all get a seat need no draw", "dhondt", {0}, 4, .votes = {50, 50, 50, 50}, .persons = {9, 9, 9, 9}, .want = {1, 1, 1, 1}},
    {"two of four equals", "dhondt", {0}, 6, .votes = {50, 50, 50, 50}, .persons = {9, 9, 9, 9}, .want = {1, 1, 1, 1}, .tied = 2, .among = 4},
    {"equals of whom one list is full need no draw", "dhondt", {0}, 5, .votes = {50, 50, 50, 50}, .persons = {1, 1, 1, 9}, .want = {1, 1, 1, 2}},
    {"equal remainders", "hare_lr", {0}, 3, .votes = {50, 50}, .persons = {9, 9}, .want = {1, 1}, .tied = 1, .among = 2},
    {"votes under the bar do not raise the quota", "hare_lr", {"threshold_bp=2000"}, 10, .votes = {60, 30, 10}, .persons = {9, 9, 9}, .want = {7, 3, 0}},
    {"a bar that is the same for all is not lower for a short list", "dhondt", {"threshold_bp=3000"}, 4, .votes = {80, 20}, .persons = {4, 1}, .want = {4, 0}},
    {"products beyond 64 bits decide", "dhondt", {0}, 11, .votes = {(UINT64_C(3) << 61) + 1, UINT64_C(1) << 61}, .persons = {12, 12}, .want = {9, 2}},
    {"products beyond 64 bits", "dhondt", {0}, 3, .votes = {UINT64_C(1) << 61, (UINT64_C(1) << 60) + 1}, .persons = {9, 9}, .want = {2, 1}},
};
/* clang-format on */

static struct outcome_case c;

static void
check_example(const struct example *x)
{
    case_init(&c, x->method, x->seats, 0);
    for (unsigned i = 0; i < TLY_N(x->params) && x->params[i] != NULL; i++) {
        case_param(&c, x->params[i]);
    }
    for (uint32_t l = 0; l < LISTS; l++) {
        (void)case_list(&c, x->votes[l], x->persons[l]);
    }
    const struct outcome *o   = case_run(&c);
    const struct tie     *tie = case_tie(o, TIE_LIST);
    if (!T_OK(memcmp(o->list_seats, x->want, sizeof x->want) == 0 && o->vacancies == x->vacancies &&
                  (tie != NULL ? tie->at_stake : 0) == x->tied &&
                  (tie != NULL ? tie->among_n : 0) == x->among,
              x->name)) {
        printf("# %u %u %u %u, vacant %u\n", o->list_seats[0], o->list_seats[1], o->list_seats[2],
               o->list_seats[3], o->vacancies);
    }
    case_done(&c);
}

/* List ballots and its persons' votes are a list's votes; its seats go by persons' votes. */
static void
check_persons(void)
{
    case_init(&c, "dhondt", 3, 2);
    c.in.lists_n = 2;
    c.ballots[0] = 100;
    c.ballots[1] = 40;
    case_person(&c, 0, 5);
    case_person(&c, 0, 9);
    case_person(&c, 0, 7);
    case_person(&c, 1, 30);
    case_person(&c, 1, 1);
    const struct outcome *o = case_run(&c);
    T_OK(o->list_votes[0] == 121 && o->list_votes[1] == 71, "list ballots and persons' votes");
    T_OK(o->list_seats[0] == 2 && o->list_seats[1] == 1, "seats of the lists");
    T_OK(o->winners_n == 3 && o->winners[0] == 3 && o->winners[1] == 1 && o->winners[2] == 2,
         "persons with most votes, list ballots not credited to them");
    T_OK(o->alternates_n == 2 && o->alternates[0] == 0 && o->alternates[1] == 4, "then the next");
    T_OK(o->votes[3] == 30 && o->rank[3] == 1 && o->rank[4] == 5, "votes and ranks");
    case_done(&c);
}

/* Equals at the cut of a list are drawn, and before that no alternate is certain. */
static void
check_persons_tie(void)
{
    case_init(&c, "dhondt", 2, 2);
    c.in.lists_n = 2;
    case_person(&c, 0, 7);
    case_person(&c, 0, 7);
    case_person(&c, 1, 8);
    case_person(&c, 1, 2);
    const struct outcome *o   = case_run(&c);
    const struct tie     *tie = case_tie(o, TIE_SEAT);
    T_OK(o->list_seats[0] == 1 && o->list_seats[1] == 1, "a seat each");
    T_OK(o->winners_n == 1 && o->winners[0] == 2, "one of them is taken");
    T_OK(tie != NULL && tie->at_stake == 1 && tie->among_n == 2 && tie->among[0] == 0,
         "two with equal votes for the other");
    T_EQ(o->alternates_n, 0, "who loses is next in line: nobody is yet");
    case_done(&c);
}

/* Who is excluded keeps the votes for the list and takes no seat: the list has a person less. */
static void
check_excluded(void)
{
    static const uint8_t excluded[3] = {1, 0, 0};
    case_init(&c, "dhondt", 2, 2);
    c.in.lists_n  = 2;
    c.in.excluded = excluded;
    case_person(&c, 0, 90);
    case_person(&c, 0, 10);
    case_person(&c, 1, 20);
    const struct outcome *o = case_run(&c);
    T_OK(o->list_votes[0] == 100 && o->votes[0] == 90, "the votes stay");
    T_OK(o->list_seats[0] == 1 && o->list_seats[1] == 1, "of two persons one can take a seat");
    T_OK(o->winners_n == 2 && o->winners[0] == 2 && o->winners[1] == 1, "it is the other");
    T_OK(o->rank[0] == 0 && o->rank[2] == 1 && o->alternates_n == 0, "no rank, no alternate");
    case_done(&c);
}

static void
check_table(void)
{
    static const char *const names[] = {"block",
                                        "list_ir",
                                        "hare_lr",
                                        "droop_lr",
                                        "dhondt",
                                        "sainte_lague",
                                        "modified_sainte_lague"};
    for (unsigned i = 0; i < TLY_N(names); i++) {
        const struct method *method = method_find(tly_text(names[i]));
        T_OK(method != NULL && strcmp(method->name, names[i]) == 0 && method->source[0] != '\0',
             names[i]);
        unsigned bad = method->params_n > METHOD_PARAMS_MAX;
        for (unsigned k = 0; k < method->params_n; k++) {
            const struct method_param *p = &method->params[k];
            uint32_t                   n = 0;
            while (p->words != NULL && p->words[n] != NULL) {
                n++;
            }
            bad +=
                p->initial < p->min || p->initial > p->max || (p->words != NULL && n != p->max + 1);
            bad += method_param_find(method, tly_text(p->name)) != (int)k;
        }
        T_EQ(bad, 0, "its parameters");
        T_EQ(method_param_find(method, tly_text("none")), -1, "and no others");
    }
    T_OK(method_at(TLY_N(names)) == NULL, "these and no more");
    T_OK(method_find(tly_text("")) == NULL && method_find(tly_text("bloc")) == NULL,
         "no such method");
}

int
main(void)
{
    for (unsigned i = 0; i < TLY_N(examples); i++) {
        check_example(&examples[i]);
    }
    check_persons();
    check_persons_tie();
    check_excluded();
    check_table();
    return T_DONE();
}
