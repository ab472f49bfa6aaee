/* SPDX-License-Identifier: Apache-2.0 */
#include "ground.h"

#include <inttypes.h>

#include "pack/definition.h"
#include "pack/keyfile.h"
#include "pack/package.h"
#include "pack/registry_load.h"
#include "sys/file.h"
#include "sys/log.h"

#define ARENA_MAX     ((size_t)4 << 30)
#define ROOT_KEYS_MAX 16
#define PEM_BYTES_MAX ((size_t)1 << 20)
#define FAULTS_LOGGED 50

static void
faults_log(const struct faults *faults)
{
    for (uint32_t i = 0; i < faults->kept && i < FAULTS_LOGGED; i++) {
        const struct fault *f = &faults->list[i];
        log_event(LOG_ERR, "package.fault", "at=%s:%u:%u why=%s", f->file, f->line, f->column,
                  log_why(f->text).s);
    }
    if (faults->n > FAULTS_LOGGED) {
        log_event(LOG_ERR, "package.fault",
                  "more=%" PRIu64 " why=\"see tallyctl definition check\"",
                  faults->n - FAULTS_LOGGED);
    }
}

/* A path from root_keys, which may be relative to the settings file's folder. */
static const char *
path_make(struct ground *g, const char *config_file, struct tly_bytes name)
{
    const char  *slash = config_file == NULL ? NULL : strrchr(config_file, '/');
    const size_t dir = slash == NULL || name.data[0] == '/' ? 0 : (size_t)(slash - config_file) + 1;
    char        *path = tly_arena_alloc(&g->arena, dir + name.len + 1, 1);
    if (path != NULL) {
        memcpy(path, config_file == NULL ? "" : config_file, dir);
        memcpy(path + dir, name.data, name.len);
    }
    return path;
}

static enum tly_err
root_keys_read(struct ground *g, const struct settings *settings, const char *config_file,
               struct tly_key keys[ROOT_KEYS_MAX], unsigned *n, struct tly_diag *diag)
{
    *n = 0;
    for (const char *p = settings->root_keys; *p != '\0';) {
        const size_t len = strcspn(p, " ");
        if (len > 0) {
            const char *path =
                path_make(g, config_file, (struct tly_bytes){(const uint8_t *)p, len});
            if (*n == ROOT_KEYS_MAX) {
                return tly_fail(diag, TLY_EINPUT, "root_keys: more than %d", ROOT_KEYS_MAX);
            }
            struct tly_diag    why = {0};
            const enum tly_err err =
                path == NULL ? TLY_ENOMEM : keyfile_read_public(path, &keys[*n], &why);
            if (err != TLY_OK) {
                return tly_fail(diag, err, "root_keys: %s", why.text);
            }
            (*n)++;
        }
        p += len + (p[len] == ' ');
    }
    return TLY_OK;
}

/* Whether enough root keys signed both packages as they are on the disk. */
static enum tly_err
packages_verify(const struct ground *g, const struct settings *settings,
                const struct tly_key keys[], unsigned keys_n, struct tly_diag *diag)
{
    const unsigned     threshold = g->election->policy.root;
    const enum tly_err err =
        package_verify(settings->definition, PACKAGE_DEFINITION, g->election->code,
                       &g->election->definition, keys, keys_n, threshold, diag);
    return err != TLY_OK ? err
                         : package_verify(settings->registry, PACKAGE_REGISTRY, g->election->code,
                                          &g->registry->hash, keys, keys_n, threshold, diag);
}

static enum tly_err
packages_load(struct ground *g, const struct settings *settings, struct tly_diag *diag)
{
    struct faults faults = {.arena = &g->arena};
    enum tly_err  err =
        definition_load(settings->definition, &g->arena, &g->election, &faults, diag);
    if (err == TLY_OK) {
        err =
            registry_load(settings->registry, g->election, &g->arena, &g->registry, &faults, diag);
    }
    faults_log(&faults);
    return err;
}

static enum tly_err
pem_read(struct ground *g, const char *path, bool secret, const char **out, struct tly_diag *diag)
{
    struct tly_bytes text = {0};
    enum tly_err     err  = secret ? file_private(path, diag) : TLY_OK;
    if (err == TLY_OK) {
        err = file_read(path, PEM_BYTES_MAX, &g->arena, &text, diag);
    }
    if (err == TLY_OK) {
        *out = (const char *)text.data;
    }
    return err;
}

/* The log's name is DOMAIN/ELECTION/PHASE, design 7. */
static enum tly_err
log_key_load(struct ground *g, const char *path, struct tly_diag *diag)
{
    char         origin[NOTE_ORIGIN_LEN_MAX + 1];
    const int    len = snprintf(origin, sizeof origin, "%s/%s/%s", g->election->domain,
                                g->election->code, phase_name(g->election->phase));
    enum tly_err err = keyfile_read_secret(path, &g->log_secret, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (len < 0 || (size_t)len >= sizeof origin) {
        return tly_fail(diag, TLY_EINPUT, "the log's name %s... is over %d bytes", origin,
                        NOTE_ORIGIN_LEN_MAX);
    }
    const struct tly_key key = sign_public(&g->log_secret);
    note_vkey_make(origin, &key, &g->vkey);
    return TLY_OK;
}

enum tly_err
ground_load(const struct settings *settings, const char *config_file, struct ground *out,
            struct tly_diag *diag)
{
    struct tly_key root[ROOT_KEYS_MAX];
    unsigned       root_n;
    *out = (struct ground){0};
    tly_arena_init(&out->arena, ARENA_MAX);
    enum tly_err err = root_keys_read(out, settings, config_file, root, &root_n, diag);
    if (err == TLY_OK) {
        err = packages_load(out, settings, diag);
    }
    if (err == TLY_OK) {
        err = packages_verify(out, settings, root, root_n, diag);
    }
    if (err == TLY_OK) {
        err = log_key_load(out, settings->log_key, diag);
    }
    if (err == TLY_OK) {
        err = pem_read(out, settings->server_cert, false, &out->cert_pem, diag);
    }
    if (err == TLY_OK) {
        err = pem_read(out, settings->server_key, true, &out->key_pem, diag);
    }
    if (err != TLY_OK) {
        ground_done(out);
    }
    return err;
}

void
ground_done(struct ground *ground)
{
    sign_wipe(&ground->log_secret);
    tly_arena_done(&ground->arena);
}
