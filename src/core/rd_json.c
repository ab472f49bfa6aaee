/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as RFC 8259 has it, without building anything. */
#include "base/check.h"
#include "rd.h"

#define DEPTH_MAX_MAX 32 /* bits of the stack of open brackets */

/* ASCII that stands for itself inside a string. */
static const uint8_t plain[256] = {[0x20 ... 0x21] = 1, [0x23 ... 0x5b] = 1, [0x5d ... 0x7f] = 1};

static bool
is_digit(const struct rd *rd)
{
    return rd->p < rd->end && *rd->p >= '0' && *rd->p <= '9';
}

/* One character of more than one byte: shortest form, no surrogate, at most U+10FFFF (RFC 3629). */
static bool
utf8(struct rd *rd)
{
    const uint8_t *p = rd->p;
    const size_t   n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] < 0xc2 || p[0] > 0xf4 || rd_left(rd) < n) {
        return false;
    }
    const uint8_t least = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    const uint8_t most  = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < least || p[1] > most) {
        return false;
    }
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    rd->p += n;
    return true;
}

/* Four hexadecimal digits. */
static bool
hex4(struct rd *rd, uint32_t *out)
{
    uint32_t v = 0;
    if (rd_left(rd) < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        const uint8_t c = rd->p[i];
        const uint8_t l = c | 0x20; /* lower case, if a letter */
        if (c >= '0' && c <= '9') {
            v = v << 4 | (uint32_t)(c - '0');
        } else if (l >= 'a' && l <= 'f') {
            v = v << 4 | (uint32_t)(l - 'a' + 10);
        } else {
            return false;
        }
    }
    rd->p += 4;
    *out = v;
    return true;
}

