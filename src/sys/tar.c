/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/tar.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/num.h"

/* Places in a header block (POSIX.1-2001, pax interchange format). */
enum { AT_NAME = 0, AT_SIZE = 124, AT_SUM = 148, AT_TYPE = 156, AT_MAGIC = 257, AT_PREFIX = 345 };
enum { LEN_NAME = 100, LEN_SIZE = 12, LEN_SUM = 8, LEN_PREFIX = 155 };

#define NO_SIZE UINT64_MAX

struct walk {
    tar_read          read;
    tar_take          take;
    void             *arg;
    uint64_t          size, at;
    struct tly_arena *arena;
    struct tly_diag  *diag;
    /* What an extended header says of the member behind it. */
    const char *name; /* NULL: nothing */
    uint64_t    member_size;
};

static enum tly_err
wrong(const struct walk *w, const char *what)
{
    return tly_fail(w->diag, TLY_EINPUT, "no TAR that can be read: byte %" PRIu64 ": %s", w->at,
                    what);
}

/* An octal number with spaces or NULs behind it, or GNU's base 256 for what is larger. */
static bool
number_read(const uint8_t *field, size_t len, uint64_t *out)
{
    uint64_t n = 0;
    size_t   i = 0;
    if ((field[0] & 0x80) != 0) {
        for (i = 1; i < len - sizeof n; i++) {
            if (field[i] != 0) {
                return false;
            }
        }
        for (; i < len; i++) {
            n = n << 8 | field[i];
        }
        *out = n;
        return field[0] == 0x80;
    }
    while (i < len && field[i] == ' ') {
        i++;
    }
    const size_t first = i;
    for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
        n = n << 3 | (uint64_t)(field[i] - '0');
    }
    const bool some = i > first;
    while (i < len && (field[i] == ' ' || field[i] == '\0')) {
        i++;
    }
    *out = n;
    return some && i == len;
}

static bool
sum_is_right(const uint8_t block[TAR_BLOCK])
{
    uint64_t want;
    uint64_t sum = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        sum += i >= AT_SUM && i < AT_SUM + LEN_SUM ? ' ' : block[i];
    }
    return number_read(block + AT_SUM, LEN_SUM, &want) && sum == want;
}

static bool
is_zero(const uint8_t block[TAR_BLOCK])
{
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        if (block[i] != 0) {
            return false;
        }
    }
    return true;
}

/* No absolute name, no "..", no NUL; "./" before it and a slash behind it are cut off. */
static enum tly_err
name_clean(const struct walk *w, const char *text, const char **out)
{
    while (text[0] == '.' && text[1] == '/') {
        text += 2;
        while (text[0] == '/') {
            text++;
        }
    }
    const size_t len = strlen(text);
    if (len > TAR_NAME_MAX || text[0] == '/') {
        return wrong(w, "a name that is absolute or too long");
    }
    for (const char *p = text; p != NULL; p = strchr(p, '/'), p = p == NULL ? NULL : p + 1) {
        if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0')) {
            return wrong(w, "a name with \"..\"");
        }
    }
    *out = tly_arena_text(w->arena, (struct tly_bytes){(const uint8_t *)text, len});
    return *out == NULL ? TLY_ENOMEM : TLY_OK;
}

/* The name as the header block has it. */
static void
name_of(const uint8_t block[TAR_BLOCK], char out[LEN_PREFIX + LEN_NAME + 2])
{
    size_t len = 0;
    if (memcmp(block + AT_MAGIC, "ustar\0", 6) == 0) { /* GNU's "ustar  " has other things there */
        len = strnlen((const char *)block + AT_PREFIX, LEN_PREFIX);
        memcpy(out, block + AT_PREFIX, len);
        if (len > 0) {
            out[len++] = '/';
        }
    }
    const size_t n = strnlen((const char *)block + AT_NAME, LEN_NAME);
    memcpy(out + len, block + AT_NAME, n);
    out[len + n] = '\0';
}

/* One "LEN KEY=VALUE\n" of a pax header; false: it is none. */
static bool
pax_record(struct tly_bytes *rest, struct tly_bytes *key, struct tly_bytes *value)
{
    const uint8_t *space = memchr(rest->data, ' ', rest->len);
    uint64_t       len   = 0;
    if (space == NULL ||
        !tly_u64_parse((struct tly_bytes){rest->data, (size_t)(space - rest->data)}, rest->len,
                       &len) ||
        len < (size_t)(space - rest->data) + 3 || rest->data[len - 1] != '\n') {
        return false;
    }
    const uint8_t *end    = rest->data + len - 1;
    const uint8_t *equals = memchr(space + 1, '=', (size_t)(end - space - 1));
    if (equals == NULL) {
        return false;
    }
    *key   = (struct tly_bytes){space + 1, (size_t)(equals - space - 1)};
    *value = (struct tly_bytes){equals + 1, (size_t)(end - equals - 1)};
    rest->data += len;
    rest->len -= (size_t)len;
    return true;
}

