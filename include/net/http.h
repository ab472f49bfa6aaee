/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS server on libmicrohttpd: connections, requests, replies.  Knows no elections.
 *
 * A handler runs on one of the server's worker threads once the whole body is there.  It either
 * replies at once (HTTP_REPLIED) or hands the request to another thread (HTTP_WAIT), which replies
 * exactly once by http_reply() and then http_resume(); after http_resume() it must not touch the
 * request. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

struct http_server;

/* Who is at the other end: the SHA-256 of its certificate (DER), pinned in the handshake.  All zero
 * on a listener without TLS. */
struct http_peer {
    struct tly_hash cert;
};

#define HTTP_REPLY_HEADERS_MAX 16
#define HTTP_HEAD_MS           10000U /* a client slower than these is cut */
#define HTTP_BODY_MS           30000U
#define HTTP_REPLY_MS          30000U      /* for the first 64 KiB of a reply */
#define HTTP_REPLY_FREE        (64U << 10) /* bytes; behind them at least this much a second */
#define HTTP_REPLY_RATE        (64U << 10)

/* One request; made by the server, given to the handler, freed by the server after the reply left.
 */
struct http_req {
    const char           *method;       /* "GET" "POST" ...; HEAD comes as "GET" */
    const char           *path;         /* decoded, begins with '/', no query */
    const char           *content_type; /* "" when absent; with its parameters */
    struct tly_bytes      body; /* complete; empty when there was none; valid until the reply */
    struct http_peer      peer;
    struct tly_arena     *arena; /* freed with the request; limited (settings: arena_bytes_max) */
    void                 *user;  /* the handler's own, for HTTP_WAIT */
    struct http_req_priv *priv;
};

enum http_next { HTTP_REPLIED, HTTP_WAIT };

typedef enum http_next (*http_handler)(void *arg, struct http_req *req);
/* Decides in the handshake whether this certificate may connect at all; runs on worker threads,
 * often.  *connections_max is 0, no limit, or is set to how many it may have at once: when one more
 * comes the oldest is ended, so that lines that died unnoticed do not keep their owner out. */
typedef bool (*http_allow)(void *arg, const struct tly_hash *cert, unsigned *connections_max);
/* Largest body that this request may carry, decided from sender, method and path before a byte of
 * it is read. */
typedef size_t (*http_body_max)(void *arg, const struct http_peer *peer, const char *method,
                                const char *path);

/* How a server listens.  The struct is copied; texts are borrowed while the server runs. */
struct http_config {
    const char   *name;      /* for logs and thread names: "ingest" */
    const char   *address;   /* "0.0.0.0", "::", "127.0.0.1" */
    uint16_t      port;      /* 0: any free one, see http_server_port() */
    int           listen_fd; /* -1, or a listening socket passed in by systemd (duplicated) */
    const char   *cert_pem;  /* server certificate chain (text of the file); NULL: no TLS */
    const char   *key_pem;
    unsigned      workers_n;
    unsigned      connections_max;
    unsigned      connections_per_ip_max; /* 0: no limit */
    size_t        arena_bytes_max;        /* of one request */
    size_t        memory_bytes_max;       /* bodies, arenas and replies of all; 0: no limit */
    unsigned      idle_timeout_s;         /* keep-alive connections without a request */
    unsigned      handshake_ms_max;       /* absolute, from accept to the end of the handshake */
    unsigned      handshakes_max; /* unfinished at once; over it the oldest ends; 0: no limit */
    unsigned      head_ms_max;  /* absolute, a header block from its first byte; 0: HTTP_HEAD_MS */
    unsigned      body_ms_max;  /* absolute, a body; 0: HTTP_BODY_MS */
    unsigned      reply_ms_max; /* absolute, the first 64 KiB of a reply; 0: HTTP_REPLY_MS */
    unsigned      reply_rate_min; /* bytes a second behind them; 0: HTTP_REPLY_RATE */
    http_handler  handler;
    http_allow    allow; /* NULL without TLS */
    http_body_max body_max;
    void         *arg; /* of the three functions */
};

