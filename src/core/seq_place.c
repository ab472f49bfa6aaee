/* SPDX-License-Identifier: Apache-2.0 */
/* Where an item goes in the ledger, and the copies that the batch keeps of it. */
#include <inttypes.h>

#include "base/check.h"
#include "core/bundle.h"

#include "decision_read.h"
#include "seq_int.h"

#define NOWHERE   UINT64_MAX
#define JUDGE_MAX ((size_t)64 << 20) /* for the outcome of the largest contest, some times */

struct seq_place
seq_judge(const struct book *book, const struct book_entry *entry)
{
    const uint64_t known = book_find_payload(book, &entry->payload);
    if (known != NOWHERE) {
        const bool bundle = book_entry(book, known)->kind == LEAF_BUNDLE;
        return (struct seq_place){bundle ? SEQ_KNOWN : SEQ_KNOWN_BAD, known};
    }
    const uint64_t           at     = book_newest(book, entry->branch);
    const struct book_entry *newest = at == NOWHERE ? NULL : book_entry(book, at);
    const uint32_t           last   = newest == NULL ? 0 : newest->revision;
    if (entry->revision <= last) {
        return (struct seq_place){SEQ_CONTRADICTS,
                                  book_revision(book, entry->branch, entry->revision)};
    }
    if (entry->revision != last + 1) {
        return (struct seq_place){SEQ_GAP, at};
    }
    const bool right_prev = newest == NULL
                                ? !entry->has_prev
                                : entry->has_prev && tly_hash_eq(&entry->prev, &newest->payload);
    return (struct seq_place){right_prev ? SEQ_FITS : SEQ_WRONG_PREV, at};
}

/* ---- copies ---- */

static bool
copy_bytes(struct tly_arena *arena, struct tly_bytes *bytes)
{
    const char *copy = tly_arena_text(arena, *bytes);
    if (copy == NULL) {
        return false;
    }
    bytes->data = (const uint8_t *)copy;
    return true;
}

static size_t
counts_bytes(const struct election *election, struct slot_ix slot)
{
    const struct contest *contest = &election->contests[election->slots[slot.v].contest.v];
    return sizeof(struct counts) +
           sizeof(uint32_t) * ((size_t)contest->lists_n + contest->candidates_n);
}

bool
seq_copy_counts(const struct election *election, struct checked_slot slots[], uint32_t slots_n,
                struct tly_arena *arena)
{
    for (uint32_t i = 0; i < slots_n; i++) {
        if (slots[i].counts != NULL) {
            const size_t bytes  = counts_bytes(election, slots[i].slot);
            void        *counts = tly_arena_alloc(arena, bytes, 1);
            if (counts == NULL) {
                return false;
            }
            slots[i].counts = memcpy(counts, slots[i].counts, bytes);
        }
    }
    return true;
}

static const struct checked *
copy_checked(struct seq *seq, const struct checked *from)
{
    struct checked      *copy  = TLY_NEW(&seq->memory, struct checked, 1);
    struct checked_slot *slots = TLY_NEW(&seq->memory, struct checked_slot, from->slots_n);
    if (copy == NULL || slots == NULL) {
        return NULL;
    }
    memcpy(slots, from->slots, from->slots_n * sizeof *slots);
    *copy = (struct checked){.slots = slots, .slots_n = from->slots_n};
    return seq_copy_counts(seq->config.election, slots, copy->slots_n, &seq->memory) ? copy : NULL;
}

size_t
seq_item_bytes(const struct seq *seq, const struct seq_item *item)
{
    size_t bytes = item->evidence.body.len;
    if (item->kind != SEQ_EVIDENCE) {
        const struct seq_bundle *bundle = &item->bundle;
        bytes += bundle->payload.len + bundle->head.len + bundle->tail.len + bundle->held.len;
        for (uint32_t i = 0; item->kind == SEQ_BUNDLE && i < bundle->checked->slots_n; i++) {
            bytes += sizeof(struct checked_slot) +
                     counts_bytes(seq->config.election, bundle->checked->slots[i].slot);
        }
    }
    return bytes;
}

/* A copy that lives as long as the batch: in doubt the request is answered, and gone, before the
 * batch is settled.  NULL: no memory. */
