/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "core/tile.h"
#include "pack/package.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/sha256.h"

#define ENTRIES_MAX (TILE_WIDTH * (2 + (size_t)LEAF_LEN_MAX))
#define BUNDLES_MAX ((size_t)512 << 20) /* 256 envelopes of 2 MiB */
#define DOC_MAX     ((size_t)256 << 20)
#define ARENA_MAX   ((size_t)2 << 30)
#define FILE_MODE   0644
#define FOLDER_MODE 0755

/* ---- files of ours ---- */

static enum tly_err
put(const struct copy *c, const char *path, struct tly_bytes bytes, struct tly_diag *diag)
{
    char full[FILE_PATH_SIZE];
    file_path(full, "%s/%s", c->dir, path);
    char *slash            = strrchr(full, '/');
    *slash                 = '\0';
    const enum tly_err err = file_mkdirs(full, FOLDER_MODE, diag);
    *slash                 = '/';
    return err != TLY_OK ? err : file_write(full, bytes, FILE_MODE, FILE_SYNC, diag);
}

/* The partial tile that a larger one took the place of. */
static void
drop_older(const struct copy *c, const struct tile *tile)
{
    struct tile old = *tile;
    char        path[TILE_PATH_SIZE];
    char        full[FILE_PATH_SIZE];
    old.width = tile_width(tile->kind == TILE_HASHES ? tile->level : 0, tile->n, c->size);
    if (old.width > 0 && old.width < tile->width) {
        (void)tile_path(&old, path);
        file_path(full, "%s/%s", c->dir, path);
        (void)unlink(full);
    }
}

static enum tly_err
put_tile(const struct copy *c, const struct tile *tile, struct tly_bytes bytes,
         struct tly_diag *diag)
{
    char path[TILE_PATH_SIZE];
    (void)tile_path(tile, path);
    return put(c, path, bytes, diag);
}

/* ---- entries and envelopes ---- */

/* A record of entries or bundles: a big-endian length of `width` bytes, then so many bytes. */
static bool
record_next(struct tly_bytes *rest, size_t width, uint32_t *len, struct tly_bytes *out)
{
    uint32_t n = 0;
    if (rest->len < width) {
        return false;
    }
    for (size_t i = 0; i < width; i++) {
        n = n << 8 | rest->data[i];
    }
    const bool   withheld = width == 4 && n == TILE_ENVELOPE_WITHHELD;
    const size_t bytes    = withheld ? 0 : n;
    if (rest->len - width < bytes) {
        return false;
    }
    *len = n;
    *out = (struct tly_bytes){rest->data + width, bytes};
    rest->data += width + bytes;
    rest->len -= width + bytes;
    return true;
}

/* Is this the envelope of that entry?  What is withheld is left to the leaf's hash. */
static bool
envelope_right(struct tly_bytes leaf_text, uint32_t len, struct tly_bytes envelope)
{
    struct leaf_texts texts;
    struct leaf       leaf;
    if (leaf_parse(leaf_text, &texts, &leaf, NULL) != TLY_OK) {
        return false;
    }
    if (leaf.kind == LEAF_GENESIS) {
        return len == TILE_ENVELOPE_NONE;
    }
    const struct tly_hash hash = sys_sha256(envelope);
    return len == TILE_ENVELOPE_WITHHELD ||
           (envelope.len == leaf.envelope_len && tly_hash_eq(&hash, &leaf.envelope));
}

/* The first `width` records of both, compared with the tree; *entries and *bundles are cut to them. */
static bool
records_right(const struct copy *c, const struct tile *tile, struct tly_bytes *entries,
              struct tly_bytes *bundles)
{
    struct tly_bytes e = *entries;
    struct tly_bytes b = *bundles;
    for (unsigned i = 0; i < tile->width; i++) {
        struct tly_bytes leaf;
        struct tly_bytes envelope;
        uint32_t         leaf_len;
        uint32_t         envelope_len;
        if (!record_next(&e, 2, &leaf_len, &leaf) ||
            !record_next(&b, 4, &envelope_len, &envelope)) {
            return false;
        }
        const struct tly_hash hash = merkle_leaf(leaf);
        const struct tly_hash want = merkle_leaf_at(&c->follow.tree, tile->n * TILE_WIDTH + i);
        if (!tly_hash_eq(&hash, &want) || !envelope_right(leaf, envelope_len, envelope)) {
            return false;
        }
    }
    entries->len -= e.len;
    bundles->len -= b.len;
    return true;
}

