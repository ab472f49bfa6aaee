/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of every slot, causes before consequences, and the leaf's held lines. */
#include "base/check.h"
#include "base/num.h"
#include "base/text.h"

#include "checks_int.h"
#include "methods.h"

#define BASIS_POINTS 10000

void
checks_field(char out[sizeof((struct finding *)0)->field], uint32_t at, const char *field,
             uint32_t row)
{
    struct text text;
    text_init(&text, out, sizeof((struct finding *)0)->field);
    if (at != IX_NONE) {
        text_add(&text, "contests[");
        text_add_u64(&text, at);
        text_add(&text, "].");
    }
    text_add(&text, field);
    if (row != IX_NONE) {
        text_add(&text, "[");
        text_add_u64(&text, row);
        text_add(&text, "]");
    }
    TLY_CHECK(!text.cut);
}

/* Sets the bit of one slot unless a cause hides it; tells whether it was set. */
static bool
mark(struct checks_work *w, uint32_t place, enum check check)
{
    struct checked_slot *slot   = &w->out->slots[place];
    const uint64_t       bit    = CHECK_BIT(check);
    const bool           hidden = (w->slots[place].seen & checks_hidden_by(check)) != 0;
    w->slots[place].seen |= bit;
    if (hidden) {
        return false;
    }
    *(check_level(check) == CHECK_HOLD ? &slot->holds : &slot->flags) |= bit;
    return true;
}

void
checks_find(struct checks_work *w, const struct checks_found *found)
{
    bool shown = false;
    if (found->place == CHECKS_ALL) {
        for (uint32_t i = 0; i < w->out->slots_n; i++) {
            shown = mark(w, i, found->check) || shown;
        }
    } else {
        shown = mark(w, found->place, found->check);
    }
    if (!shown || w->out->findings_n == CHECKS_FINDINGS_MAX) {
        return;
    }
    if (w->out->findings == NULL) { /* most bundles have none, and a batch has thousands */
        w->out->findings = TLY_NEW(w->arena, struct finding, CHECKS_FINDINGS_MAX);
        if (w->out->findings == NULL) {
            w->no_room = true;
            return;
        }
    }
    struct finding *f = &w->out->findings[w->out->findings_n++];
    f->check          = found->check;
    f->slot.v         = found->place == CHECKS_ALL ? IX_NONE : w->out->slots[found->place].slot.v;
    f->left           = found->left;
    f->right          = found->right;
    f->tolerance      = found->tolerance;
    checks_field(f->field, found->at, found->field, found->row);
}

/* What the rules of one slot read. */
struct numbers {
    struct checks_work           *w;
    uint32_t                      place, at;
    const struct payload_contest *row;
    const struct contest         *contest;
    const struct rule            *rule;
    uint64_t authenticated, issued, cast, blank, invalid, valid; /* A, issued, C, B, I, V */
    uint64_t mixed;                                              /* m */
    uint64_t list_sum, person_sum;                               /* sum y, sum p */
};

static void
found(const struct numbers *n, enum check check, const char *field, uint64_t left, uint64_t right,
      uint64_t tolerance)
{
    checks_find(n->w, &(struct checks_found){.check     = check,
                                             .place     = n->place,
                                             .at        = n->at,
                                             .field     = field,
                                             .row       = IX_NONE,
                                             .left      = left,
                                             .right     = right,
                                             .tolerance = tolerance});
}

static void
found_row(const struct numbers *n, enum check check, const char *field, uint32_t row, uint64_t left,
          uint64_t right, uint64_t tolerance)
{
    checks_find(n->w, &(struct checks_found){.check     = check,
                                             .place     = n->place,
                                             .at        = n->at,
                                             .field     = field,
                                             .row       = row,
                                             .left      = left,
                                             .right     = right,
                                             .tolerance = tolerance});
}

static const struct payload_vote *
votes_of(const struct numbers *n, uint32_t first)
{
    return &n->w->in->payload->votes[first];
}

static uint64_t
votes_sum(const struct numbers *n, uint32_t first, uint32_t votes_n)
{
    uint64_t sum = 0; /* 2^20 rows of 2^31 at most */
    for (uint32_t i = 0; i < votes_n; i++) {
        sum += votes_of(n, first)[i].votes;
    }
    return sum;
}

