/* SPDX-License-Identifier: Apache-2.0 */
/* tallyd: takes signed bundles, counts them, shows the result. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "service.h"
#include "sys/cli.h"
#include "sys/log.h"
#include "sys/version.h"

#define SETTINGS_ARENA_MAX ((size_t)1 << 20)
#define TURN_MS            1000

enum mode { MODE_RUN, MODE_CHECK, MODE_PRINT, MODE_SAMPLE };

static const char help[] =
    "tallyd: takes signed bundles over mutual TLS, counts them, shows the result.\n"
    "\n"
    "Usage: tallyd [OPTION]...\n"
    "\n"
    "  --config FILE     settings; without it the defaults\n"
    "  --check-config    load settings, packages and keys, say what is wrong, and end\n"
    "  --print-config    the settings in force, as a file, and end\n"
    "  --sample-config   every setting with its default and range, as a file, and end\n"
    "  --version, --help\n"
    "\n"
    "Exit: 0 stopped as asked, or fine; 1 it refuses to go on; 2 usage or settings.\n";

struct options {
    const char *config;
    enum mode   mode;
};

static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
                                             {"check-config", no_argument, NULL, 'k'},
                                             {"print-config", no_argument, NULL, 'p'},
                                             {"sample-config", no_argument, NULL, 's'},
                                             {"version", no_argument, NULL, 'v'},
                                             {"help", no_argument, NULL, 'h'},
                                             {NULL, 0, NULL, 0}};

/* false: *code says how to end. */
static bool
options_read(int argc, char *argv[], struct options *o, enum cli_exit *code)
{
    *code = CLI_DONE;
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            o->config = optarg;
            break;
        case 'k':
            o->mode = MODE_CHECK;
            break;
        case 'p':
            o->mode = MODE_PRINT;
            break;
        case 's':
            o->mode = MODE_SAMPLE;
            break;
        case 'v':
            (void)printf("tallyd %s\n", version_text());
            return false;
        case 'h':
            (void)fputs(help, stdout);
            return false;
        default:
            *code = CLI_UNUSABLE;
            return false;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "tallyd: unexpected argument %s\n", argv[optind]);
        *code = CLI_UNUSABLE;
        return false;
    }
    return true;
}

static enum cli_exit
refuse(enum tly_err err, const struct tly_diag *diag)
{
    log_event(LOG_ERR, "daemon.refused", "error=%s why=%s", tly_err_name(err),
              log_why(diag->text[0] != '\0' ? diag->text : tly_err_text(err)).s);
    return CLI_REFUSED;
}

static enum cli_exit
check(const struct settings *settings, const char *config)
{
    struct ground   ground;
    struct tly_diag diag = {0};
    enum tly_err    err  = ground_listeners_check(settings, &diag);
    if (err == TLY_ECONFLICT) { /* perhaps by the very daemon that these settings are for */
        log_event(LOG_WARNING, "listen.taken", "why=%s", log_why(diag.text).s);
        err = TLY_OK;
    }
    if (err == TLY_OK) {
        err = ground_load(settings, config, &ground, &diag);
    }
    if (err == TLY_OK) {
        err = signing_try(settings, &ground.vkey, &diag);
        if (err == TLY_EBUSY) { /* it may be started later */
            log_event(LOG_WARNING, "signer.away", "why=%s", log_why(diag.text).s);
            err = TLY_OK;
        }
    }
    if (err != TLY_OK) {
        return refuse(err, &diag);
    }
    (void)printf("%s: %u branches, %u contests, %u terminals: fine\n", ground.vkey.name,
                 ground.election->branches_n, ground.election->contests_n,
                 ground.registry->terminals_n);
    ground_done(&ground);
    return CLI_DONE;
}

static enum cli_exit
run(const struct settings *settings, const char *config)
{
    struct service  service = {.settings = settings};
    struct tly_diag diag    = {0};
    enum tly_err    err     = service_start(&service, config, &diag);
    bool            stop    = false;
    while (err == TLY_OK && !stop && !atomic_load(&service.failed)) {
        service_cosigned_look(&service);
        stop = service_told_to_stop(TURN_MS);
    }
    const bool    failed = atomic_load(&service.failed);
    enum cli_exit code   = failed ? CLI_REFUSED : CLI_DONE;
    if (err != TLY_OK && err != TLY_ELIMIT) {
        code = refuse(err, &diag);
    }
    service_stop(&service);
    return code;
}

int
main(int argc, char *argv[])
{
    struct options   o = {0};
    struct settings  settings;
    struct tly_arena arena;
    struct tly_diag  diag = {0};
    enum cli_exit    code;
    if (!options_read(argc, argv, &o, &code)) {
        return (int)code;
    }
    if (o.mode == MODE_SAMPLE) {
        config_sample(&settings_table, stdout);
        return CLI_DONE;
    }
    tly_arena_init(&arena, SETTINGS_ARENA_MAX);
    const enum tly_err err = config_load(&settings_table, o.config, &arena, &settings, &diag);
    if (err != TLY_OK) {
        (void)fprintf(stderr, "tallyd: %s\n", diag.text);
        code = CLI_UNUSABLE;
    } else if (o.mode == MODE_PRINT) {
        config_print(&settings_table, &settings, stdout);
    } else if (sodium_init() < 0) {
        code = CLI_REFUSED;
    } else {
        log_level(settings.log_debug ? LOG_DEBUG : LOG_INFO);
        service_signals_block();
        code = o.mode == MODE_CHECK ? check(&settings, o.config) : run(&settings, o.config);
    }
    tly_arena_done(&arena);
    return (int)code;
}
