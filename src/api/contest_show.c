/* SPDX-License-Identifier: Apache-2.0 */
/* A contest's object of doc/api.md: totals, outcome by its rule, and the steps to redo it. */
#include "api_int.h"
#include "core/readings.h"

/* What the parts of the object are made from. */
struct view {
    const struct tally    *tally;
    const struct election *election;
    const struct contest  *contest;
    struct contest_ix      ix;
    const struct method   *method;
    const struct outcome  *outcome;
    const struct reading  *readings;
    uint32_t               readings_n;
    bool                   counted; /* else every number is null */
    struct tly_hash        result;  /* what a certificate names */
};

static json_t *
number(uint64_t v)
{
    return json_integer((json_int_t)v);
}

static const char *
candidate_code(const struct view *v, uint32_t i)
{
    return v->election->candidates[v->contest->candidates_first + i].code;
}

/* A list's code; the pool of independents has none of its own. */
static const char *
list_code(const struct view *v, uint32_t i)
{
    return i < v->contest->lists_n ? v->election->lists[v->contest->lists_first + i].code : "pool";
}

static json_t *
parameters(const struct view *v, const uint32_t params[])
{
    json_t *out = json_object();
    for (unsigned i = 0; i < v->method->params_n; i++) {
        const struct method_param *p     = &v->method->params[i];
        const uint32_t             value = params[i];
        json_t                    *shown = p->words != NULL ? json_string(p->words[value])
                                           : p->boolean     ? json_boolean(value)
                                                            : number(value);
        json_object_set_new(out, p->name, shown);
    }
    return out;
}

static json_t *
lists(const struct view *v)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < v->contest->lists_n; i++) {
        const struct list_ix ix   = {v->contest->lists_first + i};
        const struct list   *list = &v->election->lists[ix.v];
        json_t              *o    = json_object();
        json_object_set_new(o, "list", json_string(list->code));
        json_object_set_new(o, "name", api_show_name(&list->name));
        const bool shown = v->counted && v->method->lists;
        json_object_set_new(o, "ballots",
                            shown ? number(v->tally->options[v->contest->options_first + i])
                                  : json_null());
        json_object_set_new(o, "votes",
                            shown ? number(tally_list_votes(v->tally, ix)) : json_null());
        json_object_set_new(o, "seats",
                            shown && v->outcome->list_seats != NULL
                                ? number(v->outcome->list_seats[i])
                                : json_null());
        json_array_append_new(out, o);
    }
    return out;
}

static bool
among(const uint32_t list[], uint32_t n, uint32_t what)
{
    for (uint32_t i = 0; i < n; i++) {
        if (list[i] == what) {
            return true;
        }
    }
    return false;
}

static json_t *
elected(const struct view *v, uint32_t i)
{
    if (!v->counted) {
        return json_null();
    }
    if (among(v->outcome->winners, v->outcome->winners_n, i)) {
        return json_string("main");
    }
    return among(v->outcome->alternates, v->outcome->alternates_n, i) ? json_string("alternate")
                                                                      : json_null();
}

static json_t *
candidate(const struct view *v, uint32_t i)
{
    const struct candidate_ix ix  = {v->contest->candidates_first + i};
    const struct candidate   *c   = &v->election->candidates[ix.v];
    const uint32_t            o_i = v->contest->options_first + v->contest->lists_n + i;
    json_t                   *o   = json_object();
    json_object_set_new(o, "candidate", json_string(c->code));
    json_object_set_new(o, "name", api_show_name(&c->name));
    json_object_set_new(o, "list",
                        c->list.v == IX_NONE ? json_null()
                                             : json_string(v->election->lists[c->list.v].code));
    const uint64_t votes = v->counted ? tally_candidate_votes(v->tally, ix) : 0;
    json_object_set_new(o, "votes", v->counted ? number(votes) : json_null());
    if (v->method->credits) {
        const uint64_t personal = v->tally->options[o_i];
        json_object_set_new(o, "personal", v->counted ? number(personal) : json_null());
        json_object_set_new(o, "by_list", v->counted ? number(votes - personal) : json_null());
    }
    const bool excluded = v->tally->excluded[ix.v];
    json_object_set_new(o, "elected", elected(v, i));
    json_object_set_new(o, "excluded", json_boolean(excluded));
    json_object_set_new(o, "rank",
                        v->counted && !excluded ? number(v->outcome->rank[i]) : json_null());
    return o;
}

static json_t *
candidates(const struct view *v)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < v->contest->candidates_n; i++) {
        json_array_append_new(out, candidate(v, i));
    }
    return out;
}

static json_t *
codes(const struct view *v, const uint32_t list[], uint32_t n, bool of_lists)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(
            out, json_string(of_lists ? list_code(v, list[i]) : candidate_code(v, list[i])));
    }
    return out;
}

static json_t *
ties(const struct view *v, const struct outcome *outcome)
{
    static const char *const kinds[] = {
        [TIE_SEAT] = "seat", [TIE_ALTERNATE] = "alternate", [TIE_LIST] = "list"};
    json_t *out = json_array();
    for (uint32_t i = 0; i < outcome->ties_n; i++) {
        const struct tie *tie = &outcome->ties[i];
        json_array_append_new(
            out, json_pack("{s:I,s:o,s:s}", "at_stake", (json_int_t)tie->at_stake, "among",
                           codes(v, tie->among, tie->among_n, tie->kind == TIE_LIST), "kind",
                           kinds[tie->kind]));
    }
    return out;
}

