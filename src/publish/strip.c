/* SPDX-License-Identifier: Apache-2.0 */
#include "strip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "sys/log.h"

#define BUFFER         ((size_t)256 << 10)
#define COPY           ".copy"
#define SAID_MAX       20U                  /* files of one strip that are named in the log */
#define ENCODE_MAX     (BUFFER / 2 / 4 * 3) /* bytes that are encoded at once */
#define OWN_NAME(kind) ((kind) == TILE_ENTRIES ? ".open-entries" : ".open-bundle")

_Static_assert(ENCODE_MAX % 3 == 0, "pieces of base64 follow one another without padding");

enum tly_err
strip_init(struct strip *s, const struct folder *folder, enum tile_kind kind)
{
    *s        = (struct strip){.folder = folder, .kind = kind, .temp = OWN_NAME(kind)};
    s->buffer = malloc(BUFFER);
    s->fd     = -1;
    s->old    = -1;
    return s->buffer == NULL ? TLY_ENOMEM : TLY_OK;
}

static void
files_close(struct strip *s)
{
    tly_auto_fd(&s->fd);
    tly_auto_fd(&s->old);
    s->fd  = -1;
    s->old = -1;
}

void
strip_done(struct strip *s)
{
    files_close(s);
    if (s->buffer != NULL) {
        folder_remove(s->folder, s->temp);
        folder_remove(s->folder, COPY);
    }
    free(s->buffer);
    s->buffer = NULL;
}

void
strip_reset(struct strip *s, uint64_t n)
{
    files_close(s);
    s->n     = n;
    s->count = 0;
    s->bytes = 0;
    s->from  = 0;
    s->to    = 0;
    s->shown = 0;
    s->found = false;
    memset(s->partials, 0, sizeof s->partials);
}

static struct tile
tile_of(const struct strip *s, unsigned width)
{
    return (struct tile){.kind = s->kind, .n = s->n, .width = width};
}

static enum tly_err
failed(const struct strip *s, struct tly_diag *diag)
{
    char              path[TILE_PATH_SIZE];
    const int         e    = errno;
    const struct tile tile = tile_of(s, TILE_WIDTH);
    (void)tile_path(&tile, path);
    errno = e;
    return folder_failed(s->folder, path, diag);
}

/* ---- writing ---- */

static enum tly_err
flush(struct strip *s, struct tly_diag *diag)
{
    const bool ok = folder_write(s->fd, (struct tly_bytes){s->buffer, s->to});
    s->to         = 0;
    return ok ? TLY_OK : failed(s, diag);
}

/* Goes over to a file of our own, which begins with what was right in the other. */
static enum tly_err
own_begin(struct strip *s, struct tly_diag *diag)
{
    s->fd   = folder_temp(s->folder, s->temp);
    s->from = 0;
    s->to   = 0;
    if (s->fd < 0 || (s->bytes > 0 && !folder_copy(s->old, s->fd, s->bytes, s->buffer, BUFFER))) {
        return failed(s, diag);
    }
    tly_auto_fd(&s->old);
    s->old = -1;
    return TLY_OK;
}

static enum tly_err
own_add(struct strip *s, struct tly_bytes piece, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    s->bytes += piece.len;
    if (piece.len > BUFFER - s->to) {
        err = flush(s, diag);
    }
    if (err == TLY_OK && piece.len > BUFFER) {
        return folder_write(s->fd, piece) ? TLY_OK : failed(s, diag);
    }
    if (err == TLY_OK && piece.len > 0) {
        memcpy(s->buffer + s->to, piece.data, piece.len);
        s->to += piece.len;
    }
    return err;
}

/* ---- comparing ---- */

