/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

/* Lead byte from, to; least and largest second byte; length (RFC 3629 section 4). */
static const uint8_t forms[][5] = {
    {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/* Length of the sequence that begins here, 0 when it is none. */
static size_t
sequence(const uint8_t *p, size_t len)
{
    const uint8_t *form = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && form == NULL; i++) {
        form = p[0] >= forms[i][0] && p[0] <= forms[i][1] ? forms[i] : NULL;
    }
    if (form == NULL || len < form[4]) {
        return 0;
    }
    for (size_t k = 1; k < form[4]; k++) {
        const uint8_t least = k == 1 ? form[2] : 0x80;
        const uint8_t most  = k == 1 ? form[3] : 0xbf;
        if (p[k] < least || p[k] > most) {
            return 0;
        }
    }
    return form[4];
}

size_t
utf8_good(const uint8_t *data, size_t len)
{
    size_t i = 0;
    while (i < len) {
        const size_t n = sequence(data + i, len - i);
        if (n == 0) {
            break;
        }
        i += n;
    }
    return i;
}
