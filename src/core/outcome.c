/* SPDX-License-Identifier: Apache-2.0 */
#include "core/outcome.h"

#include "base/check.h"
#include "base/num.h"

#include "seats.h"

static void
add(uint64_t *sum, uint64_t term)
{
    const bool fits = tly_add_u64(*sum, term, sum);
    TLY_CHECK(fits); /* 2^31 at each of 2^32 branches */
}

static void
totals_fill(const struct method_input *in, struct outcome *out)
{
    TLY_CHECK(in->candidates_n == 0);
    for (uint32_t l = 0; l < in->lists_n; l++) {
        out->list_votes[l] = in->totals[l].votes;
    }
    out->has_pool   = in->totals_pool;
    out->pool_votes = in->totals_pool ? in->totals[in->lists_n].votes : 0;
}

/* Votes that count by law, of persons, lists and the pool. */
static void
votes_fill(const struct method *method, const struct method_input *in, struct outcome *out)
{
    for (uint32_t l = 0; l < in->lists_n && !method->credits; l++) {
        out->list_votes[l] = in->list_ballots[l];
    }
    for (uint32_t c = 0; c < in->candidates_n; c++) {
        const uint32_t list = in->candidate_list[c];
        TLY_CHECK(list == IX_NONE || list < in->lists_n);
        out->votes[c] = in->personal[c];
        if (list == IX_NONE) {
            out->has_pool = true;
            add(&out->pool_votes, out->votes[c]);
            continue;
        }
        if (method->credits) {
            add(&out->votes[c], in->list_ballots[list]);
        }
        add(&out->list_votes[list], out->votes[c]);
    }
}

/* 1 is first; equal votes, equal rank. */
static void
rank_fill(const struct method_input *in, struct outcome *out)
{
    uint32_t *order = out->order;
    uint32_t  last  = in->candidates_n; /* the excluded fill the end */
    for (uint32_t i = 0; i < in->candidates_n; i++) {
        if (in->excluded != NULL && in->excluded[i]) {
            order[--last] = i;
        } else {
            order[out->ranked_n++] = i;
        }
    }
    seats_sort(order, out->ranked_n, out->votes);
    for (uint32_t i = 0; i < out->ranked_n; i++) {
        const bool equal    = i > 0 && out->votes[order[i]] == out->votes[order[i - 1]];
        out->rank[order[i]] = equal ? out->rank[order[i - 1]] : i + 1;
    }
}

enum tly_err
outcome_of(const struct method *method, const struct method_input *in, struct tly_arena *arena,
           struct outcome *out)
{
    struct outcome o = {
        .votes      = TLY_NEW(arena, uint64_t, in->candidates_n),
        .list_votes = TLY_NEW(arena, uint64_t, in->lists_n),
        .rank       = TLY_NEW(arena, uint32_t, in->candidates_n),
        .order      = TLY_NEW(arena, uint32_t, in->candidates_n),
    };
    if (o.votes == NULL || o.list_votes == NULL || o.rank == NULL || o.order == NULL) {
        return TLY_ENOMEM;
    }
    if (in->totals != NULL) {
        totals_fill(in, &o);
    } else {
        votes_fill(method, in, &o);
    }
    rank_fill(in, &o);
    const enum tly_err err = method->run(in, arena, &o);
    if (err == TLY_OK) {
        *out = o;
    }
    return err;
}

enum tly_err
outcome_input(const struct tally *tally, struct contest_ix ix, struct tly_arena *arena,
              struct method_input *in)
{
    const struct election *e = tally->election;
    TLY_CHECK(ix.v < e->contests_n);
    const struct contest *contest = &e->contests[ix.v];
    const uint64_t       *options = tally->options + contest->options_first;
    uint32_t             *lists   = TLY_NEW(arena, uint32_t, contest->candidates_n);
    if (lists == NULL) {
        return TLY_ENOMEM;
    }
    for (uint32_t i = 0; i < contest->candidates_n; i++) {
        const struct list_ix list = e->candidates[contest->candidates_first + i].list;
        lists[i]                  = list.v == IX_NONE ? IX_NONE : list.v - contest->lists_first;
    }
    *in = (struct method_input){
        .params         = e->rules[contest->rule].params,
        .seats          = contest->seats,
        .alternates     = contest->alternates,
        .lists_n        = contest->lists_n,
        .candidates_n   = contest->candidates_n,
        .list_ballots   = options,
        .personal       = options + contest->lists_n,
        .candidate_list = lists,
        .valid_ballots  = tally->contests[ix.v].totals.n[COUNT_VALID],
        .excluded       = tally->excluded + contest->candidates_first,
        .lots           = tally->contests[ix.v].lots,
    };
    return TLY_OK;
}

enum tly_err
outcome_run(const struct tally *tally, struct contest_ix ix, struct tly_arena *arena,
            struct outcome *out)
{
    const struct election *e = tally->election;
    struct method_input    in;
    const enum tly_err     err = outcome_input(tally, ix, arena, &in);
    return err != TLY_OK ? err
                         : outcome_of(e->rules[e->contests[ix.v].rule].method, &in, arena, out);
}
