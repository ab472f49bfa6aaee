/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: RFC 4180 in place, the exact line and byte column of every fault, reading on behind it. */
#include "pack/csv.h"

#include "base/check.h"
#include "t.h"

static struct tly_arena arena;
static struct faults    faults;
static uint8_t          buffer[4096];

#define HEAD "a,b,c\n"

static bool
begin(struct csv *csv, const char *text, size_t len)
{
    tly_arena_done(&arena);
    faults = (struct faults){.arena = &arena};
    memcpy(buffer, text, len);
    buffer[len] = 0x55; /* what csv must overwrite, never read */
    return csv_open(csv, "x.csv", buffer, len, "a,b,c", &faults);
}

static void
fields_are(const char *text, const char *a, const char *b, const char *c)
{
    struct csv csv;
    T_OK(begin(&csv, text, strlen(text)) && csv_next(&csv), "a row");
    T_STR(csv_text(&csv, 0), a, "first");
    T_STR(csv_text(&csv, 1), b, "second");
    T_STR(csv_text(&csv, 2), c, "third");
    T_OK(!csv_next(&csv) && faults.n == 0, "no more, no fault");
}

static void
one_fault(const char *text, uint32_t line, uint32_t column, const char *says)
{
    struct csv csv;
    if (begin(&csv, text, strlen(text))) {
        while (csv_next(&csv)) {
        }
    }
    T_EQ(faults.n, 1, says);
    if (faults.n > 0) {
        T_EQ(faults.list[0].line, line, "line");
        T_EQ(faults.list[0].column, column, "column");
        if (!T_OK(strstr(faults.list[0].text, says) != NULL, says)) {
            printf("# %s\n", faults.list[0].text);
        }
    }
}

static void
good(void)
{
    fields_are(HEAD "1,2,3\n", "1", "2", "3");
    fields_are(HEAD "1,2,3", "1", "2", "3");
    fields_are(HEAD ",,\n", "", "", "");
    fields_are(HEAD "\"\",\"\",\"\"", "", "", "");
    fields_are(HEAD "\"a,b\",\"say \"\"yes\"\"\",\" x \"\n", "a,b", "say \"yes\"", " x ");
    fields_are(HEAD "\"two\nlines\",\"\"\"\",z\n", "two\nlines", "\"", "z");
    fields_are(HEAD "علی‌آباد,ك ي ی,۱۲۳\n", "علی‌آباد", "ك ي ی", "۱۲۳");
    fields_are(HEAD "\xf0\x90\x80\x80,\xf4\x8f\xbf\xbf,\xed\x9f\xbf\n", "\xf0\x90\x80\x80",
               "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf");
}

static void
bad(void)
{
    one_fault("", 1, 1, "the header row is \"\"");
    one_fault("a,b\n", 1, 1, "it must be \"a,b,c\"");
    one_fault("a,b,c\r\n", 1, 1, "with a carriage return");
    one_fault("\xef\xbb\xbf" HEAD, 1, 1, "the header row");
    one_fault(HEAD "1,2\n", 2, 1, "too few fields, there must be 3");
    one_fault(HEAD "1,2,3,4\n", 2, 1, "too many fields");
    one_fault(HEAD "\n", 2, 1, "an empty line");
    one_fault(HEAD "1,2,3\r\n", 2, 6, "a carriage return");
    one_fault(HEAD "1,x\"y\",3\n", 2, 4, "a quote inside a field");
    one_fault(HEAD "1,\"y\"z,3\n", 2, 6, "behind the closing quote");
    one_fault(HEAD "1,2,3\n4,\"5,6\n7,8,9\n", 3, 3, "never closed");
    one_fault(HEAD "\"\n\n\",2,\"3\"x\n", 4, 8, "behind the closing quote");
    one_fault(HEAD "1,2,3\n\xd8,2,3\n", 3, 1, "byte 0xd8");
    one_fault(HEAD "1,\xc0\xaf,3\n", 2, 3, "not UTF-8");         /* overlong */
    one_fault(HEAD "1,2,\xed\xa0\x80\n", 2, 5, "not UTF-8");     /* a surrogate */
    one_fault(HEAD "1,2,\xf4\x90\x80\x80\n", 2, 5, "not UTF-8"); /* above U+10FFFF */
    one_fault(HEAD "1,2,\xe2\x80", 2, 5, "not UTF-8");           /* cut */
    struct csv csv;
    T_OK(!begin(&csv, HEAD "1,2\0,3\n", sizeof HEAD - 1 + 7), "a NUL");
    T_EQ(faults.n, 1, "one fault");
    T_EQ(faults.list[0].column, 4, "its column");
}

/* Behind each fault the next rows are read, and every row has its own. */
static void
goes_on(void)
{
    struct csv csv;
    unsigned   rows   = 0;
    const char text[] = HEAD "1\n1,2,3\n1,\"2\"x,3\nq\"\n4,5,6\n\n";
    T_OK(begin(&csv, text, sizeof text - 1), "opened");
    T_OK(csv.rows_max >= 6, "an upper bound of rows");
    while (csv_next(&csv)) {
        rows++;
    }
    T_EQ(rows, 2, "both good rows");
    T_EQ(faults.n, 4, "four faults");
    T_EQ(faults.list[3].line, 7, "the last in its line");
}

/* A text cut at every byte never reads behind its end (the sanitizers look on). */
static void
cut(void)
{
    const char text[] = HEAD "\"a\"\"\nb\",علی,\"c\"\n1,2,3\n";
    for (size_t n = 0; n < sizeof text; n++) {
        uint8_t   *exact = malloc(n + 1);
        struct csv csv;
        TLY_CHECK(exact != NULL);
        tly_arena_done(&arena);
        faults = (struct faults){.arena = &arena};
        memcpy(exact, text, n);
        if (csv_open(&csv, "x.csv", exact, n, "a,b,c", &faults)) {
            while (csv_next(&csv)) {
                T_OK(strlen(csv_text(&csv, 2)) <= 3, "a field ends with a NUL");
            }
        }
        free(exact);
    }
}

static void
many_faults(void)
{
    struct csv csv;
    char       text[4000] = HEAD;
    size_t     len        = strlen(text);
    while (len < 2 * (FAULTS_MAX + 10) + sizeof HEAD) {
        text[len++] = 'x';
        text[len++] = '\n';
    }
    T_OK(begin(&csv, text, len) && !csv_next(&csv), "only faults");
    T_OK(faults.n > FAULTS_MAX, "all are counted");
    T_EQ(faults.kept, FAULTS_MAX, "and the first thousand kept");
}

int
main(void)
{
    tly_arena_init(&arena, (size_t)16 << 20);
    good();
    bad();
    goes_on();
    cut();
    many_faults();
    tly_arena_done(&arena);
    return T_DONE();
}
