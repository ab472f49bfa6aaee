/* SPDX-License-Identifier: Apache-2.0 */
/* A results document against the ledger that it is about: the right one stands, and every text in it that
 * is changed is refused by what is wrong.  Its numbers are taken from the tally directly. */
#include "core/results.h"

#include <stdarg.h>

#include "base/base64.h"
#include "core/decision.h"
#include "decision_world.h"
#include "t.h"

#define TEXT_MAX 8192

static struct world w;

/* ---- the right one, by other means than results_of() ---- */

static void add(char *text, const char *format, ...) TLY_PRINTF(2, 3);

static void
add(char *text, const char *format, ...)
{
    const size_t len = strlen(text);
    va_list      args;
    va_start(args, format);
    const int n = vsnprintf(text + len, TEXT_MAX - len, format, args);
    va_end(args);
    TLY_CHECK(n >= 0 && (size_t)n < TEXT_MAX - len);
}

static void
add_contest(char *text, uint32_t i, const char *status, const char *winners, const char *seats)
{
    struct tly_hash result;
    char            hex[TLY_HEX_SIZE(32)];
    TLY_CHECK(decision_result(&w.tally, (struct contest_ix){i}, &w.scratch, &result) == TLY_OK);
    tly_hex(result.b, sizeof result.b, hex);
    add(text,
        "%s{\"contest\":\"c-%u\",\"status\":\"%s\",\"ballots\":%u,\"winners\":[%s],\"alternates\":["
        "%s],"
        "\"seats\":[%s],\"result\":\"%s\"}",
        i == 0 ? "" : ",", i, status, i == 0 ? 12U : 36U, winners, i == 3 ? "\"k-1\"" : "", seats,
        hex);
}

/* Of the whole country, at the ledger's end. */
static const char *
document(char text[TEXT_MAX], unsigned serial, const char *prev)
{
    const uint64_t        size                         = book_size(w.book);
    const struct tly_hash root                         = merkle_root(book_tree(w.book), size);
    char                  base[TLY_BASE64_LEN(32) + 1] = {0};
    tly_base64_encode((struct tly_bytes){root.b, sizeof root.b}, TLY_BASE64_STD, base);
    text[0] = '\0';
    add(text,
        "{\"election\":\"test\",\"phase\":\"rehearsal\",\"scope\":\"ir\",\"log\":{\"origin\":"
        "\"%s/test/rehearsal\",\"size\":%llu,\"root\":\"%s\"},\"units\":{\"expected\":12,"
        "\"counted\":10,\"held\":1,\"annulled\":1,\"missing\":0},\"contests\":[",
        w.m.e.domain, (unsigned long long)size, base);
    add_contest(text, 0, "partial", "", "");
    add_contest(text, 1, "tied", "", "");
    add_contest(text, 2, "tied", "", "[\"A\",1],[\"B\",1],[\"pool\",0]");
    add_contest(text, 3, "complete", "\"k-0\"", "");
    add(text,
        "],\"software\":\"v1\",\"serial\":%u,\"prev\":%s,"
        "\"salt\":\"00000000000000000000000000000000\"}",
        serial, prev);
    return text;
}

static enum tly_err
judge(const char *text, struct tly_diag *diag)
{
    const struct decision_rules rules = {&w.m.e, book_registry(w.book), NULL};
    struct tly_bytes            envelope;
    struct decision             d;
    *diag            = (struct tly_diag){0};
    enum tly_err err = envelope_write(ENVELOPE_TYPE_RESULTS, tly_text(text), w.secrets, w.keyids,
                                      WORLD_OFFICERS, &w.scratch, &envelope);
    TLY_CHECK(err == TLY_OK);
    err = decision_read(&rules, envelope, &w.scratch, &d, diag);
    if (err == TLY_OK) {
        TLY_CHECK(decision_leaf_of(&d) == LEAF_RESULT);
        err = decision_judge(&w.tally, w.book, &d, &w.scratch, diag);
    }
    return err;
}

/* ---- what is wrong ---- */

