/* SPDX-License-Identifier: Apache-2.0 */
/* Stored envelopes for readers: a thread with a connection of its own, because a handler never
 * waits for the database, and a short queue, because whoever finds it full can ask again. */
#include <inttypes.h>
#include <stdlib.h>

#include "api_int.h"
#include "base/check.h"
#include "store/store.h"
#include "sys/log.h"

#define ROWS_QUEUE_MAX 256
#define TAKE_MAX       16

struct api_rows {
    struct api_state *state;
    struct queue     *queue; /* of struct ask * */
    struct store     *store; /* NULL: not connected */
    pthread_t         thread;
    atomic_bool       closing; /* what is still inside gets 503 */
    bool              joined;
};

/* One envelope asked for; in the request's arena. */
struct ask {
    struct api_state *state;
    struct http_req  *req;
    uint64_t          position;
    struct tly_bytes  envelope;
};

static enum tly_err
row_take(void *arg, const struct store_row *row, struct tly_diag *diag)
{
    struct ask        *ask   = arg;
    struct api_state  *state = ask->state;
    const enum tly_err err   = store_row_check(row, ask->req->arena, &ask->envelope, diag);
    if (err != TLY_OK) {
        return err;
    }
    /* A row that was exchanged for another has hashes that fit it. */
    api_book_begin(state);
    const bool ours =
        book_has(state->config.book, row->position, &row->payload_hash, &row->envelope_hash);
    api_book_end(state);
    return ours ? TLY_OK : tly_fail(diag, TLY_ECORRUPT, "the row is another entry's");
}

static enum tly_err
row_read(struct api_rows *rows, struct ask *ask, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    if (rows->store == NULL) {
        err = store_open(rows->state->config.conninfo, &rows->store, diag);
    }
    if (err == TLY_OK) {
        err = store_read(rows->store, ask->position, ask->position + 1, row_take, ask, diag);
    }
    if (err != TLY_OK && err != TLY_ECORRUPT && err != TLY_ENOMEM) {
        store_close(TLY_TAKE(rows->store));
    }
    return err == TLY_OK && ask->envelope.data == NULL ? TLY_ENOENT : err;
}

static void
ask_answer(struct api_rows *rows, struct ask *ask)
{
    struct tly_diag  diag = {0};
    struct http_req *req  = ask->req;
    /* A connection that PostgreSQL's restart broke shows at its next use: once more. */
    const bool   connected = rows->store != NULL;
    const bool   closing   = atomic_load(&rows->closing);
    enum tly_err err       = closing ? TLY_EBUSY : row_read(rows, ask, &diag);
    if (err != TLY_OK && connected && rows->store == NULL) {
        err = row_read(rows, ask, &diag);
    }
    if (err != TLY_OK) {
        if (tly_err_blame(err) == TLY_OURS && err != TLY_ECORRUPT) {
            err = TLY_EBUSY;
        }
        log_event(LOG_WARNING, "rows.fail", "position=%" PRIu64 " error=%s why=%s", ask->position,
                  tly_err_name(err), log_why(diag.text).s);
        (void)api_reply_err(ask->state, req, err, &diag);
    } else {
        api_headers(ask->state, req);
        http_reply_borrowed(req, 200, ENVELOPE_MEDIA_TYPE, ask->envelope);
    }
    http_resume(req);
}

static void *
rows_run(void *arg)
{
    struct api_rows *rows = arg;
    void            *items[TAKE_MAX];
    while (!queue_drained(rows->queue)) {
        const size_t n = queue_take(rows->queue, items, TAKE_MAX, UINT64_MAX);
        for (size_t i = 0; i < n; i++) {
            ask_answer(rows, items[i]);
        }
    }
    return NULL;
}

enum http_next
api_rows_ask(struct api_req *r, uint64_t position)
{
    struct ask *ask = TLY_NEW(r->http->arena, struct ask, 1);
    if (ask == NULL) {
        return api_reply_err(r->state, r->http, TLY_ENOMEM, NULL);
    }
    /* An envelope never changes, and its place names it. */
    if (api_not_modified(r, position)) {
        return HTTP_REPLIED;
    }
    *ask = (struct ask){.state = r->state, .req = r->http, .position = position};
    if (queue_push(r->state->rows->queue, ask, sizeof *ask) != TLY_OK) {
        return api_reply_err(r->state, r->http, TLY_EBUSY, NULL);
    }
    return HTTP_WAIT;
}

enum tly_err
api_rows_new(struct api_state *state, struct api_rows **out, struct tly_diag *diag)
{
    struct api_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL) {
        return TLY_ENOMEM;
    }
    rows->state      = state;
    enum tly_err err = queue_new(ROWS_QUEUE_MAX, ROWS_QUEUE_MAX * sizeof(struct ask), &rows->queue);
    if (err == TLY_OK && pthread_create(&rows->thread, NULL, rows_run, rows) != 0) {
        queue_free(rows->queue);
        err = tly_fail(diag, TLY_EIO, "cannot start a thread");
    }
    if (err != TLY_OK) {
        free(rows);
        return err;
    }
    *out = rows;
    return TLY_OK;
}

static void
rows_end(struct api_rows *rows)
{
    atomic_store(&rows->closing, true);
    queue_close(rows->queue);
    if (!rows->joined) {
        pthread_join(rows->thread, NULL);
        rows->joined = true;
    }
}

void
api_drain(struct api_state *state)
{
    rows_end(state->rows);
    api_at_end(state->at);
}

void
api_rows_free(struct api_rows *rows)
{
    if (rows == NULL) {
        return;
    }
    rows_end(rows);
    queue_free(rows->queue);
    store_close(rows->store);
    free(rows);
}
