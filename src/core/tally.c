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

static const char *const election_words[ELECTION_STATES_N] = {
    [ELECTION_OPEN] = "open", [ELECTION_CLOSED] = "closed", [ELECTION_MAINTENANCE] = "maintenance"};

const char *
election_state_name(enum election_state state)
{
    TLY_CHECK((unsigned)state < ELECTION_STATES_N);
    return election_words[state];
}

bool
election_state_find(struct tly_bytes name, enum election_state *out)
{
    for (unsigned i = 0; i < ELECTION_STATES_N; i++) {
        if (tly_bytes_eq(name, tly_text(election_words[i]))) {
            *out = (enum election_state)i;
            return true;
        }
    }
    return false;
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
                          .election        = e,
                          .slots           = TLY_NEW(arena, struct standing, e->slots_n),
                          .contests        = TLY_NEW(arena, struct contest_tally, e->contests_n),
                          .options         = TLY_NEW(arena, uint64_t, e->options_n),
                          .areas           = TLY_NEW(arena, struct area_tally, e->areas_n),
                          .branch_position = TLY_NEW(arena, uint64_t, e->branches_n),
                          .branch_conflict = TLY_NEW(arena, uint8_t, e->branches_n),
                          .excluded        = TLY_NEW(arena, uint8_t, e->candidates_n),
                          .state_until     = ELECTION_NO_UNTIL,
    };
    if (tally->slots == NULL || tally->contests == NULL || tally->options == NULL ||
        tally->areas == NULL || tally->branch_position == NULL || tally->branch_conflict == NULL ||
        tally->excluded == NULL) {
        return TLY_ENOMEM;
    }
    const enum tly_err err = twins_new(e, arena, &tally->twins);
    if (err != TLY_OK) {
        return err;
    }
    for (uint32_t i = 0; i < e->slots_n; i++) {
        tally->contests[e->slots[i].contest.v].progress.expected++;
        tally->areas[e->branches[e->slots[i].branch.v].area.v].progress.expected++;
    }
    for (uint32_t i = e->areas_n; i-- > 1;) { /* a parent stands before its children */
        TLY_CHECK(e->areas[i].parent.v < i);
        tally->areas[e->areas[i].parent.v].progress.expected += tally->areas[i].progress.expected;
    }
    return TLY_OK;
}

/* What slots of one branch bring to its areas, or take from them, in all; what is taken as its
 * two's complement. */
struct area_move {
    uint64_t n[COUNTS_N];
    int32_t  reported, counted, held, annulled;
};

/* Sums hold at most 2^32 branches of counts below 2^31: one with its top bit set fell below zero, and
 * that is our bug. */
static void
sums_move(uint64_t sums[], const uint64_t terms[], uint32_t n)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++) {
        sums[i] += terms[i];
        all |= sums[i];
    }
    TLY_CHECK(all >> 63 == 0);
}

static void
options_move(uint64_t sums[], const uint32_t votes[], uint32_t n, bool in)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++) {
        sums[i] += in ? votes[i] : -(uint64_t)votes[i];
        all |= sums[i];
    }
    TLY_CHECK(all >> 63 == 0);
}

static void
number_move(uint32_t *n, int32_t term)
{
    const bool fits = !__builtin_add_overflow(*n, term, n);
    TLY_CHECK(fits);
}

static void
progress_move(struct progress *progress, const struct area_move *by)
{
    number_move(&progress->reported, by->reported);
    number_move(&progress->counted, by->counted);
    number_move(&progress->held, by->held);
    number_move(&progress->annulled, by->annulled);
    TLY_CHECK(progress->reported <= progress->expected);
}

/* The slot as it stands enters (leaves) the numbers of its contest, and what its areas get. */
static void
slot_move(struct tally *tally, struct slot_ix ix, bool in, struct area_move *areas)
{
    const struct election  *e       = tally->election;
    const struct contest_ix c       = e->slots[ix.v].contest;
    const struct contest   *contest = &e->contests[c.v];
    const struct standing  *slot    = &tally->slots[ix.v];
    const struct counts    *counts  = is_counted(slot) ? slot->counts : NULL;
    const int32_t           one     = in ? 1 : -1;
    const struct area_move  by      = {.reported = one,
                                       .annulled = slot->state == SLOT_ANNULLED ? one : 0,
                                       .counted  = is_counted(slot) ? one : 0,
                                       .held     = slot->state == SLOT_HELD ? one : 0};

    progress_move(&tally->contests[c.v].progress, &by);
    areas->reported += by.reported;
    areas->annulled += by.annulled;
    areas->counted += by.counted;
    areas->held += by.held;
    if (counts == NULL) {
        return;
    }
    uint64_t terms[COUNTS_N];
    for (unsigned i = 0; i < COUNTS_N; i++) {
        terms[i] = in ? counts->n[i] : -(uint64_t)counts->n[i];
        areas->n[i] += terms[i];
    }
    sums_move(tally->contests[c.v].totals.n, terms, COUNTS_N);
    options_move(tally->options + contest->options_first, counts->options,
                 contest->lists_n + contest->candidates_n, in);
}

/* Once for all slots of a branch, from the leaf up the tree. */
static void
areas_move(struct tally *tally, struct branch_ix branch, const struct area_move *by)
{
    const struct election *e = tally->election;
    for (struct area_ix a = e->branches[branch.v].area; a.v != IX_NONE; a = e->areas[a.v].parent) {
        progress_move(&tally->areas[a.v].progress, by);
        sums_move(tally->areas[a.v].totals.n, by->n, COUNTS_N);
    }
}

