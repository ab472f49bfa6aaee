/* SPDX-License-Identifier: Apache-2.0 */
/* What a results document has to say, and whether it does. */
#include "core/results.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/text.h"
#include "core/decision.h"
#include "core/outcome.h"

#define CONTEST_MAX ((size_t)64 << 20) /* for the outcome of the largest contest */
#define POOL        "pool"

enum tly_err
results_of(const struct tally *tally, struct contest_ix ix, struct tly_arena *arena,
           struct results_now *out)
{
    const struct election      *e   = tally->election;
    const struct contest_tally *now = &tally->contests[ix.v];
    struct results_now          r   = {.has_ballots = now->progress.counted > 0,
                                       .ballots     = now->totals.n[COUNT_CAST]};
    if (r.has_ballots) {
        struct method_input in;
        enum tly_err        err = outcome_input(tally, ix, arena, &in);
        in.quiet                = true;
        r.outcome               = TLY_NEW(arena, struct outcome, 1);
        if (err == TLY_OK && r.outcome == NULL) {
            err = TLY_ENOMEM;
        }
        if (err == TLY_OK) {
            err = outcome_of(e->rules[e->contests[ix.v].rule].method, &in, arena, r.outcome);
        }
        if (err == TLY_OK) {
            err = decision_result(tally, ix, arena, &r.result);
        }
        if (err != TLY_OK) {
            return err;
        }
    }
    r.status = tally_contest_status(tally, ix, r.outcome != NULL && r.outcome->ties_n > 0);
    *out     = r;
    return TLY_OK;
}

void
results_units(const struct tally *tally, struct area_ix scope, uint64_t out[UNITS_N])
{
    const struct progress *p = &tally->areas[scope.v].progress;
    out[UNIT_EXPECTED]       = p->expected;
    out[UNIT_COUNTED]        = p->counted;
    out[UNIT_HELD]           = p->held;
    out[UNIT_ANNULLED]       = p->annulled;
    out[UNIT_MISSING]        = p->expected - p->reported;
}

/* ---- comparing ---- */

static bool
same_persons(const struct election *e, const struct contest *c, const struct tly_bytes codes[],
             uint32_t codes_n, const uint32_t list[], uint32_t n)
{
    bool same = codes_n == n;
    for (uint32_t i = 0; i < n && same; i++) {
        same = tly_bytes_eq(codes[i], tly_text(e->candidates[c->candidates_first + list[i]].code));
    }
    return same;
}

static bool
same_seats(const struct election *e, const struct contest *c, const struct results_contest *said,
           const struct outcome *o)
{
    const bool     lists = o != NULL && e->rules[c->rule].method->lists && o->list_seats != NULL;
    const bool     pool  = o != NULL && e->rules[c->rule].method->lists && o->has_pool;
    const uint32_t n     = lists ? c->lists_n : 0;
    bool           same  = said->lists_n == n + pool;
    for (uint32_t i = 0; i < n && same; i++) {
        same = tly_bytes_eq(said->lists[i], tly_text(e->lists[c->lists_first + i].code)) &&
               said->seats[i] == o->list_seats[i];
    }
    return same && (!pool || (tly_bytes_eq(said->lists[n], tly_text(POOL)) &&
                              said->seats[n] == o->pool_seats));
}

const char *
results_differs(const struct election *e, const struct contest *c,
                const struct results_contest *said, const struct results_now *now)
{
    const struct outcome *o = now->outcome;
    if (!tly_bytes_eq(said->status, tly_text(now->status))) {
        return "status";
    }
    if (said->has_ballots != now->has_ballots ||
        (said->has_ballots && said->ballots != now->ballots)) {
        return "ballots";
    }
    if (!same_persons(e, c, said->winners, said->winners_n, o == NULL ? NULL : o->winners,
                      o == NULL ? 0 : o->winners_n)) {
        return "winners";
    }
    if (!same_persons(e, c, said->alternates, said->alternates_n, o == NULL ? NULL : o->alternates,
                      o == NULL ? 0 : o->alternates_n)) {
        return "alternates";
    }
    if (!same_seats(e, c, said, o)) {
        return "seats";
    }
    return said->has_result != now->has_ballots ||
                   (said->has_result && !tly_hash_eq(&said->result, &now->result))
               ? "result"
               : NULL;
}

static enum tly_err
numbers_refuse(const char *contest, const char *member, struct tly_diag *diag)
{
    return tly_fail_at(diag, TLY_ECONFLICT, "numbers", "contests",
                       "%s of contest %s is not what the ledger gives", member, contest);
}

