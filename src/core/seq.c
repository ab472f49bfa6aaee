/* SPDX-License-Identifier: Apache-2.0 */
#include "core/seq.h"

#include <inttypes.h>

#include "base/check.h"

#include "seq_int.h"

/* Copies and their bookkeeping; an item that does not fit is refused, not the batch. */
#define MEMORY_MAX (4 * SEQ_BATCH_BYTES_MAX)

static const char *const state_names[SEQ_STATES_N] = {
    [SEQ_REPLAY] = "replay",       [SEQ_IDLE] = "idle",    [SEQ_PLACED] = "placed",
    [SEQ_JOURNALED] = "journaled", [SEQ_DOUBT] = "doubt",  [SEQ_STORED] = "stored",
    [SEQ_SIGNED] = "signed",       [SEQ_FAILED] = "failed"};

enum seq_state
seq_state(const struct seq *seq)
{
    return seq->state;
}

static void
state_to(struct seq *seq, enum seq_state to)
{
    static const uint8_t allowed[SEQ_STATES_N] = {
        [SEQ_REPLAY]    = 1U << SEQ_STORED,
        [SEQ_IDLE]      = 1U << SEQ_PLACED | 1U << SEQ_JOURNALED,
        [SEQ_PLACED]    = 1U << SEQ_JOURNALED | 1U << SEQ_FAILED,
        [SEQ_JOURNALED] = 1U << SEQ_IDLE | 1U << SEQ_DOUBT | 1U << SEQ_STORED | 1U << SEQ_FAILED,
        [SEQ_DOUBT]     = 1U << SEQ_JOURNALED | 1U << SEQ_STORED | 1U << SEQ_FAILED,
        [SEQ_STORED]    = 1U << SEQ_SIGNED | 1U << SEQ_FAILED,
        [SEQ_SIGNED]    = 1U << SEQ_IDLE,
        [SEQ_FAILED]    = 0,
    };
    TLY_CHECK(allowed[seq->state] >> to & 1);
    seq->state = to;
}

enum tly_err
seq_new(const struct seq_config *config, struct tly_arena *arena, struct seq **out)
{
    struct seq *seq = TLY_NEW(arena, struct seq, 1);
    if (seq == NULL) {
        return TLY_ENOMEM;
    }
    seq->config = *config;
    seq->state  = SEQ_REPLAY;
    tly_arena_init(&seq->memory, MEMORY_MAX);
    *out = seq;
    return TLY_OK;
}

void
seq_free(struct seq *seq)
{
    if (seq != NULL) {
        tly_arena_done(&seq->memory);
    }
}

static const struct seq_effects *
effects(const struct seq *seq)
{
    return seq->config.effects;
}

static void
change_begin(const struct seq *seq)
{
    effects(seq)->change_begin(effects(seq)->ctx);
}

static void
change_end(const struct seq *seq)
{
    effects(seq)->change_end(effects(seq)->ctx);
}

/* ---- answers ---- */

static void
answer(const struct seq *seq, struct seq_item *item, enum tly_err err)
{
    item->err = err;
    effects(seq)->answer(effects(seq)->ctx, item);
}

/* The item's leaf is durable and signed. */
static enum tly_err
fill_receipt(const struct seq *seq, const struct seq_waiting *w)
{
    const struct book      *book = seq->config.book;
    const struct book_head *head = book_head_of(book, w->position);
    struct seq_item        *item = w->item;
    item->position               = w->position;
    if (head == NULL) { /* put back under a later head: nobody waits for it */
        return TLY_EUNSURE;
    }
    item->created = w->outcome == SEQ_CREATED;
    for (uint32_t i = 0; item->kind == SEQ_BUNDLE && i < item->bundle.checked->slots_n; i++) {
        item->checks |= item->bundle.checked->slots[i].holds;
    }
    return book_receipt(book, w->position, head, seq->config.vkey, item->arena, &item->receipt);
}

static void
answer_done(const struct seq *seq, const struct seq_waiting *w)
{
    switch (w->outcome) {
    case SEQ_CREATED:
    case SEQ_SAME:
        answer(seq, w->item, fill_receipt(seq, w));
        return;
    case SEQ_CONFLICT:
        w->item->position = w->position;
        answer(seq, w->item, TLY_ECONFLICT);
        return;
    case SEQ_KEPT:
        answer(seq, w->item, TLY_OK);
        return;
    case SEQ_REFUSED:
    case SEQ_LATER:
    case SEQ_NO_ROOM:
        answer(seq, w->item, w->item->err);
        return;
    }
}

