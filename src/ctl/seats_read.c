/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pack/json.h"
#include "seats.h"

#define THRESHOLD_UNIT 10000 /* basis points: four places */

struct reader {
    struct seats_contest *c;
    json_t               *root;
    struct tly_arena     *arena;
    struct tly_diag      *diag;
    const char           *array; /* "lists" or "candidates", for the names of fields */
    uint64_t              votes; /* of all so far */
};

/* A key that may be absent; null is absent. */
static json_t *
member(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static enum tly_err
whole(const struct reader *r, const json_t *value, const char *field, uint64_t min, uint64_t max,
      uint64_t *out)
{
    if (value == NULL) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", field, "%s is missing", field);
    }
    if (!json_is_integer(value)) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", field, "%s is not a whole number", field);
    }
    const json_int_t n = json_integer_value(value);
    if (n < 0 || (uint64_t)n < min || (uint64_t)n > max) {
        return tly_fail_at(r->diag, TLY_ERANGE, "", field,
                           "%s is %" JSON_INTEGER_FORMAT ", not %" PRIu64 " to %" PRIu64, field, n,
                           min, max);
    }
    *out = (uint64_t)n;
    return TLY_OK;
}

static enum tly_err
whole_u32(const struct reader *r, const char *key, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t           n   = 0;
    const enum tly_err err = whole(r, member(r->root, key), key, min, max, &n);
    if (err == TLY_OK) {
        *out = (uint32_t)n;
    }
    return err;
}

static enum tly_err
string(const struct reader *r, const json_t *value, const char *field, const char **out)
{
    if (!json_is_string(value)) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", field,
                           value == NULL ? "%s is missing" : "%s is not a string", field);
    }
    *out = json_string_value(value);
    return TLY_OK;
}

/* "block" may be left out where candidates stand at the top. */
static enum tly_err
read_method(struct reader *r)
{
    const char   *name  = "block";
    const json_t *value = member(r->root, "method");
    if (value != NULL || member(r->root, "candidates") == NULL) {
        const enum tly_err err = string(r, value, "method", &name);
        if (err != TLY_OK) {
            return err;
        }
    }
    r->c->method = method_find(tly_text(name));
    if (r->c->method != NULL) {
        return TLY_OK;
    }
    char        names[160];
    struct text text;
    text_init(&text, names, sizeof names);
    for (unsigned i = 0; method_at(i) != NULL; i++) {
        text_add(&text, i == 0 ? "" : ", ");
        text_add(&text, method_at(i)->name);
    }
    return tly_fail_at(r->diag, TLY_EINPUT, "", "method", "method is \"%.40s\", none of: %s", name,
                       names);
}

/* ---- parameters ----------------------------------------------------------------------------- */

static enum tly_err
param_word(const struct reader *r, const struct method_param *p, const json_t *value,
           const char *field, uint32_t *out)
{
    const char *word = json_string_value(value);
    char        words[160];
    struct text text;
    text_init(&text, words, sizeof words);
    for (uint32_t i = 0; p->words[i] != NULL; i++) {
        if (word != NULL && strcmp(word, p->words[i]) == 0) {
            *out = i;
            return TLY_OK;
        }
        text_add(&text, i == 0 ? "" : ", ");
        text_add(&text, p->words[i]);
    }
    return tly_fail_at(r->diag, TLY_EINPUT, "", field, "%s is none of: %s", field, words);
}

static enum tly_err
param_read(const struct reader *r, const struct method_param *p, const json_t *value,
           const char *field, uint32_t *out)
{
    if (p->words != NULL) {
        return param_word(r, p, value, field, out);
    }
    if (p->boolean) {
        *out = json_is_true(value);
        return json_is_boolean(value)
                   ? TLY_OK
                   : tly_fail_at(r->diag, TLY_EINPUT, "", field, "%s is not true or false", field);
    }
    uint64_t           n   = 0;
    const enum tly_err err = whole(r, value, field, p->min, p->max, &n);
    if (err == TLY_OK) {
        *out = (uint32_t)n;
    }
    return err;
}

static enum tly_err
read_parameters(const struct reader *r)
{
    const json_t        *object = member(r->root, "parameters");
    const struct method *method = r->c->method;
    const char          *key;
    json_t              *value;
    if (object == NULL) {
        return TLY_OK;
    }
    if (!json_is_object(object)) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", "parameters", "parameters is not an object");
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const int at = method_param_find(method, tly_text(key));
        if (at < 0) {
            r->c->unread = key;
            continue;
        }
        char field[96];
        (void)snprintf(field, sizeof field, "parameters.%s", key);
        const enum tly_err err =
            param_read(r, &method->params[at], value, field, &r->c->params[at]);
        if (err != TLY_OK) {
            return err;
        }
    }
    return TLY_OK;
}

