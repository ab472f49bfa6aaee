/* SPDX-License-Identifier: Apache-2.0 */
/* Seals are read back as they were written, whatever of the end was torn off; a table is cut, a seal
 * replaced; damage with something good behind it is refused. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../src/daemon/scrub/seals.h"
#include "sys/file.h"
#include "t.h"

#define RECORD 40
#define N      50

static char folder[64] = "/tmp/tally-seals.XXXXXX";
static char path[80];

static struct seal
seal_of(uint64_t key, uint8_t with)
{
    struct seal seal = {.key = key};
    memset(seal.b, with, sizeof seal.b);
    seal.b[0] = (uint8_t)key;
    return seal;
}

static struct seals *
opened(void)
{
    struct seals   *s    = NULL;
    struct tly_diag diag = {0};
    T_EQ(seals_open(folder, &s, &diag), TLY_OK, diag.text);
    return s;
}

static bool
has(const struct seals *s, enum seal_table table, uint64_t key, uint8_t with)
{
    const struct seal  want  = seal_of(key, with);
    const struct seal *found = seals_find(s, table, key);
    return found != NULL && memcmp(found->b, want.b, sizeof want.b) == 0;
}

/* N heads with odd sizes, evidence that is replaced, a counter. */
static void
filled(void)
{
    struct seals *s = opened();
    T_OK(seals_last(s, SEAL_HEAD) == 0 && seals_at(s, SEAL_HEAD, 0) == NULL, "empty at first");
    for (uint64_t i = 0; i < N; i++) {
        const struct seal head = seal_of(2 * i + 1, 7);
        T_EQ(seals_add(s, SEAL_HEAD, &head), TLY_OK, "added");
    }
    const struct seal one = seal_of(9, 1), two = seal_of(9, 2), low = seal_of(3, 1);
    T_EQ(seals_add(s, SEAL_EVIDENCE, &one), TLY_OK, "added");
    T_EQ(seals_add(s, SEAL_EVIDENCE, &two), TLY_OK, "replaced");
    T_EQ(seals_add(s, SEAL_EVIDENCE, &low), TLY_OK, "out of order");
    T_EQ(seals_sync(s, NULL), TLY_OK, "written");
    T_EQ(seals_cut(s, SEAL_HEAD, 90), TLY_OK, "cut");
    T_EQ(seals_cut(s, SEAL_HEAD, 1000), TLY_OK, "nothing to cut");
    T_EQ(seals_sync(s, NULL), TLY_OK, "written");
    seals_close(s);
}

static void
test_read_back(void)
{
    struct seals *s    = opened();
    bool          same = true;
    for (uint64_t size = 0; size < 120; size++) {
        const bool want = size % 2 == 1 && size < 90;
        same            = same && (seals_find(s, SEAL_HEAD, size) != NULL) == want &&
               (!want || has(s, SEAL_HEAD, size, 7));
    }
    T_OK(same, "heads below the cut, and no others");
    T_OK(seals_last(s, SEAL_HEAD) == 89 && seals_at(s, SEAL_HEAD, 10)->key == 11, "in order");
    T_OK(has(s, SEAL_EVIDENCE, 9, 2) && has(s, SEAL_EVIDENCE, 3, 1), "the newest of a key");
    T_OK(seals_at(s, SEAL_EVIDENCE, 0)->key == 3 && seals_last(s, SEAL_EVIDENCE) == 9, "sorted");
    T_OK(seals_last(s, SEAL_COUNTER) == 0, "tables are apart");
    seals_close(s);
}

static off_t
size_now(void)
{
    struct stat st = {0};
    T_EQ(stat(path, &st), 0, "the file");
    return st.st_size;
}

/* What a power cut left of the end is taken off. */
static void
test_torn(void)
{
    const off_t whole = size_now();
    T_EQ(whole, (off_t)(N + 4) * RECORD, "a record each, none for a cut of nothing");
    for (off_t less = 1; less <= 2 * RECORD; less++) {
        T_EQ(truncate(path, whole - less), 0, "cut");
        seals_close(opened());
        T_EQ(size_now(), (whole - less) / RECORD * RECORD, "whole records only");
        T_EQ(truncate(path, 0), 0, "anew");
        filled();
    }
    const int fd                    = open(path, O_WRONLY | O_CLOEXEC);
    char      zeros[3 * RECORD + 7] = {0};
    T_EQ(pwrite(fd, zeros, sizeof zeros, whole), (ssize_t)sizeof zeros, "zeros behind the end");
    (void)close(fd);
    seals_close(opened());
    T_EQ(size_now(), whole, "are taken off");
    test_read_back();
}

static void
test_damaged(void)
{
    struct tly_diag diag = {0};
    struct seals   *s    = NULL;
    bool            all  = true;
    for (off_t at = 0; at < 2 * RECORD; at++) {
        const int fd = open(path, O_RDWR | O_CLOEXEC);
        uint8_t   was, is;
        T_EQ(pread(fd, &was, 1, at), 1, "read");
        is = was ^ 1;
        T_EQ(pwrite(fd, &is, 1, at), 1, "changed");
        all = all && seals_open(folder, &s, &diag) == TLY_ECORRUPT && s == NULL &&
              strstr(diag.text, at < RECORD ? "damaged at byte 0:" : "damaged at byte 40:") != NULL;
        T_EQ(pwrite(fd, &was, 1, at), 1, "changed back");
        (void)close(fd);
    }
    T_OK(all, "any byte of the first records");
    test_read_back();
    T_EQ(unlink(path), 0, "away");
    T_EQ(mkdir(path, 0700), 0, "a folder in its place");
    T_EQ(seals_open(folder, &s, &diag), TLY_EIO, "is refused");
    T_EQ(rmdir(path), 0, "away");
    T_EQ(mkfifo(path, 0600), 0, "a pipe");
    T_EQ(seals_open(folder, &s, &diag), TLY_EIO, "does not hold it up");
    T_EQ(unlink(path), 0, "away");
}

int
main(void)
{
    T_OK(mkdtemp(folder) != NULL, "a folder");
    (void)snprintf(path, sizeof path, "%s/seals", folder);
    filled();
    test_read_back();
    test_torn();
    test_damaged();
    (void)rmdir(folder);
    return T_DONE();
}
