/* SPDX-License-Identifier: Apache-2.0 */
/* Integers big-endian:
 *
 *   old size (64)  new size (64)  old root (32 bytes)  new root (32 bytes)  accepted ms (64)
 *   number of rows (32), then each:
 *   1: decision, 0: bundle (8)  alphabet (8)  lengths of head, payload, tail (32 each)  their bytes */
#include "core/frame.h"

#include "base/be.h"
#include "base/check.h"

#define HEAD_BYTES 92
_Static_assert(HEAD_BYTES == 3 * 8 + 2 * 32 + 4, "the picture above");
_Static_assert(FRAME_ROW_BYTES == 2 + 3 * 4, "the picture above");

/* ---- writing ---- */

static uint8_t *
put_u64(uint8_t *p, uint64_t value)
{
    tly_be_put(p, value, 8);
    return p + 8;
}

static uint8_t *
put_u32(uint8_t *p, uint32_t value)
{
    tly_be_put(p, value, 4);
    return p + 4;
}

static uint8_t *
put_bytes(uint8_t *p, struct tly_bytes bytes)
{
    if (bytes.len > 0) {
        memcpy(p, bytes.data, bytes.len);
    }
    return p + bytes.len;
}

size_t
frame_size(const struct seq_batch *batch)
{
    size_t size = HEAD_BYTES;
    for (unsigned i = 0; i < batch->rows_n; i++) {
        const struct seq_bundle *b = batch->rows[i].bundle;
        size += FRAME_ROW_BYTES + b->head.len + b->payload.len + b->tail.len;
    }
    return size;
}

void
frame_write(const struct seq_batch *batch, uint8_t *out)
{
    uint8_t *p = out;
    TLY_CHECK(batch->rows_n > 0);
    TLY_CHECK(batch->new_size - batch->old_size == batch->rows_n);
    p = put_u64(p, batch->old_size);
    p = put_u64(p, batch->new_size);
    p = put_bytes(p, (struct tly_bytes){batch->old_root.b, sizeof batch->old_root.b});
    p = put_bytes(p, (struct tly_bytes){batch->new_root.b, sizeof batch->new_root.b});
    p = put_u64(p, batch->rows[0].entry->accepted_ms);
    p = put_u32(p, batch->rows_n);
    for (unsigned i = 0; i < batch->rows_n; i++) {
        const struct seq_row    *row = &batch->rows[i];
        const struct seq_bundle *b   = row->bundle;
        TLY_CHECK(row->entry->accepted_ms == batch->rows[0].entry->accepted_ms);
        *p++ = row->decision != NULL;
        *p++ = (uint8_t)b->alphabet;
        p    = put_u32(p, (uint32_t)b->head.len);
        p    = put_u32(p, (uint32_t)b->payload.len);
        p    = put_u32(p, (uint32_t)b->tail.len);
        p    = put_bytes(put_bytes(put_bytes(p, b->head), b->payload), b->tail);
    }
    TLY_CHECK((size_t)(p - out) == frame_size(batch));
}

/* ---- reading ---- */

static uint64_t
get(struct tly_bytes *in, unsigned bytes)
{
    TLY_CHECK(in->len >= bytes);
    const uint64_t value = tly_be_get(in->data, bytes);
    in->data += bytes;
    in->len -= bytes;
    return value;
}

static void
get_hash(struct tly_bytes *in, struct tly_hash *out)
{
    TLY_CHECK(in->len >= sizeof out->b);
    memcpy(out->b, in->data, sizeof out->b);
    in->data += sizeof out->b;
    in->len -= sizeof out->b;
}

/* One row's fields and its three texts; false: they are not there. */
struct row {
    bool             decision;
    enum tly_base64  alphabet;
    struct tly_bytes head, payload, tail;
};

static bool
take(struct tly_bytes *in, size_t len, struct tly_bytes *out)
{
    if (len > in->len) {
        return false;
    }
    *out = (struct tly_bytes){in->data, len};
    in->data += len;
    in->len -= len;
    return true;
}

static bool
row_read(struct tly_bytes *in, struct row *out)
{
    if (in->len < FRAME_ROW_BYTES) {
        return false;
    }
    const uint64_t decision = get(in, 1);
    const uint64_t alphabet = get(in, 1);
    const size_t   head = get(in, 4), payload = get(in, 4), tail = get(in, 4);
    out->decision = decision == 1;
    out->alphabet = alphabet == 1 ? TLY_BASE64_URL : TLY_BASE64_STD;
    return decision <= 1 && alphabet <= 1 && take(in, head, &out->head) &&
           take(in, payload, &out->payload) && take(in, tail, &out->tail);
}

enum tly_err
frame_read(struct tly_bytes in, struct frame *out, struct tly_diag *diag)
{
    struct frame f = {0};
    struct row   row;
    if (in.len < HEAD_BYTES) {
        return tly_fail(diag, TLY_EINPUT, "a frame of %zu bytes", in.len);
    }
    f.before.size = get(&in, 8);
    f.after.size  = get(&in, 8);
    get_hash(&in, &f.before.root);
    get_hash(&in, &f.after.root);
    f.accepted_ms = get(&in, 8);
    f.rows_n      = (uint32_t)get(&in, 4);
    f.rows        = in;
    if (f.rows_n == 0 || f.rows_n > SEQ_BATCH_MAX || f.after.size < f.before.size ||
        f.after.size - f.before.size != f.rows_n) {
        return tly_fail(diag, TLY_EINPUT, "a frame of %u rows that does not fit its sizes",
                        f.rows_n);
    }
    for (uint32_t i = 0; i < f.rows_n; i++) {
        if (!row_read(&in, &row)) {
            return tly_fail(diag, TLY_EINPUT, "row %u of the frame is cut or no row", i);
        }
    }
    if (in.len > 0) {
        return tly_fail(diag, TLY_EINPUT, "%zu bytes behind the frame's last row", in.len);
    }
    *out = f;
    return TLY_OK;
}

enum tly_err
frame_row(struct frame *frame, struct tly_arena *arena, struct tly_bytes *envelope, bool *decision,
          struct tly_diag *diag)
{
    struct row row;
    if (!row_read(&frame->rows, &row)) {
        return tly_fail(diag, TLY_EINPUT, "no row is left in the frame");
    }
    const size_t text = TLY_BASE64_LEN(row.payload.len);
    const size_t len  = row.head.len + text + row.tail.len;
    uint8_t     *all  = tly_arena_alloc(arena, len + 1, 1);
    if (all == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for an envelope of %zu bytes", len);
    }
    uint8_t *p = put_bytes(all, row.head);
    tly_base64_encode(row.payload, row.alphabet, (char *)p);
    (void)put_bytes(p + text, row.tail);
    *envelope = (struct tly_bytes){all, len};
    *decision = row.decision;
    return TLY_OK;
}
