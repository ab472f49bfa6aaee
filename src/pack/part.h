/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a package: which there are, their bytes and their digests. */
#pragma once

#include "pack/faults.h"
#include "pack/files.h"
#include "pack/package.h"

#define PARTS_MAX       8
#define PART_BYTES_MAX  ((size_t)512 << 20)
#define PART_SIGNATURES PACKAGE_SIGNATURES

struct part {
    const char     *name;
    uint8_t        *data; /* writable, data[len] too */
    size_t          len;
    struct tly_hash hash;
};

/* Names of a kind's files, sorted as the C locale sorts; NULL behind the last. */
const char *const *part_names(enum package_kind kind);

/* A fault for each file that is too many.
 * Errors: TLY_EINPUT the folder holds the other kind's files and none of this; TLY_ENOENT no such
 * folder, TLY_EIO, TLY_ENOMEM. */
TLY_MUST enum tly_err part_list_check(const struct pack_files *files, enum package_kind kind,
                                      struct faults *faults, struct tly_diag *diag);
/* Reads every file of a package, in the order of part_names(); those that are missing become a
 * fault and an empty part (data NULL).  Files whose texts the loaded form keeps go into `arena`,
 * the others into `scratch`.
 * Errors: those of part_list_check(), TLY_ETOOBIG. */
TLY_MUST enum tly_err part_read_all(const struct pack_files *files, enum package_kind kind,
                                    struct tly_arena *arena, struct tly_arena *scratch,
                                    struct faults *faults, struct part parts[PARTS_MAX],
                                    struct tly_hash *hash, struct tly_diag *diag);
/* Adds one line as sha256sum prints it to the digest of a package. */
struct sys_sha256_ctx;
void part_sum_line(struct sys_sha256_ctx *ctx, const struct tly_hash *hash, const char *name);
/* The part of that name. */
struct part *part_find(struct part parts[PARTS_MAX], const char *name);
