/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that reach a simulated disk: names below /sim/, and descriptors of them; all others are
 * the system's.  Some fail, some are cut short, and a process may be killed at each. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "edges.h"

#define ROOT     "/sim/"
#define FD_FIRST 100000
#define FDS_MAX  64

struct vfd {
    struct vfile      *file; /* NULL: a folder */
    const struct proc *proc; /* NULL: free */
    bool               locked;
};

static struct vfd fds[FDS_MAX];

static bool
is_ours(const char *path)
{
    return strncmp(path, ROOT, sizeof ROOT - 1) == 0;
}

static bool
is_folder(const char *path) /* ours have names without a dot, files are one of these */
{
    const char *name = strrchr(path, '/') + 1;
    return strncmp(name, "journal.", 8) != 0 && strcmp(name, "lock") != 0 &&
           strcmp(name, "state") != 0;
}

static struct vfd *
fd_find(int fd)
{
    return fd >= FD_FIRST && fd < FD_FIRST + FDS_MAX && fds[fd - FD_FIRST].proc != NULL
               ? &fds[fd - FD_FIRST]
               : NULL;
}

static int
failed(int error)
{
    errno = error;
    return -1;
}

/* ---- names ---- */

static int
open_ours(const char *path, int flags)
{
    if (!sim_moment()) {
        return failed(EIO);
    }
    struct vfile *f = is_folder(path) ? NULL : vfile_find(path);
    if (f == NULL && !is_folder(path)) {
        if ((flags & O_CREAT) == 0) {
            return failed(ENOENT);
        }
        f = vfile_make(path);
    } else if ((flags & O_EXCL) != 0) {
        return failed(EEXIST);
    }
    for (int i = 0; i < FDS_MAX; i++) {
        if (fds[i].proc == NULL) {
            fds[i] = (struct vfd){.file = f, .proc = sim.proc};
            return FD_FIRST + i;
        }
    }
    return failed(EMFILE);
}

int
__wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return is_ours(path) ? open_ours(path, flags) : __real_open(path, flags, mode);
}

int
__wrap___open_2(const char *path, int flags)
{
    return is_ours(path) ? open_ours(path, flags) : __real_open(path, flags);
}

int
__wrap_close(int fd)
{
    struct vfd *v = fd_find(fd);
    if (v == NULL) {
        return fd >= FD_FIRST ? sockets_close(fd) : __real_close(fd);
    }
    *v = (struct vfd){0};
    return 0;
}

int
__wrap_mkdir(const char *path, mode_t mode)
{
    return strncmp(path, "/sim", 4) == 0 ? failed(EEXIST) : __real_mkdir(path, mode);
}

static void
stat_fill(struct stat *st, const struct vfile *f)
{
    memset(st, 0, sizeof *st);
    st->st_mode = f == NULL ? S_IFDIR | 0700U : S_IFREG | 0600U;
    st->st_uid  = geteuid();
    st->st_size = f == NULL ? 0 : (off_t)f->size;
}

int
__wrap_stat(const char *path, struct stat *st)
{
    if (!is_ours(path)) {
        return __real_stat(path, st);
    }
    const struct vfile *f = is_folder(path) ? NULL : vfile_find(path);
    if (f == NULL && !is_folder(path)) {
        return failed(ENOENT);
    }
    stat_fill(st, f);
    return 0;
}

int
__wrap_fstat(int fd, struct stat *st)
{
    const struct vfd *v = fd_find(fd);
    if (v == NULL) {
        return __real_fstat(fd, st);
    }
    stat_fill(st, v->file);
    return 0;
}

int
__wrap_unlink(const char *path)
{
    struct vfile *f = is_ours(path) ? vfile_find(path) : NULL;
    if (f == NULL) {
        return is_ours(path) ? failed(ENOENT) : __real_unlink(path);
    }
    f->exists = false;
    return 0;
}

int
__wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *arg = va_arg(args, void *);
    va_end(args);
    struct vfd *v = fd_find(fd);
    if (v == NULL) {
        return __real_fcntl(fd, command, arg);
    }
    TLY_CHECK(command == F_OFD_SETLK);
    for (unsigned i = 0; i < FDS_MAX; i++) {
        if (fds[i].proc != NULL && &fds[i] != v && fds[i].file == v->file && fds[i].locked) {
            return failed(EAGAIN);
        }
    }
    v->locked = true;
    return 0;
}

