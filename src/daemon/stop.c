/* SPDX-License-Identifier: Apache-2.0 */
/* The order of going down.  libmicrohttpd must not be stopped while a connection is suspended, so
 * that every waiting request is answered before.
 *
 * 1 the servers accept nobody new; 2 the queue takes nothing more (503); 3 the sequencer decides
 * and answers what is inside and ends, then the scrubber seals what is new; 4 the servers let the
 * answers leave and stop; 5 the database, the journal and the signer. */
#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "scrub/scrub.h"
#include "service.h"
#include "sys/log.h"

static void
servers_stop(struct service *s)
{
    for (unsigned i = 0; i < API_LISTENERS_N; i++) {
        if (s->servers[i] != NULL) {
            api_set_server(s->api, (enum api_listener)i, NULL);
            http_server_stop(s->servers[i], (unsigned)s->settings->stop_ms);
            s->servers[i] = NULL;
        }
    }
}

void
service_stop(struct service *s)
{
    (void)sd_notify(0, "STOPPING=1");
    if (s->api != NULL) {
        api_set_health(s->api, API_STOPPING);
    }
    for (unsigned i = 0; i < API_LISTENERS_N; i++) {
        if (i != API_OPS && s->servers[i] != NULL) {
            http_server_quiesce(s->servers[i]);
        }
    }
    if (s->queue != NULL) {
        queue_close(s->queue);
    }
    if (s->threaded) {
        pthread_join(s->thread, NULL);
    }
    scrub_end(s);
    if (s->api != NULL) {
        api_drain(s->api);
    }
    servers_stop(s);
    api_state_free(s->api);
    queue_free(s->queue);
    seq_free(s->seq);
    publish_close(s->publish);
    service_cosigned_close(s);
    store_close(s->store);
    journal_close(s->journal);
    signing_close(&s->signing);
    if (s->book != NULL) {
        log_event(LOG_NOTICE, "daemon.stopped", "entries=%" PRIu64, book_size(s->book));
    }
    tly_arena_done(&s->arena);
    ground_done(&s->ground);
}
