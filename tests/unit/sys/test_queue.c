/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded queue: order, both bounds, deadlines, closing; and eight threads against
 * one taker, every item exactly once (also under TSan). */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/queue.h"
#include "t.h"

#define SENDERS 8
#define EACH    5000

static struct queue *
made(size_t entries, size_t bytes)
{
    struct queue *q   = NULL;
    enum tly_err  err = queue_new(entries, bytes, &q);
    TLY_CHECK(err == TLY_OK);
    return q;
}

static void
bounds(void)
{
    struct queue *q = made(3, 100);
    int           item[4];
    void         *out[4];

    T_EQ(queue_push(q, &item[0], 101), TLY_ETOOBIG, "more bytes than it ever holds");
    T_EQ(queue_push(q, &item[0], SIZE_MAX), TLY_ETOOBIG, "as many as can be said");
    T_EQ(queue_push(q, &item[0], 40), TLY_OK, "one");
    T_EQ(queue_push(q, &item[1], 61), TLY_EBUSY, "a byte over what is left");
    T_EQ(queue_size(q).entries, 1, "it was not put");
    T_EQ(queue_size(q).bytes, 40, "no bytes were put");
    T_EQ(queue_push(q, &item[1], 60), TLY_OK, "exactly full of bytes");
    T_EQ(queue_push(q, &item[2], 1), TLY_EBUSY, "one byte over");
    T_EQ(queue_push(q, &item[2], 0), TLY_OK, "exactly full of entries");
    T_EQ(queue_push(q, &item[3], 0), TLY_EBUSY, "one entry over");
    T_EQ(queue_take(q, out, 2, 0), 2, "takes no more than asked for");
    T_OK(out[0] == &item[0] && out[1] == &item[1], "the oldest, in order");
    T_EQ(queue_size(q).bytes, 0, "and their bytes are free again");
    T_EQ(queue_push(q, &item[3], 50), TLY_OK, "room again, around the end of the ring");
    T_EQ(queue_take(q, out, 4, 0), 2, "the rest");
    T_OK(out[0] == &item[2] && out[1] == &item[3], "in order");
    queue_free(q);
    queue_free(NULL);
}

static void
closing(void)
{
    struct queue *q = made(4, 4);
    int           item;
    void         *out[4];
    T_OK(!queue_drained(q), "open and empty is not drained");
    T_EQ(queue_push(q, &item, 1), TLY_OK, "one");
    queue_close(q);
    T_EQ(queue_push(q, &item, 1), TLY_EBUSY, "closed");
    T_OK(!queue_drained(q), "closed, but something is inside");
    T_EQ(queue_take(q, out, 4, UINT32_MAX), 1, "which can be taken");
    T_EQ(queue_take(q, out, 4, clock_mono_ms() + 600000), 0, "closed and empty does not wait");
    T_OK(queue_drained(q), "drained");
    queue_free(q);
}

static void
deadline(void)
{
    struct queue  *q      = made(4, 4);
    const uint64_t before = clock_mono_ms();
    void          *out[1];
    T_EQ(queue_take(q, out, 1, before + 30), 0, "nothing until the deadline");
    T_OK(clock_mono_ms() >= before + 30, "waited for it");
    T_EQ(queue_take(q, out, 1, 0), 0, "a deadline long gone");
    queue_free(q);
}

struct sender {
    struct queue *q;
    unsigned      seen[EACH]; /* by the taker only */
    unsigned      last;
    atomic_uint   refused;
};

struct item {
    struct sender *from;
    unsigned       i;
};

static struct sender senders[SENDERS];
static struct item   items[SENDERS][EACH];

static void *
send_all(void *arg)
{
    struct sender *s  = arg;
    const size_t   me = (size_t)(s - senders);
    for (unsigned i = 0; i < EACH; i++) {
        while (queue_push(s->q, &items[me][i], 3 + i % 2) != TLY_OK) {
            atomic_fetch_add(&s->refused, 1);
            sched_yield();
        }
    }
    return NULL;
}

static void
many_threads(void)
{
    struct queue *q = made(64, 200);
    pthread_t     threads[SENDERS];
    for (unsigned s = 0; s < SENDERS; s++) {
        senders[s].q = q;
        for (unsigned i = 0; i < EACH; i++) {
            items[s][i] = (struct item){&senders[s], i};
        }
        const int error = pthread_create(&threads[s], NULL, send_all, &senders[s]);
        TLY_CHECK(error == 0);
    }
    bool     ordered = true;
    unsigned taken   = 0;
    while (taken < SENDERS * EACH) {
        void        *out[16];
        const size_t n = queue_take(q, out, TLY_N(out), clock_mono_ms() + 60000);
        TLY_CHECK(n > 0);
        for (size_t i = 0; i < n; i++) {
            struct item *it = out[i];
            it->from->seen[it->i]++;
            ordered        = ordered && it->i >= it->from->last;
            it->from->last = it->i;
        }
        taken += (unsigned)n;
    }
    bool     once    = true;
    unsigned refused = 0;
    for (unsigned s = 0; s < SENDERS; s++) {
        pthread_join(threads[s], NULL);
        refused += atomic_load(&senders[s].refused);
        for (unsigned i = 0; i < EACH; i++) {
            once = once && senders[s].seen[i] == 1;
        }
    }
    T_OK(once, "every item exactly once");
    T_OK(ordered, "each sender's in its order");
    T_OK(refused > 0, "and some had to try again");
    T_EQ(queue_size(q).entries + queue_size(q).bytes, 0, "nothing is left");
    queue_free(q);
}

static void *
close_it(void *q)
{
    queue_close(q);
    return NULL;
}

static void
close_wakes(void)
{
    struct queue *q = made(1, 1);
    pthread_t     closer;
    void         *out[1];
    const int     error = pthread_create(&closer, NULL, close_it, q);
    TLY_CHECK(error == 0);
    const uint64_t until = clock_mono_ms() + 60000;
    T_EQ(queue_take(q, out, 1, until), 0, "a waiting taker is woken by the close");
    T_OK(clock_mono_ms() < until, "long before its deadline");
    pthread_join(closer, NULL);
    queue_free(q);
}

int
main(void)
{
    bounds();
    closing();
    deadline();
    many_threads();
    close_wakes();
    return T_DONE();
}
