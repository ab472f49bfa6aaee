/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include "base/check.h"
#include "base/hex.h"

#define DIGITS_MAX 20 /* of 2^64 - 1 */

void
text_init(struct text *text, char *storage, size_t size)
{
    TLY_CHECK(size > 0);
    *text    = (struct text){.p = storage, .size = size};
    *storage = '\0';
}

/* Room for n characters with the NUL behind them, or NULL. */
static char *
take(struct text *text, size_t n)
{
    if (n >= text->size - text->len) {
        text->cut = true;
        return NULL;
    }
    char *p = text->p + text->len;
    text->len += n;
    text->p[text->len] = '\0';
    return p;
}

void
text_add_bytes(struct text *text, struct tly_bytes bytes)
{
    char *p = take(text, bytes.len);
    if (p != NULL && bytes.len > 0) {
        memcpy(p, bytes.data, bytes.len);
    }
}

void
text_add_hex(struct text *text, const uint8_t *data, size_t len)
{
    char *p = take(text, TLY_HEX_SIZE(len) - 1);
    if (p != NULL) {
        tly_hex(data, len, p);
    }
}

void
text_add_hash(struct text *text, const struct tly_hash *hash)
{
    text_add_hex(text, hash->b, sizeof hash->b);
}

void
text_add_base64(struct text *text, struct tly_bytes data, enum tly_base64 alphabet)
{
    char *p = take(text, TLY_BASE64_LEN(data.len));
    if (p != NULL) {
        tly_base64_encode(data, alphabet, p);
    }
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

size_t
text_done(const struct text *text)
{
    return text->cut ? 0 : text->len;
}
