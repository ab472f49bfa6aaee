/* SPDX-License-Identifier: Apache-2.0 */
/* Divisor and quota methods, exactly: products instead of quotients, equals treated as one. */
#include "base/check.h"

#include "seats.h"

/* Sign of va/da - vb/db, multiplied out: a quotient rounded once can seat the wrong person. */
static int
quotient_cmp(uint64_t va, uint64_t da, uint64_t vb, uint64_t db)
{
    const tly_u128 a = (tly_u128)va * db;
    const tly_u128 b = (tly_u128)vb * da;
    return (a > b) - (a < b);
}

static bool
has_room(const struct seats *s, uint32_t e)
{
    return s->stands[e] && s->won[e] < s->cap[e];
}

static void
give(struct seats *s, uint32_t e, const struct seats_say *say)
{
    s->won[e]++;
    seats_step(s, say, e, s->won[e], s->votes[e]);
}

/* More members of a group than seats: those with more votes first.  Returns how many it served. */
static uint32_t
share_by_votes(struct seats *s, uint32_t group[], uint32_t group_n, uint32_t left,
               const struct seats_say *say)
{
    seats_sort(group, group_n, s->votes);
    uint32_t served = 0;
    for (uint32_t i = 0; i < group_n; i++) {
        uint32_t end = i + 1;
        while (end < group_n && s->votes[group[end]] == s->votes[group[i]]) {
            end++;
        }
        if (end > left) {
            break;
        }
        for (; i < end; i++) {
            give(s, group[i], say);
        }
        served = end;
        i      = end - 1;
    }
    return served;
}

/* A seat for each of a group of equals while seats last; otherwise those with more votes first
 * when the rule says so, and a tie for what is left between equals.  Returns seats given or tied. */
static uint32_t
share(struct seats *s, uint32_t group[], uint32_t group_n, uint32_t left,
      const struct seats_say *say)
{
    if (group_n <= left) {
        for (uint32_t i = 0; i < group_n; i++) {
            give(s, group[i], say);
        }
        return group_n;
    }
    uint32_t served = 0;
    if (s->in->params[SEATS_EQUAL_QUOTIENTS] == EQUAL_MORE_VOTES) {
        served = share_by_votes(s, group, group_n, left, say);
    }
    if (served < left) {
        uint32_t end = served + 1; /* with more_votes only those with equal votes are equals */
        while (end < group_n && (s->in->params[SEATS_EQUAL_QUOTIENTS] == EQUAL_LOT ||
                                 s->votes[group[end]] == s->votes[group[served]])) {
            end++;
        }
        if (!seats_settled(s, true, group + served, end - served)) {
            seats_tie_lists(s, left - served, group + served, end - served);
            return left;
        }
        for (uint32_t i = served; i < left; i++) {
            give(s, group[i], say);
        }
    }
    return left;
}

static void
vacancies(struct seats *s, uint32_t left)
{
    static const struct seats_say vacant = {
        "vacant", "$a seats stay vacant: nobody can take them.",
        "$a کرسی خالی می‌ماند: کسی نیست که آن را بگیرد."};
    s->out->vacancies = left;
    if (left > 0) {
        seats_step(s, &vacant, IX_NONE, left, 0);
    }
}

/* Entities with the highest quotient for their next seat. */
static uint32_t
highest(const struct seats *s, uint64_t (*divisor)(uint32_t), uint32_t group[])
{
    uint32_t n = 0;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        if (!has_room(s, e)) {
            continue;
        }
        const int cmp = n == 0 ? 1
                               : quotient_cmp(s->votes[e], divisor(s->won[e]), s->votes[group[0]],
                                              divisor(s->won[group[0]]));
        if (cmp > 0) {
            n = 0;
        }
        if (cmp >= 0) {
            group[n++] = e;
        }
    }
    return n;
}

