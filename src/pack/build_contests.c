/* SPDX-License-Identifier: Apache-2.0 */
/* contests.csv, lists.csv and candidates.csv. */
#include "build.h"
#include "fields.h"

enum { C_CONTEST, C_AREA, C_RULE, C_SEATS, C_ALTERNATES, C_MAX_CHOICES, C_CLOSES_AT, C_FA, C_EN };
enum { L_CONTEST, L_LIST, L_FA, L_EN };
enum { P_CONTEST, P_CANDIDATE, P_LIST, P_FA, P_EN };

static uint32_t
rule_of(const struct build *b, const struct csv *csv)
{
    const struct election *e = b->election;
    for (uint32_t i = 0; i < e->rules_n; i++) {
        if (tly_bytes_eq(csv->fields[C_RULE], tly_text(e->rules[i].code))) {
            return i;
        }
    }
    if (b->rules_usable) {
        csv_fault(csv, C_RULE, "\"%.80s\" is no rule of election.json", csv_text(csv, C_RULE));
    }
    return 0;
}

static struct area_ix
area_of(const struct build *b, const struct csv *csv, unsigned field)
{
    const struct area_ix area = election_area(b->election, csv->fields[field]);
    if (area.v == IX_NONE && b->areas_usable) {
        csv_fault(csv, field, "\"%.80s\" is no area of areas.csv", csv_text(csv, field));
    }
    return area;
}

static void
contest_read(struct build *b, const struct csv *csv)
{
    struct election *e = b->election;
    struct contest   c = {.seats = 1, .max_choices = 1};
    c.code             = fields_code(csv, C_CONTEST);
    c.name             = (struct name){csv_text(csv, C_FA), csv_text(csv, C_EN)};
    c.area             = area_of(b, csv, C_AREA);
    c.rule             = rule_of(b, csv);
    (void)fields_number_u32(csv, C_SEATS, 1, BUILD_SEATS_MAX, &c.seats);
    (void)fields_number_u32(csv, C_ALTERNATES, 0, BUILD_SEATS_MAX, &c.alternates);
    (void)fields_number_u32(csv, C_MAX_CHOICES, 1, BUILD_SEATS_MAX, &c.max_choices);
    c.has_closes_at = !fields_empty(csv, C_CLOSES_AT);
    if (c.has_closes_at) {
        (void)fields_number(csv, C_CLOSES_AT, 0, ELECTION_TIME_MAX, &c.closes_at);
    }
    if (c.code == NULL) {
        return;
    }
    if (!codes_add(&e->contest_codes, 0, c.code, e->contests_n)) {
        const struct contest_ix first = election_contest(e, csv->fields[C_CONTEST]);
        csv_fault(csv, C_CONTEST, "\"%s\" stands in line %u already", c.code,
                  b->contest_lines[first.v]);
        return;
    }
    if (c.area.v != IX_NONE) {
        b->areas[c.area.v].contests_n++;
    }
    b->contest_lines[e->contests_n] = csv->line;
    b->contests[e->contests_n++]    = c;
}

enum tly_err
build_contests(struct build *b)
{
    struct csv csv;
    const bool open =
        build_csv(b, "contests.csv",
                  "contest,area,rule,seats,alternates,max_choices,closes_at,name_fa,name_en", &csv);
    const uint32_t rows_max = open ? csv.rows_max : 0;
    b->contests             = TLY_NEW(b->arena, struct contest, (size_t)rows_max + 1);
    b->contest_lines        = TLY_NEW(b->scratch, uint32_t, (size_t)rows_max + 1);
    b->election->contests   = b->contests;
    if (b->contests == NULL || b->contest_lines == NULL ||
        !codes_init(&b->election->contest_codes, b->arena, rows_max)) {
        return TLY_ENOMEM;
    }
    while (open && csv_next(&csv)) {
        contest_read(b, &csv);
    }
    if (open && b->election->contests_n == 0) {
        faults_add(b->faults, "contests.csv", 0, 0, "there is no contest");
    }
    b->contests_usable = open;
    return TLY_OK;
}

struct list_row {
    struct list list;
    uint32_t    line, column;
};

