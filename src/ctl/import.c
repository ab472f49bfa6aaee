/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl import: recorded bundles or a stick's files, through the daemon as a relay, with the
 * same checks. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd.h"
#include "online.h"
#include "submit/check.h"
#include "submit/submit.h"

#define IMPORT_CONNECTIONS 4
#define IMPORT_TIMEOUT_MS  30000
#define IMPORT_RETRY_MS    600000

static const struct cli_option options[] = {
    {"url", "URL", "the ingest listener (default: $TALLY_INGEST_URL, https://localhost:8443)",
     false},
    {"ca", "FILE", "the CA's certificate (default: $TALLY_CA, /etc/tallyd/ca.crt)", false},
    {"client", "PEM", "the relay's certificate and key (default: $TALLY_CLIENT)", false},
    {"check", NULL, "send nothing: tell what the daemon would answer, and every finding", false},
    SUBMIT_CHECK_OPTIONS,
    {"json", NULL, "a line of JSON a file; with --check, a bundle", false},
    {NULL},
};

/* One line for every bundle that was not simply counted. */
static void
on_answer(void *arg, const struct submit_answer *a)
{
    const char *file = arg;
    const bool  good = a->status == 200 || a->status == 201;
    if (good && (a->status == 200 || tly_bytes_eq(a->tally_status, tly_text("counted")))) {
        return;
    }
    char status[16] = "no answer:";
    if (a->status != 0) {
        (void)snprintf(status, sizeof status, "%d", a->status);
    }
    (void)fprintf(stderr, "%s:%zu: terminal %.*s: %s %.*s%.*s%s%.*s\n", file, a->bundle->line,
                  (int)a->bundle->terminal.len, (const char *)a->bundle->terminal.data, status,
                  (int)a->tally_status.len, (const char *)a->tally_status.data, (int)a->problem.len,
                  (const char *)a->problem.data, a->checks.len > 0 ? " " : "", (int)a->checks.len,
                  (const char *)a->checks.data);
}

static void
print(const struct cli *cli, const char *file, const struct submit_stats *s)
{
    if (cli_flag(cli, "json")) {
        (void)printf("{\"file\":\"%s\",\"sent\":%" PRIu64 ",\"created\":%" PRIu64
                     ",\"held\":%" PRIu64 ",\"same\":%" PRIu64 ",\"conflict\":%" PRIu64
                     ",\"refused\":%" PRIu64 "}\n",
                     file, s->sent, s->created, s->held, s->same, s->conflict, s->refused);
    } else {
        (void)printf("%s: %" PRIu64 " bundles, %" PRIu64 " new (%" PRIu64
                     " held or partly), %" PRIu64 " known already, %" PRIu64
                     " conflicting, %" PRIu64 " refused\n",
                     file, s->sent, s->created, s->held, s->same, s->conflict, s->refused);
    }
}

static enum cli_exit
import_file(const struct cli *cli, const struct remote_options *where, const char *file)
{
    const struct submit_config config = {
        .url           = where->url,
        .ca_file       = where->ca,
        .pem_file      = where->client,
        .connections_n = IMPORT_CONNECTIONS,
        .timeout_ms    = IMPORT_TIMEOUT_MS,
        .retry_ms_max  = IMPORT_RETRY_MS,
        .answer        = on_answer,
        .arg           = (void *)(uintptr_t)file,
        .progress      = true,
    };
    struct recording    recording = {0};
    struct submit_stats stats     = {0};
    struct tly_diag     diag      = {0};
    enum tly_err        err       = recording_open(file, &recording, &diag);
    if (err == TLY_OK) {
        err = submit_run(&config, &recording, &stats, &diag);
        recording_close(&recording);
    }
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    print(cli, file, &stats);
    return stats.created + stats.same == stats.sent ? CLI_DONE : CLI_REFUSED;
}

static enum cli_exit
run(const struct cli *cli)
{
    enum cli_exit         worst = CLI_DONE;
    struct remote_options where = {.url    = cli_value(cli, "url", NULL),
                                   .ca     = cli_value(cli, "ca", NULL),
                                   .client = cli_value(cli, "client", NULL)};
    if (cli_flag(cli, "check")) {
        return submit_check(cli);
    }
    remote_defaults(&where, "TALLY_INGEST_URL", "https://localhost:8443");
    for (unsigned i = 0; i < cli_args_n(cli); i++) {
        const enum cli_exit code = import_file(cli, &where, cli_arg(cli, i));
        worst                    = code > worst ? code : worst;
    }
    return worst;
}

const struct cli_command ctl_import = {
    .name    = "import",
    .args    = "FILE...",
    .summary = "send recorded bundles or a stick's files through the daemon as a relay",
    .more =
        "Each FILE is a recording, {\"at_ms\",\"terminal\",\"envelope\"} a line, NDJSON of "
        "envelopes, "
        "or one\n"
        "envelope.  The daemon checks what it gets this way exactly as what terminals send; a "
        "bundle "
        "it has\n"
        "already answers \"known already\".  With --check nothing is sent, and the same checks are "
        "made here,\n"
        "against --registry and --definition: exit status 0: all would be counted, with or without "
        "flags;\n"
        "1: something would be held or refused; 2: a file or a line is no bundle.",
    .args_min = 1,
    .args_max = 10000,
    .options  = options,
    .run      = run,
};
