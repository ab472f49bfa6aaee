/* SPDX-License-Identifier: Apache-2.0 */
/* Proves vkeys and checkpoints against vectors that other implementations made (Tessera's log, the
 * signed-note page, ledger_vector.h), and refuses every cut, every changed byte, other
 * origins and other keys. */
#include "core/note.h"

#include <sodium.h>

#include "base/base64.h"
#include "base/hex.h"
#include "t.h"

#define DASH "\xe2\x80\x94 "

static const char tessera_vkey[] =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
static const char tessera[] =
    "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n" DASH
    "example.com/log/testdata "
    "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/"
    "dlPWF74ewI=\n";
static const char ours_vkey[] =
    "tally.example/demo-2026+e9ddc035+AYSYczLOHFc79Ils3CblMurj4GHqrH6NeFYmgek92VWr";
static const char ours[] =
    "tally.example/demo-2026\n2\nlU3kr9Um+SJwmBdNgXRUwYH8kVem81TrdzQwtk77Eb8=\n\n" DASH
    "tally.example/demo-2026 "
    "6d3ANWY6G7PBEIQAUchEgySf9EFvOeQ8w8xcrPUd3uCtTbaCmSRb3ZobG6FPRwSSwLm0XqtVRn0m9F8Hew81iXBntg4="
    "\n";
static const char board_line[] =
    DASH "board-1.example/witness "
         "aKDCIwAAAABq4oyBWFA8KbZCPgpIUf4wcQYcBI0syXSMmWf02oz+2haDEY18myNf6sSjYEqZ98vscbHbi9UtP3NUB"
         "NsuIa58XzU/DQ==\n";

static struct note_vkey
vkey_of(const char *text)
{
    struct note_vkey vkey;
    if (!note_vkey_parse(tly_text(text), &vkey)) {
        abort();
    }
    return vkey;
}

