/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: what was appended is read back in order, turn after turn; cut at every sector and
 * damaged at every byte of a small one, it gives a beginning of what was appended, or refuses. */
#include "sys/journal.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "dir.h"
#include "sys/file.h"
#include "t.h"

#define HALF   ((size_t)1 << 20)
#define SECTOR 512

static const char     *root;
static struct tly_diag diag;

static const char *
in_root(const char *name)
{
    static char path[4][256];
    static int  i;
    i = (i + 1) % 4;
    (void)snprintf(path[i], sizeof path[i], "%s/%s", root, name);
    return path[i];
}

/* A body whose bytes follow from its number and length. */
static uint8_t
byte_of(uint64_t number, size_t at)
{
    return (uint8_t)(number * 31 + at * 7 + (at >> 8));
}

static enum tly_err
append(struct journal *j, uint64_t number, size_t len)
{
    uint8_t     *body;
    enum tly_err err = journal_room(j, len, &body, &diag);
    for (size_t i = 0; i < len && err == TLY_OK; i++) {
        body[i] = byte_of(number, i);
    }
    return err == TLY_OK ? journal_append(j, &diag) : err;
}

struct seen {
    uint64_t first, last, n;
    bool     wrong;
};

static enum tly_err
see(void *arg, uint64_t sequence, struct tly_bytes body, TLY_UNUSED struct tly_diag *why)
{
    struct seen *s = arg;
    s->wrong       = s->wrong || (s->n > 0 && sequence != s->last + 1);
    for (size_t i = 0; i < body.len; i++) {
        s->wrong = s->wrong || body.data[i] != byte_of(sequence, i);
    }
    s->first = s->n == 0 ? sequence : s->first;
    s->last  = sequence;
    s->n++;
    return TLY_OK;
}

static struct seen
read_all(struct journal *j)
{
    struct seen s = {0};
    if (journal_read(j, see, &s, &diag) != TLY_OK) {
        s.wrong = true;
    }
    return s;
}

static void
appending(void)
{
    struct journal *j = NULL;
    T_EQ(journal_open(in_root("a/b"), HALF, &j, &diag), TLY_OK, "made, with the folders above it");
    struct seen s = read_all(j);
    T_OK(s.n == 0 && !s.wrong, "empty");
    T_EQ(append(j, 1, 0), TLY_OK, "an empty body");
    T_EQ(append(j, 2, SECTOR - 24), TLY_OK, "exactly a sector");
    T_EQ(append(j, 3, SECTOR - 23), TLY_OK, "one byte over it");
    T_EQ(append(j, 4, HALF - 24), TLY_OK, "exactly a file");
    uint8_t *room;
    T_EQ(journal_room(j, HALF - 23, &room, &diag), TLY_ETOOBIG, "one byte over it");
    s = read_all(j);
    T_OK(s.first == 1 && s.last == 4 && !s.wrong, "all four are there");
    T_EQ(append(j, 5, 100), TLY_OK, "the first file begins anew");
    s = read_all(j);
    T_OK(s.first == 4 && s.last == 5 && !s.wrong, "the newest two are there");
    journal_close(j);
    T_EQ(journal_open(in_root("a/b"), HALF, &j, &diag), TLY_OK, "opened again");
    s = read_all(j);
    T_OK(s.first == 4 && s.last == 5 && !s.wrong, "the same two");
    journal_close(j);
    journal_close(NULL);
}

/* Many turns of random lengths, closed and opened on the way. */
static void
turning(void)
{
    struct journal *j     = NULL;
    uint64_t        state = 12345;
    bool            ok    = true;
    for (uint64_t n = 1; n <= 400; n++) {
        if (n % 37 == 1) {
            journal_close(j);
            j  = NULL;
            ok = ok && journal_open(in_root("turn"), HALF, &j, &diag) == TLY_OK;
        }
        state = state * 6364136223846793005U + 1442695040888963407U;
        ok    = ok && append(j, n, (size_t)(state >> 33) % 40000) == TLY_OK;
        if (n % 13 == 0) {
            const struct seen s = read_all(j);
            ok                  = ok && !s.wrong && s.last == n && (n < 26 || s.n > 20);
        }
    }
    T_OK(ok, "400 frames in many turns, the newest always there");
    journal_close(j);
}

