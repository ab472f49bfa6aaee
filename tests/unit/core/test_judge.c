/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision must say and what must be so for it to stand: one fault at a time, each refused by
 * the field that is wrong; signatures, senders, and the text that a certificate names by its hash. */
#include <sodium.h>

#include "decision_world.h"
#include "t.h"

static struct world w;

#define SLOT(branch, contest) "{\"branch\":\"" branch "\",\"contest\":\"" contest "\"}"
#define LOT(contest, order, ground)                                                                \
    "{\"contest\":\"" contest "\",\"order\":" order ",\"ground\":\"" ground "\"}"
#define ZEROS   "0000000000000000000000000000000000000000000000000000000000000000"
#define RELEASE "release", SLOT("b-1", "c-0")
#define REASON  "\"reason\":\"r\""
#define KEY_1   "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define ADD                                                                                        \
    "{\"action\":\"add\",\"terminal\":\"new-1\",\"branch\":\"b-0\",\"signing_key\":\"" KEY_1       \
    "\",\"certificate\":\"" ZEROS "\",\"not_before\":1,\"not_after\":2}"

struct example {
    const char  *name, *kind, *target;
    const char  *find, *put; /* in the document; NULL: as it is */
    enum tly_err err;
    const char  *code, *field, *says;
};

/* clang-format off */
static const struct example examples[] = {
    {"a good one", RELEASE, NULL, NULL, TLY_OK, "", "", ""},
    {"keys in another order", RELEASE, "{\"election\":\"test\",\"phase\":\"rehearsal\",", "{\"phase\":\"rehearsal\",\"election\":\"test\",", TLY_OK, "", "", ""},
    {"another election", RELEASE, "\"test\"", "\"tost\"", TLY_ERANGE, "A07", "election", "another election"},
    {"another phase", RELEASE, "rehearsal", "official", TLY_ERANGE, "A05", "phase", "another phase"},
    {"no phase that there is", RELEASE, "rehearsal", "", TLY_ERANGE, "A05", "phase", "another phase"},
    {"no reason", RELEASE, REASON, "\"reason\":\"\"", TLY_ERANGE, "range", "reason", "has a reason"},
    {"a reason of spaces", RELEASE, REASON, "\"reason\":\"  \"", TLY_ERANGE, "range", "reason", "has a reason"},
    {"a reason with a NUL", RELEASE, REASON, "\"reason\":\"r\\u0000\"", TLY_EINPUT, "S01", "reason", "escape"},
    {"a reason that is a number", RELEASE, REASON, "\"reason\":1", TLY_EINPUT, "S01", "reason", "not a string"},
    {"a reason in Persian", RELEASE, REASON, "\"reason\":\"صورت\u200cجلسه\"", TLY_OK, "", "", ""},
    {"position 0", RELEASE, "\"position\":5", "\"position\":0", TLY_ERANGE, "range", "position", "no position"},
    {"a position that no ledger has", RELEASE, "\"position\":5", "\"position\":4294967296", TLY_ERANGE, "range", "position", "no position"},
    {"a negative position", RELEASE, "\"position\":5", "\"position\":-1", TLY_ERANGE, "range", "position", "out of range"},
    {"a position past 2^63", RELEASE, "\"position\":5", "\"position\":9223372036854775808", TLY_ERANGE, "range", "position", "out of range"},
    {"a position with a fraction", RELEASE, "\"position\":5", "\"position\":5.0", TLY_EINPUT, "S01", "position", "not a whole number"},
    {"a time that is none", RELEASE, "\"made_at\":1", "\"made_at\":1099511627776", TLY_ERANGE, "range", "made_at", "no time"},
    {"a short salt", RELEASE, "\"salt\":\"00", "\"salt\":\"", TLY_EINPUT, "S01", "salt", "32 lower-case"},
    {"a salt in capitals", RELEASE, "\"salt\":\"00", "\"salt\":\"AA", TLY_EINPUT, "S01", "salt", "32 lower-case"},
    {"no salt", RELEASE, ",\"salt\":\"00000000000000000000000000000000\"", "", TLY_EINPUT, "S01", "", "is missing"},
    {"a key twice", RELEASE, "\"made_at\":1", "\"position\":5", TLY_EINPUT, "S01", "position", "stands twice"},
    {"an unknown key", RELEASE, "\"made_at\"", "\"made_by\"", TLY_EINPUT, "S01", "", "unknown key"},
    {"a key too many", RELEASE, "\"made_at\":1", "\"made_at\":1,\"by\":1", TLY_EINPUT, "S01", "", "unknown key"},
    {"something behind it", RELEASE, "000\"}", "000\"}{}", TLY_EINPUT, "S01", "", "behind the object"},
    {"an array", RELEASE, "{\"election\":", "[\"election\":", TLY_EINPUT, "S01", "", "not an object"},
    {"no such kind", "relieve", SLOT("b-1", "c-0"), NULL, NULL, TLY_ERANGE, "kind", "kind", "no such kind"},
    {"what is no decision", "revise", "{}", NULL, NULL, TLY_ERANGE, "kind", "kind", "a bundle's policy"},
    {"no such branch", "release", SLOT("b-9", "c-0"), NULL, NULL, TLY_ERANGE, "A07", "target.branch", "no such branch"},
    {"no such contest", "release", SLOT("b-1", "c-9"), NULL, NULL, TLY_ERANGE, "A07", "target.contest", "no such contest"},
    {"an escape in a code", "release", SLOT("b\\u002d1", "c-0"), NULL, NULL, TLY_EINPUT, "S01", "target.branch", "escape"},
    {"a target without its contest", "release", "{\"branch\":\"b-1\"}", NULL, NULL, TLY_EINPUT, "S01", "target.", "missing"},
    {"a target that is a text", "release", "\"b-1\"", NULL, NULL, TLY_EINPUT, "S01", "target.", "not an object"},
    {"no such candidate", "exclude", "{\"contest\":\"c-3\",\"candidate\":\"k-9\"}", NULL, NULL, TLY_ERANGE, "A07", "target.candidate", "no such candidate"},
    {"a candidate of another contest", "exclude", "{\"contest\":\"c-3\",\"candidate\":\"k-2\"}", NULL, NULL, TLY_ERANGE, "A07", "target.candidate", "no such candidate"},
    {"an order of one", "lot", LOT("c-1", "[\"k-0\"]", "lot"), NULL, NULL, TLY_ERANGE, "range", "target.order", "two at least"},
    {"an order of nobody", "lot", LOT("c-1", "[]", "lot"), NULL, NULL, TLY_ERANGE, "range", "target.order", "two at least"},
    {"an order with a stranger", "lot", LOT("c-1", "[\"k-0\",\"k-7\"]", "lot"), NULL, NULL, TLY_ERANGE, "A07", "target.order", "different candidates"},
    {"an order that names one twice", "lot", LOT("c-1", "[\"k-2\",\"k-0\",\"k-2\"]", "lot"), NULL, NULL, TLY_ERANGE, "A07", "target.order", "different candidates"},
    {"a list twice", "lot", LOT("c-2", "[\"A\",\"B\",\"A\"]", "lot"), NULL, NULL, TLY_ERANGE, "A07", "target.order", "different lists"},
    {"lists and persons together", "lot", LOT("c-2", "[\"A\",\"k-0\"]", "lot"), NULL, NULL, TLY_ERANGE, "A07", "target.order", "different candidates"},
    {"an order that is a text", "lot", LOT("c-1", "\"k-0\"", "lot"), NULL, NULL, TLY_EINPUT, "S01", "target.order", "not an array"},
    {"an order with a number", "lot", LOT("c-1", "[\"k-0\",1]", "lot"), NULL, NULL, TLY_EINPUT, "S01", "target.order", "array of codes"},
    {"no ground that there is", "lot", LOT("c-1", "[\"k-0\",\"k-1\"]", "coin"), NULL, NULL, TLY_ERANGE, "range", "target.ground", "neither veteran"},
    {"a short hash", "certify", "{\"contest\":\"c-3\",\"at\":5,\"result\":\"00\"}", NULL, NULL, TLY_EINPUT, "S01", "target.result", "64 lower-case"},
    {"a negative at", "certify", "{\"contest\":\"c-3\",\"at\":-5,\"result\":\"" ZEROS "\"}", NULL, NULL, TLY_ERANGE, "range", "target.at", "out of range"},
    /* What stands in the ledger. */
    {"released", RELEASE, NULL, NULL, TLY_OK, "", "", ""},
    {"released: it counts already", "release", SLOT("b-0", "c-0"), NULL, NULL, TLY_ECONFLICT, "state", "target", "not held"},
    {"released: it is annulled", "release", SLOT("b-2", "c-0"), NULL, NULL, TLY_ECONFLICT, "state", "target", "not held"},
    {"released by who had not seen it", RELEASE, "\"position\":5", "\"position\":2", TLY_ECONFLICT, "changed", "position", "entry 2 is a bundle of branch b-1, revision 1"},
    {"released by who had just seen it", RELEASE, "\"position\":5", "\"position\":3", TLY_OK, "", "", ""},
    {"of a ledger to come", RELEASE, "\"position\":5", "\"position\":6", TLY_ECONFLICT, "changed", "position", "has not come to position 6"},
    {"annulled", "annul", SLOT("b-1", "c-0"), NULL, NULL, TLY_OK, "", "", ""},
    {"annulled twice", "annul", SLOT("b-2", "c-0"), NULL, NULL, TLY_ECONFLICT, "state", "target", "annulled already"},
    {"annulled by who had not seen the annulment", "annul", SLOT("b-2", "c-0"), "\"position\":5", "\"position\":4", TLY_ECONFLICT, "changed", "position", "entry 4 is a annul"},
    {"reinstated", "reinstate", SLOT("b-2", "c-0"), NULL, NULL, TLY_OK, "", "", ""},
    {"reinstated: it is not annulled", "reinstate", SLOT("b-1", "c-0"), NULL, NULL, TLY_ECONFLICT, "state", "target", "not annulled"},
    {"explained", "explain", SLOT("b-1", "c-0"), NULL, NULL, TLY_OK, "", "", ""},
    {"explained: nothing was found", "explain", SLOT("b-0", "c-0"), NULL, NULL, TLY_ECONFLICT, "state", "target", "anything to explain"},
    {"a lot", "lot", LOT("c-1", "[\"k-2\",\"k-0\",\"k-1\"]", "lot"), NULL, NULL, TLY_OK, "", "", ""},
    {"a lot of some of the equals", "lot", LOT("c-1", "[\"k-2\",\"k-0\"]", "lot"), NULL, NULL, TLY_ECONFLICT, "state", "target", "exactly these"},
    {"a lot where nobody is equal", "lot", LOT("c-3", "[\"k-1\",\"k-0\"]", "lot"), NULL, NULL, TLY_ECONFLICT, "state", "target", "no tie"},
    {"a lot while a branch is held", "lot", LOT("c-0", "[\"k-2\",\"k-0\",\"k-1\"]", "lot"), NULL, NULL, TLY_ECONFLICT, "state", "target", "not certain yet"},
    {"a lot of lists", "lot", LOT("c-2", "[\"B\",\"A\"]", "degree"), NULL, NULL, TLY_OK, "", "", ""},
    {"a lot of persons of tied lists", "lot", LOT("c-2", "[\"k-0\",\"k-1\"]", "lot"), NULL, NULL, TLY_ECONFLICT, "state", "target", "exactly these"},
    {"excluded", "exclude", "{\"contest\":\"c-3\",\"candidate\":\"k-0\"}", NULL, NULL, TLY_OK, "", "", ""},
    {"certified: another result", "certify", "{\"contest\":\"c-3\",\"at\":5,\"result\":\"" ZEROS "\"}", NULL, NULL, TLY_ECONFLICT, "state", "target", "another one than what was signed"},
    {"certified: a branch is held", "certify", "{\"contest\":\"c-0\",\"at\":5,\"result\":\"" ZEROS "\"}", NULL, NULL, TLY_ECONFLICT, "state", "target", "not every branch"},
    {"certified: at is behind position", "certify", "{\"contest\":\"c-3\",\"at\":6,\"result\":\"" ZEROS "\"}", NULL, NULL, TLY_ECONFLICT, "state", "target", "changed behind"},
    {"certified: at is before a change", "certify", "{\"contest\":\"c-3\",\"at\":3,\"result\":\"" ZEROS "\"}", NULL, NULL, TLY_ECONFLICT, "state", "target", "changed behind"},
    {"certified: position is before a change", "certify", "{\"contest\":\"c-3\",\"at\":3,\"result\":\"" ZEROS "\"}", "\"position\":5", "\"position\":3", TLY_ECONFLICT, "changed", "position", "entry 3 is a bundle"},
    /* Terminals, and the election's state. */
    {"added", "key", ADD, NULL, NULL, TLY_OK, "", "", ""},
    {"added without a branch", "key", ADD, "\"branch\":\"b-0\",", "", TLY_OK, "", "", ""},
    {"added for no branch that there is", "key", ADD, "b-0", "b-9", TLY_ERANGE, "A07", "target.branch", "no such branch"},
    {"added without its certificate", "key", ADD, ",\"certificate\":\"" ZEROS "\"", "", TLY_EINPUT, "S01", "target.", "is missing"},
    {"added with one date", "key", ADD, ",\"not_after\":2", "", TLY_EINPUT, "S01", "target.", "is missing"},
    {"added with dates the wrong way round", "key", ADD, "\"not_after\":2", "\"not_after\":0", TLY_ERANGE, "range", "target.not_after", "before not_before"},
    {"added with a date that is none", "key", ADD, "\"not_after\":2", "\"not_after\":1099511627776", TLY_ERANGE, "range", "target.not_after", "no time"},
    {"added with a key of small order", "key", ADD, KEY_1, ZEROS, TLY_ERANGE, "range", "target.signing_key", "small order"},
    {"added with a key in capitals", "key", ADD, KEY_1, "A3A107BFF3CE10BE1D70DD18E74BC09967E4D6309BA50D5F1DDC8664125531B8", TLY_EINPUT, "S01", "target.signing_key", "64 lower-case"},
    {"added with a short certificate", "key", ADD, ZEROS, "00", TLY_EINPUT, "S01", "target.certificate", "64 lower-case"},
    {"added under no code", "key", ADD, "new-1", "new 1", TLY_ERANGE, "range", "target.terminal", "not a code"},
    {"added twice", "key", ADD, "new-1", "spare", TLY_ECONFLICT, "state", "target", "of that code is registered"},
    {"added over one that is gone", "key", ADD, "new-1", "gone", TLY_ECONFLICT, "state", "target", "of that code is registered"},
    {"a member too many", "key", ADD, "\"branch\"", "\"name\"", TLY_EINPUT, "S01", "target.", "unknown key"},
    {"a member twice", "key", ADD, "\"not_after\":2", "\"not_before\":2", TLY_EINPUT, "S01", "target.not_before", "stands twice"},
    {"no action", "key", "{\"terminal\":\"b-0\"}", NULL, NULL, TLY_EINPUT, "S01", "target.", "is missing"},
    {"no action that there is", "key", "{\"action\":\"steal\",\"terminal\":\"b-0\"}", NULL, NULL, TLY_ERANGE, "range", "target.action", "neither add"},
    {"rotated", "key", "{\"terminal\":\"b-0\",\"signing_key\":\"" KEY_1 "\",\"action\":\"rotate\"}", NULL, NULL, TLY_OK, "", "", ""},
    {"rotated: the certificate", "key", "{\"action\":\"rotate\",\"terminal\":\"b-0\",\"certificate\":\"" ZEROS "\",\"not_before\":1,\"not_after\":1}", NULL, NULL, TLY_OK, "", "", ""},
    {"rotated: neither", "key", "{\"action\":\"rotate\",\"terminal\":\"b-0\",\"not_before\":1,\"not_after\":1}", NULL, NULL, TLY_EINPUT, "S01", "target.", "is missing"},
    {"rotated to another branch", "key", "{\"action\":\"rotate\",\"terminal\":\"b-0\",\"signing_key\":\"" KEY_1 "\",\"branch\":\"b-1\"}", NULL, NULL, TLY_EINPUT, "S01", "target.", "no such member"},
    {"rotated: a stranger", "key", "{\"action\":\"rotate\",\"terminal\":\"b-9\",\"signing_key\":\"" KEY_1 "\"}", NULL, NULL, TLY_ERANGE, "A07", "target.terminal", "no such terminal"},
    {"rotated: it is revoked", "key", "{\"action\":\"rotate\",\"terminal\":\"gone\",\"signing_key\":\"" KEY_1 "\"}", NULL, NULL, TLY_ECONFLICT, "state", "target", "is revoked"},
    {"revoked", "key", "{\"action\":\"revoke\",\"terminal\":\"b-0\"}", NULL, NULL, TLY_OK, "", "", ""},
    {"revoked twice", "key", "{\"action\":\"revoke\",\"terminal\":\"gone\"}", NULL, NULL, TLY_ECONFLICT, "state", "target", "is revoked"},
    {"assigned", "key", "{\"action\":\"assign\",\"terminal\":\"spare\",\"branch\":\"b-0\"}", NULL, NULL, TLY_OK, "", "", ""},
    {"assigned to nothing", "key", "{\"action\":\"assign\",\"terminal\":\"spare\"}", NULL, NULL, TLY_EINPUT, "S01", "target.", "is missing"},
    {"assigned to where it is", "key", "{\"action\":\"assign\",\"terminal\":\"b-0\",\"branch\":\"b-0\"}", NULL, NULL, TLY_ECONFLICT, "state", "target", "that branch's already"},
    {"closed", "state", "{\"state\":\"closed\"}", NULL, NULL, TLY_OK, "", "", ""},
    {"closed until", "state", "{\"until\":5,\"state\":\"closed\"}", NULL, NULL, TLY_OK, "", "", ""},
    {"closed until no time", "state", "{\"until\":1099511627776,\"state\":\"closed\"}", NULL, NULL, TLY_ERANGE, "range", "target.until", "no time"},
    {"open, which it is", "state", "{\"state\":\"open\"}", NULL, NULL, TLY_ECONFLICT, "state", "target", "in that state already"},
    {"open, with a time", "state", "{\"state\":\"open\",\"until\":7}", NULL, NULL, TLY_OK, "", "", ""},
    {"no state that there is", "state", "{\"state\":\"ajar\"}", NULL, NULL, TLY_ERANGE, "range", "target.state", "neither open"},
    {"no state", "state", "{}", NULL, NULL, TLY_EINPUT, "S01", "target.", "is missing"},
};
/* clang-format on */