static struct seq_bundle *
copy_bundle(struct seq *seq, const struct seq_bundle *from)
{
    struct seq_bundle *copy = TLY_NEW(&seq->memory, struct seq_bundle, 1);
    if (copy == NULL) {
        return NULL;
    }
    *copy           = *from;
    copy->held      = (struct tly_bytes){NULL, 0}; /* the book's entry has it */
    copy->checked   = from->checked == NULL ? NULL : copy_checked(seq, from->checked);
    const bool fits = (copy->checked != NULL || from->checked == NULL) &&
                      copy_bytes(&seq->memory, &copy->payload) &&
                      copy_bytes(&seq->memory, &copy->head) &&
                      copy_bytes(&seq->memory, &copy->tail);
    return fits ? copy : NULL;
}

/* ---- placing ---- */

static void
wait_for(struct seq *seq, struct seq_item *item, enum seq_outcome outcome, uint64_t position)
{
    TLY_CHECK(seq->waiting_n < SEQ_BATCH_MAX);
    seq->waiting[seq->waiting_n++] = (struct seq_waiting){item, outcome, position};
}

static void
no_room(struct seq *seq, struct seq_item *item, enum tly_err err)
{
    item->err = tly_fail(&item->diag, err, "the sequencer's memory is full");
    wait_for(seq, item, SEQ_NO_ROOM, NOWHERE);
}

static void
place_evidence(struct seq *seq, struct seq_item *item, const struct seq_evidence *evidence,
               enum seq_outcome outcome)
{
    struct seq_evidence *copy   = TLY_NEW(&seq->memory, struct seq_evidence, 1);
    const char          *code   = tly_arena_text(&seq->memory, tly_text(evidence->code));
    const char          *detail = tly_arena_text(&seq->memory, tly_text(evidence->detail));
    if (copy == NULL || code == NULL || detail == NULL) {
        no_room(seq, item, TLY_ENOMEM);
        return;
    }
    *copy        = *evidence;
    copy->code   = code;
    copy->detail = detail;
    if (!copy_bytes(&seq->memory, &copy->body)) {
        no_room(seq, item, TLY_ENOMEM);
        return;
    }
    seq->evidence[seq->batch.evidence_n++] = copy;
    wait_for(seq, item, outcome, NOWHERE);
}

/* The diag is set; the body is kept with it. */
static void
refuse(struct seq *seq, struct seq_item *item, enum tly_err err)
{
    struct seq_evidence evidence = item->evidence;
    item->err                    = err;
    evidence.status              = tly_err_http(err);
    evidence.code                = item->diag.code;
    evidence.detail              = item->diag.text;
    place_evidence(seq, item, &evidence, SEQ_REFUSED);
}

/* One more leaf for the batch: the bundle's own, or its conflict's. */
static void
log_item(struct seq *seq, struct seq_item *item, const struct book_entry *entry,
         struct decision *decision, enum seq_outcome outcome)
{
    const struct election   *e        = seq->config.election;
    struct book             *book     = seq->config.book;
    const struct registry   *r        = book_registry(book);
    const uint64_t           position = book_size(book);
    const struct seq_bundle *bundle   = copy_bundle(seq, &item->bundle);
    const enum tly_err       err      = bundle == NULL ? TLY_ENOMEM : book_append(book, entry);
    if (err != TLY_OK) {
        no_room(seq, item, err);
        return;
    }
    seq->rows[seq->batch.rows_n++] = (struct seq_row){
        .position = position,
        .entry    = book_entry(book, position),
        .bundle   = bundle,
        .branch   = decision != NULL ? NULL : e->branches[entry->branch.v].code,
        .terminal = decision != NULL ? NULL : registry_row(r, entry->terminal)->code,
        .decision = decision};
    wait_for(seq, item, outcome, position);
}

static void
place_conflict(struct seq *seq, struct seq_item *item, struct book_entry *entry, uint64_t first)
{
    (void)tly_fail_at(&item->diag, TLY_ECONFLICT, "S04", "revision",
                      "revision %u of this branch is logged at position %" PRIu64
                      " with another payload",
                      entry->revision, first);
    if (book_conflicts(seq->config.book, entry->branch) >= SEQ_CONFLICTS_MAX) {
        refuse(seq, item, TLY_ECONFLICT);
        return;
    }
    entry->kind           = LEAF_CONFLICT;
    entry->held           = (struct tly_bytes){NULL, 0};
    entry->first_envelope = book_entry(seq->config.book, first)->envelope;
    log_item(seq, item, entry, NULL, SEQ_CONFLICT);
}

