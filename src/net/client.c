/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/check.h"
#include "client_int.h"
#include "sys/clock.h"

#define CHUNK_LINE_MAX 64 /* a chunk's size with its extension */
#define TRAILERS_MAX   64 /* lines behind the last chunk */
#define INTERIM_MAX    8  /* 1xx answers before the one */
#define SPOOL_FIRST    ((size_t)16 << 10)

/* ---- the connection's address -----------------------------------------------------------------
 */

static bool
parse_port(const char *text, char port[static 6])
{
    const size_t len = strspn(text, "0123456789");
    if (len < 1 || len > 5 || (text[len] != '\0' && strcmp(text + len, "/") != 0) ||
        strtoul(text, NULL, 10) > UINT16_MAX) {
        return false;
    }
    memcpy(port, text, len);
    port[len] = '\0';
    return true;
}

/* HOST:PORT or [ADDRESS]:PORT, and at most a slash behind it. */
static bool
parse_authority(const char *text, struct client *client)
{
    client->brackets  = text[0] == '[';
    const char  *host = text + (client->brackets ? 1 : 0);
    const size_t len  = strcspn(host, client->brackets ? "]" : ":/");
    const char  *rest = host + len + (client->brackets && host[len] == ']' ? 1 : 0);
    if (len < 1 || len > CLIENT_HOST_MAX || *rest != ':') {
        return false;
    }
    memcpy(client->host, host, len);
    client->host[len] = '\0';
    return parse_port(rest + 1, client->port);
}

enum tly_err
client_new(const char *url, struct client_tls *tls, unsigned timeout_ms, struct client **out,
           struct tly_diag *diag)
{
    const bool     secure = strncmp(url, "https://", 8) == 0;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a connection");
    }
    client->fd         = -1;
    client->tls        = tls;
    client->timeout_ms = timeout_ms;
    if ((!secure && strncmp(url, "http://", 7) != 0) ||
        !parse_authority(url + (secure ? 8 : 7), client)) {
        free(client);
        return tly_fail(diag, TLY_EINPUT, "%.200s: not https://HOST:PORT", url);
    }
    if (secure != (tls != NULL)) {
        free(client);
        return tly_fail(diag, TLY_EINPUT, "%.200s: %s", url,
                        secure ? "https needs a CA" : "a certificate needs https");
    }
    *out = client;
    return TLY_OK;
}

void
client_cancel_by(struct client *client, const _Atomic(bool) *cancel)
{
    client->cancel = cancel;
}

void
client_disconnect(struct client *client)
{
    client_conn_close(client);
}

void
client_free(struct client *client)
{
    if (client != NULL) {
        client_conn_close(client);
        free(client);
    }
}

/* ---- reading an answer ------------------------------------------------------------------------
 */

/* What is needed to read one answer. */
struct reader {
    struct client       *client;
    uint64_t             until;
    size_t               body_max;
    struct tly_arena    *arena;
    struct client_reply *reply;
    struct tly_diag     *diag;
    bool                 begun; /* a byte of the answer has come */
    bool                 keep;  /* the connection may carry another request */
    uint8_t             *spool; /* a body of unknown length */
    size_t               spool_len;
    size_t               spool_size;
};

static struct tly_bytes
unread(const struct client *client)
{
    return (struct tly_bytes){client->got + client->got_from, client->got_to - client->got_from};
}

/* More bytes behind the unread ones, which move to the front when there is no room. */
static enum tly_err
more(struct reader *r)
{
    struct client *c = r->client;
    if (c->got_to == sizeof c->got && c->got_from > 0) {
        c->got_to -= c->got_from;
        memmove(c->got, c->got + c->got_from, c->got_to);
        c->got_from = 0;
    }
    if (c->got_to == sizeof c->got && c->got_from == 0) {
        return tly_fail(r->diag, TLY_EINPUT, "a header block or line that is too long");
    }
    switch (client_conn_read(c, r->until)) {
    case CLIENT_IO_DONE:
        r->begun = true;
        return TLY_OK;
    case CLIENT_IO_REFUSED:
        return tly_fail(r->diag, TLY_EFORBID, "%s port %s refuses this certificate", c->host,
                        c->port);
    case CLIENT_IO_LATE:
        return tly_fail(r->diag, TLY_EUNSURE, "no answer in %u ms", c->timeout_ms);
    case CLIENT_IO_CLOSED:
    case CLIENT_IO_ANSWER:
        break;
    }
    return tly_fail(r->diag, TLY_EUNSURE, "the connection ended before the whole answer came");
}

static enum tly_err
no_memory(struct reader *r)
{
    return tly_fail(r->diag, TLY_ENOMEM, "no memory for an answer");
}

static enum tly_err
too_big(struct reader *r)
{
    return tly_fail(r->diag, TLY_ETOOBIG, "the answer is longer than %zu bytes", r->body_max);
}