/* Counters for /metrics, status and tests; read whenever. */
struct http_stats {
    uint64_t connections;         /* now open */
    uint64_t handshakes;          /* now unfinished */
    uint64_t handshakes_waiting;  /* of them suspended, waiting for the client */
    uint64_t accepted;            /* connections since start */
    uint64_t refused_certificate; /* handshakes refused by allow() or without a certificate */
    uint64_t handshakes_late;     /* cut at handshake_ms_max */
    uint64_t handshakes_ended;    /* ended over handshakes_max */
    uint64_t connections_ended;   /* ended over the limit of their certificate */
    uint64_t requests;
    uint64_t memory;         /* bytes of bodies, arenas and replies now */
    uint64_t memory_refused; /* bodies refused because memory_bytes_max was reached */
};

/* Starts listening.
 *
 * Errors:  TLY_EINPUT  certificate or key unusable, address not understood
 *          TLY_ECONFLICT somebody listens there already
 *          TLY_EIO     cannot listen (the diag says why)
 *          TLY_ENOMEM */
TLY_MUST enum tly_err http_server_start(const struct http_config *config, struct http_server **out,
                                        struct tly_diag *diag);
/* Could a server listen at name, address and port?  Nothing keeps the place.
 * Errors: TLY_EINPUT, TLY_ECONFLICT, TLY_EIO as above. */
TLY_MUST enum tly_err http_address_check(const struct http_config *config, struct tly_diag *diag);
uint16_t              http_server_port(const struct http_server *server);
struct http_stats     http_server_stats(const struct http_server *server);
/* Going down, in this order: http_server_quiesce() stops accepting (requests under way go on, new
 * ones on open connections get 503) and returns when no handler runs and none will; the owner makes
 * sure that every waiting request gets its reply; http_server_stop() waits until all have left (at
 * most wait_ms), resumes stalled handshakes to their end, stops the workers and frees.  A request
 * that then still waits for its reply is a bug of the owner's and stops the process.  Neither may
 * be called in a handler. */
void http_server_quiesce(struct http_server *server);
void http_server_stop(struct http_server *server, unsigned wait_ms);

/* A query parameter, decoded; "" without a value, NULL when absent.  Valid as long as the request. */
const char *http_query(const struct http_req *req, const char *name);
/* The first query parameter whose name is not in `known` ("area status", "": none is known), decoded;
 * NULL when there is none. */
const char *http_query_other(const struct http_req *req, const char *known);
/* A request header; NULL when absent.  Never decide who somebody is by one. */
const char *http_header(const struct http_req *req, const char *name);

/* Adds a header to the reply to come (at most HTTP_REPLY_HEADERS_MAX); name is a constant, value is
 * copied, without line ends; an empty one is left out. */
void http_reply_header(struct http_req *req, const char *name, const char *value);
/* Sets the reply: once a request.  body is copied into the request's arena by http_reply(), and
 * borrowed until the request is freed by http_reply_borrowed() (arena memory, constants). */
void http_reply(struct http_req *req, int status, const char *content_type, struct tly_bytes body);
void http_reply_borrowed(struct http_req *req, int status, const char *content_type,
                         struct tly_bytes body);
/* The same, and steals a body that malloc() gave; also on failure.  For large ones: the body and
 * the arena of the request are freed before the reply leaves. */
void http_reply_owned(struct http_req *req, int status, const char *content_type, void *body,
                      size_t len);
/* The same from an open regular file, its first `len` bytes, read as they leave; steals fd, also on
 * failure. */
void http_reply_file(struct http_req *req, int status, const char *content_type, int fd,
                     uint64_t len);
/* A reply of RFC 9457: type urn:tally:problem:CODE, title, status, detail, code, field.  The status
 * is the error's; code is diag->code or a word for the error.  Errors whose blame is OURS carry no
 * detail and are logged; LATER and UNSURE ones carry Retry-After: the one that was set before,
 * else 1 to 3 s, jittered. */
void http_reply_problem(struct http_req *req, enum tly_err err, const struct tly_diag *diag);
/* The code of a problem whose diag names no check: "busy" for TLY_EBUSY. */
const char *http_problem_code(enum tly_err err);
/* Lets a waiting request's reply leave; any thread.  The request is gone for the caller afterwards.
 */
void http_resume(struct http_req *req);
