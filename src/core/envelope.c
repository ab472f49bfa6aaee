/* SPDX-License-Identifier: Apache-2.0 */
#include "core/envelope.h"

#include "base/check.h"
#include "base/hex.h"
#include "base/text.h"
#include "rd.h"

#define SIG_LEN      64
#define SIG_TEXT_LEN TLY_BASE64_LEN(SIG_LEN)
#define PAE_FIRST    "DSSEv1"
/* PAE's header: the word, two lengths, three spaces and the type. */
#define PAE_HEADER_MAX (sizeof PAE_FIRST + 2 * 20 + 4 + ENVELOPE_TYPE_LEN_MAX) /* with a NUL */

/* The reader: where it is, and what it found wrong. */
struct er {
    struct rd   rd;
    const char *why;   /* NULL: nothing wrong yet */
    const char *field; /* which key, where it is known */
    unsigned    row;   /* of signatures */
    bool        in_row;
};

/* Keys met so far in one of the envelope's own objects. */
struct keys {
    struct tly_bytes seen[ENVELOPE_FIELDS_MAX];
    unsigned         n;
};

/* What the JSON says, before anything is decoded. */
struct fields {
    struct tly_bytes payload; /* base64 */
    struct tly_bytes type;    /* a JSON string's inside */
    bool             has_payload, has_type, has_signatures;
};

static bool
wrong(struct er *er, const char *field, const char *why)
{
    er->field = field;
    er->why   = why;
    return false;
}

static bool
add_key(struct er *er, struct keys *keys, struct tly_bytes key)
{
    for (unsigned i = 0; i < keys->n; i++) {
        if (tly_bytes_eq(keys->seen[i], key)) {
            return wrong(er, "", "a key stands twice");
        }
    }
    if (keys->n == ENVELOPE_FIELDS_MAX) {
        return wrong(er, "", "more keys than an envelope may have");
    }
    keys->seen[keys->n++] = key;
    return true;
}

/* Up to the next key of an object whose '{' is behind; *done at its '}'. */
static bool
next_key(struct er *er, struct keys *keys, struct tly_bytes *key, bool *done)
{
    struct rd_string text;
    *done = rd_is(&er->rd, '}');
    if (*done) {
        return true;
    }
    if (keys->n > 0 && !rd_is(&er->rd, ',')) {
        return wrong(er, "", "no comma between fields");
    }
    if (!rd_string(&er->rd, &text)) {
        return wrong(er, "", "no key where one must stand");
    }
    if (text.escaped) {
        return wrong(er, "", "an escape in a key");
    }
    *key = text.raw;
    if (!add_key(er, keys, text.raw)) {
        return false;
    }
    return rd_is(&er->rd, ':') || wrong(er, "", "no colon behind a key");
}

static bool
is(struct tly_bytes key, const char *name)
{
    return tly_bytes_eq(key, tly_text(name));
}

static bool
read_sig(struct er *er, struct envelope_signature *out)
{
    struct tly_bytes text;
    uint8_t          sig[SIG_TEXT_LEN / 4 * 3];
    size_t           len;
    enum tly_base64  alphabet;
    if (!rd_string_plain(&er->rd, &text) || text.len != SIG_TEXT_LEN ||
        !tly_base64_decode(text, sig, &len, &alphabet) || len != SIG_LEN) {
        return wrong(er, "sig", "not the canonical base64 of 64 bytes");
    }
    memcpy(out->sig.b, sig, SIG_LEN);
    return true;
}

static bool
read_keyid(struct er *er, struct envelope_signature *out)
{
    struct rd_string text;
    if (!rd_string(&er->rd, &text)) {
        return wrong(er, "keyid", "not a string");
    }
    if (!tly_unhex(text.raw, out->keyid.b, sizeof out->keyid.b)) {
        memset(out->keyid.b, 0, sizeof out->keyid.b); /* a hint we do not understand */
    }
    return true;
}

