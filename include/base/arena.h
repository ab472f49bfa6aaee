/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed all at once: one arena a request, one a configuration, one a tally. */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/budget.h"
#include "base/bytes.h"

struct tly_arena_block;

/* An object in the caller's storage; tly_arena_init() before use, tly_arena_done() at the end. */
struct tly_arena {
    struct tly_arena_block *blocks;
    size_t                  used;      /* bytes used of the newest block */
    size_t                  size;      /* bytes of the newest block */
    size_t                  bytes;     /* bytes taken from the system in all */
    size_t                  bytes_max; /* never take more than this */
    struct tly_budget      *budget;    /* shared with others; NULL: none.  Set after the init */
};

void tly_arena_init(struct tly_arena *arena, size_t bytes_max);
void tly_arena_done(struct tly_arena *arena); /* frees everything; fine on a zeroed struct */
void tly_auto_arena(struct tly_arena *arena); /* for TLY_AUTO(arena) */

/* Zeroed memory, aligned for any type; NULL when the limit, the budget or the system's memory is
 * reached, or when n * size overflows. */
void *tly_arena_alloc(struct tly_arena *arena, size_t n, size_t size);
/* A copy of the bytes with a NUL behind them; NULL as above. */
char *tly_arena_text(struct tly_arena *arena, struct tly_bytes text);

/* n zeroed objects of a type. */
#define TLY_NEW(arena, type, n) ((type *)tly_arena_alloc((arena), (n), sizeof(type)))
