/* SPDX-License-Identifier: Apache-2.0 */
/* The sequencer's thread: takes what is queued, lets the state machine store, sign and answer it,
 * publishes snapshots between batches.  While the database is away it refuses at once what comes,
 * and asks it again after a pause that grows. */
#include <inttypes.h>

#include "base/check.h"
#include "core/recover.h"
#include "service.h"
#include "sys/clock.h"
#include "sys/log.h"

#define PAUSE_MS_MIN 50
#define PAUSE_MS_MAX 1000
#define IDLE_MS      1000 /* how often an idle connection is looked at */

/* ---- effects ---- */

static uint64_t
effect_now(void *ctx)
{
    (void)ctx;
    return clock_unix_ms();
}

static enum tly_err
effect_journal(void *ctx, const struct seq_batch *batch, struct tly_diag *diag)
{
    return service_journal(ctx, batch, diag);
}

static enum tly_err
effect_commit(void *ctx, const struct seq_batch *batch, struct tly_diag *diag)
{
    return store_commit(((struct service *)ctx)->store, batch, diag);
}

static enum tly_err
effect_recover(void *ctx, struct note_head *stored, struct tly_diag *diag)
{
    return store_recover(((struct service *)ctx)->store, stored, diag);
}

static enum tly_err
effect_sign(void *ctx, const struct note_head *head, struct tly_sig *out, struct tly_diag *diag)
{
    return signing_sign(ctx, head, out, diag);
}

static void
effect_change_begin(void *ctx)
{
    api_change_begin(((struct service *)ctx)->api);
}

static void
effect_change_end(void *ctx)
{
    api_change_end(((struct service *)ctx)->api);
}

static void
effect_publish(void *ctx, const struct seq_batch *batch)
{
    struct service *s = ctx;
    service_publish_batch(s, batch);
    api_publish(s->api);
}

static void
effect_answer(void *ctx, struct seq_item *item)
{
    if (item->user != NULL) { /* out of the journal: nobody waits for it */
        api_answer(((struct service *)ctx)->api, item);
    }
}

void
service_effects(struct service *s)
{
    s->effects = (struct seq_effects){.ctx          = s,
                                      .now_ms       = effect_now,
                                      .journal      = effect_journal,
                                      .commit       = effect_commit,
                                      .recover      = effect_recover,
                                      .sign         = effect_sign,
                                      .change_begin = effect_change_begin,
                                      .change_end   = effect_change_end,
                                      .publish      = effect_publish,
                                      .answer       = effect_answer};
}

