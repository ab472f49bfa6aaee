/* SPDX-License-Identifier: Apache-2.0 */
#include "seats.h"

#include "base/check.h"
#include "base/text.h"

#define SEATS_STEPS_MAX 2048 /* of one outcome; what is beyond is not told step by step */

static const char *const rule_words[]  = {"plain", "scaled_by_candidates", NULL};
static const char *const equal_words[] = {"lot", "more_votes", NULL};

const struct method_param seats_params[SEATS_PARAMS_N] = {
    [SEATS_THRESHOLD_BP]    = {.name = "threshold_bp", .max = 10000},
    [SEATS_THRESHOLD_RULE]  = {.name = "threshold_rule", .words = rule_words, .max = 1},
    [SEATS_EQUAL_QUOTIENTS] = {.name = "equal_quotients", .words = equal_words, .max = 1},
};

static bool
before(const uint64_t key[], uint32_t a, uint32_t b)
{
    return key[a] != key[b] ? key[a] > key[b] : a < b;
}

/* Heap order with the last of the sorted order on top. */
static void
sift(uint32_t places[], uint32_t n, const uint64_t key[], uint32_t at)
{
    for (uint64_t child = 2 * (uint64_t)at + 1; child < n; child = 2 * (uint64_t)at + 1) {
        if (child + 1 < n && before(key, places[child], places[child + 1])) {
            child++;
        }
        if (!before(key, places[at], places[child])) {
            return;
        }
        const uint32_t swap = places[at];
        places[at]          = places[child];
        places[child]       = swap;
        at                  = (uint32_t)child;
    }
}

void
seats_sort(uint32_t places[], uint32_t n, const uint64_t key[])
{
    for (uint32_t i = n / 2; i-- > 0;) {
        sift(places, n, key, i);
    }
    for (uint32_t left = n; left-- > 1;) {
        const uint32_t last = places[0];
        places[0]           = places[left];
        places[left]        = last;
        sift(places, left, key, 0);
    }
}

static void
votes_init(struct seats *s, uint64_t votes[])
{
    const struct method_input *in = s->in;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        votes[e]        = e < in->lists_n ? s->out->list_votes[e] : s->out->pool_votes;
        const bool fits = tly_add_u64(s->votes_sum, votes[e], &s->votes_sum);
        TLY_CHECK(fits);
        s->stands[e] = votes[e] > 0;
    }
    for (uint32_t e = 0; e < s->entities_n && in->totals != NULL; e++) {
        s->cap[e] = in->totals[e].persons;
    }
    for (uint32_t c = 0; c < in->candidates_n; c++) {
        if (in->excluded == NULL || !in->excluded[c]) {
            s->cap[in->candidate_list[c] == IX_NONE ? in->lists_n : in->candidate_list[c]]++;
        }
    }
    s->votes = votes;
}

enum tly_err
seats_begin(struct seats *s, const struct method_input *in, struct tly_arena *arena,
            struct outcome *out)
{
    const uint32_t n     = in->lists_n + (out->has_pool ? 1 : 0);
    uint64_t      *votes = TLY_NEW(arena, uint64_t, n);
    *s                   = (struct seats){
                          .in         = in,
                          .arena      = arena,
                          .out        = out,
                          .entities_n = n,
                          .cap        = TLY_NEW(arena, uint32_t, n),
                          .won        = TLY_NEW(arena, uint32_t, n),
                          .stands     = TLY_NEW(arena, bool, n),
                          .open       = TLY_NEW(arena, bool, n),
                          .order      = out->order,
                          .order_n    = out->ranked_n,
                          .elected    = TLY_NEW(arena, bool, in->candidates_n),
                          .quiet      = in->quiet,
    };
    if (votes == NULL || s->cap == NULL || s->won == NULL || s->stands == NULL || s->open == NULL ||
        s->elected == NULL) {
        return TLY_ENOMEM;
    }
    votes_init(s, votes);
    return TLY_OK;
}

void
seats_threshold(struct seats *s)
{
    static const struct seats_say below = {
        "threshold",
        "Below the threshold: $a votes, and $b are needed.",
        "زیر حد نصاب: $a رأی، و $b لازم است.",
    };
    const uint32_t bp     = s->in->params[SEATS_THRESHOLD_BP];
    const bool     scaled = s->in->params[SEATS_THRESHOLD_RULE] == THRESHOLD_SCALED;
    for (uint32_t e = 0; e < s->in->lists_n; e++) {
        tly_u128 need = (tly_u128)s->votes_sum * bp; /* in 1/10000 votes, times seats if scaled */
        tly_u128 unit = 10000;
        if (scaled && s->cap[e] < s->in->seats) {
            need *= s->cap[e];
            unit *= s->in->seats;
        }
        if (s->stands[e] && s->votes[e] * unit < need) {
            s->stands[e] = false;
            seats_step(s, &below, e, s->votes[e], (uint64_t)((need + unit - 1) / unit));
        }
    }
}

/* Makes room for one more in an arena array by doubling it. */
static bool
room(struct seats *s, void **array, uint32_t n, uint32_t *max, size_t size)
{
    if (n < *max) {
        return true;
    }
    const uint32_t more = *max == 0 ? 8 : *max * 2;
    void          *copy = tly_arena_alloc(s->arena, more, size);
    if (copy == NULL) {
        s->full = true;
        return false;
    }
    if (n > 0) {
        memcpy(copy, *array, n * size);
    }
    *array = copy;
    *max   = more;
    return true;
}

