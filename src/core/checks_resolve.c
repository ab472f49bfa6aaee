/* SPDX-License-Identifier: Apache-2.0 */
/* Which contest, list and candidate the codes of a payload mean. */
#include "base/check.h"

#include "checks_int.h"

static bool
code_is(const char *code, struct tly_bytes text)
{
    return tly_bytes_eq(tly_text(code), text);
}

/* Place of the contest's slot in the branch; codes usually come in the order of ballots.csv. */
static uint32_t
slot_place(const struct checks_work *w, uint32_t guess, struct tly_bytes code)
{
    const struct election *e = w->in->election;
    const struct branch   *b = &e->branches[w->in->branch.v];
    if (guess < b->slots_n) {
        const struct slot *slot = &e->slots[b->slots_first + guess];
        if (code_is(e->contests[slot->contest.v].code, code)) {
            return guess;
        }
    }
    const struct contest_ix contest = election_contest(e, code);
    if (contest.v == IX_NONE) {
        return IX_NONE;
    }
    const struct slot_ix slot = election_slot(e, w->in->branch, contest);
    return slot.v == IX_NONE ? IX_NONE : slot.v - b->slots_first;
}

/* One array of votes: of lists or of candidates. */
struct votes {
    uint32_t          place; /* slot */
    uint32_t          at;    /* contest in the payload */
    const char       *field; /* "lists" or "candidates" */
    bool              lists;
    uint32_t          first, n; /* in payload.votes */
    struct contest_ix contest;
    struct counts    *counts;
    uint64_t         *marks; /* a bit an option: a second vote for it is S01 */
};

/* Place among the contest's lists or candidates, or IX_NONE; usually the guess. */
static uint32_t
option_place(const struct election *e, const struct votes *v, uint32_t guess, struct tly_bytes code)
{
    const struct contest *c = &e->contests[v->contest.v];
    if (v->lists) {
        if (guess < c->lists_n && code_is(e->lists[c->lists_first + guess].code, code)) {
            return guess;
        }
        const struct list_ix ix = election_list(e, v->contest, code);
        return ix.v == IX_NONE ? IX_NONE : ix.v - c->lists_first;
    }
    if (guess < c->candidates_n && code_is(e->candidates[c->candidates_first + guess].code, code)) {
        return guess;
    }
    const struct candidate_ix ix = election_candidate(e, v->contest, code);
    return ix.v == IX_NONE ? IX_NONE : ix.v - c->candidates_first;
}

static enum tly_err
votes_place(struct checks_work *w, const struct votes *v, struct tly_diag *diag)
{
    const struct election *e     = w->in->election;
    const uint32_t         base  = v->lists ? 0 : e->contests[v->contest.v].lists_n;
    uint32_t               guess = 0;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct payload_vote *vote  = &w->in->payload->votes[v->first + i];
        const uint32_t             place = option_place(e, v, guess, vote->code);
        if (place == IX_NONE) {
            w->slots[v->place].seen |= CHECKS_UNREAD;
            checks_find(w,
                        &(struct checks_found){CHECK_S02, v->place, v->at, v->field, i, 0, 0, 0});
            w->places[v->first + i] = IX_NONE;
            continue;
        }
        const uint32_t option = base + place;
        const uint64_t bit    = UINT64_C(1) << option % 64;
        if ((v->marks[option / 64] & bit) != 0) {
            char field[sizeof((struct finding *)0)->field];
            checks_field(field, v->at, v->field, i);
            return tly_fail_at(diag, TLY_EINPUT, "S01", field, "a second vote for %.*s",
                               (int)vote->code.len, (const char *)vote->code.data);
        }
        v->marks[option / 64] |= bit;
        v->counts->options[option] = vote->votes;
        w->places[v->first + i]    = option;
        guess                      = place + 1;
    }
    return TLY_OK;
}

