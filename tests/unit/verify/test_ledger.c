/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves say beside those before them: revisions, payloads, conflicts, time, election; many branches. */
#include "../../../src/verify/ledger.h"

#include <sodium.h>

#include "../../../src/verify/findings.h"
#include "t.h"

#define MANY 20000

static struct ledger *ledger;
static uint64_t       position;

static struct tly_hash
hash(unsigned n)
{
    struct tly_hash h = {{0}};
    memcpy(h.b, &n, sizeof n);
    return h;
}

/* Takes one more leaf; what is found. */
static uint64_t
take(struct leaf leaf, uint64_t skip)
{
    uint64_t found = 0;
    leaf.election  = leaf.election == NULL ? "e" : leaf.election;
    T_EQ(ledger_take(ledger, position++, &leaf, skip, &found), TLY_OK, "taken");
    return found;
}

static struct leaf
bundle(const char *branch, uint32_t revision, unsigned prev, unsigned payload)
{
    return (struct leaf){.kind        = LEAF_BUNDLE,
                         .branch      = branch,
                         .terminal    = "t",
                         .revision    = revision,
                         .has_prev    = prev != 0,
                         .prev        = hash(prev),
                         .payload     = hash(payload),
                         .envelope    = hash(payload + 1000000),
                         .accepted_ms = 10};
}

static struct leaf
conflict(const char *branch, uint32_t revision, unsigned payload, unsigned first)
{
    struct leaf leaf    = bundle(branch, revision, 0, payload);
    leaf.kind           = LEAF_CONFLICT;
    leaf.first_envelope = hash(first + 1000000);
    return leaf;
}

static void
order(void)
{
    T_EQ(take((struct leaf){.kind = LEAF_GENESIS, .accepted_ms = 5}, 0), 0, "a genesis");
    T_EQ(take(bundle("a", 1, 0, 1), 0), 0, "revision 1");
    T_EQ(take(bundle("a", 2, 1, 2), 0), 0, "revision 2");
    T_EQ(take(bundle("a", 2, 1, 3), 0), FOUND_BIT(FOUND_REVISION_TWICE), "revision 2 again");
    T_EQ(take(bundle("a", 4, 2, 4), 0), FOUND_BIT(FOUND_REVISION_GAP), "revision 4");
    T_EQ(take(bundle("a", 3, 1, 5), 0), FOUND_BIT(FOUND_REVISION_PREV), "over another payload");
    T_EQ(take(bundle("a", 3, 0, 6), 0), FOUND_BIT(FOUND_REVISION_PREV), "over nothing");
    T_EQ(take(bundle("a", 3, 2, 7), 0), 0, "revision 3, since those did not count");
    T_EQ(take(bundle("b", 1, 1, 8), 0), FOUND_BIT(FOUND_REVISION_PREV), "revision 1 with a prev");
    T_EQ(take(bundle("b", 1, 0, 1), 0), FOUND_BIT(FOUND_PAYLOAD_TWICE), "another's payload");
    T_EQ(take(bundle("b", 1, 0, 9), FOUND_BIT(FOUND_LEAF_BRANCH)), 0, "of no branch");
    T_EQ(take(bundle("b", 1, 0, 10), FOUND_BIT(FOUND_ENVELOPE_HASH)), 0, "with another finding");
    T_EQ(take(bundle("b", 2, 10, 11), 0), 0, "it was logged all the same");
    T_EQ(take(conflict("a", 2, 12, 2), 0), 0, "a conflict");
    T_EQ(take(conflict("a", 2, 12, 2), 0), FOUND_BIT(FOUND_PAYLOAD_TWICE), "the same again");
    T_EQ(take(conflict("a", 2, 13, 1), 0), FOUND_BIT(FOUND_CONFLICT_FIRST),
         "with another envelope");
    T_EQ(take(conflict("a", 4, 14, 2), 0), FOUND_BIT(FOUND_CONFLICT_FIRST), "with nothing");
    T_EQ(take(conflict("c", 1, 15, 1), 0), FOUND_BIT(FOUND_CONFLICT_FIRST), "of a silent branch");
    T_EQ(take((struct leaf){.kind = LEAF_GENESIS, .accepted_ms = 10}, 0),
         FOUND_BIT(FOUND_LEAF_GENESIS), "a second genesis");
    T_EQ(take((struct leaf){.kind = LEAF_ANNUL, .accepted_ms = 9}, 0), FOUND_BIT(FOUND_LEAF_TIME),
         "earlier than the one before");
    T_EQ(take((struct leaf){.kind = LEAF_ANNUL, .accepted_ms = 9, .election = "f"}, 0),
         FOUND_BIT(FOUND_LEAF_ELECTION), "of another election");
}

static void
many(void)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < MANY; i++) {
        char     code[16];
        uint64_t found = 0;
        (void)snprintf(code, sizeof code, "m%u", i % (MANY / 2));
        const bool  second = i >= MANY / 2;
        struct leaf leaf   = bundle(code, second ? 2 : 1, second ? 100 + i - MANY / 2 : 0, 100 + i);
        leaf.election      = "e";
        wrong += ledger_take(ledger, position++, &leaf, 0, &found) != TLY_OK || found != 0;
    }
    T_EQ(wrong, 0, "two revisions of 10,000 branches");
}

int
main(void)
{
    T_OK(sodium_init() >= 0, "libsodium");
    T_EQ(ledger_new(&ledger), TLY_OK, "a ledger");
    order();
    many();
    ledger_free(ledger);
    ledger_free(NULL);
    return T_DONE();
}
