/* SPDX-License-Identifier: Apache-2.0 */
/* ?at=POSITION: the numbers as they stood when the ledger had so many entries, from the sequencer's
 * history (core/history.h).  What is kept is answered where it was asked; what has to be made waits
 * for one thread, so that however many pasts are asked for, the readers of the present and the count
 * lose no more than a part of one processor, and memory has a limit. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api_int.h"
#include "base/check.h"
#include "base/num.h"

#define AT_KEPT_MAX   16                 /* pasts */
#define AT_KEPT_BYTES ((size_t)64 << 20) /* of them; but one is always kept */
#define AT_WAIT_MAX   32                 /* requests; a country's past takes a tenth of a second */
#define AT_NICE       10

/* A past that is kept, with a reference of its own. */
struct kept {
    struct api_snapshot *snapshot;
    uint64_t             used; /* the turn it was last asked for */
};

struct api_at {
    struct api_state *state;
    struct queue     *queue; /* of struct ask * */
    pthread_mutex_t   lock;  /* what is kept */
    struct kept       kept[AT_KEPT_MAX];
    unsigned          kept_n;
    uint64_t          turn;
    pthread_t         thread;
    atomic_bool       closing; /* what still waits gets 503 */
    bool              joined;
};

/* One request that waits; in its arena. */
struct ask {
    struct api_req r;
    api_handler    handler;
};

/* ---- what is kept ---- */

/* A reference for the caller; NULL: not kept. */
static struct api_snapshot *
kept_get(struct api_at *at, uint64_t position)
{
    struct api_snapshot *found = NULL;
    pthread_mutex_lock(&at->lock);
    for (unsigned i = 0; i < at->kept_n && found == NULL; i++) {
        if (at->kept[i].snapshot->published == position) {
            found            = at->kept[i].snapshot;
            at->kept[i].used = ++at->turn;
            atomic_fetch_add(&found->refs, 1);
        }
    }
    pthread_mutex_unlock(&at->lock);
    return found;
}

/* Takes out the one that was not asked for the longest, if more than so many are kept; else NULL. */
static struct api_snapshot *
kept_oldest(struct api_at *at, unsigned left)
{
    struct api_snapshot *out = NULL;
    pthread_mutex_lock(&at->lock);
    if (at->kept_n > left) {
        unsigned oldest = 0;
        for (unsigned i = 1; i < at->kept_n; i++) {
            oldest = at->kept[i].used < at->kept[oldest].used ? i : oldest;
        }
        out              = at->kept[oldest].snapshot;
        at->kept[oldest] = at->kept[--at->kept_n];
    }
    pthread_mutex_unlock(&at->lock);
    return out;
}

/* Forgets pasts until at most so many are left.  Giving some MB back takes its time, and workers wait
 * for the lock: not under it. */
static void
kept_shrink(struct api_at *at, unsigned left)
{
    struct api_snapshot *oldest;
    while ((oldest = kept_oldest(at, left)) != NULL) {
        api_snapshot_put(oldest);
    }
}

/* How many may be kept: all are of one size, that of the tally's arrays. */
static unsigned
kept_max(const struct api_snapshot *s)
{
    const size_t fit = AT_KEPT_BYTES / s->arena.bytes;
    return fit < 1 ? 1 : fit > AT_KEPT_MAX ? AT_KEPT_MAX : (unsigned)fit;
}

/* Makes the past and keeps it.  A reference for the caller; NULL: no memory. */
static struct api_snapshot *
past_make(struct api_at *at, uint64_t position)
{
    const struct api_config *config = &at->state->config;
    struct api_snapshot     *s      = api_snapshot_new(config->election);
    if (s == NULL) {
        kept_shrink(at, 0); /* what comes next may find room */
        return NULL;
    }
    kept_shrink(at, kept_max(s) - 1);
    history_replay(config->history, position, &s->tally);
    s->published = position;
    api_count(at->state, COUNTER_AT_MADE);
    pthread_mutex_lock(&at->lock);
    TLY_CHECK(at->kept_n < AT_KEPT_MAX);
    atomic_fetch_add(&s->refs, 1);
    at->kept[at->kept_n++] = (struct kept){s, ++at->turn};
    pthread_mutex_unlock(&at->lock);
    return s;
}

/* ---- the thread ---- */

