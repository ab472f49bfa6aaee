/* SPDX-License-Identifier: Apache-2.0 */
/* Everything between the settings and the first request.  Any contradiction between packages,
 * database and keys is named and ends the start. */
#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "base/check.h"
#include "base/hex.h"
#include "scrub/scrub.h"
#include "service.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/version.h"

#define LEDGER_ARENA_MAX ((size_t)16 << 30)
#define STORE_RETRY_MS   200
#define STORE_EXTEND_US  60000000 /* of systemd's patience, while PostgreSQL is away */
#define OPS_CONNECTIONS  64
#define OPS_ARENA_MAX    ((size_t)1 << 20)

/* ---- the parts ---- */

static enum tly_err
memory_make(struct service *s, struct tly_diag *diag)
{
    const struct ground *g = &s->ground;
    tly_arena_init(&s->arena, LEDGER_ARENA_MAX);
    enum tly_err err = book_new(g->election, g->registry, &s->arena, &s->book);
    if (err == TLY_OK) {
        err = tally_init(&s->tally, g->election, &s->arena);
    }
    if (err == TLY_OK) {
        err = history_new(&s->arena, &s->history);
    }
    if (err == TLY_OK) {
        err = queue_new(API_QUEUE_ENTRIES, API_QUEUE_BYTES, &s->queue);
    }
    if (err != TLY_OK) {
        return err;
    }
    const struct api_config config = {.election         = g->election,
                                      .registry         = g->registry,
                                      .book             = s->book,
                                      .tally            = &s->tally,
                                      .history          = s->history,
                                      .vkey             = &g->vkey,
                                      .queue            = s->queue,
                                      .conninfo         = s->settings->database,
                                      .published        = s->settings->publish,
                                      .software         = version_text(),
                                      .per_terminal_max = (unsigned)s->settings->per_terminal_max,
                                      .snapshot_ms      = (unsigned)s->settings->snapshot_ms};
    return api_state_new(&config, &s->api, diag);
}

/* Waits for PostgreSQL, and until no other daemon writes to it, saying so whenever the reason is
 * another, until somebody asks to stop. */
static enum tly_err
store_wait(struct service *s, struct tly_diag *diag)
{
    const uint64_t  wait_ms = s->settings->database_wait_ms;
    const uint64_t  until   = wait_ms == 0 ? UINT64_MAX : clock_mono_ms() + wait_ms;
    struct tly_diag said    = {0};
    for (;;) {
        enum tly_err err =
            s->store != NULL ? TLY_OK : store_open(s->settings->database, &s->store, diag);
        if (err == TLY_OK) {
            err = store_claim(s->store, diag);
        }
        if (err != TLY_EBUSY || clock_mono_ms() >= until) {
            return err;
        }
        if (strcmp(said.text, diag->text) != 0) {
            log_event(LOG_WARNING, "store.wait", "why=%s", log_why(diag->text).s);
            said = *diag;
        }
        /* Not ready, but not hanging either: systemd gives it more time. */
        (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%d\nSTATUS=waiting for PostgreSQL: %.200s",
                         STORE_EXTEND_US, diag->text);
        if (service_told_to_stop(STORE_RETRY_MS)) {
            return tly_fail(diag, TLY_ELIMIT, "told to stop while waiting for PostgreSQL");
        }
    }
}

static enum tly_err
hash_check(const char *what, const struct tly_hash *stored, const struct tly_hash *loaded,
           struct tly_diag *diag)
{
    char a[TLY_HEX_SIZE(32)];
    char b[TLY_HEX_SIZE(32)];
    tly_hex(stored->b, sizeof stored->b, a);
    tly_hex(loaded->b, sizeof loaded->b, b);
    return tly_hash_eq(stored, loaded)
               ? TLY_OK
               : tly_fail(diag, TLY_ECORRUPT, "the database was opened with %s %s, loaded is %s",
                          what, a, b);
}

/* The election in the database is the one in the packages. */
static enum tly_err
election_check(const struct service *s, const struct store_election *stored, struct tly_diag *diag)
{
    const struct ground *g = &s->ground;
    if (strcmp(stored->code, g->election->code) != 0) {
        return tly_fail(diag, TLY_ECORRUPT, "the database holds election %s, loaded is %s",
                        stored->code, g->election->code);
    }
    const enum tly_err err =
        hash_check("definition", &stored->definition, &g->election->definition, diag);
    return err != TLY_OK ? err
                         : hash_check("registry", &stored->registry, &g->registry->hash, diag);
}

