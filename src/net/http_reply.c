/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: what a handler says, and how it becomes MHD's. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "http_int.h"
#include "sys/log.h"

#define PROBLEM_TYPE "application/problem+json"
#define FILE_PIECE   ((size_t)32 << 10) /* of a reply that is read from a file */
#define RELEASE_MIN  ((size_t)64 << 10) /* bytes of a request that are worth a copy */

const char *
http_query(const struct http_req *req, const char *name)
{
    const char *value = NULL;
    size_t      len;
    if (MHD_lookup_connection_value_n(req->priv->mhd, MHD_GET_ARGUMENT_KIND, name, strlen(name),
                                      &value, &len) == MHD_NO) {
        return NULL;
    }
    return value == NULL ? "" : value; /* "?name": it is there, and must not be passed over */
}

/* The names that are known, and the first that is not. */
struct names {
    const char *known;
    const char *other;
};

static bool
is_among(const char *list, const char *name, size_t len)
{
    while (*list != '\0') {
        const size_t word = strcspn(list, " ");
        if (word == len && memcmp(list, name, len) == 0) {
            return true;
        }
        list += word + (list[word] == ' ');
    }
    return false;
}

static enum MHD_Result
on_query(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    (void)value;
    struct names *names = arg;
    if (!is_among(names->known, name, strlen(name))) {
        names->other = name;
    }
    return names->other == NULL ? MHD_YES : MHD_NO;
}

const char *
http_query_other(const struct http_req *req, const char *known)
{
    struct names names = {.known = known};
    (void)MHD_get_connection_values(req->priv->mhd, MHD_GET_ARGUMENT_KIND, on_query, &names);
    return names.other;
}

const char *
http_header(const struct http_req *req, const char *name)
{
    return MHD_lookup_connection_value(req->priv->mhd, MHD_HEADER_KIND, name);
}

void
http_reply_header(struct http_req *req, const char *name, const char *value)
{
    struct http_req_priv *p = req->priv;
    TLY_CHECK(p->fields_n < HTTP_REPLY_HEADERS_MAX);
    TLY_CHECK(p->status == 0);
    if (value[0] == '\0') {
        return; /* MHD sends no empty ones */
    }
    const char *copy = tly_arena_text(&p->arena, tly_text(value));
    if (copy != NULL) { /* a reply without one of its headers is still better than none */
        p->fields[p->fields_n++] = (struct http_field){name, copy};
    }
}

void
http_reply_borrowed(struct http_req *req, int status, const char *content_type,
                    struct tly_bytes body)
{
    struct http_req_priv *p = req->priv;
    TLY_CHECK(p->status == 0);
    TLY_CHECK(status >= 200 && status <= 599);
    p->status       = status;
    p->content_type = content_type;
    p->reply        = body;
}

void
http_reply(struct http_req *req, int status, const char *content_type, struct tly_bytes body)
{
    const char *copy = tly_arena_text(req->arena, body);
    if (copy == NULL) {
        http_reply_problem(req, TLY_ENOMEM, NULL);
        return;
    }
    http_reply_borrowed(req, status, content_type,
                        (struct tly_bytes){(const uint8_t *)copy, body.len});
}

void
http_reply_owned(struct http_req *req, int status, const char *content_type, void *body, size_t len)
{
    struct http_req_priv *p = req->priv;
    TLY_CHECK(p->owned == NULL);
    /* Forced: it replaces the arena and the body, which are larger and go in a moment. */
    tly_budget_force(p->budget, len);
    p->owned      = body;
    p->owned_size = len;
    http_reply_borrowed(req, status, content_type, (struct tly_bytes){body, len});
}

void
http_reply_file(struct http_req *req, int status, const char *content_type, int fd, uint64_t len)
{
    struct http_req_priv *p = req->priv;
    TLY_CHECK(!p->from_file);
    p->from_file = true;
    p->file      = fd;
    p->file_len  = len;
    http_reply_borrowed(req, status, content_type, (struct tly_bytes){NULL, 0});
}

void
http_reply_free(struct http_req_priv *p)
{
    if (p->from_file) {
        (void)close(p->file);
        p->from_file = false;
    }
    tly_budget_give(p->budget, p->owned_size);
    free(p->owned);
    p->owned      = NULL;
    p->owned_size = 0;
}

/* A client may take its time to read, and nothing should be kept for it but the reply: makes the
 * reply stand alone where that is worth a copy.  True: arena and body may go. */
static bool
reply_alone(struct http_req_priv *p)
{
    const size_t held = p->arena.bytes + p->body_size;
    if (p->owned != NULL || p->reply.len == 0) {
        return true;
    }
    if (held < RELEASE_MIN || held / 2 < p->reply.len) {
        return false;
    }
    void *copy = malloc(p->reply.len);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, p->reply.data, p->reply.len);
    tly_budget_force(p->budget, p->reply.len);
    p->owned      = copy;
    p->owned_size = p->reply.len;
    p->reply.data = copy;
    return true;
}

