/* SPDX-License-Identifier: Apache-2.0 */
/* areas.csv: a tree, whatever the order of its rows. */
#include "build.h"
#include "fields.h"

enum { AREA, PARENT, LEVEL, NAME_FA, NAME_EN };

struct area_row {
    struct area area; /* parent is set last */
    const char *parent;
    uint32_t    line, parent_column, level_column;
    uint32_t    up;    /* row of the parent; IX_NONE: the root, or unknown */
    uint32_t    depth; /* DEPTH_* until known */
};

#define DEPTH_UNKNOWN UINT32_MAX
#define DEPTH_ON_PATH (UINT32_MAX - 1)

struct area_rows {
    struct area_row *list;
    uint32_t         n;
    struct codes     codes;
};

static void
parent_fault(const struct build *b, const struct area_row *row, const char *text)
{
    faults_add(b->faults, "areas.csv", row->line, row->parent_column,
               "parent \"%.80s\" of area \"%s\" %s", row->parent, row->area.code, text);
}

static void
row_read(const struct csv *csv, struct area_rows *rows)
{
    struct area_row row = {.line          = csv->lines[AREA],
                           .parent        = csv_text(csv, PARENT),
                           .parent_column = csv->columns[PARENT],
                           .level_column  = csv->columns[LEVEL],
                           .up            = IX_NONE,
                           .depth         = DEPTH_UNKNOWN};
    row.area.code       = fields_code(csv, AREA);
    row.area.name       = (struct name){csv_text(csv, NAME_FA), csv_text(csv, NAME_EN)};
    if (!level_find(csv->fields[LEVEL], &row.area.level)) {
        row.area.level = LEVELS_N;
        csv_fault(csv, LEVEL,
                  "\"%.40s\" is none of country province county district city rural_district "
                  "village nomad",
                  csv_text(csv, LEVEL));
    }
    if (row.area.code == NULL) {
        return;
    }
    if (!codes_add(&rows->codes, 0, row.area.code, rows->n)) {
        const uint32_t first = codes_find(&rows->codes, 0, csv->fields[AREA]);
        csv_fault(csv, AREA, "\"%s\" stands in line %u already", row.area.code,
                  rows->list[first].line);
        return;
    }
    rows->list[rows->n++] = row;
}

/* Finds each row's parent; exactly one has none. */
static void
rows_link(const struct build *b, struct area_rows *rows)
{
    uint32_t root = IX_NONE;
    for (uint32_t i = 0; i < rows->n; i++) {
        struct area_row *row = &rows->list[i];
        if (row->parent[0] == '\0') {
            if (root != IX_NONE) {
                faults_add(b->faults, "areas.csv", row->line, row->parent_column,
                           "area \"%s\" has no parent, but the root is \"%s\" in line %u already",
                           row->area.code, rows->list[root].area.code, rows->list[root].line);
            } else {
                root = i;
            }
            row->depth = 0;
            continue;
        }
        row->up = codes_find(&rows->codes, 0, tly_text(row->parent));
        if (row->up == IX_NONE) {
            parent_fault(b, row, "is no area of this file");
            row->depth = 0;
            continue;
        }
        const struct area *up = &rows->list[row->up].area;
        if (up->level != LEVELS_N && row->area.level != LEVELS_N && up->level >= row->area.level) {
            faults_add(b->faults, "areas.csv", row->line, row->level_column,
                       "area \"%s\" of level %s cannot lie in \"%s\" of level %s", row->area.code,
                       level_name(row->area.level), up->code, level_name(up->level));
        }
    }
    if (root == IX_NONE) {
        faults_add(b->faults, "areas.csv", 0, 0,
                   "no area is the root: exactly one must have an empty parent");
    }
}

/* Depth of row i and of all above it, by going up and down again; path has room for all rows. */
static void
row_depth(const struct build *b, struct area_rows *rows, uint32_t i, uint32_t path[])
{
    uint32_t n = 0;
    while (rows->list[i].depth == DEPTH_UNKNOWN) {
        rows->list[i].depth = DEPTH_ON_PATH;
        path[n++]           = i;
        i                   = rows->list[i].up;
    }
    if (rows->list[i].depth == DEPTH_ON_PATH) {
        const struct area_row *row = &rows->list[i];
        parent_fault(b, row, "lies within that area itself (a cycle)");
        rows->list[i].depth = 0;
        while (path[n - 1] != i) { /* the rest of the cycle hangs below it */
            n--;
            rows->list[path[n]].depth = 1;
        }
        n--;
    }
    uint32_t depth = rows->list[i].depth;
    while (n > 0) {
        rows->list[path[--n]].depth = ++depth;
    }
}

/* Rows into areas[], each parent before its children, in the file's order within a depth. */
static enum tly_err
rows_place(struct build *b, const struct area_rows *rows, struct tly_arena *scratch)
{
    uint32_t *first = TLY_NEW(scratch, uint32_t, (size_t)rows->n + 2);
    uint32_t *place = TLY_NEW(scratch, uint32_t, (size_t)rows->n + 1);
    b->areas        = TLY_NEW(b->arena, struct area, (size_t)rows->n + 1);
    if (first == NULL || place == NULL || b->areas == NULL ||
        !codes_init(&b->election->area_codes, b->arena, rows->n)) {
        return TLY_ENOMEM;
    }
    for (uint32_t i = 0; i < rows->n; i++) {
        first[rows->list[i].depth + 1]++;
    }
    for (uint32_t d = 0; d < rows->n; d++) {
        first[d + 1] += first[d];
    }
    for (uint32_t i = 0; i < rows->n; i++) {
        place[i]           = first[rows->list[i].depth]++;
        b->areas[place[i]] = rows->list[i].area;
    }
    for (uint32_t i = 0; i < rows->n; i++) {
        struct area   *area = &b->areas[place[i]];
        const uint32_t up   = rows->list[i].up;
        area->parent.v      = up == IX_NONE ? IX_NONE : place[up];
        if (up != IX_NONE) {
            b->areas[place[up]].children_n++;
        }
        if (!codes_add(&b->election->area_codes, 0, area->code, place[i])) {
            return TLY_ECORRUPT; /* cannot be: row_read() saw to it */
        }
    }
    b->election->areas   = b->areas;
    b->election->areas_n = rows->n;
    return TLY_OK;
}

enum tly_err
build_areas(struct build *b)
{
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = BUILD_SCRATCH_MAX};
    struct csv                       csv;
    struct area_rows                 rows = {0};
    if (!build_csv(b, "areas.csv", "area,parent,level,name_fa,name_en", &csv)) {
        return codes_init(&b->election->area_codes, b->arena, 0) ? TLY_OK : TLY_ENOMEM;
    }
    rows.list      = TLY_NEW(&scratch, struct area_row, (size_t)csv.rows_max + 1);
    uint32_t *path = TLY_NEW(&scratch, uint32_t, (size_t)csv.rows_max + 1);
    if (rows.list == NULL || path == NULL || !codes_init(&rows.codes, &scratch, csv.rows_max)) {
        return TLY_ENOMEM;
    }
    while (csv_next(&csv)) {
        row_read(&csv, &rows);
    }
    rows_link(b, &rows);
    for (uint32_t i = 0; i < rows.n; i++) {
        row_depth(b, &rows, i, path);
    }
    b->areas_usable = true;
    return rows_place(b, &rows, &scratch);
}
