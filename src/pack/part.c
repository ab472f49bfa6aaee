/* SPDX-License-Identifier: Apache-2.0 */
#include "part.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "sys/sha256.h"

#define LIST_ARENA_BYTES ((size_t)4 << 20)
#define LIST_NAMES_MAX   10000

static const char *const definition_names[] = {
    "areas.csv",    "ballots.csv",   "branches.csv", "candidates.csv",
    "contests.csv", "election.json", "lists.csv",    NULL};
static const char *const registry_names[] = {"clients.csv", "officers.csv", "terminals.csv", NULL};

const char *const *
part_names(enum package_kind kind)
{
    return kind == PACKAGE_DEFINITION ? definition_names : registry_names;
}

/* Reads a file of a package into the arena.  Errors: as file_read(). */
static enum tly_err
part_read(const struct pack_files *files, const char *name, struct tly_arena *arena,
          struct part *out, struct tly_diag *diag)
{
    struct tly_bytes   bytes;
    const enum tly_err err = files->read(files, name, PART_BYTES_MAX, arena, &bytes, diag);
    if (err != TLY_OK) {
        return err;
    }
    /* The bytes are ours, in our arena: the reader of CSV works in place. */
    *out = (struct part){.name = name,
                         .data = (uint8_t *)(uintptr_t)bytes.data,
                         .len  = bytes.len,
                         .hash = sys_sha256(bytes)};
    return TLY_OK;
}

static bool
among(const char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *
kind_word(enum package_kind kind)
{
    return kind == PACKAGE_DEFINITION ? "definition" : "registry";
}

static enum package_kind
other_kind(enum package_kind kind)
{
    return kind == PACKAGE_DEFINITION ? PACKAGE_REGISTRY : PACKAGE_DEFINITION;
}

/* Nothing of this kind, but something of the other: every fault would be about a good file. */
static bool
is_other(enum package_kind kind, const char *const found[], size_t n)
{
    const enum package_kind other    = other_kind(kind);
    bool                    of_other = false;
    for (size_t i = 0; i < n; i++) {
        if (among(part_names(kind), found[i])) {
            return false;
        }
        of_other = of_other || among(part_names(other), found[i]);
    }
    return of_other;
}

enum tly_err
part_list_check(const struct pack_files *files, enum package_kind kind, struct faults *faults,
                struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = LIST_ARENA_BYTES};
    const char                     **found = NULL;
    size_t                           n     = 0;
    const enum tly_err err = files->list(files, LIST_NAMES_MAX, &arena, &found, &n, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (is_other(kind, found, n)) {
        return tly_fail(diag, TLY_EINPUT, "%s: this is a %s, not a %s (folders swapped?)",
                        files->where, kind_word(other_kind(kind)), kind_word(kind));
    }
    const char *const *names = part_names(kind);
    for (size_t i = 0; i < n; i++) {
        if (among(names, found[i]) || strcmp(found[i], PART_SIGNATURES) == 0) {
            continue;
        }
        const char *kept = tly_arena_text(faults->arena, tly_text(found[i]));
        faults_add(faults, kept == NULL ? "?" : kept, 0, 0,
                   "this file does not belong to a %s; remove it", kind_word(kind));
    }
    return TLY_OK;
}

void
part_sum_line(struct sys_sha256_ctx *ctx, const struct tly_hash *hash, const char *name)
{
    char hex[TLY_HEX_SIZE(sizeof hash->b)];
    tly_hex(hash->b, sizeof hash->b, hex);
    sys_sha256_add(ctx, tly_text(hex));
    sys_sha256_add(ctx, tly_text("  "));
    sys_sha256_add(ctx, tly_text(name));
    sys_sha256_add(ctx, tly_text("\n"));
}

/* Are a file's own bytes where the loaded names and codes live? */
static bool
keeps_texts(enum package_kind kind, const char *name)
{
    return kind == PACKAGE_DEFINITION && strcmp(name, "ballots.csv") != 0 &&
           strcmp(name, "election.json") != 0;
}

enum tly_err
part_read_all(const struct pack_files *files, enum package_kind kind, struct tly_arena *arena,
              struct tly_arena *scratch, struct faults *faults, struct part parts[PARTS_MAX],
              struct tly_hash *hash, struct tly_diag *diag)
{
    TLY_AUTO(sha256) struct sys_sha256_ctx *ctx   = NULL;
    const char *const                      *names = part_names(kind);
    enum tly_err                            err   = sys_sha256_new(&ctx);
    if (err == TLY_OK) {
        err = part_list_check(files, kind, faults, diag);
    }
    for (unsigned i = 0; err == TLY_OK && names[i] != NULL; i++) {
        struct tly_arena *to = keeps_texts(kind, names[i]) ? arena : scratch;
        err                  = part_read(files, names[i], to, &parts[i], diag);
        if (err == TLY_ENOENT) {
            parts[i] = (struct part){.name = names[i]};
            faults_add(faults, names[i], 0, 0, "this file is missing");
            err = TLY_OK;
        } else if (err == TLY_OK) {
            part_sum_line(ctx, &parts[i].hash, parts[i].name);
        }
        parts[i + 1] = (struct part){0};
    }
    if (err == TLY_OK) {
        *hash = sys_sha256_end(ctx);
    }
    return err;
}

struct part *
part_find(struct part parts[PARTS_MAX], const char *name)
{
    for (unsigned i = 0; i < PARTS_MAX && parts[i].name != NULL; i++) {
        if (strcmp(parts[i].name, name) == 0) {
            return &parts[i];
        }
    }
    tly_check_failed(__FILE__, __LINE__, "the name is a part of this package");
}
