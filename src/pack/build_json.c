/* SPDX-License-Identifier: Apache-2.0 */
/* election.json: head, rules, limits, policy. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "build.h"
#include "core/envelope.h"
#include "pack/json.h"
#include "where.h"

#define FILE_NAME     "election.json"
#define FORMAT        "tally-definition/1"
#define TIME_ZONE_MAX 64
#define BP_MAX        10000

struct reader {
    struct build    *b;
    struct tly_bytes text;
};

/* How one limit is called, where it goes, and what holds when it is absent. */
static const struct limit_row {
    const char *name;
    size_t      offset;
    uint32_t    initial, max;
} limit_rows[] = {
    {"P01_bp", offsetof(struct limits, p01_bp), 300, BP_MAX},
    {"P02_bp", offsetof(struct limits, p02_bp), 300, BP_MAX},
    {"P03_bp", offsetof(struct limits, p03_bp), 200, BP_MAX},
    {"P03_abs", offsetof(struct limits, p03_abs), 15, ELECTION_COUNT_MAX},
    {"P05_bp", offsetof(struct limits, p05_bp), 9900, BP_MAX},
    {"P06_bp", offsetof(struct limits, p06_bp), 2000, BP_MAX},
    {"P07_bp", offsetof(struct limits, p07_bp), 10000, BP_MAX},
    {"P08_min", offsetof(struct limits, p08_min), 30, ELECTION_COUNT_MAX},
    {"N08_missing_bp", offsetof(struct limits, n08_missing_bp), 200, BP_MAX},
};

#define Q(commission, supervision, operator)                                                       \
    {                                                                                              \
        .n = { commission, supervision, operator}                                                  \
    }
static const struct policy policy_initial = {
    .root  = 1,
    .kinds = {[POLICY_RELEASE]   = Q(1, 1, 0),
              [POLICY_EXPLAIN]   = Q(1, 0, 0),
              [POLICY_ANNUL]     = Q(0, 2, 0),
              [POLICY_REINSTATE] = Q(0, 2, 0),
              [POLICY_LOT]       = Q(1, 1, 0),
              [POLICY_EXCLUDE]   = Q(1, 1, 0),
              [POLICY_KEY]       = Q(1, 0, 1),
              [POLICY_STATE]     = Q(1, 0, 1),
              [POLICY_CERTIFY]   = Q(2, 1, 0),
              [POLICY_REVISE]    = Q(0, 1, 0)},
};
#undef Q

/* A fault at a member, named by its path. */
static void __attribute__((format(printf, 3, 4)))
fault(const struct reader *r, struct where where, const char *format, ...)
{
    char     text[256];
    char     path[256] = "";
    size_t   at        = 0;
    uint32_t line      = 0;
    uint32_t column    = 0;
    va_list  args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (unsigned i = 0; i < WHERE_KEYS_MAX && where.keys[i] != NULL; i++) {
        const int len =
            snprintf(path + at, sizeof path - at, "%s%.60s", i == 0 ? "" : ".", where.keys[i]);
        at += len > 0 ? (size_t)len : 0;
    }
    while (!where_find(r->text, &where, &line, &column)) {
        unsigned n = 0; /* a member that is missing: where its object stands */
        while (n < WHERE_KEYS_MAX && where.keys[n] != NULL) {
            n++;
        }
        if (n <= 1) {
            line   = 1;
            column = 1;
            break;
        }
        where.keys[n - 1] = NULL;
    }
    faults_add(r->b->faults, FILE_NAME, line, column, "%s %s", path, text);
}

#define AT(...)                                                                                    \
    (struct where)                                                                                 \
    {                                                                                              \
        .keys = { __VA_ARGS__ }                                                                    \
    }

/* A copy in the election's arena; "" when there is no memory, and build_json() ends with it. */
static const char *
keep(const struct reader *r, const char *text)
{
    const char *copy = tly_arena_text(r->b->arena, tly_text(text));
    r->b->full       = r->b->full || copy == NULL;
    return copy == NULL ? "" : copy;
}

