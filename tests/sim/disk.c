/* SPDX-License-Identifier: Apache-2.0 */
/* Disks: files of sectors that are in the kernel's memory, or on the disk, or both.  fsync moves
 * them; at a power failure each one that was not moved is kept or lost on its own, which covers
 * torn and reordered writes.  After an fsync that failed the kernel calls them clean, and the
 * next one leaves them where they are. */
#include "disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 16

static struct vfile files[FILES_MAX];

struct vfile *
vfile_find(const char *path)
{
    for (unsigned i = 0; i < FILES_MAX; i++) {
        if (files[i].exists && strcmp(files[i].path, path) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

struct vfile *
vfile_make(const char *path)
{
    for (unsigned i = 0; i < FILES_MAX; i++) {
        struct vfile *f = &files[i];
        if (!f->exists) {
            memset(f, 0, sizeof *f);
            f->exists = true;
            f->host   = (unsigned)(path[sizeof "/sim/" - 1] - 'a');
            (void)snprintf(f->path, sizeof f->path, "%s", path);
            return f;
        }
    }
    TLY_CHECK(false);
    return NULL;
}

void
vfile_write_at(struct vfile *f, const uint8_t *data, size_t len, size_t at)
{
    TLY_CHECK(at + len <= DISK_FILE_MAX);
    memcpy(f->cache + at, data, len);
    for (size_t s = at / DISK_SECTOR; len > 0 && s <= (at + len - 1) / DISK_SECTOR; s++) {
        f->dirty[s] = true;
    }
    if (at + len > f->size) {
        f->size       = at + len;
        f->dirty_size = true;
    }
}

/* A sector reaches the disk, and with it the file's length up to there. */
static void
sector_move(struct vfile *f, size_t s)
{
    const size_t end = (s + 1) * DISK_SECTOR < f->size ? (s + 1) * DISK_SECTOR : f->size;
    memcpy(f->disk + s * DISK_SECTOR, f->cache + s * DISK_SECTOR, DISK_SECTOR);
    f->disk_size = f->disk_size < end ? end : f->disk_size;
}

void
vfile_sync(struct vfile *f, bool all)
{
    for (size_t s = 0; s < DISK_SECTORS_N; s++) {
        if (f->dirty[s] && (all || sim_below(2) == 0)) {
            sector_move(f, s);
        }
        f->dirty[s] = false;
    }
    if (f->dirty_size && (all || sim_below(2) == 0)) {
        f->disk_size = f->size;
    }
    f->dirty_size = false;
}

void
vfile_link_all(unsigned host)
{
    for (unsigned i = 0; i < FILES_MAX; i++) {
        files[i].linked = files[i].linked || (files[i].exists && files[i].host == host);
    }
}

/* ---- for the world ---- */

void
disk_begin(void)
{
    for (unsigned i = 0; i < FILES_MAX; i++) {
        files[i].exists = false;
    }
    files_begin();
}

void
disk_power(unsigned host)
{
    const uint64_t how = sim_below(4); /* most is lost, most is kept, half of it */
    for (unsigned i = 0; i < FILES_MAX; i++) {
        struct vfile *f = &files[i];
        if (!f->exists || f->host != host) {
            continue;
        }
        for (size_t s = 0; s < DISK_SECTORS_N; s++) {
            if (f->dirty[s] && (how == 0 || (how > 1 && sim_below(2) == 0))) {
                sector_move(f, s);
            }
            f->dirty[s] = false;
        }
        if (f->dirty_size && sim_below(2) == 0) {
            f->disk_size = f->size;
        }
        f->dirty_size = false;
        f->size       = f->disk_size;
        memcpy(f->cache, f->disk, DISK_FILE_MAX);
        memset(f->cache + f->size, 0, DISK_FILE_MAX - f->size);
        if (!f->linked && sim_below(2) == 0) {
            f->exists = false;
        }
    }
}

void
disk_remove(const char *prefix)
{
    for (unsigned i = 0; i < FILES_MAX; i++) {
        if (strncmp(files[i].path, prefix, strlen(prefix)) == 0) {
            files[i].exists = false;
        }
    }
}

uint8_t *
disk_copy(const char *path, size_t *len)
{
    const struct vfile *f = vfile_find(path);
    if (f == NULL) {
        return NULL;
    }
    uint8_t *copy = malloc(f->size + 1);
    TLY_CHECK(copy != NULL);
    memcpy(copy, f->cache, f->size);
    *len = f->size;
    return copy;
}

const uint8_t *
disk_look(const char *path, bool durable, size_t *len)
{
    const struct vfile *f = vfile_find(path);
    *len                  = f == NULL ? 0 : durable ? f->disk_size : f->size;
    return f == NULL ? NULL : durable ? f->disk : f->cache;
}

void
disk_put(const char *path, const uint8_t *data, size_t len)
{
    struct vfile *f = vfile_find(path);
    f               = f == NULL ? vfile_make(path) : f;
    f->size         = 0;
    vfile_write_at(f, data, len, 0);
    f->dirty_size = true;
    f->linked     = true;
    vfile_sync(f, true);
}
