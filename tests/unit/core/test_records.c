/* SPDX-License-Identifier: Apache-2.0 */
/* Records of published files: taken apart, and refused where the file ends too early; cut at every
 * byte. */
#include "core/leaf.h"
#include "core/records.h"
#include "t.h"

static struct record records[TILE_WIDTH];

static bool
split(const void *data, size_t len, enum tile_kind kind, unsigned width, size_t *used)
{
    return records_split((struct tly_bytes){data, len}, kind, width, records, used);
}

static void
entries(void)
{
    static const uint8_t file[] = {0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'x'};
    size_t               used   = 0;
    T_OK(split(file, sizeof file, TILE_ENTRIES, 3, &used) && used == sizeof file, "three entries");
    T_OK(tly_bytes_eq(records[0].bytes, tly_text("abc")) && records[1].bytes.len == 0 &&
             tly_bytes_eq(records[2].bytes, tly_text("x")),
         "their texts");
    T_OK(split(file, sizeof file, TILE_ENTRIES, 1, &used) && used == 5, "the first alone");
    T_OK(!split(file, sizeof file, TILE_ENTRIES, 4, &used), "not a fourth");
    for (size_t len = 0; len < sizeof file; len++) {
        T_OK(!split(file, len, TILE_ENTRIES, 3, &used), "cut");
    }
}

static void
long_leaf(void)
{
    static uint8_t file[2 + LEAF_LEN_MAX + 1];
    size_t         used;
    file[0] = LEAF_LEN_MAX >> 8;
    T_OK(split(file, 2 + LEAF_LEN_MAX, TILE_ENTRIES, 1, &used) && used == 2 + LEAF_LEN_MAX,
         "the longest leaf");
    file[1] = 1;
    T_OK(!split(file, sizeof file, TILE_ENTRIES, 1, &used), "one byte longer");
}

static void
packs(void)
{
    static const uint8_t file[] = {0,    0,    0,    2,    'h', 'i', 0, 0, 0,  0,
                                   0xff, 0xff, 0xff, 0xff, 0,   0,   0, 1, '!'};
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xfe, 0};
    size_t               used   = 0;
    T_OK(split(file, sizeof file, TILE_BUNDLES, 4, &used) && used == sizeof file, "a pack of four");
    T_OK(tly_bytes_eq(records[0].bytes, tly_text("hi")) && !records[0].withheld, "an envelope");
    T_OK(records[1].bytes.len == 0 && !records[1].withheld, "none");
    T_OK(records[2].bytes.len == 0 && records[2].withheld, "a withheld one has no bytes");
    T_OK(tly_bytes_eq(records[3].bytes, tly_text("!")) && !records[3].withheld, "the next");
    for (size_t len = 0; len < sizeof file; len++) {
        T_OK(!split(file, len, TILE_BUNDLES, 4, &used), "cut");
    }
    T_OK(!split(huge, sizeof huge, TILE_BUNDLES, 1, &used), "a length that no file has");
}

int
main(void)
{
    entries();
    long_leaf();
    packs();
    return T_DONE();
}
