/* SPDX-License-Identifier: Apache-2.0 */
/* Proves the core against published vectors: Wycheproof's signatures, the JSON test suite, Merkle
 * proofs of transparency-dev, Tessera's log and litewitness's requests; read in place. */
#include <ftw.h>
#include <jansson.h>

#include "base/hex.h"
#include "core/envelope.h"
#include "core/extend.h"
#include "core/merkle.h"
#include "core/note.h"
#include "t.h"

#include "shared.h"

static struct shared shared;

static uint8_t *
hex_of(const json_t *v, size_t *len, struct tly_arena *arena)
{
    const char *hex  = json_string_value(v);
    uint8_t    *data = tly_arena_alloc(arena, strlen(hex) / 2 + 1, 1);
    *len             = strlen(hex) / 2;
    if (data == NULL || !tly_unhex(tly_text(hex), data, *len)) {
        abort();
    }
    return data;
}

static void
wycheproof(void)
{
    if (!shared_unxz(&shared, "wycheproof/ed25519_test.json.xz", "ed25519.json")) {
        T_SKIP("Wycheproof Ed25519", "vectors are not there");
        return;
    }
    TLY_AUTO(arena) struct tly_arena arena;
    tly_arena_init(&arena, (size_t)64 << 20);
    const struct tly_bytes text  = shared_read(&shared, "ed25519.json", &arena);
    json_t                *root  = json_loadb((const char *)text.data, text.len, 0, NULL);
    unsigned               cases = 0;
    unsigned               right = 0;
    size_t                 g;
    size_t                 i;
    const json_t          *group;
    const json_t          *test;
    json_array_foreach(json_object_get(root, "testGroups"), g, group)
    {
        size_t         len;
        struct tly_key key;
        const uint8_t *pk =
            hex_of(json_object_get(json_object_get(group, "publicKey"), "pk"), &len, &arena);
        memcpy(key.b, pk, sizeof key.b);
        json_array_foreach(json_object_get(group, "tests"), i, test)
        {
            size_t         msg_len;
            size_t         sig_len;
            struct tly_sig sig = {0};
            const uint8_t *msg = hex_of(json_object_get(test, "msg"), &msg_len, &arena);
            const uint8_t *s   = hex_of(json_object_get(test, "sig"), &sig_len, &arena);
            const bool     valid =
                strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
            memcpy(sig.b, s, sig_len < sizeof sig.b ? sig_len : sizeof sig.b);
            const bool ours = sig_len == sizeof sig.b &&
                              sign_verify(&key, (struct tly_bytes){msg, msg_len}, &sig);
            right += ours == valid && (!valid || sign_key_ok(&key));
            cases++;
        }
    }
    json_decref(root);
    T_EQ(cases, 151, "Wycheproof Ed25519: all cases");
    T_EQ(right, cases, "Wycheproof Ed25519: as expected, with keys that may be registered");
}

/* One document of the JSON suite as the value of a field that an envelope's reader ignores. */
static enum tly_err
as_unknown_field(struct tly_bytes document, struct tly_arena *arena)
{
    static const char head[] =
        "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\""
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
        "\"}],\"x\":";
    struct envelope e;
    const size_t    n    = sizeof head - 1;
    uint8_t        *text = tly_arena_alloc(arena, n + document.len + 1, 1);
    memcpy(text, head, n);
    memcpy(text + n, document.data, document.len);
    text[n + document.len] = '}';
    return envelope_parse((struct tly_bytes){text, n + document.len + 1}, 100, arena, &e, NULL);
}

