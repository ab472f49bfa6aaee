/* SPDX-License-Identifier: Apache-2.0 */
/* tallysim enrol: from DIR/definition makes DIR/registry and DIR/keys and signs both packages
 * (doc/formats.md). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "enrol_int.h"
#include "pack/definition.h"
#include "pack/keyfile.h"
#include "pack/package.h"
#include "sys/clock.h"
#include "sys/file.h"

#define ENROL_ARENA_MAX ((size_t)1 << 30)
#define EARLIEST        UINT64_C(1767225600) /* 1 January 2026: recordings lie in October of that year */
#define VALID_SECONDS   (UINT64_C(400) * 86400)
#define HOSTS           "localhost,127.0.0.1,::1"

static const struct cli_option options[] = {
    {"hosts", "NAMES", "names and addresses of the server certificate (default: " HOSTS ")", false},
    {NULL},
};

void
enrol_path(const struct enrol *enrol, char out[FILE_PATH_SIZE], const char *folder,
           const char *name, const char *suffix)
{
    file_path(out, "%s/%s/%s%s", enrol->dir, folder, name, suffix);
}

enum tly_err
enrol_create(const struct enrol *enrol, const char *folder, const char *name, FILE **out,
             struct tly_diag *diag)
{
    char path[FILE_PATH_SIZE];
    enrol_path(enrol, path, folder, name, "");
    /* What lies among the keys is for its owner's eyes: signing.csv holds every terminal's seed. */
    const mode_t mode = strcmp(folder, "keys") == 0 ? 0600 : 0644;
    const int    fd   = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE        *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        const int reason = errno;
        tly_auto_fd(&(int){fd});
        return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(reason));
    }
    *out = file;
    return TLY_OK;
}

enum tly_err
enrol_close(FILE *file, const char *name, struct tly_diag *diag)
{
    const bool bad = ferror(file) != 0;
    return fclose(file) == 0 && !bad
               ? TLY_OK
               : tly_fail(diag, TLY_EIO, "%s: cannot be written: %s", name, strerrordesc_np(errno));
}

static enum tly_err
make_folders(const struct enrol *enrol, struct tly_diag *diag)
{
    static const struct {
        const char *name;
        mode_t      mode;
    } folders[]      = {{"registry", 0755},
                        {"keys", 0755},
                        {"keys/officers", 0700},
                        {"keys/clients", 0755},
                        {"keys/terminals", 0755}};
    enum tly_err err = TLY_OK;
    for (unsigned i = 0; i < TLY_N(folders) && err == TLY_OK; i++) {
        char path[FILE_PATH_SIZE];
        enrol_path(enrol, path, folders[i].name, "", "");
        err = file_mkdirs(path, folders[i].mode, diag);
    }
    return err;
}

/* keys/NAME with a new Ed25519 key; *out when the caller wants to sign with it. */
static enum tly_err
new_key(const struct enrol *enrol, const char *name, struct sign_secret *out, struct tly_diag *diag)
{
    uint8_t seed[32];
    char    path[FILE_PATH_SIZE];
    randombytes_buf(seed, sizeof seed);
    sign_from_seed(seed, out);
    sodium_memzero(seed, sizeof seed);
    enrol_path(enrol, path, "keys", name, "");
    return keyfile_write_secret(path, out, diag);
}

/* The authority and the server's certificate. */
static enum tly_err
make_authority(struct enrol *enrol, const char *hosts, struct tly_diag *diag)
{
    char                crt[FILE_PATH_SIZE], key[FILE_PATH_SIZE], name[256];
    struct tly_hash     fingerprint;
    struct cert_request server = {.common_name = "tallyd",
                                  .hosts       = hosts,
                                  .usage       = CERT_SERVER,
                                  .not_before  = enrol->not_before,
                                  .not_after   = enrol->not_after};
    (void)snprintf(name, sizeof name, "%.64s authority", enrol->election->code);
    enrol_path(enrol, crt, "keys", "ca.crt", "");
    enrol_path(enrol, key, "keys", "ca.key", "");
    enum tly_err err = cert_ca_make(crt, key, name, enrol->not_before, enrol->not_after, diag);
    if (err == TLY_OK) {
        err = cert_ca_load(crt, key, &enrol->ca, diag);
    }
    if (err == TLY_OK) {
        enrol_path(enrol, crt, "keys", "server.crt", "");
        enrol_path(enrol, key, "keys", "server.key", "");
        err = cert_issue(enrol->ca, &server, NULL, crt, key, &fingerprint, diag);
    }
    return err;
}