enum tly_err
seats_divisors(const struct method_input *in, struct tly_arena *arena, struct outcome *out,
               uint64_t (*divisor)(uint32_t won))
{
    static const struct seats_say say = {
        "quotient", "The highest quotient gives a seat: now $a, with $b votes.",
        "بالاترین خارج‌قسمت یک کرسی می‌گیرد: اکنون $a "
        "کرسی "
        "با "
        "$b "
        "رأی."};
    struct seats s;
    enum tly_err err   = seats_begin(&s, in, arena, out);
    uint32_t    *group = TLY_NEW(arena, uint32_t, (size_t)in->lists_n + 1);
    if (err != TLY_OK || group == NULL) {
        return TLY_ENOMEM;
    }
    seats_threshold(&s);
    uint32_t left = in->seats;
    for (uint32_t n = 1; left > 0 && n > 0;) {
        n = highest(&s, divisor, group);
        if (n > 0) {
            left -= share(&s, group, n, left, &say);
        }
    }
    vacancies(&s, left);
    return seats_end(&s, false);
}

/* Whole quotas, cut at the number of persons; their remainders. */
static uint32_t
whole_quotas(struct seats *s, struct seats_quota quota, uint64_t remainder[], uint32_t order[])
{
    static const struct seats_say say   = {"quota", "$a whole quotas, with $b votes.",
                                           "$a سهمیهٔ کامل با $b رأی."};
    uint32_t                      given = 0;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        order[e] = e;
        if (!s->stands[e]) {
            continue;
        }
        const tly_u128 share = (tly_u128)s->votes[e] * quota.num;
        const uint64_t whole = (uint64_t)(share / quota.den);
        remainder[e]         = (uint64_t)(share % quota.den);
        s->won[e]            = whole < s->cap[e] ? (uint32_t)whole : s->cap[e];
        given += s->won[e];
        seats_step(s, &say, e, whole, s->votes[e]);
    }
    TLY_CHECK(given <= s->in->seats);
    return given;
}

/* One round over the remainders, largest first.  Returns seats given or tied. */
static uint32_t
remainder_round(struct seats *s, const uint64_t remainder[], const uint32_t order[],
                uint32_t group[], uint32_t left)
{
    static const struct seats_say say = {
        "remainder", "A large remainder gives a seat: now $a, with $b votes.",
        "باقی‌ماندهٔ بزرگ یک کرسی می‌گیرد: اکنون $a کرسی "
        "با "
        "$b "
        "رأی."};
    uint32_t used = 0;
    for (uint32_t i = 0; i < s->entities_n && used < left;) {
        uint32_t       n     = 0;
        const uint64_t equal = remainder[order[i]];
        for (; i < s->entities_n && remainder[order[i]] == equal; i++) {
            if (has_room(s, order[i])) {
                group[n++] = order[i];
            }
        }
        if (n > 0) {
            used += share(s, group, n, left - used, &say);
        }
    }
    return used;
}

enum tly_err
seats_remainders(const struct method_input *in, struct tly_arena *arena, struct outcome *out,
                 struct seats_quota (*quota)(uint64_t votes, uint32_t seats))
{
    struct seats s;
    enum tly_err err       = seats_begin(&s, in, arena, out);
    const size_t n         = (size_t)in->lists_n + 1;
    uint64_t    *remainder = TLY_NEW(arena, uint64_t, n);
    uint32_t    *order     = TLY_NEW(arena, uint32_t, n);
    uint32_t    *group     = TLY_NEW(arena, uint32_t, n);
    if (err != TLY_OK || remainder == NULL || order == NULL || group == NULL) {
        return TLY_ENOMEM;
    }
    seats_threshold(&s);
    uint64_t standing = 0;
    for (uint32_t e = 0; e < s.entities_n; e++) {
        standing += s.stands[e] ? s.votes[e] : 0; /* a part of votes_sum: fits */
    }
    uint32_t left = in->seats;
    if (standing > 0) {
        left -= whole_quotas(&s, quota(standing, in->seats), remainder, order);
        seats_sort(order, s.entities_n, remainder);
        for (uint32_t used = 1; left > 0 && used > 0;) {
            used = remainder_round(&s, remainder, order, group, left);
            left -= used;
        }
    }
    vacancies(&s, left);
    return seats_end(&s, false);
}
