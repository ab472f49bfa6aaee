/* SPDX-License-Identifier: Apache-2.0 */
#include "rd.h"

#include "base/hex.h"
#include "base/num.h"
#include "core/codes.h"

bool
rd_lit(struct rd *rd, const char *text)
{
    const size_t len = strlen(text);
    if (rd_left(rd) < len || memcmp(rd->p, text, len) != 0) {
        return false;
    }
    rd->p += len;
    return true;
}

bool
rd_until(struct rd *rd, char stop, struct tly_bytes *out)
{
    const uint8_t *at = rd_left(rd) > 0 ? memchr(rd->p, stop, rd_left(rd)) : NULL;
    if (at == NULL) {
        return false;
    }
    *out  = (struct tly_bytes){rd->p, (size_t)(at - rd->p)};
    rd->p = at + 1;
    return true;
}

bool
rd_u64(struct rd *rd, char stop, uint64_t *out)
{
    struct tly_bytes text;
    return rd_until(rd, stop, &text) && !(text.len > 1 && text.data[0] == '0') &&
           tly_u64_parse(text, UINT64_MAX, out);
}

bool
rd_code(struct rd *rd, char stop, char *out)
{
    struct tly_bytes code;
    if (!rd_until(rd, stop, &code) || !codes_valid(code)) {
        return false;
    }
    memcpy(out, code.data, code.len);
    out[code.len] = '\0';
    return true;
}

bool
rd_hash(struct rd *rd, char stop, struct tly_hash *out)
{
    struct tly_bytes text;
    return rd_until(rd, stop, &text) && tly_unhex(text, out->b, sizeof out->b);
}
