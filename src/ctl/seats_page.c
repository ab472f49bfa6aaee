/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "seats.h"
#include "table.h"

#define CELL_MAX 32
#define LINE_MAX 512

/* What a page says, in one language. */
struct words {
    const char *lists, *persons, *readings; /* heads of tables */
    const char *pool, *seat, *alternate;    /* cells */
    const char *steps, *others, *same, *other;
    const char *draw, *unfilled; /* sentences; $ is replaced by a number */
};

static const struct words english = {
    .lists     = "list|>votes|>persons|>seats",
    .persons   = "candidate|>votes|>rank|elected",
    .readings  = "reading|seats|elects",
    .pool      = "(independents)",
    .seat      = "elected",
    .alternate = "alternate",
    .steps     = "Steps:",
    .others    = "Other readings of the law:",
    .same      = "the same",
    .other     = "SOMEBODY ELSE",
    .draw      = "To be drawn: $ of ",
    .unfilled  = "Seats that nobody can take: $\n",
};

static const struct words persian = {
    .lists     = "فهرست|>رأی|>نامزد|>کرسی",
    .persons   = "نامزد|>رأی|>رتبه|نتیجه",
    .readings  = "برداشت|کرسی‌ها|منتخبان",
    .pool      = "(مستقل‌ها)",
    .seat      = "منتخب",
    .alternate = "علی‌البدل",
    .steps     = "گام‌ها:",
    .others    = "برداشت‌های دیگر از قانون:",
    .same      = "همان",
    .other     = "کسان دیگر",
    .draw      = "با قرعه: $ از ",
    .unfilled  = "کرسی‌هایی که کسی نمی‌تواند بگیرد: $\n",
};

struct page {
    const struct seats_contest *c;
    const struct seats_result  *r;
    const struct words         *words;
    struct tly_arena           *arena;
    bool                        fa;
};

static void
add_number(const struct page *p, struct text *text, uint64_t n)
{
    if (p->fa) {
        text_add_u64_fa(text, n);
    } else {
        text_add_u64(text, n);
    }
}

static const char *
cell(const struct page *p, uint64_t n, char out[CELL_MAX])
{
    struct text text;
    text_init(&text, out, CELL_MAX);
    add_number(p, &text, n);
    return out;
}

/* A sentence up to and after its number. */
static void
say(const struct page *p, const char *sentence, uint64_t n)
{
    char      number[CELL_MAX];
    const int before = (int)strcspn(sentence, "$");
    (void)printf("%.*s%s%s", before, sentence, cell(p, n, number), sentence + before + 1);
}

static const char *
entity(const struct page *p, uint32_t e)
{
    return e < p->c->in.lists_n ? p->c->ids[e] : p->words->pool;
}

static void
print_lists(const struct page *p)
{
    const struct outcome *o = &p->r->outcome;
    struct table          table;
    char                  votes[CELL_MAX], persons[CELL_MAX], seats[CELL_MAX];
    table_init(&table, p->arena, p->words->lists);
    for (uint32_t e = 0; e < p->c->in.lists_n + o->has_pool; e++) {
        const struct method_totals *t   = &p->c->in.totals[e];
        const uint32_t              won = e < p->c->in.lists_n ? o->list_seats[e] : o->pool_seats;
        const char *cells[] = {entity(p, e), cell(p, t->votes, votes), cell(p, t->persons, persons),
                               cell(p, won, seats)};
        table_add(&table, cells, TLY_N(cells));
    }
    table_print(&table);
}

static bool
among(const uint32_t list[], uint32_t n, uint32_t what)
{
    uint32_t i = 0;
    while (i < n && list[i] != what) {
        i++;
    }
    return i < n;
}