/* ---- damage ---- */

static int
file_open(const char *dir, unsigned i)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/journal.%u", dir, i);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    TLY_CHECK(fd >= 0);
    return fd;
}

/* What opening gives now: frames 1 to n, or a refusal (false). */
static bool
opens(const char *dir, uint64_t *n)
{
    struct journal *j = NULL;
    if (journal_open(dir, HALF, &j, &diag) != TLY_OK) {
        return false;
    }
    const struct seen s = read_all(j);
    T_OK(!s.wrong && (s.n == 0 || s.first == 1), "nothing wrong is read");
    *n = s.n;
    journal_close(j);
    return true;
}

/* Every byte of three frames is changed, each alone. */
static void
flipping(void)
{
    const char     *dir = in_root("flip");
    struct journal *j   = NULL;
    T_EQ(journal_open(dir, HALF, &j, &diag), TLY_OK, "made");
    const size_t lens[3] = {600, 40, 700}; /* 2, 1 and 2 sectors */
    for (unsigned i = 0; i < 3; i++) {
        T_EQ(append(j, i + 1, lens[i]), TLY_OK, "appended");
    }
    journal_close(j);
    const int fd      = file_open(dir, 0);
    bool      ok      = true;
    unsigned  refused = 0, shorter = 0, whole = 0;
    for (off_t at = 0; at < 5 * SECTOR; at++) {
        uint8_t  byte, other;
        uint64_t n = 0;
        TLY_CHECK(pread(fd, &byte, 1, at) == 1);
        other = byte ^ (uint8_t)(1U << (at % 8));
        TLY_CHECK(pwrite(fd, &other, 1, at) == 1);
        struct journal *opened = NULL;
        if (journal_open(dir, HALF, &opened, &diag) != TLY_OK) {
            refused++;
            ok = ok && at < 3 * SECTOR && strstr(diag.text, "damaged at byte") != NULL;
        } else {
            const struct seen s = read_all(opened);
            n                   = s.n;
            ok                  = ok && !s.wrong && (n == 2 || n == 3);
            shorter += n == 2;
            whole += n == 3;
            journal_close(opened);
        }
        TLY_CHECK(pwrite(fd, &byte, 1, at) == 1);
    }
    close(fd);
    T_OK(ok, "a changed byte is damage, a lost last frame, or of the padding");
    T_EQ(refused, 600 + 40 + 2 * 24, "in the first two frames it is damage");
    T_EQ(shorter, 700 + 24, "in the last one it is as if it had not been written");
    T_EQ(whole, 5 * SECTOR - 600 - 40 - 700 - 3 * 24, "behind a body it is nothing");
}

/* A frame's sectors reach the disk in any order: each subset of them but the whole. */
static void
tearing(void)
{
    const char     *dir = in_root("tear");
    struct journal *j   = NULL;
    static uint8_t  before[8 * SECTOR], after[8 * SECTOR], now[8 * SECTOR];
    T_EQ(journal_open(dir, HALF, &j, &diag), TLY_OK, "made");
    T_EQ(append(j, 1, 100), TLY_OK, "a frame of one sector");
    const int fd = file_open(dir, 0);
    TLY_CHECK(pread(fd, before, sizeof before, 0) == sizeof before);
    T_EQ(append(j, 2, 4 * SECTOR), TLY_OK, "one of five");
    TLY_CHECK(pread(fd, after, sizeof after, 0) == sizeof after);
    journal_close(j);
    bool ok = true;
    for (unsigned there = 0; there < 32; there++) {
        memcpy(now, before, sizeof now);
        for (unsigned s = 0; s < 5; s++) {
            if (there >> s & 1) {
                memcpy(now + (s + 1) * SECTOR, after + (s + 1) * SECTOR, SECTOR);
            }
        }
        TLY_CHECK(pwrite(fd, now, sizeof now, 0) == sizeof now);
        struct journal *opened = NULL;
        ok                     = ok && journal_open(dir, HALF, &opened, &diag) == TLY_OK;
        const struct seen s    = read_all(opened);
        ok                     = ok && !s.wrong && s.n == (there == 31 ? 2U : 1U);
        /* and goes on in its place */
        ok                     = ok && append(opened, s.n + 1, 700) == TLY_OK;
        const struct seen more = read_all(opened);
        ok                     = ok && !more.wrong && more.n == s.n + 1;
        journal_close(opened);
    }
    close(fd);
    T_OK(ok, "a torn frame is not there, and the next takes its place");
}

