/* SPDX-License-Identifier: Apache-2.0 */
#include "follow/source.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/client.h"
#include "sys/file.h"

struct source {
    char                 where[FILE_PATH_SIZE]; /* a folder; "": by HTTP */
    struct source_url    url;
    struct client_tls   *tls;
    struct client       *client;
    const _Atomic(bool) *cancel;
};

bool
source_url_split(const char *url, struct source_url *out)
{
    struct source_url parts  = {0};
    const bool        secure = strncmp(url, "https://", 8) == 0;
    if (!secure && strncmp(url, "http://", 7) != 0) {
        return false;
    }
    const char  *host       = url + (secure ? 8 : 7);
    const size_t host_len   = strcspn(host, "/");
    const size_t server_len = (size_t)(host - url) + host_len;
    size_t       prefix_len = strlen(host + host_len);
    if (host_len == 0 || strpbrk(url, "?# ") != NULL || server_len + 8 > SOURCE_URL_MAX ||
        prefix_len >= SOURCE_URL_MAX) {
        return false;
    }
    while (prefix_len > 0 && host[host_len + prefix_len - 1] == '/') {
        prefix_len--;
    }
    const char *bracket = memchr(host, ']', host_len); /* [::1]:80 */
    const char *after   = bracket == NULL ? host : bracket;
    const bool  port    = memchr(after, ':', host_len - (size_t)(after - host)) != NULL;
    (void)snprintf(parts.server, sizeof parts.server, "%.*s%s", (int)server_len, url,
                   port     ? ""
                   : secure ? ":443"
                            : ":80");
    (void)snprintf(parts.prefix, sizeof parts.prefix, "%.*s", (int)prefix_len, host + host_len);
    parts.secure = secure;
    *out         = parts;
    return true;
}

static enum tly_err
connect_to(struct source *s, const struct source_config *config, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    if (s->url.secure) {
        err = client_tls_load(config->ca, *config->client == '\0' ? NULL : config->client, &s->tls,
                              diag);
    }
    if (err == TLY_OK) {
        err = client_new(s->url.server, s->tls, config->timeout_ms, &s->client, diag);
    }
    if (err == TLY_OK) {
        client_cancel_by(s->client, config->cancel);
    }
    return err;
}

enum tly_err
source_open(const struct source_config *config, struct source **out, struct tly_diag *diag)
{
    enum tly_err   err = TLY_OK;
    struct source *s   = calloc(1, sizeof *s);
    if (s == NULL) {
        return TLY_ENOMEM;
    }
    s->cancel = config->cancel;
    if (strstr(config->where, "://") == NULL) {
        file_path(s->where, "%s", config->where);
    } else if (!source_url_split(config->where, &s->url)) {
        err =
            tly_fail(diag, TLY_EINPUT, "%.200s: not http[s]://HOST[:PORT][/PREFIX]", config->where);
    } else {
        err = connect_to(s, config, diag);
    }
    if (err != TLY_OK) {
        source_close(s);
        return err;
    }
    *out = s;
    return TLY_OK;
}

void
source_close(struct source *source)
{
    if (source != NULL) {
        client_free(source->client);
        client_tls_free(source->tls);
        free(source);
    }
}

static enum tly_err
status_err(int status, const char *path, struct tly_diag *diag)
{
    enum tly_err err = TLY_EIO;
    if (status == 404 || status == 410) {
        err = TLY_ENOENT;
    } else if (status == 401 || status == 403) {
        err = TLY_EFORBID;
    } else if (status == 429 || status >= 500) {
        err = TLY_EBUSY;
    }
    return tly_fail(diag, err, "%s: the server answered %d", path, status);
}

static enum tly_err
get(struct source *s, const char *path, size_t bytes_max, struct tly_arena *arena,
    struct tly_bytes *out, struct tly_diag *diag)
{
    char                full[SOURCE_URL_MAX + 256];
    struct client_reply reply;
    const int           len = snprintf(full, sizeof full, "%s/%s", s->url.prefix, path);
    if (len < 0 || (size_t)len >= sizeof full) {
        return tly_fail(diag, TLY_EIO, "%s: too long", path);
    }
    const enum tly_err err = client_request(s->client, "GET", full, NULL, (struct tly_bytes){0},
                                            NULL, bytes_max, arena, &reply, diag);
    if (err == TLY_EUNSURE) {
        return TLY_EBUSY; /* reading repeats safely */
    }
    if (err == TLY_EINPUT) {
        return TLY_EIO;
    }
    if (err != TLY_OK) {
        return err;
    }
    if (reply.status != 200) {
        return status_err(reply.status, path, diag);
    }
    *out = reply.body;
    return TLY_OK;
}

enum tly_err
source_get(struct source *source, const char *path, size_t bytes_max, struct tly_arena *arena,
           struct tly_bytes *out, struct tly_diag *diag)
{
    char full[FILE_PATH_SIZE];
    if (source->cancel != NULL && atomic_load(source->cancel)) {
        return tly_fail(diag, TLY_EBUSY, "%s: told to stop", path);
    }
    if (source->client != NULL) {
        return get(source, path, bytes_max, arena, out, diag);
    }
    file_path(full, "%s/%s", source->where, path);
    return file_read(full, bytes_max, arena, out, diag);
}
