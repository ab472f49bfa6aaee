/* SPDX-License-Identifier: Apache-2.0 */
/* The journal at the start: what it has and the database lost, or never got, is put back at its
 * places; what contradicts the ledger ends the start. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "core/bundle.h"
#include "core/frame.h"
#include "core/recover.h"
#include "service.h"
#include "sys/log.h"
#include "sys/sha256.h"

#define ROW_ARENA_MAX ((size_t)32 << 20)
#define RETRY_MS      200

/* One row on its way from a frame to the sequencer. */
struct row {
    struct seq_item  item;
    struct tly_arena arena;
    struct bundle    bundle;
    struct decision  decision;
};

struct redo {
    struct service *service;
    struct row     *rows;   /* SEQ_BATCH_MAX */
    uint64_t        frames; /* seen */
};

/* ---- reading a frame's rows ---- */

static enum tly_err
row_decision(const struct service *s, struct row *row, struct tly_bytes envelope,
             struct tly_diag *diag)
{
    const struct decision_rules rules = {s->ground.election, book_registry(s->book), NULL};
    const enum tly_err err = decision_read(&rules, envelope, &row->arena, &row->decision, diag);
    if (err != TLY_OK) {
        return err;
    }
    const struct envelope *e = &row->decision.envelope;
    row->item.kind           = SEQ_DECISION;
    row->item.decision       = &row->decision;
    row->item.bundle         = (struct seq_bundle){.payload_hash  = sys_sha256(e->payload),
                                                   .envelope_hash = sys_sha256(envelope),
                                                   .payload       = e->payload,
                                                   .head          = e->head,
                                                   .tail          = e->tail,
                                                   .alphabet      = e->alphabet,
                                                   .envelope_len  = (uint32_t)envelope.len};
    return TLY_OK;
}

static enum tly_err
row_bundle(const struct service *s, struct row *row, struct tly_bytes envelope,
           struct tly_diag *diag)
{
    const struct bundle_rules rules = {s->ground.election, book_registry(s->book), NULL};
    const enum tly_err        err =
        bundle_read(&rules, envelope, &row->arena, &row->arena, &row->bundle, diag);
    if (err != TLY_OK) {
        return err;
    }
    const struct tly_hash payload = sys_sha256(row->bundle.envelope.payload);
    const struct tly_hash whole   = sys_sha256(envelope);
    row->item.kind                = SEQ_BUNDLE;
    row->item.bundle              = bundle_seq(&row->bundle, &payload, &whole, envelope.len);
    return TLY_OK;
}

static enum tly_err
rows_read(struct redo *r, struct frame *frame, struct tly_diag *diag)
{
    for (uint32_t i = 0; i < frame->rows_n; i++) {
        struct row      *row = &r->rows[i];
        struct tly_bytes envelope;
        struct tly_diag  why = {0};
        bool             decision;
        row->item.arena  = &row->arena;
        enum tly_err err = frame_row(frame, &row->arena, &envelope, &decision, &why);
        if (err == TLY_OK) {
            err = decision ? row_decision(r->service, row, envelope, &why)
                           : row_bundle(r->service, row, envelope, &why);
        }
        if (err != TLY_OK) {
            return tly_fail(diag, err == TLY_ENOMEM ? err : TLY_ECORRUPT,
                            "the journal's entry %" PRIu64 ": %s", frame->before.size + i,
                            why.text);
        }
    }
    return TLY_OK;
}

/* ---- putting it back ---- */

/* Until it is stored, signed and published; PostgreSQL may go away meanwhile. */
static enum tly_err
settle(struct service *s, struct tly_diag *diag)
{
    for (;;) {
        const enum tly_err err = service_settle(s, diag);
        if (err != TLY_EBUSY) {
            return err;
        }
        log_event(LOG_WARNING, "store.wait", "why=%s", log_why(diag->text).s);
        if (service_told_to_stop(RETRY_MS)) {
            return tly_fail(diag, TLY_ELIMIT, "told to stop while waiting for PostgreSQL");
        }
    }
}

