/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl pki: a small certificate authority in a folder.
 *
 * DIR/ca.crt, DIR/ca.key, and DIR/issued.csv: what was issued, when it ends, what was revoked.  The
 * daemon trusts its registry, which pins each certificate; revoking here marks the row and prints
 * what the registry must drop. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "cmd.h"
#include "core/codes.h"
#include "pack/cert.h"
#include "pack/csv.h"
#include "sys/clock.h"
#include "sys/file.h"

#define INDEX_HEADER    "name,usage,certificate,not_before,not_after,revoked_at"
#define INDEX_BYTES_MAX ((size_t)256 << 20)
#define DAY_S           UINT64_C(86400)
#define CA_DAYS         3650
#define CERT_DAYS       400
#define DAYS_MAX        36500
#define BACKDATE_S      DAY_S /* clocks of terminals differ */

enum { X_NAME, X_USAGE, X_CERT, X_FROM, X_TO, X_REVOKED };

struct paths {
    char crt[FILE_PATH_SIZE], key[FILE_PATH_SIZE], index[FILE_PATH_SIZE];
};

static void
paths_of(const char *dir, struct paths *out)
{
    file_path(out->crt, "%s/ca.crt", dir);
    file_path(out->key, "%s/ca.key", dir);
    file_path(out->index, "%s/issued.csv", dir);
}

static enum cli_exit
run_ca(const struct cli *cli)
{
    struct paths    paths;
    struct tly_diag diag = {0};
    uint64_t        days;
    const char     *dir = cli_arg(cli, 0);
    if (!cli_number(cli, "days", CA_DAYS, 1, DAYS_MAX, &days)) {
        return CLI_UNUSABLE;
    }
    paths_of(dir, &paths);
    const uint64_t now = clock_unix_s();
    enum tly_err   err = file_mkdirs(dir, 0700, &diag);
    if (err == TLY_OK) {
        err = cert_ca_make(paths.crt, paths.key, cli_value(cli, "name", "tally authority"),
                           now - BACKDATE_S, now + days * DAY_S, &diag);
    }
    if (err == TLY_OK) {
        err = file_write(paths.index, tly_text(INDEX_HEADER "\n"), 0644, FILE_SYNC, &diag);
    }
    return err == TLY_OK ? CLI_DONE : cli_fail(cli, err, &diag);
}

/* One more line at the end; the disk has it when we return. */
static enum tly_err
index_append(const char *path, const char *line, struct tly_diag *diag)
{
    TLY_AUTO(fd) int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line) || fsync(fd) != 0) {
        return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
    }
    return TLY_OK;
}

/* Issues into -o FILE.pem, or FILE.crt and FILE.key for a server, and notes it in the index. */
static enum tly_err
issue(const struct cli *cli, const struct paths *paths, const struct cert_request *request,
      struct tly_hash *print, struct tly_diag *diag)
{
    char            crt[FILE_PATH_SIZE];
    char            key[FILE_PATH_SIZE];
    char            line[512];
    char            hex[TLY_HEX_SIZE(sizeof print->b)];
    struct cert_ca *ca     = NULL;
    const bool      server = request->usage == CERT_SERVER;
    const char     *base   = cli_value(cli, "o", cli_arg(cli, 1));
    file_path(crt, "%s.%s", base, server ? "crt" : "pem");
    file_path(key, "%s.key", base);
    if (access(paths->index, W_OK) != 0) {
        return tly_fail(diag, TLY_EIO, "%s: %s", paths->index, strerrordesc_np(errno));
    }
    enum tly_err err = cert_ca_load(paths->crt, paths->key, &ca, diag);
    if (err == TLY_OK) {
        err = cert_issue(ca, request, server ? NULL : crt, crt, key, print, diag);
    }
    cert_ca_free(ca);
    if (err != TLY_OK) {
        return err;
    }
    tly_hex(print->b, sizeof print->b, hex);
    (void)snprintf(line, sizeof line, "%s,%s,%s,%" PRIu64 ",%" PRIu64 ",\n", request->common_name,
                   server ? "server" : "client", hex, request->not_before, request->not_after);
    return index_append(paths->index, line, diag);
}