static void
answer_all(struct seq *seq, enum tly_err err, const char *text)
{
    const unsigned n = seq->waiting_n;
    seq->waiting_n   = 0;
    for (unsigned i = 0; i < n; i++) {
        if (err == TLY_OK) {
            answer_done(seq, &seq->waiting[i]);
        } else {
            answer(seq, seq->waiting[i].item,
                   tly_fail_at(&seq->waiting[i].item->diag, err, "", "", "%s", text));
        }
    }
}

/* ---- taking ---- */

/* now: Unix milliseconds; leaves never go back in time. */
static void
batch_begin(struct seq *seq, uint64_t now)
{
    const struct book *book = seq->config.book;
    const uint64_t     size = book_size(book);
    const uint64_t     last = book_entry(book, size - 1)->accepted_ms;
    TLY_CHECK(seq->waiting_n == 0);
    tly_arena_done(&seq->memory);
    tly_arena_init(&seq->memory, MEMORY_MAX);
    seq->bytes           = 0;
    seq->kept_n          = 0;
    seq->in_doubt_before = false;
    seq->accepted_ms     = now > last ? now : last;
    seq->batch           = (struct seq_batch){.old_size = size,
                                              .old_root = merkle_root(book_tree(book), size),
                                              .epoch    = seq->config.epoch,
                                              .rows     = seq->rows,
                                              .evidence = (const struct seq_evidence *const *)seq->evidence,
                                              .signed_head = seq->head_unstored};
}

static void
batch_end(struct seq *seq)
{
    seq->batch.new_size = book_size(seq->config.book);
    seq->batch.new_root = merkle_root(book_tree(seq->config.book), seq->batch.new_size);
}

/* Answers what needs nothing stored, and closes the gaps that it leaves. */
static void
answer_decided(struct seq *seq)
{
    const unsigned n = seq->waiting_n;
    seq->waiting_n   = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct seq_waiting w      = seq->waiting[i];
        const bool               logged = (w.outcome == SEQ_SAME || w.outcome == SEQ_CONFLICT) &&
                            w.position < seq->batch.old_size;
        if (logged || w.outcome == SEQ_NO_ROOM || w.outcome == SEQ_LATER) {
            answer_done(seq, &w);
        } else {
            seq->waiting[seq->waiting_n++] = w;
        }
    }
}

unsigned
seq_take(struct seq *seq, struct seq_item *const items[], unsigned n)
{
    if (seq->state != SEQ_IDLE) {
        for (unsigned i = 0; i < n; i++) {
            items[i]->position = UINT64_MAX;
            answer(seq, items[i],
                   tly_fail(&items[i]->diag, TLY_EBUSY, "the ledger does not take anything now"));
        }
        return n;
    }
    if (n == 0) {
        return 0;
    }
    batch_begin(seq, effects(seq)->now_ms(effects(seq)->ctx));
    change_begin(seq);
    unsigned taken = 0;
    while (taken < n && taken < SEQ_BATCH_MAX) {
        const size_t bytes = seq_item_bytes(seq, items[taken]);
        if ((taken > 0 && bytes > SEQ_BATCH_BYTES_MAX - seq->bytes) ||
            seq_must_wait(seq, items[taken])) {
            break;
        }
        seq->bytes =
            bytes > SEQ_BATCH_BYTES_MAX - seq->bytes ? SEQ_BATCH_BYTES_MAX : seq->bytes + bytes;
        seq_place_item(seq, items[taken++]);
    }
    change_end(seq);
    batch_end(seq);
    answer_decided(seq);
    if (seq->batch.rows_n > 0 || seq->batch.evidence_n > 0) {
        state_to(seq, SEQ_PLACED);
    }
    return taken;
}

/* ---- stepping ---- */

/* Leaves that are not in the database leave the book. */
static void
drop_leaves(struct seq *seq)
{
    change_begin(seq);
    book_truncate(seq->config.book, seq->batch.old_size);
    change_end(seq);
}

/* Nothing of the batch is on the disk, here or there; else it may yet be put back and stored. */
static bool
is_nowhere(const struct seq *seq)
{
    return seq->batch.rows_n == 0 && !seq->in_doubt_before;
}

