/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a file lie in it, one behind another, and fill what is said to be used.  First byte: kind and width. */
#include "base/check.h"
#include "core/leaf.h"
#include "core/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct tly_bytes file, enum tile_kind kind, unsigned width)
{
    static struct record records[TILE_WIDTH];
    const size_t         prefix = kind == TILE_ENTRIES ? 2 : 4;
    size_t               used   = 0;
    size_t               at     = 0;
    if (!records_split(file, kind, width, records, &used)) {
        return;
    }
    for (unsigned i = 0; i < width; i++) {
        at += prefix;
        TLY_CHECK(records[i].withheld || records[i].bytes.data == file.data + at);
        TLY_CHECK(!records[i].withheld || (kind == TILE_BUNDLES && records[i].bytes.len == 0));
        TLY_CHECK(kind != TILE_ENTRIES || records[i].bytes.len <= LEAF_LEN_MAX);
        at += records[i].bytes.len;
    }
    TLY_CHECK(at == used && used <= file.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 2) {
        const struct tly_bytes file = {data + 2, size - 2};
        check(file, (data[0] & 1) != 0 ? TILE_ENTRIES : TILE_BUNDLES, data[1] + 1U);
    }
    return 0;
}
