/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals: a signing key and a TLS certificate each; 80,000 of them on all cores. */
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hex.h"
#include "enrol_int.h"
#include "sys/file.h"
#include "sys/progress.h"

#define WORKERS_MAX 16

struct work {
    const struct enrol  *enrol;
    struct enrolled     *list;
    uint32_t             n;
    atomic_uint          next;
    pthread_mutex_t      lock; /* of what follows */
    struct progress_line progress;
    uint32_t             done;
    enum tly_err         err;
    struct tly_diag      diag;
};

static enum tly_err
make_one(const struct enrol *enrol, struct enrolled *t, uint32_t i, struct tly_diag *diag)
{
    char                uri[256], pem[FILE_PATH_SIZE];
    struct cert_request request = {.common_name = t->code,
                                   .uri         = uri,
                                   .usage       = CERT_CLIENT,
                                   .not_before  = enrol->not_before,
                                   .not_after   = enrol->not_after};
    if (i < enrol->election->branches_n) {
        (void)snprintf(t->code, sizeof t->code, "t%06" PRIu32, i + 1);
    } else {
        (void)snprintf(t->code, sizeof t->code, "spare%02" PRIu32,
                       i - enrol->election->branches_n + 1);
    }
    (void)snprintf(uri, sizeof uri, "urn:tally:%s:terminal:%s", enrol->election->code, t->code);
    enrol_path(enrol, pem, "keys/terminals", t->code, ".pem");
    randombytes_buf(t->seed, sizeof t->seed);
    return cert_issue(enrol->ca, &request, pem, NULL, NULL, &t->cert, diag);
}

static void
account(struct work *work, enum tly_err err, const struct tly_diag *diag)
{
    (void)pthread_mutex_lock(&work->lock);
    if (err != TLY_OK && work->err == TLY_OK) {
        work->err  = err;
        work->diag = *diag;
        atomic_store(&work->next, work->n);
    }
    progress_step(&work->progress, ++work->done);
    (void)pthread_mutex_unlock(&work->lock);
}

static void *
worker_main(void *arg)
{
    struct work    *work = arg;
    struct tly_diag diag = {0};
    for (uint32_t i; (i = atomic_fetch_add(&work->next, 1)) < work->n;) {
        const enum tly_err err = make_one(work->enrol, &work->list[i], i, &diag);
        account(work, err, &diag);
    }
    return NULL;
}

enum tly_err
enrol_terminals(const struct enrol *enrol, struct enrolled list[], uint32_t n,
                struct tly_diag *diag)
{
    pthread_t   threads[WORKERS_MAX];
    const long  cores   = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned    wanted  = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
    unsigned    started = 0;
    struct work work    = {.enrol = enrol, .list = list, .n = n};
    (void)pthread_mutex_init(&work.lock, NULL);
    progress_begin(&work.progress, "enrolled", n);
    while (started < wanted && pthread_create(&threads[started], NULL, worker_main, &work) == 0) {
        started++;
    }
    if (started == 0) {
        (void)worker_main(&work);
    }
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    progress_end(&work.progress, work.done);
    (void)pthread_mutex_destroy(&work.lock);
    if (work.err != TLY_OK && diag != NULL) {
        *diag = work.diag;
    }
    return work.err;
}

enum tly_err
enrol_write_terminals(const struct enrol *enrol, const struct enrolled list[], uint32_t n,
                      struct tly_diag *diag)
{
    TLY_AUTO(file) FILE *registry = NULL;
    TLY_AUTO(file) FILE *signing  = NULL;
    enum tly_err         err = enrol_create(enrol, "registry", "terminals.csv", &registry, diag);
    if (err == TLY_OK) {
        err = enrol_create(enrol, "keys", "signing.csv", &signing, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    (void)fputs("terminal,branch,signing_key,certificate,not_before,not_after,state\n", registry);
    (void)fputs("terminal,seed\n", signing);
    for (uint32_t i = 0; i < n; i++) {
        TLY_AUTO(secret) struct sign_secret secret;
        char key[TLY_HEX_SIZE(32)], cert[TLY_HEX_SIZE(32)], seed[TLY_HEX_SIZE(32)];
        sign_from_seed(list[i].seed, &secret);
        const struct tly_key public_key = sign_public(&secret);
        tly_hex(public_key.b, sizeof public_key.b, key);
        tly_hex(list[i].cert.b, sizeof list[i].cert.b, cert);
        tly_hex(list[i].seed, sizeof list[i].seed, seed);
        (void)fprintf(registry, "%s,%s,%s,%s,%" PRIu64 ",%" PRIu64 ",active\n", list[i].code,
                      i < enrol->election->branches_n ? enrol->election->branches[i].code : "", key,
                      cert, enrol->not_before, enrol->not_after);
        (void)fprintf(signing, "%s,%s\n", list[i].code, seed);
        sodium_memzero(seed, sizeof seed);
    }
    err                       = enrol_close(TLY_TAKE(registry), "terminals.csv", diag);
    const enum tly_err second = enrol_close(TLY_TAKE(signing), "signing.csv", diag);
    return err != TLY_OK ? err : second;
}