static uint64_t
authenticated(const struct payload_contest *row)
{
    return (uint64_t)row->counts[COUNT_ONLINE] + row->counts[COUNT_OFFLINE] +
           row->counts[COUNT_MANUAL];
}

static struct numbers
numbers_of(struct checks_work *w, uint32_t place)
{
    const struct election        *e   = w->in->election;
    const struct payload_contest *row = w->slots[place].row;
    struct numbers n = {.w = w, .place = place, .at = w->slots[place].at, .row = row};
    n.contest        = &e->contests[e->slots[w->out->slots[place].slot.v].contest.v];
    n.rule           = &e->rules[n.contest->rule];
    n.authenticated  = authenticated(row);
    n.issued         = row->counts[COUNT_ISSUED];
    n.cast           = row->counts[COUNT_CAST];
    n.blank          = row->counts[COUNT_BLANK];
    n.invalid        = row->counts[COUNT_INVALID];
    n.valid          = row->counts[COUNT_VALID];
    n.mixed          = row->has_lists ? row->counts[COUNT_MIXED] : n.valid;
    n.list_sum       = votes_sum(&n, row->lists_first, row->lists_n);
    n.person_sum     = votes_sum(&n, row->candidates_first, row->candidates_n);
    return n;
}

/* A share of a number in basis points, rounded up. */
static uint64_t
share(uint32_t bp, uint64_t of)
{
    return (uint64_t)(((tly_u128)of * bp + BASIS_POINTS - 1) / BASIS_POINTS);
}

/* List code and persons on one ballot (list_plus_individual): it is in both sums. */
static bool
list_plus(const struct rule *rule)
{
    return rule->method->credits && rule->params[LIST_IR_LIST_PLUS] != 0;
}

static void
rules_votes(const struct numbers *n)
{
    const struct payload_vote *persons = votes_of(n, n->row->candidates_first);
    for (uint32_t i = 0; i < n->row->candidates_n; i++) {
        if (persons[i].votes > n->mixed) {
            found_row(n, CHECK_N03, "candidates", i, persons[i].votes, n->mixed, 0);
        }
    }
    const uint64_t most = n->contest->max_choices * n->mixed; /* 32 bits by 31 */
    if (n->person_sum > most) {
        found(n, CHECK_N04, "candidates", n->person_sum, most, 0);
    }
    const uint64_t ballots = n->list_sum + n->mixed;
    if (n->row->has_lists) {
        const bool fits = list_plus(n->rule) ? ballots >= n->valid && n->list_sum <= n->valid &&
                                                   n->mixed <= n->valid
                                             : ballots == n->valid;
        if (!fits) {
            found(n, CHECK_N05, "mixed", ballots, n->valid, 0);
        }
    }
    if ((n->valid > 0) != (n->list_sum + n->person_sum > 0)) {
        found(n, CHECK_N07, "valid", n->valid, n->list_sum + n->person_sum, 0);
    }
}

static void
rules_ballots(const struct numbers *n)
{
    const struct election *e        = n->w->in->election;
    const uint64_t         capacity = e->branches[n->w->in->branch.v].capacity;
    const uint64_t         parts    = n->valid + n->blank + n->invalid;
    if (n->cast != parts) {
        found(n, CHECK_N02, "cast", n->cast, parts, 0);
    }
    rules_votes(n);
    if (n->cast > n->authenticated) {
        found(n, CHECK_N08, "cast", n->cast, n->authenticated, 0);
    }
    if (capacity > 0 && n->authenticated > capacity) {
        found(n, CHECK_N09, "authenticated", n->authenticated, capacity, 0);
    }
    if (capacity > 0 && n->cast > capacity) {
        found(n, CHECK_N09, "cast", n->cast, capacity, 0);
    }
    if (n->issued < n->cast) {
        found(n, CHECK_N10, "issued", n->issued, n->cast, 0);
    }
}

