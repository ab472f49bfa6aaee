/* SPDX-License-Identifier: Apache-2.0 */
#include "core/election.h"

#include "base/attr.h"
#include "base/check.h"

static const char *const phase_words[] = {
    [PHASE_REHEARSAL] = "rehearsal",
    [PHASE_OFFICIAL]  = "official",
};

static const char *const level_words[LEVELS_N] = {
    [LEVEL_COUNTRY] = "country", [LEVEL_PROVINCE] = "province",
    [LEVEL_COUNTY] = "county",   [LEVEL_DISTRICT] = "district",
    [LEVEL_CITY] = "city",       [LEVEL_RURAL_DISTRICT] = "rural_district",
    [LEVEL_VILLAGE] = "village", [LEVEL_NOMAD] = "nomad",
};

static const char *const branch_kind_words[] = {
    [BRANCH_FIXED]  = "fixed",
    [BRANCH_MOBILE] = "mobile",
};

static const char *const policy_words[POLICIES_N] = {
    [POLICY_RELEASE] = "release", [POLICY_EXPLAIN] = "explain",
    [POLICY_ANNUL] = "annul",     [POLICY_REINSTATE] = "reinstate",
    [POLICY_LOT] = "lot",         [POLICY_EXCLUDE] = "exclude",
    [POLICY_KEY] = "key",         [POLICY_STATE] = "state",
    [POLICY_CERTIFY] = "certify", [POLICY_REVISE] = "revise",
};

static const char *const officer_role_words[OFFICER_ROLES_N] = {
    [OFFICER_COMMISSION]  = "commission",
    [OFFICER_SUPERVISION] = "supervision",
    [OFFICER_OPERATOR]    = "operator",
};

static const char *
word_at(const char *const words[], unsigned words_n, unsigned i)
{
    TLY_CHECK(i < words_n);
    return words[i];
}

/* words_n when there is no such word. */
static unsigned
word_find(const char *const words[], unsigned words_n, struct tly_bytes name)
{
    unsigned i = 0;
    while (i < words_n && !tly_bytes_eq(name, tly_text(words[i]))) {
        i++;
    }
    return i;
}

const char *
phase_name(enum phase phase)
{
    return word_at(phase_words, TLY_N(phase_words), phase);
}

const char *
level_name(enum area_level level)
{
    return word_at(level_words, LEVELS_N, level);
}

const char *
branch_kind_name(enum branch_kind kind)
{
    return word_at(branch_kind_words, TLY_N(branch_kind_words), kind);
}

const char *
policy_name(enum policy_kind kind)
{
    return word_at(policy_words, POLICIES_N, kind);
}

const char *
officer_role_name(enum officer_role role)
{
    return word_at(officer_role_words, OFFICER_ROLES_N, role);
}

bool
phase_find(struct tly_bytes name, enum phase *out)
{
    const unsigned i = word_find(phase_words, TLY_N(phase_words), name);
    if (i == TLY_N(phase_words)) {
        return false;
    }
    *out = (enum phase)i;
    return true;
}

bool
level_find(struct tly_bytes name, enum area_level *out)
{
    const unsigned i = word_find(level_words, LEVELS_N, name);
    if (i == LEVELS_N) {
        return false;
    }
    *out = (enum area_level)i;
    return true;
}

bool
branch_kind_find(struct tly_bytes name, enum branch_kind *out)
{
    const unsigned i = word_find(branch_kind_words, TLY_N(branch_kind_words), name);
    if (i == TLY_N(branch_kind_words)) {
        return false;
    }
    *out = (enum branch_kind)i;
    return true;
}

bool
policy_find(struct tly_bytes name, enum policy_kind *out)
{
    const unsigned i = word_find(policy_words, POLICIES_N, name);
    if (i == POLICIES_N) {
        return false;
    }
    *out = (enum policy_kind)i;
    return true;
}

bool
officer_role_find(struct tly_bytes name, enum officer_role *out)
{
    const unsigned i = word_find(officer_role_words, OFFICER_ROLES_N, name);
    if (i == OFFICER_ROLES_N) {
        return false;
    }
    *out = (enum officer_role)i;
    return true;
}

struct area_ix
election_area(const struct election *election, struct tly_bytes code)
{
    return (struct area_ix){codes_find(&election->area_codes, 0, code)};
}

struct contest_ix
election_contest(const struct election *election, struct tly_bytes code)
{
    return (struct contest_ix){codes_find(&election->contest_codes, 0, code)};
}

struct branch_ix
election_branch(const struct election *election, struct tly_bytes code)
{
    return (struct branch_ix){codes_find(&election->branch_codes, 0, code)};
}

struct list_ix
election_list(const struct election *election, struct contest_ix contest, struct tly_bytes code)
{
    return (struct list_ix){codes_find(&election->list_codes, contest.v, code)};
}

struct candidate_ix
election_candidate(const struct election *election, struct contest_ix contest,
                   struct tly_bytes code)
{
    return (struct candidate_ix){codes_find(&election->candidate_codes, contest.v, code)};
}

struct slot_ix
election_slot(const struct election *election, struct branch_ix branch, struct contest_ix contest)
{
    TLY_CHECK(branch.v < election->branches_n);
    const struct branch *b = &election->branches[branch.v];
    for (uint32_t i = b->slots_first; i < b->slots_first + b->slots_n; i++) {
        if (election->slots[i].contest.v == contest.v) {
            return (struct slot_ix){i};
        }
    }
    return (struct slot_ix){IX_NONE};
}

bool
election_within(const struct election *election, struct area_ix area, struct area_ix above)
{
    while (area.v != IX_NONE && area.v != above.v) {
        TLY_CHECK(area.v < election->areas_n);
        area = election->areas[area.v].parent;
    }
    return area.v != IX_NONE;
}
