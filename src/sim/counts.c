/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "pack/csv.h"
#include "sys/file.h"

#define COUNTS_HEAD      "branch,contest,field,code,value"
#define COUNTS_BYTES_MAX ((size_t)2 << 30)

enum column { BRANCH, CONTEST, FIELD, CODE, VALUE };

/* What a field's name means; a number's count goes to *count. */
static bool
kind_find(struct tly_bytes name, enum counts_kind *kind, enum count *count)
{
    static const struct {
        const char      *name;
        enum counts_kind kind;
    } words[] = {
        {"list", COUNTS_LIST}, {"candidate", COUNTS_CANDIDATE}, {"not_held", COUNTS_NOT_HELD}};
    for (unsigned i = 0; i < TLY_N(words); i++) {
        if (tly_bytes_eq(name, tly_text(words[i].name))) {
            *kind = words[i].kind;
            return true;
        }
    }
    for (unsigned i = 0; i < COUNTS_N; i++) {
        if (tly_bytes_eq(name, tly_text(count_name((enum count)i)))) {
            *kind  = COUNTS_NUMBER;
            *count = (enum count)i;
            return true;
        }
    }
    return false;
}

/* Any whole number that 32 bits hold: a scenario may want one that the daemon refuses. */
static bool
number(struct tly_bytes text, uint32_t *out)
{
    uint64_t   n  = 0;
    const bool ok = tly_u64_parse(text, UINT32_MAX, &n);
    *out          = (uint32_t)n;
    return ok;
}

/* A reason goes into a JSON string as it is. */
static bool
reason_ok(struct tly_bytes reason)
{
    for (size_t i = 0; i < reason.len; i++) {
        const uint8_t c = reason.data[i];
        if (c < ' ' || c == '"' || c == '\\') {
            return false;
        }
    }
    return reason.len >= 1 && reason.len <= PAYLOAD_REASON_LEN_MAX;
}

/* What the row's code names, and where among all that a slot can have; false: a fault, noted. */
static bool
read_code(const struct csv *csv, const struct election *election, struct contest_ix ix,
          struct counts_row *row)
{
    const struct contest  *c    = &election->contests[ix.v];
    const struct tly_bytes code = csv->fields[CODE];
    const bool             list = row->kind == COUNTS_LIST;
    row->code                   = csv_text(csv, CODE);
    if ((list || (row->kind == COUNTS_NUMBER && row->count == COUNT_MIXED)) &&
        !election->rules[c->rule].method->lists) {
        csv_fault(csv, FIELD, "\"%s\" in contest \"%s\", whose method has no lists",
                  csv_text(csv, FIELD), c->code);
        return false;
    }
    if (row->kind == COUNTS_NOT_HELD) {
        row->place = COUNTS_N;
        if (!reason_ok(code)) {
            csv_fault(csv, CODE,
                      "the reason must have 1 to %d bytes and no quote, backslash or "
                      "control character",
                      PAYLOAD_REASON_LEN_MAX);
            return false;
        }
        return true;
    }
    if (row->kind == COUNTS_NUMBER) {
        row->place = row->count;
        if (code.len > 0) {
            csv_fault(csv, CODE, "\"%.80s\" must be empty: %s is of the whole contest", row->code,
                      csv_text(csv, FIELD));
            return false;
        }
        return true;
    }
    const struct list_ix      l = list ? election_list(election, ix, code) : (struct list_ix){0};
    const struct candidate_ix p =
        list ? (struct candidate_ix){0} : election_candidate(election, ix, code);
    if (l.v == IX_NONE || p.v == IX_NONE) {
        csv_fault(csv, CODE, "\"%.80s\" is no %s of contest \"%s\"", row->code,
                  csv_text(csv, FIELD), c->code);
        return false;
    }
    row->place =
        COUNTS_N + 1 + (list ? l.v - c->lists_first : c->lists_n + p.v - c->candidates_first);
    return true;
}

/* One row; false: it has a fault, noted. */
static bool
read_row(const struct csv *csv, const struct election *election, struct counts_row *row)
{
    const struct branch_ix  branch  = election_branch(election, csv->fields[BRANCH]);
    const struct contest_ix contest = election_contest(election, csv->fields[CONTEST]);
    if (branch.v == IX_NONE) {
        csv_fault(csv, BRANCH, "\"%s\" is no branch of branches.csv", csv_text(csv, BRANCH));
        return false;
    }
    if (contest.v == IX_NONE) {
        csv_fault(csv, CONTEST, "\"%s\" is no contest of contests.csv", csv_text(csv, CONTEST));
        return false;
    }
    row->slot = election_slot(election, branch, contest);
    if (row->slot.v == IX_NONE) {
        csv_fault(csv, CONTEST, "branch %s does not report \"%s\" (ballots.csv)",
                  csv_text(csv, BRANCH), csv_text(csv, CONTEST));
        return false;
    }
    if (!kind_find(csv->fields[FIELD], &row->kind, &row->count)) {
        csv_fault(csv, FIELD, "\"%s\" is no field of a bundle", csv_text(csv, FIELD));
        return false;
    }
    row->line = csv->line;
    if (!read_code(csv, election, contest, row)) {
        return false;
    }
    if (row->kind != COUNTS_NOT_HELD && !number(csv->fields[VALUE], &row->value)) {
        csv_fault(csv, VALUE, "\"%s\" is no whole number", csv_text(csv, VALUE));
        return false;
    }
    return true;
}

