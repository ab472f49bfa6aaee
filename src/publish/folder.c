/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

#define FILE_MODE 0644
#define DIR_MODE  0755
#define PUT       ".put"
#define SIDE      ".fix"
#define COMPARE   ((size_t)16 << 10)

enum tly_err
folder_failed(const struct folder *f, const char *path, struct tly_diag *diag)
{
    return tly_fail(diag, TLY_EIO, "publish: %s/%s: %s", f->dir, path, strerrordesc_np(errno));
}

/* ---- the folder ---- */

static enum tly_err
folder_take(struct folder *f, struct tly_diag *diag)
{
    f->lock = openat(f->fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->lock < 0) {
        return folder_failed(f, ".lock", diag);
    }
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(f->lock, F_OFD_SETLK, &all) != 0) {
        return errno == EAGAIN || errno == EACCES
                   ? tly_fail(diag, TLY_EBUSY,
                              "publish: another process publishes in %s; give each its own folder",
                              f->dir)
                   : folder_failed(f, ".lock", diag);
    }
    return TLY_OK;
}

enum tly_err
folder_open(const char *dir, struct folder *out, struct tly_diag *diag)
{
    struct tly_diag why = {0};
    struct stat     st;
    const bool      there = stat(dir, &st) == 0;
    enum tly_err    err   = file_mkdirs(dir, DIR_MODE, &why);
    if (err != TLY_OK) {
        return tly_fail(diag, err, "publish: %s", why.text);
    }
    file_path(out->dir, "%s", dir);
    out->lock = -1;
    out->fd   = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->fd < 0 || (!there && fchmod(out->fd, DIR_MODE) != 0)) {
        err = folder_failed(out, "", diag);
    }
    if (err == TLY_OK) {
        err = folder_take(out, diag);
    }
    if (err != TLY_OK) {
        folder_close(out);
    }
    return err;
}

void
folder_close(struct folder *f)
{
    tly_auto_fd(&f->lock);
    tly_auto_fd(&f->fd);
    f->lock = -1;
    f->fd   = -1;
}

/* ---- files ---- */

int
folder_reader(const struct folder *f, const char *path)
{
    return openat(f->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

int
folder_temp(const struct folder *f, const char *name)
{
    int fd = openat(f->fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd >= 0 && fchmod(fd, FILE_MODE) != 0) {
        const int e = errno;
        tly_auto_fd(&fd);
        errno = e;
        fd    = -1;
    }
    return fd;
}

/* Makes the folders above a path. */
static bool
parents_make(const struct folder *f, const char *path)
{
    char part[FILE_PATH_SIZE];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        file_path(part, "%.*s", (int)(slash - path), path);
        if (mkdirat(f->fd, part, DIR_MODE) == 0) {
            if (fchmodat(f->fd, part, DIR_MODE, 0) != 0) {
                return false;
            }
        } else if (errno != EEXIST) {
            return false;
        }
    }
    return true;
}

enum tly_err
folder_place(const struct folder *f, const char *name, const char *path, struct tly_diag *diag)
{
    int rc = renameat(f->fd, name, f->fd, path);
    if (rc != 0 && errno == ENOENT && parents_make(f, path)) {
        rc = renameat(f->fd, name, f->fd, path);
    }
    return rc == 0 ? TLY_OK : folder_failed(f, path, diag);
}

bool
folder_write(int fd, struct tly_bytes bytes)
{
    while (bytes.len > 0) {
        const ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            bytes.data += n;
            bytes.len -= (size_t)n;
        }
    }
    return true;
}

bool
folder_copy(int from, int to, uint64_t bytes, uint8_t *buffer, size_t size)
{
    for (uint64_t at = 0; at < bytes;) {
        const size_t  want = bytes - at < size ? (size_t)(bytes - at) : size;
        const ssize_t n    = pread(from, buffer, want, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return false;
        }
        if (!folder_write(to, (struct tly_bytes){buffer, (size_t)n})) {
            return false;
        }
        at += (uint64_t)n;
    }
    return true;
}

enum tly_err
folder_put(const struct folder *f, const char *path, struct tly_bytes bytes, struct tly_diag *diag)
{
    TLY_AUTO(fd) int fd = folder_temp(f, PUT);
    if (fd < 0 || !folder_write(fd, bytes)) {
        return folder_failed(f, path, diag);
    }
    return folder_place(f, PUT, path, diag);
}