/* The document, with one text in it replaced. */
static struct tly_bytes
document(const char *kind, const char *target, const char *find, const char *put)
{
    char      plain[2048];
    char     *text = tly_arena_alloc(&w.scratch, 4096, 1);
    const int len  = snprintf(plain, sizeof plain,
                              "{\"election\":\"test\",\"phase\":\"rehearsal\",\"kind\":\"%s\","
                               "\"target\":%s,\"reason\":\"r\",\"position\":5,\"made_at\":1,"
                               "\"salt\":\"00000000000000000000000000000000\"}",
                              kind, target);
    TLY_CHECK(text != NULL && len > 0 && (size_t)len < sizeof plain);
    const char *at = find == NULL ? plain : strstr(plain, find);
    TLY_CHECK(at != NULL);
    const int n = snprintf(text, 4096, "%.*s%s%s", (int)(at - plain), plain, put == NULL ? "" : put,
                           find == NULL ? at : at + strlen(find));
    return (struct tly_bytes){(const uint8_t *)text, (size_t)n};
}

static enum tly_err
judge(struct tly_bytes payload, struct decision *d, struct tly_diag *diag)
{
    const enum tly_err err = world_read(&w, payload, d, diag);
    return err == TLY_OK ? decision_judge(&w.tally, w.book, d, &w.scratch, diag) : err;
}

