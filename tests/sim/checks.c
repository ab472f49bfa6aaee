/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold, whatever happened (the numbers are those of the simulator's section in
 * doc/ledger.md). */
#include "core/receipt.h"
#include "core/recover.h"
#include "sim.h"

/* ---- I4: one chain ---- */

void
check_signed(const struct note_head *head)
{
    WANT(head->size > 0 && head->size < SIM_ROWS_MAX);
    struct note_head *known = &sim.heads[head->size];
    WANT_SAY(known->size == 0 || tly_hash_eq(&known->root, &head->root),
             "two heads of size %llu are signed", (unsigned long long)head->size);
    const struct dbcommit *c = database_ever(head->size);
    WANT_SAY(c != NULL && tly_hash_eq(&c->root, &head->root),
             "a head of size %llu is signed, which is not stored", (unsigned long long)head->size);
    *known = *head;
    if (head->size >= sim.signer_newest) {
        sim.signer_went_back = false;
    }
    const struct dbcommit *before = database_of_size(&sim.db_before, head->size);
    if (sim.db_went_back && (before == NULL || !tly_hash_eq(&before->root, &head->root))) {
        sim.db_went_back = false; /* it goes on from the older copy, another way */
    }
}

static bool
is_root(const struct book *book, const struct note_head *head)
{
    if (head->size > book_size(book)) {
        return false;
    }
    const struct tly_hash root = merkle_root(book_tree(book), head->size);
    return tly_hash_eq(&root, &head->root);
}

/* ---- I1, I3: receipts ---- */

void
check_receipt(struct sent *s, const struct seq_item *item, uint64_t shown)
{
    struct receipt                   receipt = {0};
    TLY_AUTO(arena) struct tly_arena memory;
    tly_arena_init(&memory, (size_t)1 << 20);
    const enum tly_err err = receipt_check(item->receipt, papers_vkey(), &memory, &receipt, NULL);
    WANT_SAY(err == TLY_OK, "a receipt does not verify");
    WANT(receipt.index == item->position && receipt.index < receipt.head.size);
    WANT(receipt.head.size <= shown);
    const struct note_head *signed_head =
        receipt.head.size < SIM_ROWS_MAX ? &sim.heads[receipt.head.size] : &sim.heads[0];
    WANT(signed_head->size == receipt.head.size &&
         tly_hash_eq(&signed_head->root, &receipt.head.root));
    const struct dbcommit *c = database_ever(receipt.head.size);
    WANT_SAY(c != NULL && tly_hash_eq(&c->root, &receipt.head.root),
             "acknowledged at position %llu before it is stored",
             (unsigned long long)receipt.index);
    if (s->acked) {
        WANT_SAY(s->index == receipt.index, "the second receipt is of another position");
        WANT(!item->created || (sim.proc->causes & CAUSE_STORE) != 0);
        WANT(sim.db_ever_back || s->head.size == receipt.head.size);
        return;
    }
    s->acked = true;
    s->index = receipt.index;
    s->head  = receipt.head;
}

/* ---- I1, I3, I4 at a ledger ---- */

void
check_kept(const struct book *book)
{
    const uint64_t size               = book_size(book);
    uint32_t       last[SIM_BRANCHES] = {0};
    for (uint64_t i = 1; i < size; i++) {
        const struct book_entry *e = book_entry(book, i);
        if (e->kind == LEAF_BUNDLE) {
            WANT_SAY(e->revision == ++last[e->branch.v],
                     "revision %u of a branch stands twice, or"
                     " behind a gap",
                     e->revision);
        }
    }
    for (unsigned i = 0; i < sim.sent_n; i++) {
        const struct sent *s = &sim.sent[i];
        if (s->acked) {
            WANT_SAY(book_find_payload(book, &s->paper->payload_hash) == s->index,
                     "what was acknowledged at position %llu is not there",
                     (unsigned long long)s->index);
            WANT_SAY(is_root(book, &s->head),
                     "the head of a receipt, size %llu, is not the "
                     "ledger's",
                     (unsigned long long)s->head.size);
        }
    }
    for (unsigned i = 1; i < SIM_ROWS_MAX; i++) {
        const struct note_head *head = &sim.heads[i];
        WANT_SAY(head->size == 0 || is_root(book, head),
                 "the head of size %u was signed, and is not the ledger's", i);
    }
}

/* ---- I5, I9: what is shown ---- */

enum stands { EXPECTED, HELD, COUNTED, ANNULLED };

void
check_shown(const struct book *book, const struct tally *tally)
{
    enum stands             stands[SIM_BRANCHES] = {EXPECTED};
    const struct paper     *newest[SIM_BRANCHES] = {NULL};
    bool                    clash[SIM_BRANCHES]  = {false};
    uint64_t                votes = 0, held = 0, annulled = 0;
    const uint64_t          size = book_size(book);
    const struct book_head *head = book_newest_head(book);
    WANT(tally->position == size);
    WANT(sim.db_ever_back || (sim.proc->causes & CAUSE_MOVED) != 0 ||
         (head != NULL && head->size == size));
    for (uint64_t i = 1; i < size; i++) {
        const struct book_entry *e = book_entry(book, i);
        const struct paper      *p = paper_by_payload(&e->payload);
        WANT(p != NULL);
        if (p == NULL) {
            return;
        }
        if (e->kind == LEAF_CONFLICT) {
            clash[p->branch] = true;
        } else if (p->is_decision) {
            stands[p->branch] = p->kind == POLICY_ANNUL ? ANNULLED : COUNTED;
        } else {
            newest[p->branch] = p;
            if (stands[p->branch] != ANNULLED) {
                stands[p->branch] = p->held ? HELD : COUNTED;
            }
        }
    }
    for (unsigned b = 0; b < SIM_BRANCHES; b++) {
        const uint8_t state = tally->slots[b].state;
        WANT((stands[b] == EXPECTED) == (state == SLOT_EXPECTED));
        WANT((stands[b] == HELD) == (state == SLOT_HELD));
        WANT((stands[b] == ANNULLED) == (state == SLOT_ANNULLED));
        WANT((tally->branch_conflict[b] != 0) == clash[b]);
        votes += stands[b] == COUNTED ? newest[b]->votes : 0;
        held += stands[b] == HELD;
        annulled += stands[b] == ANNULLED;
    }
    WANT(tally->options[0] == votes);
    WANT(tally->contests[0].progress.held == held);
    WANT(tally->contests[0].progress.annulled == annulled);
}