/* The header block, from the status line to the empty line, into the arena. */
static enum tly_err
read_headers(struct reader *r)
{
    for (;;) {
        const struct tly_bytes have = unread(r->client);
        const uint8_t *end = have.len == 0 ? NULL : memmem(have.data, have.len, "\r\n\r\n", 4);
        if (end != NULL) {
            const struct tly_bytes block = {have.data, (size_t)(end - have.data) + 2};
            char                  *copy  = tly_arena_text(r->arena, block);
            if (copy == NULL) {
                return no_memory(r);
            }
            r->client->got_from += block.len + 2;
            r->reply->headers = (struct tly_bytes){(const uint8_t *)copy, block.len};
            return TLY_OK;
        }
        const enum tly_err err = more(r);
        if (err != TLY_OK) {
            return err;
        }
    }
}

/* HTTP/1.x NNN */
static enum tly_err
parse_status(struct reader *r)
{
    const struct tly_bytes h = r->reply->headers;
    const char            *s = (const char *)h.data; /* NUL behind it */
    if (h.len < 14 || memcmp(s, "HTTP/1.", 7) != 0 || (s[7] != '0' && s[7] != '1') || s[8] != ' ' ||
        !isdigit((unsigned char)s[9]) || !isdigit((unsigned char)s[10]) ||
        !isdigit((unsigned char)s[11]) || s[9] == '0') {
        return tly_fail(r->diag, TLY_EINPUT, "the answer is not HTTP/1");
    }
    r->reply->status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
    r->keep          = s[7] == '1';
    return TLY_OK;
}

struct tly_bytes
client_header(const struct client_reply *reply, const char *name)
{
    const size_t name_len = strlen(name);
    const char  *line     = (const char *)reply->headers.data;
    const char  *end      = line == NULL ? NULL : line + reply->headers.len;
    while (line != NULL && line < end) {
        const char *eol = memmem(line, (size_t)(end - line), "\r\n", 2);
        eol             = eol == NULL ? end : eol;
        if ((size_t)(eol - line) > name_len && line[name_len] == ':' &&
            strncasecmp(line, name, name_len) == 0) {
            const char *from = line + name_len + 1;
            const char *to   = eol;
            while (from < to && (*from == ' ' || *from == '\t')) {
                from++;
            }
            while (to > from && (to[-1] == ' ' || to[-1] == '\t')) {
                to--;
            }
            return (struct tly_bytes){(const uint8_t *)from, (size_t)(to - from)};
        }
        line = eol == end ? NULL : eol + 2;
    }
    return (struct tly_bytes){NULL, 0};
}

static bool
header_is(const struct client_reply *reply, const char *name, const char *value)
{
    const struct tly_bytes v = client_header(reply, name);
    return v.len == strlen(value) && strncasecmp((const char *)v.data, value, v.len) == 0;
}

/* A number of 1 to 15 digits of the base; false otherwise. */
static bool
parse_number(struct tly_bytes text, int base, size_t *out)
{
    char buf[16];
    if (text.len < 1 || text.len >= sizeof buf) {
        return false;
    }
    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';
    if (strspn(buf, base == 16 ? "0123456789abcdefABCDEF" : "0123456789") != text.len) {
        return false;
    }
    *out = (size_t)strtoull(buf, NULL, base);
    return true;
}

/* Exactly len bytes to `to`. */
static enum tly_err
read_exact(struct reader *r, uint8_t *to, size_t len)
{
    for (;;) {
        const struct tly_bytes have = unread(r->client);
        const size_t           n    = have.len < len ? have.len : len;
        if (n > 0) {
            memcpy(to, have.data, n);
        }
        r->client->got_from += n;
        to += n;
        len -= n;
        if (len == 0) {
            return TLY_OK;
        }
        const enum tly_err err = more(r);
        if (err != TLY_OK) {
            return err;
        }
    }
}

static enum tly_err
read_sized(struct reader *r, size_t len)
{
    if (len > r->body_max) {
        return too_big(r);
    }
    uint8_t *body = tly_arena_alloc(r->arena, len + 1, 1);
    if (body == NULL) {
        return no_memory(r);
    }
    r->reply->body = (struct tly_bytes){body, len};
    return read_exact(r, body, len);
}

/* Room for len more bytes behind the spooled ones. */
static enum tly_err
spool_room(struct reader *r, size_t len)
{
    if (len > r->body_max - r->spool_len) {
        return too_big(r);
    }
    size_t size = r->spool_size == 0 ? SPOOL_FIRST : r->spool_size;
    while (size - r->spool_len < len) {
        size *= 2;
    }
    if (size > r->spool_size) {
        uint8_t *grown = realloc(r->spool, size);
        if (grown == NULL) {
            return no_memory(r);
        }
        r->spool      = grown;
        r->spool_size = size;
    }
    return TLY_OK;
}