static void
json_suite(void)
{
    if (!shared_untar(&shared, "json-test-parsing.tar.xz")) {
        T_SKIP("JSON test suite", "vectors are not there");
        return;
    }
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/test_parsing", shared.dir);
    DIR           *dir   = opendir(path);
    unsigned       yes   = 0;
    unsigned       no    = 0;
    unsigned       free_ = 0;
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        TLY_AUTO(arena) struct tly_arena arena;
        char                             file[300];
        tly_arena_init(&arena, (size_t)64 << 20);
        (void)snprintf(file, sizeof file, "test_parsing/%s", entry->d_name);
        const enum tly_err err  = as_unknown_field(shared_read(&shared, file, &arena), &arena);
        const char         kind = entry->d_name[0];
        if (kind == 'i') {
            free_++;
        } else if (err != (kind == 'y' ? TLY_OK : TLY_EINPUT)) {
            T_OK(false, entry->d_name);
        } else {
            yes += kind == 'y';
            no += kind == 'n';
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    T_EQ(yes, 95, "JSON test suite: all y_ accepted");
    T_EQ(no, 188, "JSON test suite: all n_ refused");
    T_EQ(free_, 35, "JSON test suite: all i_ survived");
}

static bool
hash_of(const json_t *v, struct tly_hash *out)
{
    const struct tly_bytes text = tly_text(json_string_value(v));
    uint8_t                data[1024];
    size_t                 len;
    enum tly_base64        alphabet;
    if (text.len > sizeof data || !tly_base64_decode(text, data, &len, &alphabet) || len != 32) {
        return false;
    }
    memcpy(out->b, data, 32);
    return true;
}

/* A number of a case; those that no double holds are all 2^64 - 1. */
static uint64_t
number_of(const json_t *j, const char *key)
{
    const double v = json_number_value(json_object_get(j, key));
    return v < 18446744073709551616.0 ? (uint64_t)v : UINT64_MAX;
}

/* Who decided: our checks of proofs, or the rules for subtrees, which are the test's own: the log
 * offers none. */
static struct {
    unsigned inclusion;
    unsigned consistency;
    unsigned rules;
} decided;

#define N(key) number_of(j, key)

/* A subtree begins at a multiple of a power of two that holds it. */
static bool
is_subtree(uint64_t start, uint64_t end, uint64_t size)
{
    uint64_t width = 1;
    while (width < end - start && width < UINT64_C(1) << 62) {
        width *= 2;
    }
    return start < end && end <= size && start % width == 0;
}

static bool
growth_holds(const json_t *j, const struct tly_hash proof[], size_t n)
{
    const json_t   *start = json_object_get(j, "start");
    const uint64_t  old   = N(start == NULL ? "size1" : "end");
    const uint64_t  size  = N(start == NULL ? "size2" : "size");
    struct tly_hash a;
    struct tly_hash b;
    const bool      hashes = hash_of(json_object_get(j, "root1"), &a);
    if (start != NULL && N("start") == old && old <= size) { /* nothing is in every tree */
        const struct tly_hash empty = merkle_empty();
        decided.rules++;
        return hashes && n == 0 && tly_hash_eq(&a, &empty);
    }
    if (!hashes || !hash_of(json_object_get(j, "root2"), &b) ||
        (start != NULL && !is_subtree(N("start"), old, size))) {
        decided.rules++;
        return false;
    }
    if (start != NULL && N("start") != 0) {
        T_OK(false, "a subtree that does not begin at 0 wants a check that we do not have");
    }
    decided.consistency++;
    return merkle_check_consistency(old, size, &a, &b, proof, n);
}

static bool
inclusion_holds(const json_t *j, const struct tly_hash proof[], size_t n)
{
    const bool      subtree = json_object_get(j, "start") != NULL;
    const uint64_t  start   = subtree ? N("start") : 0;
    const uint64_t  end     = subtree ? N("end") : N("treeSize");
    struct tly_hash leaf;
    struct tly_hash root;
    if (!hash_of(json_object_get(j, "leafHash"), &leaf) ||
        !hash_of(json_object_get(j, "root"), &root) ||
        (subtree && (!is_subtree(start, end, UINT64_MAX) || N("leafIdx") < start))) {
        decided.rules++;
        return false;
    }
    decided.inclusion++;
    return merkle_check_inclusion(N("leafIdx") - start, end - start, &leaf, proof, n, &root);
}
#undef N

/* Does the proof that the case holds convince us?  Hashes of another size are no hashes. */
static bool
proof_holds(const json_t *j)
{
    const json_t   *list = json_object_get(j, "proof");
    struct tly_hash proof[200];
    const size_t    n      = json_array_size(list);
    bool            hashes = n <= TLY_N(proof);
    for (size_t i = 0; i < n && hashes; i++) {
        hashes = hash_of(json_array_get(list, i), &proof[i]);
    }
    if (!hashes) {
        decided.rules++;
        return false;
    }
    return json_object_get(j, "root1") != NULL ? growth_holds(j, proof, n)
                                               : inclusion_holds(j, proof, n);
}

static unsigned merkle_cases;
static unsigned merkle_right;

static int
merkle_case(const char *path, const struct stat *st, int type)
{
    (void)st;
    const size_t len = strlen(path);
    if (type != FTW_F || len < 5 || strcmp(path + len - 5, ".json") != 0) {
        return 0;
    }
    json_t *j = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL);
    merkle_cases++;
    /* Accepted there, where nobody looks at the roots' length. */
    const bool short_roots = strstr(path, "/sizes-are-equal-one-and-proof-is-empty.json") != NULL;
    if (j != NULL &&
        proof_holds(j) == (!short_roots && !json_is_true(json_object_get(j, "wantErr")))) {
        merkle_right++;
    } else {
        printf("# %s\n", path);
    }
    json_decref(j);
    return 0;
}