/* Groups rows by slot: a counting sort, which keeps the file's order within a slot. */
static bool
group(const struct election *election, const struct counts_row *rows, uint32_t n,
      struct tly_arena *arena, struct counts_file *out)
{
    out->rows      = TLY_NEW(arena, struct counts_row, (size_t)n + 1);
    out->first     = TLY_NEW(arena, uint32_t, (size_t)election->slots_n + 1);
    uint32_t *next = TLY_NEW(arena, uint32_t, (size_t)election->slots_n + 1);
    if (out->rows == NULL || out->first == NULL || next == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        out->first[rows[i].slot.v + 1]++;
    }
    for (uint32_t s = 0; s < election->slots_n; s++) {
        out->first[s + 1] += out->first[s];
    }
    memcpy(next, out->first, ((size_t)election->slots_n + 1) * sizeof *next);
    for (uint32_t i = 0; i < n; i++) {
        out->rows[next[rows[i].slot.v]++] = rows[i];
    }
    return true;
}

/* Whatever stands twice of a slot, and numbers beside not_held.  false: no memory. */
static bool
repeats(const struct election *election, const struct counts_file *file, struct tly_arena *arena,
        struct faults *faults)
{
    uint32_t places = 0;
    for (uint32_t i = 0; i < election->contests_n; i++) {
        const struct contest *c = &election->contests[i];
        const uint32_t        n = c->lists_n + c->candidates_n;
        places                  = n > places ? n : places;
    }
    places += COUNTS_N + 1;
    const struct counts_row **last = TLY_NEW(arena, const struct counts_row *, places);
    if (last == NULL) {
        return false;
    }
    for (uint32_t s = 0; s < election->slots_n; s++) {
        for (uint32_t i = file->first[s]; i < file->first[s + 1]; i++) {
            const struct counts_row *row   = &file->rows[i];
            const struct counts_row *first = last[row->place];
            const struct counts_row *top   = &file->rows[file->first[s]];
            if (first != NULL && first->slot.v == s) {
                faults_add(faults, "counts.csv", row->line, 1,
                           "what this row counts stands in line %u already", first->line);
            } else if (row != top &&
                       (row->kind == COUNTS_NOT_HELD) != (top->kind == COUNTS_NOT_HELD)) {
                faults_add(faults, "counts.csv", row->line, 1,
                           "numbers and not_held (line %u) of one contest", top->line);
            }
            last[row->place] = row;
        }
    }
    return true;
}

static size_t
lines_in(struct tly_bytes text)
{
    size_t n = 0;
    for (const uint8_t *p = text.data, *end = p + text.len;
         p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++) {
        n++;
    }
    return n;
}

enum tly_err
counts_read(const char *dir, const struct election *election, struct tly_arena *arena,
            struct counts_file *out, struct faults *faults, struct tly_diag *diag)
{
    char             path[FILE_PATH_SIZE];
    struct tly_bytes text;
    struct csv       csv;
    uint32_t         n = 0;
    file_path(path, "%s/counts.csv", dir);
    enum tly_err err = file_read(path, COUNTS_BYTES_MAX, arena, &text, diag);
    if (err != TLY_OK) {
        return err;
    }
    struct counts_row *rows = TLY_NEW(arena, struct counts_row, lines_in(text) + 1);
    if (rows == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory for its rows", path);
    }
    if (csv_open(&csv, "counts.csv", (uint8_t *)(uintptr_t)text.data, text.len, COUNTS_HEAD,
                 faults)) {
        while (csv_next(&csv)) {
            n += read_row(&csv, election, &rows[n]);
        }
    }
    if (faults->n == 0 && n == 0) {
        faults_add(faults, "counts.csv", 0, 0, "there is no row");
    }
    if (faults->n > 0) {
        return tly_fail(diag, TLY_EINPUT, "%s: %" PRIu64 " faults", path, faults->n);
    }
    if (!group(election, rows, n, arena, out) || !repeats(election, out, arena, faults)) {
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory for its rows", path);
    }
    return faults->n == 0 ? TLY_OK
                          : tly_fail(diag, TLY_EINPUT, "%s: %" PRIu64 " faults", path, faults->n);
}
