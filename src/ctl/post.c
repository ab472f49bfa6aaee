/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl post: hands a signed decision to the daemon. */
#include <stdio.h>

#include "cmd.h"
#include "decision_file.h"
#include "online.h"

static const struct cli_option options[] = {ONLINE_OPTIONS, {NULL, NULL, NULL, false}};

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena  = {.bytes_max = ONLINE_ARENA_MAX};
    TLY_AUTO(remote) struct remote  *remote = NULL;
    struct envelope                  envelope;
    struct tly_bytes                 text, receipt;
    struct tly_diag                  diag    = {0};
    bool                             created = false;
    enum tly_err err = decision_file_read(cli_arg(cli, 0), &arena, &envelope, &text, &diag);
    if (err == TLY_OK) {
        err = online_open(cli, &remote, &diag);
    }
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    const bool results = tly_bytes_eq(envelope.type, tly_text(ENVELOPE_TYPE_RESULTS));
    err = remote_post(remote, results ? "/v1/results" : "/v1/decisions", ENVELOPE_MEDIA_TYPE, text,
                      &arena, &created, &receipt, &diag);
    if (err == TLY_EINPUT) { /* 4xx that is not a matter of who: refused all the same */
        return cli_say(cli, CLI_REFUSED, "%s", diag.text);
    }
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    (void)fprintf(stderr, "%s\n",
                  created ? (results ? "logged" : "logged, and in force")
                          : "it was logged already");
    return fwrite(receipt.data, 1, receipt.len, stdout) == receipt.len
               ? CLI_DONE
               : cli_say(cli, CLI_UNUSABLE, "cannot write the receipt");
}

const struct cli_command ctl_post = {
    .name    = "post",
    .args    = "FILE",
    .summary = "hand a signed decision or results document to the daemon; prints the receipt",
    .more =
        "The client is an officer's, responsible for the target's area.  Repeating is safe: the\n"
        "same decision gets the same receipt.",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