static void
check_examples(void)
{
    for (unsigned i = 0; i < TLY_N(examples); i++) {
        const struct example *x    = &examples[i];
        struct tly_diag       diag = {0};
        struct decision       d;
        const enum tly_err    err = judge(document(x->kind, x->target, x->find, x->put), &d, &diag);
        const bool ok = err == x->err && (err == TLY_OK || (strcmp(diag.code, x->code) == 0 &&
                                                            strcmp(diag.field, x->field) == 0 &&
                                                            strstr(diag.text, x->says) != NULL));
        if (!T_OK(ok, x->name)) {
            printf("# error %d, code %s, field %s: %s\n", (int)err, diag.code, diag.field,
                   diag.text);
        }
        world_scratch(&w);
    }
}

/* ---- the registry, as it was and as it becomes ---- */

/* A target of rotate with this key or certificate. */
static const char *
rotate(const char *member, const uint8_t bytes[32])
{
    static char text[256];
    char        hex[TLY_HEX_SIZE(32)];
    tly_hex(bytes, 32, hex);
    (void)snprintf(text, sizeof text, "{\"action\":\"rotate\",\"terminal\":\"b-0\",\"%s\":\"%s\"}",
                   member, hex);
    return text;
}

/* What stands anywhere does not come again, not even as the terminal's own. */
static void
check_known(void)
{
    const struct tly_key owners[] = {w.terminals[1].key, w.terminals[0].key, w.terminals[4].key,
                                     w.officers[0].key};
    struct tly_diag      diag     = {0};
    struct decision      d;
    for (unsigned i = 0; i < TLY_N(owners); i++) {
        const char *target = rotate("signing_key", owners[i].b);
        T_EQ(judge(document("key", target, NULL, NULL), &d, &diag), TLY_ECONFLICT, "a known key");
        T_OK(strcmp(diag.code, "state") == 0 && strstr(diag.text, "signing key stands") != NULL,
             diag.text);
    }
    const char *target = rotate("certificate", w.terminals[2].cert.b);
    T_EQ(judge(document("key", target, NULL, NULL), &d, &diag), TLY_ECONFLICT,
         "a known certificate");
    T_OK(strstr(diag.text, "certificate stands") != NULL, diag.text);
    world_scratch(&w);
}