static void
print_persons(const struct page *p)
{
    const struct outcome *o = &p->r->outcome;
    struct table          table;
    char                  votes[CELL_MAX], rank[CELL_MAX];
    table_init(&table, p->arena, p->words->persons);
    for (uint32_t i = 0; i < p->c->in.candidates_n; i++) {
        const uint32_t k    = o->order[i];
        const char *cells[] = {p->c->ids[k], cell(p, o->votes[k], votes), cell(p, o->rank[k], rank),
                               among(o->winners, o->winners_n, k)         ? p->words->seat
                               : among(o->alternates, o->alternates_n, k) ? p->words->alternate
                                                                          : ""};
        table_add(&table, cells, TLY_N(cells));
    }
    table_print(&table);
}

static void
print_ties(const struct page *p)
{
    const struct outcome *o = &p->r->outcome;
    for (uint32_t i = 0; i < o->ties_n; i++) {
        const struct tie *t = &o->ties[i];
        say(p, p->words->draw, t->at_stake);
        for (uint32_t k = 0; k < t->among_n; k++) {
            (void)printf("%s%s",
                         k == 0  ? ""
                         : p->fa ? "، "
                                 : ", ",
                         p->c->method->lists ? entity(p, t->among[k]) : p->c->ids[t->among[k]]);
        }
        (void)printf("%s\n", t->kind == TIE_ALTERNATE
                                 ? p->fa ? " (علی‌البدل)" : " (alternate)"
                                 : "");
    }
    if (o->vacancies > 0) {
        say(p, p->words->unfilled, o->vacancies);
    }
}

static void
print_steps(const struct page *p)
{
    const struct outcome *o = &p->r->outcome;
    char                  number[CELL_MAX];
    (void)printf("\n%s\n", p->words->steps);
    for (uint32_t i = 0; i < o->steps_n; i++) {
        const struct step *s = &o->steps[i];
        (void)printf("%s%s. %s%s%s\n",
                     i < 9    ? "  "
                     : i < 99 ? " "
                              : "",
                     cell(p, i + 1, number), s->entity == IX_NONE ? "" : entity(p, s->entity),
                     s->entity == IX_NONE ? "" : ": ", p->fa ? s->fa : s->en);
    }
}

/* "9-5-4-3", in the order of the lists and the independents last. */
static void
seats_text(const struct page *p, const struct outcome *o, struct text *text)
{
    for (uint32_t e = 0; e < p->c->in.lists_n + o->has_pool; e++) {
        text_add(text, e == 0 ? "" : "-");
        add_number(p, text, e < p->c->in.lists_n ? o->list_seats[e] : o->pool_seats);
    }
    for (uint32_t i = 0; i < o->ties_n; i++) {
        if (o->ties[i].kind != TIE_ALTERNATE) {
            text_add(text, " + ");
            add_number(p, text, o->ties[i].at_stake);
            text_add(text, "?");
        }
    }
}

static void
print_readings(const struct page *p)
{
    struct table table;
    if (p->r->readings_n == 0) {
        return;
    }
    (void)printf("\n%s\n", p->words->others);
    table_init(&table, p->arena, p->words->readings);
    for (uint32_t i = 0; i < p->r->readings_n; i++) {
        const struct reading *r = &p->r->readings[i];
        char                  seats[LINE_MAX];
        struct text           text;
        text_init(&text, seats, sizeof seats);
        seats_text(p, &r->outcome, &text);
        const char *cells[] = {r->name, text.cut ? "..." : seats,
                               r->differs ? p->words->other : p->words->same};
        table_add(&table, cells, TLY_N(cells));
    }
    table_print(&table);
}

void
seats_page(const struct seats_contest *c, const struct seats_result *r, bool fa,
           struct tly_arena *arena)
{
    const struct page p = {
        .c = c, .r = r, .words = fa ? &persian : &english, .arena = arena, .fa = fa};
    (void)printf("%s\n", c->id);
    (void)printf(fa ? "روش %s، " : "method %s, ", c->method->name);
    say(&p, fa ? "$ کرسی\n\n" : "$ seats\n\n", c->in.seats);
    if (c->method->lists) {
        print_lists(&p);
    } else {
        print_persons(&p);
    }
    print_ties(&p);
    print_steps(&p);
    print_readings(&p);
    (void)putchar('\n');
}
