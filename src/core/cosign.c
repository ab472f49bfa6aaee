/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cosign.h"

#include "base/check.h"
#include "base/text.h"
#include "note_int.h"

#define TIME_MAX     ((uint64_t)INT64_MAX)
#define TIME_LEN     8
#define FIELD_LEN    (NOTE_ID_LEN + TIME_LEN + sizeof(struct tly_sig))
#define MESSAGE_SIZE (64 + NOTE_LEN_MAX)

_Static_assert(TLY_BASE64_LEN(FIELD_LEN) == 104, "COSIGN_LINE_SIZE");

void
cosign_vkey_make(const char *name, const struct tly_key *key, struct cosign_vkey *out)
{
    const struct tly_bytes text = tly_text(name);
    TLY_CHECK(note_name_ok(text));
    *out = (struct cosign_vkey){.key = *key};
    memcpy(out->name, text.data, text.len);
    note_key_id(text, NOTE_ALG_COSIGNATURE, key, out->id);
}

size_t
cosign_vkey_write(const struct cosign_vkey *vkey, char out[NOTE_LEN_MAX])
{
    return note_vkey_text(vkey->name, vkey->id, NOTE_ALG_COSIGNATURE, &vkey->key, out);
}

bool
cosign_vkey_parse(struct tly_bytes text, struct cosign_vkey *out)
{
    struct cosign_vkey vkey = {0};
    if (!note_vkey_read(text, NOTE_ALG_COSIGNATURE, vkey.name, vkey.id, &vkey.key)) {
        return false;
    }
    *out = vkey;
    return true;
}

/* "cosignature/v1\ntime N\n" and the body. */
static struct tly_bytes
message(struct tly_bytes body, uint64_t time_s, char out[MESSAGE_SIZE])
{
    struct text wr;
    text_init(&wr, out, MESSAGE_SIZE);
    text_add(&wr, "cosignature/v1\ntime ");
    text_add_u64(&wr, time_s);
    text_add(&wr, "\n");
    text_add_bytes(&wr, body);
    const size_t len = text_done(&wr);
    TLY_CHECK(len > 0); /* bodies are parts of notes */
    return (struct tly_bytes){(const uint8_t *)out, len};
}

void
cosign_make(struct tly_bytes body, uint64_t time_s, const struct sign_secret *secret,
            struct cosignature *out)
{
    char text[MESSAGE_SIZE];
    TLY_CHECK(time_s <= TIME_MAX);
    out->time_s = time_s;
    sign_make(secret, message(body, time_s, text), &out->sig);
}

size_t
cosign_line_write(const struct cosign_vkey *vkey, const struct cosignature *cosignature,
                  char out[COSIGN_LINE_SIZE])
{
    struct text wr;
    uint8_t     field[FIELD_LEN];
    memcpy(field, vkey->id, NOTE_ID_LEN);
    for (unsigned i = 0; i < TIME_LEN; i++) {
        field[NOTE_ID_LEN + i] = (uint8_t)(cosignature->time_s >> (8 * (TIME_LEN - 1 - i)));
    }
    memcpy(field + NOTE_ID_LEN + TIME_LEN, cosignature->sig.b, sizeof cosignature->sig.b);
    text_init(&wr, out, COSIGN_LINE_SIZE);
    text_add(&wr, NOTE_DASH);
    text_add(&wr, vkey->name);
    text_add(&wr, " ");
    text_add_base64(&wr, (struct tly_bytes){field, sizeof field}, TLY_BASE64_STD);
    text_add(&wr, "\n");
    return text_done(&wr);
}

static bool
verifies(struct tly_bytes body, const struct note_line *line, const struct cosign_vkey *vkey,
         struct cosignature *out)
{
    uint8_t            field[FIELD_LEN];
    struct cosignature got = {0};
    char               text[MESSAGE_SIZE];
    if (!note_base64_exact(line->field, field, sizeof field)) {
        return false;
    }
    for (unsigned i = 0; i < TIME_LEN; i++) {
        got.time_s = got.time_s << 8 | field[NOTE_ID_LEN + i];
    }
    memcpy(got.sig.b, field + NOTE_ID_LEN + TIME_LEN, sizeof got.sig.b);
    if (got.time_s > TIME_MAX ||
        !sign_verify(&vkey->key, message(body, got.time_s, text), &got.sig)) {
        return false;
    }
    *out = got;
    return true;
}

bool
cosign_line_is_of(const struct note_line *line, const struct cosign_vkey *vkey)
{
    return tly_bytes_eq(line->name, tly_text(vkey->name)) &&
           memcmp(line->id, vkey->id, NOTE_ID_LEN) == 0;
}

bool
cosign_line_verifies(const struct note_line *line, struct tly_bytes body,
                     const struct cosign_vkey *vkey)
{
    struct cosignature unused;
    return verifies(body, line, vkey, &unused);
}

enum tly_err
cosign_check(struct tly_bytes body, struct tly_bytes lines, const struct cosign_vkey *vkey,
             struct cosignature *out, struct tly_diag *diag)
{
    struct rd          rd     = rd_of(lines);
    struct cosignature newest = {0};
    bool               found  = false;
    bool               right  = true;
    TLY_CHECK(body.len <= NOTE_LEN_MAX);
    while (rd_left(&rd) > 0) {
        struct note_line   line;
        struct cosignature one = {0};
        if (!note_line_read(&rd, &line)) {
            return tly_fail(diag, TLY_EINPUT, "a signature line is malformed");
        }
        if (!cosign_line_is_of(&line, vkey)) {
            continue;
        }
        right = right && verifies(body, &line, vkey, &one);
        if (right && (!found || one.time_s > newest.time_s)) {
            newest = one;
        }
        found = true;
    }
    if (!found) {
        return tly_fail(diag, TLY_ENOKEY, "not cosigned by %s with this key", vkey->name);
    }
    if (!right) {
        return tly_fail(diag, TLY_EFORBID, "the cosignature of %s does not verify", vkey->name);
    }
    *out = newest;
    return TLY_OK;
}

bool
cosign_append(char note[NOTE_LEN_MAX], size_t *len, struct tly_bytes line)
{
    if (line.len >= NOTE_LEN_MAX - *len) {
        return false;
    }
    memcpy(note + *len, line.data, line.len);
    *len += line.len;
    note[*len] = '\0';
    return true;
}