/* Judges at the end of the ledger, and puts it in force. */
static enum tly_err
decide(const char *kind, const char *target, uint64_t position, struct tly_diag *diag)
{
    char            put[32];
    struct decision d;
    (void)snprintf(put, sizeof put, "\"position\":%llu", (unsigned long long)position);
    enum tly_err err = judge(document(kind, target, "\"position\":5", put), &d, diag);
    if (err != TLY_OK) {
        return err;
    }
    const uint64_t          here  = book_size(w.book);
    const struct book_entry entry = {.kind     = decision_leaf(d.kind),
                                     .branch   = d.branch,
                                     .contest  = d.contest,
                                     .terminal = {IX_NONE},
                                     .payload  = world_hash("decision", here),
                                     .held     = d.target};
    TLY_CHECK(decision_keep(&d, &w.arena) &&
              decision_register(&d, book_registry(w.book), here, &w.arena));
    err = book_append(w.book, &entry);
    decision_apply(&w.tally, &d, here);
    if (d.kind == POLICY_KEY) {
        book_set_registry(w.book, d.key.after);
    }
    w.tally.position = here + 1;
    world_scratch(&w);
    return err;
}

static void
check_in_force(void)
{
    struct tly_diag diag = {0};
    const uint64_t  seen = book_size(w.book);
    T_EQ(decide("key", ADD, seen, &diag), TLY_OK, "a terminal more");
    T_EQ(w.tally.terminals_added, 1, "is counted");
    T_EQ(decide("key", "{\"action\":\"revoke\",\"terminal\":\"new-1\"}", seen, &diag),
         TLY_ECONFLICT, "revoked by who had not seen it");
    T_OK(strcmp(diag.code, "changed") == 0 && strstr(diag.text, "is a key") != NULL, diag.text);
    T_EQ(decide("key", ADD, seen + 1, &diag), TLY_ECONFLICT, "added again");
    T_STR(diag.code, "state", "by who had");
    T_EQ(decide("key", "{\"action\":\"assign\",\"terminal\":\"new-1\",\"branch\":\"b-2\"}",
                seen + 1, &diag),
         TLY_OK, "it moves");
    T_EQ(decide("key", rotate("signing_key", w.terminals[3].key.b), seen + 2, &diag), TLY_ECONFLICT,
         "a key of a spare");
    T_EQ(decide("key", "{\"action\":\"revoke\",\"terminal\":\"b-1\"}", seen, &diag), TLY_OK,
         "what became of another terminal does not matter");
    T_EQ(decide("key", rotate("certificate", world_hash("fresh", 0).b), seen, &diag), TLY_OK,
         "a new certificate");
    T_EQ(decide("key", rotate("certificate", w.terminals[0].cert.b), book_size(w.book), &diag),
         TLY_ECONFLICT, "not the old one again");
    T_EQ(decide("state", "{\"state\":\"closed\",\"until\":9}", seen, &diag), TLY_OK, "closed");
    T_OK(w.tally.state == ELECTION_CLOSED && w.tally.state_until == 9, "it stands so");
    T_EQ(decide("state", "{\"state\":\"open\"}", seen, &diag), TLY_ECONFLICT,
         "opened by who had not seen it");
    T_STR(diag.code, "changed", "is told");
    T_EQ(decide("state", "{\"state\":\"closed\",\"until\":9}", book_size(w.book), &diag),
         TLY_ECONFLICT, "closed twice");
    T_EQ(decide("state", "{\"state\":\"closed\"}", book_size(w.book), &diag), TLY_OK,
         "another time");
    T_EQ(decide("state", "{\"state\":\"open\"}", book_size(w.book), &diag), TLY_OK, "opened");
    T_OK(w.tally.state == ELECTION_OPEN && w.tally.state_until == ELECTION_NO_UNTIL,
         "as in the beginning");
}

