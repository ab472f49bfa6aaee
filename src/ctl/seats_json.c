/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/json.h"
#include "seats.h"

const char *
seats_entity(const struct seats_contest *c, uint32_t entity)
{
    return entity < c->in.lists_n ? c->ids[entity] : "pool";
}

/* Readings on the base of ballots stay away while nobody said how many there are. */
static bool
told(const struct seats_contest *c, const struct reading *r)
{
    const int base = method_param_find(c->method, tly_text("base"));
    return c->valid_given || base < 0 || r->params[base] == 0;
}

enum tly_err
seats_count(const struct seats_contest *c, struct tly_arena *arena, struct seats_result *out)
{
    *out             = (struct seats_result){0};
    enum tly_err err = outcome_of(c->method, &c->in, arena, &out->outcome);
    uint32_t     n   = 0;
    if (err == TLY_OK) {
        err = readings_of(c->method, &c->in, &out->outcome, arena, &out->readings, &n);
    }
    for (uint32_t i = 0; i < n && err == TLY_OK; i++) {
        if (told(c, &out->readings[i])) {
            out->readings[out->readings_n++] = out->readings[i];
        }
    }
    return err;
}

static json_t *
number(uint64_t n)
{
    return json_integer(n <= INT64_MAX ? (json_int_t)n : INT64_MAX);
}

static json_t *
parameters(const struct method *method, const uint32_t params[])
{
    json_t *out = json_object();
    for (unsigned i = 0; i < method->params_n; i++) {
        const struct method_param *p = &method->params[i];
        (void)json_object_set_new(out, p->name,
                                  p->words != NULL ? json_string(p->words[params[i]])
                                  : p->boolean     ? json_boolean(params[i])
                                                   : number(params[i]));
    }
    return out;
}

static json_t *
ids(const struct seats_contest *c, const uint32_t places[], uint32_t n)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < n; i++) {
        (void)json_array_append_new(
            out, json_string(c->method->lists ? seats_entity(c, places[i]) : c->ids[places[i]]));
    }
    return out;
}

static json_t *
tie(const struct seats_contest *c, const struct tie *t)
{
    return json_pack("{s:o,s:o}", "at_stake", number(t->at_stake), "among",
                     ids(c, t->among, t->among_n));
}

/* The draw for the last seats, of which there is one at most; draws among alternates beside it. */
static void
put_ties(json_t *line, const struct seats_contest *c, const struct outcome *o)
{
    json_t *others = json_array();
    for (uint32_t i = 0; i < o->ties_n; i++) {
        if (o->ties[i].kind == TIE_ALTERNATE) {
            (void)json_array_append_new(others, tie(c, &o->ties[i]));
        } else {
            (void)json_object_set_new(line, "ties", tie(c, &o->ties[i]));
        }
    }
    if (json_array_size(others) > 0) {
        (void)json_object_set(line, "alternate_ties", others);
    }
    json_decref(others);
}

static void
put_elected(json_t *line, const struct seats_contest *c, const struct outcome *o)
{
    if (c->method->lists) {
        json_t *seats = json_object();
        for (uint32_t l = 0; l < c->in.lists_n; l++) {
            (void)json_object_set_new(seats, c->ids[l], number(o->list_seats[l]));
        }
        (void)json_object_set_new(line, "seats", seats);
        if (o->has_pool) {
            (void)json_object_set_new(line, "pool", number(o->pool_seats));
        }
    } else {
        (void)json_object_set_new(line, "winners", ids(c, o->winners, o->winners_n));
        (void)json_object_set_new(line, "alternates", ids(c, o->alternates, o->alternates_n));
    }
    put_ties(line, c, o);
    (void)json_object_set_new(line, "unfilled", number(o->vacancies));
}

static json_t *
steps(const struct seats_contest *c, const struct outcome *o)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < o->steps_n; i++) {
        const struct step *s = &o->steps[i];
        (void)json_array_append_new(
            out,
            json_pack("{s:s,s:o,s:o,s:o,s:{s:s,s:s}}", "step", s->name, "list",
                      s->entity == IX_NONE ? json_null() : json_string(seats_entity(c, s->entity)),
                      "a", number(s->a), "b", number(s->b), "text", "fa", s->fa, "en", s->en));
    }
    return out;
}

static json_t *
reading(const struct seats_contest *c, const struct reading *r)
{
    json_t *out = json_object();
    (void)json_object_set_new(out, "name", json_string(r->name));
    (void)json_object_set_new(out, "parameters", parameters(c->method, r->params));
    put_elected(out, c, &r->outcome);
    (void)json_object_set_new(out, "differs", json_boolean(r->differs));
    return out;
}

json_t *
seats_json(const struct seats_contest *c, const struct seats_result *r)
{
    json_t *line = json_object();
    (void)json_object_set_new(line, "id", json_string(c->id));
    put_elected(line, c, &r->outcome);
    (void)json_object_set_new(line, "method", json_string(c->method->name));
    (void)json_object_set_new(line, "parameters", parameters(c->method, c->params));
    (void)json_object_set_new(line, "steps", steps(c, &r->outcome));
    if (c->method->variants != NULL) {
        json_t *list = json_array();
        for (uint32_t i = 0; i < r->readings_n; i++) {
            (void)json_array_append_new(list, reading(c, &r->readings[i]));
        }
        (void)json_object_set_new(line, "readings", list);
    }
    return line;
}