/* The same where a file begins anew, over the first frames of the turn before. */
static void
tearing_turn(void)
{
    const char     *dir = in_root("tearturn");
    struct journal *j   = NULL;
    static uint8_t  before[8 * SECTOR], after[8 * SECTOR], now[8 * SECTOR];
    T_EQ(journal_open(dir, HALF, &j, &diag), TLY_OK, "made");
    for (uint64_t i = 1; i <= 6; i++) {
        T_EQ(append(j, i, 100), TLY_OK, "six frames of one sector");
    }
    T_EQ(append(j, 7, HALF - 6 * SECTOR - 24), TLY_OK, "the first file is full");
    T_EQ(append(j, 8, HALF - 24), TLY_OK, "the second one too");
    const int fd = file_open(dir, 0);
    TLY_CHECK(pread(fd, before, sizeof before, 0) == sizeof before);
    T_EQ(append(j, 9, 4 * SECTOR), TLY_OK, "the first begins anew with five sectors");
    TLY_CHECK(pread(fd, after, sizeof after, 0) == sizeof after);
    journal_close(j);
    bool ok = true;
    for (unsigned there = 0; there < 32; there++) {
        for (unsigned s = 0; s < 8; s++) {
            const uint8_t *from = s >= 5 || there >> s & 1 ? after : before;
            memcpy(now + (size_t)s * SECTOR, from + (size_t)s * SECTOR, SECTOR);
        }
        TLY_CHECK(pwrite(fd, now, sizeof now, 0) == sizeof now);
        struct journal *opened = NULL;
        const bool      opens  = journal_open(dir, HALF, &opened, &diag) == TLY_OK;
        T_OK(opens, "torn in front, it opens");
        if (!opens) {
            continue;
        }
        const uint64_t    last = there == 31 ? 9 : 8;
        const struct seen s    = read_all(opened);
        ok                     = ok && !s.wrong && s.last == last;
        ok                     = ok && append(opened, last + 1, 700) == TLY_OK;
        const struct seen more = read_all(opened);
        ok                     = ok && !more.wrong && more.first == 8 && more.last == last + 1;
        journal_close(opened);
    }
    close(fd);
    T_OK(ok, "the torn frame is not there, the file before it is, and the next takes its place");
}

static void
shortened(void)
{
    const char     *dir = in_root("short");
    struct journal *j   = NULL;
    uint64_t        n   = 0;
    T_EQ(journal_open(dir, HALF, &j, &diag), TLY_OK, "made");
    T_EQ(append(j, 1, 1000), TLY_OK, "appended");
    journal_close(j);
    int fd = file_open(dir, 1);
    TLY_CHECK(ftruncate(fd, SECTOR + 7) == 0); /* a crash while it was made */
    close(fd);
    T_OK(opens(dir, &n) && n == 1, "an unfinished second file is finished");
    T_EQ(journal_open(dir, HALF, &j, &diag), TLY_OK, "opened");
    T_EQ(append(j, 2, HALF - 24), TLY_OK, "and takes a whole file's frame");
    T_EQ(append(j, 3, HALF - 24), TLY_OK, "the first one too");
    journal_close(j);
    fd = file_open(dir, 1);
    TLY_CHECK(ftruncate(fd, 0) == 0);
    close(fd);
    struct journal *again = NULL;
    T_EQ(journal_open(dir, HALF, &again, &diag), TLY_OK, "the older file lost");
    const struct seen s = read_all(again);
    T_OK(s.first == 3 && s.n == 1, "the newest frame is still there");
    journal_close(again);
}