static enum tly_err
read_line(struct reader *r, struct tly_bytes *line)
{
    for (;;) {
        const struct tly_bytes have = unread(r->client);
        const uint8_t         *eol  = have.len == 0 ? NULL : memmem(have.data, have.len, "\r\n", 2);
        if (eol != NULL) {
            *line = (struct tly_bytes){have.data, (size_t)(eol - have.data)};
            r->client->got_from += line->len + 2;
            return TLY_OK;
        }
        if (have.len > CHUNK_LINE_MAX) {
            return tly_fail(r->diag, TLY_EINPUT, "a chunk's line is too long");
        }
        const enum tly_err err = more(r);
        if (err != TLY_OK) {
            return err;
        }
    }
}

/* One chunk; *last when it was the empty one, with its trailers. */
static enum tly_err
read_chunk(struct reader *r, bool *last)
{
    struct tly_bytes line;
    size_t           len = 0;
    enum tly_err     err = read_line(r, &line);
    if (err != TLY_OK) {
        return err;
    }
    const uint8_t *semicolon = memchr(line.data, ';', line.len);
    if (semicolon != NULL) {
        line.len = (size_t)(semicolon - line.data);
    }
    if (!parse_number(line, 16, &len)) {
        return tly_fail(r->diag, TLY_EINPUT, "a chunk without a size");
    }
    *last = len == 0;
    if (len > 0) {
        err = spool_room(r, len);
        if (err == TLY_OK) {
            err = read_exact(r, r->spool + r->spool_len, len);
        }
        r->spool_len += len;
    }
    unsigned lines = 0;
    do { /* the line's end behind a chunk; trailers up to an empty line behind the last */
        err = err == TLY_OK ? read_line(r, &line) : err;
    } while (err == TLY_OK && len == 0 && line.len > 0 && ++lines <= TRAILERS_MAX);
    if (err == TLY_OK && line.len > 0) {
        err = tly_fail(r->diag, TLY_EINPUT,
                       len > 0 ? "a chunk longer than its size" : "trailers without end");
    }
    return err;
}

static enum tly_err
read_chunked(struct reader *r)
{
    bool         last = false;
    enum tly_err err  = TLY_OK;
    while (err == TLY_OK && !last) {
        err = read_chunk(r, &last);
    }
    return err;
}

/* No length given: until the other side ends the connection. */
static enum tly_err
read_to_end(struct reader *r)
{
    r->keep = false;
    for (;;) {
        const struct tly_bytes have = unread(r->client);
        enum tly_err           err  = spool_room(r, have.len);
        if (err != TLY_OK) {
            return err;
        }
        if (have.len > 0) {
            memcpy(r->spool + r->spool_len, have.data, have.len);
        }
        r->spool_len += have.len;
        r->client->got_from += have.len;
        const enum client_io io = client_conn_read(r->client, r->until);
        if (io == CLIENT_IO_CLOSED) {
            return TLY_OK;
        }
        if (io != CLIENT_IO_DONE) {
            return tly_fail(r->diag, TLY_EUNSURE, "no whole answer in %u ms",
                            r->client->timeout_ms);
        }
    }
}

static enum tly_err
read_body(struct reader *r, bool head)
{
    const struct client_reply *reply  = r->reply;
    const struct tly_bytes     length = client_header(reply, "Content-Length");
    enum tly_err               err    = TLY_OK;
    size_t                     len    = 0;
    if (head || reply->status == 204 || reply->status == 304) {
        return TLY_OK;
    }
    if (header_is(reply, "Transfer-Encoding", "chunked")) {
        err = read_chunked(r);
    } else if (client_header(reply, "Transfer-Encoding").data != NULL) {
        return tly_fail(r->diag, TLY_EINPUT, "a transfer coding that is not chunked");
    } else if (length.data != NULL) {
        return parse_number(length, 10, &len)
                   ? read_sized(r, len)
                   : tly_fail(r->diag, TLY_EINPUT, "a Content-Length that is no number");
    } else {
        err = read_to_end(r);
    }
    if (err == TLY_OK) {
        const struct tly_bytes all  = {r->spool, r->spool_len};
        char                  *copy = tly_arena_text(r->arena, all);
        r->reply->body              = (struct tly_bytes){(const uint8_t *)copy, all.len};
        err                         = copy == NULL ? no_memory(r) : TLY_OK;
    }
    return err;
}

