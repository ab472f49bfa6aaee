/* SPDX-License-Identifier: Apache-2.0 */
/* Proves which codes are well formed, and that the table finds exactly what was put in. */
#include "core/codes.h"

#include "base/attr.h"
#include "t.h"

#define N 50000

static void
valid(void)
{
    unsigned chars = 0;
    for (unsigned c = 0; c < 256; c++) {
        const uint8_t one = (uint8_t)c;
        chars += codes_valid((struct tly_bytes){&one, 1});
    }
    T_EQ(chars, 26 + 26 + 10 + 3, "letters, digits, dot, underscore, hyphen and nothing else");
    static const char long_code[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const uint8_t *p = (const uint8_t *)long_code;
    T_OK(codes_valid((struct tly_bytes){p, 64}), "64 characters");
    T_OK(!codes_valid((struct tly_bytes){p, 65}), "65 characters");
    T_OK(!codes_valid((struct tly_bytes){p, 0}), "none");
    T_OK(!codes_valid((struct tly_bytes){(const uint8_t *)"a\0b", 3}), "a NUL inside");
}

static void
table(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct codes                     codes;
    static char                      texts[N][16];
    bool                             added = true;
    bool                             found = true;
    bool                             twice = true;
    bool                             alien = true;
    tly_arena_init(&arena, (size_t)64 << 20);
    T_OK(codes_init(&codes, &arena, 2 * N), "room for 100,000");
    for (uint32_t i = 0; i < N; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%05u-%u", i % 40000, i / 40000);
        added = codes_add(&codes, 1, texts[i], i) && codes_add(&codes, 2, texts[i], i + N) && added;
    }
    for (uint32_t i = 0; i < N; i++) {
        char other[32];
        found = found && codes_find(&codes, 1, tly_text(texts[i])) == i &&
                codes_find(&codes, 2, tly_text(texts[i])) == i + N;
        twice = twice && !codes_add(&codes, 1, texts[i], 7);
        (void)snprintf(other, sizeof other, "%05u-%ux", i % 40000, i / 40000);
        alien = alien && codes_find(&codes, 3, tly_text(texts[i])) == IX_NONE &&
                codes_find(&codes, 1, tly_text(other)) == IX_NONE &&
                codes_find(&codes, 1,
                           (struct tly_bytes){(const uint8_t *)texts[i], strlen(texts[i]) - 1}) ==
                    IX_NONE;
    }
    T_OK(added, "the same codes in two scopes");
    T_OK(found, "each found in its own scope");
    T_OK(twice, "a code already there is refused");
    T_OK(alien, "other scopes, longer and shorter codes are not found");
    T_EQ(codes_find(&codes, 1, tly_text("")), IX_NONE, "the empty text is not found");
    static const uint8_t nul[3] = {'0', 0, '1'};
    T_EQ(codes_find(&codes, 1, (struct tly_bytes){nul, 3}), IX_NONE, "a NUL inside is not found");
    static uint8_t big[4096];
    T_EQ(codes_find(&codes, 1, (struct tly_bytes){big, sizeof big}), IX_NONE, "nor is 4 KB");
}

static void
small(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct codes                     codes;
    tly_arena_init(&arena, 1 << 16);
    T_OK(codes_init(&codes, &arena, 0) && codes_find(&codes, 0, tly_text("a")) == IX_NONE,
         "a table of none");
    T_OK(codes_init(&codes, &arena, 1) && codes_add(&codes, 0, "a", 5) &&
             codes_find(&codes, 0, tly_text("a")) == 5,
         "a table of one");
    T_OK(!codes_init(&codes, &arena, 1 << 20), "no memory: told");
}

int
main(void)
{
    valid();
    table();
    small();
    return T_DONE();
}
