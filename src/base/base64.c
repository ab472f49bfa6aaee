/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a group is stored as a swapped word");

/* What a table says beside the 24 bits of a group that a character brings. */
#define BAD      (UINT32_C(1) << 31) /* in neither alphabet */
#define ONLY_STD (UINT32_C(1) << 30) /* + or / */
#define ONLY_URL (UINT32_C(1) << 29) /* - or _ */

/* One table for each of a group's four characters, already shifted, so that a group is four loads
 * and three ors.  4 KB in all; V common to both alphabets, S only standard, U only URL-safe. */
/* clang-format off */
#define V(s, v) ((uint32_t)(v) << (s))
#define S(s, v) (V(s, v) | ONLY_STD)
#define U(s, v) (V(s, v) | ONLY_URL)
#define B       BAD
#define B16     B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B
#define TABLE(s) \
    B16, \
    B16, \
    B, B, B, B, B, B, B, B, B, B, B, S(s,62), B, U(s,62), B, S(s,63), \
    V(s,52), V(s,53), V(s,54), V(s,55), V(s,56), V(s,57), V(s,58), V(s,59), V(s,60), V(s,61), B, B, B, B, B, B, \
    B, V(s,0), V(s,1), V(s,2), V(s,3), V(s,4), V(s,5), V(s,6), V(s,7), V(s,8), V(s,9), V(s,10), V(s,11), V(s,12), V(s,13), V(s,14), \
    V(s,15), V(s,16), V(s,17), V(s,18), V(s,19), V(s,20), V(s,21), V(s,22), V(s,23), V(s,24), V(s,25), B, B, B, B, U(s,63), \
    B, V(s,26), V(s,27), V(s,28), V(s,29), V(s,30), V(s,31), V(s,32), V(s,33), V(s,34), V(s,35), V(s,36), V(s,37), V(s,38), V(s,39), V(s,40), \
    V(s,41), V(s,42), V(s,43), V(s,44), V(s,45), V(s,46), V(s,47), V(s,48), V(s,49), V(s,50), V(s,51), B, B, B, B, B, \
    B16, B16, B16, B16, B16, B16, B16, B16
static const uint32_t bits_of[4][256] = {{TABLE(18)}, {TABLE(12)}, {TABLE(6)}, {TABLE(0)}};
/* clang-format on */

static const char alphabets[2][65] = {
    [TLY_BASE64_STD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [TLY_BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void
tly_base64_encode(struct tly_bytes in, enum tly_base64 alphabet, char *out)
{
    const char    *digits = alphabets[alphabet];
    const uint8_t *p      = in.data;
    size_t         left   = in.len;
    for (; left >= 3; left -= 3, p += 3, out += 4) {
        const uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        out[0]           = digits[v >> 18];
        out[1]           = digits[v >> 12 & 63];
        out[2]           = digits[v >> 6 & 63];
        out[3]           = digits[v & 63];
    }
    if (left > 0) {
        const uint32_t v = (uint32_t)p[0] << 16 | (left == 2 ? (uint32_t)p[1] << 8 : 0);
        out[0]           = digits[v >> 18];
        out[1]           = digits[v >> 12 & 63];
        out[2]           = '=';
        out[3]           = '=';
        if (left == 2) {
            out[2] = digits[v >> 6 & 63];
        }
    }
}

/* The 24 bits of a group and what its characters say. */
static inline uint32_t
group(const uint8_t *p)
{
    return bits_of[0][p[0]] | bits_of[1][p[1]] | bits_of[2][p[2]] | bits_of[3][p[3]];
}

/* Decodes the last group, the only one that may be padded; 0 bytes: not canonical. */
static size_t
last_group(const uint8_t *p, uint8_t *out, uint32_t *seen)
{
    const size_t   n      = p[3] != '=' ? 3 : p[2] != '=' ? 2 : 1;
    const uint8_t  g[4]   = {p[0], p[1], n > 1 ? p[2] : 'A', n > 2 ? p[3] : 'A'};
    const uint32_t v      = group(g);
    const uint32_t unused = n == 3 ? 0 : n == 2 ? 0xff : 0xffff;
    *seen |= v;
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)(v >> (16 - 8 * i));
    }
    return (v & unused) == 0 ? n : 0;
}

bool
tly_base64_decode(struct tly_bytes text, uint8_t *out, size_t *len, enum tly_base64 *alphabet)
{
    if (text.len % 4 != 0) {
        return false;
    }
    size_t   n    = 0;
    uint32_t seen = 0;
    if (text.len > 0) {
        const uint8_t *last = text.data + text.len - 4;
        for (const uint8_t *p = text.data; p < last; p += 4, n += 3) {
            const uint32_t v    = group(p);
            const uint32_t word = __builtin_bswap32(v << 8);
            seen |= v;
            memcpy(out + n, &word, sizeof word); /* the fourth byte is the next group's first */
        }
        const size_t tail = last_group(last, out + n, &seen);
        if (tail == 0) {
            return false;
        }
        n += tail;
    }
    if ((seen & BAD) != 0 || (seen & (ONLY_STD | ONLY_URL)) == (ONLY_STD | ONLY_URL)) {
        return false;
    }
    *len      = n;
    *alphabet = (seen & ONLY_URL) != 0 ? TLY_BASE64_URL : TLY_BASE64_STD;
    return true;
}