static struct book_entry
entry_of(const struct seq *seq, const struct seq_bundle *bundle)
{
    return (struct book_entry){.kind         = LEAF_BUNDLE,
                               .branch       = bundle->branch,
                               .terminal     = bundle->terminal,
                               .revision     = bundle->revision,
                               .has_prev     = bundle->has_prev,
                               .payload_len  = (uint32_t)bundle->payload.len,
                               .envelope_len = bundle->envelope_len,
                               .accepted_ms  = seq->accepted_ms,
                               .prev         = bundle->prev,
                               .payload      = bundle->payload_hash,
                               .envelope     = bundle->envelope_hash,
                               .held         = bundle->held};
}

static void
later(struct seq *seq, struct seq_item *item)
{
    item->err = TLY_EBUSY;
    wait_for(seq, item, SEQ_LATER, NOWHERE);
}

/* A worker judged it by the registry as it was then; this is its place.  *row becomes the one that is
 * in force here; false: it is refused, or has to come again. */
static bool
is_still_registered(struct seq *seq, struct seq_item *item, struct terminal_ix *row)
{
    const struct registry   *r      = book_registry(seq->config.book);
    const struct terminal_ix newest = registry_newest(r, *row);
    const struct terminal   *then   = registry_row(r, *row);
    const struct terminal   *now    = registry_row(r, newest);
    if (newest.v == row->v) {
        return true; /* a worker has looked at its state */
    }
    if (now->state != TERMINAL_ACTIVE || !tly_hash_eq(&now->keyid, &then->keyid)) {
        refuse(seq, item,
               bundle_retired(r, now->state != TERMINAL_ACTIVE ? newest : *row, &item->diag));
        return false;
    }
    if (now->branch.v != then->branch.v) {
        refuse(seq, item,
               tly_fail_at(&item->diag, TLY_EFORBID, "A03", "branch",
                           "terminal %s is not registered for branch %s any more", now->code,
                           seq->config.election->branches[item->bundle.branch.v].code));
        return false;
    }
    if (now->not_before != then->not_before || now->not_after != then->not_after) {
        (void)tly_fail(&item->diag, TLY_EBUSY,
                       "the dates of terminal %s changed meanwhile; send it again", now->code);
        later(seq, item); /* A04 has to be looked at again */
        return false;
    }
    *row = newest;
    return true;
}

/* Rules that `state` and `key` decisions change. */
static bool
may_be_placed(struct seq *seq, struct seq_item *item, struct terminal_ix *row)
{
    const enum election_state state = seq->config.tally->state;
    if (state != ELECTION_OPEN) {
        (void)tly_fail_at(&item->diag, TLY_EBUSY, "state", "",
                          "the election is in state %s: no bundle is taken now",
                          election_state_name(state));
        later(seq, item);
        return false;
    }
    return is_still_registered(seq, item, row);
}

static void
place_bundle(struct seq *seq, struct seq_item *item)
{
    struct book_entry entry = entry_of(seq, &item->bundle);
    if (!may_be_placed(seq, item, &entry.terminal)) {
        return;
    }
    const struct seq_place place = seq_judge(seq->config.book, &entry);
    switch (place.verdict) {
    case SEQ_KNOWN:
        wait_for(seq, item, SEQ_SAME, place.position);
        return;
    case SEQ_KNOWN_BAD:
        (void)tly_fail_at(&item->diag, TLY_ECONFLICT, "S04", "revision",
                          "revision %u of this branch is logged with another payload; this one is "
                          "logged as its conflict at position %" PRIu64,
                          entry.revision, place.position);
        wait_for(seq, item, SEQ_CONFLICT, place.position);
        return;
    case SEQ_CONTRADICTS:
        place_conflict(seq, item, &entry, place.position);
        return;
    case SEQ_GAP:
        (void)tly_fail_at(&item->diag, TLY_ECONFLICT, "S04", "revision",
                          "revision %u does not follow on what is logged", entry.revision);
        refuse(seq, item, TLY_ECONFLICT);
        return;
    case SEQ_WRONG_PREV:
        (void)tly_fail_at(&item->diag, TLY_ECONFLICT, "S04", "prev",
                          "prev is not the payload that revision %u replaces", entry.revision);
        refuse(seq, item, TLY_ECONFLICT);
        return;
    case SEQ_FITS:
        break;
    }
    if (entry.revision > 1 && !item->bundle.revise_ok) {
        (void)tly_fail_at(&item->diag, TLY_ECONFLICT, "S04", "revision",
                          "revision %u lacks the signatures that policy revise asks for",
                          entry.revision);
        refuse(seq, item, TLY_ECONFLICT);
        return;
    }
    log_item(seq, item, &entry, NULL, SEQ_CREATED);
}