/* The place of a parameter that has a key of its own at the top; -1: key absent, or the method does
 * not know it. */
static int
own_key(const struct reader *r, const char *key, const char *param)
{
    if (member(r->root, key) == NULL) {
        return -1;
    }
    const int at = method_param_find(r->c->method, tly_text(param));
    if (at < 0) {
        r->c->unread = key;
    }
    return at;
}

/* A share with at most four places.  The nearest binary fraction of n/10000 is what JSON's text
 * became, so the comparison is exact; no sum is ever made with it. */
static enum tly_err
read_threshold(const struct reader *r)
{
    const int     at    = own_key(r, "threshold", "threshold_bp");
    const json_t *value = member(r->root, "threshold");
    if (at < 0) {
        return TLY_OK;
    }
    if (!json_is_number(value)) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", "threshold", "threshold is not a number");
    }
    const double share = json_number_value(value);
    if (!(share >= 0 && share <= 1)) {
        return tly_fail_at(r->diag, TLY_ERANGE, "", "threshold",
                           "threshold is %g, not a share from 0 to 1", share);
    }
    const uint32_t bp = (uint32_t)(share * THRESHOLD_UNIT + 0.5);
    if ((double)bp / THRESHOLD_UNIT != share) {
        return tly_fail_at(r->diag, TLY_ERANGE, "", "threshold",
                           "threshold %.10g has more than 4 decimal places", share);
    }
    r->c->params[at] = bp;
    return TLY_OK;
}

static enum tly_err
read_rules(const struct reader *r)
{
    const struct method *method = r->c->method;
    for (unsigned i = 0; i < method->params_n; i++) {
        r->c->params[i] = method->params[i].initial;
    }
    enum tly_err err = read_parameters(r);
    if (err == TLY_OK) {
        err = read_threshold(r);
    }
    const int rule = own_key(r, "threshold_rule", "threshold_rule");
    if (err == TLY_OK && rule >= 0) {
        err = param_word(r, &method->params[rule], member(r->root, "threshold_rule"),
                         "threshold_rule", &r->c->params[rule]);
    }
    const int equal = own_key(r, "equal_quotients_rule", "equal_quotients");
    if (err == TLY_OK && equal >= 0) {
        const char *free_text;
        err =
            string(r, member(r->root, "equal_quotients_rule"), "equal_quotients_rule", &free_text);
        r->c->params[equal] = 1; /* more_votes */
    }
    return err;
}

/* ---- lists and candidates ------------------------------------------------------------------- */

static enum tly_err
add_votes(struct reader *r, const json_t *object, const char *of, uint64_t *votes)
{
    char field[96];
    (void)snprintf(field, sizeof field, "%s.votes", of);
    const enum tly_err err = whole(r, member(object, "votes"), field, 0, INT64_MAX, votes);
    if (err != TLY_OK) {
        return err;
    }
    if (*votes > INT64_MAX - r->votes) {
        return tly_fail_at(r->diag, TLY_ERANGE, "", field,
                           "with %s all votes together are more than %" PRIi64, field, INT64_MAX);
    }
    r->votes += *votes;
    return TLY_OK;
}

/* Absent: as many as there are seats. */
static enum tly_err
persons(const struct reader *r, const json_t *object, const char *of, uint32_t *out)
{
    const json_t *value = member(object, "candidates");
    uint64_t      n     = r->c->in.seats;
    char          field[96];
    (void)snprintf(field, sizeof field, "%s.candidates", of);
    const enum tly_err err = value == NULL ? TLY_OK : whole(r, value, field, 0, UINT32_MAX, &n);
    *out                   = (uint32_t)n;
    return err;
}

/* The object at place i, and its id, which nobody before it has. */
static enum tly_err
element(const struct reader *r, const json_t *array, size_t i, json_t *seen, char of[32],
        json_t **out)
{
    char field[96];
    (void)snprintf(of, 32, "%s[%zu]", r->array, i);
    *out = json_array_get(array, i);
    if (!json_is_object(*out)) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", of, "%s is not an object", of);
    }
    (void)snprintf(field, sizeof field, "%s.id", of);
    const enum tly_err err = string(r, member(*out, "id"), field, &r->c->ids[i]);
    if (err != TLY_OK) {
        return err;
    }
    if (json_object_get(seen, r->c->ids[i]) != NULL) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", field, "%s is \"%.80s\" a second time", field,
                           r->c->ids[i]);
    }
    return json_object_set_new(seen, r->c->ids[i], json_true()) == 0 ? TLY_OK : TLY_ENOMEM;
}

