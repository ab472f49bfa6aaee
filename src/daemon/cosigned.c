/* SPDX-License-Identifier: Apache-2.0 */
/* What the witnesses signed: the files that the courier lays down, a witness each, a body and a line.
 * The main thread looks at them, so that a slow disk holds nobody up; a line is believed when it
 * verifies and its head is one of ours.  The sequencer hands those of the published head on.
 *
 * A witness's clock may be wrong, or lie: a line is as old as it says, but at least as old as its file. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/trust.h"
#include "service.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#define FILE_ARENA_MAX ((size_t)64 << 10)
#define LINES_MAX      (NOTE_LEN_MAX / 2) /* room for the log's own part of a note beside them */
#define AHEAD_S        60U                /* a clock that is further ahead is told */

/* A file as it was looked at last. */
struct seen {
    struct timespec at;
    off_t           size;
    ino_t           inode;
};

struct cosigned {
    const struct trust *policy;
    pthread_mutex_t     lock; /* lines, changes */
    uint64_t            changes;
    struct cosigned_line {
        struct note_head head;
        uint64_t         as_of_s; /* 0: none yet */
        size_t           len;
        char             text[COSIGN_LINE_SIZE];
    } lines[TRUST_EACH_MAX];
    struct seen     seen[TRUST_EACH_MAX]; /* the main thread's */
    struct tly_diag said[TRUST_EACH_MAX];
    uint64_t        given_changes, given_size; /* the sequencer's: handed on */
};

static enum tly_err
policy_check(const struct trust *p, struct tly_diag *diag)
{
    size_t all = 0;
    for (unsigned i = 0; i < p->witnesses_n; i++) {
        if (!trust_file_name(p->witnesses[i].name)) {
            return tly_fail(diag, TLY_EINPUT,
                            "publish_policy: witness \"%.64s\": the name must do for a file in "
                            "cosignatures: letters, digits, '.', '_', '-'",
                            p->witnesses[i].name);
        }
        all += strlen(p->witnesses[i].vkey.name) + COSIGN_LINE_SIZE - NOTE_ORIGIN_LEN_MAX;
    }
    if (p->witnesses_n == 0) {
        return tly_fail(diag, TLY_EINPUT,
                        "cosignatures is set, and publish_policy names no witness");
    }
    return all <= LINES_MAX
               ? TLY_OK
               : tly_fail(diag, TLY_EINPUT,
                          "publish_policy: the lines of %u witnesses do not fit a checkpoint "
                          "(%zu bytes, at most %d)",
                          p->witnesses_n, all, LINES_MAX);
}

enum tly_err
service_cosigned_open(struct service *s, struct tly_diag *diag)
{
    struct tly_bytes    text   = {0};
    const struct trust *policy = NULL;
    struct tly_diag     why    = {0};
    if (*s->settings->cosignatures == '\0') {
        return TLY_OK;
    }
    enum tly_err err =
        *s->settings->publish_policy == '\0'
            ? tly_fail(&why, TLY_EINPUT, "not set, but cosignatures is")
            : file_read(s->settings->publish_policy, TRUST_LEN_MAX, &s->ground.arena, &text, &why);
    if (err == TLY_OK) {
        err = trust_parse(text, &s->ground.arena, &policy, &why);
    }
    if (err != TLY_OK) {
        return tly_fail(diag, err, "publish_policy: %s", why.text);
    }
    err = policy_check(policy, diag);
    if (err != TLY_OK) {
        return err;
    }
    s->cosigned = calloc(1, sizeof *s->cosigned);
    if (s->cosigned == NULL) {
        return TLY_ENOMEM;
    }
    s->cosigned->policy = policy;
    (void)pthread_mutex_init(&s->cosigned->lock, NULL);
    return TLY_OK;
}

void
service_cosigned_close(struct service *s)
{
    if (s->cosigned != NULL) {
        (void)pthread_mutex_destroy(&s->cosigned->lock);
        free(s->cosigned);
        s->cosigned = NULL;
    }
}

/* ---- looking ---- */

