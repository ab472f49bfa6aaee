/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include "base/check.h"

#define DIGITS_MAX 20 /* of 2^64 - 1 */

void
text_init(struct text *text, char *storage, size_t size)
{
    TLY_CHECK(size > 0);
    *text    = (struct text){.p = storage, .size = size};
    *storage = '\0';
}

void
text_add_bytes(struct text *text, struct tly_bytes bytes)
{
    if (bytes.len >= text->size - text->len) {
        text->cut = true;
        return;
    }
    if (bytes.len > 0) {
        memcpy(text->p + text->len, bytes.data, bytes.len);
    }
    text->len += bytes.len;
    text->p[text->len] = '\0';
}

void
text_add(struct text *text, const char *s)
{
    text_add_bytes(text, tly_text(s));
}

/* Writes the digits at the end of d and tells how many. */
static size_t
digits(uint64_t v, char d[DIGITS_MAX])
{
    size_t n = 0;
    do {
        d[DIGITS_MAX - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    return n;
}

void
text_add_u64(struct text *text, uint64_t v)
{
    char         d[DIGITS_MAX];
    const size_t n = digits(v, d);
    text_add_bytes(text, (struct tly_bytes){(const uint8_t *)d + DIGITS_MAX - n, n});
}

void
text_add_u64_fa(struct text *text, uint64_t v)
{
    char         d[DIGITS_MAX];
    char         fa[DIGITS_MAX * 2]; /* U+06F0 to U+06F9: DB B0 to DB B9 */
    const size_t n = digits(v, d);
    for (size_t i = 0; i < n; i++) {
        fa[2 * i]     = '\xdb';
        fa[2 * i + 1] = (char)(d[DIGITS_MAX - n + i] - '0' + 0xb0);
    }
    text_add_bytes(text, (struct tly_bytes){(const uint8_t *)fa, 2 * n});
}
