/* SPDX-License-Identifier: Apache-2.0 */
#include "core/note.h"

#include <sodium.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/text.h"
#include "note_int.h"

bool
note_name_ok(struct tly_bytes name)
{
    if (name.len < 1 || name.len > NOTE_ORIGIN_LEN_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] <= ' ' || name.data[i] > '~' || name.data[i] == '+') {
            return false;
        }
    }
    return true;
}

void
note_key_id(struct tly_bytes name, enum note_alg alg, const struct tly_key *key,
            uint8_t id[NOTE_ID_LEN])
{
    const uint8_t            between[2] = {'\n', (uint8_t)alg};
    crypto_hash_sha256_state state;
    struct tly_hash          hash;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, name.data, name.len);
    crypto_hash_sha256_update(&state, between, sizeof between);
    crypto_hash_sha256_update(&state, key->b, sizeof key->b);
    crypto_hash_sha256_final(&state, hash.b);
    memcpy(id, hash.b, NOTE_ID_LEN);
}

void
note_vkey_make(const char *name, const struct tly_key *key, struct note_vkey *out)
{
    const struct tly_bytes text = tly_text(name);
    TLY_CHECK(note_name_ok(text));
    *out = (struct note_vkey){.key = *key};
    memcpy(out->name, text.data, text.len);
    note_key_id(text, NOTE_ALG_ED25519, key, out->id);
}

size_t
note_vkey_text(const char *name, const uint8_t id[NOTE_ID_LEN], enum note_alg alg,
               const struct tly_key *key, char out[NOTE_LEN_MAX])
{
    struct text wr;
    uint8_t     field[1 + sizeof key->b];
    field[0] = (uint8_t)alg;
    memcpy(field + 1, key->b, sizeof key->b);
    text_init(&wr, out, NOTE_LEN_MAX);
    text_add(&wr, name);
    text_add(&wr, "+");
    text_add_hex(&wr, id, NOTE_ID_LEN);
    text_add(&wr, "+");
    text_add_base64(&wr, (struct tly_bytes){field, sizeof field}, TLY_BASE64_STD);
    return text_done(&wr);
}

size_t
note_vkey_write(const struct note_vkey *vkey, char out[NOTE_LEN_MAX])
{
    return note_vkey_text(vkey->name, vkey->id, NOTE_ALG_ED25519, &vkey->key, out);
}

bool
note_base64_exact(struct tly_bytes text, uint8_t *out, size_t len)
{
    uint8_t         buf[96];
    size_t          got;
    enum tly_base64 alphabet;
    if (text.len != TLY_BASE64_LEN(len) || text.len / 4 * 3 > sizeof buf ||
        !tly_base64_decode(text, buf, &got, &alphabet) || got != len ||
        alphabet != TLY_BASE64_STD) {
        return false;
    }
    memcpy(out, buf, len);
    return true;
}

bool
note_vkey_read(struct tly_bytes text, enum note_alg alg, char name_out[NOTE_ORIGIN_LEN_MAX + 1],
               uint8_t id_out[NOTE_ID_LEN], struct tly_key *key_out)
{
    struct rd        rd = rd_of(text);
    struct tly_bytes name;
    struct tly_bytes id_text;
    uint8_t          id[NOTE_ID_LEN];
    uint8_t          want[NOTE_ID_LEN];
    uint8_t          field[1 + sizeof key_out->b];
    struct tly_key   key;
    if (!rd_until(&rd, '+', &name) || !note_name_ok(name) || !rd_until(&rd, '+', &id_text) ||
        !tly_unhex(id_text, id, sizeof id) ||
        !note_base64_exact((struct tly_bytes){rd.p, rd_left(&rd)}, field, sizeof field) ||
        field[0] != alg) {
        return false;
    }
    memcpy(key.b, field + 1, sizeof key.b);
    note_key_id(name, alg, &key, want);
    if (memcmp(id, want, sizeof id) != 0) {
        return false;
    }
    memcpy(name_out, name.data, name.len);
    name_out[name.len] = '\0';
    memcpy(id_out, id, sizeof id);
    *key_out = key;
    return true;
}

bool
note_vkey_parse(struct tly_bytes text, struct note_vkey *out)
{
    struct note_vkey vkey = {0};
    if (!note_vkey_read(text, NOTE_ALG_ED25519, vkey.name, vkey.id, &vkey.key)) {
        return false;
    }
    *out = vkey;
    return true;
}

static void
body_add(struct text *wr, const char *origin, const struct note_head *head)
{
    text_add(wr, origin);
    text_add(wr, "\n");
    text_add_u64(wr, head->size);
    text_add(wr, "\n");
    text_add_base64(wr, (struct tly_bytes){head->root.b, sizeof head->root.b}, TLY_BASE64_STD);
    text_add(wr, "\n");
}

size_t
note_body(const char *origin, const struct note_head *head, char out[NOTE_LEN_MAX])
{
    struct text wr;
    text_init(&wr, out, NOTE_LEN_MAX);
    TLY_CHECK(note_name_ok(tly_text(origin)));
    body_add(&wr, origin, head);
    return text_done(&wr);
}

void
note_sign(const char *origin, const struct note_head *head, const struct sign_secret *secret,
          struct tly_sig *out)
{
    char         body[NOTE_LEN_MAX];
    const size_t len = note_body(origin, head, body);
    sign_make(secret, (struct tly_bytes){(const uint8_t *)body, len}, out);
}

