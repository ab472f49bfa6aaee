/* SPDX-License-Identifier: Apache-2.0 */
/* What the service's own machine asks: alive, ready, numbers. */
#include <inttypes.h>

#include "api_int.h"
#include "sys/clock.h"

static const char *const health_names[] = {[API_STARTING] = "starting",
                                           [API_READY]    = "ready",
                                           [API_AWAY]     = "waiting for the database",
                                           [API_UNSIGNED] = "waiting for the signer",
                                           [API_STOPPING] = "stopping",
                                           [API_FAILED]   = "failed"};

/* A database that differs is said with its row, unless there is something worse. */
static enum http_next
say(struct api_req *r, bool good)
{
    const struct api_scrub scrub = api_scrub_get(r->state);
    char                   text[API_SCRUB_WHY + 64];
    if (good && scrub.red) {
        (void)snprintf(text, sizeof text, "the database differs from memory: %s", scrub.why);
        good = false;
    } else {
        (void)snprintf(text, sizeof text, "%s", health_names[api_health(r->state)]);
    }
    http_reply(r->http, good ? 200 : 503, "text/plain; charset=utf-8", tly_text(text));
    return HTTP_REPLIED;
}

/* GET /healthz: is it alive.
 * 200: a word.  503: the sequencer stopped for good; or a stored row is not what memory says, named. */
enum http_next
api_health_get(struct api_req *r)
{
    return say(r, api_health(r->state) != API_FAILED);
}

/* GET /readyz: does it take bundles.
 * 200: a word.  503: the word why not; bundles are taken all the same while a stored row differs. */
enum http_next
api_ready_get(struct api_req *r)
{
    return say(r, api_health(r->state) == API_READY);
}

static void
put(FILE *out, const char *name, const char *kind, const char *help, uint64_t value)
{
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name, kind, name,
                  value);
}

/* The age is left out as long as there is nothing to have one. */
static void
put_witnessed(FILE *out, struct api_state *state)
{
    pthread_mutex_lock(&state->lock);
    const struct api_witnessed w = state->witnessed;
    pthread_mutex_unlock(&state->lock);
    const uint64_t now = clock_unix_s();
    put(out, "tally_witnessed_entries", "gauge",
        "Entries of the newest head that the quorum cosigned.", w.size);
    if (w.as_of_s > 0) {
        put(out, "tally_witnessed_age_seconds", "gauge", "Age of the quorum's cosignatures.",
            now > w.as_of_s ? now - w.as_of_s : 0);
    }
}

/* Of the last whole pass there is nothing before the first. */
static void
put_scrub(FILE *out, struct api_state *state)
{
    const struct api_scrub s = api_scrub_get(state);
    put(out, "tally_scrub_red", "gauge", "1: the database differs from memory.", s.red ? 1 : 0);
    put(out, "tally_scrub_differences", "gauge", "Rows that differ.", s.differences);
    put(out, "tally_scrub_passes_total", "counter", "Whole passes over the database.", s.passes);
    put(out, "tally_scrub_failed_total", "counter", "Passes that could not be ended.", s.failed);
    if (s.ended_ms > 0) {
        put(out, "tally_scrub_age_seconds", "gauge", "Time since the last whole pass ended.",
            (clock_mono_ms() - s.ended_ms) / 1000);
        put(out, "tally_scrub_rows", "gauge", "Rows that it compared.", s.rows);
        put(out, "tally_scrub_pass_milliseconds", "gauge", "Time that it took.", s.took_ms);
    }
}

static void
put_counters(FILE *out, const struct api_state *state)
{
    static const char *const rows[COUNTERS_N][2] = {
        [COUNTER_CREATED]          = {"tally_bundles_created_total", "Bundles logged (201)."},
        [COUNTER_SAME]             = {"tally_bundles_same_total", "Bundles sent again (200)."},
        [COUNTER_CONFLICT]         = {"tally_bundles_conflict_total", "Bundles answered 409."},
        [COUNTER_REFUSED]          = {"tally_bundles_refused_total", "Bundles refused."},
        [COUNTER_LATER]            = {"tally_bundles_later_total", "Bundles answered 503."},
        [COUNTER_EVIDENCE]         = {"tally_evidence_total", "Refused bodies kept."},
        [COUNTER_EVIDENCE_DROPPED] = {"tally_evidence_dropped_total", "Refused bodies not kept."},
        [COUNTER_READS]            = {"tally_reads_total", "Requests answered by readers' routes."},
        [COUNTER_AT_MADE]          = {"tally_at_made_total", "Pasts made for ?at=."},
        [COUNTER_AT_REFUSED]       = {"tally_at_refused_total", "Requests with ?at= answered 503."},
    };
    for (unsigned i = 0; i < COUNTERS_N; i++) {
        put(out, rows[i][0], "counter", rows[i][1], atomic_load(&state->counters[i]));
    }
}

