/* SPDX-License-Identifier: Apache-2.0 */
/* Names there and back, places by code, and the tree of areas. */
#include "election_make.h"
#include "t.h"

#define NAMES(find, name, type, n)                                                                 \
    do {                                                                                           \
        for (unsigned i = 0; i < (n); i++) {                                                       \
            type back = (type)((i + 1) % (n));                                                     \
            T_OK(find(tly_text(name((type)i)), &back) && back == (type)i, name((type)i));          \
        }                                                                                          \
        type kept = (type)0;                                                                       \
        T_OK(!find(tly_text("nonsense"), &kept) && !find(tly_text(""), &kept) && kept == (type)0,  \
             "no such word, nothing written: " #name);                                             \
    } while (0)

static struct election_maker m;

static void
check_names(void)
{
    NAMES(phase_find, phase_name, enum phase, 2);
    NAMES(level_find, level_name, enum area_level, LEVELS_N);
    NAMES(branch_kind_find, branch_kind_name, enum branch_kind, 2);
    NAMES(policy_find, policy_name, enum policy_kind, POLICIES_N);
    NAMES(officer_role_find, officer_role_name, enum officer_role, OFFICER_ROLES_N);
    T_STR(level_name(LEVEL_RURAL_DISTRICT), "rural_district", "a name of two words");
}

static void
check_places(void)
{
    make_begin(&m, 1 << 20);
    const uint32_t            block = make_rule(&m, "block");
    const struct area_ix      none  = {IX_NONE};
    const struct area_ix      root  = make_area(&m, "ir", none, LEVEL_COUNTRY);
    const struct area_ix      a     = make_area(&m, "ir.01", root, LEVEL_PROVINCE);
    const struct area_ix      b     = make_area(&m, "ir.02", root, LEVEL_PROVINCE);
    const struct area_ix      a1    = make_area(&m, "ir.01.1", a, LEVEL_COUNTY);
    const struct contest_ix   c0    = make_contest(&m, "c0", a1, block, 3);
    const struct list_ix      l0    = make_list(&m, "L");
    const struct candidate_ix p0    = make_candidate(&m, "1", l0);
    const struct contest_ix   c1    = make_contest(&m, "c1", b, block, 3);
    const struct candidate_ix p1    = make_candidate(&m, "1", (struct list_ix){IX_NONE});
    const struct branch_ix    b0    = make_branch(&m, "b0", a1, 0);
    (void)make_slot(&m, c1);
    const struct slot_ix   s01 = make_slot(&m, c0);
    const struct branch_ix b1  = make_branch(&m, "b1", b, 0);
    const struct slot_ix   s10 = make_slot(&m, c1);
    const struct election *e   = make_done(&m);

    T_EQ(election_area(e, tly_text("ir.01.1")).v, a1.v, "an area by its code");
    T_EQ(election_area(e, tly_text("ir.01.")).v, IX_NONE, "a prefix is no code");
    T_EQ(election_contest(e, tly_text("c1")).v, c1.v, "a contest");
    T_EQ(election_branch(e, tly_text("b1")).v, b1.v, "a branch");
    T_EQ(election_branch(e, tly_text("B1")).v, IX_NONE, "case matters");
    T_EQ(election_candidate(e, c0, tly_text("1")).v, p0.v, "equal codes in two contests: first");
    T_EQ(election_candidate(e, c1, tly_text("1")).v, p1.v, "equal codes in two contests: second");
    T_EQ(election_list(e, c0, tly_text("L")).v, l0.v, "a list");
    T_EQ(election_list(e, c1, tly_text("L")).v, IX_NONE, "a list of another contest");
    T_EQ(election_slot(e, b0, c0).v, s01.v, "the slot of a contest at a branch");
    T_EQ(election_slot(e, b1, c1).v, s10.v, "the slot of the same contest elsewhere");
    T_EQ(election_slot(e, b1, c0).v, IX_NONE, "a contest the branch does not report");
    T_OK(election_within(e, a1, root) && election_within(e, a1, a) && election_within(e, a1, a1),
         "an area lies in itself and in those above");
    T_OK(!election_within(e, a, a1) && !election_within(e, a1, b), "not below, not beside");
    make_free(&m);
}

int
main(void)
{
    check_names();
    check_places();
    return T_DONE();
}
