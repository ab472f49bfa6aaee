/* SPDX-License-Identifier: Apache-2.0 */
/* One request of the sending side: body, repetition, answers.  What was not promised (429, 503, a
 * lost line) is repeated with jitter: every write repeats safely, so a lost answer is
 * only asked for again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "core/envelope.h"
#include "submit_int.h"
#include "sys/clock.h"
#include "sys/file.h"

#define NDJSON_TYPE "application/x-ndjson"

#define BACKOFF_FIRST_MS 20
#define BACKOFF_MS_MAX   2000
#define TELL_EVERY_US    10000000

static const struct recorded *
bundle_of(const struct submit_run *run, size_t job)
{
    return &run->recording->items[run->jobs[job]];
}

/* Accounts for one job's answer and tells the listener. */
static void
account(struct submit_run *run, size_t job, const struct submit_answer *answer, uint64_t usec)
{
    (void)pthread_mutex_lock(&run->lock);
    struct submit_stats *s = &run->stats;
    s->sent++;
    s->created += answer->status == 201;
    s->same += answer->status == 200;
    s->held += answer->status == 201 && !tly_bytes_eq(answer->tally_status, tly_text("counted"));
    s->conflict += answer->status == 409;
    s->refused += answer->status != 200 && answer->status != 201 && answer->status != 409;
    if (answer->status != 0) {
        run->lat_us[job] = usec > UINT32_MAX ? UINT32_MAX : usec == 0 ? 1 : (uint32_t)usec;
    }
    if (run->config->answer != NULL) {
        run->config->answer(run->config->arg, answer);
    }
    if (run->config->progress) {
        progress_step(&run->progress, s->sent);
    }
    (void)pthread_mutex_unlock(&run->lock);
}

static void
retried(struct submit_run *run, uint64_t n)
{
    (void)pthread_mutex_lock(&run->lock);
    run->stats.retried += n;
    (void)pthread_mutex_unlock(&run->lock);
}

/* xorshift64*: jitter needs no better. */
static uint64_t
jitter(struct submit_worker *w, uint64_t below)
{
    w->random ^= w->random >> 12;
    w->random ^= w->random << 25;
    w->random ^= w->random >> 27;
    return w->random * UINT64_C(0x2545F4914F6CDD1D) % below;
}

/* Half of ms and a random part of the other half, so that a crowd does not come back at once. */
static void
pause_ms(struct submit_worker *w, uint64_t ms)
{
    const uint64_t        us = ms * 500 + jitter(w, ms * 500 + 1);
    const struct timespec ts = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

void
submit_disconnect(struct submit_worker *w)
{
    client_free(w->client);
    client_tls_free(w->tls);
    w->client = NULL;
    w->tls    = NULL;
}

/* The worker's connection: the relay's, kept; or a new one with this terminal's certificate. */
static enum tly_err
connect_for(struct submit_worker *w, const struct recorded *bundle, struct tly_diag *diag)
{
    const struct submit_config *config = w->run->config;
    if (w->client != NULL && !config->fresh) {
        return TLY_OK;
    }
    submit_disconnect(w);
    if (!config->fresh) {
        return client_new(config->url, w->run->tls, config->timeout_ms, &w->client, diag);
    }
    char pem[FILE_PATH_SIZE];
    file_path(pem, "%s/%.*s.pem", config->terminals, (int)bundle->terminal.len,
              (const char *)bundle->terminal.data);
    const enum tly_err err = client_tls_load(config->ca_file, pem, &w->tls, diag);
    return err != TLY_OK ? err
                         : client_new(config->url, w->tls, config->timeout_ms, &w->client, diag);
}

/* The request's body: the envelope itself, or one a line. */
static bool
body_make(const struct submit_run *run, size_t first, size_t n, struct tly_arena *arena,
          struct tly_bytes *out)
{
    if (n == 1 && run->config->batch_n <= 1) {
        *out = bundle_of(run, first)->envelope;
        return true;
    }
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        len += bundle_of(run, first + i)->envelope.len + 1;
    }
    uint8_t *p = tly_arena_alloc(arena, len, 1);
    *out       = (struct tly_bytes){p, len};
    for (size_t i = 0; p != NULL && i < n; i++) {
        const struct tly_bytes e = bundle_of(run, first + i)->envelope;
        memcpy(p, e.data, e.len);
        p[e.len] = '\n';
        p += e.len + 1;
    }
    return out->data != NULL;
}

