/* SPDX-License-Identifier: Apache-2.0 */
/* Proves RFC 8032 7.1, that every bit of key, message and signature counts, and that keys of small
 * order or with a small-order part cannot be registered. */
#include "core/sign.h"

#include <sodium.h>

#include "base/hex.h"
#include "t.h"

static void
unhex(const char *hex, uint8_t *out, size_t len)
{
    if (!tly_unhex(tly_text(hex), out, len)) {
        abort();
    }
}

static void
rfc8032(void)
{
    static const struct {
        const char *seed, *key, *message, *sig;
    } rows[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "cf9"
         "b46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0f1"
         "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
         "84d"
         "c6594a7c15e9716ed28dc027beceea1ec40a"},
    };
    for (size_t i = 0; i < TLY_N(rows); i++) {
        TLY_AUTO(secret) struct sign_secret secret;
        uint8_t                             seed[32];
        struct tly_key                      want;
        struct tly_sig                      want_sig;
        struct tly_sig                      sig;
        uint8_t                             message[8];
        const size_t                        len = strlen(rows[i].message) / 2;
        unhex(rows[i].seed, seed, 32);
        unhex(rows[i].key, want.b, 32);
        unhex(rows[i].sig, want_sig.b, 64);
        unhex(rows[i].message, message, len);
        sign_from_seed(seed, &secret);
        const struct tly_key   key  = sign_public(&secret);
        const struct tly_bytes view = {message, len};
        sign_make(&secret, view, &sig);
        T_OK(memcmp(&key, &want, sizeof key) == 0, "RFC 8032 7.1: public key");
        T_OK(memcmp(&sig, &want_sig, sizeof sig) == 0, "RFC 8032 7.1: signature");
        T_OK(sign_verify(&key, view, &want_sig) && sign_key_ok(&key), "RFC 8032 7.1: verifies");
    }
}

static void
every_bit(void)
{
    uint8_t            seed[32] = {7};
    uint8_t            text[16] = "a signed message";
    struct sign_secret secret;
    struct tly_sig     sig;
    sign_from_seed(seed, &secret);
    struct tly_key         key  = sign_public(&secret);
    const struct tly_bytes view = {text, sizeof text};
    sign_make(&secret, view, &sig);
    unsigned accepted = 0;
    for (unsigned bit = 0; bit < 8 * 64; bit++) {
        sig.b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        accepted += sign_verify(&key, view, &sig);
        sig.b[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (unsigned bit = 0; bit < 8 * 32; bit++) {
        key.b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        accepted += sign_verify(&key, view, &sig);
        key.b[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (unsigned bit = 0; bit < 8 * sizeof text; bit++) {
        text[bit / 8] ^= (uint8_t)(1U << bit % 8);
        accepted += sign_verify(&key, view, &sig);
        text[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t n = 0; n < sizeof text; n++) {
        accepted += sign_verify(&key, (struct tly_bytes){text, n}, &sig);
    }
    T_EQ(accepted, 0, "one bit changed anywhere, or the message cut: refused");
    T_OK(sign_verify(&key, view, &sig), "unchanged: verifies");
    sign_wipe(&secret);
    T_OK(sodium_is_zero(secret.b, sizeof secret.b), "a wiped secret is zero");
}

/* The eight points of small order and the other ways of writing them, sign bits included. */
static void
small_order(void)
{
    static const char *const rows[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    for (size_t i = 0; i < TLY_N(rows); i++) {
        struct tly_key key;
        unhex(rows[i], key.b, 32);
        T_OK(!sign_key_ok(&key), "small order: refused");
    }
    /* An honest key plus a point of order 2: on the curve, verifies for some, not for others. */
    uint8_t            seed[32] = {9};
    struct sign_secret secret;
    struct tly_key     order2;
    struct tly_key     mixed;
    sign_from_seed(seed, &secret);
    const struct tly_key key = sign_public(&secret);
    unhex(rows[1], order2.b, 32);
    T_OK(crypto_core_ed25519_add(mixed.b, key.b, order2.b) == 0 && !sign_key_ok(&mixed),
         "mixed order: refused");
    T_OK(sign_key_ok(&key), "the honest key: accepted");
    struct tly_key off = {{2}};
    T_OK(!sign_key_ok(&off), "not on the curve: refused");
    memset(off.b, 0xff, sizeof off.b);
    T_OK(!sign_key_ok(&off), "not below the field's prime: refused");
}

int
main(void)
{
    rfc8032();
    every_bit();
    small_order();
    return T_DONE();
}
