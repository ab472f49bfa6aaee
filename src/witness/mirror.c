/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "copy.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#define MS UINT64_C(1000)

struct mirror;

/* One log; a thread each, so that a server that is slow holds up only its own log's copy. */
struct one {
    struct mirror  *mirror;
    unsigned        log;
    pthread_t       thread;
    bool            started;
    bool            woken; /* under mirror->lock */
    struct copy     copy;
    struct tly_diag said; /* why it failed last */
};

struct mirror {
    const struct settings *settings;
    const struct trust    *policy;
    struct heads          *heads;
    pthread_mutex_t        lock;
    pthread_cond_t         changed;
    _Atomic(bool) stop; /* written under lock; whoever reads from a server looks at it too */
    unsigned      ones_n;
    struct one    ones[TRUST_EACH_MAX];
};

/* The log's name as a folder's: what is not plain becomes '_'. */
static void
folder_name(const char *origin, char out[NOTE_ORIGIN_LEN_MAX + 1])
{
    size_t i = 0;
    for (; origin[i] != '\0'; i++) {
        const char one[2] = {origin[i], '\0'};
        out[i]            = trust_file_name(one) || (one[0] == '.' && i > 0) ? one[0] : '_';
    }
    out[i] = '\0';
}

static void
pass(struct one *one)
{
    char                   text[NOTE_LEN_MAX];
    struct note            note;
    struct tly_diag        diag = {0};
    struct mirror         *m    = one->mirror;
    const uint64_t         had  = one->copy.size;
    const struct tly_bytes all = {(const uint8_t *)text, heads_note(m->heads, (int)one->log, text)};
    if (all.len == 0 || !note_split(all, &note)) {
        return; /* nothing was cosigned yet */
    }
    const enum tly_err err = copy_to(&one->copy, &note.head, all, &diag);
    if (err == TLY_OK) {
        if (one->copy.size != had) {
            log_event(LOG_INFO, "mirror.copied", "origin=%s size=%" PRIu64, log_text(note.origin).s,
                      one->copy.size);
        }
        one->said = (struct tly_diag){0};
        return;
    }
    if (diag.text[0] == '\0') {
        (void)tly_fail(&diag, err, "%s", tly_err_text(err));
    }
    if (strcmp(diag.text, one->said.text) != 0 && !atomic_load(&m->stop)) {
        log_event(err == TLY_ECORRUPT ? LOG_ERR : LOG_WARNING,
                  err == TLY_ECORRUPT ? "mirror.corrupt" : "mirror.failed",
                  "origin=%s error=%s why=%s", log_text(note.origin).s, tly_err_name(err),
                  log_why(diag.text).s);
        one->said = diag;
    }
}

static void *
work(void *arg)
{
    struct one    *one = arg;
    struct mirror *m   = one->mirror;
    (void)pthread_mutex_lock(&m->lock);
    while (!m->stop) {
        one->woken = false;
        (void)pthread_mutex_unlock(&m->lock);
        pass(one);
        const uint64_t        at   = clock_mono_ms() + m->settings->mirror_ms;
        const struct timespec wake = {(time_t)(at / MS), (long)(at % MS) * 1000000};
        int                   rc   = 0;
        (void)pthread_mutex_lock(&m->lock);
        while (rc == 0 && !m->stop && !one->woken) {
            rc = pthread_cond_timedwait(&m->changed, &m->lock, &wake);
        }
    }
    (void)pthread_mutex_unlock(&m->lock);
    return NULL;
}

static enum tly_err
copies_open(struct mirror *m, struct tly_diag *diag)
{
    const struct settings *set = m->settings;
    for (unsigned i = 0; i < m->policy->logs_n; i++) {
        const struct trust_log    *log = &m->policy->logs[i];
        char                       name[NOTE_ORIGIN_LEN_MAX + 1];
        char                       dir[FILE_PATH_SIZE];
        const struct source_config from = {.where      = log->url,
                                           .ca         = set->mirror_ca,
                                           .client     = set->mirror_client,
                                           .timeout_ms = (unsigned)set->mirror_timeout_ms,
                                           .cancel     = &m->stop};
        if (*log->url == '\0') {
            return tly_fail(diag, TLY_EINPUT,
                            "logs: %s: without a URL or a folder it cannot be "
                            "mirrored",
                            log->vkey.name);
        }
        folder_name(log->vkey.name, name);
        file_path(dir, "%s/%s", set->mirror, name);
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(m->ones[j].copy.dir, dir) == 0) {
                return tly_fail(diag, TLY_EINPUT, "mirror: two logs would have the folder %s", dir);
            }
        }
        m->ones[m->ones_n++]   = (struct one){.mirror = m, .log = i};
        const enum tly_err err = copy_open(dir, &log->vkey, &from, &m->ones[i].copy, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return TLY_OK;
}

static enum tly_err
threads_start(struct mirror *m, struct tly_diag *diag)
{
    for (unsigned i = 0; i < m->ones_n; i++) {
        struct one *one = &m->ones[i];
        one->started    = pthread_create(&one->thread, NULL, work, one) == 0;
        if (!one->started) {
            return tly_fail(diag, TLY_EIO, "mirror: no thread");
        }
    }
    return TLY_OK;
}

enum tly_err
mirror_start(const struct settings *settings, const struct trust *policy, struct heads *heads,
             struct mirror **out, struct tly_diag *diag)
{
    pthread_condattr_t attr;
    struct mirror     *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return TLY_ENOMEM;
    }
    m->settings = settings;
    m->policy   = policy;
    m->heads    = heads;
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&m->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    enum tly_err err = copies_open(m, diag);
    if (err == TLY_OK) {
        err = threads_start(m, diag);
    }
    if (err != TLY_OK) {
        mirror_stop(m);
        return err;
    }
    *out = m;
    return TLY_OK;
}

void
mirror_wake(void *mirror)
{
    struct mirror *m = mirror;
    (void)pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < m->ones_n; i++) {
        m->ones[i].woken = true;
    }
    (void)pthread_cond_broadcast(&m->changed);
    (void)pthread_mutex_unlock(&m->lock);
}

void
mirror_stop(struct mirror *mirror)
{
    if (mirror == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&mirror->lock);
    mirror->stop = true;
    (void)pthread_cond_broadcast(&mirror->changed);
    (void)pthread_mutex_unlock(&mirror->lock);
    for (unsigned i = 0; i < mirror->ones_n; i++) {
        if (mirror->ones[i].started) {
            (void)pthread_join(mirror->ones[i].thread, NULL);
        }
        copy_close(&mirror->ones[i].copy);
    }
    (void)pthread_mutex_destroy(&mirror->lock);
    (void)pthread_cond_destroy(&mirror->changed);
    free(mirror);
}
