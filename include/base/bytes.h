/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes and fixed-size hashes and keys: values, copied freely. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view: whoever handed it out keeps the memory.  Valid until the call returns unless said
 * otherwise. */
struct tly_bytes {
    const uint8_t *data;
    size_t         len;
};

/* A SHA-256 digest, whatever of: payload, envelope, certificate (DER), package, tree node. */
struct tly_hash {
    uint8_t b[32];
};

/* An Ed25519 public key, RFC 8032. */
struct tly_key {
    uint8_t b[32];
};

/* An Ed25519 signature, RFC 8032. */
struct tly_sig {
    uint8_t b[64];
};

static inline struct tly_bytes
tly_text(const char *s)
{
    return (struct tly_bytes){(const uint8_t *)s, strlen(s)};
}

static inline bool
tly_bytes_eq(struct tly_bytes a, struct tly_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool
tly_hash_eq(const struct tly_hash *a, const struct tly_hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}
