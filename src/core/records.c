/* SPDX-License-Identifier: Apache-2.0 */
#include "core/records.h"

#include "base/be.h"
#include "base/check.h"
#include "core/leaf.h"

#define ENTRY_PREFIX  2
#define BUNDLE_PREFIX 4

/* One record at the file's beginning; its bytes with the length, 0: it is cut or too long. */
static size_t
record_read(struct tly_bytes file, enum tile_kind kind, struct record *out)
{
    const unsigned prefix = kind == TILE_ENTRIES ? ENTRY_PREFIX : BUNDLE_PREFIX;
    if (file.len < prefix) {
        return 0;
    }
    const uint32_t len = (uint32_t)tly_be_get(file.data, prefix);
    if (kind == TILE_BUNDLES && len == TILE_ENVELOPE_WITHHELD) {
        *out = (struct record){.withheld = true};
        return prefix;
    }
    if (len > file.len - prefix || (kind == TILE_ENTRIES && len > LEAF_LEN_MAX)) {
        return 0;
    }
    *out = (struct record){.bytes = {file.data + prefix, len}};
    return prefix + len;
}

bool
records_split(struct tly_bytes file, enum tile_kind kind, unsigned width,
              struct record records[TILE_WIDTH], size_t *used)
{
    size_t at = 0;
    TLY_CHECK(kind != TILE_HASHES);
    TLY_CHECK(width >= 1 && width <= TILE_WIDTH);
    for (unsigned i = 0; i < width; i++) {
        const struct tly_bytes rest = {file.data + at, file.len - at};
        const size_t           len  = record_read(rest, kind, &records[i]);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    *used = at;
    return true;
}