/* ---- bytes ---- */

static void
cause_disk(void)
{
    if (sim.proc != NULL) {
        sim.proc->causes |= CAUSE_DISK;
    }
}

static ssize_t
read_ours(const struct vfd *v, void *out, size_t len, off_t at)
{
    const struct vfile *f = v->file;
    if (v->proc->dead) {
        return failed(EIO);
    }
    if (sim_chance(sim.odds.slow)) {
        return failed(EINTR);
    }
    if ((size_t)at >= f->size) {
        return 0;
    }
    size_t n = f->size - (size_t)at < len ? f->size - (size_t)at : len;
    if (n > 1 && sim_chance(sim.odds.slow)) {
        n = 1 + sim_below(n - 1);
    }
    memcpy(out, f->cache + at, n);
    return (ssize_t)n;
}

ssize_t
__wrap_pread(int fd, void *out, size_t len, off_t at)
{
    const struct vfd *v = fd_find(fd);
    return v == NULL ? __real_pread(fd, out, len, at) : read_ours(v, out, len, at);
}

ssize_t
__wrap___pread_chk(int fd, void *out, size_t len, off_t at, size_t room)
{
    TLY_CHECK(len <= room);
    return __wrap_pread(fd, out, len, at);
}

ssize_t
__wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    const struct vfd *v = fd_find(fd);
    if (v == NULL) {
        return __real_pwrite(fd, data, len, at);
    }
    if (v->proc->dead) {
        return failed(EIO);
    }
    if (!sim_moment()) { /* killed in the middle of it */
        vfile_write_at(v->file, data, sim_below(len), (size_t)at);
        return failed(EIO);
    }
    const bool is_daemons = v->proc->host != SIM_SIGNER;
    if (is_daemons && sim_chance(sim.odds.slow)) { /* the signer takes a short write for the end */
        return failed(EINTR);
    }
    if (is_daemons && len > 1 && sim_chance(sim.odds.slow)) {
        len = 1 + sim_below(len - 1);
    }
    if (sim_chance(sim.odds.eio)) {
        cause_disk();
        sim_say("%s: pwrite fails", v->proc->name);
        vfile_write_at(v->file, data, sim_below(len), (size_t)at);
        return failed(EIO);
    }
    vfile_write_at(v->file, data, len, (size_t)at);
    return (ssize_t)len;
}

int
__wrap_posix_fallocate(int fd, off_t at, off_t len)
{
    struct vfd *v = fd_find(fd);
    if (v == NULL) {
        return __real_posix_fallocate(fd, at, len);
    }
    if ((size_t)(at + len) > v->file->size) {
        v->file->size       = (size_t)(at + len);
        v->file->dirty_size = true;
    }
    return 0;
}

static int
sync_ours(const struct vfd *v)
{
    if (v->proc->dead || !sim_moment()) {
        return failed(EIO);
    }
    if (v->file == NULL) { /* a folder: the names of its machine's files */
        vfile_link_all(v->proc->host);
        return 0;
    }
    if (sim_chance(sim.odds.eio)) {
        cause_disk();
        sim_say("%s: fsync fails", v->proc->name);
        vfile_sync(v->file, false);
        return failed(EIO);
    }
    vfile_sync(v->file, true);
    return sim_moment() ? 0 : failed(EIO);
}

int
__wrap_fsync(int fd)
{
    const struct vfd *v = fd_find(fd);
    return v == NULL ? __real_fsync(fd) : sync_ours(v);
}

int
__wrap_fdatasync(int fd)
{
    const struct vfd *v = fd_find(fd);
    return v == NULL ? __real_fdatasync(fd) : sync_ours(v);
}

/* ---- for the world ---- */

void
files_begin(void)
{
    memset(fds, 0, sizeof fds);
}

void
disk_close_all(const struct proc *proc)
{
    for (unsigned i = 0; i < FDS_MAX; i++) {
        if (fds[i].proc == proc) {
            fds[i].locked = false; /* its ghost still closes them */
        }
    }
}