/* Read before an entry that its signers claim to have seen: who must sign was asked of what was. */
static void
check_overtaken(void)
{
    struct tly_diag   diag   = {0};
    const uint64_t    seen   = book_size(w.book);
    static const char MOVE[] = "{\"action\":\"assign\",\"terminal\":\"spare\",\"branch\":\"b-0\"}";
    char              put[32];
    struct decision   d;
    (void)snprintf(put, sizeof put, "\"position\":%llu", (unsigned long long)seen + 1);
    const struct tly_bytes early =
        document("key", "{\"action\":\"revoke\",\"terminal\":\"spare\"}", "\"position\":5", put);
    char keep[2048];
    memcpy(keep, early.data, early.len);
    T_EQ(world_read(&w, (struct tly_bytes){(uint8_t *)keep, early.len}, &d, &diag), TLY_OK,
         "read as a spare's");
    const struct decision waiting = d;
    T_EQ(decide("key", MOVE, seen, &diag), TLY_OK, "it becomes a branch's");
    d = waiting;
    T_EQ(decision_judge(&w.tally, w.book, &d, &w.scratch, &diag), TLY_ECONFLICT,
         "what was read before is read again");
    T_STR(diag.code, "changed", "by its signers");
}

/* Both where a terminal was and where it comes to: com of the city alone cannot take it from another. */
static void
check_both_areas(void)
{
    struct tly_diag      diag = {0};
    struct decision      d;
    const struct area_ix whole = w.officers[1].area;
    w.officers[1].area         = election_area(&w.m.e, tly_text("city"));
    T_EQ(judge(document("key", "{\"action\":\"revoke\",\"terminal\":\"b-0\"}", NULL, NULL), &d,
               &diag),
         TLY_OK, "the city's officer revokes the city's terminal");
    T_EQ(judge(document("key", "{\"action\":\"revoke\",\"terminal\":\"spare\"}", NULL, NULL), &d,
               &diag),
         TLY_EFORBID, "a spare is the country's");
    T_STR(diag.code, "quorum", "by the quorum");
    T_EQ(judge(document("state", "{\"state\":\"closed\"}", NULL, NULL), &d, &diag), TLY_EFORBID,
         "so is the state");
    T_EQ(judge(document("key", "{\"action\":\"assign\",\"terminal\":\"spare\",\"branch\":\"b-0\"}",
                        NULL, NULL),
               &d, &diag),
         TLY_OK, "a spare comes to the city");
    w.officers[1].area   = election_area(&w.m.e, tly_text("other"));
    w.m.branches[1].area = w.officers[1].area;
    T_EQ(judge(document("key", "{\"action\":\"assign\",\"terminal\":\"b-0\",\"branch\":\"b-1\"}",
                        NULL, NULL),
               &d, &diag),
         TLY_EFORBID, "another city does not take a terminal");
    w.m.branches[1].area = w.m.branches[0].area;
    w.officers[1].area   = whole;
    world_scratch(&w);
}

