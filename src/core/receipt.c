/* SPDX-License-Identifier: Apache-2.0 */
#include "core/receipt.h"

#include "base/check.h"
#include "base/text.h"
#include "rd.h"

#define FIRST_LINE    "c2sp.org/tlog-proof@v1\n"
#define HASH_TEXT_LEN TLY_BASE64_LEN(32)
/* First line, the words, the index, the blank line and a NUL. */
#define FRAME_LEN 64

enum tly_err
receipt_write(struct tly_bytes leaf, uint64_t index, const struct merkle_proof *proof,
              struct tly_bytes note, struct tly_arena *arena, struct tly_bytes *out)
{
    const size_t size =
        FRAME_LEN + TLY_BASE64_LEN(leaf.len) + proof->n * (HASH_TEXT_LEN + 1) + note.len;
    char *text = tly_arena_alloc(arena, size, 1);
    if (text == NULL) {
        return TLY_ENOMEM;
    }
    struct text wr;
    text_init(&wr, text, size);
    text_add(&wr, FIRST_LINE "extra ");
    text_add_base64(&wr, leaf, TLY_BASE64_STD);
    text_add(&wr, "\nindex ");
    text_add_u64(&wr, index);
    text_add(&wr, "\n");
    for (unsigned i = 0; i < proof->n; i++) {
        text_add_base64(&wr, (struct tly_bytes){proof->hashes[i].b, 32}, TLY_BASE64_STD);
        text_add(&wr, "\n");
    }
    text_add(&wr, "\n");
    text_add_bytes(&wr, note);
    const size_t len = text_done(&wr);
    TLY_CHECK(len > 0);
    *out = (struct tly_bytes){(const uint8_t *)text, len};
    return TLY_OK;
}

/* "extra BASE64": the leaf's text. */
static enum tly_err
read_leaf(struct rd *rd, struct tly_arena *arena, struct tly_bytes *leaf)
{
    struct tly_bytes text;
    size_t           len;
    enum tly_base64  alphabet;
    if (!rd_lit(rd, "extra ") || !rd_until(rd, '\n', &text) ||
        text.len > TLY_BASE64_LEN(LEAF_LEN_MAX)) {
        return TLY_EINPUT;
    }
    uint8_t *data = tly_arena_alloc(arena, text.len / 4 * 3 + 1, 1);
    if (data == NULL) {
        return TLY_ENOMEM;
    }
    if (!tly_base64_decode(text, data, &len, &alphabet) || alphabet != TLY_BASE64_STD ||
        len > LEAF_LEN_MAX) {
        return TLY_EINPUT;
    }
    *leaf = (struct tly_bytes){data, len};
    return TLY_OK;
}

/* A hash a line, up to and over the blank line. */
static bool
read_proof(struct rd *rd, struct merkle_proof *proof)
{
    for (proof->n = 0; !rd_lit(rd, "\n"); proof->n++) {
        struct tly_bytes text;
        uint8_t          hash[HASH_TEXT_LEN / 4 * 3];
        size_t           len;
        enum tly_base64  alphabet;
        if (proof->n == MERKLE_PROOF_MAX || !rd_until(rd, '\n', &text) ||
            text.len != HASH_TEXT_LEN || !tly_base64_decode(text, hash, &len, &alphabet) ||
            len != sizeof proof->hashes[0].b || alphabet != TLY_BASE64_STD) {
            return false;
        }
        memcpy(proof->hashes[proof->n].b, hash, sizeof proof->hashes[0].b);
    }
    return true;
}

enum tly_err
receipt_split(struct tly_bytes in, struct tly_arena *arena, struct receipt_parts *out,
              struct tly_diag *diag)
{
    struct rd            rd    = rd_of(in);
    struct receipt_parts parts = {0};
    if (in.len > RECEIPT_LEN_MAX || !rd_lit(&rd, FIRST_LINE)) {
        return tly_fail(diag, TLY_EINPUT, "not a receipt");
    }
    const enum tly_err err = read_leaf(&rd, arena, &parts.leaf);
    if (err != TLY_OK) {
        return tly_fail(diag, err, "the receipt's leaf (extra) is missing, malformed or too large");
    }
    if (!rd_lit(&rd, "index ") || !rd_u64(&rd, '\n', &parts.index) ||
        !read_proof(&rd, &parts.proof)) {
        return tly_fail(diag, TLY_EINPUT, "the receipt's index or path is malformed");
    }
    parts.note = (struct tly_bytes){rd.p, rd_left(&rd)};
    *out       = parts;
    return TLY_OK;
}

enum tly_err
receipt_check(struct tly_bytes in, const struct note_vkey *vkey, struct tly_arena *arena,
              struct receipt *out, struct tly_diag *diag)
{
    struct receipt       receipt = {0};
    struct receipt_parts parts;
    enum tly_err         err = receipt_split(in, arena, &parts, diag);
    if (err == TLY_OK) {
        err = note_check(parts.note, vkey, &receipt.head, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    receipt.leaf               = parts.leaf;
    receipt.index              = parts.index;
    const struct tly_hash hash = merkle_leaf(parts.leaf);
    if (!merkle_check_inclusion(receipt.index, receipt.head.size, &hash, parts.proof.hashes,
                                parts.proof.n, &receipt.head.root)) {
        return tly_fail(diag, TLY_ECORRUPT, "the path does not lead from the leaf to the root");
    }
    *out = receipt;
    return TLY_OK;
}