static void
hundredths(struct text *text, uint64_t h, bool persian)
{
    void (*const add)(struct text *, uint64_t) = persian ? text_add_u64_fa : text_add_u64;
    add(text, h / 100);
    text_add(text, persian ? "٫" : ".");
    add(text, h / 10 % 10);
    add(text, h % 10);
}

static void
sentence(char out[OUTCOME_TEXT_MAX], const char *template, uint64_t a, uint64_t b, bool persian)
{
    void (*const add)(struct text *, uint64_t) = persian ? text_add_u64_fa : text_add_u64;
    struct text text;
    text_init(&text, out, OUTCOME_TEXT_MAX);
    for (const char *p = template; *p != '\0';) {
        size_t run = 0;
        while (p[run] != '\0' && p[run] != '$') {
            run++;
        }
        text_add_bytes(&text, (struct tly_bytes){(const uint8_t *)p, run});
        p += run;
        if (*p == '$') {
            if (p[1] == 'h') {
                hundredths(&text, b, persian);
            } else {
                TLY_CHECK(p[1] == 'a' || p[1] == 'b');
                add(&text, p[1] == 'a' ? a : b);
            }
            p += 2;
        }
    }
    TLY_CHECK(!text.cut);
}

void
seats_step(struct seats *s, const struct seats_say *say, uint32_t entity, uint64_t a, uint64_t b)
{
    struct outcome *out = s->out;
    if (s->quiet || out->steps_n == SEATS_STEPS_MAX ||
        !room(s, (void **)&out->steps, out->steps_n, &s->steps_max, sizeof *out->steps)) {
        return;
    }
    struct step *step = &out->steps[out->steps_n++];
    step->name        = say->name;
    step->entity      = entity;
    step->a           = a;
    step->b           = b;
    sentence(step->en, say->en, a, b, false);
    sentence(step->fa, say->fa, a, b, true);
}

/* Place in the order, or lot->n. */
static uint32_t
lot_place(const struct lot *lot, uint32_t who)
{
    uint32_t i = 0;
    while (i < lot->n && lot->order[i] != who) {
        i++;
    }
    return i;
}

static bool
lot_has_all(const struct lot *lot, bool lists, const uint32_t among[], uint32_t n)
{
    bool all = lot->lists == lists && n <= lot->n;
    for (uint32_t i = 0; i < n && all; i++) {
        all = lot_place(lot, among[i]) < lot->n;
    }
    return all;
}

bool
seats_settled(struct seats *s, bool lists, uint32_t among[], uint32_t n)
{
    static const struct seats_say say = {"lot", "The order of $a equals was decided by people.",
                                         "ترتیب $a برابر را مرجع قانونی تعیین کرده است."};
    const struct lot             *lot = s->in->lots;
    while (lot != NULL && !lot_has_all(lot, lists, among, n)) {
        lot = lot->before;
    }
    if (lot == NULL) {
        return false;
    }
    for (uint32_t i = 1; i < n; i++) {
        const uint32_t who   = among[i];
        const uint32_t place = lot_place(lot, who);
        uint32_t       at    = i;
        for (; at > 0 && lot_place(lot, among[at - 1]) > place; at--) {
            among[at] = among[at - 1];
        }
        among[at] = who;
    }
    seats_step(s, &say, IX_NONE, n, 0);
    return true;
}

void
seats_tie(struct seats *s, enum tie_kind kind, uint32_t at_stake, const uint32_t among[],
          uint32_t among_n)
{
    static const struct seats_say says[] = {
        [TIE_SEAT] = {"tie", "$b candidates have equal votes for $a of the seats.",
                      "$b نامزد رأی برابر دارند و $a نفر از آنان انتخاب "
                      "می‌شود."},
        [TIE_ALTERNATE] =
            {"tie", "$b candidates have equal votes; $a alternate places are theirs.",
             "$b نامزد رأی برابر دارند؛ $a جای علی‌البدل از "
             "آنِ "
             "آنان "
             "است."},
        [TIE_LIST] = {"tie", "$a seats are between $b entities with equal claims.",
                      "$a کرسی میان $b مدعی برابر است."},
    };
    struct outcome *out = s->out;
    if (!room(s, (void **)&out->ties, out->ties_n, &s->ties_max, sizeof *out->ties)) {
        return;
    }
    uint32_t *copy = TLY_NEW(s->arena, uint32_t, among_n);
    if (copy == NULL) {
        s->full = true;
        return;
    }
    memcpy(copy, among, among_n * sizeof *copy);
    out->ties[out->ties_n++] =
        (struct tie){.kind = kind, .at_stake = at_stake, .among = copy, .among_n = among_n};
    seats_step(s, &says[kind], IX_NONE, at_stake, among_n);
}

void
seats_tie_lists(struct seats *s, uint32_t at_stake, const uint32_t among[], uint32_t among_n)
{
    for (uint32_t i = 0; i < among_n; i++) {
        s->open[among[i]] = true;
    }
    seats_tie(s, TIE_LIST, at_stake, among, among_n);
}
