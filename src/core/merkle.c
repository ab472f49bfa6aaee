/* SPDX-License-Identifier: Apache-2.0 */
#include "core/merkle.h"

#include <sodium.h>

#include "base/check.h"

/* Chunk k of a level holds CHUNK_FIRST << k hashes and never moves, so that readers of an older
 * size need no lock.  25 of them hold 2^33 hashes. */
#define CHUNK_FIRST_BITS 8
#define CHUNK_FIRST      (UINT64_C(1) << CHUNK_FIRST_BITS)
#define CHUNKS_MAX       25
#define SIZE_MAX_LEAVES  (UINT64_C(1) << MERKLE_LEVELS_MAX)

struct merkle_level {
    struct tly_hash *chunks[CHUNKS_MAX];
};

struct tly_hash
merkle_leaf(struct tly_bytes data)
{
    static const uint8_t     prefix = 0x00;
    crypto_hash_sha256_state state;
    struct tly_hash          out;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &prefix, 1);
    crypto_hash_sha256_update(&state, data.data, data.len);
    crypto_hash_sha256_final(&state, out.b);
    return out;
}

struct tly_hash
merkle_node(const struct tly_hash *left, const struct tly_hash *right)
{
    uint8_t         data[65];
    struct tly_hash out;
    data[0] = 0x01;
    memcpy(data + 1, left->b, 32);
    memcpy(data + 33, right->b, 32);
    crypto_hash_sha256(out.b, data, sizeof data);
    return out;
}

struct tly_hash
merkle_empty(void)
{
    struct tly_hash out;
    crypto_hash_sha256(out.b, (const uint8_t *)"", 0);
    return out;
}

static uint64_t
size_of(const struct merkle *tree)
{
    return __atomic_load_n(&tree->size, __ATOMIC_ACQUIRE);
}

/* Which chunk of a level, and where in it. */
static unsigned
chunk_of(uint64_t index, uint64_t *offset)
{
    const uint64_t n = (index >> CHUNK_FIRST_BITS) + 1;
    const unsigned k = 63U - (unsigned)__builtin_clzll(n);
    *offset          = index - CHUNK_FIRST * ((UINT64_C(1) << k) - 1);
    return k;
}

static struct tly_hash *
slot_of(const struct merkle *tree, unsigned level, uint64_t index)
{
    uint64_t         offset;
    const unsigned   k     = chunk_of(index, &offset);
    struct tly_hash *chunk = tree->levels[level].chunks[k];
    TLY_CHECK(chunk != NULL);
    return &chunk[offset];
}

/* Makes sure that the slot has memory. */
static bool
slot_make(struct merkle *tree, unsigned level, uint64_t index)
{
    uint64_t          offset;
    const unsigned    k     = chunk_of(index, &offset);
    struct tly_hash **chunk = &tree->levels[level].chunks[k];
    if (*chunk == NULL) {
        *chunk = TLY_NEW(tree->arena, struct tly_hash, CHUNK_FIRST << k);
    }
    return *chunk != NULL;
}

bool
merkle_init(struct merkle *tree, struct tly_arena *arena)
{
    struct merkle_level *levels = TLY_NEW(arena, struct merkle_level, MERKLE_LEVELS_MAX + 1);
    if (levels == NULL) {
        return false;
    }
    *tree = (struct merkle){.arena = arena, .levels = levels};
    return true;
}

bool
merkle_append(struct merkle *tree, const struct tly_hash *leaf)
{
    const uint64_t index = tree->size;
    TLY_CHECK(index < SIZE_MAX_LEAVES);
    const unsigned completed = (unsigned)__builtin_ctzll(index + 1); /* levels above the leaf */
    for (unsigned level = 0; level <= completed; level++) {
        if (!slot_make(tree, level, index >> level)) {
            return false;
        }
    }
    struct tly_hash hash     = *leaf;
    *slot_of(tree, 0, index) = hash;
    for (unsigned level = 1; level <= completed; level++) {
        hash = merkle_node(slot_of(tree, level - 1, (index >> (level - 1)) - 1), &hash);
        *slot_of(tree, level, index >> level) = hash;
    }
    __atomic_store_n(&tree->size, index + 1, __ATOMIC_RELEASE);
    return true;
}

void
merkle_truncate(struct merkle *tree, uint64_t size)
{
    TLY_CHECK(size <= tree->size);
    __atomic_store_n(&tree->size, size, __ATOMIC_RELEASE);
}

/* MTH of the leaves from start to start + n; start is a multiple of the power of two that holds n,
 * so that its complete subtrees are kept ones. */
static struct tly_hash
range_root(const struct merkle *tree, uint64_t start, uint64_t n)
{
    TLY_CHECK(n > 0);
    uint64_t        end   = start + n;
    unsigned        level = (unsigned)__builtin_ctzll(n);
    struct tly_hash hash  = *slot_of(tree, level, (end - 1) >> level);
    n -= UINT64_C(1) << level;
    while (n > 0) { /* the next complete subtree to the left */
        end   = start + n;
        level = (unsigned)__builtin_ctzll(n);
        hash  = merkle_node(slot_of(tree, level, (end - 1) >> level), &hash);
        n -= UINT64_C(1) << level;
    }
    return hash;
}

struct tly_hash
merkle_root(const struct merkle *tree, uint64_t size)
{
    TLY_CHECK(size <= size_of(tree));
    return size == 0 ? merkle_empty() : range_root(tree, 0, size);
}