/* Rows in the order of their contests, in the file's order within; repeated codes fall out. */
static enum tly_err
lists_place(struct build *b, const struct list_row rows[], uint32_t n)
{
    struct election *e     = b->election;
    uint32_t         first = 0;
    for (uint32_t i = 0; i < n; i++) {
        b->contests[rows[i].list.contest.v].lists_n++;
    }
    for (uint32_t i = 0; i < e->contests_n; i++) {
        struct contest *c = &b->contests[i];
        c->lists_first    = first;
        first += c->lists_n;
        c->lists_n = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct list *list = &rows[i].list;
        struct contest    *c    = &b->contests[list->contest.v];
        const uint32_t     at   = c->lists_first + c->lists_n;
        if (!codes_add(&e->list_codes, list->contest.v, list->code, at)) {
            const uint32_t twin = codes_find(&e->list_codes, list->contest.v, tly_text(list->code));
            faults_add(b->faults, "lists.csv", rows[i].line, rows[i].column,
                       "list \"%s\" of contest \"%s\" stands in line %u already", list->code,
                       c->code, b->list_lines[twin]);
            continue;
        }
        c->lists_n++;
        b->lists[at]      = *list;
        b->list_lines[at] = rows[i].line;
    }
    e->lists_n = first;
    return TLY_OK;
}

enum tly_err
build_lists(struct build *b)
{
    struct csv     csv;
    const bool     open = build_csv(b, "lists.csv", "contest,list,name_fa,name_en", &csv);
    const uint32_t max  = open ? csv.rows_max : 0;
    uint32_t       n    = 0;

    struct list_row *rows = TLY_NEW(b->scratch, struct list_row, (size_t)max + 1);
    b->lists              = TLY_NEW(b->arena, struct list, (size_t)max + 1);
    b->list_lines         = TLY_NEW(b->scratch, uint32_t, (size_t)max + 1);
    b->election->lists    = b->lists;
    if (rows == NULL || b->lists == NULL || b->list_lines == NULL ||
        !codes_init(&b->election->list_codes, b->arena, max)) {
        return TLY_ENOMEM;
    }
    while (open && csv_next(&csv)) {
        struct list_row row = {.line = csv.lines[L_LIST], .column = csv.columns[L_LIST]};
        row.list.contest    = build_contest_of(b, &csv, L_CONTEST);
        row.list.code       = fields_code(&csv, L_LIST);
        row.list.name       = (struct name){csv_text(&csv, L_FA), csv_text(&csv, L_EN)};
        if (row.list.contest.v != IX_NONE && row.list.code != NULL) {
            rows[n++] = row;
        }
    }
    b->lists_usable = open;
    return lists_place(b, rows, n);
}

struct candidate_row {
    struct candidate candidate; /* list is set last */
    const char      *list;
    uint32_t         line, column, list_column;
};

/* The list that a candidate names. */
static struct list_ix
list_of(const struct build *b, const struct candidate_row *row)
{
    const struct election  *e       = b->election;
    const struct contest_ix contest = row->candidate.contest;
    const struct list_ix    list    = election_list(e, contest, tly_text(row->list));
    if (list.v != IX_NONE || !b->lists_usable) {
        return list;
    }
    const char *elsewhere = NULL;
    /* Looked for only while somebody will read it: the search is long. */
    const uint32_t looked_n = b->faults->kept < FAULTS_MAX ? e->lists_n : 0;
    for (uint32_t i = 0; i < looked_n && elsewhere == NULL; i++) {
        if (e->lists[i].code != NULL && strcmp(e->lists[i].code, row->list) == 0) {
            elsewhere = e->contests[e->lists[i].contest.v].code;
        }
    }
    if (elsewhere != NULL) {
        faults_add(b->faults, "candidates.csv", row->line, row->list_column,
                   "list \"%.80s\" is a list of contest \"%s\", not of \"%s\"", row->list,
                   elsewhere, e->contests[contest.v].code);
    } else {
        faults_add(b->faults, "candidates.csv", row->line, row->list_column,
                   "list \"%.80s\" is no list of contest \"%s\" in lists.csv", row->list,
                   e->contests[contest.v].code);
    }
    return list;
}