static void
merkle_proofs(void)
{
    char path[4096];
    if (!shared_untar(&shared, "merkle-testdata.tar.xz")) {
        T_SKIP("Merkle proofs", "vectors are not there");
        return;
    }
    (void)snprintf(path, sizeof path, "%s/testdata", shared.dir);
    T_EQ(ftw(path, merkle_case, 16), 0, "Merkle proofs: read");
    T_EQ(merkle_cases, 98 + 98 + 204 + 118,
         "Merkle proofs: inclusion, consistency, and both of subtrees");
    T_EQ(merkle_right, merkle_cases, "Merkle proofs: as expected");
    T_EQ(decided.inclusion + decided.consistency + decided.rules, merkle_cases,
         "all were looked at");
    printf("# of %u proofs %u by merkle_check_inclusion(), %u by merkle_check_consistency(), %u by "
           "lengths of hashes and rules for subtrees\n",
           merkle_cases, decided.inclusion, decided.consistency, decided.rules);
}

static void
tessera_log(void)
{
    static const char text[] =
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
    TLY_AUTO(arena) struct tly_arena arena;
    struct merkle                    tree;
    struct note_vkey                 vkey;
    bool                             ok = true;
    tly_arena_init(&arena, (size_t)256 << 20);
    if (!shared_untar(&shared, "tessera-log.tar.xz")) {
        T_SKIP("Tessera's log", "vectors are not there");
        return;
    }
    T_OK(note_vkey_parse(tly_text(text), &vkey) && merkle_init(&tree, &arena), "its key");
    const struct tly_bytes entries = shared_read(&shared, "log/tile/entries/000.p/15", &arena);
    for (size_t at = 0; at + 2 <= entries.len;) { /* big-endian length, leaf */
        const size_t          n    = (size_t)entries.data[at] << 8 | entries.data[at + 1];
        const struct tly_hash leaf = merkle_leaf((struct tly_bytes){entries.data + at + 2, n});
        ok                         = ok && at + 2 + n <= entries.len && merkle_append(&tree, &leaf);
        at += 2 + n;
    }
    T_OK(ok && tree.size == 15, "its 15 entries");
    for (unsigned size = 0; size <= 15; size++) {
        char             name[64];
        struct note_head head = {0};
        (void)snprintf(name, sizeof name, "log/checkpoint.%u", size);
        ok = ok && note_check(shared_read(&shared, name, &arena), &vkey, &head, NULL) == TLY_OK;
        const struct tly_hash root = merkle_root(&tree, size);
        ok                         = ok && head.size == size && tly_hash_eq(&root, &head.root);
        (void)snprintf(name, sizeof name, "log/tile/0/000.p/%u", size);
        const struct tly_bytes tile = shared_read(&shared, name, &arena);
        ok                          = ok && tile.len == 32 * (size_t)size;
        for (unsigned i = 0; i < size && ok; i++) {
            const struct tly_hash hash = merkle_subtree(&tree, 0, i);
            ok                         = memcmp(hash.b, tile.data + 32 * (size_t)i, 32) == 0;
        }
        T_OK(ok, "its checkpoint, root and tile of this size");
    }
}