static void
ask_answer(struct api_at *at, struct ask *ask)
{
    struct http_req *req = ask->r.http;
    enum tly_err     err = TLY_EBUSY;
    if (!atomic_load(&at->closing)) {
        ask->r.snapshot = kept_get(at, ask->r.at);
        if (ask->r.snapshot == NULL) {
            ask->r.snapshot = past_make(at, ask->r.at);
        }
        err = ask->r.snapshot == NULL ? TLY_ENOMEM : TLY_OK;
    }
    if (err != TLY_OK) {
        (void)api_reply_err(at->state, req, err, NULL);
    } else {
        struct api_snapshot *past    = ask->r.snapshot;
        const enum http_next replied = ask->handler(&ask->r);
        TLY_CHECK(replied == HTTP_REPLIED);
        api_snapshot_put(past);
    }
    http_resume(req);
}

static void *
at_run(void *arg)
{
    struct api_at *at = arg;
    void          *item;
    /* Of this thread alone, on Linux.  Where it is not allowed the thread is one like the others. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), AT_NICE);
    while (!queue_drained(at->queue)) {
        if (queue_take(at->queue, &item, 1, UINT64_MAX) == 1) {
            ask_answer(at, item);
        }
    }
    return NULL;
}

/* ---- asking ---- */

static enum http_next
ask_wait(struct api_req *r, api_handler handler)
{
    struct ask *ask = TLY_NEW(r->http->arena, struct ask, 1);
    if (ask == NULL) {
        return api_reply_err(r->state, r->http, TLY_ENOMEM, NULL);
    }
    *ask = (struct ask){.r = *r, .handler = handler};
    if (queue_push(r->state->at->queue, ask, sizeof *ask) != TLY_OK) {
        struct tly_diag diag = {0};
        api_count(r->state, COUNTER_AT_REFUSED);
        return api_reply_err(
            r->state, r->http,
            tly_fail(&diag, TLY_EBUSY, "too many ask for the past at once; ask again, or for now"),
            &diag);
    }
    return HTTP_WAIT;
}

enum http_next
api_at(struct api_req *r, api_handler handler)
{
    struct tly_diag      diag = {0};
    const uint64_t       max  = r->snapshot->published;
    struct api_snapshot *past;
    if (!tly_u64_parse(tly_text(http_query(r->http, "at")), max, &r->at) || r->at == 0) {
        return api_reply_err(r->state, r->http,
                             tly_fail_at(&diag, TLY_ERANGE, "query", "at",
                                         "not a number of ledger entries from 1 to %" PRIu64
                                         ", which are published now",
                                         max),
                             &diag);
    }
    if (r->at == max) {
        return handler(r);
    }
    past = kept_get(r->state->at, r->at);
    if (past == NULL) {
        return ask_wait(r, handler);
    }
    struct api_req then       = *r;
    then.snapshot             = past;
    const enum http_next next = handler(&then);
    api_snapshot_put(past);
    return next;
}

/* ---- begin and end ---- */

enum tly_err
api_at_new(struct api_state *state, struct api_at **out, struct tly_diag *diag)
{
    struct api_at *at = calloc(1, sizeof *at);
    if (at == NULL) {
        return TLY_ENOMEM;
    }
    at->state = state;
    pthread_mutex_init(&at->lock, NULL);
    enum tly_err err = queue_new(AT_WAIT_MAX, AT_WAIT_MAX * sizeof(struct ask), &at->queue);
    if (err == TLY_OK && pthread_create(&at->thread, NULL, at_run, at) != 0) {
        queue_free(at->queue);
        err = tly_fail(diag, TLY_EIO, "cannot start a thread");
    }
    if (err != TLY_OK) {
        pthread_mutex_destroy(&at->lock);
        free(at);
        return err;
    }
    *out = at;
    return TLY_OK;
}

void
api_at_end(struct api_at *at)
{
    atomic_store(&at->closing, true);
    queue_close(at->queue);
    if (!at->joined) {
        pthread_join(at->thread, NULL);
        at->joined = true;
    }
}

void
api_at_free(struct api_at *at)
{
    if (at == NULL) {
        return;
    }
    api_at_end(at);
    kept_shrink(at, 0);
    queue_free(at->queue);
    pthread_mutex_destroy(&at->lock);
    free(at);
}
