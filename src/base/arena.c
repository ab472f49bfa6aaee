/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Small requests (most are a few KB) cost one malloc; a country's tables a few hundred. */
#define BLOCK_FIRST ((size_t)16 << 10)
#define BLOCK_MAX   ((size_t)1 << 20)

struct tly_arena_block {
    struct tly_arena_block *next;
    alignas(max_align_t) uint8_t data[];
};

void
tly_arena_init(struct tly_arena *arena, size_t bytes_max)
{
    *arena = (struct tly_arena){.bytes_max = bytes_max};
}

void
tly_arena_done(struct tly_arena *arena)
{
    struct tly_arena_block *block = arena->blocks;
    while (block != NULL) {
        struct tly_arena_block *next = block->next;
        free(block);
        block = next;
    }
    if (arena->budget != NULL) {
        tly_budget_give(arena->budget, arena->bytes);
    }
    *arena = (struct tly_arena){.bytes_max = arena->bytes_max, .budget = arena->budget};
}

void
tly_auto_arena(struct tly_arena *arena)
{
    tly_arena_done(arena);
}

/* Puts a block of this size in front, if the budget allows it. */
static bool
block_add(struct tly_arena *arena, size_t size)
{
    if (arena->budget != NULL && !tly_budget_take(arena->budget, size)) {
        return false;
    }
    struct tly_arena_block *block = malloc(sizeof *block + size);
    if (block == NULL) {
        if (arena->budget != NULL) {
            tly_budget_give(arena->budget, size);
        }
        return false;
    }
    block->next   = arena->blocks;
    arena->blocks = block;
    arena->used   = 0;
    arena->size   = size;
    arena->bytes += size;
    return true;
}

/* Puts a block in front that holds at least `bytes`; doubles up to BLOCK_MAX. */
static bool
grow(struct tly_arena *arena, size_t bytes)
{
    size_t size = arena->size == 0 ? BLOCK_FIRST : arena->size * 2;
    if (size > BLOCK_MAX) {
        size = BLOCK_MAX;
    }
    if (size < bytes) {
        size = bytes;
    }
    if (size > arena->bytes_max - arena->bytes) {
        size = bytes; /* near the limit: only what is asked for */
    }
    if (size > arena->bytes_max - arena->bytes) {
        return false;
    }
    return block_add(arena, size) || (size > bytes && block_add(arena, bytes));
}

void *
tly_arena_alloc(struct tly_arena *arena, size_t n, size_t size)
{
    const size_t align = alignof(max_align_t);
    size_t       bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - align) {
        return NULL;
    }
    bytes = (bytes + align - 1) / align * align;
    if (arena->blocks == NULL || bytes > arena->size - arena->used) {
        if (!grow(arena, bytes)) {
            return NULL;
        }
    }
    void *p = arena->blocks->data + arena->used;
    arena->used += bytes;
    memset(p, 0, bytes);
    return p;
}

char *
tly_arena_text(struct tly_arena *arena, struct tly_bytes text)
{
    char *copy = text.len == SIZE_MAX ? NULL : tly_arena_alloc(arena, text.len + 1, 1);
    if (copy != NULL && text.len > 0) {
        memcpy(copy, text.data, text.len);
    }
    return copy;
}
