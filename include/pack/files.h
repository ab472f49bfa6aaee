/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of a package are read from: a folder, or anything else that has names and bytes (a
 * TAR). */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

struct pack_files {
    const char *where; /* for messages; of a folder its path */
    void       *arg;
    /* Names of the files, sorted, in the arena.
     * Errors: TLY_ENOENT there is no such folder; TLY_ETOOBIG, TLY_ENOMEM, TLY_EIO. */
    enum tly_err (*list)(const struct pack_files *files, size_t names_max, struct tly_arena *arena,
                         const char ***names, size_t *names_n, struct tly_diag *diag);
    /* A whole file, in the arena, with a byte that may be written behind its last one.
     * Errors: TLY_ENOENT, TLY_ETOOBIG, TLY_EFORBID, TLY_ENOMEM, TLY_EIO. */
    enum tly_err (*read)(const struct pack_files *files, const char *name, size_t bytes_max,
                         struct tly_arena *arena, struct tly_bytes *out, struct tly_diag *diag);
};

/* The files of a folder; dir is borrowed. */
struct pack_files pack_files_of(const char *dir);
