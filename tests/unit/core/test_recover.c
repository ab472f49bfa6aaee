/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger against its head row, signed heads, journal and signer: each agreement and each
 * contradiction, and that *out stays as it was where it ends. */
#include "core/recover.h"
#include "ledger_fixture.h"
#include "t.h"

#define ENTRIES 6

static struct fixture   f;
static struct tly_arena arena;
static struct book     *book;
static struct note_head heads[ENTRIES + 1]; /* by size */

static void
ledger_make(void)
{
    fixture_init(&f);
    tly_arena_init(&arena, (size_t)4 << 20);
    T_EQ(book_new(&f.election, &f.registry, &arena, &book), TLY_OK, "a book");
    for (uint32_t i = 0; i < ENTRIES; i++) {
        const struct book_entry bundle = {.kind        = LEAF_BUNDLE,
                                          .branch      = {i},
                                          .terminal    = {i},
                                          .revision    = 1,
                                          .accepted_ms = 1000,
                                          .payload     = fixture_hash("payload", i)};
        const struct book_entry e      = i == 0 ? fixture_genesis() : bundle;
        T_EQ(book_append(book, &e), TLY_OK, "an entry");
        heads[i + 1] = (struct note_head){i + 1, merkle_root(book_tree(book), i + 1)};
    }
}

static struct note_head
other(uint64_t size)
{
    struct note_head head = heads[size];
    head.root.b[31] ^= 1;
    return head;
}

static void
test_heads(void)
{
    struct tly_diag        diag   = {0};
    const struct note_head wrong  = other(ENTRIES);
    const struct note_head longer = {ENTRIES + 1, heads[ENTRIES].root};
    T_OK(recover_is_head(book, &heads[1]) && recover_is_head(book, &heads[ENTRIES]), "its heads");
    T_OK(!recover_is_head(book, &wrong) && !recover_is_head(book, &longer), "and no others");
    T_EQ(recover_head_row(book, &heads[ENTRIES], &diag), TLY_OK, "the head row");
    T_EQ(recover_head_row(book, &heads[ENTRIES - 1], &diag), TLY_ECORRUPT, "of fewer entries");
    T_EQ(recover_head_row(book, &longer, &diag), TLY_ECORRUPT, "of more");
    T_EQ(recover_head_row(book, &wrong, &diag), TLY_ECORRUPT, "of another root");
    struct book_head sealed;
    fixture_sign(&f, book, &sealed);
    T_OK(recover_is_signed(book, &f.vkey, &sealed), "signed");
    sealed.size--;
    T_OK(!recover_is_signed(book, &f.vkey, &sealed), "another size was");
    sealed.size = ENTRIES + 1;
    T_OK(!recover_is_signed(book, &f.vkey, &sealed), "beyond the book");
    sealed.size = 0;
    T_OK(!recover_is_signed(book, &f.vkey, &sealed), "nothing is no head");
}

static enum tly_err
frame_at(const struct note_head *before, const struct note_head *after, enum recover_step *step)
{
    struct tly_diag    diag  = {0};
    const struct frame frame = {
        .before = *before, .after = *after, .rows_n = (uint32_t)(after->size - before->size)};
    const enum tly_err err = recover_frame(book, &frame, step, &diag);
    T_OK((err == TLY_OK) == (diag.text[0] == '\0'), "it says why, or nothing");
    return err;
}

static void
test_frames(void)
{
    const struct note_head wrong = other(3), wrong_end = other(ENTRIES);
    const struct note_head next  = {ENTRIES + 2, heads[1].root},
                           later = {ENTRIES + 4, heads[1].root};
    enum recover_step step       = RECOVER_REDO;
    T_EQ(frame_at(&heads[2], &heads[3], &step), TLY_OK, "long ago");
    T_EQ(step, RECOVER_STORED, "stored");
    step = RECOVER_REDO;
    T_EQ(frame_at(&heads[4], &heads[ENTRIES], &step), TLY_OK, "the newest");
    T_EQ(step, RECOVER_STORED, "stored");
    T_EQ(frame_at(&heads[ENTRIES], &next, &step), TLY_OK, "the next");
    T_EQ(step, RECOVER_REDO, "is put back");
    step = RECOVER_STORED;
    T_EQ(frame_at(&wrong_end, &next, &step), TLY_ECORRUPT, "on another ledger");
    T_EQ(frame_at(&heads[5], &next, &step), TLY_ECORRUPT, "half of it is stored");
    T_EQ(frame_at(&next, &later, &step), TLY_ECORRUPT, "one between them is lost");
    T_EQ(step, RECOVER_STORED, "untouched");
    step = RECOVER_REDO;
    T_EQ(frame_at(&heads[2], &wrong, &step), TLY_ECORRUPT, "another ledger's end");
    T_EQ(frame_at(&wrong, &heads[5], &step), TLY_ECORRUPT, "another ledger's beginning");
    T_EQ(step, RECOVER_REDO, "untouched");
}

static void
signer_says(const struct note_head *last, bool redo, enum tly_err want, const char *what)
{
    struct tly_diag diag = {0};
    T_EQ(recover_signer(book, last, redo, &diag), want, what);
    T_OK((want == TLY_OK) == (diag.text[0] == '\0'), "it says why, or nothing");
}

static void
test_signer(void)
{
    const struct note_head nothing = {0, merkle_empty()};
    const struct note_head wrong   = other(5);
    const struct note_head later   = {ENTRIES + 1, heads[1].root};
    signer_says(&nothing, false, TLY_OK, "nothing was signed yet");
    T_EQ(book_add_head(book, &(struct book_head){.size = 4}), TLY_OK, "size 4 was");
    signer_says(&heads[4], false, TLY_OK, "that");
    signer_says(&heads[ENTRIES], false, TLY_OK, "a later one, not stored yet");
    signer_says(&heads[3], false, TLY_ECORRUPT, "the signer went back");
    signer_says(&nothing, false, TLY_ECORRUPT, "to nothing");
    signer_says(&heads[3], true, TLY_ECORRUPT, "no journal mends that");
    signer_says(&later, false, TLY_ECORRUPT, "the database went back");
    signer_says(&later, true, TLY_OK, "which the journal may mend");
    signer_says(&wrong, false, TLY_ECORRUPT, "another root");
    signer_says(&wrong, true, TLY_ECORRUPT, "no journal mends that");
}

int
main(void)
{
    ledger_make();
    test_heads();
    test_frames();
    test_signer();
    tly_arena_done(&arena);
    return T_DONE();
}