static enum tly_err
judge_contests(const struct tally *tally, const struct results *r, struct tly_diag *diag)
{
    const struct election *e = tally->election;
    uint32_t               n = 0;
    for (uint32_t i = 0; i < e->contests_n; i++) {
        const struct contest            *c       = &e->contests[i];
        TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = CONTEST_MAX};
        struct results_now               now;
        if (!election_within(e, c->area, r->scope)) {
            continue;
        }
        if (n == r->contests_n || !tly_bytes_eq(r->contests[n].contest, tly_text(c->code))) {
            return tly_fail_at(diag, TLY_ECONFLICT, "numbers", "contests",
                               "contest %s is missing, or stands in another place", c->code);
        }
        const enum tly_err err = results_of(tally, (struct contest_ix){i}, &scratch, &now);
        if (err != TLY_OK) {
            return err;
        }
        const char *member = results_differs(e, c, &r->contests[n++], &now);
        if (member != NULL) {
            return numbers_refuse(c->code, member, diag);
        }
    }
    return n == r->contests_n
               ? TLY_OK
               : tly_fail_at(diag, TLY_ECONFLICT, "numbers", "contests",
                             "%" PRIu32 " contests, the scope has %" PRIu32, r->contests_n, n);
}

static enum tly_err
judge_units(const struct tally *tally, const struct results *r, struct tly_diag *diag)
{
    static const char *const names[UNITS_N] = {"units.expected", "units.counted", "units.held",
                                               "units.annulled", "units.missing"};
    uint64_t                 now[UNITS_N];
    results_units(tally, r->scope, now);
    for (unsigned i = 0; i < UNITS_N; i++) {
        if (r->units[i] != now[i]) {
            return tly_fail_at(diag, TLY_ECONFLICT, "numbers", names[i],
                               "%" PRIu64 ", the ledger gives %" PRIu64, r->units[i], now[i]);
        }
    }
    return TLY_OK;
}

/* ---- its place ---- */

static enum tly_err
judge_changes(const struct tally *tally, const struct results *r, struct tly_diag *diag)
{
    const struct election *e      = tally->election;
    uint64_t               newest = 0;
    for (uint32_t i = 0; i < e->contests_n; i++) {
        if (election_within(e, e->contests[i].area, r->scope) &&
            tally->contests[i].position > newest) {
            newest = tally->contests[i].position;
        }
    }
    for (uint32_t i = 0; i < e->branches_n; i++) {
        if (tally->branch_position[i] > newest &&
            election_within(e, e->branches[i].area, r->scope)) {
            newest = tally->branch_position[i];
        }
    }
    return newest < r->at
               ? TLY_OK
               : tly_fail_at(diag, TLY_ECONFLICT, "changed", "log.size",
                             "entry %" PRIu64 " changed a contest or a branch of the scope",
                             newest);
}

static enum tly_err
judge_place(const struct book *book, const struct results *r, struct tly_diag *diag)
{
    const uint64_t           at     = book_result(book, r->scope, UINT64_MAX);
    const struct book_entry *newest = at == UINT64_MAX ? NULL : book_entry(book, at);
    const uint32_t           serial = newest == NULL ? 1 : newest->serial + 1;
    if (r->at > book_size(book)) {
        return tly_fail_at(diag, TLY_ECONFLICT, "state", "log.size",
                           "the ledger has not come to size %" PRIu64 " yet", r->at);
    }
    const struct tly_hash root = merkle_root(book_tree(book), r->at);
    if (!tly_hash_eq(&root, &r->root)) {
        return tly_fail_at(diag, TLY_ECONFLICT, "state", "log.root",
                           "not the ledger's root at size %" PRIu64, r->at);
    }
    if (r->serial != serial) {
        return tly_fail_at(diag, TLY_ECONFLICT, "state", "serial",
                           "the scope's next document has serial %" PRIu32, serial);
    }
    return r->has_prev == (newest != NULL) &&
                   (newest == NULL || tly_hash_eq(&r->prev, &newest->payload))
               ? TLY_OK
               : tly_fail_at(diag, TLY_ECONFLICT, "state", "prev",
                             "not the payload of the scope's document before");
}

enum tly_err
results_judge(const struct tally *tally, const struct book *book, const struct results *results,
              struct tly_diag *diag)
{
    TLY_CHECK(tally->position == book_size(book));
    enum tly_err err = judge_place(book, results, diag);
    if (err == TLY_OK) {
        err = judge_changes(tally, results, diag);
    }
    if (err == TLY_OK) {
        err = judge_units(tally, results, diag);
    }
    return err == TLY_OK ? judge_contests(tally, results, diag) : err;
}