static void
position_pass(struct tally *tally, uint64_t position)
{
    TLY_CHECK(position + 1 >= tally->position); /* the past is made again slot by slot */
    tally->position = position + 1;
}

static void
position_mark(struct tally *tally, struct branch_ix branch, uint64_t position)
{
    const struct election *e         = tally->election;
    tally->branch_position[branch.v] = position;
    for (struct area_ix a = e->branches[branch.v].area; a.v != IX_NONE; a = e->areas[a.v].parent) {
        tally->areas[a.v].position = position;
    }
}

/* Something of the contest changed: orders that people made for its equals are void. */
static void
contest_mark(struct tally *tally, struct contest_ix contest, uint64_t position)
{
    tally->contests[contest.v].position = position;
    tally->contests[contest.v].lots     = NULL;
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

static void
change_apply(struct tally *tally, const struct tally_change *change, uint64_t position,
             struct area_move *areas)
{
    struct standing   *slot = &tally->slots[change->slot.v];
    const struct slot *s    = &tally->election->slots[change->slot.v];
    TLY_CHECK(change->revision > slot->revision);
    TLY_CHECK(change->held || change->not_held || change->counts != NULL);
    TLY_CHECK(!change->not_held || change->counts == NULL);
    TLY_CHECK((change->checks & CHECK_BIT(CHECK_P08)) == 0);

    const struct twins_key key = twins_prepare(tally->twins, change->slot, change->counts);
    if (slot->state != SLOT_EXPECTED) {
        slot_move(tally, change->slot, false, areas);
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
    slot_move(tally, change->slot, true, areas);
    contest_mark(tally, s->contest, position);

    const struct slot_ix joined = twins_enter(tally->twins, tally->slots, change->slot, key);
    twin_mark(tally, change->slot, position);
    twin_mark(tally, left, position); /* both moves are done: one that it loses and gets is none */
    twin_mark(tally, joined, position);
}

void
tally_apply(struct tally *tally, const struct tally_change changes[], uint32_t n, uint64_t position)
{
    const struct slot *slots = tally->election->slots;
    struct area_move   areas = {.reported = 0};
    if (n == 0) {
        return;
    }
    position_pass(tally, position);
    for (uint32_t i = 0; i < n; i++) {
        TLY_CHECK(changes[i].slot.v < tally->election->slots_n);
        TLY_CHECK(slots[changes[i].slot.v].branch.v == slots[changes[0].slot.v].branch.v);
        change_apply(tally, &changes[i], position, &areas);
    }
    areas_move(tally, slots[changes[0].slot.v].branch, &areas);
    position_mark(tally, slots[changes[0].slot.v].branch, position);
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
    struct standing   *slot  = standing_of(tally, ix);
    const struct slot *s     = &tally->election->slots[ix.v];
    struct area_move   areas = {.reported = 0};
    position_pass(tally, position);
    slot_move(tally, ix, false, &areas);
    slot->beneath = slot->state;
    state_to(slot, to);
    slot->position = position;
    slot_move(tally, ix, true, &areas);
    areas_move(tally, s->branch, &areas);
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
    if (lot->before != tally->contests[contest.v].lots) {
        TLY_CHECK(lot->before == NULL);
        lot->before = tally->contests[contest.v].lots;
    }
    contest_mark(tally, contest, position);
    tally->contests[contest.v].lots = lot; /* the numbers are those that it was made for */
}

void
tally_certify(struct tally *tally, struct contest_ix contest, uint64_t position)
{
    TLY_CHECK(contest.v < tally->election->contests_n);
    const struct lot *lots = tally->contests[contest.v].lots;
    position_pass(tally, position);
    contest_mark(tally, contest, position);
    tally->contests[contest.v].lots      = lots;
    tally->contests[contest.v].certified = position;
}

void
tally_state(struct tally *tally, enum election_state state, uint64_t until, uint64_t position)
{
    TLY_CHECK((unsigned)state < ELECTION_STATES_N);
    tally->state          = state;
    tally->state_until    = until;
    tally->state_position = position;
}

bool
tally_is_certified(const struct tally *tally, struct contest_ix contest)
{
    TLY_CHECK(contest.v < tally->election->contests_n);
    return tally->contests[contest.v].certified > 0 &&
           tally->contests[contest.v].certified == tally->contests[contest.v].position;
}

bool
tally_is_complete(const struct tally *tally, struct contest_ix contest)
{
    const struct progress *p = &tally->contests[contest.v].progress;
    return p->counted > 0 && p->counted + p->annulled == p->expected;
}

const char *
tally_contest_status(const struct tally *tally, struct contest_ix contest, bool tied)
{
    const struct progress *p = &tally->contests[contest.v].progress;
    if (p->reported == 0) {
        return "waiting";
    }
    if (p->annulled == p->expected) {
        return "annulled";
    }
    if (!tally_is_complete(tally, contest)) {
        return "partial";
    }
    if (tally_is_certified(tally, contest)) {
        return "certified";
    }
    return tied ? "tied" : "complete";
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
    COPY(options, e->options_n);
    COPY(areas, e->areas_n);
    COPY(branch_position, e->branches_n);
    COPY(branch_conflict, e->branches_n);
    COPY(excluded, e->candidates_n);
    to->state           = from->state;
    to->state_until     = from->state_until;
    to->state_position  = from->state_position;
    to->terminals_added = from->terminals_added;
    to->position        = from->position;
    twins_forget(to->twins);
}
