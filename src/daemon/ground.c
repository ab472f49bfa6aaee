/* SPDX-License-Identifier: Apache-2.0 */
#include "ground.h"

#include <inttypes.h>

#include "net/http.h"
#include "pack/cert.h"
#include "pack/keyfile.h"
#include "pack/packages.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#define ARENA_MAX     ((size_t)4 << 30)
#define FAULTS_LOGGED 50
#define HOUR_S        3600U
#define ENDS_SOON_S   (7U * 24 * HOUR_S)

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
               struct packages_keys *keys, struct tly_diag *diag)
{
    for (const char *p = settings->root_keys; *p != '\0';) {
        const size_t len = strcspn(p, " ");
        if (len > 0) {
            const char *path =
                path_make(g, config_file, (struct tly_bytes){(const uint8_t *)p, len});
            struct tly_diag    why = {0};
            const enum tly_err err = path == NULL ? TLY_ENOMEM : packages_key_add(keys, path, &why);
            if (err != TLY_OK) {
                return tly_fail(diag, err, "root_keys: %s", why.text);
            }
        }
        p += len + (p[len] == ' ');
    }
    return TLY_OK;
}

static enum tly_err
packages_read(struct ground *g, const struct settings *settings, const struct packages_keys *keys,
              struct tly_diag *diag)
{
    struct faults      faults = {.arena = &g->arena};
    struct packages    p      = {0};
    const char        *faulty;
    const enum tly_err err = packages_load(settings->definition, settings->registry, keys,
                                           &g->arena, &p, &faults, &faulty, diag);
    faults_log(&faults);
    g->election = p.election;
    g->registry = p.registry;
    return err;
}

static enum tly_err
pem_read(struct ground *g, const char *setting, const char *path, bool secret, const char **out,
         struct tly_diag *diag)
{
    struct tly_bytes text = {0};
    struct tly_diag  why  = {0};
    enum tly_err     err  = secret ? file_private(path, &why) : TLY_OK;
    if (err == TLY_OK) {
        err = file_read(path, PEM_BYTES_MAX, &g->arena, &text, &why);
    }
    if (err != TLY_OK) {
        return tly_fail(diag, err, "%s: %s", setting, why.text);
    }
    *out = (const char *)text.data;
    return TLY_OK;
}

/* A certificate that clients will not take, or not for long. */
static void
dates_warn(const char *path, uint64_t begins, uint64_t ends, uint64_t now)
{
    if (begins > now) {
        log_event(LOG_WARNING, "server_cert.begins", "file=%s hours=%" PRIu64,
                  log_text(tly_text(path)).s, (begins - now) / HOUR_S);
    } else if (ends < now + ENDS_SOON_S) {
        log_event(LOG_WARNING, "server_cert.ends", "file=%s hours=%" PRIu64,
                  log_text(tly_text(path)).s, (ends - now) / HOUR_S);
    }
}

/* Named here: GnuTLS would say less, and only after the whole ledger was read. */
static enum tly_err
tls_check(const struct ground *g, const struct settings *settings, struct tly_diag *diag)
{
    const char    *crt    = settings->server_cert;
    const char    *key    = settings->server_key;
    const uint64_t now    = clock_unix_s();
    uint64_t       begins = 0, ends = 0;
    switch (cert_server_check(tly_text(g->cert_pem), tly_text(g->key_pem), now, &begins, &ends)) {
    case CERT_NO_CERTIFICATE:
        return tly_fail(diag, TLY_EINPUT, "server_cert: %s: holds no certificate (PEM)", crt);
    case CERT_NO_KEY:
        return tly_fail(diag, TLY_EINPUT,
                        "server_key: %s: holds no private key (PEM, without passphrase)", key);
    case CERT_OTHER_KEY:
        return tly_fail(diag, TLY_EINPUT, "server_key: %s: is not the key of server_cert %s", key,
                        crt);
    case CERT_NO_SERVER:
        return tly_fail(diag, TLY_EINPUT, "server_cert: %s: is not a server's certificate", crt);
    case CERT_EXPIRED:
        return tly_fail(diag, TLY_EINPUT, "server_cert: %s: ended %" PRIu64 " hours ago", crt,
                        (now - ends) / HOUR_S);
    case CERT_GOOD:
        break;
    }
    dates_warn(crt, begins, ends, now);
    return TLY_OK;
}

static enum tly_err
tls_load(struct ground *g, const struct settings *settings, struct tly_diag *diag)
{
    enum tly_err err = pem_read(g, "server_cert", settings->server_cert, false, &g->cert_pem, diag);
    if (err == TLY_OK) {
        err = pem_read(g, "server_key", settings->server_key, true, &g->key_pem, diag);
    }
    return err != TLY_OK ? err : tls_check(g, settings, diag);
}

/* The log's name is DOMAIN/ELECTION/PHASE. */
static enum tly_err
log_name(struct ground *g, struct tly_diag *diag)
{
    const int len = snprintf(g->vkey.name, sizeof g->vkey.name, "%s/%s/%s", g->election->domain,
                             g->election->code, phase_name(g->election->phase));
    return len > 0 && (size_t)len < sizeof g->vkey.name
               ? TLY_OK
               : tly_fail(diag, TLY_EINPUT, "the log's name %s... is over %d bytes", g->vkey.name,
                          NOTE_ORIGIN_LEN_MAX);
}

enum tly_err
ground_load(const struct settings *settings, const char *config_file, struct ground *out,
            struct tly_diag *diag)
{
    struct packages_keys root = {0};
    *out                      = (struct ground){0};
    tly_arena_init(&out->arena, ARENA_MAX);
    enum tly_err err = root_keys_read(out, settings, config_file, &root, diag);
    if (err == TLY_OK) { /* before the packages, which take longer */
        err = tls_load(out, settings, diag);
    }
    if (err == TLY_OK) {
        err = packages_read(out, settings, &root, diag);
    }
    if (err == TLY_OK) {
        err = log_name(out, diag);
    }
    if (err != TLY_OK) {
        ground_done(out);
    }
    return err;
}

void
ground_done(struct ground *ground)
{
    tly_arena_done(&ground->arena);
}

enum tly_err
ground_listeners_check(const struct settings *settings, struct tly_diag *diag)
{
    const struct {
        const char                     *name;
        const struct settings_listener *is;
    } all[] = {{"ingest", &settings->ingest}, {"api", &settings->api}, {"ops", &settings->ops}};
    for (size_t i = 0; i < TLY_N(all); i++) {
        const struct http_config config = {
            .name = all[i].name, .address = all[i].is->address, .port = (uint16_t)all[i].is->port};
        const enum tly_err err = http_address_check(&config, diag);
        if (err != TLY_OK) {
            return err;
        }
        for (size_t j = 0; j < i; j++) {
            if (all[j].is->port == config.port && config.port != 0 &&
                strcmp(all[j].is->address, config.address) == 0) {
                return tly_fail(diag, TLY_EINPUT, "%s.port and %s.port are both %u", all[j].name,
                                all[i].name, config.port);
            }
        }
    }
    return TLY_OK;
}
