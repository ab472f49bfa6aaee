/* SPDX-License-Identifier: Apache-2.0 */
#include "api_int.h"
#include "base/hex.h"

static enum tly_err
receipt_make(struct api_req *r, const struct tly_hash *payload, uint64_t *size,
             struct tly_bytes *out)
{
    const struct book      *book     = r->state->config.book;
    const uint64_t          position = book_find_payload(book, payload);
    const struct book_head *head     = book_newest_head(book);
    if (position == UINT64_MAX || head == NULL || position >= head->size) {
        return TLY_ENOENT;
    }
    *size = head->size;
    return book_receipt(book, position, head, r->state->config.vkey, r->http->arena, out);
}

/* GET /v1/receipts/{payload sha256}: the receipt against the newest head.
 * 200: text.  304.  404: problem. */
enum http_next
api_receipts_get(struct api_req *r)
{
    struct tly_hash  payload;
    struct tly_bytes receipt = {0};
    uint64_t         size    = 0;
    enum tly_err     err     = TLY_ENOENT;
    if (tly_unhex(r->args[0], payload.b, sizeof payload.b)) {
        pthread_rwlock_rdlock(&r->state->book_lock);
        err = receipt_make(r, &payload, &size, &receipt);
        pthread_rwlock_unlock(&r->state->book_lock);
    }
    if (err != TLY_OK) {
        return api_reply_err(r->state, r->http, err, NULL);
    }
    if (!api_not_modified(r, size)) {
        api_headers(r->state, r->http);
        http_reply_borrowed(r->http, 200, "text/plain; charset=utf-8", receipt);
    }
    return HTTP_REPLIED;
}
