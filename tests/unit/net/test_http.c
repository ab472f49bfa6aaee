/* SPDX-License-Identifier: Apache-2.0 */
/* A request over mutual TLS: whole bodies up to the limit and not a byte more, nothing ambiguous
 * reaches a handler, replies as given, waiting requests, keep-alive without delay, going down. */
#include <jansson.h>
#include <malloc.h>
#include <openssl/ssl.h>

#include "rig.h"

static struct tly_arena arena;

static struct client_reply
ask(struct client *client, const char *method, const char *path, const char *type,
    struct tly_bytes body, const char *extra)
{
    struct client_reply reply = {0};
    struct tly_diag     diag  = {0};
    const enum tly_err  err =
        client_request(client, method, path, type, body, extra, 1U << 20, &arena, &reply, &diag);
    if (err != TLY_OK) {
        printf("# %s %s: %s: %s\n", method, path, tly_err_name(err), diag.text);
    }
    return reply;
}

static struct client_reply
get(struct client *client, const char *path)
{
    return ask(client, "GET", path, NULL, (struct tly_bytes){0}, NULL);
}

static bool
body_is(const struct client_reply *reply, const char *text)
{
    return tly_bytes_eq(reply->body, tly_text(text));
}

static bool
field_is(const struct client_reply *reply, const char *name, const char *text)
{
    return tly_bytes_eq(client_header(reply, name), tly_text(text));
}

static void
test_plain_requests(struct client *client)
{
    struct client_reply r = get(client, "/hello");
    T_EQ(r.status, 200, "a GET is answered");
    T_OK(body_is(&r, "GET"), "with its body");
    T_OK(field_is(&r, "Content-Type", "text/plain") && field_is(&r, "ETag", "\"7\""),
         "and its headers");
    r = ask(client, "HEAD", "/hello", NULL, (struct tly_bytes){0}, NULL);
    T_EQ(r.status, 200, "HEAD is answered as GET");
    T_OK(r.body.len == 0 && field_is(&r, "Content-Length", "3"), "with the length and no body");
    r = ask(client, "POST", "/echo", "text/x; a=b", tly_text("hello"), NULL);
    T_OK(body_is(&r, "hello") && field_is(&r, "X-Type", "text/x; a=b"), "a body and its type");
    r = ask(client, "POST", "/echo", NULL, (struct tly_bytes){0}, NULL);
    T_OK(r.status == 200 && r.body.len == 0 && client_header(&r, "X-Type").len == 0,
         "an empty POST without a type");
    r = ask(client, "DELETE", "/hello", NULL, (struct tly_bytes){0}, NULL);
    T_OK(body_is(&r, "DELETE"), "another method reaches the handler as it is");
}

static void
test_query(struct client *client)
{
    struct client_reply r = get(client, "/query?q=a%20b%2Bc&x=1");
    T_OK(body_is(&r, "a b+c"), "a query parameter is decoded");
    r = get(client, "/query?q=%D8%B4");
    T_OK(body_is(&r, "\xd8\xb4"), "also beyond ASCII");
    r = get(client, "/query?p=1");
    T_OK(body_is(&r, "(none)"), "an absent parameter is none");
    r = get(client, "/query?q=");
    T_OK(r.status == 200 && r.body.len == 0, "an empty one is empty");
    r = get(client, "/query?q");
    T_OK(r.status == 200 && r.body.len == 0, "so is one without a value");
    T_EQ(get(client, "/query?q=a%00b").status, 400, "a NUL in a parameter is refused");
    T_EQ(get(client, "/que%00ry").status, 400, "a NUL in the path is refused");
    r = get(client, "/%68ello");
    T_OK(body_is(&r, "GET"), "the path is decoded");
}