/* ---- RFC 9457 ---------------------------------------------------------------------------------
 */

/* The word of `code` when no check names itself. */
const char *
http_problem_code(enum tly_err err)
{
    static const char *const words[TLY_ERR_N] = {
        [TLY_OK]        = "ok",
        [TLY_EINPUT]    = "malformed",
        [TLY_ENOKEY]    = "no_key",
        [TLY_EFORBID]   = "forbidden",
        [TLY_ENOENT]    = "not_found",
        [TLY_EMETHOD]   = "method",
        [TLY_ECONFLICT] = "conflict",
        [TLY_ETIE]      = "tie",
        [TLY_ETOOBIG]   = "too_large",
        [TLY_ETYPE]     = "media_type",
        [TLY_ERANGE]    = "out_of_range",
        [TLY_ELIMIT]    = "limit",
        [TLY_EBUSY]     = "busy",
        [TLY_ENOMEM]    = "no_memory",
        [TLY_EUNSURE]   = "unsure",
        [TLY_EIO]       = "internal",
        [TLY_ECORRUPT]  = "internal",
    };
    return words[err];
}

/* A JSON text; bytes that are no UTF-8 (a foreign value, or one cut by a limit) become '?'. */
static json_t *
json_of(const char *text)
{
    json_t *value = json_string(text);
    if (value != NULL) {
        return value;
    }
    char   safe[512];
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < sizeof safe; n++) {
        safe[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
    }
    safe[n] = '\0';
    return json_string(safe);
}

