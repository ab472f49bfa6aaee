/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl decide: writes a decision (design 8) and signs it for the first officer. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "core/decision.h"
#include "decision_file.h"
#include "online.h"
#include "pack/keyfile.h"
#include "sys/clock.h"

#define SALT_BYTES 16
#define HEX_LEN    64

static const struct cli_option options[] = {
    {"reason", "TEXT", "why, in a sentence; the decision is published with it", false},
    {"key", "FILE", "the first officer's signing key", false},
    {"to", "FILE", "a new file for the decision (default: standard output)", false},
    {"ground", "WORD", "of a lot: veteran, degree or lot", false},
    {"branch", "CODE", "of key add: the terminal's branch (default: a spare)", false},
    {"signing-key", "HEX", "of key add and rotate: the terminal's new public key", false},
    {"certificate", "HEX", "of key add and rotate: SHA-256 of its new certificate's DER", false},
    {"not-before", "TIME", "with --not-after: when both are good, Unix seconds", false},
    {"not-after", "TIME", "", false},
    {"until", "TIME", "of state: what people are told, Unix seconds", false},
    {"election", "CODE", "with --phase and --position: sign without asking the daemon", false},
    {"phase", "WORD", "rehearsal or official", false},
    {"position", "N", "ledger entries that you saw (default: what the daemon publishes)", false},
    {"result", "HEX", "of a certificate, when the daemon is not asked", false},
    ONLINE_OPTIONS,
    {NULL, NULL, NULL, false}};

/* What the document says, gathered. */
struct draft {
    const struct cli *cli;
    enum policy_kind  kind;
    bool              offline;
    char              election[CODE_LEN_MAX + 1];
    char              phase[16];
    uint64_t          position;
    char              result[HEX_LEN + 1];
};

static enum tly_err
usage(struct tly_diag *diag, const char *what)
{
    return tly_fail(diag, TLY_EINPUT, "%s", what);
}

