/* SPDX-License-Identifier: Apache-2.0 */
/* The scrubber's thread: pass after pass over the whole database, spread over the setting
 * `scrub_interval`, at a low priority and on a connection that cannot write.  A row that differs turns
 * health red at once and holds publication; the next pass without one turns it green again.
 *
 * Memory is what is right: it was verified from signatures at the start, and everything since came
 * through the sequencer.  So nothing else stops: bundles are taken, numbers are shown. */
#include "scrub.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/be.h"
#include "base/check.h"
#include "scrub_int.h"
#include "sys/clock.h"
#include "sys/log.h"

#define SCRUB_NICE   10
#define AGAIN_MS_MIN 1000U /* after a pass that could not be ended */
#define SPREAD(ms)   ((ms) / 10 * 9)

struct scrub {
    struct service  *service;
    struct seals    *seals;
    struct store    *store; /* the thread's; NULL: not connected */
    pthread_t        thread;
    bool             threaded;
    pthread_mutex_t  lock; /* stop */
    pthread_cond_t   woken;
    bool             stop;
    struct api_scrub shown;
    struct tly_diag  failed; /* why the last pass was not ended, said once */
    unsigned         last_n; /* texts of the last pass: those are not said again */
    char             last[SCRUB_TEXTS_MAX][API_SCRUB_WHY];
};

/* ---- a pass's findings ---- */

void
scrub_differs(struct scrub_pass *pass, uint64_t position, const char *format, ...)
{
    pass->differences++;
    pass->position = position < pass->position ? position : pass->position;
    if (pass->texts_n == SCRUB_TEXTS_MAX) {
        return;
    }
    char   *text = pass->texts[pass->texts_n++];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof pass->texts[0], format, ap);
    va_end(ap);
    for (char *p = text; *p != '\0'; p++) { /* it may quote what somebody put into a row */
        if (*p < ' ' || *p > '~') {
            *p = '?';
        }
    }
    if (pass->alarm != NULL) {
        pass->alarm(pass, text);
    }
}

enum tly_err
scrub_fresh(struct scrub_pass *pass, enum seal_table table, uint64_t key, const void *seal,
            size_t len)
{
    TLY_CHECK(len <= SEAL_BYTES);
    if (pass->fresh_n == pass->fresh_cap) {
        const size_t      cap   = pass->fresh_cap * 2 + 64;
        struct scrub_new *fresh = reallocarray(pass->fresh, cap, sizeof *fresh);
        if (fresh == NULL) {
            return TLY_ENOMEM;
        }
        pass->fresh     = fresh;
        pass->fresh_cap = cap;
    }
    struct scrub_new *one = &pass->fresh[pass->fresh_n++];
    *one                  = (struct scrub_new){.table = table, .seal = {.key = key}};
    memcpy(one->seal.b, seal, len);
    return TLY_OK;
}

uint64_t
scrub_noted(const struct scrub_pass *pass, uint64_t key)
{
    const struct seal *noted = seals_find(pass->seals, SEAL_COUNTER, key);
    return noted == NULL ? 0 : tly_be_get(noted->b, sizeof(uint64_t));
}

enum tly_err
scrub_note(struct scrub_pass *pass, uint64_t key, uint64_t value)
{
    uint8_t be[sizeof value];
    tly_be_put(be, value, sizeof be);
    return scrub_fresh(pass, SEAL_COUNTER, key, be, sizeof be);
}

enum tly_err
scrub_seal(struct scrub_pass *pass, struct tly_diag *diag)
{
    for (size_t i = 0; i < pass->fresh_n && pass->differences == 0; i++) {
        const enum tly_err err = seals_add(pass->seals, pass->fresh[i].table, &pass->fresh[i].seal);
        if (err != TLY_OK) {
            return err;
        }
    }
    pass->fresh_n = 0;
    return seals_sync(pass->seals, diag);
}

void
scrub_pass_done(struct scrub_pass *pass)
{
    free(pass->fresh);
}

/* ---- at the start ---- */

static enum tly_err
start_pass(struct scrub *sc, uint64_t had, struct tly_diag *diag)
{
    struct service    *s    = sc->service;
    struct scrub_pass *pass = calloc(1, sizeof *pass);
    if (pass == NULL) {
        return TLY_ENOMEM;
    }
    *pass            = (struct scrub_pass){.service  = s,
                                           .store    = s->store,
                                           .seals    = sc->seals,
                                           .start    = true,
                                           .lost     = s->redone,
                                           .had      = had,
                                           .position = SCRUB_NOWHERE};
    enum tly_err err = scrub_small(pass, diag);
    if (err == TLY_OK && pass->differences > 0) {
        err = tly_fail(diag, TLY_ECORRUPT, "tally.%s%s (doc/operations.md, section 9)",
                       pass->texts[0], pass->differences > 1 ? " (and more)" : "");
    }
    if (err == TLY_OK) {
        struct tly_diag why = {0};
        err                 = scrub_seal(pass, &why);
        if (err == TLY_EIO) {
            log_event(LOG_ERR, "scrub.unsealed", "why=%s", log_why(why.text).s);
            err = TLY_OK;
        }
    }
    scrub_pass_done(pass);
    free(pass);
    return err;
}