/* The sizes around the reading buffer, and around the limit. */
static void
test_bodies(struct client *client)
{
    static uint8_t      data[RIG_BODY_MAX + 1];
    static const size_t sizes[] = {1,           4095, 4096, 10240, 16384, 65537, RIG_BODY_MAX - 1,
                                   RIG_BODY_MAX};
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 31 + i / 251);
    }
    bool same = true;
    for (size_t i = 0; i < TLY_N(sizes); i++) {
        const struct tly_bytes    body = {data, sizes[i]};
        const struct client_reply r    = ask(client, "POST", "/echo", NULL, body, NULL);
        same                           = same && tly_bytes_eq(r.body, body);
    }
    T_OK(same, "bodies up to the limit arrive whole");
    struct client_reply r =
        ask(client, "POST", "/echo", NULL, (struct tly_bytes){data, sizeof data}, NULL);
    T_EQ(r.status, 413, "one byte over the limit is refused");
    T_OK(field_is(&r, "Content-Type", "application/problem+json"), "with a problem");
    T_EQ(ask(client, "DELETE", "/echo", NULL, (struct tly_bytes){data, 1}, NULL).status, 413,
         "a body where none is taken is refused");
    T_EQ(get(client, "/hello").status, 200, "the client goes on with a new connection");
}

static void
test_problems(struct client *client)
{
    char path[64];
    bool right = true;
    for (int e = 1; e < TLY_ERR_N; e++) {
        const enum tly_err   err   = (enum tly_err)e;
        const enum tly_blame blame = tly_err_blame(err);
        (void)snprintf(path, sizeof path, "/problem?err=%s", tly_err_name(err));
        const struct client_reply r    = get(client, path);
        json_t                   *o    = json_loadb((const char *)r.body.data, r.body.len, 0, NULL);
        const bool                ours = blame == TLY_OURS;
        const char               *code = json_string_value(json_object_get(o, "code"));
        const bool                retry = client_header(&r, "Retry-After").len == 1;
        const bool                ok    = o != NULL && r.status == tly_err_http(err) &&
                        json_integer_value(json_object_get(o, "status")) == r.status &&
                        strcmp(code, ours ? "internal" : "X01") == 0 &&
                        (json_object_get(o, "detail") == NULL) == ours &&
                        (json_object_get(o, "field") == NULL) == ours &&
                        retry == (blame == TLY_LATER || blame == TLY_UNSURE) &&
                        field_is(&r, "Content-Type", "application/problem+json");
        if (!ok) {
            printf("# %s: %d %.*s\n", path, r.status, (int)r.body.len, (const char *)r.body.data);
        }
        right = right && ok;
        json_decref(o);
    }
    T_OK(right, "each error has its status, code and fields; ours say nothing");
    const struct client_reply r = get(client, "/problem?err=EINPUT&bare=1");
    T_OK(body_is(&r, "{\"type\":\"urn:tally:problem:malformed\",\"title\":\"malformed\","
                     "\"status\":400,\"code\":\"malformed\"}"),
         "a problem without a diag");
}

/* ---- requests as bytes ------------------------------------------------------------------------
 */

/* Sends raw bytes over mutual TLS and gives the first line's status, 0 when the connection ended
 * without an answer.  *closed: true: says goodbye behind the bytes; then, whether the server ended
 * the connection. */
static int
raw(struct rig *rig, const char *bytes, size_t len, bool *closed)
{
    char     answer[4096];
    size_t   have = 0;
    SSL_CTX *ctx  = SSL_CTX_new(TLS_client_method());
    TLY_CHECK(SSL_CTX_use_certificate(ctx, rig->known.x509) == 1);
    TLY_CHECK(SSL_CTX_use_PrivateKey(ctx, rig->known.key) == 1);
    SSL                 *ssl   = SSL_new(ctx);
    const int            fd    = rig_dial(rig);
    const struct timeval limit = {.tv_sec = RIG_PATIENCE_S};
    TLY_CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    TLY_CHECK(SSL_set_fd(ssl, fd) == 1);
    TLY_CHECK(SSL_connect(ssl) == 1);
    (void)SSL_write(ssl, bytes, (int)len);
    if (*closed) {
        (void)SSL_shutdown(ssl);
    }
    int n;
    do {
        errno = 0;
        n     = SSL_read(ssl, answer + have, (int)(sizeof answer - 1 - have));
        have += n > 0 ? (size_t)n : 0;
        answer[have] = '\0';
    } while ((n > 0 && have < sizeof answer - 1) || (n <= 0 && errno == EINTR));
    const int why = SSL_get_error(ssl, n);
    *closed       = why == SSL_ERROR_ZERO_RETURN || why == SSL_ERROR_SSL ||
              (why == SSL_ERROR_SYSCALL && errno != EAGAIN);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    (void)close(fd);
    return have > 12 && strncmp(answer, "HTTP/1.", 7) == 0 ? atoi(answer + 9) : 0; /* NOLINT */
}

