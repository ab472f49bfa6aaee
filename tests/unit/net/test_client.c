/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a server that says exactly what the test wants: whole answers of each kind,
 * answers cut at every byte, rubbish, limits, kept connections that end, and nobody there. */
#include "rig.h"

static struct tly_arena arena;

/* One connection: reads a request (head, and a body of want_body bytes), answers, closes or not. */
struct line {
    const char *answer;
    size_t      len;     /* of answer; 0: all of it */
    bool        keep;    /* serve the next line on the same connection */
    bool        silent;  /* answer nothing and keep the connection until the client ends it */
    bool        deaf;    /* answer before reading the body, and never read it */
    const char *endless; /* behind the answer, again and again, until the client ends it */
};

struct script {
    const struct line *lines;
    unsigned           n;
    int                fd;
    char               url[64];
    pthread_t          thread;
    _Atomic(bool)      over;          /* the client is done */
    char               request[8192]; /* the last one read */
};

/* Reads up to the empty line and Content-Length bytes more. */
static bool
read_request(int fd, char *buf, size_t size, bool deaf)
{
    size_t have = 0;
    for (;;) {
        const ssize_t n = recv(fd, buf + have, size - 1 - have, 0);
        if (n <= 0) {
            return false;
        }
        have += (size_t)n;
        buf[have]          = '\0';
        const char  *end   = strstr(buf, "\r\n\r\n");
        const char  *field = strstr(buf, "Content-Length: ");
        const size_t len   = field == NULL ? 0 : strtoul(field + 16, NULL, 10);
        if (end != NULL && (deaf || (size_t)(buf + have - end - 4) >= len)) {
            return true;
        }
    }
}

static void
send_endless(const struct script *s, int fd, const char *text)
{
    static char  many[60000];
    const size_t len = strlen(text);
    size_t       n   = 0;
    for (; n + len < sizeof many; n += len) {
        memcpy(many + n, text, len);
    }
    while (!atomic_load(&s->over) && send(fd, many, n, MSG_NOSIGNAL) == (ssize_t)n) {
    }
}