static enum tly_err
pax_read(struct walk *w, struct tly_bytes text)
{
    struct tly_bytes key;
    struct tly_bytes value;
    while (text.len > 0) {
        if (!pax_record(&text, &key, &value)) {
            return wrong(w, "a pax header that is none");
        }
        if (tly_bytes_eq(key, tly_text("path"))) {
            if (memchr(value.data, '\0', value.len) != NULL) {
                return wrong(w, "a NUL in a name");
            }
            w->name = tly_arena_text(w->arena, value);
            if (w->name == NULL) {
                return TLY_ENOMEM;
            }
        } else if (tly_bytes_eq(key, tly_text("size"))) {
            if (!tly_u64_parse(value, INT64_MAX, &w->member_size)) {
                return wrong(w, "a size that is no number");
            }
        }
    }
    return TLY_OK;
}

/* A member that tells of the next one: pax header or GNU's long name. */
static enum tly_err
extension_read(struct walk *w, uint8_t type, uint64_t size)
{
    if (size > TAR_EXT_MAX) {
        return wrong(w, "an extended header that is too long");
    }
    uint8_t *text = tly_arena_alloc(w->arena, (size_t)size + 1, 1);
    if (text == NULL) {
        return TLY_ENOMEM;
    }
    const enum tly_err err = w->read(w->arg, w->at + TAR_BLOCK, (size_t)size, text, w->diag);
    if (err != TLY_OK) {
        return err;
    }
    if (type == 'L') {
        w->name = (const char *)text;
        return TLY_OK;
    }
    return type == 'x' ? pax_read(w, (struct tly_bytes){text, (size_t)size}) : TLY_OK;
}

static enum tly_err
member_read(struct walk *w, const uint8_t block[TAR_BLOCK], uint64_t size)
{
    const uint8_t   type = block[AT_TYPE];
    char            plain[LEN_PREFIX + LEN_NAME + 2];
    struct tar_file file = {.offset = w->at + TAR_BLOCK, .size = size};
    name_of(block, plain);
    const enum tly_err err = name_clean(w, w->name != NULL ? w->name : plain, &file.name);
    w->name                = NULL;
    w->member_size         = NO_SIZE;
    if (err != TLY_OK) {
        return err;
    }
    const size_t len = strlen(file.name);
    if (type == '5' || (len > 0 && file.name[len - 1] == '/')) {
        return TLY_OK;
    }
    if (type != '0' && type != '\0' && type != '7') {
        return wrong(w, "a member that is neither a file nor a folder");
    }
    return len == 0 ? wrong(w, "a file without a name") : w->take(w->arg, &file, w->diag);
}

/* The member at w->at, and on to the next. */
static enum tly_err
step(struct walk *w, const uint8_t block[TAR_BLOCK])
{
    const uint8_t type  = block[AT_TYPE];
    const bool    about = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    uint64_t      size  = 0;
    if (!sum_is_right(block) || !number_read(block + AT_SIZE, LEN_SIZE, &size)) {
        return wrong(w, "no header, or its checksum is wrong");
    }
    if (!about && w->member_size != NO_SIZE) {
        size = w->member_size;
    }
    if (size > w->size - w->at - TAR_BLOCK) {
        return wrong(w, "it ends in the middle of a file; it was cut, fetch it again");
    }
    const enum tly_err err = about ? extension_read(w, type, size) : member_read(w, block, size);
    const uint64_t     all = TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    w->at                  = all > w->size - w->at ? w->size : w->at + all;
    return err;
}

enum tly_err
tar_walk(tar_read read, tar_take take, void *arg, uint64_t size, struct tly_arena *arena,
         struct tly_diag *diag)
{
    struct walk w = {.read        = read,
                     .take        = take,
                     .arg         = arg,
                     .size        = size,
                     .arena       = arena,
                     .diag        = diag,
                     .member_size = NO_SIZE};
    while (w.at < size) {
        uint8_t block[TAR_BLOCK];
        if (size - w.at < TAR_BLOCK) {
            return wrong(&w, "it ends in the middle of a header");
        }
        enum tly_err err = read(arg, w.at, sizeof block, block, diag);
        if (err != TLY_OK) {
            return err;
        }
        if (is_zero(block)) {
            return TLY_OK;
        }
        err = step(&w, block);
        if (err != TLY_OK) {
            return err;
        }
    }
    return TLY_OK;
}
