/* SPDX-License-Identifier: Apache-2.0 */
/* Accepts connections for MHD, takes unfinished handshakes off its workers, and cuts what is too
 * slow.  One thread a server.  How and why: watcher.c. */
#pragma once

#include <microhttpd.h>

#include "net/http.h"

struct watcher;
struct watcher_conn; /* one connection's record, from STARTED to CLOSED */

struct watcher_config {
    const char *name;
    int         listen_fd; /* taken over, closed when quiesced */
    bool        tls;
    unsigned    connections_max;
    unsigned    handshake_ms_max;
    unsigned    handshakes_max;
    unsigned    head_ms_max;
    unsigned    body_ms_max;
    unsigned    reply_ms_max;
    unsigned    reply_rate_min;
    http_allow  allow;
    void       *arg;
};

struct watcher_stats {
    uint64_t connections;
    uint64_t handshakes;
    uint64_t handshakes_waiting;
    uint64_t accepted;
    uint64_t refused_certificate;
    uint64_t handshakes_late;
    uint64_t handshakes_ended;
    uint64_t connections_ended;
};

/* Where a connection stands; each phase has its own deadline. */
enum watcher_phase {
    WATCHER_HANDSHAKE,
    WATCHER_IDLE,    /* between requests: MHD's idle timeout alone */
    WATCHER_HEAD,    /* reading a request's header block */
    WATCHER_BODY,    /* reading its body */
    WATCHER_HANDLER, /* ours to answer: no deadline */
    WATCHER_REPLY,   /* sending the reply */
};

/* Errors: TLY_ENOMEM, TLY_EIO; listen_fd is then still the caller's. */
TLY_MUST enum tly_err watcher_new(const struct watcher_config *config, struct watcher **out,
                                  struct tly_diag *diag);
/* Begins accepting.  Errors: TLY_EIO. */
TLY_MUST enum tly_err watcher_start(struct watcher *watcher, struct MHD_Daemon *daemon,
                                    struct tly_diag *diag);
struct watcher_stats  watcher_stats(struct watcher *watcher);
/* Stops accepting and closes the listening socket; returns when no more will be accepted. */
void watcher_quiesce(struct watcher *watcher);
/* Ends all stalled handshakes, lets no new one stall, ends the thread.  MHD_stop_daemon() comes
 * next, then watcher_free(). */
void watcher_stop(struct watcher *watcher);
void watcher_free(struct watcher *watcher);

/* For MHD_OPTION_NOTIFY_CONNECTION, with the watcher as its argument. */
void watcher_notify(void *arg, struct MHD_Connection *mhd, void **context,
                    enum MHD_ConnectionNotificationCode code);

/* On the connection's worker thread only. */
struct watcher_conn *watcher_conn(struct MHD_Connection *mhd);
/* Whom the handshake proved; NULL when nobody (never in a request over TLS).  All zero without TLS.
 */
const struct tly_hash *watcher_peer(const struct watcher_conn *conn);
/* bytes: of the reply, for WATCHER_REPLY. */
void watcher_phase(struct watcher_conn *conn, enum watcher_phase phase, size_t bytes);
