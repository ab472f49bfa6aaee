/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger of any size in memory, a folder that it is published in, and a reader of that folder who
 * trusts nothing but the entries: the root, every tile and every envelope are computed again. */
#pragma once

#include <dirent.h>
#include <unistd.h>

#include "../core/ledger_fixture.h"
#include "core/tile.h"
#include "dir.h"
#include "pack/package.h"
#include "publish/publish.h"
#include "sys/file.h"

#define RIG_ARENA_MAX ((size_t)1 << 30)
#define RIG_PATH      256

struct rig {
    struct fixture   f;
    struct tly_arena arena;
    struct book     *book;
    struct publish  *publish;
    struct tly_diag  diag;
    char             dir[RIG_PATH]; /* the published folder */
    char             definition[RIG_PATH], registry[RIG_PATH];
    struct tly_hash  definition_hash, registry_hash;
    uint64_t         withheld_each; /* every so many entries; 0: none */
};

static inline void
rig_write(const char *dir, const char *name, const char *text)
{
    char path[FILE_PATH_SIZE];
    file_path(path, "%s/%s", dir, name);
    const enum tly_err err = file_write(path, tly_text(text), 0644, FILE_NOSYNC, NULL);
    TLY_CHECK(err == TLY_OK);
}

static inline void
rig_package(const char *dir, enum package_kind kind, struct tly_hash *hash)
{
    enum tly_err err = file_mkdirs(dir, 0755, NULL);
    TLY_CHECK(err == TLY_OK);
    for (const char *const *name = package_names(kind); *name != NULL; name++) {
        rig_write(dir, *name, *name);
    }
    rig_write(dir, PACKAGE_SIGNATURES, "signed");
    err = package_hash(dir, kind, hash, NULL);
    TLY_CHECK(err == TLY_OK);
}

/* The ledger begins with its genesis. */
static inline void
rig_init(struct rig *r, const char *base)
{
    *r = (struct rig){0};
    fixture_init(&r->f);
    (void)snprintf(r->dir, sizeof r->dir, "%s/log", base);
    (void)snprintf(r->definition, sizeof r->definition, "%s/definition", base);
    (void)snprintf(r->registry, sizeof r->registry, "%s/registry", base);
    rig_package(r->definition, PACKAGE_DEFINITION, &r->definition_hash);
    rig_package(r->registry, PACKAGE_REGISTRY, &r->registry_hash);
    tly_arena_init(&r->arena, RIG_ARENA_MAX);
    const struct book_entry genesis = fixture_genesis();
    enum tly_err            err     = book_new(&r->f.election, &r->f.registry, &r->arena, &r->book);
    TLY_CHECK(err == TLY_OK);
    err = book_append(r->book, &genesis);
    TLY_CHECK(err == TLY_OK);
}

static inline void
rig_done(struct rig *r)
{
    publish_close(TLY_TAKE(r->publish));
    tly_arena_done(&r->arena);
}

/* One more entry; salt tells ledgers apart. */
static inline void
rig_append(struct rig *r, uint64_t salt)
{
    const uint64_t          n     = book_size(r->book);
    const struct book_entry entry = {.kind         = LEAF_BUNDLE,
                                     .branch       = {(uint32_t)(n % BRANCHES)},
                                     .terminal     = {(uint32_t)(n % BRANCHES)},
                                     .revision     = (uint32_t)((n - 1) / BRANCHES + 1),
                                     .payload_len  = 100,
                                     .envelope_len = 300,
                                     .accepted_ms  = 1000 + n + salt,
                                     .payload      = fixture_hash("payload", n),
                                     .envelope     = fixture_hash("envelope", n)};
    const enum tly_err      err   = book_append(r->book, &entry);
    TLY_CHECK(err == TLY_OK);
}

static inline void
rig_sign(struct rig *r)
{
    struct book_head head;
    fixture_sign(&r->f, r->book, &head);
    const enum tly_err err = book_add_head(r->book, &head);
    TLY_CHECK(err == TLY_OK);
}

