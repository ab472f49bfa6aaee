/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the tree against the hashes that the entries lead to, and smaller partial files against the
 * larger ones. */
#include "wanted.h"

#define TILE_MAX    ((size_t)1 << 20)
#define RECORDS_MAX ((size_t)256 << 20)

/* Were all the entries below hash i of this tile read? */
static bool
hash_known(const struct verify *v, const struct tile *tile, unsigned i)
{
    const uint64_t hash = tile->n * TILE_WIDTH + i;
    if (tile->level == 0) {
        return v->known[hash / TILE_WIDTH];
    }
    const unsigned shift = (tile->level - 1) * TILE_BITS; /* tiles of entries below one hash */
    for (uint64_t n = hash << shift; n < (hash + 1) << shift; n++) {
        if (!v->known[n]) {
            return false;
        }
    }
    return true;
}

/* The first `width` hashes of a file of the tree. */
static enum tly_err
hashes_check(struct verify *v, const struct archive_file *file, const struct tile *tile,
             unsigned file_width)
{
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = TILE_MAX};
    struct tly_bytes                 bytes;
    uint8_t                          want[TILE_BYTES];
    if (file->size != file_width * sizeof(struct tly_hash)) {
        findings_add(&v->findings, FOUND_FILE_SIZE, file->path);
        return TLY_OK;
    }
    const enum tly_err err = archive_read(v->archive, file, &scratch, &bytes, &v->diag);
    if (err != TLY_OK) {
        return err;
    }
    tile_hashes(&v->tree, tile, want);
    for (unsigned i = 0; i < tile->width; i++) {
        const size_t at = i * sizeof(struct tly_hash);
        if (hash_known(v, tile, i) &&
            memcmp(bytes.data + at, want + at, sizeof(struct tly_hash)) != 0) {
            findings_add(&v->findings, FOUND_TILE_HASH, file->path);
            break;
        }
    }
    return TLY_OK;
}

static enum tly_err
levels_check(struct verify *v)
{
    const uint64_t size = v->note.head.size;
    enum tly_err   err  = TLY_OK;
    for (unsigned level = 0; level < TILE_LEVELS_MAX && err == TLY_OK; level++) {
        struct tile tile = {.kind = TILE_HASHES, .level = level};
        for (tile.width = tile_width(level, 0, size); tile.width > 0 && err == TLY_OK;
             tile.width = tile_width(level, ++tile.n, size)) {
            const struct wanted w = wanted_find(v->archive, &tile);
            if (w.bad) {
                findings_add(&v->findings, w.found, w.path);
            } else {
                err = hashes_check(v, w.file, &tile, w.whole ? TILE_WIDTH : tile.width);
            }
        }
    }
    return err;
}

/* ---- smaller partial files ---- */

static bool
same_records(const struct record a[], const struct record b[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (a[i].withheld != b[i].withheld || !tly_bytes_eq(a[i].bytes, b[i].bytes)) {
            return false;
        }
    }
    return true;
}

/* A smaller pack or file of entries is the beginning of the one that was read. */
static enum tly_err
beginning_check(struct verify *v, const struct archive_file *file, const struct tile *small,
                unsigned width)
{
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = RECORDS_MAX};
    struct tile                      whole   = *small;
    struct record                    records[TILE_WIDTH];
    struct record                    first[TILE_WIDTH];
    whole.width          = width;
    struct wanted main   = wanted_find(v->archive, &whole);
    struct wanted partly = {.file = file};
    enum tly_err  err    = wanted_records(v->archive, &whole, &main, &scratch, records, &v->diag);
    if (err != TLY_OK || main.bad) {
        return err;
    }
    if (file->size > VERIFY_FILE_MAX) {
        findings_add(&v->findings, FOUND_FILE_SIZE, file->path);
        return TLY_OK;
    }
    err = wanted_records(v->archive, small, &partly, &scratch, first, &v->diag);
    if (err == TLY_OK && (partly.bad || !same_records(records, first, small->width))) {
        findings_add(&v->findings, FOUND_FILE_SYNTAX, file->path);
    }
    return err;
}

static enum tly_err
partials_check(struct verify *v)
{
    const uint64_t size = v->note.head.size;
    enum tly_err   err  = TLY_OK;
    for (size_t i = 0; i < archive_files_n(v->archive) && err == TLY_OK; i++) {
        const struct archive_file *file = archive_file(v->archive, i);
        struct tile                tile;
        if (!tile_parse(tly_text(file->path), &tile) || tile.level >= TILE_LEVELS_MAX) {
            continue;
        }
        const unsigned width = tile_width(tile.level, tile.n, size);
        if (tile.width >= width) {
            continue; /* read already, or of a larger log */
        }
        err = tile.kind == TILE_HASHES ? hashes_check(v, file, &tile, tile.width)
                                       : beginning_check(v, file, &tile, width);
    }
    return err;
}

enum tly_err
verify_tiles(struct verify *v)
{
    const enum tly_err err = levels_check(v);
    return err == TLY_OK ? partials_check(v) : err;
}