enum tly_err
scrub_begin(struct service *s, uint64_t had, struct tly_diag *diag)
{
    struct scrub *sc = calloc(1, sizeof *sc);
    if (sc == NULL) {
        return TLY_ENOMEM;
    }
    sc->service = s;
    s->scrub    = sc;
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&sc->woken, &attr);
    (void)pthread_condattr_destroy(&attr);
    (void)pthread_mutex_init(&sc->lock, NULL);
    const enum tly_err err = seals_open(s->settings->journal, &sc->seals, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (seals_last(sc->seals, SEAL_VERSION) == 0 && book_size(s->book) > 1) {
        log_event(LOG_WARNING, "scrub.new", "folder=%s",
                  log_text(tly_text(s->settings->journal)).s);
    }
    return start_pass(sc, had, diag);
}

/* ---- red and green ---- */

static void
show(struct scrub *sc)
{
    api_set_scrub(sc->service->api, &sc->shown);
}

static bool
said_before(const struct scrub *sc, const char *text)
{
    for (unsigned i = 0; i < sc->last_n; i++) {
        if (strcmp(sc->last[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* The first difference that a pass finds is what health names. */
static void
alarm_ring(struct scrub_pass *pass, const char *text)
{
    struct scrub     *sc = pass->arg;
    struct api_scrub *a  = &sc->shown;
    if (pass->position < atomic_load(&sc->service->held_from)) {
        atomic_store(&sc->service->held_from, pass->position);
    }
    if (!said_before(sc, text)) {
        log_event(LOG_ERR, "scrub.differs", "why=%s", log_why(text).s);
    }
    if (!a->red) {
        a->red     = true;
        a->since_s = clock_unix_s();
    }
    if (pass->texts_n == 1) {
        (void)snprintf(a->why, sizeof a->why, "%s", text);
    }
    a->differences = pass->differences;
    show(sc);
}

/* The pass saw everything. */
static void
passed(struct scrub *sc, const struct scrub_pass *pass, uint64_t began_ms)
{
    struct api_scrub *a   = &sc->shown;
    const uint64_t    now = clock_mono_ms();
    a->passes++;
    a->rows        = pass->rows;
    a->took_ms     = now - began_ms;
    a->ended_ms    = now;
    a->differences = pass->differences;
    atomic_store(&sc->service->held_from, pass->position);
    if (pass->differences > SCRUB_TEXTS_MAX && sc->last_n < SCRUB_TEXTS_MAX) {
        log_event(LOG_ERR, "scrub.differs", "more=%" PRIu64, pass->differences - SCRUB_TEXTS_MAX);
    }
    if (pass->differences == 0 && a->red) {
        log_event(LOG_NOTICE, "scrub.agrees", "rows=%" PRIu64 " red_s=%" PRIu64, pass->rows,
                  clock_unix_s() - a->since_s);
        a->red = false;
    }
    sc->last_n = pass->texts_n;
    memcpy(sc->last, pass->texts, sizeof sc->last);
    sc->failed = (struct tly_diag){0};
    show(sc);
}

/* ---- the thread ---- */

/* Waits; false: told to stop. */
static bool
wait_until(struct scrub *sc, uint64_t until_ms)
{
    const struct timespec until = {(time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000};
    (void)pthread_mutex_lock(&sc->lock);
    while (!sc->stop && clock_mono_ms() < until_ms) {
        (void)pthread_cond_timedwait(&sc->woken, &sc->lock, &until);
    }
    const bool stop = sc->stop;
    (void)pthread_mutex_unlock(&sc->lock);
    return !stop;
}

static uint64_t
signed_size(const struct service *s)
{
    api_book_begin(s->api);
    const struct book_head *newest = book_newest_head(s->book);
    const uint64_t          size   = newest == NULL ? 0 : newest->size;
    api_book_end(s->api);
    return size;
}

/* The ledger in chunks, evenly over the interval, and resting at least a third of the time that it
 * works.  TLY_ELIMIT: told to stop. */
static enum tly_err
ledger_pass(struct scrub *sc, struct scrub_pass *pass, uint64_t began_ms, struct tly_diag *diag)
{
    const uint64_t size   = signed_size(sc->service);
    const uint64_t spread = SPREAD(sc->service->settings->scrub_ms);
    for (uint64_t at = 0; at < size;) {
        const uint64_t     from = clock_mono_ms();
        const uint64_t     to   = size - at < SCRUB_CHUNK ? size : at + SCRUB_CHUNK;
        const enum tly_err err  = scrub_ledger(pass, at, to, diag);
        if (err != TLY_OK) {
            return err;
        }
        at                  = to;
        const uint64_t now  = clock_mono_ms();
        const uint64_t even = began_ms + spread * at / size;
        const uint64_t rest = now + (now - from) / 3;
        if (!wait_until(sc, even > rest ? even : rest)) {
            return TLY_ELIMIT;
        }
    }
    return TLY_OK;
}

static enum tly_err
whole_pass(struct scrub *sc, struct scrub_pass *pass, uint64_t began_ms, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    if (sc->store == NULL) {
        err = store_open_reader(sc->service->settings->database, &sc->store, diag);
    }
    if (err == TLY_OK) {
        pass->store = sc->store;
        err         = scrub_small(pass, diag);
    }
    if (err == TLY_OK) {
        err = ledger_pass(sc, pass, began_ms, diag);
    }
    if (err == TLY_ECORRUPT) { /* a table is gone, a page is broken, the role has other rights */
        scrub_differs(pass, 0, "cannot be read: %s", diag->text);
    }
    return err;
}

static void
not_passed(struct scrub *sc, const struct tly_diag *diag)
{
    sc->shown.failed++;
    show(sc);
    if (strcmp(sc->failed.text, diag->text) != 0) {
        log_event(LOG_WARNING, "scrub.failed", "why=%s", log_why(diag->text).s);
        sc->failed = *diag;
    }
}

static void
one_pass(struct scrub *sc, struct scrub_pass *pass)
{
    struct tly_diag diag     = {0};
    const uint64_t  began_ms = clock_mono_ms();
    *pass                    = (struct scrub_pass){.service  = sc->service,
                                                   .seals    = sc->seals,
                                                   .position = SCRUB_NOWHERE,
                                                   .alarm    = alarm_ring,
                                                   .arg      = sc};
    enum tly_err err         = whole_pass(sc, pass, began_ms, &diag);
    if (err == TLY_OK) {
        passed(sc, pass, began_ms);
        err = scrub_seal(pass, &diag);
        if (err != TLY_OK) {
            log_event(LOG_ERR, "scrub.unsealed", "why=%s",
                      log_why(diag.text[0] != '\0' ? diag.text : tly_err_text(err)).s);
        }
    } else if (err != TLY_ELIMIT) {
        not_passed(sc, &diag);
    }
    scrub_pass_done(pass);
}

/* What the last moments brought is sealed before the daemon ends. */
static void
last_pass(struct scrub *sc, struct scrub_pass *pass)
{
    struct tly_diag diag = {0};
    if (sc->store == NULL || sc->shown.red) {
        return;
    }
    *pass = (struct scrub_pass){.service  = sc->service,
                                .store    = sc->store,
                                .seals    = sc->seals,
                                .position = SCRUB_NOWHERE,
                                .alarm    = alarm_ring,
                                .arg      = sc};
    if (scrub_small(pass, &diag) != TLY_OK || scrub_seal(pass, &diag) != TLY_OK) {
        log_event(LOG_WARNING, "scrub.unsealed", "why=%s", log_why(diag.text).s);
    }
    scrub_pass_done(pass);
}

static void *
run(void *arg)
{
    struct scrub      *sc       = arg;
    const uint64_t     interval = sc->service->settings->scrub_ms;
    struct scrub_pass *pass     = calloc(1, sizeof *pass);
    uint64_t           due      = clock_mono_ms();
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), SCRUB_NICE);
    while (pass != NULL && wait_until(sc, due)) {
        const uint64_t failed = sc->shown.failed;
        due                   = clock_mono_ms() + interval;
        one_pass(sc, pass);
        if (sc->shown.failed != failed && due < clock_mono_ms() + AGAIN_MS_MIN) {
            due = clock_mono_ms() + AGAIN_MS_MIN;
        }
    }
    if (pass != NULL) {
        last_pass(sc, pass);
    }
    free(pass);
    return NULL;
}

enum tly_err
scrub_run(struct service *s, struct tly_diag *diag)
{
    if (s->settings->scrub_ms == 0) {
        return TLY_OK;
    }
    if (pthread_create(&s->scrub->thread, NULL, run, s->scrub) != 0) {
        return tly_fail(diag, TLY_EIO, "cannot start the scrubber's thread");
    }
    s->scrub->threaded = true;
    return TLY_OK;
}

void
scrub_end(struct service *s)
{
    struct scrub *sc = s->scrub;
    if (sc == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&sc->lock);
    sc->stop = true;
    (void)pthread_cond_signal(&sc->woken);
    (void)pthread_mutex_unlock(&sc->lock);
    if (sc->threaded) {
        pthread_join(sc->thread, NULL);
    }
    store_close(sc->store);
    seals_close(sc->seals);
    (void)pthread_cond_destroy(&sc->woken);
    (void)pthread_mutex_destroy(&sc->lock);
    free(sc);
    s->scrub = NULL;
}
