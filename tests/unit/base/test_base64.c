/* SPDX-License-Identifier: Apache-2.0 */
/* Proves that base64 is RFC 4648's, that only canonical text decodes, and that libsodium agrees. */
#include "base/base64.h"

#include <sodium.h>
#include <time.h>

#include "t.h"

#define LEN_MAX 300

static void
reference(void)
{
    static const struct {
        const char *plain, *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < TLY_N(rows); i++) {
        char            text[16] = "";
        uint8_t         out[16];
        size_t          len = 99;
        enum tly_base64 alphabet;
        tly_base64_encode(tly_text(rows[i].plain), TLY_BASE64_STD, text);
        T_STR(text, rows[i].text, "RFC 4648 section 10: encode");
        T_OK(tly_base64_decode(tly_text(rows[i].text), out, &len, &alphabet) &&
                 len == strlen(rows[i].plain) && memcmp(out, rows[i].plain, len) == 0,
             "RFC 4648 section 10: decode");
    }
}

static void
refused(void)
{
    static const char *const rows[] = {"A",
                                       "AA",
                                       "AAA",
                                       "AAAAA",
                                       "Zg=",
                                       "Zg",
                                       "Z===",
                                       "====",
                                       "Zh==",
                                       "Zm9=",
                                       "Zg==Zg==",
                                       "=Zm9",
                                       "Z=m9",
                                       "Zm=9",
                                       "Zm9v\n",
                                       "Zm 9",
                                       " m9v",
                                       "+-AA",
                                       "/_AA",
                                       "AAA+AAA-",
                                       "AA_/",
                                       "AA\x80"
                                       "A",
                                       "\xff\xff\xff\xff",
                                       "Zm9vYg=A",
                                       "*AAA"};
    for (size_t i = 0; i < TLY_N(rows); i++) {
        uint8_t         out[16];
        size_t          len      = 77;
        enum tly_base64 alphabet = TLY_BASE64_URL;
        T_OK(!tly_base64_decode(tly_text(rows[i]), out, &len, &alphabet), rows[i]);
        T_OK(len == 77 && alphabet == TLY_BASE64_URL, "length and alphabet untouched");
    }
}

/* Every length and both alphabets, there and back, equal to libsodium, within its memory. */
static void
every_length(void)
{
    uint8_t data[LEN_MAX];
    bool    same = true;
    bool    back = true;
    bool    kept = true;
    for (size_t n = 0; n <= LEN_MAX; n++) {
        randombytes_buf(data, n);
        for (int url = 0; url < 2; url++) {
            char theirs[LEN_MAX * 2];
            char ours[LEN_MAX * 2];
            sodium_bin2base64(theirs, sizeof theirs, data, n,
                              url ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_ORIGINAL);
            const size_t text_len = TLY_BASE64_LEN(n);
            memset(ours, '~', sizeof ours);
            tly_base64_encode((struct tly_bytes){data, n}, (enum tly_base64)url, ours);
            same = same && strlen(theirs) == text_len && memcmp(ours, theirs, text_len) == 0 &&
                   ours[text_len] == '~';
            uint8_t         out[LEN_MAX * 2];
            size_t          len = 0;
            enum tly_base64 alphabet;
            memset(out, 0xee, sizeof out);
            const struct tly_bytes text = {(const uint8_t *)ours, text_len};
            back = back && tly_base64_decode(text, out, &len, &alphabet) && len == n &&
                   memcmp(out, data, n) == 0;
            const bool special = memchr(ours, '-', text_len) || memchr(ours, '_', text_len);
            back               = back && alphabet == (special ? TLY_BASE64_URL : TLY_BASE64_STD);
            kept               = kept && out[text_len / 4 * 3] == 0xee;
        }
    }
    T_OK(same, "every length encodes as libsodium does");
    T_OK(back, "every length decodes, and tells its alphabet");
    T_OK(kept, "nothing is written behind text.len / 4 * 3");
}

/* Every byte at every place of texts of each padding: accepted exactly when it re-encodes. */
static void
every_corruption(void)
{
    bool     agree    = true;
    unsigned accepted = 0;
    for (size_t n = 1; n <= 12; n++) {
        uint8_t data[12];
        char    text[20];
        randombytes_buf(data, n);
        tly_base64_encode((struct tly_bytes){data, n}, TLY_BASE64_STD, text);
        const size_t text_len = TLY_BASE64_LEN(n);
        for (size_t at = 0; at < text_len; at++) {
            for (unsigned c = 0; c < 256; c++) {
                char changed[20];
                memcpy(changed, text, text_len);
                changed[at] = (char)c;
                uint8_t                out[16];
                size_t                 len = 0;
                enum tly_base64        alphabet;
                const struct tly_bytes view   = {(const uint8_t *)changed, text_len};
                const bool             ours   = tly_base64_decode(view, out, &len, &alphabet);
                bool                   theirs = false;
                for (int url = 0; url < 2 && !theirs; url++) {
                    const int variant =
                        url ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_ORIGINAL;
                    uint8_t     bin[16];
                    size_t      bin_len = 0;
                    const char *end;
                    char        again[32];
                    theirs = sodium_base642bin(bin, sizeof bin, changed, text_len, NULL, &bin_len,
                                               &end, variant) == 0 &&
                             end == changed + text_len;
                    theirs = theirs &&
                             sodium_bin2base64(again, sizeof again, bin, bin_len, variant) &&
                             strlen(again) == text_len && memcmp(again, changed, text_len) == 0;
                }
                agree = agree && ours == theirs;
                accepted += ours;
            }
        }
    }
    T_OK(agree, "every single-character change: accepted exactly when libsodium re-encodes it");
    T_OK(accepted > 0, "some changes are other data, not errors");
}

/* The budget of 5 us for 4 KB, told and not judged: a machine under load is no failure. */
static void
speed(void)
{
    static uint8_t  data[4096];
    static char     text[TLY_BASE64_LEN(sizeof data)];
    static uint8_t  out[sizeof text];
    size_t          len = 0;
    enum tly_base64 alphabet;
    bool            ok = true;
    randombytes_buf(data, sizeof data);
    tly_base64_encode((struct tly_bytes){data, sizeof data}, TLY_BASE64_STD, text);
    struct timespec a;
    struct timespec b;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    for (int i = 0; i < 1000; i++) {
        ok = tly_base64_decode((struct tly_bytes){(const uint8_t *)text, sizeof text}, out, &len,
                               &alphabet) &&
             ok;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    const long ns = ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec) / 1000;
    printf("# decoding 4 KB takes %ld ns\n", ns);
    T_OK(ok && len == sizeof data && memcmp(out, data, len) == 0, "4 KB decodes");
}

int
main(void)
{
    if (sodium_init() < 0) {
        return EXIT_FAILURE;
    }
    reference();
    refused();
    every_length();
    every_corruption();
    speed();
    return T_DONE();
}