/* Election, phase, position and, of a certificate, the result: as the daemon shows them now. */
static enum tly_err
ask_daemon(struct draft *d, struct tly_diag *diag)
{
    TLY_AUTO(remote) struct remote *remote  = NULL;
    TLY_AUTO(json) json_t          *about   = NULL;
    TLY_AUTO(json) json_t          *contest = NULL;
    enum tly_err                    err     = online_open(d->cli, &remote, diag);
    if (err == TLY_OK) {
        err = remote_json(remote, "/v1/election", &about, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    const char *code  = json_string_value(json_object_get(about, "election"));
    const char *phase = json_string_value(json_object_get(about, "phase"));
    (void)snprintf(d->election, sizeof d->election, "%s", code == NULL ? "" : code);
    (void)snprintf(d->phase, sizeof d->phase, "%s", phase == NULL ? "" : phase);
    if (d->position == 0) {
        d->position = (uint64_t)json_integer_value(json_object_get(about, "published"));
    }
    if (d->kind != POLICY_CERTIFY || d->result[0] != '\0') {
        return TLY_OK;
    }
    char path[1024] = "/v1/contests/";
    online_segment(path, sizeof path, cli_arg(d->cli, 1));
    err = remote_json(remote, path, &contest, diag);
    if (err != TLY_OK) {
        return err;
    }
    const char *result = json_string_value(json_object_get(contest, "result"));
    if (result == NULL) {
        return tly_fail(diag, TLY_ECONFLICT, "contest %s has no result yet", cli_arg(d->cli, 1));
    }
    (void)snprintf(d->result, sizeof d->result, "%s", result);
    return TLY_OK;
}

/* What an option says, if it was given. */
static void
add_text(const struct cli *cli, json_t *target, const char *option, const char *member)
{
    const char *value = cli_value(cli, option, NULL);
    if (value != NULL) {
        json_object_set_new(target, member, json_string(value));
    }
}

/* The same of a time; NULL: there is no target, or it is no time. */
static json_t *
add_number(const struct cli *cli, json_t *target, const char *option, const char *member)
{
    TLY_AUTO(json) json_t *owned = target;
    uint64_t               value = UINT64_MAX;
    if (owned == NULL || !cli_number(cli, option, UINT64_MAX, 0, ELECTION_TIME_MAX, &value)) {
        return NULL;
    }
    if (value != UINT64_MAX) {
        json_object_set_new(owned, member, json_integer((json_int_t)value));
    }
    return TLY_TAKE(owned);
}

/* ACTION TERMINAL [BRANCH]; which members an action has is the daemon's to say. */
static json_t *
target_key(const struct cli *cli, unsigned n, const char *action, const char *terminal)
{
    enum key_action is;
    if (!decision_action_find(tly_text(action), &is) || n != (is == KEY_ASSIGN ? 3 : 2)) {
        return NULL;
    }
    json_t *target = json_pack("{s:s,s:s}", "action", action, "terminal", terminal);
    if (target == NULL) {
        return NULL;
    }
    if (is == KEY_ASSIGN) {
        json_object_set_new(target, "branch", json_string(cli_arg(cli, 3)));
    }
    add_text(cli, target, "branch", "branch");
    add_text(cli, target, "signing-key", "signing_key");
    add_text(cli, target, "certificate", "certificate");
    target = add_number(cli, target, "not-before", "not_before");
    return add_number(cli, target, "not-after", "not_after");
}

/* Steals what it adds; NULL: the words do not fit the kind. */
static json_t *
target(const struct draft *d)
{
    const struct cli *cli = d->cli;
    const unsigned    n   = cli_args_n(cli) - 1;
    const char       *one = cli_arg(cli, 1);
    const char       *two = cli_arg(cli, 2);
    if (d->kind <= POLICY_REINSTATE) {
        return n == 2 ? json_pack("{s:s,s:s}", "branch", one, "contest", two) : NULL;
    }
    if (d->kind == POLICY_EXCLUDE) {
        return n == 2 ? json_pack("{s:s,s:s}", "contest", one, "candidate", two) : NULL;
    }
    if (d->kind == POLICY_CERTIFY) {
        return n == 1 ? json_pack("{s:s,s:I,s:s}", "contest", one, "at", (json_int_t)d->position,
                                  "result", d->result)
                      : NULL;
    }
    if (d->kind == POLICY_KEY) {
        return target_key(cli, n, one, two);
    }
    if (d->kind == POLICY_STATE) {
        json_t *state = n == 1 ? json_pack("{s:s}", "state", one) : NULL;
        return add_number(cli, state, "until", "until");
    }
    const char *ground = cli_value(cli, "ground", NULL);
    if (d->kind != POLICY_LOT || n < 3 || ground == NULL) {
        return NULL;
    }
    json_t *order = json_array();
    for (unsigned i = 2; i <= n; i++) {
        json_array_append_new(order, json_string(cli_arg(cli, i)));
    }
    return json_pack("{s:s,s:o,s:s}", "contest", one, "order", order, "ground", ground);
}

static enum tly_err
draft_fill(struct draft *d, struct tly_diag *diag)
{
    const struct cli *cli      = d->cli;
    const char       *election = cli_value(cli, "election", NULL);
    const char       *phase    = cli_value(cli, "phase", NULL);
    if (!policy_find(tly_text(cli_arg(cli, 0)), &d->kind) || d->kind == POLICY_REVISE) {
        return usage(diag,
                     "KIND is release, explain, annul, reinstate, lot, exclude, key, state or "
                     "certify");
    }
    if (cli_value(cli, "reason", NULL) == NULL || cli_value(cli, "key", NULL) == NULL) {
        return usage(diag, "--reason and --key must be given");
    }
    (void)snprintf(d->result, sizeof d->result, "%s", cli_value(cli, "result", ""));
    d->offline = election != NULL && phase != NULL && d->position > 0;
    if (!d->offline) {
        return ask_daemon(d, diag);
    }
    if (d->kind == POLICY_CERTIFY && d->result[0] == '\0') {
        return usage(diag, "a certificate that is signed offline needs --result");
    }
    (void)snprintf(d->election, sizeof d->election, "%s", election);
    (void)snprintf(d->phase, sizeof d->phase, "%s", phase);
    return TLY_OK;
}

/* The document's text; the caller frees it. */
static char *
draft_text(const struct draft *d)
{
    unsigned char salt[SALT_BYTES];
    char          hex[2 * SALT_BYTES + 1];
    randombytes_buf(salt, sizeof salt);
    sodium_bin2hex(hex, sizeof hex, salt, sizeof salt);
    json_t *about = target(d);
    if (about == NULL) {
        return NULL;
    }
    TLY_AUTO(json)
    json_t *o = json_pack("{s:s,s:s,s:s,s:o,s:s,s:I,s:I,s:s}", "election", d->election, "phase",
                          d->phase, "kind", policy_name(d->kind), "target", about, "reason",
                          cli_value(d->cli, "reason", ""), "position", (json_int_t)d->position,
                          "made_at", (json_int_t)clock_unix_s(), "salt", hex);
    return o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
}

static enum tly_err
draft_sign(const struct draft *d, struct tly_bytes payload, struct tly_arena *arena,
           struct tly_bytes *out, struct tly_diag *diag)
{
    TLY_AUTO(secret) struct sign_secret secret = {0};
    enum tly_err err = keyfile_read_secret(cli_value(d->cli, "key", ""), &secret, diag);
    if (err != TLY_OK) {
        return err;
    }
    const struct tly_key  key   = sign_public(&secret);
    const struct tly_hash keyid = keyfile_keyid(&key);
    return envelope_write(ENVELOPE_TYPE_DECISION, payload, &secret, &keyid, 1, arena, out);
}

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = DECISION_FILE_ARENA};
    struct draft                     d     = {.cli = cli};
    struct tly_diag                  diag  = {0};
    struct tly_bytes                 envelope;
    if (!cli_number(cli, "position", 0, 1, UINT32_MAX, &d.position)) {
        return CLI_UNUSABLE;
    }
    enum tly_err err = draft_fill(&d, &diag);
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    char *text = draft_text(&d);
    if (text == NULL) {
        return cli_say(cli, CLI_UNUSABLE,
                       "the target does not fit the kind, or is no UTF-8 (--help shows each)");
    }
    err = draft_sign(&d, tly_text(text), &arena, &envelope, &diag);
    if (err == TLY_OK) {
        (void)fprintf(stderr, "%s\n", text);
        err = decision_file_new(cli_value(cli, "to", NULL), envelope, &arena, &diag);
    }
    free(text);
    return err == TLY_OK ? CLI_DONE : cli_fail(cli, err, &diag);
}

