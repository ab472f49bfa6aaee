/* SPDX-License-Identifier: Apache-2.0 */
/* A frame that is taken has all its rows, and its envelopes are as long as it says. */
#include "core/frame.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct frame                     frame;
    struct tly_bytes                 envelope;
    bool                             decision;
    size_t                           bytes = 92;
    tly_arena_init(&arena, (size_t)64 << 20);
    if (frame_read((struct tly_bytes){data, size}, &frame, NULL) != TLY_OK) {
        return 0;
    }
    TLY_CHECK(frame.after.size - frame.before.size == frame.rows_n);
    for (uint32_t i = 0; i < frame.rows_n; i++) {
        const size_t left = frame.rows.len;
        TLY_CHECK(frame_row(&frame, &arena, &envelope, &decision, NULL) == TLY_OK);
        bytes += left - frame.rows.len;
        TLY_CHECK(envelope.len + FRAME_ROW_BYTES >= left - frame.rows.len);
    }
    TLY_CHECK(bytes == size && frame.rows.len == 0);
    TLY_CHECK(frame_row(&frame, &arena, &envelope, &decision, NULL) == TLY_EINPUT);
    return 0;
}
