/* SPDX-License-Identifier: Apache-2.0 */
/* A package as a whole: its hash and its root signatures (doc/formats.md). */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/envelope.h"
#include "core/sign.h"

enum package_kind { PACKAGE_DEFINITION, PACKAGE_REGISTRY };

#define PACKAGE_SIGNATURES "signatures.dsse"

/* The names of a package's files, sorted, NULL behind the last; PACKAGE_SIGNATURES is not among
 * them. */
const char *const *package_names(enum package_kind kind);
/* "definition", "registry". */
const char *package_kind_name(enum package_kind kind);

/* SHA-256 of the lines "HEX  NAME\n" that sha256sum prints for the package's files, sorted by name.
 * Errors: TLY_EINPUT another file in the folder (but signatures.dsse), or one is missing; TLY_EIO;
 * TLY_ENOMEM. */
TLY_MUST enum tly_err package_hash(const char *dir, enum package_kind kind, struct tly_hash *out,
                                   struct tly_diag *diag);
/* Adds (or replaces) this key's signature in DIR/signatures.dsse; those over another hash go.
 * Errors: TLY_EINPUT what is there is no envelope; TLY_ECONFLICT it has ENVELOPE_SIGNATURES_MAX
 * already; TLY_EFORBID it may not be read; TLY_EIO; TLY_ENOMEM. */
TLY_MUST enum tly_err package_sign(const char *dir, enum package_kind kind, const char *election,
                                   const struct tly_hash *hash, const struct sign_secret *secret,
                                   struct tly_diag *diag);
/* What signatures.dsse says: an envelope of type package over {"package","election","hash"}. */
struct package_signed {
    struct envelope envelope;
    const char     *election, *hash; /* in the arena */
};
/* Reads the bytes of signatures.dsse.
 * Errors: TLY_EINPUT not such an envelope, or of the other kind; TLY_ENOMEM. */
TLY_MUST enum tly_err package_signed_read(struct tly_bytes bytes, enum package_kind kind,
                                          struct tly_arena *arena, struct package_signed *out,
                                          struct tly_diag *diag);
/* How many different keys of keys[] verify one of its signatures. */
unsigned package_signers(const struct envelope *envelope, const struct tly_key keys[],
                         unsigned keys_n);
/* Verifies that at least `threshold` different keys of keys[] signed this hash.
 * Errors: TLY_ENOKEY too few; TLY_EINPUT not an envelope, or it names another package, election or
 * hash. */
TLY_MUST enum tly_err package_verify(const char *dir, enum package_kind kind, const char *election,
                                     const struct tly_hash *hash, const struct tly_key keys[],
                                     unsigned keys_n, unsigned threshold, struct tly_diag *diag);