static enum tly_err
candidates_place(struct build *b, const struct candidate_row rows[], uint32_t n,
                 struct tly_arena *scratch)
{
    struct election *e     = b->election;
    uint32_t         first = 0;
    uint32_t        *lines = TLY_NEW(scratch, uint32_t, (size_t)n + 1);
    if (lines == NULL) {
        return TLY_ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        b->contests[rows[i].candidate.contest.v].candidates_n++;
    }
    for (uint32_t i = 0; i < e->contests_n; i++) {
        struct contest *c   = &b->contests[i];
        c->candidates_first = first;
        first += c->candidates_n;
        c->candidates_n = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct candidate_row *row   = &rows[i];
        const uint32_t              scope = row->candidate.contest.v;
        struct contest             *c     = &b->contests[scope];
        const uint32_t              at    = c->candidates_first + c->candidates_n;
        if (!codes_add(&e->candidate_codes, scope, row->candidate.code, at)) {
            const uint32_t twin =
                codes_find(&e->candidate_codes, scope, tly_text(row->candidate.code));
            faults_add(b->faults, "candidates.csv", row->line, row->column,
                       "candidate \"%s\" of contest \"%s\" stands in line %u already",
                       row->candidate.code, c->code, lines[twin]);
            continue;
        }
        c->candidates_n++;
        lines[at]                = row->line;
        b->candidates[at]        = row->candidate;
        b->candidates[at].list.v = IX_NONE;
        if (row->list[0] != '\0') {
            b->candidates[at].list = list_of(b, row);
        }
        if (b->candidates[at].list.v != IX_NONE) {
            b->lists[b->candidates[at].list.v].members_n++;
        }
    }
    e->candidates_n = first;
    return TLY_OK;
}

/* list_ir says how many members a list may have. */
static void
list_sizes_check(const struct build *b)
{
    const struct election *e = b->election;
    for (uint32_t i = 0; i < e->lists_n; i++) {
        const struct list *list = &e->lists[i];
        if (list->code == NULL || e->rules_n == 0) {
            continue;
        }
        const struct rule *rule = &e->rules[e->contests[list->contest.v].rule];
        const int          min  = method_param_find(rule->method, tly_text("list_min"));
        const int          max  = method_param_find(rule->method, tly_text("list_max"));
        if (!rule->method->credits || min < 0 || max < 0) {
            continue;
        }
        if (list->members_n < rule->params[min] || list->members_n > rule->params[max]) {
            faults_add(b->faults, "lists.csv", b->list_lines[i], 1,
                       "list \"%s\" of contest \"%s\" has %u candidates; rule \"%s\" asks for %u "
                       "to %u (list_min, list_max)",
                       list->code, e->contests[list->contest.v].code, list->members_n, rule->code,
                       rule->params[min], rule->params[max]);
        }
    }
}

enum tly_err
build_candidates(struct build *b)
{
    /* Its own: the rows of a country's candidates are the largest thing that does not stay. */
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = BUILD_SCRATCH_MAX};
    struct csv                       csv;
    const bool                       open =
        build_csv(b, "candidates.csv", "contest,candidate,list,name_fa,name_en", &csv);
    const uint32_t max = open ? csv.rows_max : 0;
    uint32_t       n   = 0;

    struct candidate_row *rows = TLY_NEW(&scratch, struct candidate_row, (size_t)max + 1);
    b->candidates              = TLY_NEW(b->arena, struct candidate, (size_t)max + 1);
    b->election->candidates    = b->candidates;
    if (rows == NULL || b->candidates == NULL ||
        !codes_init(&b->election->candidate_codes, b->arena, max)) {
        return TLY_ENOMEM;
    }
    while (open && csv_next(&csv)) {
        struct candidate_row row = {.line        = csv.lines[P_CANDIDATE],
                                    .column      = csv.columns[P_CANDIDATE],
                                    .list_column = csv.columns[P_LIST],
                                    .list        = csv_text(&csv, P_LIST)};
        row.candidate.contest    = build_contest_of(b, &csv, P_CONTEST);
        row.candidate.code       = fields_code(&csv, P_CANDIDATE);
        row.candidate.name       = (struct name){csv_text(&csv, P_FA), csv_text(&csv, P_EN)};
        if (row.candidate.contest.v != IX_NONE && row.candidate.code != NULL) {
            rows[n++] = row;
        }
    }
    const enum tly_err err = candidates_place(b, rows, n, &scratch);
    if (err == TLY_OK && open && !csv.cut) {
        list_sizes_check(b);
    } else if (!open || csv.cut) {
        b->lists_usable = false; /* nothing about contests without candidates */
    }
    return err;
}