static const struct change {
    const char  *find, *put;
    enum tly_err err;
    const char  *code;
} changes[] = {
    {"\"test\",", "\"tost\",", TLY_ERANGE, "A07"},
    {"rehearsal\",\"scope", "official\",\"scope", TLY_ERANGE, "A05"},
    {"\"ir\"", "\"nowhere\"", TLY_ERANGE, "A07"},
    {"\"ir\"", "\"city\"", TLY_OK, ""}, /* all of it lies in the city, too */
    {"\"ir\"", "\"other\"", TLY_ECONFLICT, "numbers"},
    {"/test/rehearsal", "/test/official", TLY_ERANGE, "A07"},
    {"\"size\":5", "\"size\":6", TLY_ECONFLICT, "state"},
    {"\"size\":5", "\"size\":4", TLY_ECONFLICT, "state"}, /* with the root at 5 */
    {"\"size\":5", "\"size\":0", TLY_ERANGE, "range"},
    {"\"size\":5", "\"size\":-5", TLY_ERANGE, "range"},
    {"\"root\":\"", "\"root\":\"A", TLY_EINPUT, "S01"},
    {"\"expected\":12", "\"expected\":13", TLY_ECONFLICT, "numbers"},
    {"\"counted\":10", "\"counted\":11", TLY_ECONFLICT, "numbers"},
    {"\"held\":1", "\"held\":0", TLY_ECONFLICT, "numbers"},
    {"\"annulled\":1", "\"annulled\":2", TLY_ECONFLICT, "numbers"},
    {"\"missing\":0", "\"missing\":1", TLY_ECONFLICT, "numbers"},
    {"\"missing\":0", "\"missing\":null", TLY_EINPUT, "S01"},
    {"\"c-0\"", "\"c-9\"", TLY_ECONFLICT, "numbers"},
    {"partial", "complete", TLY_ECONFLICT, "numbers"},
    {"\"ballots\":12", "\"ballots\":13", TLY_ECONFLICT, "numbers"},
    {"\"ballots\":12", "\"ballots\":null", TLY_ECONFLICT, "numbers"},
    {"\"ballots\":12", "\"ballots\":\"12\"", TLY_EINPUT, "S01"},
    {"\"ballots\":12", "\"ballots\":12.0", TLY_EINPUT, "S01"},
    {"[\"k-0\"]", "[\"k-1\"]", TLY_ECONFLICT, "numbers"},
    {"[\"k-0\"]", "[]", TLY_ECONFLICT, "numbers"},
    {"[\"k-0\"]", "[\"k-0\",\"k-1\"]", TLY_ECONFLICT, "numbers"},
    {"[\"k-0\"]", "[\"k\\u002d0\"]", TLY_EINPUT, "S01"},
    {"[\"k-0\"]", "\"k-0\"", TLY_EINPUT, "S01"},
    {"\"alternates\":[]", "\"alternates\":[\"k-0\"]", TLY_ECONFLICT, "numbers"},
    {"[\"A\",1]", "[\"A\",2]", TLY_ECONFLICT, "numbers"},
    {"[\"A\",1],", "", TLY_ECONFLICT, "numbers"},
    {"[\"pool\",0]", "[\"pool\",1]", TLY_ECONFLICT, "numbers"},
    {",[\"pool\",0]", "", TLY_ECONFLICT, "numbers"},
    {"[\"A\",1]", "[\"A\"]", TLY_EINPUT, "S01"},
    {"\"result\":\"", "\"result\":\"00", TLY_EINPUT, "S01"},
    {"\"v1\"", "\"\"", TLY_ERANGE, "range"},
    {"\"serial\":1", "\"serial\":2", TLY_ECONFLICT, "state"},
    {"\"serial\":1", "\"serial\":0", TLY_ERANGE, "range"},
    {"\"prev\":null", "\"prev\":\"00\"", TLY_EINPUT, "S01"},
    {"\"salt\":\"00", "\"salt\":\"", TLY_EINPUT, "S01"},
    {"\"units\"", "\"unit\"", TLY_EINPUT, "S01"},
    {"\"v1\"", "\"v1\",\"software\":\"v2\"", TLY_EINPUT, "S01"},
    {"],\"software\"", ",{}],\"software\"", TLY_ERANGE, "range"},
};

