/* SPDX-License-Identifier: Apache-2.0 */
#include "api_int.h"

struct positions {
    uint64_t             accepted, as_of_s;
    struct api_witnessed witnessed; /* of the past: none */
    struct api_scrub     scrub;     /* as well */
};

/* The past knew of nothing that came later; it is as of its last entry. */
static struct positions
positions_of(struct api_req *r)
{
    struct api_state *state = r->state;
    if (r->at > 0) {
        pthread_rwlock_rdlock(&state->book_lock);
        const uint64_t accepted_ms = book_entry(state->config.book, r->at - 1)->accepted_ms;
        pthread_rwlock_unlock(&state->book_lock);
        return (struct positions){.accepted = r->at, .as_of_s = accepted_ms / 1000};
    }
    pthread_mutex_lock(&state->lock);
    const struct positions now = {.accepted  = state->marks.size,
                                  .as_of_s   = r->snapshot->as_of_s,
                                  .witnessed = state->witnessed,
                                  .scrub     = state->scrub};
    pthread_mutex_unlock(&state->lock);
    return now;
}

/* A number that is another whenever something in it is.  Some of it may become smaller. */
static uint64_t
version_of(const struct positions *p, uint64_t published)
{
    const uint64_t parts[] = {p->accepted,          published,    p->witnessed.size,
                              p->witnessed.as_of_s, p->scrub.red, p->scrub.since_s};
    uint64_t       v       = 0;
    for (size_t i = 0; i < TLY_N(parts); i++) {
        v = (v ^ parts[i]) * UINT64_C(0x9E3779B97F4A7C15);
        v ^= v >> 32;
    }
    return v;
}

/* GET /v1/election: what is elected here and how far it is.
 * 200: JSON.  304.  422: problem. */
enum http_next
api_election_get(struct api_req *r)
{
    const struct election     *e = r->state->config.election;
    const struct api_snapshot *s = r->snapshot;
    const struct positions     p = positions_of(r);
    if (api_not_modified(r, version_of(&p, s->published))) {
        return HTTP_REPLIED;
    }
    json_t *counts = json_pack("{s:I,s:I,s:I,s:I,s:I}", "areas", (json_int_t)e->areas_n, "contests",
                               (json_int_t)e->contests_n, "candidates", (json_int_t)e->candidates_n,
                               "branches", (json_int_t)e->branches_n, "terminals",
                               (json_int_t)r->state->config.registry->terminals_n +
                                   (json_int_t)s->tally.terminals_added);
    json_t *until  = s->tally.state_until == ELECTION_NO_UNTIL
                         ? json_null()
                         : json_integer((json_int_t)s->tally.state_until);
    json_t *seen   = p.witnessed.as_of_s == 0
                         ? json_null()
                         : json_pack("{s:I,s:I}", "size", (json_int_t)p.witnessed.size, "as_of",
                                     (json_int_t)p.witnessed.as_of_s);
    json_t *differs =
        p.scrub.red ? json_pack("{s:I}", "since", (json_int_t)p.scrub.since_s) : json_null();
    return api_reply_json(
        r, json_pack("{s:s,s:o,s:s,s:s,s:o,s:s,s:o,s:o,s:I,s:I,s:I,s:o,s:o}", "election", e->code,
                     "name", api_show_name(&e->name), "phase", phase_name(e->phase), "state",
                     election_state_name(s->tally.state), "until", until, "definition",
                     r->state->definition, "counts", counts, "progress",
                     api_show_progress(&s->tally.areas[0].progress), "accepted",
                     (json_int_t)p.accepted, "published", (json_int_t)s->published, "as_of",
                     (json_int_t)p.as_of_s, "witnessed", seen, "database_differs", differs));
}
