/* SPDX-License-Identifier: Apache-2.0 */
/* No line but the vector's own is a cosignature of its witness; a policy that is read names only
 * what stands in it. */
#include "base/arena.h"
#include "base/attr.h"
#include "base/check.h"
#include "core/trust.h"
#include "ledger_vector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TLY_AUTO(arena) struct tly_arena arena;
    static const char                board[] =
        "board-1.example/witness+68a0c223+BFd0UKtd7dR08Q1zm+FGPnmVi20lwNQTz2iZFJBTTdHd";
    const struct tly_bytes in   = {data, size};
    const struct trust    *p    = NULL;
    struct note            note = {0};
    struct cosign_vkey     vkey;
    struct cosignature     got;
    const bool             known = cosign_vkey_parse(tly_text(board), &vkey);
    TLY_CHECK(known);
    if (note_split(in, &note) && cosign_check(note.body, note.lines, &vkey, &got, NULL) == TLY_OK) {
        TLY_CHECK(note.head.size == 2);
        TLY_CHECK(got.time_s == 1793232001U);
    }
    tly_arena_init(&arena, 1 << 20);
    if (trust_parse(in, &arena, &p, NULL) == TLY_OK) {
        TLY_CHECK(p->witnesses_n <= TRUST_EACH_MAX);
        TLY_CHECK(p->quorum == TRUST_NONE || trust_quorum(p, UINT32_MAX));
    }
    return 0;
}
