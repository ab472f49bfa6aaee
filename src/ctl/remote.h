/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon as tallyctl sees it: a client certificate, a URL, JSON answers. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "pack/json.h"

/* Where and who: by option, else by environment (the variable of the listener, TALLY_CA, TALLY_CLIENT), else the
 * default. */
struct remote_options {
    const char *url;    /* https://HOST:PORT */
    const char *ca;     /* ca.crt */
    const char *client; /* one .pem with certificate and key */
};

struct remote;

/* Fills what no option gave; url: the default of the listener that is asked. */
void remote_defaults(struct remote_options *options, const char *variable, const char *url);
/* Errors: TLY_EINPUT a file or the URL is unusable; TLY_ENOMEM. */
TLY_MUST enum tly_err remote_open(const struct remote_options *options, struct remote **out,
                                  struct tly_diag *diag);
void                  remote_close(struct remote *remote);
void                  tly_auto_remote(struct remote **remote); /* for TLY_AUTO(remote) */

/* Fetches a path's bytes into the arena.  A problem answer becomes an error with its detail:
 * TLY_ENOENT for 404, TLY_ENOKEY for 401, TLY_EFORBID for 403, TLY_ECONFLICT for 409, TLY_EBUSY for
 * 503, TLY_EINPUT for the rest; TLY_EIO when nobody answers. */
TLY_MUST enum tly_err remote_get(struct remote *remote, const char *path, struct tly_arena *arena,
                                 struct tly_bytes *out, struct tly_diag *diag);
/* Posts a body; *created: 201, else 200.  Errors: as remote_get(). */
TLY_MUST enum tly_err remote_post(struct remote *remote, const char *path, const char *content_type,
                                  struct tly_bytes body, struct tly_arena *arena, bool *created,
                                  struct tly_bytes *out, struct tly_diag *diag);
/* The bytes of a GET, read as JSON; the caller owns *out. */
TLY_MUST enum tly_err remote_json(struct remote *remote, const char *path, json_t **out,
                                  struct tly_diag *diag);

/* Calls fn for every item of a paged list (doc/api.md), page by page; stops at its first error.
 * path: with its filters, "/v1/contests?area=x". */
typedef enum tly_err (*remote_item_fn)(void *arg, json_t *item, struct tly_diag *diag);
TLY_MUST enum tly_err remote_each(struct remote *remote, const char *path, remote_item_fn fn,
                                  void *arg, struct tly_diag *diag);