static json_t *
problem_json(enum tly_err err, const char *code, const struct tly_diag *diag)
{
    char    type[64];
    json_t *o = json_object();
    (void)snprintf(type, sizeof type, "urn:tally:problem:%s", code);
    if (o == NULL) {
        return NULL;
    }
    int bad = json_object_set_new(o, "type", json_of(type));
    bad |= json_object_set_new(o, "title", json_string(tly_err_text(err)));
    bad |= json_object_set_new(o, "status", json_integer(tly_err_http(err)));
    if (diag != NULL && tly_err_blame(err) != TLY_OURS) {
        if (diag->text[0] != '\0') {
            bad |= json_object_set_new(o, "detail", json_of(diag->text));
        }
        bad |= json_object_set_new(o, "code", json_of(code));
        if (diag->field[0] != '\0') {
            bad |= json_object_set_new(o, "field", json_of(diag->field));
        }
    } else {
        bad |= json_object_set_new(o, "code", json_of(code));
    }
    if (bad != 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* The JSON text in the arena; without memory a constant that says less. */
static struct tly_bytes
problem_text(struct http_req *req, enum tly_err err, const char *code, const struct tly_diag *diag)
{
    static const char least[] = "{\"type\":\"about:blank\"}";
    struct tly_bytes  text    = tly_text(least);
    json_t           *o       = problem_json(err, code, diag);
    char             *dumped  = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
    const char       *copy = dumped == NULL ? NULL : tly_arena_text(req->arena, tly_text(dumped));
    if (copy != NULL) {
        text = tly_text(copy);
    }
    free(dumped);
    json_decref(o);
    return text;
}

static bool
has_field(const struct http_req_priv *p, const char *name)
{
    for (unsigned i = 0; i < p->fields_n; i++) {
        if (strcasecmp(p->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void
http_reply_problem(struct http_req *req, enum tly_err err, const struct tly_diag *diag)
{
    const enum tly_blame blame = tly_err_blame(err);
    const char *code = diag != NULL && diag->code[0] != '\0' ? diag->code : http_problem_code(err);
    struct http_req_priv *p = req->priv;
    TLY_CHECK(err != TLY_OK);
    if (blame == TLY_OURS) {
        code = http_problem_code(err); /* what broke inside is for the log, not for the sender */
        log_event(LOG_ERR, "http.internal", "error=%s method=%s path=%s why=%s", tly_err_name(err),
                  req->method, log_text(tly_text(req->path)).s,
                  log_why(diag == NULL ? "" : diag->text).s);
    }
    if ((blame == TLY_LATER || blame == TLY_UNSURE) && !has_field(p, MHD_HTTP_HEADER_RETRY_AFTER)) {
        /* Constants: there may be no memory for a copy. */
        static const char *const seconds[] = {"1", "2", "3"};
        TLY_CHECK(p->fields_n < HTTP_REPLY_HEADERS_MAX);
        p->fields[p->fields_n++] = (struct http_field){MHD_HTTP_HEADER_RETRY_AFTER,
                                                       seconds[arc4random_uniform(TLY_N(seconds))]};
    }
    if (p->arena.bytes == 0) {
        p->arena.budget = NULL; /* over the budget there still has to be room to say so */
    }
    http_reply_borrowed(req, tly_err_http(err), PROBLEM_TYPE, problem_text(req, err, code, diag));
}

/* ---- to MHD -----------------------------------------------------------------------------------
 */

static struct MHD_Response *
response_of_bytes(const struct http_req_priv *p)
{
    /* MHD only reads a PERSISTENT buffer, whatever its prototype says. */
    void *data = (void *)(uintptr_t)p->reply.data; /* NOLINT(performance-no-int-to-ptr) */
    return MHD_create_response_from_buffer(p->reply.len, data, MHD_RESPMEM_PERSISTENT);
}

/* The next piece of a file.  Our own, since MHD's reads 4 KiB at a time, each a TLS record. */
static ssize_t
file_piece(void *arg, uint64_t at, char *out, size_t size)
{
    const struct http_req_priv *p = arg;
    ssize_t                     n;
    do {
        n = pread(p->file, out, size, (off_t)at);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR; /* shorter than it was: the line ends */
}

/* The request outlives its response (http.c frees it when MHD says that it is over), and so does
 * the file. */
static struct MHD_Response *
response_of_file(struct http_req_priv *p)
{
    return MHD_create_response_from_callback(p->file_len, FILE_PIECE, file_piece, p, NULL);
}

enum MHD_Result
http_reply_queue(struct http_req_priv *p)
{
    TLY_CHECK(p->status != 0);
    http_state_to(p, HTTP_STATE_REPLYING, NULL);
    const bool           alone    = reply_alone(p);
    const uint64_t       len      = p->from_file ? p->file_len : p->reply.len;
    struct MHD_Response *response = p->from_file ? response_of_file(p) : response_of_bytes(p);
    if (response == NULL) {
        return MHD_NO; /* no memory for a reply: the connection ends */
    }
    bool ok =
        p->content_type == NULL ||
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, p->content_type) == MHD_YES;
    for (unsigned i = 0; ok && i < p->fields_n; i++) {
        ok = MHD_add_response_header(response, p->fields[i].name, p->fields[i].value) == MHD_YES;
    }
    if (ok && p->close) {
        ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    }
    if (!ok) {
        log_event(LOG_ERR, "http.reply_refused",
                  "path=%s why=\"no memory, or a header with a line end\"",
                  log_text(tly_text(p->req.path)).s);
    }
    watcher_phase(p->conn, WATCHER_REPLY, (size_t)len);
    const enum MHD_Result queued =
        ok ? MHD_queue_response(p->mhd, (unsigned)p->status, response) : MHD_NO;
    MHD_destroy_response(response);
    if (alone) {
        tly_arena_done(&p->arena);
        http_body_free(p);
    }
    return queued;
}

/* The worker's own, past MHD's buffers: what does not fit the socket is lost. */
static void
send_raw(struct MHD_Connection *mhd, const char *text, size_t len)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info != NULL) {
        (void)gnutls_record_send(info->tls_session, text, len);
        return;
    }
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    (void)!send(info->connect_fd, text, len, MSG_NOSIGNAL);
}

void
http_reply_long_uri(struct MHD_Connection *mhd)
{
    static const char body[] = "{\"type\":\"urn:tally:problem:uri\",\"title\":\"address too long\","
                               "\"status\":414,\"code\":\"uri\"}";
    char              text[512];
    const int         n = snprintf(text, sizeof text,
                                   "HTTP/1.1 414 URI Too Long\r\nContent-Type: %s\r\n"
                                           "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                                   PROBLEM_TYPE, sizeof body - 1, body);
    TLY_CHECK(n > 0);
    TLY_CHECK((size_t)n < sizeof text);
    send_raw(mhd, text, (size_t)n);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    (void)shutdown(info->connect_fd, SHUT_RDWR); /* MHD finds the end and closes */
}

void
http_reply_raw(struct http_req_priv *p)
{
    char        head[512];
    const char *later =
        p->fields_n == 0 ? "" : "Retry-After: 1\r\n"; /* the only one of a problem */
    const int n = snprintf(head, sizeof head,
                           "HTTP/1.1 %d Refused\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                           "%sConnection: close\r\n\r\n%.*s",
                           p->status, p->content_type, p->reply.len, later, (int)p->reply.len,
                           (const char *)p->reply.data);
    if (n < 0 || (size_t)n >= sizeof head) {
        return;
    }
    http_state_to(p, HTTP_STATE_REPLYING, NULL);
    watcher_phase(p->conn, WATCHER_REPLY, (size_t)n);
    send_raw(p->mhd, head, (size_t)n);
}