/* A partial tile may have been replaced by the full one meanwhile, which begins with it. */
static enum tly_err
fetch(const struct copy *c, struct tile tile, size_t bytes_max, struct tly_arena *arena,
      struct tly_bytes *out, struct tly_diag *diag)
{
    char path[TILE_PATH_SIZE];
    (void)tile_path(&tile, path);
    enum tly_err err = source_get(c->from, path, bytes_max, arena, out, diag);
    if (err == TLY_ENOENT && tile.width < TILE_WIDTH) {
        tile.width = TILE_WIDTH;
        (void)tile_path(&tile, path);
        err = source_get(c->from, path, bytes_max, arena, out, diag);
    }
    return err;
}

static enum tly_err
copy_entries(struct copy *c, uint64_t n, uint64_t size, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct tile      e = {.kind = TILE_ENTRIES, .n = n, .width = tile_width(0, n, size)};
    struct tile      b = {.kind = TILE_BUNDLES, .n = n, .width = e.width};
    struct tly_bytes entries;
    struct tly_bytes bundles;
    tly_arena_init(&arena, ARENA_MAX);
    enum tly_err err = fetch(c, e, ENTRIES_MAX, &arena, &entries, diag);
    if (err == TLY_OK) {
        err = fetch(c, b, BUNDLES_MAX, &arena, &bundles, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    if (!records_right(c, &e, &entries, &bundles)) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "entries or envelopes of tile %" PRIu64 " are not what the head is over",
                        n);
    }
    err = put_tile(c, &e, entries, diag);
    return err != TLY_OK ? err : put_tile(c, &b, bundles, diag);
}

/* ---- hashes: of our own tree, whose root is the head's ---- */

static enum tly_err
copy_hashes(struct copy *c, uint64_t size, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    for (unsigned level = 0; err == TLY_OK && level < TILE_LEVELS_MAX; level++) {
        const uint64_t per   = UINT64_C(1) << (TILE_BITS * (level + 1)); /* leaves of a tile */
        const uint64_t first = c->size / per;
        struct tile    tile  = {.kind = TILE_HASHES, .level = level, .n = first};
        for (; err == TLY_OK && (tile.width = tile_width(level, tile.n, size)) > 0; tile.n++) {
            uint8_t bytes[TILE_BYTES];
            tile_hashes(&c->follow.tree, &tile, bytes);
            err = put_tile(c, &tile,
                           (struct tly_bytes){bytes, tile.width * sizeof(struct tly_hash)}, diag);
        }
    }
    return err;
}

/* ---- documents: they come into a folder that is not published, until their hash is known ---- */

#define NEW_DIR         ".new"
#define NAMES_MAX       1000
#define NAMES_ARENA_MAX ((size_t)1 << 20)

static enum tly_err
fetch_doc(struct copy *c, enum package_kind kind, const char *name, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct tly_bytes                 bytes;
    char                             path[FILE_PATH_SIZE];
    char                             to[FILE_PATH_SIZE];
    file_path(path, "doc/%s/%s", package_kind_name(kind), name);
    file_path(to, NEW_DIR "/%s/%s", package_kind_name(kind), name);
    tly_arena_init(&arena, ARENA_MAX);
    const enum tly_err err = source_get(c->from, path, DOC_MAX, &arena, &bytes, diag);
    return err != TLY_OK ? err : put(c, to, bytes, diag);
}

