/* SPDX-License-Identifier: Apache-2.0 */
#include "core/history.h"

#include "base/check.h"

#define CHUNK_EVENTS 1023U /* a chunk is 32 KiB with its link */

enum event_kind { EVENT_NOTHING, EVENT_CHANGE, EVENT_CONFLICT, EVENT_DECISION };

struct event {
    union {
        const struct counts *counts; /* change */
        struct lot          *lot;    /* decision; NULL: no lot */
    };
    uint64_t checks; /* of a `state` decision: until */
    uint32_t ix;     /* slot, branch, contest or candidate; enum key_action, enum election_state */
    uint32_t revision;
    uint8_t  kind;   /* enum event_kind */
    uint8_t  policy; /* decision: enum policy_kind */
    bool     held, not_held;
    bool     last; /* of its entry */
};

_Static_assert(sizeof(struct event) == 32, "a country has a quarter of a million");

struct chunk {
    struct chunk *next; /* set once, before an event is put into it */
    struct event  events[CHUNK_EVENTS];
};

/* Readers look at `arena` and what follows it never: those are the writer's. */
struct history {
    struct chunk     *first;
    struct tly_arena *arena;
    struct chunk     *tail; /* where the next event goes */
    uint32_t          tail_n;
    struct chunk     *end; /* the last one; tail and what is linked behind it is the room */
    uint64_t          room;
    uint64_t          entries;
    struct event     *open; /* the newest event of the entry under way; NULL: it has none yet */
};

enum tly_err
history_new(struct tly_arena *arena, struct history **out)
{
    struct history *h     = TLY_NEW(arena, struct history, 1);
    struct chunk   *chunk = TLY_NEW(arena, struct chunk, 1);
    if (h == NULL || chunk == NULL) {
        return TLY_ENOMEM;
    }
    *h = (struct history){
        .first = chunk, .arena = arena, .tail = chunk, .end = chunk, .room = CHUNK_EVENTS};
    *out = h;
    return TLY_OK;
}

bool
history_reserve(struct history *h, uint32_t events_n)
{
    while (h->room < events_n) {
        struct chunk *chunk = TLY_NEW(h->arena, struct chunk, 1);
        if (chunk == NULL) {
            return false; /* chunks that were linked stay as room */
        }
        h->end->next = chunk;
        h->end       = chunk;
        h->room += CHUNK_EVENTS;
    }
    return true;
}

/* ---- appending ---- */

static void
append(struct history *h, const struct event *event)
{
    TLY_CHECK(h->room > 0);
    if (h->tail_n == CHUNK_EVENTS) {
        h->tail   = h->tail->next;
        h->tail_n = 0;
        TLY_CHECK(h->tail != NULL);
    }
    h->open  = &h->tail->events[h->tail_n++];
    *h->open = *event;
    h->room--;
}

void
history_change(struct history *h, const struct tally_change *change)
{
    const struct event event = {.counts   = change->counts,
                                .checks   = change->checks,
                                .ix       = change->slot.v,
                                .revision = change->revision,
                                .kind     = EVENT_CHANGE,
                                .held     = change->held,
                                .not_held = change->not_held};
    append(h, &event);
}

void
history_conflict(struct history *h, struct branch_ix branch)
{
    const struct event event = {.ix = branch.v, .kind = EVENT_CONFLICT};
    append(h, &event);
}

/* The one index that putting the decision in force needs. */
static uint32_t
decision_ix(const struct decision *d)
{
    if (d->kind == POLICY_EXCLUDE) {
        return d->candidate.v;
    }
    if (d->kind == POLICY_KEY || d->kind == POLICY_STATE) {
        return d->kind == POLICY_KEY ? (uint32_t)d->key.action : (uint32_t)d->state;
    }
    return d->kind == POLICY_LOT || d->kind == POLICY_CERTIFY ? d->contest.v : d->slot.v;
}

void
history_decision(struct history *h, const struct decision *d)
{
    const struct event event = {.lot    = d->kind == POLICY_LOT ? d->lot : NULL,
                                .checks = d->kind == POLICY_STATE ? d->until : 0,
                                .ix     = decision_ix(d),
                                .kind   = EVENT_DECISION,
                                .policy = (uint8_t)d->kind};
    append(h, &event);
}

void
history_end(struct history *h, uint64_t position)
{
    TLY_CHECK(position == h->entries);
    if (h->open == NULL) {
        const struct event nothing = {.kind = EVENT_NOTHING};
        append(h, &nothing);
    }
    h->open->last = true;
    h->open       = NULL;
    h->entries++;
}

/* ---- the past ---- */

static void
redo_change(struct tally *tally, const struct event *e, uint64_t position)
{
    const struct tally_change change = {.slot     = {e->ix},
                                        .counts   = e->counts,
                                        .checks   = e->checks,
                                        .revision = e->revision,
                                        .held     = e->held,
                                        .not_held = e->not_held};
    tally_apply(tally, &change, 1, position);
}

static void
redo_decision(struct tally *tally, const struct event *e, uint64_t position)
{
    const enum policy_kind kind = (enum policy_kind)e->policy;
    struct decision        d    = {
                  .kind = kind, .slot = {e->ix}, .contest = {e->ix}, .candidate = {e->ix}, .lot = e->lot};
    if (kind == POLICY_KEY) {
        d.key.action = (enum key_action)e->ix;
    } else if (kind == POLICY_STATE) {
        d.state = (enum election_state)e->ix;
        d.until = e->checks;
    }
    decision_apply(tally, &d, position);
}

static void
redo(struct tally *tally, const struct event *e, uint64_t position)
{
    switch ((enum event_kind)e->kind) {
    case EVENT_NOTHING:
        return;
    case EVENT_CHANGE:
        redo_change(tally, e, position);
        return;
    case EVENT_CONFLICT:
        tally_conflict(tally, (struct branch_ix){e->ix}, position);
        return;
    case EVENT_DECISION:
        redo_decision(tally, e, position);
        return;
    }
    TLY_CHECK(false);
}

void
history_replay(const struct history *h, uint64_t position, struct tally *tally)
{
    const struct chunk *chunk = h->first;
    uint32_t            i     = 0;
    TLY_CHECK(tally->position == 0);
    for (uint64_t at = 0; at < position;) {
        if (i == CHUNK_EVENTS) {
            chunk = chunk->next;
            i     = 0;
            TLY_CHECK(chunk != NULL);
        }
        const struct event *e = &chunk->events[i++];
        redo(tally, e, at);
        at += e->last;
    }
    tally->position = position;
}
