/* SPDX-License-Identifier: Apache-2.0 */
#include "where.h"

#include <string.h>

struct cursor {
    const uint8_t *p, *end;
};

static void
skip_space(struct cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r')) {
        c->p++;
    }
}

/* From the opening quote to behind the closing one; the text between. */
static struct tly_bytes
skip_string(struct cursor *c)
{
    const uint8_t *from = ++c->p;
    while (c->p < c->end && *c->p != '"') {
        c->p += *c->p == '\\' && c->end - c->p > 1 ? 2 : 1;
    }
    const struct tly_bytes text = {from, (size_t)(c->p - from)};
    c->p += c->p < c->end;
    return text;
}

static void
skip_value(struct cursor *c)
{
    unsigned depth = 0;
    while (c->p < c->end) {
        if (*c->p == '"') {
            (void)skip_string(c);
            continue;
        }
        if (*c->p == '{' || *c->p == '[') {
            depth++;
        } else if (*c->p == '}' || *c->p == ']') {
            if (depth == 0) {
                return;
            }
            depth--;
        } else if (*c->p == ',' && depth == 0) {
            return;
        }
        c->p++;
    }
}

/* At an object: goes to the value of a member; where its key stands, or NULL. */
static const uint8_t *
member(struct cursor *c, const char *key)
{
    if (c->p == c->end || *c->p != '{') {
        return NULL;
    }
    c->p++;
    for (;;) {
        skip_space(c);
        if (c->p == c->end || *c->p != '"') {
            return NULL;
        }
        const uint8_t         *at   = c->p;
        const struct tly_bytes name = skip_string(c);
        skip_space(c);
        c->p += c->p < c->end; /* the colon */
        skip_space(c);
        if (tly_bytes_eq(name, tly_text(key))) {
            return at;
        }
        skip_value(c);
        if (c->p == c->end || *c->p != ',') {
            return NULL;
        }
        c->p++;
    }
}

bool
where_find(struct tly_bytes text, const struct where *where, uint32_t *line, uint32_t *column)
{
    struct cursor  c  = {text.data, text.data + text.len};
    const uint8_t *at = NULL;
    skip_space(&c);
    for (unsigned i = 0; i < WHERE_KEYS_MAX && where->keys[i] != NULL; i++) {
        at = member(&c, where->keys[i]);
        if (at == NULL) {
            return false;
        }
    }
    if (at == NULL) {
        return false;
    }
    uint32_t       lines = 1;
    const uint8_t *start = text.data;
    for (const uint8_t *q = text.data; q < at; q++) {
        if (*q == '\n') {
            lines++;
            start = q + 1;
        }
    }
    *line   = lines;
    *column = (uint32_t)(at - start) + 1;
    return true;
}
