/* SPDX-License-Identifier: Apache-2.0 */
/* Proves the leaf texts: their exact bytes, that reading gives back what was written, and that what
 * is read is written again byte for byte, whatever byte is changed. */
#include "core/leaf.h"

#include "base/attr.h"
#include "t.h"

#define H1 "4c4ed1afbfdaa1e4c3bf7bbb82d730cecb7e384da91eea4f3cc093fd545524d6"
#define H2 "872491a30d60d598962de6e7b834ab76b2aa65fbab102c6ebaaae6acdc238822"

static const char genesis[] = "tally/leaf/v1\nkind genesis\nelection demo-2026\ndefinition " H1
                              "\nregistry " H2 "\naccepted 1793231000000\n";
static const char bundle[] =
    "tally/leaf/v1\nkind bundle\nelection demo-2026\nbranch 01-0001\nrevision 1\nprev -\nkey " H1
    "\npayload " H2 " 148\nenvelope " H1 " 456\naccepted 1793232000000\nterminal T-1\n";
static const char held[] =
    "tally/leaf/v1\nkind bundle\nelection demo-2026\nbranch 01-0001\nrevision 2147483647\nprev " H2
    "\nkey " H1 "\npayload " H2 " 0\nenvelope " H1
    " 18446744073709551615\naccepted 0\nterminal T-1\nheld city N08\nheld tehran A04,N02,N08\n";
static const char conflict[] =
    "tally/leaf/v1\nkind conflict\nelection demo-2026\nbranch 01-0001\nrevision 7\nprev " H2
    "\nkey " H1 "\npayload " H2 " 148\nenvelope " H1
    " 456\naccepted 1793232000000\nterminal T-1\nfirst " H2 "\n";
#define DECISION(kind)                                                                             \
    "tally/leaf/v1\nkind " kind "\nelection demo-2026\npayload " H2 " 148\nenvelope " H1           \
    " 456\naccepted 7\n"
#define CREDENTIALS "signing_key " H1 "\ncertificate " H2 "\n"
#define DATES       "not_before 5\nnot_after 6\n"
static const char                                                        added[] =
    DECISION("key") "action add\nterminal T-1\nbranch b-1\n" CREDENTIALS DATES;
static const char spare[]   = DECISION("key") "action add\nterminal T-1\n" CREDENTIALS DATES;
static const char rotated[] = DECISION("key") "action rotate\nterminal T-1\n" CREDENTIALS DATES;
static const char key[]     = DECISION("key") "action rotate\nterminal T-1\nsigning_key " H1 "\n";
static const char cert[] =
    DECISION("key") "action rotate\nterminal T-1\ncertificate " H1 "\n" DATES;
static const char        revoked[]  = DECISION("key") "action revoke\nterminal T-1\n";
static const char        assigned[] = DECISION("key") "action assign\nterminal T-1\nbranch b-1\n";
static const char        closed[]   = DECISION("state") "state closed\n";
static const char        until[]    = DECISION("state") "state maintenance\nuntil 1793231000\n";
static const char        result[]   = DECISION("result") "scope p-1\nat 17\nserial 2\n";
static const char *const all[]      = {result,  genesis, bundle, held,    conflict, added,  spare,
                                       rotated, key,     cert,   revoked, assigned, closed, until};

static void
round_trip(void)
{
    for (size_t i = 0; i < TLY_N(all); i++) {
        struct leaf_texts texts;
        struct leaf       leaf;
        char              out[LEAF_SIZE];
        T_EQ(leaf_parse(tly_text(all[i]), &texts, &leaf, NULL), TLY_OK, "read");
        const size_t len = leaf_write(&leaf, out);
        T_OK(len == strlen(all[i]) && memcmp(out, all[i], len) == 0, "written again");
    }
}