/* ---- signatures and senders ---- */

static enum tly_err
read_by(const struct sign_secret secrets[], const struct tly_hash keyids[], unsigned n,
        const struct speaker *sender, struct tly_diag *diag)
{
    const struct decision_rules rules   = {&w.m.e, &w.registry, sender};
    const struct tly_bytes      payload = document(RELEASE, NULL, NULL);
    struct tly_bytes            envelope;
    struct decision             d;
    enum tly_err                err =
        envelope_write(ENVELOPE_TYPE_DECISION, payload, secrets, keyids, n, &w.scratch, &envelope);
    TLY_CHECK(err == TLY_OK);
    err = decision_read(&rules, envelope, &w.scratch, &d, diag);
    world_scratch(&w);
    return err;
}

static void
check_signatures(void)
{
    struct tly_diag          diag    = {0};
    const struct sign_secret swapped = w.secrets[0];
    T_EQ(read_by(w.secrets, w.keyids, 2, NULL, &diag), TLY_OK, "both officers");
    T_EQ(read_by(w.secrets, w.keyids, 1, NULL, &diag), TLY_EFORBID, "one of two");
    T_EQ(read_by((struct sign_secret[]){w.secrets[0], swapped}, w.keyids, 2, NULL, &diag),
         TLY_EFORBID, "the second signature is another key's");
    T_OK(strcmp(diag.code, "quorum") == 0 &&
             strstr(diag.text, "signature 2, by sup, does not count: the signature is not over "
                               "this document") != NULL,
         diag.text);
    T_EQ(read_by((struct sign_secret[]){w.secrets[1], w.secrets[1]}, w.keyids, 2, NULL, &diag),
         TLY_EFORBID, "the first is");
    T_EQ(read_by((struct sign_secret[]){w.secrets[1], w.secrets[0]}, w.keyids, 2, NULL, &diag),
         TLY_ENOKEY, "both are");
    T_EQ(read_by(w.secrets, (struct tly_hash[]){world_hash("x", 1), world_hash("x", 2)}, 2, NULL,
                 &diag),
         TLY_ENOKEY, "nobody's keys");
    T_EQ(read_by((struct sign_secret[]){w.secrets[0], w.secrets[0], w.secrets[0]},
                 (struct tly_hash[]){w.keyids[0], w.keyids[0], w.keyids[0]}, 3, NULL, &diag),
         TLY_EFORBID, "one officer three times");
}

