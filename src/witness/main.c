/* SPDX-License-Identifier: Apache-2.0 */
/* tally-witness: cosigns the heads of logs that only ever grow. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "mirror.h"
#include "pack/cert.h"
#include "pack/keyfile.h"
#include "serve.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/program.h"

#define ARENA_MAX ((size_t)16 << 20)
#define TURN_MS   1000

enum own { OWN_MIRROR, OWN_VKEY };

struct witness {
    struct tly_arena    arena;
    struct sign_secret  secret;
    struct cosign_vkey  vkey;
    const struct trust *policy;
    struct serve        serve;
    struct http_server *server;
    struct mirror      *mirror;
};

static enum tly_err
key_load(struct witness *w, const struct settings *set, struct tly_diag *diag)
{
    if (!note_name_ok(tly_text(set->name))) {
        return tly_fail(diag, TLY_EINPUT,
                        "name: \"%s\" is no witness's name: printable ASCII without space and '+'",
                        set->name);
    }
    const enum tly_err err = keyfile_read_secret(set->key, &w->secret, diag);
    if (err == TLY_OK) {
        const struct tly_key key = sign_public(&w->secret);
        cosign_vkey_make(set->name, &key, &w->vkey);
    }
    return err;
}

static enum tly_err
logs_load(struct witness *w, const struct settings *set, struct tly_diag *diag)
{
    struct tly_bytes text;
    struct tly_diag  why = {0};
    enum tly_err     err = file_read(set->logs, TRUST_LEN_MAX, &w->arena, &text, &why);
    if (err == TLY_OK) {
        err = trust_parse(text, &w->arena, &w->policy, &why);
        if (err == TLY_EINPUT) {
            return tly_fail(diag, err, "logs: %s: %s", set->logs, why.text);
        }
    }
    if (err != TLY_OK) {
        return tly_fail(diag, err, "logs: %s", why.text);
    }
    for (unsigned i = 0; i < w->policy->logs_n; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(w->policy->logs[i].vkey.name, w->policy->logs[j].vkey.name) == 0) {
                return tly_fail(diag, TLY_EINPUT, "logs: %s: %s stands twice", set->logs,
                                w->policy->logs[i].vkey.name);
            }
        }
    }
    return w->policy->logs_n > 0 ? TLY_OK
                                 : tly_fail(diag, TLY_EINPUT, "logs: %s: names no log", set->logs);
}

static enum tly_err
pem_load(struct witness *w, const char *path, bool secret, const char **out, struct tly_diag *diag)
{
    struct tly_bytes text = {0};
    enum tly_err     err  = secret ? file_private(path, diag) : TLY_OK;
    if (err == TLY_OK) {
        err = file_read(path, PEM_BYTES_MAX, &w->arena, &text, diag);
    }
    if (err == TLY_OK) {
        *out = (const char *)text.data;
    }
    return err;
}

static enum tly_err
tls_load(struct witness *w, const struct settings *set, struct tly_diag *diag)
{
    uint64_t begins = 0;
    uint64_t ends   = 0;
    if (*set->server_cert == '\0' && *set->server_key == '\0') {
        return *set->clients == '\0'
                   ? TLY_OK
                   : tly_fail(diag, TLY_EINPUT,
                              "clients: certificates are only shown by TLS; set server_cert and "
                              "server_key, or leave it empty");
    }
    enum tly_err err = pem_load(w, set->server_cert, false, &w->serve.cert_pem, diag);
    if (err == TLY_OK) {
        err = pem_load(w, set->server_key, true, &w->serve.key_pem, diag);
    }
    if (err == TLY_OK && cert_server_check(tly_text(w->serve.cert_pem), tly_text(w->serve.key_pem),
                                           clock_unix_s(), &begins, &ends) != CERT_GOOD) {
        err = tly_fail(diag, TLY_EINPUT,
                       "server_cert %s and server_key %s are not a server's certificate of today "
                       "and its key",
                       set->server_cert, set->server_key);
    }
    return err;
}

static enum tly_err
load(struct witness *w, const struct settings *set, struct tly_diag *diag)
{
    const size_t len = strlen(set->prefix);
    if (len > 0 && (set->prefix[0] != '/' || set->prefix[len - 1] == '/')) {
        return tly_fail(diag, TLY_EINPUT, "prefix: \"%s\" is neither empty nor like /board-1",
                        set->prefix);
    }
    w->serve.settings = set;
    enum tly_err err  = key_load(w, set, diag);
    if (err == TLY_OK) {
        err = logs_load(w, set, diag);
    }
    if (err == TLY_OK) {
        err = tls_load(w, set, diag);
    }
    if (err == TLY_OK) {
        err = serve_clients(&w->serve, diag);
    }
    if (err == TLY_OK) {
        w->serve.policy                  = w->policy;
        const struct heads_config config = {
            .dir = set->state, .policy = w->policy, .vkey = &w->vkey, .secret = &w->secret};
        err = heads_open(&config, &w->serve.heads, diag);
    }
    return err;
}

static void
say_ready(struct witness *w)
{
    char vkey[NOTE_LEN_MAX];
    (void)cosign_vkey_write(&w->vkey, vkey);
    for (unsigned i = 0; i < w->policy->logs_n; i++) {
        log_event(LOG_NOTICE, "witness.log", "origin=%s size=%" PRIu64,
                  log_text(tly_text(w->policy->logs[i].vkey.name)).s,
                  heads_known(w->serve.heads, (int)i).size);
    }
    log_event(LOG_NOTICE, "witness.ready", "port=%u vkey=%s", http_server_port(w->server), vkey);
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s, %u logs", w->vkey.name, w->policy->logs_n);
}

static enum cli_exit
serve_until_told(struct witness *w, const struct settings *set)
{
    struct tly_diag          diag   = {0};
    const struct http_config config = serve_config(&w->serve);
    enum tly_err             err    = TLY_OK;
    if (*set->mirror != '\0') {
        err            = mirror_start(set, w->policy, w->serve.heads, &w->mirror, &diag);
        w->serve.grown = mirror_wake;
        w->serve.arg   = w->mirror;
    }
    if (err == TLY_OK) {
        err = http_server_start(&config, &w->server, &diag);
    }
    if (err != TLY_OK) {
        return program_refuse("witness.refused_start", err, &diag);
    }
    say_ready(w);
    while (!program_told_to_stop(TURN_MS)) {
    }
    (void)sd_notify(0, "STOPPING=1");
    http_server_stop(w->server, (unsigned)set->stop_ms);
    log_event(LOG_NOTICE, "witness.stopped", "%s", "");
    return CLI_DONE;
}

static enum cli_exit
run_loaded(struct witness *w, struct settings *set, const struct program_args *args)
{
    struct tly_diag diag = {0};
    char            text[NOTE_LEN_MAX];
    if (args->own[OWN_VKEY] != NULL) {
        const enum tly_err err = key_load(w, set, &diag);
        if (err != TLY_OK) {
            return program_refuse("witness.refused_start", err, &diag);
        }
        (void)cosign_vkey_write(&w->vkey, text);
        (void)printf("%s\n", text);
        return CLI_DONE;
    }
    const enum tly_err err = load(w, set, &diag);
    if (err != TLY_OK) {
        return program_refuse("witness.refused_start", err, &diag);
    }
    if (args->check) {
        (void)printf("%s: %u logs: fine\n", w->vkey.name, w->policy->logs_n);
        return CLI_DONE;
    }
    return serve_until_told(w, set);
}

static enum cli_exit
run(void *settings, const struct program_args *args)
{
    struct settings *set = settings;
    struct witness   w   = {0};
    if (sodium_init() < 0) {
        return CLI_REFUSED;
    }
    log_level(set->log_debug ? LOG_DEBUG : LOG_INFO);
    tly_arena_init(&w.arena, ARENA_MAX);
    if (args->own[OWN_MIRROR] != NULL) {
        set->mirror = args->own[OWN_MIRROR];
    }
    const enum cli_exit code = run_loaded(&w, set, args);
    mirror_stop(w.mirror);
    heads_close(w.serve.heads);
    sign_wipe(&w.secret);
    tly_arena_done(&w.arena);
    return code;
}

int
main(int argc, char *argv[])
{
    static struct settings      settings;
    static const struct program program = {
        .name    = "tally-witness",
        .summary = "cosigns the heads of logs that only ever grow (C2SP tlog-witness).",
        .table   = &settings_table,
        .own     = {[OWN_MIRROR] = {"mirror", "DIR", "instead of the setting mirror"},
                    [OWN_VKEY]   = {"print-vkey", NULL,
                                    "the witness's name and key for a policy, "
                                          "and end"}},
        .run     = run};
    return program_main(&program, &settings, argc, argv);
}