static struct tly_bytes
text_member(const json_t *line, const char *key)
{
    const json_t *value = json_object_get(line, key);
    return (struct tly_bytes){(const uint8_t *)json_string_value(value), json_string_length(value)};
}

/* One line of an NDJSON answer; false: to be repeated. */
static bool
line_answer(struct submit_run *run, size_t job, struct tly_bytes text, uint64_t usec)
{
    json_t              *line = json_loadb((const char *)text.data, text.len, 0, NULL);
    struct submit_answer a    = {.bundle = bundle_of(run, job)};
    a.status                  = (int)json_integer_value(json_object_get(line, "status"));
    const bool again          = a.status == 429 || a.status == 503;
    if (!again) {
        char *checks   = json_dumps(json_object_get(line, "checks"), JSON_COMPACT);
        a.tally_status = text_member(line, "tally_status");
        a.receipt      = text_member(line, "receipt");
        a.checks       = checks == NULL ? tly_text("") : tly_text(checks);
        a.problem      = a.status == 200 || a.status == 201 ? tly_text("") : text;
        account(run, job, &a, usec);
        free(checks);
    }
    json_decref(line);
    return !again;
}

static void
single_answer(struct submit_run *run, size_t job, const struct client_reply *reply, uint64_t usec)
{
    const bool           good = reply->status == 200 || reply->status == 201;
    struct submit_answer a    = {.bundle = bundle_of(run, job), .status = reply->status};
    a.tally_status            = client_header(reply, "Tally-Status");
    a.checks                  = client_header(reply, "Tally-Checks");
    a.receipt                 = good ? reply->body : tly_text("");
    a.problem                 = good ? tly_text("") : reply->body;
    account(run, job, &a, usec);
}

/* Accounts for what an answer settles; the rest stays in left[].  Returns how many are left. */
static size_t
settle(struct submit_run *run, size_t left[], size_t n, const struct client_reply *reply,
       uint64_t usec)
{
    if (reply->status == 429 || reply->status == 503) {
        return n;
    }
    if (run->config->batch_n <= 1 || reply->status != 200) {
        for (size_t i = 0; i < n; i++) {
            single_answer(run, left[i], reply, usec);
        }
        return 0;
    }
    const uint8_t *p = reply->body.data, *end = p + reply->body.len;
    size_t         kept = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t         *nl   = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        const uint8_t         *eol  = nl == NULL ? end : nl;
        const struct tly_bytes line = {p, (size_t)(eol - p)};
        if (line.len == 0 || !line_answer(run, left[i], line, usec)) {
            left[kept++] = left[i];
        }
        p = nl == NULL ? end : nl + 1;
    }
    return kept;
}

/* No answer, and the time is up. */
static void
give_up(struct submit_run *run, const size_t left[], size_t n, const char *why)
{
    for (size_t i = 0; i < n; i++) {
        const struct submit_answer a = {.bundle  = bundle_of(run, left[i]),
                                        .problem = tly_text(why)};
        account(run, left[i], &a, 0);
    }
}

/* Packs the jobs that are left into the front, so that they are contiguous again.  Jobs of one
 * worker's batch are its own: nobody else looks at their places. */
static void
regroup(struct submit_run *run, size_t first, const size_t left[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t job   = run->jobs[first + i];
        const uint32_t us    = run->lat_us[first + i];
        run->jobs[first + i] = run->jobs[left[i]];
        run->jobs[left[i]]   = job;

        run->lat_us[first + i] = run->lat_us[left[i]];
        run->lat_us[left[i]]   = us;
    }
}

