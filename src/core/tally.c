/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tally.h"

#include "base/check.h"
#include "base/num.h"
#include "core/checks.h"

#include "twins.h"

static const char *const state_words[SLOT_STATES_N] = {
    [SLOT_EXPECTED] = "expected", [SLOT_RECEIVED] = "received",   [SLOT_HELD] = "held",
    [SLOT_COUNTED] = "counted",   [SLOT_CORRECTED] = "corrected", [SLOT_ANNULLED] = "annulled",
};

const char *
slot_state_name(enum slot_state state)
{
    TLY_CHECK((unsigned)state < SLOT_STATES_N);
    return state_words[state];
}

static bool
is_counted(const struct standing *slot)
{
    return slot->state == SLOT_COUNTED || slot->state == SLOT_CORRECTED;
}

/* The table of core/tally.h; every bundle passes through RECEIVED.  The only writer of the field. */
static void
state_to(struct standing *slot, enum slot_state to)
{
    static const uint8_t allowed[SLOT_STATES_N] = {
        [SLOT_EXPECTED] = 1U << SLOT_RECEIVED,
        [SLOT_RECEIVED] =
            1U << SLOT_HELD | 1U << SLOT_COUNTED | 1U << SLOT_CORRECTED | 1U << SLOT_ANNULLED,
        [SLOT_HELD] =
            1U << SLOT_RECEIVED | 1U << SLOT_COUNTED | 1U << SLOT_CORRECTED | 1U << SLOT_ANNULLED,
        [SLOT_COUNTED]   = 1U << SLOT_RECEIVED | 1U << SLOT_ANNULLED,
        [SLOT_CORRECTED] = 1U << SLOT_RECEIVED | 1U << SLOT_ANNULLED,
        [SLOT_ANNULLED] =
            1U << SLOT_RECEIVED | 1U << SLOT_HELD | 1U << SLOT_COUNTED | 1U << SLOT_CORRECTED,
    };
    TLY_CHECK(slot->state < SLOT_STATES_N);
    TLY_CHECK(allowed[slot->state] >> to & 1);
    slot->state = (uint8_t)to;
}

enum tly_err
tally_init(struct tally *tally, const struct election *election, struct tly_arena *arena)
{
    const struct election *e = election;
    *tally                   = (struct tally){
                          .election         = e,
                          .slots            = TLY_NEW(arena, struct standing, e->slots_n),
                          .contests         = TLY_NEW(arena, struct totals, e->contests_n),
                          .contest_progress = TLY_NEW(arena, struct progress, e->contests_n),
                          .contest_position = TLY_NEW(arena, uint64_t, e->contests_n),
                          .options          = TLY_NEW(arena, uint64_t, e->options_n),
                          .areas            = TLY_NEW(arena, struct totals, e->areas_n),
                          .area_progress    = TLY_NEW(arena, struct progress, e->areas_n),
                          .area_position    = TLY_NEW(arena, uint64_t, e->areas_n),
                          .branch_position  = TLY_NEW(arena, uint64_t, e->branches_n),
                          .branch_conflict  = TLY_NEW(arena, uint8_t, e->branches_n),
                          .excluded         = TLY_NEW(arena, uint8_t, e->candidates_n),
                          .lots             = TLY_NEW(arena, const struct lot *, e->contests_n),
                          .certified        = TLY_NEW(arena, uint64_t, e->contests_n),
    };
    if (tally->slots == NULL || tally->contests == NULL || tally->contest_progress == NULL ||
        tally->contest_position == NULL || tally->options == NULL || tally->areas == NULL ||
        tally->area_progress == NULL || tally->area_position == NULL ||
        tally->branch_position == NULL || tally->branch_conflict == NULL ||
        tally->excluded == NULL || tally->lots == NULL || tally->certified == NULL) {
        return TLY_ENOMEM;
    }
    const enum tly_err err = twins_new(e, arena, &tally->twins);
    if (err != TLY_OK) {
        return err;
    }
    for (uint32_t i = 0; i < e->slots_n; i++) {
        tally->contest_progress[e->slots[i].contest.v].expected++;
        tally->area_progress[e->branches[e->slots[i].branch.v].area.v].expected++;
    }
    for (uint32_t i = e->areas_n; i-- > 1;) { /* a parent stands before its children */
        TLY_CHECK(e->areas[i].parent.v < i);
        tally->area_progress[e->areas[i].parent.v].expected += tally->area_progress[i].expected;
    }
    return TLY_OK;
}

