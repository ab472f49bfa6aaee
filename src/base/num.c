/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"

bool
tly_u64_parse(struct tly_bytes text, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(v, 10, &v) ||
            !tly_add_u64(v, (uint64_t)(c - '0'), &v)) {
            return false;
        }
    }
    if (text.len == 0 || v > max) {
        return false;
    }
    *out = v;
    return true;
}
