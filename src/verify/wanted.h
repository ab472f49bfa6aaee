/* SPDX-License-Identifier: Apache-2.0 */
/* Which file of the archive is to be read for a tile, and whether it can be. */
#pragma once

#include "core/records.h"
#include "verify.h"

struct wanted {
    const struct archive_file *file; /* NULL: `found` says why */
    bool       whole; /* the full file in place of the partial: what is behind is not looked at */
    bool       bad;
    enum found found;                /* when bad */
    char       path[TILE_PATH_SIZE]; /* of the file; when it is missing its partial name */
};

/* Any thread. */
struct wanted wanted_find(const struct archive *archive, const struct tile *tile);
/* Reads the records of a tile of entries or a pack; one that is bad turns *wanted bad.
 * Errors: those of archive_read(). */
TLY_MUST enum tly_err wanted_records(const struct archive *archive, const struct tile *tile,
                                     struct wanted *wanted, struct tly_arena *arena,
                                     struct record records[TILE_WIDTH], struct tly_diag *diag);