/* The n-th file of a package, the signatures behind all others; NULL: there are no more. */
static const char *
doc_name(enum package_kind kind, size_t n)
{
    const char *const *names = package_names(kind);
    size_t             i     = 0;
    while (names[i] != NULL && i < n) {
        i++;
    }
    return names[i] != NULL ? names[i] : n == i ? PACKAGE_SIGNATURES : NULL;
}

/* Whatever lies in the folder of new ones goes, also what a power cut left there. */
static void
drop_new(const struct copy *c, enum package_kind kind)
{
    TLY_AUTO(arena) struct tly_arena arena;
    char                             dir[FILE_PATH_SIZE];
    char                             file[FILE_PATH_SIZE];
    const char                     **names;
    size_t                           n = 0;
    tly_arena_init(&arena, NAMES_ARENA_MAX);
    file_path(dir, "%s/" NEW_DIR "/%s", c->dir, package_kind_name(kind));
    if (file_list(dir, NAMES_MAX, &arena, &names, &n, NULL) == TLY_OK) {
        for (size_t i = 0; i < n; i++) {
            file_path(file, "%s/%s", dir, names[i]);
            (void)unlink(file);
        }
    }
    (void)rmdir(dir);
    file_path(dir, "%s/" NEW_DIR, c->dir);
    (void)rmdir(dir);
}

static enum tly_err
place_docs(const struct copy *c, enum package_kind kind, struct tly_diag *diag)
{
    const char *package = package_kind_name(kind);
    char        from[FILE_PATH_SIZE];
    char        to[FILE_PATH_SIZE];
    const char *name;
    file_path(to, "%s/doc/%s", c->dir, package);
    enum tly_err err = file_mkdirs(to, FOLDER_MODE, diag);
    for (size_t n = 0; err == TLY_OK && (name = doc_name(kind, n)) != NULL; n++) {
        file_path(from, "%s/" NEW_DIR "/%s/%s", c->dir, package, name);
        file_path(to, "%s/doc/%s/%s", c->dir, package, name);
        err = file_rename(from, to, diag);
    }
    return err;
}

/* A package whose hash stands in the genesis entry.  Its signatures are in no hash: who trusts a root
 * key verifies them. */
static enum tly_err
copy_package(struct copy *c, enum package_kind kind, const struct tly_hash *want,
             struct tly_diag *diag)
{
    char            dir[FILE_PATH_SIZE];
    struct tly_hash hash;
    enum tly_err    err = TLY_OK;
    const char     *name;
    drop_new(c, kind);
    for (size_t n = 0; err == TLY_OK && (name = doc_name(kind, n)) != NULL; n++) {
        err = fetch_doc(c, kind, name, diag);
    }
    file_path(dir, "%s/" NEW_DIR "/%s", c->dir, package_kind_name(kind));
    if (err == TLY_OK) {
        err = package_hash(dir, kind, &hash, diag);
    }
    if (err == TLY_OK && !tly_hash_eq(&hash, want)) {
        err = tly_fail(diag, TLY_ECORRUPT, "the %s is not the one that the log began with",
                       package_kind_name(kind));
    }
    if (err == TLY_OK) {
        err = place_docs(c, kind, diag);
    }
    drop_new(c, kind);
    return err;
}

static enum tly_err
copy_docs(struct copy *c, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    char                             path[FILE_PATH_SIZE];
    struct tly_bytes                 entries;
    struct tly_bytes                 text;
    uint32_t                         len;
    struct leaf_texts                texts;
    struct leaf                      leaf = {0};
    char                             name[TILE_PATH_SIZE];
    const struct tile                first = {.kind  = TILE_ENTRIES,
                                              .width = tile_width(0, 0, c->follow.tree.size)};
    tly_arena_init(&arena, ARENA_MAX);
    (void)tile_path(&first, name);
    file_path(path, "%s/%s", c->dir, name);
    enum tly_err err = file_read(path, ENTRIES_MAX, &arena, &entries, diag);
    if (err == TLY_OK &&
        (!record_next(&entries, 2, &len, &text) ||
         leaf_parse(text, &texts, &leaf, diag) != TLY_OK || leaf.kind != LEAF_GENESIS)) {
        err = tly_fail(diag, TLY_ECORRUPT, "the log does not begin with a genesis entry");
    }
    if (err == TLY_OK) {
        err = copy_package(c, PACKAGE_DEFINITION, &leaf.definition, diag);
    }
    if (err == TLY_OK) {
        err = copy_package(c, PACKAGE_REGISTRY, &leaf.registry, diag);
    }
    c->docs = err == TLY_OK;
    return err;
}

