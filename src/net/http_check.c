/* SPDX-License-Identifier: Apache-2.0 */
/* What MHD 0.9.75 lets through even in strict mode, and what no request may have: two lengths, two
 * hosts, an unknown transfer coding, another version.  A proxy that reads such a request otherwise
 * than we do could be made to pass a second request inside the first (RFC 9112 6.3, 11.2). */
#include <strings.h>

#include "http_int.h"

struct head {
    unsigned         hosts;
    unsigned         lengths;
    unsigned         codings;
    bool             nul;
    struct tly_bytes length;
    struct tly_bytes coding;
};

static bool
is(const char *name, size_t len, const char *wanted)
{
    return len == strlen(wanted) && strncasecmp(name, wanted, len) == 0;
}

static enum MHD_Result
on_header(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
          size_t value_len)
{
    (void)kind;
    struct head           *head = arg;
    const struct tly_bytes v    = {(const uint8_t *)value, value == NULL ? 0 : value_len};
    if (is(name, name_len, MHD_HTTP_HEADER_HOST)) {
        head->hosts++;
    } else if (is(name, name_len, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
        head->lengths++;
        head->length = v;
    } else if (is(name, name_len, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        head->codings++;
        head->coding = v;
    }
    return MHD_YES;
}

/* A decoded argument with a NUL in it would read shorter than it is. */
static enum MHD_Result
on_argument(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len,
            const char *value, size_t value_len)
{
    (void)kind;
    struct head *head = arg;
    if (memchr(name, '\0', name_len) != NULL ||
        (value != NULL && memchr(value, '\0', value_len) != NULL)) {
        head->nul = true;
    }
    return MHD_YES;
}

/* Digits only; longer than size_t is SIZE_MAX - 1, which is over every limit. */
static bool
parse_length(struct tly_bytes text, size_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        if (__builtin_mul_overflow(n, 10U, &n) ||
            __builtin_add_overflow(n, (size_t)text.data[i] - '0', &n) || n == SIZE_MAX) {
            n = SIZE_MAX / 16;
        }
    }
    *out = n;
    return text.len > 0;
}

const char *
http_check_head(const struct http_req_priv *p, const char *version, size_t *length)
{
    struct head head = {0};
    (void)MHD_get_connection_values_n(p->mhd, MHD_HEADER_KIND, on_header, &head);
    (void)MHD_get_connection_values_n(p->mhd, MHD_GET_ARGUMENT_KIND, on_argument, &head);
    *length = 0;
    if (strcmp(version, MHD_HTTP_VERSION_1_1) != 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0) {
        return "the version is neither HTTP/1.1 nor HTTP/1.0";
    }
    if (head.hosts != 1) {
        return "there must be one Host";
    }
    if (head.lengths > 1 || head.codings > 1 || head.lengths + head.codings > 1) {
        return "the length of the body is given twice";
    }
    if (head.codings == 1 && !is((const char *)head.coding.data, head.coding.len, "chunked")) {
        return "the only transfer coding taken is chunked";
    }
    if (head.lengths == 1 && !parse_length(head.length, length)) {
        return "Content-Length is no number";
    }
    if (head.codings == 1) {
        *length = SIZE_MAX;
    }
    return head.nul || p->nul ? "a NUL in the address" : NULL;
}
