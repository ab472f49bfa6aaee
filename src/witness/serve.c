/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"
#include "sys/clock.h"
#include "sys/log.h"

#define ARENA_MAX    ((size_t)1 << 20)
#define HANDSHAKE_MS 10000
#define BODY_OTHER   ((size_t)4096)

static enum http_next
problem(struct http_req *req, enum tly_err err, const struct tly_diag *diag)
{
    http_reply_problem(req, err, diag);
    return HTTP_REPLIED;
}

/* 409, with the size that is known. */
static enum http_next
conflict(struct http_req *req, uint64_t size)
{
    char      text[24];
    const int len = snprintf(text, sizeof text, "%" PRIu64 "\n", size);
    http_reply(req, 409, "text/x.tlog.size",
               (struct tly_bytes){(const uint8_t *)text, (size_t)len});
    return HTTP_REPLIED;
}

/* A head that the log signed, and that is no continuation of what it showed us before. */
static void
denounce(struct serve *s, enum heads_evidence kind, const struct note *note,
         const struct extend *request, uint64_t known)
{
    const bool  kept  = heads_evidence(s->heads, kind, note, request->note);
    const char *event = kind == HEADS_FORK ? "witness.fork" : "witness.unproven";
    log_event(LOG_ERR, event, "origin=%s size=%" PRIu64 " known=%" PRIu64 " kept=%s",
              log_text(note->origin).s, note->head.size, known, kept ? "yes" : "no");
}

static enum http_next
reply(struct serve *s, struct http_req *req, const struct note *note, const struct extend *request,
      const struct heads_reply *r)
{
    struct tly_diag diag = {0};
    switch (r->verdict) {
    case EXTEND_GROWS:
        log_event(note->head.size > r->size ? LOG_INFO : LOG_DEBUG, "witness.cosigned",
                  "origin=%s size=%" PRIu64, log_text(note->origin).s, note->head.size);
        if (note->head.size > r->size && s->grown != NULL) {
            s->grown(s->arg);
        }
        http_reply(req, 200, "text/plain; charset=utf-8",
                   (struct tly_bytes){(const uint8_t *)r->line, r->len});
        return HTTP_REPLIED;
    case EXTEND_STALE:
        return conflict(req, r->size);
    case EXTEND_FORK:
        denounce(s, HEADS_FORK, note, request, r->size);
        return conflict(req, r->size);
    case EXTEND_UNPROVEN:
        denounce(s, HEADS_UNPROVEN, note, request, r->size);
        return problem(req,
                       tly_fail(&diag, TLY_ERANGE,
                                "the consistency proof does not lead from the head of size "
                                "%" PRIu64 " that is known to this one",
                                r->size),
                       &diag);
    case EXTEND_BACKWARDS:
        break;
    }
    return problem(req,
                   tly_fail(&diag, TLY_EINPUT,
                            "old %" PRIu64 " is over the checkpoint's size %" PRIu64, request->old,
                            note->head.size),
                   &diag);
}

/* POST add-checkpoint.
 * 200: our signature line.  400: not such a request, or its old size is over its new one.  403: not
 * signed by the log.  404: a log that we do not witness.  409: another size is known, or another
 * root of that size.  422: the proof is wrong. */