static bool
read_signature(struct er *er, struct envelope_signature *out)
{
    struct keys      keys = {0};
    struct tly_bytes key;
    bool             done;
    bool             has_sig = false;
    if (!rd_is(&er->rd, '{')) {
        return wrong(er, "", "not an object");
    }
    for (;;) {
        if (!next_key(er, &keys, &key, &done)) {
            return false;
        }
        if (done) {
            return has_sig || wrong(er, "sig", "missing");
        }
        if (is(key, "sig")) {
            has_sig = true;
            if (!read_sig(er, out)) {
                return false;
            }
        } else if (is(key, "keyid")) {
            if (!read_keyid(er, out)) {
                return false;
            }
        } else if (!rd_skip(&er->rd, ENVELOPE_DEPTH_MAX - 3)) {
            return wrong(er, "", "the value of an unknown field is not JSON, or nested too deep");
        }
    }
}

static bool
read_signatures(struct er *er, struct envelope *out)
{
    if (!rd_is(&er->rd, '[')) {
        return wrong(er, "signatures", "not an array");
    }
    er->in_row = true;
    do {
        if (out->signatures_n == ENVELOPE_SIGNATURES_MAX) {
            er->in_row = false;
            return wrong(er, "signatures", "too many");
        }
        er->row = out->signatures_n;
        if (!read_signature(er, &out->signatures[out->signatures_n])) {
            return false;
        }
        out->signatures_n++;
    } while (rd_is(&er->rd, ','));
    er->in_row = false;
    return rd_is(&er->rd, ']') || wrong(er, "signatures", "the array does not end");
}

static bool
read_field(struct er *er, struct tly_bytes key, struct fields *fields, struct envelope *out)
{
    struct rd_string type;
    if (is(key, "payload")) {
        fields->has_payload = true;
        return rd_string_plain(&er->rd, &fields->payload) || wrong(er, "payload", "not a string");
    }
    if (is(key, "payloadType")) {
        if (!rd_string(&er->rd, &type) || type.raw.len > ENVELOPE_TYPE_LEN_MAX) {
            return wrong(er, "payloadType", "not a string, or too long");
        }
        fields->type     = type.raw;
        fields->has_type = true;
        return true;
    }
    if (is(key, "signatures")) {
        fields->has_signatures = true;
        return read_signatures(er, out);
    }
    return rd_skip(&er->rd, ENVELOPE_DEPTH_MAX - 1) ||
           wrong(er, "", "the value of an unknown field is not JSON, or nested too deep");
}

static bool
read_all(struct er *er, struct fields *fields, struct envelope *out)
{
    struct keys      keys = {0};
    struct tly_bytes key;
    bool             done;
    if (!rd_is(&er->rd, '{')) {
        return wrong(er, "", "not a JSON object");
    }
    for (;;) {
        if (!next_key(er, &keys, &key, &done)) {
            return false;
        }
        if (done) {
            break;
        }
        if (!read_field(er, key, fields, out)) {
            return false;
        }
    }
    rd_space(&er->rd);
    if (rd_left(&er->rd) > 0) {
        return wrong(er, "", "bytes behind the object");
    }
    if (!fields->has_payload) {
        return wrong(er, "payload", "missing");
    }
    if (!fields->has_type) {
        return wrong(er, "payloadType", "missing");
    }
    return fields->has_signatures || wrong(er, "signatures", "missing");
}

/* PAE's bytes before the body. */
static void
pae_header_add(struct text *wr, struct tly_bytes type, size_t payload_len)
{
    text_add(wr, PAE_FIRST " ");
    text_add_u64(wr, type.len);
    text_add(wr, " ");
    text_add_bytes(wr, type);
    text_add(wr, " ");
    text_add_u64(wr, payload_len);
    text_add(wr, " ");
}

/* Decodes the payload straight behind PAE's header, so that what is verified lies in one piece and
 * is never copied. */
