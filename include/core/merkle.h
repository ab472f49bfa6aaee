/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree of RFC 6962 section 2.1 (SHA-256), growing at the right. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define MERKLE_LEVELS_MAX 32
#define MERKLE_PROOF_MAX  (2 * MERKLE_LEVELS_MAX) /* hashes of one proof */

struct merkle_level;

/* Every complete subtree's hash is kept (64 bytes a leaf in all, up to twice that while the last
 * chunk of each level fills), so that a proof is mostly copied.
 *
 * One thread appends.  Addresses never move, so others may at the same time read roots, subtrees
 * and proofs of any size that the writer handed to them (through a lock or an acquire).  Truncation
 * wants readers of larger sizes gone. */
struct merkle {
    struct tly_arena    *arena;
    uint64_t             size; /* leaves */
    struct merkle_level *levels;
};

struct merkle_proof {
    unsigned        n;
    struct tly_hash hashes[MERKLE_PROOF_MAX];
};

struct tly_hash merkle_leaf(struct tly_bytes data); /* H(0x00 || data) */
struct tly_hash merkle_node(const struct tly_hash *left,
                            const struct tly_hash *right); /* H(0x01 || left || right) */
struct tly_hash merkle_empty(void);                        /* H() */

/* Keeps the arena, which later appends draw on; false: no memory. */
TLY_MUST bool   merkle_init(struct merkle *tree, struct tly_arena *arena);
TLY_MUST bool   merkle_append(struct merkle         *tree,
                              const struct tly_hash *leaf);            /* false: no memory */
void            merkle_truncate(struct merkle *tree, uint64_t size);   /* size <= tree->size */
struct tly_hash merkle_root(const struct merkle *tree, uint64_t size); /* size <= tree->size */
struct tly_hash merkle_leaf_at(const struct merkle *tree, uint64_t index);
/* Hash of the complete subtree (level, index): tiles are rows of these. */
struct tly_hash merkle_subtree(const struct merkle *tree, unsigned level, uint64_t index);
/* index < size <= tree->size; old <= size <= tree->size. */
void merkle_inclusion(const struct merkle *tree, uint64_t index, uint64_t size,
                      struct merkle_proof *out);
void merkle_consistency(const struct merkle *tree, uint64_t old, uint64_t size,
                        struct merkle_proof *out);

/* The checks that need no tree, RFC 9162 sections 2.1.3.2 and 2.1.4.2.  The empty tree is a prefix
 * of every other, by an empty proof; its root must be merkle_empty(). */
bool merkle_check_inclusion(uint64_t index, uint64_t size, const struct tly_hash *leaf,
                            const struct tly_hash proof[], size_t proof_n,
                            const struct tly_hash *root);
bool merkle_check_consistency(uint64_t old, uint64_t size, const struct tly_hash *old_root,
                              const struct tly_hash *root, const struct tly_hash proof[],
                              size_t proof_n);
