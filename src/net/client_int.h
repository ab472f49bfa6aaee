/* SPDX-License-Identifier: Apache-2.0 */
/* The client's connection, shared by client.c (HTTP), client_conn.c (bytes) and client_tls.c. */
#pragma once

#include <openssl/ssl.h>

#include "net/client.h"

#define CLIENT_HOST_MAX  255
#define CLIENT_READ_MAX  (16U << 10) /* bytes taken from the connection at once: a TLS record */
#define CLIENT_WRITE_MAX (16U << 10) /* a request up to this leaves in one piece */

struct client {
    char                 host[CLIENT_HOST_MAX + 1]; /* without brackets */
    char                 port[6];
    bool                 brackets; /* an IPv6 address */
    struct client_tls   *tls;      /* NULL: plain */
    unsigned             timeout_ms;
    const _Atomic(bool) *cancel; /* NULL: nobody will */
    int                  fd;     /* -1: not connected */
    SSL                 *ssl;
    uint64_t late_from; /* since when we go on past the deadline; 0: it has not passed */
    bool     fresh;     /* no answer has come on this connection yet */
    size_t   got_from;  /* unread bytes are got[got_from..got_to) */
    size_t   got_to;
    uint8_t  got[CLIENT_READ_MAX];
    uint8_t  out[CLIENT_WRITE_MAX];
};

/* How moving bytes ended. */
enum client_io {
    CLIENT_IO_DONE,
    CLIENT_IO_CLOSED,  /* orderly or not, the other side is gone */
    CLIENT_IO_LATE,    /* the deadline passed */
    CLIENT_IO_REFUSED, /* a TLS alert: the handshake was refused */
    CLIENT_IO_ANSWER,  /* only from client_conn_write(): the answer comes before all was sent */
};

/* Connects, with the handshake.  Errors: TLY_EBUSY, TLY_EFORBID, TLY_ENOMEM. */
TLY_MUST enum tly_err client_conn_open(struct client *client, struct tly_diag *diag);
void                  client_conn_close(struct client *client);
/* Sends all of it; until is of clock_mono_ms(). */
TLY_MUST enum client_io client_conn_write(struct client *client, struct tly_bytes bytes,
                                          uint64_t until);
/* Waits for more unread bytes behind those that are there; got[] must not be full. */
TLY_MUST enum client_io client_conn_read(struct client *client, uint64_t until);

/* A new TLS object for a connection to the client's host; NULL: no memory. */
TLY_MUST SSL *client_tls_ssl(struct client *client);
