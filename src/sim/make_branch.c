/* SPDX-License-Identifier: Apache-2.0 */
/* Contests with made-up opinions, and what the voters of one branch did: numbers that an honest
 * branch could report (every HOLD check of doc/checks.md passes). */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "make_int.h"

static void row(struct make *make, enum make_file file, const char *format, ...) TLY_PRINTF(3, 4);

static void
row(struct make *make, enum make_file file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vfprintf(make->files[file], format,
                   args); /* a full disk is found by ferror() at the end */
    va_end(args);
}

/* Of 1,000 ballots so many name each candidate: a few are popular, most are not, and together they
 * stay under seats * 1,000, so that no ballot names more than max_choices. */
static void
like_candidates(struct make *make, struct make_contest *c)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < c->candidates_n; i++) {
        const uint32_t luck = dice_upto(&make->dice, 100);
        c->liked[i]         = (uint16_t)(1 + luck * luck * luck / 1700);
        sum += c->liked[i];
    }
    const uint64_t most = (uint64_t)c->seats * 700;
    for (uint32_t i = 0; i < c->candidates_n && sum > most; i++) {
        c->liked[i] = (uint16_t)(2 + c->liked[i] * most / sum);
    }
}

static void
candidates(struct make *make, struct make_contest *c, uint32_t listed_n, uint32_t per_list)
{
    char fa[128], en[128], list[16];
    for (uint32_t i = 0; i < c->candidates_n; i++) {
        make_person_name(&make->dice, fa, en);
        list[0] = '\0';
        if (i < listed_n) {
            (void)snprintf(list, sizeof list, "L%02" PRIu32, i / per_list + 1);
        }
        row(make, MAKE_CANDIDATES, "%s,%" PRIu32 ",%s,%s,%s\n", c->code, 1001 + i, list, fa, en);
    }
    make->candidates_n += c->candidates_n;
}

void
make_block(struct make *make, struct make_contest *c, const char *code, const char *area,
           const char *rule, uint32_t seats, uint32_t alternates, uint32_t candidates_n,
           struct make_name name)
{
    TLY_CHECK(candidates_n >= 1 && candidates_n <= MAKE_CANDIDATES_MAX);
    (void)snprintf(c->code, sizeof c->code, "%s", code);
    c->seats        = seats;
    c->candidates_n = candidates_n;
    c->lists_n      = 0;
    row(make, MAKE_CONTESTS, "%s,%s,%s,%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%s,%s\n",
        code, area, rule, seats, alternates, seats, MAKE_CLOSES_AT, name.fa, name.en);
    make->contests_n++;
    candidates(make, c, 0, 1);
    like_candidates(make, c);
}

void
make_tehran(struct make *make, struct make_contest *c, const char *code, const char *area,
            uint32_t lists_n, uint32_t candidates_n)
{
    TLY_CHECK(lists_n <= MAKE_LISTS_MAX && candidates_n <= MAKE_CANDIDATES_MAX);
    (void)snprintf(c->code, sizeof c->code, "%s", code);
    c->seats        = 21;
    c->candidates_n = candidates_n;
    c->lists_n      = lists_n;
    row(make, MAKE_CONTESTS, "%s,%s,tehran,21,11,21,%" PRIu64 ",%s,%s\n", code, area,
        MAKE_CLOSES_AT, "شورای شهر تهران، ری و تجریش", "Tehran Rey and Tajrish city council");
    make->contests_n++;
    uint32_t left = 700; /* of 1,000 ballots, 700 give a list's code */
    for (uint32_t i = 0; i < lists_n; i++) {
        const struct make_name name = make_list_name(i);
        row(make, MAKE_LISTS, "%s,L%02" PRIu32 ",%s,%s\n", code, i + 1, name.fa, name.en);
        c->list_liked[i] = (uint16_t)(left * 2 / 5);
        left -= c->list_liked[i];
    }
    candidates(make, c, lists_n * 21 < candidates_n ? lists_n * 21 : candidates_n, 21);
    like_candidates(make, c);
}

