/* SPDX-License-Identifier: Apache-2.0 */
/* Proves cosignatures against a line that another implementation verified (ledger_vector.h: torchwood's
 * cosignature code), made again from the witness's seed; every changed byte is refused. */
#include "core/cosign.h"

#include <sodium.h>

#include "base/attr.h"
#include "ledger_vector.h"
#include "t.h"

#define VECTOR_TIME 1793232001U
#define NOTE_BOARD  "\xe2\x80\x94 board-1"

static const char board_vkey[] =
    "board-1.example/witness+68a0c223+BFd0UKtd7dR08Q1zm+FGPnmVi20lwNQTz2iZFJBTTdHd";

static struct note
vector_note(void)
{
    struct note note;
    if (!note_split(tly_text(strstr(vector_receipt, "\n\n") + 2), &note)) {
        abort();
    }
    return note;
}

static struct cosign_vkey
board(void)
{
    struct cosign_vkey vkey;
    if (!cosign_vkey_parse(tly_text(board_vkey), &vkey)) {
        abort();
    }
    return vkey;
}

static struct sign_secret
board_secret(void)
{
    uint8_t            seed[32];
    struct sign_secret secret;
    crypto_hash_sha256(seed, (const uint8_t *)"tally test witness", 18);
    sign_from_seed(seed, &secret);
    return secret;
}

static void
vector(void)
{
    const struct note        note   = vector_note();
    const struct cosign_vkey vkey   = board();
    const struct sign_secret secret = board_secret();
    const struct tly_key     key    = sign_public(&secret);
    struct cosign_vkey       made;
    struct cosignature       got;
    struct cosignature       again;
    char                     text[NOTE_LEN_MAX];
    T_STR(vkey.name, "board-1.example/witness", "the witness's name");
    T_EQ(cosign_vkey_write(&vkey, text), strlen(board_vkey), "its vkey's length");
    T_STR(text, board_vkey, "its vkey is written as it was read");
    cosign_vkey_make(vkey.name, &key, &made);
    T_OK(memcmp(&made, &vkey, sizeof made) == 0, "and made from the seed");
    T_EQ(cosign_check(note.body, note.lines, &vkey, &got, NULL), TLY_OK, "its line verifies");
    T_EQ(got.time_s, VECTOR_TIME, "with its time");
    cosign_make(note.body, got.time_s, &secret, &again);
    T_OK(memcmp(&again, &got, sizeof got) == 0, "the same cosignature from the seed");
    char         line[COSIGN_LINE_SIZE];
    const size_t len  = cosign_line_write(&vkey, &again, line);
    const char  *want = strstr(vector_receipt, NOTE_BOARD);
    T_OK(len == strlen(want) && strcmp(line, want) == 0, "the same line");
}

/* A log's key is no witness's, nor the other way round, though both are Ed25519. */
static void
kinds(void)
{
    struct note_vkey   log;
    struct cosign_vkey witness;
    struct note_head   head;
    T_OK(!cosign_vkey_parse(tly_text(vector_log_vkey), &witness), "a log's vkey");
    T_OK(!note_vkey_parse(tly_text(board_vkey), &log), "a witness's vkey");
    const struct sign_secret secret = board_secret();
    const struct tly_key     key    = sign_public(&secret);
    note_vkey_make("board-1.example/witness", &key, &log);
    T_OK(memcmp(log.id, board().id, sizeof log.id) != 0, "the same key has two ids");
    T_EQ(note_check(tly_text(strstr(vector_receipt, "\n\n") + 2), &log, &head, NULL), TLY_EINPUT,
         "and signs no log of that name");
}

