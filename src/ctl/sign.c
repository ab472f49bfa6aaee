/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl sign: adds a root's signature to a package that has been checked. */
#include <jansson.h>
#include <stdio.h>

#include "base/hex.h"
#include "check.h"
#include "cmd.h"
#include "core/codes.h"
#include "pack/definition.h"
#include "pack/keyfile.h"
#include "pack/package.h"
#include "pack/registry_load.h"
#include "sys/file.h"

/* What is signed has been checked: nobody puts a root key to a package with faults. */
struct checked_package {
    enum package_kind kind;
    const char       *election;
    struct tly_hash   hash;
};

static enum tly_err
load_definition(const struct cli *cli, struct tly_arena *arena, struct faults *faults,
                struct checked_package *out, struct tly_diag *diag)
{
    struct election   *election = NULL;
    const enum tly_err err      = definition_load(cli_arg(cli, 0), arena, &election, faults, diag);
    if (err == TLY_OK) {
        *out = (struct checked_package){PACKAGE_DEFINITION, election->code, election->definition};
    }
    return err;
}

static enum tly_err
load_registry(const struct cli *cli, struct tly_arena *arena, struct faults *faults,
              struct checked_package *out, struct tly_diag *diag)
{
    const char      *dir      = cli_arg(cli, 0);
    struct election *election = NULL;
    struct registry *registry = NULL;
    enum tly_err     err      = check_definition(cli, dir, arena, faults, &election, diag);
    if (err == TLY_OK) {
        err = registry_load(dir, election, arena, &registry, faults, diag);
    }
    if (err == TLY_OK) {
        *out = (struct checked_package){PACKAGE_REGISTRY, election->code, registry->hash};
    }
    return err;
}

static bool
has_file(const char *dir, const char *name)
{
    char path[FILE_PATH_SIZE];
    file_path(path, "%s/%s", dir, name);
    FILE *f = fopen(path, "re");
    if (f != NULL) {
        (void)fclose(f);
    }
    return f != NULL;
}

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena    arena   = {.bytes_max = CHECK_ARENA_BYTES};
    TLY_AUTO(secret) struct sign_secret secret  = {0};
    struct faults                       faults  = {.arena = &arena};
    struct checked_package              package = {0};
    struct tly_diag                     diag    = {0};
    const char                         *dir     = cli_arg(cli, 0);
    const char                         *key     = cli_value(cli, "key", NULL);
    if (key == NULL) {
        return cli_say(cli, CLI_UNUSABLE, "--key FILE is missing");
    }
    enum tly_err err = has_file(dir, "terminals.csv")
                           ? load_registry(cli, &arena, &faults, &package, &diag)
                           : load_definition(cli, &arena, &faults, &package, &diag);
    if (faults.n > 0) {
        return cli_say(cli, CLI_REFUSED, "%s; not signed (tallyctl ... check lists them)",
                       diag.text);
    }
    if (err == TLY_OK) {
        err = keyfile_read_secret(key, &secret, &diag);
    }
    if (err == TLY_OK) {
        err = package_sign(dir, package.kind, package.election, &package.hash, &secret, &diag);
    }
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    char hex[TLY_HEX_SIZE(sizeof package.hash.b)];
    tly_hex(package.hash.b, sizeof package.hash.b, hex);
    (void)printf("%s\n", hex);
    return CLI_DONE;
}

static const struct cli_option options[] = {
    {"key", "FILE", "root key, an Ed25519 private key as PEM", false},
    {"definition", "DIR", "of a registry (default: DIR/../definition)", false},
    {NULL, NULL, NULL, false}};

const struct cli_command ctl_sign = {
    .name    = "sign",
    .args    = "DIR",
    .summary = "add a root signature to a package, after checking it",
    .more    = "Writes DIR/signatures.dsse: other keys' signatures over the same hash stay, those\n"
               "over another hash are dropped.  Prints the package hash.",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
