/* SPDX-License-Identifier: Apache-2.0 */
#include "follow/follow.h"

#include <inttypes.h>

#include "core/tile.h"

#define TREE_ARENA_MAX                                                                             \
    ((size_t)(FOLLOW_ENTRIES_MAX * 4 * sizeof(struct tly_hash)) + ((size_t)1 << 20))
#define TILE_ARENA_MAX ((size_t)1 << 20)

enum tly_err
follow_init(struct follow *follow, const struct note_vkey *vkey)
{
    *follow = (struct follow){.vkey = vkey};
    tly_arena_init(&follow->arena, TREE_ARENA_MAX);
    return merkle_init(&follow->tree, &follow->arena) ? TLY_OK : TLY_ENOMEM;
}

void
follow_done(struct follow *follow)
{
    tly_arena_done(&follow->arena);
}

enum tly_err
follow_newest(const struct follow *follow, struct source *source, struct follow_head *out,
              struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct tly_bytes                 text;
    struct note_head                 head;
    struct tly_diag                  why = {0};
    tly_arena_init(&arena, TILE_ARENA_MAX);
    const enum tly_err err = source_get(source, "checkpoint", NOTE_LEN_MAX, &arena, &text, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (note_check(text, follow->vkey, &head, &why) != TLY_OK) {
        return tly_fail(diag, TLY_ECORRUPT, "checkpoint: %s", why.text);
    }
    out->head = head;
    out->len  = text.len;
    memcpy(out->note, text.data, text.len);
    return TLY_OK;
}

/* The tile of leaf hashes; a partial one may have been replaced by the full one meanwhile. */
static enum tly_err
tile_get(struct source *source, uint64_t n, unsigned width, struct tly_arena *arena,
         struct tly_bytes *out, struct tly_diag *diag)
{
    struct tile  tile = {.kind = TILE_HASHES, .n = n, .width = width};
    char         path[TILE_PATH_SIZE];
    enum tly_err err;
    (void)tile_path(&tile, path);
    err = source_get(source, path, TILE_BYTES, arena, out, diag);
    if (err == TLY_ENOENT && width < TILE_WIDTH) {
        tile.width = TILE_WIDTH;
        (void)tile_path(&tile, path);
        err = source_get(source, path, TILE_BYTES, arena, out, diag);
    }
    if (err == TLY_OK && out->len != tile.width * sizeof(struct tly_hash)) {
        err = tly_fail(diag, TLY_ECORRUPT, "%s: %zu bytes", path, out->len);
    }
    return err;
}

/* Appends the leaves of one tile that are missing. */
static enum tly_err
grow(struct follow *f, struct source *source, uint64_t size, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    const uint64_t                   n     = f->tree.size / TILE_WIDTH;
    const unsigned                   width = tile_width(0, n, size);
    struct tly_bytes                 tile;
    tly_arena_init(&arena, TILE_ARENA_MAX);
    const enum tly_err err = tile_get(source, n, width, &arena, &tile, diag);
    if (err != TLY_OK) {
        return err;
    }
    for (unsigned i = (unsigned)(f->tree.size % TILE_WIDTH); i < width; i++) {
        struct tly_hash hash;
        memcpy(hash.b, tile.data + i * sizeof hash, sizeof hash);
        if (!merkle_append(&f->tree, &hash)) {
            return TLY_ENOMEM;
        }
    }
    return TLY_OK;
}

enum tly_err
follow_to(struct follow *follow, struct source *source, const struct note_head *head,
          struct tly_diag *diag)
{
    const uint64_t before = follow->tree.size;
    enum tly_err   err    = TLY_OK;
    if (head->size > FOLLOW_ENTRIES_MAX) {
        return tly_fail(diag, TLY_ETOOBIG,
                        "a head of %" PRIu64 " entries; more than %" PRIu64 " are not followed",
                        head->size, FOLLOW_ENTRIES_MAX);
    }
    while (err == TLY_OK && follow->tree.size < head->size) {
        err = grow(follow, source, head->size, diag);
    }
    if (err == TLY_OK) {
        const struct tly_hash root = merkle_root(&follow->tree, head->size);
        if (!tly_hash_eq(&root, &head->root)) {
            err = tly_fail(diag, TLY_ECORRUPT,
                           head->size <= before
                               ? "the signed head of size %" PRIu64 " is not a prefix of what the "
                                 "log showed before"
                               : "the tiles do not give the root of the signed head of size "
                                 "%" PRIu64,
                           head->size);
        }
    }
    if (err != TLY_OK) {
        merkle_truncate(&follow->tree, before);
    }
    return err;
}