enum folder_has
folder_has(const struct folder *f, const char *path, struct tly_bytes bytes)
{
    struct stat      st;
    uint8_t          buffer[COMPARE];
    TLY_AUTO(fd) int fd = folder_reader(f, path);
    if (fd < 0) {
        return faccessat(f->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? FOLDER_OTHER
                                                                      : FOLDER_MISSING;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size != bytes.len) {
        return FOLDER_OTHER;
    }
    for (size_t at = 0; at < bytes.len;) {
        const ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0 || (size_t)n > bytes.len - at ||
            memcmp(buffer, bytes.data + at, (size_t)n) != 0) {
            return FOLDER_OTHER;
        }
        at += (size_t)n;
    }
    return FOLDER_SAME;
}

void
folder_remove(const struct folder *f, const char *path)
{
    (void)unlinkat(f->fd, path, 0);
}

static void
tly_auto_dir(DIR **dir)
{
    if (*dir != NULL) {
        (void)closedir(*dir);
    }
}

static DIR *
dir_open(const struct folder *f, const char *path)
{
    const int fd  = openat(f->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR      *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL && fd >= 0) {
        (void)close(fd);
    }
    return dir;
}

void
folder_remove_partials(const struct folder *f, const struct tile *tile)
{
    char        path[TILE_PATH_SIZE + 4];
    struct tile full = *tile;
    full.width       = TILE_WIDTH;
    memcpy(path + tile_path(&full, path), ".p", 3);
    TLY_AUTO(dir) DIR *dir = dir_open(f, path);
    if (dir == NULL) {
        return;
    }
    for (const struct dirent *de; (de = readdir(dir)) != NULL;) {
        if (de->d_name[0] >= '1' && de->d_name[0] <= '9') {
            (void)unlinkat(dirfd(dir), de->d_name, 0);
        }
    }
    (void)unlinkat(f->fd, path, AT_REMOVEDIR); /* stays when something foreign lies in it */
}

/* ---- files that wait beside ---- */

void
folder_side_path(const struct tile *tile, char out[FOLDER_SIDE_SIZE])
{
    char path[TILE_PATH_SIZE];
    (void)tile_path(tile, path);
    for (char *p = path; *p != '\0'; p++) {
        *p = *p == '/' ? '+' : *p;
    }
    const int len = snprintf(out, FOLDER_SIDE_SIZE, SIDE "/%s", path);
    TLY_CHECK(len > 0 && len < FOLDER_SIDE_SIZE);
}

/* The place of a file that waits, or false: nothing of ours. */
static bool
side_place(const char *name, char path[TILE_PATH_SIZE])
{
    struct tile tile;
    if (snprintf(path, TILE_PATH_SIZE, "%s", name) >= TILE_PATH_SIZE) {
        return false;
    }
    for (char *p = path; *p != '\0'; p++) {
        *p = *p == '+' ? '/' : *p;
    }
    return tile_parse(tly_text(path), &tile);
}

enum tly_err
folder_side_place(const struct folder *f, struct tly_diag *diag)
{
    TLY_AUTO(dir) DIR *dir = dir_open(f, SIDE);
    enum tly_err       err = TLY_OK;
    if (dir == NULL) {
        return TLY_OK;
    }
    for (const struct dirent *de; err == TLY_OK && (de = readdir(dir)) != NULL;) {
        char path[TILE_PATH_SIZE];
        char from[FOLDER_SIDE_SIZE];
        if (side_place(de->d_name, path)) {
            (void)snprintf(from, sizeof from, SIDE "/%.*s", TILE_PATH_SIZE - 1, de->d_name);
            err = folder_place(f, from, path, diag);
        }
    }
    (void)unlinkat(f->fd, SIDE, AT_REMOVEDIR);
    return err;
}

void
folder_side_drop(const struct folder *f)
{
    TLY_AUTO(dir) DIR *dir = dir_open(f, SIDE);
    folder_remove(f, PUT);
    if (dir == NULL) {
        return;
    }
    for (const struct dirent *de; (de = readdir(dir)) != NULL;) {
        char path[TILE_PATH_SIZE];
        if (side_place(de->d_name, path)) {
            (void)unlinkat(dirfd(dir), de->d_name, 0);
        }
    }
    (void)unlinkat(f->fd, SIDE, AT_REMOVEDIR);
}
