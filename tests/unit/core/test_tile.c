/* SPDX-License-Identifier: Apache-2.0 */
/* Names and widths of published tiles: the examples of C2SP tlog-tiles, every name read back, and
 * nothing read that would not be written so. */
#include "core/tile.h"
#include "t.h"

static bool
is_path(struct tile tile, const char *want)
{
    char         path[TILE_PATH_SIZE];
    struct tile  back;
    const size_t len  = tile_path(&tile, path);
    const bool   same = len == strlen(want) && strcmp(path, want) == 0;
    return same && tile_parse(tly_text(path), &back) && back.kind == tile.kind &&
           back.level == tile.level && back.n == tile.n && back.width == tile.width;
}

static void
names(void)
{
    T_OK(is_path((struct tile){TILE_HASHES, 0, 1234067, 256}, "tile/0/x001/x234/067"),
         "C2SP's example");
    T_OK(is_path((struct tile){TILE_HASHES, 63, 0, 1}, "tile/63/000.p/1"), "the highest level");
    T_OK(is_path((struct tile){TILE_ENTRIES, 0, 999, 255}, "tile/entries/999.p/255"), "999");
    T_OK(is_path((struct tile){TILE_ENTRIES, 0, 1000, 256}, "tile/entries/x001/000"), "1000");
    T_OK(is_path((struct tile){TILE_BUNDLES, 0, 273, 112}, "bundle/273.p/112"), "a pack");
    T_OK(is_path((struct tile){TILE_BUNDLES, 0, UINT64_C(999999999999999999), 256},
                 "bundle/x999/x999/x999/x999/x999/999"),
         "the largest number");
    static const char *const bad[] = {"",
                                      "tile",
                                      "tile/",
                                      "tile/0",
                                      "tile/0/",
                                      "tile/0/0",
                                      "tile/0/00",
                                      "tile/0/0000",
                                      "tile/00/000",
                                      "tile/64/000",
                                      "tile/-1/000",
                                      "tile/0/x000/000",
                                      "tile/0/x000/x001/000",
                                      "tile/0/001/000",
                                      "tile/0/x001",
                                      "tile/0/x001/",
                                      "tile/0/x001/x002",
                                      "tile/0/000.p",
                                      "tile/0/000.p/",
                                      "tile/0/000.p/0",
                                      "tile/0/000.p/01",
                                      "tile/0/000.p/256",
                                      "tile/0/000.p/1/",
                                      "tile/0/000/",
                                      "tile/0/000.P/1",
                                      "tile/0/X001/000",
                                      "tile/entries/0/000",
                                      "tile/entries/x1/000",
                                      "/tile/0/000",
                                      "tile//000",
                                      "bundle/",
                                      "bundle/../000",
                                      "bundle/000/..",
                                      "bundle/0/000",
                                      "bundle/x01/000",
                                      "bundle/x001/x001/x001/x001/x001/x001/000",
                                      "tile/0/\xD9\xA0\xD9\xA0\xD9\xA0",
                                      "tile/0/ 00"};
    for (size_t i = 0; i < TLY_N(bad); i++) {
        struct tile tile;
        T_OK(!tile_parse(tly_text(bad[i]), &tile), bad[i][0] == '\0' ? "no name" : bad[i]);
    }
}

static void
widths(void)
{
    static const struct {
        uint64_t size;
        unsigned level;
        uint64_t n;
        unsigned width;
    } rows[] = {
        {0, 0, 0, 0},         {1, 0, 0, 1},         {255, 0, 0, 255},   {255, 1, 0, 0},
        {256, 0, 0, 256},     {256, 0, 1, 0},       {256, 1, 0, 1},     {257, 0, 1, 1},
        {511, 0, 1, 255},     {511, 1, 0, 1},       {512, 1, 0, 2},     {65535, 1, 0, 255},
        {65535, 2, 0, 0},     {65536, 1, 0, 256},   {65536, 2, 0, 1},   {65537, 0, 256, 1},
        {70000, 0, 272, 256}, {70000, 0, 273, 112}, {70000, 0, 274, 0}, {70000, 1, 0, 256},
        {70000, 1, 1, 17},    {70000, 2, 0, 1},     {70000, 3, 0, 0},   {UINT64_MAX, 63, 0, 0}};
    for (size_t i = 0; i < TLY_N(rows); i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "size %llu, level %u, tile %llu",
                       (unsigned long long)rows[i].size, rows[i].level,
                       (unsigned long long)rows[i].n);
        T_EQ(tile_width(rows[i].level, rows[i].n, rows[i].size), rows[i].width, name);
    }
}

int
main(void)
{
    names();
    widths();
    return T_DONE();
}