/* Stops for good. */
static enum tly_err
fail(struct seq *seq, enum tly_err cause, const struct tly_diag *why, struct tly_diag *diag)
{
    const bool  stored = seq->state == SEQ_STORED;
    const char *text   = why->text[0] != '\0' ? why->text : tly_err_text(cause);
    (void)tly_fail(&seq->why, TLY_ECORRUPT, "in state %s: %s", state_names[seq->state], text);
    state_to(seq, SEQ_FAILED);
    if (!stored) {
        drop_leaves(seq);
    }
    answer_all(seq, is_nowhere(seq) && !stored ? TLY_EBUSY : TLY_EUNSURE, "the ledger has stopped");
    return tly_fail(diag, TLY_ECORRUPT, "%s", seq->why.text);
}

static void
stored(struct seq *seq)
{
    seq->head_unstored = NULL;
    state_to(seq, SEQ_STORED);
}

static enum tly_err
step_placed(struct seq *seq, struct tly_diag *diag)
{
    struct tly_diag why = {0};
    enum tly_err    err = TLY_OK;
    if (seq->batch.rows_n > 0) { /* evidence is no entry, and is not answered before it is stored */
        err = effects(seq)->journal(effects(seq)->ctx, &seq->batch, &why);
    }
    if (err != TLY_OK) {
        return fail(seq, err, &why, diag);
    }
    state_to(seq, SEQ_JOURNALED);
    return TLY_OK;
}

static enum tly_err
step_journaled(struct seq *seq, struct tly_diag *diag)
{
    struct tly_diag    why = {0};
    const enum tly_err err = effects(seq)->commit(effects(seq)->ctx, &seq->batch, &why);
    if (err == TLY_OK) {
        stored(seq);
        return TLY_OK;
    }
    if (err == TLY_EUNSURE) {
        state_to(seq, SEQ_DOUBT);
        seq->in_doubt_before = true;
        answer_all(seq, TLY_EUNSURE, "sent to the database, outcome unknown; send it again");
        return tly_fail(diag, TLY_OK, "%s", why.text);
    }
    if (err != TLY_EBUSY) {
        return fail(seq, err, &why, diag);
    }
    if (is_nowhere(seq)) {
        state_to(seq, SEQ_IDLE);
        answer_all(seq, TLY_EBUSY, "the database is not there; send it again");
    } else {
        answer_all(seq, TLY_EUNSURE, "written down, but the database is not there; send it again");
    }
    return tly_fail(diag, TLY_EBUSY, "%s", why.text);
}

static bool
is_head(const struct note_head *head, uint64_t size, const struct tly_hash *root)
{
    return head->size == size && tly_hash_eq(&head->root, root);
}

static enum tly_err
step_doubt(struct seq *seq, struct tly_diag *diag)
{
    struct tly_diag    why  = {0};
    struct note_head   head = {0};
    const enum tly_err err  = effects(seq)->recover(effects(seq)->ctx, &head, &why);
    if (err == TLY_EBUSY) {
        return tly_fail(diag, TLY_EBUSY, "%s", why.text);
    }
    if (err != TLY_OK) {
        return fail(seq, err, &why, diag);
    }
    /* Old first: a batch of evidence alone leaves the head as it was, and storing it twice is
     * harmless. */
    if (is_head(&head, seq->batch.old_size, &seq->batch.old_root)) {
        state_to(seq, SEQ_JOURNALED);
        return TLY_OK;
    }
    if (is_head(&head, seq->batch.new_size, &seq->batch.new_root)) {
        stored(seq);
        return TLY_OK;
    }
    (void)tly_fail(&why, TLY_ECORRUPT,
                   "the database's head has size %" PRIu64
                   "; before the batch in doubt it was %" PRIu64 ", after "
                   "it %" PRIu64 ", or the root differs",
                   head.size, seq->batch.old_size, seq->batch.new_size);
    return fail(seq, TLY_ECORRUPT, &why, diag);
}

/* What the batch will tell the history. */
static uint32_t
events_of(const struct seq_batch *batch)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < batch->rows_n; i++) {
        const struct seq_row *row = &batch->rows[i];
        n += row->entry->kind == LEAF_BUNDLE ? row->bundle->checked->slots_n + 1 : 1;
    }
    return n;
}

