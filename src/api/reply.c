/* SPDX-License-Identifier: Apache-2.0 */
/* What every answer has in common: headers, versions, problems, pages. */
#include <inttypes.h>
#include <stdlib.h>

#include "api_int.h"
#include "base/num.h"
#include "sys/clock.h"

#define TAG_ROOT_BYTES 8
#define TAG_MAX        48

#define CLOSED_WAIT_S     60
#define CLOSED_WAIT_MAX_S 3600

/* snapshot: what the numbers come from; NULL: there are none. */
static void
headers(struct api_state *state, struct http_req *req, const struct api_snapshot *snapshot)
{
    pthread_mutex_lock(&state->lock);
    struct api_marks marks = state->marks;
    pthread_mutex_unlock(&state->lock);
    if (snapshot != NULL) {
        (void)snprintf(marks.published, API_MARK_MAX, "%" PRIu64, snapshot->published);
    }
    http_reply_header(req, "Tally-Position", marks.position);
    http_reply_header(req, "Tally-Published", marks.published);
    http_reply_header(req, "Tally-Root", marks.root);
    http_reply_header(req, "Tally-Definition", state->definition);
    http_reply_header(req, "Tally-Phase", phase_name(state->config.election->phase));
    http_reply_header(req, "Tally-Software", state->config.software);
}

void
api_headers(struct api_state *state, struct http_req *req)
{
    headers(state, req, NULL);
}

enum http_next
api_reply_err(struct api_state *state, struct http_req *req, enum tly_err err,
              const struct tly_diag *diag)
{
    api_headers(state, req);
    http_reply_problem(req, err, diag);
    return HTTP_REPLIED;
}

/* Until then, an hour at most: whoever told the time may think better of it. */
void
api_closed_header(struct api_state *state, struct http_req *req)
{
    char           seconds[24];
    const uint64_t until = atomic_load(&state->state_until);
    const uint64_t now   = clock_unix_s();
    uint64_t       wait  = CLOSED_WAIT_S;
    if (until != ELECTION_NO_UNTIL && until > now) {
        wait = until - now < CLOSED_WAIT_MAX_S ? until - now : CLOSED_WAIT_MAX_S;
    }
    (void)snprintf(seconds, sizeof seconds, "%" PRIu64, wait);
    http_reply_header(req, "Retry-After", seconds);
}

enum http_next
api_reply_closed(struct api_state *state, struct http_req *req)
{
    struct tly_diag           diag = {0};
    const enum election_state is   = (enum election_state)atomic_load(&state->election_state);
    const enum tly_err        err =
        tly_fail_at(&diag, TLY_EBUSY, "state", "",
                    "the election is in state %s: no bundle is taken now", election_state_name(is));
    api_closed_header(state, req);
    return api_reply_err(state, req, err, &diag);
}

enum http_next
api_reply_missing(struct api_req *r, const char *what)
{
    struct tly_diag diag = {0};
    return api_reply_err(r->state, r->http, tly_fail(&diag, TLY_ENOENT, "no such %s", what), &diag);
}

/* Is the tag one of an If-None-Match list?  Weak comparison, RFC 9110 section 13.1.2. */
static bool
tag_listed(const char *list, const char *tag)
{
    const size_t len = strlen(tag);
    if (strcmp(list, "*") == 0) {
        return true;
    }
    for (const char *p = strstr(list, tag); p != NULL; p = strstr(p + 1, tag)) {
        const char before = p == list ? ',' : p[-1];
        const char after  = p[len];
        if ((before == ',' || before == ' ' || before == '/') &&
            (after == '\0' || after == ',' || after == ' ')) {
            return true;
        }
    }
    return false;
}