/* Reads a witness's file.  TLY_EBUSY: of a head that we do not have (yet). */
static enum tly_err
file_check(struct service *s, unsigned i, const char *path, struct cosigned_line *out,
           struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    const struct trust_witness      *w = &s->cosigned->policy->witnesses[i];
    struct tly_bytes                 text;
    struct note                      note;
    struct cosignature               got;
    tly_arena_init(&arena, FILE_ARENA_MAX);
    enum tly_err err = file_read_regular(path, NOTE_LEN_MAX, &arena, &text, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (!note_split(text, &note) || !tly_bytes_eq(note.origin, tly_text(s->ground.vkey.name))) {
        return tly_fail(diag, TLY_EINPUT, "not a cosigned head of this log");
    }
    err = cosign_check(note.body, note.lines, &w->vkey, &got, diag);
    if (err != TLY_OK) {
        return err;
    }
    switch (api_head_is(s->api, &note.head)) {
    case API_HEAD_LATER:
        return tly_fail(diag, TLY_EBUSY,
                        "it cosigned size %" PRIu64 ", which this ledger does not have: was an old "
                        "copy restored?",
                        note.head.size);
    case API_HEAD_OTHER:
        return tly_fail(diag, TLY_ECORRUPT,
                        "it cosigned another root of size %" PRIu64
                        " than ours: the log was forked",
                        note.head.size);
    case API_HEAD_OURS:
        break;
    }
    *out     = (struct cosigned_line){.head = note.head, .as_of_s = got.time_s};
    out->len = cosign_line_write(&w->vkey, &got, out->text);
    return TLY_OK;
}

static void
say(struct cosigned *c, unsigned i, enum tly_err err, const struct tly_diag *diag)
{
    if (err != TLY_OK && strcmp(c->said[i].text, diag->text) != 0) {
        log_event(err == TLY_ECORRUPT || err == TLY_EBUSY ? LOG_ERR : LOG_WARNING,
                  err == TLY_ECORRUPT ? "cosigned.fork" : "cosigned.refused",
                  "witness=%s error=%s why=%s", c->policy->witnesses[i].name, tly_err_name(err),
                  log_why(diag->text).s);
    }
    c->said[i] = err == TLY_OK ? (struct tly_diag){0} : *diag;
}

/* The age of a line must not depend on the witness's clock alone. */
static void
time_bound(struct cosigned *c, unsigned i, struct cosigned_line *line, const struct stat *st)
{
    const uint64_t now  = clock_unix_s();
    const uint64_t laid = st->st_mtim.tv_sec < 0 ? 0 : (uint64_t)st->st_mtim.tv_sec;
    const uint64_t most = laid < now ? laid : now;
    if (line->as_of_s > now + AHEAD_S) {
        log_event(LOG_WARNING, "cosigned.ahead", "witness=%s seconds=%" PRIu64,
                  c->policy->witnesses[i].name, line->as_of_s - now);
    }
    if (line->as_of_s > most) {
        line->as_of_s = most > 0 ? most : 1;
    }
}

static void
take(struct service *s, unsigned i)
{
    struct cosigned     *c = s->cosigned;
    struct cosigned_line line;
    struct stat          st;
    struct tly_diag      diag = {0};
    char                 path[FILE_PATH_SIZE];
    file_path(path, "%s/%s", s->settings->cosignatures, c->policy->witnesses[i].name);
    if (stat(path, &st) != 0) {
        return; /* not cosigned yet, or no courier: the age shows it */
    }
    const struct seen now = {st.st_mtim, st.st_size, st.st_ino};
    if (now.at.tv_sec == c->seen[i].at.tv_sec && now.at.tv_nsec == c->seen[i].at.tv_nsec &&
        now.size == c->seen[i].size && now.inode == c->seen[i].inode) {
        return;
    }
    const enum tly_err err = file_check(s, i, path, &line, &diag);
    say(c, i, err, &diag);
    if (err != TLY_EBUSY) { /* what is ahead of us is looked at again */
        c->seen[i] = now;
    }
    if (err != TLY_OK) {
        return;
    }
    time_bound(c, i, &line, &st);
    (void)pthread_mutex_lock(&c->lock);
    c->lines[i] = line;
    c->changes++;
    (void)pthread_mutex_unlock(&c->lock);
}

void
service_cosigned_look(struct service *s)
{
    struct cosigned  *c                    = s->cosigned;
    struct trust_seen seen[TRUST_EACH_MAX] = {0};
    if (c == NULL) {
        return;
    }
    for (unsigned i = 0; i < c->policy->witnesses_n; i++) {
        take(s, i);
        const struct cosigned_line *line = &c->lines[i]; /* only this thread writes it */
        seen[i]                          = (struct trust_seen){line->head.size, line->as_of_s};
    }
    const struct trust_seen    is        = trust_witnessed(c->policy, seen);
    const struct api_witnessed witnessed = {is.size, is.time_s};
    api_set_witnessed(s->api, &witnessed);
}

enum tly_err
service_cosigned_check(struct service *s, struct tly_diag *diag)
{
    const struct cosigned *c = s->cosigned;
    for (unsigned i = 0; c != NULL && i < c->policy->witnesses_n; i++) {
        struct cosigned_line line;
        struct tly_diag      why = {0};
        char                 path[FILE_PATH_SIZE];
        file_path(path, "%s/%s", s->settings->cosignatures, c->policy->witnesses[i].name);
        const enum tly_err err = file_check(s, i, path, &line, &why);
        /* Anything else is no word of the witness: it is told once the daemon runs. */
        if (err == TLY_EBUSY || err == TLY_ECORRUPT) {
            return tly_fail(diag, TLY_ECORRUPT,
                            "witness %.64s: %s; keep everything, and restore what is newer "
                            "(doc/operations.md, recovery)",
                            c->policy->witnesses[i].name, why.text);
        }
    }
    return TLY_OK;
}

/* ---- handing on ---- */

void
service_cosigned_turn(struct service *s)
{
    struct cosigned *c = s->cosigned;
    char             text[LINES_MAX + COSIGN_LINE_SIZE];
    size_t           len  = 0;
    struct tly_diag  diag = {0};
    if (c == NULL) {
        return;
    }
    const uint64_t size = publish_size(s->publish);
    (void)pthread_mutex_lock(&c->lock);
    const uint64_t changes = c->changes;
    for (unsigned i = 0; i < c->policy->witnesses_n; i++) {
        const struct cosigned_line *line = &c->lines[i];
        if (line->as_of_s > 0 && line->head.size == size) {
            memcpy(text + len, line->text, line->len);
            len += line->len;
        }
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (len == 0 || (changes == c->given_changes && size == c->given_size)) {
        return;
    }
    c->given_changes = changes;
    c->given_size    = size;
    const enum tly_err err =
        publish_cosign(s->publish, size, (struct tly_bytes){(const uint8_t *)text, len}, &diag);
    if (err != TLY_OK) {
        log_event(LOG_WARNING, "cosigned.unpublished", "error=%s why=%s", tly_err_name(err),
                  log_why(diag.text).s);
    }
}