static enum tly_err
read_answer(struct reader *r, bool head)
{
    enum tly_err err;
    unsigned     interim = 0;
    do { /* interim answers (100 Continue) have no body and are no answer */
        err = read_headers(r);
        err = err == TLY_OK ? parse_status(r) : err;
    } while (err == TLY_OK && r->reply->status < 200 && ++interim <= INTERIM_MAX);
    if (err == TLY_OK && r->reply->status < 200) {
        err = tly_fail(r->diag, TLY_EINPUT, "interim answers without end");
    }
    if (err == TLY_OK) {
        err = read_body(r, head);
    }
    r->keep                = r->keep && !header_is(r->reply, "Connection", "close");
    r->reply->content_type = client_header(r->reply, "Content-Type");
    return err;
}

/* ---- a request --------------------------------------------------------------------------------
 */

/* One request as it goes out. */
struct request {
    const char      *method;
    const char      *path;
    const char      *content_type;
    const char      *extra;
    struct tly_bytes body;
};

/* The header block into client->out; 0 when it does not fit. */
static size_t
write_head(struct client *client, const struct request *q)
{
    const bool has_body   = q->body.len > 0 || strcmp(q->method, "POST") == 0;
    char       length[48] = "";
    if (has_body) {
        (void)snprintf(length, sizeof length, "Content-Length: %zu\r\n", q->body.len);
    }
    const int n =
        snprintf((char *)client->out, sizeof client->out,
                 "%s %s HTTP/1.1\r\nHost: %s%s%s:%s\r\n%s%s%s%s%s\r\n", q->method, q->path,
                 client->brackets ? "[" : "", client->host, client->brackets ? "]" : "",
                 client->port, q->content_type == NULL ? "" : "Content-Type: ",
                 q->content_type == NULL ? "" : q->content_type,
                 q->content_type == NULL ? "" : "\r\n", length, q->extra == NULL ? "" : q->extra);
    return n < 0 || (size_t)n >= sizeof client->out ? 0 : (size_t)n;
}

/* Head and body in one piece when they fit, so that small requests are one segment. */
static enum client_io
send_request(struct client *client, const struct request *q, size_t head, uint64_t until)
{
    const bool one = q->body.len <= sizeof client->out - head;
    if (one && q->body.len > 0) {
        memcpy(client->out + head, q->body.data, q->body.len);
    }
    enum client_io io = client_conn_write(
        client, (struct tly_bytes){client->out, head + (one ? q->body.len : 0)}, until);
    if (io == CLIENT_IO_DONE && !one) {
        io = client_conn_write(client, q->body, until);
    }
    return io;
}

/* One attempt on the connection that there is.  *unheard: the connection ended without a byte of an
 * answer. */
static enum tly_err
attempt(struct client *client, const struct request *q, size_t head, struct reader *r,
        bool *unheard)
{
    r->until          = clock_mono_ms() + client->timeout_ms;
    client->late_from = 0;
    enum client_io io = send_request(client, q, head, r->until);
    enum tly_err   err;
    if (io == CLIENT_IO_LATE) {
        err = tly_fail(r->diag, TLY_EUNSURE, "the request was not taken in %u ms",
                       client->timeout_ms);
    } else if (io == CLIENT_IO_REFUSED) {
        err = tly_fail(r->diag, TLY_EFORBID, "%s port %s refuses this certificate", client->host,
                       client->port);
    } else {
        /* Even when writing failed an answer may be waiting: a refusal of the body, or the alert
         * that says why. */
        err = read_answer(r, strcmp(q->method, "HEAD") == 0);
    }
    *unheard = err == TLY_EUNSURE && !r->begun && clock_mono_ms() < r->until;
    if (err != TLY_OK || !r->keep || io != CLIENT_IO_DONE || unread(client).len > 0) {
        client_conn_close(client);
    }
    return err;
}

enum tly_err
client_request(struct client *client, const char *method, const char *path,
               const char *content_type, struct tly_bytes body, const char *extra,
               size_t answer_bytes_max, struct tly_arena *arena, struct client_reply *out,
               struct tly_diag *diag)
{
    const struct request q    = {method, path, content_type, extra, body};
    const size_t         head = write_head(client, &q);
    if (head == 0) {
        return tly_fail(diag, TLY_ETOOBIG, "the request's header block is too long");
    }
    bool sent = false;
    for (bool kept = client->fd >= 0;; kept = false) {
        enum tly_err err = client->fd >= 0 ? TLY_OK : client_conn_open(client, diag);
        if (err != TLY_OK) { /* "nothing was sent" is not true of a second attempt */
            return sent && err == TLY_EBUSY ? TLY_EUNSURE : err;
        }
        sent                        = true;
        struct client_reply reply   = {0};
        bool                unheard = false;
        struct reader       r       = {.client   = client,
                                       .body_max = answer_bytes_max,
                                       .arena    = arena,
                                       .reply    = &reply,
                                       .diag     = diag};
        err                         = attempt(client, &q, head, &r, &unheard);
        free(r.spool);
        if (err == TLY_OK) {
            *out = reply;
            return TLY_OK;
        }
        if (!kept || !unheard) {
            return err;
        }
    }
}
