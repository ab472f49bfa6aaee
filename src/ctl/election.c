/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl election open: checks and verifies both packages, then writes the genesis entry. */
#include <stdio.h>

#include "base/hex.h"
#include "cmd.h"
#include "database.h"
#include "pack/packages.h"
#include "store/store.h"
#include "sys/clock.h"

#define MEMORY_MAX ((size_t)1 << 30) /* of both packages; a country takes some 100 MiB */

static const struct cli_option options[] = {
    {"root-key", "FILE", "a root key's public (or private) PEM file", true},
    DATABASE_OPTION,
    {NULL},
};

static enum tly_err
read_keys(const struct cli *cli, struct packages_keys *keys, struct tly_diag *diag)
{
    const char *path;
    while ((path = cli_value_at(cli, "root-key", keys->n)) != NULL) {
        const enum tly_err err = packages_key_add(keys, path, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return keys->n > 0 ? TLY_OK : tly_fail(diag, TLY_ERANGE, "--root-key is missing");
}

static enum tly_err
load(const struct cli *cli, struct tly_arena *arena, struct packages *p, struct tly_diag *diag)
{
    struct packages_keys keys   = {0};
    struct faults        faults = {.arena = arena};
    const char          *faulty = NULL;
    enum tly_err         err    = read_keys(cli, &keys, diag);
    if (err == TLY_OK) {
        err = packages_load(cli_arg(cli, 0), cli_arg(cli, 1), &keys, arena, p, &faults, &faulty,
                            diag);
        faults_print(&faults, faulty, stderr);
    }
    return err;
}

static enum tly_err
write_genesis(const struct cli *cli, const struct packages *p, struct tly_diag *diag)
{
    const struct leaf  genesis = {.kind        = LEAF_GENESIS,
                                  .election    = p->election->code,
                                  .accepted_ms = clock_unix_ms(),
                                  .definition  = p->election->definition,
                                  .registry    = p->registry->hash};
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
    TLY_AUTO(arena) struct tly_arena arena;
    struct packages                  p    = {0};
    struct tly_diag                  diag = {0};
    tly_arena_init(&arena, MEMORY_MAX);
    enum tly_err err = load(cli, &arena, &p, &diag);
    if (err == TLY_OK) {
        err = write_genesis(cli, &p, &diag);
    }
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
