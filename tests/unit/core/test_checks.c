/* SPDX-License-Identifier: Apache-2.0 */
/* Every check of doc/checks.md at its limit and one beyond it, from tests/vectors/checks. */
#include <jansson.h>

#include "base/hex.h"
#include "core/checks.h"

#include "election_make.h"
#include "t.h"

#define VECTORS   "tests/vectors/checks/checks.json"
#define VOTES_MAX 4096
#define ARENA_MAX ((size_t)4 << 20)

static struct election_maker m;
static struct terminal       terminal;
static struct payload        payload;
static struct payload_vote   votes[VOTES_MAX];
static struct tly_arena      arena;
static struct checked        out;

/* Sets what a pointer names; null removes, an index at the end appends. */
static void
patch_one(json_t *root, const char *pointer, json_t *value)
{
    json_t *at = root;
    char    step[64];
    for (;;) {
        const size_t len = strcspn(pointer + 1, "/");
        TLY_CHECK(*pointer == '/' && len < sizeof step);
        memcpy(step, pointer + 1, len);
        step[len] = '\0';
        pointer += 1 + len;
        const size_t index = strtoul(step, NULL, 10);
        if (*pointer != '\0') {
            at = json_is_array(at) ? json_array_get(at, index) : json_object_get(at, step);
            TLY_CHECK(at != NULL);
            continue;
        }
        int bad = 0;
        if (json_is_array(at)) {
            bad = json_is_null(value)            ? json_array_remove(at, index)
                  : index == json_array_size(at) ? json_array_append(at, value)
                                                 : json_array_set(at, index, value);
        } else {
            bad =
                json_is_null(value) ? json_object_del(at, step) : json_object_set(at, step, value);
        }
        TLY_CHECK(bad == 0);
        return;
    }
}

static json_t *
patched(json_t *base, json_t *patches)
{
    json_t     *copy = json_deep_copy(base);
    const char *pointer;
    json_t     *value;
    json_object_foreach(patches, pointer, value)
    {
        json_t *mine = json_deep_copy(value);
        patch_one(copy, pointer, mine);
        json_decref(mine);
    }
    return copy;
}

static uint32_t
number(json_t *object, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(object, key));
}