/* A ledger that begins anew (a rehearsal) has the same positions, but another root. */
static void
past_tag(struct api_req *r, char tag[TAG_MAX])
{
    char hex[TLY_HEX_SIZE(TAG_ROOT_BYTES)];
    pthread_rwlock_rdlock(&r->state->book_lock);
    const struct tly_hash root = merkle_root(book_tree(r->state->config.book), r->at);
    pthread_rwlock_unlock(&r->state->book_lock);
    tly_hex(root.b, TAG_ROOT_BYTES, hex);
    (void)snprintf(tag, TAG_MAX, "\"at-%" PRIu64 "-%s\"", r->at, hex);
}

bool
api_not_modified(struct api_req *r, uint64_t version)
{
    char tag[TAG_MAX];
    if (r->at > 0) {
        past_tag(r, tag);
    } else {
        (void)snprintf(tag, sizeof tag, "\"%" PRIu64 "\"", version);
    }
    http_reply_header(r->http, "ETag", tag);
    http_reply_header(r->http, "Cache-Control", "private, no-cache");
    const char *have = http_header(r->http, "If-None-Match");
    if (have == NULL || !tag_listed(have, tag)) {
        return false;
    }
    headers(r->state, r->http, r->snapshot);
    http_reply_borrowed(r->http, 304, NULL, (struct tly_bytes){NULL, 0});
    return true;
}

enum http_next
api_reply_json(struct api_req *r, json_t *json)
{
    TLY_AUTO(json) json_t *owned = json;
    const size_t           len   = owned == NULL ? 0 : json_dumpb(owned, NULL, 0, JSON_COMPACT);
    char                  *text  = len == 0 ? NULL : tly_arena_alloc(r->http->arena, len + 1, 1);
    if (text == NULL) {
        return api_reply_err(r->state, r->http, TLY_ENOMEM, NULL);
    }
    (void)json_dumpb(owned, text, len, JSON_COMPACT);
    headers(r->state, r->http, r->snapshot);
    http_reply_borrowed(r->http, 200, "application/json",
                        (struct tly_bytes){(const uint8_t *)text, len});
    return HTTP_REPLIED;
}

void
tly_auto_api_page(struct api_page *page)
{
    json_decref(page->items);
}

enum tly_err
api_page_begin(struct api_req *r, struct api_page *page, struct tly_diag *diag)
{
    const char *cursor = http_query(r->http, "cursor");
    const char *limit  = http_query(r->http, "limit");
    uint64_t    next   = 0;
    uint64_t    left   = API_LIST_STD;
    if (cursor != NULL && !tly_u64_parse(tly_text(cursor), UINT32_MAX - 1, &next)) {
        return tly_fail_at(diag, TLY_ERANGE, "query", "cursor", "not a cursor that was given out");
    }
    if (limit != NULL && (!tly_u64_parse(tly_text(limit), API_LIST_MAX, &left) || left == 0)) {
        return tly_fail_at(diag, TLY_ERANGE, "query", "limit", "not a number from 1 to %d",
                           API_LIST_MAX);
    }
    json_t *items = json_array();
    if (items == NULL) {
        return TLY_ENOMEM;
    }
    *page = (struct api_page){.next = (uint32_t)next, .left = (uint32_t)left, .items = items};
    return TLY_OK;
}

enum http_next
api_page_reply(struct api_req *r, struct api_page *page, uint32_t total)
{
    char next[16];
    (void)snprintf(next, sizeof next, "%" PRIu32, page->next);
    json_t *cursor = page->next < total ? json_string(next) : json_null();
    return api_reply_json(r,
                          json_pack("{s:o,s:o}", "items", TLY_TAKE(page->items), "next", cursor));
}

enum tly_err
api_query_area(struct api_req *r, const char *name, struct area_ix *out, struct tly_diag *diag)
{
    const char    *code = http_query(r->http, name);
    struct area_ix area = {IX_NONE};
    if (code != NULL && *code != '\0') {
        area = election_area(r->state->config.election, tly_text(code));
        if (area.v == IX_NONE) {
            return tly_fail_at(diag, TLY_ENOENT, "not_found", name, "no such area");
        }
    }
    *out = area;
    return TLY_OK;
}