static void
refused(void)
{
    const struct note        note = vector_note();
    const struct cosign_vkey vkey = board();
    const char              *line = strstr(vector_receipt, NOTE_BOARD);
    const size_t             len  = strlen(line);
    struct cosignature       got;
    memset(&got, 0x5a, sizeof got);
    const struct cosignature keep     = got;
    unsigned                 accepted = 0;
    for (size_t n = 0; n < len; n++) {
        const uint8_t *at = (const uint8_t *)line;
        accepted += cosign_check(note.body, (struct tly_bytes){at, n}, &vkey, &got, NULL) == TLY_OK;
        for (unsigned c = 0; c < 256; c++) {
            char changed[256];
            memcpy(changed, line, len);
            changed[n] = (char)c;
            accepted += changed[n] != line[n] &&
                        cosign_check(note.body, (struct tly_bytes){(uint8_t *)changed, len}, &vkey,
                                     &got, NULL) == TLY_OK;
        }
    }
    for (size_t n = 0; n < note.body.len; n++) {
        uint8_t body[256];
        memcpy(body, note.body.data, note.body.len);
        body[n] ^= 1;
        accepted += cosign_check((struct tly_bytes){body, note.body.len}, note.lines, &vkey, &got,
                                 NULL) == TLY_OK;
    }
    T_EQ(accepted, 0, "cut anywhere, one byte changed in the line or in the body: refused");
    T_OK(memcmp(&got, &keep, sizeof got) == 0, "the output is untouched");
    struct cosign_vkey other = vkey;
    other.name[0]            = 'c';
    T_EQ(cosign_check(note.body, note.lines, &other, &got, NULL), TLY_ENOKEY, "another name");
    other = vkey;
    other.id[0] ^= 1;
    T_EQ(cosign_check(note.body, note.lines, &other, &got, NULL), TLY_ENOKEY, "another id");
    other = vkey;
    other.key.b[0] ^= 1;
    T_EQ(cosign_check(note.body, note.lines, &other, &got, NULL), TLY_EFORBID, "another key");
}

/* Times at both ends, and several lines of one witness. */
static void
several(void)
{
    static const uint64_t    times[] = {0, 1, 1793232001, INT64_MAX};
    const struct note        note    = vector_note();
    const struct cosign_vkey vkey    = board();
    const struct sign_secret secret  = board_secret();
    char                     text[NOTE_LEN_MAX];
    struct cosignature       one;
    struct cosignature       got;
    char                     line[COSIGN_LINE_SIZE];
    size_t                   len    = 0;
    unsigned                 before = 0;
    for (size_t i = 0; i < TLY_N(times); i++) {
        cosign_make(note.body, times[i], &secret, &one);
        const size_t n = cosign_line_write(&vkey, &one, line);
        T_EQ(cosign_check(note.body, (struct tly_bytes){(uint8_t *)line, n}, &vkey, &got, NULL),
             TLY_OK, "a written line verifies");
        T_EQ(got.time_s, times[i], "with its time");
    }
    for (size_t i = 0; i < 3; i++) {
        cosign_make(note.body, times[i == 1 ? 2 : i == 2 ? 1 : 0], &secret, &one);
        const size_t n = cosign_line_write(&vkey, &one, line);
        T_OK(cosign_append(text, &len, (struct tly_bytes){(uint8_t *)line, n}), "appended");
    }
    T_EQ(cosign_check(note.body, (struct tly_bytes){(uint8_t *)text, len}, &vkey, &got, NULL),
         TLY_OK, "three lines");
    T_EQ(got.time_s, times[2], "the newest is given");
    text[len - 6] = text[len - 6] == 'A' ? 'B' : 'A'; /* inside the last signature */
    T_EQ(cosign_check(note.body, (struct tly_bytes){(uint8_t *)text, len}, &vkey, &got, NULL),
         TLY_EFORBID, "one of them wrong");
    const size_t one_len = cosign_line_write(&vkey, &one, line);
    while (cosign_append(text, &len, (struct tly_bytes){(uint8_t *)line, one_len})) {
        before++;
    }
    T_OK(before > 0 && len < NOTE_LEN_MAX && len + one_len >= NOTE_LEN_MAX && text[len] == '\0',
         "appended until it is full");
}

int
main(void)
{
    vector();
    kinds();
    refused();
    several();
    return T_DONE();
}
