/* SPDX-License-Identifier: Apache-2.0 */
/* Proves the payload's reader: every field, what S01 and S06 refuse and which field they name,
 * every cut and every changed byte against jansson, random documents, and rows made to be slow. */
#include "core/payload.h"

#include <time.h>

#include "payload_json.h"
#include "t.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEX32 "00112233445566778899aabbccddeeff"
#define NUMBERS                                                                                    \
    "\"authenticated\":{\"online\":140,\"offline\":10,\"manual\":3},\"issued\":150,\"cast\":149,"  \
    "\"blank\":4,\"invalid\":5,\"valid\":140,\"excluded\":1"
static const char good[] =
    "{\"election\":\"ir-7\",\"definition\":\"" HEX64 "\",\"phase\":\"official\",\"branch\":\"b-1\","
    "\"terminal\":\"t-1\",\"revision\":1,\"prev\":null,\"salt\":\"" HEX32 "\",\"opened_at\":100,"
    "\"closed_at\":200,\"made_at\":201,\"contests\":[{\"contest\":\"city\"," NUMBERS
    ",\"candidates\":[[\"c1\",70],[\"c2\",71],[\"c10\",0]]},{\"contest\":\"tehran\"," NUMBERS
    ",\"lists\":[[\"a\",60],[\"b\",2147483647]],\"mixed\":20,\"candidates\":[[\"z\",19],[\"a\",20]]"
    "},"
    "{\"contest\":\"village\",\"not_held\":\"no \\\"paper\\\" \\u06f1\"}]}";

static struct payload_vote votes[PAYLOAD_VOTES_MAX(PAYLOAD_BYTES_MAX)];
static struct payload      payload;

static enum tly_err
parse(struct tly_bytes in, struct tly_diag *diag)
{
    return payload_parse(in, votes, (uint32_t)PAYLOAD_VOTES_MAX(in.len), &payload, diag);
}

static bool
is(struct tly_bytes text, const char *want)
{
    return tly_bytes_eq(text, tly_text(want));
}

static void
every_field(void)
{
    const struct payload_contest *c = payload.contests;
    T_EQ(parse(tly_text(good), NULL), TLY_OK, "a payload is read");
    T_OK(is(payload.election, "ir-7") && is(payload.branch, "b-1") && is(payload.terminal, "t-1"),
         "election, branch, terminal");
    T_OK(payload.phase == PHASE_OFFICIAL && payload.revision == 1 && !payload.has_prev, "phase...");
    T_OK(payload.definition.b[1] == 0x11 && payload.salt[15] == 0xff, "definition, salt");
    T_OK(payload.opened_at == 100 && payload.closed_at == 200 && payload.made_at == 201, "times");
    T_OK(payload.contests_n == 3 && payload.votes_n == 7, "sizes");
    T_OK(is(c[0].code, "city") && c[0].not_held.data == NULL && !c[0].has_lists, "first contest");
    static const uint32_t want[COUNTS_N] = {140, 10, 3, 150, 149, 4, 5, 140, 1, 0};
    T_OK(memcmp(c[0].counts, want, sizeof want) == 0, "its counts");
    T_OK(c[0].candidates_first == 0 && c[0].candidates_n == 3 && is(votes[2].code, "c10") &&
             votes[1].votes == 71,
         "its candidates");
    T_OK(c[1].has_lists && c[1].lists_first == 3 && c[1].lists_n == 2 &&
             votes[4].votes == 2147483647 && c[1].counts[COUNT_MIXED] == 20,
         "lists and mixed");
    T_OK(c[1].candidates_first == 5 && is(votes[5].code, "z") && is(votes[6].code, "a"),
         "rows stay in their order");
    T_OK(is(c[2].not_held, "no \\\"paper\\\" \\u06f1"), "the reason keeps its escapes");
    T_OK(pj_agrees(tly_text(good), &payload), "jansson reads the same");
    T_STR(count_name(COUNT_ONLINE), "authenticated_online", "names as in counts.csv");
    T_STR(count_name(COUNT_MIXED), "mixed", "names as in counts.csv");
}

/* The payload with one piece of text changed. */
static struct tly_bytes
edited(const char *from, const char *to)
{
    static char text[4096];
    const char *at = strstr(good, from);
    if (at == NULL) {
        abort();
    }
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    return tly_text(text);
}

