/* SPDX-License-Identifier: Apache-2.0 */
#include "api_int.h"
#include "base/num.h"

#define TIMELINE_MAX 256U

/* doc/api.md; late, not_ready and rejected come with check-ins and the evidence's index. */
enum branch_status {
    STATUS_SILENT,
    STATUS_LATE,
    STATUS_NOT_READY,
    STATUS_HELD,
    STATUS_REJECTED,
    STATUS_CONFLICTING,
    STATUS_FLAGGED,
    STATUS_ANNULLED,
    STATUS_COUNTED,
    STATUSES_N
};

static const char *const status_names[STATUSES_N] = {"silent",  "late",     "not_ready",
                                                     "held",    "rejected", "conflicting",
                                                     "flagged", "annulled", "counted"};

static uint64_t
flag_checks(void)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < CHECKS_N; i++) {
        bits |= check_level((enum check)i) == CHECK_FLAG ? CHECK_BIT(i) : 0;
    }
    return bits;
}

/* Bits 1 << enum branch_status. */
static unsigned
status_of(const struct tally *tally, struct branch_ix ix)
{
    const struct branch *b      = &tally->election->branches[ix.v];
    const uint64_t       flags  = flag_checks();
    unsigned             status = 0;
    uint32_t             seen_n = 0;
    for (uint32_t i = 0; i < b->slots_n; i++) {
        const struct standing *st = &tally->slots[b->slots_first + i];
        seen_n += st->state != SLOT_EXPECTED;
        status |= st->state == SLOT_HELD ? 1U << STATUS_HELD : 0;
        status |= st->state == SLOT_ANNULLED ? 1U << STATUS_ANNULLED : 0;
        status |=
            st->state == SLOT_COUNTED || st->state == SLOT_CORRECTED ? 1U << STATUS_COUNTED : 0;
        status |= st->checks & flags ? 1U << STATUS_FLAGGED : 0;
    }
    status |= seen_n == 0 ? 1U << STATUS_SILENT : 0;
    status |= tally->branch_conflict[ix.v] ? 1U << STATUS_CONFLICTING | 1U << STATUS_FLAGGED : 0;
    return status;
}

static json_t *
status_show(unsigned status)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < STATUSES_N; i++) {
        if (status >> i & 1) {
            json_array_append_new(out, json_string(status_names[i]));
        }
    }
    return out;
}

static json_t *
contests_show(const struct tally *tally, const struct branch *b)
{
    const struct election *e   = tally->election;
    json_t                *out = json_array();
    for (uint32_t i = 0; i < b->slots_n; i++) {
        const uint32_t         slot = b->slots_first + i;
        const struct standing *st   = &tally->slots[slot];
        json_array_append_new(
            out, json_pack("{s:s,s:s,s:I,s:b,s:o,s:o,s:b}", "contest",
                           e->contests[e->slots[slot].contest.v].code, "state",
                           slot_state_name((enum slot_state)st->state), "revision",
                           (json_int_t)st->revision, "not_held", (int)st->not_held, "ballots",
                           api_show_counts(st->counts), "checks", api_show_checks(st->checks),
                           "explained", (int)st->explained));
    }
    return out;
}

static json_t *
branch_show(const struct tally *tally, struct branch_ix ix)
{
    const struct election *e = tally->election;
    const struct branch   *b = &e->branches[ix.v];
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o}", "branch", b->code, "area",
                     e->areas[b->area.v].code, "kind", branch_kind_name(b->kind), "name",
                     api_show_name(&b->name), "status", status_show(status_of(tally, ix)),
                     "contests", contests_show(tally, b));
}

static json_t *
event_show(const struct api_state *state, uint64_t position)
{
    const struct book_entry *entry = book_entry(state->config.book, position);
    if (leaf_is_decision(entry->kind)) {
        return json_pack("{s:I,s:s,s:s,s:I,s:o}", "position", (json_int_t)position, "kind",
                         leaf_kind_name(entry->kind), "contest",
                         state->config.election->contests[entry->contest.v].code, "accepted_ms",
                         (json_int_t)entry->accepted_ms, "payload", api_show_hash(&entry->payload));
    }
    return json_pack("{s:I,s:s,s:I,s:I,s:s,s:o}", "position", (json_int_t)position, "kind",
                     leaf_kind_name(entry->kind), "revision", (json_int_t)entry->revision,
                     "accepted_ms", (json_int_t)entry->accepted_ms, "terminal",
                     registry_row(book_registry(state->config.book), entry->terminal)->code,
                     "payload", api_show_hash(&entry->payload));
}