static enum http_next
add_checkpoint(struct serve *s, struct http_req *req)
{
    struct extend      request;
    struct note        note;
    struct note_head   head;
    struct heads_reply r    = {0};
    struct tly_diag    diag = {0};
    if (extend_parse(req->body, &request, &diag) != TLY_OK) {
        return problem(req, TLY_EINPUT, &diag);
    }
    if (!note_split(request.note, &note)) {
        return problem(req,
                       tly_fail(&diag, TLY_EINPUT,
                                "behind the blank line there is no checkpoint of three lines with "
                                "signatures"),
                       &diag);
    }
    const int log = heads_find(s->heads, note.origin);
    if (log < 0) {
        return problem(req, tly_fail(&diag, TLY_ENOENT, "this log is not witnessed here"), &diag);
    }
    enum tly_err err = note_check(request.note, &s->policy->logs[log].vkey, &head, &diag);
    if (err != TLY_OK) {
        log_event(LOG_WARNING, "witness.refused", "origin=%s why=%s", log_text(note.origin).s,
                  log_why(diag.text).s);
        return problem(req, TLY_EFORBID, &diag); /* a line that cannot be read is none either */
    }
    err = heads_add(s->heads, log, &request, &note, clock_unix_s(), &r, &diag);
    if (err != TLY_OK) {
        return problem(req, err, &diag);
    }
    return reply(s, req, &note, &request, &r);
}

static bool
is_route(const struct serve *s, const char *path)
{
    const size_t len = strlen(s->settings->prefix);
    return strncmp(path, s->settings->prefix, len) == 0 &&
           strcmp(path + len, "/add-checkpoint") == 0;
}

static enum http_next
handle(void *arg, struct http_req *req)
{
    struct serve   *s    = arg;
    struct tly_diag diag = {0};
    if (!is_route(s, req->path)) {
        return problem(req, tly_fail(&diag, TLY_ENOENT, "no such path here"), &diag);
    }
    if (strcmp(req->method, "POST") != 0) {
        http_reply_header(req, "Allow", "POST");
        return problem(req, tly_fail(&diag, TLY_EMETHOD, "this path takes POST"), &diag);
    }
    return add_checkpoint(s, req);
}

static size_t
body_max(void *arg, const struct http_peer *peer, const char *method, const char *path)
{
    (void)peer;
    (void)method;
    return is_route(arg, path) ? EXTEND_LEN_MAX : BODY_OTHER;
}

static bool
allow(void *arg, const struct tly_hash *cert, unsigned *connections_max)
{
    const struct serve *s = arg;
    *connections_max      = 0;
    for (unsigned i = 0; i < s->clients_n; i++) {
        if (tly_hash_eq(cert, &s->clients[i])) {
            return true;
        }
    }
    return s->clients_n == 0;
}

enum tly_err
serve_clients(struct serve *serve, struct tly_diag *diag)
{
    for (const char *p = serve->settings->clients; *p != '\0';) {
        const size_t           len  = strcspn(p, " ");
        const struct tly_bytes text = {(const uint8_t *)p, len};
        if (len > 0) {
            if (serve->clients_n == SERVE_CLIENTS_MAX ||
                !tly_unhex(text, serve->clients[serve->clients_n].b, 32)) {
                return tly_fail(
                    diag, TLY_EINPUT,
                    "clients: \"%.*s\" is not the SHA-256 of a certificate (64 lower-case "
                    "digits), or one more than %d",
                    len > 70 ? 70 : (int)len, p, SERVE_CLIENTS_MAX);
            }
            serve->clients_n++;
        }
        p += len + (p[len] == ' ');
    }
    return TLY_OK;
}

struct http_config
serve_config(struct serve *serve)
{
    const struct settings *set = serve->settings;
    return (struct http_config){.name                   = "witness",
                                .connections_per_ip_max = (unsigned)set->per_ip_max,
                                .address                = set->address,
                                .port                   = (uint16_t)set->port,
                                .listen_fd              = -1,
                                .cert_pem               = serve->cert_pem,
                                .key_pem                = serve->key_pem,
                                .workers_n              = (unsigned)set->workers,
                                .connections_max        = (unsigned)set->connections_max,
                                .arena_bytes_max        = ARENA_MAX,
                                .idle_timeout_s         = (unsigned)(set->idle_ms / 1000),
                                .handshake_ms_max       = HANDSHAKE_MS,
                                .handler                = handle,
                                .allow                  = serve->cert_pem == NULL ? NULL : allow,
                                .body_max               = body_max,
                                .arg                    = serve};
}
