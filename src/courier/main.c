/* SPDX-License-Identifier: Apache-2.0 */
/* tally-courier: brings a log's newest checkpoint to its witnesses and lays down what they sign.  A
 * thread reads the log, one each asks a witness, so that none waits for another. */
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "base/check.h"
#include "bring.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/program.h"

#define ARENA_MAX ((size_t)8 << 20)
#define MS        UINT64_C(1000)

enum own { OWN_ONCE };

struct courier;

struct carrier {
    struct courier *courier;
    struct bring    bring;
    pthread_t       thread;
};

struct courier {
    const struct settings *settings;
    struct tly_arena       arena;
    const struct trust    *policy;
    struct source         *source;
    struct client_tls     *tls;
    struct follow          follow;
    struct tly_diag        said; /* why the log could not be read last */
    unsigned               carriers_n, started;
    struct carrier         carriers[TRUST_EACH_MAX];
    pthread_mutex_t        lock; /* head, stop */
    pthread_cond_t         changed;
    struct follow_head     head; /* the newest that the tree has grown to; len 0: none yet */
    bool                   stop;
};

/* ---- loading ---- */

static enum tly_err
policy_load(struct courier *c, struct tly_diag *diag)
{
    struct tly_bytes text;
    struct tly_diag  why = {0};
    enum tly_err     err = file_read(c->settings->policy, TRUST_LEN_MAX, &c->arena, &text, &why);
    if (err == TLY_OK) {
        err = trust_parse(text, &c->arena, &c->policy, &why);
    }
    if (err != TLY_OK) {
        return tly_fail(diag, err, "policy: %s%s%s", err == TLY_EINPUT ? c->settings->policy : "",
                        err == TLY_EINPUT ? ": " : "", why.text);
    }
    return c->policy->logs_n == 1
               ? TLY_OK
               : tly_fail(diag, TLY_EINPUT, "policy: %s: names %u logs; a courier serves one",
                          c->settings->policy, c->policy->logs_n);
}

static enum tly_err
witnesses_load(struct courier *c, struct tly_diag *diag)
{
    const struct trust *p   = c->policy;
    enum tly_err        err = TLY_OK;
    if (*c->settings->witness_ca != '\0') {
        const char *client = c->settings->witness_client;
        err = client_tls_load(c->settings->witness_ca, *client == '\0' ? NULL : client, &c->tls,
                              diag);
    }
    for (unsigned i = 0; err == TLY_OK && i < p->witnesses_n; i++) {
        if (*p->witnesses[i].url == '\0') {
            log_event(LOG_NOTICE, "courier.no_url", "witness=%s",
                      log_text(tly_text(p->witnesses[i].name)).s);
            continue;
        }
        struct carrier *one = &c->carriers[c->carriers_n++];
        one->courier        = c;
        err =
            bring_open(c->settings, &p->logs[0].vkey, &p->witnesses[i], c->tls, &one->bring, diag);
    }
    if (err == TLY_OK && c->carriers_n == 0) {
        err = tly_fail(diag, TLY_EINPUT, "policy: %s: no witness has a URL", c->settings->policy);
    }
    return err;
}

static enum tly_err
load(struct courier *c, struct tly_diag *diag)
{
    const struct settings     *set    = c->settings;
    const struct source_config config = {.where      = set->log,
                                         .ca         = set->log_ca,
                                         .client     = set->log_client,
                                         .timeout_ms = (unsigned)set->timeout_ms};
    enum tly_err               err    = policy_load(c, diag);
    if (err == TLY_OK) {
        err = source_open(&config, &c->source, diag);
    }
    if (err == TLY_OK) {
        err = follow_init(&c->follow, &c->policy->logs[0].vkey);
    }
    if (err == TLY_OK) {
        err = file_mkdirs(set->cosignatures, 0755, diag);
    }
    return err != TLY_OK ? err : witnesses_load(c, diag);
}

static void
unload(struct courier *c)
{
    for (unsigned i = 0; i < c->carriers_n; i++) {
        bring_close(&c->carriers[i].bring);
    }
    client_tls_free(c->tls);
    source_close(c->source);
    follow_done(&c->follow);
    tly_arena_done(&c->arena);
}

/* ---- reading the log ---- */

static bool
fail_said(struct courier *c, enum tly_err err, struct tly_diag *diag)
{
    if (diag->text[0] == '\0') {
        (void)tly_fail(diag, err, "%s", tly_err_text(err));
    }
    if (strcmp(diag->text, c->said.text) != 0) {
        log_event(err == TLY_ECORRUPT ? LOG_ERR : LOG_WARNING, "courier.log", "error=%s why=%s",
                  tly_err_name(err), log_why(diag->text).s);
        c->said = *diag;
    }
    return false;
}

