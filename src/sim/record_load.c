/* SPDX-License-Identifier: Apache-2.0 */
/* What `tallysim record` needs of DIR: both packages, counts.csv, keys. */
#include <stdio.h>

#include "base/hex.h"
#include "pack/csv.h"
#include "pack/definition.h"
#include "pack/keyfile.h"
#include "pack/registry_load.h"
#include "record_int.h"
#include "sys/file.h"

#define SIGNING_BYTES_MAX ((size_t)64 << 20)
#define RECORD_ARENA_MAX  ((size_t)8 << 30)

/* keys/signing.csv: the seed of each terminal. */
static enum tly_err
load_seeds(const char *dir, struct record *r, struct faults *faults, struct tly_diag *diag)
{
    char             path[FILE_PATH_SIZE];
    struct tly_bytes text;
    struct csv       csv;
    file_path(path, "%s/keys/signing.csv", dir);
    const enum tly_err err = file_read(path, SIGNING_BYTES_MAX, &r->arena, &text, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (csv_open(&csv, "signing.csv", (uint8_t *)(uintptr_t)text.data, text.len, "terminal,seed",
                 faults)) {
        while (csv_next(&csv)) {
            uint8_t                  seed[32];
            const struct terminal_ix t =
                registry_terminal(r->registry, csv.fields[0], REGISTRY_NOW);
            if (t.v == IX_NONE) {
                csv_fault(&csv, 0, "\"%s\" is no terminal of the registry", csv_text(&csv, 0));
            } else if (!tly_unhex(csv.fields[1], seed, sizeof seed)) {
                csv_fault(&csv, 1, "is no seed of 64 hexadecimal digits");
            } else {
                sign_from_seed(seed, &r->secrets[t.v]);
            }
        }
    }
    return faults->n == 0 ? TLY_OK : tly_fail(diag, TLY_EINPUT, "%s: see the faults above", path);
}

/* Keys of the officers that are there: corrections need theirs, first revisions none. */
static void
load_officers(const char *dir, struct record *r)
{
    char path[FILE_PATH_SIZE];
    for (uint32_t i = 0; i < r->registry->officers_n; i++) {
        file_path(path, "%s/keys/officers/%s.key", dir, r->registry->officers[i].code);
        if (keyfile_read_secret(path, &r->officer_secrets[i], NULL) != TLY_OK) {
            r->officer_secrets[i] = (struct sign_secret){0};
        }
    }
}

/* The first active terminal of each branch. */
static void
find_terminals(struct record *r)
{
    for (uint32_t b = 0; b < r->election->branches_n; b++) {
        r->branch_terminals[b].v = IX_NONE;
    }
    for (uint32_t t = 0; t < r->registry->terminals_n; t++) {
        const struct terminal *terminal = &r->registry->terminals[t];
        if (terminal->branch.v != IX_NONE && terminal->state == TERMINAL_ACTIVE &&
            r->branch_terminals[terminal->branch.v].v == IX_NONE) {
            r->branch_terminals[terminal->branch.v].v = t;
        }
    }
}

static enum tly_err
load_packages(const char *dir, struct record *r, struct faults *faults, char faulty[FILE_PATH_SIZE],
              struct tly_diag *diag)
{
    struct election *election = NULL;
    struct registry *registry = NULL;
    file_path(faulty, "%s/definition", dir);
    enum tly_err err = definition_load(faulty, &r->arena, &election, faults, diag);
    if (err == TLY_OK) {
        file_path(faulty, "%s/registry", dir);
        err = registry_load(faulty, election, &r->arena, &registry, faults, diag);
    }
    r->election = election;
    r->registry = registry;
    return err;
}

static enum tly_err
load_keys(const char *dir, struct record *r, struct faults *faults, struct tly_diag *diag)
{
    r->secrets          = TLY_NEW(&r->arena, struct sign_secret, r->registry->terminals_n);
    r->officer_secrets  = TLY_NEW(&r->arena, struct sign_secret, r->registry->officers_n);
    r->branch_terminals = TLY_NEW(&r->arena, struct terminal_ix, r->election->branches_n);
    r->buffer           = TLY_NEW(&r->arena, char, RECORD_BUFFER_SIZE);
    if (r->secrets == NULL || r->officer_secrets == NULL || r->branch_terminals == NULL ||
        r->buffer == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory for its keys", dir);
    }
    find_terminals(r);
    load_officers(dir, r);
    return load_seeds(dir, r, faults, diag);
}

enum tly_err
record_load(const char *dir, struct record *out, struct tly_diag *diag)
{
    tly_arena_init(&out->arena, RECORD_ARENA_MAX);
    struct faults faults = {.arena = &out->arena};
    char          faulty[FILE_PATH_SIZE]; /* the folder that the faults are in */
    enum tly_err  err = load_packages(dir, out, &faults, faulty, diag);
    if (err == TLY_OK) {
        file_path(faulty, "%s/keys", dir);
        err = load_keys(dir, out, &faults, diag);
    }
    if (err == TLY_OK) {
        file_path(faulty, "%s", dir);
        err = counts_read(dir, out->election, &out->arena, &out->counts, &faults, diag);
    }
    faults_print(&faults, faulty, stderr);
    return err;
}
