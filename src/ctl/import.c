/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl import: recorded bundles or a stick's files, through the daemon as a relay, with the
 * same checks. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd.h"
#include "online.h"
#include "submit/check.h"
#include "submit/submit.h"
#include "sys/log.h"

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

/* The daemon's reason in words; what is no problem document as it came, made harmless. */
static void
say_problem(struct tly_bytes problem)
{
    TLY_AUTO(json) json_t *o      = json_loadb((const char *)problem.data, problem.len, 0, NULL);
    const char            *title  = json_string_value(json_object_get(o, "title"));
    const char            *detail = json_string_value(json_object_get(o, "detail"));
    const char            *code   = json_string_value(json_object_get(o, "code"));
    const char            *field  = json_string_value(json_object_get(o, "field"));
    const char            *said   = detail != NULL ? detail : title;
    if (said == NULL) {
        (void)fprintf(stderr, " %s", log_text(problem).s);
        return;
    }
    (void)fprintf(stderr, " %s%s%s", code != NULL ? code : "", code != NULL ? ": " : "",
                  log_text(tly_text(said)).s);
    if (field != NULL && *field != '\0') {
        (void)fprintf(stderr, ", field %s", log_text(tly_text(field)).s);
    }
}

/* One line for every bundle that was not simply counted; what stands in a file, or came from
 * elsewhere, may hold a terminal's control sequences. */
static void
on_answer(void *arg, const struct submit_answer *a)
{
    const char *file = arg;
    const bool  good = a->status == 200 || a->status == 201;
    if (good && (a->status == 200 || tly_bytes_eq(a->tally_status, tly_text("counted")))) {
        return;
    }
    flockfile(stderr); /* from several threads */
    (void)fprintf(stderr, "%s:%zu:", file, a->bundle->line);
    if (a->bundle->terminal.len > 0) {
        (void)fprintf(stderr, " terminal %s:", log_text(a->bundle->terminal).s);
    }
    if (a->status != 0) {
        (void)fprintf(stderr, " %d", a->status);
    } else {
        (void)fputs(" no answer:", stderr);
    }
    if (good) {
        (void)fprintf(stderr, " %.*s %s", (int)a->tally_status.len,
                      (const char *)a->tally_status.data, log_text(a->checks).s);
    } else {
        say_problem(a->problem);
    }
    (void)fputc('\n', stderr);
    funlockfile(stderr);
}

static void
print(const struct cli *cli, const char *file, const struct submit_stats *s)
{
    if (cli_flag(cli, "json")) {
        TLY_AUTO(json)
        json_t *o = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "file", file, "sent",
                              (json_int_t)s->sent, "created", (json_int_t)s->created, "held",
                              (json_int_t)s->held, "same", (json_int_t)s->same, "conflict",
                              (json_int_t)s->conflict, "refused", (json_int_t)s->refused);
        online_print(o);
    } else {
        (void)printf("%s: %" PRIu64 " bundle%s, %" PRIu64 " new (%" PRIu64
                     " held or partly), %" PRIu64 " known already, %" PRIu64
                     " conflicting, %" PRIu64 " refused\n",
                     file, s->sent, s->sent == 1 ? "" : "s", s->created, s->held, s->same,
                     s->conflict, s->refused);
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
