/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's memory: whatever a crash leaves of a write, one of the two heads around it is there;
 * what is damaged twice, of another log, or not there is refused; a disk that fails is not asked
 * again. */
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "dir.h"
#include "signer_fixture.h"

static char            path[256];
static struct tly_diag diag;

static void
file_get(uint8_t out[SLOTS_FILE_BYTES])
{
    const int fd = open(path, O_RDONLY);
    TLY_CHECK(fd >= 0);
    const ssize_t n = read(fd, out, SLOTS_FILE_BYTES);
    TLY_CHECK(n == SLOTS_FILE_BYTES);
    (void)close(fd);
}

static void
file_put(const uint8_t *data, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    TLY_CHECK(fd >= 0);
    const ssize_t n = write(fd, data, len);
    TLY_CHECK(n == (ssize_t)len);
    (void)close(fd);
}

/* The size that the file remembers, or -1: refused as corrupt. */
static long
remembered(void)
{
    struct slots_head  head = {0};
    const enum tly_err err  = slots_look(path, &f.vkey, &head, &diag);
    if (err == TLY_ECORRUPT) {
        return -1;
    }
    TLY_CHECK(err == TLY_OK);
    const struct tly_hash root = merkle_root(&f.tree, head.head.size);
    TLY_CHECK(tly_hash_eq(&root, &head.head.root));
    return (long)head.head.size;
}

static void
put(struct slots *s, uint64_t size)
{
    const struct slots_head head = f_head(size);
    const enum tly_err      err  = slots_put(s, &head, &diag);
    TLY_CHECK(err == TLY_OK);
}

static void
ordinary(void)
{
    struct slots      s     = {0};
    struct slots      t     = {0};
    struct slots_head first = {.head = {.size = 0, .root = merkle_empty()}};
    T_EQ(slots_open(path, &f.vkey, &s, &diag), TLY_ENOENT, "no file: refused");
    T_OK(strstr(diag.text, "--init") != NULL, "and says what to do");
    T_EQ(slots_make(path, &f.vkey, &first, &diag), TLY_OK, "made");
    T_EQ(slots_make(path, &f.vkey, &first, &diag), TLY_ECONFLICT, "never twice");
    T_EQ(slots_open(path, &f.vkey, &s, &diag), TLY_OK, "opened");
    T_EQ(s.last.head.size, 0, "nothing was signed");
    T_EQ(s.damaged, 0, "both slots are whole");
    T_EQ(slots_open(path, &f.vkey, &t, &diag), TLY_ECONFLICT, "a second process: refused");
    const unsigned before = f_fdatasyncs;
    put(&s, 1);
    put(&s, 5);
    put(&s, 6);
    T_EQ(f_fdatasyncs - before, 3, "one fdatasync a head");
    slots_close(&s);
    slots_close(&s);
    T_EQ(slots_open(path, &f.vkey, &s, &diag), TLY_OK, "opened again");
    const struct slots_head six = f_head(6);
    T_OK(s.last.head.size == 6 && memcmp(&s.last, &six, sizeof six) == 0, "the last head is there");
    slots_close(&s);
    T_EQ(remembered(), 6, "a look shows it");

    struct stat st;
    TLY_CHECK(stat(path, &st) == 0);
    T_EQ(st.st_size, SLOTS_FILE_BYTES, "the file has its size from the beginning");
    T_EQ(st.st_mode & 0777, 0600, "and is closed to others");
    TLY_CHECK(chmod(path, 0644) == 0);
    T_EQ(slots_open(path, &f.vkey, &s, &diag), TLY_EINPUT, "open to others: refused");
    TLY_CHECK(chmod(path, 0600) == 0);
}

