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

    struct tly_hash hash = {{0xab}};
    text_init(&text, buf, sizeof buf);
    text_add_hash(&text, &hash);
    T_EQ(text_done(&text), 0, "64 digits and a NUL do not fit into 64");
    char longer[65];
    text_init(&text, longer, sizeof longer);
    text_add_hash(&text, &hash);
    T_OK(text_done(&text) == 64, "into 65 they do");
    T_OK(strspn(longer + 2, "0") == 62 && memcmp(longer, "ab", 2) == 0, "its digits");
    text_add(&text, "x");
    T_EQ(text_done(&text), 0, "not all fitted");

    static const uint8_t four[] = {0xfb, 0xff, 0x00, 0x1a};
    for (size_t size = 1; size <= 12; size++) {
        memset(buf, 'x', sizeof buf);
        text_init(&text, buf, size);
        text_add_hex(&text, four, sizeof four);
        T_STR(buf, size > 8 ? "fbff001a" : "", "hexadecimal, whole or not at all");
        T_OK(text.cut == (size <= 8) && text.len == strlen(buf) && buf[size] == 'x', "in its room");
        text_init(&text, buf, size);
        text_add_base64(&text, (struct tly_bytes){four, sizeof four}, TLY_BASE64_URL);
        T_STR(buf, size > 8 ? "-_8AGg==" : "", "base64, whole or not at all");
        T_OK(text.cut == (size <= 8) && text.len == strlen(buf) && buf[size] == 'x', "in its room");
    }
    return T_DONE();
}