/* Sums of bounded terms: one that wraps, or falls below zero, is our bug. */
static void
sum_move(uint64_t *sum, uint32_t term, bool in)
{
    const bool fits = in ? tly_add_u64(*sum, term, sum) : tly_sub_u64(*sum, term, sum);
    TLY_CHECK(fits);
}

static void
totals_move(struct totals *totals, const struct counts *counts, bool in)
{
    for (unsigned i = 0; i < COUNTS_N; i++) {
        sum_move(&totals->n[i], counts->n[i], in);
    }
}

static void
number_move(uint32_t *n, bool in)
{
    TLY_CHECK(in || *n > 0);
    *n = in ? *n + 1 : *n - 1;
}

/* A slot enters or leaves the numbers of its state. */
static void
progress_move(struct progress *progress, const struct standing *slot, bool in)
{
    number_move(&progress->reported, in);
    if (slot->state == SLOT_ANNULLED) {
        number_move(&progress->annulled, in);
    } else {
        number_move(is_counted(slot) ? &progress->counted : &progress->held, in);
    }
    TLY_CHECK(progress->reported <= progress->expected);
}

/* The slot as it stands enters (leaves) every number it belongs to, from the leaf up the tree. */
static void
slot_move(struct tally *tally, struct slot_ix ix, bool in)
{
    const struct election *e       = tally->election;
    const struct slot     *s       = &e->slots[ix.v];
    const struct contest  *contest = &e->contests[s->contest.v];
    const struct standing *slot    = &tally->slots[ix.v];
    const struct counts   *counts  = is_counted(slot) ? slot->counts : NULL;

    progress_move(&tally->contest_progress[s->contest.v], slot, in);
    if (counts != NULL) {
        uint64_t      *options   = tally->options + contest->options_first;
        const uint32_t options_n = contest->lists_n + contest->candidates_n;
        for (uint32_t i = 0; i < options_n; i++) {
            sum_move(&options[i], counts->options[i], in);
        }
        totals_move(&tally->contests[s->contest.v], counts, in);
    }
    for (struct area_ix a = e->branches[s->branch.v].area; a.v != IX_NONE;
         a                = e->areas[a.v].parent) {
        progress_move(&tally->area_progress[a.v], slot, in);
        if (counts != NULL) {
            totals_move(&tally->areas[a.v], counts, in);
        }
    }
}

static void
position_pass(struct tally *tally, uint64_t position)
{
    TLY_CHECK(position + 1 >= tally->position); /* the slots of one bundle share a position */
    tally->position = position + 1;
}

static void
position_mark(struct tally *tally, struct branch_ix branch, uint64_t position)
{
    const struct election *e         = tally->election;
    tally->branch_position[branch.v] = position;
    for (struct area_ix a = e->branches[branch.v].area; a.v != IX_NONE; a = e->areas[a.v].parent) {
        tally->area_position[a.v] = position;
    }
}

/* Something of the contest changed: orders that people made for its equals are void. */
static void
contest_mark(struct tally *tally, struct contest_ix contest, uint64_t position)
{
    tally->contest_position[contest.v] = position;
    tally->lots[contest.v]             = NULL;
}

static enum slot_state
counted_state(const struct standing *slot)
{
    return slot->revision > 1 ? SLOT_CORRECTED : SLOT_COUNTED;
}

/* The slot has a twin now, or has none any more: its checks say so.  What officers signed or
 * explained before did not know of it. */
static void
twin_mark(struct tally *tally, struct slot_ix ix, uint64_t position)
{
    const uint64_t bit = CHECK_BIT(CHECK_P08);
    if (ix.v == IX_NONE) {
        return;
    }
    struct standing *slot = &tally->slots[ix.v];
    const bool       has  = twins_other(tally->twins, ix).v != IX_NONE;
    if (has == ((slot->checks & bit) != 0)) {
        return;
    }
    slot->checks ^= bit;
    slot->position  = position;
    slot->explained = slot->explained && !has;
    position_mark(tally, tally->election->slots[ix.v].branch, position);
}