static void
facts(void)
{
    struct leaf_texts texts;
    struct leaf       leaf;
    T_EQ(leaf_parse(tly_text(held), &texts, &leaf, NULL), TLY_OK, "read");
    T_EQ(leaf.kind, LEAF_BUNDLE, "kind");
    T_STR(leaf.election, "demo-2026", "election");
    T_STR(leaf.branch, "01-0001", "branch");
    T_STR(leaf.terminal, "T-1", "terminal");
    T_EQ(leaf.revision, 2147483647, "revision");
    T_OK(leaf.has_prev && leaf.prev.b[0] == 0x87 && leaf.key.b[0] == 0x4c, "prev and key");
    T_OK(leaf.payload.b[31] == 0x22 && leaf.payload_len == 0, "payload");
    T_OK(leaf.envelope.b[31] == 0xd6 && leaf.envelope_len == UINT64_MAX, "envelope");
    T_OK(tly_bytes_eq(leaf.held, tly_text("held city N08\nheld tehran A04,N02,N08\n")), "held");
    T_EQ(leaf_parse(tly_text(bundle), &texts, &leaf, NULL), TLY_OK, "read");
    T_OK(!leaf.has_prev && leaf.held.len == 0, "nothing before it, nothing held");
    T_EQ(leaf_parse(tly_text(genesis), &texts, &leaf, NULL), TLY_OK, "read");
    T_OK(leaf.branch == NULL && leaf.terminal == NULL && leaf.registry.b[0] == 0x87, "genesis");
    T_EQ(leaf_parse(tly_text(conflict), &texts, &leaf, NULL), TLY_OK, "read");
    T_OK(leaf.first_envelope.b[0] == 0x87, "conflict");
    T_STR(leaf_kind_name(LEAF_CONFLICT), "conflict", "name");
}

/* Leaves whose last lines may be missing: held lines, dates and certificate of a rotation, until. */
static bool
is_whole(size_t i, size_t n)
{
    const char *may = all[i] == held      ? "held"
                      : all[i] == rotated ? "certificate"
                      : all[i] == cert    ? "not_before"
                      : all[i] == until   ? "until"
                                          : NULL;
    const char *at  = may == NULL ? NULL : strstr(all[i], may);
    return at != NULL && at <= all[i] + n && strcmp(all[i] + n, "not_after 6\n") != 0;
}

/* Cut at every byte; every byte at every place: refused, or written again as it was read. */
static void
every_byte(void)
{
    bool cut     = true;
    bool untouch = true;
    bool exact   = true;
    for (size_t i = 0; i < TLY_N(all); i++) {
        const size_t len = strlen(all[i]);
        for (size_t n = 0; n < len; n++) {
            struct leaf_texts texts;
            struct leaf       leaf;
            memset(&leaf, 0x11, sizeof leaf);
            const struct leaf  keep        = leaf;
            const bool         whole_lines = n > 1 && all[i][n - 1] == '\n' && is_whole(i, n);
            const enum tly_err err =
                leaf_parse((struct tly_bytes){(const uint8_t *)all[i], n}, &texts, &leaf, NULL);
            cut     = cut && (err == TLY_EINPUT || whole_lines);
            untouch = untouch && (err == TLY_OK || memcmp(&keep, &leaf, sizeof leaf) == 0);
            for (unsigned c = 0; c < 256; c++) {
                char changed[1024];
                char out[LEAF_SIZE];
                memcpy(changed, all[i], len);
                changed[n] = (char)c;
                if (leaf_parse((struct tly_bytes){(const uint8_t *)changed, len}, &texts, &leaf,
                               NULL) == TLY_OK) {
                    exact =
                        exact && leaf_write(&leaf, out) == len && memcmp(out, changed, len) == 0;
                }
            }
        }
    }
    T_OK(cut, "cut anywhere: refused");
    T_OK(untouch, "the output is untouched then");
    T_OK(exact, "a changed byte: refused, or another leaf that is written as read");
}

static void
refused(void)
{
    static const char *const edits[][2] = {{"revision 1\n", "revision 0\n"},
                                           {"revision 1\n", "revision 01\n"},
                                           {"revision 1\n", "revision -1\n"},
                                           {"revision 1\n", "revision 2147483648\n"},
                                           {"prev -", "prev --"},
                                           {"prev -", "prev "},
                                           {" 148", ""},
                                           {" 148", " 148 "},
                                           {" 148", " 18446744073709551616"},
                                           {"kind bundle", "kind Bundle"},
                                           {"kind bundle", "kind result"},
                                           {"kind bundle", "kind genesis"},
                                           {"branch 01-0001", "branch "},
                                           {"branch 01-0001", "branch 01 0001"},
                                           {"terminal T-1\n", "terminal T-1\r\n"},
                                           {"terminal T-1\n", "terminal T-1\nheld x\n"},
                                           {"T-1\n", "T-1\nheld city \n"},
                                           {"T-1\n", "T-1\nheld city N08,\n"},
                                           {"T-1\n", "T-1\nheld city ,N08\n"},
                                           {"T-1\n", "T-1\nheld city n08\n"},
                                           {"T-1\n", "T-1\nheld city N08 S03\n"},
                                           {"T-1\n", "T-1\nheld city N08,,S03\n"},
                                           {"T-1\n", "T-1\nheld city N08N08N08\n"},
                                           {"T-1\n", "T-1\n\n"},
                                           {"tally/leaf/v1", "tally/leaf/v2"},
                                           {"key 4c", "key 4C"}};
    for (size_t i = 0; i < TLY_N(edits); i++) {
        char              text[2048];
        struct leaf_texts texts;
        struct leaf       leaf;
        const char       *at = strstr(bundle, edits[i][0]);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - bundle), bundle, edits[i][1],
                       at + strlen(edits[i][0]));
        T_EQ(leaf_parse(tly_text(text), &texts, &leaf, NULL), TLY_EINPUT, "a malformed line");
    }
}