/* A write of a slot that ends at each byte; sectors that reach the disk in any order. */
static void
torn(void)
{
    uint8_t      before[SLOTS_FILE_BYTES], after[SLOTS_FILE_BYTES], mixed[SLOTS_FILE_BYTES];
    struct slots s = {0};
    TLY_CHECK(slots_open(path, &f.vkey, &s, &diag) == TLY_OK);
    put(&s, 8);
    file_get(before);
    put(&s, 9);
    file_get(after);
    const size_t at = (size_t)s.newest * SLOTS_SLOT_BYTES;
    slots_close(&s);
    unsigned wrong = 0, old = 0;
    for (size_t n = 0; n <= SLOTS_SLOT_BYTES; n++) {
        memcpy(mixed, before, sizeof mixed);
        memcpy(mixed + at, after + at, n);
        file_put(mixed, sizeof mixed);
        const bool same = memcmp(mixed, after, sizeof mixed) == 0;
        const long got  = remembered();
        old += got == 8;
        wrong += same ? got != 9 : got != 8;
    }
    T_EQ(wrong, 0, "torn at any byte: the head before, and whole: the new one");
    T_OK(old > 100, "most of those are the head before");
    wrong = 0;
    for (unsigned set = 0; set < 256; set++) { /* of the eight 512-byte sectors of the slot */
        memcpy(mixed, before, sizeof mixed);
        for (unsigned i = 0; i < 8; i++) {
            if ((set >> i & 1) != 0) {
                memcpy(mixed + at + (size_t)i * 512, after + at + (size_t)i * 512, 512);
            }
        }
        file_put(mixed, sizeof mixed);
        wrong += remembered() != ((set & 1) != 0 ? 9 : 8);
    }
    T_EQ(wrong, 0, "sectors in any order: one of the two");
    wrong = 0;
    for (size_t n = 0; n < SLOTS_FILE_BYTES; n += 16) { /* lost blocks read as zeros, or random */
        memcpy(mixed, after, sizeof mixed);
        randombytes_buf(mixed + at, SLOTS_SLOT_BYTES);
        file_put(mixed, sizeof mixed);
        wrong += remembered() != 8;
        n += 1024;
    }
    T_EQ(wrong, 0, "garbage in the newest slot: the head before");

    memset(mixed + at, 0, SLOTS_SLOT_BYTES);
    file_put(mixed, sizeof mixed);
    TLY_CHECK(slots_open(path, &f.vkey, &s, &diag) == TLY_OK);
    T_EQ(s.damaged, 1, "a damaged slot is told");
    slots_close(&s);
    TLY_CHECK(slots_open(path, &f.vkey, &s, &diag) == TLY_OK);
    T_OK(s.damaged == 0 && s.last.head.size == 8, "and is whole again since");
    slots_close(&s);
}

/* Every bit of both records, alone and in both at once. */
static void
rotten(void)
{
    uint8_t      good[SLOTS_FILE_BYTES], bad[SLOTS_FILE_BYTES];
    struct slots s = {0};
    TLY_CHECK(slots_open(path, &f.vkey, &s, &diag) == TLY_OK);
    put(&s, 20);
    const unsigned newest = s.newest;
    slots_close(&s);
    file_get(good);
    unsigned   wrong   = 0;
    const long want[2] = {newest == 0 ? 8 : 20, newest == 1 ? 8 : 20};
    for (size_t at = 0; at < 192; at++) {
        for (unsigned slot = 0; slot < 2; slot++) {
            memcpy(bad, good, sizeof bad);
            bad[slot * SLOTS_SLOT_BYTES + at] ^= (uint8_t)(1U << (at & 7));
            file_put(bad, sizeof bad);
            wrong += remembered() != want[slot];
        }
        memcpy(bad, good, sizeof bad);
        bad[at] ^= 0x40;
        bad[SLOTS_SLOT_BYTES + at] ^= 0x20;
        file_put(bad, sizeof bad);
        wrong += remembered() != -1;
    }
    T_EQ(wrong, 0, "a bit anywhere makes its slot void; both void: refused");
    T_OK(strstr(diag.text, "--init --from") != NULL, "and says what to do");
    wrong = 0;
    for (size_t len = 0; len < SLOTS_FILE_BYTES; len += 511) {
        file_put(good, len);
        const long got = remembered();
        wrong += len < 192 ? got != -1 : got != -1 && got != 8 && got != 20;
    }
    T_EQ(wrong, 0, "cut short: what is whole, or refused");
    memcpy(bad, good, sizeof bad);
    memcpy(bad + (size_t)(1 - newest) * SLOTS_SLOT_BYTES, good + (size_t)newest * SLOTS_SLOT_BYTES,
           SLOTS_SLOT_BYTES);
    file_put(bad, sizeof bad);
    T_EQ(remembered(), -1, "one slot twice: refused");
    file_put(good, sizeof good);
}

