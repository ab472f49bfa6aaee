/* SPDX-License-Identifier: Apache-2.0 */
/* Both packages together: loaded when enough root keys signed what was loaded, refused otherwise,
 * with the folder that is at fault. */
#include "pack/packages.h"

#include <sodium.h>

#include "dir.h"
#include "pack/definition.h"
#include "pack/keyfile.h"
#include "pack/package.h"
#include "pack/registry_load.h"
#include "package_files.h"
#include "t.h"

static const char          *dir;
static char                 definition[64], registry[64], key_path[2][64];
static struct sign_secret   secrets[2];
static struct packages_keys keys;
static const char          *faulty;
static struct tly_diag      diag;
static unsigned             threshold;

/* Signs a folder's present bytes. */
static void
sign(const char *folder, enum package_kind kind, unsigned key)
{
    struct tly_hash hash;
    enum tly_err    err = package_hash(folder, kind, &hash, NULL);
    TLY_CHECK(err == TLY_OK);
    err = package_sign(folder, kind, "e1", &hash, &secrets[key], NULL);
    TLY_CHECK(err == TLY_OK);
}

static enum tly_err
load(void)
{
    TLY_AUTO(arena) struct tly_arena arena  = {.bytes_max = (size_t)64 << 20};
    struct faults                    faults = {.arena = &arena};
    struct packages                  out    = {0};
    const enum tly_err               err =
        packages_load(definition, registry, &keys, &arena, &out, &faults, &faulty, &diag);
    T_OK((out.election != NULL) == (err == TLY_OK) && (out.registry != NULL) == (err == TLY_OK),
         "both or none");
    threshold = out.election == NULL ? threshold : out.election->policy.root;
    return err;
}

static void
loading(void)
{
    T_EQ(load(), TLY_ENOKEY, "nobody has signed");
    sign(definition, PACKAGE_DEFINITION, 0);
    T_EQ(load(), TLY_ENOKEY, "one of the two that the policy demands");
    sign(definition, PACKAGE_DEFINITION, 1);
    T_EQ(load(), TLY_ENOKEY, "nobody has signed the registry");
    T_STR(faulty, registry, "whose folder it is");
    sign(registry, PACKAGE_REGISTRY, 0);
    T_EQ(load(), TLY_ENOKEY, "one of two has signed the registry");
    sign(registry, PACKAGE_REGISTRY, 1);
    T_EQ(load(), TLY_OK, "both are signed");
    T_EQ(threshold, 2, "by as many as the policy says");

    package_write(definition, definition_files, "lists.csv", "Hope", "hope");
    T_EQ(load(), TLY_EINPUT, "a letter of the definition changed after it was signed");
    T_STR(faulty, definition, "its folder");
    package_write(definition, definition_files, NULL, NULL, NULL);
    package_write(registry, registry_files, "terminals.csv", "b1,", "b7,");
    T_EQ(load(), TLY_EINPUT, "a fault of the registry");
    T_STR(faulty, registry, "its folder");
    package_write(registry, registry_files, NULL, NULL, NULL);
    T_EQ(load(), TLY_OK, "as it was");

    const struct tly_key mine = keys.keys[0];
    keys.keys[0].b[0] ^= 1;
    T_EQ(load(), TLY_ENOKEY, "another root key");
    keys.keys[0] = mine;
    keys.n       = 0;
    T_EQ(load(), TLY_ENOKEY, "no root key");
}

static void
adding_keys(void)
{
    keys.n = 0;
    for (unsigned i = 0; i < PACKAGES_ROOT_KEYS_MAX; i++) {
        T_EQ(packages_key_add(&keys, key_path[0], &diag), TLY_OK, "a key");
    }
    T_EQ(packages_key_add(&keys, key_path[0], &diag), TLY_EINPUT, "one over the limit");
    T_EQ(keys.n, PACKAGES_ROOT_KEYS_MAX, "is not added");
    keys.n = 1;
    T_EQ(packages_key_add(&keys, definition, &diag), TLY_EIO, "a folder");
    T_EQ(keys.n, 1, "is not added");
}

int
main(void)
{
    TLY_CHECK(sodium_init() >= 0);
    dir = t_dir();
    (void)snprintf(definition, sizeof definition, "%s/definition", dir);
    (void)snprintf(registry, sizeof registry, "%s/registry", dir);
    package_write(definition, definition_files, NULL, NULL, NULL);
    package_write(registry, registry_files, NULL, NULL, NULL);
    for (unsigned i = 0; i < TLY_N(secrets); i++) {
        (void)snprintf(key_path[i], sizeof key_path[i], "%s/root%u.key", dir, i);
        sign_from_seed((uint8_t[32]){(uint8_t)(i + 1)}, &secrets[i]);
        enum tly_err err = keyfile_write_secret(key_path[i], &secrets[i], NULL);
        TLY_CHECK(err == TLY_OK);
        err = packages_key_add(&keys, key_path[i], NULL);
        TLY_CHECK(err == TLY_OK);
    }
    loading();
    adding_keys();
    return T_DONE();
}
