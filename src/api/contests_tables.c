/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind a contest: branch by branch and area by area. */
#include "api_int.h"
#include "core/by_area.h"

#define TABLE_VOTES_MAX 65536U /* of one page; a row of a capital has thousands */

/* The contest of the path, and a page of its table: it ends with `limit` rows, or behind the row
 * that brings it to TABLE_VOTES_MAX votes, so that no page takes more than some 20 MB to make. */
struct table {
    const struct tally   *tally;
    const struct contest *contest;
    struct contest_ix     ix;
    struct api_page       page;
    uint32_t              votes;
};

static void
tly_auto_table(struct table *t)
{
    tly_auto_api_page(&t->page);
}

static bool
table_goes_on(const struct table *t, uint32_t rows_n)
{
    return t->page.next < rows_n && t->page.left > 0 && t->votes < TABLE_VOTES_MAX;
}

/* One option's votes: of a branch (32 bits), or of an area. */
static uint64_t
option_votes(const struct counts *counts, const uint64_t sums[], uint32_t i)
{
    return counts != NULL ? counts->options[i] : sums[i];
}

/* [[CODE, N], ...] of those that got any. */
static json_t *
votes_show(struct table *t, bool lists, const struct counts *counts, const uint64_t sums[])
{
    const struct election *e     = t->tally->election;
    const struct contest  *c     = t->contest;
    json_t                *out   = json_array();
    const uint32_t         n     = lists ? c->lists_n : c->candidates_n;
    const uint32_t         first = lists ? 0 : c->lists_n;
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t votes = option_votes(counts, sums, first + i);
        if (votes > 0) {
            const char *code = lists ? e->lists[c->lists_first + i].code
                                     : e->candidates[c->candidates_first + i].code;
            json_array_append_new(out, json_pack("[s,I]", code, (json_int_t)votes));
            t->votes++;
        }
    }
    return out;
}

/* "lists", "mixed" and "candidates": null where nothing is shown, never 0. */
static void
put_votes(struct table *t, json_t *o, bool shown, const struct counts *counts,
          const uint64_t sums[], uint64_t mixed)
{
    json_object_set_new(o, "lists", shown ? votes_show(t, true, counts, sums) : json_null());
    json_object_set_new(o, "mixed", shown ? json_integer((json_int_t)mixed) : json_null());
    json_object_set_new(o, "candidates", shown ? votes_show(t, false, counts, sums) : json_null());
}

static json_t *
branch_row(struct table *t, struct slot_ix ix)
{
    const struct election *e     = t->tally->election;
    const struct standing *st    = &t->tally->slots[ix.v];
    const struct branch   *b     = &e->branches[e->slots[ix.v].branch.v];
    const bool             shown = st->counts != NULL;
    json_t                *o     = json_object();
    json_object_set_new(o, "branch", json_string(b->code));
    json_object_set_new(o, "area", json_string(e->areas[b->area.v].code));
    json_object_set_new(o, "name", api_show_name(&b->name));
    json_object_set_new(o, "state", json_string(slot_state_name((enum slot_state)st->state)));
    json_object_set_new(o, "revision", json_integer((json_int_t)st->revision));
    json_object_set_new(o, "not_held", json_boolean(st->not_held));
    json_object_set_new(o, "ballots", api_show_counts(st->counts));
    json_object_set_new(o, "checks", api_show_checks(st->checks));
    put_votes(t, o, shown, st->counts, NULL, shown ? st->counts->n[COUNT_MIXED] : 0);
    json_object_set_new(o, "position", json_integer((json_int_t)st->position));
    return o;
}

/* Contest of the path, version, page: what both tables begin with. */
static enum tly_err
table_begin(struct api_req *r, struct table *t, bool *answered)
{
    struct tly_diag diag = {0};
    t->tally             = &r->snapshot->tally;
    t->ix                = election_contest(t->tally->election, r->args[0]);
    enum tly_err err     = t->ix.v == IX_NONE ? tly_fail(&diag, TLY_ENOENT, "no such contest")
                                              : api_page_begin(r, &t->page, &diag);
    if (err != TLY_OK) {
        (void)api_reply_err(r->state, r->http, err, &diag);
        return err;
    }
    t->contest = &t->tally->election->contests[t->ix.v];
    *answered  = api_not_modified(r, t->tally->contests[t->ix.v].position);
    return TLY_OK;
}

/* GET /v1/contests/{contest}/branches: what each branch reported.
 * 200: a page.  304.  404 422: problem. */
enum http_next
api_contests_branches(struct api_req *r)
{
    TLY_AUTO(table) struct table t = {0};
    bool                         answered;
    if (table_begin(r, &t, &answered) != TLY_OK || answered) {
        return HTTP_REPLIED;
    }
    const struct contest *c = t.contest;
    for (; table_goes_on(&t, c->slots_n); t.page.next++, t.page.left--) {
        const struct slot_ix slot = t.tally->election->contest_slots[c->slots_first + t.page.next];
        json_array_append_new(t.page.items, branch_row(&t, slot));
    }
    return api_page_reply(r, &t.page, c->slots_n);
}

static json_t *
area_row(struct table *t, const struct by_area *by, struct area_ix ix, uint64_t options[])
{
    const struct area *area = &t->tally->election->areas[ix.v];
    struct area_sum    sum;
    by_area_sum(by, ix, &sum, options);
    json_t *o = json_object();
    json_object_set_new(o, "area", json_string(area->code));
    json_object_set_new(o, "level", json_string(level_name(area->level)));
    json_object_set_new(o, "name", api_show_name(&area->name));
    json_object_set_new(o, "progress", api_show_progress(&sum.progress));
    json_object_set_new(o, "ballots", api_show_totals(&sum.totals, &sum.progress));
    put_votes(t, o, sum.progress.counted > 0, NULL, options, sum.totals.n[COUNT_MIXED]);
    return o;
}

/* GET /v1/contests/{contest}/areas: those with a branch of the contest, parents first.
 * 200: a page.  304.  404 422: problem. */
enum http_next
api_contests_areas(struct api_req *r)
{
    const uint32_t               areas_n = r->state->config.election->areas_n;
    TLY_AUTO(table) struct table t       = {0};
    struct by_area               by;
    bool                         answered;
    if (table_begin(r, &t, &answered) != TLY_OK || answered) {
        return HTTP_REPLIED;
    }
    uint64_t *options =
        TLY_NEW(r->http->arena, uint64_t, (size_t)t.contest->lists_n + t.contest->candidates_n);
    if (options == NULL || by_area_init(t.tally, t.ix, r->http->arena, &by) != TLY_OK) {
        return api_reply_err(r->state, r->http, TLY_ENOMEM, NULL);
    }
    for (; table_goes_on(&t, areas_n); t.page.next++) {
        const struct area_ix area = {t.page.next};
        if (by_area_has(&by, area)) {
            json_array_append_new(t.page.items, area_row(&t, &by, area, options));
            t.page.left--;
        }
    }
    return api_page_reply(r, &t.page, areas_n);
}