size_t
note_write(const struct note_head *head, const struct note_vkey *vkey, const struct tly_sig *sig,
           char out[NOTE_LEN_MAX])
{
    struct text wr;
    text_init(&wr, out, NOTE_LEN_MAX);
    uint8_t field[NOTE_ID_LEN + sizeof sig->b];
    memcpy(field, vkey->id, NOTE_ID_LEN);
    memcpy(field + NOTE_ID_LEN, sig->b, sizeof sig->b);
    body_add(&wr, vkey->name, head);
    text_add(&wr, "\n" NOTE_DASH);
    text_add(&wr, vkey->name);
    text_add(&wr, " ");
    text_add_base64(&wr, (struct tly_bytes){field, sizeof field}, TLY_BASE64_STD);
    text_add(&wr, "\n");
    return text_done(&wr);
}

/* The three lines of a checkpoint; *body is what is signed. */
static bool
read_body(struct rd *rd, struct tly_bytes *origin, struct note_head *head, struct tly_bytes *body)
{
    const uint8_t   *start = rd->p;
    struct tly_bytes root;
    if (!rd_until(rd, '\n', origin) || !rd_u64(rd, '\n', &head->size) ||
        !rd_until(rd, '\n', &root) || !note_base64_exact(root, head->root.b, sizeof head->root.b)) {
        return false;
    }
    *body = (struct tly_bytes){start, (size_t)(rd->p - start)};
    return origin->len > 0;
}

bool
note_body_parse(struct tly_bytes body, struct tly_bytes *origin, struct note_head *out)
{
    struct rd        rd = rd_of(body);
    struct tly_bytes name;
    struct tly_bytes all;
    struct note_head head;
    if (!read_body(&rd, &name, &head, &all) || rd_left(&rd) > 0) {
        return false;
    }
    *origin = name;
    *out    = head;
    return true;
}

bool
note_split(struct tly_bytes text, struct note *out)
{
    struct rd   rd = rd_of(text);
    struct note note;
    if (text.len > NOTE_LEN_MAX || !read_body(&rd, &note.origin, &note.head, &note.body) ||
        !rd_lit(&rd, "\n") || rd_left(&rd) == 0) {
        return false;
    }
    note.lines = (struct tly_bytes){rd.p, rd_left(&rd)};
    *out       = note;
    return true;
}

bool
note_line_read(struct rd *rd, struct note_line *out)
{
    uint8_t         data[NOTE_LEN_MAX / 4 * 3];
    size_t          len;
    enum tly_base64 alphabet;
    if (!rd_lit(rd, NOTE_DASH) || !rd_until(rd, ' ', &out->name) || out->name.len < 1 ||
        memchr(out->name.data, '\n', out->name.len) != NULL ||
        memchr(out->name.data, '+', out->name.len) != NULL || !rd_until(rd, '\n', &out->field) ||
        out->field.len > NOTE_LEN_MAX || !tly_base64_decode(out->field, data, &len, &alphabet) ||
        alphabet != TLY_BASE64_STD || len <= NOTE_ID_LEN) {
        return false;
    }
    memcpy(out->id, data, NOTE_ID_LEN);
    return true;
}

bool
note_line_next(struct tly_bytes *lines, struct note_line *out)
{
    struct rd rd = rd_of(*lines);
    if (!note_line_read(&rd, out)) {
        return false;
    }
    *lines = (struct tly_bytes){rd.p, rd_left(&rd)};
    return true;
}

bool
note_line_is_of(const struct note_line *line, const struct note_vkey *vkey)
{
    return tly_bytes_eq(line->name, tly_text(vkey->name)) &&
           memcmp(line->id, vkey->id, NOTE_ID_LEN) == 0;
}

bool
note_line_verifies(const struct note_line *line, struct tly_bytes body,
                   const struct note_vkey *vkey)
{
    uint8_t        field[NOTE_ID_LEN + sizeof(struct tly_sig)];
    struct tly_sig sig = {0};
    if (!note_base64_exact(line->field, field, sizeof field)) {
        return false;
    }
    memcpy(sig.b, field + NOTE_ID_LEN, sizeof sig.b);
    return sign_verify(&vkey->key, body, &sig);
}

enum tly_err
note_check(struct tly_bytes note, const struct note_vkey *vkey, struct note_head *out,
           struct tly_diag *diag)
{
    struct note parts;
    bool        found   = false;
    bool        correct = true;
    if (!note_split(note, &parts)) {
        return tly_fail(diag, TLY_EINPUT, "not a checkpoint of three lines");
    }
    if (!tly_bytes_eq(parts.origin, tly_text(vkey->name))) {
        return tly_fail(diag, TLY_EINPUT, "checkpoint of another origin than %s", vkey->name);
    }
    struct rd rd = rd_of(parts.lines);
    do { /* at least one signature line, every one well formed */
        struct note_line line;
        if (!note_line_read(&rd, &line)) {
            return tly_fail(diag, TLY_EINPUT, "signature line of the checkpoint is malformed");
        }
        if (note_line_is_of(&line, vkey)) {
            found   = true;
            correct = correct && note_line_verifies(&line, parts.body, vkey);
        }
    } while (rd_left(&rd) > 0);
    if (!found) {
        return tly_fail(diag, TLY_ENOKEY, "not signed by this key as %s", vkey->name);
    }
    if (!correct) {
        return tly_fail(diag, TLY_EFORBID, "the signature of %s does not verify", vkey->name);
    }
    *out = parts.head;
    return TLY_OK;
}

bool
note_line_of(const struct note *note, const struct note_vkey *vkey, struct tly_bytes *out)
{
    struct rd rd = rd_of(note->lines);
    while (rd_left(&rd) > 0) {
        const uint8_t   *start = rd.p;
        struct note_line line;
        if (!note_line_read(&rd, &line)) {
            return false;
        }
        if (note_line_is_of(&line, vkey)) {
            *out = (struct tly_bytes){start, (size_t)(rd.p - start)};
            return true;
        }
    }
    return false;
}
