/* SPDX-License-Identifier: Apache-2.0 */
/* A batch as bytes, for the journal: what has to be known to put exactly the same leaves at the same
 * places again.  Everything else follows from the envelopes. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/seq.h"

/* Where a batch stands in the ledger, and what it makes of it. */
struct frame {
    struct note_head before, after;
    uint64_t         accepted_ms; /* of its leaves */
    uint32_t         rows_n;      /* = after.size - before.size, 1 to SEQ_BATCH_MAX */
    struct tly_bytes rows;        /* of frame_row() */
};

/* Most bytes that a frame takes: rows of a batch, one that is over its limit, and what is beside. */
#define FRAME_ROW_BYTES 14
#define FRAME_BYTES_MAX                                                                            \
    (SEQ_BATCH_BYTES_MAX + ((size_t)3 << 20) + SEQ_BATCH_MAX * FRAME_ROW_BYTES + 128)

/* Bytes that frame_write() fills; the batch has rows. */
size_t frame_size(const struct seq_batch *batch);
void   frame_write(const struct seq_batch *batch, uint8_t *out);
/* Reads it back; strict: what it takes, frame_write() writes so.
 *
 * Owns:   views of `in`; *out untouched on failure.
 * Errors: TLY_EINPUT. */
TLY_MUST enum tly_err frame_read(struct tly_bytes in, struct frame *out, struct tly_diag *diag);
/* Takes the next row off frame->rows and makes its exact envelope, in the arena.
 *
 * decision: it is one; else a bundle, or one that conflicts.
 * Errors: TLY_EINPUT, TLY_ENOMEM. */
TLY_MUST enum tly_err frame_row(struct frame *frame, struct tly_arena *arena,
                                struct tly_bytes *envelope, bool *decision, struct tly_diag *diag);
