/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl cosign: one officer's signature more, without any network. */
#include <stdio.h>

#include "cmd.h"
#include "decision_file.h"
#include "pack/keyfile.h"

static const struct cli_option options[] = {{"key", "FILE", "this officer's signing key", false},
                                            {NULL, NULL, NULL, false}};

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena    arena  = {.bytes_max = DECISION_FILE_ARENA};
    TLY_AUTO(secret) struct sign_secret secret = {0};
    struct envelope                     envelope;
    struct tly_bytes                    text;
    struct tly_diag                     diag = {0};
    const char                         *file = cli_arg(cli, 0);
    const char                         *path = cli_value(cli, "key", NULL);
    if (path == NULL) {
        return cli_say(cli, CLI_UNUSABLE, "--key FILE is missing");
    }
    enum tly_err err = decision_file_read(file, &arena, &envelope, &text, &diag);
    if (err == TLY_OK) {
        err = keyfile_read_secret(path, &secret, &diag);
    }
    if (err == TLY_OK) { /* whoever signs sees what */
        (void)fprintf(stderr, "%.*s\n", (int)envelope.payload.len,
                      (const char *)envelope.payload.data);
        const struct tly_key  key   = sign_public(&secret);
        const struct tly_hash keyid = keyfile_keyid(&key);
        err = envelope_cosign(&envelope, &secret, &keyid, &arena, &text, &diag);
    }
    if (err == TLY_OK) {
        err = decision_file_write(file, text, &arena, &diag);
    }
    return err == TLY_OK ? CLI_DONE : cli_fail(cli, err, &diag);
}

const struct cli_command ctl_cosign = {
    .name     = "cosign",
    .args     = "FILE",
    .summary  = "add an officer's signature to a decision or results document, offline",
    .more     = "Prints the document on stderr: read it before you hand the file on.",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