/* One list or person with nearly all: the one with most. */
static void
rule_concentration(const struct numbers *n)
{
    const struct election     *e         = n->w->in->election;
    const uint64_t             tolerance = share(e->limits.p05_bp, n->valid);
    const uint32_t            *places    = &n->w->places[n->row->candidates_first];
    const struct counts       *counts    = n->w->out->slots[n->place].counts;
    const struct payload_vote *votes     = votes_of(n, n->row->lists_first);
    for (uint32_t i = 0; i < n->row->lists_n && n->contest->lists_n > 1; i++) {
        if (votes[i].votes > tolerance) {
            found_row(n, CHECK_P05, "lists", i, votes[i].votes, n->valid, tolerance);
            return;
        }
    }
    votes = votes_of(n, n->row->candidates_first);
    for (uint32_t i = 0; i < n->row->candidates_n && n->contest->candidates_n > 1; i++) {
        uint64_t x = votes[i].votes;
        if (n->rule->method->credits && counts != NULL) {
            const uint32_t       person = places[i] - n->contest->lists_n;
            const struct list_ix list   = e->candidates[n->contest->candidates_first + person].list;
            x += list.v == IX_NONE ? 0 : counts->options[list.v - n->contest->lists_first];
        }
        if (x > tolerance) {
            found_row(n, CHECK_P05, "candidates", i, x, n->valid, tolerance);
            return;
        }
    }
}

static void
rules_difference(const struct numbers *n, const struct limits *limits)
{
    const bool     more    = n->authenticated > n->cast;
    const uint64_t d       = more ? n->authenticated - n->cast : n->cast - n->authenticated;
    const uint64_t missing = share(limits->n08_missing_bp, n->authenticated);
    if (more && d > missing) {
        found(n, CHECK_N08M, "cast", n->cast, n->authenticated, missing);
    }
    uint64_t most = share(limits->p03_bp, n->cast);
    most          = most < limits->p03_abs ? most : limits->p03_abs;
    if (d > 0 && d >= most) {
        found(n, CHECK_P03, "cast", n->cast, n->authenticated, most);
    }
}

static void
rules_plausible(const struct numbers *n)
{
    const struct limits *limits = &n->w->in->election->limits;
    const uint64_t       few    = n->w->in->election->policy.publish_min_ballots;
    if (n->cast == 0 || n->authenticated == 0) {
        found(n, CHECK_P04, "cast", n->cast, n->authenticated, 0);
    }
    rules_difference(n, limits);
    const uint64_t blank = share(limits->p01_bp, n->cast);
    if (n->blank > 0 && n->blank >= blank) {
        found(n, CHECK_P01, "blank", n->blank, n->cast, blank);
    }
    const uint64_t invalid = share(limits->p02_bp, n->cast);
    if (n->invalid > 0 && n->invalid >= invalid) {
        found(n, CHECK_P02, "invalid", n->invalid, n->cast, invalid);
    }
    rule_concentration(n);
    const uint64_t by_hand = (uint64_t)n->row->counts[COUNT_OFFLINE] + n->row->counts[COUNT_MANUAL];
    const uint64_t most    = share(limits->p06_bp, n->authenticated);
    if (by_hand > most) {
        found(n, CHECK_P06, "authenticated", by_hand, n->authenticated, most);
    }
    if (n->cast < few) {
        found(n, CHECK_P09, "cast", n->cast, few, 0);
    }
}

static bool
has_numbers(const struct checks_work *w, uint32_t place)
{
    return w->slots[place].row != NULL && w->slots[place].row->not_held.data == NULL;
}

/* The contests of one branch and one day should have met the same voters. */
static void
rule_same_voters(struct checks_work *w)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < w->out->slots_n; i++) {
        const uint64_t a = has_numbers(w, i) ? authenticated(w->slots[i].row) : 0;
        most             = a > most ? a : most;
    }
    const uint64_t tolerance = share(w->in->election->limits.p07_bp, most);
    for (uint32_t i = 0; i < w->out->slots_n; i++) {
        const uint64_t a = has_numbers(w, i) ? authenticated(w->slots[i].row) : most;
        if (most - a > tolerance) {
            checks_find(w, &(struct checks_found){CHECK_P07, i, w->slots[i].at, "authenticated",
                                                  IX_NONE, a, most, tolerance});
        }
    }
}

static void
all(struct checks_work *w, enum check check, const char *field, uint64_t left, uint64_t right)
{
    checks_find(w,
                &(struct checks_found){check, CHECKS_ALL, IX_NONE, field, IX_NONE, left, right, 0});
}

