/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of doc/checks.md and doc/methods.md say what the program's own tables say. */
#include "core/checks.h"
#include "core/method.h"
#include "core/outcome.h"
#include "dir.h"
#include "pack/definition.h"
#include "package_files.h"
#include "t.h"

#define CELLS_MAX      8
#define GUIDE_LINE_MAX 2048
#define UNREAD         (UINT64_C(1) << 63) /* src/core/checks_int.h: CHECKS_UNREAD */

/* A guide, read from one section on. */
struct guide {
    FILE *f;
    bool  in_table;
    char  line[GUIDE_LINE_MAX];
    char *cells[CELLS_MAX];
};

static void
guide_open(struct guide *g, const char *path, const char *section)
{
    g->f = fopen(path, "re");
    if (g->f == NULL) {
        printf("Bail out! %s: it is read from the root of the tree\n", path);
        exit(EXIT_FAILURE);
    }
    while (fgets(g->line, sizeof g->line, g->f) != NULL) {
        g->line[strcspn(g->line, "\n")] = '\0';
        if (strcmp(g->line, section) == 0) {
            return;
        }
    }
    printf("Bail out! %s has no section %s\n", path, section);
    exit(EXIT_FAILURE);
}

/* Splits "| a | b |" in place; the number of cells. */
static unsigned
cells_split(struct guide *g)
{
    unsigned n = 0;
    char    *p = g->line + 1;
    for (char *bar = strchr(p, '|'); bar != NULL && n < CELLS_MAX; bar = strchr(p, '|')) {
        char *end = bar;
        while (*p == ' ') {
            p++;
        }
        while (end > p && end[-1] == ' ') {
            end--;
        }
        *end          = '\0';
        g->cells[n++] = p;
        p             = bar + 1;
    }
    return n;
}

/* The next row of the section's first table, behind its two head rows; false: the table ended. */
static bool
guide_row(struct guide *g, unsigned cells_n)
{
    while (fgets(g->line, sizeof g->line, g->f) != NULL && strncmp(g->line, "## ", 3) != 0) {
        const bool row = g->line[0] == '|';
        if (row && g->in_table) {
            TLY_CHECK(cells_split(g) == cells_n);
            return true;
        }
        if (!row && g->in_table) {
            return false;
        }
        g->in_table = row && g->line[1] == '-';
    }
    return false;
}

static void
guide_close(struct guide *g)
{
    (void)fclose(g->f);
    *g = (struct guide){0};
}

#define NAME(code, level, text) #code,
static const char *const check_names[] = {CHECKS_TABLE(NAME)};
#undef NAME

/* "N03, N04, unread". */
static void
hidden_text(enum check check, char out[256])
{
    const uint64_t hidden = checks_hidden_by(check);
    size_t         at     = 0;
    out[0]                = '\0';
    for (unsigned c = 0; c < CHECKS_N; c++) {
        if ((hidden & CHECK_BIT(c)) != 0) {
            at += (size_t)snprintf(out + at, 256 - at, "%s%s", at > 0 ? ", " : "", check_names[c]);
        }
    }
    if ((hidden & UNREAD) != 0) {
        (void)snprintf(out + at, 256 - at, "%sunread", at > 0 ? ", " : "");
    }
}

static void
checks(void)
{
    static const char *const levels[] = {"REJECT", "HOLD", "FLAG"};
    struct guide             g        = {0};
    unsigned                 n        = 0;
    guide_open(&g, "doc/checks.md", "## Held and flagged");
    for (; guide_row(&g, 5) && n < CHECKS_N; n++) {
        char hidden[256];
        hidden_text((enum check)n, hidden);
        T_STR(g.cells[0], check_names[n], "the guide has the checks of the program, in its order");
        T_STR(g.cells[1], levels[check_level((enum check)n)], "its level");
        T_STR(g.cells[3], check_advice_en((enum check)n), "what to do");
        T_STR(g.cells[4], hidden, "which findings hide it");
    }
    T_EQ(n, CHECKS_N, "all of them, and no other");
    guide_close(&g);
}