static void
vkeys(void)
{
    static const char *const good[] = {
        tessera_vkey, ours_vkey,
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"};
    for (size_t i = 0; i < TLY_N(good); i++) {
        char             text[NOTE_LEN_MAX];
        struct note_vkey vkey = vkey_of(good[i]);
        T_EQ(note_vkey_write(&vkey, text), strlen(good[i]), "length");
        T_STR(text, good[i], "a vkey is written as it was read");
        struct note_vkey made;
        note_vkey_make(vkey.name, &vkey.key, &made);
        T_OK(memcmp(&made, &vkey, sizeof made) == 0, "and made from name and key");
        unsigned accepted = 0;
        for (size_t n = 0; n < strlen(good[i]); n++) {
            struct note_vkey keep = vkey;
            accepted += note_vkey_parse((struct tly_bytes){(const uint8_t *)good[i], n}, &vkey);
            accepted += memcmp(&keep, &vkey, sizeof keep) != 0;
            char changed[128];
            memcpy(changed, good[i], strlen(good[i]) + 1);
            changed[n] = (char)(changed[n] == 'b' ? 'c' : 'b');
            accepted += note_vkey_parse(tly_text(changed), &vkey);
        }
        T_EQ(accepted, 0, "cut anywhere or one character changed: refused");
    }
    static const char *const bad[] = {
        "",
        "+",
        "++",
        "a b+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
        "example.com/log/testdata+33D7B496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
        "example.com/log/testdata+33d7b496+AuHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI-oO5xCFkkSx"};
    for (size_t i = 0; i < TLY_N(bad); i++) {
        struct note_vkey vkey;
        T_OK(!note_vkey_parse(tly_text(bad[i]), &vkey), "malformed vkey");
    }
}

static void
made_elsewhere(void)
{
    struct note_head       head;
    const struct note_vkey vkey = vkey_of(tessera_vkey);
    T_EQ(note_check(tly_text(tessera), &vkey, &head, NULL), TLY_OK, "Tessera's checkpoint");
    T_EQ(head.size, 15, "of size 15");
    char             both[NOTE_LEN_MAX];
    struct note_vkey our = vkey_of(ours_vkey);
    (void)snprintf(both, sizeof both, "%s%s", ours, board_line);
    T_EQ(note_check(tly_text(both), &our, &head, NULL), TLY_OK, "with a witness's line behind");
    const char *end = strstr(ours, "\n\n") + 2;
    (void)snprintf(both, sizeof both, "%.*s%s%s", (int)(end - ours), ours, board_line, end);
    T_EQ(note_check(tly_text(both), &our, &head, NULL), TLY_OK, "and before");
    (void)snprintf(both, sizeof both, "%.*s%s", (int)(end - ours), ours, board_line);
    struct note_head none;
    T_EQ(note_check(tly_text(both), &our, &none, NULL), TLY_ENOKEY, "only a witness's line");
    /* Our own vector from its seed: the same key, the same bytes. */
    TLY_AUTO(secret) struct sign_secret secret;
    uint8_t                             seed[32];
    struct note_vkey                    made;
    struct tly_sig                      sig;
    crypto_hash_sha256(seed, (const uint8_t *)"tally test log key", 18);
    sign_from_seed(seed, &secret);
    const struct tly_key key = sign_public(&secret);
    note_vkey_make(our.name, &key, &made);
    T_OK(memcmp(&made, &our, sizeof made) == 0 && sign_key_ok(&key), "our key from its seed");
    note_sign(our.name, &head, &secret, &sig);
    T_EQ(note_write(&head, &our, &sig, both), strlen(ours), "signed again");
    T_STR(both, ours, "the same note");
}

static void
made_here(void)
{
    uint8_t            seed[32] = {1, 2, 3};
    struct sign_secret secret;
    struct note_vkey   vkey;
    struct tly_sig     sig;
    char               text[NOTE_LEN_MAX];
    char               body[NOTE_LEN_MAX];
    sign_from_seed(seed, &secret);
    const struct tly_key key = sign_public(&secret);
    note_vkey_make("tally.example/ir-7/rehearsal", &key, &vkey);
    static const uint64_t sizes[] = {0, 1, 9, 10, 80000, UINT64_MAX};
    for (size_t i = 0; i < TLY_N(sizes); i++) {
        struct note_head head = {.size = sizes[i]};
        struct note_head got;
        memset(head.root.b, (int)i, 32);
        note_sign(vkey.name, &head, &secret, &sig);
        const size_t len      = note_write(&head, &vkey, &sig, text);
        const size_t body_len = note_body(vkey.name, &head, body);
        T_OK(len == strlen(text) && body_len == strlen(body) && memcmp(text, body, body_len) == 0,
             "lengths, and the note begins with its body");
        T_EQ(note_check(tly_text(text), &vkey, &got, NULL), TLY_OK, "a written note is accepted");
        T_OK(got.size == sizes[i] && tly_hash_eq(&got.root, &head.root), "with its head");
    }
}

/* Where a note is cut or changed, and that the head is left alone then. */
static void
refused(void)
{
    const struct note_vkey vkey = vkey_of(ours_vkey);
    const size_t           len  = strlen(ours);
    struct note_head       head;
    memset(&head, 0x5a, sizeof head);
    const struct note_head keep     = head;
    unsigned               accepted = 0;
    for (size_t n = 0; n < len; n++) {
        accepted +=
            note_check((struct tly_bytes){(const uint8_t *)ours, n}, &vkey, &head, NULL) == TLY_OK;
        for (unsigned c = 0; c < 256; c++) {
            char changed[sizeof ours];
            memcpy(changed, ours, sizeof ours);
            changed[n] = (char)c;
            accepted += changed[n] != ours[n] &&
                        note_check((struct tly_bytes){(const uint8_t *)changed, len}, &vkey, &head,
                                   NULL) == TLY_OK;
        }
    }
    T_EQ(accepted, 0, "cut anywhere, or one byte changed: refused");
    T_OK(memcmp(&head, &keep, sizeof head) == 0, "the head is untouched");
}

static void
refused_why(void)
{
    struct note_vkey vkey = vkey_of(ours_vkey);
    struct note_head head;
    char             text[2 * NOTE_LEN_MAX];
    struct tly_diag  diag;
    T_EQ(note_check(tly_text(tessera), &vkey, &head, &diag), TLY_EINPUT, "another origin");
    T_STR(diag.text, "checkpoint of another origin than tally.example/demo-2026", "told");
    memcpy(text, ours, sizeof ours);
    *strstr(text, "\n2\n")   = '\n';
    strstr(text, "\n2\n")[1] = '3';
    T_EQ(note_check(tly_text(text), &vkey, &head, NULL), TLY_EFORBID, "another size");
    static const char *const edits[][2] = {
        {"\n2\n", "\n02\n"},    {"\n2\n", "\n+2\n"}, {"\n2\n", "\n18446744073709551616\n"},
        {"\n2\n", "\n\n"},      {"\n\n", "\n"},      {"\n\n", "\nmore\n\n"},
        {"Eb8=\n", "Eb8=\r\n"}, {"Eb8=", "Eb9="},    {"tg4=\n", "tg4=\n\n"},
        {"tg4=\n", "tg4=\nx"},  {"tg4=\n", "tg4="}};
    for (size_t i = 0; i < TLY_N(edits); i++) {
        const char *at = strstr(ours, edits[i][0]);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - ours), ours, edits[i][1],
                       at + strlen(edits[i][0]));
        T_EQ(note_check(tly_text(text), &vkey, &head, NULL), TLY_EINPUT, "a malformed line");
    }
    (void)snprintf(text, sizeof text, "%s%s", ours, strstr(ours, DASH));
    T_EQ(note_check(tly_text(text), &vkey, &head, NULL), TLY_OK, "our line twice");
    char *second = strstr(text + strlen(ours), "6d3A");
    second[20]   = second[20] == 'A' ? 'B' : 'A';
    T_EQ(note_check(tly_text(text), &vkey, &head, NULL), TLY_EFORBID, "the second time wrong");
    vkey.key.b[0] ^= 1; /* the id still matches */
    T_EQ(note_check(tly_text(ours), &vkey, &head, NULL), TLY_EFORBID, "signed by another key");
    memset(text, 'a', sizeof text);
    T_EQ(
        note_check((struct tly_bytes){(const uint8_t *)text, NOTE_LEN_MAX + 1}, &vkey, &head, NULL),
        TLY_EINPUT, "too long");
}

int
main(void)
{
    vkeys();
    made_elsewhere();
    made_here();
    refused();
    refused_why();
    return T_DONE();
}
