/* SPDX-License-Identifier: Apache-2.0 */
#include "core/extend.h"

#include "base/check.h"
#include "base/text.h"
#include "rd.h"

#define HASH_TEXT_LEN TLY_BASE64_LEN(32)

static bool
read_hash(struct rd *rd, struct tly_hash *out)
{
    struct tly_bytes text;
    uint8_t          hash[HASH_TEXT_LEN / 4 * 3];
    size_t           len;
    enum tly_base64  alphabet;
    if (!rd_until(rd, '\n', &text) || text.len != HASH_TEXT_LEN ||
        !tly_base64_decode(text, hash, &len, &alphabet) || len != sizeof out->b ||
        alphabet != TLY_BASE64_STD) {
        return false;
    }
    memcpy(out->b, hash, sizeof out->b);
    return true;
}

enum tly_err
extend_parse(struct tly_bytes request, struct extend *out, struct tly_diag *diag)
{
    struct rd           rd    = rd_of(request);
    struct merkle_proof proof = {0};
    uint64_t            old;
    if (request.len > EXTEND_LEN_MAX) {
        return tly_fail(diag, TLY_ETOOBIG, "%zu bytes; at most %d are taken", request.len,
                        EXTEND_LEN_MAX);
    }
    if (!rd_lit(&rd, "old ") || !rd_u64(&rd, '\n', &old)) {
        return tly_fail(diag, TLY_EINPUT, "line 1 is not \"old SIZE\"");
    }
    while (!rd_lit(&rd, "\n")) {
        struct tly_hash hash;
        if (!read_hash(&rd, &hash)) {
            return tly_fail(diag, TLY_EINPUT,
                            "line %u is neither a hash of 32 bytes in base64 nor the blank line "
                            "before the checkpoint",
                            proof.n + 2);
        }
        if (proof.n == EXTEND_PROOF_MAX) {
            return tly_fail(diag, TLY_ETOOBIG, "more than %d proof lines", EXTEND_PROOF_MAX);
        }
        proof.hashes[proof.n++] = hash;
    }
    if (rd_left(&rd) == 0) {
        return tly_fail(diag, TLY_EINPUT, "no checkpoint after the blank line");
    }
    out->old   = old;
    out->proof = proof;
    out->note  = (struct tly_bytes){rd.p, rd_left(&rd)};
    return TLY_OK;
}

size_t
extend_write(const struct extend *request, char out[EXTEND_LEN_MAX + 1])
{
    struct text wr;
    TLY_CHECK(request->proof.n <= EXTEND_PROOF_MAX);
    TLY_CHECK(request->note.len <= NOTE_LEN_MAX);
    text_init(&wr, out, EXTEND_LEN_MAX + 1);
    text_add(&wr, "old ");
    text_add_u64(&wr, request->old);
    text_add(&wr, "\n");
    for (unsigned i = 0; i < request->proof.n; i++) {
        text_add_base64(&wr, (struct tly_bytes){request->proof.hashes[i].b, 32}, TLY_BASE64_STD);
        text_add(&wr, "\n");
    }
    text_add(&wr, "\n");
    text_add_bytes(&wr, request->note);
    const size_t len = text_done(&wr);
    TLY_CHECK(len > 0);
    return len;
}

enum extend_verdict
extend_check(const struct note_head *known, const struct extend *request,
             const struct note_head *head)
{
    struct tly_hash root = known->root;
    if (request->old > head->size) {
        return EXTEND_BACKWARDS;
    }
    if (request->old != known->size) {
        return EXTEND_STALE;
    }
    if (known->size == 0) {
        root = merkle_empty();
    }
    if (head->size == known->size && !tly_hash_eq(&root, &head->root)) {
        return EXTEND_FORK;
    }
    return merkle_check_consistency(known->size, head->size, &root, &head->root,
                                    request->proof.hashes, request->proof.n)
               ? EXTEND_GROWS
               : EXTEND_UNPROVEN;
}