static void
put_servers(FILE *out, struct api_state *state)
{
    static const char *const names[] = {"ingest", "api", "ops"};
    for (unsigned i = 0; i < API_LISTENERS_N; i++) {
        const struct http_server *server = atomic_load(&state->sides[i].server);
        if (server == NULL) {
            continue;
        }
        const struct http_stats s = http_server_stats(server);
        (void)fprintf(out,
                      "tally_http_connections{listener=\"%s\"} %" PRIu64 "\n"
                      "tally_http_accepted_total{listener=\"%s\"} %" PRIu64 "\n"
                      "tally_http_requests_total{listener=\"%s\"} %" PRIu64 "\n"
                      "tally_http_memory_bytes{listener=\"%s\"} %" PRIu64 "\n"
                      "tally_http_memory_refused_total{listener=\"%s\"} %" PRIu64 "\n"
                      "tally_tls_handshakes_waiting{listener=\"%s\"} %" PRIu64 "\n"
                      "tally_tls_handshakes_late_total{listener=\"%s\"} %" PRIu64 "\n"
                      "tally_tls_handshakes_ended_total{listener=\"%s\"} %" PRIu64 "\n"
                      "tally_http_connections_ended_total{listener=\"%s\"} %" PRIu64 "\n"
                      "tally_tls_refused_total{listener=\"%s\"} %" PRIu64 "\n",
                      names[i], s.connections, names[i], s.accepted, names[i], s.requests, names[i],
                      s.memory, names[i], s.memory_refused, names[i], s.handshakes_waiting,
                      names[i], s.handshakes_late, names[i], s.handshakes_ended, names[i],
                      s.connections_ended, names[i], s.refused_certificate);
    }
}

static uint64_t
signed_size(struct api_state *state)
{
    pthread_mutex_lock(&state->lock);
    const uint64_t size = state->marks.size;
    pthread_mutex_unlock(&state->lock);
    return size;
}

#define METRICS_MAX 16384

/* GET /metrics: Prometheus text format 0.0.4.
 * 200: text.  503: problem. */
enum http_next
api_metrics_get(struct api_req *r)
{
    char *text = tly_arena_alloc(r->http->arena, METRICS_MAX, 1);
    FILE *out  = text == NULL ? NULL : fmemopen(text, METRICS_MAX, "w");
    if (out == NULL) {
        http_reply_problem(r->http, TLY_ENOMEM, NULL);
        return HTTP_REPLIED;
    }
    const struct queue_size queued = queue_size(r->state->config.queue);
    const struct progress  *all    = &r->snapshot->tally.areas[0].progress;
    put(out, "tally_ready", "gauge", "1: bundles are taken.",
        api_health(r->state) == API_READY ? 1 : 0);
    put(out, "tally_ledger_published", "gauge", "Ledger entries in the published snapshot.",
        r->snapshot->published);
    put(out, "tally_ledger_signed", "gauge", "Ledger entries below the newest signed head.",
        signed_size(r->state));
    put(out, "tally_log_published", "gauge",
        "Ledger entries below the checkpoint of the published folder.",
        atomic_load(&r->state->published));
    put_witnessed(out, r->state);
    put_scrub(out, r->state);
    put(out, "tally_contests_expected", "gauge", "Branch-contests expected.", all->expected);
    put(out, "tally_contests_counted", "gauge", "Branch-contests counted.", all->counted);
    put(out, "tally_contests_held", "gauge", "Branch-contests held.", all->held);
    put(out, "tally_queue_entries", "gauge", "Items waiting for the sequencer.", queued.entries);
    put(out, "tally_queue_bytes", "gauge", "Their bytes.", queued.bytes);
    put_counters(out, r->state);
    put_servers(out, r->state);
    const long len = ftell(out);
    (void)fclose(out);
    http_reply_borrowed(r->http, 200, "text/plain; version=0.0.4",
                        (struct tly_bytes){(const uint8_t *)text, len < 0 ? 0 : (size_t)len});
    return HTTP_REPLIED;
}
