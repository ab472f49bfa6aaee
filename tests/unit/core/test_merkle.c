/* SPDX-License-Identifier: Apache-2.0 */
/* Proves the tree against RFC 6962's reference roots and against its definition computed the slow
 * way: every root and proof of every size up to 80, every bit of a proof, truncation and regrowth.
 */
#include "core/merkle.h"

#include "base/attr.h"
#include "base/base64.h"
#include "base/hex.h"
#include "ledger_vector.h"
#include "t.h"

#define N 80

static struct tly_hash leaves[N];

/* The eight leaves and roots that every RFC 6962 implementation is tested with. */
static void
reference(void)
{
    static const char *const data[8]  = {"",
                                         "00",
                                         "10",
                                         "2021",
                                         "3031",
                                         "40414243",
                                         "5051525354555657",
                                         "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[9] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    TLY_AUTO(arena) struct tly_arena arena;
    struct merkle                    tree;
    tly_arena_init(&arena, 1 << 20);
    T_OK(merkle_init(&tree, &arena), "a tree");
    for (size_t i = 0; i <= 8; i++) {
        struct tly_hash root = merkle_root(&tree, tree.size);
        char            hex[65];
        tly_hex(root.b, 32, hex);
        T_STR(hex, roots[i], "RFC 6962 reference root");
        if (i < 8) {
            uint8_t leaf[16];
            size_t  len = strlen(data[i]) / 2;
            T_OK(tly_unhex(tly_text(data[i]), leaf, len), "data");
            struct tly_hash hash = merkle_leaf((struct tly_bytes){leaf, len});
            T_OK(merkle_append(&tree, &hash), "append");
        }
    }
}

static struct tly_hash
hash_of(const char *base64)
{
    uint8_t         data[33];
    struct tly_hash hash;
    size_t          len;
    enum tly_base64 alphabet;
    if (!tly_base64_decode(tly_text(base64), data, &len, &alphabet) || len != 32) {
        abort();
    }
    memcpy(hash.b, data, 32);
    return hash;
}

static bool
proof_is(const struct merkle_proof *p, const char *const want[], unsigned n)
{
    bool same = p->n == n;
    for (unsigned i = 0; i < n && same; i++) {
        const struct tly_hash hash = hash_of(want[i]);
        same                       = tly_hash_eq(&hash, &p->hashes[i]);
    }
    return same;
}

/* Tessera's public test log (transparency-dev/tessera, testdata/log): equal in Go, Python and its
 * repository. */
static void
tessera(void)
{
    static const char *const words[15] = {"one",    "two",   "three",    "four",    "five",
                                          "six",    "seven", "eit",      "nain",    "ten",
                                          "ileven", "twelf", "threeten", "fourten", "fivten"};
    static const struct {
        uint64_t    size;
        const char *root;
    } roots[] = {{0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
                 {1, "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek="},
                 {2, "T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4="},
                 {3, "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk="},
                 {7, "IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U="},
                 {8, "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY="},
                 {10, "y8/gZsZCtitsMan09tY+k8I7Qpr7Y5fbO2tLi9GQnfU="},
                 {15, "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="}};
    static const char *const         inclusion[] = {"zMKa4OAqd7D0V4wawXST15z0JiEEkprIBPkfxOesWvA=",
                                                    "nk9gCR+floFqznAPtqjjcnnV64dge2jQB95D5t164Hg=",
                                                    "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=",
                                                    "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks="};
    static const char *const         growth[]    = {"+aOLtO2sRhNENZkJokiDScXfm3SIduSzvll41DTaUUI=",
                                                    "UaHiSrgbkmaCsusBntn9ux0S2PsqH1y6DHQAxe6wrPg=",
                                                    "Oy+stN8Ie64lJ90ILA9yEeOWSzBgC+6RjoKksiWsR7Y=",
                                                    "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY="};
    TLY_AUTO(arena) struct tly_arena arena;
    struct merkle                    tree;
    struct merkle_proof              p;
    bool                             ok = true;
    tly_arena_init(&arena, 1 << 20);
    ok = merkle_init(&tree, &arena);
    for (size_t i = 0; i < 15; i++) {
        const struct tly_hash leaf = merkle_leaf(tly_text(words[i]));
        ok                         = ok && merkle_append(&tree, &leaf);
    }
    T_OK(ok, "Tessera's 15 leaves");
    for (size_t i = 0; i < TLY_N(roots); i++) {
        const struct tly_hash root = merkle_root(&tree, roots[i].size);
        const struct tly_hash want = hash_of(roots[i].root);
        T_OK(tly_hash_eq(&root, &want), "Tessera's root");
    }
    merkle_inclusion(&tree, 5, 15, &p);
    T_OK(proof_is(&p, inclusion, 4), "Tessera's inclusion of leaf 5 in 15");
    merkle_consistency(&tree, 10, 15, &p);
    T_OK(proof_is(&p, growth, 4), "Tessera's growth from 10 to 15");
}

/* Our own end-to-end vector, ledger_vector.h. */
static void
our_vector(void)
{
    const struct tly_hash leaf0 = merkle_leaf(tly_text(vector_leaf0));
    const struct tly_hash leaf1 = merkle_leaf(tly_text(vector_leaf1));
    const struct tly_hash root  = merkle_node(&leaf0, &leaf1);
    const struct tly_hash want  = hash_of("lU3kr9Um+SJwmBdNgXRUwYH8kVem81TrdzQwtk77Eb8=");
    char                  hex[65];
    tly_hex(leaf0.b, 32, hex);
    T_STR(hex, vector_leaf0_hash, "leaf 0 of our vector");
    tly_hex(leaf1.b, 32, hex);
    T_STR(hex, vector_leaf1_hash, "leaf 1 of our vector");
    T_OK(tly_hash_eq(&root, &want), "its root");
}

/* MTH by its definition. */
static struct tly_hash
slow_root(size_t from, size_t n)
{
    if (n == 0) {
        return merkle_empty();
    }
    if (n == 1) {
        return leaves[from];
    }
    size_t k = 1;
    while (2 * k < n) {
        k *= 2;
    }
    const struct tly_hash left  = slow_root(from, k);
    const struct tly_hash right = slow_root(from + k, n - k);
    return merkle_node(&left, &right);
}

static bool
same_root(const struct merkle *tree, size_t n)
{
    const struct tly_hash fast = merkle_root(tree, n);
    const struct tly_hash slow = slow_root(0, n);
    return tly_hash_eq(&fast, &slow);
}

static void
every_size(struct merkle *tree)
{
    bool roots   = true;
    bool include = true;
    bool refuse  = true;
    for (size_t n = 0; n <= N; n++) {
        roots                      = roots && same_root(tree, n);
        const struct tly_hash root = merkle_root(tree, n);
        for (size_t i = 0; i < n; i++) {
            struct merkle_proof p;
            merkle_inclusion(tree, i, n, &p);
            include = include && merkle_check_inclusion(i, n, &leaves[i], p.hashes, p.n, &root);
            for (size_t other = 0; other < N; other++) { /* right proof, wrong place */
                refuse = refuse && (other == i || !merkle_check_inclusion(other, n, &leaves[i],
                                                                          p.hashes, p.n, &root));
            }
            refuse =
                refuse &&
                !merkle_check_inclusion(i, n, &leaves[(i + 1) % N], p.hashes, p.n, &root) &&
                !merkle_check_inclusion(i, n, &leaves[i], p.hashes, p.n + 1, &root) &&
                (p.n == 0 || !merkle_check_inclusion(i, n, &leaves[i], p.hashes, p.n - 1, &root));
        }
    }
    T_OK(roots, "every root equals the definition");
    T_OK(include, "every leaf's inclusion in every size is proven");
    T_OK(refuse, "another index, leaf or length of proof is refused");
}

static void
every_growth(struct merkle *tree)
{
    bool grows  = true;
    bool refuse = true;
    for (size_t n = 0; n <= N; n++) {
        const struct tly_hash root = merkle_root(tree, n);
        for (size_t m = 0; m <= n; m++) {
            const struct tly_hash old = merkle_root(tree, m);
            struct merkle_proof   p;
            merkle_consistency(tree, m, n, &p);
            grows = grows && merkle_check_consistency(m, n, &old, &root, p.hashes, p.n);
            for (size_t other = 1; other <= n; other++) {
                refuse = refuse && (other == m || !merkle_check_consistency(other, n, &old, &root,
                                                                            p.hashes, p.n));
            }
            struct tly_hash bad = old;
            bad.b[31] ^= 1;
            refuse = refuse && !merkle_check_consistency(m, n, &bad, &root, p.hashes, p.n) &&
                     !merkle_check_consistency(n + 1, n, &old, &root, p.hashes, p.n);
            bad = root;
            bad.b[0] ^= 1;
            refuse = refuse &&
                     (m == 0 || !merkle_check_consistency(m, n, &old, &bad, p.hashes, p.n)) &&
                     !merkle_check_consistency(m, n, &old, &root, p.hashes, p.n + 1) &&
                     (p.n == 0 || !merkle_check_consistency(m, n, &old, &root, p.hashes, p.n - 1));
        }
    }
    T_OK(grows, "every growth is proven");
    T_OK(refuse, "other sizes, roots and lengths of proof are refused");
}

static void
every_bit(const struct merkle *tree)
{
    struct merkle_proof   inclusion;
    struct merkle_proof   growth;
    const struct tly_hash root     = merkle_root(tree, 77);
    const struct tly_hash old      = merkle_root(tree, 43);
    unsigned              accepted = 0;
    merkle_inclusion(tree, 21, 77, &inclusion);
    merkle_consistency(tree, 43, 77, &growth);
    for (unsigned bit = 0; bit < inclusion.n * 256; bit++) {
        inclusion.hashes[bit / 256].b[bit / 8 % 32] ^= (uint8_t)(1U << bit % 8);
        accepted +=
            merkle_check_inclusion(21, 77, &leaves[21], inclusion.hashes, inclusion.n, &root);
        inclusion.hashes[bit / 256].b[bit / 8 % 32] ^= (uint8_t)(1U << bit % 8);
    }
    for (unsigned bit = 0; bit < growth.n * 256; bit++) {
        growth.hashes[bit / 256].b[bit / 8 % 32] ^= (uint8_t)(1U << bit % 8);
        accepted += merkle_check_consistency(43, 77, &old, &root, growth.hashes, growth.n);
        growth.hashes[bit / 256].b[bit / 8 % 32] ^= (uint8_t)(1U << bit % 8);
    }
    T_EQ(accepted, 0, "a proof with one bit changed is refused");
}

static void
truncation(struct merkle *tree)
{
    bool ok = true;
    for (size_t n = N; n-- > 0;) { /* back by one, and forward again with another leaf */
        merkle_truncate(tree, n);
        struct tly_hash other = leaves[n];
        other.b[0] ^= 0x55;
        ok = ok && merkle_append(tree, &other) && !same_root(tree, n + 1);
        merkle_truncate(tree, n);
        ok = ok && same_root(tree, n);
    }
    for (size_t n = 0; n < N; n++) {
        ok = ok && merkle_append(tree, &leaves[n]);
    }
    T_OK(ok && same_root(tree, N), "cut back to every size and grown again");
}

static void
large(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct merkle                    tree;
    bool                             ok = true;
    tly_arena_init(&arena, (size_t)32 << 20);
    T_OK(merkle_init(&tree, &arena), "a tree");
    for (uint32_t i = 0; i < 100000 && ok; i++) {
        const struct tly_hash leaf = merkle_leaf((struct tly_bytes){(const uint8_t *)&i, sizeof i});
        ok                         = merkle_append(&tree, &leaf);
    }
    T_OK(ok && tree.size == 100000, "100,000 leaves");
    printf("# 100,000 leaves take %zu bytes\n", arena.bytes);
    const struct tly_hash root = merkle_root(&tree, 100000);
    for (uint32_t i = 0; i < 100000; i += 331) {
        const struct tly_hash leaf = merkle_leaf((struct tly_bytes){(const uint8_t *)&i, sizeof i});
        const struct tly_hash kept = merkle_leaf_at(&tree, i);
        struct merkle_proof   p;
        merkle_inclusion(&tree, i, 100000, &p);
        ok = ok && tly_hash_eq(&leaf, &kept) &&
             merkle_check_inclusion(i, 100000, &leaf, p.hashes, p.n, &root);
    }
    T_OK(ok, "proofs across chunks");
    const struct tly_hash left  = merkle_subtree(&tree, 9, 10);
    const struct tly_hash right = merkle_subtree(&tree, 9, 11);
    const struct tly_hash both  = merkle_subtree(&tree, 10, 5);
    const struct tly_hash node  = merkle_node(&left, &right);
    T_OK(tly_hash_eq(&both, &node), "subtrees are nodes of subtrees");
}

static void
no_memory(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct merkle                    tree;
    tly_arena_init(&arena, (size_t)100 << 10);
    T_OK(merkle_init(&tree, &arena), "a tree in 100 KB");
    struct tly_hash leaf = {{1}};
    while (merkle_append(&tree, &leaf)) {
    }
    const uint64_t size = tree.size;
    T_OK(size > 256 && !merkle_append(&tree, &leaf) && tree.size == size,
         "full: refused, and the tree stays as it was");
    const struct tly_hash root = merkle_root(&tree, size);
    struct merkle_proof   p;
    merkle_inclusion(&tree, size - 1, size, &p);
    T_OK(merkle_check_inclusion(size - 1, size, &leaf, p.hashes, p.n, &root), "and proves");
    T_OK(!merkle_init(&tree, &(struct tly_arena){.bytes_max = 100}), "no memory for a tree: told");
}

int
main(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct merkle                    tree;
    bool                             ok = true;
    tly_arena_init(&arena, 1 << 20);
    reference();
    tessera();
    our_vector();
    T_OK(merkle_init(&tree, &arena), "a tree");
    for (uint8_t i = 0; i < N; i++) {
        leaves[i] = merkle_leaf((struct tly_bytes){&i, 1});
        ok        = ok && merkle_append(&tree, &leaves[i]);
    }
    T_OK(ok, "80 leaves");
    every_size(&tree);
    every_growth(&tree);
    every_bit(&tree);
    truncation(&tree);
    large();
    no_memory();
    return T_DONE();
}