static void
rules_bundle(struct checks_work *w)
{
    const struct payload  *p = w->in->payload;
    const struct terminal *t = w->in->terminal;
    if (p->made_at < t->not_before) {
        all(w, CHECK_A04, "made_at", p->made_at, t->not_before);
    } else if (p->made_at > t->not_after) {
        all(w, CHECK_A04, "made_at", p->made_at, t->not_after);
    }
    if (!tly_hash_eq(&p->definition, &w->in->election->definition)) {
        all(w, CHECK_A06, "definition", 0, 0);
    }
    if (p->opened_at >= p->closed_at) {
        all(w, CHECK_S05, "closed_at", p->closed_at, p->opened_at);
    }
    if (p->closed_at > p->made_at) {
        all(w, CHECK_S05, "made_at", p->made_at, p->closed_at);
    }
}

static void
rules_slot(struct checks_work *w, uint32_t place)
{
    if (!has_numbers(w, place)) {
        return;
    }
    const struct numbers n         = numbers_of(w, place);
    const uint64_t       closed_at = w->in->payload->closed_at;
    if (n.contest->has_closes_at && closed_at < n.contest->closes_at) {
        checks_find(w, &(struct checks_found){CHECK_S05, place, IX_NONE, "closed_at", IX_NONE,
                                              closed_at, n.contest->closes_at, 0});
    }
    rules_ballots(&n);
    rules_plausible(&n);
}

enum tly_err
checks_run(const struct checks_input *in, struct tly_arena *arena, struct checked *out,
           struct tly_diag *diag)
{
    const struct branch *branch = &in->election->branches[in->branch.v];
    struct checked       result = {
              .slots   = TLY_NEW(arena, struct checked_slot, branch->slots_n),
              .slots_n = branch->slots_n,
    };
    struct checks_work w = {
        .in     = in,
        .arena  = arena,
        .out    = &result,
        .slots  = TLY_NEW(arena, struct checks_slot, branch->slots_n),
        .places = TLY_NEW(arena, uint32_t, in->payload->votes_n),
    };
    if (result.slots == NULL || w.slots == NULL || w.places == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "checks of %u contests", branch->slots_n);
    }
    for (uint32_t i = 0; i < branch->slots_n; i++) {
        result.slots[i].slot = (struct slot_ix){branch->slots_first + i};
    }
    rules_bundle(&w);
    const enum tly_err err = checks_resolve(&w, diag);
    if (err != TLY_OK) {
        return err;
    }
    for (uint32_t i = 0; i < branch->slots_n; i++) {
        rules_slot(&w, i);
    }
    rule_same_voters(&w);
    if (w.no_room) {
        return tly_fail(diag, TLY_ENOMEM, "findings");
    }
    *out = result;
    return TLY_OK;
}

#define HELD_LINE_MAX (sizeof "held  \n" + CODE_LEN_MAX + (size_t)CHECKS_N * sizeof "N08M")

enum tly_err
checks_held_lines(const struct election *election, const struct checked *checked,
                  struct tly_arena *arena, struct tly_bytes *out)
{
    size_t held_n = 0;
    for (uint32_t i = 0; i < checked->slots_n; i++) {
        held_n += checked->slots[i].holds != 0;
    }
    const size_t max  = held_n * HELD_LINE_MAX + 1;
    char        *text = tly_arena_alloc(arena, max, 1);
    if (text == NULL) {
        return TLY_ENOMEM;
    }
    struct text wr;
    text_init(&wr, text, max);
    for (uint32_t i = 0; i < checked->slots_n; i++) {
        const struct checked_slot *slot = &checked->slots[i];
        if (slot->holds == 0) {
            continue;
        }
        text_add(&wr, "held ");
        text_add(&wr, election->contests[election->slots[slot->slot.v].contest.v].code);
        const char *separator = " ";
        for (unsigned c = 0; c < CHECKS_N; c++) {
            if ((slot->holds & CHECK_BIT(c)) != 0) {
                text_add(&wr, separator);
                text_add(&wr, check_code((enum check)c));
                separator = ",";
            }
        }
        text_add(&wr, "\n");
    }
    TLY_CHECK(!wr.cut);
    *out = (struct tly_bytes){(const uint8_t *)text, wr.len};
    return TLY_OK;
}