struct slot_ix
tally_twin(const struct tally *tally, struct slot_ix ix)
{
    TLY_CHECK(ix.v < tally->election->slots_n);
    return twins_other(tally->twins, ix);
}

void
tally_apply(struct tally *tally, const struct tally_change *change, uint64_t position)
{
    TLY_CHECK(change->slot.v < tally->election->slots_n);
    struct standing   *slot = &tally->slots[change->slot.v];
    const struct slot *s    = &tally->election->slots[change->slot.v];
    TLY_CHECK(change->revision > slot->revision);
    TLY_CHECK(change->held || change->not_held || change->counts != NULL);
    TLY_CHECK(!change->not_held || change->counts == NULL);
    TLY_CHECK((change->checks & CHECK_BIT(CHECK_P08)) == 0);
    position_pass(tally, position);

    const struct twins_key key = twins_prepare(tally->twins, change->slot, change->counts);
    if (slot->state != SLOT_EXPECTED) {
        slot_move(tally, change->slot, false);
    }
    const bool           annulled = slot->state == SLOT_ANNULLED;
    const struct slot_ix left     = twins_leave(tally->twins, tally->slots, change->slot);
    state_to(slot, SLOT_RECEIVED);
    slot->counts    = change->counts;
    slot->checks    = change->checks;
    slot->position  = position;
    slot->not_held  = change->not_held;
    slot->revision  = change->revision;
    slot->explained = false;
    slot->beneath   = (uint8_t)(change->held ? SLOT_HELD : counted_state(slot));
    state_to(slot, annulled ? SLOT_ANNULLED : (enum slot_state)slot->beneath);
    slot_move(tally, change->slot, true);
    contest_mark(tally, s->contest, position);
    position_mark(tally, s->branch, position);

    const struct slot_ix joined = twins_enter(tally->twins, tally->slots, change->slot, key);
    twin_mark(tally, change->slot, position);
    twin_mark(tally, left, position); /* both moves are done: one that it loses and gets is none */
    twin_mark(tally, joined, position);
}

/* ---- decisions ---- */

static struct standing *
standing_of(struct tally *tally, struct slot_ix ix)
{
    TLY_CHECK(ix.v < tally->election->slots_n);
    return &tally->slots[ix.v];
}

/* The slot leaves the sums as it stands and enters them again in another state. */
static void
slot_to(struct tally *tally, struct slot_ix ix, enum slot_state to, uint64_t position)
{
    struct standing   *slot = standing_of(tally, ix);
    const struct slot *s    = &tally->election->slots[ix.v];
    position_pass(tally, position);
    slot_move(tally, ix, false);
    slot->beneath = slot->state;
    state_to(slot, to);
    slot->position = position;
    slot_move(tally, ix, true);
    contest_mark(tally, s->contest, position);
    position_mark(tally, s->branch, position);
}

void
tally_release(struct tally *tally, struct slot_ix ix, uint64_t position)
{
    const struct standing *slot = standing_of(tally, ix);
    TLY_CHECK(slot->state == SLOT_HELD);
    TLY_CHECK(slot->counts != NULL || slot->not_held);
    slot_to(tally, ix, counted_state(slot), position);
}

void
tally_annul(struct tally *tally, struct slot_ix ix, uint64_t position)
{
    slot_to(tally, ix, SLOT_ANNULLED, position);
}

void
tally_reinstate(struct tally *tally, struct slot_ix ix, uint64_t position)
{
    const struct standing *slot = standing_of(tally, ix);
    TLY_CHECK(slot->state == SLOT_ANNULLED);
    slot_to(tally, ix, (enum slot_state)slot->beneath, position);
}

void
tally_explain(struct tally *tally, struct slot_ix ix, uint64_t position)
{
    struct standing *slot = standing_of(tally, ix);
    TLY_CHECK(slot->state != SLOT_EXPECTED);
    position_pass(tally, position);
    slot->explained = true;
    position_mark(tally, tally->election->slots[ix.v].branch, position);
}

void
tally_exclude(struct tally *tally, struct candidate_ix candidate, uint64_t position)
{
    TLY_CHECK(candidate.v < tally->election->candidates_n);
    position_pass(tally, position);
    tally->excluded[candidate.v] = 1;
    contest_mark(tally, tally->election->candidates[candidate.v].contest, position);
}

