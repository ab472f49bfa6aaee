/* SPDX-License-Identifier: Apache-2.0 */
#include "base/budget.h"

#include "base/check.h"

static bool
take(struct tly_budget *budget, size_t bytes)
{
    size_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);
    do {
        if (used > budget->max || bytes > budget->max - used) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&budget->used, &used, used + bytes));
    return true;
}

static void
give(struct tly_budget *budget, size_t bytes)
{
    const size_t before = atomic_fetch_sub(&budget->used, bytes);
    TLY_CHECK(before >= bytes);
}

bool
tly_budget_take(struct tly_budget *budget, size_t bytes)
{
    if (!take(budget, bytes)) {
        return false;
    }
    if (budget->whole != NULL && !take(budget->whole, bytes)) {
        give(budget, bytes);
        return false;
    }
    return true;
}

void
tly_budget_force(struct tly_budget *budget, size_t bytes)
{
    (void)atomic_fetch_add(&budget->used, bytes);
    if (budget->whole != NULL) {
        (void)atomic_fetch_add(&budget->whole->used, bytes);
    }
}

void
tly_budget_give(struct tly_budget *budget, size_t bytes)
{
    give(budget, bytes);
    if (budget->whole != NULL) {
        give(budget->whole, bytes);
    }
}
