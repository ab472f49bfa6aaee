/* SPDX-License-Identifier: Apache-2.0 */
#include "core/readings.h"

#include "base/check.h"
#include "base/text.h"

struct work {
    const struct method       *method;
    const struct method_input *in;
    const struct outcome      *own;
    struct tly_arena          *arena;
    struct reading            *list;
    uint32_t                   n;
};

static bool
same_places(const uint32_t a[], uint32_t a_n, const uint32_t b[], uint32_t b_n)
{
    return a_n == b_n && (a_n == 0 || memcmp(a, b, a_n * sizeof *a) == 0);
}

/* The next tie from i on that a seat depends on; ties_n when there is none. */
static uint32_t
seat_tie(const struct outcome *o, uint32_t i)
{
    while (i < o->ties_n && o->ties[i].kind == TIE_ALTERNATE) {
        i++;
    }
    return i;
}

static bool
same_ties(const struct outcome *a, const struct outcome *b)
{
    uint32_t i = seat_tie(a, 0), k = seat_tie(b, 0);
    for (; i < a->ties_n && k < b->ties_n; i = seat_tie(a, i + 1), k = seat_tie(b, k + 1)) {
        const struct tie *x = &a->ties[i], *y = &b->ties[k];
        if (x->kind != y->kind || x->at_stake != y->at_stake ||
            !same_places(x->among, x->among_n, y->among, y->among_n)) {
            return false;
        }
    }
    return i >= a->ties_n && k >= b->ties_n;
}

/* Both stand on the same votes and the same order, so equal sets are equal arrays. */
static bool
same_elected(const struct method_input *in, const struct outcome *a, const struct outcome *b)
{
    return same_places(a->winners, a->winners_n, b->winners, b->winners_n) &&
           same_places(a->list_seats, a->list_seats == NULL ? 0 : in->lists_n, b->list_seats,
                       b->list_seats == NULL ? 0 : in->lists_n) &&
           a->pool_seats == b->pool_seats && a->vacancies == b->vacancies && same_ties(a, b);
}

/* Runs the reading that stands at list[n] unless its parameters were met before. */
static enum tly_err
reading_try(struct work *w)
{
    struct reading *r = &w->list[w->n];
    for (uint32_t i = 0; i < w->n; i++) {
        if (memcmp(w->list[i].params, r->params, sizeof r->params) == 0) {
            return TLY_OK;
        }
    }
    struct method_input in = *w->in;
    in.params              = r->params;
    in.quiet               = true;
    r->outcome             = (struct outcome){.votes      = w->own->votes,
                                              .list_votes = w->own->list_votes,
                                              .pool_votes = w->own->pool_votes,
                                              .has_pool   = w->own->has_pool,
                                              .rank       = w->own->rank,
                                              .order      = w->own->order,
                                              .ranked_n   = w->own->ranked_n};
    const enum tly_err err = w->method->run(&in, w->arena, &r->outcome);
    if (err == TLY_OK) {
        r->differs = !same_elected(&in, w->own, &r->outcome);
        w->n++;
    }
    return err;
}

static struct reading *
blank(struct work *w)
{
    TLY_CHECK(w->n < READINGS_MAX);
    struct reading *r = &w->list[w->n];
    memset(r, 0, sizeof *r);
    memcpy(r->params, w->in->params, w->method->params_n * sizeof *r->params);
    return r;
}

static enum tly_err
variants(struct work *w)
{
    enum tly_err err = TLY_OK;
    for (const struct method_variant *v = w->method->variants;
         err == TLY_OK && v != NULL && v->name; v++) {
        struct reading *r = blank(w);
        struct text     text;
        text_init(&text, r->name, sizeof r->name);
        text_add(&text, v->name);
        for (unsigned i = 0; i < METHOD_VARIANT_SETS && v->set[i].param != NULL; i++) {
            const int at = method_param_find(w->method, tly_text(v->set[i].param));
            TLY_CHECK(at >= 0);
            r->params[at] = v->set[i].value;
        }
        err = reading_try(w);
    }
    return err;
}

/* Every other word of one parameter. */
static enum tly_err
alone(struct work *w, unsigned at)
{
    const struct method_param *p   = &w->method->params[at];
    enum tly_err               err = TLY_OK;
    for (uint32_t value = 0; value <= p->max && err == TLY_OK; value++) {
        if (value == w->in->params[at]) {
            continue;
        }
        struct reading *r = blank(w);
        struct text     text;
        text_init(&text, r->name, sizeof r->name);
        text_add(&text, p->name);
        text_add(&text, "=");
        text_add(&text, p->words[value]);
        TLY_CHECK(!text.cut);
        r->params[at] = value;
        err           = reading_try(w);
    }
    return err;
}

enum tly_err
readings_of(const struct method *method, const struct method_input *in, const struct outcome *own,
            struct tly_arena *arena, struct reading **out, uint32_t *out_n)
{
    struct work w = {.method = method, .in = in, .own = own, .arena = arena};
    if (method->variants == NULL) {
        *out   = NULL;
        *out_n = 0;
        return TLY_OK;
    }
    w.list = TLY_NEW(arena, struct reading, READINGS_MAX);
    if (w.list == NULL) {
        return TLY_ENOMEM;
    }
    enum tly_err err = variants(&w);
    for (unsigned i = 0; i < method->params_n && err == TLY_OK; i++) {
        if (method->params[i].reading) {
            err = alone(&w, i);
        }
    }
    if (err == TLY_OK) {
        *out   = w.list;
        *out_n = w.n;
    }
    return err;
}
