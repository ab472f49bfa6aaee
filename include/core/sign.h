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
/* Verifiers disagree on small-order keys (ledger.md F6): they are refused where keys are
 * registered. */
bool sign_key_ok(const struct tly_key *key);
bool sign_verify(const struct tly_key *key, struct tly_bytes message, const struct tly_sig *sig);
void sign_wipe(struct sign_secret *secret);
void tly_auto_secret(struct sign_secret *secret); /* for TLY_AUTO(secret) */
