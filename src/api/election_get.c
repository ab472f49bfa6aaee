/* SPDX-License-Identifier: Apache-2.0 */
#include "api_int.h"

/* GET /v1/election: what is elected here and how far it is.
 * 200: JSON.  304. */
enum http_next
api_election_get(struct api_req *r)
{
    const struct election     *e = r->state->config.election;
    const struct api_snapshot *s = r->snapshot;
    pthread_mutex_lock(&r->state->lock);
    const uint64_t accepted = r->state->marks.size;
    pthread_mutex_unlock(&r->state->lock);
    /* Both positions stand in it; published never passes accepted, so the sum tells every state. */
    if (api_not_modified(r, accepted + s->published)) {
        return HTTP_REPLIED;
    }
    json_t *counts = json_pack("{s:I,s:I,s:I,s:I,s:I}", "areas", (json_int_t)e->areas_n, "contests",
                               (json_int_t)e->contests_n, "candidates", (json_int_t)e->candidates_n,
                               "branches", (json_int_t)e->branches_n, "terminals",
                               (json_int_t)r->state->config.registry->terminals_n);
    return api_reply_json(r, json_pack("{s:s,s:o,s:s,s:s,s:s,s:o,s:o,s:I,s:I,s:I}", "election",
                                       e->code, "name", api_show_name(&e->name), "phase",
                                       phase_name(e->phase), "state", "open", "definition",
                                       r->state->definition, "counts", counts, "progress",
                                       api_show_progress(&s->tally.area_progress[0]), "accepted",
                                       (json_int_t)accepted, "published", (json_int_t)s->published,
                                       "as_of", (json_int_t)s->as_of_s));
}