/* What tally and registry will need of it. */
static bool
keep_decision(struct seq *seq, struct decision *decision, uint64_t position)
{
    return decision_keep(decision, seq->config.arena) &&
           decision_register(decision, book_registry(seq->config.book), position,
                             seq->config.arena);
}

/* Moves the counts of stored bundles to where the tally may keep them, and makes room for what
 * they will do. */
static bool
keep_counts(struct seq *seq)
{
    if (!history_reserve(seq->config.history, events_of(&seq->batch))) {
        return false;
    }
    while (seq->kept_n < seq->batch.rows_n) {
        const struct seq_row *row = &seq->rows[seq->kept_n];
        if (row->entry->kind == LEAF_BUNDLE &&
            !seq_copy_counts(seq->config.election, row->bundle->checked->slots,
                             row->bundle->checked->slots_n, seq->config.arena)) {
            return false;
        }
        if (row->decision != NULL && !keep_decision(seq, row->decision, row->position)) {
            return false;
        }
        seq->kept_n++;
    }
    return true;
}

static enum tly_err
step_stored(struct seq *seq, struct tly_diag *diag)
{
    struct book            *book   = seq->config.book;
    const struct book_head *newest = book_newest_head(book);
    const uint64_t          size   = book_size(book);
    if (!keep_counts(seq)) {
        answer_all(seq, TLY_EUNSURE, "stored but not counted yet; send it again");
        return tly_fail(diag, TLY_EBUSY, "no memory for the counts of what is stored");
    }
    if (newest == NULL || newest->size < size) {
        struct tly_diag        why  = {0};
        const struct note_head head = {.size = size, .root = merkle_root(book_tree(book), size)};
        struct book_head       made = {.size = size};
        enum tly_err           err  = effects(seq)->sign(effects(seq)->ctx, &head, &made.sig, &why);
        if (err == TLY_OK) {
            change_begin(seq);
            err = book_add_head(book, &made);
            change_end(seq);
        }
        if (err == TLY_ENOENT) {
            state_to(seq, SEQ_SIGNED);
            return TLY_OK;
        }
        if (err == TLY_EBUSY || err == TLY_ENOMEM) {
            answer_all(seq, TLY_EUNSURE, "stored but not signed yet; send it again");
            return tly_fail(diag, TLY_EBUSY, "%s", why.text);
        }
        if (err != TLY_OK) {
            return fail(seq, err, &why, diag);
        }
        seq->head_unstored = book_newest_head(book);
    }
    state_to(seq, SEQ_SIGNED);
    return TLY_OK;
}

static void
apply_bundle(struct seq *seq, uint64_t position, uint32_t revision, const struct checked *checked)
{
    struct tally_change changes[PAYLOAD_CONTESTS_MAX];
    TLY_CHECK(checked->slots_n <= PAYLOAD_CONTESTS_MAX);
    for (uint32_t i = 0; i < checked->slots_n; i++) {
        const struct checked_slot *slot = &checked->slots[i];
        changes[i]                      = (struct tally_change){.slot     = slot->slot,
                                                                .counts   = slot->counts,
                                                                .checks   = slot->holds | slot->flags,
                                                                .revision = revision,
                                                                .held     = slot->holds != 0,
                                                                .not_held = slot->not_held};
    }
    tally_apply(seq->config.tally, changes, checked->slots_n, position);
    for (uint32_t i = 0; i < checked->slots_n; i++) {
        history_change(seq->config.history, &changes[i]);
    }
}

/* Puts a logged entry into the tally, which keeps the slots' counts, and into its history. */
static void
apply(struct seq *seq, uint64_t position, const struct book_entry *entry,
      const struct checked *checked, const struct decision *decision)
{
    struct tally   *tally   = seq->config.tally;
    struct history *history = seq->config.history;
    if (entry->kind == LEAF_CONFLICT) {
        tally_conflict(tally, entry->branch, position);
        history_conflict(history, entry->branch);
    }
    if (decision != NULL && decision->results == NULL) {
        decision_apply(tally, decision, position);
        if (decision->kind == POLICY_KEY) {
            book_set_registry(seq->config.book, decision->key.after);
        }
        history_decision(history, decision);
    }
    if (entry->kind == LEAF_BUNDLE) {
        apply_bundle(seq, position, entry->revision, checked);
    }
    history_end(history, position);
    tally->position = position + 1;
}