static enum tly_err
frame_redo(struct redo *r, struct frame *frame, struct tly_diag *diag)
{
    struct seq_item *items[SEQ_BATCH_MAX];
    for (uint32_t i = 0; i < frame->rows_n; i++) {
        r->rows[i] = (struct row){0};
        tly_arena_init(&r->rows[i].arena, ROW_ARENA_MAX);
        items[i] = &r->rows[i].item;
    }
    enum tly_err err = rows_read(r, frame, diag);
    if (err == TLY_OK) {
        err = seq_redo(r->service->seq, items, frame->rows_n, frame->accepted_ms, &frame->after,
                       diag);
    }
    if (err == TLY_OK) {
        err = settle(r->service, diag);
    }
    for (uint32_t i = 0; i < frame->rows_n; i++) {
        tly_arena_done(&r->rows[i].arena);
    }
    if (err == TLY_OK) {
        r->service->redone = true;
        log_event(LOG_NOTICE, "journal.redone", "entries=%u size=%" PRIu64, frame->rows_n,
                  frame->after.size);
    }
    return err;
}

static enum tly_err
frame_take(void *arg, uint64_t sequence, struct tly_bytes body, struct tly_diag *diag)
{
    struct redo      *r = arg;
    struct frame      frame;
    enum recover_step step = RECOVER_STORED;
    r->frames++;
    enum tly_err err = frame_read(body, &frame, diag);
    if (err != TLY_OK) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "frame %" PRIu64 " of the journal is whole but unreadable", sequence);
    }
    err = recover_frame(r->service->book, &frame, &step, diag);
    return err == TLY_OK && step == RECOVER_REDO ? frame_redo(r, &frame, diag) : err;
}

/* Heads that went out and lie beyond the database: where a batch of the journal ends at the size of one,
 * it must end with its root.  Looked at before anything is put back, so that a journal of another past
 * changes nothing. */
static enum tly_err
frame_foresee(void *arg, uint64_t sequence, struct tly_bytes body, struct tly_diag *diag)
{
    const struct service *s = ((struct redo *)arg)->service;
    struct frame          frame;
    (void)sequence;
    if (frame_read(body, &frame, NULL) != TLY_OK) {
        return TLY_OK; /* frame_take() says it */
    }
    const struct note_head published = publish_found(s->publish);
    const struct {
        const char             *whose;
        const struct note_head *head;
    } known[] = {{"the signer signed", &s->signing.last}, {"published is", &published}};
    for (size_t i = 0; i < TLY_N(known); i++) {
        const struct note_head *head = known[i].head;
        if (head->size > book_size(s->book) && head->size == frame.after.size &&
            !tly_hash_eq(&head->root, &frame.after.root)) {
            return tly_fail(diag, TLY_ECORRUPT,
                            "the journal has another past: %s another root for size %" PRIu64
                            ".  Nothing of it was put back; keep it, and find the right one "
                            "(doc/operations.md, recovery)",
                            known[i].whose, head->size);
        }
    }
    return TLY_OK;
}

enum tly_err
service_redo(struct service *s, struct tly_diag *diag)
{
    struct redo r = {.service = s, .rows = calloc(SEQ_BATCH_MAX, sizeof *r.rows)};
    if (r.rows == NULL) {
        return TLY_ENOMEM;
    }
    enum tly_err err = journal_read(s->journal, frame_foresee, &r, diag);
    if (err == TLY_OK) {
        err = journal_read(s->journal, frame_take, &r, diag);
    }
    free(r.rows);
    if (err == TLY_OK && r.frames == 0 && book_size(s->book) > 1) {
        log_event(LOG_WARNING, "journal.new", "folder=%s entries=%" PRIu64,
                  log_text(tly_text(s->settings->journal)).s, book_size(s->book));
    }
    return err;
}

/* The effect `journal` of core/seq.h. */
enum tly_err
service_journal(struct service *s, const struct seq_batch *batch, struct tly_diag *diag)
{
    uint8_t           *body;
    const enum tly_err err = journal_room(s->journal, frame_size(batch), &body, diag);
    if (err != TLY_OK) {
        return err;
    }
    frame_write(batch, body);
    return journal_append(s->journal, diag);
}