static inline void
rig_grow(struct rig *r, uint64_t size)
{
    while (book_size(r->book) < size) {
        rig_append(r, 0);
    }
    rig_sign(r);
}

/* The payload of an entry: of every length, some over the writer's buffer. */
static inline struct tly_bytes
rig_payload(uint64_t n)
{
    static uint8_t data[400000];
    const size_t   len   = n % 1000 == 517 ? sizeof data - n % 3 : n % 50 + 1;
    uint64_t       state = n;
    for (size_t i = 0; i < len; i += 997) {
        data[i] = (uint8_t)rnd(&state);
    }
    return (struct tly_bytes){data, len};
}

static inline struct publish_envelope
rig_envelope(uint64_t n)
{
    return (struct publish_envelope){tly_text("{\"payload\":\""), rig_payload(n),
                                     tly_text("\",\"payloadType\":\"x\",\"signatures\":[]}"),
                                     n % 2 == 0 ? TLY_BASE64_STD : TLY_BASE64_URL};
}

static inline bool
rig_withheld(const struct rig *r, uint64_t n)
{
    return r->withheld_each > 0 && n % r->withheld_each == 0;
}

/* Its exact bytes, in a buffer of this function's own. */
static inline struct tly_bytes
rig_exact(uint64_t n)
{
    static uint8_t                out[600000];
    const struct publish_envelope e   = rig_envelope(n);
    size_t                        len = e.head.len;
    memcpy(out, e.head.data, len);
    tly_base64_encode(e.payload, e.alphabet, (char *)out + len);
    len += TLY_BASE64_LEN(e.payload.len);
    memcpy(out + len, e.tail.data, e.tail.len);
    return (struct tly_bytes){out, len + e.tail.len};
}

/* exact: as the start gives them, whole; else as a batch does, in parts. */
static inline enum tly_err
rig_add(struct rig *r, uint64_t from, bool exact)
{
    enum tly_err err = TLY_OK;
    for (uint64_t n = from; err == TLY_OK && n < book_size(r->book); n++) {
        const struct publish_envelope whole = {.head = rig_exact(n)};
        const struct publish_envelope parts = rig_envelope(n);
        err                                 = publish_add(r->publish, n,
                          n == 0  ? NULL
                                                          : exact ? &whole
                                                                  : &parts,
                                                          rig_withheld(r, n), &r->diag);
    }
    return err;
}

static inline enum tly_err
rig_open(struct rig *r)
{
    const struct publish_config config = {.dir             = r->dir,
                                          .election        = &r->f.election,
                                          .book            = r->book,
                                          .vkey            = &r->f.vkey,
                                          .definition      = r->definition,
                                          .registry        = r->registry,
                                          .definition_hash = r->definition_hash,
                                          .registry_hash   = r->registry_hash,
                                          .policy          = ""};
    r->diag                            = (struct tly_diag){0};
    return publish_open(&config, &r->publish, &r->diag);
}

/* A whole start. */
static inline enum tly_err
rig_start(struct rig *r)
{
    enum tly_err err = rig_open(r);
    if (err == TLY_OK) {
        publish_begin(r->publish, book_size(r->book));
        err = rig_add(r, 0, true);
    }
    return err == TLY_OK ? publish_complete(r->publish, &r->diag) : err;
}

/* ---- the reader ---- */

static inline struct tly_bytes
rig_read(const struct rig *r, struct tly_arena *arena, const char *name)
{
    char             path[FILE_PATH_SIZE];
    struct tly_bytes out = {0};
    file_path(path, "%s/%s", r->dir, name);
    return file_read(path, (size_t)1 << 30, arena, &out, NULL) == TLY_OK ? out
                                                                         : (struct tly_bytes){0};
}

static inline struct tly_bytes
rig_tile(const struct rig *r, struct tly_arena *arena, struct tile tile)
{
    char path[TILE_PATH_SIZE];
    (void)tile_path(&tile, path);
    return rig_read(r, arena, path);
}