static void
largest(void)
{
    static char       lines[2 * LEAF_LEN_MAX];
    char              out[LEAF_SIZE];
    struct leaf_texts texts;
    struct leaf       leaf;
    struct leaf       again;
    size_t            n = 0;
    T_EQ(leaf_parse(tly_text(bundle), &texts, &leaf, NULL), TLY_OK, "read");
    while (n + strlen(bundle) + 14 <= LEAF_LEN_MAX) {
        memcpy(lines + n, "held city N08\n", 14);
        n += 14;
    }
    leaf.held        = (struct tly_bytes){(const uint8_t *)lines, n};
    const size_t len = leaf_write(&leaf, out);
    T_EQ(len, strlen(bundle) + n, "as many held lines as fit");
    struct leaf_texts more;
    T_EQ(leaf_parse((struct tly_bytes){(const uint8_t *)out, len}, &more, &again, NULL), TLY_OK,
         "are read");
    memcpy(lines + n, "held city N08\n", 14);
    leaf.held.len = n + 14;
    T_EQ(leaf_write(&leaf, out), 0, "one more does not fit");
}

/* A decision's leaf: written, read back, and refused with a line too many, too few or changed. */
static void
test_decisions(void)
{
    static const struct {
        enum leaf_kind kind;
        const char    *target;
    } good[]  = {{LEAF_RELEASE, "branch b-1\ncontest c-1\n"},
                 {LEAF_EXPLAIN, "branch b-1\ncontest c-1\n"},
                 {LEAF_ANNUL, "branch b-1\ncontest c-1\n"},
                 {LEAF_REINSTATE, "branch b-1\ncontest c-1\n"},
                 {LEAF_LOT, "contest c-1\n"},
                 {LEAF_EXCLUDE, "contest c-1\ncandidate k-1\n"},
                 {LEAF_CERTIFY,
                  "contest c-1\nat 7\nresult "
                   "00000000000000000000000000000000000000000000000000000000000000ff\n"}};
    bool same = true, cut = true, swapped = true;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct leaf leaf = {.kind         = good[i].kind,
                                  .election     = "x-1",
                                  .accepted_ms  = 5,
                                  .payload_len  = 10,
                                  .envelope_len = 20,
                                  .held         = tly_text(good[i].target)};
        char              text[LEAF_SIZE], again[LEAF_SIZE];
        struct leaf_texts texts;
        struct leaf       read;
        const size_t      len = leaf_write(&leaf, text);
        same =
            same &&
            leaf_parse((struct tly_bytes){(uint8_t *)text, len}, &texts, &read, NULL) == TLY_OK &&
            leaf_write(&read, again) == len && memcmp(text, again, len) == 0;
        for (size_t n = 0; n < len; n++) {
            cut = cut && leaf_parse((struct tly_bytes){(uint8_t *)text, n}, &texts, &read, NULL) ==
                             TLY_EINPUT;
        }
        for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
            struct leaf other = leaf;
            other.held        = tly_text(good[k].target);
            const size_t n    = leaf_write(&other, again);
            const bool   fits = strcmp(good[k].target, good[i].target) == 0;
            swapped = swapped && (leaf_parse((struct tly_bytes){(uint8_t *)again, n}, &texts, &read,
                                             NULL) == TLY_OK) == fits;
        }
    }
    T_OK(same, "decisions: what is read is written again");
    T_OK(cut, "decisions: cut at every byte");
    T_OK(swapped, "decisions: another kind's target");
}

int
main(void)
{
    round_trip();
    facts();
    every_byte();
    refused();
    largest();
    test_decisions();
    return T_DONE();
}
