/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sign.h"

#include <sodium.h>

#include "base/check.h"

_Static_assert(sizeof(struct sign_secret) == crypto_sign_SECRETKEYBYTES, "libsodium's layout");
_Static_assert(sizeof(struct tly_key) == crypto_sign_PUBLICKEYBYTES, "libsodium's layout");
_Static_assert(sizeof(struct tly_sig) == crypto_sign_BYTES, "libsodium's layout");

void
sign_from_seed(const uint8_t seed[32], struct sign_secret *out)
{
    struct tly_key ignored;
    const int      rc = crypto_sign_seed_keypair(ignored.b, out->b, seed);
    TLY_CHECK(rc == 0);
}

struct tly_key
sign_public(const struct sign_secret *secret)
{
    struct tly_key key;
    memcpy(key.b, secret->b + crypto_sign_SEEDBYTES, sizeof key.b);
    return key;
}

void
sign_make(const struct sign_secret *secret, struct tly_bytes message, struct tly_sig *out)
{
    const int rc = crypto_sign_detached(out->b, NULL, message.data, message.len, secret->b);
    TLY_CHECK(rc == 0);
}

bool
sign_key_ok(const struct tly_key *key)
{
    return crypto_core_ed25519_is_valid_point(key->b) == 1;
}

bool
sign_verify(const struct tly_key *key, struct tly_bytes message, const struct tly_sig *sig)
{
    return crypto_sign_verify_detached(sig->b, message.data, message.len, key->b) == 0;
}

void
sign_wipe(struct sign_secret *secret)
{
    sodium_memzero(secret, sizeof *secret);
}

void
tly_auto_secret(struct sign_secret *secret)
{
    sign_wipe(secret);
}
