/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "copy.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#define MS UINT64_C(1000)

struct mirror {
    const struct settings *settings;
    const struct trust    *policy;
    struct heads          *heads;
    pthread_t              thread;
    bool                   started;
    pthread_mutex_t        lock; /* stop, woken */
    pthread_cond_t         changed;
    bool                   stop, woken;
    unsigned               copies_n;
    struct copy            copies[TRUST_EACH_MAX];
    struct tly_diag        said[TRUST_EACH_MAX]; /* why it failed last */
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
pass(struct mirror *m, unsigned i)
{
    char                   text[NOTE_LEN_MAX];
    struct note            note;
    struct tly_diag        diag = {0};
    struct copy           *c    = &m->copies[i];
    const uint64_t         had  = c->size;
    const struct tly_bytes all  = {(const uint8_t *)text, heads_note(m->heads, (int)i, text)};
    if (all.len == 0 || !note_split(all, &note)) {
        return; /* nothing was cosigned yet */
    }
    const enum tly_err err = copy_to(c, &note.head, all, &diag);
    if (err == TLY_OK) {
        if (c->size != had) {
            log_event(LOG_INFO, "mirror.copied", "origin=%s size=%" PRIu64, log_text(note.origin).s,
                      c->size);
        }
        m->said[i] = (struct tly_diag){0};
        return;
    }
    if (diag.text[0] == '\0') {
        (void)tly_fail(&diag, err, "%s", tly_err_text(err));
    }
    if (strcmp(diag.text, m->said[i].text) != 0) {
        log_event(err == TLY_ECORRUPT ? LOG_ERR : LOG_WARNING,
                  err == TLY_ECORRUPT ? "mirror.corrupt" : "mirror.failed",
                  "origin=%s error=%s why=%s", log_text(note.origin).s, tly_err_name(err),
                  log_why(diag.text).s);
        m->said[i] = diag;
    }
}

static void *
work(void *arg)
{
    struct mirror *m = arg;
    (void)pthread_mutex_lock(&m->lock);
    while (!m->stop) {
        m->woken = false;
        (void)pthread_mutex_unlock(&m->lock);
        for (unsigned i = 0; i < m->copies_n; i++) {
            pass(m, i);
        }
        const uint64_t        at   = clock_mono_ms() + m->settings->mirror_ms;
        const struct timespec wake = {(time_t)(at / MS), (long)(at % MS) * 1000000};
        int                   rc   = 0;
        (void)pthread_mutex_lock(&m->lock);
        while (rc == 0 && !m->stop && !m->woken) {
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
                                           .timeout_ms = (unsigned)set->mirror_timeout_ms};
        if (*log->url == '\0') {
            return tly_fail(diag, TLY_EINPUT,
                            "logs: %s: without a URL or a folder it cannot be "
                            "mirrored",
                            log->vkey.name);
        }
        folder_name(log->vkey.name, name);
        file_path(dir, "%s/%s", set->mirror, name);
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(m->copies[j].dir, dir) == 0) {
                return tly_fail(diag, TLY_EINPUT, "mirror: two logs would have the folder %s", dir);
            }
        }
        m->copies_n++;
        const enum tly_err err = copy_open(dir, &log->vkey, &from, &m->copies[i], diag);
        if (err != TLY_OK) {
            return err;
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
    if (err == TLY_OK && pthread_create(&m->thread, NULL, work, m) != 0) {
        err = tly_fail(diag, TLY_EIO, "mirror: no thread");
    }
    m->started = err == TLY_OK;
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
    m->woken = true;
    (void)pthread_cond_signal(&m->changed);
    (void)pthread_mutex_unlock(&m->lock);
}

void
mirror_stop(struct mirror *mirror)
{
    if (mirror == NULL) {
        return;
    }
    if (mirror->started) {
        (void)pthread_mutex_lock(&mirror->lock);
        mirror->stop = true;
        (void)pthread_cond_signal(&mirror->changed);
        (void)pthread_mutex_unlock(&mirror->lock);
        (void)pthread_join(mirror->thread, NULL);
    }
    for (unsigned i = 0; i < mirror->copies_n; i++) {
        copy_close(&mirror->copies[i]);
    }
    (void)pthread_mutex_destroy(&mirror->lock);
    (void)pthread_cond_destroy(&mirror->changed);
    free(mirror);
}
