/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/be.h"
#include "base/check.h"
#include "sys/file.h"

#define MAGIC       "TLYFRM1\n"
#define MAGIC_BYTES (sizeof MAGIC - 1)
#define HEAD_BYTES  24 /* magic, sequence, length, sum */
#define SUMMED      20 /* of them */
#define SECTOR      ((size_t)512)
#define BLOCK       ((size_t)1 << 20) /* written, or looked through, at a time */
#define FILES_N     2

/* What one file holds, from its beginning to the first byte that is no frame. */
struct half {
    int      fd;
    size_t   size;
    size_t   last_at;     /* its last good frame */
    size_t   end;         /* behind that */
    uint64_t first, last; /* sequences; 0: none (they begin at 1) */
    char     path[FILE_PATH_SIZE];
};

struct journal {
    struct half halves[FILES_N];
    unsigned    current; /* where the newest frame is */
    int         lock_fd;
    uint8_t    *buffer; /* of one frame, head and body and the zeros up to the next sector */
    size_t      buffer_size, body_len;
    uint8_t    *block; /* BLOCK bytes, while it is opened */
    bool        dead;
};

static size_t
frame_bytes(size_t body_len)
{
    return (HEAD_BYTES + body_len + SECTOR - 1) / SECTOR * SECTOR;
}

static uint32_t
frame_sum(const uint8_t *head, const uint8_t *body, size_t body_len)
{
    const uLong sum = crc32_z(crc32_z(0, NULL, 0), head, SUMMED);
    return (uint32_t)crc32_z(sum, body, body_len);
}

static enum tly_err
buffer_grow(struct journal *j, size_t size, struct tly_diag *diag)
{
    if (size <= j->buffer_size) {
        return TLY_OK;
    }
    uint8_t *buffer = realloc(j->buffer, size);
    if (buffer == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a journal frame of %zu bytes", size);
    }
    j->buffer      = buffer;
    j->buffer_size = size;
    return TLY_OK;
}

static enum tly_err
io_fail(const struct half *h, const char *what, struct tly_diag *diag)
{
    return tly_fail(diag, TLY_EIO, "%s: %s: %s", h->path, what, strerrordesc_np(errno));
}

/* Reads exactly len bytes. */
static enum tly_err
read_at(const struct half *h, size_t at, uint8_t *out, size_t len, struct tly_diag *diag)
{
    for (size_t got = 0; got < len;) {
        const ssize_t n = pread(h->fd, out + got, len - got, (off_t)(at + got));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno; /* shorter than it was a moment ago */
            return io_fail(h, "cannot be read", diag);
        }
        got += (size_t)n;
    }
    return TLY_OK;
}

static enum tly_err
write_at(const struct half *h, size_t at, const uint8_t *data, size_t len, struct tly_diag *diag)
{
    for (size_t put = 0; put < len;) {
        const ssize_t n = pwrite(h->fd, data + put, len - put, (off_t)(at + put));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return io_fail(h, "cannot be written", diag);
        }
        put += (size_t)n;
    }
    return TLY_OK;
}

/* ---- frames ---- */

/* The frame at a place, whole, in the buffer.  *sequence is 0 when there is none, or a bad one. */
static enum tly_err
frame_read(struct journal *j, const struct half *h, size_t at, uint64_t *sequence, size_t *body_len,
           struct tly_diag *diag)
{
    uint8_t head[HEAD_BYTES];
    *sequence = 0;
    if (h->size - at < HEAD_BYTES) {
        return TLY_OK;
    }
    enum tly_err err = read_at(h, at, head, sizeof head, diag);
    if (err != TLY_OK || memcmp(head, MAGIC, MAGIC_BYTES) != 0) {
        return err;
    }
    const size_t len = (size_t)tly_be_get(head + 16, 4);
    if (len > h->size - at - HEAD_BYTES) {
        return TLY_OK;
    }
    err = buffer_grow(j, HEAD_BYTES + len, diag);
    if (err == TLY_OK) {
        err = read_at(h, at + HEAD_BYTES, j->buffer + HEAD_BYTES, len, diag);
    }
    if (err == TLY_OK &&
        frame_sum(head, j->buffer + HEAD_BYTES, len) == tly_be_get(head + SUMMED, 4)) {
        *sequence = tly_be_get(head + 8, 8);
        *body_len = len;
    }
    return err;
}

