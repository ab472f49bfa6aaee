/* SPDX-License-Identifier: Apache-2.0 */
/* Proves policies: the page's example of two levels of groups, decided for every set of witnesses;
 * what is malformed is refused with its line. */
#include "core/trust.h"

#include "base/attr.h"
#include "ledger_vector.h"
#include "t.h"

/* A witness's vkey of its own. */
static const char *
vkey_text(unsigned i, char out[NOTE_LEN_MAX])
{
    struct cosign_vkey   vkey;
    const struct tly_key key = {{(uint8_t)(i + 1)}};
    char                 name[32];
    (void)snprintf(name, sizeof name, "w%u.example", i);
    cosign_vkey_make(name, &key, &vkey);
    (void)cosign_vkey_write(&vkey, out);
    return out;
}

static void
witness_lines(char *out, size_t size, unsigned n)
{
    *out = '\0';
    for (unsigned i = 0; i < n; i++) {
        char         vkey[NOTE_LEN_MAX];
        const size_t len = strlen(out);
        (void)snprintf(out + len, size - len, "witness w%u %s%s\n", i, vkey_text(i, vkey),
                       i == 1 ? " https://w1.example:8000/prefix" : "");
    }
}

static void
example(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    char                             text[8192];
    const struct trust              *p     = NULL;
    unsigned                         wrong = 0;
    tly_arena_init(&arena, 1 << 20);
    (void)snprintf(text, sizeof text, "# ours\n\n \tlog\t%s  https://log.example/ \n",
                   vector_log_vkey);
    witness_lines(text + strlen(text), sizeof text - strlen(text), 6);
    (void)strcat(text, "group X 2 w0 w1 w2\ngroup Y any w3 w4 w5\n  # all of both\n"
                       "group both all X Y\nquorum both\n");
    T_EQ(trust_parse(tly_text(text), &arena, &p, NULL), TLY_OK, "the example");
    T_OK(p->logs_n == 1 && p->witnesses_n == 6 && p->groups_n == 3, "its lines");
    T_STR(p->logs[0].vkey.name, "tally.example/demo-2026", "its log");
    T_STR(p->logs[0].url, "https://log.example/", "the log's address");
    T_STR(p->witnesses[1].url, "https://w1.example:8000/prefix", "a witness's address");
    T_STR(p->witnesses[2].url, "", "and none");
    for (uint32_t set = 0; set < 64; set++) {
        const bool want = __builtin_popcount(set & 7) >= 2 && (set & 56) != 0;
        wrong += trust_quorum(p, set) != want;
    }
    T_EQ(wrong, 0, "its quorum, for every set of witnesses");
    T_EQ(trust_parse(tly_text("quorum none\n"), &arena, &p, NULL), TLY_OK, "nobody");
    T_OK(trust_quorum(p, 0), "is enough then");
    witness_lines(text, sizeof text, TRUST_EACH_MAX);
    (void)strcat(text, "quorum w31\n");
    T_EQ(trust_parse(tly_text(text), &arena, &p, NULL), TLY_OK, "as many as are taken");
    T_OK(trust_quorum(p, UINT32_C(1) << 31) && !trust_quorum(p, UINT32_MAX >> 1), "the last");
}

