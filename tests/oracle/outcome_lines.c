/* SPDX-License-Identifier: Apache-2.0 */
/* The core's outcome of any contest, for the oracle to compare: a contest a line in, a result a line
 * out, both JSON.
 *
 * {"method":WORD,"parameters":{NAME:WORD|N|BOOL},"seats":N,"alternates":N,"valid":N,"lists":[BALLOTS],
 *  "persons":[[LIST|-1,VOTES]],"excluded":[I],"orders":[["list"|"person",[I]]]} gives {"seats":[N],"pool":[VOTES,SEATS]|null,"votes":[N],
 *  "list_votes":[N],"winners":[I],"alternates":[I],"rank":[N],"ties":[[KIND,N,[I]]],"vacancies":N};
 * lists and persons are numbers from 0, in the order given, and the pool is the number behind the
 * lists; the newest order stands first.  Exit 2 for a line that cannot be read. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "core/outcome.h"

#define ARENA_MAX ((size_t)256 << 20)

static uint64_t
number(const json_t *value)
{
    TLY_CHECK(json_is_integer(value) && json_integer_value(value) >= 0);
    return (uint64_t)json_integer_value(value);
}

static uint32_t
param_value(const struct method_param *param, const json_t *value)
{
    if (param->boolean) {
        return json_is_true(value);
    }
    if (param->words == NULL) {
        return (uint32_t)number(value);
    }
    uint32_t i = 0;
    while (param->words[i] != NULL && strcmp(param->words[i], json_string_value(value)) != 0) {
        i++;
    }
    TLY_CHECK(param->words[i] != NULL);
    return i;
}

static void
params_read(const struct method *method, json_t *given, uint32_t params[])
{
    const char *name;
    json_t     *value;
    for (unsigned i = 0; i < method->params_n; i++) {
        params[i] = method->params[i].initial;
    }
    json_object_foreach(given, name, value)
    {
        const int at = method_param_find(method, tly_text(name));
        TLY_CHECK(at >= 0);
        params[at] = param_value(&method->params[at], value);
    }
}

static void
counts_read(const json_t *line, struct tly_arena *arena, struct method_input *in)
{
    const json_t *lists   = json_object_get(line, "lists");
    const json_t *persons = json_object_get(line, "persons");
    in->lists_n           = (uint32_t)json_array_size(lists);
    in->candidates_n      = (uint32_t)json_array_size(persons);
    uint64_t *ballots     = TLY_NEW(arena, uint64_t, in->lists_n);
    uint64_t *personal    = TLY_NEW(arena, uint64_t, in->candidates_n);
    uint32_t *of          = TLY_NEW(arena, uint32_t, in->candidates_n);
    TLY_CHECK(ballots != NULL && personal != NULL && of != NULL);
    for (uint32_t i = 0; i < in->lists_n; i++) {
        ballots[i] = number(json_array_get(lists, i));
    }
    for (uint32_t i = 0; i < in->candidates_n; i++) {
        const json_t    *person = json_array_get(persons, i);
        const json_int_t list   = json_integer_value(json_array_get(person, 0));
        of[i]                   = list < 0 ? IX_NONE : (uint32_t)list;
        personal[i]             = number(json_array_get(person, 1));
    }
    in->list_ballots   = ballots;
    in->personal       = personal;
    in->candidate_list = of;
    in->valid_ballots  = number(json_object_get(line, "valid"));
    in->seats          = (uint32_t)number(json_object_get(line, "seats"));
    in->alternates     = (uint32_t)number(json_object_get(line, "alternates"));
}

/* Who takes no seat, and what people decided for equals; both may be left out. */
static void
decided_read(const json_t *line, struct tly_arena *arena, struct method_input *in)
{
    uint8_t *excluded = TLY_NEW(arena, uint8_t, in->candidates_n + 1);
    size_t   i;
    json_t  *value;
    TLY_CHECK(excluded != NULL);
    json_array_foreach(json_object_get(line, "excluded"), i, value)
    {
        const uint64_t person = number(value);
        TLY_CHECK(person < in->candidates_n);
        excluded[person] = 1;
    }
    in->excluded = excluded;

    const json_t *orders = json_object_get(line, "orders");
    for (size_t k = json_array_size(orders); k-- > 0;) {
        const json_t  *of    = json_array_get(json_array_get(orders, k), 0);
        const json_t  *order = json_array_get(json_array_get(orders, k), 1);
        const uint32_t n     = (uint32_t)json_array_size(order);
        struct lot    *lot   = tly_arena_alloc(arena, 1, sizeof *lot + n * sizeof lot->order[0]);
        TLY_CHECK(lot != NULL);
        lot->before = in->lots;
        lot->lists  = strcmp(json_string_value(of), "list") == 0;
        lot->n      = n;
        json_array_foreach(order, i, value)
        {
            lot->order[i] = (uint32_t)number(value);
        }
        in->lots = lot;
    }
}

static json_t *
array32(const uint32_t list[], uint32_t n)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(out, json_integer(list[i]));
    }
    return out;
}

static json_t *
array64(const uint64_t list[], uint32_t n)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(out, json_integer((json_int_t)list[i]));
    }
    return out;
}

static json_t *
ties(const struct outcome *o)
{
    static const char *const kinds[] = {
        [TIE_SEAT] = "seat", [TIE_ALTERNATE] = "alternate", [TIE_LIST] = "list"};
    json_t *out = json_array();
    for (uint32_t i = 0; i < o->ties_n; i++) {
        const struct tie *tie = &o->ties[i];
        json_array_append_new(out, json_pack("[s,i,o]", kinds[tie->kind], (int)tie->at_stake,
                                             array32(tie->among, tie->among_n)));
    }
    return out;
}

static void
answer(const struct method_input *in, const struct outcome *o)
{
    json_t *pool = o->has_pool ? json_pack("[I,i]", (json_int_t)o->pool_votes, (int)o->pool_seats)
                               : json_null();
    json_t *out  = json_pack(
         "{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:i}", "seats",
         array32(o->list_seats, o->list_seats == NULL ? 0 : in->lists_n), "pool", pool, "votes",
         array64(o->votes, in->candidates_n), "list_votes", array64(o->list_votes, in->lists_n),
         "winners", array32(o->winners, o->winners_n), "alternates",
         array32(o->alternates, o->alternates_n), "rank", array32(o->rank, in->candidates_n), "ties",
         ties(o), "vacancies", (int)o->vacancies);
    TLY_CHECK(out != NULL && json_dumpf(out, stdout, JSON_COMPACT) == 0);
    (void)putchar('\n');
    json_decref(out);
}

static void
one(json_t *line)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct method_input              in = {0};
    struct outcome                   out;
    uint32_t                         params[METHOD_PARAMS_MAX] = {0};
    tly_arena_init(&arena, ARENA_MAX);
    const struct method *method =
        method_find(tly_text(json_string_value(json_object_get(line, "method"))));
    TLY_CHECK(method != NULL);
    params_read(method, json_object_get(line, "parameters"), params);
    in.params = params;
    counts_read(line, &arena, &in);
    decided_read(line, &arena, &in);
    const enum tly_err err = outcome_of(method, &in, &arena, &out);
    TLY_CHECK(err == TLY_OK);
    answer(&in, &out);
}

int
main(void)
{
    char   *text = NULL;
    size_t  room = 0;
    ssize_t len;
    while ((len = getline(&text, &room, stdin)) > 0) {
        json_t *line = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
        if (line == NULL) {
            return 2;
        }
        one(line);
        json_decref(line);
    }
    free(text);
    return fflush(stdout) == 0 ? 0 : 2;
}
