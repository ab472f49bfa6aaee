/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind a contest: branch by branch and area by area. */
#include "api_int.h"

/* [[CODE, N], ...] of those that got any. */
static json_t *
votes_show(const struct election *e, const struct contest *c, const uint32_t options[], bool lists)
{
    json_t        *out   = json_array();
    const uint32_t n     = lists ? c->lists_n : c->candidates_n;
    const uint32_t first = lists ? 0 : c->lists_n;
    for (uint32_t i = 0; i < n; i++) {
        if (options[first + i] > 0) {
            const char *code = lists ? e->lists[c->lists_first + i].code
                                     : e->candidates[c->candidates_first + i].code;
            json_array_append_new(out, json_pack("[s,I]", code, (json_int_t)options[first + i]));
        }
    }
    return out;
}

static json_t *
row_show(const struct tally *tally, struct slot_ix ix)
{
    const struct election *e  = tally->election;
    const struct standing *st = &tally->slots[ix.v];
    const struct branch   *b  = &e->branches[e->slots[ix.v].branch.v];
    const struct contest  *c  = &e->contests[e->slots[ix.v].contest.v];
    json_t                *o  = json_object();
    json_object_set_new(o, "branch", json_string(b->code));
    json_object_set_new(o, "area", json_string(e->areas[b->area.v].code));
    json_object_set_new(o, "name", api_show_name(&b->name));
    json_object_set_new(o, "state", json_string(slot_state_name((enum slot_state)st->state)));
    json_object_set_new(o, "revision", json_integer((json_int_t)st->revision));
    json_object_set_new(o, "not_held", json_boolean(st->not_held));
    json_object_set_new(o, "ballots", api_show_counts(st->counts));
    json_object_set_new(o, "checks", api_show_checks(st->checks));
    const bool shown = st->counts != NULL;
    json_object_set_new(o, "lists",
                        shown ? votes_show(e, c, st->counts->options, true) : json_null());
    json_object_set_new(o, "mixed",
                        shown ? json_integer((json_int_t)st->counts->n[COUNT_MIXED]) : json_null());
    json_object_set_new(o, "candidates",
                        shown ? votes_show(e, c, st->counts->options, false) : json_null());
    json_object_set_new(o, "position", json_integer((json_int_t)st->position));
    return o;
}

/* Contest of the path, version, page: what both tables begin with. */
static enum tly_err
table_begin(struct api_req *r, struct contest_ix *contest, struct api_page *page, bool *answered)
{
    struct tly_diag diag = {0};
    *contest             = election_contest(r->state->config.election, r->args[0]);
    enum tly_err err     = contest->v == IX_NONE ? tly_fail(&diag, TLY_ENOENT, "no such contest")
                                                 : api_page_begin(r, page, &diag);
    if (err != TLY_OK) {
        (void)api_reply_err(r->state, r->http, err, &diag);
        return err;
    }
    *answered = api_not_modified(r, r->snapshot->tally.contest_position[contest->v]);
    return TLY_OK;
}

/* GET /v1/contests/{contest}/branches: what each branch reported.
 * 200: a page.  304.  404 422: problem. */
enum http_next
api_contests_branches(struct api_req *r)
{
    const struct tally                *tally = &r->snapshot->tally;
    struct contest_ix                  ix;
    TLY_AUTO(api_page) struct api_page page = {0};
    bool                               answered;
    if (table_begin(r, &ix, &page, &answered) != TLY_OK || answered) {
        return HTTP_REPLIED;
    }
    const struct contest *c = &tally->election->contests[ix.v];
    for (; page.next < c->slots_n && page.left > 0; page.next++, page.left--) {
        const struct slot_ix slot = tally->election->contest_slots[c->slots_first + page.next];
        json_array_append_new(page.items, row_show(tally, slot));
    }
    return api_page_reply(r, &page, c->slots_n);
}

/* Sums of one contest over the branches of one area and below. */
struct area_sum {
    bool            used;
    struct progress progress;
    struct totals   totals;
};

static void
sum_add(struct area_sum *sum, const struct standing *st)
{
    const bool counted = st->state == SLOT_COUNTED || st->state == SLOT_CORRECTED;
    sum->used          = true;
    sum->progress.expected++;
    sum->progress.reported += st->state != SLOT_EXPECTED;
    sum->progress.counted += counted;
    sum->progress.held += st->state == SLOT_HELD;
    sum->progress.annulled += st->state == SLOT_ANNULLED;
    for (unsigned i = 0; counted && st->counts != NULL && i < COUNTS_N; i++) {
        sum->totals.n[i] += st->counts->n[i];
    }
}

static void
sum_join(struct area_sum *to, const struct area_sum *from)
{
    to->used = true;
    to->progress.expected += from->progress.expected;
    to->progress.reported += from->progress.reported;
    to->progress.counted += from->progress.counted;
    to->progress.held += from->progress.held;
    to->progress.annulled += from->progress.annulled;
    for (unsigned i = 0; i < COUNTS_N; i++) {
        to->totals.n[i] += from->totals.n[i];
    }
}

/* Sums by area, from the contest's branches up the tree: leaves first, then one pass backwards. */
static struct area_sum *
sums_make(const struct tally *tally, const struct contest *c, struct tly_arena *arena)
{
    const struct election *e    = tally->election;
    struct area_sum       *sums = TLY_NEW(arena, struct area_sum, e->areas_n);
    if (sums == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < c->slots_n; i++) {
        const struct slot_ix slot = e->contest_slots[c->slots_first + i];
        sum_add(&sums[e->branches[e->slots[slot.v].branch.v].area.v], &tally->slots[slot.v]);
    }
    for (uint32_t i = e->areas_n; i-- > 1;) {
        if (sums[i].used) {
            sum_join(&sums[e->areas[i].parent.v], &sums[i]);
        }
    }
    return sums;
}

/* GET /v1/contests/{contest}/areas: those with a branch of the contest, parents first.
 * 200: a page.  304.  404 422: problem. */
enum http_next
api_contests_areas(struct api_req *r)
{
    const struct election             *e = r->state->config.election;
    struct contest_ix                  ix;
    TLY_AUTO(api_page) struct api_page page = {0};
    bool                               answered;
    if (table_begin(r, &ix, &page, &answered) != TLY_OK || answered) {
        return HTTP_REPLIED;
    }
    const struct area_sum *sums =
        sums_make(&r->snapshot->tally, &e->contests[ix.v], r->http->arena);
    if (sums == NULL) {
        return api_reply_err(r->state, r->http, TLY_ENOMEM, NULL);
    }
    for (; page.next < e->areas_n && page.left > 0; page.next++) {
        const struct area_sum *sum = &sums[page.next];
        if (!sum->used) {
            continue;
        }
        const struct area *area = &e->areas[page.next];
        json_array_append_new(page.items,
                              json_pack("{s:s,s:s,s:o,s:o,s:o}", "area", area->code, "level",
                                        level_name(area->level), "name", api_show_name(&area->name),
                                        "progress", api_show_progress(&sum->progress), "ballots",
                                        api_show_totals(&sum->totals, &sum->progress)));
        page.left--;
    }
    return api_page_reply(r, &page, e->areas_n);
}