/* A fault for each key that is none of `names`. */
static void
unknown_keys(const struct reader *r, json_t *object, const char *const names[], struct where where)
{
    const char *key;
    json_t     *value;
    unsigned    depth = 0;
    while (depth < WHERE_KEYS_MAX && where.keys[depth] != NULL) {
        depth++;
    }
    json_object_foreach(object, key, value)
    {
        bool known = false;
        for (unsigned i = 0; names[i] != NULL && !known; i++) {
            known = strcmp(names[i], key) == 0;
        }
        if (!known) {
            where.keys[depth] = key;
            fault(r, where, "is no key that stands here");
        }
    }
}

/* A required text; NULL after a fault. */
static const char *
text_of(const struct reader *r, json_t *root, const char *key)
{
    json_t *value = json_object_get(root, key);
    if (!json_is_string(value)) {
        fault(r, AT(key), value == NULL ? "is missing" : "must be a text");
        return NULL;
    }
    return json_string_value(value);
}

/* A whole number; `out` keeps what it was when it is absent or wrong. */
static void
number_of(const struct reader *r, json_t *value, struct where where, uint32_t min, uint32_t max,
          uint32_t *out)
{
    if (value == NULL) {
        return;
    }
    if (!json_is_integer(value) || json_integer_value(value) < (json_int_t)min ||
        json_integer_value(value) > (json_int_t)max) {
        fault(r, where, "must be a whole number from %" PRIu32 " to %" PRIu32, min, max);
        return;
    }
    *out = (uint32_t)json_integer_value(value);
}

/* Are all characters among [A-Za-z0-9] and `more`? */
static bool
made_of(const char *text, const char *more, size_t len_max)
{
    const size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            strchr(more, c) == NULL) {
            return false;
        }
    }
    return len >= 1 && len <= len_max;
}

static void
name_read(const struct reader *r, json_t *root)
{
    static const char *const names[] = {"fa", "en", NULL};
    struct election         *e       = r->b->election;
    json_t                  *name    = json_object_get(root, "name");
    e->name                          = (struct name){"", ""};
    if (!json_is_object(name)) {
        fault(r, AT("name"), name == NULL ? "is missing" : "must be {\"fa\":TEXT,\"en\":TEXT}");
        return;
    }
    unknown_keys(r, name, names, AT("name"));
    const char *fa = json_string_value(json_object_get(name, "fa"));
    const char *en = json_string_value(json_object_get(name, "en"));
    if (fa == NULL || en == NULL) {
        fault(r, AT("name", fa == NULL ? "fa" : "en"), "must be a text");
        return;
    }
    e->name = (struct name){keep(r, fa), keep(r, en)};
}

static void
head_read(const struct reader *r, json_t *root)
{
    struct election *e      = r->b->election;
    const char      *format = text_of(r, root, "format");
    const char      *code   = text_of(r, root, "election");
    const char      *domain = text_of(r, root, "domain");
    const char      *phase  = text_of(r, root, "phase");
    const char      *zone   = text_of(r, root, "time_zone");
    if (format != NULL && strcmp(format, FORMAT) != 0) {
        fault(r, AT("format"), "is \"%.60s\", it must be \"" FORMAT "\"", format);
    }
    if (code != NULL && !codes_valid(tly_text(code))) {
        fault(r, AT("election"), "\"%.80s\" is no code: 1 to %d of A-Z a-z 0-9 . _ -", code,
              CODE_LEN_MAX);
    }
    if (domain != NULL && !made_of(domain, ".-", BUILD_DOMAIN_MAX)) {
        fault(r, AT("domain"), "\"%.80s\" is no domain name of 1 to %d characters", domain,
              BUILD_DOMAIN_MAX);
    }
    if (zone != NULL && !made_of(zone, "/_+-", TIME_ZONE_MAX)) {
        fault(r, AT("time_zone"), "\"%.80s\" is no time zone such as \"Asia/Tehran\"", zone);
    }
    if (phase != NULL && !phase_find(tly_text(phase), &e->phase)) {
        fault(r, AT("phase"), "is \"%.40s\", it must be \"rehearsal\" or \"official\"", phase);
    }
    e->code      = keep(r, code == NULL ? "" : code);
    e->domain    = keep(r, domain == NULL ? "" : domain);
    e->time_zone = keep(r, zone == NULL ? "" : zone);
    name_read(r, root);
}

