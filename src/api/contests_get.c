/* SPDX-License-Identifier: Apache-2.0 */
#include "api_int.h"
#include "core/outcome.h"

static const char *const statuses[] = {"waiting", "partial",   "complete",
                                       "tied",    "certified", "annulled"};

/* GET /v1/contests/{contest}: one contest with its candidates, steps and readings.
 * 200: JSON.  304.  404: problem. */
enum http_next
api_contests_get(struct api_req *r)
{
    const struct tally     *tally = &r->snapshot->tally;
    const struct contest_ix ix    = election_contest(tally->election, r->args[0]);
    if (ix.v == IX_NONE) {
        return api_reply_missing(r, "contest");
    }
    return api_not_modified(r, tally->contests[ix.v].position)
               ? HTTP_REPLIED
               : api_reply_json(r, api_show_contest(tally, ix, true, r->http->arena));
}

/* What a list of contests is narrowed to. */
struct filter {
    struct area_ix area;   /* IX_NONE: all */
    const char    *status; /* NULL: all */
    const char    *method; /* NULL: all */
};

static enum tly_err
filter_read(struct api_req *r, struct filter *out, struct tly_diag *diag)
{
    const enum tly_err err = api_query_area(r, "area", &out->area, diag);
    if (err != TLY_OK) {
        return err;
    }
    out->status = http_query(r->http, "status");
    out->method = http_query(r->http, "method");
    bool known  = out->status == NULL;
    for (size_t i = 0; i < TLY_N(statuses) && !known; i++) {
        known = strcmp(out->status, statuses[i]) == 0;
    }
    if (!known) {
        return tly_fail_at(diag, TLY_ERANGE, "query", "status", "no such status of a contest");
    }
    if (out->method != NULL && method_find(tly_text(out->method)) == NULL) {
        return tly_fail_at(diag, TLY_ERANGE, "query", "method", "no such method");
    }
    return TLY_OK;
}

/* The filters that the tally cannot change. */
static bool
fits(const struct filter *f, const struct election *e, const struct contest *c)
{
    return (f->area.v == IX_NONE || election_within(e, c->area, f->area)) &&
           (f->method == NULL || strcmp(e->rules[c->rule].method->name, f->method) == 0);
}

static bool
status_fits(const struct filter *f, const json_t *shown)
{
    return f->status == NULL ||
           strcmp(json_string_value(json_object_get(shown, "status")), f->status) == 0;
}

/* Cheap: without running the rule.  A tie only shows in a complete contest. */
static bool
status_may_fit(const struct filter *f, const struct tally *tally, struct contest_ix ix)
{
    const char *plain = tally_contest_status(tally, ix, false);
    return f->status == NULL || strcmp(plain, f->status) == 0 ||
           (strcmp(f->status, "tied") == 0 && strcmp(plain, "complete") == 0);
}

static uint64_t
newest_of(const struct filter *f, const struct tally *tally)
{
    uint64_t newest = 0;
    for (uint32_t i = 0; i < tally->election->contests_n; i++) {
        if (tally->contests[i].position > newest &&
            fits(f, tally->election, &tally->election->contests[i])) {
            newest = tally->contests[i].position;
        }
    }
    return newest;
}

static enum tly_err
fill(struct api_req *r, const struct filter *f, struct api_page *page)
{
    const struct tally    *tally = &r->snapshot->tally;
    const struct election *e     = tally->election;
    for (; page->next < e->contests_n && page->left > 0; page->next++) {
        const struct contest_ix ix = {page->next};
        if (!fits(f, e, &e->contests[ix.v]) || !status_may_fit(f, tally, ix)) {
            continue;
        }
        TLY_AUTO(json) json_t *shown = api_show_contest(tally, ix, false, r->http->arena);
        if (shown == NULL) {
            return TLY_ENOMEM;
        }
        if (status_fits(f, shown)) {
            json_array_append_new(page->items, TLY_TAKE(shown));
            page->left--;
        }
    }
    return TLY_OK;
}

/* GET /v1/contests?area=&status=&method=: contests of the area and below it, without candidates,
 * steps and readings.
 * 200: a page.  304.  404 422: problem. */
enum http_next
api_contests_list(struct api_req *r)
{
    struct filter                      filter;
    TLY_AUTO(api_page) struct api_page page = {0};
    struct tly_diag                    diag = {0};
    enum tly_err                       err  = filter_read(r, &filter, &diag);
    if (err == TLY_OK) {
        err = api_page_begin(r, &page, &diag);
    }
    if (err != TLY_OK) {
        return api_reply_err(r->state, r->http, err, &diag);
    }
    if (api_not_modified(r, newest_of(&filter, &r->snapshot->tally))) {
        return HTTP_REPLIED;
    }
    err = fill(r, &filter, &page);
    if (err != TLY_OK) {
        return api_reply_err(r->state, r->http, err, NULL);
    }
    return api_page_reply(r, &page, r->state->config.election->contests_n);
}
