/* SPDX-License-Identifier: Apache-2.0 */
/* Which refused bodies go to the sequencer.  The database keeps 1,000 of a sender and counts the
 * rest, but to hand it all of a flood would fill the queue and cost a row's work each, so that one
 * certificate with garbage would be felt by everybody. */
#include <stdlib.h>

#include "api_int.h"
#include "base/check.h"
#include "sys/clock.h"

/* A sender's bucket: twice the rows that the database keeps (some are the same body again), then
 * one a second. */
#define BUCKET       2048U
#define ENTRIES_MAX  ((API_QUEUE_ENTRIES - API_QUEUE_ALONE) / 8)
#define BYTES_MAX    (API_QUEUE_BYTES / 8)
#define ADDED_N      1024U /* buckets that terminals share which came after the package */
#define MS_PER_TOKEN 1000U

struct bucket {
    uint32_t spent;
    uint32_t at; /* of clock_mono_ms() / MS_PER_TOKEN */
};

struct api_evidence {
    pthread_mutex_t lock;
    size_t          entries, bytes; /* handed in and not decided */
    uint32_t        terminals_n, clients_n;
    struct bucket   senders[]; /* terminals, clients, then those added since */
};

enum tly_err
api_evidence_new(const struct registry *registry, struct api_evidence **out)
{
    const uint32_t       n = registry->terminals_n + registry->clients_n + ADDED_N;
    struct api_evidence *e = calloc(1, sizeof *e + n * sizeof e->senders[0]);
    if (e == NULL) {
        return TLY_ENOMEM;
    }
    pthread_mutex_init(&e->lock, NULL);
    e->terminals_n = registry->terminals_n;
    e->clients_n   = registry->clients_n;
    *out           = e;
    return TLY_OK;
}

void
api_evidence_free(struct api_evidence *e)
{
    if (e != NULL) {
        pthread_mutex_destroy(&e->lock);
        free(e);
    }
}

/* Takes one from the sender's bucket. */
static bool
spend(struct bucket *b)
{
    const uint32_t now  = (uint32_t)(clock_mono_ms() / MS_PER_TOKEN);
    const uint32_t back = now - b->at;
    b->spent            = b->spent > back ? b->spent - back : 0;
    b->at               = now;
    if (b->spent == BUCKET) {
        return false;
    }
    b->spent++;
    return true;
}

static uint32_t
bucket_of(const struct api_evidence *e, const struct speaker *sender)
{
    if (sender->role != ROLE_TERMINAL) {
        TLY_CHECK(sender->client.v < e->clients_n);
        return e->terminals_n + sender->client.v;
    }
    const uint32_t first = sender->terminal_first.v;
    return first < e->terminals_n
               ? first
               : e->terminals_n + e->clients_n + (first - e->terminals_n) % ADDED_N;
}

bool
api_evidence_begin(struct api_evidence *e, const struct speaker *sender, size_t bytes)
{
    const uint32_t i = bucket_of(e, sender);
    pthread_mutex_lock(&e->lock);
    const bool ok =
        e->entries < ENTRIES_MAX && bytes <= BYTES_MAX - e->bytes && spend(&e->senders[i]);
    if (ok) {
        e->entries++;
        e->bytes += bytes;
    }
    pthread_mutex_unlock(&e->lock);
    return ok;
}

void
api_evidence_end(struct api_evidence *e, size_t bytes)
{
    pthread_mutex_lock(&e->lock);
    TLY_CHECK(e->entries > 0);
    TLY_CHECK(e->bytes >= bytes);
    e->entries--;
    e->bytes -= bytes;
    pthread_mutex_unlock(&e->lock);
}