/* A parameter's value as its row says. */
static void
param_read(const struct reader *r, const struct method_param *param, json_t *value,
           struct where where, uint32_t *out)
{
    if (value == NULL) {
        return;
    }
    if (param->boolean) {
        if (!json_is_boolean(value)) {
            fault(r, where, "must be true or false");
        }
        *out = json_is_true(value);
        return;
    }
    if (param->words == NULL) {
        number_of(r, value, where, param->min, param->max, out);
        return;
    }
    char   words[160] = "";
    size_t at         = 0;
    for (uint32_t i = 0; param->words[i] != NULL; i++) {
        if (json_is_string(value) && strcmp(json_string_value(value), param->words[i]) == 0) {
            *out = i;
            return;
        }
        const int len =
            snprintf(words + at, sizeof words - at, "%s%s", i == 0 ? "" : ", ", param->words[i]);
        at += len > 0 && (size_t)len < sizeof words - at ? (size_t)len : 0;
    }
    fault(r, where, "is %s%.40s%s, it must be one of %s", json_is_string(value) ? "\"" : "",
          json_is_string(value) ? json_string_value(value) : "no text",
          json_is_string(value) ? "\"" : "", words);
}

/* The method of a rule, or NULL with a fault. */
static const struct method *
method_of(const struct reader *r, const char *code, json_t *object)
{
    json_t *name = json_object_get(object, "method");
    if (!json_is_string(name)) {
        fault(r, AT("rules", code, "method"), name == NULL ? "is missing" : "must be a text");
        return NULL;
    }
    const struct method *method = method_find(tly_text(json_string_value(name)));
    if (method == NULL) {
        char     known[160] = "";
        size_t   at         = 0;
        unsigned i          = 0;
        for (const struct method *m = method_at(0); m != NULL; m = method_at(++i)) {
            const int len = snprintf(known + at, sizeof known - at, " %s", m->name);
            at += len > 0 && (size_t)len < sizeof known - at ? (size_t)len : 0;
        }
        fault(r, AT("rules", code, "method"), "is \"%.40s\", it must be one of%s",
              json_string_value(name), known);
    }
    return method;
}

static bool
rule_read(const struct reader *r, const char *code, json_t *object, struct rule *rule)
{
    if (!codes_valid(tly_text(code))) {
        fault(r, AT("rules", code), "is no code: 1 to %d of A-Z a-z 0-9 . _ -", CODE_LEN_MAX);
    }
    if (!json_is_object(object)) {
        fault(r, AT("rules", code), "must be an object with \"method\"");
        return false;
    }
    const struct method *method = method_of(r, code, object);
    if (method == NULL) {
        return false;
    }
    const char *names[METHOD_PARAMS_MAX + 2] = {"method"};
    rule->code                               = keep(r, code);
    rule->method                             = method;
    for (unsigned i = 0; i < method->params_n; i++) {
        const struct method_param *param = &method->params[i];
        names[i + 1]                     = param->name;
        rule->params[i]                  = param->initial;
        param_read(r, param, json_object_get(object, param->name), AT("rules", code, param->name),
                   &rule->params[i]);
    }
    unknown_keys(r, object, names, AT("rules", code));
    return true;
}

static enum tly_err
rules_read(const struct reader *r, json_t *root)
{
    json_t      *rules = json_object_get(root, "rules");
    const size_t n     = json_object_size(rules);
    if (!json_is_object(rules) || n == 0 || n > BUILD_RULES_MAX) {
        fault(r, AT("rules"), "must be an object of 1 to %d rules", BUILD_RULES_MAX);
        return TLY_OK;
    }
    struct rule *list   = TLY_NEW(r->b->arena, struct rule, n);
    uint32_t     good_n = 0;
    const char  *code;
    json_t      *rule;
    if (list == NULL) {
        return TLY_ENOMEM;
    }
    json_object_foreach(rules, code, rule)
    {
        good_n += rule_read(r, code, rule, &list[good_n]);
    }
    r->b->election->rules   = list;
    r->b->election->rules_n = good_n;
    r->b->rules_usable      = good_n == n;
    return TLY_OK;
}

