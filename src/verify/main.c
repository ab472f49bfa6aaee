/* SPDX-License-Identifier: Apache-2.0 */
/* tally-verify: checks a published log without its daemon, and counts it again. */
#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "report.h"
#include "sys/cli.h"
#include "sys/file.h"
#include "sys/version.h"

#define NAME          "tally-verify"
#define POLICY_ARENA  ((size_t)4 << 20)
#define STDOUT_BUFFER ((size_t)1 << 16)

struct args {
    struct verify_options options;
    struct tly_arena      arena;
    bool                  json;
};

static const char help_text[] =
    "Usage: tally-verify DIR|TAR --root-key FILE... [OPTION]...\n"
    "\n"
    "Checks a published log (the folder, or a TAR of what is in it) without its daemon: packages, "
    "signatures,\n"
    "the tree, every envelope, every decision; and counts it again.  Says everything that is "
    "wrong.\n"
    "\n"
    "  --root-key FILE     a root key, public or private PEM; needed, up to 4 times\n"
    "  --log VKEY          the log's key as printed on paper; else the archive's own word is "
    "taken\n"
    "  --policy FILE       log, witnesses and quorum to believe in place of the archive's policy\n"
    "  --receipts DIR      every *.tlog-proof in it must stand in the log\n"
    "  --since FILE        an older checkpoint or receipt that the log must continue; many times\n"
    "  --json              the report as one line of JSON (doc/verifying.md)\n"
    "  --version, --help\n"
    "\n"
    "Exit status: 0 clean, 1 findings, 2 unusable input or usage (nothing is printed but why).\n";

static enum cli_exit
unusable(const char *what)
{
    (void)fprintf(stderr, NAME ": %s\n", what);
    return CLI_UNUSABLE;
}

static enum cli_exit
log_set(struct args *a, const char *text)
{
    return note_vkey_parse(tly_text(text), &a->options.log)
               ? CLI_DONE
               : unusable("--log: not a log's vkey, NAME+ID+KEY as on the first line of a policy; "
                          "copy it whole");
}

static enum cli_exit
policy_set(struct args *a, const char *path)
{
    struct tly_bytes text;
    struct tly_diag  diag = {0};
    enum tly_err     err  = file_read(path, TRUST_LEN_MAX, &a->arena, &text, &diag);
    if (err == TLY_OK) {
        err = trust_parse(text, &a->arena, &a->options.policy, &diag);
        if (err == TLY_OK && a->options.policy->logs_n != 1) {
            err = tly_fail(&diag, TLY_EINPUT, "it must name one log");
        }
    }
    if (err != TLY_OK) {
        (void)fprintf(stderr, NAME ": --policy %s: %s\n", path, diag.text);
        return CLI_UNUSABLE;
    }
    return CLI_DONE;
}

static enum cli_exit
root_add(struct args *a, const char *path)
{
    struct tly_diag diag = {0};
    if (a->options.roots.n == VERIFY_ROOT_KEYS) {
        return unusable("--root-key: at most 4");
    }
    if (packages_key_add(&a->options.roots, path, &diag) != TLY_OK) {
        (void)fprintf(stderr, NAME ": --root-key: %s\n", diag.text);
        return CLI_UNUSABLE;
    }
    return CLI_DONE;
}

static enum cli_exit
since_add(struct args *a, const char *path)
{
    if (a->options.since_n == VERIFY_SINCE_MAX) {
        return unusable("--since: too many");
    }
    if (access(path, R_OK) != 0) {
        (void)fprintf(stderr, NAME ": --since %s: %s\n", path, strerrordesc_np(errno));
        return CLI_UNUSABLE;
    }
    a->options.since[a->options.since_n++] = path;
    return CLI_DONE;
}

/* --log and --policy speak of one log. */
static enum cli_exit
logs_agree(struct args *a, bool has_log)
{
    const struct trust *policy = a->options.policy;
    if (policy != NULL && has_log &&
        (strcmp(policy->logs[0].vkey.name, a->options.log.name) != 0 ||
         memcmp(&policy->logs[0].vkey.key, &a->options.log.key, sizeof a->options.log.key) != 0)) {
        return unusable("--log and the log of --policy are not the same; give one of them");
    }
    if (policy != NULL && !has_log) {
        a->options.log = policy->logs[0].vkey;
    }
    a->options.has_log = has_log || policy != NULL;
    return CLI_DONE;
}

/* CLI_DONE: go on; *ended: --help and --version have said what they say. */
static enum cli_exit
args_read(struct args *a, int argc, char *argv[], bool *ended)
{
    static const struct option rows[]  = {{"root-key", required_argument, NULL, 'r'},
                                          {"log", required_argument, NULL, 'l'},
                                          {"policy", required_argument, NULL, 'p'},
                                          {"receipts", required_argument, NULL, 'R'},
                                          {"since", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'v'},
                                          {0}};
    enum cli_exit              code    = CLI_DONE;
    bool                       has_log = false;
    int                        c       = 0;
    while (code == CLI_DONE && (c = getopt_long(argc, argv, "", rows, NULL)) != -1) {
        if (c == 'r') {
            code = root_add(a, optarg);
        } else if (c == 'l') {
            has_log = true;
            code    = log_set(a, optarg);
        } else if (c == 'p') {
            code = policy_set(a, optarg);
        } else if (c == 'R') {
            a->options.receipts = optarg;
        } else if (c == 's') {
            code = since_add(a, optarg);
        } else if (c == 'j') {
            a->json = true;
        } else if (c == 'h' || c == 'v') {
            *ended = true;
            (void)(c == 'h' ? fputs(help_text, stdout) : printf(NAME " %s\n", version_text()));
            return CLI_DONE;
        } else {
            return CLI_UNUSABLE; /* getopt has said it */
        }
    }
    if (code != CLI_DONE) {
        return code;
    }
    if (optind + 1 != argc) {
        return unusable("one archive, a folder or a TAR, must be given; --help tells more");
    }
    if (a->options.roots.n == 0) {
        return unusable("--root-key is needed: without it nobody has signed the packages");
    }
    a->options.where = argv[optind];
    return logs_agree(a, has_log);
}

static enum cli_exit
run(const struct args *a)
{
    struct verify v    = {0};
    enum tly_err  err  = verify_run(&v, &a->options);
    enum cli_exit code = v.findings.n > 0 ? CLI_REFUSED : CLI_DONE;
    if (err == TLY_OK) {
        err = a->json ? report_json(&v, stdout) : report_text(&v, stdout);
        if (err == TLY_OK && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
            err = tly_fail(&v.diag, TLY_EIO, "cannot write the report: %s", strerrordesc_np(errno));
        }
    }
    if (err != TLY_OK) {
        code = unusable(v.diag.text[0] != '\0' ? v.diag.text : tly_err_text(err));
    }
    verify_done(&v);
    return code;
}

int
main(int argc, char *argv[])
{
    static struct args args; /* large */
    const long         cores = sysconf(_SC_NPROCESSORS_ONLN);
    bool               ended = false;
    tly_arena_init(&args.arena, POLICY_ARENA);
    args.options.threads_n = cores < 1 ? 1 : (unsigned)cores;
    if (sodium_init() < 0) {
        return (int)unusable("libsodium does not start");
    }
    enum cli_exit code = args_read(&args, argc, argv, &ended);
    if (code == CLI_DONE && !ended) {
        code = run(&args);
    }
    tly_arena_done(&args.arena);
    return (int)code;
}