static void *
run_script(void *arg)
{
    struct script *s  = arg;
    int            fd = -1;
    for (unsigned i = 0; i < s->n; i++) {
        const struct line *line = &s->lines[i];
        if (fd < 0) {
            fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        }
        if (read_request(fd, s->request, sizeof s->request, line->deaf) && !line->silent) {
            const size_t len = line->len > 0 ? line->len : strlen(line->answer);
            (void)!send(fd, line->answer, len, MSG_NOSIGNAL);
        }
        if (line->endless != NULL) {
            send_endless(s, fd, line->endless);
        }
        if (line->silent || line->deaf) {
            struct pollfd pfd = {.fd = fd, .events = POLLRDHUP};
            while (!atomic_load(&s->over) && poll(&pfd, 1, 10) == 0) {
            }
        }
        if (!line->keep) {
            (void)close(fd);
            fd = -1;
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return NULL;
}

/* A port of our own, on which nobody listens yet. */
static void
script_bind(struct script *s)
{
    struct sockaddr_in at  = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          len = sizeof at;
    s->fd                  = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    TLY_CHECK(bind(s->fd, (const struct sockaddr *)&at, sizeof at) == 0);
    TLY_CHECK(getsockname(s->fd, (struct sockaddr *)&at, &len) == 0);
    (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(at.sin_port));
}

static void
script_begin(struct script *s, const struct line *lines, unsigned n)
{
    *s = (struct script){.lines = lines, .n = n};
    script_bind(s);
    TLY_CHECK(listen(s->fd, 10) == 0);
    TLY_CHECK(pthread_create(&s->thread, NULL, run_script, s) == 0);
}

static void
script_end(struct script *s)
{
    atomic_store(&s->over, true);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->fd);
}

/* One request to one scripted answer. */
static enum tly_err
ask(const struct line *line, const char *method, struct client_reply *reply, unsigned timeout_ms,
    size_t max)
{
    struct script  s;
    struct client *client = NULL;
    script_begin(&s, line, 1);
    TLY_CHECK(client_new(s.url, NULL, timeout_ms, &client, NULL) == TLY_OK);
    const enum tly_err err = client_request(client, method, "/x", NULL, (struct tly_bytes){0}, NULL,
                                            max, &arena, reply, NULL);
    client_free(client);
    script_end(&s);
    return err;
}

struct row {
    const char  *what;
    const char  *answer;
    enum tly_err err;
    int          status;
    const char  *body;
};

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

static const struct row rows[] = {
    {"a sized body", OK_HEAD "Content-Length: 5\r\n\r\nhello", TLY_OK, 200, "hello"},
    {"an empty body", OK_HEAD "content-length:0\r\n\r\n", TLY_OK, 200, ""},
    {"a body to the end", OK_HEAD "\r\nhello", TLY_OK, 200, "hello"},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", TLY_OK, 200, "hello"},
    {"no reason phrase", "HTTP/1.1 404\r\nContent-Length: 2\r\n\r\nno", TLY_OK, 404, "no"},
    {"204 has no body", "HTTP/1.1 204 No Content\r\n\r\n", TLY_OK, 204, ""},
    {"304 has none either", "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", TLY_OK, 304,
     ""},
    {"an interim answer before",
     "HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD "Content-Length: 2\r\n\r\nhi", TLY_OK, 200, "hi"},
    {"chunks",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n"
             "0\r\nTrailer: 1\r\n\r\n",
     TLY_OK, 200, "hello0123456789"},
    {"no chunk at all", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", TLY_OK, 200, ""},
    {"no HTTP", "SSH-2.0-OpenSSH_9.2 Debian\r\n\r\n", TLY_EINPUT, 0, NULL},
    {"HTTP/2", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", TLY_EINPUT, 0, NULL},
    {"a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", TLY_EINPUT, 0, NULL},
    {"a status of letters", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", TLY_EINPUT, 0, NULL},
    {"a length that is none", OK_HEAD "Content-Length: 5x\r\n\r\nhello", TLY_EINPUT, 0, NULL},
    {"a negative length", OK_HEAD "Content-Length: -5\r\n\r\nhello", TLY_EINPUT, 0, NULL},
    {"an endless length", OK_HEAD "Content-Length: 99999999999999999999\r\n\r\n", TLY_EINPUT, 0,
     NULL},
    {"an unknown coding", OK_HEAD "Transfer-Encoding: gzip\r\n\r\n", TLY_EINPUT, 0, NULL},
    {"a chunk without a size", OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n", TLY_EINPUT, 0,
     NULL},
    {"a chunk that is longer", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n0\r\n\r\n",
     TLY_EINPUT, 0, NULL},
    {"a chunk of 2^64", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
     TLY_EINPUT, 0, NULL},
    {"a body over the limit", OK_HEAD "Content-Length: 101\r\n\r\n", TLY_ETOOBIG, 0, NULL},
    {"a chunk over the limit", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n65\r\n", TLY_ETOOBIG, 0,
     NULL},
};

static void
test_answers(void)
{
    for (size_t i = 0; i < TLY_N(rows); i++) {
        const struct line   line  = {.answer = rows[i].answer};
        struct client_reply reply = {.status = -1};
        const enum tly_err  err   = ask(&line, "GET", &reply, RIG_PATIENCE_MS, 100);
        const bool          ok    = err == rows[i].err &&
                        (err != TLY_OK ? reply.status == -1
                                       : reply.status == rows[i].status &&
                                             tly_bytes_eq(reply.body, tly_text(rows[i].body)));
        T_OK(ok, rows[i].what);
        if (!ok) {
            printf("# %s, status %d, body %.*s\n", tly_err_name(err), reply.status,
                   (int)reply.body.len, (const char *)reply.body.data);
        }
    }
    const struct line   line  = {.answer = OK_HEAD "Content-Length: 5\r\nETag:  \"7\" \r\n\r\n"};
    struct client_reply reply = {0};
    T_EQ(ask(&line, "HEAD", &reply, RIG_PATIENCE_MS, 100), TLY_OK, "HEAD has a length and no body");
    T_OK(tly_bytes_eq(client_header(&reply, "etag"), tly_text("\"7\"")), "a header, trimmed");
    T_OK(client_header(&reply, "eta").data == NULL, "a name that only begins like it is absent");
}

/* An answer that ends early is never taken for whole. */
static void
test_cut(void)
{
    static const char *const wholes[] = {
        OK_HEAD "Content-Length: 5\r\n\r\nhello",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
    };
    for (size_t w = 0; w < TLY_N(wholes); w++) {
        bool right = true;
        for (size_t n = 1; n < strlen(wholes[w]); n++) {
            const struct line   line  = {.answer = wholes[w], .len = n};
            struct client_reply reply = {.status = -1};
            right = ask(&line, "GET", &reply, RIG_PATIENCE_MS, 100) == TLY_EUNSURE &&
                    reply.status == -1 && right;
        }
        T_OK(right, "an answer cut at every byte is no answer");
    }
}

static void
test_long_headers(void)
{
    static char         answer[40000];
    struct client_reply reply;
    size_t              n = (size_t)snprintf(answer, sizeof answer, OK_HEAD "X: ");
    memset(answer + n, 'x', 30000);
    (void)snprintf(answer + n + 30000, sizeof answer - n - 30000, "\r\n\r\n");
    const struct line line = {.answer = answer};
    T_EQ(ask(&line, "GET", &reply, RIG_PATIENCE_MS, 100), TLY_EINPUT,
         "a header block without measure");
}

/* Who sends without end is not listened to without end. */
static void
test_endless(void)
{
    static const char chunked[] = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n";
    static const struct {
        const char  *what;
        struct line  line;
        enum tly_err err;
    } all[] = {
        {"interim answers without end",
         {.answer = "HTTP/1.1 100 Continue\r\n\r\n", .endless = "HTTP/1.1 100 Continue\r\n\r\n"},
         TLY_EINPUT},
        {"trailers without end",
         {.answer = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n", .endless = "Trailer: 1\r\n"},
         TLY_EINPUT},
        {"a body without end", {.answer = chunked, .endless = "1\r\nx\r\n"}, TLY_ETOOBIG},
    };
    struct client_reply reply;
    for (size_t i = 0; i < TLY_N(all); i++) {
        const size_t before = arena.bytes;
        T_EQ(ask(&all[i].line, "GET", &reply, 3000, 100), all[i].err, all[i].what);
        T_OK(arena.bytes - before < (size_t)64 << 10, "and takes no memory");
    }
    const struct line line = {.answer = chunked, .endless = "1\r\nx\r\n"};
    T_EQ(ask(&line, "GET", &reply, 100, (size_t)256 << 20), TLY_EUNSURE,
         "the deadline holds while there is always more to read");
}

static void
test_kept(void)
{
    static const char hello[] = OK_HEAD "Content-Length: 5\r\n\r\nhello";
    /* The second connection is made because the first ended between the requests. */
    static const struct line lines[] = {{.answer = hello, .keep = true},
                                        {.answer = hello},
                                        {.answer = hello, .keep = true},
                                        {.answer = hello, .len = 10}};
    struct script            s;
    struct client           *client = NULL;
    struct client_reply      reply;
    script_begin(&s, lines, TLY_N(lines));
    TLY_CHECK(client_new(s.url, NULL, RIG_PATIENCE_MS, &client, NULL) == TLY_OK);
    for (unsigned i = 0; i < 3; i++) {
        T_EQ(client_request(client, "POST", "/x", "a/b", tly_text("body"), "X-Y: z\r\n", 100,
                            &arena, &reply, NULL),
             TLY_OK, "answered, over a connection that was kept or made anew");
    }
    T_EQ(client_request(client, "POST", "/x", "a/b", tly_text("body"), "X-Y: z\r\n", 100, &arena,
                        &reply, NULL),
         TLY_EUNSURE, "an answer that began is not asked for again");
    client_free(client);
    script_end(&s);
    T_OK(strstr(s.request, "POST /x HTTP/1.1\r\n") == s.request &&
             strstr(s.request, "Content-Type: a/b\r\n") != NULL &&
             strstr(s.request, "Content-Length: 4\r\n") != NULL &&
             strstr(s.request, "X-Y: z\r\n\r\nbody") != NULL,
         "the request is as it should be");
}

/* An early refusal of a long body is read, although the body is never taken. */
static void
test_early_answer(void)
{
    const size_t        len  = (size_t)16 << 20;
    uint8_t            *body = calloc(1, len);
    const struct line   line = {.answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno",
                                .deaf   = true};
    struct script       s;
    struct client      *client = NULL;
    struct client_reply reply  = {0};
    script_begin(&s, &line, 1);
    TLY_CHECK(client_new(s.url, NULL, RIG_PATIENCE_MS, &client, NULL) == TLY_OK);
    T_EQ(client_request(client, "POST", "/x", NULL, (struct tly_bytes){body, len}, NULL, 100,
                        &arena, &reply, NULL),
         TLY_OK, "an answer that comes in the middle of the request");
    T_EQ(reply.status, 413, "is the answer");
    client_free(client);
    script_end(&s);
    free(body);
}

static void
test_nobody(void)
{
    struct client      *client = NULL;
    struct client_reply reply;
    struct tly_diag     diag = {0};
    const struct line   line = {.silent = true};
    const uint64_t      from = clock_mono_ms();
    T_EQ(ask(&line, "GET", &reply, 200, 100), TLY_EUNSURE, "no answer in time");
    T_OK(clock_mono_ms() - from >= 200, "and not before");
    struct script s = {0};
    script_bind(&s);
    TLY_CHECK(client_new(s.url, NULL, RIG_PATIENCE_MS, &client, NULL) == TLY_OK);
    T_EQ(client_request(client, "GET", "/", NULL, (struct tly_bytes){0}, NULL, 100, &arena, &reply,
                        &diag),
         TLY_EBUSY, "nobody listens");
    T_OK(strstr(diag.text, "127.0.0.1") != NULL, "the diag says where");
    client_free(client);
    (void)close(s.fd);
}

static void
test_urls(void)
{
    static const char *const bad[]  = {"",
                                       "http://",
                                       "http://a",
                                       "http://a:",
                                       "http://:1",
                                       "http://a:70000",
                                       "http://a:1x",
                                       "http://a:1/path",
                                       "ftp://a:1",
                                       "a:1",
                                       "http://[::1:1",
                                       "http://::1:1",
                                       "http://a:123456",
                                       "https://a:1"};
    static const char *const good[] = {"http://a:1", "http://a:1/", "http://[::1]:65535"};
    struct client           *client = NULL;
    for (size_t i = 0; i < TLY_N(bad); i++) {
        T_EQ(client_new(bad[i], NULL, 1, &client, NULL), TLY_EINPUT, bad[i]);
    }
    T_OK(client == NULL, "nothing was made");
    for (size_t i = 0; i < TLY_N(good); i++) {
        T_EQ(client_new(good[i], NULL, 1, &client, NULL), TLY_OK, good[i]);
        client_free(client);
        client = NULL;
    }
}

static void
write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    TLY_CHECK(f != NULL);
    TLY_CHECK(fputs(text, f) >= 0);
    TLY_CHECK(fclose(f) == 0);
}

static void
test_loading(void)
{
    struct pki_cert    ca    = pki_make("CA", NULL, NULL);
    struct pki_cert    one   = pki_make("one", &ca, NULL);
    struct pki_cert    two   = pki_make("two", &ca, NULL);
    struct client_tls *tls   = NULL;
    struct client_tls *other = NULL;
    struct tly_diag    diag  = {0};
    char               path[96];
    T_EQ(client_tls_load(ca.pem, one.pem, &tls, &diag), TLY_OK, "a certificate with its key");
    T_EQ(client_tls_load(ca.pem, two.pem, &other, &diag), TLY_OK, "another beside it");
    client_tls_free(tls);
    client_tls_free(other);
    tls = NULL;
    T_EQ(client_tls_load("/nonexistent/ca.crt", one.pem, &tls, &diag), TLY_EINPUT, "no CA file");
    T_OK(strstr(diag.text, "/nonexistent/ca.crt") != NULL, "named");
    T_EQ(client_tls_load(ca.pem, "/nonexistent/x.pem", &tls, &diag), TLY_EINPUT, "no pem file");
    T_OK(strstr(diag.text, "/nonexistent/x.pem") != NULL, "named");
    (void)snprintf(path, sizeof path, "%s/%u.pem", pki_dir, ++pki_files_n);
    write_file(path, "not a certificate\n");
    T_EQ(client_tls_load(path, one.pem, &tls, &diag), TLY_EINPUT,
         "a CA file without a certificate");
    T_EQ(client_tls_load(ca.pem, path, &tls, &diag), TLY_EINPUT, "a pem without anything");
    char *cert = pki_text(&one, false);
    char *key  = pki_text(&two, true);
    char  both[8192];
    write_file(path, cert);
    T_EQ(client_tls_load(ca.pem, path, &tls, &diag), TLY_EINPUT, "a pem without a key");
    (void)snprintf(both, sizeof both, "%s%s", cert, key);
    write_file(path, both);
    T_EQ(client_tls_load(ca.pem, path, &tls, &diag), TLY_EINPUT, "a pem with another's key");
    T_OK(tls == NULL, "nothing was made");
    free(cert);
    free(key);
    pki_free(&ca);
    pki_free(&one);
    pki_free(&two);
}

/* Many threads, many certificates, one CA. */
struct loader {
    const struct pki_cert *ca;
    const struct pki_cert *cert;
    unsigned               right;
    pthread_t              thread;
};

static void *
load_often(void *arg)
{
    struct loader *l = arg;
    for (unsigned i = 0; i < 25; i++) {
        struct client_tls *tls = NULL;
        l->right += client_tls_load(l->ca->pem, l->cert->pem, &tls, NULL) == TLY_OK;
        client_tls_free(tls);
    }
    return NULL;
}

static void
test_loading_in_threads(void)
{
    struct pki_cert cas[2] = {pki_make("CA 1", NULL, NULL), pki_make("CA 2", NULL, NULL)};
    struct pki_cert cert   = pki_make("x", &cas[0], NULL);
    struct loader   loaders[4];
    unsigned        right = 0;
    for (size_t i = 0; i < TLY_N(loaders); i++) {
        loaders[i] = (struct loader){.ca = &cas[i % 2], .cert = &cert};
        TLY_CHECK(pthread_create(&loaders[i].thread, NULL, load_often, &loaders[i]) == 0);
    }
    for (size_t i = 0; i < TLY_N(loaders); i++) {
        (void)pthread_join(loaders[i].thread, NULL);
        right += loaders[i].right;
    }
    T_EQ(right, 100, "loaded in four threads at once");
    pki_free(&cas[0]);
    pki_free(&cas[1]);
    pki_free(&cert);
}

int
main(void)
{
    pki_begin();
    tly_arena_init(&arena, (size_t)64 << 20);
    const unsigned fds = rig_fds();
    test_urls();
    test_answers();
    test_cut();
    test_long_headers();
    test_endless();
    test_kept();
    test_early_answer();
    test_nobody();
    test_loading();
    test_loading_in_threads();
    tly_arena_done(&arena);
    T_EQ(rig_fds(), fds, "no descriptor is left");
    return T_DONE();
}
