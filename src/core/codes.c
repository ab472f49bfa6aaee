/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codes.h"

#include "base/check.h"

/* code NULL: empty.  Hash and length stand here so that a wrong cell seldom costs a second miss. */
struct codes_cell {
    const char *code;
    uint32_t    hash;
    uint32_t    scope;
    uint32_t    ix;
    uint32_t    len;
};

static bool
is_code_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

bool
codes_valid(struct tly_bytes code)
{
    if (code.len < 1 || code.len > CODE_LEN_MAX) {
        return false;
    }
    for (size_t i = 0; i < code.len; i++) {
        if (!is_code_char(code.data[i])) {
            return false;
        }
    }
    return true;
}

/* Eight bytes at a time.  Not keyed: what is stored comes from a signed package, and what is only
 * looked for cannot lengthen a chain. */
static uint32_t
hash_of(uint32_t scope, struct tly_bytes code)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t       h      = (((uint64_t)scope << 32) + code.len) * factor;
    for (size_t at = 0; at < code.len; at += 8) {
        const size_t left = code.len - at;
        uint64_t     word = 0;
        memcpy(&word, code.data + at, left < 8 ? left : 8);
        h = (h ^ word) * factor;
        h ^= h >> 29;
    }
    return (uint32_t)(h >> 32);
}

bool
codes_init(struct codes *codes, struct tly_arena *arena, uint32_t n)
{
    TLY_CHECK(n <= UINT32_MAX / 4);
    uint32_t cells_n = 4;
    while (cells_n < 2 * n) { /* at most half full: a miss looks at 2.5 cells */
        cells_n *= 2;
    }
    struct codes_cell *cells = TLY_NEW(arena, struct codes_cell, cells_n);
    if (cells == NULL) {
        return false;
    }
    *codes = (struct codes){.cells = cells, .mask = cells_n - 1};
    return true;
}

/* The cell that holds the code, or the empty one where it would stand. */
static struct codes_cell *
cell_of(const struct codes *codes, uint32_t scope, struct tly_bytes code, uint32_t hash)
{
    uint32_t at = hash & codes->mask;
    for (;;) {
        struct codes_cell *cell = &codes->cells[at];
        if (cell->code == NULL ||
            (cell->hash == hash && cell->scope == scope && cell->len == code.len &&
             memcmp(cell->code, code.data, code.len) == 0)) {
            return cell;
        }
        at = (at + 1) & codes->mask;
    }
}

bool
codes_add(struct codes *codes, uint32_t scope, const char *code, uint32_t ix)
{
    const struct tly_bytes text = tly_text(code);
    const uint32_t         hash = hash_of(scope, text);
    TLY_CHECK(text.len <= CODE_LEN_MAX);
    struct codes_cell *cell = cell_of(codes, scope, text, hash);
    if (cell->code != NULL) {
        return false;
    }
    TLY_CHECK(codes->used <= codes->mask / 2);
    *cell = (struct codes_cell){
        .code = code, .hash = hash, .scope = scope, .ix = ix, .len = (uint32_t)text.len};
    codes->used++;
    return true;
}

uint32_t
codes_find(const struct codes *codes, uint32_t scope, struct tly_bytes code)
{
    if (code.len < 1 || code.len > CODE_LEN_MAX) {
        return IX_NONE;
    }
    const struct codes_cell *cell = cell_of(codes, scope, code, hash_of(scope, code));
    return cell->code != NULL ? cell->ix : IX_NONE;
}