const struct cli_command ctl_decide = {
    .name    = "decide",
    .args    = "KIND TARGET...",
    .summary = "make a decision and sign it for the first officer",
    .more =
        "KIND and TARGET:\n"
        "  release|explain|annul|reinstate BRANCH CONTEST\n"
        "  lot CONTEST CODE CODE... --ground WORD     the first is served first\n"
        "  exclude CONTEST CANDIDATE\n"
        "  certify CONTEST                            the result that the daemon shows now\n"
        "  key add TERMINAL --signing-key HEX --certificate HEX --not-before TIME --not-after "
        "TIME\n"
        "          [--branch CODE]                    a terminal more\n"
        "  key rotate TERMINAL [--signing-key HEX] [--certificate HEX] [--not-before TIME\n"
        "          --not-after TIME]                  the old ones are good for nothing any more\n"
        "  key revoke TERMINAL                        for ever\n"
        "  key assign TERMINAL BRANCH                 it speaks for this branch from there on\n"
        "  state open|closed|maintenance [--until TIME]\n"
        "                                             bundles are taken while it is open\n"
        "Prints the document that was signed on stderr.  \"tallyctl cosign\" adds the other\n"
        "officers' signatures, \"tallyctl post\" hands it in; it is in force once it is logged.",
    .args_min = 2,
    .args_max = DECISION_ORDER_MAX,
    .options  = options,
    .run      = run,
};