static void
accepted(void)
{
    static const char *const edits[][2] = {
        {"\"official\"", "\"rehearsal\""},
        {"\"prev\":null", "\"prev\":\"" HEX64 "\""},
        {"\"revision\":1", "\"revision\":2147483647"},
        {"\"made_at\":201", "\"made_at\":1099511627775"},
        {"\"opened_at\":100", "\"opened_at\":0"},
        {"\"cast\":149", "\"cast\" : 2147483647 "},
        {"\"cast\":149", "\"cast\":0"},
        {"[[\"c1\",70],[\"c2\",71],[\"c10\",0]]", "[]"},
        {"[[\"c1\",70],", "\t[ [ \"c1\"\r\n, 70 ] ,"},
        {"[\"c1\",70],[\"c2\",71]", "[\"c2\",70],[\"c1\",71]"},
        {"no \\\"paper\\\" \\u06f1", "\xd8\xb1\xd8\xa3\xdb\x8c \\ud83d\\ude00 \xf0\x9f\x98\x80"},
        {"\"ir-7\"", "\"aAzZ09._-\""},
        {"\"branch\":\"b-1\",\"terminal\":\"t-1\"", "\"terminal\":\"t-1\",\"branch\":\"b-1\""},
        {"\"blank\":4,\"invalid\":5", "\"invalid\":5,\"blank\":4"},
    };
    for (size_t i = 0; i < TLY_N(edits); i++) {
        const struct tly_bytes in = edited(edits[i][0], edits[i][1]);
        T_EQ(parse(in, NULL), TLY_OK, "accepted");
        T_OK(pj_agrees(in, &payload), "and jansson agrees");
    }
}

struct bad {
    const char *from, *to, *field;
};

static void
refuse_rows(const struct bad rows[], size_t n, enum tly_err err, const char *code)
{
    for (size_t i = 0; i < n; i++) {
        struct tly_diag diag = {0};
        if (!T_EQ(parse(edited(rows[i].from, rows[i].to), &diag), err, rows[i].from) ||
            !T_STR(diag.field, rows[i].field, "the field is named")) {
            printf("# edit: %s\n", rows[i].to);
        }
        T_STR(diag.code, code, "the check is named");
    }
}

/* Bytes of the JSON value that begins there. */
static size_t
value_len(const char *p)
{
    size_t len   = 0;
    int    depth = 0;
    bool   text  = false;
    do {
        const char c = p[len++];
        if (text && c == '\\') {
            len++;
        } else if (c == '"') {
            text = !text;
        } else if (!text) {
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        }
    } while (text || depth > 0 || strchr(",}]", p[len]) == NULL);
    return len;
}

/* Every key of every object a second time, with the value that it has: refused by its name. */
static void
every_key_twice(void)
{
    static char text[2 * sizeof good];
    unsigned    keys = 0, wrong = 0;
    for (const char *at = good; (at = strchr(at, '"')) != NULL;) {
        const size_t len = strcspn(at + 1, "\"") + 2;
        if (at[len] == ':' && (at[-1] == ',' || at[-1] == '{')) {
            struct tly_diag diag   = {0};
            const int       member = (int)(len + 1 + value_len(at + len + 1));
            (void)snprintf(text, sizeof text, "%.*s,%s", (int)(at - good) + member, good, at);
            const enum tly_err err   = parse(tly_text(text), &diag);
            const bool         named = strstr(diag.text, "twice") != NULL;
            keys++;
            if (err != TLY_EINPUT || !named) {
                wrong++;
                printf("# %.*s: %d %s %s\n", (int)len, at, (int)err, diag.field, diag.text);
            }
        }
        at += len;
    }
    T_EQ(wrong, 0, "no key may stand twice");
    T_EQ(keys, 40, "of all objects");
}

