/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl receipt check: does this receipt prove what it says?  Offline; needs only the log's
 * public key. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "cmd.h"
#include "core/receipt.h"
#include "pack/keyfile.h"
#include "sys/file.h"
#include "sys/sha256.h"

#define RECEIPT_ARENA_MAX ((size_t)8 << 20)

static const struct cli_option options[] = {
    {"log-key", "FILE", "the log's public key, PEM (required; log.key is fine in a rehearsal)",
     false},
    {"origin", "NAME", "the log's name DOMAIN/ELECTION/PHASE (default: any that this key signed)",
     false},
    {"payload", "FILE", "also check that the receipt is for these payload bytes", false},
    {NULL},
};

/* The first line of the note, which stands behind the receipt's first empty line. */
static bool
origin_of(struct tly_bytes receipt, char out[NOTE_ORIGIN_LEN_MAX + 1])
{
    const uint8_t *gap = memmem(receipt.data, receipt.len, "\n\n", 2);
    if (gap == NULL) {
        return false;
    }
    const uint8_t *from = gap + 2;
    const uint8_t *to   = memchr(from, '\n', (size_t)(receipt.data + receipt.len - from));
    if (to == NULL || to - from > NOTE_ORIGIN_LEN_MAX) {
        return false;
    }
    memcpy(out, from, (size_t)(to - from));
    out[to - from] = '\0';
    return true;
}

/* The payload's hash in the leaf against the file's. */
static enum tly_err
check_payload(const char *path, const struct receipt *receipt, struct tly_arena *arena,
              struct tly_diag *diag)
{
    struct leaf_texts texts;
    struct leaf       leaf;
    struct tly_bytes  payload;
    enum tly_err      err = leaf_parse(receipt->leaf, &texts, &leaf, diag);
    if (err == TLY_OK) {
        err = file_read(path, (size_t)1 << 20, arena, &payload, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    const struct tly_hash hash = sys_sha256(payload);
    return tly_hash_eq(&hash, &leaf.payload)
               ? TLY_OK
               : tly_fail(diag, TLY_ECONFLICT, "%s is not the payload of this receipt", path);
}

/* *usable: whether there is a receipt and a key, so that an error is the answer no. */
static enum tly_err
check(const struct cli *cli, struct tly_arena *arena, struct receipt *out, bool *usable,
      struct tly_diag *diag)
{
    struct tly_bytes text;
    struct tly_key   key;
    struct note_vkey vkey;
    char             origin[NOTE_ORIGIN_LEN_MAX + 1] = "";
    enum tly_err     err = file_read(cli_arg(cli, 0), RECEIPT_LEN_MAX, arena, &text, diag);
    if (err == TLY_OK) {
        err = keyfile_read_public(cli_value(cli, "log-key", ""), &key, diag);
    }
    if (err != TLY_OK) {
        *usable = false;
        return err;
    }
    const char *asked = cli_value(cli, "origin", NULL);
    if (asked != NULL && !note_name_ok(tly_text(asked))) {
        *usable = false;
        return tly_fail(diag, TLY_EINPUT, "--origin: not the name of a log, DOMAIN/ELECTION/PHASE");
    }
    if (asked != NULL) {
        (void)snprintf(origin, sizeof origin, "%s", asked);
    } else if (!origin_of(text, origin) || !note_name_ok(tly_text(origin))) {
        *usable = false;
        return tly_fail(
            diag, TLY_EINPUT,
            "%s: not a receipt (tlog-proof), which begins with \"c2sp.org/tlog-proof@v1\"",
            cli_arg(cli, 0));
    }
    note_vkey_make(origin, &key, &vkey);
    err = receipt_check(text, &vkey, arena, out, diag);
    if (err == TLY_OK && cli_value(cli, "payload", NULL) != NULL) {
        err = check_payload(cli_value(cli, "payload", NULL), out, arena, diag);
    }
    return err;
}

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct receipt                   receipt;
    struct tly_diag                  diag = {0};
    char                             root[TLY_HEX_SIZE(32)];
    tly_arena_init(&arena, RECEIPT_ARENA_MAX);
    if (cli_value(cli, "log-key", NULL) == NULL) {
        return cli_say(cli, CLI_UNUSABLE,
                       "--log-key is required: a receipt proves nothing without it");
    }
    bool               usable = true;
    const enum tly_err err    = check(cli, &arena, &receipt, &usable, &diag);
    if (usable && (err == TLY_EINPUT || err == TLY_ECORRUPT)) {
        return cli_say(cli, CLI_REFUSED, "%s", diag.text);
    }
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    tly_hex(receipt.head.root.b, sizeof receipt.head.root.b, root);
    (void)printf("good: entry %" PRIu64 " of a log of %" PRIu64 ", root %.16s...\n%.*s",
                 receipt.index, receipt.head.size, root, (int)receipt.leaf.len,
                 (const char *)receipt.leaf.data);
    return CLI_DONE;
}

const struct cli_command ctl_receipt_check = {
    .name     = "receipt check",
    .args     = "FILE",
    .summary  = "check a receipt offline: inclusion, root, the log's signature",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