static void
refusals(void)
{
    struct guide          g = {0};
    unsigned              n = 0;
    const struct refusal *r = refusal_at(0);
    guide_open(&g, "doc/checks.md", "### What to do about a refusal");
    for (; r != NULL && guide_row(&g, 3); r = refusal_at(++n)) {
        T_STR(g.cells[0], r->code, "the guide has the refusals of the program, in its order");
        T_STR(g.cells[1], r->text_en, "what is wrong");
        T_STR(g.cells[2], r->advice_en, "what to do");
    }
    T_OK(r == NULL && !guide_row(&g, 3), "all of them, and no other");
    guide_close(&g);
}

static const struct {
    const char *name;
    size_t      at;
} limits[] = {
    {"P01_bp", offsetof(struct limits, p01_bp)},
    {"P02_bp", offsetof(struct limits, p02_bp)},
    {"P03_bp", offsetof(struct limits, p03_bp)},
    {"P03_abs", offsetof(struct limits, p03_abs)},
    {"P05_bp", offsetof(struct limits, p05_bp)},
    {"P06_bp", offsetof(struct limits, p06_bp)},
    {"P07_bp", offsetof(struct limits, p07_bp)},
    {"P08_min", offsetof(struct limits, p08_min)},
    {"N08_missing_bp", offsetof(struct limits, n08_missing_bp)},
};
_Static_assert(TLY_N(limits) * sizeof(uint32_t) == sizeof(struct limits), "all of them");

static const char *dir;

/* The limit of a definition that gives `key` this value; false: refused. */
static bool
limit_load(const char *key, const char *value, size_t at, uint32_t *out)
{
    TLY_AUTO(arena) struct tly_arena arena  = {.bytes_max = (size_t)8 << 20};
    struct faults                    faults = {.arena = &arena};
    struct election                 *e      = NULL;
    char                             put[128];
    (void)snprintf(put, sizeof put, "\"%s\":%s", key, value);
    package_write(dir, definition_files, "election.json", "\"P01_bp\":301", put);
    if (definition_load(dir, &arena, &e, &faults, NULL) != TLY_OK) {
        return false;
    }
    memcpy(out, (const uint8_t *)&e->limits + at, sizeof *out);
    return true;
}

static void
limits_check(void)
{
    struct guide g = {0};
    unsigned     n = 0;
    dir            = t_dir();
    guide_open(&g, "doc/checks.md", "## Limits");
    for (; guide_row(&g, 3) && n < TLY_N(limits); n++) {
        uint32_t    got = 0;
        const char *any = n == 0 ? "P02_bp" : "P01_bp"; /* another one: this one is left out */
        char        over[32];
        T_STR(g.cells[0], limits[n].name, "the guide has the limits of the program");
        T_OK(limit_load(any, "1", limits[n].at, &got), "left out");
        T_EQ(got, atoll(g.cells[1]), "its default");
        T_OK(limit_load(g.cells[0], g.cells[2], limits[n].at, &got), "at its largest");
        T_EQ(got, atoll(g.cells[2]), "is taken");
        (void)snprintf(over, sizeof over, "%lld", atoll(g.cells[2]) + 1);
        T_OK(!limit_load(g.cells[0], over, limits[n].at, &got), "one more is refused");
    }
    T_EQ(n, TLY_N(limits), "all of them, and no other");
    guide_close(&g);
}

/* ---- doc/methods.md ---- */

static const struct method *
method_named(const char *name)
{
    const struct method *method = method_find(tly_text(name));
    TLY_CHECK(method != NULL);
    return method;
}

static void
methods_check(void)
{
    struct guide         g = {0};
    unsigned             n = 0;
    const struct method *m = method_at(0);
    guide_open(&g, "doc/methods.md", "## Methods");
    for (; m != NULL && guide_row(&g, 3); m = method_at(++n)) {
        T_STR(g.cells[0], m->name, "the guide has the methods of the program, in its order");
        T_STR(g.cells[1], m->lists ? "yes" : "no", "with or without lists");
    }
    T_OK(m == NULL && !guide_row(&g, 3), "all of them, and no other");
    guide_close(&g);
}

/* "votes, ballots_x_seats", "0 to 10000". */
static void
values_text(const struct method_param *param, char out[256])
{
    size_t at = 0;
    out[0]    = '\0';
    if (param->words == NULL) {
        (void)snprintf(out, 256, param->boolean ? "false, true" : "%u to %u", param->min,
                       param->max);
        return;
    }
    for (unsigned i = 0; i <= param->max; i++) {
        at += (size_t)snprintf(out + at, 256 - at, "%s%s", i > 0 ? ", " : "", param->words[i]);
    }
}

