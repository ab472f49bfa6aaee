/* SPDX-License-Identifier: Apache-2.0 */
/* The sequencer against a world that lies: commits that fail, commits that are done and say they
 * failed, signers and databases that are away, crashes at every step, after which the journal's frames
 * are put back.  After every answer and at
 * the end: acknowledged is stored and signed, one leaf for each (branch, revision), a duplicate
 * gets the identical receipt, and book and tally are what the stored rows say.
 *
 * TALLY_SEED=N runs one seed. */
#include "core/frame.h"
#include "core/seq.h"
#include "ledger_fixture.h"
#include "t.h"
#include "tally_same.h"

#define PAYLOADS_MAX 600
#define ROWS_MAX     800
#define ITEMS_MAX    24
#define RUNS         400
#define ROUNDS       25
#define LIVE_MAX     700

/* ---- what the terminals know: every payload that was ever made ---- */

struct made {
    uint32_t        branch, revision;
    bool            has_prev, revise_ok;
    struct tly_hash prev;
    uint32_t        votes; /* of its first candidate */
    bool            held;
    char           *receipt; /* the first one it got */
    size_t          receipt_len;
};

/* ---- the database ---- */

struct db_row {
    struct book_entry entry;
    char              held[64];
    unsigned          made; /* index of the payload, from its bytes */
};

struct request;

struct world {
    struct fixture   f;
    struct made      made[PAYLOADS_MAX];
    unsigned         made_n;
    struct db_row    rows[ROWS_MAX];
    struct note_head head; /* the head row */
    struct book_head heads[ROWS_MAX];
    unsigned         heads_n;
    unsigned         evidence_n;
    unsigned         kept_n;  /* answers that say: the evidence is kept */
    uint8_t         *journal; /* the newest frame; NULL: none yet */
    size_t           journal_len;
    unsigned         journaled, redone;
    bool             lost, repeated; /* the commit before said so; this is the same batch again */
    bool             doubt;          /* the last commit's outcome was not told */
    struct tly_hash  doubt_root;
    uint64_t         epoch;
    uint64_t         now;
    uint64_t         rnd;

    /* the process under test */
    struct tly_arena arena;
    struct book     *book;
    struct tally     tally;
    struct history  *history;
    struct seq      *seq;
    unsigned         brackets;
    uint64_t         published;
    struct request  *live[LIVE_MAX]; /* items without an answer */
    unsigned         waiting;
    unsigned         answered; /* in this round */

    /* scripts of the directed tests: digits taken from the right; then everything works */
    bool     scripted, journal_fails;
    unsigned commits, recovers, signs;
    bool     later; /* the signer knows a later head than it is asked for */

    const char *wrong; /* the first broken promise */
};

#define WANT(w, cond)                                                                              \
    do {                                                                                           \
        if (!(cond) && (w)->wrong == NULL) {                                                       \
            (w)->wrong = #cond;                                                                    \
        }                                                                                          \
    } while (0)

/* BROKEN only where a script says so. */
enum fate { DONE, REFUSED, LOST_DONE, LOST_UNDONE, FATES_N, BROKEN = FATES_N };

static enum fate
next_fate(struct world *w)
{
    if (w->scripted) {
        const unsigned fate = w->commits % 10;
        w->commits /= 10;
        return (enum fate)fate;
    }
    const uint64_t p = rnd(&w->rnd) % 100;
    return p < 70 ? DONE : p < 80 ? REFUSED : p < 90 ? LOST_DONE : LOST_UNDONE;
}

static bool
away(struct world *w, unsigned *script)
{
    if (w->scripted) {
        const unsigned digit = *script % 10;
        *script /= 10;
        return digit == 1;
    }
    return rnd(&w->rnd) % 5 == 0;
}

/* ---- effects ---- */

static uint64_t
now_ms(void *ctx)
{
    struct world *w = ctx;
    w->now += rnd(&w->rnd) % 7;
    if (rnd(&w->rnd) % 10 == 0) {
        w->now -= 500; /* the clock is set back */
    }
    return w->now;
}

static void
store_rows(struct world *w, const struct seq_batch *batch)
{
    for (unsigned i = 0; i < batch->rows_n; i++) {
        const struct seq_row *r   = &batch->rows[i];
        struct db_row        *row = &w->rows[r->position];
        unsigned              made;
        WANT(w, r->position == batch->old_size + i);
        if (r->decision != NULL) {
            row->entry = *r->entry;
            continue;
        }
        WANT(w, r->bundle->payload.len == sizeof made);
        memcpy(&made, r->bundle->payload.data, sizeof made); /* the bytes must still be there */
        WANT(w, made < w->made_n);
        const struct tly_hash hash = fixture_hash("payload", made);
        WANT(w, tly_hash_eq(&hash, &r->entry->payload));
        WANT(w, r->bundle->head.len == 4 && memcmp(r->bundle->head.data, "head", 4) == 0);
        WANT(w, r->bundle->tail.len == 4 && memcmp(r->bundle->tail.data, "tail", 4) == 0);
        WANT(w, strcmp(r->branch, fixture_branches[r->entry->branch.v]) == 0);
        row->entry = *r->entry;
        row->made  = made;
        WANT(w, r->entry->held.len < sizeof row->held);
        if (r->entry->held.len > 0) {
            memcpy(row->held, r->entry->held.data, r->entry->held.len);
        }
        row->entry.held = (struct tly_bytes){(uint8_t *)row->held, r->entry->held.len};
    }
    for (unsigned i = 0; i < batch->evidence_n; i++) {
        const struct seq_evidence *e = batch->evidence[i];
        WANT(w, e->body.len == 4 && memcmp(e->body.data, "body", 4) == 0);
        const char *code = e->status == 409 ? "S04" : e->status == 403 ? "A03" : "S01";
        WANT(w, e->status == 409 || e->status == 403 || e->status == 400);
        WANT(w, strcmp(e->code, code) == 0 && e->detail[0] != '\0');
    }
    w->evidence_n += batch->evidence_n;
    const uint64_t last = w->heads_n == 0 ? 0 : w->heads[w->heads_n - 1].size;
    if (batch->signed_head != NULL && batch->signed_head->size != last) { /* repeats do nothing */
        w->heads[w->heads_n++] = *batch->signed_head;
    }
    /* none is left out, none comes twice but after doubt */
    WANT(w, batch->signed_head != NULL || last == batch->old_size);
    WANT(w, batch->signed_head == NULL || batch->signed_head->size != last || w->repeated);
    w->head = (struct note_head){.size = batch->new_size, .root = batch->new_root};
}

