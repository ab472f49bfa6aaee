/* SPDX-License-Identifier: Apache-2.0 */
#include "recount.h"

#include "base/check.h"
#include "core/book.h"

#define JUDGE_MAX ((size_t)256 << 20)

enum tly_err
recount_init(struct recount *c, const struct verify *v, struct tly_arena *arena)
{
    const struct election *e = v->election;
    *c                       = (struct recount){.v = v, .arena = arena};
    c->was_hidden            = TLY_NEW(arena, uint8_t, (size_t)e->contests_n + 1);
    c->scopes                = TLY_NEW(arena, struct scope, e->areas_n);
    if (c->was_hidden == NULL || c->scopes == NULL) {
        return TLY_ENOMEM;
    }
    enum tly_err err = tally_init(&c->tally, e, arena);
    if (err == TLY_OK) {
        err = history_new(arena, &c->history);
    }
    return err == TLY_OK ? book_new(e, v->registry, arena, &c->book) : err;
}

_Static_assert(CHECKS_N < 63, "RECOUNT_HIDDEN is no check's bit");

struct recount_hidden
recount_hidden_of(const struct tally *tally, struct contest_ix ix)
{
    const struct election *e   = tally->election;
    const struct contest  *of  = &e->contests[ix.v];
    struct recount_hidden  out = {0};
    for (uint32_t i = 0; e->policy.publish_min_ballots > 0 && i < of->slots_n; i++) {
        const struct standing *slot   = &tally->slots[e->contest_slots[of->slots_first + i].v];
        const bool             hidden = (slot->checks & RECOUNT_HIDDEN) != 0;
        out.all += hidden;
        out.counted += hidden && (slot->state == SLOT_COUNTED || slot->state == SLOT_CORRECTED);
    }
    return out;
}

/* ---- decisions ---- */

/* Is it refused by what the daemon would refuse it for? */
static enum tly_err
state_of(const struct recount *c, struct decision *d, struct tly_arena *scratch, bool *refused)
{
    const enum tly_err err = decision_judge_state(&c->tally, c->book, d, scratch, NULL);
    *refused               = err == TLY_ECONFLICT;
    return *refused ? TLY_OK : err;
}

/* What was found there, and whether it was explained, hangs on numbers that are not published: only that
 * it was reported and has not changed, which `annul` and `reinstate` ask for too. */
static enum tly_err
explain_state(const struct recount *c, const struct decision *d, struct tly_arena *scratch,
              bool *refused)
{
    struct decision like = *d;
    like.kind = c->tally.slots[d->slot.v].state == SLOT_ANNULLED ? POLICY_REINSTATE : POLICY_ANNUL;
    return state_of(c, &like, scratch, refused);
}

/* Which tie there is hangs on numbers that are not published. */
static bool
lot_state(const struct recount *c, struct decision *d)
{
    d->order_of_lists = d->candidates == NULL;
    return d->position > book_size(c->book) ||
           c->tally.contests[d->contest.v].position >= d->position ||
           !tally_is_complete(&c->tally, d->contest);
}

static enum tly_err
certificate_judge(const struct recount *c, const struct decision *d, bool hidden,
                  struct tly_arena *scratch, bool *wrong)
{
    if (hidden) {
        *wrong = !tally_is_complete(&c->tally, d->contest);
        return TLY_OK;
    }
    const enum tly_err err = decision_judge_result(&c->tally, d, scratch, NULL);
    *wrong                 = err == TLY_ECONFLICT;
    return *wrong ? TLY_OK : err;
}

static enum tly_err
judge(const struct recount *c, struct item *item)
{
    struct decision                 *d       = &item->decision;
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = JUDGE_MAX};
    const bool hidden = d->contest.v != IX_NONE && recount_hidden_of(&c->tally, d->contest).all > 0;
    bool       refused = false;
    bool       wrong   = false;
    enum tly_err err   = TLY_OK;
    if (book_find_payload(c->book, &item->leaf.payload) != UINT64_MAX) {
        refused = true;
    } else if (d->kind == POLICY_EXPLAIN && c->was_hidden[d->contest.v]) {
        err = explain_state(c, d, &scratch, &refused);
    } else if (d->kind == POLICY_LOT && hidden) {
        refused = lot_state(c, d);
    } else {
        err = state_of(c, d, &scratch, &refused);
    }
    if (err == TLY_OK && d->kind == POLICY_CERTIFY) {
        err = certificate_judge(c, d, hidden, &scratch, &wrong);
    }
    item->found |= refused ? FOUND_BIT(FOUND_DECISION_STATE) : 0;
    item->found |= wrong ? FOUND_BIT(FOUND_CERTIFICATE_RESULT) : 0;
    return err;
}

/* ---- applying ---- */

static const struct counts *
counts_keep(const struct recount *c, const struct checked_slot *slot)
{
    const struct election *e    = c->v->election;
    const struct contest  *of   = &e->contests[e->slots[slot->slot.v].contest.v];
    const size_t           n    = (size_t)of->lists_n + of->candidates_n;
    struct counts         *copy = tly_arena_alloc(c->arena, sizeof *copy + n * sizeof(uint32_t), 1);
    return copy == NULL ? NULL : memcpy(copy, slot->counts, sizeof *copy + n * sizeof(uint32_t));
}

