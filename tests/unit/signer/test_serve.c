/* SPDX-License-Identifier: Apache-2.0 */
/* The signer behind its socket, in a process of its own: what lies is refused and changes nothing,
 * a cut or slow or silent client holds nobody up, and a disk that fails ends it without an answer. */
#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "../../../src/signer/signer.h"
#include "dir.h"
#include "signer_fixture.h"
#include "sys/log.h"

#define REQUEST_MS 2000
#define PATIENCE_S 50 /* longest that any answer is waited for */

static char               state[256];
static struct sockaddr_un at = {.sun_family = AF_UNIX};
static pid_t              child;

/* ---- the server ---- */

static void
serve(int fd, uid_t client)
{
    struct signer   signer = {.secret = &f.secret, .vkey = f.vkey};
    struct tly_diag diag   = {0};
    enum tly_err    err    = slots_open(state, &signer.vkey, &signer.slots, &diag);
    TLY_CHECK(err == TLY_OK);
    const struct serve config = {
        .signer = &signer, .listen_fd = fd, .client = client, .request_ms = REQUEST_MS};
    err = signer_serve(&config, &diag);
    slots_close(&signer.slots);
    _exit(err == TLY_OK ? 0 : 1);
}

/* The socket listens before the process is there: who dials waits for it. */
static void
begin(uid_t client)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    TLY_CHECK(bind(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    TLY_CHECK(listen(fd, 16) == 0);
    (void)fflush(stdout);
    child = fork();
    TLY_CHECK(child >= 0);
    if (child == 0) {
        serve(fd, client);
    }
    (void)close(fd);
}

static int
dial(void)
{
    const int            fd   = socket(AF_UNIX, SOCK_STREAM, 0);
    const struct timeval wait = {PATIENCE_S, 0};
    TLY_CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0);
    TLY_CHECK(connect(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

/* Its exit status; sig 0: it ends by itself. */
static int
end(int sig)
{
    int status = 0;
    if (sig != 0) {
        (void)kill(child, sig);
    }
    TLY_CHECK(waitpid(child, &status, 0) == child);
    (void)unlink(at.sun_path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* ---- the client ---- */

static size_t
frame(struct tly_bytes request, uint8_t out[SIGNWIRE_LENGTH_BYTES + SIGNWIRE_REQUEST_MAX])
{
    const uint32_t length = htobe32((uint32_t)request.len);
    memcpy(out, &length, sizeof length);
    memcpy(out + sizeof length, request.data, request.len);
    return sizeof length + request.len;
}

/* false: no answer, the connection is gone. */
static bool
hear(int fd, struct signwire_answer *out)
{
    uint32_t length;
    uint8_t  text[SIGNWIRE_ANSWER_MAX];
    if (recv(fd, &length, sizeof length, MSG_WAITALL) != (ssize_t)sizeof length) {
        return false;
    }
    length = be32toh(length);
    TLY_CHECK(length <= sizeof text);
    const ssize_t n = recv(fd, text, length, MSG_WAITALL);
    TLY_CHECK(n == (ssize_t)length);
    return signwire_answer_read((struct tly_bytes){text, length}, out);
}

static bool
say(int fd, struct tly_bytes request)
{
    uint8_t      data[SIGNWIRE_LENGTH_BYTES + SIGNWIRE_REQUEST_MAX];
    const size_t len = frame(request, data);
    return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static struct signwire_answer
ask(int fd, struct tly_bytes request)
{
    struct signwire_answer answer = {.kind = SIGNWIRE_REFUSED, .why = "no answer"};
    if (say(fd, request)) {
        (void)hear(fd, &answer);
    }
    return answer;
}

/* A request for a head, with the proof of the tree as it is. */
static struct tly_bytes
request_of(uint64_t old, const struct note_head *head, const char *origin)
{
    static char    text[EXTEND_LEN_MAX + 1];
    char           body[NOTE_LEN_MAX];
    struct extend  e = {.old = old};
    const uint64_t n = head->size;
    e.note           = (struct tly_bytes){(const uint8_t *)body, note_body(origin, head, body)};
    if (old > 0 && old <= n && n <= f.tree.size) {
        merkle_consistency(&f.tree, old, n, &e.proof);
    }
    return (struct tly_bytes){(const uint8_t *)text, extend_write(&e, text)};
}

static struct signwire_answer
grow(int fd, uint64_t old, uint64_t size)
{
    const struct slots_head head = f_head(size);
    return ask(fd, request_of(old, &head.head, f_origin));
}

static uint64_t
last_size(int fd)
{
    const struct signwire_answer answer = ask(fd, tly_text(SIGNWIRE_HELLO_TEXT));
    return answer.kind == SIGNWIRE_HELLO ? answer.last.size : UINT64_MAX;
}

static bool
is_signed(const struct signwire_answer *answer, uint64_t size)
{
    const struct slots_head head = f_head(size);
    return answer->kind == SIGNWIRE_SIGNED && memcmp(&answer->sig, &head.sig, sizeof head.sig) == 0;
}

/* ---- tests ---- */

static void
ordinary(void)
{
    begin(getuid());
    const int              fd     = dial();
    struct signwire_answer answer = ask(fd, tly_text(SIGNWIRE_HELLO_TEXT));
    T_OK(answer.kind == SIGNWIRE_HELLO && answer.last.size == 0 &&
             strcmp(answer.vkey.name, f_origin) == 0,
         "hello: whose key, nothing signed yet");
    answer = grow(fd, 0, 1);
    T_OK(is_signed(&answer, 1), "the first head is signed");
    answer = grow(fd, 1, 7);
    T_OK(is_signed(&answer, 7), "one that extends it too");
    answer = grow(fd, 1, 7);
    T_OK(is_signed(&answer, 7), "the same again, asked from before: the same bytes");
    answer = grow(fd, 7, 7);
    T_OK(is_signed(&answer, 7), "and from itself");
    answer                     = grow(fd, 3, 9);
    const struct slots_head is = f_head(7);
    T_OK(answer.kind == SIGNWIRE_LAST && answer.last.size == 7 &&
             tly_hash_eq(&answer.last.root, &is.head.root),
         "another old size: told the last head");
    answer = grow(fd, 8, 9);
    T_OK(answer.kind == SIGNWIRE_LAST && answer.last.size == 7, "a later one too");
    (void)close(fd);
    T_EQ(end(SIGTERM), 0, "it ends when it is told to");
    begin(getuid());
    const int again = dial();
    T_EQ(last_size(again), 7, "and remembers");
    (void)close(again);
    T_EQ(end(SIGKILL), -SIGKILL, "killed");
    begin(getuid());
    T_EQ(last_size(dial()), 7, "it remembers all the same");
    T_EQ(end(SIGTERM), 0, "told to end while a client is there, it does");
}

static void
lies(void)
{
    begin(getuid());
    const int         fd   = dial();
    struct slots_head head = f_head(7);
    head.head.root.b[3] ^= 1;
    struct signwire_answer answer = ask(fd, request_of(7, &head.head, f_origin));
    T_OK(answer.kind == SIGNWIRE_REFUSED && strstr(answer.why, "fork") != NULL,
         "another root for the last size: refused");
    answer = ask(fd, request_of(3, &head.head, f_origin));
    T_EQ(answer.kind, SIGNWIRE_REFUSED, "whatever old size it names");
    answer = grow(fd, 7, 5);
    T_OK(answer.kind == SIGNWIRE_REFUSED && strstr(answer.why, "went back") != NULL,
         "a smaller head: refused");
    answer = grow(fd, 2, 5);
    T_EQ(answer.kind, SIGNWIRE_REFUSED, "also one that would have been right before");
    head = f_head(12);
    head.head.root.b[31] ^= 0x80;
    answer = ask(fd, request_of(7, &head.head, f_origin));
    T_OK(answer.kind == SIGNWIRE_REFUSED && strstr(answer.why, "proof") != NULL,
         "a root that the proof does not lead to: refused");
    head   = f_head(12);
    answer = ask(fd, request_of(7, &head.head, "tally.example/ir-councils-7/official"));
    T_OK(answer.kind == SIGNWIRE_REFUSED && strstr(answer.why, "another log") != NULL,
         "another phase: refused");
    head   = (struct slots_head){.head = {.size = 0, .root = merkle_empty()}};
    answer = ask(fd, request_of(0, &head.head, f_origin));
    T_EQ(answer.kind, SIGNWIRE_REFUSED, "the empty head: refused");
    head   = (struct slots_head){.head = {.size = UINT64_MAX}};
    answer = ask(fd, request_of(7, &head.head, f_origin));
    T_EQ(answer.kind, SIGNWIRE_REFUSED, "the largest head there can be, without a proof: refused");
    T_EQ(last_size(fd), 7, "the last head is what it was");

    char                    text[SIGNWIRE_REQUEST_MAX + 1];
    const struct slots_head next  = f_head(12);
    const struct tly_bytes  good  = request_of(7, &next.head, f_origin);
    unsigned                taken = 0;
    /* The new size is left alone: RFC 9162's proofs do not always tell 12 from 13 leaves, and such
     * a head, though of no tree, is the only one of its size that is ever signed. */
    const uint8_t *size_line = memmem(good.data, good.len, "\n12\n", 4);
    for (size_t i = 0; i < good.len; i++) {
        if (good.data + i == size_line + 1 || good.data + i == size_line + 2) {
            continue;
        }
        memcpy(text, good.data, good.len);
        text[i] = (char)(text[i] ^ 1);
        answer  = ask(fd, (struct tly_bytes){(const uint8_t *)text, good.len});
        taken += answer.kind == SIGNWIRE_SIGNED;
    }
    T_EQ(taken, 0, "a good request with any byte changed: nothing is signed");
    for (size_t i = 0; i < good.len; i++) {
        answer = ask(fd, (struct tly_bytes){good.data, i});
        taken += answer.kind != SIGNWIRE_REFUSED;
    }
    T_EQ(taken, 0, "cut at any byte, in a whole frame: refused");
    T_EQ(last_size(fd), 7, "the last head is what it was");
    answer = grow(fd, 7, 12);
    T_OK(is_signed(&answer, 12), "and the good request is signed");
    (void)close(fd);
    T_EQ(end(SIGTERM), 0, "a clean end");
}

static void
frames(void)
{
    uint8_t                 data[SIGNWIRE_LENGTH_BYTES + SIGNWIRE_REQUEST_MAX];
    struct signwire_answer  answer = {0};
    const struct slots_head next   = f_head(13);
    const size_t            len    = frame(request_of(12, &next.head, f_origin), data);
    begin(getuid());
    for (size_t i = 0; i < len; i++) {
        const int     fd = dial();
        const ssize_t n  = send(fd, data, i, MSG_NOSIGNAL);
        TLY_CHECK(n == (ssize_t)i);
        (void)close(fd);
    }
    const int fd = dial();
    T_EQ(last_size(fd), 12, "clients that leave at any byte change nothing");
    bool sent = true;
    for (size_t i = 0; i < len; i++) {
        sent = sent && send(fd, data + i, 1, MSG_NOSIGNAL) == 1;
    }
    T_OK(sent && hear(fd, &answer) && is_signed(&answer, 13), "byte by byte it is one request");
    const size_t hello = frame(tly_text(SIGNWIRE_HELLO_TEXT), data);
    memcpy(data + hello, data, hello);
    memcpy(data + 2 * hello, data, hello);
    sent = send(fd, data, 3 * hello, MSG_NOSIGNAL) == (ssize_t)(3 * hello);
    T_OK(sent && hear(fd, &answer) && hear(fd, &answer) && hear(fd, &answer),
         "three requests at once get three answers");
    answer = ask(fd, tly_text(""));
    T_EQ(answer.kind, SIGNWIRE_REFUSED, "an empty request: refused");
    const uint32_t long_one = htobe32(SIGNWIRE_REQUEST_MAX + 1);
    sent                    = send(fd, &long_one, sizeof long_one, MSG_NOSIGNAL) > 0;
    T_OK(sent && !hear(fd, &answer), "a length over the limit: the connection ends");
    (void)close(fd);

    const int slow = dial();
    sent           = send(slow, data, 5, MSG_NOSIGNAL) == 5;
    T_OK(sent && !hear(slow, &answer), "a request that does not end in time: the connection ends");
    (void)close(slow);
    T_EQ(end(SIGTERM), 0, "a clean end");
}

static void
clients(void)
{
    struct signwire_answer answer = {0};
    int                    fd[64];
    begin(getuid());
    const int a = dial();
    const int b = dial();
    answer      = grow(a, 13, 14);
    T_OK(is_signed(&answer, 14), "one client");
    answer = grow(b, 13, 15);
    T_OK(answer.kind == SIGNWIRE_LAST && answer.last.size == 14, "another is told of it");
    answer = grow(b, 14, 15);
    T_OK(is_signed(&answer, 15), "and goes on");
    for (unsigned i = 0; i < TLY_N(fd); i++) { /* silent ones, and half a request each */
        fd[i]           = dial();
        const ssize_t n = send(fd[i], "\0\0", 2, MSG_NOSIGNAL);
        TLY_CHECK(n == 2);
    }
    const int c = dial();
    answer      = grow(c, 15, 16);
    T_OK(is_signed(&answer, 16), "dead ones, however many, block nobody");
    for (unsigned i = 0; i < TLY_N(fd); i++) {
        (void)close(fd[i]);
    }
    (void)close(a);
    (void)close(b);
    (void)close(c);
    T_EQ(end(SIGTERM), 0, "a clean end");

    begin(getuid() + 1);
    const int other = dial();
    T_OK(!say(other, tly_text(SIGNWIRE_HELLO_TEXT)) || !hear(other, &answer),
         "a process of another user gets no answer");
    (void)close(other);
    T_EQ(end(SIGTERM), 0, "a clean end");
}

static void
disk(void)
{
    f_fdatasync_fails = 3; /* the start's, one head's, and then */
    begin(getuid());
    const int              fd     = dial();
    struct signwire_answer answer = grow(fd, 16, 17);
    T_OK(is_signed(&answer, 17), "a head on a good disk");
    const struct slots_head next = f_head(18);
    T_OK(say(fd, request_of(17, &next.head, f_origin)) && !hear(fd, &answer),
         "fdatasync fails: no answer");
    (void)close(fd);
    T_EQ(end(0), 1, "the process ends by itself, as failed");
    f_fdatasync_fails = 0;
    begin(getuid());
    const int again = dial();
    answer          = grow(again, last_size(again), 18);
    T_OK(is_signed(&answer, 18), "started on a good disk it signs the very same head");
    (void)close(again);
    T_EQ(end(SIGTERM), 0, "a clean end");
}

int
main(void)
{
    const struct slots_head first = {.head = {.size = 0, .root = merkle_empty()}};
    struct tly_diag         diag  = {0};
    if (sodium_init() < 0) {
        return EXIT_FAILURE;
    }
    log_level(LOG_CRIT); /* refusals are loud, and all of this is one */
    f_init(64);
    const char *dir = t_dir();
    (void)snprintf(state, sizeof state, "%s/state", dir);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", dir);
    TLY_CHECK(slots_make(state, &f.vkey, &first, &diag) == TLY_OK);
    ordinary();
    lies();
    frames();
    clients();
    disk();
    tly_arena_done(&f.arena);
    return T_DONE();
}
