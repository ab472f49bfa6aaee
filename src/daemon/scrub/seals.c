/* SPDX-License-Identifier: Apache-2.0 */
#include "seals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/be.h"
#include "base/check.h"
#include "sys/file.h"

#define NAME         "seals"
#define RECORD_BYTES 40
#define SUMMED       36
#define BYTES_MAX    ((off_t)4 << 30) /* a hundred million rows */
#define READ_RECORDS 1024

enum operation { ADD = 1, CUT = 2 };

struct list {
    struct seal *seals; /* by key */
    size_t       n, cap;
};

struct seals {
    struct list lists[SEAL_TABLES_N];
    int         fd;
    bool        dead;
    off_t       end;   /* bytes that are written */
    uint8_t    *fresh; /* records that are not */
    size_t      fresh_n, fresh_cap;
    char        path[FILE_PATH_SIZE];
};

/* ---- records ---- */

static void
record_write(uint8_t out[RECORD_BYTES], enum seal_table table, enum operation op,
             const struct seal *seal)
{
    out[0] = (uint8_t)table;
    out[1] = (uint8_t)op;
    out[2] = out[3] = 0;
    tly_be_put(out + 4, seal->key, 8);
    memcpy(out + 12, seal->b, SEAL_BYTES);
    tly_be_put(out + SUMMED, crc32_z(crc32_z(0, NULL, 0), out, SUMMED), RECORD_BYTES - SUMMED);
}

static bool
record_good(const uint8_t in[RECORD_BYTES])
{
    return in[0] < SEAL_TABLES_N && (in[1] == ADD || in[1] == CUT) && in[2] == 0 && in[3] == 0 &&
           tly_be_get(in + SUMMED, RECORD_BYTES - SUMMED) ==
               crc32_z(crc32_z(0, NULL, 0), in, SUMMED);
}

/* ---- lists ---- */

