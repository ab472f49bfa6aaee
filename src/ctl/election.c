/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl election open: checks and verifies both packages, then writes the genesis entry. */
#include <stdio.h>

#include "base/hex.h"
#include "cmd.h"
#include "database.h"
#include "pack/definition.h"
#include "pack/keyfile.h"
#include "pack/package.h"
#include "pack/registry_load.h"
#include "store/store.h"
#include "sys/clock.h"

#define MEMORY_MAX    ((size_t)1 << 30) /* of both packages; a country takes some 100 MiB */
#define ROOT_KEYS_MAX 16

static const struct cli_option options[] = {
    {"root-key", "FILE", "a root key's public (or private) PEM file", true},
    DATABASE_OPTION,
    {NULL},
};

struct keys {
    struct tly_key keys[ROOT_KEYS_MAX];
    unsigned       n;
};

struct packages {
    struct tly_arena arena;
    struct election *election;
    struct registry *registry;
    struct tly_hash  definition_hash, registry_hash;
};

static enum tly_err
read_keys(const struct cli *cli, struct keys *keys, struct tly_diag *diag)
{
    const char *path;
    while ((path = cli_value_at(cli, "root-key", keys->n)) != NULL) {
        if (keys->n == ROOT_KEYS_MAX) {
            return tly_fail(diag, TLY_ERANGE, "more than %d root keys", ROOT_KEYS_MAX);
        }
        const enum tly_err err = keyfile_read_public(path, &keys->keys[keys->n], diag);
        if (err != TLY_OK) {
            return err;
        }
        keys->n++;
    }
    return keys->n > 0 ? TLY_OK : tly_fail(diag, TLY_ERANGE, "--root-key is missing");
}

/* The hash is taken before and after loading, so that what was verified is what was read. */
static enum tly_err
same_hash(const char *dir, enum package_kind kind, const struct tly_hash *before,
          struct tly_diag *diag)
{
    struct tly_hash    after;
    const enum tly_err err = package_hash(dir, kind, &after, diag);
    if (err == TLY_OK && !tly_hash_eq(before, &after)) {
        return tly_fail(diag, TLY_ECONFLICT, "%s was changed while it was read", dir);
    }
    return err;
}

static enum tly_err
load_definition(const char *dir, const struct keys *keys, struct packages *p, struct tly_diag *diag)
{
    struct faults faults = {.arena = &p->arena};
    enum tly_err  err    = package_hash(dir, PACKAGE_DEFINITION, &p->definition_hash, diag);
    if (err == TLY_OK) {
        err = definition_load(dir, &p->arena, &p->election, &faults, diag);
        faults_print(&faults, dir, stderr);
    }
    if (err == TLY_OK) {
        err = same_hash(dir, PACKAGE_DEFINITION, &p->definition_hash, diag);
    }
    if (err == TLY_OK) {
        err = package_verify(dir, PACKAGE_DEFINITION, p->election->code, &p->definition_hash,
                             keys->keys, keys->n, p->election->policy.root, diag);
    }
    return err;
}

static enum tly_err
load_registry(const char *dir, const struct keys *keys, struct packages *p, struct tly_diag *diag)
{
    struct faults faults = {.arena = &p->arena};
    enum tly_err  err    = package_hash(dir, PACKAGE_REGISTRY, &p->registry_hash, diag);
    if (err == TLY_OK) {
        err = registry_load(dir, p->election, &p->arena, &p->registry, &faults, diag);
        faults_print(&faults, dir, stderr);
    }
    if (err == TLY_OK) {
        err = same_hash(dir, PACKAGE_REGISTRY, &p->registry_hash, diag);
    }
    if (err == TLY_OK) {
        err = package_verify(dir, PACKAGE_REGISTRY, p->election->code, &p->registry_hash,
                             keys->keys, keys->n, p->election->policy.root, diag);
    }
    return err;
}

static enum tly_err
write_genesis(const struct cli *cli, const struct packages *p, struct tly_diag *diag)
{
    const struct leaf  genesis = {.kind        = LEAF_GENESIS,
                                  .election    = p->election->code,
                                  .accepted_ms = clock_unix_ms(),
                                  .definition  = p->definition_hash,
                                  .registry    = p->registry_hash};
    char               definition[TLY_HEX_SIZE(32)], registry[TLY_HEX_SIZE(32)];
    bool               created = false;
    const enum tly_err err     = store_genesis(database_of(cli), &genesis, &created, diag);
    if (err != TLY_OK) {
        return err;
    }
    tly_hex(genesis.definition.b, sizeof genesis.definition.b, definition);
    tly_hex(genesis.registry.b, sizeof genesis.registry.b, registry);
    (void)printf("%s %s/%s/%s\n", created ? "opened" : "open already:", p->election->domain,
                 p->election->code, phase_name(p->election->phase));
    (void)printf("definition %s: %u branches, %u contests, %u candidates\n", definition,
                 p->election->branches_n, p->election->contests_n, p->election->candidates_n);
    (void)printf("registry   %s: %u terminals, %u clients, %u officers\n", registry,
                 p->registry->terminals_n, p->registry->clients_n, p->registry->officers_n);
    return TLY_OK;
}

static enum cli_exit
run(const struct cli *cli)
{
    struct packages *p    = &(struct packages){0};
    struct keys      keys = {0};
    struct tly_diag  diag = {0};
    tly_arena_init(&p->arena, MEMORY_MAX);
    enum tly_err err = read_keys(cli, &keys, &diag);
    if (err == TLY_OK) {
        err = load_definition(cli_arg(cli, 0), &keys, p, &diag);
    }
    if (err == TLY_OK) {
        err = load_registry(cli_arg(cli, 1), &keys, p, &diag);
    }
    if (err == TLY_OK) {
        err = write_genesis(cli, p, &diag);
    }
    tly_arena_done(&p->arena);
    return err == TLY_OK ? CLI_DONE : cli_fail(cli, err, &diag);
}

const struct cli_command ctl_election_open = {
    .name    = "election open",
    .args    = "DEFINITION_DIR REGISTRY_DIR",
    .summary = "verify both packages and write the genesis entry",
    .more =
        "The daemon is stopped.  Both packages must be without fault and signed by as many of the\n"
        "root keys as the definition's policy demands.  Opening the same election again changes\n"
        "nothing; another one needs a database of its own.",
    .args_min = 2,
    .args_max = 2,
    .options  = options,
    .run      = run,
};
