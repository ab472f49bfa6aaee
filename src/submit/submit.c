/* SPDX-License-Identifier: Apache-2.0 */
#include "submit/submit.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "submit_int.h"
#include "sys/clock.h"

/* When a job is due, in microseconds from the start. */
static uint64_t
due_us(const struct submit_run *run, size_t job)
{
    if (run->config->timed) {
        return run->recording->items[run->jobs[job]].at_ms * 1000;
    }
    return run->config->rate == 0 ? 0 : (uint64_t)job * 1000000 / run->config->rate;
}

static void
wait_until_us(uint64_t when)
{
    const struct timespec ts = {(time_t)(when / 1000000), (long)(when % 1000000) * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR) {
    }
}

static void
worker_failed(struct submit_run *run, enum tly_err err, const struct tly_diag *diag)
{
    (void)pthread_mutex_lock(&run->lock);
    if (run->err == TLY_OK) {
        run->err  = err;
        run->diag = *diag;
    }
    (void)pthread_mutex_unlock(&run->lock);
    atomic_store(&run->next, run->jobs_n);
}

static void *
worker_main(void *arg)
{
    struct submit_worker *w    = arg;
    struct submit_run    *run  = w->run;
    const size_t          step = run->config->batch_n > 1 ? run->config->batch_n : 1;
    struct tly_diag       diag = {0};
    for (;;) {
        const size_t first = atomic_fetch_add(&run->next, step);
        if (first >= run->jobs_n) {
            break;
        }
        const size_t   n   = run->jobs_n - first < step ? run->jobs_n - first : step;
        const uint64_t due = due_us(run, first + n - 1);
        if (due > 0) {
            wait_until_us(run->start_us + due);
        }
        const enum tly_err err = submit_jobs(w, first, n, &diag);
        if (err != TLY_OK) {
            worker_failed(run, err, &diag);
            break;
        }
    }
    submit_disconnect(w);
    return NULL;
}

/* The jobs in recorded order; every 100/pct-th bundle stands twice in a row. */
static bool
jobs_make(struct submit_run *run)
{
    const size_t n   = run->recording->n;
    const size_t pct = run->config->duplicates_pct;
    /* One more: of an empty recording NULL would look like no memory. */
    run->jobs   = calloc(n * 2 + 1, sizeof *run->jobs);
    run->lat_us = calloc(n * 2 + 1, sizeof *run->lat_us);
    if (run->jobs == NULL || run->lat_us == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        run->jobs[run->jobs_n++] = (uint32_t)i;
        if ((i + 1) * pct / 100 > i * pct / 100) {
            run->jobs[run->jobs_n++] = (uint32_t)i;
        }
    }
    return true;
}

static int
by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Percentiles over the jobs that were answered. */
static void
latencies(struct submit_run *run)
{
    size_t n = 0;
    for (size_t i = 0; i < run->jobs_n; i++) {
        if (run->lat_us[i] > 0) {
            run->lat_us[n++] = run->lat_us[i];
        }
    }
    if (n == 0) {
        return;
    }
    qsort(run->lat_us, n, sizeof *run->lat_us, by_number);
    run->stats.p50_us = run->lat_us[(n - 1) * 50 / 100];
    run->stats.p95_us = run->lat_us[(n - 1) * 95 / 100];
    run->stats.p99_us = run->lat_us[(n - 1) * 99 / 100];
}

static enum tly_err
run_workers(struct submit_run *run, struct tly_diag *diag)
{
    const unsigned        n       = run->config->connections_n;
    struct submit_worker *workers = calloc(n, sizeof *workers);
    pthread_t            *threads = calloc(n, sizeof *threads);
    unsigned              started = 0;
    if (workers != NULL && threads != NULL) {
        run->start_us = clock_mono_us();
        for (; started < n; started++) {
            workers[started] = (struct submit_worker){.run = run, .random = started + 1};
            if (pthread_create(&threads[started], NULL, worker_main, &workers[started]) != 0) {
                break;
            }
        }
    }
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    free(workers);
    free(threads);
    return started > 0 ? TLY_OK : tly_fail(diag, TLY_ENOMEM, "no memory for %u connections", n);
}

enum tly_err
submit_run(const struct submit_config *config, const struct recording *recording,
           struct submit_stats *stats, struct tly_diag *diag)
{
    TLY_CHECK(config->connections_n >= 1 && config->connections_n <= SUBMIT_CONNECTIONS_MAX);
    struct submit_run run = {.config = config, .recording = recording};
    enum tly_err      err = TLY_OK;
    for (size_t i = 0; config->fresh && i < recording->n; i++) {
        if (recording->items[i].terminal.len == 0) {
            return tly_fail(diag, TLY_EINPUT,
                            "line %zu is an envelope alone, which does not say whose certificate "
                            "to send it with: send it as a relay",
                            recording->items[i].line);
        }
    }
    if (!config->fresh) {
        err = client_tls_load(config->ca_file, config->pem_file, &run.tls, diag);
    }
    if (err == TLY_OK && !jobs_make(&run)) {
        err = tly_fail(diag, TLY_ENOMEM, "no memory for %zu bundles", recording->n);
    }
    if (err == TLY_OK) {
        (void)pthread_mutex_init(&run.lock, NULL);
        progress_begin(&run.progress, "sent", run.jobs_n);

        const uint64_t cpu = clock_cpu_us();
        err                = run_workers(&run, diag);
        run.stats.usec     = clock_mono_us() - run.start_us;
        run.stats.cpu_usec = clock_cpu_us() - cpu;
        if (config->progress) {
            progress_end(&run.progress, run.stats.sent);
        }
        (void)pthread_mutex_destroy(&run.lock);
    }
    if (err == TLY_OK && run.err != TLY_OK) {
        err = run.err;
        if (diag != NULL) {
            *diag = run.diag;
        }
    }
    if (err == TLY_OK) {
        latencies(&run);
        *stats = run.stats;
    }
    free(run.jobs);
    free(run.lat_us);
    client_tls_free(run.tls);
    return err;
}
