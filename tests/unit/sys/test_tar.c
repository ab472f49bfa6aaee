/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a TAR: headers made here byte by byte, each rule broken once, cut at every block and byte.  TARs of other
 * programs are read in tests/verify/damages_tar.py. */
#include "sys/tar.h"

#include "t.h"

#define IMAGE_MAX (64 * TAR_BLOCK)

static struct tly_arena arena;
static struct tly_diag  diag;
static uint8_t          image[IMAGE_MAX];
static size_t           image_n;
static char             seen[1024]; /* "NAME OFFSET SIZE\n" */

static void
octal(uint8_t *to, unsigned digits, unsigned n)
{
    for (; digits > 0; n /= 8) {
        to[--digits] = (uint8_t)('0' + n % 8);
    }
}

static void
sum_set(uint8_t *h)
{
    unsigned sum = 0;
    memset(h + 148, ' ', 8);
    for (unsigned i = 0; i < TAR_BLOCK; i++) {
        sum += h[i];
    }
    octal(h + 148, 6, sum);
    h[154] = 0;
}

/* Adds a member with its bytes; returns its header. */
static uint8_t *
member(const char *name, char type, const char *text)
{
    uint8_t     *h   = image + image_n;
    const size_t len = strlen(text);
    memset(h, 0, TAR_BLOCK);
    memcpy(h, name, strlen(name));
    octal(h + 124, 11, (unsigned)len);
    h[156] = (uint8_t)type;
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    sum_set(h);
    image_n += TAR_BLOCK;
    memcpy(image + image_n, text, len);
    image_n += (len + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    return h;
}

static enum tly_err
read_image(void *arg, uint64_t offset, size_t len, uint8_t *out, struct tly_diag *why)
{
    (void)arg;
    if (offset + len > image_n) {
        return tly_fail(why, TLY_EINPUT, "beyond the image");
    }
    memcpy(out, image + offset, len);
    return TLY_OK;
}

static enum tly_err
take(void *arg, const struct tar_file *file, struct tly_diag *why)
{
    char *to = seen + strlen(seen);
    (void)why;
    (void)snprintf(to, sizeof seen - (size_t)(to - seen), "%s %llu %llu\n", file->name,
                   (unsigned long long)file->offset, (unsigned long long)file->size);
    return arg == NULL ? TLY_OK : TLY_ECONFLICT;
}

static enum tly_err
walk(void)
{
    memset(image + image_n, 0, sizeof image - image_n);
    seen[0] = '\0';
    return tar_walk(read_image, take, NULL, image_n, &arena, &diag);
}

static void
begin(void)
{
    image_n = 0;
    memset(image, 0, sizeof image);
}

static void
good(void)
{
    begin();
    (void)member("./", '5', "");
    (void)member("./tile/", '5', "");
    (void)member("./a", '0', "hello");
    (void)member("tile/b", '\0', "");
    T_EQ(walk(), TLY_OK, "a TAR");
    T_STR(seen, "a 1536 5\ntile/b 2560 0\n", "its files, folders passed over, without ./");
    T_EQ(tar_walk(read_image, take, &arena, image_n, &arena, &diag), TLY_ECONFLICT,
         "who takes may stop");
    image_n += TAR_BLOCK;
    (void)member("c", '0', "x");
    T_EQ(walk(), TLY_OK, "a block of zeros ends it");
    T_STR(seen, "a 1536 5\ntile/b 2560 0\n", "whatever stands behind");
    begin();
    T_EQ(walk(), TLY_OK, "an empty one");
}

static void
names(void)
{
    begin();
    (void)member("././@LongLink", 'L', "long/name");
    (void)member("short", '0', "x");
    (void)member("x", 'x', "13 path=p/q\n18 comment=ignored\n");
    T_EQ(walk(), TLY_EINPUT, "a pax record with a wrong length");
    image_n -= TAR_BLOCK * 2;
    (void)member("x", 'x', "12 path=p/q\n19 comment=ignored\n");
    (void)member("other", '0', "y");
    (void)member("after", '0', "z");
    T_EQ(walk(), TLY_OK, "long names");
    T_STR(seen, "long/name 1536 1\np/q 3584 1\nafter 4608 1\n",
          "of GNU and of pax, each for the next member alone");
    begin();
    uint8_t *h = member("b", '0', "x");
    memcpy(h + 345, "prefix", 6);
    sum_set(h);
    T_EQ(walk(), TLY_OK, "a prefix");
    T_STR(seen, "prefix/b 512 1\n", "of ustar");
    memcpy(h + 257, "ustar  ", 8);
    sum_set(h);
    T_EQ(walk(), TLY_OK, "GNU's header");
    T_STR(seen, "b 512 1\n", "has none");
}

static void
sizes(void)
{
    begin();
    (void)member("x", 'x', "9 size=3\n");
    uint8_t *h = member("a", '0', "abc");
    memcpy(h + 124, "00000000000", 12);
    sum_set(h);
    (void)member("b", '0', "");
    T_EQ(walk(), TLY_OK, "a size of pax");
    T_STR(seen, "a 1536 3\nb 2560 0\n", "is believed");
    begin();
    h = member("a", '0', "abc");
    memset(h + 124, 0, 12);
    h[124] = 0x80;
    h[135] = 3;
    sum_set(h);
    T_EQ(walk(), TLY_OK, "a size in base 256");
    T_STR(seen, "a 512 3\n", "is read");
    h[127] = 1;
    sum_set(h);
    T_EQ(walk(), TLY_EINPUT, "one over 64 bits is not");
    memcpy(h + 124, "0000000000x", 12);
    sum_set(h);
    T_EQ(walk(), TLY_EINPUT, "a size that is no number");
}

static void
refused(void)
{
    static const struct {
        const char *name, *why;
        char        type;
    } bad[] = {{"/etc/passwd", "absolute", '0'},
               {"a/../../b", "climbs", '0'},
               {"..", "is ..", '0'},
               {"a", "a symbolic link", '2'},
               {"a", "a hard link", '1'},
               {"a", "a pipe", '6'},
               {"a", "a device", '3'},
               {"./", "a file without a name", '0'},
               {"a", "a type that there is not", 'Z'}};
    for (size_t i = 0; i < TLY_N(bad); i++) {
        begin();
        (void)member(bad[i].name, bad[i].type, "");
        T_EQ(walk(), TLY_EINPUT, bad[i].why);
    }
    begin();
    (void)member("a", '0', "hello");
    image[0] ^= 1;
    T_EQ(walk(), TLY_EINPUT, "a wrong checksum");
    T_OK(strstr(diag.text, "byte 0") != NULL, "says where");
}

static void
cut(void)
{
    unsigned bad = 0;
    begin();
    (void)member("x", 'x', "12 path=p/q\n");
    (void)member("a", '0', "hello");
    const size_t whole = image_n;
    for (size_t len = 1; len < whole; len++) {
        image_n                = len;
        seen[0]                = '\0';
        const enum tly_err err = tar_walk(read_image, take, NULL, len, &arena, &diag);
        /* The padding behind the last file, and what a header announces, may be missing. */
        const bool good =
            (len >= TAR_BLOCK + 12 && len <= 2 * TAR_BLOCK) || len >= 3 * TAR_BLOCK + 5;
        bad += err != (good ? TLY_OK : TLY_EINPUT);
    }
    T_EQ(bad, 0, "cut at every byte");
}

int
main(void)
{
    tly_arena_init(&arena, (size_t)4 << 20);
    good();
    names();
    sizes();
    refused();
    cut();
    tly_arena_done(&arena);
    return T_DONE();
}