/* Becomes the one writer, then reads what the one before left. */
static enum tly_err
ledger_load(struct service *s, uint64_t *had, struct tly_diag *diag)
{
    struct store_election stored;
    enum tly_err          err = store_election(s->store, &stored, diag);
    if (err == TLY_OK) {
        err = election_check(s, &stored, diag);
    }
    if (err == TLY_OK) {
        err = store_take_over(s->store, &s->epoch, diag);
    }
    if (err == TLY_OK) {
        err = store_election(s->store, &stored, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    service_effects(s);
    const struct seq_config config = {.election = s->ground.election,
                                      .book     = s->book,
                                      .tally    = &s->tally,
                                      .history  = s->history,
                                      .arena    = &s->arena,
                                      .vkey     = &s->ground.vkey,
                                      .epoch    = s->epoch,
                                      .effects  = &s->effects};
    err                            = seq_new(&config, &s->arena, &s->seq);
    if (err == TLY_OK) {
        *had = stored.head.size;
        publish_begin(s->publish, stored.head.size);
        err = service_rebuild(s, &stored.head, diag);
    }
    return err;
}

/* Signs the newest head again (the same bytes), puts back what the journal has more, and shows the
 * tally.  had: the database's entries before. */
static enum tly_err
ledger_publish(struct service *s, uint64_t had, struct tly_diag *diag)
{
    s->signing.redo  = true;
    enum tly_err err = signing_compare(s, diag);
    if (err == TLY_OK) {
        seq_start(s->seq);
        err = service_settle(s, diag);
    }
    if (err == TLY_OK) {
        err = service_redo(s, diag);
    }
    s->signing.redo = false;
    if (err == TLY_OK) {
        err = signing_compare(s, diag);
    }
    if (err == TLY_OK) {
        err = service_cosigned_check(s, diag);
    }
    if (err == TLY_OK) {
        err = scrub_begin(s, had, diag);
    }
    if (err == TLY_OK) {
        err = publish_complete(s->publish, diag);
    }
    if (err == TLY_OK) {
        api_set_published(s->api, publish_size(s->publish));
        (void)api_snapshot(s->api, UINT64_MAX - 1);
    }
    return err;
}

/* ---- listening ---- */

static enum tly_err
listener_start(struct service *s, enum api_listener which, const char *name,
               const struct settings_listener *l, struct tly_diag *diag)
{
    const bool               tls    = which != API_OPS;
    const struct http_config config = {
        .name                   = name,
        .address                = l->address,
        .port                   = (uint16_t)l->port,
        .listen_fd              = -1,
        .cert_pem               = tls ? s->ground.cert_pem : NULL,
        .key_pem                = tls ? s->ground.key_pem : NULL,
        .workers_n              = tls ? (unsigned)l->workers : 1,
        .connections_max        = tls ? (unsigned)l->connections_max : OPS_CONNECTIONS,
        .connections_per_ip_max = (unsigned)l->per_ip_max,
        .arena_bytes_max        = tls ? s->settings->request_bytes : OPS_ARENA_MAX,
        .memory_bytes_max       = l->memory_bytes, /* of ops: 0, no limit */
        .idle_timeout_s         = (unsigned)(s->settings->idle_ms / 1000),
        .handshake_ms_max       = (unsigned)s->settings->handshake_ms,
        .handshakes_max         = (unsigned)s->settings->handshakes_max,
        .head_ms_max            = (unsigned)s->settings->head_ms,
        .body_ms_max            = (unsigned)s->settings->body_ms,
        .handler                = api_handle,
        .allow                  = tls ? api_allow : NULL,
        .body_max               = api_body_max,
        .arg                    = api_arg(s->api, which)};
    const enum tly_err err = http_server_start(&config, &s->servers[which], diag);
    if (err == TLY_OK) {
        api_set_server(s->api, which, s->servers[which]);
    }
    return err;
}

static enum tly_err
listen_all(struct service *s, struct tly_diag *diag)
{
    api_set_health(s->api, API_READY); /* first: from now on it is the sequencer's to say */
    if (pthread_create(&s->thread, NULL, service_sequence, s) != 0) {
        return tly_fail(diag, TLY_EIO, "cannot start the sequencer's thread");
    }
    s->threaded      = true;
    enum tly_err err = scrub_run(s, diag);
    if (err == TLY_OK) {
        err = listener_start(s, API_INGEST, "ingest", &s->settings->ingest, diag);
    }
    return err != TLY_OK ? err : listener_start(s, API_READ, "api", &s->settings->api, diag);
}

/* entries: counted before the sequencer's thread had the book. */
static void
say_ready(const struct service *s, uint64_t entries)
{
    log_event(LOG_NOTICE, "daemon.ready", "ingest=%u api=%u ops=%u",
              http_server_port(s->servers[API_INGEST]), http_server_port(s->servers[API_READ]),
              http_server_port(s->servers[API_OPS]));
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s, %" PRIu64 " ledger entries", s->ground.vkey.name,
                     entries);
}

enum tly_err
service_start(struct service *s, const char *config_file, struct tly_diag *diag)
{
    const uint64_t began = clock_mono_ms();
    uint64_t       had   = 0;
    enum tly_err   err   = ground_listeners_check(s->settings, diag);
    atomic_init(&s->held_from, UINT64_MAX);
    if (err == TLY_OK) {
        err = ground_load(s->settings, config_file, &s->ground, diag);
    }
    if (err == TLY_OK) {
        err = memory_make(s, diag);
    }
    const uint64_t loaded = clock_mono_ms();
    if (err == TLY_OK) { /* first, so that /readyz can say what is waited for */
        err = listener_start(s, API_OPS, "ops", &s->settings->ops, diag);
    }
    if (err == TLY_OK) {
        err = journal_open(s->settings->journal, s->settings->journal_bytes / 2, &s->journal, diag);
    }
    if (err == TLY_OK) {
        err = store_wait(s, diag);
    }
    if (err == TLY_OK) {
        err = signing_wait(s, diag);
    }
    if (err == TLY_OK) {
        err = service_cosigned_open(s, diag);
    }
    if (err == TLY_OK) { /* before the takeover: who cannot publish must not fence who can */
        err = service_publish_open(s, diag);
    }
    if (err == TLY_OK) {
        err = ledger_load(s, &had, diag);
    }
    if (err == TLY_OK) {
        err = ledger_publish(s, had, diag);
    }
    if (err != TLY_OK) {
        service_blame(s, err);
        return err;
    }
    const uint64_t entries = book_size(s->book);
    log_event(LOG_NOTICE, "ledger.verified",
              "origin=%s entries=%" PRIu64 " packages_ms=%" PRIu64 " ledger_ms=%" PRIu64,
              s->ground.vkey.name, entries, loaded - began, clock_mono_ms() - loaded);
    err = listen_all(s, diag);
    if (err == TLY_OK) {
        say_ready(s, entries);
    }
    return err;
}