/* One try: connect, send, settle.  *n_left shrinks by what was answered. */
static enum tly_err
try_once(struct submit_worker *w, size_t first, size_t left[], size_t *n_left,
         struct tly_diag *diag)
{
    struct submit_run               *run = w->run;
    TLY_AUTO(arena) struct tly_arena arena;
    struct client_reply              reply = {0};
    struct tly_bytes                 body;
    tly_arena_init(&arena, SUBMIT_ARENA_MAX);
    if (!body_make(run, first, *n_left, &arena, &body)) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a batch");
    }
    enum tly_err err = connect_for(w, bundle_of(run, first), diag);
    if (err != TLY_OK) {
        return err;
    }
    const uint64_t start = clock_mono_us();
    err                  = client_request(w->client, "POST", "/v1/bundles",
                         run->config->batch_n > 1 ? NDJSON_TYPE : ENVELOPE_MEDIA_TYPE, body, NULL,
                                          SUBMIT_ANSWER_MAX, &arena, &reply, diag);
    if (err == TLY_OK) {
        *n_left = settle(run, left, *n_left, &reply, clock_mono_us() - start);
    }
    return err;
}

/* A person who waits is told why, and again every few seconds while it lasts. */
static void
tell_waiting(struct submit_run *run, enum tly_err err, const struct tly_diag *diag)
{
    const uint64_t now  = clock_mono_us();
    uint_fast64_t  last = atomic_load(&run->told_us);
    if (!run->config->progress || (last != 0 && now - last < TELL_EVERY_US) ||
        !atomic_compare_exchange_strong(&run->told_us, &last, now)) {
        return;
    }
    (void)fprintf(stderr, "%s: %s; repeating for up to %u s\n", run->config->url,
                  err == TLY_OK ? "busy (429 or 503)" : diag->text,
                  run->config->retry_ms_max / 1000);
}

/* How long a bundle is repeated: once nobody has answered for all that time, others are tried once,
 * or not at all when they are not due at a time of their own. */
static bool
worth_a_try(const struct submit_run *run)
{
    return !atomic_load(&run->deaf) || run->config->timed || run->config->rate > 0;
}

enum tly_err
submit_jobs(struct submit_worker *w, size_t first, size_t n, struct tly_diag *diag)
{
    struct submit_run *run     = w->run;
    const uint64_t     until   = clock_mono_us() + (uint64_t)run->config->retry_ms_max * 1000;
    uint64_t           wait_ms = BACKOFF_FIRST_MS;
    size_t             left[SUBMIT_BATCH_MAX];
    for (size_t n_left = n;;) {
        for (size_t i = 0; i < n_left; i++) {
            left[i] = first + i;
        }
        if (!worth_a_try(run)) {
            give_up(run, left, n_left, "not sent: nobody answers there");
            return TLY_OK;
        }
        const enum tly_err err = try_once(w, first, left, &n_left, diag);
        if (err == TLY_OK) {
            atomic_store(&run->deaf, false);
        }
        if (err == TLY_EINPUT || err == TLY_ENOMEM) {
            return err; /* a key file or the URL: repeating does not help */
        }
        if (n_left == 0) {
            return TLY_OK;
        }
        const bool late = clock_mono_us() > until || (err != TLY_OK && atomic_load(&run->deaf));
        if (err == TLY_EFORBID || late) {
            if (err != TLY_OK && err != TLY_EFORBID) {
                atomic_store(&run->deaf, true);
            }
            give_up(run, left, n_left, err == TLY_OK ? "still busy, given up" : diag->text);
            return TLY_OK;
        }
        tell_waiting(run, err, diag);
        regroup(run, first, left, n_left);
        retried(run, n_left);
        pause_ms(w, wait_ms);
        wait_ms = wait_ms * 2 > BACKOFF_MS_MAX ? BACKOFF_MS_MAX : wait_ms * 2;
    }
}
