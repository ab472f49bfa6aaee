/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes: who may finish one, and that those who do not finish cost nothing: half-open, slow,
 * aborted and late ones, and a stop in the middle of them. */
#include "rig.h"

#define HALF_OPEN_N 200

static struct tly_arena arena;

/* ---- a client whose bytes the test moves itself -----------------------------------------------
 */

struct wire {
    SSL_CTX *ctx;
    SSL     *ssl;
    BIO     *in;  /* what came from the server */
    BIO     *out; /* what goes to it */
    int      fd;
};

static struct wire
wire_open(struct rig *rig, const struct pki_cert *cert)
{
    struct wire w   = {.ctx = SSL_CTX_new(TLS_client_method()), .fd = rig_dial(rig)};
    const int   one = 1;
    TLY_CHECK(w.ctx != NULL);
    if (cert != NULL) {
        TLY_CHECK(SSL_CTX_use_certificate(w.ctx, cert->x509) == 1);
        TLY_CHECK(SSL_CTX_use_PrivateKey(w.ctx, cert->key) == 1);
    }
    w.ssl = SSL_new(w.ctx);
    w.in  = BIO_new(BIO_s_mem());
    w.out = BIO_new(BIO_s_mem());
    SSL_set_bio(w.ssl, w.in, w.out);
    SSL_set_connect_state(w.ssl);
    TLY_CHECK(setsockopt(w.fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one) == 0);
    return w;
}

static void
wire_close(struct wire *w)
{
    SSL_free(w->ssl);
    SSL_CTX_free(w->ctx);
    (void)close(w->fd);
}

/* Sends at most max of the waiting bytes, `piece` at a time. */
static size_t
wire_send(struct wire *w, size_t max, size_t piece)
{
    uint8_t buf[4096];
    size_t  sent = 0;
    while (sent < max) {
        const size_t want = piece < max - sent ? piece : max - sent;
        const int    n    = BIO_read(w->out, buf, (int)(want < sizeof buf ? want : sizeof buf));
        if (n <= 0 || send(w->fd, buf, (size_t)n, MSG_NOSIGNAL) != n) {
            break;
        }
        sent += (size_t)n;
    }
    return sent;
}

/* Takes what the server sends, waiting for the first of it; false when it ended the connection. */
static bool
wire_recv(struct wire *w)
{
    uint8_t       buf[4096];
    struct pollfd pfd = {.fd = w->fd, .events = POLLIN};
    TLY_CHECK(poll(&pfd, 1, 20000) == 1);
    const ssize_t n = recv(w->fd, buf, sizeof buf, 0);
    return n > 0 && BIO_write(w->in, buf, (int)n) == n;
}

