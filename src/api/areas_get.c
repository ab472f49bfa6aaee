/* SPDX-License-Identifier: Apache-2.0 */
#include "api_int.h"

static json_t *
area_show(const struct tally *tally, struct area_ix ix)
{
    const struct election *e    = tally->election;
    const struct area     *area = &e->areas[ix.v];
    json_t                *parent =
        area->parent.v == IX_NONE ? json_null() : json_string(e->areas[area->parent.v].code);
    return json_pack("{s:s,s:o,s:s,s:o,s:o,s:o,s:I,s:I}", "area", area->code, "parent", parent,
                     "level", level_name(area->level), "name", api_show_name(&area->name),
                     "progress", api_show_progress(&tally->areas[ix.v].progress), "ballots",
                     api_show_totals(&tally->areas[ix.v].totals, &tally->areas[ix.v].progress),
                     "contests", (json_int_t)area->contests_n, "children",
                     (json_int_t)area->children_n);
}

/* GET /v1/areas/{area}: one area with its progress and sums.
 * 200: JSON.  304.  404: problem. */
enum http_next
api_areas_get(struct api_req *r)
{
    const struct tally  *tally = &r->snapshot->tally;
    const struct area_ix ix    = election_area(tally->election, r->args[0]);
    if (ix.v == IX_NONE) {
        return api_reply_missing(r, "area");
    }
    return api_not_modified(r, tally->areas[ix.v].position)
               ? HTTP_REPLIED
               : api_reply_json(r, area_show(tally, ix));
}

/* GET /v1/areas?parent=: all areas, parents before children; parent=CODE its children, parent= the
 * root.
 * 200: a page.  304.  404 422: problem. */
enum http_next
api_areas_list(struct api_req *r)
{
    const struct tally                *tally = &r->snapshot->tally;
    const struct election             *e     = tally->election;
    const bool                         all   = http_query(r->http, "parent") == NULL;
    struct tly_diag                    diag  = {0};
    struct area_ix                     parent;
    TLY_AUTO(api_page) struct api_page page = {0};
    enum tly_err                       err  = api_query_area(r, "parent", &parent, &diag);
    if (err == TLY_OK) {
        err = api_page_begin(r, &page, &diag);
    }
    if (err != TLY_OK) {
        return api_reply_err(r->state, r->http, err, &diag);
    }
    /* The root's position is the newest of all areas. */
    const uint32_t newest = parent.v == IX_NONE ? 0 : parent.v;
    if (api_not_modified(r, tally->areas[newest].position)) {
        return HTTP_REPLIED;
    }
    for (; page.next < e->areas_n && page.left > 0; page.next++) {
        if (all || e->areas[page.next].parent.v == parent.v) {
            json_array_append_new(page.items, area_show(tally, (struct area_ix){page.next}));
            page.left--;
        }
    }
    return api_page_reply(r, &page, e->areas_n);
}