/* A write whose fdatasync failed: the next start reads it in the page cache and writes beside it; then
 * the power fails, and it was never on the disk. */
static void
lost_between(void)
{
    uint8_t      before[SLOTS_FILE_BYTES], after[SLOTS_FILE_BYTES];
    struct slots s = {0};
    TLY_CHECK(slots_open(path, &f.vkey, &s, &diag) == TLY_OK);
    put(&s, 41);
    file_get(before);
    put(&s, 42);
    put(&s, 43);
    const size_t other = (size_t)(1 - s.newest) * SLOTS_SLOT_BYTES;
    slots_close(&s);
    file_get(after);
    memcpy(after + other, before + other, SLOTS_SLOT_BYTES);
    file_put(after, sizeof after);
    T_EQ(remembered(), 43, "a write is missing between the two slots: the newest");
    file_get(before);
    memcpy(after, before + SLOTS_SLOT_BYTES, SLOTS_SLOT_BYTES);
    memcpy(after + SLOTS_SLOT_BYTES, before, SLOTS_SLOT_BYTES);
    file_put(after, sizeof after);
    T_EQ(remembered(), 43, "wherever it stands");
}

static void
others(void)
{
    struct sign_secret secret;
    struct note_vkey   vkey;
    struct slots       s = {0};
    f_key(8, &secret, &vkey, f_origin);
    T_EQ(slots_open(path, &vkey, &s, &diag), TLY_ECORRUPT, "another key: refused");
    T_OK(strstr(diag.text, "another log or another key") != NULL, "and named");
    f_key(7, &secret, &vkey, "tally.example/ir-councils-7/official");
    T_EQ(slots_open(path, &vkey, &s, &diag), TLY_ECORRUPT, "another phase: refused");
    T_OK(s.vkey == NULL, "the output is untouched");
}

static void
failing(void)
{
    const struct slots_head head = f_head(30);
    struct slots            s    = {0};
    TLY_CHECK(slots_open(path, &f.vkey, &s, &diag) == TLY_OK);
    const unsigned before = f_fdatasyncs;
    f_fdatasync_fails     = 1;
    T_EQ(slots_put(&s, &head, &diag), TLY_EIO, "fdatasync fails");
    T_EQ(f_fdatasyncs - before, 1, "it is not tried again");
    T_OK(s.dead && s.last.head.size == 20, "the head is not remembered, nothing more is written");
    slots_close(&s);

    /* The page cache shows it now: it is written anew before anything is signed. */
    f_fdatasync_fails = 1;
    T_EQ(slots_open(path, &f.vkey, &s, &diag), TLY_EIO, "fdatasync fails at the start");
    T_OK(s.vkey == NULL, "nothing is opened");
    const unsigned again = f_fdatasyncs;
    T_EQ(slots_open(path, &f.vkey, &s, &diag), TLY_OK, "a start on a good disk");
    T_EQ(f_fdatasyncs - again, 1, "begins with an fdatasync");
    T_EQ(s.last.head.size, 30, "of what was found");
    f_pwrite_fails               = 1;
    const struct slots_head next = f_head(31);
    T_EQ(slots_put(&s, &next, &diag), TLY_EIO, "a short write is a failed one");
    slots_close(&s);
    T_EQ(remembered(), 30, "the head before is there");
}

static void
from_a_head(void)
{
    const struct slots_head first = f_head(17);
    struct slots            s     = {0};
    TLY_CHECK(unlink(path) == 0);
    f_fdatasync_fails = 0;
    T_EQ(slots_make(path, &f.vkey, &first, &diag), TLY_OK, "made from a signed head");
    T_EQ(slots_open(path, &f.vkey, &s, &diag), TLY_OK, "opened");
    T_EQ(s.last.head.size, 17, "it goes on from there");
    slots_close(&s);
}

int
main(void)
{
    if (sodium_init() < 0) {
        return EXIT_FAILURE;
    }
    f_init(64);
    (void)snprintf(path, sizeof path, "%s/state", t_dir());
    ordinary();
    torn();
    rotten();
    others();
    failing();
    lost_between();
    from_a_head();
    tly_arena_done(&f.arena);
    return T_DONE();
}
