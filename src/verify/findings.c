/* SPDX-License-Identifier: Apache-2.0 */
#include "findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define CHECK_ROW(name, family, code, what, todo, what_fa, todo_fa)                                \
    [FOUND_##name] = {family, code, what, todo, what_fa, todo_fa},
static const struct check_row rows[FOUND_N] = {CHECK_ROWS(CHECK_ROW)};
#undef CHECK_ROW

const struct check_row *
findings_row(enum found found)
{
    TLY_CHECK(found < FOUND_N);
    return &rows[found];
}

const char *
findings_family(enum family family)
{
    static const char *const names[FAMILIES_N] = {[AUTHENTICITY] = "authenticity",
                                                  [INTEGRITY]    = "integrity",
                                                  [CONSISTENCY]  = "consistency",
                                                  [COMPLETENESS] = "completeness",
                                                  [EVIDENCE]     = "evidence"};
    TLY_CHECK(family < FAMILIES_N);
    return names[family];
}

void
findings_done(struct findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->list[i].at);
    }
    free(f->list);
    *f = (struct findings){0};
}

static void
add(struct findings *f, struct found_at found)
{
    if (f->n == f->room) {
        const size_t     room = f->room * 2 + 64;
        struct found_at *list = reallocarray(f->list, room, sizeof *list);
        if (list == NULL) {
            f->no_memory = true;
            free(found.at);
            return;
        }
        f->list = list;
        f->room = room;
    }
    f->list[f->n++] = found;
}

void
findings_add(struct findings *f, enum found found, const char *at)
{
    char *copy   = strdup(at);
    f->no_memory = f->no_memory || copy == NULL;
    if (copy != NULL) {
        add(f, (struct found_at){found, 0, copy});
    }
}

void
findings_addf(struct findings *f, enum found found, const char *format, ...)
{
    char   *text = NULL;
    va_list args;
    va_start(args, format);
    const int len = vasprintf(&text, format, args);
    va_end(args);
    f->no_memory = f->no_memory || len < 0;
    if (len >= 0) {
        add(f, (struct found_at){found, 0, text});
    }
}

void
findings_entry(struct findings *f, uint64_t bits, uint64_t entry)
{
    for (unsigned i = 0; i < FOUND_N; i++) {
        if ((bits & FOUND_BIT(i)) != 0) {
            add(f, (struct found_at){(enum found)i, entry, NULL});
        }
    }
}

const char *
findings_at_text(const struct found_at *found, char storage[FOUND_AT_SIZE])
{
    if (found->at != NULL) {
        return found->at;
    }
    (void)snprintf(storage, FOUND_AT_SIZE, "entry %" PRIu64, found->entry);
    return storage;
}

static size_t
digits(const char *p)
{
    return strspn(p, "0123456789");
}

/* Two runs of digits as numbers, however long. */
static int
run_cmp(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t a_zeros = 0;
    size_t b_zeros = 0;
    while (a_zeros < a_len && a[a_zeros] == '0') {
        a_zeros++;
    }
    while (b_zeros < b_len && b[b_zeros] == '0') {
        b_zeros++;
    }
    if (a_len - a_zeros != b_len - b_zeros) {
        return a_len - a_zeros < b_len - b_zeros ? -1 : 1;
    }
    const int order = memcmp(a + a_zeros, b + b_zeros, a_len - a_zeros);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

int
findings_at_cmp(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        const size_t a_len = digits(a);
        const size_t b_len = digits(b);
        if (a_len > 0 && b_len > 0) {
            const int order = run_cmp(a, a_len, b, b_len);
            if (order != 0) {
                return order;
            }
            a += a_len;
            b += b_len;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return (*a != '\0') - (*b != '\0');
}

static int
found_cmp(const void *va, const void *vb)
{
    const struct found_at *a     = va;
    const struct found_at *b     = vb;
    const int              order = strcmp(rows[a->found].code, rows[b->found].code);
    char                   a_text[FOUND_AT_SIZE];
    char                   b_text[FOUND_AT_SIZE];
    if (order != 0) {
        return order;
    }
    if (a->at == NULL && b->at == NULL) {
        return (a->entry > b->entry) - (a->entry < b->entry);
    }
    return findings_at_cmp(findings_at_text(a, a_text), findings_at_text(b, b_text));
}

void
findings_sort(struct findings *f)
{
    size_t kept = 0;
    if (f->n == 0) {
        return;
    }
    qsort(f->list, f->n, sizeof *f->list, found_cmp);
    for (size_t i = 0; i < f->n; i++) {
        if (kept > 0 && found_cmp(&f->list[kept - 1], &f->list[i]) == 0) {
            free(f->list[i].at);
        } else {
            f->list[kept++] = f->list[i];
        }
    }
    f->n = kept;
}