static enum cli_exit
run_issue(const struct cli *cli)
{
    struct paths        paths;
    struct tly_hash     print;
    struct tly_diag     diag = {0};
    uint64_t            days;
    const uint64_t      now     = clock_unix_s();
    const char         *hosts   = cli_value(cli, "hosts", NULL);
    struct cert_request request = {.common_name = cli_arg(cli, 1),
                                   .uri         = cli_value(cli, "uri", NULL),
                                   .hosts       = hosts,
                                   .usage       = hosts == NULL ? CERT_CLIENT : CERT_SERVER,
                                   .not_before  = now - BACKDATE_S};
    if (!cli_number(cli, "days", CERT_DAYS, 1, DAYS_MAX, &days)) {
        return CLI_UNUSABLE;
    }
    if (!codes_valid(tly_text(request.common_name))) {
        return cli_say(cli, CLI_UNUSABLE, "\"%s\" is no code: 1 to 64 of A-Z a-z 0-9 . _ -",
                       request.common_name);
    }
    request.not_after = now + days * DAY_S;
    paths_of(cli_arg(cli, 0), &paths);
    const enum tly_err err = issue(cli, &paths, &request, &print, &diag);
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    char hex[TLY_HEX_SIZE(sizeof print.b)];
    tly_hex(print.b, sizeof print.b, hex);
    (void)printf("%s\n", hex);
    return CLI_DONE;
}

/* Reads the index in place; false: said so. */
static bool
index_open(const struct cli *cli, const struct paths *paths, struct tly_arena *arena,
           struct faults *faults, struct csv *csv)
{
    struct tly_bytes   text;
    struct tly_diag    diag = {0};
    const enum tly_err err  = file_read(paths->index, INDEX_BYTES_MAX, arena, &text, &diag);
    if (err != TLY_OK) {
        (void)cli_fail(cli, err, &diag);
        return false;
    }
    faults->arena = arena;
    if (!csv_open(csv, paths->index, (uint8_t *)(uintptr_t)text.data, text.len, INDEX_HEADER,
                  faults)) {
        (void)cli_say(cli, CLI_UNUSABLE, "%s: %s", paths->index,
                      faults->kept > 0 ? faults->list[0].text : "unreadable");
        return false;
    }
    return true;
}

static enum cli_exit
index_sound(const struct cli *cli, const struct faults *faults)
{
    return faults->n == 0 ? CLI_DONE
                          : cli_say(cli, CLI_UNUSABLE, "%s:%" PRIu32 ": %s", faults->list[0].file,
                                    faults->list[0].line, faults->list[0].text);
}

static enum cli_exit
run_list(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena  = {.bytes_max = 4 * INDEX_BYTES_MAX};
    struct faults                    faults = {0};
    struct paths                     paths;
    struct csv                       csv;
    const uint64_t                   now = clock_unix_s();
    uint64_t                         within_days;
    if (!cli_number(cli, "ends-within", DAYS_MAX, 0, DAYS_MAX, &within_days)) {
        return CLI_UNUSABLE;
    }
    paths_of(cli_arg(cli, 0), &paths);
    if (!index_open(cli, &paths, &arena, &faults, &csv)) {
        return CLI_UNUSABLE;
    }
    (void)printf("%-10s %-10s %-6s %-64s %s\n", "STATE", "ENDS", "USAGE", "CERTIFICATE", "NAME");
    while (csv_next(&csv)) {
        const uint64_t ends    = strtoull(csv_text(&csv, X_TO), NULL, 10);
        const bool     revoked = csv.fields[X_REVOKED].len > 0;
        if (ends > now && ends - now > within_days * DAY_S) {
            continue;
        }
        char         date[16] = "";
        struct tm    tm;
        const time_t at = (time_t)ends;
        if (gmtime_r(&at, &tm) != NULL) {
            (void)strftime(date, sizeof date, "%Y-%m-%d", &tm);
        }
        (void)printf("%-10s %-10s %-6s %-64s %s\n",
                     revoked ? "revoked" : (ends < now ? "expired" : "good"), date,
                     csv_text(&csv, X_USAGE), csv_text(&csv, X_CERT), csv_text(&csv, X_NAME));
    }
    return index_sound(cli, &faults);
}

