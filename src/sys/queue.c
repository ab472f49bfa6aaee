/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"

struct entry {
    void  *item;
    size_t bytes;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t  some; /* CLOCK_MONOTONIC; signalled when it stops being empty, and on close */
    size_t          entries_max;
    size_t          bytes_max;
    size_t          first; /* index of the oldest */
    size_t          n;
    size_t          bytes;
    bool            closed;
    struct entry    ring[];
};

static void
lock(struct queue *queue)
{
    const int error = pthread_mutex_lock(&queue->lock);
    TLY_CHECK(error == 0);
}

static void
unlock(struct queue *queue)
{
    const int error = pthread_mutex_unlock(&queue->lock);
    TLY_CHECK(error == 0);
}

enum tly_err
queue_new(size_t entries_max, size_t bytes_max, struct queue **out)
{
    TLY_CHECK(entries_max > 0);
    struct queue *queue = calloc(1, sizeof *queue + entries_max * sizeof queue->ring[0]);
    if (queue == NULL) {
        return TLY_ENOMEM;
    }
    queue->entries_max = entries_max;
    queue->bytes_max   = bytes_max;
    pthread_condattr_t attr;
    int                error = pthread_condattr_init(&attr);
    TLY_CHECK(error == 0); /* on Linux none of these five can fail */
    error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    TLY_CHECK(error == 0);
    error = pthread_cond_init(&queue->some, &attr);
    TLY_CHECK(error == 0);
    error = pthread_mutex_init(&queue->lock, NULL);
    TLY_CHECK(error == 0);
    error = pthread_condattr_destroy(&attr);
    TLY_CHECK(error == 0);
    *out = queue;
    return TLY_OK;
}

void
queue_free(struct queue *queue)
{
    if (queue == NULL) {
        return;
    }
    TLY_CHECK(queue->n == 0); /* an item left behind is a client without an answer */
    (void)pthread_cond_destroy(&queue->some);
    (void)pthread_mutex_destroy(&queue->lock);
    free(queue);
}

enum tly_err
queue_push(struct queue *queue, void *item, size_t bytes)
{
    if (bytes > queue->bytes_max) {
        return TLY_ETOOBIG;
    }
    lock(queue);
    const bool fits =
        !queue->closed && queue->n < queue->entries_max && bytes <= queue->bytes_max - queue->bytes;
    if (fits) {
        queue->ring[(queue->first + queue->n++) % queue->entries_max] = (struct entry){item, bytes};
        queue->bytes += bytes;
        (void)pthread_cond_signal(&queue->some); /* there is one taker */
    }
    unlock(queue);
    return fits ? TLY_OK : TLY_EBUSY;
}

/* Waits, with the lock held, until there is an item, the queue is closed, or time is up. */
static void
wait_for_some(struct queue *queue, uint64_t deadline_ms)
{
    const struct timespec until = {.tv_sec  = (time_t)(deadline_ms / 1000),
                                   .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    int                   error = 0;
    while (queue->n == 0 && !queue->closed && error != ETIMEDOUT) {
        error = pthread_cond_timedwait(&queue->some, &queue->lock, &until);
        TLY_CHECK(error == 0 || error == ETIMEDOUT);
    }
}

size_t
queue_take(struct queue *queue, void *items[], size_t items_max, uint64_t deadline_ms)
{
    lock(queue);
    wait_for_some(queue, deadline_ms);
    const size_t n = queue->n < items_max ? queue->n : items_max;
    for (size_t i = 0; i < n; i++) {
        const struct entry *oldest = &queue->ring[queue->first];
        items[i]                   = oldest->item;
        queue->bytes -= oldest->bytes;
        queue->first = (queue->first + 1) % queue->entries_max;
    }
    queue->n -= n;
    unlock(queue);
    return n;
}

void
queue_close(struct queue *queue)
{
    lock(queue);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->some);
    unlock(queue);
}

bool
queue_drained(struct queue *queue)
{
    lock(queue);
    const bool drained = queue->closed && queue->n == 0;
    unlock(queue);
    return drained;
}

struct queue_size
queue_size(struct queue *queue)
{
    lock(queue);
    const struct queue_size size = {queue->n, queue->bytes};
    unlock(queue);
    return size;
}