/* ---- decisions ---- */

bool
seq_must_wait(const struct seq *seq, const struct seq_item *item)
{
    const unsigned         n    = seq->batch.rows_n;
    const struct decision *last = n == 0 ? NULL : seq->rows[n - 1].decision;
    return (item->kind == SEQ_DECISION && n > 0) || (last != NULL && decision_changes_rules(last));
}

static bool
copy_places(struct seq *seq, const uint32_t **places, uint32_t n)
{
    uint32_t *copy = *places == NULL ? NULL : TLY_NEW(&seq->memory, uint32_t, n);
    if (*places == NULL) {
        return true;
    }
    if (copy != NULL) {
        memcpy(copy, *places, (size_t)n * sizeof *copy);
    }
    *places = copy;
    return copy != NULL;
}

/* Stands for a document of which nothing is needed any more but that it is one. */
static const struct results judged_results;

/* What is applied once it is stored; without the envelope, which the row has. */
static struct decision *
copy_decision(struct seq *seq, const struct decision *from)
{
    struct decision *copy = TLY_NEW(&seq->memory, struct decision, 1);
    if (copy == NULL) {
        return NULL;
    }
    *copy          = *from;
    copy->envelope = (struct envelope){0};
    copy->reason   = (struct tly_bytes){0};
    copy->target   = (struct tly_bytes){0}; /* the book's entry has it */
    return decision_copy_code(copy, &seq->memory) &&
                   copy_places(seq, &copy->candidates, copy->order_n) &&
                   copy_places(seq, &copy->lists, copy->order_n)
               ? copy
               : NULL;
}

struct book_entry
seq_decision_entry(const struct seq_bundle *stored, const struct decision *decision,
                   uint64_t accepted_ms)
{
    const struct results *r = decision->results;
    return (struct book_entry){.kind         = decision_leaf_of(decision),
                               .branch       = decision->branch,
                               .contest      = decision->contest,
                               .scope        = {r == NULL ? IX_NONE : r->scope.v},
                               .serial       = r == NULL ? 0 : r->serial,
                               .terminal     = {IX_NONE},
                               .payload_len  = (uint32_t)stored->payload.len,
                               .envelope_len = stored->envelope_len,
                               .accepted_ms  = accepted_ms,
                               .payload      = stored->payload_hash,
                               .envelope     = stored->envelope_hash,
                               .held         = decision->target};
}

static void
place_decision(struct seq *seq, struct seq_item *item)
{
    const uint64_t known = book_find_payload(seq->config.book, &item->bundle.payload_hash);
    if (known != NOWHERE) {
        wait_for(seq, item, SEQ_SAME, known);
        return;
    }
    TLY_AUTO(arena) struct tly_arena scratch;
    tly_arena_init(&scratch, JUDGE_MAX);
    struct decision *copy = copy_decision(seq, item->decision);
    enum tly_err     err  = copy == NULL ? TLY_ENOMEM
                                         : decision_judge(seq->config.tally, seq->config.book, copy,
                                                          &scratch, &item->diag);
    if (err == TLY_ECONFLICT) {
        refuse(seq, item, err);
    } else if (err != TLY_OK) {
        no_room(seq, item, err);
    } else {
        const struct book_entry entry =
            seq_decision_entry(&item->bundle, item->decision, seq->accepted_ms);
        copy->results = copy->results == NULL ? NULL : &judged_results; /* its memory goes */
        log_item(seq, item, &entry, copy, SEQ_CREATED);
    }
}

void
seq_place_item(struct seq *seq, struct seq_item *item)
{
    item->position = NOWHERE;
    if (item->kind == SEQ_EVIDENCE) {
        place_evidence(seq, item, &item->evidence, SEQ_KEPT);
    } else if (item->kind == SEQ_DECISION) {
        place_decision(seq, item);
    } else {
        place_bundle(seq, item);
    }
}
