/* SPDX-License-Identifier: Apache-2.0 */
/* Texts are written whole or not at all, in both kinds of digits. */
#include "base/text.h"

#include "t.h"

int
main(void)
{
    char        buf[64];
    struct text text;

    text_init(&text, buf, sizeof buf);
    text_add(&text, "v=");
    text_add_u64(&text, 0);
    text_add(&text, ",");
    text_add_u64(&text, UINT64_MAX);
    T_STR(buf, "v=0,18446744073709551615", "smallest and largest number");
    T_EQ(text.len, strlen(buf), "length without the NUL");
    T_OK(!text.cut, "nothing was cut");

    text_init(&text, buf, sizeof buf);
    text_add_u64_fa(&text, 1234567890);
    T_STR(buf, "۱۲۳۴۵۶۷۸۹۰", "Persian digits");

    for (size_t size = 1; size <= 8; size++) {
        memset(buf, 'x', sizeof buf);
        text_init(&text, buf, size);
        text_add(&text, "ab");
        text_add_u64_fa(&text, 12); /* four bytes */
        T_OK(text.cut == (size < 7), "cut when seven bytes do not fit");
        T_OK(strlen(buf) == text.len && text.len < size && buf[size] == 'x', "stays in its room");
        T_OK(text.len % 2 == 0, "no character is cut in the middle");
    }
    return T_DONE();
}