/* What stands behind \u, second half of a pair included. */
static bool
code_point(struct rd *rd, uint32_t *out)
{
    uint32_t high;
    uint32_t low;
    if (!hex4(rd, &high)) {
        return false;
    }
    if (high < 0xd800 || high > 0xdfff) {
        *out = high;
        return true;
    }
    if (high > 0xdbff || !rd_lit(rd, "\\u") || !hex4(rd, &low) || low < 0xdc00 || low > 0xdfff) {
        return false;
    }
    *out = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* What a backslash and this letter mean; 0: no escape. */
static uint8_t
escape_of(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* An escape from its backslash on. */
static bool
escape(struct rd *rd, struct rd_string *out)
{
    uint32_t c;
    out->escaped = true;
    if (rd_lit(rd, "\\u")) {
        if (!code_point(rd, &c)) {
            return false;
        }
        out->nul = out->nul || c == 0;
        return true;
    }
    if (rd_left(rd) < 2 || escape_of(rd->p[1]) == 0) {
        return false;
    }
    rd->p += 2;
    return true;
}

bool
rd_string(struct rd *rd, struct rd_string *out)
{
    if (!rd_is(rd, '"')) {
        return false;
    }
    const uint8_t   *start = rd->p;
    struct rd_string s     = {0};
    for (;;) {
        while (rd->p < rd->end && plain[*rd->p]) {
            rd->p++;
        }
        if (rd->p == rd->end || *rd->p < ' ') {
            return false;
        }
        if (*rd->p == '"') {
            s.raw = (struct tly_bytes){start, (size_t)(rd->p - start)};
            rd->p++;
            *out = s;
            return true;
        }
        if (*rd->p == '\\' ? !escape(rd, &s) : !utf8(rd)) {
            return false;
        }
    }
}

bool
rd_string_plain(struct rd *rd, struct tly_bytes *out)
{
    return rd_is(rd, '"') && rd_until(rd, '"', out);
}

/* Does a value end here?  So that 1.0 is told as no whole number, not as a comma missing. */
static bool
value_ends(const struct rd *rd)
{
    return rd->p == rd->end || *rd->p == ',' || *rd->p == ']' || *rd->p == '}' || *rd->p <= ' ';
}

static void
read_digits(struct rd *rd, struct rd_int *v)
{
    for (; is_digit(rd); rd->p++) {
        v->over = v->over || v->n > (uint64_t)INT64_MAX / 10 - 1;
        v->n    = v->over ? 0 : v->n * 10 + (uint64_t)(*rd->p - '0');
    }
}

bool
rd_int(struct rd *rd, struct rd_int *out)
{
    struct rd_int v = {.negative = rd_is(rd, '-')};
    if (!is_digit(rd) || (v.negative && *rd->p == '0')) {
        return false;
    }
    if (*rd->p == '0') {
        rd->p++;
    } else {
        read_digits(rd, &v);
    }
    if (!value_ends(rd)) {
        return false;
    }
    *out = v;
    return true;
}

static bool
skip_digits(struct rd *rd)
{
    if (!is_digit(rd)) {
        return false;
    }
    while (is_digit(rd)) {
        rd->p++;
    }
    return true;
}

/* The character if it is next, without white space before it. */
static bool
skip_char(struct rd *rd, char c)
{
    const bool is = rd->p < rd->end && *rd->p == (uint8_t)c;
    rd->p += is;
    return is;
}

static bool
skip_number(struct rd *rd)
{
    (void)skip_char(rd, '-');
    if (!skip_char(rd, '0') && !skip_digits(rd)) {
        return false;
    }
    if (skip_char(rd, '.') && !skip_digits(rd)) {
        return false;
    }
    if (skip_char(rd, 'e') || skip_char(rd, 'E')) {
        if (!skip_char(rd, '+')) {
            (void)skip_char(rd, '-');
        }
        return skip_digits(rd);
    }
    return true;
}

static bool
skip_scalar(struct rd *rd)
{
    struct rd_string ignored;
    rd_space(rd);
    if (rd->p == rd->end) {
        return false;
    }
    if (*rd->p == '"') {
        return rd_string(rd, &ignored);
    }
    return rd_lit(rd, "true") || rd_lit(rd, "false") || rd_lit(rd, "null") || skip_number(rd);
}

bool
rd_skip(struct rd *rd, unsigned depth_max)
{
    uint32_t objects = 0; /* a bit for each open bracket, the innermost lowest */
    unsigned depth   = 0;
    TLY_CHECK(depth_max <= DEPTH_MAX_MAX);
    for (;;) { /* here a value begins */
        const bool object = rd_is(rd, '{');
        bool       opened = object || rd_is(rd, '[');
        if (opened) {
            if (depth++ == depth_max) {
                return false;
            }
            objects = objects << 1 | object;
        } else if (!skip_scalar(rd)) {
            return false;
        }
        while (depth > 0 && rd_is(rd, (objects & 1) != 0 ? '}' : ']')) {
            objects >>= 1;
            depth--;
            opened = false;
        }
        if (depth == 0) {
            return true;
        }
        if (!opened && !rd_is(rd, ',')) {
            return false;
        }
        struct rd_string key;
        if ((objects & 1) != 0 && (!rd_string(rd, &key) || !rd_is(rd, ':'))) {
            return false;
        }
    }
}

/* UTF-8 of a code point; its length. */
static size_t
encode(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    const unsigned n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (unsigned i = n - 1; i > 0; i--, c >>= 6) {
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    }
    out[0] = (uint8_t)((0xf0U << (4 - n) & 0xff) | c);
    return n;
}

size_t
rd_unescape(struct tly_bytes raw, uint8_t *out)
{
    struct rd rd = rd_of(raw);
    size_t    n  = 0;
    while (rd_left(&rd) > 0) {
        uint32_t c;
        if (*rd.p != '\\') {
            out[n++] = *rd.p++;
        } else if (rd_lit(&rd, "\\u")) {
            const bool known = code_point(&rd, &c);
            TLY_CHECK(known); /* rd_string() saw it */
            n += encode(c, out + n);
        } else {
            out[n++] = escape_of(rd.p[1]);
            rd.p += 2;
        }
    }
    return n;
}