/* Reads the newest checkpoint and grows the tree to it, then shows it to the carriers. */
static bool
look(struct courier *c)
{
    struct follow_head head;
    struct tly_diag    diag = {0};
    enum tly_err       err  = follow_newest(&c->follow, c->source, &head, &diag);
    if (err == TLY_OK) {
        err = follow_to(&c->follow, c->source, &head.head, &diag);
    }
    if (err != TLY_OK) {
        return fail_said(c, err, &diag);
    }
    c->said = (struct tly_diag){0};
    (void)pthread_mutex_lock(&c->lock);
    if (c->head.len == 0 || head.head.size >= c->head.head.size) {
        c->head = head;
        (void)pthread_cond_broadcast(&c->changed);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return true;
}

/* ---- carrying ---- */

/* Waits until something is to be brought, at least pause_ms long; false: it is over. */
static bool
next_head(struct carrier *one, uint64_t pause_ms, struct follow_head *out)
{
    struct courier *c     = one->courier;
    const uint64_t  until = clock_mono_ms() + pause_ms;
    (void)pthread_mutex_lock(&c->lock);
    for (;;) {
        const uint64_t now = clock_mono_ms();
        if (c->stop || (now >= until && c->head.len > 0 &&
                        bring_due(&one->bring, &c->head.head, clock_unix_s()))) {
            break;
        }
        /* A second is short enough for what is due by its age. */
        const uint64_t        left = now >= until || until - now > MS ? MS : until - now;
        const uint64_t        at   = now + left;
        const struct timespec wake = {(time_t)(at / MS), (long)(at % MS) * 1000000};
        (void)pthread_cond_timedwait(&c->changed, &c->lock, &wake);
    }
    const bool go = !c->stop;
    *out          = c->head;
    (void)pthread_mutex_unlock(&c->lock);
    return go;
}

static void *
carry(void *arg)
{
    struct carrier        *one   = arg;
    const struct settings *set   = one->courier->settings;
    uint64_t               pause = 0;
    struct follow_head     head;
    while (next_head(one, pause, &head)) {
        if (bring_and_say(&one->bring, &head, &one->courier->follow.tree)) {
            pause = 0;
        } else {
            pause = pause == 0 ? set->interval_ms : pause * 2;
            pause = pause > set->backoff_ms ? set->backoff_ms : pause;
        }
    }
    return NULL;
}

static void
carriers_stop(struct courier *c)
{
    (void)pthread_mutex_lock(&c->lock);
    c->stop = true;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->started; i++) {
        (void)pthread_join(c->carriers[i].thread, NULL);
    }
}

static enum cli_exit
run_on(struct courier *c)
{
    enum cli_exit code = CLI_DONE;
    for (; c->started < c->carriers_n && code == CLI_DONE; c->started++) {
        struct carrier *one = &c->carriers[c->started];
        if (pthread_create(&one->thread, NULL, carry, one) != 0) {
            struct tly_diag diag = {0};
            code = program_refuse("courier.refused", tly_fail(&diag, TLY_EIO, "no thread"), &diag);
            break;
        }
    }
    if (code == CLI_DONE) {
        log_event(LOG_NOTICE, "courier.ready", "origin=%s witnesses=%u",
                  log_text(tly_text(c->policy->logs[0].vkey.name)).s, c->carriers_n);
        (void)sd_notify(0, "READY=1");
        do {
            (void)look(c);
        } while (!program_told_to_stop((unsigned)c->settings->interval_ms));
        (void)sd_notify(0, "STOPPING=1");
    }
    carriers_stop(c);
    log_event(LOG_NOTICE, "courier.stopped", "%s", "");
    return code;
}

/* One look, one visit to each witness. */
static enum cli_exit
run_once(struct courier *c)
{
    bool all = look(c);
    for (unsigned i = 0; c->head.len > 0 && i < c->carriers_n; i++) {
        all = bring_and_say(&c->carriers[i].bring, &c->head, &c->follow.tree) && all;
    }
    return all ? CLI_DONE : CLI_REFUSED;
}

static enum cli_exit
run(void *settings, const struct program_args *args)
{
    static struct courier  c; /* large, and the only one */
    const struct settings *set  = settings;
    struct tly_diag        diag = {0};
    pthread_condattr_t     attr;
    if (sodium_init() < 0) {
        return CLI_REFUSED;
    }
    log_level(set->log_debug ? LOG_DEBUG : LOG_INFO);
    c.settings = set;
    tly_arena_init(&c.arena, ARENA_MAX);
    (void)pthread_mutex_init(&c.lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c.changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    enum cli_exit      code = CLI_DONE;
    const enum tly_err err  = load(&c, &diag);
    if (err != TLY_OK) {
        code = program_refuse("courier.refused", err, &diag);
    } else if (args->check) {
        (void)printf("%s: %u witnesses: fine\n", c.policy->logs[0].vkey.name, c.carriers_n);
    } else {
        code = args->own[OWN_ONCE] != NULL ? run_once(&c) : run_on(&c);
    }
    unload(&c);
    return code;
}

int
main(int argc, char *argv[])
{
    static struct settings      settings;
    static const struct program program = {
        .name    = "tally-courier",
        .summary = "brings a log's newest checkpoint to its witnesses (C2SP tlog-witness).",
        .table   = &settings_table,
        .own     = {[OWN_ONCE] = {"once", NULL,
                                  "one visit to each witness, and end: 1 when one of "
                                      "them did not cosign"}},
        .run     = run};
    return program_main(&program, &settings, argc, argv);
}