static enum tly_err
journal(void *ctx, const struct seq_batch *batch, struct tly_diag *diag)
{
    struct world *w = ctx;
    WANT(w, batch->rows_n > 0 && batch->old_size == w->head.size);
    if (w->scripted && w->journal_fails) {
        return tly_fail(diag, TLY_EIO, "the disk is gone");
    }
    w->journal_len = frame_size(batch);
    w->journal     = realloc(w->journal, w->journal_len);
    frame_write(batch, w->journal);
    w->journaled++;
    return TLY_OK;
}

/* The newest frame is of this batch. */
static bool
is_journaled(const struct world *w, const struct seq_batch *batch)
{
    struct frame f;
    return batch->rows_n == 0 ||
           (w->journal != NULL &&
            frame_read((struct tly_bytes){w->journal, w->journal_len}, &f, NULL) == TLY_OK &&
            f.before.size == batch->old_size && f.after.size == batch->new_size &&
            tly_hash_eq(&f.after.root, &batch->new_root));
}

static enum tly_err
commit(void *ctx, const struct seq_batch *batch, struct tly_diag *diag)
{
    struct world *w = ctx;
    WANT(w, is_journaled(w, batch)); /* durable here before it is sent */
    WANT(w, batch->rows_n + batch->evidence_n > 0);
    if (batch->epoch != w->epoch || batch->old_size != w->head.size ||
        !tly_hash_eq(&batch->old_root, &w->head.root)) {
        return tly_fail(diag, TLY_ECORRUPT, "not your head");
    }
    /* A batch that was in doubt is settled as it is: nothing else takes its place. */
    WANT(w, !w->doubt || tly_hash_eq(&w->doubt_root, &batch->new_root));
    const enum fate fate = next_fate(w);
    const bool      lost = fate == LOST_DONE || fate == LOST_UNDONE;
    w->doubt             = w->doubt ? fate != DONE : lost;
    w->repeated          = w->lost && tly_hash_eq(&w->doubt_root, &batch->new_root);
    w->lost              = lost || (w->repeated && fate == REFUSED);
    w->doubt_root        = batch->new_root;
    switch (fate) {
    case DONE:
        store_rows(w, batch);
        return TLY_OK;
    case REFUSED:
        return tly_fail(diag, TLY_EBUSY, "away");
    case LOST_DONE:
        store_rows(w, batch);
        return tly_fail(diag, TLY_EUNSURE, "lost");
    case LOST_UNDONE:
        break;
    case BROKEN:
        return tly_fail(diag, TLY_EIO, "broken");
    }
    return tly_fail(diag, TLY_EUNSURE, "lost");
}

static enum tly_err
recover(void *ctx, struct note_head *stored, struct tly_diag *diag)
{
    struct world *w = ctx;
    if (away(w, &w->recovers)) {
        return tly_fail(diag, TLY_EBUSY, "still away");
    }
    *stored  = w->head;
    w->doubt = w->doubt && !tly_hash_eq(&w->head.root, &w->doubt_root);
    return TLY_OK;
}

static enum tly_err
sign(void *ctx, const struct note_head *head, struct tly_sig *out, struct tly_diag *diag)
{
    struct world *w = ctx;
    WANT(w, head->size == w->head.size && tly_hash_eq(&head->root, &w->head.root));
    if (away(w, &w->signs)) {
        return tly_fail(diag, TLY_EBUSY, "signer away");
    }
    if (w->later) {
        return TLY_ENOENT;
    }
    note_sign(w->f.vkey.name, head, &w->f.secret, out);
    return TLY_OK;
}

static void
change_begin(void *ctx)
{
    struct world *w = ctx;
    WANT(w, w->brackets == 0);
    w->brackets++;
}

static void
change_end(void *ctx)
{
    struct world *w = ctx;
    WANT(w, w->brackets == 1);
    w->brackets--;
}

static void
publish(void *ctx, const struct seq_batch *batch)
{
    const uint64_t size = batch->new_size;
    struct world  *w    = ctx;
    WANT(w, w->brackets == 0);
    WANT(w, size >= w->published && size == w->head.size);
    WANT(w, book_newest_head(w->book)->size == size && w->tally.position == size);
    w->published = size;
}

/* ---- items: all memory of an item is its own and goes with the answer ---- */

struct request {
    struct seq_item     item;
    struct tly_arena    arena;
    struct checked      checked;
    struct checked_slot slot;
    unsigned            made;
    enum tly_err       *err; /* where the test wants the answer; may be NULL */
};

static void
check_receipt(struct world *w, const struct request *r)
{
    struct made          *made = &w->made[r->made];
    struct receipt        receipt;
    const struct tly_hash hash = fixture_hash("payload", r->made);
    struct tly_arena      arena;
    tly_arena_init(&arena, (size_t)1 << 20);
    WANT(w, receipt_check(r->item.receipt, &w->f.vkey, &arena, &receipt, NULL) == TLY_OK);
    WANT(w, receipt.head.size <= w->head.size); /* signed only what is stored */
    WANT(w, receipt.index == r->item.position && receipt.index < w->published);
    WANT(w, tly_hash_eq(&w->rows[r->item.position].entry.payload, &hash));
    tly_arena_done(&arena);
    if (made->receipt == NULL) {
        made->receipt     = malloc(r->item.receipt.len);
        made->receipt_len = r->item.receipt.len;
        memcpy(made->receipt, r->item.receipt.data, made->receipt_len);
    } else {
        WANT(w, !r->item.created);
        WANT(w, tly_bytes_eq(r->item.receipt,
                             (struct tly_bytes){(uint8_t *)made->receipt, made->receipt_len}));
    }
}

/* Whoever still reads it is caught by the sanitizer, or finds rubbish. */
static void
request_free(struct request *r)
{
    const struct tly_bytes views[] = {r->item.bundle.payload, r->item.bundle.head,
                                      r->item.bundle.tail};
    for (unsigned i = 0; i < TLY_N(views) && r->item.kind == SEQ_BUNDLE; i++) {
        memset((void *)(uintptr_t)views[i].data, 0xA5, views[i].len);
    }
    tly_arena_done(&r->arena);
    memset(r, 0xA5, sizeof *r);
    free(r);
}

static void
answer(void *ctx, struct seq_item *item)
{
    struct world   *w = ctx;
    struct request *r = item->user;
    WANT(w, w->brackets == 0);
    unsigned at = 0;
    while (at < w->waiting && w->live[at] != r) {
        at++;
    }
    WANT(w, at < w->waiting); /* exactly once */
    w->live[at] = w->live[--w->waiting];
    w->answered++;
    if (item->kind == SEQ_BUNDLE && item->err == TLY_OK) {
        check_receipt(w, r);
        WANT(w, item->checks == r->slot.holds);
    } else if (item->err == TLY_EFORBID) {
        WANT(w, strcmp(item->diag.code, "A03") == 0 && item->position == UINT64_MAX);
    } else if (item->err == TLY_ECONFLICT) {
        WANT(w, strcmp(item->diag.code, "S04") == 0);
        WANT(w,
             item->position == UINT64_MAX || (item->position < w->published &&
                                              w->rows[item->position].entry.kind == LEAF_CONFLICT));
    } else {
        WANT(w, item->err == TLY_OK || item->err == TLY_EBUSY || item->err == TLY_EUNSURE);
        w->kept_n += item->err == TLY_OK;
        WANT(w, w->kept_n <= w->evidence_n);
    }
    if (r->err != NULL) {
        *r->err = item->err;
    }
    request_free(r);
}

