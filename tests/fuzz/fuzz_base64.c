/* SPDX-License-Identifier: Apache-2.0 */
/* What decodes encodes to itself and is what libsodium reads; any bytes survive there and back. */
#include "base/base64.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const uint8_t *data, size_t size)
{
    uint8_t        *out    = malloc(size / 4 * 3 + 1); /* the limit that is promised */
    uint8_t        *sodium = malloc(size + 1);
    char           *again  = malloc(size + 1);
    size_t          len    = 0;
    size_t          sodium_len;
    enum tly_base64 alphabet;
    if (tly_base64_decode((struct tly_bytes){data, size}, out, &len, &alphabet)) {
        const int variant = alphabet == TLY_BASE64_URL ? sodium_base64_VARIANT_URLSAFE
                                                       : sodium_base64_VARIANT_ORIGINAL;
        TLY_CHECK(len <= size / 4 * 3);
        TLY_CHECK(TLY_BASE64_LEN(len) == size);
        tly_base64_encode((struct tly_bytes){out, len}, alphabet, again);
        TLY_CHECK(size == 0 || memcmp(again, data, size) == 0);
        const int rc = sodium_base642bin(sodium, size + 1, (const char *)data, size, NULL,
                                         &sodium_len, NULL, variant);
        TLY_CHECK(rc == 0);
        TLY_CHECK(sodium_len == len && memcmp(sodium, out, len) == 0);
    }
    free(again);
    free(sodium);
    free(out);
}

static void
check_bytes(const uint8_t *data, size_t size, enum tly_base64 alphabet)
{
    const size_t    n    = TLY_BASE64_LEN(size);
    char           *text = malloc(n + 1);
    uint8_t        *out  = malloc(n / 4 * 3 + 1);
    size_t          len  = 0;
    enum tly_base64 told;
    tly_base64_encode((struct tly_bytes){data, size}, alphabet, text);
    const bool ok =
        tly_base64_decode((struct tly_bytes){(const uint8_t *)text, n}, out, &len, &told);
    TLY_CHECK(ok);
    TLY_CHECK(len == size && (size == 0 || memcmp(out, data, size) == 0));
    free(out);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_text(data, size);
    check_bytes(data, size, TLY_BASE64_STD);
    check_bytes(data, size, TLY_BASE64_URL);
    return 0;
}