/* Where the first seal with a key of at least `key` is, or would be. */
static size_t
place(const struct list *l, uint64_t key)
{
    size_t low = 0, high = l->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (l->seals[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
list_add(struct list *l, const struct seal *seal)
{
    const size_t at = place(l, seal->key);
    if (at < l->n && l->seals[at].key == seal->key) {
        l->seals[at] = *seal;
        return true;
    }
    if (l->n == l->cap) {
        const size_t cap   = l->cap * 2 + 64;
        struct seal *seals = reallocarray(l->seals, cap, sizeof *seals);
        if (seals == NULL) {
            return false;
        }
        l->seals = seals;
        l->cap   = cap;
    }
    memmove(&l->seals[at + 1], &l->seals[at], (l->n - at) * sizeof *seal);
    l->seals[at] = *seal;
    l->n++;
    return true;
}

/* ---- opening ---- */

static enum tly_err
io_failed(const struct seals *s, const char *what, struct tly_diag *diag)
{
    return tly_fail(diag, TLY_EIO, "%s: %s: %s", s->path, what, strerrordesc_np(errno));
}

static enum tly_err
record_take(struct seals *s, const uint8_t in[RECORD_BYTES])
{
    struct list *l    = &s->lists[in[0]];
    struct seal  seal = {.key = tly_be_get(in + 4, 8)};
    memcpy(seal.b, in + 12, SEAL_BYTES);
    if (in[1] == CUT) {
        l->n = place(l, seal.key);
        return TLY_OK;
    }
    return list_add(l, &seal) ? TLY_OK : TLY_ENOMEM;
}

/* *torn: from there on no record is good. */
static enum tly_err
records_read(struct seals *s, off_t size, off_t *torn, struct tly_diag *diag)
{
    uint8_t block[READ_RECORDS * RECORD_BYTES];
    off_t   bad = -1;
    for (off_t at = 0; at + RECORD_BYTES <= size;) {
        const ssize_t n = pread(s->fd, block, sizeof block, at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < RECORD_BYTES) {
            return io_failed(s, "cannot be read", diag);
        }
        for (ssize_t i = 0; i + RECORD_BYTES <= n; i += RECORD_BYTES, at += RECORD_BYTES) {
            if (!record_good(block + i)) {
                bad = bad < 0 ? at : bad;
            } else if (bad >= 0) {
                return tly_fail(diag, TLY_ECORRUPT,
                                "%s: damaged at byte %lld: keep a copy, find out who wrote there, "
                                "and move it away (doc/operations.md, section 9)",
                                s->path, (long long)bad);
            } else if (record_take(s, block + i) != TLY_OK) {
                return TLY_ENOMEM;
            }
        }
    }
    *torn = bad >= 0 ? bad : size / RECORD_BYTES * RECORD_BYTES;
    return TLY_OK;
}

static enum tly_err
load(struct seals *s, struct tly_diag *diag)
{
    struct stat st;
    s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (s->fd < 0 || fstat(s->fd, &st) != 0) {
        return io_failed(s, "cannot be opened", diag);
    }
    if (!S_ISREG(st.st_mode) || st.st_size > BYTES_MAX) {
        return tly_fail(diag, TLY_EIO, "%s: no regular file, or too large", s->path);
    }
    const enum tly_err err = records_read(s, st.st_size, &s->end, diag);
    if (err == TLY_OK && s->end != st.st_size && ftruncate(s->fd, s->end) != 0) {
        return io_failed(s, "cannot be cut", diag);
    }
    return err;
}

enum tly_err
seals_open(const char *folder, struct seals **out, struct tly_diag *diag)
{
    struct seals *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return TLY_ENOMEM;
    }
    s->fd = -1;
    file_path(s->path, "%s/" NAME, folder);
    const enum tly_err err = load(s, diag);
    if (err != TLY_OK) {
        seals_close(s);
        return err;
    }
    *out = s;
    return TLY_OK;
}

void
seals_close(struct seals *s)
{
    if (s == NULL) {
        return;
    }
    for (unsigned i = 0; i < SEAL_TABLES_N; i++) {
        free(s->lists[i].seals);
    }
    free(s->fresh);
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    free(s);
}

/* ---- looking, adding ---- */

const struct seal *
seals_at(const struct seals *s, enum seal_table table, uint64_t from)
{
    const struct list *l  = &s->lists[table];
    const size_t       at = place(l, from);
    return at == l->n ? NULL : &l->seals[at];
}

const struct seal *
seals_find(const struct seals *s, enum seal_table table, uint64_t key)
{
    const struct seal *seal = seals_at(s, table, key);
    return seal != NULL && seal->key == key ? seal : NULL;
}

uint64_t
seals_last(const struct seals *s, enum seal_table table)
{
    const struct list *l = &s->lists[table];
    return l->n == 0 ? 0 : l->seals[l->n - 1].key;
}

static uint8_t *
fresh_reserve(struct seals *s)
{
    if (s->fresh_n == s->fresh_cap) {
        const size_t cap   = s->fresh_cap * 2 + 64;
        uint8_t     *fresh = reallocarray(s->fresh, cap, RECORD_BYTES);
        if (fresh == NULL) {
            return NULL;
        }
        s->fresh     = fresh;
        s->fresh_cap = cap;
    }
    return s->fresh + s->fresh_n * RECORD_BYTES;
}

enum tly_err
seals_add(struct seals *s, enum seal_table table, const struct seal *seal)
{
    uint8_t *record = fresh_reserve(s);
    if (record == NULL || !list_add(&s->lists[table], seal)) {
        return TLY_ENOMEM;
    }
    record_write(record, table, ADD, seal);
    s->fresh_n++;
    return TLY_OK;
}

enum tly_err
seals_cut(struct seals *s, enum seal_table table, uint64_t from)
{
    struct list *l  = &s->lists[table];
    const size_t at = place(l, from);
    if (at == l->n) {
        return TLY_OK;
    }
    const struct seal seal   = {.key = from};
    uint8_t          *record = fresh_reserve(s);
    if (record == NULL) {
        return TLY_ENOMEM;
    }
    l->n = at;
    record_write(record, table, CUT, &seal);
    s->fresh_n++;
    return TLY_OK;
}

enum tly_err
seals_sync(struct seals *s, struct tly_diag *diag)
{
    const size_t len = s->fresh_n * RECORD_BYTES;
    s->fresh_n       = 0;
    if (len == 0 || s->dead) {
        return TLY_OK;
    }
    for (size_t put = 0; put < len;) {
        const ssize_t n = pwrite(s->fd, s->fresh + put, len - put, s->end + (off_t)put);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            s->dead = true;
            return io_failed(s, "cannot be written", diag);
        }
        put += (size_t)n;
    }
    s->end += (off_t)len;
    s->dead = fdatasync(s->fd) != 0;
    return s->dead ? io_failed(s, "fdatasync", diag) : TLY_OK;
}
