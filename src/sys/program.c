/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/program.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/version.h"

#define ARENA_MAX ((size_t)1 << 20)
#define OWN_FIRST 1000

enum mode { MODE_RUN, MODE_CHECK, MODE_PRINT, MODE_SAMPLE, MODE_END };

static const struct option standard[] = {
    {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'k'},
    {"print-config", no_argument, NULL, 'p'}, {"sample-config", no_argument, NULL, 's'},
    {"version", no_argument, NULL, 'v'},      {"help", no_argument, NULL, 'h'}};

static void
help(const struct program *p)
{
    (void)printf(
        "%s: %s\n\nUsage: %s [OPTION]...\n\n"
        "  --config FILE     settings; without it the defaults\n"
        "  --check-config    load the settings and what they name, say what is wrong, end\n"
        "  --print-config    the settings in force, as a file, and end\n"
        "  --sample-config   every setting with its default and range, and end\n",
        p->name, p->summary, p->name);
    for (unsigned i = 0; i < PROGRAM_OWN_MAX && p->own[i].name != NULL; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "--%s %s", p->own[i].name,
                       p->own[i].value == NULL ? "" : p->own[i].value);
        (void)printf("  %-16s  %s\n", left, p->own[i].help);
    }
    (void)printf(
        "  --version, --help\n\n"
        "Exit: 0 stopped as asked, or fine; 1 it refuses to go on; 2 usage or settings.\n");
}

/* MODE_END: *code says how. */
static enum mode
args_read(const struct program *p, int argc, char *argv[], struct program_args *args,
          enum cli_exit *code)
{
    struct option options[TLY_N(standard) + PROGRAM_OWN_MAX + 1] = {0};
    enum mode     mode                                           = MODE_RUN;
    *code                                                        = CLI_DONE;
    memcpy(options, standard, sizeof standard);
    for (int i = 0; i < PROGRAM_OWN_MAX && p->own[i].name != NULL; i++) {
        options[(int)TLY_N(standard) + i] = (struct option){
            p->own[i].name, p->own[i].value == NULL ? no_argument : required_argument, NULL,
            OWN_FIRST + i};
    }
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'c') {
            args->config = optarg;
        } else if (c == 'k' || c == 'p' || c == 's') {
            mode = c == 'k' ? MODE_CHECK : c == 'p' ? MODE_PRINT : MODE_SAMPLE;
        } else if (c == 'v') {
            (void)printf("%s %s\n", p->name, version_text());
            return MODE_END;
        } else if (c == 'h') {
            help(p);
            return MODE_END;
        } else if (c >= OWN_FIRST) {
            args->own[c - OWN_FIRST] = optarg == NULL ? "" : optarg;
        } else {
            *code = CLI_UNUSABLE;
            return MODE_END;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "%s: unexpected argument %s\n", p->name, argv[optind]);
        *code = CLI_UNUSABLE;
        return MODE_END;
    }
    args->check = mode == MODE_CHECK;
    return mode;
}

static sigset_t
wanted(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

bool
program_told_to_stop(unsigned wait_ms)
{
    const sigset_t set   = wanted();
    const uint64_t until = clock_mono_ms() + wait_ms;
    for (;;) {
        const uint64_t        now  = clock_mono_ms();
        const uint64_t        left = now < until ? until - now : 0;
        const struct timespec wait = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};
        const int             sig  = sigtimedwait(&set, NULL, &wait);
        if (sig == SIGTERM || sig == SIGINT) {
            return true;
        }
        if (sig < 0 && left == 0) {
            return false;
        }
    }
}

enum cli_exit
program_refuse(const char *event, enum tly_err err, const struct tly_diag *diag)
{
    log_event(LOG_ERR, event, "error=%s why=%s", tly_err_name(err),
              log_why(diag->text[0] != '\0' ? diag->text : tly_err_text(err)).s);
    return CLI_REFUSED;
}

int
program_main(const struct program *program, void *settings, int argc, char *argv[])
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct program_args              args = {0};
    struct tly_diag                  diag = {0};
    enum cli_exit                    code;
    const enum mode                  mode = args_read(program, argc, argv, &args, &code);
    tly_arena_init(&arena, ARENA_MAX);
    if (mode == MODE_END) {
        return (int)code;
    }
    if (mode == MODE_SAMPLE) {
        config_sample(program->table, stdout);
        return CLI_DONE;
    }
    if (config_load(program->table, args.config, &arena, settings, &diag) != TLY_OK) {
        (void)fprintf(stderr, "%s: %s\n", program->name, diag.text);
        return CLI_UNUSABLE;
    }
    if (mode == MODE_PRINT) {
        config_print(program->table, settings, stdout);
        return CLI_DONE;
    }
    const sigset_t         set    = wanted();
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return (int)program->run(settings, &args);
}
