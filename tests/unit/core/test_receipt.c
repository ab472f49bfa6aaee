/* SPDX-License-Identifier: Apache-2.0 */
/* Proves receipts: the vector of ledger_vector.h is checked and written again byte for byte;
 * every cut and every changed byte is refused; receipts of every leaf of a log hold. */
#include "core/receipt.h"

#include "base/attr.h"
#include "ledger_vector.h"
#include "t.h"

static struct note_vkey
vector_vkey(void)
{
    struct note_vkey vkey;
    if (!note_vkey_parse(tly_text(vector_log_vkey), &vkey)) {
        abort();
    }
    return vkey;
}

static void
vector(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    const struct note_vkey           vkey = vector_vkey();
    struct receipt                   r;
    struct tly_bytes                 text;
    tly_arena_init(&arena, 1 << 20);
    T_EQ(receipt_check(tly_text(vector_receipt), &vkey, &arena, &r, NULL), TLY_OK,
         "the vector is a receipt");
    T_OK(r.index == 1 && r.head.size == 2 && tly_bytes_eq(r.leaf, tly_text(vector_leaf1)),
         "of leaf 1 in 2");
    struct merkle_proof proof = {.n = 1};
    proof.hashes[0]           = merkle_leaf(tly_text(vector_leaf0));
    const char *note          = strstr(vector_receipt, "\n\n") + 2;
    T_EQ(receipt_write(tly_text(vector_leaf1), 1, &proof, tly_text(note), &arena, &text), TLY_OK,
         "written");
    T_OK(tly_bytes_eq(text, tly_text(vector_receipt)), "the same bytes");
    T_EQ(receipt_write(tly_text(vector_leaf1), 1, &proof, tly_text(note),
                       &(struct tly_arena){.bytes_max = 512}, &text),
         TLY_ENOMEM, "no memory to write");
    T_EQ(receipt_check(tly_text(vector_receipt), &vkey, &(struct tly_arena){.bytes_max = 128}, &r,
                       NULL),
         TLY_ENOMEM, "no memory to read");
}

/* The witness's line is not ours to check; its bytes may change into another well-formed line. */
static void
every_byte(void)
{
    const struct note_vkey vkey     = vector_vkey();
    const size_t           len      = strlen(vector_receipt);
    const char            *board    = strstr(vector_receipt, "board-1");
    const size_t           ours_len = (size_t)(board - vector_receipt) - 4;
    unsigned               cut      = 0;
    unsigned               changed  = 0;
    struct receipt         r;
    memset(&r, 0x33, sizeof r);
    const struct receipt keep = r;
    for (size_t n = 0; n < len; n++) {
        TLY_AUTO(arena) struct tly_arena arena;
        char                             text[sizeof vector_receipt];
        tly_arena_init(&arena, (size_t)16 << 20);
        cut +=
            n != ours_len && receipt_check((struct tly_bytes){(const uint8_t *)vector_receipt, n},
                                           &vkey, &arena, &r, NULL) == TLY_OK;
        for (unsigned c = 0; c < 256 && n < ours_len; c++) {
            memcpy(text, vector_receipt, len);
            text[n] = (char)c;
            changed += text[n] != vector_receipt[n] &&
                       receipt_check((struct tly_bytes){(const uint8_t *)text, len}, &vkey, &arena,
                                     &r, NULL) == TLY_OK;
        }
    }
    T_EQ(cut, 0, "cut anywhere: refused");
    T_EQ(changed, 0, "one byte changed: refused");
    T_OK(memcmp(&r, &keep, sizeof r) == 0, "the output is untouched");
}