/* Finds the frames that follow on each other from the file's beginning. */
static enum tly_err
half_scan(struct journal *j, struct half *h, struct tly_diag *diag)
{
    h->end   = 0;
    h->first = h->last = 0;
    for (;;) {
        uint64_t           sequence;
        size_t             len;
        const enum tly_err err = frame_read(j, h, h->end, &sequence, &len, diag);
        if (err != TLY_OK || sequence == 0 || (h->last != 0 && sequence != h->last + 1)) {
            return err;
        }
        h->first   = h->first == 0 ? sequence : h->first;
        h->last    = sequence;
        h->last_at = h->end;
        h->end += frame_bytes(len);
    }
}

/* The highest sequence of the good frames behind the end; 0: none.  What looks like a frame is one: a
 * sequence has zero bytes, and what stands in bodies is JSON text, which has none. */
static enum tly_err
half_rest(struct journal *j, const struct half *h, uint64_t *highest, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    *highest         = 0;
    for (size_t at = h->end; at < h->size && err == TLY_OK; at += BLOCK) {
        const size_t len = h->size - at < BLOCK ? h->size - at : BLOCK;
        err              = read_at(h, at, j->block, len, diag);
        for (size_t i = 0; i < len && err == TLY_OK; i += SECTOR) {
            uint64_t sequence = 0;
            size_t   body_len;
            if (memcmp(j->block + i, MAGIC, MAGIC_BYTES) == 0) {
                err = frame_read(j, h, at + i, &sequence, &body_len, diag);
            }
            *highest = sequence > *highest ? sequence : *highest;
        }
    }
    return err;
}

/* Behind the end of either file only frames of an earlier turn may stand. */
static enum tly_err
check_rest(const struct half *h, uint64_t highest, uint64_t newest, struct tly_diag *diag)
{
    return highest <= newest ? TLY_OK
                             : tly_fail(diag, TLY_ECORRUPT,
                                        "%s: damaged at byte %zu: frame %" PRIu64
                                        " is unreadable, and frame %" PRIu64 " stands behind it",
                                        h->path, h->end, newest + 1, highest);
}

/* The older file ends where the newer one begins.  But a power failure while the older one is begun
 * anew tears its front: of the turn before that, its first frames may be left, and its last one is.
 * Then none of it is used; the newer file is whole. */
static enum tly_err
check_joint(struct half *older, const struct half *newer, uint64_t highest, struct tly_diag *diag)
{
    if (older->last == 0 || older->last + 1 == newer->first) {
        return TLY_OK;
    }
    if (highest + 1 != newer->first) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "%s ends with frame %" PRIu64 ", %s begins with frame %" PRIu64
                        ": frames between them are lost",
                        older->path, older->last, newer->path, newer->first);
    }
    older->end   = 0;
    older->first = older->last = 0;
    return TLY_OK;
}

static enum tly_err
scan(struct journal *j, struct tly_diag *diag)
{
    uint64_t     highest[FILES_N];
    enum tly_err err = TLY_OK;
    for (unsigned i = 0; i < FILES_N && err == TLY_OK; i++) {
        err = half_scan(j, &j->halves[i], diag);
        if (err == TLY_OK) {
            err = half_rest(j, &j->halves[i], &highest[i], diag);
        }
    }
    if (err != TLY_OK) {
        return err;
    }
    j->current         = j->halves[1].last > j->halves[0].last;
    struct half *newer = &j->halves[j->current];
    struct half *older = &j->halves[!j->current];
    for (unsigned i = 0; i < FILES_N && err == TLY_OK; i++) {
        err = check_rest(&j->halves[i], highest[i], newer->last, diag);
    }
    return err == TLY_OK ? check_joint(older, newer, highest[!j->current], diag) : err;
}

/* ---- opening ---- */

static enum tly_err
half_fill(struct half *h, size_t size, struct tly_diag *diag)
{
    uint8_t *zeros = calloc(1, BLOCK);
    if (zeros == NULL) {
        return TLY_ENOMEM;
    }
    enum tly_err err = TLY_OK;
    for (size_t at = h->size; at < size && err == TLY_OK; at += BLOCK) {
        err = write_at(h, at, zeros, size - at < BLOCK ? size - at : BLOCK, diag);
    }
    free(zeros);
    if (err == TLY_OK && fsync(h->fd) != 0) {
        err = io_fail(h, "cannot be made durable", diag);
    }
    h->size = size;
    return err;
}

