/* SPDX-License-Identifier: Apache-2.0 */
/* One row a route.  Who may call it, and for which area, is decided here and nowhere else. */
#include "api_int.h"
#include "base/check.h"
#include "base/hex.h"
#include "sys/clock.h"

/* Whose area a request touches; only asked for roles that are bound to theirs. */
enum where {
    WHERE_NONE,
    WHERE_CONTEST, /* {..} names a contest */
    WHERE_BRANCH,  /* {..} names a branch */
    WHERE_RECEIPT, /* {..} names a payload: its branch; a terminal's own */
    WHERE_QUERY    /* ?area= */
};

#define ON(listener) (1U << (listener))
#define ROLE_ANY     0xFFU
#define ROLE_NATION  (ROLE_OBSERVER | ROLE_AUDITOR | ROLE_OPERATOR)
#define ROLE_LOCAL   (ROLE_DASHBOARD | ROLE_OFFICER)
#define ROLE_READERS (ROLE_NATION | ROLE_LOCAL)
#define AT           "at" /* of routes whose numbers all come from the snapshot */
#define PAGE         "limit cursor " AT
#define BODY_OTHER   ((size_t)4096) /* of a request that takes none: enough to answer it properly */

struct route {
    unsigned    on;
    const char *method, *path;
    api_handler handler;
    unsigned    roles;   /* may call it for any area */
    unsigned    in_area; /* may call it for their own */
    enum where  where;
    size_t      body_max;
    const char *query; /* the parameters of a reading route; NULL: none */
};

/* clang-format off */
static const struct route routes[] = {
    /* listener        method  path                           handler                roles            in their area   where          body  query */
    {ON(API_INGEST), "POST", "/v1/bundles",                   api_bundles_post,      ROLE_TERMINAL | ROLE_RELAY, 0,   WHERE_NONE,    API_BATCH_BODY},
    {ON(API_INGEST), "GET",  "/v1/election",                  api_election_get,      ROLE_TERMINAL | ROLE_RELAY, 0,   WHERE_NONE,    0},
    {ON(API_INGEST), "GET",  "/v1/receipts/{}",               api_receipts_get,      0, ROLE_TERMINAL | ROLE_RELAY,   WHERE_RECEIPT, 0},
    {ON(API_READ),   "GET",  "/v1/election",                  api_election_get,      ROLE_READERS | ROLE_WITNESS, 0,  WHERE_NONE,    0, AT},
    {ON(API_READ),   "GET",  "/v1/areas",                     api_areas_list,        ROLE_READERS,    0,              WHERE_NONE,    0, "parent " PAGE},
    {ON(API_READ),   "GET",  "/v1/areas/{}",                  api_areas_get,         ROLE_READERS,    0,              WHERE_NONE,    0, AT},
    {ON(API_READ),   "GET",  "/v1/contests",                  api_contests_list,     ROLE_READERS,    0,              WHERE_NONE,    0, "area status method " PAGE},
    {ON(API_READ),   "GET",  "/v1/contests/{}",               api_contests_get,      ROLE_READERS,    0,              WHERE_NONE,    0, AT},
    {ON(API_READ),   "GET",  "/v1/contests/{}/branches",      api_contests_branches, ROLE_NATION,     ROLE_LOCAL,     WHERE_CONTEST, 0, PAGE},
    {ON(API_READ),   "GET",  "/v1/contests/{}/areas",         api_contests_areas,    ROLE_READERS,    0,              WHERE_NONE,    0, PAGE},
    {ON(API_READ),   "GET",  "/v1/branches",                  api_branches_list,     ROLE_NATION,     ROLE_LOCAL,     WHERE_QUERY,   0, "area status " PAGE},
    {ON(API_READ),   "GET",  "/v1/branches/{}",               api_branches_get,      ROLE_NATION,     ROLE_LOCAL,     WHERE_BRANCH,  0, AT},
    {ON(API_READ),   "GET",  "/v1/branches/{}/bundles/{}",    api_branches_bundle,   ROLE_NATION,     ROLE_LOCAL,     WHERE_BRANCH,  0},
    {ON(API_READ),   "POST", "/v1/decisions",                 api_decisions_post,    ROLE_OFFICER,    0,              WHERE_NONE,    DECISION_ENVELOPE_MAX},
    {ON(API_READ),   "POST", "/v1/results",                   api_results_post,      ROLE_OFFICER,    0,              WHERE_NONE,    RESULTS_ENVELOPE_MAX},
    {ON(API_READ),   "GET",  "/v1/results/{}",                api_results_get,       ROLE_READERS,    0,              WHERE_NONE,    0},
    {ON(API_READ),   "GET",  "/v1/receipts/{}",               api_receipts_get,      ROLE_READERS,    0,              WHERE_NONE,    0},
    {ON(API_READ),   "GET",  "/log/checkpoint",               api_log_get,           ROLE_READERS | ROLE_WITNESS, 0,  WHERE_NONE,    0},
    {ON(API_READ),   "GET",  "/log/policy",                   api_log_get,           ROLE_READERS | ROLE_WITNESS, 0,  WHERE_NONE,    0},
    {ON(API_READ),   "GET",  "/log/doc/{}/{}",                api_log_get,           ROLE_READERS | ROLE_WITNESS, 0,  WHERE_NONE,    0},
    {ON(API_READ),   "GET",  "/log/tile/{*}",                 api_log_get,           ROLE_READERS | ROLE_WITNESS, 0,  WHERE_NONE,    0},
    {ON(API_READ),   "GET",  "/log/bundle/{*}",               api_log_get,           ROLE_READERS | ROLE_WITNESS, 0,  WHERE_NONE,    0},
    {ON(API_OPS),    "GET",  "/healthz",                      api_health_get,        ROLE_ANY,        0,              WHERE_NONE,    0},
    {ON(API_OPS),    "GET",  "/readyz",                       api_ready_get,         ROLE_ANY,        0,              WHERE_NONE,    0},
    {ON(API_OPS),    "GET",  "/metrics",                      api_metrics_get,       ROLE_ANY,        0,              WHERE_NONE,    0},
};
/* clang-format on */