/* One request, and what a witness answers. */
static bool
request_right(struct tly_bytes body, int status, const struct note_vkey *vkey,
              struct note_head *known)
{
    static const int statuses[] = {[EXTEND_GROWS]     = 200,
                                   [EXTEND_BACKWARDS] = 400,
                                   [EXTEND_STALE]     = 409,
                                   [EXTEND_FORK]      = 409,
                                   [EXTEND_UNPROVEN]  = 422};
    struct extend    request;
    struct note_head head;
    if (extend_parse(body, &request, NULL) != TLY_OK) {
        return status == 400;
    }
    if (note_check(request.note, vkey, &head, NULL) != TLY_OK) {
        return status == 403;
    }
    const enum extend_verdict verdict = extend_check(known, &request, &head);
    if (verdict == EXTEND_GROWS) {
        *known = head;
    }
    return status == statuses[verdict];
}

/* All requests of a file, in their order; how many, and of them those answered as there. */
static unsigned
witness_file(const char *name, const struct note_vkey *vkey, struct note_head *known,
             unsigned *right)
{
    TLY_AUTO(arena) struct tly_arena arena;
    unsigned                         cases = 0;
    tly_arena_init(&arena, (size_t)8 << 20);
    for (char *p = tly_arena_text(&arena, shared_read(&shared, name, &arena));
         (p = strstr(p, "```\nold ")) != NULL;) {
        char *body = p + 4;
        char *end  = strstr(body, "```\nHTTP ");
        *right += request_right((struct tly_bytes){(uint8_t *)body, (size_t)(end - body)},
                                (int)strtol(end + 9, NULL, 10), vkey, known);
        cases++;
        p = end + 9;
    }
    return cases;
}

static void
witness_requests(void)
{
    static const uint8_t key_hex[] =
        "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f";
    static const char go_sum[] =
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    struct tly_key   key;
    struct note_vkey vkey;
    struct note_head known = {.root = merkle_empty()};
    unsigned         right = 0;
    if (!shared_untar(&shared, "witness-requests.tar.xz")) {
        T_SKIP("litewitness's requests", "vectors are not there");
        return;
    }
    T_OK(tly_unhex((struct tly_bytes){key_hex, 64}, key.b, 32), "the log's key");
    note_vkey_make(
        "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562", &key,
        &vkey);
    const unsigned lite = witness_file("witness-requests/litewitness.txt", &vkey, &known, &right);
    T_EQ(right, lite, "litewitness's requests: decided as it does");
    T_EQ(known.size, 5, "litewitness's requests: the log has grown to 5");
    right                  = 0;
    known                  = (struct note_head){.root = merkle_empty()};
    const unsigned bastion = witness_file("witness-requests/bastion.txt", &vkey, &known, &right);
    T_EQ(right, bastion, "its requests through a bastion: decided as it does");
    /* That log's key has another name than the log, which ours may not (doc/witnesses.md): 403. */
    right = 0;
    known = (struct note_head){.root = merkle_empty()};
    T_OK(note_vkey_parse(tly_text(go_sum), &vkey), "the key of Go's checksum database");
    const unsigned sumdb = witness_file("witness-requests/sumdb.txt", &vkey, &known, &right);
    T_EQ(right, 0, "a log whose name is not its key's: refused, where litewitness takes it");
    T_OK(lite == 9 && bastion == 1 && sumdb == 1, "all requests were found");
    printf("# requests to a witness: %u + %u + %u\n", lite, bastion, sumdb);
}

int
main(void)
{
    if (!shared_open(&shared)) {
        T_SKIP("published vectors", "TALLY_SHARED is not there");
        return T_DONE();
    }
    wycheproof();
    json_suite();
    merkle_proofs();
    tessera_log();
    witness_requests();
    shared_close(&shared);
    return T_DONE();
}
