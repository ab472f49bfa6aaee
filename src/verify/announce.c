/* SPDX-License-Identifier: Apache-2.0 */
#include "announce.h"

#include <inttypes.h>
#include <stdlib.h>

#define CONTEST_MAX ((size_t)256 << 20)
#define PAST_MAX    ((size_t)8 << 30)

/* One document against one tally. */
struct judging {
    struct verify        *v;
    const struct results *said;
    const struct tally   *tally;
    uint64_t              entry;
    bool                  wrong;
};

static void
differs(struct judging *j, struct tly_bytes contest)
{
    j->wrong = true;
    findings_addf(&j->v->findings, FOUND_RESULT_NUMBERS, "entry %" PRIu64 " %.*s", j->entry,
                  (int)contest.len, (const char *)contest.data);
}

static void
differs_whole(struct judging *j)
{
    char text[FOUND_AT_SIZE];
    (void)snprintf(text, sizeof text, "entry %" PRIu64, j->entry);
    j->wrong = true;
    findings_add(&j->v->findings, FOUND_RESULT_NUMBERS, text);
}

/* The contest of a row, if it is one of the scope; IX_NONE: it is not. */
static uint32_t
contest_of(const struct judging *j, const struct results_contest *row)
{
    const struct election  *e  = j->tally->election;
    const struct contest_ix ix = election_contest(e, row->contest);
    return ix.v != IX_NONE && election_within(e, e->contests[ix.v].area, j->said->scope) ? ix.v
                                                                                         : IX_NONE;
}

/* A contest's members; of one with a withheld bundle there nobody outside can tell. */
static enum tly_err
members_check(struct judging *j, uint32_t contest, const struct results_contest *row)
{
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = CONTEST_MAX};
    const struct election           *e       = j->tally->election;
    struct results_now               now;
    const struct contest_ix          ix = {contest};
    if (recount_hidden_of(j->tally, ix).all > 0) {
        return TLY_OK;
    }
    const enum tly_err err = results_of(j->tally, ix, &scratch, &now);
    if (err == TLY_OK && results_differs(e, &e->contests[contest], row, &now) != NULL) {
        differs(j, row->contest);
    }
    return err;
}

/* Every contest of the scope once; `seen` has a byte for each contest. */
static enum tly_err
contests_check(struct judging *j, uint8_t *seen)
{
    const struct election *e   = j->tally->election;
    enum tly_err           err = TLY_OK;
    for (uint32_t i = 0; i < j->said->contests_n && err == TLY_OK; i++) {
        const struct results_contest *row = &j->said->contests[i];
        const uint32_t                ix  = contest_of(j, row);
        if (ix == IX_NONE || seen[ix]) {
            differs(j, row->contest);
            continue;
        }
        seen[ix] = 1;
        err      = members_check(j, ix, row);
    }
    for (uint32_t i = 0; i < e->contests_n && err == TLY_OK; i++) {
        if (!seen[i] && election_within(e, e->contests[i].area, j->said->scope)) {
            differs(j, tly_text(e->contests[i].code));
        }
    }
    return err;
}

static enum tly_err
numbers_check(struct judging *j)
{
    uint64_t units[UNITS_N];
    uint8_t *seen = calloc((size_t)j->tally->election->contests_n + 1, 1);
    if (seen == NULL) {
        return TLY_ENOMEM;
    }
    const enum tly_err err = contests_check(j, seen);
    free(seen);
    results_units(j->tally, j->said->scope, units);
    if (memcmp(units, j->said->units, sizeof units) != 0) {
        differs_whole(j);
    }
    return err;
}

/* The tally as it stood at the document's size, when that is not now. */
static enum tly_err
past_check(struct judging *j)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = PAST_MAX};
    const struct recount            *c     = j->v->recount;
    struct tally                     past;
    enum tly_err                     err = tally_init(&past, c->tally.election, &arena);
    if (err == TLY_OK) {
        history_replay(c->history, j->said->at, &past);
        j->tally = &past;
        err      = numbers_check(j);
        j->tally = &c->tally;
    }
    return err;
}

/* Has anything that the document is about changed since?  Then an older tally is needed. */
static bool
is_past(const struct tally *tally, const struct results *said)
{
    const struct election *e = tally->election;
    for (uint32_t i = 0; i < e->contests_n; i++) {
        if (tally->contests[i].position >= said->at &&
            election_within(e, e->contests[i].area, said->scope)) {
            return true;
        }
    }
    return tally->areas[said->scope.v].position >= said->at;
}

/* Is it the next document of its scope, and of a head of this log? */
static bool
is_next(const struct verify *v, const struct results *said, uint64_t position)
{
    const struct scope *newest = &v->recount->scopes[said->scope.v];
    struct tly_hash     root;
    const bool          right_prev = newest->serial == 0
                                         ? !said->has_prev
                                         : said->has_prev && tly_hash_eq(&said->prev, &newest->payload);
    return right_prev && tly_bytes_eq(said->origin, v->note.origin) &&
           said->serial == newest->serial + 1 && said->at <= position &&
           (!verify_root(v, said->at, &root) || tly_hash_eq(&root, &said->root));
}

enum tly_err
announce_judge(struct verify *v, struct item *item, uint64_t position)
{
    struct recount *c   = v->recount;
    struct judging  j   = {v, &item->results, &c->tally, position, false};
    enum tly_err    err = TLY_OK;
    if (!item->has_results) {
        return TLY_OK;
    }
    if (!is_next(v, j.said, position)) {
        item_find(item, FOUND_RESULT_SERIAL);
    }
    if (j.said->at <= position) {
        err = is_past(&c->tally, j.said) ? past_check(&j) : numbers_check(&j);
    }
    if (item->found == 0) {
        c->scopes[j.said->scope.v] = (struct scope){j.said->serial, item->leaf.payload};
    }
    return err;
}
