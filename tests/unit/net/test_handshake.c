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
    TLY_CHECK(poll(&pfd, 1, RIG_PATIENCE_MS) == 1);
    const ssize_t n = recv(w->fd, buf, sizeof buf, 0);
    return n > 0 && BIO_write(w->in, buf, (int)n) == n;
}

/* Our side of the handshake, in pieces of so many bytes; false: the server ended the connection. */
static bool
wire_shake(struct wire *w, size_t piece)
{
    while (SSL_do_handshake(w->ssl) != 1) {
        (void)wire_send(w, SIZE_MAX, piece);
        if (!wire_recv(w)) {
            return false;
        }
    }
    return true;
}

static void
wire_say(struct wire *w, const char *text, size_t piece)
{
    const int n = (int)strlen(text);
    TLY_CHECK(SSL_write(w->ssl, text, n) == n);
    (void)wire_send(w, SIZE_MAX, piece);
}

/* The handshake and one request, everything in pieces of so many bytes; the status. */
static int
wire_ask(struct wire *w, size_t piece)
{
    char answer[1024];
    if (!wire_shake(w, piece)) {
        return 0;
    }
    wire_say(w, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", piece);
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
    T_OK(rig_until(none_open, rig), "all connections ended");
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
    TLY_CHECK(client_new(rig->url, tls, RIG_PATIENCE_MS, &client, NULL) == TLY_OK);
    T_EQ(client_request(client, "GET", "/", NULL, (struct tly_bytes){0}, NULL, 100, &arena, &reply,
                        NULL),
         TLY_EFORBID, "a server of another CA is refused");
    client_free(client);
    client_tls_free(tls);
    (void)snprintf(url, sizeof url, "https://localhost:%u", http_server_port(rig->server));
    TLY_CHECK(client_tls_load(rig->ca.pem, rig->known.pem, &tls, NULL) == TLY_OK);
    TLY_CHECK(client_new(url, tls, RIG_PATIENCE_MS, &client, NULL) == TLY_OK);
    T_EQ(client_request(client, "GET", "/", NULL, (struct tly_bytes){0}, NULL, 100, &arena, &reply,
                        NULL),
         TLY_OK, "a server by its name");
    client_free(client);
    (void)snprintf(url, sizeof url, "https://127.1:%u", http_server_port(rig->server));
    TLY_CHECK(client_new(url, tls, RIG_PATIENCE_MS, &client, NULL) == TLY_OK);
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

/* A machine that is busy with something else makes one measurement dear; a worker that spins, all. */
#define TRIES 10

static bool
are_cheap(struct pollfd *pfds)
{
    for (unsigned i = 0; i < TRIES; i++) {
        const uint64_t from  = cpu_us();
        const uint64_t begun = clock_mono_us();
        if (poll(pfds, HALF_OPEN_N, 1000) != 0) {
            return T_OK(false, "none is cut before its deadline");
        }
        const uint64_t cost   = cpu_us() - from;
        const uint64_t window = clock_mono_us() - begun;
        printf("# 200 half-open handshakes: %llu us of CPU in %llu ms\n", (unsigned long long)cost,
               (unsigned long long)window / 1000);
        if (cost * 50 < window) {
            return true;
        }
    }
    return false;
}

static void
test_half_open(struct rig *rig)
{
    struct pollfd pfds[HALF_OPEN_N];
    uint64_t      cpu_alone = 0;
    uint64_t      cpu_with  = 0;
    uint64_t      longest   = 0;
    T_OK(serve_some(rig, &cpu_alone, &longest), "a client is served");
    T_OK(rig_until(none_open, rig), "and leaves");
    for (unsigned i = 0; i < HALF_OPEN_N; i++) { /* every other one says nothing at all */
        pfds[i] = (struct pollfd){.fd = half_open(rig, i % 2 == 0 ? 0 : 1 + i), .events = POLLIN};
    }
    T_OK(rig_until(half_stalled, rig), "200 half-open handshakes, all off the workers");
    T_OK(are_cheap(pfds), "they cost less than 2 % of a core");
    bool served = true;
    bool dearer = true;
    for (unsigned i = 0; i < TRIES && dearer; i++) {
        served = serve_some(rig, &cpu_with, &longest) && served;
        dearer = cpu_with >= 2 * cpu_alone + 50000;
        printf("# 20 connections, 100 requests: %llu us of CPU alone, %llu beside them; longest "
               "%llu us\n",
               (unsigned long long)cpu_alone, (unsigned long long)cpu_with,
               (unsigned long long)longest);
    }
    T_OK(served, "a client is served beside them, and does not wait for their end");
    T_OK(!dearer, "nor does it cost more");
    T_OK(rig_until(half_stalled, rig), "they are as they were");
    for (unsigned i = 0; i < HALF_OPEN_N; i++) {
        (void)close(pfds[i].fd);
    }
    T_OK(rig_until(none_open, rig), "their end is noticed");
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
    T_OK(rig_until(none_open, rig), "and end");
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
    T_OK(rig_until(none_open, rig), "all are gone");
    T_EQ(http_server_stats(rig->server).handshakes_waiting, 0, "none is left waiting");
}

/* ---- the deadline, limits, and the end --------------------------------------------------------
 */

#define SHORT_MS 1000

static bool
many_late(struct rig *rig)
{
    return http_server_stats(rig->server).handshakes_late == 22;
}

/* Each byte is news, but the deadline is absolute: cut long before the ClientHello is whole. */
static void
trickle_hello(struct rig *rig)
{
    const uint64_t begun = clock_mono_ms();
    struct wire    w     = wire_open(rig, &rig->known);
    (void)SSL_do_handshake(w.ssl);
    struct pollfd pfd = {.fd = w.fd, .events = POLLIN};
    while (BIO_ctrl_pending(w.out) > 0 && poll(&pfd, 1, SHORT_MS / 10) == 0) {
        (void)wire_send(&w, 1, 1);
    }
    T_OK(rig_ended(w.fd), "a trickling handshake is cut");
    T_OK(BIO_ctrl_pending(w.out) > 100, "in the middle of its first message");
    T_OK(clock_mono_ms() - begun >= SHORT_MS, "not before its deadline");
    wire_close(&w);
}

/* The request of a client whose handshake was in time, on whatever machine. */
static enum tly_err
ask_until_taken(struct client *client)
{
    const uint64_t      until = clock_mono_ms() + RIG_PATIENCE_MS;
    struct client_reply reply = {0};
    enum tly_err        err;
    do {
        err = client_request(client, "GET", "/", NULL, (struct tly_bytes){0}, NULL, 100, &arena,
                             &reply, NULL);
    } while (err != TLY_OK && clock_mono_ms() < until);
    return err;
}

static void
test_deadline(void)
{
    struct rig rig;
    int        fds[20];
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.handshake_ms_max   = SHORT_MS;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    struct wire ready = wire_open(&rig, &rig.known);
    for (size_t i = 0; i < TLY_N(fds); i++) {
        fds[i] = half_open(&rig, i % 2 == 0 ? 0 : 50 + i);
    }
    trickle_hello(&rig);
    T_OK(rig_until(many_late, &rig), "all are late");
    T_EQ(wire_ask(&ready, SIZE_MAX), 0, "one that has not begun is cut, too");
    wire_close(&ready);
    bool cut = true;
    for (size_t i = 0; i < TLY_N(fds); i++) {
        cut = rig_ended(fds[i]) && cut;
        (void)close(fds[i]);
    }
    T_OK(cut, "half-open handshakes are cut at their deadline");
    T_EQ(http_server_stats(rig.server).handshakes_late, 22, "and counted once");
    /* A finished one may be idle for longer than that. */
    struct client_tls *tls    = NULL;
    struct client     *client = rig_client(&rig, &rig.known, &tls);
    T_EQ(ask_until_taken(client), TLY_OK, "a handshake in time");
    const uint64_t accepted = http_server_stats(rig.server).accepted;
    (void)poll(NULL, 0, SHORT_MS + 400); /* more than the deadline and a tick */
    T_EQ(ask_until_taken(client), TLY_OK, "its connection is not cut");
    T_EQ(http_server_stats(rig.server).accepted, accepted, "it was one connection");
    client_free(client);
    client_tls_free(tls);
    rig_end(&rig);
}

/* Sends one byte every 20 ms, each a TLS record of its own, until the server ends the connection;
 * how long that took, 0: it did not. */
static uint64_t
trickle(struct rig *rig, const char *head)
{
    const uint64_t begun = clock_mono_ms();
    struct wire    w     = wire_open(rig, &rig->known);
    struct pollfd  pfd   = {.fd = w.fd, .events = POLLIN};
    TLY_CHECK(wire_shake(&w, SIZE_MAX));
    wire_say(&w, head, SIZE_MAX);
    while (poll(&pfd, 1, 20) == 0 && clock_mono_ms() - begun < RIG_PATIENCE_MS) {
        wire_say(&w, "x", SIZE_MAX);
    }
    const uint64_t took = clock_mono_ms() - begun;
    const bool     cut  = took < RIG_PATIENCE_MS && rig_ended(w.fd);
    wire_close(&w);
    return cut ? took : 0;
}

static bool
reads_nothing(struct rig *rig)
{
    return http_server_stats(rig->server).requests == 1;
}

static bool
reads_or_left(struct rig *rig)
{
    return reads_nothing(rig) || none_open(rig);
}

/* Asks for a long reply and reads none of it; false: the handshake was idle for too long already. */
static bool
ask_and_not_read(struct rig *rig, struct wire *w)
{
    *w = wire_open(rig, &rig->known);
    if (wire_shake(w, SIZE_MAX)) {
        wire_say(w, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n", SIZE_MAX);
        if (rig_until(reads_or_left, rig) && reads_nothing(rig)) {
            return true;
        }
    }
    wire_close(w);
    return false;
}

static void
test_slow_requests(void)
{
    struct rig rig;
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.head_ms_max        = 300;
    config.body_ms_max        = 300;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    T_OK(trickle(&rig, "GET / HTTP/1.1\r\nHost: a\r\nX: ") >= 300,
         "a trickling header block is cut at its deadline");
    T_OK(trickle(&rig, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n") >= 300,
         "a trickling body is cut at its deadline");
    T_EQ(atomic_load(&rig.handled), 0, "neither reached the handler");
    T_OK(rig_until(none_open, &rig), "and both are gone");
    rig_end(&rig);

    rig_begin(&rig);
    config                = rig_config(&rig);
    config.idle_timeout_s = 1;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    const uint64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
    struct wire    w;
    bool           asked = false;
    while (!asked && clock_mono_ms() < until) {
        asked = ask_and_not_read(&rig, &w);
    }
    T_OK(asked, "a long reply is asked for and not read");
    T_OK(rig_until(none_open, &rig), "the connection ends when nothing moves");
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
    T_OK(rig_until(ten_open, &rig), "connections up to the limit");
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
    T_OK(rig_until(none_open, &rig), "all end");
    w = wire_open(&rig, &rig.known);
    T_EQ(wire_ask(&w, SIZE_MAX), 200, "then it may again");
    wire_close(&w);
    rig_end(&rig);
}

/* Whether the server has ended this connection already. */
static bool
is_ended(int fd)
{
    char          byte;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

/* Half-open handshakes so far, every other one with some bytes, the first ones ended: the server
 * knows them all, has read what there is, and waits. */
struct row_of {
    struct rig *rig;
    unsigned    n;
};

static bool
are_known(const struct row_of *row)
{
    const struct http_stats s     = http_server_stats(row->rig->server);
    const unsigned          ended = (unsigned)s.handshakes_ended;
    return s.handshakes + ended == row->n && s.handshakes_waiting == row->n / 2 - ended / 2;
}

static bool
open_next(struct row_of *row, int *fd)
{
    const uint64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
    *fd                  = half_open(row->rig, row->n % 2 == 0 ? 0 : 50);
    row->n++;
    while (!are_known(row)) {
        if (clock_mono_ms() >= until) {
            return false;
        }
        (void)poll(NULL, 0, 1);
    }
    return true;
}

static bool
four_left(struct rig *rig)
{
    return http_server_stats(rig->server).connections == 4;
}

static bool
three_unfinished(struct rig *rig)
{
    return http_server_stats(rig->server).handshakes == 3;
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
    struct row_of row   = {.rig = &rig};
    bool          known = true;
    for (size_t i = 0; i < TLY_N(fds); i++) {
        known = open_next(&row, &fds[i]) && known;
    }
    T_OK(known, "ten unfinished handshakes, one after the other");
    T_OK(rig_until(four_left, &rig), "they are ended down to their limit");
    bool oldest = true;
    for (size_t i = 0; i < 6; i++) {
        oldest = rig_ended(fds[i]) && oldest;
    }
    T_OK(oldest, "the oldest");
    (void)poll(NULL, 0, 1300); /* more than the grace and a tick */
    bool newest = true;
    for (size_t i = 6; i < TLY_N(fds); i++) {
        newest = !is_ended(fds[i]) && newest;
    }
    T_OK(newest, "not the newest, which stay");
    T_EQ(http_server_stats(rig.server).handshakes_ended, 6, "and counted");
    (void)close(fds[6]); /* room for one at a time */
    T_OK(rig_until(three_unfinished, &rig), "one leaves by itself");
    struct wire w[6];
    bool        served = true;
    for (size_t i = 0; i < TLY_N(w); i++) {
        w[i]   = wire_open(&rig, &rig.known);
        served = wire_ask(&w[i], SIZE_MAX) == 200 && served;
    }
    T_OK(served, "finished connections are served beside them, more than the limit");
    (void)poll(NULL, 0, 1300); /* more than the grace and a tick */
    T_EQ(http_server_stats(rig.server).connections, 9, "and stay");
    T_EQ(http_server_stats(rig.server).handshakes_ended, 6, "as do three unfinished ones");
    for (size_t i = 0; i < TLY_N(w); i++) {
        wire_close(&w[i]);
    }
    for (size_t i = 0; i < TLY_N(fds); i++) {
        if (i != 6) {
            (void)close(fds[i]);
        }
    }
    T_OK(rig_until(none_open, &rig), "all end");
    rig_end(&rig);
}

static bool
twenty_known(struct rig *rig)
{
    const struct http_stats s = http_server_stats(rig->server);
    return s.handshakes + s.handshakes_ended == 20;
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
    T_OK(rig_until(twenty_known, &rig), "as many half-open handshakes as there are slots");
    struct wire w = wire_open(&rig, &rig.known);
    T_EQ(wire_ask(&w, SIZE_MAX), 200, "one more is served");
    T_EQ(http_server_stats(rig.server).handshakes_late, 0, "before the deadline of the others");
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
    T_OK(rig_until(three_open, &rig), "but only so many stay");
    T_OK(rig_ended(w[0].fd) && rig_ended(w[1].fd), "the oldest went");
    T_OK(!is_ended(w[2].fd) && !is_ended(w[3].fd) && !is_ended(w[4].fd), "the others are there");
    T_EQ(http_server_stats(rig.server).connections_ended, 2, "and counted");
    for (size_t i = 0; i < TLY_N(w); i++) {
        wire_close(&w[i]);
    }
    T_OK(rig_until(none_open, &rig), "all leave");
    w[0] = wire_open(&rig, &rig.known);
    T_EQ(wire_ask(&w[0], SIZE_MAX), 200, "and it may come again");
    T_EQ(http_server_stats(rig.server).connections_ended, 2, "at nobody's expense");
    wire_close(&w[0]);

    /* Connections that wait for an answer do not leave when they are ended. */
    rig_hold(&rig, true);
    struct wire held[6];
    for (size_t i = 0; i < TLY_N(held); i++) {
        held[i] = wire_open(&rig, &rig.known);
        TLY_CHECK(wire_shake(&held[i], SIZE_MAX));
        wire_say(&held[i], "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n", SIZE_MAX);
        const uint64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
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
    for (const uint64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
         !again && clock_mono_ms() < until;) {
        wire_close(&w[0]);
        w[0]  = wire_open(&rig, &rig.known);
        again = wire_ask(&w[0], SIZE_MAX) == 200;
    }
    T_OK(again, "admitted when they have their answers");
    wire_close(&w[0]);
    for (size_t i = 0; i < TLY_N(held); i++) {
        wire_close(&held[i]);
    }
    T_OK(rig_until(none_open, &rig), "all leave");
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
    T_OK(rig_until(many_wait, &rig), "100 handshakes are stalled");
    const uint64_t begun = clock_mono_ms();
    rig_end(&rig);
    T_OK(clock_mono_ms() - begun < RIG_PATIENCE_MS, "the server stops and waits for none of them");
    bool ended = true;
    for (size_t i = 0; i < TLY_N(fds); i++) {
        ended = rig_ended(fds[i]) && ended;
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
