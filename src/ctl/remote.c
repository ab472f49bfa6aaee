/* SPDX-License-Identifier: Apache-2.0 */
#include "remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/client.h"

#define REMOTE_TIMEOUT_MS 30000
#define REMOTE_ANSWER_MAX ((size_t)64 << 20)
#define REMOTE_PATH_MAX   1024

struct remote {
    struct client_tls *tls;
    struct client     *client;
    char               url[256];
};

void
tly_auto_remote(struct remote **remote)
{
    remote_close(*remote);
}

static const char *
first_of(const char *option, const char *variable, const char *standard)
{
    if (option != NULL) {
        return option;
    }
    const char *value = secure_getenv(variable);
    return value != NULL && value[0] != '\0' ? value : standard;
}

void
remote_defaults(struct remote_options *options, const char *variable, const char *url)
{
    options->url    = first_of(options->url, variable, url);
    options->ca     = first_of(options->ca, "TALLY_CA", "/etc/tallyd/ca.crt");
    options->client = first_of(options->client, "TALLY_CLIENT", "/etc/tallyd/client.pem");
}

enum tly_err
remote_open(const struct remote_options *options, struct remote **out, struct tly_diag *diag)
{
    struct remote *remote = calloc(1, sizeof *remote);
    if (remote == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory");
    }
    (void)snprintf(remote->url, sizeof remote->url, "%s", options->url);
    enum tly_err err = client_tls_load(options->ca, options->client, &remote->tls, diag);
    if (err == TLY_OK) {
        err = client_new(remote->url, remote->tls, REMOTE_TIMEOUT_MS, &remote->client, diag);
    }
    if (err != TLY_OK) {
        remote_close(remote);
        return err;
    }
    *out = remote;
    return TLY_OK;
}

void
remote_close(struct remote *remote)
{
    if (remote != NULL) {
        client_free(remote->client);
        client_tls_free(remote->tls);
        free(remote);
    }
}

/* A problem answer as an error; its detail is what the person reads. */
static enum tly_err
problem(const char *method, const char *path, const struct client_reply *reply,
        struct tly_diag *diag)
{
    TLY_AUTO(json)
    json_t *body = json_loadb((const char *)reply->body.data, reply->body.len, 0, NULL);

    const char  *detail = json_string_value(json_object_get(body, "detail"));
    const char  *title  = json_string_value(json_object_get(body, "title"));
    enum tly_err err    = TLY_EINPUT;
    switch (reply->status) {
    case 401:
        err = TLY_ENOKEY;
        break;
    case 409:
        err = TLY_ECONFLICT;
        break;
    case 403:
        err = TLY_EFORBID;
        break;
    case 404:
        err = TLY_ENOENT;
        break;
    case 503:
        err = TLY_EBUSY;
        break;
    default:
        break;
    }
    return tly_fail(diag, err, "%s %s: the daemon answers %d: %s", method, path, reply->status,
                    detail != NULL  ? detail
                    : title != NULL ? title
                                    : "no reason given");
}

static enum tly_err
ask(struct remote *remote, const char *method, const char *path, const char *content_type,
    struct tly_bytes body, struct tly_arena *arena, struct client_reply *out, struct tly_diag *diag)
{
    struct tly_diag    why = {0};
    const enum tly_err err = client_request(remote->client, method, path, content_type, body, NULL,
                                            REMOTE_ANSWER_MAX, arena, out, &why);
    if (err != TLY_OK) {
        return tly_fail(
            diag, err == TLY_ENOMEM ? TLY_ENOMEM : TLY_EIO, "%s: %s (%s)", remote->url, why.text,
            err == TLY_EFORBID ? "is --ca its authority, and --client registered and in force?"
                               : "is the daemon running, and is this its api port?");
    }
    return out->status == 200 || out->status == 201 ? TLY_OK : problem(method, path, out, diag);
}

enum tly_err
remote_get(struct remote *remote, const char *path, struct tly_arena *arena, struct tly_bytes *out,
           struct tly_diag *diag)
{
    struct client_reply    reply = {0};
    const struct tly_bytes none  = {0};
    const enum tly_err     err   = ask(remote, "GET", path, NULL, none, arena, &reply, diag);
    if (err == TLY_OK) {
        *out = reply.body;
    }
    return err;
}

enum tly_err
remote_post(struct remote *remote, const char *path, const char *content_type,
            struct tly_bytes body, struct tly_arena *arena, bool *created, struct tly_bytes *out,
            struct tly_diag *diag)
{
    struct client_reply reply = {0};
    const enum tly_err  err   = ask(remote, "POST", path, content_type, body, arena, &reply, diag);
    if (err == TLY_OK) {
        *created = reply.status == 201;
        *out     = reply.body;
    }
    return err;
}

enum tly_err
remote_json(struct remote *remote, const char *path, json_t **out, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct tly_bytes                 body = {0};
    json_error_t                     error;
    tly_arena_init(&arena, 2 * REMOTE_ANSWER_MAX);
    const enum tly_err err = remote_get(remote, path, &arena, &body, diag);
    if (err != TLY_OK) {
        return err;
    }
    *out = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, &error);
    return *out != NULL ? TLY_OK
                        : tly_fail(diag, TLY_EINPUT, "GET %s: not JSON at line %d: %s", path,
                                   error.line, error.text);
}

static enum tly_err
each_item(json_t *page, remote_item_fn fn, void *arg, struct tly_diag *diag)
{
    size_t  i;
    json_t *item;
    json_array_foreach(json_object_get(page, "items"), i, item)
    {
        const enum tly_err err = fn(arg, item, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return TLY_OK;
}

enum tly_err
remote_each(struct remote *remote, const char *path, remote_item_fn fn, void *arg,
            struct tly_diag *diag)
{
    const char sign        = strchr(path, '?') == NULL ? '?' : '&';
    char       cursor[256] = "";
    char       page_path[REMOTE_PATH_MAX];
    do {
        TLY_AUTO(json) json_t *page = NULL;
        (void)snprintf(page_path, sizeof page_path, "%s%climit=500%s%s", path, sign,
                       cursor[0] == '\0' ? "" : "&cursor=", cursor);
        enum tly_err err = remote_json(remote, page_path, &page, diag);
        if (err == TLY_OK) {
            err = each_item(page, fn, arg, diag);
        }
        if (err != TLY_OK) {
            return err;
        }
        const char *next = json_string_value(json_object_get(page, "next"));
        (void)snprintf(cursor, sizeof cursor, "%s", next == NULL ? "" : next);
    } while (cursor[0] != '\0');
    return TLY_OK;
}
