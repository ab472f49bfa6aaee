/* SPDX-License-Identifier: Apache-2.0 */
/* branches.csv and ballots.csv. */
#include "build.h"
#include "fields.h"

enum { B_BRANCH, B_AREA, B_KIND, B_CAPACITY, B_FA, B_EN };
enum { S_BRANCH, S_CONTEST };

static void
branch_read(struct build *b, const struct csv *csv)
{
    struct election *e      = b->election;
    struct branch    branch = {.name = {csv_text(csv, B_FA), csv_text(csv, B_EN)}};
    branch.code             = fields_code(csv, B_BRANCH);
    branch.area             = election_area(e, csv->fields[B_AREA]);
    if (branch.area.v == IX_NONE && b->areas_usable) {
        csv_fault(csv, B_AREA, "\"%.80s\" is no area of areas.csv", csv_text(csv, B_AREA));
    }
    if (!branch_kind_find(csv->fields[B_KIND], &branch.kind)) {
        csv_fault(csv, B_KIND, "\"%.40s\" is neither fixed nor mobile", csv_text(csv, B_KIND));
    }
    if (!fields_empty(csv, B_CAPACITY)) {
        (void)fields_number_u32(csv, B_CAPACITY, 1, ELECTION_COUNT_MAX, &branch.capacity);
    }
    if (branch.code == NULL) {
        return;
    }
    if (!codes_add(&e->branch_codes, 0, branch.code, e->branches_n)) {
        const struct branch_ix first = election_branch(e, csv->fields[B_BRANCH]);
        csv_fault(csv, B_BRANCH, "\"%s\" stands in line %u already", branch.code,
                  b->branch_lines[first.v]);
        return;
    }
    b->branch_lines[e->branches_n] = csv->line;
    b->branches[e->branches_n++]   = branch;
}

enum tly_err
build_branches(struct build *b)
{
    struct csv csv;
    const bool open =
        build_csv(b, "branches.csv", "branch,area,kind,capacity,name_fa,name_en", &csv);
    const uint32_t max    = open ? csv.rows_max : 0;
    b->branches           = TLY_NEW(b->arena, struct branch, (size_t)max + 1);
    b->branch_lines       = TLY_NEW(b->scratch, uint32_t, (size_t)max + 1);
    b->election->branches = b->branches;
    if (b->branches == NULL || b->branch_lines == NULL ||
        !codes_init(&b->election->branch_codes, b->arena, max)) {
        return TLY_ENOMEM;
    }
    while (open && csv_next(&csv)) {
        branch_read(b, &csv);
    }
    if (open && b->election->branches_n == 0) {
        faults_add(b->faults, "branches.csv", 0, 0, "there is no branch");
    }
    b->branches_usable = open;
    return TLY_OK;
}

struct slot_row {
    struct slot slot;
    uint32_t    line;
};

/* Does the branch report this contest already?  Its slots are few: 64 at most, mostly 3. */
static bool
slot_known(const struct branch *branch, const struct slot slots[], struct contest_ix contest)
{
    for (uint32_t i = 0; i < branch->slots_n; i++) {
        if (slots[branch->slots_first + i].contest.v == contest.v) {
            return true;
        }
    }
    return false;
}