/* A file that a crash cut short while it was made is all zeros, and is made longer. */
static enum tly_err
half_open(struct half *h, const char *dir, unsigned i, size_t size, struct tly_diag *diag)
{
    struct stat st;
    file_path(h->path, "%s/journal.%u", dir, i);
    h->fd = open(h->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (h->fd < 0 || fstat(h->fd, &st) != 0) {
        return io_fail(h, "cannot be opened", diag);
    }
    if (!S_ISREG(st.st_mode)) {
        return tly_fail(diag, TLY_EIO, "%s: not a regular file", h->path);
    }
    h->size = (size_t)st.st_size / SECTOR * SECTOR;
    return h->size >= size ? TLY_OK : half_fill(h, size, diag);
}

/* The newest frame may be whole in the kernel's memory only, and called clean there: after an
 * fdatasync that failed the next one does not write it.  So it is written once more, the same bytes at
 * their place; a writer whose fdatasync failed wrote nothing behind it. */
static enum tly_err
newest_again(struct journal *j, struct tly_diag *diag)
{
    const struct half *h   = &j->halves[j->current];
    const size_t       len = h->last == 0 ? 0 : h->end - h->last_at;
    enum tly_err       err = buffer_grow(j, len, diag);
    if (err == TLY_OK && len > 0) {
        err = read_at(h, h->last_at, j->buffer, len, diag);
    }
    return err == TLY_OK && len > 0 ? write_at(h, h->last_at, j->buffer, len, diag) : err;
}

/* And a frame may not be on the disk because its writer was killed before its fdatasync. */
static enum tly_err
half_sync(const struct half *h, struct tly_diag *diag)
{
    return fdatasync(h->fd) == 0 ? TLY_OK : io_fail(h, "cannot be made durable", diag);
}

static enum tly_err
folder_sync(const char *dir, struct tly_diag *diag)
{
    TLY_AUTO(fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? TLY_OK
                                     : tly_fail(diag, TLY_EIO, "%s: cannot be made durable: %s",
                                                dir, strerrordesc_np(errno));
}

static enum tly_err
lock_take(struct journal *j, const char *dir, struct tly_diag *diag)
{
    char path[FILE_PATH_SIZE];
    file_path(path, "%s/lock", dir);
    j->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j->lock_fd < 0) {
        return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
    }
    /* Of the open file, not of the process: a child that inherits nothing cannot lose it. */
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(j->lock_fd, F_OFD_SETLK, &lock) != 0) {
        return errno == EAGAIN || errno == EACCES
                   ? tly_fail(diag, TLY_ECONFLICT, "%s: another daemon has this journal open", dir)
                   : tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
    }
    return TLY_OK;
}

enum tly_err
journal_open(const char *dir, size_t half_bytes, struct journal **out, struct tly_diag *diag)
{
    struct journal *j = calloc(1, sizeof *j);
    if (j == NULL) {
        return TLY_ENOMEM;
    }
    TLY_CHECK(half_bytes >= JOURNAL_HALF_MIN);
    j->lock_fd = j->halves[0].fd = j->halves[1].fd = -1;
    enum tly_err err                               = file_mkdirs(dir, 0700, diag);
    if (err == TLY_OK) {
        err = lock_take(j, dir, diag);
    }
    for (unsigned i = 0; i < FILES_N && err == TLY_OK; i++) {
        err = half_open(&j->halves[i], dir, i, half_bytes / SECTOR * SECTOR, diag);
    }
    if (err ==
        TLY_OK) { /* also when they are there: who made them may have been killed before this */
        err = folder_sync(dir, diag);
    }
    if (err == TLY_OK) {
        j->block = malloc(BLOCK);
        err      = j->block == NULL ? TLY_ENOMEM : scan(j, diag);
        free(TLY_TAKE(j->block));
    }
    if (err == TLY_OK) {
        err = newest_again(j, diag);
    }
    for (unsigned i = 0; i < FILES_N && err == TLY_OK; i++) {
        err = half_sync(&j->halves[i], diag);
    }
    if (err != TLY_OK) {
        journal_close(j);
        return err;
    }
    *out = j;
    return TLY_OK;
}

