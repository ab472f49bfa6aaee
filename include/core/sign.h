/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519, RFC 8032, by libsodium. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

/* A signing key: seed and public half, 64 bytes as libsodium keeps them.  Wipe it with sign_wipe().
 */
struct sign_secret {
    uint8_t b[64];
};

void           sign_from_seed(const uint8_t seed[32], struct sign_secret *out);
struct tly_key sign_public(const struct sign_secret *secret);
void sign_make(const struct sign_secret *secret, struct tly_bytes message, struct tly_sig *out);
/* May this key be registered?  A point of the prime-order subgroup, canonically encoded: the eight
 * small-order points, their other encodings and keys with a small-order part (mixed order) are
 * refused, because verifiers disagree on them: OpenSSL takes any message
 * under the key 01 00..00. */
bool sign_key_ok(const struct tly_key *key);
/* RFC 8032 5.1.7 without the cofactor, as libsodium checks: s below the group's order; R and key
 * neither of small order nor (the key) written in a second way. */
bool sign_verify(const struct tly_key *key, struct tly_bytes message, const struct tly_sig *sig);
void sign_wipe(struct sign_secret *secret);
void tly_auto_secret(struct sign_secret *secret); /* for TLY_AUTO(secret) */