/* What the ledger says about a branch, up to the snapshot: the newest TIMELINE_MAX entries, oldest
 * first. */
static json_t *
timeline_show(struct api_req *r, struct branch_ix ix)
{
    struct api_state  *state = r->state;
    const struct book *book  = state->config.book;
    json_t            *out   = json_array();
    uint64_t           at[TIMELINE_MAX];
    unsigned           n = 0;
    pthread_rwlock_rdlock(&state->book_lock);
    for (uint64_t p = book_last(book, ix); p != UINT64_MAX && n < TIMELINE_MAX;
         p          = book_before(book, p)) {
        if (p < r->snapshot->published) {
            at[n++] = p;
        }
    }
    while (n > 0) {
        json_array_append_new(out, event_show(state, at[--n]));
    }
    pthread_rwlock_unlock(&state->book_lock);
    return out;
}

/* GET /v1/branches/{branch}: one branch, its contests and its timeline.
 * 200: JSON.  304.  404: problem. */
enum http_next
api_branches_get(struct api_req *r)
{
    const struct tally    *tally = &r->snapshot->tally;
    const struct branch_ix ix    = election_branch(tally->election, r->args[0]);
    if (ix.v == IX_NONE) {
        return api_reply_missing(r, "branch");
    }
    if (api_not_modified(r, tally->branch_position[ix.v])) {
        return HTTP_REPLIED;
    }
    json_t *o = branch_show(tally, ix);
    json_object_set_new(o, "timeline", timeline_show(r, ix));
    return api_reply_json(r, o);
}

static enum tly_err
status_query(struct api_req *r, unsigned *mask, struct tly_diag *diag)
{
    const char *name = http_query(r->http, "status");
    if (name == NULL) {
        *mask = 0;
        return TLY_OK;
    }
    for (unsigned i = 0; i < STATUSES_N; i++) {
        if (strcmp(name, status_names[i]) == 0) {
            *mask = 1U << i;
            return TLY_OK;
        }
    }
    return tly_fail_at(diag, TLY_ERANGE, "query", "status",
                       "no such status of a branch; there are silent, held, conflicting, flagged, "
                       "annulled and counted");
}

/* GET /v1/branches?status=&area=: branches of the area and below it.
 * 200: a page.  304.  404 422: problem. */
enum http_next
api_branches_list(struct api_req *r)
{
    const struct tally                *tally = &r->snapshot->tally;
    const struct election             *e     = tally->election;
    struct area_ix                     area;
    unsigned                           mask = 0;
    TLY_AUTO(api_page) struct api_page page = {0};
    struct tly_diag                    diag = {0};
    enum tly_err                       err  = api_query_area(r, "area", &area, &diag);
    if (err == TLY_OK) {
        err = status_query(r, &mask, &diag);
    }
    if (err == TLY_OK) {
        err = api_page_begin(r, &page, &diag);
    }
    if (err != TLY_OK) {
        return api_reply_err(r->state, r->http, err, &diag);
    }
    if (api_not_modified(r, tally->areas[area.v == IX_NONE ? 0 : area.v].position)) {
        return HTTP_REPLIED;
    }
    for (; page.next < e->branches_n && page.left > 0; page.next++) {
        const struct branch_ix ix = {page.next};
        if ((area.v == IX_NONE || election_within(e, e->branches[ix.v].area, area)) &&
            (mask == 0 || (status_of(tally, ix) & mask) != 0)) {
            json_array_append_new(page.items, branch_show(tally, ix));
            page.left--;
        }
    }
    return api_page_reply(r, &page, e->branches_n);
}

/* GET /v1/branches/{branch}/bundles/{revision}: the exact envelope, read from the database.
 * 200: the envelope.  304.  404 500 503: problem. */
enum http_next
api_branches_bundle(struct api_req *r)
{
    const struct branch_ix ix       = election_branch(r->state->config.election, r->args[0]);
    uint64_t               revision = 0;
    uint64_t               position = UINT64_MAX;
    if (ix.v != IX_NONE && tly_u64_parse(r->args[1], UINT32_MAX, &revision) && revision >= 1) {
        pthread_rwlock_rdlock(&r->state->book_lock);
        position = book_revision(r->state->config.book, ix, (uint32_t)revision);
        pthread_rwlock_unlock(&r->state->book_lock);
    }
    if (position >= r->snapshot->published) {
        return api_reply_missing(r, "bundle: this branch has no such revision");
    }
    return api_rows_ask(r, position);
}
