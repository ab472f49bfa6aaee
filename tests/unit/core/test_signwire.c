/* SPDX-License-Identifier: Apache-2.0 */
/* What daemon and signer say: every kind of answer and every body comes back as it was written,
 * and nothing that differs from it in a byte, or is cut, is taken for another. */
#include <sodium.h>

#include "core/merkle.h"
#include "core/signwire.h"
#include "t.h"

static const char origin[] = "tally.example/ir-councils-7/rehearsal";

static bool
same(const struct signwire_answer *a, const struct signwire_answer *b)
{
    return a->kind == b->kind && strcmp(a->vkey.name, b->vkey.name) == 0 &&
           memcmp(&a->vkey.key, &b->vkey.key, sizeof a->vkey.key) == 0 &&
           a->last.size == b->last.size && tly_hash_eq(&a->last.root, &b->last.root) &&
           memcmp(&a->sig, &b->sig, sizeof a->sig) == 0 && strcmp(a->why, b->why) == 0;
}

/* Whatever is read from a changed text is written as that text again: one spelling. */
static bool
one_spelling(struct tly_bytes text)
{
    struct signwire_answer got;
    char                   again[SIGNWIRE_ANSWER_MAX];
    if (!signwire_answer_read(text, &got)) {
        return true;
    }
    const size_t len = signwire_answer_write(&got, again);
    return len == text.len && memcmp(again, text.data, len) == 0;
}

static void
there_and_back(const char *name, const struct signwire_answer *answer)
{
    struct signwire_answer got;
    char                   text[SIGNWIRE_ANSWER_MAX];
    char                   bad[SIGNWIRE_ANSWER_MAX + 1];
    const size_t           len   = signwire_answer_write(answer, text);
    const struct tly_bytes whole = {(const uint8_t *)text, len};
    bool                   cut   = false;
    bool                   other = true;
    T_OK(signwire_answer_read(whole, &got) && same(&got, answer), name);
    for (size_t i = 0; i < len; i++) {
        cut = cut || signwire_answer_read((struct tly_bytes){whole.data, i}, &got);
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(bad, text, len);
            bad[i] = (char)(bad[i] ^ (1 << bit));
            other  = other && one_spelling((struct tly_bytes){(const uint8_t *)bad, len});
        }
    }
    T_OK(!cut, "cut anywhere it is none");
    T_OK(other, "with a bit turned it is none, or means what it then says");
    memcpy(bad, text, len);
    bad[len] = '\n';
    T_OK(!signwire_answer_read((struct tly_bytes){(const uint8_t *)bad, len + 1}, &got),
         "a byte more: none");
}

static void
answers(void)
{
    struct signwire_answer hello  = {.kind = SIGNWIRE_HELLO, .last = {.size = UINT64_MAX}};
    struct signwire_answer made   = {.kind = SIGNWIRE_SIGNED};
    struct signwire_answer last   = {.kind = SIGNWIRE_LAST, .last = {.size = 77}};
    struct signwire_answer refuse = {.kind = SIGNWIRE_REFUSED, .why = "a fork"};
    struct tly_key         key;
    for (unsigned i = 0; i < sizeof key.b; i++) {
        key.b[i]            = (uint8_t)(3 * i);
        last.last.root.b[i] = (uint8_t)(200 - i);
        made.sig.b[2 * i]   = (uint8_t)i;
    }
    hello.last.root = merkle_empty();
    note_vkey_make(origin, &key, &hello.vkey);
    there_and_back("hello", &hello);
    there_and_back("signed", &made);
    there_and_back("last", &last);
    there_and_back("refused", &refuse);

    struct signwire_answer got = {.kind = SIGNWIRE_LAST};
    char                   text[SIGNWIRE_ANSWER_MAX];
    (void)snprintf(refuse.why, sizeof refuse.why, "two\nlines \xff");
    size_t len = signwire_answer_write(&refuse, text);
    T_OK(signwire_answer_read((struct tly_bytes){(const uint8_t *)text, len}, &got), "any reason");
    T_STR(got.why, "two?lines ?", "is one line of ASCII");
    memset(refuse.why, 'x', sizeof refuse.why - 1);
    refuse.why[sizeof refuse.why - 1] = '\0';
    len                               = signwire_answer_write(&refuse, text);
    T_OK(signwire_answer_read((struct tly_bytes){(const uint8_t *)text, len}, &got) &&
             strcmp(got.why, refuse.why) == 0,
         "the longest reason");
    T_OK(!signwire_answer_read(tly_text(""), &got), "nothing is no answer");
    T_OK(!signwire_answer_read(tly_text("signed\n"), &got), "nor is a word");
}

static void
bodies(void)
{
    const struct note_head head = {.size = 1234067, .root = merkle_empty()};
    struct note_head       got  = {.size = 5};
    char                   body[NOTE_LEN_MAX];
    const size_t           len = note_body(origin, &head, body);
    const struct tly_bytes all = {(const uint8_t *)body, len};
    bool                   cut = false;
    T_EQ(signwire_body_read(all, "tally.example/ir-councils-7/official", &got, NULL), TLY_EINPUT,
         "a body of another log");
    T_EQ(signwire_body_read((struct tly_bytes){all.data, len + 1}, origin, &got, NULL), TLY_EINPUT,
         "a byte behind it");
    T_EQ(got.size, 5, "the output is untouched");
    T_EQ(signwire_body_read(all, origin, &got, NULL), TLY_OK, "a body");
    T_OK(got.size == head.size && tly_hash_eq(&got.root, &head.root), "size and root");
    for (size_t i = 0; i < len; i++) {
        cut = cut ||
              signwire_body_read((struct tly_bytes){all.data, i}, origin, &got, NULL) == TLY_OK;
    }
    T_OK(!cut, "cut anywhere it is none");
    T_EQ(signwire_body_read(tly_text("tally.example/ir-councils-7/rehearsal\n007\n"
                                     "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"),
                            origin, &got, NULL),
         TLY_EINPUT, "leading zeros");
}

int
main(void)
{
    if (sodium_init() < 0) {
        return EXIT_FAILURE;
    }
    answers();
    bodies();
    return T_DONE();
}
