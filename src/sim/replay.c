/* SPDX-License-Identifier: Apache-2.0 */
/* tallysim replay: sends a recording to a running daemon over mutual TLS, as the relay or as each
 * terminal. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cmd.h"
#include "submit/submit.h"
#include "sys/file.h"

#define CONNECTIONS_STANDARD 8
#define RATE_MAX             1000000
#define RETRY_S_STANDARD     120
#define TIMEOUT_MS           30000
#define REFUSALS_SHOWN       10
#define CLIENTS_MAX          100000 /* files in keys/clients */
#define CLIENTS_BYTES_MAX    ((size_t)32 << 20)

static const struct cli_option options[] = {
    {"url", "URL", "the ingest listener, https://HOST:PORT (required)", false},
    {"keys", "DIR", "the keys folder that enrol made (required)", false},
    {"client", "NAME", "send as keys/clients/NAME.pem (default: the first named relay*)", false},
    {"rate", "N", "bundles a second (default: as fast as possible)", false},
    {"timed", NULL, "at the times of the recording", false},
    {"connections", "N", "so many connections at a time (default: 8)", false},
    {"fresh", NULL, "a new connection a bundle, with its terminal's own certificate", false},
    {"batch", "N", "NDJSON bodies of N bundles (relay only)", false},
    {"duplicates", "PCT", "send so many of 100 bundles twice", false},
    {"retry-for", "SECONDS", "repeat what was not promised for so long (default: 120)", false},
    {"receipts", "FILE", "append {\"terminal\",\"status\",\"receipt\"}, a line a promised bundle",
     false},
    {"json", NULL, "print the figures as JSON", false},
    {NULL},
};

/* Who listens to the answers: the receipts' file and the first refusals, shown as they come. */
struct listener {
    FILE    *receipts;
    unsigned refusals;
    bool     failed; /* a receipt could not be written */
};

static void
write_receipt(struct listener *l, const struct submit_answer *a)
{
    json_t *line = json_pack("{s:s%,s:i,s:s%}", "terminal", (const char *)a->bundle->terminal.data,
                             a->bundle->terminal.len, "status", a->status, "receipt",
                             (const char *)a->receipt.data, a->receipt.len);
    l->failed |= line == NULL || json_dumpf(line, l->receipts, JSON_COMPACT) != 0 ||
                 fputc('\n', l->receipts) == EOF || fflush(l->receipts) != 0;
    json_decref(line);
}

static void
on_answer(void *arg, const struct submit_answer *a)
{
    struct listener *l = arg;
    if (a->receipt.len > 0 && l->receipts != NULL) {
        write_receipt(l, a);
    }
    if (a->status != 200 && a->status != 201 && l->refusals++ < REFUSALS_SHOWN) {
        char status[16] = "no answer:";
        if (a->status != 0) {
            (void)snprintf(status, sizeof status, "%d", a->status);
        }
        (void)fprintf(stderr, "terminal %.*s: %s %.*s\n%s", (int)a->bundle->terminal.len,
                      (const char *)a->bundle->terminal.data, status, (int)a->problem.len,
                      (const char *)a->problem.data,
                      l->refusals == REFUSALS_SHOWN ? "(further ones are only counted)\n" : "");
    }
}

/* keys/clients/NAME.pem: the one named, or the first relay. */
static bool
client_file(const struct cli *cli, const char *keys, char out[FILE_PATH_SIZE])
{
    TLY_AUTO(arena) struct tly_arena arena;
    const char                      *name  = cli_value(cli, "client", NULL);
    const char                     **names = NULL;
    size_t                           n     = 0;
    char                             folder[FILE_PATH_SIZE];
    tly_arena_init(&arena, CLIENTS_BYTES_MAX);
    if (name != NULL) {
        file_path(out, "%s/clients/%s.pem", keys, name);
        return true;
    }
    file_path(folder, "%s/clients", keys);
    if (file_list(folder, CLIENTS_MAX, &arena, &names, &n, NULL) != TLY_OK) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t len = strlen(names[i]);
        if (strncmp(names[i], "relay", 5) == 0 && strcmp(names[i] + len - 4, ".pem") == 0) {
            file_path(out, "%s/%s", folder, names[i]);
            return true;
        }
    }
    return false;
}

static void
print_json(const struct submit_stats *s)
{
    const double seconds = (double)s->usec / 1e6;
    (void)printf("{\"sent\":%" PRIu64 ",\"created\":%" PRIu64 ",\"same\":%" PRIu64
                 ",\"held\":%" PRIu64 ",\"conflict\":%" PRIu64 ",\"refused\":%" PRIu64
                 ",\"retried\":%" PRIu64 ",\"seconds\":%.3f,\"rate\":%.1f,"
                 "\"latency_ms\":{\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f}}\n",
                 s->sent, s->created, s->same, s->held, s->conflict, s->refused, s->retried,
                 seconds, s->usec == 0 ? 0 : (double)s->sent / seconds, s->p50_us / 1e3,
                 s->p95_us / 1e3, s->p99_us / 1e3);
}

