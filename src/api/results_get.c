/* SPDX-License-Identifier: Apache-2.0 */
#include "api_int.h"

/* GET /v1/results/{area}: the newest results document of an area, on which the next one follows.
 * 200: JSON.  304.  404: no such area, or it has none; problem. */
enum http_next
api_results_get(struct api_req *r)
{
    const struct book   *book  = r->state->config.book;
    const struct area_ix scope = election_area(r->state->config.election, r->args[0]);
    if (scope.v == IX_NONE) {
        return api_reply_missing(r, "area");
    }
    struct book_entry entry = {0};
    pthread_rwlock_rdlock(&r->state->book_lock);
    const uint64_t at = book_result(book, scope, r->snapshot->published);
    if (at != UINT64_MAX) {
        entry = *book_entry(book, at);
    }
    pthread_rwlock_unlock(&r->state->book_lock);
    if (at == UINT64_MAX) {
        return api_reply_missing(r, "published result of this area");
    }
    return api_not_modified(r, at)
               ? HTTP_REPLIED
               : api_reply_json(r,
                                json_pack("{s:s,s:I,s:I,s:o,s:I}", "scope",
                                          r->state->config.election->areas[scope.v].code, "serial",
                                          (json_int_t)entry.serial, "position", (json_int_t)at,
                                          "payload", api_show_hash(&entry.payload), "accepted_ms",
                                          (json_int_t)entry.accepted_ms));
}