static enum tly_err
decode(const struct fields *fields, size_t payload_bytes_max, struct tly_arena *arena,
       struct envelope *out, struct tly_diag *diag)
{
    const struct tly_bytes text = fields->payload;
    uint8_t                type_text[ENVELOPE_TYPE_LEN_MAX];
    char                   header[PAE_HEADER_MAX];
    struct text            wr;
    text_init(&wr, header, sizeof header);
    const struct tly_bytes type = {type_text, rd_unescape(fields->type, type_text)};
    size_t                 len  = text.len / 4 * 3;
    for (size_t i = 1; i <= 2 && len > 0 && text.data[text.len - i] == '='; i++) {
        len--;
    }
    if (len > payload_bytes_max) {
        return tly_fail_at(diag, TLY_ETOOBIG, "too_large", "payload", "%zu bytes, at most %zu", len,
                           payload_bytes_max);
    }
    pae_header_add(&wr, type, len);
    TLY_CHECK(!wr.cut);
    const size_t header_len = wr.len;
    uint8_t     *pae        = tly_arena_alloc(arena, header_len + text.len / 4 * 3 + 1, 1);
    size_t       got;
    if (pae == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no room for a payload of %zu bytes", len);
    }
    memcpy(pae, header, header_len);
    if (!tly_base64_decode(text, pae + header_len, &got, &out->alphabet)) {
        return tly_fail_at(diag, TLY_EINPUT, "S01", "payload", "not canonical base64");
    }
    TLY_CHECK(got == len);
    out->pae     = (struct tly_bytes){pae, header_len + len};
    out->payload = (struct tly_bytes){pae + header_len, len};
    struct text at; /* where the type stands in it */
    text_init(&at, header, sizeof header);
    text_add(&at, PAE_FIRST " ");
    text_add_u64(&at, type.len);
    text_add(&at, " ");
    out->type = (struct tly_bytes){pae + at.len, type.len};
    return TLY_OK;
}

static enum tly_err
refuse(const struct er *er, const uint8_t *start, struct tly_diag *diag)
{
    char        field[sizeof diag->field];
    struct text path;
    text_init(&path, field, sizeof field);
    if (er->in_row) {
        text_add(&path, "signatures[");
        text_add_u64(&path, er->row);
        text_add(&path, er->field[0] != '\0' ? "]." : "]");
    }
    text_add(&path, er->field);
    return tly_fail_at(diag, TLY_EINPUT, "S01", field, "%s (byte %zu)", er->why,
                       (size_t)(er->rd.p - start));
}

enum tly_err
envelope_parse(struct tly_bytes in, size_t payload_bytes_max, struct tly_arena *arena,
               struct envelope *out, struct tly_diag *diag)
{
    struct er       er       = {.rd = rd_of(in)};
    struct fields   fields   = {0};
    struct envelope envelope = {0};
    if (!read_all(&er, &fields, &envelope)) {
        return refuse(&er, in.data, diag);
    }
    const enum tly_err err = decode(&fields, payload_bytes_max, arena, &envelope, diag);
    if (err != TLY_OK) {
        return err;
    }
    const size_t head_len = (size_t)(fields.payload.data - in.data);
    const size_t tail_at  = head_len + fields.payload.len;
    envelope.head         = (struct tly_bytes){in.data, head_len};
    envelope.tail         = (struct tly_bytes){in.data + tail_at, in.len - tail_at};
    *out                  = envelope;
    return TLY_OK;
}

bool
envelope_verify(const struct envelope *envelope, unsigned i, const struct tly_key *key)
{
    TLY_CHECK(i < envelope->signatures_n);
    return sign_verify(key, envelope->pae, &envelope->signatures[i].sig);
}

/* May it stand in a JSON string as it is? */
static bool
type_ok(struct tly_bytes type)
{
    for (size_t i = 0; i < type.len; i++) {
        if (type.data[i] < ' ' || type.data[i] > '~' || type.data[i] == '"' ||
            type.data[i] == '\\') {
            return false;
        }
    }
    return type.len <= ENVELOPE_TYPE_LEN_MAX;
}

static void
signature_add(struct text *to, unsigned i, const struct tly_hash *keyid, const struct tly_sig *sig)
{
    text_add(to, i == 0 ? "{\"keyid\":\"" : ",{\"keyid\":\"");
    text_add_hash(to, keyid);
    text_add(to, "\",\"sig\":\"");
    text_add_base64(to, (struct tly_bytes){sig->b, sizeof sig->b}, TLY_BASE64_STD);
    text_add(to, "\"}");
}