static void
default_text(const struct method_param *param, char out[256])
{
    if (param->words != NULL) {
        (void)snprintf(out, 256, "%s", param->words[param->initial]);
    } else if (param->boolean) {
        (void)snprintf(out, 256, "%s", param->initial != 0 ? "true" : "false");
    } else {
        (void)snprintf(out, 256, "%u", param->initial);
    }
}

static void
params_check(const char *section, const struct method *m, unsigned cells_n)
{
    struct guide g = {0};
    unsigned     n = 0;
    guide_open(&g, "doc/methods.md", section);
    for (; n < m->params_n && guide_row(&g, cells_n); n++) {
        char text[256];
        T_STR(g.cells[0], m->params[n].name, "the parameters of the program, in its order");
        values_text(&m->params[n], text);
        T_STR(g.cells[1], text, "its values");
        default_text(&m->params[n], text);
        T_STR(g.cells[2], text, "its default");
        if (cells_n > 3) {
            T_STR(g.cells[3], m->params[n].reading ? "yes" : "no", "is it a reading");
        }
    }
    T_OK(n == m->params_n && !guide_row(&g, cells_n), "all of them, and no other");
    guide_close(&g);
}

/* Sets "name=word name=word". */
static void
params_set(const struct method *m, char *text, uint32_t params[METHOD_PARAMS_MAX])
{
    char *rest = NULL;
    for (unsigned i = 0; i < m->params_n; i++) {
        params[i] = m->params[i].initial;
    }
    for (char *set = strtok_r(text, " ", &rest); set != NULL; set = strtok_r(NULL, " ", &rest)) {
        char *word = strchr(set, '=');
        TLY_CHECK(word != NULL);
        *word++      = '\0';
        const int at = method_param_find(m, tly_text(set));
        TLY_CHECK(at >= 0);
        while (strcmp(m->params[at].words[params[at]], word) != 0) {
            params[at] = (params[at] + 1) % (m->params[at].max + 1);
        }
    }
}

/* The seats of three lists and the pool by every row's parameters. */
static void
example_check(const char *section, const struct method_totals totals[4], unsigned rows_n)
{
    const struct method *m = method_named("list_ir");
    struct guide         g = {0};
    unsigned             n = 0;
    guide_open(&g, "doc/methods.md", section);
    for (; guide_row(&g, 5); n++) {
        TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = (size_t)8 << 20};
        uint32_t                         params[METHOD_PARAMS_MAX];
        struct outcome                   o  = {0};
        const struct method_input        in = {
                   .params = params, .seats = 21, .lists_n = 3, .totals = totals, .totals_pool = true};
        params_set(m, g.cells[0], params);
        T_EQ(outcome_of(m, &in, &arena, &o), TLY_OK, section);
        for (unsigned i = 0; i < 3; i++) {
            T_EQ(o.list_seats[i], atoll(g.cells[i + 1]), "seats of a list as in the guide");
        }
        T_EQ(o.pool_seats, atoll(g.cells[4]), "and of the pool");
    }
    T_EQ(n, rows_n, "rows of the example");
    guide_close(&g);
}

int
main(void)
{
    static const struct method_totals e2[]     = {{8400, 21}, {5450, 21}, {4350, 21}, {2800, 21}};
    static const struct method_totals e3[]     = {{7800, 21}, {6700, 21}, {4600, 21}, {1900, 21}};
    static const char *const          others[] = {"hare_lr", "droop_lr", "dhondt", "sainte_lague",
                                                  "modified_sainte_lague"};
    checks();
    refusals();
    limits_check();
    methods_check();
    params_check("### Parameters of list_ir", method_named("list_ir"), 4);
    for (unsigned i = 0; i < TLY_N(others); i++) {
        params_check("## The other methods", method_named(others[i]), 3);
    }
    T_EQ(method_named("block")->params_n, 0, "block has no parameters");
    example_check("### Example E2", e2, 5);
    example_check("### Example E3", e3, 6);
    return T_DONE();
}
