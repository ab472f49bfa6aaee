/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

#define READ_FIRST ((size_t)4096)

void
tly_auto_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

void
tly_auto_file(void *file)
{
    FILE *f = *(FILE **)file;
    if (f != NULL) {
        (void)fclose(f);
    }
}

void
file_path(char out[FILE_PATH_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(out, FILE_PATH_SIZE, format, args);
    va_end(args);
    TLY_CHECK(len >= 0);
}

/* The error that errno stands for, with the path and the reason in the diag. */
static enum tly_err
failed(const char *path, struct tly_diag *diag)
{
    const int    e   = errno;
    enum tly_err err = TLY_EIO;
    if (e == ENOENT || e == ENOTDIR) {
        err = TLY_ENOENT;
    } else if (e == EACCES || e == EPERM) {
        err = TLY_EFORBID;
    }
    return tly_fail(diag, err, "%s: %s", path, strerrordesc_np(e));
}

static enum tly_err
failed_io(const char *path, struct tly_diag *diag)
{
    return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
}

static ssize_t
read_retry(int fd, uint8_t *to, size_t len)
{
    ssize_t n;
    do {
        n = read(fd, to, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* First guess of a buffer: the file's size and a byte to see its end, if it has one. */
static size_t
first_room(const struct stat *st, size_t bytes_max)
{
    size_t room = READ_FIRST;
    if (S_ISREG(st->st_mode) && st->st_size >= 0) {
        room = (size_t)st->st_size + 1;
    }
    return room > bytes_max ? bytes_max + 1 : room;
}

static enum tly_err
read_open(const char *path, int fd, const struct stat *st, size_t bytes_max,
          struct tly_arena *arena, struct tly_bytes *out, struct tly_diag *diag)
{
    size_t   room = first_room(st, bytes_max);
    size_t   len  = 0;
    uint8_t *data = tly_arena_alloc(arena, room + 1, 1); /* and a NUL */
    while (data != NULL) {
        const ssize_t n = read_retry(fd, data + len, room - len);
        if (n < 0) {
            return failed(path, diag);
        }
        len += (size_t)n;
        if (len > bytes_max) {
            return tly_fail(diag, TLY_ETOOBIG, "%s: more than %zu bytes", path, bytes_max);
        }
        if (n == 0) {
            data[len] = '\0';
            *out      = (struct tly_bytes){data, len};
            return TLY_OK;
        }
        if (len == room) { /* a pipe, or a file that grew meanwhile */
            room         = room > bytes_max / 2 ? bytes_max + 1 : room * 2;
            uint8_t *big = tly_arena_alloc(arena, room + 1, 1);
            if (big != NULL) {
                memcpy(big, data, len);
            }
            data = big;
        }
    }
    return tly_fail(diag, TLY_ENOMEM, "%s: no memory to read it", path);
}

enum tly_err
file_read(const char *path, size_t bytes_max, struct tly_arena *arena, struct tly_bytes *out,
          struct tly_diag *diag)
{
    struct stat      st;
    TLY_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        return failed(path, diag);
    }
    return read_open(path, fd, &st, bytes_max, arena, out, diag);
}

enum tly_err
file_read_regular(const char *path, size_t bytes_max, struct tly_arena *arena,
                  struct tly_bytes *out, struct tly_diag *diag)
{
    struct stat      st;
    TLY_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        return failed(path, diag);
    }
    return S_ISREG(st.st_mode) ? read_open(path, fd, &st, bytes_max, arena, out, diag)
                               : tly_fail(diag, TLY_EIO, "%s: not a regular file", path);
}

static bool
write_all(int fd, struct tly_bytes data)
{
    while (data.len > 0) {
        const ssize_t n = write(fd, data.data, data.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            data.data += n;
            data.len -= (size_t)n;
        }
    }
    return true;
}

static bool
fill(int fd, struct tly_bytes data, mode_t mode, enum file_sync sync)
{
    return write_all(fd, data) && fchmod(fd, mode) == 0 && (sync == FILE_NOSYNC || fsync(fd) == 0);
}

/* Waits until the folder's entries are on the disk. */
static bool
sync_dir(const char *dir)
{
    TLY_AUTO(fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

enum tly_err
file_write(const char *path, struct tly_bytes data, mode_t mode, enum file_sync sync,
           struct tly_diag *diag)
{
    const char *slash = strrchr(path, '/');
    const char *name  = slash == NULL ? path : slash + 1;
    char        dir[PATH_MAX];
    char        temp[PATH_MAX];
    const int   dir_len  = slash == NULL
                               ? snprintf(dir, sizeof dir, ".")
                               : snprintf(dir, sizeof dir, "%.*s", (int)(slash - path + 1), path);
    const int   temp_len = snprintf(temp, sizeof temp, "%s/.%s.XXXXXX", dir, name);
    if (dir_len >= PATH_MAX || temp_len >= PATH_MAX || *name == '\0') {
        return tly_fail(diag, TLY_EIO, "%s: not a file's path", path);
    }
    TLY_AUTO(fd) int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        return failed_io(path, diag);
    }
    if (!fill(fd, data, mode, sync) || rename(temp, path) != 0) {
        const enum tly_err err = failed_io(path, diag);
        (void)unlink(temp);
        return err;
    }
    if (sync == FILE_SYNC && !sync_dir(dir)) {
        return failed_io(dir, diag);
    }
    return TLY_OK;
}

enum tly_err
file_rename(const char *from, const char *to, struct tly_diag *diag)
{
    char        dir[PATH_MAX];
    const char *slash = strrchr(to, '/');
    const int   len   = slash == NULL ? snprintf(dir, sizeof dir, ".")
                                      : snprintf(dir, sizeof dir, "%.*s", (int)(slash - to + 1), to);
    if (len >= PATH_MAX || rename(from, to) != 0) {
        return failed_io(to, diag);
    }
    return sync_dir(dir) ? TLY_OK : failed_io(dir, diag);
}

enum tly_err
file_mkdirs(const char *path, mode_t mode, struct tly_diag *diag)
{
    char      part[PATH_MAX];
    const int len = snprintf(part, sizeof part, "%s", path);
    if (len <= 0 || len >= PATH_MAX) {
        return tly_fail(diag, TLY_EIO, "%s: not a folder's path", path);
    }
    for (size_t i = 1; i <= (size_t)len; i++) {
        if (part[i] != '/' && part[i] != '\0') {
            continue;
        }
        const char keep = part[i];
        part[i]         = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST) {
            return failed_io(part, diag);
        }
        part[i] = keep;
    }
    struct stat st;
    if (stat(path, &st) != 0) {
        return failed_io(path, diag);
    }
    return S_ISDIR(st.st_mode) ? TLY_OK : tly_fail(diag, TLY_EIO, "%s: not a folder", path);
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
tly_auto_dir(DIR **dir)
{
    if (*dir != NULL) {
        (void)closedir(*dir);
    }
}

/* The next name, without "." and ".."; NULL at the end (errno 0) or on failure. */
static const char *
next_name(DIR *dir)
{
    for (;;) {
        errno                   = 0;
        const struct dirent *de = readdir(dir);
        if (de == NULL) {
            return NULL;
        }
        if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) {
            return de->d_name;
        }
    }
}

enum tly_err
file_list(const char *dir, size_t names_max, struct tly_arena *arena, const char ***names,
          size_t *names_n, struct tly_diag *diag)
{
    TLY_AUTO(dir) DIR *d = opendir(dir);
    if (d == NULL) {
        return failed(dir, diag);
    }
    const char **list = NULL;
    size_t       n    = 0;
    size_t       room = 0;
    const char  *name = next_name(d);
    for (; name != NULL; name = next_name(d)) {
        if (n == names_max) {
            return tly_fail(diag, TLY_ETOOBIG, "%s: more than %zu files", dir, names_max);
        }
        if (n == room) {
            room              = room == 0 ? 32 : room * 2;
            const char **more = TLY_NEW(arena, const char *, room);
            if (more == NULL) {
                return tly_fail(diag, TLY_ENOMEM, "%s: no memory to list it", dir);
            }
            if (n > 0) {
                memcpy(more, list, n * sizeof *list);
            }
            list = more;
        }
        list[n] = tly_arena_text(arena, tly_text(name));
        if (list[n++] == NULL) {
            return tly_fail(diag, TLY_ENOMEM, "%s: no memory to list it", dir);
        }
    }
    if (errno != 0) {
        return failed_io(dir, diag);
    }
    if (n > 0) {
        qsort(list, n, sizeof *list, by_bytes);
    }
    *names   = list;
    *names_n = n;
    return TLY_OK;
}

enum tly_err
file_private(const char *path, struct tly_diag *diag)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return failed(path, diag);
    }
    if (!S_ISREG(st.st_mode)) {
        return tly_fail(diag, TLY_EINPUT, "%s: not a regular file", path);
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        return tly_fail(diag, TLY_EINPUT, "%s: belongs to another user (%u)", path, st.st_uid);
    }
    if ((st.st_mode & 077) != 0) {
        return tly_fail(diag, TLY_EINPUT, "%s: open to others (mode %03o); run chmod 600", path,
                        st.st_mode & 0777U);
    }
    return TLY_OK;
}