/* Opens the file that tile n should be by now. */
static void
old_open(struct strip *s)
{
    char        path[TILE_PATH_SIZE];
    struct tile tile = tile_of(s, tile_width(0, s->n, s->target));
    if (tile.width > 0) {
        (void)tile_path(&tile, path);
        s->old       = folder_reader(s->folder, path);
        s->old_width = tile.width;
        s->found     = s->old >= 0;
    }
    if (s->old >= 0) {
        (void)posix_fadvise(s->old, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
}

/* More of the old file into the buffer; false: there is no more. */
static bool
old_fill(struct strip *s)
{
    ssize_t n;
    do {
        n = read(s->old, s->buffer, BUFFER);
    } while (n < 0 && errno == EINTR);
    s->from = 0;
    s->to   = n > 0 ? (size_t)n : 0;
    return s->to > 0;
}

/* Takes what is the same off the piece. */
static void
old_match(struct strip *s, struct tly_bytes *piece)
{
    while (piece->len > 0 && (s->from < s->to || old_fill(s))) {
        const size_t have = s->to - s->from;
        const size_t len  = piece->len < have ? piece->len : have;
        if (memcmp(s->buffer + s->from, piece->data, len) != 0) {
            return;
        }
        s->from += len;
        s->bytes += len;
        piece->data += len;
        piece->len -= len;
    }
}

/* Is the old file whole, with nothing behind? */
static bool
old_right(struct strip *s)
{
    return s->old >= 0 && s->old_width == s->count && s->from == s->to && !old_fill(s);
}

/* ---- adding ---- */

enum tly_err
strip_add(struct strip *s, struct tly_bytes piece, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    if (s->bytes == 0 && s->fd < 0 && s->old < 0 && s->target > 0) {
        old_open(s);
    }
    if (s->old >= 0) {
        old_match(s, &piece);
        if (piece.len == 0) {
            return TLY_OK;
        }
    }
    if (s->fd < 0) {
        err = own_begin(s, diag);
    }
    return err == TLY_OK ? own_add(s, piece, diag) : err;
}

enum tly_err
strip_add_base64(struct strip *s, struct tly_bytes data, enum tly_base64 alphabet,
                 struct tly_diag *diag)
{
    enum tly_err err = data.len > 0 && s->fd < 0 ? own_begin(s, diag) : TLY_OK;
    while (err == TLY_OK && data.len > 0) {
        const size_t len = data.len < ENCODE_MAX ? data.len : ENCODE_MAX;
        if (TLY_BASE64_LEN(len) > BUFFER - s->to) {
            err = flush(s, diag);
        }
        if (err == TLY_OK) {
            tly_base64_encode((struct tly_bytes){data.data, len}, alphabet,
                              (char *)s->buffer + s->to);
            s->to += TLY_BASE64_LEN(len);
            s->bytes += TLY_BASE64_LEN(len);
            data.data += len;
            data.len -= len;
        }
    }
    return err;
}

static void
say_written(struct strip *s, const char *path)
{
    if (s->target == 0) {
        return;
    }
    if (!s->found) {
        s->made++;
    } else if (s->repaired++ < SAID_MAX) {
        log_event(LOG_WARNING, "publish.repaired", "file=%s", log_text(tly_text(path)).s);
    }
}

/* The full file goes into its place. */
static enum tly_err
full_place(struct strip *s, struct tly_diag *diag)
{
    char              path[TILE_PATH_SIZE];
    char              side[FOLDER_SIDE_SIZE];
    const struct tile tile = tile_of(s, TILE_WIDTH);
    enum tly_err      err  = s->fd < 0 ? own_begin(s, diag) : flush(s, diag);
    (void)tile_path(&tile, path);
    folder_side_path(&tile, side);
    if (err == TLY_OK) {
        err = folder_place(s->folder, s->temp, s->side ? side : path, diag);
    }
    if (err == TLY_OK) {
        say_written(s, path);
    }
    return err;
}

enum tly_err
strip_end(struct strip *s, struct tly_diag *diag)
{
    s->count++;
    if (s->count < TILE_WIDTH) {
        return TLY_OK;
    }
    const enum tly_err err = old_right(s) ? TLY_OK : full_place(s, diag);
    if (err == TLY_OK) {
        strip_reset(s, s->n + 1);
    }
    return err;
}

enum tly_err
strip_settle(struct strip *s, struct tly_diag *diag)
{
    if (s->count > 0 && s->fd < 0) {
        s->shown               = old_right(s) ? s->count : 0;
        const enum tly_err err = own_begin(s, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return TLY_OK;
}

/* ---- showing ---- */

/* A pack is large: of its partial files only the newest stay. */
static void
partials_turn(struct strip *s)
{
    char           path[TILE_PATH_SIZE];
    const unsigned oldest = s->partials[STRIP_PARTIALS_MAX - 1];
    if (s->kind == TILE_BUNDLES && oldest > 0) {
        const struct tile tile = tile_of(s, oldest);
        (void)tile_path(&tile, path);
        folder_remove(s->folder, path);
    }
    memmove(s->partials + 1, s->partials, sizeof s->partials - sizeof s->partials[0]);
    s->partials[0] = s->shown;
}

enum tly_err
strip_show(struct strip *s, struct tly_diag *diag)
{
    char              path[TILE_PATH_SIZE];
    TLY_AUTO(fd) int  copy = -1;
    const struct tile tile = tile_of(s, s->count == 0 ? 1 : s->count);
    if (s->count == 0 || s->count == s->shown) {
        return TLY_OK;
    }
    TLY_CHECK(s->fd >= 0);
    enum tly_err err = flush(s, diag);
    (void)tile_path(&tile, path);
    if (err == TLY_OK) {
        copy = folder_temp(s->folder, COPY);
        err  = copy >= 0 && folder_copy(s->fd, copy, s->bytes, s->buffer, BUFFER)
                   ? folder_place(s->folder, COPY, path, diag)
                   : failed(s, diag);
    }
    if (err == TLY_OK) {
        say_written(s, path);
        s->shown = s->count;
        partials_turn(s);
    }
    return err;
}
