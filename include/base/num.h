/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic that cannot wrap unseen. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

__extension__ typedef unsigned __int128 tly_u128;

/* *sum = a + b; false, and *sum untouched, when it does not fit. */
TLY_MUST static inline bool
tly_add_u64(uint64_t a, uint64_t b, uint64_t *sum)
{
    uint64_t   s;
    const bool fits = !__builtin_add_overflow(a, b, &s);
    if (fits) {
        *sum = s;
    }
    return fits;
}

/* *difference = a - b; false, and *difference untouched, when b is larger. */
TLY_MUST static inline bool
tly_sub_u64(uint64_t a, uint64_t b, uint64_t *difference)
{
    const bool fits = a >= b;
    if (fits) {
        *difference = a - b;
    }
    return fits;
}

/* A decimal number of digits alone, at most max; false, and *out untouched, on any other text. */
TLY_MUST bool tly_u64_parse(struct tly_bytes text, uint64_t max, uint64_t *out);