static struct seq_effects
effect_table(struct world *w)
{
    return (struct seq_effects){.ctx          = w,
                                .now_ms       = now_ms,
                                .journal      = journal,
                                .commit       = commit,
                                .recover      = recover,
                                .sign         = sign,
                                .change_begin = change_begin,
                                .change_end   = change_end,
                                .publish      = publish,
                                .answer       = answer};
}

static struct tly_bytes
own(struct request *r, const void *data, size_t len)
{
    char *copy = tly_arena_alloc(&r->arena, len, 1);
    return (struct tly_bytes){memcpy(copy, data, len), len};
}

static struct counts *
counts_of(struct tly_arena *arena, uint32_t votes)
{
    struct counts *c = tly_arena_alloc(arena, sizeof *c + 2 * sizeof c->options[0], 1);
    c->n[COUNT_CAST] = c->n[COUNT_VALID] = votes;
    c->options[0]                        = votes;
    return c;
}

static struct seq_item *
bundle_item(struct world *w, unsigned i, enum tly_err *err)
{
    const struct made *made = &w->made[i];
    struct request    *r    = calloc(1, sizeof *r);
    tly_arena_init(&r->arena, (size_t)4 << 20);
    const struct tly_hash payload = fixture_hash("payload", i);
    r->made                       = i;
    r->err                        = err;
    r->slot                       = (struct checked_slot){.slot   = {made->branch},
                                                          .counts = counts_of(&r->arena, made->votes),
                                                          .holds  = made->held ? CHECK_BIT(CHECK_N08) : 0};
    r->checked                    = (struct checked){.slots = &r->slot, .slots_n = 1};
    r->item                       = (struct seq_item){
                              .kind = SEQ_BUNDLE,
                              .bundle =
                                  {
                                      .branch        = {made->branch},
                                      .terminal      = {made->branch},
                                      .revision      = made->revision,
                                      .has_prev      = made->has_prev,
                                      .revise_ok     = made->revise_ok,
                                      .prev          = made->prev,
                                      .payload_hash  = payload,
                                      .envelope_hash = fixture_hash("envelope", i),
                                      .payload       = own(r, &i, sizeof i),
                                      .head          = own(r, "head", 4),
                                      .tail          = own(r, "tail", 4),
                                      .envelope_len  = 16,
                                      .checked       = &r->checked,
            },
                              .evidence = {.sender    = fixture_hash("cert", made->branch),
                                           .body      = own(r, "body", 4),
                                           .body_hash = fixture_hash("envelope", i),
                                           .body_len  = 4},
                              .arena    = &r->arena,
                              .user     = r,
    };
    if (made->held) {
        r->item.bundle.held = own(r, "held c-0 N08\n", 13);
    }
    return &r->item;
}

static struct seq_item *
evidence_item(enum tly_err *err)
{
    struct request *r = calloc(1, sizeof *r);
    tly_arena_init(&r->arena, (size_t)1 << 20);
    r->err  = err;
    r->item = (struct seq_item){.kind     = SEQ_EVIDENCE,
                                .evidence = {.body     = own(r, "body", 4),
                                             .body_len = 4,
                                             .status   = 400,
                                             .code     = (const char *)own(r, "S01", 4).data,
                                             .detail   = (const char *)own(r, "cut", 4).data},
                                .arena    = &r->arena,
                                .user     = r};
    return &r->item;
}

static unsigned
make(struct world *w, struct made made)
{
    w->made[w->made_n] = made;
    return w->made_n++;
}

/* ---- starting, stepping, ending ---- */

static void
process_start_empty(struct world *w)
{
    static struct seq_effects effects;
    effects = effect_table(w);
    tly_arena_init(&w->arena, (size_t)64 << 20);
    w->published = 0;
    w->epoch++;
    WANT(w, book_new(&w->f.election, &w->f.registry, &w->arena, &w->book) == TLY_OK);
    WANT(w, tally_init(&w->tally, &w->f.election, &w->arena) == TLY_OK);
    WANT(w, history_new(&w->arena, &w->history) == TLY_OK);
    const struct seq_config config = {.election = &w->f.election,
                                      .book     = w->book,
                                      .tally    = &w->tally,
                                      .history  = w->history,
                                      .arena    = &w->arena,
                                      .vkey     = &w->f.vkey,
                                      .epoch    = w->epoch,
                                      .effects  = &effects};
    WANT(w, seq_new(&config, &w->arena, &w->seq) == TLY_OK);
}

static void
process_start(struct world *w)
{
    process_start_empty(w);
    for (uint64_t i = 0; i < w->head.size; i++) {
        const struct db_row *row  = &w->rows[i];
        const struct made   *made = &w->made[row->made];
        struct tly_arena     arena;
        tly_arena_init(&arena, (size_t)1 << 20);
        struct checked_slot  slot    = {.slot   = {row->entry.branch.v},
                                        .counts = counts_of(&arena, made->votes),
                                        .holds  = made->held ? CHECK_BIT(CHECK_N08) : 0};
        const struct checked checked = {.slots = &slot, .slots_n = 1};
        WANT(w, seq_replay(w->seq, &row->entry, row->entry.kind == LEAF_BUNDLE ? &checked : NULL,
                           NULL, NULL) == TLY_OK);
        tly_arena_done(&arena);
    }
    for (unsigned i = 0; i < w->heads_n; i++) {
        WANT(w, book_add_head(w->book, &w->heads[i]) == TLY_OK);
    }
    seq_start(w->seq);
}

static void
process_end(struct world *w)
{
    w->doubt = w->lost = false;
    seq_free(w->seq);
    tly_arena_done(&w->arena);
    while (w->waiting > 0) { /* their connections are gone too */
        request_free(w->live[--w->waiting]);
    }
}

/* Steps until nothing is under way, or max steps. */
static void
settle(struct world *w, unsigned max)
{
    while (max-- > 0 && seq_state(w->seq) != SEQ_IDLE && seq_state(w->seq) != SEQ_FAILED) {
        struct tly_diag    diag;
        const enum tly_err err = seq_step(w->seq, &diag);
        WANT(w, err == TLY_OK || err == TLY_EBUSY || err == TLY_ECORRUPT);
    }
}