struct tly_hash
merkle_leaf_at(const struct merkle *tree, uint64_t index)
{
    TLY_CHECK(index < size_of(tree));
    return *slot_of(tree, 0, index);
}

struct tly_hash
merkle_subtree(const struct merkle *tree, unsigned level, uint64_t index)
{
    TLY_CHECK(level <= MERKLE_LEVELS_MAX);
    TLY_CHECK(index < size_of(tree) >> level);
    return *slot_of(tree, level, index);
}

/* The largest power of two smaller than n; n >= 2. */
static uint64_t
split(uint64_t n)
{
    return UINT64_C(1) << (63U - (unsigned)__builtin_clzll(n - 1));
}

static void
push(struct merkle_proof *proof, struct tly_hash hash)
{
    TLY_CHECK(proof->n < MERKLE_PROOF_MAX);
    proof->hashes[proof->n++] = hash;
}

/* Proofs are found from the root down and told from the leaf up. */
static void
reverse(struct merkle_proof *proof)
{
    for (unsigned i = 0; i < proof->n / 2; i++) {
        const struct tly_hash hash      = proof->hashes[i];
        proof->hashes[i]                = proof->hashes[proof->n - 1 - i];
        proof->hashes[proof->n - 1 - i] = hash;
    }
}

/* PATH(m, D[n]) of RFC 6962 2.1.1, its recursion unrolled: the range [start, start + n). */
void
merkle_inclusion(const struct merkle *tree, uint64_t index, uint64_t size, struct merkle_proof *out)
{
    TLY_CHECK(size <= size_of(tree));
    TLY_CHECK(index < size);
    uint64_t start = 0;
    uint64_t n     = size;
    out->n         = 0;
    while (n > 1) {
        const uint64_t k = split(n);
        if (index - start < k) {
            push(out, range_root(tree, start + k, n - k));
            n = k;
        } else {
            push(out, range_root(tree, start, k));
            start += k;
            n -= k;
        }
    }
    reverse(out);
}

/* SUBPROOF(m, D[n], b) of RFC 6962 2.1.2, its recursion unrolled. */
void
merkle_consistency(const struct merkle *tree, uint64_t old, uint64_t size, struct merkle_proof *out)
{
    TLY_CHECK(size <= size_of(tree));
    TLY_CHECK(old <= size);
    uint64_t start = 0;
    uint64_t m     = old;
    uint64_t n     = size;
    bool     whole = true; /* the old tree is this range's prefix from leaf 0, its root is known */
    out->n         = 0;
    if (old == 0) {
        return;
    }
    while (m != n) {
        const uint64_t k = split(n);
        if (m <= k) {
            push(out, range_root(tree, start + k, n - k));
            n = k;
        } else {
            push(out, range_root(tree, start, k));
            start += k;
            m -= k;
            n -= k;
            whole = false;
        }
    }
    if (!whole) {
        push(out, range_root(tree, start, m));
    }
    reverse(out);
}

bool
merkle_check_inclusion(uint64_t index, uint64_t size, const struct tly_hash *leaf,
                       const struct tly_hash proof[], size_t proof_n, const struct tly_hash *root)
{
    if (index >= size) {
        return false;
    }
    uint64_t        fn   = index;
    uint64_t        sn   = size - 1;
    struct tly_hash hash = *leaf;
    for (size_t i = 0; i < proof_n; i++) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) != 0 || fn == sn) {
            hash             = merkle_node(&proof[i], &hash);
            const int levels = (fn & 1) != 0 ? 0 : __builtin_ctzll(fn); /* fn == sn > 0 */
            fn >>= levels;
            sn >>= levels;
        } else {
            hash = merkle_node(&hash, &proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && tly_hash_eq(&hash, root);
}

/* RFC 9162 2.1.4.2 for 0 < old < size; both roots are computed on the way up. */
static bool
check_growth(uint64_t old, uint64_t size, const struct tly_hash *old_root,
             const struct tly_hash *root, const struct tly_hash proof[], size_t proof_n)
{
    uint64_t  fn    = old - 1;
    uint64_t  sn    = size - 1;
    const int whole = __builtin_ctzll(old); /* right nodes below the old tree's last subtree */
    fn >>= whole;
    sn >>= whole;
    size_t i = fn == 0 ? 0 : 1; /* old a power of two: its root begins the path itself */
    if (proof_n < i) {
        return false;
    }
    struct tly_hash fr = i == 0 ? *old_root : proof[0];
    struct tly_hash sr = fr;
    for (; i < proof_n; i++) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) != 0 || fn == sn) {
            fr               = merkle_node(&proof[i], &fr);
            sr               = merkle_node(&proof[i], &sr);
            const int levels = (fn & 1) != 0 ? 0 : __builtin_ctzll(fn); /* never 0 here */
            fn >>= levels;
            sn >>= levels;
        } else {
            sr = merkle_node(&sr, &proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && tly_hash_eq(&fr, old_root) && tly_hash_eq(&sr, root);
}

bool
merkle_check_consistency(uint64_t old, uint64_t size, const struct tly_hash *old_root,
                         const struct tly_hash *root, const struct tly_hash proof[], size_t proof_n)
{
    const struct tly_hash empty = merkle_empty();
    if (old > size || (old == 0 && !tly_hash_eq(old_root, &empty))) {
        return false;
    }
    if (old == size) {
        return proof_n == 0 && tly_hash_eq(old_root, root);
    }
    if (old == 0) {
        return proof_n == 0;
    }
    return check_growth(old, size, old_root, root, proof, proof_n);
}
