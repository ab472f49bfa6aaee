/* SPDX-License-Identifier: Apache-2.0 */
#include "contests.h"

static enum tly_err
outcome_quiet(const struct tally *tally, struct contest_ix ix, struct tly_arena *arena,
              struct outcome *out)
{
    const struct election *e = tally->election;
    struct method_input    in;
    const enum tly_err     err = outcome_input(tally, ix, arena, &in);
    in.quiet                   = true;
    return err == TLY_OK ? outcome_of(e->rules[e->contests[ix.v].rule].method, &in, arena, out)
                         : err;
}

enum tly_err
contests_result(const struct recount *c, struct contest_ix ix, struct tly_arena *arena,
                struct contest_result *out)
{
    const struct tally         *tally  = &c->tally;
    const struct election      *e      = tally->election;
    const struct progress      *p      = &tally->contests[ix.v].progress;
    const struct recount_hidden hidden = recount_hidden_of(tally, ix);
    struct contest_result       r      = {.contest = &e->contests[ix.v], .withheld = hidden.all};
    enum tly_err                err    = TLY_OK;
    r.has_ballots                      = p->counted > hidden.counted;
    r.has_seats                        = r.has_ballots && e->rules[r.contest->rule].method->lists;
    r.ballots                          = tally->contests[ix.v].totals.n[COUNT_CAST];
    if (r.has_ballots) {
        err = outcome_quiet(tally, ix, arena, &r.outcome);
    }
    r.status     = hidden.all > 0
                       ? "withheld"
                       : tally_contest_status(tally, ix, r.has_ballots && r.outcome.ties_n > 0);
    r.has_result = r.has_ballots && hidden.all == 0;
    if (err == TLY_OK && r.has_result) {
        err = decision_result(tally, ix, arena, &r.result);
    }
    if (err == TLY_OK) {
        *out = r;
    }
    return err;
}

struct unit_counts
contests_units(const struct recount *c)
{
    struct unit_counts u = {0};
    for (uint32_t i = 0; i < c->tally.election->contests_n; i++) {
        const struct progress *p = &c->tally.contests[i].progress;
        u.expected += p->expected;
        u.counted += p->counted;
        u.held += p->held;
        u.annulled += p->annulled;
        u.missing += p->expected - p->reported;
    }
    return u;
}
