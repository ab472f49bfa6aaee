/* SPDX-License-Identifier: Apache-2.0 */
/* Proves the DSSE reader and writer: the vectors, every order of keys and odd white space, that the
 * exact input is made again from head, payload and tail, and what is refused. */
#include "core/envelope.h"

#include <sodium.h>
#include <time.h>

#include "base/hex.h"
#include "ledger_vector.h"
#include "t.h"

#define MAX     ((size_t)1 << 20)
#define PAYLOAD "\"payload\":\"aGVsbG8gd29ybGQ=\""
#define TYPE    "\"payloadType\":\"http://example.com/HelloWorld\""
#define SIG64                                                                                      \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define SIG  "{\"sig\":\"" SIG64 "\"}"
#define SIGS "\"signatures\":[" SIG "]"

static enum tly_err
parse(struct tly_bytes in, struct tly_arena *arena, struct envelope *out, struct tly_diag *diag)
{
    return envelope_parse(in, MAX, arena, out, diag);
}

/* Is head + base64(payload) + tail the input? */
static bool
remade(const struct envelope *e, struct tly_bytes in)
{
    static char  text[4096];
    const size_t n = TLY_BASE64_LEN(e->payload.len);
    if (n > sizeof text || e->head.len + n + e->tail.len != in.len) {
        return false;
    }
    tly_base64_encode(e->payload, e->alphabet, text);
    return e->head.data == in.data && memcmp(in.data + e->head.len, text, n) == 0 &&
           e->tail.data == in.data + e->head.len + n;
}

static bool
pae_is(const struct envelope *e, const char *want)
{
    return tly_bytes_eq(e->pae, tly_text(want)) &&
           e->payload.data + e->payload.len == e->pae.data + e->pae.len;
}

static void
our_vector(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct envelope                  e;
    struct tly_key                   key;
    struct sign_secret               secret;
    struct tly_hash                  hash;
    struct tly_hash                  keyid;
    uint8_t                          seed[32];
    char                             hex[65];
    struct tly_bytes                 made;
    tly_arena_init(&arena, 1 << 20);
    T_OK(tly_unhex(tly_text(vector_key), key.b, 32) && tly_unhex(tly_text(vector_seed), seed, 32) &&
             tly_unhex(tly_text(vector_keyid), keyid.b, 32),
         "the vector's keys");
    const struct tly_bytes in = tly_text(vector_envelope);
    T_EQ(parse(in, &arena, &e, NULL), TLY_OK, "the vector of ledger_vector.h is read");
    T_OK(tly_bytes_eq(e.payload, tly_text(vector_payload)), "its payload");
    T_OK(tly_bytes_eq(e.type, tly_text(ENVELOPE_TYPE_BUNDLE)), "its type");
    T_OK(e.signatures_n == 1 && tly_hash_eq(&e.signatures[0].keyid, &keyid), "its key id");
    T_OK(envelope_verify(&e, 0, &key), "its signature");
    crypto_hash_sha256(hash.b, e.pae.data, e.pae.len);
    tly_hex(hash.b, 32, hex);
    T_STR(hex, vector_pae_sha256, "its PAE");
    T_OK(remade(&e, in), "its bytes are made again");
    sign_from_seed(seed, &secret);
    T_EQ(envelope_write(ENVELOPE_TYPE_BUNDLE, tly_text(vector_payload), &secret, &keyid, 1, &arena,
                        &made),
         TLY_OK, "written");
    T_OK(tly_bytes_eq(made, in), "and it is the same 456 bytes");
    key.b[0] ^= 1;
    T_OK(!envelope_verify(&e, 0, &key), "another key does not verify it");
}

