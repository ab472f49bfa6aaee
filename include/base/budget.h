/* SPDX-License-Identifier: Apache-2.0 */
/* An amount of bytes that many share: taken before memory is, given back when it is freed.  Any
 * thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct tly_budget {
    size_t             max;
    _Atomic(size_t)    used;
    struct tly_budget *whole; /* what it is a part of: taken from as well; NULL: of nothing */
};

/* False, and nothing taken, when it would go over max. */
bool tly_budget_take(struct tly_budget *budget, size_t bytes);
/* Takes in any case: for what is there already and replaces something larger.  It may stand over
 * max for a while, and then refuses others. */
void tly_budget_force(struct tly_budget *budget, size_t bytes);
void tly_budget_give(struct tly_budget *budget, size_t bytes);
