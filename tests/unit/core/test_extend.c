/* SPDX-License-Identifier: Apache-2.0 */
/* Proves the add-checkpoint request: what is written is read again, every cut and every malformed
 * line is refused with its number; and the verdict over every pair of sizes of a real log, of a
 * forked one and with every proof damaged. */
#include "core/extend.h"

#include "base/arena.h"
#include "base/attr.h"
#include "t.h"

#define N 40

static const char hash_a[] = "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
static const char body[] =
    "tally.example/demo-2026\n2\nlU3kr9Um+SJwmBdNgXRUwYH8kVem81TrdzQwtk77Eb8=\n";

static void
read_and_written(void)
{
    static const unsigned counts[] = {0, 1, 62, 63};
    for (size_t i = 0; i < TLY_N(counts); i++) {
        struct extend request = {.old = i == 0 ? 0 : UINT64_MAX - i, .note = tly_text(body)};
        struct extend got;
        char          text[EXTEND_LEN_MAX + 1];
        request.proof.n = counts[i];
        for (unsigned k = 0; k < counts[i]; k++) {
            memset(request.proof.hashes[k].b, (int)k + 1, 32);
        }
        const size_t len = extend_write(&request, text);
        T_EQ(len, strlen(text), "length");
        T_EQ(extend_parse(tly_text(text), &got, NULL), TLY_OK, "a written request is read");
        T_OK(got.old == request.old && got.proof.n == counts[i] &&
                 memcmp(got.proof.hashes, request.proof.hashes, sizeof got.proof.hashes) == 0 &&
                 tly_bytes_eq(got.note, request.note),
             "as it was");
        const size_t whole    = len - strlen(body);
        unsigned     accepted = 0;
        for (size_t n = 0; n <= whole; n++) {
            accepted += extend_parse((struct tly_bytes){(const uint8_t *)text, n}, &got, NULL) !=
                        TLY_EINPUT;
        }
        T_EQ(accepted, 0, "cut anywhere before its checkpoint: refused");
    }
    /* The longest note and proof are within the limit. */
    static char   note[NOTE_LEN_MAX];
    struct extend request = {.old = UINT64_MAX, .proof.n = EXTEND_PROOF_MAX};
    struct extend got;
    char          text[EXTEND_LEN_MAX + 1];
    memset(note, 'n', sizeof note);
    request.note     = (struct tly_bytes){(const uint8_t *)note, sizeof note};
    const size_t len = extend_write(&request, text);
    T_EQ(extend_parse((struct tly_bytes){(const uint8_t *)text, len}, &got, NULL), TLY_OK,
         "the longest request");
}

