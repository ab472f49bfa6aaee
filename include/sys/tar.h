/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a TAR: ustar, and what GNU tar writes beside it (pax headers, long names, large sizes).
 * Regular files and folders only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define TAR_BLOCK    512
#define TAR_NAME_MAX 4096              /* bytes of a path */
#define TAR_EXT_MAX  ((size_t)1 << 20) /* of a pax header, of a long name */

/* A file of the TAR. */
struct tar_file {
    const char *name;   /* without "./" before it; in the arena */
    uint64_t    offset; /* of its first byte */
    uint64_t    size;
};

/* Reads len bytes at an offset.  Errors: TLY_EINPUT the TAR ends before; TLY_EIO. */
typedef enum tly_err (*tar_read)(void *arg, uint64_t offset, size_t len, uint8_t *out,
                                 struct tly_diag *diag);
/* Takes a file.  Errors stop the reading. */
typedef enum tly_err (*tar_take)(void *arg, const struct tar_file *file, struct tly_diag *diag);

/* Goes through all headers; folders are passed over.
 *
 * size:    of the TAR in bytes.
 * Owns:    names are in the arena.
 * Errors:  TLY_EINPUT  no TAR: a wrong checksum, an end in the middle, a name that is absolute or
 *                      climbs with "..", a member that is neither file nor folder; the diag says
 *                      which and where
 *          TLY_ENOMEM, TLY_EIO, those of take */
TLY_MUST enum tly_err tar_walk(tar_read read, tar_take take, void *arg, uint64_t size,
                               struct tly_arena *arena, struct tly_diag *diag);
