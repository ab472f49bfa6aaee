/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the sending side share: one run, its workers and its account. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "net/client.h"
#include "submit/submit.h"
#include "sys/progress.h"

#define SUBMIT_ARENA_MAX  ((size_t)64 << 20)
#define SUBMIT_ANSWER_MAX ((size_t)32 << 20)

/* One run: what is to be sent, how far it is, what came of it. */
struct submit_run {
    const struct submit_config *config;
    const struct recording     *recording;
    struct client_tls          *tls;    /* the relay's; NULL when fresh */
    uint32_t                   *jobs;   /* places in recording->items, duplicates included */
    uint32_t                   *lat_us; /* a job each; 0: no answer */
    size_t                      jobs_n;
    uint64_t                    start_us;
    atomic_size_t               next;
    atomic_uint_fast64_t        told_us; /* when the person was last told why it waits; 0: never */
    atomic_bool          deaf; /* repeated for the whole time, and nobody has answered since */
    pthread_mutex_t      lock; /* of everything below */
    struct submit_stats  stats;
    struct progress_line progress;
    enum tly_err         err; /* the first that ended a worker */
    struct tly_diag      diag;
};

/* One worker's connection and memory. */
struct submit_worker {
    struct submit_run *run;
    struct client     *client;
    struct client_tls *tls;    /* of the terminal, when fresh */
    uint64_t           random; /* of its jitter */
};

void submit_disconnect(struct submit_worker *worker);
/* Sends jobs [first, first + n) and accounts for them.  Errors: only those that end the run. */
TLY_MUST enum tly_err submit_jobs(struct submit_worker *worker, size_t first, size_t n,
                                  struct tly_diag *diag);