static void
go_live_one(struct world *w, struct seq_item *item)
{
    w->live[w->waiting++] = item->user;
}

static void
go_live(struct world *w, struct seq_item *items[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        go_live_one(w, items[i]);
    }
}

static void
feed(struct world *w, struct seq_item *items[], unsigned n)
{
    go_live(w, items, n);
    w->answered = 0;
    for (unsigned at = 0; at < n;) {
        const unsigned took = seq_take(w->seq, items + at, n - at);
        WANT(w, took > 0);
        at += took;
        settle(w, 1000);
    }
}

/* The items of the newest frame's rows, from their payloads' bytes; their number. */
static unsigned
journal_items(struct world *w, struct frame *f, struct seq_item *items[])
{
    unsigned         n = 0;
    struct tly_arena arena;
    tly_arena_init(&arena, (size_t)1 << 20);
    WANT(w, frame_read((struct tly_bytes){w->journal, w->journal_len}, f, NULL) == TLY_OK);
    for (struct frame rest = *f; n < f->rows_n; n++) {
        struct tly_bytes envelope;
        enum tly_base64  alphabet;
        unsigned         made = 0;
        uint8_t          payload[6];
        size_t           len;
        bool             decision;
        WANT(w, frame_row(&rest, &arena, &envelope, &decision, NULL) == TLY_OK && !decision);
        WANT(w, envelope.len == 16 && memcmp(envelope.data, "head", 4) == 0 &&
                    memcmp(envelope.data + 12, "tail", 4) == 0);
        WANT(w, tly_base64_decode((struct tly_bytes){envelope.data + 4, 8}, payload, &len,
                                  &alphabet) &&
                    len == sizeof made);
        memcpy(&made, payload, sizeof made);
        items[n] = bundle_item(w, made, NULL);
    }
    tly_arena_done(&arena);
    return n;
}

/* What the daemon does at its start: what is journaled and not stored is put back. */
static void
journal_redo(struct world *w)
{
    struct seq_item *items[SEQ_BATCH_MAX];
    struct frame     f;
    if (w->journal == NULL) {
        return;
    }
    WANT(w, frame_read((struct tly_bytes){w->journal, w->journal_len}, &f, NULL) == TLY_OK);
    if (f.after.size <= w->head.size) {
        return;
    }
    WANT(w, f.before.size == w->head.size && tly_hash_eq(&f.before.root, &w->head.root));
    const unsigned n = journal_items(w, &f, items);
    go_live(w, items, n);
    WANT(w, seq_redo(w->seq, items, n, f.accepted_ms, &f.after, NULL) == TLY_OK);
    settle(w, 1000);
    WANT(w, w->head.size == f.after.size && tly_hash_eq(&w->head.root, &f.after.root));
    w->redone++;
}

/* Book and tally are what the rows say. */
static void
check_world(struct world *w)
{
    uint32_t last[BRANCHES] = {0};
    unsigned newest[BRANCHES];
    bool     clash[BRANCHES] = {false};
    uint64_t votes           = 0;
    WANT(w, book_size(w->book) == w->head.size);
    for (uint64_t i = 1; i < w->head.size && w->wrong == NULL; i++) {
        const struct db_row     *row = &w->rows[i];
        const struct book_entry *e   = book_entry(w->book, i);
        WANT(w, tly_hash_eq(&e->payload, &row->entry.payload) && e->kind == row->entry.kind);
        WANT(w, e->accepted_ms >= book_entry(w->book, i - 1)->accepted_ms);
        if (e->kind == LEAF_BUNDLE) { /* one leaf for each (branch, revision), in order */
            WANT(w, e->revision == ++last[e->branch.v]);
            WANT(w, e->revision == 1 || w->made[row->made].revise_ok);
            newest[e->branch.v] = row->made;
        } else {
            WANT(w, e->revision <= last[e->branch.v]);
            clash[e->branch.v] = true;
        }
    }
    for (uint32_t b = 0; b < BRANCHES; b++) {
        const struct standing *s = &w->tally.slots[b];
        WANT(w, s->revision == last[b] && w->tally.branch_conflict[b] == clash[b]);
        if (last[b] > 0 && !w->made[newest[b]].held) {
            WANT(w, s->counts != NULL && s->counts->options[0] == w->made[newest[b]].votes);
            votes += w->made[newest[b]].votes;
        }
    }
    WANT(w, w->tally.options[0] == votes && w->tally.contests[0].totals.n[COUNT_VALID] == votes);
    TLY_AUTO(arena) struct tly_arena memory; /* the history tells the same */
    struct tally                     again;
    tly_arena_init(&memory, (size_t)1 << 20);
    WANT(w, tally_init(&again, &w->f.election, &memory) == TLY_OK);
    history_replay(w->history, w->head.size, &again);
    WANT(w, tally_differs(&again, &w->tally) == NULL);
    /* who was acknowledged is stored: a second time the receipts are compared */
    for (unsigned i = 0; i < w->made_n; i++) {
        const struct tly_hash hash = fixture_hash("payload", i);
        if (w->made[i].receipt != NULL) {
            const uint64_t at = book_find_payload(w->book, &hash);
            WANT(w, at < w->head.size && w->rows[at].entry.kind == LEAF_BUNDLE);
        }
    }
}

static struct world *
world_new(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    fixture_init(&w->f);
    w->rnd           = seed;
    w->now           = 5000;
    w->rows[0].entry = fixture_genesis();
    struct tly_arena arena;
    struct book     *book;
    tly_arena_init(&arena, (size_t)4 << 20);
    WANT(w, book_new(&w->f.election, &w->f.registry, &arena, &book) == TLY_OK);
    WANT(w, book_append(book, &w->rows[0].entry) == TLY_OK);
    w->head = (struct note_head){.size = 1, .root = merkle_root(book_tree(book), 1)};
    tly_arena_done(&arena);
    process_start(w);
    settle(w, 1000);
    return w;
}

static void
world_free(struct world *w)
{
    process_end(w);
    for (unsigned i = 0; i < w->made_n; i++) {
        free(w->made[i].receipt);
    }
    free(w->journal);
    free(w);
}

/* ---- the random runs ---- */