/* Rows in the order of their branches, in the file's order within. */
static void
slots_place(struct build *b, const struct slot_row rows[], uint32_t n, struct slot slots[])
{
    struct election *e     = b->election;
    uint32_t         first = 0;
    for (uint32_t i = 0; i < n; i++) {
        b->branches[rows[i].slot.branch.v].slots_n++;
    }
    for (uint32_t i = 0; i < e->branches_n; i++) {
        struct branch *branch = &b->branches[i];
        branch->slots_first   = first;
        first += branch->slots_n;
        branch->slots_n = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct branch  *branch  = &b->branches[rows[i].slot.branch.v];
        struct contest *contest = &b->contests[rows[i].slot.contest.v];
        if (branch->slots_n == ELECTION_BRANCH_CONTESTS_MAX) {
            faults_add(b->faults, "ballots.csv", rows[i].line, 1,
                       "branch \"%s\" has more than %d contests", branch->code,
                       ELECTION_BRANCH_CONTESTS_MAX);
            continue;
        }
        if (slot_known(branch, slots, rows[i].slot.contest)) {
            faults_add(b->faults, "ballots.csv", rows[i].line, 1,
                       "contest \"%s\" at branch \"%s\" stands twice", contest->code, branch->code);
            continue;
        }
        slots[branch->slots_first + branch->slots_n++] = rows[i].slot;
        contest->slots_n++;
    }
    e->slots   = slots;
    e->slots_n = first;
}

/* The same places, grouped by contest. */
static void
contest_slots_place(struct build *b, struct slot_ix by_contest[])
{
    struct election *e     = b->election;
    uint32_t         first = 0;
    for (uint32_t i = 0; i < e->contests_n; i++) {
        struct contest *c = &b->contests[i];
        c->slots_first    = first;
        first += c->slots_n;
        c->slots_n = 0;
    }
    for (uint32_t k = 0; k < e->branches_n; k++) {
        const struct branch *branch = &e->branches[k];
        for (uint32_t i = branch->slots_first; i < branch->slots_first + branch->slots_n; i++) {
            struct contest *c                         = &b->contests[e->slots[i].contest.v];
            by_contest[c->slots_first + c->slots_n++] = (struct slot_ix){i};
        }
    }
    e->contest_slots = by_contest;
}

static void
alone_check(const struct build *b)
{
    const struct election *e = b->election;
    for (uint32_t i = 0; i < e->branches_n; i++) {
        if (e->branches[i].slots_n == 0) {
            faults_add(b->faults, "branches.csv", b->branch_lines[i], 1,
                       "branch \"%s\" has no contest: no row of ballots.csv names it",
                       e->branches[i].code);
        }
    }
    for (uint32_t i = 0; i < e->contests_n; i++) {
        if (e->contests[i].slots_n == 0) {
            faults_add(b->faults, "contests.csv", b->contest_lines[i], 1,
                       "contest \"%s\" has no branch: no row of ballots.csv names it",
                       e->contests[i].code);
        }
    }
}

enum tly_err
build_ballots(struct build *b)
{
    struct csv csv;
    if (!build_csv(b, "ballots.csv", "branch,contest", &csv)) {
        return TLY_OK;
    }
    uint32_t         n          = 0;
    struct slot_row *rows       = TLY_NEW(b->scratch, struct slot_row, (size_t)csv.rows_max + 1);
    struct slot     *slots      = TLY_NEW(b->arena, struct slot, (size_t)csv.rows_max + 1);
    struct slot_ix  *by_contest = TLY_NEW(b->arena, struct slot_ix, (size_t)csv.rows_max + 1);
    if (rows == NULL || slots == NULL || by_contest == NULL) {
        return TLY_ENOMEM;
    }
    while (csv_next(&csv)) {
        struct slot_row row = {.line = csv.line};
        row.slot.branch     = election_branch(b->election, csv.fields[S_BRANCH]);
        row.slot.contest    = build_contest_of(b, &csv, S_CONTEST);
        if (row.slot.branch.v == IX_NONE && b->branches_usable) {
            csv_fault(&csv, S_BRANCH, "\"%.80s\" is no branch of branches.csv",
                      csv_text(&csv, S_BRANCH));
        }
        if (row.slot.branch.v != IX_NONE && row.slot.contest.v != IX_NONE) {
            rows[n++] = row;
        }
    }
    slots_place(b, rows, n, slots);
    contest_slots_place(b, by_contest);
    if (b->branches_usable && b->contests_usable) {
        alone_check(b);
    }
    return TLY_OK;
}