/* n * permille / 1,000 give or take a fifth. */
static uint32_t
about(struct make *make, uint32_t n, uint32_t permille)
{
    const uint64_t part = (uint64_t)n * permille * dice_between(&make->dice, 80, 120) / 100000;
    return part > n ? n : (uint32_t)part;
}

static void
count_row(struct make *make, const char *branch, const struct make_contest *c, const char *field,
          uint32_t n)
{
    row(make, MAKE_COUNTS, "%s,%s,%s,,%" PRIu32 "\n", branch, c->code, field, n);
}

/* Votes for persons from `mixed` ballots; at least one mark when there is a ballot. */
static void
person_rows(struct make *make, const char *branch, const struct make_contest *c, uint32_t mixed)
{
    uint64_t left  = (uint64_t)mixed * c->seats;
    bool     first = mixed > 0;
    for (uint32_t i = 0; i < c->candidates_n; i++) {
        uint32_t n = about(make, mixed, c->liked[i]);
        n          = n > left ? (uint32_t)left : n;
        n          = first && n == 0 ? 1 : n;
        left -= n;
        first = false;
        if (n > 0) {
            row(make, MAKE_COUNTS, "%s,%s,candidate,%" PRIu32 ",%" PRIu32 "\n", branch, c->code,
                1001 + i, n);
        }
    }
}

/* Ballots by list code; returns the ballots that name persons. */
static uint32_t
list_rows(struct make *make, const char *branch, const struct make_contest *c, uint32_t valid)
{
    uint32_t left = valid;
    for (uint32_t i = 0; i < c->lists_n; i++) {
        uint32_t n = about(make, valid, c->list_liked[i]);
        n          = n > left ? left : n;
        left -= n;
        if (n > 0) {
            row(make, MAKE_COUNTS, "%s,%s,list,L%02" PRIu32 ",%" PRIu32 "\n", branch, c->code,
                i + 1, n);
        }
    }
    count_row(make, branch, c, "mixed", left);
    return left;
}

static void
contest_rows(struct make *make, const char *branch, const struct make_contest *c,
             uint32_t authenticated)
{
    const uint32_t away    = dice_upto(&make->dice, 10) == 0 && authenticated > 0 ? 1 : 0;
    const uint32_t cast    = authenticated - away;
    const uint32_t blank   = dice_upto(&make->dice, cast / 100);
    const uint32_t invalid = dice_upto(&make->dice, cast / 200);
    const uint32_t valid   = cast - blank - invalid;
    const uint32_t manual  = authenticated / 100;
    count_row(make, branch, c, "authenticated_online", authenticated - manual);
    count_row(make, branch, c, "authenticated_offline", 0);
    count_row(make, branch, c, "authenticated_manual", manual);
    count_row(make, branch, c, "issued", authenticated);
    count_row(make, branch, c, "cast", cast);
    count_row(make, branch, c, "blank", blank);
    count_row(make, branch, c, "invalid", invalid);
    count_row(make, branch, c, "valid", valid);
    count_row(make, branch, c, "excluded", 0);
    person_rows(make, branch, c, c->lists_n > 0 ? list_rows(make, branch, c, valid) : valid);
}

void
make_branch(struct make *make, const char *area, bool mobile, uint32_t voters,
            const struct make_contest *const contests[], unsigned contests_n)
{
    char           code[16];
    const uint32_t n = ++make->branches_n;
    (void)snprintf(code, sizeof code, "b%06" PRIu32, n);
    row(make, MAKE_BRANCHES, "%s,%s,%s,%" PRIu32 ",%s %" PRIu32 ",%s %" PRIu32 "\n", code, area,
        mobile ? "mobile" : "fixed", voters + voters / 4 + 10,
        mobile ? "شعبهٔ سیار" : "شعبهٔ اخذ رأی", n, mobile ? "Mobile branch" : "Branch", n);
    /* Some come to vote and some do not; once in a while nobody comes at all. */
    const uint32_t came = dice_upto(&make->dice, 999) == 0
                              ? 0
                              : about(make, voters, dice_between(&make->dice, 250, 800));
    for (unsigned i = 0; i < contests_n; i++) {
        row(make, MAKE_BALLOTS, "%s,%s\n", code, contests[i]->code);
        contest_rows(make, code, contests[i], came);
    }
}
