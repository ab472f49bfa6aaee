/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at every file of the folder: which belong there is known by their names alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "pack/package.h"
#include "publish_int.h"
#include "sys/log.h"

#define SAID_MAX  20U
#define DEPTH_MAX 10U
#define PATH_SIZE ((size_t)512)

struct sweep {
    struct publish *p;
    uint64_t        size;
    bool            look;
    unsigned        depth;
};

/* ---- names ---- */

/* Our own, at the top. */
static bool
is_top(const char *path)
{
    static const char *const names[] = {
        PUBLISH_CHECKPOINT, PUBLISH_POLICY, ".lock", ".put", ".copy",
        ".open-entries",    ".open-bundle"};
    for (size_t i = 0; i < TLY_N(names); i++) {
        if (strcmp(path, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_doc(const char *path)
{
    static const enum package_kind kinds[] = {PACKAGE_DEFINITION, PACKAGE_REGISTRY};
    for (size_t i = 0; i < TLY_N(kinds); i++) {
        char      dir[64];
        const int len = snprintf(dir, sizeof dir, PUBLISH_DOC "/%s/", package_kind_name(kinds[i]));
        if (len < 0 || strncmp(path, dir, (size_t)len) != 0) {
            continue;
        }
        const char *file = path + len;
        for (const char *const *name = package_names(kinds[i]); *name != NULL; name++) {
            if (strcmp(file, *name) == 0) {
                return true;
            }
        }
        return strcmp(file, PACKAGE_SIGNATURES) == 0;
    }
    return false;
}

/* Folders that can hold files of ours; others are not entered. */
static bool
is_dir(const char *path)
{
    return strcmp(path, "tile") == 0 || strncmp(path, "tile/", 5) == 0 ||
           strcmp(path, "bundle") == 0 || strncmp(path, "bundle/", 7) == 0 ||
           strcmp(path, PUBLISH_DOC) == 0 || strcmp(path, PUBLISH_DOC "/definition") == 0 ||
           strcmp(path, PUBLISH_DOC "/registry") == 0;
}

static void
foreign(struct sweep *s, const char *path)
{
    if (!s->look && s->p->foreign++ < SAID_MAX) {
        log_event(LOG_WARNING, "publish.foreign", "file=%s", log_why(path).s);
    }
}

/* ---- tiles ---- */

static enum tly_err
beyond(const struct sweep *s, const char *path, struct tly_diag *diag)
{
    return tly_fail(diag, TLY_ECORRUPT,
                    "publish: %s/%s is of a longer ledger than this one of %" PRIu64
                    " entries: were entries lost?",
                    s->p->folder.dir, path, s->size);
}

/* An older partial file of entries, as it must be. */
static enum tly_err
entries_check(struct sweep *s, const struct tile *tile, const char *path, struct tly_diag *diag)
{
    TLY_AUTO(arena)
    struct tly_arena arena = {.bytes_max = (size_t)TILE_WIDTH * (LEAF_SIZE + 2) + 4096};
    uint8_t         *data  = tly_arena_alloc(&arena, tile->width, LEAF_SIZE + 2);
    size_t           len   = 0;
    if (data == NULL) {
        return TLY_ENOMEM;
    }
    for (unsigned i = 0; i < tile->width; i++) {
        char        *leaf = (char *)data + len + 2;
        const size_t n    = book_leaf(s->p->config.book, tile->n * TILE_WIDTH + i, leaf);
        data[len]         = (uint8_t)(n >> 8);
        data[len + 1]     = (uint8_t)n;
        len += n + 2;
    }
    return publish_file(s->p, path, (struct tly_bytes){data, len}, diag);
}

/* A checkpoint that somebody has may want it: C2SP keeps partial tiles until the full one is there.
 * Packs are ours, and large. */
static enum tly_err
older_check(struct sweep *s, const struct tile *tile, const char *path, struct tly_diag *diag)
{
    uint8_t data[TILE_BYTES];
    switch (tile->kind) {
    case TILE_ENTRIES:
        return entries_check(s, tile, path, diag);
    case TILE_HASHES:
        tile_hashes(book_tree(s->p->config.book), tile, data);
        return publish_file(s->p, path,
                            (struct tly_bytes){data, tile->width * sizeof(struct tly_hash)}, diag);
    case TILE_BUNDLES:
        break;
    }
    folder_remove(&s->p->folder, path);
    s->p->removed++;
    return TLY_OK;
}

static enum tly_err
tile_check(struct sweep *s, const struct tile *tile, const char *path, struct tly_diag *diag)
{
    const unsigned have = tile_width(tile->level, tile->n, s->size);
    if (tile->width > have) {
        return beyond(s, path, diag);
    }
    if (s->look || tile->width == have) { /* those that stand now were compared already */
        return TLY_OK;
    }
    if (have < TILE_WIDTH) {
        return older_check(s, tile, path, diag);
    }
    folder_remove(&s->p->folder, path);
    s->p->removed++;
    return TLY_OK;
}

static enum tly_err
file_check(struct sweep *s, const char *path, struct tly_diag *diag)
{
    struct tile tile;
    if (tile_parse(tly_text(path), &tile)) {
        return tile_check(s, &tile, path, diag);
    }
    if (!is_top(path) && !is_doc(path)) {
        foreign(s, path);
    }
    return TLY_OK;
}

/* ---- folders ---- */

static void
tly_auto_dir(DIR **dir)
{
    if (*dir != NULL) {
        (void)closedir(*dir);
    }
}

static enum tly_err dir_check(struct sweep *s, const char *path, struct tly_diag *diag);

/* NOLINTBEGIN(misc-no-recursion): at most DEPTH_MAX deep. */
static enum tly_err
entry_check(struct sweep *s, int dir, const char *name, const char *path, struct tly_diag *diag)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? TLY_OK : folder_failed(&s->p->folder, path, diag);
    }
    if (S_ISREG(st.st_mode)) {
        return file_check(s, path, diag);
    }
    if (!S_ISDIR(st.st_mode) || (!is_dir(path) && strcmp(path, ".fix") != 0)) {
        foreign(s, path);
        return TLY_OK;
    }
    return is_dir(path) ? dir_check(s, path, diag) : TLY_OK;
}

static enum tly_err
dir_check(struct sweep *s, const char *path, struct tly_diag *diag)
{
    const int          fd  = openat(s->p->folder.fd, *path == '\0' ? "." : path,
                                    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    TLY_AUTO(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    enum tly_err       err = TLY_OK;
    if (dir == NULL) {
        return folder_failed(&s->p->folder, path, diag);
    }
    s->depth++;
    for (const struct dirent *de; err == TLY_OK && (de = readdir(dir)) != NULL;) {
        char below[PATH_SIZE];
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0) {
            continue;
        }
        const int len =
            snprintf(below, sizeof below, "%s%s%s", path, *path == '\0' ? "" : "/", de->d_name);
        if (len < 0 || (size_t)len >= sizeof below || s->depth > DEPTH_MAX) {
            foreign(s, path);
        } else {
            err = entry_check(s, fd, de->d_name, below, diag);
        }
    }
    s->depth--;
    return err;
}

/* NOLINTEND(misc-no-recursion) */

enum tly_err
publish_sweep(struct publish *p, uint64_t size, bool look, struct tly_diag *diag)
{
    struct sweep       s   = {.p = p, .size = size, .look = look};
    const enum tly_err err = dir_check(&s, "", diag);
    if (err == TLY_OK && !look) {
        publish_tidy(p, 0, size); /* the folders of partial files that are empty now */
    }
    return err;
}