/* A payload that fits behind what the database (or this batch) has for the branch, or just not. */
static unsigned
random_payload(struct world *w)
{
    const uint32_t branch = (uint32_t)(rnd(&w->rnd) % BRANCHES);
    const uint64_t what   = rnd(&w->rnd) % 10;
    if (w->made_n > 0 && what < 4) {
        return (unsigned)(rnd(&w->rnd) % w->made_n); /* again */
    }
    uint32_t        last = 0;
    struct tly_hash prev = {0};
    for (uint64_t i = 1; i < w->head.size; i++) {
        if (w->rows[i].entry.kind == LEAF_BUNDLE && w->rows[i].entry.branch.v == branch) {
            last = w->rows[i].entry.revision;
            prev = w->rows[i].entry.payload;
        }
    }
    struct made made = {.branch    = branch,
                        .revision  = last + 1,
                        .has_prev  = last > 0,
                        .prev      = prev,
                        .revise_ok = true,
                        .votes     = (uint32_t)(rnd(&w->rnd) % 1000),
                        .held      = rnd(&w->rnd) % 4 == 0};
    if (what == 4) {
        made.revision += 1 + (uint32_t)(rnd(&w->rnd) % 2); /* gap */
    } else if (what == 5) {
        made.has_prev = !made.has_prev;
        made.prev     = fixture_hash("nobody", 0);
    } else if (what == 6) {
        made.revise_ok = false;
    } else if (what == 7 && last > 0) {
        made.revision = 1 + (uint32_t)(rnd(&w->rnd) % last); /* contradicts */
    }
    return make(w, made);
}

static void
round_of(struct world *w)
{
    struct seq_item *items[ITEMS_MAX];
    const unsigned   n = 1 + (unsigned)(rnd(&w->rnd) % ITEMS_MAX);
    for (unsigned i = 0; i < n; i++) {
        const bool evidence = w->made_n + 2 > PAYLOADS_MAX || rnd(&w->rnd) % 8 == 0;
        items[i] = evidence ? evidence_item(NULL) : bundle_item(w, random_payload(w), NULL);
    }
    if (rnd(&w->rnd) % 6 != 0) {
        feed(w, items, n);
        WANT(w, w->waiting == 0 && w->answered == n);
        return;
    }
    go_live(w, items, n); /* a crash after some steps: whoever waits gets no answer */
    WANT(w, seq_take(w->seq, items, n) == n);
    settle(w, (unsigned)(rnd(&w->rnd) % 6));
    process_end(w);
    process_start(w);
    settle(w, 1000);
    journal_redo(w);
}

static unsigned redone_all; /* frames put back in all runs */

static bool
run(uint64_t seed)
{
    struct world *w = world_new(seed);
    for (unsigned i = 0; i < ROUNDS && w->wrong == NULL; i++) {
        round_of(w);
        WANT(w, seq_state(w->seq) == SEQ_IDLE);
        check_world(w);
    }
    const bool ok = w->wrong == NULL;
    redone_all += w->redone;
    if (!ok) {
        printf("# seed %llu: %s\n", (unsigned long long)seed, w->wrong);
    }
    world_free(w);
    return ok;
}

/* ---- directed tests ---- */

static struct world *
scripted(unsigned commits, unsigned recovers, unsigned signs)
{
    struct world *w = world_new(1);
    w->scripted     = true;
    w->commits      = commits;
    w->recovers     = recovers;
    w->signs        = signs;
    return w;
}

/* Digits of n in base `base`, written as decimal digits. */
static unsigned
script(unsigned n, unsigned base)
{
    unsigned out = 0;
    for (unsigned place = 1; n > 0; n /= base, place *= 10) {
        out += n % base * place;
    }
    return out;
}

/* Every order of three commits' outcomes, two recoveries' and two signatures': the same six items,
 * sent until all are settled, end in the same ledger. */
static void
test_orders(void)
{
    bool ok = true;
    for (unsigned n = 0; n < 64 * 4 * 4; n++) {
        struct world *w =
            scripted(script(n % 64, FATES_N), script(n / 64 % 4, 2), script(n / 256, 2));
        const unsigned a   = make(w, (struct made){.branch = 0, .revision = 1, .votes = 7});
        const unsigned b   = make(w, (struct made){.branch = 0, .revision = 1, .votes = 8});
        const unsigned c   = make(w, (struct made){.branch = 1, .revision = 1, .held = true});
        const unsigned gap = make(w, (struct made){.branch = 1, .revision = 3, .has_prev = true});
        for (unsigned again = 0; again < 6; again++) {
            struct seq_item *items[] = {bundle_item(w, a, NULL),   bundle_item(w, a, NULL),
                                        bundle_item(w, b, NULL),   bundle_item(w, c, NULL),
                                        bundle_item(w, gap, NULL), evidence_item(NULL)};
            feed(w, items, TLY_N(items));
            WANT(w, w->waiting == 0 && w->answered == TLY_N(items));
            WANT(w, seq_state(w->seq) == SEQ_IDLE);
        }
        check_world(w);
        WANT(w, w->head.size == 4 && w->evidence_n >= 2);
        WANT(w, w->made[a].receipt != NULL && w->made[c].receipt != NULL);
        WANT(w, w->made[b].receipt == NULL && w->made[gap].receipt == NULL);
        if (w->wrong != NULL) {
            ok = false;
            printf("# order %u: %s\n", n, w->wrong);
        }
        world_free(w);
    }
    T_OK(ok, "every order of outcomes ends in the same ledger");
}

static enum tly_err
send_one(struct world *w, unsigned made)
{
    enum tly_err     err    = TLY_ERR_N;
    struct seq_item *item[] = {bundle_item(w, made, &err)};
    feed(w, item, 1);
    return err;
}

static void
test_answers(void)
{
    struct world         *w    = scripted(0, 0, 0);
    const struct tly_hash none = {0};
    const unsigned        a    = make(w, (struct made){.branch = 2, .revision = 1, .votes = 5});
    const unsigned        b    = make(w, (struct made){.branch = 2, .revision = 1, .votes = 6});
    const unsigned        a2   = make(w, (struct made){.branch    = 2,
                                                       .revision  = 2,
                                                       .has_prev  = true,
                                                       .prev      = fixture_hash("payload", a),
                                                       .revise_ok = true,
                                                       .votes     = 9});
    struct made alone = w->made[a2], wrong = w->made[a2], first = {.branch = 3, .revision = 1};
    alone.revise_ok          = false;
    wrong.prev               = none;
    first.has_prev           = true;
    const unsigned no_revise = make(w, alone), no_prev = make(w, wrong), has_prev = make(w, first);
    const unsigned gap = make(w, (struct made){.branch = 3, .revision = 2, .has_prev = true});

    T_EQ(send_one(w, a), TLY_OK, "new");
    T_EQ(send_one(w, a), TLY_OK, "the same again");
    T_EQ(w->head.size, 2, "one leaf");
    T_EQ(send_one(w, b), TLY_ECONFLICT, "another payload for the revision");
    T_EQ(w->head.size, 3, "its conflict is logged");
    T_EQ(send_one(w, b), TLY_ECONFLICT, "the conflicting payload again");
    T_EQ(w->head.size, 3, "no second leaf");
    T_EQ(w->evidence_n, 0, "nothing of that is evidence");
    T_EQ(send_one(w, no_revise), TLY_ECONFLICT, "revision 2 without cosignatures");
    T_EQ(send_one(w, no_prev), TLY_ECONFLICT, "revision 2 with a wrong prev");
    T_EQ(send_one(w, has_prev), TLY_ECONFLICT, "revision 1 with a prev");
    T_EQ(send_one(w, gap), TLY_ECONFLICT, "a gap");
    T_EQ(w->head.size, 3, "none is logged");
    T_EQ(w->evidence_n, 4, "all four are evidence");
    T_EQ(send_one(w, a2), TLY_OK, "revision 2");
    T_EQ(send_one(w, a), TLY_OK, "revision 1 once more gets its receipt");
    T_EQ(w->tally.slots[2].counts->options[0], 9, "revision 2 counts");
    check_world(w);
    T_STR(w->wrong == NULL ? "" : w->wrong, "", "promises kept");
    world_free(w);
}

