/* SPDX-License-Identifier: Apache-2.0 */
/* Tables on a terminal: rows collected, columns as wide as they need. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

#define TABLE_COLUMNS_MAX 12

struct table_row;

/* In the caller's storage; rows live in the arena. */
struct table {
    struct tly_arena *arena;
    unsigned          columns_n;
    struct table_row *first, *last;
    bool              right[TABLE_COLUMNS_MAX]; /* numbers stand at the right */
    bool              failed;                   /* no memory: the table says so when printed */
};

/* head: names of the columns, separated by '|'; one that begins with '>' stands at the right. */
void table_init(struct table *table, struct tly_arena *arena, const char *head);
/* Adds a row; n texts, copied. */
void table_add(struct table *table, const char *const cells[], unsigned n);
void table_print(const struct table *table);
