/* SPDX-License-Identifier: Apache-2.0 */
#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "sys/file.h"
#include "sys/tar.h"

#define NAMES_BYTES_MAX ((size_t)8 << 30)

struct archive {
    const char          *where;
    int                  tar; /* -1: a folder */
    struct tly_arena     names;
    struct archive_file *files;
    size_t               files_n, files_room;
};

/* ---- the table ---- */

static bool
is_hidden(const char *path)
{
    for (const char *p = path; p != NULL; p = strchr(p, '/'), p = p == NULL ? NULL : p + 1) {
        if (p[0] == '.') {
            return true;
        }
    }
    return false;
}

static enum tly_err
add(struct archive *a, const struct archive_file *file)
{
    if (a->files_n == ARCHIVE_FILES_MAX) {
        return TLY_ENOMEM;
    }
    if (a->files_n == a->files_room) {
        const size_t         room = a->files_room * 2 + 1024;
        struct archive_file *list = reallocarray(a->files, room, sizeof *list);
        if (list == NULL) {
            return TLY_ENOMEM;
        }
        a->files      = list;
        a->files_room = room;
    }
    a->files[a->files_n++] = *file;
    return TLY_OK;
}

static int
file_cmp(const void *a, const void *b)
{
    return strcmp(((const struct archive_file *)a)->path, ((const struct archive_file *)b)->path);
}

static enum tly_err
sort(struct archive *a, struct tly_diag *diag)
{
    if (a->files_n > 0) {
        qsort(a->files, a->files_n, sizeof *a->files, file_cmp);
    }
    for (size_t i = 1; i < a->files_n; i++) {
        if (strcmp(a->files[i - 1].path, a->files[i].path) == 0) {
            return tly_fail(diag, TLY_EINPUT, "%s: %.200s stands twice in it; pack it again",
                            a->where, a->files[i].path);
        }
    }
    return TLY_OK;
}

/* ---- a TAR ---- */

static enum tly_err
tar_bytes(void *arg, uint64_t offset, size_t len, uint8_t *out, struct tly_diag *diag)
{
    const struct archive *a = arg;
    while (len > 0) {
        const ssize_t n = pread(a->tar, out, len, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return tly_fail(diag, TLY_EIO, "%s: %s", a->where,
                            n < 0 ? strerrordesc_np(errno) : "became shorter while it was read");
        }
        out += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return TLY_OK;
}

static enum tly_err
tar_file_add(void *arg, const struct tar_file *file, struct tly_diag *diag)
{
    (void)diag;
    const struct archive_file one = {file->name, file->offset, file->size};
    return is_hidden(file->name) ? TLY_OK : add(arg, &one);
}

/* ---- a folder ---- */

static enum tly_err
os_fail(const struct archive *a, const char *path, struct tly_diag *diag)
{
    return tly_fail(diag, errno == EACCES ? TLY_EFORBID : TLY_EIO, "%s/%.200s: %s", a->where, path,
                    strerrordesc_np(errno));
}

/* Folders that are still to be read, by their paths below the archive. */
struct folders {
    const char **paths;
    size_t       n, room;
};

static enum tly_err
folder_add(struct folders *folders, const char *path)
{
    if (folders->n == folders->room) {
        const size_t room  = folders->room * 2 + 64;
        const char **paths = reallocarray(folders->paths, room, sizeof *paths);
        if (paths == NULL) {
            return TLY_ENOMEM;
        }
        folders->paths = paths;
        folders->room  = room;
    }
    folders->paths[folders->n++] = path;
    return TLY_OK;
}

static enum tly_err
member_read(struct archive *a, struct folders *folders, int dir, const char *path, const char *name,
            struct tly_diag *diag)
{
    struct stat st;
    char        text[FILE_PATH_SIZE];
    file_path(text, "%s%s%s", path, path[0] == '\0' ? "" : "/", name);
    const char *full = tly_arena_text(&a->names, tly_text(text));
    if (full == NULL) {
        return TLY_ENOMEM;
    }
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return os_fail(a, full, diag);
    }
    if (S_ISREG(st.st_mode)) {
        return add(a, &(struct archive_file){full, 0, (uint64_t)st.st_size});
    }
    if (!S_ISDIR(st.st_mode)) {
        return tly_fail(diag, TLY_EINPUT,
                        "%s/%.200s is neither a file nor a folder; an archive has nothing else: "
                        "remove it, or copy what it points to",
                        a->where, full);
    }
    return folder_add(folders, full);
}

