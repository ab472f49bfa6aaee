/* SPDX-License-Identifier: Apache-2.0 */
/* A request's private half and a server, shared by http.c, http_check.c, http_body.c and
 * http_reply.c. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net/http.h"
#include "watcher.h"

/* READING -> RUNNING -> (WAITING ->) READY -> REPLYING; READING -> REPLYING when refused.
 * http_state_to() is the only writer. */
enum http_state {
    HTTP_STATE_READING,  /* the body is coming */
    HTTP_STATE_RUNNING,  /* in the handler */
    HTTP_STATE_WAITING,  /* suspended; another thread will answer */
    HTTP_STATE_READY,    /* the reply is there */
    HTTP_STATE_REPLYING, /* MHD has the reply */
    HTTP_STATES_N
};

struct http_field {
    const char *name;
    const char *value;
};

struct http_req_priv {
    struct http_req        req;
    struct http_server    *server;
    struct MHD_Connection *mhd;
    struct watcher_conn   *conn;
    struct tly_arena       arena;
    struct tly_budget     *budget; /* the server's, or its part for large bodies */
    _Atomic(int)           state;  /* enum http_state */
    bool                   seen;   /* the header block was looked at */
    bool                   counted;
    bool                   nul; /* %00 in the URI */
    bool                   close;
    size_t                 body_max;
    size_t                 body_size; /* of `body`, taken from the server's budget */
    uint8_t               *body;
    size_t                 owned_size; /* of `owned`, likewise */
    void                  *owned;      /* the reply's bytes, when they are not the arena's */
    int                    status;     /* of the reply; 0: none yet */
    const char            *content_type;
    struct tly_bytes       reply;
    bool                   from_file;
    int                    file; /* when from_file: the reply's bytes are there, not in `reply` */
    uint64_t               file_len;
    unsigned               fields_n;
    struct http_field      fields[HTTP_REPLY_HEADERS_MAX];
};

struct http_server {
    struct http_config config;
    uint16_t           port;
    struct watcher    *watcher;
    struct MHD_Daemon *daemon;
    _Atomic(uint64_t)  requests;
    struct tly_budget  memory;
    struct tly_budget  memory_large; /* the part of it for large bodies */
    _Atomic(uint64_t)  memory_refused;

    pthread_mutex_t lock;
    pthread_cond_t  changed;
    bool            quiesced;
    unsigned        running;    /* handlers on a worker */
    unsigned        unanswered; /* given to the handler, not yet answered */
    unsigned        live;       /* given to the handler, not yet left */
};

/* Moves the request on; false, and nothing moved, only for WAITING when the reply is there already.
 * *from is the state before. */
bool http_state_to(struct http_req_priv *p, enum http_state to, enum http_state *from);

/* Why this header block cannot be trusted (RFC 9112 11.2), NULL when it can; *length is the body's
 * announced length, SIZE_MAX when chunked. */
const char *http_check_head(const struct http_req_priv *p, const char *version, size_t *length);

/* Makes room for a body of the announced length.  Errors: TLY_ETOOBIG; TLY_EBUSY over the server's
 * budget; TLY_ENOMEM. */
TLY_MUST enum tly_err http_body_begin(struct http_req_priv *p, size_t length);
TLY_MUST enum tly_err http_body_add(struct http_req_priv *p, struct tly_bytes piece);
void                  http_body_free(struct http_req_priv *p);

/* Hands the reply to MHD. */
enum MHD_Result http_reply_queue(struct http_req_priv *p);
void            http_reply_free(struct http_req_priv *p);
/* Writes a refusal past MHD, which takes no reply in the middle of a body. */
void http_reply_raw(struct http_req_priv *p);
/* Answers 414 past MHD and ends the connection. */
void http_reply_long_uri(struct MHD_Connection *mhd);

/* A listening socket, ready for accept4(); *port is the real one.  Errors: TLY_EINPUT, TLY_EIO. */
TLY_MUST enum tly_err http_listen(const struct http_config *config, int *fd, uint16_t *port,
                                  struct tly_diag *diag);
