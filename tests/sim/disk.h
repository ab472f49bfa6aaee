/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated file: disk.c moves its sectors, files.c has the calls that reach it. */
#pragma once

#include "sim.h"

#define DISK_SECTOR    ((size_t)512)
#define DISK_FILE_MAX  ((size_t)64 << 10)
#define DISK_SECTORS_N (DISK_FILE_MAX / DISK_SECTOR)

struct vfile {
    bool     exists, linked; /* linked: its name is on the disk */
    char     path[64];
    unsigned host;
    size_t   size, disk_size;
    bool     dirty[DISK_SECTORS_N], dirty_size;
    uint8_t  cache[DISK_FILE_MAX], disk[DISK_FILE_MAX];
};

struct vfile *vfile_find(const char *path); /* NULL: no such file */
struct vfile *vfile_make(const char *path);
void          vfile_write_at(struct vfile *f, const uint8_t *data, size_t len, size_t at);
/* Moves sectors to the disk: all of them, or of each by chance. */
void vfile_sync(struct vfile *f, bool all);
/* The names of a machine's files are on the disk. */
void vfile_link_all(unsigned host);
