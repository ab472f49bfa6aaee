/* SPDX-License-Identifier: Apache-2.0 */
/* An envelope that is read is made again byte for byte, its PAE is PAE of what jansson reads. */
#include "core/envelope.h"

#include <jansson.h>

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAYLOAD_MAX ((size_t)1 << 16)

static void
check_remade(const struct envelope *e, struct tly_bytes in)
{
    static char  text[TLY_BASE64_LEN(PAYLOAD_MAX)];
    const size_t n = TLY_BASE64_LEN(e->payload.len);
    TLY_CHECK(e->head.len + n + e->tail.len == in.len);
    tly_base64_encode(e->payload, e->alphabet, text);
    TLY_CHECK(memcmp(in.data + e->head.len, text, n) == 0);
    TLY_CHECK(e->head.data == in.data);
    TLY_CHECK(e->tail.data == in.data + e->head.len + n);
}

static void
check_pae(const struct envelope *e)
{
    static char header[256];
    const int   n = snprintf(header, sizeof header, "DSSEv1 %zu %.*s %zu ", e->type.len,
                             (int)e->type.len, (const char *)e->type.data, e->payload.len);
    if (memchr(e->type.data, 0, e->type.len) != NULL) {
        return; /* not for snprintf */
    }
    TLY_CHECK((size_t)n + e->payload.len == e->pae.len);
    TLY_CHECK(memcmp(e->pae.data, header, (size_t)n) == 0);
    TLY_CHECK(e->payload.data == e->pae.data + n);
}

/* jansson bounds numbers and we do not read them, so an overflow there says nothing. */
static void
check_json(const struct envelope *e, struct tly_bytes in)
{
    json_error_t error;
    json_t      *j =
        json_loadb((const char *)in.data, in.len, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);
    if (j == NULL) {
        TLY_CHECK(json_error_code(&error) == json_error_numeric_overflow);
        return;
    }
    const json_t *type    = json_object_get(j, "payloadType");
    const json_t *payload = json_object_get(j, "payload");
    const json_t *sigs    = json_object_get(j, "signatures");
    TLY_CHECK(json_string_length(type) == e->type.len);
    TLY_CHECK(memcmp(json_string_value(type), e->type.data, e->type.len) == 0);
    TLY_CHECK(json_string_length(payload) == TLY_BASE64_LEN(e->payload.len));
    TLY_CHECK(json_array_size(sigs) == e->signatures_n);
    json_decref(j);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TLY_AUTO(arena) struct tly_arena arena;
    const struct tly_bytes           in = {data, size};
    struct envelope                  e;
    struct tly_diag                  diag;
    tly_arena_init(&arena, (size_t)1 << 20);
    const enum tly_err err = envelope_parse(in, PAYLOAD_MAX, &arena, &e, &diag);
    TLY_CHECK(err == TLY_OK || err == TLY_EINPUT || err == TLY_ETOOBIG || err == TLY_ENOMEM);
    if (err == TLY_OK) {
        check_remade(&e, in);
        check_pae(&e);
        check_json(&e, in);
    }
    return 0;
}