static void
replay_refused(struct world *w, const struct book_entry *entry, const char *what)
{
    struct checked_slot  slot    = {.slot = {entry->branch.v}, .holds = 1};
    const struct checked checked = {.slots = &slot, .slots_n = 1};
    struct tly_diag      diag    = {0};
    const uint64_t       size    = book_size(w->book);
    T_EQ(seq_replay(w->seq, entry, entry->kind == LEAF_BUNDLE ? &checked : NULL, NULL, &diag),
         TLY_ECORRUPT, what);
    T_OK(diag.text[0] != '\0' && book_size(w->book) == size, "says why, changes nothing");
}

/* A row more of a terminal, as a decision makes it. */
static struct terminal *
row_of(struct world *w, uint32_t terminal, struct terminal *row)
{
    const struct registry *r = book_registry(w->book);
    *row                     = *registry_row(r, registry_newest(r, (struct terminal_ix){terminal}));
    row->from                = book_size(w->book);
    return row;
}

static void
register_row(struct world *w, uint32_t terminal, const struct terminal *row)
{
    const struct registry   *r      = book_registry(w->book);
    const struct terminal_ix before = registry_newest(r, (struct terminal_ix){terminal});
    const struct registry   *next   = registry_with(r, before, row, &w->arena);
    WANT(w, next != NULL);
    book_set_registry(w->book, next);
}

/* A decision that closes the election, and behind it a bundle: they do not share a batch, since the
 * bundle has to be judged by what the decision does. */
static void
test_one_batch(struct world *w, unsigned made)
{
    enum tly_err           err     = TLY_ERR_N;
    struct request        *r       = calloc(1, sizeof *r);
    const struct decision  closing = {.kind     = POLICY_STATE,
                                      .position = book_size(w->book),
                                      .branch   = {IX_NONE},
                                      .slot     = {IX_NONE},
                                      .contest  = {IX_NONE},
                                      .target   = tly_text("state closed\n"),
                                      .state    = ELECTION_CLOSED,
                                      .until    = ELECTION_NO_UNTIL};
    struct seq_item *const items[] = {&r->item, bundle_item(w, made, &err)};
    tly_arena_init(&r->arena, (size_t)4 << 20);
    r->item = (struct seq_item){.kind     = SEQ_DECISION,
                                .decision = &closing,
                                .bundle   = {.payload_hash = fixture_hash("decision", 0),
                                             .payload      = own(r, "{}", 2),
                                             .head         = own(r, "head", 4),
                                             .tail         = own(r, "tail", 4)},
                                .evidence = {.body = own(r, "body", 4)},
                                .arena    = &r->arena,
                                .user     = r};
    go_live(w, (struct seq_item **)(uintptr_t)items, 2);
    T_EQ(seq_take(w->seq, items, 2), 1, "what stands behind a closing waits for the next batch");
    settle(w, 1000);
    T_EQ(w->tally.state, ELECTION_CLOSED, "closed");
    T_EQ(seq_take(w->seq, items + 1, 1), 1, "then it is taken");
    settle(w, 1000);
    T_EQ(err, TLY_EBUSY, "and told to come again");
}

/* What a worker read before the registry or the state changed is judged again at its place. */
static void
test_rules(void)
{
    struct world   *w = scripted(0, 0, 0);
    struct terminal row;
    unsigned        i[5];
    for (unsigned n = 0; n < TLY_N(i); n++) {
        i[n]                   = make(w, (struct made){.branch = n, .revision = 1});
        w->f.terminals[n].cert = fixture_hash("cert", n);
    }
    T_EQ(registry_index(&w->f.registry, &w->arena, NULL), TLY_OK, "an index");
    tally_state(&w->tally, ELECTION_CLOSED, ELECTION_NO_UNTIL, 1);
    T_EQ(send_one(w, i[0]), TLY_EBUSY, "not while it is closed");
    tally_state(&w->tally, ELECTION_MAINTENANCE, ELECTION_NO_UNTIL, 1);
    T_EQ(send_one(w, i[0]), TLY_EBUSY, "nor in maintenance");
    T_OK(w->head.size == 1 && w->evidence_n == 0, "nothing is logged, nothing is kept");
    tally_state(&w->tally, ELECTION_OPEN, ELECTION_NO_UNTIL, 1);
    T_EQ(send_one(w, i[0]), TLY_OK, "open again");

    row_of(w, 1, &row)->state = TERMINAL_REVOKED;
    register_row(w, 1, &row);
    T_EQ(send_one(w, i[1]), TLY_EFORBID, "its terminal was revoked on the way");
    row_of(w, 2, &row)->keyid = fixture_hash("new key", 2);
    register_row(w, 2, &row);
    T_EQ(send_one(w, i[2]), TLY_EFORBID, "its key was replaced on the way");
    row_of(w, 3, &row)->branch = (struct branch_ix){5};
    register_row(w, 3, &row);
    T_EQ(send_one(w, i[3]), TLY_EFORBID, "its terminal went to another branch");
    T_EQ(w->evidence_n, 3, "all three are evidence");
    T_EQ(w->head.size, 2, "none is an entry");
    row_of(w, 4, &row)->not_after = 9;
    register_row(w, 4, &row);
    T_EQ(send_one(w, i[4]), TLY_EBUSY, "its dates changed: A04 has to be looked at again");
    T_EQ(w->evidence_n, 3, "which is no reason to keep it");
    row_of(w, 0, &row)->cert = fixture_hash("new cert", 0);
    register_row(w, 0, &row);
    T_EQ(send_one(w, i[0]), TLY_OK, "another certificate, the same key: the same receipt");
    const unsigned again = make(w, (struct made){.branch    = 0,
                                                 .revision  = 2,
                                                 .has_prev  = true,
                                                 .prev      = fixture_hash("payload", i[0]),
                                                 .revise_ok = true});
    T_EQ(send_one(w, again), TLY_OK, "and the next revision is logged");
    T_EQ(w->rows[2].entry.terminal.v, BRANCHES + 4, "with the row that is in force");
    test_one_batch(w, make(w, (struct made){.branch = 5, .revision = 1}));
    T_STR(w->wrong == NULL ? "" : w->wrong, "", "promises kept");
    process_end(w);
    w->head.size = 0;
    process_start_empty(w);
    T_EQ(registry_index(&w->f.registry, &w->arena, NULL), TLY_OK, "the index again");
    const struct book_entry genesis = fixture_genesis();
    T_EQ(seq_replay(w->seq, &genesis, NULL, NULL, NULL), TLY_OK, "genesis");
    row_of(w, 0, &row)->state = TERMINAL_REVOKED;
    tally_state(&w->tally, ELECTION_CLOSED, ELECTION_NO_UNTIL, 1);
    replay_refused(w, &w->rows[1].entry, "a bundle while it is closed");
    tally_state(&w->tally, ELECTION_OPEN, ELECTION_NO_UNTIL, 1);
    register_row(w, 0, &row);
    replay_refused(w, &w->rows[1].entry, "a bundle of a revoked terminal");
    w->head.size = 1;
    w->heads_n   = 0;
    process_end(w);
    process_start(w);
    world_free(w);
}