static const char *
text(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static struct contest_ix
contest_make(json_t *json, struct area_ix area)
{
    size_t                  i;
    json_t                 *v;
    const uint32_t          rule = make_rule(&m, text(json, "method"));
    const struct contest_ix ix   = make_contest(&m, text(json, "contest"), area, rule, 3);
    struct contest         *c    = &m.contests[ix.v];
    c->max_choices               = number(json, "max_choices");
    c->closes_at                 = number(json, "closes_at");
    c->has_closes_at             = c->closes_at > 0;
    if (json_object_get(json, "list_plus_individual") != NULL) {
        const int at = method_param_find(m.rules[rule].method, tly_text("list_plus_individual"));
        TLY_CHECK(at >= 0);
        m.rules[rule].params[at] = number(json, "list_plus_individual");
    }
    json_array_foreach(json_object_get(json, "lists"), i, v)
    {
        (void)make_list(&m, json_string_value(v));
    }
    json_array_foreach(json_object_get(json, "candidates"), i, v)
    {
        const char    *list = json_string_value(json_array_get(v, 1));
        struct list_ix lx   = {IX_NONE};
        for (uint32_t l = c->lists_first; list != NULL && l < m.e.lists_n; l++) {
            lx.v = strcmp(m.lists[l].code, list) == 0 ? l : lx.v;
        }
        (void)make_candidate(&m, json_string_value(json_array_get(v, 0)), lx);
    }
    return ix;
}

static void
definition_make(json_t *json)
{
    size_t            i;
    json_t           *v;
    json_t           *limits = json_object_get(json, "limits");
    const char       *hash   = text(json, "hash");
    struct contest_ix contests[8];
    make_begin(&m, ARENA_MAX);
    m.e.limits                     = (struct limits){.p01_bp         = number(limits, "P01_bp"),
                                                     .p02_bp         = number(limits, "P02_bp"),
                                                     .p03_bp         = number(limits, "P03_bp"),
                                                     .p03_abs        = number(limits, "P03_abs"),
                                                     .p05_bp         = number(limits, "P05_bp"),
                                                     .p06_bp         = number(limits, "P06_bp"),
                                                     .p07_bp         = number(limits, "P07_bp"),
                                                     .p08_min        = number(limits, "P08_min"),
                                                     .n08_missing_bp = number(limits, "N08_missing_bp")};
    m.e.policy.publish_min_ballots = number(json, "publish_min_ballots");
    TLY_CHECK(tly_unhex(tly_text(hash), m.e.definition.b, sizeof m.e.definition.b));
    const struct area_ix root = make_area(&m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    json_array_foreach(json_object_get(json, "contests"), i, v)
    {
        contests[i] = contest_make(v, root);
    }
    const size_t            own   = json_array_size(json_object_get(json, "contests"));
    const struct contest_ix else_ = contest_make(json_object_get(json, "elsewhere"), root);
    (void)make_branch(&m, "b", root, number(json, "capacity"));
    for (size_t k = 0; k < own; k++) {
        (void)make_slot(&m, contests[k]);
    }
    (void)make_branch(&m, "other", root, 0);
    (void)make_slot(&m, else_);
    (void)make_done(&m);
    json_t *dates = json_object_get(json, "terminal");
    terminal      = (struct terminal){.code       = "t1",
                                      .branch     = {0},
                                      .not_before = number(dates, "not_before"),
                                      .not_after  = number(dates, "not_after")};
}

/* Reads and checks the bundle; the code of a refusal goes to diag. */
static enum tly_err
bundle_check(const char *json, struct tly_diag *diag)
{
    const struct checks_input in  = {&m.e, &terminal, {0}, &payload};
    enum tly_err              err = payload_parse(tly_text(json), votes, VOTES_MAX, &payload, diag);
    return err == TLY_OK ? checks_run(&in, &arena, &out, diag) : err;
}

/* "v:N02,P01 t:S03 " as found. */
static void
outcome_text(char *to, size_t size)
{
    size_t len = 0;
    *to        = '\0';
    for (uint32_t i = 0; i < out.slots_n; i++) {
        const uint64_t bits      = out.slots[i].holds | out.slots[i].flags;
        const char    *separator = ":";
        if (bits == 0) {
            continue;
        }
        len += (size_t)snprintf(to + len, size - len, "%s",
                                m.contests[m.slots[out.slots[i].slot.v].contest.v].code);
        for (unsigned c = 0; c < CHECKS_N; c++) {
            if ((bits & CHECK_BIT(c)) != 0) {
                len += (size_t)snprintf(to + len, size - len, "%s%s", separator,
                                        check_code((enum check)c));
                separator = ",";
            }
        }
        len += (size_t)snprintf(to + len, size - len, " ");
    }
}

static void
expected_text(json_t *expect, char *to, size_t size)
{
    size_t len = 0;
    *to        = '\0';
    for (uint32_t i = 0; i < out.slots_n; i++) {
        const char *code  = m.contests[m.slots[i].contest.v].code;
        json_t     *codes = json_object_get(expect, code);
        for (size_t k = 0; k < json_array_size(codes); k++) {
            len += (size_t)snprintf(to + len, size - len, "%s%s", k == 0 ? code : ",",
                                    k == 0 ? ":" : "");
            len += (size_t)snprintf(to + len, size - len, "%s",
                                    json_string_value(json_array_get(codes, k)));
        }
        if (json_array_size(codes) > 0) {
            len += (size_t)snprintf(to + len, size - len, " ");
        }
    }
}

/* Every bit has a finding that says why, and no finding is without its bit. */
static bool
findings_agree(void)
{
    uint64_t seen = 0, bits = 0;
    for (uint32_t i = 0; i < out.slots_n; i++) {
        bits |= out.slots[i].holds | out.slots[i].flags;
    }
    for (uint32_t i = 0; i < out.findings_n; i++) {
        seen |= CHECK_BIT(out.findings[i].check);
        if (out.findings[i].field[0] == '\0') {
            return false;
        }
    }
    return seen == bits;
}

static void
check_case(json_t *vectors, json_t *c)
{
    char            got[512], want[512];
    struct tly_diag diag = {0};
    const char     *name = text(c, "name");
    json_t         *definition =
        patched(json_object_get(vectors, "definition"), json_object_get(c, "definition"));
    json_t *bundle = patched(json_object_get(vectors, "bundle"), json_object_get(c, "bundle"));
    char   *json   = json_dumps(bundle, JSON_COMPACT);
    tly_arena_init(&arena, ARENA_MAX);
    definition_make(definition);
    const enum tly_err err = bundle_check(json, &diag);
    if (json_object_get(c, "error") != NULL) {
        T_OK(err != TLY_OK && strcmp(diag.code, text(c, "error")) == 0 && diag.field[0] != '\0',
             name);
    } else if (err != TLY_OK) {
        T_STR(diag.text, "", name);
    } else {
        outcome_text(got, sizeof got);
        expected_text(json_object_get(c, "expect"), want, sizeof want);
        if (T_STR(got, want, name) && !findings_agree()) {
            T_OK(false, "every code has a finding");
        }
    }
    free(json);
    json_decref(bundle);
    json_decref(definition);
    make_free(&m);
    tly_arena_done(&arena);
}

/* What is kept of the numbers, and what a finding and a leaf say. */
static void
check_details(json_t *vectors)
{
    static const char *const changes =
        "{\"/contests/1/candidates/3\":[\"zz\",20],\"/contests/0/cast\":105,"
        "\"/contests/0/candidates\":[[\"d\",20],[\"b\",101]]}";
    json_t          *patch  = json_loads(changes, 0, NULL);
    json_t          *bundle = patched(json_object_get(vectors, "bundle"), patch);
    char            *json   = json_dumps(bundle, JSON_COMPACT);
    struct tly_bytes held;
    tly_arena_init(&arena, ARENA_MAX);
    definition_make(json_object_get(vectors, "definition"));
    T_EQ(bundle_check(json, NULL), TLY_OK, "a bundle with three faults");
    T_OK(out.slots[1].counts == NULL, "a contest with an unknown person has no counts");
    const struct counts *counts = out.slots[0].counts;
    T_OK(counts != NULL && counts->n[COUNT_CAST] == 105 && counts->options[0] == 0 &&
             counts->options[1] == 101 && counts->options[3] == 20,
         "votes are at their persons' places");
    const struct finding *n03 = NULL, *n08 = NULL;
    for (uint32_t i = 0; i < out.findings_n; i++) {
        n03 = out.findings[i].check == CHECK_N03 ? &out.findings[i] : n03;
        n08 = out.findings[i].check == CHECK_N08 ? &out.findings[i] : n08;
    }
    T_OK(n03 != NULL && strcmp(n03->field, "contests[0].candidates[1]") == 0 && n03->left == 101 &&
             n03->right == 96,
         "N03 names the row and both values");
    T_OK(n08 != NULL && strcmp(n08->field, "contests[0].cast") == 0 && n08->left == 105 &&
             n08->right == 100,
         "N08 names the surplus");
    T_EQ(checks_held_lines(&m.e, &out, &arena, &held), TLY_OK, "lines for the leaf");
    T_OK(tly_bytes_eq(held, tly_text("held v N02,N03,N08,N10\nheld t S02\n")),
         "as the leaf has them");
    json_decref(patch);
    free(json);

    json = json_dumps(json_object_get(vectors, "bundle"), JSON_COMPACT);
    T_EQ(bundle_check(json, NULL), TLY_OK, "a bundle without fault");
    T_EQ(checks_held_lines(&m.e, &out, &arena, &held), TLY_OK, "lines for its leaf");
    T_EQ(held.len, 0, "nothing is held");
    struct tly_arena tiny;
    tly_arena_init(&tiny, 64);
    struct checked            kept = out;
    const struct checks_input in   = {&m.e, &terminal, {0}, &payload};
    /* The payload's reader refuses a code that stands twice; the checks do not rely on it. */
    const struct payload_contest *first  = &payload.contests[0];
    struct payload_vote          *second = &votes[first->candidates_first + 1];
    const struct tly_bytes        was    = second->code;
    struct tly_diag               diag   = {0};
    second->code                         = votes[first->candidates_first].code;
    T_EQ(checks_run(&in, &arena, &out, &diag), TLY_EINPUT, "a person twice");
    T_OK(strcmp(diag.code, "S01") == 0 && strcmp(diag.field, "contests[0].candidates[1]") == 0,
         diag.field);
    second->code = was;
    T_EQ(checks_run(&in, &tiny, &out, NULL), TLY_ENOMEM, "no room");
    T_OK(memcmp(&kept, &out, sizeof kept) == 0, "output untouched");
    tly_arena_done(&tiny);
    free(json);
    json_decref(bundle);
    make_free(&m);
    tly_arena_done(&arena);
}

static void
check_table(void)
{
    unsigned bad = 0;
    for (unsigned i = 0; i < CHECKS_N; i++) {
        const enum check c = (enum check)i;
        bad += check_code(c)[0] == '\0' || check_text_en(c)[0] == '\0' ||
               check_text_fa(c) == NULL || check_advice_en(c) == NULL || check_advice_fa(c) == NULL;
        bad += (checks_hidden_by(c) & CHECK_BIT(c)) != 0;
    }
    T_EQ(bad, 0, "every row has its texts in two languages and does not hide itself");
    T_STR(check_code(CHECK_N08M), "N08", "the flag of N08 shows as N08");
    T_EQ(check_level(CHECK_N08M), CHECK_FLAG, "and is a flag");
    T_EQ(check_level(CHECK_N08), CHECK_HOLD, "N08 itself holds");
}

int
main(void)
{
    json_error_t error;
    json_t      *vectors = json_load_file(VECTORS, 0, &error);
    size_t       i;
    json_t      *c;
    if (vectors == NULL) {
        printf("# %s:%d: %s\n", VECTORS, error.line, error.text);
        return EXIT_FAILURE;
    }
    json_array_foreach(json_object_get(vectors, "cases"), i, c)
    {
        check_case(vectors, c);
    }
    check_details(vectors);
    check_table();
    json_decref(vectors);
    return T_DONE();
}