static void
refused(void)
{
    static const struct {
        const char  *from, *to;
        enum tly_err err;
        const char  *what;
    } rows[] = {
        {"index 1\n", "index 0\n", TLY_ECORRUPT, "another index"},
        {"index 1\n", "index 2\n", TLY_ECORRUPT, "an index behind the end"},
        {"index 1\n", "index 01\n", TLY_EINPUT, "a leading zero"},
        {"index 1\n", "index -1\n", TLY_EINPUT, "a sign"},
        {"index 1\n", "", TLY_EINPUT, "no index"},
        {"extra dGFs", "extra dGFt", TLY_ECORRUPT, "another leaf"},
        {"extra ", "extra\n", TLY_EINPUT, "no leaf"},
        {"proof@v1", "proof@v2", TLY_EINPUT, "another version"},
        {"h8TJxGmI0wFy8T09/cTG/o+M1sIQ4wB8Am6QmicC5MA=\n", "", TLY_ECORRUPT, "no path"},
        {"h8TJxGmI0wFy8T09", "h8TJxGmI0wFy8T08", TLY_ECORRUPT, "another path"},
        {"h8TJxGmI0wFy8T09", "h8TJxGmI0wFy8T0_", TLY_EINPUT, "URL-safe base64"},
        {"5MA=\n\n", "5MA=\nh8TJxGmI0wFy8T09/cTG/o+M1sIQ4wB8Am6QmicC5MA=\n\n", TLY_ECORRUPT,
         "a longer path"},
        {"5MA=\n\n", "5MA=\n", TLY_EINPUT, "no blank line"},
        {"\n2\nlU3k", "\n3\nlU3k", TLY_EFORBID, "another size"},
        {"demo-2026\n2\n", "demo-2027\n2\n", TLY_EINPUT, "another origin"},
    };
    const struct note_vkey vkey = vector_vkey();
    for (size_t i = 0; i < TLY_N(rows); i++) {
        TLY_AUTO(arena) struct tly_arena arena;
        struct receipt                   r;
        char                             text[4096];
        const char                      *at = strstr(vector_receipt, rows[i].from);
        tly_arena_init(&arena, 1 << 20);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - vector_receipt), vector_receipt,
                       rows[i].to, at + strlen(rows[i].from));
        T_EQ(receipt_check(tly_text(text), &vkey, &arena, &r, NULL), rows[i].err, rows[i].what);
    }
    TLY_AUTO(arena) struct tly_arena arena;
    struct receipt                   r;
    struct note_vkey                 other = vkey;
    tly_arena_init(&arena, 1 << 20);
    other.id[0] ^= 1;
    T_EQ(receipt_check(tly_text(vector_receipt), &other, &arena, &r, NULL), TLY_ENOKEY,
         "of no key that is known");
}

/* A log of 67 leaves: the receipt of each against every head holds. */
static void
every_leaf(void)
{
    TLY_AUTO(arena) struct tly_arena    arena;
    TLY_AUTO(secret) struct sign_secret secret;
    struct merkle                       tree;
    struct note_vkey                    vkey;
    const uint8_t                       seed[32] = {5};
    char                                leaves[67][32];
    bool                                ok = true;
    tly_arena_init(&arena, (size_t)64 << 20);
    sign_from_seed(seed, &secret);
    const struct tly_key key = sign_public(&secret);
    note_vkey_make("tally.example/x/rehearsal", &key, &vkey);
    ok = merkle_init(&tree, &arena) && ok;
    for (unsigned i = 0; i < 67; i++) {
        (void)snprintf(leaves[i], sizeof leaves[i], "leaf %u\n", i);
        const struct tly_hash hash = merkle_leaf(tly_text(leaves[i]));
        ok                         = merkle_append(&tree, &hash) && ok;
    }
    for (uint64_t size = 1; size <= 67; size += 6) {
        const struct note_head head = {.size = size, .root = merkle_root(&tree, size)};
        struct tly_sig         sig;
        char                   note[NOTE_LEN_MAX];
        note_sign(vkey.name, &head, &secret, &sig);
        const size_t note_len = note_write(&head, &vkey, &sig, note);
        for (unsigned i = 0; i < size; i++) {
            struct merkle_proof proof;
            struct tly_bytes    text;
            struct receipt      r;
            merkle_inclusion(&tree, i, size, &proof);
            ok = ok &&
                 receipt_write(tly_text(leaves[i]), i, &proof,
                               (struct tly_bytes){(const uint8_t *)note, note_len}, &arena,
                               &text) == TLY_OK &&
                 receipt_check(text, &vkey, &arena, &r, NULL) == TLY_OK && r.index == i &&
                 r.head.size == size && tly_bytes_eq(r.leaf, tly_text(leaves[i]));
        }
    }
    T_OK(ok, "every leaf's receipt against every head");
}

int
main(void)
{
    vector();
    every_byte();
    refused();
    every_leaf();
    return T_DONE();
}
