/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 keys as PEM files: PKCS#8 private (mode 0600), SPKI public; openssl reads both. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "core/sign.h"

#define PEM_BYTES_MAX ((size_t)1 << 20) /* of a file with a key or a chain of certificates */

/* Errors: TLY_EINPUT not such a key, or a private key that others can read; TLY_ENOENT, TLY_EFORBID,
 * TLY_EIO; the diag names the file. */
TLY_MUST enum tly_err keyfile_read_secret(const char *path, struct sign_secret *out,
                                          struct tly_diag *diag);
/* Reads a public key; a private key's file is fine too (root.key as --root-key in a rehearsal). */
TLY_MUST enum tly_err keyfile_read_public(const char *path, struct tly_key *out,
                                          struct tly_diag *diag);
/* Errors: TLY_ECONFLICT the file is there already; TLY_EIO; TLY_ENOMEM. */
TLY_MUST enum tly_err keyfile_write_secret(const char *path, const struct sign_secret *secret,
                                           struct tly_diag *diag);
TLY_MUST enum tly_err keyfile_write_public(const char *path, const struct tly_key *key,
                                           struct tly_diag *diag);
/* SHA-256 of the raw public key: the DSSE keyid. */
struct tly_hash keyfile_keyid(const struct tly_key *key);
