/* SPDX-License-Identifier: Apache-2.0 */
/* What all requests of a server may hold together: over it a body is refused before it is read,
 * nothing but the reply is kept for who does not read it, and who never reads it is cut. */
#include <openssl/ssl.h>
#include <signal.h>

#include "rig.h"

#define BODY   RIG_BODY_MAX
#define BODIES 3
#define SMALL  ((size_t)64 << 10) /* room for the arenas of small requests */

/* A connection over mutual TLS; blocks, but not for ever. */
struct line {
    SSL_CTX *ctx;
    SSL     *ssl;
    int      fd;
};

static struct line
line_open(struct rig *rig)
{
    const struct timeval limit = {.tv_sec = RIG_PATIENCE_S};
    const int            small = 4096; /* little of a reply fits on its way */
    struct line          l     = {.ctx = SSL_CTX_new(TLS_client_method()), .fd = rig_dial(rig)};
    TLY_CHECK(SSL_CTX_use_certificate(l.ctx, rig->known.x509) == 1);
    TLY_CHECK(SSL_CTX_use_PrivateKey(l.ctx, rig->known.key) == 1);
    l.ssl = SSL_new(l.ctx);
    TLY_CHECK(setsockopt(l.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    TLY_CHECK(setsockopt(l.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
    TLY_CHECK(SSL_set_fd(l.ssl, l.fd) == 1);
    TLY_CHECK(SSL_connect(l.ssl) == 1);
    return l;
}

static void
line_close(struct line *l)
{
    SSL_free(l->ssl);
    SSL_CTX_free(l->ctx);
    (void)close(l->fd);
}

static void
line_post(struct line *l, const char *path, size_t body)
{
    static const char bytes[RIG_BODY_MAX];
    char              head[200];
    const int         n =
        snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                 path, body);
    TLY_CHECK(SSL_write(l->ssl, head, n) == n);
    if (body > 0) {
        (void)SSL_write(l->ssl, bytes, (int)body);
    }
}

/* Status of the next answer, 0: none.  *later: it says when to come again. */
static int
line_status(struct line *l, bool *later)
{
    char answer[4096];
    int  have;
    do {
        errno = 0;
        have  = SSL_read(l->ssl, answer, sizeof answer - 1);
    } while (have <= 0 && errno == EINTR);
    if (have <= 12 || strncmp(answer, "HTTP/1.", 7) != 0) {
        return 0;
    }
    answer[have] = '\0';
    *later       = strstr(answer, "\r\nRetry-After: ") != NULL;
    return atoi(answer + 9); /* NOLINT */
}

static int
post(struct rig *rig, const char *path, size_t body, bool *later)
{
    struct line l = line_open(rig);
    line_post(&l, path, body);
    const int status = line_status(&l, later);
    line_close(&l);
    return status;
}

static bool
bodies_held(struct rig *rig)
{
    (void)pthread_mutex_lock(&rig->lock);
    const unsigned n = rig->waits_n;
    (void)pthread_mutex_unlock(&rig->lock);
    return n == BODIES && http_server_stats(rig->server).memory >= BODIES * BODY;
}

static bool
nothing_held(struct rig *rig)
{
    return http_server_stats(rig->server).memory == 0;
}

static void
test_bodies(void)
{
    struct rig  rig;
    struct line lines[BODIES];
    bool        later = false;
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.memory_bytes_max   = BODIES * BODY + SMALL;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    rig_hold(&rig, true);
    for (unsigned i = 0; i < BODIES; i++) {
        lines[i] = line_open(&rig);
        line_post(&lines[i], "/wait", BODY);
    }
    T_OK(rig_until(bodies_held, &rig), "bodies up to the budget are read");
    struct line       over   = line_open(&rig);
    static const char head[] = "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n";
    TLY_CHECK(SSL_write(over.ssl, head, sizeof head - 1) > 0);
    T_EQ(line_status(&over, &later), 503, "one more is refused before a byte of it is sent");
    T_OK(later, "and told when to come again");
    line_close(&over);
    over = line_open(&rig);
    static char chunk[BODY];
    const int   n =
        snprintf(chunk, sizeof chunk,
                 "POST /wait HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
                 (unsigned)BODY);
    TLY_CHECK(SSL_write(over.ssl, chunk, n) == n);
    memset(chunk, 'x', sizeof chunk);
    (void)SSL_write(over.ssl, chunk, sizeof chunk); /* the answer may come before its end */
    T_EQ(line_status(&over, &later), 503, "a chunked one in the middle");
    T_OK(later, "which says when to come again, too");
    line_close(&over);
    T_EQ(post(&rig, "/echo", 1000, &later), 200, "a small one finds room");
    const struct http_stats stats = http_server_stats(rig.server);
    T_EQ(stats.memory_refused, 2, "refusals are counted");
    T_OK(stats.memory <= config.memory_bytes_max, "the budget was kept");
    rig_hold(&rig, false);
    for (unsigned i = 0; i < BODIES; i++) {
        T_EQ(line_status(&lines[i], &later), 201, "what was taken is answered");
        line_close(&lines[i]);
    }
    T_OK(rig_until(nothing_held, &rig), "all is given back");
    T_EQ(post(&rig, "/echo", BODY, &later), 200, "then there is room again");
    T_OK(rig_until(nothing_held, &rig), "and nothing is left of it");
    rig_end(&rig);
}

static bool
only_reply_held(struct rig *rig)
{
    return http_server_stats(rig->server).memory == RIG_BIG;
}

static bool
none_open(struct rig *rig)
{
    return http_server_stats(rig->server).connections == 0;
}

static void
test_unread_replies(void)
{
    struct rig rig;
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.memory_bytes_max   = RIG_BIG;
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    struct line l = line_open(&rig);
    line_post(&l, "/owned", BODY);
    T_OK(rig_until(only_reply_held, &rig), "an unread reply: its body and arena are gone");
    bool later = false;
    T_EQ(post(&rig, "/echo", BODY, &later), 503, "the reply itself counts");
    line_close(&l);
    T_OK(rig_until(nothing_held, &rig), "who leaves frees it");
    rig_end(&rig);
}

static bool
one_cut(struct rig *rig)
{
    return http_server_stats(rig->server).requests == 1 && none_open(rig);
}

static void
test_slow_readers(void)
{
    struct rig rig;
    rig_begin(&rig);
    struct http_config config = rig_config(&rig);
    config.reply_ms_max       = 200;
    config.reply_rate_min     = (unsigned)RIG_BIG * 2; /* half a second more */
    TLY_CHECK(rig_listen(&rig, config, true, NULL) == TLY_OK);
    const uint64_t begun = clock_mono_ms();
    struct line    l     = line_open(&rig);
    line_post(&l, "/owned", BODY);
    T_OK(rig_until(one_cut, &rig), "who does not read is cut");
    const uint64_t took = clock_mono_ms() - begun;
    T_OK(took >= 600, "when the reply could have been read at the slowest pace");
    printf("# cut after %llu ms\n", (unsigned long long)took);
    T_OK(rig_until(nothing_held, &rig), "and its reply is freed");
    line_close(&l);
    rig_end(&rig);
}

int
main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    pki_begin();
    const unsigned fds = rig_fds();
    test_bodies();
    test_unread_replies();
    test_slow_readers();
    T_EQ(rig_fds(), fds, "no descriptor is left");
    return T_DONE();
}