static void
malformed(void)
{
    static const struct {
        const char *head; /* before the body */
        const char *told;
    } bad[] = {{"", "line 1 is not \"old SIZE\""},
               {"\n", "line 1 is not \"old SIZE\""},
               {"old \n\n", "line 1 is not \"old SIZE\""},
               {"old 01\n\n", "line 1 is not \"old SIZE\""},
               {"old 00\n\n", "line 1 is not \"old SIZE\""},
               {"old -1\n\n", "line 1 is not \"old SIZE\""},
               {"old +1\n\n", "line 1 is not \"old SIZE\""},
               {"old 1 \n\n", "line 1 is not \"old SIZE\""},
               {"old  1\n\n", "line 1 is not \"old SIZE\""},
               {"old 1\r\n\r\n", "line 1 is not \"old SIZE\""},
               {"old 18446744073709551616\n\n", "line 1 is not \"old SIZE\""},
               {"Old 1\n\n", "line 1 is not \"old SIZE\""},
               {"old 1\n", "line 2 is neither"}, /* no blank line */
               {"old 1\nKgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "line 3 is neither"},
               {"old 1\nKgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n", "line 2 is neither"},
               {"old 1\nKgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\n", "line 2 is neither"},
               {"old 1\nKgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n", "line 2 is neither"},
               {"old 1\nKgE_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n", "line 2 is neither"},
               {"old 1\nKgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \n\n", "line 2 is neither"},
               {"old 1\nKgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\n", "line 2 is neither"},
               {"old 1\n2a01000000000000000000000000000000000000000000000000000000000000\n\n",
                "line 2 is neither"}};
    struct extend out;
    memset(&out, 0x5a, sizeof out);
    const struct extend keep = out;
    for (size_t i = 0; i < TLY_N(bad); i++) {
        char            text[EXTEND_LEN_MAX + 1];
        struct tly_diag diag;
        (void)snprintf(text, sizeof text, "%s%s", bad[i].head, body);
        T_EQ(extend_parse(tly_text(text), &out, &diag), TLY_EINPUT, "malformed");
        T_OK(strncmp(diag.text, bad[i].told, strlen(bad[i].told)) == 0, "told where");
    }
    char     many[EXTEND_LEN_MAX + 64] = "old 1\n";
    unsigned n                         = 0;
    for (; n < EXTEND_PROOF_MAX + 1; n++) {
        (void)snprintf(many + strlen(many), sizeof many - strlen(many), "%s\n", hash_a);
    }
    (void)snprintf(many + strlen(many), sizeof many - strlen(many), "\n%s", body);
    T_EQ(extend_parse(tly_text(many), &out, NULL), TLY_ETOOBIG, "64 proof lines");
    memset(many, 'a', sizeof many);
    T_EQ(extend_parse((struct tly_bytes){(const uint8_t *)many, EXTEND_LEN_MAX + 1}, &out, NULL),
         TLY_ETOOBIG, "too long");
    T_OK(memcmp(&out, &keep, sizeof out) == 0, "the output is untouched");
}

static void
bodies(void)
{
    struct tly_bytes origin = {0};
    struct note_head head   = {0};
    struct note      note;
    unsigned         accepted = 0;
    T_OK(note_body_parse(tly_text(body), &origin, &head), "a body alone");
    T_OK(head.size == 2 && tly_bytes_eq(origin, tly_text("tally.example/demo-2026")), "its head");
    for (size_t n = 0; n < strlen(body); n++) {
        const struct tly_bytes cut = {(const uint8_t *)body, n};
        accepted += note_body_parse(cut, &origin, &head) || note_split(cut, &note);
    }
    char more[sizeof body + 8];
    (void)snprintf(more, sizeof more, "%s\n", body);
    accepted +=
        note_body_parse(tly_text(more), &origin, &head) || note_split(tly_text(more), &note);
    (void)snprintf(more, sizeof more, "a%s", body);
    more[0] = '\n';
    accepted += note_body_parse(tly_text(more), &origin, &head);
    T_EQ(accepted, 0, "cut anywhere, more behind or an empty line before: refused");
    (void)snprintf(more, sizeof more, "%s\nxy\n", body);
    T_OK(note_split(tly_text(more), &note) && tly_bytes_eq(note.lines, tly_text("xy\n")) &&
             tly_bytes_eq(note.body, tly_text(body)),
         "a note in its parts");
}

static struct merkle
grown(struct tly_arena *arena, unsigned changed)
{
    struct merkle tree;
    bool          ok = merkle_init(&tree, arena);
    for (unsigned i = 0; i < N && ok; i++) {
        const uint8_t         data[2] = {(uint8_t)i, i == changed};
        const struct tly_hash leaf    = merkle_leaf((struct tly_bytes){data, 2});
        ok                            = merkle_append(&tree, &leaf);
    }
    if (!ok) {
        abort();
    }
    return tree;
}

static struct note_head
head_of(const struct merkle *tree, unsigned size)
{
    return (struct note_head){.size = size, .root = merkle_root(tree, size)};
}

static void
verdicts(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    tly_arena_init(&arena, (size_t)4 << 20);
    const struct merkle tree  = grown(&arena, N);
    const struct merkle other = grown(&arena, 0); /* differs from its first leaf on */
    unsigned            wrong = 0;
    for (unsigned known_n = 0; known_n <= N; known_n++) {
        const struct note_head known = head_of(&tree, known_n);
        for (unsigned size = known_n; size <= N; size++) {
            const struct note_head head    = head_of(&tree, size);
            const struct note_head forked  = head_of(&other, size);
            struct extend          request = {.old = known_n};
            merkle_consistency(&tree, known_n, size, &request.proof);
            wrong += extend_check(&known, &request, &head) != EXTEND_GROWS;
            struct extend damaged = request;
            if (damaged.proof.n > 0) {
                damaged.proof.hashes[damaged.proof.n - 1].b[31] ^= 1;
                wrong += extend_check(&known, &damaged, &head) != EXTEND_UNPROVEN;
                damaged = request;
                damaged.proof.n--;
                wrong += extend_check(&known, &damaged, &head) != EXTEND_UNPROVEN;
            }
            damaged.proof.hashes[damaged.proof.n++] = known.root;
            damaged.proof.hashes[damaged.proof.n++] = known.root;
            wrong += extend_check(&known, &damaged, &head) != EXTEND_UNPROVEN;
            merkle_consistency(&other, known_n, size, &request.proof);
            const enum extend_verdict fork = known_n == 0      ? EXTEND_GROWS
                                             : size == known_n ? EXTEND_FORK
                                                               : EXTEND_UNPROVEN;
            wrong += size > 0 && extend_check(&known, &request, &forked) != fork;
            request.old = known_n + 1;
            wrong += extend_check(&known, &request, &head) !=
                     (size > known_n ? EXTEND_STALE : EXTEND_BACKWARDS);
        }
    }
    T_EQ(wrong, 0, "every verdict over every pair of sizes");
    struct note_head none    = {0}; /* never seen: the root says nothing */
    struct extend    request = {0};
    struct note_head empty   = {.root = merkle_empty()};
    struct note_head odd     = {.root = merkle_root(&tree, 1)};
    T_EQ(extend_check(&none, &request, &empty), EXTEND_GROWS, "the empty log is known from 0");
    T_EQ(extend_check(&none, &request, &odd), EXTEND_FORK, "and has one root only");
}

int
main(void)
{
    read_and_written();
    malformed();
    bodies();
    verdicts();
    return T_DONE();
}
