/* SPDX-License-Identifier: Apache-2.0 */
/* Both packages of the archive: all their files, the hash that was signed, the rules of the format. */
#include <stdio.h>

#include "base/hex.h"
#include "pack/definition.h"
#include "pack/package.h"
#include "pack/registry_load.h"
#include "sys/file.h"
#include "sys/sha256.h"
#include "verify.h"

#define SCRATCH_MAX  ((size_t)4 << 30)
#define PREFIX_SIZE  32
#define REREAD_TRIES 1

/* One package being checked. */
struct checking {
    struct verify    *v;
    enum package_kind kind;
    char              folder[PREFIX_SIZE]; /* "doc/definition" */
    bool              complete;            /* all files but signatures.dsse are there */
    bool              good;
};

static void
find(struct checking *c, enum found found, const char *at)
{
    c->good = false;
    findings_add(&c->v->findings, found, at);
}

/* ---- files ---- */

static bool
belongs(enum package_kind kind, const char *name)
{
    for (const char *const *n = package_names(kind); *n != NULL; n++) {
        if (strcmp(*n, name) == 0) {
            return true;
        }
    }
    return strcmp(name, PACKAGE_SIGNATURES) == 0;
}

static void
file_check(struct checking *c, const char *name, bool counts)
{
    char path[FILE_PATH_SIZE];
    file_path(path, "%s/%s", c->folder, name);
    const struct archive_file *file = archive_find(c->v->archive, path);
    if (file != NULL && file->size <= VERIFY_PACKAGE_MAX) {
        return;
    }
    find(c, file == NULL ? FOUND_PACKAGE_FILES : FOUND_FILE_SIZE, path);
    c->complete = c->complete && !counts;
}

static void
files_check(struct checking *c)
{
    char         prefix[PREFIX_SIZE + 1];
    const size_t len =
        (size_t)snprintf(prefix, sizeof prefix, "%s/", c->folder); /* both are short */
    for (size_t i = archive_lower(c->v->archive, prefix); i < archive_files_n(c->v->archive); i++) {
        const char *path = archive_file(c->v->archive, i)->path;
        if (strncmp(path, prefix, len) != 0) {
            break;
        }
        if (!belongs(c->kind, path + len)) {
            find(c, FOUND_PACKAGE_FILES, path);
        }
    }
    for (const char *const *n = package_names(c->kind); *n != NULL; n++) {
        file_check(c, *n, true);
    }
    file_check(c, PACKAGE_SIGNATURES, false);
}

/* ---- content: by the readers that the daemon has ---- */

/* Only what belongs: what is too many was said already. */
static enum tly_err
list(const struct pack_files *files, size_t names_max, struct tly_arena *arena, const char ***names,
     size_t *names_n, struct tly_diag *diag)
{
    const struct checking *c   = files->arg;
    const char *const     *all = package_names(c->kind);
    size_t                 n   = 0;
    (void)names_max;
    (void)diag;
    while (all[n] != NULL) {
        n++;
    }
    const char **out = TLY_NEW(arena, const char *, n);
    if (out == NULL) {
        return TLY_ENOMEM;
    }
    memcpy(out, all, n * sizeof *out); /* NOLINT(bugprone-sizeof-expression): pointers */
    *names   = out;
    *names_n = n;
    return TLY_OK;
}

static enum tly_err
read(const struct pack_files *files, const char *name, size_t bytes_max, struct tly_arena *arena,
     struct tly_bytes *out, struct tly_diag *diag)
{
    const struct checking *c = files->arg;
    char                   path[FILE_PATH_SIZE];
    file_path(path, "%s/%s", c->folder, name);
    const struct archive_file *file = archive_find(c->v->archive, path);
    if (file == NULL || file->size > bytes_max) {
        return file == NULL ? TLY_ENOENT : TLY_ETOOBIG;
    }
    return archive_read(c->v->archive, file, arena, out, diag);
}

static struct pack_files
files_of(struct checking *c)
{
    return (struct pack_files){.where = c->folder, .arg = c, .list = list, .read = read};
}