static void
limits_read(const struct reader *r, json_t *root)
{
    const char *names[TLY_N(limit_rows) + 1] = {NULL};
    uint8_t    *limits                       = (uint8_t *)&r->b->election->limits;
    json_t     *object                       = json_object_get(root, "limits");
    if (object != NULL && !json_is_object(object)) {
        fault(r, AT("limits"), "must be an object");
    }
    for (unsigned i = 0; i < TLY_N(limit_rows); i++) {
        const struct limit_row *row   = &limit_rows[i];
        uint32_t                value = row->initial;
        names[i]                      = row->name;
        number_of(r, json_object_get(object, row->name), AT("limits", row->name), 0, row->max,
                  &value);
        memcpy(limits + row->offset, &value, sizeof value);
    }
    if (json_is_object(object)) {
        unknown_keys(r, object, names, AT("limits"));
    }
}

/* {"commission":1,"supervision":1} */
static void
quorum_read(const struct reader *r, const char *kind, json_t *object, struct quorum *out)
{
    /* A bundle of revision 2 carries its terminal's signature too. */
    const uint32_t max = ENVELOPE_SIGNATURES_MAX - (strcmp(kind, "revise") == 0 ? 1 : 0);
    const char    *role;
    json_t        *value;
    struct quorum  quorum = {0};
    uint32_t       sum    = 0;
    if (!json_is_object(object)) {
        fault(r, AT("policy", kind), "must be an object of roles and numbers");
        return;
    }
    json_object_foreach(object, role, value)
    {
        enum officer_role which;
        if (!officer_role_find(tly_text(role), &which)) {
            fault(r, AT("policy", kind, role), "is no role: commission, supervision or operator");
            return;
        }
        number_of(r, value, AT("policy", kind, role), 0, max, &quorum.n[which]);
        sum += quorum.n[which];
    }
    if (sum < 1 || sum > max) {
        fault(r, AT("policy", kind), "asks for %" PRIu32 " officers, it must be 1 to %" PRIu32, sum,
              max);
        return;
    }
    *out = quorum;
}

static void
policy_read(const struct reader *r, json_t *root)
{
    struct policy *policy = &r->b->election->policy;
    json_t        *object = json_object_get(root, "policy");
    const char    *key;
    json_t        *value;
    *policy = policy_initial;
    if (object != NULL && !json_is_object(object)) {
        fault(r, AT("policy"), "must be an object");
        return;
    }
    json_object_foreach(object, key, value)
    {
        enum policy_kind kind;
        if (strcmp(key, "root") == 0) {
            number_of(r, value, AT("policy", key), 1, ENVELOPE_SIGNATURES_MAX, &policy->root);
        } else if (strcmp(key, "publish_min_ballots") == 0) {
            number_of(r, value, AT("policy", key), 0, ELECTION_COUNT_MAX,
                      &policy->publish_min_ballots);
        } else if (policy_find(tly_text(key), &kind)) {
            quorum_read(r, key, value, &policy->kinds[kind]);
        } else {
            fault(r, AT("policy", key), "is no key that stands here");
        }
    }
}

enum tly_err
build_json(struct build *b)
{
    static const char *const names[] = {"format",    "election", "domain", "name",   "phase",
                                        "time_zone", "rules",    "limits", "policy", NULL};
    const struct part       *part    = part_find(b->parts, FILE_NAME);
    const struct reader      r       = {b, {part->data, part->len}};
    json_error_t             error;
    if (part->data == NULL) {
        return TLY_OK;
    }
    TLY_AUTO(json)
    json_t *root = json_loadb((const char *)part->data, part->len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        faults_add(b->faults, FILE_NAME, error.line > 0 ? (uint32_t)error.line : 1,
                   error.column > 0 ? (uint32_t)error.column : 1, "is no JSON: %s", error.text);
        return TLY_OK;
    }
    if (!json_is_object(root)) {
        faults_add(b->faults, FILE_NAME, 1, 1, "must be a JSON object");
        return TLY_OK;
    }
    unknown_keys(&r, root, names, AT(NULL));
    head_read(&r, root);
    limits_read(&r, root);
    policy_read(&r, root);
    const enum tly_err err = rules_read(&r, root);
    return b->full ? TLY_ENOMEM : err;
}
