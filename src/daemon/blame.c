/* SPDX-License-Identifier: Apache-2.0 */
/* A root that is not the one that it must be says that some entry was changed.  The published entries,
 * which add up to a signed head, say which one. */
#include <inttypes.h>
#include <stdio.h>

#include "service.h"
#include "sys/log.h"

#define BLAME_ARENA_MAX ((size_t)8 << 30)
#define LINE_MAX        60

/* The next line of a leaf, without its end. */
static struct tly_bytes
line_take(struct tly_bytes *text)
{
    const uint8_t         *end  = text->len == 0 ? NULL : memchr(text->data, '\n', text->len);
    const size_t           len  = end == NULL ? text->len : (size_t)(end - text->data);
    const struct tly_bytes line = {text->data, len};
    text->data += end == NULL ? len : len + 1;
    text->len -= end == NULL ? len : len + 1;
    return line;
}

static int
cut(struct tly_bytes line)
{
    return line.len < LINE_MAX ? (int)line.len : LINE_MAX;
}

void
service_blame(struct service *s, enum tly_err err)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = BLAME_ARENA_MAX};
    uint64_t                         position;
    struct tly_bytes                 published;
    char                             leaf[LEAF_SIZE];
    if (err != TLY_ECORRUPT || s->publish == NULL ||
        !publish_blame(s->publish, &arena, &position, &published)) {
        return;
    }
    struct tly_bytes stored = {(const uint8_t *)leaf, book_leaf(s->book, position, leaf)};
    struct tly_bytes a, b;
    do {
        a = line_take(&stored);
        b = line_take(&published);
    } while (tly_bytes_eq(a, b) && (stored.len > 0 || published.len > 0));
    struct tly_diag why;
    (void)tly_fail(&why, err,
                   "ledger position %" PRIu64
                   ": the database gives \"%.*s\", published is \"%.*s\"",
                   position, cut(a), (const char *)a.data, cut(b), (const char *)b.data);
    log_event(LOG_ERR, "ledger.differs", "why=%s", log_why(why.text).s);
}