static void
step_signed(struct seq *seq)
{
    change_begin(seq);
    for (unsigned i = 0; i < seq->batch.rows_n; i++) {
        const struct seq_row *row = &seq->rows[i];
        apply(seq, row->position, row->entry, row->bundle->checked, row->decision);
    }
    change_end(seq);
    state_to(seq, SEQ_IDLE);
    if (seq->batch.new_size > seq->batch.old_size) {
        effects(seq)->publish(effects(seq)->ctx, &seq->batch);
    }
    answer_all(seq, TLY_OK, "");
    seq->batch = (struct seq_batch){0};
}

enum tly_err
seq_step(struct seq *seq, struct tly_diag *diag)
{
    switch (seq->state) {
    case SEQ_PLACED:
        return step_placed(seq, diag);
    case SEQ_JOURNALED:
        return step_journaled(seq, diag);
    case SEQ_DOUBT:
        return step_doubt(seq, diag);
    case SEQ_STORED:
        return step_stored(seq, diag);
    case SEQ_SIGNED:
        step_signed(seq);
        return TLY_OK;
    case SEQ_FAILED:
        return tly_fail(diag, TLY_ECORRUPT, "%s", seq->why.text);
    case SEQ_REPLAY:
    case SEQ_IDLE:
    case SEQ_STATES_N:
        break;
    }
    return TLY_OK;
}

/* ---- the start ---- */

static enum tly_err
replay_check(const struct seq *seq, const struct book_entry *entry, struct tly_diag *diag)
{
    const struct book *book = seq->config.book;
    const uint64_t     at   = book_size(book);
    if ((entry->kind == LEAF_GENESIS) != (at == 0)) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "position %" PRIu64 ": genesis is position 0, and only that", at);
    }
    if (at == 0) {
        return TLY_OK;
    }
    if (entry->accepted_ms < book_entry(book, at - 1)->accepted_ms) {
        return tly_fail(diag, TLY_ECORRUPT, "position %" PRIu64 ": accepted before its predecessor",
                        at);
    }
    if (leaf_is_decision(entry->kind)) {
        return book_find_payload(book, &entry->payload) == UINT64_MAX
                   ? TLY_OK
                   : tly_fail(diag, TLY_ECORRUPT,
                              "position %" PRIu64 ": a decision is logged twice", at);
    }
    if (entry->branch.v >= seq->config.election->branches_n ||
        entry->terminal.v >= registry_rows_n(book_registry(book))) {
        return tly_fail(diag, TLY_ECORRUPT, "position %" PRIu64 ": no such branch or terminal", at);
    }
    if (seq->config.tally->state != ELECTION_OPEN) {
        return tly_fail(diag, TLY_ECORRUPT, "position %" PRIu64 ": a %s while the state is %s", at,
                        leaf_kind_name(entry->kind), election_state_name(seq->config.tally->state));
    }
    if (!registry_in_force(book_registry(book), entry->terminal, REGISTRY_NOW)) {
        return tly_fail(diag, TLY_ECORRUPT, "position %" PRIu64 ": its key is not in force there",
                        at);
    }
    const struct seq_place place = seq_judge(book, entry);
    const bool             conflict =
        entry->kind == LEAF_CONFLICT && place.verdict == SEQ_CONTRADICTS &&
        tly_hash_eq(&entry->first_envelope, &book_entry(book, place.position)->envelope);
    if (!conflict && !(entry->kind == LEAF_BUNDLE && place.verdict == SEQ_FITS)) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "position %" PRIu64 ": a %s of revision %u cannot stand there (verdict %d)",
                        at, leaf_kind_name(entry->kind), entry->revision, (int)place.verdict);
    }
    return TLY_OK;
}

/* What was in force from there is what would be taken there now. */
static enum tly_err
replay_decision(struct seq *seq, struct decision *decision, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena scratch;
    struct tly_diag                  why = {0};
    tly_arena_init(&scratch, MEMORY_MAX);
    struct book       *book = seq->config.book;
    const enum tly_err err  = decision_judge(seq->config.tally, book, decision, &scratch, &why);
    if (err == TLY_OK) {
        return keep_decision(seq, decision, book_size(book)) ? TLY_OK : TLY_ENOMEM;
    }
    return err == TLY_ENOMEM
               ? err
               : tly_fail(diag, TLY_ECORRUPT,
                          "position %" PRIu64 ": a decision that cannot stand there: %s",
                          book_size(seq->config.book), why.text);
}