static void
refused_s01(void)
{
    static const struct bad rows[] = {
        {"{\"election\"", "\"election\"", ""},
        {"]}", "]},", "contests[1]"},
        {"\"election\"", "\"Election\"", ""},
        {"\"election\"", "\"elect\\u0069on\"", ""},
        {"\"election\":\"ir-7\"", "\"election\":7", "election"},
        {"\"election\":\"ir-7\"", "\"election\":null", "election"},
        {"\"ir-7\"", "\"ir\\u002d7\"", "election"},
        {"\"ir-7\"", "\"ir\xff\"", "election"},
        {"\"branch\"", "\"election\":\"ir-7\",\"branch\"", "election"},
        {"\"branch\"", "\"more\":1,\"branch\"", ""},
        {"\"phase\":\"official\"", "\"phase\":true", "phase"},
        {"\"revision\":1", "\"revision\":\"1\"", "revision"},
        {"\"revision\":1", "\"revision\":01", "revision"},
        {"\"revision\":1", "\"revision\":1.0", "revision"},
        {"\"revision\":1", "\"revision\":1e0", "revision"},
        {"\"revision\":1", "\"revision\":+1", "revision"},
        {"\"revision\":1", "\"revision\":-0", "revision"},
        {"\"revision\":1", "\"revision\":-", "revision"},
        {"\"revision\":1", "\"revision\":-01", "revision"},
        {"\"revision\":1", "\"revision\":0x1", "revision"},
        {"\"revision\":1", "\"revision\":", "revision"},
        {"\"revision\":1", "\"revision\":1 1", "revision"},
        {"\"prev\":null", "\"prev\":nul", "prev"},
        {"\"prev\":null", "\"prev\":false", "prev"},
        {"\"prev\":null", "\"prev\":0", "prev"},
        {"\"salt\":\"" HEX32 "\"", "\"salt\":[]", "salt"},
        {"\"contests\":[", "\"contests\":{", "contests"},
        {"\"contests\":[", "\"contests\":[null,", "contests[0]"},
        {"\"contests\":[", "\"contests\":[,", "contests[0]"},
        {"\"contest\":\"tehran\"", "\"contest\":\"city\"", "contests[1].contest"},
        {"\"contest\":\"tehran\"", "\"contest\":\"tehran\",\"contest\":\"x\"",
         "contests[1].contest"},
        {"\"cast\":149", "\"cast\":149.0", "contests[0].cast"},
        {"\"cast\":149", "\"cast\":1e2", "contests[0].cast"},
        {"\"cast\":149", "\"cast\":null", "contests[0].cast"},
        {"\"cast\":149", "\"cast\":149,\"cast\":149", "contests[0].cast"},
        {"\"cast\":149", "\"cast\":149,\"Cast\":149", "contests[0]"},
        {"\"online\":140", "\"online\":140,\"online\":140", "contests[0].authenticated.online"},
        {"\"online\":140", "\"online\":-0", "contests[0].authenticated.online"},
        {"\"online\":140", "\"on\":140", "contests[0].authenticated"},
        {"{\"online\":140,\"offline\":10,\"manual\":3}", "153", "contests[0].authenticated"},
        {"[\"c2\",71]", "[\"c1\",71]", "contests[0].candidates[1]"},
        {"[\"c10\",0]", "[\"c1\",0]", "contests[0].candidates[2]"},
        {"[\"b\",2147483647]", "[\"a\",1]", "contests[1].lists[1]"},
        {"[\"c2\",71]", "[\"c2\"]", "contests[0].candidates[1]"},
        {"[\"c2\",71]", "[\"c2\",71,1]", "contests[0].candidates[1]"},
        {"[\"c2\",71]", "[71,\"c2\"]", "contests[0].candidates[1]"},
        {"[\"c2\",71]", "{\"c2\":71}", "contests[0].candidates[1]"},
        {"[\"c2\",71]", "[\"c\\u0032\",71]", "contests[0].candidates[1]"},
        {"[\"c2\",71]", "[\"c2\",7.1]", "contests[0].candidates[1]"},
        {"[\"c2\",71]", "", "contests[0].candidates[1]"},
        {"[\"c10\",0]]", "[\"c10\",0],]", "contests[0].candidates[3]"},
        {"no \\\"paper", "no \\u0000", "contests[2].not_held"},
        {"no \\\"paper", "no \\ud800", "contests[2].not_held"},
        {"no \\\"paper", "no \\udc00\\ud800", "contests[2].not_held"},
        {"no \\\"paper", "no \\x", "contests[2].not_held"},
        {"no \\\"paper", "no \n", "contests[2].not_held"},
        {"no \\\"paper", "no \xc0\x80", "contests[2].not_held"},
        {"no \\\"paper", "no \xed\xa0\x80", "contests[2].not_held"},
        {"no \\\"paper", "no \xf4\x90\x80\x80", "contests[2].not_held"},
    };
    refuse_rows(rows, TLY_N(rows), TLY_EINPUT, "S01");
    static const char *const tails[] = {"x", "{}", ",", "]", "}", "\xef\xbb\xbf", "//"};
    for (size_t i = 0; i < TLY_N(tails); i++) {
        char text[sizeof good + 8];
        (void)snprintf(text, sizeof text, "%s%s", good, tails[i]);
        T_EQ(parse(tly_text(text), NULL), TLY_EINPUT, "trailing bytes");
    }
    T_EQ(parse((struct tly_bytes){(const uint8_t *)good, sizeof good}, NULL), TLY_EINPUT,
         "a trailing NUL");
    T_EQ(parse(tly_text("\xef\xbb\xbf{}"), NULL), TLY_EINPUT, "a byte order mark");
    T_EQ(parse(tly_text(""), NULL), TLY_EINPUT, "nothing");
    T_EQ(parse(tly_text("[]"), NULL), TLY_EINPUT, "an array");
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
refused_s06(void)
{
    static const struct bad rows[] = {
        {"\"election\":\"ir-7\",", "", "election"},
        {"\"prev\":null,", "", "prev"},
        {"\"made_at\":201,", "", "made_at"},
        {"\"ir-7\"", "\"\"", "election"},
        {"\"ir-7\"", "\"" A64 "a\"", "election"},
        {"\"ir-7\"", "\"ir 7\"", "election"},
        {"\"b-1\"", "\"\xd8\xb1\"", "branch"},
        {"\"definition\":\"00", "\"definition\":\"0", "definition"},
        {"\"definition\":\"00", "\"definition\":\"0G", "definition"},
        {"aabbccddeeff\",\"phase\"", "aabbccddeefF\",\"phase\"", "definition"},
        {"\"salt\":\"00", "\"salt\":\"0000", "salt"},
        {"\"prev\":null", "\"prev\":\"\"", "prev"},
        {"\"official\"", "\"Official\"", "phase"},
        {"\"revision\":1", "\"revision\":0", "revision"},
        {"\"revision\":1", "\"revision\":-1", "revision"},
        {"\"revision\":1", "\"revision\":2147483648", "revision"},
        {"\"revision\":1", "\"revision\":99999999999999999999999999", "revision"},
        {"\"made_at\":201", "\"made_at\":1099511627776", "made_at"},
        {"\"closed_at\":200", "\"closed_at\":-200", "closed_at"},
        {"\"cast\":149", "\"cast\":2147483648", "contests[0].cast"},
        {"\"cast\":149", "\"cast\":-1", "contests[0].cast"},
        {"\"cast\":149,", "", "contests[0].cast"},
        {",\"manual\":3", "", "contests[0].authenticated.manual"},
        {"\"contest\":\"city\",", "", "contests[0].contest"},
        {"\"mixed\":20,", "", "contests[1].mixed"},
        {"\"lists\":[[\"a\",60],[\"b\",2147483647]],", "", "contests[1].lists"},
        {"[\"a\",60],[\"b\",2147483647]", "[\"a\",2147483648]", "contests[1].lists[0]"},
        {"[\"c2\",71]", "[\"c2\",-71]", "contests[0].candidates[1]"},
        {"[\"c2\",71]", "[\"\",71]", "contests[0].candidates[1]"},
        {"[\"c2\",71]", "[\"c 2\",71]", "contests[0].candidates[1]"},
        {"no \\\"paper\\\" \\u06f1", "", "contests[2].not_held"},
        {"\"not_held\"", "\"cast\":1,\"not_held\"", "contests[2].not_held"},
        {"no \\\"paper\\\" \\u06f1", A64 A64 A64 A64 "a", "contests[2].not_held"},
    };
    refuse_rows(rows, TLY_N(rows), TLY_ERANGE, "S06");
    T_EQ(parse(edited("no \\\"paper\\\" \\u06f1", A64 A64 A64 A64), NULL), TLY_OK, "256 bytes");
    T_EQ(parse(edited("\"ir-7\"", "\"" A64 "\""), NULL), TLY_OK, "64 characters");
}

static void
limits(void)
{
    static char     text[PAYLOAD_BYTES_MAX + 2];
    struct tly_diag diag;
    T_EQ(payload_parse(tly_text(good), votes, 7, &payload, NULL), TLY_OK, "room for all rows");
    T_EQ(payload_parse(tly_text(good), votes, 6, &payload, &diag), TLY_ERANGE, "one too few");
    T_STR(diag.field, "contests[1].candidates[1]", "named");
    T_EQ(payload_parse(tly_text(good), NULL, 0, &payload, NULL), TLY_ERANGE, "room for none");
    memset(text, ' ', sizeof text);
    memcpy(text, good, sizeof good - 1);
    T_EQ(parse((struct tly_bytes){(const uint8_t *)text, PAYLOAD_BYTES_MAX}, NULL), TLY_OK,
         "1 MiB");
    T_EQ(parse((struct tly_bytes){(const uint8_t *)text, PAYLOAD_BYTES_MAX + 1}, NULL), TLY_ETOOBIG,
         "one byte over");
    for (int over = 0; over < 2; over++) {
        char *p = text + (strstr(good, "\"contests\":[") - good) + 12;
        for (int i = 0; i < PAYLOAD_CONTESTS_MAX + over; i++) {
            p += sprintf(p, "%s{\"contest\":\"k%d\",\"not_held\":\"x\"}", i == 0 ? "" : ",", i);
        }
        p += sprintf(p, "]}");
        const struct tly_bytes in = {(const uint8_t *)text, (size_t)(p - text)};
        T_EQ(parse(in, &diag), over ? TLY_ERANGE : TLY_OK, "64 contests, 65 contests");
        T_OK(over || (payload.contests_n == 64 && pj_agrees(in, &payload)), "all of them read");
    }
    T_STR(diag.field, "contests", "named");
}

/* Cut at every byte, and every byte changed to every other: refused, or jansson agrees. */
static void
every_byte(void)
{
    unsigned cut      = 0;
    unsigned disagree = 0;
    unsigned accepts  = 0;
    for (size_t n = 0; n < sizeof good - 1; n++) {
        uint8_t *half = malloc(n + 1); /* of this size, so that reading over is seen */
        memcpy(half, good, n);
        cut += parse((struct tly_bytes){half, n}, NULL) == TLY_OK;
        free(half);
        for (unsigned c = 0; c < 256; c++) {
            uint8_t changed[sizeof good];
            memcpy(changed, good, sizeof good);
            changed[n]                = (uint8_t)c;
            const struct tly_bytes in = {changed, sizeof good - 1};
            if (parse(in, NULL) == TLY_OK) {
                accepts++;
                disagree += !pj_agrees(in, &payload);
            }
        }
    }
    T_EQ(cut, 0, "cut anywhere: refused");
    T_EQ(disagree, 0, "whatever is accepted jansson accepts, with equal values");
    T_OK(accepts > sizeof good, "and other codes and numbers are accepted");
}

static uint64_t seed;

static uint32_t
pick(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

static char *
random_rows(char *p, const char *name, unsigned n)
{
    p += sprintf(p, ",\"%s\"%s:[", name, pick(5) == 0 ? " \t" : "");
    const unsigned step = 2 * pick(50) + 1; /* odd: a walk through all of 0..127 */
    for (unsigned i = 0; i < n; i++) {
        p += sprintf(p, "%s[%s\"c%u\",%u]", i == 0 ? "" : ", ", pick(9) == 0 ? "\r\n" : "",
                     i * step % 128, pick(3) == 0 ? 0 : pick(2147483647));
    }
    p += sprintf(p, "]");
    return p;
}

/* Random payloads, and the same with some bytes changed. */
static void
random_documents(void)
{
    static char text[65536];
    unsigned    refused  = 0;
    unsigned    disagree = 0;
    seed                 = (uint64_t)time(NULL);
    printf("# seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 300; round++) {
        char *p = text + (strstr(good, "\"contests\":[") - good) + 12;
        memcpy(text, good, (size_t)(p - text));
        const unsigned n = pick(6);
        for (unsigned i = 0; i < n; i++) {
            p += sprintf(p, "%s{\"contest\":\"k%u\"," NUMBERS, i == 0 ? "" : ",", i);
            if (pick(2) == 0) {
                p = random_rows(p, "lists", pick(20));
                p += sprintf(p, ",\"mixed\":%u", pick(1000));
            }
            p = random_rows(p, "candidates", pick(128));
            p += sprintf(p, "}");
        }
        p += sprintf(p, "]}");
        const struct tly_bytes in = {(const uint8_t *)text, (size_t)(p - text)};
        refused += parse(in, NULL) != TLY_OK;
        disagree += !pj_agrees(in, &payload);
        for (int change = 0; change < 20; change++) {
            static const char letters[]  = "\"{}[],:0123456789-.eE \\u/";
            text[pick((uint32_t)in.len)] = letters[pick(sizeof letters - 1)];
            disagree += parse(in, NULL) == TLY_OK && !pj_agrees(in, &payload);
        }
    }
    T_EQ(refused, 0, "random payloads are accepted");
    T_EQ(disagree, 0, "and jansson agrees, with changes too");
}

/* As many rows as fit, in the worst orders we know: in time, and the one repeated code is found. */
static void
hostile_rows(void)
{
    static char text[PAYLOAD_BYTES_MAX];
    enum { ROWS = 65000 };
    for (int kind = 0; kind < 4; kind++) {
        char *p = text + (strstr(good, "\"contests\":[") - good) + 12;
        memcpy(text, good, (size_t)(p - text));
        p += sprintf(p, "{\"contest\":\"k\"," NUMBERS ",\"candidates\":[");
        for (unsigned i = 0; i < ROWS; i++) {
            const unsigned code = kind == 0   ? ROWS - i
                                  : kind == 1 ? i * 7919U % ROWS
                                  : kind == 2 ? (i & 1 ? i : ROWS - (i & ~1U))
                                              : i / 2 + (i & 1) * (ROWS / 2);
            p += sprintf(p, "%s[\"%05u\",1]", i == 0 ? "" : ",", code);
        }
        p += sprintf(p, "]}]}");
        const struct tly_bytes in = {(const uint8_t *)text, (size_t)(p - text)};
        struct timespec        a;
        struct timespec        b;
        struct tly_diag        diag;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        const enum tly_err err = parse(in, NULL);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        printf("# %d rows, order %d: %ld us\n", ROWS, kind,
               (b.tv_sec - a.tv_sec) * 1000000L + (b.tv_nsec - a.tv_nsec) / 1000);
        T_EQ(err, TLY_OK, "all codes differ");
        char *last = strstr(text, "\",1]]}]}") - 5; /* the last becomes the middle one */
        memcpy(last, strstr(text + in.len / 2, "[\"") + 2, 5);
        T_EQ(parse(in, &diag), TLY_EINPUT, "a code twice is found");
        T_STR(diag.field, "contests[0].candidates[64999]", "the second of them is named");
    }
}

/* The budget is 8 us for 4 KB; told and not judged: a machine under load is no failure. */
static void
speed(void)
{
    static char text[8192];
    char       *p = text + (strstr(good, "\"contests\":[") - good) + 12;
    memcpy(text, good, (size_t)(p - text));
    for (unsigned c = 0; c < 3; c++) {
        p += sprintf(p, "%s{\"contest\":\"city-%u\"," NUMBERS ",\"candidates\":[",
                     c == 0 ? "" : ",", c);
        for (unsigned i = 0; i < 60; i++) {
            p += sprintf(p, "%s[\"cand-%04u\",%u]", i == 0 ? "" : ",", i, i * 37 % 1000);
        }
        p += sprintf(p, "]}");
    }
    p += sprintf(p, "]}");
    const struct tly_bytes in = {(const uint8_t *)text, (size_t)(p - text)};
    struct timespec        a;
    struct timespec        b;
    bool                   ok = true;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    for (int i = 0; i < 2000; i++) {
        ok = parse(in, NULL) == TLY_OK && ok;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    printf("# reading %zu bytes with %u rows takes %ld ns\n", in.len, payload.votes_n,
           ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec) / 2000);
    T_OK(ok, "two thousand times");
}

int
main(void)
{
    every_field();
    accepted();
    refused_s01();
    every_key_twice();
    refused_s06();
    limits();
    every_byte();
    random_documents();
    hostile_rows();
    speed();
    return T_DONE();
}
