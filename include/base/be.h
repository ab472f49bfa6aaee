/* SPDX-License-Identifier: Apache-2.0 */
/* Whole numbers as bytes, the most significant first, of any width that files and frames have. */
#pragma once

#include <stdint.h>

/* bytes: 1 to 8; what of the value does not fit is left out. */
static inline void
tly_be_put(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
}

static inline uint64_t
tly_be_get(const uint8_t *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | in[i];
    }
    return value;
}