/* Does the path fit the pattern?  {} takes one segment that is not empty, {*} all that is left. */
static bool
path_fits(const char *pattern, const char *path, struct tly_bytes args[API_PATH_ARGS])
{
    unsigned n = 0;
    while (*pattern != '\0') {
        if (pattern[0] == '{') {
            const bool   rest = pattern[1] == '*';
            const size_t len  = rest ? strlen(path) : strcspn(path, "/");
            TLY_CHECK(n < API_PATH_ARGS);
            if (len == 0) {
                return false;
            }
            args[n++] = (struct tly_bytes){(const uint8_t *)path, len};
            path += len;
            pattern += rest ? 3 : 2;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool
method_fits(const char *method, const char *wanted)
{
    return strcmp(method, wanted) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(wanted, "GET") == 0);
}

/* The row, or NULL; then *allow lists the methods that the path takes ("" none: 404). */
static const struct route *
route_find(enum api_listener listener, const char *method, const char *path,
           struct tly_bytes args[API_PATH_ARGS], const char **allow)
{
    *allow = "";
    for (size_t i = 0; i < TLY_N(routes); i++) {
        if ((routes[i].on & ON(listener)) == 0 || !path_fits(routes[i].path, path, args)) {
            continue;
        }
        if (method_fits(method, routes[i].method)) {
            return &routes[i];
        }
        *allow = strcmp(routes[i].method, "GET") == 0 ? "GET, HEAD" : routes[i].method;
    }
    return NULL;
}

size_t
api_body_max(void *arg, const struct http_peer *peer, const char *method, const char *path)
{
    const struct api_side *side = arg;
    struct tly_bytes       args[API_PATH_ARGS];
    const char            *allow;
    const struct route    *route = route_find(side->listener, method, path, args, &allow);
    if (route == NULL || route->body_max == 0) {
        return BODY_OTHER;
    }
    const struct api_config *config = &side->state->config;
    struct speaker           speaker;
    const bool whole = registry_speaker(api_registry(side->state), config->election, &peer->cert,
                                        clock_unix_s(), &speaker) &&
                       speaker.role != ROLE_TERMINAL;
    return whole || route->body_max < API_OWN_BODY ? route->body_max : API_OWN_BODY;
}

bool
api_allow(void *arg, const struct tly_hash *cert, unsigned *connections_max)
{
    const struct api_state  *state  = ((const struct api_side *)arg)->state;
    const struct api_config *config = &state->config;
    struct speaker           speaker;
    if (!registry_speaker(api_registry(state), config->election, cert, clock_unix_s(), &speaker)) {
        return false;
    }
    *connections_max = speaker.role == ROLE_TERMINAL ? config->per_terminal_max : 0;
    return true;
}

/* Where an entry belongs: its branch, its contest; of the registry or the election's state the root. */
static struct area_ix
entry_area(const struct election *e, const struct book_entry *entry)
{
    if (entry->branch.v != IX_NONE) {
        return e->branches[entry->branch.v].area;
    }
    if (entry->kind == LEAF_RESULT) {
        return entry->scope;
    }
    return entry->contest.v != IX_NONE ? e->contests[entry->contest.v].area : (struct area_ix){0};
}

/* The branch whose bundle has this payload; a terminal's own receipt has no other condition. */
static struct area_ix
receipt_area(const struct api_req *r, bool *own)
{
    const struct api_config *config   = &r->state->config;
    struct area_ix           area     = {IX_NONE};
    uint64_t                 position = UINT64_MAX;
    struct tly_hash          payload;
    *own = false;
    if (!tly_unhex(r->args[0], payload.b, sizeof payload.b)) {
        return area;
    }
    pthread_rwlock_rdlock(&r->state->book_lock);
    position = book_find_payload(config->book, &payload);
    if (position != UINT64_MAX) {
        const struct book_entry *entry = book_entry(config->book, position);
        area                           = entry_area(config->election, entry);
        *own = r->speaker.role == ROLE_TERMINAL && entry->terminal.v != IX_NONE &&
               registry_first(book_registry(config->book), entry->terminal).v ==
                   r->speaker.terminal_first.v;
    }
    pthread_rwlock_unlock(&r->state->book_lock);
    return area;
}

/* The area that a request touches.  Of what does not exist it is none: then the handler says 404,
 * to everybody alike. */
static enum tly_err
area_check(const struct api_req *r, enum where where, struct tly_diag *diag)
{
    const struct election *e    = r->state->config.election;
    struct area_ix         area = {IX_NONE};
    bool                   own  = false;
    if (where == WHERE_CONTEST) {
        const struct contest_ix ix = election_contest(e, r->args[0]);
        area                       = ix.v == IX_NONE ? area : e->contests[ix.v].area;
    } else if (where == WHERE_BRANCH) {
        const struct branch_ix ix = election_branch(e, r->args[0]);
        area                      = ix.v == IX_NONE ? area : e->branches[ix.v].area;
    } else if (where == WHERE_RECEIPT) {
        area = receipt_area(r, &own);
    } else if (where == WHERE_QUERY) {
        const char *code = http_query(r->http, "area");
        area             = code == NULL || *code == '\0' ? (struct area_ix){0} /* all: the root */
                                                         : election_area(e, tly_text(code));
    }
    const bool mine = r->speaker.role == ROLE_TERMINAL
                          ? own
                          : r->speaker.area.v != IX_NONE && area.v != IX_NONE &&
                                election_within(e, area, r->speaker.area);
    if (area.v == IX_NONE || mine) {
        return TLY_OK;
    }
    return tly_fail_at(diag, TLY_EFORBID, "area", "",
                       "outside the area of this certificate, or no area asked for (?area=)");
}

static enum tly_err
permit(struct api_req *r, const struct route *route, struct tly_diag *diag)
{
    const struct api_config *config = &r->state->config;
    if (route->on == ON(API_OPS)) {
        return TLY_OK; /* loopback or a Unix socket, without certificates */
    }
    if (!registry_speaker(api_registry(r->state), config->election, &r->http->peer.cert,
                          clock_unix_s(), &r->speaker)) {
        return tly_fail_at(diag, TLY_EFORBID, "A01", "", "this certificate is not valid any more");
    }
    if (route->roles & r->speaker.role) {
        return TLY_OK;
    }
    if ((route->in_area & r->speaker.role) == 0) {
        return tly_fail_at(diag, TLY_EFORBID, "role", "", "not for the role %s",
                           role_name(r->speaker.role));
    }
    return area_check(r, route->where, diag);
}

/* A mistyped filter would otherwise give everything, which looks like an answer. */
static enum tly_err
query_check(const struct http_req *req, const struct route *route, struct tly_diag *diag)
{
    const char *known = route->query == NULL ? "" : route->query;
    const char *other = http_query_other(req, known);
    if (other == NULL) {
        return TLY_OK;
    }
    return tly_fail_at(
        diag, TLY_ERANGE, "unknown_parameter", other, "%s%s",
        *known == '\0' ? "this path takes no parameter" : "this path takes: ", known);
}

enum http_next
api_handle(void *arg, struct http_req *req)
{
    const struct api_side *side = arg;
    struct api_req         r    = {.state = side->state, .http = req};
    struct tly_diag        diag = {0};
    const char            *allow;
    const struct route *route = route_find(side->listener, req->method, req->path, r.args, &allow);
    if (route == NULL) {
        if (*allow != '\0') {
            http_reply_header(req, "Allow", allow);
        }
        const enum tly_err err =
            *allow != '\0'
                ? tly_fail(&diag, TLY_EMETHOD, "this path takes %s", allow)
                : tly_fail(&diag, TLY_ENOENT,
                           "no such path on this port (bundles go to ingest, reading is api)");
        return api_reply_err(r.state, req, err, &diag);
    }
    enum tly_err err = permit(&r, route, &diag);
    if (err != TLY_OK) {
        return api_reply_err(r.state, req, err, &diag);
    }
    if (route->body_max > 0) {
        return route->handler(&r);
    }
    err = route->on == ON(API_OPS) ? TLY_OK : query_check(req, route, &diag);
    if (err != TLY_OK) {
        return api_reply_err(r.state, req, err, &diag);
    }
    api_count(r.state, COUNTER_READS);
    struct api_snapshot *now  = api_snapshot_get(r.state);
    const bool           past = route->query != NULL && http_query(req, "at") != NULL;
    r.snapshot                = now;
    const enum http_next next = past ? api_at(&r, route->handler) : route->handler(&r);
    api_snapshot_put(now);
    return next;
}
