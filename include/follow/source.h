/* SPDX-License-Identifier: Apache-2.0 */
/* Where published files are read from: a folder, or a server by HTTP. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

struct source; /* one thread at a time */

struct source_config {
    const char          *where;      /* a folder, or http[s]://HOST[:PORT][/PREFIX] */
    const char          *ca;         /* file of the server's CA; "" for http and folders */
    const char          *client;     /* file of our certificate and key; "": none is shown */
    unsigned             timeout_ms; /* of one request */
    const _Atomic(bool) *cancel;     /* once true, reading ends with TLY_EBUSY; NULL: never */
};

#define SOURCE_URL_MAX 512

/* A URL in its parts: "https://HOST:PORT" and "/PREFIX" without a slash at its end ("" none). */
struct source_url {
    char server[SOURCE_URL_MAX];
    char prefix[SOURCE_URL_MAX];
    bool secure;
};

/* false: not http[s]://HOST[:PORT][/PREFIX], or too long. */
TLY_MUST bool source_url_split(const char *url, struct source_url *out);

/* Nothing is read yet.  Errors: TLY_EINPUT (a URL or a file of certificates), TLY_ENOMEM. */
TLY_MUST enum tly_err source_open(const struct source_config *config, struct source **out,
                                  struct tly_diag *diag);
void                  source_close(struct source *source); /* NULL is fine */

/* Reads a whole file, path "tile/0/000.p/5".
 *
 * Owns:    *out is in the arena.
 * Errors:  TLY_ENOENT   there is none
 *          TLY_ETOOBIG  more than bytes_max
 *          TLY_EFORBID  not for us
 *          TLY_EBUSY    not now: nobody there, or answered 429, 5xx, or half an answer
 *          TLY_ENOMEM, TLY_EIO */
TLY_MUST enum tly_err source_get(struct source *source, const char *path, size_t bytes_max,
                                 struct tly_arena *arena, struct tly_bytes *out,
                                 struct tly_diag *diag);
