/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tile.h"

#include "base/check.h"
#include "base/num.h"
#include "base/text.h"

#define GROUPS_MAX 6U /* of three digits: every number below 10^18 */
#define LEVEL_MAX  63U
#define N_MAX      UINT64_C(999999999999999999)

/* ---- writing ---- */

static void
group_write(struct text *text, uint64_t value)
{
    const char digits[] = {(char)('0' + value / 100 % 10), (char)('0' + value / 10 % 10),
                           (char)('0' + value % 10), '\0'};
    text_add(text, digits);
}

/* Groups of three digits, all but the last with an x and a slash behind. */
static void
number_write(struct text *text, uint64_t n)
{
    uint64_t scale = 1;
    while (n / scale >= 1000) {
        scale *= 1000;
    }
    for (; scale > 1; scale /= 1000) {
        text_add(text, "x");
        group_write(text, n / scale % 1000);
        text_add(text, "/");
    }
    group_write(text, n % 1000);
}

size_t
tile_path(const struct tile *tile, char out[TILE_PATH_SIZE])
{
    struct text text;
    text_init(&text, out, TILE_PATH_SIZE);
    TLY_CHECK(tile->width >= 1 && tile->width <= TILE_WIDTH);
    TLY_CHECK(tile->n <= N_MAX);
    if (tile->kind == TILE_HASHES) {
        text_add(&text, "tile/");
        text_add_u64(&text, tile->level);
        text_add(&text, "/");
    } else {
        text_add(&text, tile->kind == TILE_ENTRIES ? "tile/entries/" : "bundle/");
    }
    number_write(&text, tile->n);
    if (tile->width < TILE_WIDTH) {
        text_add(&text, ".p/");
        text_add_u64(&text, tile->width);
    }
    const size_t len = text_done(&text);
    TLY_CHECK(len > 0);
    return len;
}

/* ---- reading ---- */

struct reader {
    const uint8_t *p, *end;
};

static bool
take(struct reader *r, const char *word)
{
    const size_t len = strlen(word);
    if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0) {
        return false;
    }
    r->p += len;
    return true;
}

static size_t
digits(const struct reader *r)
{
    const uint8_t *p = r->p;
    while (p < r->end && *p >= '0' && *p <= '9') {
        p++;
    }
    return (size_t)(p - r->p);
}

/* A decimal number without leading zeros. */
static bool
take_number(struct reader *r, uint64_t max, uint64_t *out)
{
    const size_t len = digits(r);
    if ((len > 1 && *r->p == '0') || !tly_u64_parse((struct tly_bytes){r->p, len}, max, out)) {
        return false;
    }
    r->p += len;
    return true;
}

static bool
take_group(struct reader *r, uint64_t *n)
{
    if (r->end - r->p < 3) {
        return false;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (r->p[i] < '0' || r->p[i] > '9') {
            return false;
        }
        *n = *n * 10 + (uint64_t)(r->p[i] - '0');
    }
    r->p += 3;
    return true;
}

static bool
take_groups(struct reader *r, uint64_t *out)
{
    uint64_t n      = 0;
    unsigned groups = 0;
    while (take(r, "x")) {
        if (++groups == GROUPS_MAX || !take_group(r, &n) || n == 0 || !take(r, "/")) {
            return false; /* n == 0: the same number has a shorter form */
        }
    }
    if (!take_group(r, &n)) {
        return false;
    }
    *out = n;
    return true;
}

bool
tile_parse(struct tly_bytes path, struct tile *out)
{
    struct reader r     = {path.data, path.data + path.len};
    struct tile   tile  = {.width = TILE_WIDTH};
    uint64_t      level = 0, width = 0;
    if (take(&r, "bundle/")) {
        tile.kind = TILE_BUNDLES;
    } else if (take(&r, "tile/entries/")) {
        tile.kind = TILE_ENTRIES;
    } else if (take(&r, "tile/") && take_number(&r, LEVEL_MAX, &level) && take(&r, "/")) {
        tile.kind  = TILE_HASHES;
        tile.level = (unsigned)level;
    } else {
        return false;
    }
    if (!take_groups(&r, &tile.n)) {
        return false;
    }
    if (take(&r, ".p/")) {
        if (!take_number(&r, TILE_WIDTH - 1, &width) || width == 0) {
            return false;
        }
        tile.width = (unsigned)width;
    }
    if (r.p != r.end) {
        return false;
    }
    *out = tile;
    return true;
}

/* ---- what stands in one ---- */

unsigned
tile_width(unsigned level, uint64_t n, uint64_t size)
{
    const unsigned shift = level * TILE_BITS;
    const uint64_t all   = shift < 64 ? size >> shift : 0;
    if (n >= (all + TILE_WIDTH - 1) / TILE_WIDTH) {
        return 0;
    }
    const uint64_t left = all - n * TILE_WIDTH;
    return left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
}

void
tile_hashes(const struct merkle *tree, const struct tile *tile, uint8_t out[TILE_BYTES])
{
    TLY_CHECK(tile->kind == TILE_HASHES);
    TLY_CHECK(tile->level < TILE_LEVELS_MAX);
    for (unsigned i = 0; i < tile->width; i++) {
        const struct tly_hash hash =
            merkle_subtree(tree, tile->level * TILE_BITS, tile->n * TILE_WIDTH + i);
        memcpy(out + i * sizeof hash.b, hash.b, sizeof hash.b);
    }
}