static enum tly_err
content_check(struct checking *c)
{
    struct verify          *v      = c->v;
    struct faults           faults = {.arena = &v->arena};
    const struct pack_files files  = files_of(c);
    enum tly_err            err    = TLY_OK;
    if (!c->complete || (c->kind == PACKAGE_REGISTRY && v->election == NULL)) {
        c->good = false;
        return TLY_OK;
    }
    if (c->kind == PACKAGE_DEFINITION) {
        err = definition_read(&files, &v->arena, &v->election, &faults, &v->diag);
    } else {
        err = registry_read(&files, v->election, &v->arena, &v->registry, &faults, &v->diag);
    }
    if (err == TLY_EINPUT && faults.n > 0) {
        find(c, FOUND_PACKAGE_CONTENT, c->folder);
        return TLY_OK;
    }
    return err;
}

/* ---- what was signed ---- */

/* The hash of the files as they are. */
static enum tly_err
hash_compute(struct checking *c, struct tly_hash *out)
{
    TLY_AUTO(sha256) struct sys_sha256_ctx *ctx = NULL;
    enum tly_err                            err = sys_sha256_new(&ctx);
    for (const char *const *n = package_names(c->kind); *n != NULL && err == TLY_OK; n++) {
        TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = SCRATCH_MAX};
        const struct pack_files          files   = files_of(c);
        struct tly_bytes                 bytes;
        err = read(&files, *n, SIZE_MAX, &scratch, &bytes, &c->v->diag);
        if (err == TLY_OK) {
            char                  hex[TLY_HEX_SIZE(sizeof out->b)];
            const struct tly_hash hash = sys_sha256(bytes);
            tly_hex(hash.b, sizeof hash.b, hex);
            const char *const pieces[] = {hex, "  ", *n, "\n"};
            for (unsigned i = 0; i < TLY_N(pieces); i++) {
                sys_sha256_add(ctx, tly_text(pieces[i]));
            }
        }
    }
    if (err == TLY_OK) {
        *out = sys_sha256_end(ctx);
    }
    return err;
}

static enum tly_err
signatures_check(struct checking *c, const struct tly_hash *hash)
{
    struct verify                   *v       = c->v;
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = SCRATCH_MAX};
    const struct pack_files          files   = files_of(c);
    const struct election           *e       = v->election;
    struct tly_bytes                 bytes;
    struct package_signed            s;
    char                             hex[TLY_HEX_SIZE(sizeof hash->b)];
    enum tly_err                     err =
        read(&files, PACKAGE_SIGNATURES, VERIFY_PACKAGE_MAX, &scratch, &bytes, &v->diag);
    if (err == TLY_ENOENT || err == TLY_ETOOBIG) {
        return TLY_OK; /* said already */
    }
    if (err == TLY_OK) {
        err = package_signed_read(bytes, c->kind, &scratch, &s, &v->diag);
    }
    if (err == TLY_EINPUT) {
        find(c, FOUND_PACKAGE_SIGNATURE, c->folder);
        return TLY_OK;
    }
    if (err != TLY_OK) {
        return err;
    }
    tly_hex(hash->b, sizeof hash->b, hex);
    if (c->complete && strcmp(s.hash, hex) != 0) {
        find(c, FOUND_PACKAGE_HASH, c->folder);
    }
    const struct packages_keys *roots = &v->options->roots;
    if ((e != NULL && strcmp(s.election, e->code) != 0) ||
        package_signers(&s.envelope, roots->keys, roots->n) < (e == NULL ? 1 : e->policy.root)) {
        find(c, FOUND_PACKAGE_SIGNATURE, c->folder);
    }
    return TLY_OK;
}

static enum tly_err
package_check(struct verify *v, enum package_kind kind, bool *good, bool *has_hash,
              struct tly_hash *hash)
{
    struct checking c = {.v = v, .kind = kind, .complete = true, .good = true};
    (void)snprintf(c.folder, sizeof c.folder, "doc/%s", package_kind_name(kind));
    files_check(&c);
    enum tly_err err = content_check(&c);
    if (err == TLY_OK && c.complete) {
        err       = hash_compute(&c, hash);
        *has_hash = err == TLY_OK;
    }
    if (err == TLY_OK) {
        err = signatures_check(&c, hash);
    }
    *good = c.good;
    return err;
}

enum tly_err
verify_packages(struct verify *v)
{
    bool         definition_good = false;
    bool         registry_good   = false;
    enum tly_err err =
        package_check(v, PACKAGE_DEFINITION, &definition_good, &v->has_definition, &v->definition);
    if (err == TLY_OK) {
        err =
            package_check(v, PACKAGE_REGISTRY, &registry_good, &v->has_registry, &v->registry_hash);
    }
    v->interpreted = definition_good && registry_good;
    return err;
}