static void
signatures_add(struct text *to, struct tly_bytes pae, const struct sign_secret secrets[],
               const struct tly_hash keyids[], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct tly_sig sig;
        sign_make(&secrets[i], pae, &sig);
        signature_add(to, i, &keyids[i], &sig);
    }
}

/* From the start to the list of signatures. */
static void
front_add(struct text *to, struct tly_bytes type, struct tly_bytes payload)
{
    text_add(to, "{\"payload\":\"");
    text_add_base64(to, payload, TLY_BASE64_STD);
    text_add(to, "\",\"payloadType\":\"");
    text_add_bytes(to, type);
    text_add(to, "\",\"signatures\":[");
}

/* Bytes that an envelope of n signatures takes at most. */
static size_t
written_max(struct tly_bytes type, struct tly_bytes payload, unsigned n)
{
    return 128 + type.len + TLY_BASE64_LEN(payload.len) + (size_t)n * 192;
}

enum tly_err
envelope_cosign(const struct envelope *envelope, const struct sign_secret *secret,
                const struct tly_hash *keyid, struct tly_arena *arena, struct tly_bytes *out,
                struct tly_diag *diag)
{
    const unsigned n = envelope->signatures_n;
    for (unsigned i = 0; i < n; i++) {
        if (tly_hash_eq(&envelope->signatures[i].keyid, keyid)) {
            return tly_fail(diag, TLY_ECONFLICT, "this key has signed it already");
        }
    }
    if (n == ENVELOPE_SIGNATURES_MAX) {
        return tly_fail(diag, TLY_ECONFLICT, "it has %u signatures, and takes no more", n);
    }
    if (!type_ok(envelope->type)) {
        return tly_fail(diag, TLY_EINPUT, "its type holds what cannot be written again");
    }
    const size_t   max  = written_max(envelope->type, envelope->payload, n + 1);
    char          *text = tly_arena_alloc(arena, max, 1);
    struct tly_sig mine;
    if (text == NULL) {
        return TLY_ENOMEM;
    }
    struct text to;
    text_init(&to, text, max);
    front_add(&to, envelope->type, envelope->payload);
    for (unsigned i = 0; i < n; i++) {
        signature_add(&to, i, &envelope->signatures[i].keyid, &envelope->signatures[i].sig);
    }
    sign_make(secret, envelope->pae, &mine);
    signature_add(&to, n, keyid, &mine);
    text_add(&to, "]}");
    TLY_CHECK(!to.cut);
    *out = (struct tly_bytes){(const uint8_t *)text, to.len};
    return TLY_OK;
}

enum tly_err
envelope_write(const char *type, struct tly_bytes payload, const struct sign_secret secrets[],
               const struct tly_hash keyids[], unsigned n, struct tly_arena *arena,
               struct tly_bytes *out)
{
    const struct tly_bytes type_text = tly_text(type);
    const size_t           pae_max   = PAE_HEADER_MAX + payload.len;
    const size_t           out_max   = written_max(type_text, payload, n);
    TLY_CHECK(type_ok(type_text));
    TLY_CHECK(n >= 1 && n <= ENVELOPE_SIGNATURES_MAX);
    char *pae  = tly_arena_alloc(arena, pae_max, 1);
    char *text = tly_arena_alloc(arena, out_max, 1);
    if (pae == NULL || text == NULL) {
        return TLY_ENOMEM;
    }
    struct text signed_wr;
    text_init(&signed_wr, pae, pae_max);
    struct text wr;
    text_init(&wr, text, out_max);
    pae_header_add(&signed_wr, type_text, payload.len);
    text_add_bytes(&signed_wr, payload);
    front_add(&wr, type_text, payload);
    signatures_add(&wr, (struct tly_bytes){(const uint8_t *)pae, signed_wr.len}, secrets, keyids,
                   n);
    text_add(&wr, "]}");
    TLY_CHECK(!signed_wr.cut && !wr.cut);
    *out = (struct tly_bytes){(const uint8_t *)text, wr.len};
    return TLY_OK;
}
