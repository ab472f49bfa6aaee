/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: zeroed, aligned, never over its limit, nothing wraps. */
#include <stdalign.h>
#include <stddef.h>

#include "base/arena.h"
#include "t.h"

static bool
all_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

static void
many_sizes(void)
{
    struct tly_arena arena;
    bool             zero    = true;
    bool             aligned = true;
    tly_arena_init(&arena, 64 << 20);
    for (size_t n = 0; n < 3000; n++) {
        uint8_t *p = tly_arena_alloc(&arena, n, 1 + n % 3);
        if (p == NULL) {
            T_OK(false, "room");
            break;
        }
        aligned = aligned && (uintptr_t)p % alignof(max_align_t) == 0;
        zero    = zero && all_zero(p, n * (1 + n % 3));
        memset(p, 0xee, n * (1 + n % 3));
    }
    T_OK(zero, "zeroed, and no two overlap");
    T_OK(aligned, "aligned for any type");
    tly_arena_done(&arena);
    T_EQ(arena.bytes, 0, "everything is given back");
    T_OK(TLY_NEW(&arena, long, 2) != NULL, "and it can be used again");
    tly_arena_done(&arena);
    tly_arena_done(&arena);
}

static void
limits(void)
{
    struct tly_arena arena;
    tly_arena_init(&arena, 1000);
    T_OK(tly_arena_alloc(&arena, 1001, 1) == NULL, "over the limit at once");
    T_OK(tly_arena_alloc(&arena, 496, 1) != NULL, "half");
    T_OK(tly_arena_alloc(&arena, 496, 1) != NULL, "the other half");
    T_OK(tly_arena_alloc(&arena, 16, 1) == NULL, "one more");
    T_OK(arena.bytes <= 1000, "never took more");
    T_OK(tly_arena_alloc(&arena, SIZE_MAX / 2, 3) == NULL, "a product that wraps");
    T_OK(tly_arena_alloc(&arena, SIZE_MAX, 1) == NULL, "rounding up would wrap");
    T_OK(tly_arena_text(&arena, (struct tly_bytes){(const uint8_t *)"", SIZE_MAX}) == NULL,
         "a text with its NUL would wrap");
    tly_arena_done(&arena);
    tly_arena_init(&arena, 0);
    T_OK(tly_arena_alloc(&arena, 1, 1) == NULL, "a limit of nothing");
    tly_arena_done(&arena);
    struct tly_arena zeroed = {0};
    tly_arena_done(&zeroed);
}

static void
texts(void)
{
    struct tly_arena arena;
    tly_arena_init(&arena, 100000);
    T_STR(tly_arena_text(&arena, (struct tly_bytes){(const uint8_t *)"abcdef", 3}), "abc",
          "a copy");
    T_STR(tly_arena_text(&arena, (struct tly_bytes){NULL, 0}), "", "an empty one");
    tly_arena_done(&arena);
}

/* Two arenas out of one budget: what one has the other cannot take, until it is given back. */
static void
shared_budget(void)
{
    struct tly_budget budget = {.max = 40 << 10};
    struct tly_arena  a;
    struct tly_arena  b;
    tly_arena_init(&a, 64 << 20);
    tly_arena_init(&b, 64 << 20);
    a.budget = &budget;
    b.budget = &budget;
    T_OK(tly_arena_alloc(&a, 30 << 10, 1) != NULL, "a part of the budget");
    T_EQ(budget.used, 30 << 10, "is counted");
    T_OK(tly_arena_alloc(&b, (10 << 10) + 16, 1) == NULL, "another arena cannot take too much");
    T_EQ(budget.used, 30 << 10, "and a refusal takes nothing");
    T_OK(tly_arena_alloc(&b, 10 << 10, 1) != NULL, "but all that is left");
    T_EQ(budget.used, 40 << 10, "to the last byte");
    T_OK(tly_arena_alloc(&b, 1, 1) == NULL, "and no more");
    tly_arena_done(&a);
    tly_arena_done(&b);
    T_EQ(budget.used, 0, "all is given back");
    T_OK(tly_arena_alloc(&b, 20 << 10, 1) != NULL, "and can be taken again");
    T_OK(tly_arena_alloc(&a, 1, 1) != NULL, "the arena that was emptied still has its budget");
    T_EQ(budget.used, 36 << 10, "and is counted");
    tly_budget_force(&budget, 10 << 10);
    T_OK(!tly_budget_take(&budget, 1) && budget.used == 46 << 10, "forced over: others wait");
    tly_budget_give(&budget, 10 << 10);
    T_OK(tly_budget_take(&budget, 4 << 10) && !tly_budget_take(&budget, 1), "to the last byte");
    tly_budget_give(&budget, 4 << 10);
    tly_arena_done(&a);
    tly_arena_done(&b);
    T_EQ(budget.used, 0, "nothing is left of it");
}

/* A part of a budget: bounded itself, and by what others left of the whole. */
static void
part_of_budget(void)
{
    struct tly_budget whole = {.max = 100};
    struct tly_budget part  = {.max = 80, .whole = &whole};
    T_OK(tly_budget_take(&part, 80) && whole.used == 80, "a part takes from the whole");
    T_OK(!tly_budget_take(&part, 1) && whole.used == 80, "up to its own limit");
    T_OK(tly_budget_take(&whole, 20), "the rest is for others");
    tly_budget_give(&part, 30);
    T_OK(tly_budget_take(&whole, 30), "who may take what it leaves");
    T_OK(!tly_budget_take(&part, 1) && part.used == 50,
         "and it gets nothing of a whole that is full");
    tly_budget_force(&part, 7);
    T_OK(part.used == 57 && whole.used == 107, "forced into both");
    tly_budget_give(&part, 57);
    tly_budget_give(&whole, 50);
    T_OK(part.used == 0 && whole.used == 0, "nothing is left of either");
}

int
main(void)
{
    shared_budget();
    part_of_budget();
    many_sizes();
    limits();
    texts();
    return T_DONE();
}