/* ---- all of it ---- */

/* What the folder holds is taken up when its tiles give its checkpoint's root. */
static void
take_up(struct copy *c)
{
    const struct source_config own  = {.where = c->dir, .ca = "", .client = ""};
    struct source             *here = NULL;
    struct follow_head         head;
    struct tly_diag            diag = {0};
    enum tly_err               err  = source_open(&own, &here, &diag);
    if (err == TLY_OK) {
        err = follow_newest(&c->follow, here, &head, &diag);
    }
    if (err == TLY_OK) {
        err = follow_to(&c->follow, here, &head.head, &diag);
    }
    if (err == TLY_OK) {
        c->size = head.head.size;
        c->docs = true; /* the checkpoint comes last */
    } else if (err != TLY_ENOENT) {
        log_event(LOG_WARNING, "mirror.again", "folder=%s why=%s", log_text(tly_text(c->dir)).s,
                  log_why(diag.text).s);
    }
    source_close(here);
}

enum tly_err
copy_open(const char *dir, const struct note_vkey *vkey, const struct source_config *from,
          struct copy *out, struct tly_diag *diag)
{
    *out          = (struct copy){0};
    const int len = snprintf(out->dir, sizeof out->dir, "%s", dir);
    if (len < 0 || (size_t)len >= sizeof out->dir) {
        return tly_fail(diag, TLY_EINPUT, "mirror: the path is too long");
    }
    enum tly_err err = file_mkdirs(dir, FOLDER_MODE, diag);
    if (err == TLY_OK) {
        err = source_open(from, &out->from, diag);
    }
    if (err == TLY_OK) {
        err = follow_init(&out->follow, vkey);
    }
    if (err == TLY_OK) {
        take_up(out);
    }
    return err;
}

void
copy_close(struct copy *copy)
{
    source_close(copy->from);
    follow_done(&copy->follow);
}

static void
drop_partials(const struct copy *c, uint64_t size)
{
    static const enum tile_kind kinds[] = {TILE_ENTRIES, TILE_BUNDLES};
    for (size_t i = 0; i < TLY_N(kinds); i++) {
        const struct tile tile = {.kind  = kinds[i],
                                  .n     = c->size / TILE_WIDTH,
                                  .width = tile_width(0, c->size / TILE_WIDTH, size)};
        drop_older(c, &tile);
    }
    for (unsigned level = 0; level < TILE_LEVELS_MAX; level++) {
        const uint64_t    n    = c->size >> (TILE_BITS * (level + 1));
        const struct tile tile = {
            .kind = TILE_HASHES, .level = level, .n = n, .width = tile_width(level, n, size)};
        drop_older(c, &tile);
    }
}

enum tly_err
copy_to(struct copy *copy, const struct note_head *head, struct tly_bytes note,
        struct tly_diag *diag)
{
    if (head->size == copy->size) {
        return TLY_OK;
    }
    enum tly_err err = follow_to(&copy->follow, copy->from, head, diag);
    for (uint64_t n = copy->size / TILE_WIDTH; err == TLY_OK && n * TILE_WIDTH < head->size; n++) {
        err = copy_entries(copy, n, head->size, diag);
    }
    if (err == TLY_OK && !copy->docs) {
        err = copy_docs(copy, diag);
    }
    if (err == TLY_OK) {
        err = copy_hashes(copy, head->size, diag);
    }
    if (err == TLY_OK) {
        err = put(copy, "checkpoint", note, diag);
    }
    if (err == TLY_OK) {
        drop_partials(copy, head->size);
        copy->size = head->size;
    }
    return err;
}