static void
check_senders(void)
{
    struct tly_diag diag = {0};
    struct speaker  s    = {.role = ROLE_OFFICER, .terminal = {IX_NONE}};
    s.area               = election_area(&w.m.e, tly_text("ir"));
    T_EQ(read_by(w.secrets, w.keyids, 2, &s, &diag), TLY_OK, "sent from the country");
    s.area = election_area(&w.m.e, tly_text("city"));
    T_EQ(read_by(w.secrets, w.keyids, 2, &s, &diag), TLY_OK, "from its city");
    s.area = election_area(&w.m.e, tly_text("other"));
    T_EQ(read_by(w.secrets, w.keyids, 2, &s, &diag), TLY_EFORBID, "from another city");
    T_OK(strcmp(diag.code, "area") == 0 && strcmp(diag.field, "target") == 0, "by its area");
    s.area.v = IX_NONE;
    T_EQ(read_by(w.secrets, w.keyids, 2, &s, &diag), TLY_EFORBID, "from nowhere");
}

/* ---- what the ledger learned since ---- */

static void
check_conflict(void)
{
    struct tly_diag         diag = {0};
    struct decision         d;
    const struct book_entry entry = {.kind        = LEAF_CONFLICT,
                                     .branch      = {1},
                                     .terminal    = {1},
                                     .revision    = 1,
                                     .accepted_ms = 1,
                                     .payload     = world_hash("conflict", 0)};
    const uint64_t          size  = book_size(w.book);
    T_EQ(book_append(w.book, &entry), TLY_OK, "the branch contradicts itself");
    tally_conflict(&w.tally, (struct branch_ix){1}, size);
    T_EQ(judge(document(RELEASE, NULL, NULL), &d, &diag), TLY_ECONFLICT,
         "signers who did not know");
    T_OK(strstr(diag.text, "entry 5 is a conflict of branch b-1, revision 1") != NULL, diag.text);
    T_EQ(judge(document(RELEASE, "\"position\":5", "\"position\":6"), &d, &diag), TLY_OK,
         "signers who did");
    T_EQ(judge(document("annul", SLOT("b-0", "c-1"), NULL, NULL), &d, &diag), TLY_OK,
         "another branch does not matter");
    world_scratch(&w);
}

