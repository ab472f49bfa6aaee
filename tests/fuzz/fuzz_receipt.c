/* SPDX-License-Identifier: Apache-2.0 */
/* Only the log's own leaf 1 in its head of 2 is ever proven by a signature we know. */
#include "core/receipt.h"

#include "base/attr.h"
#include "base/check.h"
#include "ledger_vector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct note_vkey                 vkey;
    struct receipt                   r;
    tly_arena_init(&arena, (size_t)1 << 20);
    const bool known = note_vkey_parse(tly_text(vector_log_vkey), &vkey);
    TLY_CHECK(known);
    if (receipt_check((struct tly_bytes){data, size}, &vkey, &arena, &r, NULL) == TLY_OK) {
        const char *leaf = r.index == 0 ? vector_leaf0 : vector_leaf1;
        TLY_CHECK(r.head.size == 2 && r.index < 2);
        TLY_CHECK(tly_bytes_eq(r.leaf, tly_text(leaf)));
    }
    return 0;
}
