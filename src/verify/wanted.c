/* SPDX-License-Identifier: Apache-2.0 */
#include "wanted.h"

struct wanted
wanted_find(const struct archive *archive, const struct tile *tile)
{
    struct wanted w = {0};
    (void)tile_path(tile, w.path);
    w.file = archive_find(archive, w.path);
    if (w.file == NULL && tile->width < TILE_WIDTH) {
        struct tile full = *tile;
        char        path[TILE_PATH_SIZE];
        full.width = TILE_WIDTH;
        (void)tile_path(&full, path);
        w.file = archive_find(archive, path);
        if (w.file != NULL) {
            w.whole = true;
            memcpy(w.path, path, sizeof path);
        }
    }
    if (w.file == NULL) {
        w.bad   = true;
        w.found = FOUND_FILE_MISSING;
    } else if (w.file->size > VERIFY_FILE_MAX) {
        w.bad   = true;
        w.found = FOUND_FILE_SIZE;
    }
    return w;
}

enum tly_err
wanted_records(const struct archive *archive, const struct tile *tile, struct wanted *w,
               struct tly_arena *arena, struct record records[TILE_WIDTH], struct tly_diag *diag)
{
    struct tly_bytes bytes;
    size_t           used;
    if (w->bad) {
        return TLY_OK;
    }
    const enum tly_err err = archive_read(archive, w->file, arena, &bytes, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (!records_split(bytes, tile->kind, tile->width, records, &used) ||
        (used != bytes.len && !w->whole)) {
        w->bad   = true;
        w->found = FOUND_FILE_SYNTAX;
    }
    return TLY_OK;
}