/* The leaves of one entry tile, into the tree. */
static inline bool
rig_entries(const struct rig *r, uint64_t n, uint64_t size, struct merkle *tree)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = RIG_ARENA_MAX};
    const unsigned                   width = tile_width(0, n, size);
    const struct tly_bytes file  = rig_tile(r, &arena, (struct tile){TILE_ENTRIES, 0, n, width});
    size_t                 at    = 0;
    unsigned               count = 0;
    for (; at + 2 <= file.len; count++) {
        const size_t          len  = (size_t)file.data[at] << 8 | file.data[at + 1];
        const struct tly_hash leaf = merkle_leaf((struct tly_bytes){file.data + at + 2, len});
        if (at + 2 + len > file.len || !merkle_append(tree, &leaf)) {
            return false;
        }
        at += 2 + len;
    }
    return at == file.len && count == width;
}

/* The envelopes of one pack. */
static inline bool
rig_pack(const struct rig *r, uint64_t n, uint64_t size)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = RIG_ARENA_MAX};
    const unsigned                   width = tile_width(0, n, size);
    const struct tly_bytes file  = rig_tile(r, &arena, (struct tile){TILE_BUNDLES, 0, n, width});
    size_t                 at    = 0;
    unsigned               count = 0;
    for (; at + 4 <= file.len; count++) {
        const uint64_t position = n * TILE_WIDTH + count;
        const uint32_t len = (uint32_t)file.data[at] << 24 | (uint32_t)file.data[at + 1] << 16 |
                             (uint32_t)file.data[at + 2] << 8 | file.data[at + 3];
        at += 4;
        if (position == 0 || rig_withheld(r, position)) {
            if (len != (rig_withheld(r, position) ? UINT32_MAX : 0)) {
                return false;
            }
            continue;
        }
        if (len > file.len - at ||
            !tly_bytes_eq(rig_exact(position), (struct tly_bytes){file.data + at, len})) {
            return false;
        }
        at += len;
    }
    return at == file.len && count == width;
}

static inline bool
rig_hashes(const struct rig *r, const struct merkle *tree)
{
    bool good = true;
    for (unsigned level = 0; level < 5; level++) {
        for (uint64_t n = 0; tile_width(level, n, tree->size) > 0 && good; n++) {
            TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = RIG_ARENA_MAX};
            const unsigned                   width = tile_width(level, n, tree->size);
            const struct tly_bytes           file =
                rig_tile(r, &arena, (struct tile){TILE_HASHES, level, n, width});
            good = file.len == (size_t)32 * width;
            for (unsigned i = 0; i < width && good; i++) {
                const struct tly_hash hash = merkle_subtree(tree, 8 * level, n * 256 + i);
                good                       = memcmp(hash.b, file.data + (size_t)32 * i, 32) == 0;
            }
        }
    }
    return good;
}

/* Is everything there that the checkpoint promises, and the checkpoint the newest head's? */
static inline bool
rig_right(const struct rig *r)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = RIG_ARENA_MAX};
    const struct tly_bytes           note  = rig_read(r, &arena, "checkpoint");
    struct note_head                 head  = {0};
    struct merkle                    tree;
    bool                             good = merkle_init(&tree, &arena) && note.len > 0 &&
                note_check(note, &r->f.vkey, &head, NULL) == TLY_OK &&
                head.size == book_newest_head(r->book)->size;
    for (uint64_t n = 0; good && tile_width(0, n, head.size) > 0; n++) {
        good = rig_entries(r, n, head.size, &tree) && rig_pack(r, n, head.size);
    }
    const struct tly_hash root = merkle_root(&tree, tree.size);
    return good && tree.size == head.size && tly_hash_eq(&root, &head.root) &&
           rig_hashes(r, &tree) && rig_read(r, &arena, "policy").len > 0 &&
           rig_read(r, &arena, "doc/registry/terminals.csv").len > 0 &&
           rig_read(r, &arena, "doc/definition/signatures.dsse").len > 0;
}