static enum tly_err
bundle_apply(struct recount *c, const struct item *item, uint64_t position)
{
    for (uint32_t i = 0; i < item->checked.slots_n; i++) {
        const struct checked_slot *slot   = &item->checked.slots[i];
        struct tally_change        change = {.slot     = slot->slot,
                                             .checks   = slot->holds | slot->flags,
                                             .revision = item->leaf.revision,
                                             .held     = slot->holds != 0,
                                             .not_held = slot->not_held};
        if (slot->counts != NULL) {
            change.counts = counts_keep(c, slot);
            if (change.counts == NULL) {
                return TLY_ENOMEM;
            }
        }
        tally_apply(&c->tally, &change, 1, position);
        history_change(c->history, &change);
    }
    return TLY_OK;
}

/* Does the leaf hold this contest? */
static bool
leaf_holds(struct tly_bytes held, const char *contest)
{
    const size_t len = strlen(contest);
    while (held.len > 0) { /* leaf_parse() knows lines "held CONTEST CODES" */
        const uint8_t *end  = memchr(held.data, '\n', held.len);
        const size_t   line = (size_t)(end - held.data) + 1;
        if (line > sizeof "held " + len && memcmp(held.data + 5, contest, len) == 0 &&
            held.data[5 + len] == ' ') {
            return true;
        }
        held.data += line;
        held.len -= line;
    }
    return false;
}

/* A withheld bundle: which contests it holds the leaf says; numbers it has none. */
static void
hidden_apply(struct recount *c, const struct item *item, uint64_t position)
{
    const struct election *e      = c->v->election;
    const struct branch   *branch = &e->branches[item->branch.v];
    for (uint32_t i = 0; i < branch->slots_n; i++) {
        const struct slot_ix      slot    = {branch->slots_first + i};
        const struct contest_ix   contest = e->slots[slot.v].contest;
        const struct tally_change change  = {
             .slot     = slot,
             .checks   = RECOUNT_HIDDEN,
             .revision = item->leaf.revision,
             .held     = leaf_holds(item->leaf.held, e->contests[contest.v].code),
             .not_held = true};
        c->was_hidden[contest.v] = 1;
        tally_apply(&c->tally, &change, 1, position);
        history_change(c->history, &change);
    }
}

static enum tly_err
decision_take(struct recount *c, struct item *item, uint64_t position)
{
    struct decision *d = &item->decision;
    if (!decision_keep(d, c->arena) ||
        !decision_register(d, book_registry(c->book), position, c->arena)) {
        return TLY_ENOMEM;
    }
    decision_apply(&c->tally, d, position);
    history_decision(c->history, d);
    if (d->kind == POLICY_KEY) {
        book_set_registry(c->book, d->key.after);
    }
    return TLY_OK;
}

static enum tly_err
apply(struct recount *c, struct item *item, uint64_t position)
{
    if (item->leaf.kind == LEAF_RESULT) {
        return TLY_OK; /* changes no number */
    }
    if (leaf_is_decision(item->leaf.kind)) {
        return decision_take(c, item, position);
    }
    if (item->leaf.kind == LEAF_CONFLICT) {
        tally_conflict(&c->tally, item->branch, position);
        history_conflict(c->history, item->branch);
        return TLY_OK;
    }
    if (item->leaf.kind == LEAF_BUNDLE && item->envelope == ITEM_THERE) {
        return bundle_apply(c, item, position);
    }
    if (item->leaf.kind == LEAF_BUNDLE) {
        hidden_apply(c, item, position);
    }
    return TLY_OK;
}

/* What the book keeps of an applied entry; of others only the place. */
static struct book_entry
entry_of(const struct item *item, bool applied)
{
    const struct leaf *leaf = &item->leaf;
    if (!applied || leaf->kind == LEAF_GENESIS || leaf->kind == LEAF_RESULT) {
        return (struct book_entry){.kind = LEAF_GENESIS, .branch = {IX_NONE}};
    }
    return (struct book_entry){.kind           = leaf->kind,
                               .branch         = item->branch,
                               .contest        = item->contest,
                               .terminal       = item->terminal,
                               .revision       = leaf->revision,
                               .has_prev       = leaf->has_prev,
                               .payload_len    = (uint32_t)leaf->payload_len,
                               .envelope_len   = (uint32_t)leaf->envelope_len,
                               .accepted_ms    = leaf->accepted_ms,
                               .prev           = leaf->prev,
                               .payload        = leaf->payload,
                               .envelope       = leaf->envelope,
                               .first_envelope = leaf->first_envelope,
                               .held           = leaf->held};
}

static bool
is_vote(enum leaf_kind kind)
{
    return kind == LEAF_BUNDLE || kind == LEAF_CONFLICT;
}

enum tly_err
recount_take(struct recount *c, struct item *item)
{
    const uint64_t position = book_size(c->book);
    const bool     decision =
        item->good && leaf_is_decision(item->leaf.kind) && item->leaf.kind != LEAF_RESULT;
    bool applied = item->good && item->found == 0 &&
                   (item->envelope != ITEM_UNREAD || item->leaf.kind == LEAF_GENESIS);
    enum tly_err err = applied && decision ? judge(c, item) : TLY_OK;
    applied          = applied && item->found == 0;
    if (err == TLY_OK && !history_reserve(c->history, ELECTION_BRANCH_CONTESTS_MAX + 1)) {
        err = TLY_ENOMEM;
    }
    if (err == TLY_OK && applied) {
        err = apply(c, item, position);
    }
    if (err == TLY_OK) {
        history_end(c->history, position);
    }
    if (err == TLY_OK) {
        const struct book_entry entry = entry_of(item, applied);
        err                           = book_append(c->book, &entry);
        err                           = err == TLY_ETOOBIG ? TLY_ENOMEM : err;
    }
    if (item->good && is_vote(item->leaf.kind) && c->tally.state != ELECTION_OPEN) {
        item_find(item, FOUND_STATE_CLOSED); /* applied all the same */
    }
    c->tally.position = position + 1;
    return err;
}