/* "lists" and "mixed" stand where the method has lists, and only there. */
static enum tly_err
lists_stand(struct checks_work *w, uint32_t place, bool wanted, struct tly_diag *diag)
{
    const struct checks_slot *slot = &w->slots[place];
    char                      field[sizeof((struct finding *)0)->field];
    if (slot->row->has_lists == wanted) {
        return TLY_OK;
    }
    if (!tly_hash_eq(&w->in->payload->definition, &w->in->election->definition)) {
        w->slots[place].seen |= CHECKS_UNREAD;
        checks_find(w,
                    &(struct checks_found){CHECK_S02, place, slot->at, "lists", IX_NONE, 0, 0, 0});
        return TLY_OK;
    }
    checks_field(field, slot->at, "lists", IX_NONE);
    return wanted ? tly_fail_at(diag, TLY_ERANGE, "S06", field, "this contest has lists: missing")
                  : tly_fail_at(diag, TLY_EINPUT, "S01", field, "this contest has no lists");
}

/* The numbers of one held contest. */
static enum tly_err
contest_read(struct checks_work *w, uint32_t place, struct tly_diag *diag)
{
    const struct election        *e       = w->in->election;
    const struct payload_contest *row     = w->slots[place].row;
    const struct contest_ix       ix      = e->slots[w->out->slots[place].slot.v].contest;
    const struct contest         *contest = &e->contests[ix.v];
    const size_t                  options = (size_t)contest->lists_n + contest->candidates_n;
    struct counts                *counts =
        tly_arena_alloc(w->arena, 1, sizeof *counts + options * sizeof counts->options[0]);
    uint64_t *marks = TLY_NEW(w->arena, uint64_t, options / 64 + 1);
    if (counts == NULL || marks == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "counts of %zu options", options);
    }
    memcpy(counts->n, row->counts, sizeof counts->n);
    const struct votes lists   = {.place   = place,
                                  .at      = w->slots[place].at,
                                  .field   = "lists",
                                  .lists   = true,
                                  .first   = row->lists_first,
                                  .n       = row->lists_n,
                                  .contest = ix,
                                  .counts  = counts,
                                  .marks   = marks};
    const struct votes persons = {.place   = place,
                                  .at      = w->slots[place].at,
                                  .field   = "candidates",
                                  .first   = row->candidates_first,
                                  .n       = row->candidates_n,
                                  .contest = ix,
                                  .counts  = counts,
                                  .marks   = marks};
    enum tly_err       err     = lists_stand(w, place, e->rules[contest->rule].method->lists, diag);
    if (err == TLY_OK) {
        err = votes_place(w, &lists, diag);
    }
    if (err == TLY_OK) {
        err = votes_place(w, &persons, diag);
    }
    if (err == TLY_OK && (w->slots[place].seen & CHECKS_UNREAD) == 0) {
        w->out->slots[place].counts = counts;
    }
    return err;
}

static enum tly_err
contest_place(struct checks_work *w, uint32_t i, struct tly_diag *diag)
{
    const struct payload_contest *row   = &w->in->payload->contests[i];
    const uint32_t                place = slot_place(w, i, row->code);
    char                          field[sizeof((struct finding *)0)->field];
    if (place == IX_NONE) {
        checks_find(w,
                    &(struct checks_found){CHECK_S02, CHECKS_ALL, i, "contest", IX_NONE, 0, 0, 0});
        return TLY_OK;
    }
    if (w->slots[place].row != NULL) {
        checks_field(field, i, "contest", IX_NONE);
        return tly_fail_at(diag, TLY_EINPUT, "S01", field, "contest %.*s stands twice",
                           (int)row->code.len, (const char *)row->code.data);
    }
    w->slots[place].row = row;
    w->slots[place].at  = i;
    if (row->not_held.data != NULL) {
        w->out->slots[place].not_held = true;
        return TLY_OK;
    }
    return contest_read(w, place, diag);
}

enum tly_err
checks_resolve(struct checks_work *w, struct tly_diag *diag)
{
    for (uint32_t i = 0; i < w->in->payload->contests_n; i++) {
        const enum tly_err err = contest_place(w, i, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    for (uint32_t i = 0; i < w->out->slots_n; i++) {
        if (w->slots[i].row == NULL) {
            checks_find(
                w, &(struct checks_found){CHECK_S03, i, IX_NONE, "contests", IX_NONE, 0, 0, 0});
        }
    }
    return TLY_OK;
}
