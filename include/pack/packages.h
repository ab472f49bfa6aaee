/* SPDX-License-Identifier: Apache-2.0 */
/* Both packages of an election, loaded and verified: what the daemon stands on and what
 * `tallyctl election open` writes into the ledger. */
#pragma once

#include "base/bytes.h"
#include "core/election.h"
#include "core/registry.h"
#include "pack/faults.h"

#define PACKAGES_ROOT_KEYS_MAX 16

struct packages_keys {
    struct tly_key keys[PACKAGES_ROOT_KEYS_MAX];
    unsigned       n;
};

/* Reads one more root key's file, public or private.
 * Errors: TLY_EINPUT more than PACKAGES_ROOT_KEYS_MAX; those of keyfile_read_public(). */
TLY_MUST enum tly_err packages_key_add(struct packages_keys *keys, const char *path,
                                       struct tly_diag *diag);

struct packages {
    struct election *election;
    struct registry *registry;
};

/* Loads definition and registry, each once, and verifies that as many root keys as the definition's
 * policy demands signed the very bytes that were loaded (election->definition, registry->hash):
 * whoever exchanges a file meanwhile gains nothing.
 *
 * Owns:   everything is in the arena; *faulty is the folder that the faults are in.
 * Errors: those of definition_load(), registry_load() and package_verify(). */
TLY_MUST enum tly_err packages_load(const char *definition, const char *registry,
                                    const struct packages_keys *keys, struct tly_arena *arena,
                                    struct packages *out, struct faults *faults,
                                    const char **faulty, struct tly_diag *diag);
