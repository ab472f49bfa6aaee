/* SPDX-License-Identifier: Apache-2.0 */
/* The published files of a log and their names: C2SP tlog-tiles, and beside each entry tile a pack
 * of the entries' envelopes (doc/formats.md, the published folder). */
#pragma once

#include "base/bytes.h"
#include "core/merkle.h"

#define TILE_WIDTH      256 /* entries or hashes of a full one */
#define TILE_BITS       8   /* its logarithm: a level of tiles spans that many of the tree's */
#define TILE_BYTES      (TILE_WIDTH * sizeof(struct tly_hash))
#define TILE_LEVELS_MAX 4  /* tile levels of a tree of MERKLE_LEVELS_MAX */
#define TILE_PATH_SIZE  64 /* the longest path and its NUL */

#define TILE_ENVELOPE_NONE     UINT32_C(0)          /* in a pack: the entry has no envelope */
#define TILE_ENVELOPE_WITHHELD UINT32_C(0xFFFFFFFF) /* its leaf's hash stands for it */

enum tile_kind {
    TILE_HASHES,  /* tile/L/N         hashes of complete subtrees */
    TILE_ENTRIES, /* tile/entries/N   uint16 length and leaf text, repeated */
    TILE_BUNDLES  /* bundle/N         uint32 length and envelope, repeated */
};

struct tile {
    enum tile_kind kind;
    unsigned       level; /* of TILE_HASHES, 0 to 63; else 0 */
    uint64_t       n;
    unsigned       width; /* 1 to TILE_WIDTH */
};

/* The path below the folder or the URL prefix, "tile/0/x001/234.p/5"; its length, NUL added. */
size_t tile_path(const struct tile *tile, char out[TILE_PATH_SIZE]);
/* Reads a path back; strict: what it accepts, tile_path() writes again byte for byte. */
TLY_MUST bool tile_parse(struct tly_bytes path, struct tile *out);
/* How many entries or hashes tile n of a level has in a tree of that size; 0: there is none. */
unsigned tile_width(unsigned level, uint64_t n, uint64_t size);
/* The bytes of a tile of hashes, 32 for each of its width; tree->size must cover them. */
void tile_hashes(const struct merkle *tree, const struct tile *tile, uint8_t out[TILE_BYTES]);
