/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl key new, key public: Ed25519 keys of roots, officers and the log. */
#include <sodium.h>
#include <stdio.h>

#include "base/hex.h"
#include "cmd.h"
#include "pack/keyfile.h"

/* "SIGNING_KEY" as officers.csv wants it. */
static void
print_key(const struct tly_key *key)
{
    char hex[TLY_HEX_SIZE(sizeof key->b)];
    tly_hex(key->b, sizeof key->b, hex);
    (void)printf("%s\n", hex);
}

static enum cli_exit
run_new(const struct cli *cli)
{
    TLY_AUTO(secret) struct sign_secret secret = {0};
    struct tly_diag                     diag   = {0};
    uint8_t                             seed[32];
    randombytes_buf(seed, sizeof seed);
    sign_from_seed(seed, &secret);
    sodium_memzero(seed, sizeof seed);
    const enum tly_err err = keyfile_write_secret(cli_arg(cli, 0), &secret, &diag);
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    const struct tly_key key = sign_public(&secret);
    print_key(&key);
    return CLI_DONE;
}

static enum cli_exit
run_public(const struct cli *cli)
{
    struct tly_key  key;
    struct tly_diag diag = {0};
    enum tly_err    err  = keyfile_read_public(cli_arg(cli, 0), &key, &diag);
    const char     *to   = cli_value(cli, "o", NULL);
    if (err == TLY_OK && to != NULL) {
        err = keyfile_write_public(to, &key, &diag);
    }
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    print_key(&key);
    return CLI_DONE;
}

static const struct cli_option options_public[] = {{"o", "FILE", "write it as SPKI PEM too", false},
                                                   {NULL, NULL, NULL, false}};

const struct cli_command ctl_key_new = {
    .name     = "key new",
    .args     = "FILE",
    .summary  = "make an Ed25519 signing key",
    .more     = "Writes FILE, PKCS#8 PEM, readable by its owner alone; never overwrites.  Prints\n"
                "the public key as the registry wants it: 64 hexadecimal digits.",
    .args_min = 1,
    .args_max = 1,
    .run      = run_new,
};

const struct cli_command ctl_key_public = {
    .name     = "key public",
    .args     = "FILE",
    .summary  = "print the public half of a signing key",
    .more     = "FILE is a private or a public key as PEM.",
    .args_min = 1,
    .args_max = 1,
    .options  = options_public,
    .run      = run_public,
};
