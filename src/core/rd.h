/* SPDX-License-Identifier: Apache-2.0 */
/* A reading cursor over borrowed text: line formats (notes, leaves, receipts) and JSON as RFC 8259
 * has it.  Every function returns false, and leaves the cursor where it failed, on what is not
 * there. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

struct rd {
    const uint8_t *p;
    const uint8_t *end;
};

/* A JSON string's inside: between the quotes, escapes as they stand. */
struct rd_string {
    struct tly_bytes raw;
    bool             escaped; /* holds a backslash */
    bool             nul;     /* holds \u0000 */
};

/* A JSON integer. */
struct rd_int {
    bool     negative; /* then n means nothing */
    bool     over;     /* near 2^63 or more; then n means nothing */
    uint64_t n;
};

static inline struct rd
rd_of(struct tly_bytes in)
{
    return (struct rd){in.data, in.data + in.len};
}

static inline size_t
rd_left(const struct rd *rd)
{
    return (size_t)(rd->end - rd->p);
}

/* ---- line formats ---- */

/* Exactly this text. */
TLY_MUST bool rd_lit(struct rd *rd, const char *text);
/* Everything up to `stop`, which is passed over. */
TLY_MUST bool rd_until(struct rd *rd, char stop, struct tly_bytes *out);
/* A decimal number in its only spelling, and `stop` behind it. */
TLY_MUST bool rd_u64(struct rd *rd, char stop, uint64_t *out);
/* A code, copied with a NUL to out (CODE_LEN_MAX + 1), and `stop` behind it. */
TLY_MUST bool rd_code(struct rd *rd, char stop, char *out);
/* 64 lower-case digits, and `stop` behind them. */
TLY_MUST bool rd_hash(struct rd *rd, char stop, struct tly_hash *out);

/* ---- JSON: white space may stand before everything ---- */

static inline void
rd_space(struct rd *rd)
{
    while (rd->p < rd->end &&
           (*rd->p == ' ' || *rd->p == '\n' || *rd->p == '\r' || *rd->p == '\t')) {
        rd->p++;
    }
}

/* Passes over the character if it is next. */
TLY_MUST static inline bool
rd_is(struct rd *rd, char c)
{
    rd_space(rd);
    const bool is = rd->p < rd->end && *rd->p == (uint8_t)c;
    rd->p += is;
    return is;
}

/* A whole string: UTF-8, known escapes, surrogates in pairs. */
TLY_MUST bool rd_string(struct rd *rd, struct rd_string *out);
/* A string of which only the end is found; for base64, whose decoder sees every character. */
TLY_MUST bool rd_string_plain(struct rd *rd, struct tly_bytes *out);
/* A number without fraction or exponent, and neither "-0" nor leading zeros. */
TLY_MUST bool rd_int(struct rd *rd, struct rd_int *out);
/* Any value, with at most depth_max (<= 32) arrays and objects in one another.  Keys are not
 * compared. */
TLY_MUST bool rd_skip(struct rd *rd, unsigned depth_max);
/* Writes what a string's inside means to out, never more bytes than raw has; their number. */
size_t rd_unescape(struct tly_bytes raw, uint8_t *out);