static json_t *
steps(const struct view *v)
{
    json_t *out = json_array();
    for (uint32_t i = 0; v->counted && i < v->outcome->steps_n; i++) {
        const struct step *s = &v->outcome->steps[i];
        json_array_append_new(
            out, json_pack(
                     "{s:s,s:o,s:I,s:I,s:{s:s,s:s}}", "step", s->name, "list",
                     s->entity == IX_NONE ? json_null() : json_string(list_code(v, s->entity)), "a",
                     (json_int_t)s->a, "b", (json_int_t)s->b, "text", "fa", s->fa, "en", s->en));
    }
    return out;
}

static json_t *
reading(const struct view *v, const struct reading *r)
{
    json_t *seats = json_object();
    for (uint32_t i = 0; i < v->contest->lists_n; i++) {
        json_object_set_new(seats, list_code(v, i), number(r->outcome.list_seats[i]));
    }
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "name", r->name, "parameters",
                     parameters(v, r->params), "seats", seats, "pool",
                     r->outcome.has_pool ? number(r->outcome.pool_seats) : json_null(), "winners",
                     codes(v, r->outcome.winners, r->outcome.winners_n, false), "ties",
                     ties(v, &r->outcome), "vacancies", number(r->outcome.vacancies), "differs",
                     r->differs);
}

/* What the other readings of the law would give; only of totals that there are. */
static json_t *
readings(const struct view *v)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < v->readings_n; i++) {
        json_array_append_new(out, reading(v, &v->readings[i]));
    }
    return out;
}

/* The facts of the definition. */
static void
put_facts(const struct view *v, json_t *o)
{
    const struct contest *c = v->contest;
    json_object_set_new(o, "contest", json_string(c->code));
    json_object_set_new(o, "area", json_string(v->election->areas[c->area.v].code));
    json_object_set_new(o, "name", api_show_name(&c->name));
    json_object_set_new(o, "rule", json_string(v->election->rules[c->rule].code));
    json_object_set_new(o, "method", json_string(v->method->name));
    json_object_set_new(o, "parameters", parameters(v, v->election->rules[c->rule].params));
    json_object_set_new(o, "seats", number(c->seats));
    json_object_set_new(o, "alternates_n", number(c->alternates));
}

/* Seats and people; provisional until every branch is counted. */
static void
put_outcome(const struct view *v, json_t *o)
{
    const struct outcome *r = v->outcome;
    json_object_set_new(o, "winners", codes(v, r->winners, v->counted ? r->winners_n : 0, false));
    json_object_set_new(o, "alternates",
                        codes(v, r->alternates, v->counted ? r->alternates_n : 0, false));
    json_object_set_new(o, "ties", ties(v, r));
    json_object_set_new(o, "vacancies", v->counted ? number(r->vacancies) : json_null());
}

/* Outcome and, when asked for, readings of what is counted. */
static enum tly_err
count(struct view *v, bool whole, struct tly_arena *arena, struct outcome *outcome,
      struct reading **readings)
{
    struct method_input in;
    enum tly_err        err = outcome_input(v->tally, v->ix, arena, &in);
    if (err == TLY_OK) {
        err = outcome_of(v->method, &in, arena, outcome);
    }
    if (err == TLY_OK && whole) {
        err = decision_result(v->tally, v->ix, arena, &v->result);
    }
    if (err == TLY_OK && whole) {
        err = readings_of(v->method, &in, outcome, arena, readings, &v->readings_n);
    }
    return err;
}

json_t *
api_show_contest(const struct tally *tally, struct contest_ix ix, bool whole,
                 struct tly_arena *arena)
{
    const struct election *election = tally->election;
    const struct contest  *contest  = &election->contests[ix.v];
    struct outcome         outcome  = {0};
    struct reading        *list     = NULL;
    const struct progress *progress = &tally->contests[ix.v].progress;
    struct view            v        = {.tally    = tally,
                                       .election = election,
                                       .contest  = contest,
                                       .ix       = ix,
                                       .method   = election->rules[contest->rule].method,
                                       .outcome  = &outcome,
                                       .counted  = progress->counted > 0};
    if (v.counted && count(&v, whole, arena, &outcome, &list) != TLY_OK) {
        return NULL;
    }
    v.readings = list;
    json_t *o  = json_object();
    put_facts(&v, o);
    json_object_set_new(
        o, "status", json_string(tally_contest_status(tally, ix, v.counted && outcome.ties_n > 0)));
    json_object_set_new(o, "final", json_boolean(tally_is_certified(tally, ix)));
    json_object_set_new(o, "progress", api_show_progress(progress));
    json_object_set_new(o, "ballots", api_show_totals(&tally->contests[ix.v].totals, progress));
    json_object_set_new(o, "lists", lists(&v));
    json_object_set_new(o, "pool",
                        v.counted && v.method->lists && outcome.has_pool
                            ? json_pack("{s:I,s:I}", "votes", (json_int_t)outcome.pool_votes,
                                        "seats", (json_int_t)outcome.pool_seats)
                            : json_null());
    if (whole) {
        json_object_set_new(o, "candidates", candidates(&v));
    }
    put_outcome(&v, o);
    if (whole) {
        json_object_set_new(o, "steps", steps(&v));
        json_object_set_new(o, "readings", readings(&v));
        json_object_set_new(o, "result", v.counted ? api_show_hash(&v.result) : json_null());
    }
    json_object_set_new(o, "position", number(tally->contests[ix.v].position));
    return o;
}