struct bad {
    const char *what;
    const char *bytes;
    int         status; /* 0: ended without a word is fine as well */
};

static const struct bad bads[] = {
    {"no Host", "GET /hello HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"two different lengths",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhelloX", 400},
    {"two equal lengths",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
    {"a length and chunked",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n",
     400},
    {"chunked twice",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n",
     400},
    {"gzip, chunked",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
    {"an unknown coding", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
     400},
    {"HTTP/1.9", "GET /hello HTTP/1.9\r\nHost: a\r\n\r\n", 400},
    {"HTTP/2.0", "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"HTTP/0.9", "GET /hello\r\n\r\n", 0},
    {"a negative length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
    {"a signed length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", 400},
    {"a length with a tail", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\nhello",
     400},
    {"an empty length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
    {"a length of 2^64 and more",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello", 413},
    {"a length of 2^64 - 1",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\nhello", 413},
    {"a length one over the limit",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\nh", 413},
    {"no request", "\x16\x03\x01\r\n\r\n", 0},
};

static void
test_ambiguous(struct rig *rig)
{
    for (size_t i = 0; i < TLY_N(bads); i++) {
        const unsigned before = atomic_load(&rig->handled);
        bool           closed = false;
        const int      status = raw(rig, bads[i].bytes, strlen(bads[i].bytes), &closed);
        const bool     ok = (status == bads[i].status || (bads[i].status == 0 && status >= 400)) &&
                        closed && atomic_load(&rig->handled) == before;
        T_OK(ok, bads[i].what);
        if (!ok) {
            printf("# status %d, closed %d, handled %u more\n", status, closed,
                   atomic_load(&rig->handled) - before);
        }
    }
    bool closed = false;
    T_EQ(raw(rig, "GET /hello HTTP/1.0\r\nHost: a\r\n\r\n", 32, &closed), 200, "HTTP/1.0 is taken");
    T_OK(closed, "and ends the connection");
}

/* An address of so many arguments, filled up to so many bytes. */
static size_t
long_uri(char *out, size_t size, unsigned args, size_t bytes)
{
    size_t       n     = (size_t)snprintf(out, size, "GET /hello?");
    const size_t start = strlen("GET ");
    for (unsigned i = 0; i + 1 < args; i++) {
        n += (size_t)snprintf(out + n, size - n, "a=b&");
    }
    while (n < start + bytes) {
        out[n++] = 'x';
    }
    return n +
           (size_t)snprintf(out + n, size - n, " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
}

static void
test_long_uris(struct rig *rig)
{
    static const struct {
        const char *what;
        unsigned    args;
        size_t      bytes;
        int         status;
    } rows[] = {
        {"sixteen arguments", 16, 0, 200},
        {"seventeen", 17, 0, 414},
        {"a hundred and seventy", 170, 0, 414},
        {"two thousand", 2000, 0, 414},
        {"an address of the limit", 1, 4096, 200},
        {"with all arguments", 16, 4096, 200},
        {"one byte more", 1, 4097, 414},
        {"far more", 4, 10000, 414},
        {"more than there is room for", 1, 11000, 414},
    };
    static char bytes[16000];
    for (size_t i = 0; i < TLY_N(rows); i++) {
        const unsigned before = atomic_load(&rig->handled);
        bool           closed = false;
        const size_t   n      = long_uri(bytes, sizeof bytes, rows[i].args, rows[i].bytes);
        T_EQ(raw(rig, bytes, n, &closed), rows[i].status, rows[i].what);
        /* At once: raw() waits for less than the server's deadlines. */
        T_OK(closed && (atomic_load(&rig->handled) == before) == (rows[i].status != 200),
             "and the connection ends; no handler sees what is refused");
    }
}

static bool
none_open(struct rig *rig)
{
    return http_server_stats(rig->server).connections == 0;
}

/* Memory in use when the last connection has gone.  MHD frees a little more a moment later. */
static size_t
held_alone(struct rig *rig)
{
    TLY_CHECK(rig_until(none_open, rig));
    (void)poll(NULL, 0, 50);
    return mallinfo2().uordblks;
}

/* Sends it so many times; whether each was ended. */
static bool
drop(struct rig *rig, const char *bytes, size_t len, unsigned times)
{
    bool ended = true;
    for (unsigned i = 0; i < times; i++) {
        bool      closed = false;
        const int status = raw(rig, bytes, len, &closed);
        if (status == 200 || !closed) {
            printf("# status %d, closed %d\n", status, closed);
            ended = false;
        }
    }
    return ended;
}

/* More arguments than a connection's memory holds: MHD drops such a request between its request
 * line and its header block and tells nobody.  Sanitizers see at the end what it left behind. */
static void
test_dropped(void)
{
    static char bytes[8000];
    size_t      n = (size_t)snprintf(bytes, sizeof bytes, "GET /hello?");
    while (n < 6000) {
        n += (size_t)snprintf(bytes + n, sizeof bytes - n, "a=b&");
    }
    n += (size_t)snprintf(bytes + n, sizeof bytes - n, " HTTP/1.1\r\nHost: a\r\n\r\n");
    struct rig rig;
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.head_ms_max        = 50; /* MHD does not end them itself */
    config.workers_n          = 1;  /* what a thread keeps from its first request, it keeps once */
    T_EQ(rig_listen(&rig, config, true, NULL), TLY_OK, "a server with little patience");
    bool ended = drop(&rig, bytes, n, 10);
    /* Threads and libraries keep something now and then, once; what is left behind grows always. */
    size_t held = 0;
    size_t now  = SIZE_MAX;
    for (unsigned i = 0; i < 5 && now >= held + (size_t)30 * 300; i++) {
        held  = held_alone(&rig);
        ended = drop(&rig, bytes, n, 30) && ended;
        now   = held_alone(&rig);
        printf("# 30 of them: %zu bytes, then %zu\n", held, now);
    }
    T_OK(ended && atomic_load(&rig.handled) == 0, "too many arguments reach no handler");
    T_OK(now < held + (size_t)30 * 300, "and leave no memory behind");
    rig_end(&rig);
}

/* A chunked body, in pieces of `piece` bytes. */
static size_t
chunked(char *out, size_t size, size_t total, size_t piece)
{
    size_t n = (size_t)snprintf(out, size,
                                "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < total; at += piece) {
        const size_t len = total - at < piece ? total - at : piece;
        n += (size_t)snprintf(out + n, size - n, "%zx\r\n", len);
        memset(out + n, 'x', len);
        n += len;
        n += (size_t)snprintf(out + n, size - n, "\r\n");
    }
    return n + (size_t)snprintf(out + n, size - n, "0\r\n\r\n");
}

static void
test_chunked(struct rig *rig)
{
    static char buf[2 * RIG_BODY_MAX];
    bool        closed = false;
    size_t      n      = chunked(buf, sizeof buf, RIG_BODY_MAX, 1000);
    T_EQ(raw(rig, buf, n, &closed), 200, "a chunked body of the limit");
    const unsigned before = atomic_load(&rig->handled);
    n                     = chunked(buf, sizeof buf, RIG_BODY_MAX + 1, 1000);
    closed                = false;
    T_EQ(raw(rig, buf, n, &closed), 413, "one byte more is refused in the middle");
    T_OK(closed && atomic_load(&rig->handled) == before, "closed, and no handler ran");
    n      = chunked(buf, sizeof buf, 10, 3);
    closed = true;
    T_EQ(raw(rig, buf, n - 5, &closed), 0, "a chunked body without its end gets no answer");
}

/* How long 100 requests take. */
static uint64_t
ask_100(struct client *client, bool *all)
{
    const uint64_t begun = clock_mono_ms();
    for (unsigned i = 0; i < 100; i++) {
        const struct client_reply r = ask(client, "POST", "/echo", NULL, tly_text("0123"), NULL);
        *all                        = *all && r.status == 200;
    }
    return clock_mono_ms() - begun;
}

static void
test_keep_alive(struct rig *rig, struct client *client)
{
    (void)get(client, "/hello");
    const uint64_t accepted = http_server_stats(rig->server).accepted;
    const uint64_t requests = http_server_stats(rig->server).requests;
    uint64_t       took     = UINT64_MAX;
    unsigned       rounds   = 0;
    bool           all      = true;
    /* A busy machine makes one round slow; delayed acknowledgements (40 ms) make all of them. */
    while (took >= 100 * 20 && rounds < 20) {
        took = ask_100(client, &all);
        rounds++;
        printf("# 100 keep-alive requests took %llu ms\n", (unsigned long long)took);
    }
    T_OK(all, "100 requests on one connection");
    T_EQ(http_server_stats(rig->server).accepted, accepted, "which is the same");
    T_EQ(http_server_stats(rig->server).requests, requests + 100 * rounds, "and counted");
    T_OK(took < 100 * 20, "no reply waits for a delayed acknowledgement");
}

/* ---- waiting ----------------------------------------------------------------------------------
 */

struct asker {
    struct rig *rig;
    unsigned    times;
    unsigned    right;
    pthread_t   thread;
};

static void *
ask_and_wait(void *arg)
{
    struct asker      *a      = arg;
    struct client_tls *tls    = NULL;
    struct client     *client = rig_client(a->rig, &a->rig->known, &tls);
    struct tly_arena   mine;
    tly_arena_init(&mine, 1U << 20);
    for (unsigned i = 0; i < a->times; i++) {
        struct client_reply reply = {0};
        const enum tly_err  err = client_request(client, "POST", "/wait", NULL, tly_text("x"), NULL,
                                                 1000, &mine, &reply, NULL);
        a->right += err == TLY_OK && reply.status == 201 && body_is(&reply, "waited");
        tly_arena_done(&mine);
    }
    client_free(client);
    client_tls_free(tls);
    return NULL;
}

static bool
all_wait(struct rig *rig)
{
    (void)pthread_mutex_lock(&rig->lock);
    const unsigned n = rig->waits_n;
    (void)pthread_mutex_unlock(&rig->lock);
    return n == 8;
}

static void
test_waiting(struct rig *rig)
{
    struct asker askers[8];
    unsigned     right = 0;
    for (size_t i = 0; i < TLY_N(askers); i++) {
        askers[i] = (struct asker){.rig = rig, .times = 200};
        TLY_CHECK(pthread_create(&askers[i].thread, NULL, ask_and_wait, &askers[i]) == 0);
    }
    for (size_t i = 0; i < TLY_N(askers); i++) {
        (void)pthread_join(askers[i].thread, NULL);
        right += askers[i].right;
    }
    T_EQ(right, 1600, "waiting requests are answered by another thread");
}

/* Requests that wait when the server goes down get their replies; what comes later is refused. */
static void
test_going_down(struct rig *rig)
{
    struct asker askers[8];
    unsigned     right = 0;
    rig_hold(rig, true);
    struct client_tls *tls    = NULL;
    struct client     *client = rig_client(rig, &rig->known, &tls);
    T_EQ(get(client, "/hello").status, 200, "a connection is open");
    for (size_t i = 0; i < TLY_N(askers); i++) {
        askers[i] = (struct asker){.rig = rig, .times = 1};
        TLY_CHECK(pthread_create(&askers[i].thread, NULL, ask_and_wait, &askers[i]) == 0);
    }
    T_OK(rig_until(all_wait, rig), "requests wait");
    http_server_quiesce(rig->server);
    const struct client_reply r = get(client, "/hello");
    T_EQ(r.status, 503, "an open connection's new request is refused when going down");
    T_OK(client_header(&r, "Retry-After").len == 1, "with Retry-After");
    struct tly_diag     diag;
    struct client_reply none;
    T_EQ(client_request(client, "GET", "/hello", NULL, (struct tly_bytes){0}, NULL, 100, &arena,
                        &none, &diag),
         TLY_EBUSY, "a new connection is not taken");
    client_free(client);
    client_tls_free(tls);
    rig_end(rig); /* answers, then stops */
    for (size_t i = 0; i < TLY_N(askers); i++) {
        (void)pthread_join(askers[i].thread, NULL);
        right += askers[i].right;
    }
    T_EQ(right, 8, "all that waited got their replies");
}

/* ---- without TLS, and what does not start -----------------------------------------------------
 */

static void
test_without_tls(void)
{
    struct rig rig;
    rig_begin(&rig);
    rig.known.hash            = (struct tly_hash){{0}};
    struct http_config config = rig_config(&rig);
    struct tly_diag    diag   = {0};
    struct client     *client = NULL;
    config.workers_n          = 1;
    config.allow              = NULL;
    T_EQ(rig_listen(&rig, config, false, &diag), TLY_OK, "a server without TLS, one worker");
    TLY_CHECK(client_new(rig.url, NULL, RIG_PATIENCE_MS, &client, &diag) == TLY_OK);
    struct client_reply r = get(client, "/hello");
    T_OK(body_is(&r, "GET"), "answers");
    r = ask(client, "POST", "/wait", NULL, tly_text("x"), NULL);
    T_OK(body_is(&r, "waited"), "and lets wait");
    T_EQ(atomic_load(&rig.strangers), 0, "the peer is all zero");
    client_free(client);
    rig_end(&rig);
}

static void
test_refused_starts(struct rig *rig)
{
    struct http_server *server = NULL;
    struct tly_diag     diag   = {0};
    struct http_config  config = rig_config(rig);
    config.address             = "localhost";
    T_EQ(http_server_start(&config, &server, &diag), TLY_EINPUT, "a name is no address");
    config      = rig_config(rig);
    config.port = http_server_port(rig->server);
    T_EQ(http_server_start(&config, &server, &diag), TLY_ECONFLICT, "a port that is taken");
    T_EQ(http_address_check(&config, &diag), TLY_ECONFLICT, "is known before");
    config.address = "192.0.2.1"; /* RFC 5737: nobody's */
    T_EQ(http_address_check(&config, &diag), TLY_EIO, "an address of another machine, too");
    config.address = "127.0.0.1";
    config.port    = 0;
    T_EQ(http_address_check(&config, &diag), TLY_OK, "any port can be had");
    config          = rig_config(rig);
    config.cert_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    config.key_pem  = "none";
    T_EQ(http_server_start(&config, &server, &diag), TLY_EINPUT, "a certificate that is none");
    T_OK(server == NULL, "nothing was returned");
}

static void
test_passed_socket(void)
{
    struct rig               rig;
    const struct sockaddr_in any = {.sin_family      = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.listen_fd          = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    TLY_CHECK(bind(config.listen_fd, (const struct sockaddr *)&any, sizeof any) == 0);
    TLY_CHECK(listen(config.listen_fd, 5) == 0);
    T_EQ(rig_listen(&rig, config, true, NULL), TLY_OK, "a listening socket passed in");
    struct client_tls *tls    = NULL;
    struct client     *client = rig_client(&rig, &rig.known, &tls);
    T_EQ(get(client, "/hello").status, 200, "serves");
    client_free(client);
    client_tls_free(tls);
    rig_end(&rig);
    (void)close(config.listen_fd);
}

int
main(void)
{
    struct rig rig;
    pki_begin();
    tly_arena_init(&arena, (size_t)64 << 20);
    const unsigned fds = rig_fds();
    rig_begin(&rig);
    T_EQ(rig_listen(&rig, rig_config(&rig), true, NULL), TLY_OK, "a server on a free port");
    struct client_tls *tls    = NULL;
    struct client     *client = rig_client(&rig, &rig.known, &tls);
    test_plain_requests(client);
    test_query(client);
    test_bodies(client);
    test_problems(client);
    test_ambiguous(&rig);
    test_chunked(&rig);
    test_long_uris(&rig);
    test_keep_alive(&rig, client);
    test_waiting(&rig);
    test_refused_starts(&rig);
    client_free(client);
    client_tls_free(tls);
    T_EQ(atomic_load(&rig.strangers), 0, "every handler saw the certificate of the client");
    test_going_down(&rig);
    test_without_tls();
    test_dropped();
    test_passed_socket();
    tly_arena_done(&arena);
    T_EQ(rig_fds(), fds, "no descriptor is left");
    return T_DONE();
}