static void
test_stops(void)
{
    struct world  *w = scripted(0, 0, 0);
    const unsigned a = make(w, (struct made){.branch = 0, .revision = 1});
    w->head.size     = 9; /* somebody else wrote */
    T_EQ(send_one(w, a), TLY_EUNSURE, "a foreign head: not done, but journaled");
    T_EQ(seq_state(w->seq), SEQ_FAILED, "stopped");
    T_EQ(book_size(w->book), 1, "its leaf is dropped");
    struct tly_diag diag = {0};
    T_EQ(seq_step(w->seq, &diag), TLY_ECORRUPT, "for good");
    T_OK(diag.text[0] != '\0', "and says why");
    T_EQ(send_one(w, a), TLY_EBUSY, "nothing is taken");
    world_free(w);

    w                 = scripted(BROKEN, 0, 0);
    const unsigned a1 = make(w, (struct made){.branch = 0, .revision = 1});
    T_EQ(send_one(w, a1), TLY_EUNSURE, "an error that never should be");
    T_EQ(seq_state(w->seq), SEQ_FAILED, "stops too");
    world_free(w);

    w                 = scripted(0, 0, 0);
    w->journal_fails  = true;
    const unsigned a2 = make(w, (struct made){.branch = 0, .revision = 1});
    T_EQ(send_one(w, a2), TLY_EUNSURE, "a journal that cannot be written: it may be there");
    T_EQ(seq_state(w->seq), SEQ_FAILED, "stops, whatever the database would say");
    T_OK(w->head.size == 1 && book_size(w->book) == 1, "and sends it nothing");
    world_free(w);

    w                       = scripted(LOST_UNDONE, 1, 0);
    enum tly_err     err    = TLY_ERR_N;
    struct seq_item *item[] = {bundle_item(w, make(w, (struct made){.revision = 1}), &err)};
    go_live(w, item, 1);
    T_EQ(seq_take(w->seq, item, 1), 1, "taken");
    T_EQ(seq_step(w->seq, NULL), TLY_OK, "journaled");
    T_EQ(seq_step(w->seq, NULL), TLY_OK, "commit in doubt");
    T_EQ(seq_state(w->seq), SEQ_DOUBT, "doubt");
    T_EQ(err, TLY_EUNSURE, "answered at once");
    const unsigned   b      = make(w, (struct made){.branch = 1, .revision = 1});
    struct seq_item *more[] = {bundle_item(w, b, &err)};
    go_live(w, more, 1);
    T_EQ(seq_take(w->seq, more, 1), 1, "taken in doubt");
    T_EQ(err, TLY_EBUSY, "and answered at once");
    T_EQ(seq_step(w->seq, NULL), TLY_EBUSY, "the database is away");
    w->head.root.b[0] ^= 1; /* neither the old head nor the new one */
    T_EQ(seq_step(w->seq, NULL), TLY_ECORRUPT, "a contradiction");
    T_EQ(seq_state(w->seq), SEQ_FAILED, "stopped");
    world_free(w);
}

static void
test_limits(void)
{
    struct world    *w = scripted(0, 0, 0);
    struct seq_item *items[SEQ_BATCH_MAX + 5];
    unsigned         made[SEQ_CONFLICTS_MAX + 5];
    for (unsigned i = 0; i < TLY_N(items); i++) {
        items[i] = evidence_item(NULL);
    }
    go_live(w, items, TLY_N(items));
    T_EQ(seq_take(w->seq, items, TLY_N(items)), SEQ_BATCH_MAX, "a batch has its limit of items");
    settle(w, 1000);
    T_EQ(seq_take(w->seq, items + SEQ_BATCH_MAX, 5), 5, "the rest");
    settle(w, 1000);

    static uint8_t big[SEQ_BATCH_BYTES_MAX / 2];
    memset(big, 'x', sizeof big);
    struct seq_item *large[3];
    enum tly_err     errs[3];
    uint8_t         *bodies[3];
    for (unsigned i = 0; i < 3; i++) { /* not read by commit(): the world is away then */
        bodies[i] = malloc(sizeof big);
        memcpy(bodies[i], big, sizeof big);
        large[i]                = evidence_item(&errs[i]);
        large[i]->evidence.body = (struct tly_bytes){bodies[i], sizeof big};
    }
    w->commits = REFUSED;
    go_live(w, large, 3);
    T_EQ(seq_take(w->seq, large, 3), 2, "and of bytes");
    settle(w, 1000);
    w->commits = REFUSED;
    T_EQ(seq_take(w->seq, large + 2, 1), 1, "the rest");
    settle(w, 1000);
    for (unsigned i = 0; i < 3; i++) {
        free(bodies[i]);
    }
    T_EQ(w->waiting, 0, "all answered");
    T_OK(errs[0] == TLY_EBUSY && errs[1] == TLY_EBUSY && errs[2] == TLY_EBUSY,
         "evidence that is not stored is not answered as kept");

    (void)send_one(w, make(w, (struct made){.revision = 1}));
    for (unsigned i = 0; i < TLY_N(made); i++) {
        made[i] = make(w, (struct made){.revision = 1, .votes = i});
        if (send_one(w, made[i]) != TLY_ECONFLICT) {
            T_OK(false, "a conflict");
        }
    }
    T_EQ(w->head.size, 2 + SEQ_CONFLICTS_MAX, "conflict leaves of a branch are bounded");
    T_STR(w->wrong == NULL ? "" : w->wrong, "", "promises kept");
    world_free(w);
}