/* All orders of the four fields, with and without white space, unknown fields of every shape. */
static void
every_order(void)
{
    static const char *const fields[4] = {
        PAYLOAD, TYPE, SIGS,
        "\"more\":{\"a\":[1,-2.5e+3,null,{}],\"b\":\"\\u00e9\\ud83d\\ude00\"}"};
    static const char *const blanks[3] = {"", " ", "\r\n\t "};
    unsigned                 good      = 0;
    for (unsigned order = 0; order < 256; order++) {
        const unsigned pick[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};
        if ((1U << pick[0] | 1U << pick[1] | 1U << pick[2] | 1U << pick[3]) != 15) {
            continue;
        }
        for (size_t b = 0; b < TLY_N(blanks); b++) {
            TLY_AUTO(arena) struct tly_arena arena;
            struct envelope                  e;
            char                             text[1024];
            const char                      *s = blanks[b];
            tly_arena_init(&arena, 1 << 20);
            (void)snprintf(text, sizeof text, "%s{%s%s%s,%s%s%s,%s%s%s,%s%s%s}%s", s, s,
                           fields[pick[0]], s, s, fields[pick[1]], s, s, fields[pick[2]], s, s,
                           fields[pick[3]], s, s);
            good += parse(tly_text(text), &arena, &e, NULL) == TLY_OK &&
                    remade(&e, tly_text(text)) &&
                    pae_is(&e, "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        }
    }
    T_EQ(good, 24 * 3, "every order and spacing; PAE is the DSSE specification's");
}

static void
accepted(void)
{
    static const struct {
        const char *text, *pae, *what;
    } rows[] = {
        {"{\"payload\" : \"\"," TYPE "," SIGS "}", "DSSEv1 29 http://example.com/HelloWorld 0 ",
         "no payload at all"},
        {"{" PAYLOAD ",\"payloadType\":\"\"," SIGS "}", "DSSEv1 0  11 hello world", "no type"},
        {"{" PAYLOAD ",\"payloadType\":\"http:\\/\\/example.com\\/HelloWorld\"," SIGS "}",
         "DSSEv1 29 http://example.com/HelloWorld 11 hello world", "slashes escaped, as PHP does"},
        {"{" PAYLOAD ",\"payloadType\":\"\\u00e9\\ud83d\\ude00\\n\"," SIGS "}",
         "DSSEv1 7 \xc3\xa9\xf0\x9f\x98\x80\n 11 hello world", "every kind of escape in the type"},
        {"{\"payload\":\"-_-_\",\"payloadType\":\"t\"," SIGS "}", "DSSEv1 1 t 3 \xfb\xff\xbf",
         "URL-safe alphabet"},
        {"{\"payload\":\"+/+/\",\"payloadType\":\"t\"," SIGS "}", "DSSEv1 1 t 3 \xfb\xff\xbf",
         "standard alphabet"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[" SIG "," SIG "," SIG "," SIG "]}",
         "DSSEv1 29 http://example.com/HelloWorld 11 hello world", "four signatures"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[{\"x\":[[]],\"keyid\":\"\\u0041\",\"sig\":\"" SIG64
         "\",\"cert\":null}]}",
         "DSSEv1 29 http://example.com/HelloWorld 11 hello world", "unknown fields of a signature"},
        {"{" PAYLOAD "," TYPE "," SIGS ",\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}",
         "DSSEv1 29 http://example.com/HelloWorld 11 hello world", "16 deep"},
    };
    for (size_t i = 0; i < TLY_N(rows); i++) {
        TLY_AUTO(arena) struct tly_arena arena;
        struct envelope                  e;
        tly_arena_init(&arena, 1 << 20);
        T_EQ(parse(tly_text(rows[i].text), &arena, &e, NULL), TLY_OK, rows[i].what);
        T_OK(pae_is(&e, rows[i].pae) && remade(&e, tly_text(rows[i].text)), "PAE and bytes");
    }
}

static void
refused(void)
{
#define REST "," TYPE "," SIGS "}"
    static const struct {
        const char *text, *field, *what;
    } rows[] = {
        {"", "", "nothing"},
        {"[]", "", "an array"},
        {"null", "", "null"},
        {"{}", "payload", "an empty object"},
        {"{" TYPE "," SIGS "}", "payload", "no payload"},
        {"{" PAYLOAD "," SIGS "}", "payloadType", "no payloadType"},
        {"{" PAYLOAD "," TYPE "}", "signatures", "no signatures"},
        {"{" PAYLOAD "," PAYLOAD REST, "", "payload twice"},
        {"{" PAYLOAD "," TYPE "," TYPE "," SIGS "}", "", "payloadType twice"},
        {"{" PAYLOAD "," SIGS REST, "", "signatures twice"},
        {"{\"x\":1,\"x\":1," PAYLOAD REST, "", "an unknown key twice"},
        {"{\"\\u0070ayload\":\"\"" REST, "", "an escape in a key"},
        {"{" PAYLOAD REST "x", "", "a trailing letter"},
        {"{" PAYLOAD REST "{}", "", "a trailing object"},
        {"{" PAYLOAD REST "\0", "", ""},
        {"\xef\xbb\xbf{" PAYLOAD REST, "", "a byte order mark"},
        {"{\"payload\":null" REST, "payload", "payload null"},
        {"{\"payload\":7" REST, "payload", "payload a number"},
        {"{\"payload\":\"aGVsbG8gd29ybGQ\"" REST, "payload", "padding missing"},
        {"{\"payload\":\"aGVsbG8gd29ybGR=\"" REST, "payload", "unused bits"},
        {"{\"payload\":\"aGVs bG8gd29ybGQ=\"" REST, "payload", "a space in base64"},
        {"{\"payload\":\"aGVsbG8gd29ybGQ\\u003d\"" REST, "payload", "an escape in payload"},
        {"{\"payload\":\"\\/+/+\"" REST, "payload", "an escaped slash in payload"},
        {"{\"payload\":\"+-+-\"" REST, "payload", "two alphabets"},
        {"{" PAYLOAD ",\"payloadType\":7," SIGS "}", "payloadType", "type a number"},
        {"{" PAYLOAD ",\"payloadType\":\"\xff\"," SIGS "}", "payloadType", "type not UTF-8"},
        {"{" PAYLOAD ",\"payloadType\":\"\xed\xa0\x80\"," SIGS "}", "payloadType", "a surrogate"},
        {"{" PAYLOAD ",\"payloadType\":\"\\ud83d\"," SIGS "}", "payloadType", "half a pair"},
        {"{" PAYLOAD ",\"payloadType\":\"\\ude00\\ud83d\"," SIGS "}", "payloadType", "turned pair"},
        {"{" PAYLOAD ",\"payloadType\":\"\n\"," SIGS "}", "payloadType", "a control character"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[]}", "signatures[0]", "no signature"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":{}}", "signatures", "signatures an object"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[null]}", "signatures[0]", "a signature null"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[" SIG "," SIG "," SIG "," SIG "," SIG "]}",
         "signatures", "five signatures"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[" SIG ",]}", "signatures[1]", "a comma behind"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[" SIG ",{\"keyid\":\"\"}]}", "signatures[1].sig",
         "no sig"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[{\"sig\":\"\"}]}", "signatures[0].sig",
         "sig empty"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[{\"sig\":\"" SIG64 "\",\"sig\":\"" SIG64 "\"}]}",
         "signatures[0]", "sig twice"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[{\"sig\":\"AA" SIG64 "\"}]}", "signatures[0].sig",
         "sig too long"},
        {"{" PAYLOAD "," TYPE ",\"signatures\":[{\"keyid\":7,\"sig\":\"" SIG64 "\"}]}",
         "signatures[0].keyid", "keyid a number"},
        {"{" PAYLOAD "," TYPE "," SIGS ",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "", "17 deep"},
        {"{" PAYLOAD "," TYPE "," SIGS ",\"x\":01}", "", "not JSON where it is ignored"},
        {"{" PAYLOAD "," TYPE "," SIGS ",\"x\":[1 2]}", "", "no comma"},
        {"{" PAYLOAD "," TYPE "," SIGS ",}", "", "a comma before the end"},
        {"{," PAYLOAD "," TYPE "," SIGS "}", "", "a comma before the first"},
        {"{" PAYLOAD "," TYPE "," SIGS ",\"x\"}", "", "a key alone"},
        {"{" PAYLOAD "," TYPE "," SIGS ",\"\xc0\xaf\":1}", "", "a key not UTF-8"},
    };
    for (size_t i = 0; i < TLY_N(rows); i++) {
        TLY_AUTO(arena) struct tly_arena arena;
        struct envelope                  e;
        struct tly_diag                  diag = {0};
        tly_arena_init(&arena, 1 << 20);
        if (rows[i].what[0] == '\0') { /* the NUL is part of the text */
            const struct tly_bytes in = {(const uint8_t *)rows[i].text, strlen(rows[i].text) + 1};
            T_EQ(parse(in, &arena, &e, &diag), TLY_EINPUT, "a trailing NUL");
            continue;
        }
        memset(&e, 0x77, sizeof e);
        const struct envelope keep = e;
        T_EQ(parse(tly_text(rows[i].text), &arena, &e, &diag), TLY_EINPUT, rows[i].what);
        T_STR(diag.field, rows[i].field, "the field is named");
        T_STR(diag.code, "S01", "the check is named");
        T_OK(memcmp(&e, &keep, sizeof e) == 0, "the output is untouched");
    }
}

static void
limits(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct envelope                  e;
    struct tly_diag                  diag;
    char                             text[8192];
    const struct tly_bytes           in = tly_text("{" PAYLOAD "," TYPE "," SIGS "}");
    tly_arena_init(&arena, 1 << 20);
    T_EQ(envelope_parse(in, 11, &arena, &e, NULL), TLY_OK, "a payload at its limit");
    T_EQ(envelope_parse(in, 10, &arena, &e, &diag), TLY_ETOOBIG, "one byte over");
    T_STR(diag.code, "too_large", "told");
    T_EQ(envelope_parse(in, 11, &(struct tly_arena){.bytes_max = 16}, &e, NULL), TLY_ENOMEM,
         "no memory");
    for (int over = 0; over < 2; over++) {
        char type[ENVELOPE_TYPE_LEN_MAX + 2] = "";
        memset(type, 't', ENVELOPE_TYPE_LEN_MAX + (size_t)over);
        (void)snprintf(text, sizeof text, "{" PAYLOAD ",\"payloadType\":\"%s\"," SIGS "}", type);
        T_EQ(parse(tly_text(text), &arena, &e, NULL), over ? TLY_EINPUT : TLY_OK, "type's length");
        size_t n = (size_t)snprintf(text, sizeof text, "{" PAYLOAD "," TYPE "," SIGS);
        for (int i = 3; i < ENVELOPE_FIELDS_MAX + over; i++) {
            n += (size_t)snprintf(text + n, sizeof text - n, ",\"k%d\":%d", i, i);
        }
        (void)snprintf(text + n, sizeof text - n, "}");
        T_EQ(parse(tly_text(text), &arena, &e, NULL), over ? TLY_EINPUT : TLY_OK, "fields");
    }
}

/* Cut at every byte, and every byte changed to every other: refused, or made again byte for byte
 * and, where it is not only white space or an ignored part that changed, not verified. */
static void
every_byte(void)
{
    struct tly_key         key;
    const struct tly_bytes in = tly_text(vector_envelope);
    T_OK(tly_unhex(tly_text(vector_key), key.b, 32), "key");
    unsigned cut     = 0;
    unsigned forged  = 0;
    unsigned inexact = 0;
    for (size_t n = 0; n < in.len; n++) {
        TLY_AUTO(arena) struct tly_arena arena;
        struct envelope                  e;
        uint8_t                         *half = malloc(n + 1); /* so that reading over is seen */
        tly_arena_init(&arena, (size_t)16 << 20);
        memcpy(half, in.data, n);
        cut += parse((struct tly_bytes){half, n}, &arena, &e, NULL) == TLY_OK;
        free(half);
        for (unsigned c = 0; c < 256; c++) {
            uint8_t changed[sizeof vector_envelope];
            memcpy(changed, in.data, in.len);
            changed[n]                  = (uint8_t)c;
            const struct tly_bytes view = {changed, in.len};
            if (changed[n] == in.data[n] || parse(view, &arena, &e, NULL) != TLY_OK) {
                continue;
            }
            inexact += !remade(&e, view);
            const bool same = tly_bytes_eq(e.payload, tly_text(vector_payload)) &&
                              tly_bytes_eq(e.type, tly_text(ENVELOPE_TYPE_BUNDLE));
            forged += envelope_verify(&e, 0, &key) && !same;
        }
    }
    T_EQ(cut, 0, "cut anywhere: refused");
    T_EQ(inexact, 0, "what is accepted is made again byte for byte");
    T_EQ(forged, 0, "another payload or type never verifies");
}

static void
several_signers(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct sign_secret               secrets[ENVELOPE_SIGNATURES_MAX];
    struct tly_hash                  keyids[ENVELOPE_SIGNATURES_MAX];
    struct tly_bytes                 text;
    struct envelope                  e;
    bool                             ok = true;
    tly_arena_init(&arena, 1 << 20);
    for (uint8_t i = 0; i < ENVELOPE_SIGNATURES_MAX; i++) {
        const uint8_t seed[32] = {i};
        sign_from_seed(seed, &secrets[i]);
        memset(keyids[i].b, i + 1, 32);
    }
    T_EQ(envelope_write(ENVELOPE_TYPE_DECISION, tly_text("{}"), secrets, keyids,
                        ENVELOPE_SIGNATURES_MAX, &arena, &text),
         TLY_OK, "four signatures");
    T_EQ(parse(text, &arena, &e, NULL), TLY_OK, "are read");
    for (unsigned i = 0; i < ENVELOPE_SIGNATURES_MAX; i++) {
        const struct tly_key key  = sign_public(&secrets[i]);
        const struct tly_key next = sign_public(&secrets[(i + 1) % ENVELOPE_SIGNATURES_MAX]);
        ok = ok && envelope_verify(&e, i, &key) && !envelope_verify(&e, i, &next) &&
             tly_hash_eq(&e.signatures[i].keyid, &keyids[i]);
    }
    T_OK(ok, "each verifies with its own key only");
    T_EQ(envelope_write(ENVELOPE_TYPE_DECISION, tly_text("{}"), secrets, keyids, 1,
                        &(struct tly_arena){.bytes_max = 64}, &text),
         TLY_ENOMEM, "no memory");
}

/* Told and not judged: a machine under load is no failure. */
static void
speed(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    const uint8_t                    seed[32] = {3};
    static uint8_t                   payload[4096];
    struct sign_secret               secret;
    struct tly_hash                  keyid = {{1}};
    struct tly_bytes                 text;
    struct timespec                  a;
    struct timespec                  b;
    bool                             ok = true;
    tly_arena_init(&arena, (size_t)64 << 20);
    sign_from_seed(seed, &secret);
    memset(payload, 0xa5, sizeof payload);
    T_EQ(envelope_write(ENVELOPE_TYPE_BUNDLE, (struct tly_bytes){payload, sizeof payload}, &secret,
                        &keyid, 1, &arena, &text),
         TLY_OK, "4 KB");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    for (int i = 0; i < 1000; i++) {
        struct envelope e;
        ok = parse(text, &arena, &e, NULL) == TLY_OK && ok;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    printf("# reading an envelope of 4 KB takes %ld ns\n",
           ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec) / 1000);
    T_OK(ok, "a thousand times");
}

/* One signature more, until it is full; the others stay as they are. */
static void
test_cosign(void)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = (size_t)1 << 20};
    struct sign_secret               secrets[ENVELOPE_SIGNATURES_MAX + 1];
    struct tly_hash                  keyids[ENVELOPE_SIGNATURES_MAX + 1] = {0};
    struct tly_bytes                 text;
    struct envelope                  e;
    bool                             ok = true;
    for (unsigned i = 0; i <= ENVELOPE_SIGNATURES_MAX; i++) {
        const uint8_t seed[32] = {(uint8_t)(i + 1)};
        sign_from_seed(seed, &secrets[i]);
        keyids[i].b[0] = (uint8_t)(i + 1);
    }
    T_EQ(envelope_write(ENVELOPE_TYPE_DECISION, tly_text("{\"a\":1}"), secrets, keyids, 1, &arena,
                        &text),
         TLY_OK, "one signature");
    for (unsigned n = 1; n <= ENVELOPE_SIGNATURES_MAX && ok; n++) {
        ok = envelope_parse(text, 1000, &arena, &e, NULL) == TLY_OK && e.signatures_n == n &&
             tly_bytes_eq(e.payload, tly_text("{\"a\":1}"));
        for (unsigned i = 0; i < n && ok; i++) {
            const struct tly_key key = sign_public(&secrets[i]);
            ok = envelope_verify(&e, i, &key) && tly_hash_eq(&e.signatures[i].keyid, &keyids[i]) &&
                 envelope_cosign(&e, &secrets[i], &keyids[i], &arena, &text, NULL) == TLY_ECONFLICT;
        }
        const enum tly_err want = n < ENVELOPE_SIGNATURES_MAX ? TLY_OK : TLY_ECONFLICT;
        ok = ok && envelope_cosign(&e, &secrets[n], &keyids[n], &arena, &text, NULL) == want;
    }
    T_OK(ok, "cosigned up to the limit, never twice by one key; all verify");
}

int
main(void)
{
    our_vector();
    every_order();
    accepted();
    refused();
    limits();
    every_byte();
    several_signers();
    speed();
    test_cosign();
    return T_DONE();
}