enum tly_err
service_settle(struct service *s, struct tly_diag *diag)
{
    while (seq_state(s->seq) != SEQ_IDLE) {
        const enum tly_err err = seq_step(s->seq, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return TLY_OK;
}

/* ---- the thread ---- */

/* What is queued while nothing can be stored: nothing was promised. */
static void
refuse_queued(struct service *s, uint64_t until_ms)
{
    void        *items[SEQ_BATCH_MAX];
    const size_t n = queue_take(s->queue, items, SEQ_BATCH_MAX, until_ms);
    for (size_t i = 0; i < n; i++) {
        struct seq_item *item = items[i];
        item->err = tly_fail(&item->diag, TLY_EBUSY, "the %s is not there; send it again",
                             s->signing.away ? "log's signer" : "database");
        api_answer(s->api, item);
    }
}

/* The stored head must be ours; asked when nothing is in doubt. */
static enum tly_err
probe(struct service *s, struct tly_diag *diag)
{
    struct note_head   head = {0};
    const enum tly_err err  = store_recover(s->store, &head, diag);
    if (err != TLY_OK) {
        return err;
    }
    return head.size == book_size(s->book) && recover_is_head(s->book, &head)
               ? TLY_OK
               : tly_fail(diag, TLY_ECORRUPT, "the database's head is not ours any more");
}

/* What is due between batches; returns when to look again. */
static uint64_t
publish_due(struct service *s, uint64_t now)
{
    const uint64_t snapshot = api_snapshot(s->api, now);
    const uint64_t files    = service_publish_turn(s, now);
    service_cosigned_turn(s);
    return snapshot < files ? snapshot : files;
}

/* Refuses what comes, for a while or until the daemon goes down; the last snapshot still leaves. */
static void
pause_refusing(struct service *s, uint64_t pause_ms)
{
    const uint64_t until = clock_mono_ms() + pause_ms;
    for (uint64_t now = until - pause_ms; now < until && !queue_drained(s->queue);
         now          = clock_mono_ms()) {
        const uint64_t due = publish_due(s, now);
        refuse_queued(s, due < until ? due : until);
    }
}

/* Waits for the database or the signer; returns when bundles can be taken again, when the daemon goes down (what
 * is in doubt is settled at the next start), or with TLY_ECORRUPT. */
static enum tly_err
wait_for_store(struct service *s, struct tly_diag *diag)
{
    uint64_t     pause = PAUSE_MS_MIN;
    enum tly_err err   = TLY_EBUSY;
    const bool   store = !s->signing.away;
    log_event(LOG_WARNING, store ? "store.away" : "signer.away", "why=%s", log_why(diag->text).s);
    api_set_health(s->api, store ? API_AWAY : API_UNSIGNED);
    while (err == TLY_EBUSY || err == TLY_EUNSURE) {
        pause_refusing(s, pause);
        if (queue_drained(s->queue)) {
            return TLY_OK;
        }
        pause = pause * 2 < PAUSE_MS_MAX ? pause * 2 : PAUSE_MS_MAX;
        err   = service_settle(s, diag);
        if (err == TLY_OK) {
            err = probe(s, diag);
        }
        if (err == TLY_OK) {
            err = signing_look(s, diag);
        }
    }
    if (err != TLY_OK) {
        return TLY_ECORRUPT;
    }
    if (store) { /* the signer's return is said where it is seen */
        log_event(LOG_NOTICE, "store.back", "size=%" PRIu64, book_size(s->book));
    }
    api_set_health(s->api, API_READY);
    return TLY_OK;
}

/* Puts items into batches until none is left. */
static enum tly_err
sequence_items(struct service *s, struct seq_item *items[], unsigned n, struct tly_diag *diag)
{
    while (n > 0) {
        const unsigned taken = seq_take(s->seq, items, n);
        enum tly_err   err   = service_settle(s, diag);
        items += taken;
        n -= taken;
        if (err == TLY_EBUSY) {
            err = wait_for_store(s, diag);
        }
        if (err != TLY_OK) {
            (void)seq_take(s->seq, items, n); /* stopped: answers them */
            return err;
        }
    }
    return TLY_OK;
}

/* With nothing to store nobody would notice that the database or the signer went away, and /readyz
 * would lie. */
static enum tly_err
look_while_idle(struct service *s, struct tly_diag *diag)
{
    enum tly_err err = store_idle_check(s->store, diag) == TLY_OK ? TLY_OK : TLY_EBUSY;
    if (err == TLY_OK) {
        err = signing_look(s, diag);
    }
    return err == TLY_EBUSY ? wait_for_store(s, diag) : err;
}

static void
sequence_failed(struct service *s, const struct tly_diag *diag)
{
    log_event(LOG_ERR, "ledger.stopped", "why=%s", log_why(diag->text).s);
    api_set_health(s->api, API_FAILED);
    atomic_store(&s->failed, true);
    while (!queue_drained(s->queue)) {
        refuse_queued(s, UINT64_MAX);
    }
}

void *
service_sequence(void *service)
{
    struct service  *s = service;
    void            *taken[SEQ_BATCH_MAX];
    struct seq_item *items[SEQ_BATCH_MAX];
    while (!queue_drained(s->queue)) {
        struct tly_diag diag = {0};
        const uint64_t  now  = clock_mono_ms();
        const uint64_t  due  = publish_due(s, now);
        const uint64_t  look = now + IDLE_MS;
        const size_t    n    = queue_take(s->queue, taken, SEQ_BATCH_MAX, due < look ? due : look);
        for (size_t i = 0; i < n; i++) {
            items[i] = taken[i];
        }
        const enum tly_err err =
            n == 0 ? look_while_idle(s, &diag) : sequence_items(s, items, (unsigned)n, &diag);
        if (err != TLY_OK) {
            sequence_failed(s, &diag);
            return NULL;
        }
    }
    (void)service_publish_turn(s,
                               UINT64_MAX / 2); /* the last of it, however young the checkpoint */
    return NULL;
}
