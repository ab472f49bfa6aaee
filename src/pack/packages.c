/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/packages.h"

#include "pack/definition.h"
#include "pack/keyfile.h"
#include "pack/package.h"
#include "pack/registry_load.h"

enum tly_err
packages_key_add(struct packages_keys *keys, const char *path, struct tly_diag *diag)
{
    if (keys->n == PACKAGES_ROOT_KEYS_MAX) {
        return tly_fail(diag, TLY_EINPUT, "more than %d root keys", PACKAGES_ROOT_KEYS_MAX);
    }
    const enum tly_err err = keyfile_read_public(path, &keys->keys[keys->n], diag);
    if (err == TLY_OK) {
        keys->n++;
    }
    return err;
}

enum tly_err
packages_load(const char *definition, const char *registry, const struct packages_keys *keys,
              struct tly_arena *arena, struct packages *out, struct faults *faults,
              const char **faulty, struct tly_diag *diag)
{
    struct packages p   = {0};
    enum tly_err    err = definition_load(definition, arena, &p.election, faults, diag);
    *faulty             = definition;
    if (err == TLY_OK) {
        err = package_verify(definition, PACKAGE_DEFINITION, p.election->code,
                             &p.election->definition, keys->keys, keys->n, p.election->policy.root,
                             diag);
    }
    if (err == TLY_OK) {
        err     = registry_load(registry, p.election, arena, &p.registry, faults, diag);
        *faulty = registry;
    }
    if (err == TLY_OK) {
        err = package_verify(registry, PACKAGE_REGISTRY, p.election->code, &p.registry->hash,
                             keys->keys, keys->n, p.election->policy.root, diag);
    }
    if (err == TLY_OK) {
        *out = p;
    }
    return err;
}
