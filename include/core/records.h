/* SPDX-License-Identifier: Apache-2.0 */
/* The records of published files: leaf texts of an entries tile, envelopes of a pack (doc/formats.md,
 * the published folder). */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "core/tile.h"

struct record {
    struct tly_bytes bytes;    /* a view of the file */
    bool             withheld; /* in a pack: only the leaf's hash stands for it */
};

/* Takes the first `width` records of a file apart; *used: how many bytes they take.
 *
 * kind:    TILE_ENTRIES (length in 2 bytes) or TILE_BUNDLES (4).
 * Limits:  width 1 to TILE_WIDTH; a leaf text LEAF_LEN_MAX.
 * Returns: false (records[] and *used undefined): the file ends before, or a leaf is too long. */
TLY_MUST bool records_split(struct tly_bytes file, enum tile_kind kind, unsigned width,
                            struct record records[TILE_WIDTH], size_t *used);
