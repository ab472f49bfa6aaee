/* SPDX-License-Identifier: Apache-2.0 */
/* Files: read whole, written whole, listed in a fixed order. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

/* For TLY_AUTO(fd) int fd = open(...): closes what is not negative. */
void tly_auto_fd(int *fd);
/* For TLY_AUTO(file) FILE *f: closes what is not NULL, without looking at the result. */
void tly_auto_file(void *file);

#define FILE_PATH_SIZE (PATH_MAX + 1)

/* Makes a path of pieces.  One that does not fit is longer than Linux takes: whoever opens it gets
 * ENAMETOOLONG, and never another file whose name is the beginning of this one. */
void file_path(char out[FILE_PATH_SIZE], const char *format, ...) TLY_PRINTF(2, 3);

/* Reads a whole regular file, or what a pipe gives until its end.
 *
 * Owns:    *out is in the arena, with a NUL behind its last byte; untouched on failure.
 * Errors:  TLY_ENOENT   no such file
 *          TLY_EFORBID  may not be read by us
 *          TLY_ETOOBIG  more than bytes_max
 *          TLY_ENOMEM   the arena is full
 *          TLY_EIO      anything else; the diag names file and reason in every case */
TLY_MUST enum tly_err file_read(const char *path, size_t bytes_max, struct tly_arena *arena,
                                struct tly_bytes *out, struct tly_diag *diag);

/* The same of a file that somebody else lays down: what is no regular file is TLY_EIO at once, where
 * opening or reading a pipe could wait for ever. */
TLY_MUST enum tly_err file_read_regular(const char *path, size_t bytes_max, struct tly_arena *arena,
                                        struct tly_bytes *out, struct tly_diag *diag);

enum file_sync { FILE_NOSYNC, FILE_SYNC };

/* Replaces or makes a file, all or nothing: written beside it (.NAME.XXXXXX), then renamed.
 * FILE_SYNC waits until file and folder are on the disk.
 *
 * Errors: TLY_EIO (the diag says why); the old file is then still there. */
TLY_MUST enum tly_err file_write(const char *path, struct tly_bytes data, mode_t mode,
                                 enum file_sync sync, struct tly_diag *diag);

/* Puts a file that is on the disk into another's place, and waits until that is on the disk too.
 * Errors: TLY_EIO */
TLY_MUST enum tly_err file_rename(const char *from, const char *to, struct tly_diag *diag);

/* Makes a folder and those above it that are missing; fine when it is there.
 * Errors: TLY_EIO, also when a part of the path is no folder. */
TLY_MUST enum tly_err file_mkdirs(const char *path, mode_t mode, struct tly_diag *diag);

/* Names in a folder without "." and "..", sorted bytewise (C locale).
 *
 * Owns:    names and texts are in the arena; untouched on failure.
 * Errors:  TLY_ENOENT, TLY_ETOOBIG more than names_max, TLY_ENOMEM, TLY_EIO */
TLY_MUST enum tly_err file_list(const char *dir, size_t names_max, struct tly_arena *arena,
                                const char ***names, size_t *names_n, struct tly_diag *diag);

/* Checks that a file with a secret is a regular file, ours or root's, and closed to group and
 * others.
 * Errors: TLY_EINPUT it is not (the diag says what to do); TLY_ENOENT, TLY_EFORBID, TLY_EIO. */
TLY_MUST enum tly_err file_private(const char *path, struct tly_diag *diag);