static void
check_changes(const char *right)
{
    for (unsigned i = 0; i < TLY_N(changes); i++) {
        const struct change *c    = &changes[i];
        struct tly_diag      diag = {0};
        char                 text[TEXT_MAX];
        const char          *at = strstr(right, c->find);
        TLY_CHECK(at != NULL);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - right), right, c->put,
                       at + strlen(c->find));
        const enum tly_err err = judge(text, &diag);
        if (!T_OK(err == c->err && strcmp(diag.code, c->code) == 0, c->put)) {
            printf("# in place of %s: error %d, code %s, field %s: %s\n", c->find, (int)err,
                   diag.code, diag.field, diag.text);
        }
        world_scratch(&w);
    }
}

/* Cut at every byte. */
static void
check_cut(const char *right)
{
    struct tly_diag diag = {0};
    unsigned        bad  = 0;
    for (size_t n = 0; n < strlen(right); n++) {
        char text[TEXT_MAX];
        (void)snprintf(text, sizeof text, "%.*s", (int)n, right);
        bad += judge(text, &diag) != TLY_EINPUT;
        world_scratch(&w);
    }
    T_EQ(bad, 0, "cut anywhere it is refused");
}

/* ---- one after another ---- */

static void
log_result(uint32_t scope, uint32_t serial, struct tly_hash payload)
{
    const struct book_entry entry = {.kind        = LEAF_RESULT,
                                     .branch      = {IX_NONE},
                                     .contest     = {IX_NONE},
                                     .terminal    = {IX_NONE},
                                     .scope       = {scope},
                                     .serial      = serial,
                                     .accepted_ms = 1,
                                     .payload     = payload,
                                     .held        = tly_text("scope ir\nat 5\nserial 1\n")};
    TLY_CHECK(book_append(w.book, &entry) == TLY_OK);
    w.tally.position++;
}

static void
check_serials(void)
{
    char                  text[TEXT_MAX], prev[TLY_HEX_SIZE(32) + 2];
    struct tly_diag       diag;
    const struct tly_hash first = world_hash("result", 1);
    char                  hex[TLY_HEX_SIZE(32)];
    tly_hex(first.b, sizeof first.b, hex);
    (void)snprintf(prev, sizeof prev, "\"%s\"", hex);
    log_result(0, 1, first);
    T_EQ(book_result(w.book, (struct area_ix){0}, UINT64_MAX), 5, "it is the country's newest");
    T_EQ(book_result(w.book, (struct area_ix){1}, UINT64_MAX), UINT64_MAX, "not the city's");
    T_EQ(judge(document(text, 1, "null"), &diag), TLY_ECONFLICT, "serial 1 again");
    T_STR(diag.field, "serial", "by its serial");
    T_EQ(judge(document(text, 2, "null"), &diag), TLY_ECONFLICT, "without the one before");
    T_STR(diag.field, "prev", "by its prev");
    T_EQ(judge(document(text, 2, prev), &diag), TLY_OK, "the next one");
    log_result(0, 2, world_hash("result", 2));
    T_EQ(judge(document(text, 3, prev), &diag), TLY_ECONFLICT, "on the one before the last");
    T_EQ(book_result(w.book, (struct area_ix){0}, 6), 5, "below the newest is the first");
    book_truncate(w.book, 6);
    w.tally.position--;
    T_EQ(book_result(w.book, (struct area_ix){0}, UINT64_MAX), 5, "and without it, too");
    T_EQ(judge(document(text, 2, prev), &diag), TLY_OK, "on which the next follows");
    document(text, 2, prev);
    tally_exclude(&w.tally, (struct candidate_ix){0}, 6);
    w.tally.position = 6; /* as far as the book, which log_result() goes on from */
    log_result(1, 1, world_hash("result", 3));
    T_EQ(judge(text, &diag), TLY_ECONFLICT, "after a contest changed");
    T_STR(diag.code, "changed", "is told");
    world_scratch(&w);
}

int
main(void)
{
    char            right[TEXT_MAX];
    struct tly_diag diag = {0};
    world_make(&w);
    document(right, 1, "null");
    if (!T_EQ(judge(right, &diag), TLY_OK, "the right one stands")) {
        printf("# %s %s: %s\n# %s\n", diag.code, diag.field, diag.text, right);
    }
    check_changes(right);
    check_cut(right);
    check_serials();
    world_free(&w);
    return T_DONE();
}
