/* SPDX-License-Identifier: Apache-2.0 */
/* The published files as a table of names: of a folder, or of a TAR.  Names with a component that begins
 * with a dot are the publisher's own and not in it. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define ARCHIVE_FILES_MAX ((size_t)1 << 26)

struct archive;

struct archive_file {
    const char *path;   /* "tile/0/000.p/5" */
    uint64_t    offset; /* in the TAR */
    uint64_t    size;
};

/* Opens a folder or a TAR.
 *
 * Errors:  TLY_EINPUT  neither, or a TAR that cannot be read; a member that is no file and no folder;
 *                      the diag says which
 *          TLY_EFORBID, TLY_EIO, TLY_ENOMEM */
TLY_MUST enum tly_err archive_open(const char *where, struct archive **out, struct tly_diag *diag);
void                  archive_close(struct archive *archive); /* NULL is fine */

/* Sorted by their bytes. */
size_t                     archive_files_n(const struct archive *archive);
const struct archive_file *archive_file(const struct archive *archive, size_t i);
const struct archive_file *archive_find(const struct archive *archive, const char *path);
/* The first file whose path is not before this one; archive_files_n(): none. */
size_t archive_lower(const struct archive *archive, const char *path);

/* Reads a whole file into the arena, a byte more behind it; any thread.
 * Errors: TLY_EIO (also when it changed meanwhile), TLY_EFORBID, TLY_ENOMEM. */
TLY_MUST enum tly_err archive_read(const struct archive *archive, const struct archive_file *file,
                                   struct tly_arena *arena, struct tly_bytes *out,
                                   struct tly_diag *diag);
