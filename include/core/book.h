/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger in memory: one compact entry a leaf, the tree, the heads that were signed, and the
 * indexes that answer "have I seen this?".  One writer; the owner guards readers (api/state.h), who
 * look only at positions below the size that was published: what lies above is not durable yet. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/election.h"
#include "core/leaf.h"
#include "core/merkle.h"
#include "core/note.h"
#include "core/registry.h"

struct book_entry {
    enum leaf_kind     kind;
    struct branch_ix   branch;   /* bundle, conflict; of a decision its target's, or IX_NONE */
    struct contest_ix  contest;  /* decision; of key, state and result IX_NONE */
    struct area_ix     scope;    /* result */
    uint32_t           serial;   /* result */
    struct terminal_ix terminal; /* whose key signed it */
    uint32_t           revision;
    bool               has_prev;
    uint32_t           payload_len, envelope_len;
    uint64_t           accepted_ms;
    struct tly_hash    prev, payload, envelope;
    struct tly_hash    first_envelope; /* conflict */
    struct tly_bytes   held;           /* last lines of the leaf; in the book's arena */
};

/* A head that was signed: receipts of the entries below it name it. */
struct book_head {
    uint64_t       size;
    struct tly_sig sig;
};

struct book;

#define BOOK_ENTRIES_MAX UINT32_MAX /* leaves of one log; the indexes hold 32-bit positions */

/* An empty book; election, registry (all its versions) and arena must outlive it.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err book_new(const struct election *election, const struct registry *registry,
                               struct tly_arena *arena, struct book **out);

/* The newest version of the registry, as the entries that were applied made it; and the next one, whose
 * rows entries may name from then on. */
const struct registry *book_registry(const struct book *book);
void                   book_set_registry(struct book *book, const struct registry *registry);

uint64_t                 book_size(const struct book *book);
const struct book_entry *book_entry(const struct book *book, uint64_t position);
const struct merkle     *book_tree(const struct book *book);
/* Appends: copies the entry and held lines, hashes the leaf into the tree, indexes payload and
 * branch.  An entry's address stays the same until it is truncated.
 * Errors: TLY_ENOMEM (nothing changed); TLY_ETOOBIG the leaf is longer than LEAF_LEN_MAX. */
TLY_MUST enum tly_err book_append(struct book *book, const struct book_entry *entry);
/* Forgets everything from `size` on: a batch that certainly is not in the database.  No head that
 * was signed may cover it.  The memory is used again. */
void book_truncate(struct book *book, uint64_t size);
/* Remembers a signed head; size grows from one to the next.  Errors: TLY_ENOMEM (nothing changed).
 */
TLY_MUST enum tly_err book_add_head(struct book *book, const struct book_head *head);
/* The first signed head that covers the position, and the newest; NULL: none yet. */
const struct book_head *book_head_of(const struct book *book, uint64_t position);
const struct book_head *book_newest_head(const struct book *book);
/* The signed heads in order; i < book_heads_n().  An entry or a head stays where it is. */
size_t                  book_heads_n(const struct book *book);
const struct book_head *book_head_at(const struct book *book, size_t i);

/* Is this the entry of a payload and an envelope with these hashes?  Genesis has zeros. */
bool book_has(const struct book *book, uint64_t position, const struct tly_hash *payload,
              const struct tly_hash *envelope);
/* Position of a payload (bundle or conflict), or UINT64_MAX. */
uint64_t book_find_payload(const struct book *book, const struct tly_hash *payload);
/* Position of the branch's newest bundle (its revision is the highest), or UINT64_MAX; and of one
 * revision. */
uint64_t book_newest(const struct book *book, struct branch_ix branch);
uint64_t book_revision(const struct book *book, struct branch_ix branch, uint32_t revision);
/* Position of the branch's last entry of any kind, and of its entry before the one at a position
 * (which must be a branch's); UINT64_MAX: there is none. */
uint64_t book_last(const struct book *book, struct branch_ix branch);
uint64_t book_before(const struct book *book, uint64_t position);
/* Position of the newest results document of a scope below a position, or UINT64_MAX. */
uint64_t book_result(const struct book *book, struct area_ix scope, uint64_t below);
/* How many conflicts are logged for the branch. */
uint32_t book_conflicts(const struct book *book, struct branch_ix branch);

/* The leaf's text of a position. */
size_t book_leaf(const struct book *book, uint64_t position, char out[LEAF_SIZE]);
/* The receipt of a position against a signed head that covers it.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err book_receipt(const struct book *book, uint64_t position,
                                   const struct book_head *head, const struct note_vkey *vkey,
                                   struct tly_arena *arena, struct tly_bytes *out);
