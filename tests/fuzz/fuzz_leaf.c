/* SPDX-License-Identifier: Apache-2.0 */
/* A leaf that is read is written again byte for byte. */
#include "core/leaf.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct leaf_texts texts;
    struct leaf       leaf;
    char              out[LEAF_SIZE];
    if (leaf_parse((struct tly_bytes){data, size}, &texts, &leaf, NULL) == TLY_OK) {
        const size_t n = leaf_write(&leaf, out);
        TLY_CHECK(n == size && memcmp(out, data, n) == 0);
    }
    return 0;
}
