/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) by OpenSSL, four times as fast as libsodium's: payloads, envelopes,
 * certificates, packages. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"

/* The digest of in; any thread.  The algorithm is fetched once a process, the context kept once a
 * thread. */
struct tly_hash sys_sha256(struct tly_bytes in);

/* A digest of many pieces; one thread at a time. */
struct sys_sha256_ctx;

/* Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err sys_sha256_new(struct sys_sha256_ctx **out);
void                  sys_sha256_free(struct sys_sha256_ctx *ctx); /* NULL is fine */
void                  tly_auto_sha256(struct sys_sha256_ctx **ctx);
void                  sys_sha256_add(struct sys_sha256_ctx *ctx, struct tly_bytes piece);
/* The digest of everything added since _new or the last _end; the object then begins anew. */
struct tly_hash sys_sha256_end(struct sys_sha256_ctx *ctx);

/* The digest of a file, read in pieces.
 *
 * Errors: TLY_ENOENT no such file, TLY_EIO, TLY_ENOMEM; *out untouched then. */
TLY_MUST enum tly_err sys_sha256_file(const char *path, struct tly_hash *out,
                                      struct tly_diag *diag);
