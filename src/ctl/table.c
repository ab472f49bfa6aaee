/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"

struct table_row {
    struct table_row *next;
    const char       *cells[TABLE_COLUMNS_MAX];
};

/* Columns on the screen, near enough: one a UTF-8 character, none for ZWNJ and marks that combine.
 */
static size_t
width(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++) {
        const bool zwnj = strncmp(s, "\xe2\x80\x8c", 3) == 0;
        n += ((unsigned char)*s & 0xC0) != 0x80 && !zwnj;
    }
    return n;
}

void
table_init(struct table *table, struct tly_arena *arena, const char *head)
{
    *table = (struct table){.arena = arena};
    const char *cells[TABLE_COLUMNS_MAX];
    unsigned    n    = 0;
    const char *from = head;
    while (from != NULL) {
        TLY_CHECK(n < TABLE_COLUMNS_MAX);
        const char *bar   = strchr(from, '|');
        table->right[n]   = *from == '>';
        const char  *text = from + (*from == '>');
        const size_t len  = bar == NULL ? strlen(text) : (size_t)(bar - text);
        cells[n++]        = tly_arena_text(arena, (struct tly_bytes){(const uint8_t *)text, len});
        from              = bar == NULL ? NULL : bar + 1;
    }
    table->columns_n = n;
    table_add(table, cells, n);
}

void
table_add(struct table *table, const char *const cells[], unsigned n)
{
    TLY_CHECK(n == table->columns_n);
    struct table_row *row = TLY_NEW(table->arena, struct table_row, 1);
    if (row == NULL) {
        table->failed = true;
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        row->cells[i] = cells[i] == NULL ? NULL : tly_arena_text(table->arena, tly_text(cells[i]));
        if (row->cells[i] == NULL) {
            row->cells[i] = "-";
        }
    }
    if (table->last == NULL) {
        table->first = row;
    } else {
        table->last->next = row;
    }
    table->last = row;
}

static void
print_cell(const char *text, size_t wide, bool right, bool last)
{
    const size_t have = width(text);
    const int    pad  = have < wide ? (int)(wide - have) : 0;
    if (right) {
        (void)printf("%*s%s", pad, "", text);
    } else {
        (void)printf("%s%*s", text, last ? 0 : pad, "");
    }
    (void)fputs(last ? "\n" : "  ", stdout);
}

static void
print_rule(const size_t wide[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        for (size_t k = 0; k < wide[i]; k++) {
            (void)putchar('-');
        }
        (void)fputs(i + 1 == n ? "\n" : "  ", stdout);
    }
}

void
table_print(const struct table *table)
{
    size_t         wide[TABLE_COLUMNS_MAX] = {0};
    const unsigned n                       = table->columns_n;
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        for (unsigned i = 0; i < n; i++) {
            const size_t w = width(row->cells[i]);
            wide[i]        = w > wide[i] ? w : wide[i];
        }
    }
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        for (unsigned i = 0; i < n; i++) {
            print_cell(row->cells[i], wide[i], table->right[i], i + 1 == n);
        }
        if (row == table->first) {
            print_rule(wide, n);
        }
    }
    if (table->failed) {
        (void)fputs("(rows are missing: no memory)\n", stdout);
    }
}