/* A frame that does not lead where it says is refused whole, and changes nothing. */
static void
test_redo(void)
{
    struct world    *w = scripted(0, 0, 0);
    struct seq_item *items[SEQ_BATCH_MAX];
    struct frame     f;
    struct tly_diag  diag   = {0};
    const unsigned   a      = make(w, (struct made){.branch = 0, .revision = 1, .votes = 3});
    const unsigned   logged = make(w, (struct made){.branch = 1, .revision = 1});
    (void)send_one(w, logged);
    w->commits              = REFUSED;
    enum tly_err     err    = TLY_ERR_N;
    struct seq_item *item[] = {bundle_item(w, a, &err)};
    go_live(w, item, 1);
    T_EQ(seq_take(w->seq, item, 1), 1, "taken");
    T_EQ(seq_step(w->seq, NULL), TLY_OK, "journaled");
    T_EQ(seq_step(w->seq, NULL), TLY_EBUSY, "not stored: the database is away");
    T_EQ(err, TLY_EUNSURE, "not acknowledged, but it will be stored");
    T_OK(seq_state(w->seq) == SEQ_JOURNALED && book_size(w->book) == 3, "it keeps its place");
    process_end(w);

    for (unsigned bad = 0; bad < 4; bad++) {
        process_start(w);
        settle(w, 1000);
        const unsigned n = journal_items(w, &f, items);
        go_live(w, items, n);
        f.after.root.b[31] ^= bad == 0;
        f.accepted_ms += bad == 1;
        f.after.size += bad == 2;
        if (bad == 3) { /* logged already: no row comes of it */
            request_free(items[0]->user);
            w->waiting = 0;
            items[0]   = bundle_item(w, logged, NULL);
            go_live_one(w, items[0]);
        }
        T_EQ(seq_redo(w->seq, items, n, f.accepted_ms, &f.after, &diag), TLY_ECORRUPT,
             "a frame that does not lead where it says");
        T_OK(diag.text[0] != '\0' && book_size(w->book) == 2 && seq_state(w->seq) == SEQ_IDLE,
             "says why, changes nothing");
        process_end(w);
    }
    process_start(w);
    settle(w, 1000);
    journal_redo(w);
    T_OK(w->redone == 1 && w->head.size == 3, "the true one is put back");
    T_EQ(send_one(w, a), TLY_OK, "and its sender gets the receipt");
    check_world(w);
    T_STR(w->wrong == NULL ? "" : w->wrong, "", "promises kept");
    world_free(w);
}

/* What is put back under a head that was signed already gets none of its own. */
static void
test_redo_covered(void)
{
    struct world    *w      = scripted(0, 0, 0);
    const unsigned   a      = make(w, (struct made){.branch = 0, .revision = 1, .votes = 3});
    enum tly_err     err    = TLY_ERR_N;
    struct seq_item *item[] = {bundle_item(w, a, &err)};
    w->commits              = REFUSED;
    go_live(w, item, 1);
    T_EQ(seq_take(w->seq, item, 1), 1, "taken");
    T_EQ(seq_step(w->seq, NULL), TLY_OK, "journaled");
    T_EQ(seq_step(w->seq, NULL), TLY_EBUSY, "not stored: the database is away");
    process_end(w);
    process_start(w);
    settle(w, 1000);
    const uint64_t signed_size = book_newest_head(w->book)->size;
    w->later                   = true;
    journal_redo(w);
    T_EQ(w->head.size, 2, "put back while the signer knows a later head: stored");
    T_EQ(book_newest_head(w->book)->size, signed_size, "without a head of its own");
    T_EQ(send_one(w, a), TLY_EUNSURE, "nobody gets a receipt that no head covers");
    w->later = false;
    world_free(w);
}

static void
test_replay(void)
{
    struct world *w = scripted(0, 0, 0);
    (void)send_one(w, make(w, (struct made){.revision = 1}));
    (void)send_one(w, make(w, (struct made){.revision = 1, .votes = 1}));
    process_end(w);
    w->head.size = 0;
    process_start_empty(w);
    struct book_entry bundle = w->rows[1].entry, conflict = w->rows[2].entry, e;
    replay_refused(w, &bundle, "a bundle at position 0");
    e = fixture_genesis();
    T_EQ(seq_replay(w->seq, &e, NULL, NULL, NULL), TLY_OK, "genesis");
    replay_refused(w, &e, "a second genesis");
    replay_refused(w, &conflict, "a conflict with nothing");
    e          = bundle;
    e.revision = 2;
    replay_refused(w, &e, "a gap");
    e          = bundle;
    e.has_prev = true;
    replay_refused(w, &e, "revision 1 with a prev");
    e             = bundle;
    e.accepted_ms = 1;
    replay_refused(w, &e, "accepted before its predecessor");
    e          = bundle;
    e.branch.v = BRANCHES;
    replay_refused(w, &e, "no such branch");
    struct checked_slot  slot    = {.holds = 1};
    const struct checked checked = {.slots = &slot, .slots_n = 1};
    T_EQ(seq_replay(w->seq, &bundle, &checked, NULL, NULL), TLY_OK, "the bundle");
    replay_refused(w, &bundle, "the same payload twice");
    e         = bundle;
    e.payload = fixture_hash("other", 0);
    replay_refused(w, &e, "another payload as a bundle");
    e                = conflict;
    e.first_envelope = fixture_hash("other", 0);
    replay_refused(w, &e, "a conflict with another envelope");
    T_EQ(seq_replay(w->seq, &conflict, NULL, NULL, NULL), TLY_OK, "the conflict");
    replay_refused(w, &conflict, "the same conflict twice");
    w->head.size = 3;
    seq_start(w->seq);
    settle(w, 1000);
    T_EQ(w->published, 3, "signed and published");
    T_STR(w->wrong == NULL ? "" : w->wrong, "", "promises kept");
    world_free(w);
}

int
main(void)
{
    const char *only = getenv("TALLY_SEED");
    test_answers();
    test_orders();
    test_rules();
    test_stops();
    test_limits();
    test_redo();
    test_redo_covered();
    test_replay();
    bool ok = true;
    if (only != NULL) {
        ok = run(strtoull(only, NULL, 10));
    }
    for (uint64_t seed = 1; only == NULL && seed <= RUNS; seed++) {
        ok = run(seed) && ok;
    }
    T_OK(ok, "random histories keep every promise");
    T_OK(only != NULL || redone_all > 50, "crashes between journal and database are among them");
    return T_DONE();
}