static enum tly_err
folder_read(struct archive *a, struct folders *folders, int root, const char *path,
            struct tly_diag *diag)
{
    const int dir =
        openat(root, path[0] == '\0' ? "." : path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = dir < 0 ? NULL : fdopendir(dir);
    if (list == NULL) {
        const enum tly_err err = os_fail(a, path, diag);
        if (dir >= 0) {
            (void)close(dir);
        }
        return err;
    }
    enum tly_err err = TLY_OK;
    while (err == TLY_OK) {
        errno                   = 0;
        const struct dirent *it = readdir(list);
        if (it == NULL) {
            err = errno == 0 ? TLY_OK : os_fail(a, path, diag);
            break;
        }
        if (it->d_name[0] != '.') {
            err = member_read(a, folders, dir, path, it->d_name, diag);
        }
    }
    (void)closedir(list);
    return err;
}

static enum tly_err
folders_read(struct archive *a, int root, struct tly_diag *diag)
{
    struct folders folders = {0};
    enum tly_err   err     = folder_add(&folders, "");
    while (err == TLY_OK && folders.n > 0) {
        err = folder_read(a, &folders, root, folders.paths[--folders.n], diag);
    }
    free(folders.paths);
    return err;
}

/* ---- what others use ---- */

static enum tly_err
open_it(struct archive *a, struct tly_diag *diag)
{
    struct stat st;
    const int   fd = open(a->where, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        const int why = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return tly_fail(diag, why == EACCES ? TLY_EFORBID : TLY_ENOENT, "%s: %s", a->where,
                        strerrordesc_np(why));
    }
    if (S_ISDIR(st.st_mode)) {
        const enum tly_err err = folders_read(a, fd, diag);
        (void)close(fd);
        return err;
    }
    a->tar = fd;
    if (!S_ISREG(st.st_mode)) {
        return tly_fail(diag, TLY_EINPUT, "%s is neither a folder nor a TAR", a->where);
    }
    struct tly_diag    why = {0};
    const enum tly_err err =
        tar_walk(tar_bytes, tar_file_add, a, (uint64_t)st.st_size, &a->names, &why);
    return err == TLY_OK ? err : tly_fail(diag, err, "%s: %s", a->where, why.text);
}

enum tly_err
archive_open(const char *where, struct archive **out, struct tly_diag *diag)
{
    struct archive *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return TLY_ENOMEM;
    }
    a->where = where;
    a->tar   = -1;
    tly_arena_init(&a->names, NAMES_BYTES_MAX);
    enum tly_err err = open_it(a, diag);
    if (err == TLY_OK) {
        err = sort(a, diag);
    }
    if (err != TLY_OK) {
        archive_close(a);
        return err;
    }
    *out = a;
    return TLY_OK;
}

void
archive_close(struct archive *a)
{
    if (a != NULL) {
        if (a->tar >= 0) {
            (void)close(a->tar);
        }
        tly_arena_done(&a->names);
        free(a->files);
        free(a);
    }
}

size_t
archive_files_n(const struct archive *a)
{
    return a->files_n;
}

const struct archive_file *
archive_file(const struct archive *a, size_t i)
{
    TLY_CHECK(i < a->files_n);
    return &a->files[i];
}

size_t
archive_lower(const struct archive *a, const char *path)
{
    size_t low  = 0;
    size_t high = a->files_n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (strcmp(a->files[mid].path, path) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

const struct archive_file *
archive_find(const struct archive *a, const char *path)
{
    const size_t i = archive_lower(a, path);
    return i < a->files_n && strcmp(a->files[i].path, path) == 0 ? &a->files[i] : NULL;
}

enum tly_err
archive_read(const struct archive *a, const struct archive_file *file, struct tly_arena *arena,
             struct tly_bytes *out, struct tly_diag *diag)
{
    if (a->tar < 0) {
        char path[FILE_PATH_SIZE];
        file_path(path, "%s/%s", a->where, file->path);
        const enum tly_err err = file_read_regular(path, (size_t)file->size, arena, out, diag);
        if (err == TLY_OK && out->len == file->size) {
            return TLY_OK;
        }
        return err == TLY_OK || err == TLY_ENOENT || err == TLY_ETOOBIG
                   ? tly_fail(diag, TLY_EIO, "%s changed while it was read; try again", path)
                   : err;
    }
    uint8_t *data = tly_arena_alloc(arena, (size_t)file->size + 1, 1);
    if (data == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory for %.200s", a->where, file->path);
    }
    const enum tly_err err =
        tar_bytes((void *)(uintptr_t)a, file->offset, (size_t)file->size, data, diag);
    if (err == TLY_OK) {
        *out = (struct tly_bytes){data, (size_t)file->size};
    }
    return err;
}
