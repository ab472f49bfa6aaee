/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS client of our tools on OpenSSL: blocking, one connection, TLS 1.3, TCP_NODELAY, keep-alive.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

struct client_tls; /* loaded once (CA, certificate, key), used by many connections and threads */
struct client;     /* one connection; one thread at a time */

struct client_reply {
    int              status;
    struct tly_bytes content_type;
    struct tly_bytes headers; /* the raw header block; client_header() reads it */
    struct tly_bytes body;    /* all three in the arena given to client_request() */
};

/* Loads the CA certificate and one .pem with certificate and key (keys folder: clients/NAME.pem);
 * pem_file NULL: shows no certificate.  Any thread; the CA is read once for many.
 * Errors: TLY_EINPUT (the diag names the file), TLY_ENOMEM. */
TLY_MUST enum tly_err client_tls_load(const char *ca_file, const char *pem_file,
                                      struct client_tls **out, struct tly_diag *diag);
void                  client_tls_free(struct client_tls *tls);

/* url: https://HOST:PORT or http://HOST:PORT (no TLS, tls NULL); nothing is sent yet.
 * timeout_ms is for each of connecting, the handshake, and one whole request. */
TLY_MUST enum tly_err client_new(const char *url, struct client_tls *tls, unsigned timeout_ms,
                                 struct client **out, struct tly_diag *diag);
void                  client_free(struct client *client);
/* Once *cancel is true, whatever waits ends within a quarter of a second as if its time were over.
 * Borrowed; any thread may set it. */
void client_cancel_by(struct client *client, const _Atomic(bool) *cancel);
/* Ends the connection; the next request makes a new one. */
void client_disconnect(struct client *client);

/* Sends a request and reads the answer; connects when needed, and once more when a kept connection
 * turns out to have been closed by the other side before a byte of the answer came.
 *
 * extra:   more header lines, each ended by \r\n, or NULL.
 * Errors:  TLY_EBUSY    not connected: nothing was sent
 *          TLY_EUNSURE  sent at least partly, no whole answer
 *          TLY_EFORBID  the handshake was refused
 *          TLY_ETOOBIG  the answer is longer than answer_bytes_max
 *          TLY_EINPUT   the answer is not HTTP */
TLY_MUST enum tly_err client_request(struct client *client, const char *method, const char *path,
                                     const char *content_type, struct tly_bytes body,
                                     const char *extra, size_t answer_bytes_max,
                                     struct tly_arena *arena, struct client_reply *out,
                                     struct tly_diag *diag);
/* Value of a header of the answer, trimmed; {NULL, 0} when absent. */
struct tly_bytes client_header(const struct client_reply *reply, const char *name);