/* Frames lost in the middle: the second file's beginning is older than the first one's end wants. */
static void
gap(void)
{
    const char     *dir = in_root("gap");
    struct journal *j   = NULL;
    static uint8_t  old[HALF];
    T_EQ(journal_open(dir, HALF, &j, &diag), TLY_OK, "made");
    T_EQ(append(j, 1, HALF - 24), TLY_OK, "first file");
    const int fd = file_open(dir, 0);
    TLY_CHECK(pread(fd, old, sizeof old, 0) == sizeof old);
    T_EQ(append(j, 2, HALF - 24), TLY_OK, "second file");
    T_EQ(append(j, 3, HALF - 24), TLY_OK, "first file again");
    T_EQ(append(j, 4, HALF - 24), TLY_OK, "second file again");
    journal_close(j);
    TLY_CHECK(pwrite(fd, old, sizeof old, 0) == sizeof old);
    close(fd);
    T_EQ(journal_open(dir, HALF, &j, &diag), TLY_ECORRUPT, "an old copy of one file is refused");
    T_OK(strstr(diag.text, "frames between them are lost") != NULL, "and it says why");
}

static void
locked(void)
{
    const char     *dir = in_root("lock");
    struct journal *j   = NULL;
    T_EQ(journal_open(dir, HALF, &j, &diag), TLY_OK, "made");
    (void)fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        struct journal *other = NULL;
        _exit(journal_open(dir, HALF, &other, NULL) == TLY_ECONFLICT ? 0 : 1);
    }
    int status = -1;
    TLY_CHECK(waitpid(child, &status, 0) == child);
    T_EQ(status, 0, "another process is refused");
    struct journal *other = NULL;
    T_EQ(journal_open(dir, HALF, &other, &diag), TLY_ECONFLICT, "and so is this one, twice");
    journal_close(j);
    T_EQ(journal_open(dir, HALF, &other, &diag), TLY_OK, "until it is closed");
    journal_close(other);
}

/* A full disk: /dev/full as the file gives ENOSPC with every write. */
static void
failing(void)
{
    const char     *dir = in_root("fail");
    struct journal *j   = NULL;
    T_EQ(journal_open(dir, HALF, &j, &diag), TLY_OK, "made");
    T_EQ(append(j, 1, 100), TLY_OK, "appended");
    char    path[300];
    char    fds[64];
    ssize_t n;
    int     at = -1;
    (void)snprintf(path, sizeof path, "%s/journal.0", dir);
    for (int fd = 3; fd < 64 && at < 0; fd++) {
        char link[300] = {0};
        (void)snprintf(fds, sizeof fds, "/proc/self/fd/%d", fd);
        n  = readlink(fds, link, sizeof link - 1);
        at = n > 0 && strstr(link, "fail/journal.0") != NULL ? fd : -1;
    }
    TLY_CHECK(at >= 0);
    const int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    TLY_CHECK(full >= 0 && dup2(full, at) == at);
    close(full);
    T_EQ(append(j, 2, 100), TLY_EIO, "a write fails");
    T_EQ(append(j, 2, 100), TLY_EIO, "and is never tried again");
    T_OK(strstr(diag.text, "failed before") != NULL, "as it says");
    journal_close(j);
    uint64_t seen = 0;
    T_OK(opens(dir, &seen) && seen == 1, "what was durable is there");
}

int
main(void)
{
    root = t_dir();
    appending();
    turning();
    flipping();
    tearing();
    tearing_turn();
    shortened();
    gap();
    locked();
    failing();
    return T_DONE();
}