/* ---- the text of a result ---- */

static void
check_result_is(const char *name, uint32_t contest, const char *want)
{
    struct tly_hash got, hash;
    const bool      ok =
        decision_result(&w.tally, (struct contest_ix){contest}, &w.scratch, &got) == TLY_OK;
    crypto_hash_sha256(hash.b, (const unsigned char *)want, strlen(want));
    T_OK(ok && tly_hash_eq(&got, &hash), name);
}

static enum tly_err
certify(uint32_t contest, const char *position)
{
    struct tly_diag diag = {0};
    struct tly_hash result;
    struct decision d;
    char            hex[65], target[256], put[32];
    if (decision_result(&w.tally, (struct contest_ix){contest}, &w.scratch, &result) != TLY_OK) {
        return TLY_ENOMEM;
    }
    tly_hex(result.b, sizeof result.b, hex);
    (void)snprintf(target, sizeof target, "{\"contest\":\"%s\",\"at\":%s,\"result\":\"%s\"}",
                   w.m.contests[contest].code, position, hex);
    (void)snprintf(put, sizeof put, "\"position\":%s", position);
    const enum tly_err err = judge(document("certify", target, "\"position\":5", put), &d, &diag);
    printf("# %s\n", diag.text);
    if (err == TLY_OK) {
        tally_certify(&w.tally, d.contest, w.tally.position);
    }
    world_scratch(&w);
    return err;
}

#define HEAD(contest, branches, cast)                                                              \
    "tally/result/v1\nelection test\ncontest " contest "\nbranches " branches                      \
    "\nauthenticated_online 0\nauthenticated_offline 0\nauthenticated_manual 0\nissued 0\n"        \
    "cast " cast "\nblank 0\ninvalid 0\nvalid " cast "\nexcluded 0\nmixed 0\n"

static void
check_results(void)
{
    check_result_is("votes, winner, alternate", 3,
                    HEAD("c-3", "3 3 0", "36") "pool 27 0\ncandidate k-0 15 15\ncandidate k-1 12 "
                                               "12\nwinner k-0\nalternate k-1\nvacancies 0\n");
    check_result_is("held and annulled are not in it", 0,
                    HEAD("c-0", "3 1 1", "12") "pool 12 0\ncandidate k-0 4 4\ncandidate k-1 4 "
                                               "4\ncandidate k-2 4 4\nvacancies 0\n");
    T_EQ(certify(1, "5"), TLY_ECONFLICT, "a contest with a tie cannot be certified");
    T_EQ(certify(3, "5"), TLY_OK, "the result as it is can be certified");
    T_OK(tally_is_certified(&w.tally, (struct contest_ix){3}), "and is");
    tally_exclude(&w.tally, (struct candidate_ix){w.m.contests[3].candidates_first},
                  w.tally.position);
    T_OK(!tally_is_certified(&w.tally, (struct contest_ix){3}), "an entry since: no longer");
    check_result_is("who is excluded", 3,
                    HEAD("c-3", "3 3 0", "36") "pool 27 0\nexcluded k-0 15 15\ncandidate k-1 12 "
                                               "12\nwinner k-1\nvacancies 0\n");
    tally_exclude(&w.tally, (struct candidate_ix){w.m.contests[3].candidates_first + 1},
                  w.tally.position);
    check_result_is("a seat that stays empty", 3,
                    HEAD("c-3", "3 3 0", "36") "pool 27 0\nexcluded k-0 15 15\nexcluded k-1 12 "
                                               "12\nvacancies 1\n");
}

int
main(void)
{
    world_make(&w);
    check_examples();
    check_signatures();
    check_senders();
    check_known();
    check_both_areas();
    check_conflict();
    check_overtaken();
    check_in_force();
    check_results();
    world_free(&w);
    return T_DONE();
}