static void
print_text(const struct submit_stats *s)
{
    const double seconds = (double)s->usec / 1e6;
    (void)printf("sent %" PRIu64 " in %.1f s (%.0f a second): %" PRIu64 " new", s->sent, seconds,
                 s->usec == 0 ? 0 : (double)s->sent / seconds, s->created);
    if (s->held > 0) {
        (void)printf(" (%" PRIu64 " held or partly)", s->held);
    }
    (void)printf(", %" PRIu64 " the same, %" PRIu64 " conflicting, %" PRIu64 " refused, %" PRIu64
                 " repeated; answers p50 %.1f ms, p99 %.1f ms\n",
                 s->same, s->conflict, s->refused, s->retried, s->p50_us / 1e3, s->p99_us / 1e3);
}

/* Options into numbers and paths; false: said what is wrong. */
static bool
configure(const struct cli *cli, struct submit_config *c, char pem[FILE_PATH_SIZE],
          char terminals[FILE_PATH_SIZE], char ca[FILE_PATH_SIZE])
{
    uint64_t    connections, rate, batch, duplicates, retry_s;
    const char *keys = cli_value(cli, "keys", NULL);
    c->url           = cli_value(cli, "url", NULL);
    c->fresh         = cli_flag(cli, "fresh");
    c->timed         = cli_flag(cli, "timed");
    c->progress      = true;
    c->timeout_ms    = TIMEOUT_MS;
    if (keys == NULL || c->url == NULL) {
        (void)cli_say(cli, CLI_UNUSABLE, "--url and --keys are required");
        return false;
    }
    if (!cli_number(cli, "connections", CONNECTIONS_STANDARD, 1, SUBMIT_CONNECTIONS_MAX,
                    &connections) ||
        !cli_number(cli, "rate", 0, 0, RATE_MAX, &rate) ||
        !cli_number(cli, "batch", 1, 1, SUBMIT_BATCH_MAX, &batch) ||
        !cli_number(cli, "duplicates", 0, 0, 100, &duplicates) ||
        !cli_number(cli, "retry-for", RETRY_S_STANDARD, 0, 86400, &retry_s)) {
        return false;
    }
    if (c->fresh && batch > 1) {
        (void)cli_say(cli, CLI_UNUSABLE, "--batch is the relay's: leave out --fresh");
        return false;
    }
    if (c->timed && rate > 0) {
        (void)cli_say(cli, CLI_UNUSABLE, "--rate and --timed: one or the other");
        return false;
    }
    file_path(ca, "%s/ca.crt", keys);
    file_path(terminals, "%s/terminals", keys);
    if (!c->fresh && !client_file(cli, keys, pem)) {
        (void)cli_say(cli, CLI_UNUSABLE, "%s/clients holds no relay*.pem: name one by --client",
                      keys);
        return false;
    }
    c->connections_n  = (unsigned)connections;
    c->rate           = (unsigned)rate;
    c->batch_n        = (unsigned)batch;
    c->duplicates_pct = (unsigned)duplicates;
    c->retry_ms_max   = (unsigned)retry_s * 1000;
    c->ca_file        = ca;
    c->pem_file       = pem;
    c->terminals      = terminals;
    return true;
}

static enum cli_exit
replay(const struct cli *cli, const struct submit_config *config, struct listener *l)
{
    struct recording    recording = {0};
    struct submit_stats stats     = {0};
    struct tly_diag     diag      = {0};
    enum tly_err        err       = recording_open(cli_arg(cli, 0), &recording, &diag);
    if (err == TLY_OK) {
        err = submit_run(config, &recording, &stats, &diag);
        recording_close(&recording);
    }
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    if (cli_flag(cli, "json")) {
        print_json(&stats);
    } else {
        print_text(&stats);
    }
    if (l->failed) {
        return cli_say(cli, CLI_UNUSABLE, "%s: a receipt could not be written",
                       cli_value(cli, "receipts", ""));
    }
    return stats.created + stats.same == stats.sent ? CLI_DONE : CLI_REFUSED;
}

static enum cli_exit
run(const struct cli *cli)
{
    char                 pem[FILE_PATH_SIZE], terminals[FILE_PATH_SIZE], ca[FILE_PATH_SIZE];
    struct listener      listener = {0};
    struct submit_config config   = {.answer = on_answer, .arg = &listener};
    const char          *receipts = cli_value(cli, "receipts", NULL);
    if (!configure(cli, &config, pem, terminals, ca)) {
        return CLI_UNUSABLE;
    }
    if (receipts != NULL) {
        listener.receipts = fopen(receipts, "ae");
        if (listener.receipts == NULL) {
            return cli_say(cli, CLI_UNUSABLE, "%s: cannot be written: %s", receipts,
                           strerrordesc_np(errno));
        }
    }
    enum cli_exit code = replay(cli, &config, &listener);
    if (listener.receipts != NULL && fclose(listener.receipts) != 0) {
        code = cli_say(cli, CLI_UNUSABLE, "%s: cannot be written: %s", receipts,
                       strerrordesc_np(errno));
    }
    return code;
}

const struct cli_command sim_replay = {
    .name    = "replay",
    .args    = "FILE",
    .summary = "send a recording to a running daemon over mutual TLS",
    .more =
        "Sends as fast as possible unless --rate or --timed says otherwise, on a few connections\n"
        "as the relay, or with --fresh on a new connection a bundle as its terminal.  What is\n"
        "answered 429 or 503, or lost on the line, is repeated; when nobody has answered for all\n"
        "of --retry-for, the rest is not tried.  Exit status 0 only if every bundle got 200 or\n"
        "201, else 1.  The same recording may be replayed again: it gets the same receipts.",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