/* The index again, with the rows of `name` marked; how many were. */
static unsigned
index_mark(struct csv *csv, const char *name, FILE *out)
{
    unsigned marked = 0;
    (void)fprintf(out, INDEX_HEADER "\n");
    while (csv_next(csv)) {
        char       now[24] = "";
        const bool hit =
            csv->fields[X_REVOKED].len == 0 &&
            (strcmp(csv_text(csv, X_NAME), name) == 0 || strcmp(csv_text(csv, X_CERT), name) == 0);
        if (hit) {
            (void)snprintf(now, sizeof now, "%" PRIu64, clock_unix_s());
            (void)printf("%s\n", csv_text(csv, X_CERT));
            marked++;
        }
        (void)fprintf(out, "%s,%s,%s,%s,%s,%s\n", csv_text(csv, X_NAME), csv_text(csv, X_USAGE),
                      csv_text(csv, X_CERT), csv_text(csv, X_FROM), csv_text(csv, X_TO),
                      hit ? now : csv_text(csv, X_REVOKED));
    }
    return marked;
}

static enum cli_exit
run_revoke(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena  = {.bytes_max = 4 * INDEX_BYTES_MAX};
    struct faults                    faults = {0};
    struct tly_diag                  diag   = {0};
    struct paths                     paths;
    struct csv                       csv;
    char                            *text = NULL;
    size_t                           len  = 0;
    paths_of(cli_arg(cli, 0), &paths);
    if (!index_open(cli, &paths, &arena, &faults, &csv)) {
        return CLI_UNUSABLE;
    }
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return cli_fail(cli, TLY_ENOMEM, NULL);
    }
    const unsigned marked = index_mark(&csv, cli_arg(cli, 1), out);
    enum tly_err   err    = fclose(out) == 0 ? TLY_OK : TLY_ENOMEM;
    enum cli_exit  code   = index_sound(cli, &faults);
    if (code == CLI_DONE && marked == 0) {
        code = cli_say(cli, CLI_REFUSED, "no good certificate of %s in %s", cli_arg(cli, 1),
                       paths.index);
    }
    if (code == CLI_DONE && err == TLY_OK) {
        err = file_write(paths.index, (struct tly_bytes){(uint8_t *)text, len}, 0644, FILE_SYNC,
                         &diag);
    }
    free(text);
    return err != TLY_OK ? cli_fail(cli, err, &diag) : code;
}

static const struct cli_option options_ca[] = {
    {"name", "TEXT", "the authority's common name (default: tally authority)", false},
    {"days", "N", "how long it is good (default: 3650)", false},
    {NULL, NULL, NULL, false}};
static const struct cli_option options_issue[] = {
    {"o", "FILE", "file name without its ending (default: NAME)", false},
    {"hosts", "LIST", "a server's names and addresses: localhost,127.0.0.1,::1", false},
    {"uri", "URI", "a client's identity: urn:tally:ELECTION:terminal:CODE", false},
    {"days", "N", "how long it is good (default: 400)", false},
    {NULL, NULL, NULL, false}};
static const struct cli_option options_list[] = {
    {"ends-within", "DAYS", "only those that have ended or will by then", false},
    {NULL, NULL, NULL, false}};

const struct cli_command ctl_pki_ca = {
    .name     = "pki ca",
    .args     = "DIR",
    .summary  = "make a certificate authority",
    .more     = "Writes DIR/ca.crt, DIR/ca.key (its owner alone may read it) and DIR/issued.csv.\n"
                "Keys are ECDSA P-256.  Never overwrites.",
    .args_min = 1,
    .args_max = 1,
    .options  = options_ca,
    .run      = run_ca,
};

const struct cli_command ctl_pki_issue = {
    .name    = "pki issue",
    .args    = "DIR NAME",
    .summary = "issue a certificate: a client's, or with --hosts a server's",
    .more = "A client: writes FILE.pem (certificate and key).  A server: FILE.crt and FILE.key.\n"
            "Adds a row to DIR/issued.csv and prints the fingerprint for the registry.",
    .args_min = 2,
    .args_max = 2,
    .options  = options_issue,
    .run      = run_issue,
};

const struct cli_command ctl_pki_revoke = {
    .name     = "pki revoke",
    .args     = "DIR NAME",
    .summary  = "mark a certificate as revoked (NAME or fingerprint)",
    .more     = "Marks every good row of NAME in DIR/issued.csv and prints the fingerprints.  The\n"
                "daemon goes by its registry: remove or revoke the same fingerprints there.",
    .args_min = 2,
    .args_max = 2,
    .run      = run_revoke,
};

const struct cli_command ctl_pki_list = {
    .name     = "pki list",
    .args     = "DIR",
    .summary  = "list the issued certificates with their ends",
    .args_min = 1,
    .args_max = 1,
    .options  = options_list,
    .run      = run_list,
};