static void
refused(void)
{
    TLY_AUTO(arena) struct tly_arena arena;
    tly_arena_init(&arena, 8 << 20);
    static const struct {
        const char *lines; /* behind the two witnesses */
        const char *told;
    } bad[]                        = {{"", "there is no quorum line"},
                                      {"quorum w0\nquorum w0\n", "line 4: "},
                                      {"quorum w2\n", "line 3: "},
                                      {"quorum\n", "line 3: "},
                                      {"quorum w0 w1\n", "line 3: "},
                                      {"quorum none", "line 3: no newline"},
                                      {"quorum none\r\n", "line 3: a control"},
                                      {"quorum w0\n#\x01\n", "line 4: a control"},
                                      {"quorum w0\n# a comment\x7f\n", "line 4: a control"},
                                      {"Quorum none\n", "line 3: begins"},
                                      {"group g 0 w0\n", "line 3: "},
                                      {"group g 2 w0\n", "line 3: "},
                                      {"group g 1\n", "line 3: "},
                                      {"group g most w0\n", "line 3: "},
                                      {"group g 1 w0 w0\n", "line 3: "},
                                      {"group g 1 g\n", "line 3: "},
                                      {"group g 1 none\n", "line 3: "},
                                      {"group w0 1 w1\n", "line 3: "},
                                      {"group none 1 w1\n", "line 3: "},
                                      {"log\n", "line 3: "},
                                      {"log x+00000000+AA==\n", "line 3: "},
                                      {"witness a\n", "line 3: "}};
    const struct trust *const none = NULL;
    const struct trust       *p    = none;
    for (size_t i = 0; i < TLY_N(bad); i++) {
        char            text[4096];
        struct tly_diag diag = {0};
        witness_lines(text, sizeof text, 2);
        (void)strcat(text, bad[i].lines);
        T_EQ(trust_parse(tly_text(text), &arena, &p, &diag), TLY_EINPUT, "malformed");
        T_OK(strncmp(diag.text, bad[i].told, strlen(bad[i].told)) == 0, "told where");
    }
    char text[16384];
    char vkey[NOTE_LEN_MAX];
    witness_lines(text, sizeof text, 2);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "witness b %s\nquorum none\n",
                   vkey_text(1, vkey));
    T_EQ(trust_parse(tly_text(text), &arena, &p, NULL), TLY_EINPUT, "a witness's key twice");
    (void)snprintf(text, sizeof text, "log %s\nlog %s\nquorum none\n", vector_log_vkey,
                   vector_log_vkey);
    T_EQ(trust_parse(tly_text(text), &arena, &p, NULL), TLY_EINPUT, "a log's key twice");
    (void)snprintf(text, sizeof text, "witness b %s\nquorum none\n", vector_log_vkey);
    T_EQ(trust_parse(tly_text(text), &arena, &p, NULL), TLY_EINPUT, "a log as a witness");
    witness_lines(text, sizeof text, TRUST_EACH_MAX + 1);
    T_EQ(trust_parse(tly_text(text), &arena, &p, NULL), TLY_EINPUT, "a witness too many");
    T_OK(p == none, "the output is untouched");
}

static void
file_names(void)
{
    static const char *const good[] = {"board1", "Board-1.example_x", "a.", "-"};
    static const char *const bad[]  = {"", ".", "..", ".x", "a/b", "a b", "\xd8\xb1", "a+b"};
    for (size_t i = 0; i < TLY_N(good); i++) {
        T_OK(trust_file_name(good[i]), "a file's name");
    }
    for (size_t i = 0; i < TLY_N(bad); i++) {
        T_OK(!trust_file_name(bad[i]), "not a file's name");
    }
}

/* Three witnesses; what they signed, and how far that goes by each quorum. */
static void
witnessed(void)
{
    static const struct {
        const char       *quorum;
        struct trust_seen seen[3], want;
        const char       *name;
    } cases[] = {
        {"quorum none\n", {{0}}, {0}, "nobody"},
        {"quorum none\n", {{5, 10}}, {5, 10}, "no quorum: one is enough"},
        {"quorum none\n", {{5, 90}, {7, 20}, {7, 30}}, {7, 30}, "the newest of the largest"},
        {"quorum w1\n", {{9, 90}, {0}, {9, 90}}, {0}, "others are not the one"},
        {"quorum w1\n", {{9, 90}, {4, 20}}, {4, 20}, "the one"},
        {"group g all w0 w1 w2\nquorum g\n", {{9, 90}, {8, 80}}, {0}, "two of all three"},
        {"group g all w0 w1 w2\nquorum g\n",
         {{9, 90}, {8, 80}, {7, 99}},
         {7, 80},
         "the least of all three, as old as the oldest"},
        {"group g 2 w0 w1 w2\nquorum g\n", {{9, 90}}, {0}, "one of two"},
        {"group g 2 w0 w1 w2\nquorum g\n",
         {{9, 90}, {8, 80}, {3, 99}},
         {8, 80},
         "the second largest"},
        {"group g 2 w0 w1 w2\nquorum g\n",
         {{9, 90}, {9, 10}, {9, 50}},
         {9, 50},
         "the second newest"},
        {"group g 2 w0 w1 w2\nquorum g\n", {{9, 0}, {9, 10}, {0}}, {0}, "without a time: none"},
    };
    TLY_AUTO(arena) struct tly_arena arena;
    tly_arena_init(&arena, (size_t)4 << 20);
    for (size_t i = 0; i < TLY_N(cases); i++) {
        const struct trust *p = NULL;
        char                text[4096];
        witness_lines(text, sizeof text, 3);
        (void)strcat(text, cases[i].quorum);
        T_EQ(trust_parse(tly_text(text), &arena, &p, NULL), TLY_OK, cases[i].name);
        const struct trust_seen is = trust_witnessed(p, cases[i].seen);
        T_OK(is.size == cases[i].want.size && is.time_s == cases[i].want.time_s, cases[i].name);
    }
}

int
main(void)
{
    witnessed();
    example();
    refused();
    file_names();
    return T_DONE();
}