/* The handshake and one request, everything in pieces of so many bytes; the status. */
static int
wire_ask(struct wire *w, size_t piece)
{
    static const char request[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    char              answer[1024];
    while (SSL_do_handshake(w->ssl) != 1) {
        (void)wire_send(w, SIZE_MAX, piece);
        if (!wire_recv(w)) {
            return 0;
        }
    }
    TLY_CHECK(SSL_write(w->ssl, request, sizeof request - 1) == sizeof request - 1);
    (void)wire_send(w, SIZE_MAX, piece);
    for (;;) {
        const int n = SSL_read(w->ssl, answer, sizeof answer - 1);
        if (n > 0) {
            answer[n] = '\0';
            return strncmp(answer, "HTTP/1.1 200", 12) == 0 ? 200 : 1;
        }
        if (!wire_recv(w)) {
            return 0;
        }
    }
}

/* A connection that stops after so many bytes of its ClientHello. */
static int
half_open(struct rig *rig, size_t bytes)
{
    struct wire w = wire_open(rig, NULL);
    (void)SSL_do_handshake(w.ssl);
    (void)wire_send(&w, bytes, SIZE_MAX);
    const int fd = w.fd;
    SSL_free(w.ssl);
    SSL_CTX_free(w.ctx);
    return fd;
}

/* ---- who gets in ------------------------------------------------------------------------------
 */

static enum tly_err
try_with(struct rig *rig, const struct pki_cert *cert, struct client_reply *reply)
{
    struct client_tls *tls    = NULL;
    struct client     *client = rig_client(rig, cert, &tls);
    struct tly_diag    diag   = {0};
    const enum tly_err err    = client_request(client, "GET", "/hello", NULL, (struct tly_bytes){0},
                                               NULL, 1000, &arena, reply, &diag);
    client_free(client);
    client_tls_free(tls);
    return err;
}

static bool
none_open(struct rig *rig)
{
    return http_server_stats(rig->server).connections == 0;
}

static void
test_matrix(struct rig *rig)
{
    struct client_reply reply   = {0};
    const uint64_t      refused = http_server_stats(rig->server).refused_certificate;
    T_EQ(try_with(rig, &rig->known, &reply), TLY_OK, "the registered certificate connects");
    T_EQ(reply.status, 200, "and is answered");
    const unsigned handled = atomic_load(&rig->handled);
    T_EQ(try_with(rig, NULL, &reply), TLY_EFORBID, "no certificate: refused");
    T_EQ(try_with(rig, &rig->unknown, &reply), TLY_EFORBID,
         "another certificate of the same CA: refused");
    T_EQ(try_with(rig, &rig->self_signed, &reply), TLY_EFORBID,
         "the registered name, signed by itself: refused");
    T_EQ(atomic_load(&rig->handled), handled, "none of them reached the handler");
    T_EQ(http_server_stats(rig->server).refused_certificate, refused + 3, "they are counted");

    struct wire w = wire_open(rig, &rig->known);
    TLY_CHECK(SSL_set_max_proto_version(w.ssl, TLS1_2_VERSION) == 1);
    T_EQ(wire_ask(&w, SIZE_MAX), 0, "TLS 1.2 is refused");
    wire_close(&w);
    T_OK(rig_until(none_open, rig, 10000), "all connections ended");
}

/* A certificate whose key the sender does not have is no identity. */
static void
test_borrowed_certificate(struct rig *rig)
{
    /* The same public certificate, paired with another key: OpenSSL refuses to, so the key is made
     * to look like the certificate's by giving it the certificate's public half. */
    EVP_PKEY     *mixed = NULL;
    OSSL_PARAM   *own   = NULL;
    OSSL_PARAM   *pub   = NULL;
    EVP_PKEY_CTX *ctx   = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    TLY_CHECK(EVP_PKEY_todata(rig->unknown.key, EVP_PKEY_KEYPAIR, &own) == 1);
    TLY_CHECK(EVP_PKEY_todata(rig->known.key, EVP_PKEY_PUBLIC_KEY, &pub) == 1);
    OSSL_PARAM *theirs = OSSL_PARAM_locate(own, "pub");
    OSSL_PARAM *wanted = OSSL_PARAM_locate(pub, "pub");
    TLY_CHECK(theirs != NULL && wanted != NULL && theirs->data_size == wanted->data_size);
    memcpy(theirs->data, wanted->data, wanted->data_size);
    TLY_CHECK(EVP_PKEY_fromdata_init(ctx) == 1);
    TLY_CHECK(EVP_PKEY_fromdata(ctx, &mixed, EVP_PKEY_KEYPAIR, own) == 1);
    const struct pki_cert stolen  = {.x509 = rig->known.x509, .key = mixed};
    const unsigned        handled = atomic_load(&rig->handled);
    struct wire           w       = wire_open(rig, &stolen);
    T_EQ(wire_ask(&w, SIZE_MAX), 0, "a registered certificate without its key: refused");
    T_EQ(atomic_load(&rig->handled), handled, "and no handler ran");
    wire_close(&w);
    OSSL_PARAM_free(own);
    OSSL_PARAM_free(pub);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(mixed);
}

/* Our side refuses a server of another CA or another name. */
static void
test_wrong_server(struct rig *rig)
{
    struct client_tls  *tls    = NULL;
    struct client      *client = NULL;
    struct client_reply reply;
    char                url[64];
    TLY_CHECK(client_tls_load(rig->self_signed.pem, rig->known.pem, &tls, NULL) == TLY_OK);
    TLY_CHECK(client_new(rig->url, tls, 20000, &client, NULL) == TLY_OK);
    T_EQ(client_request(client, "GET", "/", NULL, (struct tly_bytes){0}, NULL, 100, &arena, &reply,
                        NULL),
         TLY_EFORBID, "a server of another CA is refused");
    client_free(client);
    client_tls_free(tls);
    (void)snprintf(url, sizeof url, "https://localhost:%u", http_server_port(rig->server));
    TLY_CHECK(client_tls_load(rig->ca.pem, rig->known.pem, &tls, NULL) == TLY_OK);
    TLY_CHECK(client_new(url, tls, 20000, &client, NULL) == TLY_OK);
    T_EQ(client_request(client, "GET", "/", NULL, (struct tly_bytes){0}, NULL, 100, &arena, &reply,
                        NULL),
         TLY_OK, "a server by its name");
    client_free(client);
    (void)snprintf(url, sizeof url, "https://127.1:%u", http_server_port(rig->server));
    TLY_CHECK(client_new(url, tls, 20000, &client, NULL) == TLY_OK);
    T_EQ(client_request(client, "GET", "/", NULL, (struct tly_bytes){0}, NULL, 100, &arena, &reply,
                        NULL),
         TLY_EFORBID, "the same server by a name that is not in its certificate");
    client_free(client);
    client_tls_free(tls);
}

/* ---- what they cost ---------------------------------------------------------------------------
 */

static uint64_t
cpu_us(void)
{
    struct timespec t;
    TLY_CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* CPU and the longest answer of 20 new connections with 5 requests each. */
static bool
serve_some(struct rig *rig, uint64_t *cpu, uint64_t *longest_us)
{
    struct client_tls *tls    = NULL;
    struct client     *client = rig_client(rig, &rig->known, &tls);
    bool               all    = true;
    const uint64_t     begun  = cpu_us();
    *longest_us               = 0;
    for (unsigned i = 0; i < 100; i++) {
        struct client_reply reply = {0};
        const uint64_t      from  = clock_mono_us();
        if (i % 5 == 0) {
            client_disconnect(client);
        }
        all = client_request(client, "POST", "/echo", NULL, tly_text("x"), NULL, 100, &arena,
                             &reply, NULL) == TLY_OK &&
              all;
        const uint64_t took = clock_mono_us() - from;
        *longest_us         = took > *longest_us ? took : *longest_us;
    }
    *cpu = cpu_us() - begun;
    client_free(client);
    client_tls_free(tls);
    return all;
}

static bool
half_stalled(struct rig *rig)
{
    const struct http_stats s = http_server_stats(rig->server);
    return s.handshakes_waiting == HALF_OPEN_N / 2 && s.connections == HALF_OPEN_N;
}

static void
test_half_open(struct rig *rig)
{
    struct pollfd pfds[HALF_OPEN_N];
    uint64_t      cpu_alone = 0;
    uint64_t      cpu_with  = 0;
    uint64_t      longest   = 0;
    T_OK(serve_some(rig, &cpu_alone, &longest), "a client is served");
    T_OK(rig_until(none_open, rig, 10000), "and leaves");
    for (unsigned i = 0; i < HALF_OPEN_N; i++) { /* every other one says nothing at all */
        pfds[i] = (struct pollfd){.fd = half_open(rig, i % 2 == 0 ? 0 : 1 + i), .events = POLLIN};
    }
    T_OK(rig_until(half_stalled, rig, 10000), "200 half-open handshakes, all off the workers");
    const uint64_t from  = cpu_us();
    const uint64_t begun = clock_mono_us();
    T_EQ(poll(pfds, HALF_OPEN_N, 1000), 0, "none is cut before its deadline");
    const uint64_t cost   = cpu_us() - from;
    const uint64_t window = clock_mono_us() - begun;
    printf("# 200 half-open handshakes: %llu us of CPU in %llu ms\n", (unsigned long long)cost,
           (unsigned long long)window / 1000);
    T_OK(cost * 50 < window, "they cost less than 2 % of a core");
    T_OK(serve_some(rig, &cpu_with, &longest), "a client is served beside them");
    printf(
        "# 20 connections, 100 requests: %llu us of CPU alone, %llu beside them; longest %llu us\n",
        (unsigned long long)cpu_alone, (unsigned long long)cpu_with, (unsigned long long)longest);
    T_OK(longest < 1000000, "and does not wait for them");
    T_OK(cpu_with < 2 * cpu_alone + 50000, "nor does it cost more");
    T_OK(rig_until(half_stalled, rig, 10000), "they are as they were");
    for (unsigned i = 0; i < HALF_OPEN_N; i++) {
        (void)close(pfds[i].fd);
    }
    T_OK(rig_until(none_open, rig, 10000), "their end is noticed");
    T_EQ(http_server_stats(rig->server).handshakes_waiting, 0, "none is left waiting");
}

static void
test_slow(struct rig *rig)
{
    struct wire wires[8];
    unsigned    right = 0;
    for (size_t i = 0; i < TLY_N(wires); i++) {
        wires[i] = wire_open(rig, &rig->known);
        right += wire_ask(&wires[i], 1 + i) == 200;
    }
    T_EQ(right, TLY_N(wires), "handshakes in pieces of 1 to 8 bytes succeed");
    for (size_t i = 0; i < TLY_N(wires); i++) {
        wire_close(&wires[i]);
    }
    T_OK(rig_until(none_open, rig, 10000), "and end");
}

/* ---- many threads that break off --------------------------------------------------------------
 */

struct breaker {
    struct rig *rig;
    unsigned    seed;
    unsigned    served;
    pthread_t   thread;
};

static void
hang_up(int fd, bool reset)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (reset) {
        TLY_CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    }
}

/* Breaks off somewhere: in the ClientHello, behind the server's flight, in our own second one. */
static void
break_off(struct breaker *b, unsigned i)
{
    struct wire w = wire_open(b->rig, &b->rig->known);
    (void)SSL_do_handshake(w.ssl);
    if (i % 3 == 0) {
        (void)wire_send(&w, (b->seed + i * 7) % 300, 64);
    } else {
        (void)wire_send(&w, SIZE_MAX, SIZE_MAX);
        if (wire_recv(&w) && i % 3 == 2) {
            (void)SSL_do_handshake(w.ssl);
            (void)wire_send(&w, (b->seed + i * 11) % 600, 100);
        }
    }
    hang_up(w.fd, i % 2 == 0);
    wire_close(&w);
}

static void *
run_breaker(void *arg)
{
    struct breaker *b = arg;
    for (unsigned i = 0; i < 75; i++) {
        break_off(b, i);
        if (i % 15 == 0) {
            struct wire w = wire_open(b->rig, &b->rig->known);
            b->served += wire_ask(&w, 50) == 200;
            wire_close(&w);
        }
    }
    return NULL;
}

static void
test_aborted(struct rig *rig)
{
    struct breaker breakers[4];
    unsigned       served = 0;
    for (unsigned i = 0; i < TLY_N(breakers); i++) {
        breakers[i] = (struct breaker){.rig = rig, .seed = 37 * i};
        TLY_CHECK(pthread_create(&breakers[i].thread, NULL, run_breaker, &breakers[i]) == 0);
    }
    for (unsigned i = 0; i < TLY_N(breakers); i++) {
        (void)pthread_join(breakers[i].thread, NULL);
        served += breakers[i].served;
    }
    T_EQ(served, 20, "300 handshakes aborted by close and reset; those between are served");
    T_OK(rig_until(none_open, rig, 20000), "all are gone");
    T_EQ(http_server_stats(rig->server).handshakes_waiting, 0, "none is left waiting");
}

/* ---- the deadline, limits, and the end --------------------------------------------------------
 */

static void
test_deadline(void)
{
    struct rig rig;
    int        fds[20];
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.handshake_ms_max   = 300;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    struct wire ready = wire_open(&rig, &rig.known);
    for (size_t i = 0; i < TLY_N(fds); i++) {
        fds[i] = half_open(&rig, i % 2 == 0 ? 0 : 50 + i);
    }
    /* One that trickles: each byte is news, the deadline is absolute. */
    struct wire    w     = wire_open(&rig, &rig.known);
    const uint64_t begun = clock_mono_ms();
    (void)SSL_do_handshake(w.ssl);
    struct pollfd pfd = {.fd = w.fd, .events = POLLIN};
    while (poll(&pfd, 1, 20) == 0 && clock_mono_ms() - begun < 10000) {
        (void)wire_send(&w, 1, 1);
    }
    const uint64_t took = clock_mono_ms() - begun;
    T_OK(took >= 250 && took < 5000, "a trickling handshake is cut at its deadline");
    T_EQ(wire_ask(&ready, SIZE_MAX), 0, "and so is one that has not begun");
    wire_close(&ready);
    wire_close(&w);
    bool cut = true;
    for (size_t i = 0; i < TLY_N(fds); i++) {
        char          byte;
        struct pollfd p = {.fd = fds[i], .events = POLLIN};
        cut             = poll(&p, 1, 5000) == 1 && recv(fds[i], &byte, 1, 0) <= 0 && cut;
        (void)close(fds[i]);
    }
    T_OK(cut, "half-open handshakes are cut at their deadline");
    T_EQ(http_server_stats(rig.server).handshakes_late, 22, "and counted");
    /* A finished one may be idle for longer than that. */
    struct client_tls  *tls    = NULL;
    struct client      *client = rig_client(&rig, &rig.known, &tls);
    struct client_reply reply  = {0};
    for (unsigned i = 0; i < 2; i++) {
        T_EQ(client_request(client, "GET", "/", NULL, (struct tly_bytes){0}, NULL, 100, &arena,
                            &reply, NULL),
             TLY_OK, "a finished connection is not cut");
        (void)poll(NULL, 0, i == 0 ? 700 : 0); /* more than the deadline and a tick */
    }
    T_EQ(http_server_stats(rig.server).accepted, 23, "it was one connection");
    client_free(client);
    client_tls_free(tls);
    rig_end(&rig);
}

/* Sends one byte every 20 ms, each a TLS record of its own, until the server ends the connection;
 * how long that took. */
static uint64_t
trickle(struct wire *w, const char *head, char byte)
{
    const uint64_t begun = clock_mono_ms();
    struct pollfd  pfd   = {.fd = w->fd, .events = POLLIN};
    while (SSL_do_handshake(w->ssl) != 1) {
        (void)wire_send(w, SIZE_MAX, SIZE_MAX);
        TLY_CHECK(wire_recv(w));
    }
    TLY_CHECK(SSL_write(w->ssl, head, (int)strlen(head)) > 0);
    do {
        (void)wire_send(w, SIZE_MAX, SIZE_MAX);
        TLY_CHECK(SSL_write(w->ssl, &byte, 1) == 1);
    } while (poll(&pfd, 1, 20) == 0 && clock_mono_ms() - begun < 10000);
    return clock_mono_ms() - begun;
}

static bool
reads_nothing(struct rig *rig)
{
    return http_server_stats(rig->server).requests == 1;
}

static void
test_slow_requests(void)
{
    struct rig rig;
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.head_ms_max        = 300;
    config.body_ms_max        = 300;
    config.idle_timeout_s     = 1;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    struct wire w = wire_open(&rig, &rig.known);
    TLY_CHECK(SSL_do_handshake(w.ssl) != 1);
    uint64_t took = trickle(&w, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 'x');
    T_OK(took >= 280 && took < 5000, "a trickling header block is cut at its deadline");
    wire_close(&w);
    w    = wire_open(&rig, &rig.known);
    took = trickle(&w, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n", 'x');
    T_OK(took >= 280 && took < 5000, "a trickling body is cut at its deadline");
    wire_close(&w);
    T_EQ(atomic_load(&rig.handled), 0, "neither reached the handler");
    T_OK(rig_until(none_open, &rig, 5000), "and both are gone");
    rig_end(&rig);

    rig_begin(&rig);
    config                = rig_config(&rig);
    config.idle_timeout_s = 1;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    w = wire_open(&rig, &rig.known);
    while (SSL_do_handshake(w.ssl) != 1) {
        (void)wire_send(&w, SIZE_MAX, SIZE_MAX);
        TLY_CHECK(wire_recv(&w));
    }
    static const char big[] = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
    TLY_CHECK(SSL_write(w.ssl, big, sizeof big - 1) > 0);
    (void)wire_send(&w, SIZE_MAX, SIZE_MAX);
    T_OK(rig_until(reads_nothing, &rig, 5000), "a long reply is asked for and not read");
    T_OK(rig_until(none_open, &rig, 8000), "the connection ends when nothing moves");
    wire_close(&w);
    rig_end(&rig);
}

static bool
ten_open(struct rig *rig)
{
    return http_server_stats(rig->server).connections == 10;
}

static void
test_limits(void)
{
    struct rig rig;
    int        fds[10];
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.connections_max    = 10;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    for (size_t i = 0; i < TLY_N(fds); i++) {
        fds[i] = half_open(&rig, 5);
    }
    T_OK(rig_until(ten_open, &rig, 10000), "connections up to the limit");
    struct wire w = wire_open(&rig, &rig.known); /* in the kernel's queue */
    (void)SSL_do_handshake(w.ssl);
    (void)wire_send(&w, SIZE_MAX, SIZE_MAX);
    struct pollfd pfd = {.fd = w.fd, .events = POLLIN};
    T_EQ(poll(&pfd, 1, 300), 0, "one more has to wait");
    (void)close(fds[0]);
    T_EQ(wire_ask(&w, SIZE_MAX), 200, "and is served when one has left");
    for (size_t i = 1; i < TLY_N(fds); i++) {
        (void)close(fds[i]);
    }
    wire_close(&w);
    rig_end(&rig);

    rig_begin(&rig);
    config                        = rig_config(&rig);
    config.connections_per_ip_max = 3;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    for (size_t i = 0; i < 3; i++) {
        fds[i] = half_open(&rig, 5);
    }
    w = wire_open(&rig, &rig.known);
    T_EQ(wire_ask(&w, SIZE_MAX), 0, "a fourth connection of an address that may have three");
    wire_close(&w);
    for (size_t i = 0; i < 3; i++) {
        (void)close(fds[i]);
    }
    T_OK(rig_until(none_open, &rig, 10000), "all end");
    w = wire_open(&rig, &rig.known);
    T_EQ(wire_ask(&w, SIZE_MAX), 200, "then it may again");
    wire_close(&w);
    rig_end(&rig);
}

/* Whether the server has ended this connection; waits at most ms. */
static bool
is_ended(int fd, int ms)
{
    char          byte;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static bool
four_left(struct rig *rig)
{
    return http_server_stats(rig->server).connections == 4;
}

/* Unfinished handshakes over their limit: the oldest end, whether they began to speak or not. */
static void
test_handshakes_max(void)
{
    struct rig rig;
    int        fds[10];
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.handshakes_max     = 4;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    for (size_t i = 0; i < TLY_N(fds); i++) {
        fds[i] = half_open(&rig, i % 2 == 0 ? 0 : 50);
        (void)poll(NULL, 0, 5); /* their order is known */
    }
    T_OK(rig_until(four_left, &rig, 10000), "unfinished handshakes are ended down to their limit");
    bool oldest = true;
    for (size_t i = 0; i < 6; i++) {
        oldest = is_ended(fds[i], 1000) && oldest;
    }
    T_OK(oldest, "the oldest");
    bool newest = true;
    for (size_t i = 6; i < TLY_N(fds); i++) {
        newest = !is_ended(fds[i], 0) && newest;
    }
    T_OK(newest, "not the newest");
    T_EQ(http_server_stats(rig.server).handshakes_ended, 6, "and counted");
    struct wire w[6];
    bool        served = true;
    for (size_t i = 0; i < TLY_N(w); i++) {
        w[i]   = wire_open(&rig, &rig.known);
        served = wire_ask(&w[i], SIZE_MAX) == 200 && served;
    }
    T_OK(served, "finished connections are served beside them, more than the limit");
    (void)poll(NULL, 0, 1300); /* more than the grace and a tick */
    T_EQ(http_server_stats(rig.server).connections, 10, "and stay");
    T_EQ(http_server_stats(rig.server).handshakes_ended, 6, "as do four unfinished ones");
    for (size_t i = 0; i < TLY_N(w); i++) {
        wire_close(&w[i]);
    }
    for (size_t i = 0; i < TLY_N(fds); i++) {
        (void)close(fds[i]);
    }
    T_OK(rig_until(none_open, &rig, 10000), "all end");
    rig_end(&rig);
}

/* All slots taken by half-open handshakes: an honest client need not wait for their deadline. */
static void
test_slots_taken(void)
{
    struct rig rig;
    int        fds[20];
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.connections_max    = 20;
    config.handshakes_max     = 5;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    for (size_t i = 0; i < TLY_N(fds); i++) {
        fds[i] = half_open(&rig, 0);
    }
    const uint64_t begun = clock_mono_ms();
    struct wire    w     = wire_open(&rig, &rig.known);
    T_EQ(wire_ask(&w, SIZE_MAX), 200, "served although all slots were taken");
    T_OK(clock_mono_ms() - begun < 5000, "long before the deadline of those handshakes");
    wire_close(&w);
    for (size_t i = 0; i < TLY_N(fds); i++) {
        (void)close(fds[i]);
    }
    rig_end(&rig);
}

static bool
three_open(struct rig *rig)
{
    return http_server_stats(rig->server).connections == 3;
}

/* One certificate's connections over its limit: the oldest ends, and who has none is let in. */
static void
test_per_certificate(void)
{
    struct rig  rig;
    struct wire w[5];
    rig_begin(&rig);
    rig.per_cert_max = 3;
    TLY_CHECK(rig_listen(&rig, rig_config(&rig), true, NULL) == TLY_OK);
    bool served = true;
    for (size_t i = 0; i < TLY_N(w); i++) {
        w[i]   = wire_open(&rig, &rig.known);
        served = wire_ask(&w[i], SIZE_MAX) == 200 && served;
    }
    T_OK(served, "every connection of a certificate is served");
    T_OK(rig_until(three_open, &rig, 10000), "but only so many stay");
    T_OK(is_ended(w[0].fd, 1000) && is_ended(w[1].fd, 1000), "the oldest went");
    T_OK(!is_ended(w[2].fd, 0) && !is_ended(w[4].fd, 0), "the others are there");
    T_EQ(http_server_stats(rig.server).connections_ended, 2, "and counted");
    for (size_t i = 0; i < TLY_N(w); i++) {
        wire_close(&w[i]);
    }
    T_OK(rig_until(none_open, &rig, 10000), "all leave");
    w[0] = wire_open(&rig, &rig.known);
    T_EQ(wire_ask(&w[0], SIZE_MAX), 200, "and it may come again");
    T_EQ(http_server_stats(rig.server).connections_ended, 2, "at nobody's expense");
    wire_close(&w[0]);

    /* Connections that wait for an answer do not leave when they are ended. */
    rig_hold(&rig, true);
    struct wire held[6];
    for (size_t i = 0; i < TLY_N(held); i++) {
        static const char ask[] = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";
        held[i]                 = wire_open(&rig, &rig.known);
        while (SSL_do_handshake(held[i].ssl) != 1) {
            (void)wire_send(&held[i], SIZE_MAX, SIZE_MAX);
            TLY_CHECK(wire_recv(&held[i]));
        }
        TLY_CHECK(SSL_write(held[i].ssl, ask, sizeof ask - 1) > 0);
        (void)wire_send(&held[i], SIZE_MAX, SIZE_MAX);
        const uint64_t until = clock_mono_ms() + 10000;
        unsigned       n     = 0;
        while (n != i + 1 && clock_mono_ms() < until) {
            (void)pthread_mutex_lock(&rig.lock);
            n = rig.waits_n;
            (void)pthread_mutex_unlock(&rig.lock);
        }
    }
    w[0] = wire_open(&rig, &rig.known);
    T_EQ(wire_ask(&w[0], SIZE_MAX), 0, "twice the limit, and none can leave: refused");
    wire_close(&w[0]);
    rig_hold(&rig, false);
    w[0]       = wire_open(&rig, &rig.known);
    bool again = wire_ask(&w[0], SIZE_MAX) == 200;
    for (unsigned i = 0; i < 1000 && !again; i++) {
        wire_close(&w[0]);
        w[0]  = wire_open(&rig, &rig.known);
        again = wire_ask(&w[0], SIZE_MAX) == 200;
    }
    T_OK(again, "admitted when they have their answers");
    wire_close(&w[0]);
    for (size_t i = 0; i < TLY_N(held); i++) {
        wire_close(&held[i]);
    }
    T_OK(rig_until(none_open, &rig, 10000), "all leave");
    rig_end(&rig);
}

static bool
many_wait(struct rig *rig)
{
    return http_server_stats(rig->server).handshakes_waiting == 100;
}

static void
test_stop_in_the_middle(void)
{
    struct rig rig;
    int        fds[120];
    rig_begin(&rig);
    TLY_CHECK(rig_listen(&rig, rig_config(&rig), true, NULL) == TLY_OK);
    struct wire idle = wire_open(&rig, &rig.known);
    T_EQ(wire_ask(&idle, SIZE_MAX), 200, "a connection is kept open");
    for (size_t i = 0; i < TLY_N(fds); i++) {
        fds[i] = half_open(&rig, i < 100 ? 100 : 0);
    }
    T_OK(rig_until(many_wait, &rig, 10000), "100 handshakes are stalled");
    const uint64_t begun = clock_mono_ms();
    rig_end(&rig);
    T_OK(clock_mono_ms() - begun < 1500, "the server stops at once");
    bool ended = true;
    for (size_t i = 0; i < TLY_N(fds); i++) {
        char          byte;
        struct pollfd p = {.fd = fds[i], .events = POLLIN};
        ended           = poll(&p, 1, 5000) == 1 && recv(fds[i], &byte, 1, 0) <= 0 && ended;
        (void)close(fds[i]);
    }
    T_OK(ended, "every connection was ended");
    wire_close(&idle);
}

/* Some are accepted, some stalled, some still in the kernel's queue: whatever the moment, it ends.
 */
static void
test_stop_under_load(void)
{
    for (unsigned round = 0; round < 5; round++) {
        struct rig rig;
        rig_begin(&rig);
        TLY_CHECK(rig_listen(&rig, rig_config(&rig), true, NULL) == TLY_OK);
        int fds[60];
        for (unsigned i = 0; i < TLY_N(fds); i++) {
            fds[i] = half_open(&rig, 20 + i);
        }
        rig_end(&rig);
        for (unsigned i = 0; i < TLY_N(fds); i++) {
            (void)close(fds[i]);
        }
    }
    T_OK(true, "stopped five times while handshakes were coming in");
}

int
main(void)
{
    struct rig rig;
    pki_begin();
    tly_arena_init(&arena, (size_t)64 << 20);
    const unsigned fds = rig_fds();
    rig_begin(&rig);
    TLY_CHECK(rig_listen(&rig, rig_config(&rig), true, NULL) == TLY_OK);
    test_matrix(&rig);
    test_borrowed_certificate(&rig);
    test_wrong_server(&rig);
    test_half_open(&rig);
    test_slow(&rig);
    test_aborted(&rig);
    T_EQ(atomic_load(&rig.strangers), 0, "only the registered certificate ever reached a handler");
    rig_end(&rig);
    test_deadline();
    test_slow_requests();
    test_limits();
    test_handshakes_max();
    test_slots_taken();
    test_per_certificate();
    test_stop_in_the_middle();
    test_stop_under_load();
    tly_arena_done(&arena);
    T_EQ(rig_fds(), fds, "no descriptor is left");
    return T_DONE();
}