void
tally_lot(struct tally *tally, struct contest_ix contest, struct lot *lot, uint64_t position)
{
    TLY_CHECK(contest.v < tally->election->contests_n);
    position_pass(tally, position);
    if (lot->before != tally->lots[contest.v]) {
        TLY_CHECK(lot->before == NULL);
        lot->before = tally->lots[contest.v];
    }
    contest_mark(tally, contest, position);
    tally->lots[contest.v] = lot; /* the numbers are those that it was made for */
}

void
tally_certify(struct tally *tally, struct contest_ix contest, uint64_t position)
{
    TLY_CHECK(contest.v < tally->election->contests_n);
    const struct lot *lots = tally->lots[contest.v];
    position_pass(tally, position);
    contest_mark(tally, contest, position);
    tally->lots[contest.v]      = lots;
    tally->certified[contest.v] = position;
}

bool
tally_is_certified(const struct tally *tally, struct contest_ix contest)
{
    TLY_CHECK(contest.v < tally->election->contests_n);
    return tally->certified[contest.v] > 0 &&
           tally->certified[contest.v] == tally->contest_position[contest.v];
}

bool
tally_is_complete(const struct tally *tally, struct contest_ix contest)
{
    const struct progress *p = &tally->contest_progress[contest.v];
    return p->counted > 0 && p->counted + p->annulled == p->expected;
}

void
tally_conflict(struct tally *tally, struct branch_ix branch, uint64_t position)
{
    TLY_CHECK(branch.v < tally->election->branches_n);
    position_pass(tally, position);
    tally->branch_conflict[branch.v] = 1;
    position_mark(tally, branch, position);
}

static bool
credits(const struct tally *tally, const struct contest *contest)
{
    return tally->election->rules[contest->rule].method->credits;
}

uint64_t
tally_candidate_votes(const struct tally *tally, struct candidate_ix candidate)
{
    const struct election *e = tally->election;
    TLY_CHECK(candidate.v < e->candidates_n);
    const struct candidate *c       = &e->candidates[candidate.v];
    const struct contest   *contest = &e->contests[c->contest.v];
    const uint64_t         *options = tally->options + contest->options_first;
    uint64_t votes = options[contest->lists_n + candidate.v - contest->candidates_first];
    if (c->list.v != IX_NONE && credits(tally, contest)) {
        const bool fits = tly_add_u64(votes, options[c->list.v - contest->lists_first], &votes);
        TLY_CHECK(fits);
    }
    return votes;
}

uint64_t
tally_list_votes(const struct tally *tally, struct list_ix list)
{
    const struct election *e = tally->election;
    TLY_CHECK(list.v < e->lists_n);
    const struct contest *contest = &e->contests[e->lists[list.v].contest.v];
    uint64_t              votes   = 0;
    if (!credits(tally, contest)) {
        votes = tally->options[contest->options_first + list.v - contest->lists_first];
    }
    for (uint32_t i = 0; i < contest->candidates_n; i++) {
        const struct candidate_ix c = {contest->candidates_first + i};
        if (e->candidates[c.v].list.v == list.v) {
            const bool fits = tly_add_u64(votes, tally_candidate_votes(tally, c), &votes);
            TLY_CHECK(fits);
        }
    }
    return votes;
}

#define COPY(field, n) memcpy(to->field, from->field, (size_t)(n) * sizeof *to->field)

void
tally_copy(struct tally *to, const struct tally *from)
{
    const struct election *e = from->election;
    TLY_CHECK(to->election == e);
    COPY(slots, e->slots_n);
    COPY(contests, e->contests_n);
    COPY(contest_progress, e->contests_n);
    COPY(contest_position, e->contests_n);
    COPY(options, e->options_n);
    COPY(areas, e->areas_n);
    COPY(area_progress, e->areas_n);
    COPY(area_position, e->areas_n);
    COPY(branch_position, e->branches_n);
    COPY(branch_conflict, e->branches_n);
    COPY(excluded, e->candidates_n);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): what is copied are pointers. */
    COPY(lots, e->contests_n);
    COPY(certified, e->contests_n);
    to->position = from->position;
    twins_forget(to->twins);
}