static enum tly_err
array_of(struct reader *r, const char *key, const json_t **out)
{
    const json_t *array = member(r->root, key);
    r->array            = key;
    if (array == NULL) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", key, "%s is missing", key);
    }
    if (json_array_size(array) == 0) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", key,
                           json_is_array(array) ? "%s is empty" : "%s is not an array", key);
    }
    if (json_array_size(array) > UINT32_MAX / 2) {
        return tly_fail_at(r->diag, TLY_ERANGE, "", key, "%s is too long", key);
    }
    *out      = array;
    r->c->ids = TLY_NEW(r->arena, const char *, json_array_size(array));
    return r->c->ids != NULL ? TLY_OK : TLY_ENOMEM;
}

static enum tly_err
read_pool(struct reader *r, struct method_totals *pool)
{
    const json_t *object = member(r->root, "pool");
    if (object == NULL) {
        return TLY_OK;
    }
    if (!json_is_object(object)) {
        return tly_fail_at(r->diag, TLY_EINPUT, "", "pool", "pool is not an object");
    }
    r->c->in.totals_pool = true;
    enum tly_err err     = add_votes(r, object, "pool", &pool->votes);
    return err == TLY_OK ? persons(r, object, "pool", &pool->persons) : err;
}

static enum tly_err
read_lists(struct reader *r)
{
    const json_t *array = NULL;
    enum tly_err  err   = array_of(r, "lists", &array);
    if (err != TLY_OK) {
        return err;
    }
    TLY_AUTO(json) json_t *seen   = json_object();
    const size_t           n      = json_array_size(array);
    struct method_totals  *totals = TLY_NEW(r->arena, struct method_totals, n + 1);
    if (totals == NULL) {
        return TLY_ENOMEM;
    }
    for (size_t i = 0; i < n && err == TLY_OK; i++) {
        char    of[32];
        json_t *list;
        err = element(r, array, i, seen, of, &list);
        if (err == TLY_OK) {
            err = add_votes(r, list, of, &totals[i].votes);
        }
        if (err == TLY_OK) {
            err = persons(r, list, of, &totals[i].persons);
        }
    }
    r->c->in.lists_n = (uint32_t)n;
    r->c->in.totals  = totals;
    return err == TLY_OK ? read_pool(r, &totals[n]) : err;
}

static enum tly_err
read_candidates(struct reader *r)
{
    const json_t *array = NULL;
    enum tly_err  err   = array_of(r, "candidates", &array);
    if (err != TLY_OK) {
        return err;
    }
    TLY_AUTO(json) json_t *seen  = json_object();
    const size_t           n     = json_array_size(array);
    uint64_t              *votes = TLY_NEW(r->arena, uint64_t, n);
    uint32_t              *list  = TLY_NEW(r->arena, uint32_t, n);
    if (votes == NULL || list == NULL) {
        return TLY_ENOMEM;
    }
    for (size_t i = 0; i < n && err == TLY_OK; i++) {
        char    of[32];
        json_t *candidate;
        list[i] = IX_NONE;
        err     = element(r, array, i, seen, of, &candidate);
        if (err == TLY_OK) {
            err = add_votes(r, candidate, of, &votes[i]);
        }
    }
    r->c->in.candidates_n   = (uint32_t)n;
    r->c->in.personal       = votes;
    r->c->in.candidate_list = list;
    if (err == TLY_OK && member(r->root, "alternates") != NULL) {
        err = whole_u32(r, "alternates", 0, SEATS_MAX, &r->c->in.alternates);
    }
    return err;
}

/* Ballots are the base of one reading; without their number it cannot be told. */
static enum tly_err
read_valid(const struct reader *r)
{
    const json_t *value = member(r->root, "valid_ballots");
    const int     base  = method_param_find(r->c->method, tly_text("base"));
    if (base < 0 || (value == NULL && r->c->params[base] == 0)) {
        return TLY_OK;
    }
    r->c->valid_given = true;
    return whole(r, value, "valid_ballots", 0, INT64_MAX, &r->c->in.valid_ballots);
}

enum tly_err
seats_read(json_t *root, struct tly_arena *arena, struct seats_contest *out, struct tly_diag *diag)
{
    *out            = (struct seats_contest){0};
    struct reader r = {.c = out, .root = root, .arena = arena, .diag = diag};
    if (!json_is_object(root)) {
        return tly_fail_at(diag, TLY_EINPUT, "", "", "the line is not a JSON object");
    }
    enum tly_err err = string(&r, json_object_get(root, "id"), "id", &out->id);
    if (err == TLY_OK) {
        err = read_method(&r);
    }
    if (err == TLY_OK) {
        err = whole_u32(&r, "seats", 1, SEATS_MAX, &out->in.seats);
    }
    if (err == TLY_OK) {
        err = read_rules(&r);
    }
    if (err == TLY_OK) {
        err = out->method->lists ? read_lists(&r) : read_candidates(&r);
    }
    if (err == TLY_OK) {
        err = read_valid(&r);
    }
    out->in.params = out->params;
    return err;
}
