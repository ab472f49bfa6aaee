/* SPDX-License-Identifier: Apache-2.0 */
/* A request's body in one piece: one allocation when its length is announced, which the kernel
 * backs page by page as bytes really come. */
#include <stdlib.h>

#include "http_int.h"

#include "base/check.h"

/* Large bodies get seven eighths of the budget, so that a single bundle finds room beside any
 * number of batches.  Chunked ones may become large. */
#define BODY_SMALL    ((size_t)64 << 10)
#define CHUNKED_FIRST ((size_t)8 << 10)

static enum tly_err
resize(struct http_req_priv *p, size_t size)
{
    struct http_server *s    = p->server;
    const size_t        more = size - p->body_size;
    TLY_CHECK(size > p->body_size);
    if (!tly_budget_take(p->budget, more)) {
        atomic_fetch_add_explicit(&s->memory_refused, 1, memory_order_relaxed);
        return TLY_EBUSY;
    }
    uint8_t *body = realloc(p->body, size);
    if (body == NULL) {
        tly_budget_give(p->budget, more);
        return TLY_ENOMEM;
    }
    p->body      = body;
    p->body_size = size;
    return TLY_OK;
}

enum tly_err
http_body_begin(struct http_req_priv *p, size_t length)
{
    if (length > BODY_SMALL) { /* nothing of the arena was taken yet */
        p->budget       = &p->server->memory_large;
        p->arena.budget = p->budget;
    }
    if (length == SIZE_MAX || length == 0) {
        return TLY_OK;
    }
    if (length > p->body_max) {
        return TLY_ETOOBIG;
    }
    return resize(p, length);
}

enum tly_err
http_body_add(struct http_req_priv *p, struct tly_bytes piece)
{
    const size_t have = p->req.body.len;
    if (piece.len > p->body_max - have) {
        return TLY_ETOOBIG;
    }
    const size_t need = have + piece.len;
    if (need > p->body_size) { /* chunked */
        size_t size = p->body_size == 0 ? CHUNKED_FIRST : p->body_size;
        while (size < need) {
            size *= 2;
        }
        const enum tly_err err = resize(p, size < p->body_max ? size : p->body_max);
        if (err != TLY_OK) {
            return err;
        }
    }
    memcpy(p->body + have, piece.data, piece.len);
    p->req.body = (struct tly_bytes){p->body, need};
    return TLY_OK;
}

void
http_body_free(struct http_req_priv *p)
{
    tly_budget_give(p->budget, p->body_size);
    free(p->body);
    p->body      = NULL;
    p->body_size = 0;
    p->req.body  = (struct tly_bytes){0};
}