void
journal_close(struct journal *j)
{
    if (j == NULL) {
        return;
    }
    for (unsigned i = 0; i < FILES_N; i++) {
        tly_auto_fd(&j->halves[i].fd);
    }
    tly_auto_fd(&j->lock_fd); /* and with it the lock */
    free(j->buffer);
    free(j);
}

/* ---- reading and appending ---- */

static enum tly_err
half_read(struct journal *j, const struct half *h, journal_fn fn, void *arg, struct tly_diag *diag)
{
    for (size_t at = 0; at < h->end;) {
        uint64_t     sequence;
        size_t       len = 0;
        enum tly_err err = frame_read(j, h, at, &sequence, &len, diag);
        if (err == TLY_OK && sequence == 0) {
            err = tly_fail(diag, TLY_EIO, "%s: byte %zu reads otherwise than a moment ago", h->path,
                           at);
        }
        if (err == TLY_OK) {
            err = fn(arg, sequence, (struct tly_bytes){j->buffer + HEAD_BYTES, len}, diag);
        }
        if (err != TLY_OK) {
            return err;
        }
        at += frame_bytes(len);
    }
    return TLY_OK;
}

enum tly_err
journal_read(struct journal *j, journal_fn fn, void *arg, struct tly_diag *diag)
{
    const enum tly_err err = half_read(j, &j->halves[!j->current], fn, arg, diag);
    return err == TLY_OK ? half_read(j, &j->halves[j->current], fn, arg, diag) : err;
}

enum tly_err
journal_room(struct journal *j, size_t len, uint8_t **out, struct tly_diag *diag)
{
    const size_t smaller =
        j->halves[0].size < j->halves[1].size ? j->halves[0].size : j->halves[1].size;
    if (len > UINT32_MAX || len > smaller - HEAD_BYTES) {
        return tly_fail(diag, TLY_ETOOBIG, "%zu bytes do not fit into a journal file of %zu", len,
                        smaller);
    }
    const enum tly_err err = buffer_grow(j, frame_bytes(len), diag);
    if (err == TLY_OK) {
        j->body_len = len;
        *out        = j->buffer + HEAD_BYTES;
    }
    return err;
}

/* Begins the other file anew: its first frame goes, on the disk, before another is written over it.  A
 * power failure in that write then leaves no frames of the turn before at the front, whose followers
 * are gone: read, they would look like damage. */
static enum tly_err
half_void(struct half *h, struct tly_diag *diag)
{
    const uint8_t zeros[SECTOR] = {0};
    h->end                      = 0;
    h->first = h->last     = 0;
    const enum tly_err err = write_at(h, 0, zeros, sizeof zeros, diag);
    return err == TLY_OK ? half_sync(h, diag) : err;
}

enum tly_err
journal_append(struct journal *j, struct tly_diag *diag)
{
    struct half   *h     = &j->halves[j->current];
    const uint64_t next  = h->last + 1;
    const size_t   bytes = frame_bytes(j->body_len);
    uint8_t       *head  = j->buffer;
    enum tly_err   err   = TLY_OK;
    if (j->dead) {
        return tly_fail(diag, TLY_EIO, "%s: the journal failed before", h->path);
    }
    memcpy(head, MAGIC, MAGIC_BYTES);
    tly_be_put(head + 8, next, 8);
    tly_be_put(head + 16, j->body_len, 4);
    tly_be_put(head + SUMMED, frame_sum(head, head + HEAD_BYTES, j->body_len), 4);
    memset(head + HEAD_BYTES + j->body_len, 0, bytes - HEAD_BYTES - j->body_len);
    if (bytes > h->size - h->end) {
        j->current = !j->current;
        h          = &j->halves[j->current];
        err        = half_void(h, diag);
    }
    if (err == TLY_OK) {
        err = write_at(h, h->end, head, bytes, diag);
    }
    if (err == TLY_OK && fdatasync(h->fd) != 0) {
        err = io_fail(h, "cannot be made durable", diag);
    }
    if (err != TLY_OK) {
        j->dead = true;
        return err;
    }
    h->first = h->first == 0 ? next : h->first;
    h->last  = next;
    h->end += bytes;
    return TLY_OK;
}
