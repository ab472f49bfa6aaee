/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's side of the published folder: filled as the ledger is read, then batch by batch.  A
 * file that cannot be written stops nobody but readers of the folder: the ledger is durable without
 * it, so what is missing is read again from the database until it is there. */
#include <inttypes.h>

#include "service.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#define POLICY_MAX    ((size_t)16 << 10)
#define ROW_ARENA_MAX ((size_t)32 << 20)
#define AGAIN_MS      1000U
#define ROWS_MAX      2048U /* read again at once: the sequencer has others to serve */

/* ---- the start ---- */

static enum tly_err
policy_read(struct service *s, const char **out, struct tly_diag *diag)
{
    struct tly_bytes text = {0};
    struct tly_diag  why  = {0};
    *out                  = "";
    if (s->settings->publish_policy[0] == '\0') {
        return TLY_OK;
    }
    const enum tly_err err =
        file_read(s->settings->publish_policy, POLICY_MAX, &s->ground.arena, &text, &why);
    if (err != TLY_OK) {
        return tly_fail(diag, err, "publish_policy: %s", why.text);
    }
    unsigned quorums = 0;
    for (const char *line = (const char *)text.data; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        quorums += strncmp(line, "quorum ", 7) == 0;
        if (line[len] == '\0' ||
            (len > 0 && *line != '#' && strncmp(line, "witness ", 8) != 0 &&
             strncmp(line, "group ", 6) != 0 && strncmp(line, "quorum ", 7) != 0)) {
            return tly_fail(diag, TLY_EINPUT,
                            "publish_policy: %s: \"%.*s\" is no line \"witness ...\", \"group "
                            "...\" or \"quorum ...\"; that of the log is added",
                            s->settings->publish_policy, (int)(len < 80 ? len : 80), line);
        }
        line += len + 1;
    }
    if (quorums != 1 || strlen((const char *)text.data) != text.len) {
        return tly_fail(diag, TLY_EINPUT, "publish_policy: %s: not exactly one quorum line",
                        s->settings->publish_policy);
    }
    *out = (const char *)text.data;
    return TLY_OK;
}

enum tly_err
service_publish_open(struct service *s, struct tly_diag *diag)
{
    const struct ground  *g      = &s->ground;
    struct publish_config config = {.dir             = s->settings->publish,
                                    .election        = g->election,
                                    .book            = s->book,
                                    .vkey            = &g->vkey,
                                    .definition      = s->settings->definition,
                                    .registry        = s->settings->registry,
                                    .definition_hash = g->election->definition,
                                    .registry_hash   = g->registry->hash,
                                    .interval_ms     = (unsigned)s->settings->publish_ms};
    const enum tly_err    err    = policy_read(s, &config.policy, diag);
    return err == TLY_OK ? publish_open(&config, &s->publish, diag) : err;
}

enum tly_err
service_publish_read(struct service *s, uint64_t position, const struct bundle *bundle,
                     struct tly_bytes envelope, struct tly_diag *diag)
{
    const struct publish_envelope exact = {.head = envelope};
    const bool withheld = bundle != NULL && checks_withheld(s->ground.election, &bundle->checked);
    return publish_add(s->publish, position, envelope.len == 0 ? NULL : &exact, withheld, diag);
}

/* ---- running ---- */

/* A row that has to be added again; its bundle is read anew, to see whether it is withheld. */
static enum tly_err
row_again(void *arg, const struct store_row *row, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena    = {.bytes_max = ROW_ARENA_MAX};
    struct service                  *s        = arg;
    const struct bundle_rules        rules    = {s->ground.election, book_registry(s->book), NULL,
                                                 row->position};
    struct tly_bytes                 envelope = {0};
    struct bundle                    bundle;
    enum tly_err                     err = store_row_check(row, &arena, &envelope, diag);
    if (err == TLY_OK &&
        !book_has(s->book, row->position, &row->payload_hash, &row->envelope_hash)) {
        err = tly_fail(diag, TLY_ECORRUPT,
                       "ledger position %" PRIu64 ": the row is another entry's", row->position);
    }
    const bool voted = row->kind == LEAF_BUNDLE || row->kind == LEAF_CONFLICT;
    if (err == TLY_OK && voted) {
        err = bundle_read(&rules, envelope, &arena, &arena, &bundle, diag);
    }
    return err != TLY_OK
               ? err
               : service_publish_read(s, row->position, voted ? &bundle : NULL, envelope, diag);
}

/* Says the first failure, and that it is over. */
static void
say(struct service *s, enum tly_err err, const struct tly_diag *diag)
{
    if (err != TLY_OK && !s->publish_failing) {
        log_event(LOG_ERR, "publish.fail", "error=%s why=%s", tly_err_name(err),
                  log_why(diag->text).s);
    }
    if (err == TLY_OK && s->publish_failing) {
        log_event(LOG_NOTICE, "publish.back", "size=%" PRIu64, publish_size(s->publish));
    }
    s->publish_failing = err != TLY_OK;
}

/* Publishes what is due and whole. */
static uint64_t
turn(struct service *s, uint64_t now_ms)
{
    struct tly_diag diag = {0};
    uint64_t        due  = UINT64_MAX;
    const uint64_t  size = publish_size(s->publish);
    enum tly_err    err  = publish_turn(s->publish, now_ms, &due, &diag);
    if (err != TLY_OK || publish_size(s->publish) != size) {
        say(s, err, &diag);
        api_set_published(s->api, publish_size(s->publish));
    }
    return due;
}

/* A stored row below the newest entries differs: no file that covers it is written until it is right
 * again, then everything since. */
static bool
is_held(struct service *s)
{
    const bool held = atomic_load(&s->held_from) < book_size(s->book);
    if (held != s->publish_held) {
        log_event(held ? LOG_ERR : LOG_NOTICE, held ? "publish.held" : "publish.released",
                  "size=%" PRIu64, publish_size(s->publish));
        s->publish_held = held;
    }
    return held;
}

void
service_publish_batch(struct service *s, const struct seq_batch *batch)
{
    struct tly_diag diag = {0};
    if (is_held(s)) {
        publish_leave(s->publish);
        return;
    }
    const enum tly_err err = publish_batch(s->publish, batch, &diag);
    if (err != TLY_OK) {
        say(s, err, &diag);
    }
    (void)turn(s, clock_mono_ms());
}

uint64_t
service_publish_turn(struct service *s, uint64_t now_ms)
{
    struct tly_diag diag = {0};
    uint64_t        from = 0;
    if (is_held(s)) {
        return now_ms + AGAIN_MS;
    }
    /* While a batch is in doubt the book holds leaves that are perhaps not stored. */
    if (seq_state(s->seq) == SEQ_IDLE && publish_missing(s->publish, &from)) {
        if (now_ms < s->publish_again_ms) {
            return s->publish_again_ms;
        }
        const enum tly_err err = store_read(s->store, from, from + ROWS_MAX, row_again, s, &diag);
        if (err != TLY_OK) {
            say(s, err, &diag);
            s->publish_again_ms = now_ms + AGAIN_MS;
            return s->publish_again_ms;
        }
        if (publish_missing(s->publish, &from)) {
            return now_ms; /* senders first */
        }
    }
    return turn(s, now_ms);
}