static enum tly_err
make_registry(const struct enrol *enrol, struct tly_arena *arena, struct tly_diag *diag)
{
    const uint32_t   n    = enrol->election->branches_n + ENROL_SPARES;
    struct enrolled *list = TLY_NEW(arena, struct enrolled, n);
    if (list == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for %" PRIu32 " terminals", n);
    }
    enum tly_err err = enrol_terminals(enrol, list, n, diag);
    if (err == TLY_OK) {
        err = enrol_write_terminals(enrol, list, n, diag);
    }
    if (err == TLY_OK) {
        err = enrol_clients(enrol, diag);
    }
    if (err == TLY_OK) {
        err = enrol_officers(enrol, diag);
    }
    sodium_memzero(list, n * sizeof *list);
    return err;
}

static enum tly_err
sign_package(const struct enrol *enrol, const char *name, enum package_kind kind,
             const struct sign_secret *root, struct tly_diag *diag)
{
    char            path[FILE_PATH_SIZE];
    struct tly_hash hash;
    enrol_path(enrol, path, name, "", "");
    const enum tly_err err = package_hash(path, kind, &hash, diag);
    return err != TLY_OK ? err : package_sign(path, kind, enrol->election->code, &hash, root, diag);
}

/* Certificates hold now and when the recorded bundles are made. */
static void
set_validity(struct enrol *enrol)
{
    uint64_t first = clock_unix_s(), last = first;
    first = first < EARLIEST ? first : EARLIEST;
    for (uint32_t i = 0; i < enrol->election->contests_n; i++) {
        const struct contest *c = &enrol->election->contests[i];
        if (c->has_closes_at) {
            first = c->closes_at < first ? c->closes_at : first;
            last  = c->closes_at > last ? c->closes_at : last;
        }
    }
    enrol->not_before = first > 86400 ? first - 86400 : 0;
    enrol->not_after  = last + VALID_SECONDS;
}

static enum tly_err
enrol_all(struct enrol *enrol, const char *hosts, struct tly_arena *arena, struct tly_diag *diag)
{
    TLY_AUTO(secret) struct sign_secret root = {0};
    TLY_AUTO(secret) struct sign_secret log  = {0};
    set_validity(enrol);
    enum tly_err err = make_folders(enrol, diag);
    if (err == TLY_OK) {
        err = new_key(enrol, "root.key", &root, diag);
    }
    if (err == TLY_OK) {
        err = new_key(enrol, "log.key", &log, diag);
    }
    if (err == TLY_OK) {
        err = make_authority(enrol, hosts, diag);
    }
    if (err == TLY_OK) {
        err = make_registry(enrol, arena, diag);
    }
    if (err == TLY_OK) {
        err = sign_package(enrol, "definition", PACKAGE_DEFINITION, &root, diag);
    }
    return err != TLY_OK ? err : sign_package(enrol, "registry", PACKAGE_REGISTRY, &root, diag);
}

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct election                 *election = NULL;
    struct enrol                     enrol    = {.dir = cli_arg(cli, 0)};
    struct tly_diag                  diag     = {0};
    char                             path[FILE_PATH_SIZE];
    tly_arena_init(&arena, ENROL_ARENA_MAX);
    struct faults faults = {.arena = &arena};
    enrol_path(&enrol, path, "definition", "", "");
    enum tly_err err = definition_load(path, &arena, &election, &faults, &diag);
    if (err == TLY_OK) {
        enrol.election = election;
        err            = enrol_all(&enrol, cli_value(cli, "hosts", HOSTS), &arena, &diag);
        cert_ca_free(enrol.ca);
    }
    if (err != TLY_OK) {
        if (faults.n > 0) {
            return cli_say(cli, CLI_REFUSED,
                           "%s: %" PRIu64 " faults; tallyctl definition check %s lists them", path,
                           faults.n, path);
        }
        return cli_fail(cli, err, &diag);
    }
    (void)printf("%s: %" PRIu32
                 " terminals and %u spares enrolled; registry and keys written, both packages "
                 "signed by keys/root.key\n",
                 enrol.dir, election->branches_n, ENROL_SPARES);
    return CLI_DONE;
}

const struct cli_command sim_enrol = {
    .name    = "enrol",
    .args    = "DIR",
    .summary = "from DIR/definition make DIR/registry and DIR/keys, sign both packages",
    .more = "For rehearsals and tests: all keys of an election in one folder, the authority's and "
            "root.key too.  A\n"
            "folder that is there already is never written over: after a break, remove "
            "DIR/registry and DIR/keys first.",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
