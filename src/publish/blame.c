/* SPDX-License-Identifier: Apache-2.0 */
/* Where does the ledger differ from what was published under a signed head?  Asked when it is known
 * that something does: roots tell that, and not what. */
#include "base/check.h"
#include "publish_int.h"

#define FILE_MAX ((size_t)TILE_WIDTH * (LEAF_LEN_MAX + 2))

struct blame {
    const struct publish *p;
    struct merkle         tree; /* of what the files say */
    bool                  found;
    uint64_t              position;
    struct tly_bytes      leaf;
};

static bool
file_of(const struct publish *p, const struct tile *tile, struct tly_arena *arena,
        struct tly_bytes *out)
{
    char name[TILE_PATH_SIZE], path[FILE_PATH_SIZE];
    (void)tile_path(tile, name);
    file_path(path, "%s/%s", p->folder.dir, name);
    return file_read_regular(path, FILE_MAX, arena, out, NULL) == TLY_OK;
}

static bool
leaf_take(struct blame *b, struct tly_bytes leaf)
{
    const uint64_t        position = b->tree.size;
    const struct tly_hash hash     = merkle_leaf(leaf);
    if (!merkle_append(&b->tree, &hash)) {
        return false;
    }
    if (!b->found && position < book_size(b->p->config.book)) {
        char                   text[LEAF_SIZE];
        const size_t           len  = book_leaf(b->p->config.book, position, text);
        const struct tly_bytes ours = {(const uint8_t *)text, len};
        if (!tly_bytes_eq(ours, leaf)) {
            b->found    = true;
            b->position = position;
            b->leaf     = leaf;
        }
    }
    return true;
}

static bool
tile_take(struct blame *b, uint64_t n, struct tly_arena *arena)
{
    struct tile      tile = {.kind = TILE_ENTRIES, .n = n};
    struct tly_bytes text;
    tile.width       = tile_width(0, n, b->p->found.size);
    const unsigned w = tile.width;
    if (!file_of(b->p, &tile, arena, &text)) {
        tile.width = TILE_WIDTH; /* it became full since */
        if (w == TILE_WIDTH || !file_of(b->p, &tile, arena, &text)) {
            return false;
        }
    }
    for (unsigned i = 0; i < w; i++) {
        const size_t len = text.len < 2 ? SIZE_MAX : (size_t)text.data[0] << 8 | text.data[1];
        if (len > LEAF_LEN_MAX || len > text.len - 2 ||
            !leaf_take(b, (struct tly_bytes){text.data + 2, len})) {
            return false;
        }
        text.data += 2 + len;
        text.len -= 2 + len;
    }
    return true;
}

bool
publish_blame(const struct publish *p, struct tly_arena *arena, uint64_t *position,
              struct tly_bytes *leaf)
{
    struct blame b = {.p = p};
    if (p->found.size == 0 || !merkle_init(&b.tree, arena)) {
        return false;
    }
    for (uint64_t n = 0; b.tree.size < p->found.size; n++) {
        if (!tile_take(&b, n, arena)) {
            return false;
        }
    }
    const struct tly_hash root = merkle_root(&b.tree, b.tree.size);
    if (!b.found || !tly_hash_eq(&root, &p->found.root)) {
        return false; /* those files are not what was signed either */
    }
    *position = b.position;
    *leaf     = b.leaf;
    return true;
}
