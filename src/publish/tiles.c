/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles of hashes, made from the tree. */
#include "publish_int.h"

static struct tly_bytes
tile_make(const struct publish *p, const struct tile *tile, uint8_t out[TILE_BYTES])
{
    tile_hashes(book_tree(p->config.book), tile, out);
    return (struct tly_bytes){out, tile->width * sizeof(struct tly_hash)};
}

/* Puts a tile into its place, in `check` only when it is not there as it should be. */
static enum tly_err
tile_put(struct publish *p, const struct tile *tile, bool check, struct tly_diag *diag)
{
    char                   path[TILE_PATH_SIZE];
    uint8_t                data[TILE_BYTES];
    const struct tly_bytes bytes = tile_make(p, tile, data);
    (void)tile_path(tile, path);
    return check ? publish_file(p, path, bytes, diag) : folder_put(&p->folder, path, bytes, diag);
}

static enum tly_err
tiles_put(struct publish *p, uint64_t from, uint64_t size, bool check, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    for (unsigned level = 0; level < TILE_LEVELS_MAX && err == TLY_OK; level++) {
        const uint64_t had  = from >> (level * TILE_BITS);
        const uint64_t have = size >> (level * TILE_BITS);
        for (uint64_t n = had / TILE_WIDTH; had < have && n * TILE_WIDTH < have && err == TLY_OK;
             n++) {
            const struct tile tile = {
                .kind = TILE_HASHES, .level = level, .n = n, .width = tile_width(level, n, size)};
            err = tile_put(p, &tile, check, diag);
        }
    }
    return err;
}

enum tly_err
publish_tiles(struct publish *p, uint64_t from, uint64_t size, struct tly_diag *diag)
{
    return tiles_put(p, from, size, false, diag);
}

enum tly_err
publish_tiles_check(struct publish *p, uint64_t size, struct tly_diag *diag)
{
    return tiles_put(p, 0, size, true, diag);
}

void
publish_tidy(struct publish *p, uint64_t from, uint64_t size)
{
    for (unsigned level = 0; level < TILE_LEVELS_MAX; level++) {
        const unsigned shift = (level + 1) * TILE_BITS;
        for (uint64_t n = from >> shift; n < size >> shift; n++) {
            struct tile tile = {.kind = TILE_HASHES, .level = level, .n = n, .width = TILE_WIDTH};
            folder_remove_partials(&p->folder, &tile);
            if (level == 0) {
                tile.kind = TILE_ENTRIES;
                folder_remove_partials(&p->folder, &tile);
                tile.kind = TILE_BUNDLES;
                folder_remove_partials(&p->folder, &tile);
            }
        }
    }
}
