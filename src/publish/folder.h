/* SPDX-License-Identifier: Apache-2.0 */
/* The published folder's files: each written whole beside its place, then renamed into it.  Nothing
 * waits for the disk: what is lost is made again at the start.  Paths are relative to the folder;
 * what we make is readable by everybody, whatever the umask. */
#pragma once

#include "base/attr.h"
#include "core/tile.h"
#include "sys/file.h"

#define FOLDER_SIDE_SIZE (TILE_PATH_SIZE + 8) /* of a path in .fix/ */

struct folder {
    char dir[FILE_PATH_SIZE];
    int  fd;
    int  lock; /* held until folder_close() */
};

/* Makes the folder and takes it for this process.
 * Errors: TLY_EBUSY another process has it; TLY_EIO. */
TLY_MUST enum tly_err folder_open(const char *dir, struct folder *out, struct tly_diag *diag);
void                  folder_close(struct folder *f);

/* TLY_EIO, with folder, path and errno's reason. */
TLY_MUST enum tly_err folder_failed(const struct folder *f, const char *path,
                                    struct tly_diag *diag);
/* Opens a file for reading, -1: it is not there or cannot be read.  Links are not followed. */
int folder_reader(const struct folder *f, const char *path);
/* Makes a file of that name anew, to be written and read; -1 and errno. */
int folder_temp(const struct folder *f, const char *name);
/* Renames what folder_temp() made into its place.  Errors: TLY_EIO. */
TLY_MUST enum tly_err folder_place(const struct folder *f, const char *name, const char *path,
                                   struct tly_diag *diag);
TLY_MUST enum tly_err folder_put(const struct folder *f, const char *path, struct tly_bytes bytes,
                                 struct tly_diag *diag);
/* Is the file there, and are these its bytes? */
enum folder_has { FOLDER_MISSING, FOLDER_OTHER, FOLDER_SAME };
enum folder_has folder_has(const struct folder *f, const char *path, struct tly_bytes bytes);
void            folder_remove(const struct folder *f, const char *path); /* if it is there */
/* Removes the partial files of a tile whose full one is there. */
void folder_remove_partials(const struct folder *f, const struct tile *tile);

/* Where a file waits that is made anew before it is known whose folder this is. */
void folder_side_path(const struct tile *tile, char out[FOLDER_SIDE_SIZE]);
/* Renames those into their places.  Errors: TLY_EIO. */
TLY_MUST enum tly_err folder_side_place(const struct folder *f, struct tly_diag *diag);
/* Removes them, and what a process that died left half written. */
void folder_side_drop(const struct folder *f);

/* All of it, retried; false and errno. */
TLY_MUST bool folder_write(int fd, struct tly_bytes bytes);
/* Copies the first `bytes` bytes of a file to where `to` stands; `buffer` is the caller's.  False
 * and errno; EIO when there are fewer. */
TLY_MUST bool folder_copy(int from, int to, uint64_t bytes, uint8_t *buffer, size_t size);
