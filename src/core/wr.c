/* SPDX-License-Identifier: Apache-2.0 */
#include "wr.h"

#include "base/hex.h"

/* Room for n characters, or NULL. */
static char *
take(struct wr *wr, size_t n)
{
    if (wr->full || (size_t)(wr->end - wr->p) < n) {
        wr->full = true;
        return NULL;
    }
    char *p = wr->p;
    wr->p += n;
    return p;
}

void
wr_bytes(struct wr *wr, struct tly_bytes bytes)
{
    char *p = take(wr, bytes.len);
    if (p != NULL && bytes.len > 0) {
        memcpy(p, bytes.data, bytes.len);
    }
}

void
wr_text(struct wr *wr, const char *text)
{
    wr_bytes(wr, tly_text(text));
}

void
wr_u64(struct wr *wr, uint64_t n)
{
    uint8_t digits[20];
    size_t  at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    wr_bytes(wr, (struct tly_bytes){digits + at, sizeof digits - at});
}

void
wr_hex(struct wr *wr, const uint8_t *data, size_t len)
{
    char *p = take(wr, 2 * len + 1); /* tly_hex() writes a NUL */
    if (p != NULL) {
        tly_hex(data, len, p);
        wr->p--;
    }
}

void
wr_hash(struct wr *wr, const struct tly_hash *hash)
{
    wr_hex(wr, hash->b, sizeof hash->b);
}

void
wr_base64(struct wr *wr, struct tly_bytes data, enum tly_base64 alphabet)
{
    char *p = take(wr, TLY_BASE64_LEN(data.len));
    if (p != NULL) {
        tly_base64_encode(data, alphabet, p);
    }
}

size_t
wr_done(struct wr *wr, const char *start)
{
    char *p = take(wr, 1);
    if (p == NULL) {
        return 0;
    }
    *p = '\0';
    return (size_t)(p - start);
}
