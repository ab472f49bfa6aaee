/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue of pointers: many threads put, one takes.  Bounded in entries and in the bytes
 * that the caller says each item holds; whoever finds it full is refused at once and never waits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct queue;

/* Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err queue_new(size_t entries_max, size_t bytes_max, struct queue **out);
/* Nobody may use it any more, and it must be empty: items are their owners'.  NULL is fine. */
void queue_free(struct queue *queue);

/* Puts an item at the end; any thread.
 *
 * Errors: TLY_EBUSY    full now, or closed: nothing was put
 *         TLY_ETOOBIG  it would not even fit into the empty queue */
TLY_MUST enum tly_err queue_push(struct queue *queue, void *item, size_t bytes);

/* Takes up to items_max of the oldest; waits until there is one, or until deadline_ms of
 * clock_mono_ms().  One thread only.
 *
 * Returns how many; 0: the deadline has passed, or the queue is closed and empty. */
size_t queue_take(struct queue *queue, void *items[], size_t items_max, uint64_t deadline_ms);

/* Refuses every further push and wakes the taker; what is inside can still be taken. */
void queue_close(struct queue *queue);
bool queue_drained(struct queue *queue); /* closed and empty */

struct queue_size {
    size_t entries;
    size_t bytes;
};
struct queue_size queue_size(struct queue *queue);