enum tly_err
seq_replay(struct seq *seq, const struct book_entry *entry, const struct checked *checked,
           struct decision *decision, struct tly_diag *diag)
{
    struct checked_slot slots[ELECTION_BRANCH_CONTESTS_MAX];
    struct checked      kept     = {.slots = slots};
    const uint64_t      position = book_size(seq->config.book);
    TLY_CHECK(seq->state == SEQ_REPLAY);
    TLY_CHECK((checked != NULL) == (entry->kind == LEAF_BUNDLE));
    TLY_CHECK((decision != NULL) == leaf_is_decision(entry->kind));
    enum tly_err err = replay_check(seq, entry, diag);
    if (err == TLY_OK && decision != NULL) {
        err = replay_decision(seq, decision, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    if (checked != NULL) {
        TLY_CHECK(checked->slots_n <= ELECTION_BRANCH_CONTESTS_MAX);
        kept.slots_n = checked->slots_n;
        memcpy(slots, checked->slots, checked->slots_n * sizeof *slots);
        if (!seq_copy_counts(seq->config.election, slots, kept.slots_n, seq->config.arena)) {
            return tly_fail(diag, TLY_ENOMEM, "position %" PRIu64 ": no memory for its counts",
                            position);
        }
    }
    err = history_reserve(seq->config.history, kept.slots_n + 1)
              ? book_append(seq->config.book, entry)
              : TLY_ENOMEM;
    if (err != TLY_OK) {
        return tly_fail(diag, err, "position %" PRIu64 " does not fit", position);
    }
    apply(seq, position, entry, &kept, decision);
    return TLY_OK;
}

void
seq_start(struct seq *seq)
{
    const uint64_t size = book_size(seq->config.book);
    TLY_CHECK(size > 0);                               /* the genesis entry at least */
    seq->batch = (struct seq_batch){.new_size = size}; /* nothing to apply, all to publish */
    state_to(seq, SEQ_STORED);
}

/* ---- after a crash ---- */

/* Does the batch hold a row for each item, and end where it ended before? */
static enum tly_err
redo_check(const struct seq *seq, unsigned n, const struct note_head *after, struct tly_diag *diag)
{
    const struct seq_batch *batch = &seq->batch;
    for (unsigned i = 0; i < seq->waiting_n; i++) {
        const struct seq_waiting *w = &seq->waiting[i];
        if (w->outcome == SEQ_NO_ROOM) {
            return tly_fail(diag, w->item->err, "row %u of the journal's batch: %s", i,
                            w->item->diag.text);
        }
        if (w->outcome != SEQ_CREATED && w->outcome != SEQ_CONFLICT) {
            return tly_fail(diag, TLY_ECORRUPT, "row %u of the journal's batch is no entry: %s", i,
                            w->item->diag.text);
        }
    }
    return batch->rows_n == n && is_head(after, batch->new_size, &batch->new_root)
               ? TLY_OK
               : tly_fail(diag, TLY_ECORRUPT,
                          "the journal's batch ends at size %" PRIu64
                          " with another root than it had, or not there",
                          after->size);
}

enum tly_err
seq_redo(struct seq *seq, struct seq_item *const items[], unsigned n, uint64_t accepted_ms,
         const struct note_head *after, struct tly_diag *diag)
{
    TLY_CHECK(seq->state == SEQ_IDLE);
    TLY_CHECK(n > 0);
    TLY_CHECK(n <= SEQ_BATCH_MAX);
    batch_begin(seq, accepted_ms);
    change_begin(seq);
    enum tly_err err = TLY_OK;
    for (unsigned i = 0; i < n && err == TLY_OK; i++) {
        if (seq_must_wait(seq, items[i])) {
            err = tly_fail(diag, TLY_ECORRUPT, "a row that is judged by others of its batch");
        } else {
            seq_place_item(seq, items[i]);
        }
    }
    change_end(seq);
    batch_end(seq);
    if (err == TLY_OK) {
        err = redo_check(seq, n, after, diag);
    }
    if (err != TLY_OK) {
        drop_leaves(seq);
        seq->waiting_n = 0;
        seq->batch     = (struct seq_batch){0};
        return err;
    }
    state_to(seq, SEQ_JOURNALED);
    return TLY_OK;
}
