/* SPDX-License-Identifier: Apache-2.0 */
/* The proportional rule of Tehran, Ray and Tajrish (doc/methods.md).  Where the text can be read in
 * two ways the reading is a parameter; with a tie every way of settling it is followed to the end,
 * so that a draw is asked for only where it decides something. */
#include "base/check.h"

#include "../methods.h"
#include "../seats.h"

#define CHOICES_MAX 32   /* ties met on the way of one run */
#define RUNS_MAX    4096 /* ways of settling them that are followed */

enum param {
    BASE,
    FIRST_ROUND,
    REMAINDER,
    REMAINDER_POOL,
    OVER_RULE,
    CURSOR,
    THRESHOLD_BP,
    LIST_MIN,
    LIST_MAX,
    LIST_PLUS,
    ALTERNATES_RULE,
    PARAMS_N
};
_Static_assert(LIST_PLUS == LIST_IR_LIST_PLUS, "checks.c reads this parameter");

enum { BASE_VOTES, BASE_BALLOTS };
enum { FIRST_HALF_UP, FIRST_FLOOR };
enum { REMAINDER_SHARE, REMAINDER_LARGEST, REMAINDER_AVERAGE };
enum { POOL_TOO, POOL_NOT };
enum { OVER_LOWEST, OVER_FRACTION, OVER_HALT };
enum { CURSOR_RESTART, CURSOR_CONTINUE };
enum { ALTERNATES_OVERALL, ALTERNATES_SAME_LIST };

static const char *const base_words[]      = {"votes", "ballots_x_seats", NULL};
static const char *const first_words[]     = {"round_half_up", "floor", NULL};
static const char *const remainder_words[] = {"highest_share", "largest_remainder",
                                              "highest_average", NULL};
static const char *const pool_words[]      = {"lists_and_indep", "lists_only", NULL};
static const char *const over_words[]   = {"lowest_share", "smallest_rounded_up_fraction", "halt",
                                           NULL};
static const char *const cursor_words[] = {"restart", "continue", NULL};
static const char *const alternates_words[] = {"overall_next", "same_list_next", NULL};

static const struct method_param params[PARAMS_N] = {
    [BASE]            = {.name = "base", .words = base_words, .reading = true, .max = 1},
    [FIRST_ROUND]     = {.name = "first_round", .words = first_words, .reading = true, .max = 1},
    [REMAINDER]       = {.name = "remainder", .words = remainder_words, .reading = true, .max = 2},
    [REMAINDER_POOL]  = {.name = "remainder_pool", .words = pool_words, .reading = true, .max = 1},
    [OVER_RULE]       = {.name = "over_rule", .words = over_words, .reading = true, .max = 2},
    [CURSOR]          = {.name = "cursor", .words = cursor_words, .reading = true, .max = 1},
    [THRESHOLD_BP]    = {.name = "threshold_bp", .max = 10000},
    [LIST_MIN]        = {.name = "list_min", .max = 10000},
    [LIST_MAX]        = {.name = "list_max", .initial = 21, .max = 10000},
    [LIST_PLUS]       = {.name = "list_plus_individual", .boolean = true, .max = 1},
    [ALTERNATES_RULE] = {.name    = "alternates_rule",
                         .words   = alternates_words,
                         .reading = true,
                         .max     = 1},
};

/* Variants A to E of doc/methods.md; E with the whole numbers of B has a name of its own. */
static const struct method_variant variants[] = {
    {"A", {{"base", BASE_VOTES}, {"first_round", FIRST_HALF_UP}, {"remainder", REMAINDER_SHARE}}},
    {"B", {{"base", BASE_VOTES}, {"first_round", FIRST_FLOOR}, {"remainder", REMAINDER_SHARE}}},
    {"C", {{"base", BASE_VOTES}, {"first_round", FIRST_FLOOR}, {"remainder", REMAINDER_LARGEST}}},
    {"D", {{"base", BASE_VOTES}, {"first_round", FIRST_FLOOR}, {"remainder", REMAINDER_AVERAGE}}},
    {"E", {{"base", BASE_BALLOTS}, {"first_round", FIRST_HALF_UP}, {"remainder", REMAINDER_SHARE}}},
    {"E floor",
     {{"base", BASE_BALLOTS}, {"first_round", FIRST_FLOOR}, {"remainder", REMAINDER_SHARE}}},
    {NULL}};

/* One way of settling the ties: at the i-th tie the pick[i]-th of ways[i] combinations. */
struct choices {
    uint32_t pick[CHOICES_MAX], ways[CHOICES_MAX];
    uint32_t n;        /* ties met in this run */
    bool     too_many; /* more ties or ways than are followed */
};

struct work {
    struct seats   *s;
    struct choices *choices;
    tly_u128        divisor;  /* T */
    uint32_t       *rounded;  /* seats of the first round, at most `seats` each */
    uint64_t       *fraction; /* S * V mod T, or what orders alike: see fractions() */
    bool           *up;       /* was rounded up */
    uint32_t       *sorted;   /* entities by votes */
    uint32_t       *share;    /* the same, to be turned by the cursor */
    uint32_t       *order;    /* entities by what the remainder round goes by */
    uint32_t       *group;
    bool           *served; /* in the newest pass */
    uint32_t        last;   /* served last, IX_NONE: nobody */
};

/* Ways to take k of n; RUNS_MAX + 1 when there are more than RUNS_MAX. */
static uint32_t
combinations(uint32_t n, uint32_t k)
{
    uint64_t ways = 1;
    for (uint32_t i = 1; i <= k && ways <= RUNS_MAX; i++) {
        ways = ways * (n - k + i) / i; /* exact: a product of i consecutive numbers */
    }
    return ways <= RUNS_MAX ? (uint32_t)ways : RUNS_MAX + 1;
}

/* Puts k of the n equals first, by the order that people made for them, else by this run's pick.
 * lose: being chosen costs seats, so the last of that order go first. */
static void
choose(struct work *w, uint32_t group[], uint32_t n, uint32_t k, bool lose)
{
    struct choices *c = w->choices;
    if (seats_settled(w->s, true, group, n)) {
        for (uint32_t i = 0; lose && i < n / 2; i++) {
            const uint32_t swap = group[i];
            group[i]            = group[n - 1 - i];
            group[n - 1 - i]    = swap;
        }
        return;
    }
    const uint32_t ways = combinations(n, k);
    w->s->quiet         = true; /* steps end where a person must decide */
    if (ways > RUNS_MAX || c->n == CHOICES_MAX) {
        c->too_many = true;
        return;
    }
    uint32_t pick   = c->pick[c->n];
    c->ways[c->n++] = ways;
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < n && chosen < k; i++) {
        const uint32_t with = combinations(n - i - 1, k - chosen - 1); /* ways that take group[i] */
        if (pick < with) {
            const uint32_t take = group[i];
            memmove(&group[chosen + 1], &group[chosen], (i - chosen) * sizeof *group);
            group[chosen++] = take;
        } else {
            pick -= with;
        }
    }
}

/* The next way; false: all were followed. */
static bool
choices_next(struct choices *c)
{
    while (c->n > 0) {
        const uint32_t i = --c->n;
        if (++c->pick[i] < c->ways[i]) {
            memset(&c->pick[i + 1], 0, (CHOICES_MAX - i - 1) * sizeof c->pick[0]);
            return true;
        }
    }
    return false;
}

static bool
has_room(const struct work *w, uint32_t e)
{
    return w->s->stands[e] && w->s->won[e] < w->s->cap[e];
}

static uint32_t
pool(const struct work *w)
{
    return w->s->in->lists_n;
}

static uint64_t
won_sum(const struct seats *s)
{
    uint64_t sum = 0;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        sum += s->won[e];
    }
    return sum;
}

/* End of the group with one key that starts at `from`. */
static uint32_t
group_end(const uint32_t order[], uint32_t n, const uint64_t key[], uint32_t from)
{
    uint32_t to = from + 1;
    while (to < n && key[order[to]] == key[order[from]]) {
        to++;
    }
    return to;
}

/* ---- first round -------------------------------------------------------------------------- */

static tly_u128
fraction_of(const struct work *w, uint32_t e)
{
    return (tly_u128)w->s->in->seats * w->s->votes[e] % w->divisor;
}

/* fraction[e]: the fraction itself; with a divisor past 64 bits, how many are smaller. */
static void
fractions(struct work *w)
{
    const struct seats *s = w->s;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        const tly_u128 f = fraction_of(w, e);
        w->fraction[e]   = w->divisor <= UINT64_MAX ? (uint64_t)f : 0;
        for (uint32_t o = 0; o < s->entities_n && w->divisor > UINT64_MAX; o++) {
            w->fraction[e] += f > fraction_of(w, o);
        }
    }
}

static void
first_round(struct work *w)
{
    static const struct seats_say half = {
        "rounded", "Exactly $h seats, rounded to $a.",
        "دقیقاً $h کرسی که به $a گرد می‌شود."};
    static const struct seats_say whole = {"rounded", "Exactly $h seats: $a whole ones.",
                                           "دقیقاً $h کرسی: $a کرسی کامل."};
    struct seats                 *s     = w->s;
    const bool                    down  = s->in->params[FIRST_ROUND] == FIRST_FLOOR;
    const tly_u128                t     = w->divisor;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        w->sorted[e] = e;
    }
    seats_sort(w->sorted, s->entities_n, s->votes);
    for (uint32_t e = 0; e < s->entities_n; e++) {
        if (!s->stands[e]) {
            continue;
        }
        const tly_u128 sv = (tly_u128)s->in->seats * s->votes[e];
        const tly_u128 n  = down ? sv / t : (2 * sv + t) / (2 * t);
        const tly_u128 h  = sv * 100 / t;
        /* More than all seats is possible only with base ballots_x_seats and more than `seats`
         * votes a ballot; it is cut here, and then there is no rounding left to take back. */
        w->up[e]      = n > sv / t && n <= s->in->seats;
        w->rounded[e] = n < s->in->seats ? (uint32_t)n : s->in->seats;
        s->won[e]     = w->rounded[e];
        seats_step(s, down ? &whole : &half, e, w->rounded[e],
                   h < UINT64_MAX ? (uint64_t)h : UINT64_MAX);
    }
}

/* ---- more seats than there are -------------------------------------------------------------- */

static const struct seats_say over_say = {
    "over", "Rounding gave $b seats too many: $a remain here.",
    "گرد کردن $b کرسی زیاد داد: $a کرسی اینجا می‌ماند."};

static void
over_take(struct work *w, uint32_t e, uint32_t n, uint64_t over)
{
    w->s->won[e] -= n;
    seats_step(w->s, &over_say, e, w->s->won[e], over);
}

/* Equals at the end of the order of shares, `each` seats to everyone: the first `whole` of the
 * group lose all, the next loses a part, and which ones these are is a choice.  Returns what is
 * still too much. */
static uint64_t
over_group(struct work *w, uint32_t group[], uint32_t n, uint64_t over)
{
    const uint32_t each  = w->s->won[group[0]];
    const uint32_t whole = over / each < n ? (uint32_t)(over / each) : n;
    const uint32_t part  = whole < n ? (uint32_t)(over % each) : 0;
    if (whole > 0 && whole < n) {
        choose(w, group, n, whole, true);
    }
    if (part > 0 && n - whole > 1) {
        choose(w, group + whole, n - whole, 1, true);
    }
    for (uint32_t i = 0; i < whole; i++) {
        over_take(w, group[i], each, over);
    }
    if (part > 0) {
        over_take(w, group[whole], part, over);
    }
    return over - (uint64_t)whole * each - part;
}

/* The last in the order of shares loses first. */
static void
over_lowest(struct work *w, uint64_t over)
{
    const struct seats *s = w->s;
    for (uint32_t to = s->entities_n; to > 0 && over > 0;) {
        const uint64_t votes = s->votes[w->share[to - 1]];
        uint32_t       n     = 0;
        for (; to > 0 && s->votes[w->share[to - 1]] == votes; to--) {
            if (s->won[w->share[to - 1]] > 0) {
                w->group[n++] = w->share[to - 1];
            }
        }
        if (n > 0) {
            over = over_group(w, w->group, n, over);
        }
    }
}

/* Those rounded up by the smallest fraction lose first.  Returns what is still too much. */
static uint64_t
over_fraction(struct work *w, uint64_t over)
{
    struct seats *s = w->s;
    for (uint32_t i = 0; i < s->entities_n; i++) {
        w->order[i] = i;
    }
    seats_sort(w->order, s->entities_n, w->fraction);
    for (uint32_t to = s->entities_n; to > 0 && over > 0;) {
        uint32_t n    = 0;
        uint32_t from = to;
        while (from > 0 && w->fraction[w->order[from - 1]] == w->fraction[w->order[to - 1]]) {
            const uint32_t e = w->order[--from];
            if (w->up[e] && s->won[e] > 0) {
                w->group[n++] = e;
            }
        }
        to                  = from;
        const uint32_t take = over < n ? (uint32_t)over : n;
        if (take < n) {
            choose(w, w->group, n, take, true);
        }
        for (uint32_t i = 0; i < take; i++) {
            over_take(w, w->group[i], 1, over);
        }
        over -= take;
    }
    return over;
}

/* ---- seats that are left over ------------------------------------------------------------------
 */

static void
serve(struct work *w, uint32_t e, const struct seats_say *say, uint32_t left)
{
    w->s->won[e]++;
    w->served[e] = true;
    seats_step(w->s, say, e, w->s->won[e], left);
}

/* Serves the first n of a group of equals.  Equals by fraction or average may differ in votes: who
 * has the fewest counts as served last, so that the order in the files decides nothing. */
static void
serve_group(struct work *w, uint32_t n, const struct seats_say *say, uint32_t left)
{
    const uint64_t *votes = w->s->votes;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t e = w->group[i];
        serve(w, e, say, left - i);
        w->last = i == 0 || votes[e] < votes[w->last] ? e : w->last;
    }
}

/* One pass over the order from `from`, one seat each; equals who are more than the seats left: by
 * choice.  Returns seats still left. */
static uint32_t
give_pass(struct work *w, const uint32_t order[], const uint64_t key[], uint32_t from,
          bool pool_too, uint32_t left, const struct seats_say *say)
{
    const struct seats *s = w->s;
    memset(w->served, 0, s->entities_n * sizeof *w->served);
    while (from < s->entities_n && left > 0) {
        const uint32_t end = group_end(order, s->entities_n, key, from);
        uint32_t       n   = 0;
        for (; from < end; from++) {
            const uint32_t e = order[from];
            if (has_room(w, e) && (pool_too || e != pool(w))) {
                w->group[n++] = e;
            }
        }
        const uint32_t take = left < n ? left : n;
        if (take < n) {
            choose(w, w->group, n, take, false);
        }
        serve_group(w, take, say, left);
        left -= take;
    }
    return left;
}

static uint32_t
give(struct work *w, const uint32_t order[], const uint64_t key[], uint32_t from, bool pool_too,
     uint32_t left, const struct seats_say *say)
{
    bool more = left > 0;
    while (more) {
        const uint32_t was = left;
        left               = give_pass(w, order, key, from, pool_too, left, say);
        more               = left > 0 && (left < was || from > 0);
        from               = 0;
    }
    return left;
}

/* Each seat to the highest V / (seats + 1). */
static uint32_t
give_average(struct work *w, bool pool_too, uint32_t left, const struct seats_say *say)
{
    const struct seats *s = w->s;
    for (uint32_t n = 1; left > 0 && n > 0;) {
        n = 0;
        for (uint32_t e = 0; e < s->entities_n; e++) {
            if (!has_room(w, e) || (!pool_too && e == pool(w))) {
                continue;
            }
            const uint32_t best = n > 0 ? w->group[0] : e;
            const tly_u128 a    = (tly_u128)s->votes[e] * ((uint64_t)s->won[best] + 1);
            const tly_u128 b    = (tly_u128)s->votes[best] * ((uint64_t)s->won[e] + 1);
            if (a > b) {
                n = 0;
            }
            if (a >= b) {
                w->group[n++] = e;
            }
        }
        const uint32_t take = left < n ? left : n;
        if (take < n) {
            choose(w, w->group, n, take, false);
        }
        memset(w->served, 0, s->entities_n * sizeof *w->served);
        serve_group(w, take, say, left);
        left -= take;
    }
    return left;
}

static uint32_t
remainder_round(struct work *w, uint32_t left)
{
    static const struct seats_say say = {
        "remainder", "A left-over seat ($b to give): now $a.",
        "یک کرسی باقی‌مانده (از $b کرسی): اکنون $a."};
    struct seats *s        = w->s;
    const bool    pool_too = s->in->params[REMAINDER_POOL] == POOL_TOO;
    w->last                = IX_NONE;
    switch (s->in->params[REMAINDER]) {
    case REMAINDER_AVERAGE:
        return give_average(w, pool_too, left, &say);
    case REMAINDER_LARGEST:
        for (uint32_t i = 0; i < s->entities_n; i++) {
            w->order[i] = i;
        }
        seats_sort(w->order, s->entities_n, w->fraction);
        return give(w, w->order, w->fraction, 0, pool_too, left, &say);
    default:
        return give(w, w->share, s->votes, 0, pool_too, left, &say);
    }
}

/* Where the unfilled seats start: behind who was served last, its unserved equals before others. */
static uint32_t
cursor(struct work *w)
{
    const struct seats *s = w->s;
    if (s->in->params[CURSOR] == CURSOR_RESTART || w->last == IX_NONE) {
        return 0;
    }
    uint32_t from = 0;
    while (s->votes[w->share[from]] != s->votes[w->last]) {
        from++;
    }
    const uint32_t end = group_end(w->share, s->entities_n, s->votes, from);
    uint32_t       at  = from;
    for (uint32_t i = from; i < end; i++) {
        const uint32_t e = w->share[i];
        if (w->served[e]) {
            memmove(&w->share[at + 1], &w->share[at], (i - at) * sizeof *w->share);
            w->share[at++] = e;
        }
    }
    return at;
}

/* Cuts every entity at its persons.  Returns the seats that become free. */
static uint32_t
cap(struct work *w)
{
    static const struct seats_say say  = {"capped", "Only $a persons: $b seats stay unfilled.",
                                          "فقط $a نفر: $b کرسی پر نمی‌شود."};
    struct seats                 *s    = w->s;
    uint32_t                      free = 0;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        if (s->won[e] > s->cap[e]) {
            const uint32_t unfilled = s->won[e] - s->cap[e];
            s->won[e]               = s->cap[e];
            free += unfilled;
            seats_step(s, &say, e, s->cap[e], unfilled);
        }
    }
    return free;
}

/* Seats beyond the first round's: variant A to E by the parameters.  Returns seats nobody takes. */
static uint32_t
rounds_after(struct work *w)
{
    static const struct seats_say say   = {"unfilled", "An unfilled seat ($b to give): now $a.",
                                           "یک کرسی پرنشده (از $b کرسی): اکنون $a."};
    struct seats                 *s     = w->s;
    const uint32_t                seats = s->in->seats;
    uint64_t                      sum   = won_sum(s);
    if (sum > seats && s->in->params[OVER_RULE] == OVER_FRACTION) {
        sum = seats + over_fraction(w, sum - seats);
    }
    if (sum > seats) {
        over_lowest(w, sum - seats);
        sum = seats;
    }
    const uint32_t unfilled = cap(w);
    uint32_t       left     = remainder_round(w, seats - (uint32_t)sum);
    const uint32_t from     = cursor(w);
    left += give(w, w->share, s->votes, from, false, unfilled, &say);
    return left;
}

/* One way of settling the ties, from behind the first round.  Returns seats nobody takes. */
static uint32_t
allocate(struct work *w)
{
    struct seats *s = w->s;
    w->choices->n   = 0;
    memcpy(s->won, w->rounded, s->entities_n * sizeof *s->won);
    memcpy(w->share, w->sorted, s->entities_n * sizeof *w->share);
    return rounds_after(w);
}

/* ---- all ways together ---------------------------------------------------------------------- */

static void
halted(struct work *w, uint32_t among[])
{
    static const struct seats_say say = {
        "halt", "The rule stops here: $b seats for $a.",
        "قاعده اینجا متوقف می‌شود: $b کرسی برای $a."};
    struct seats  *s = w->s;
    const uint64_t b = won_sum(s);
    uint32_t       n = 0;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        if (s->won[e] > 0) {
            among[n++] = e;
        }
        s->won[e] = 0;
    }
    seats_step(s, &say, IX_NONE, s->in->seats, b);
    seats_tie_lists(s, s->in->seats, among, n);
}

/* Any entity may get anything from nothing to all its persons; vacant is only what all together have
 * nobody for. */
static uint32_t
nothing_certain(const struct seats *s, uint32_t low[], uint32_t high[])
{
    uint64_t persons = 0;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        low[e]  = 0;
        high[e] = s->cap[e];
        persons += s->stands[e] ? s->cap[e] : 0;
    }
    return persons < s->in->seats ? s->in->seats - (uint32_t)persons : 0;
}

/* Follows every way; leaves the certain seats in s->won and reports what is at stake. */
static void
settle(struct work *w, uint32_t low[], uint32_t high[])
{
    static const struct seats_say say = {
        "vacant", "$a seats stay vacant: nobody can take them.",
        "$a کرسی خالی می‌ماند: کسی نیست که آن را بگیرد."};
    struct seats  *s      = w->s;
    const uint32_t n      = s->entities_n;
    uint32_t       vacant = allocate(w);
    uint32_t       runs   = 1;
    memcpy(low, s->won, n * sizeof *low);
    memcpy(high, s->won, n * sizeof *high);
    s->quiet = true;
    while (choices_next(w->choices) && !w->choices->too_many && runs++ < RUNS_MAX) {
        const uint32_t v = allocate(w);
        vacant           = v < vacant ? v : vacant;
        for (uint32_t e = 0; e < n; e++) {
            low[e]  = s->won[e] < low[e] ? s->won[e] : low[e];
            high[e] = s->won[e] > high[e] ? s->won[e] : high[e];
        }
    }
    s->quiet = s->in->quiet;
    if (w->choices->too_many || runs > RUNS_MAX) {
        vacant = nothing_certain(s, low, high);
    }
    uint32_t among_n = 0;
    for (uint32_t e = 0; e < n; e++) {
        s->won[e] = low[e];
        if (s->stands[e] && high[e] > low[e]) {
            w->group[among_n++] = e;
        }
    }
    s->out->vacancies = vacant;
    if (vacant > 0) {
        seats_step(s, &say, IX_NONE, vacant, 0);
    }
    if (among_n > 0) {
        seats_tie_lists(s, (uint32_t)(s->in->seats - vacant - won_sum(s)), w->group, among_n);
    }
}

static void
threshold(struct work *w)
{
    static const struct seats_say say = {"threshold", "Below the threshold: $a votes, $b needed.",
                                         "زیر حد نصاب: $a رأی، $b لازم است."};
    struct seats                 *s   = w->s;
    const tly_u128 need = w->divisor * s->in->params[THRESHOLD_BP]; /* in 1/10000 votes */
    for (uint32_t e = 0; e < s->in->lists_n; e++) {
        if (s->stands[e] && (tly_u128)s->votes[e] * 10000 < need) {
            s->stands[e] = false;
            seats_step(s, &say, e, s->votes[e], (uint64_t)((need + 9999) / 10000));
        }
    }
}

static enum tly_err
work_init(struct work *w, struct seats *s)
{
    const size_t n = (size_t)s->entities_n + 1;
    w->s           = s;
    w->choices     = TLY_NEW(s->arena, struct choices, 1);
    w->rounded     = TLY_NEW(s->arena, uint32_t, n);
    w->fraction    = TLY_NEW(s->arena, uint64_t, n);
    w->up          = TLY_NEW(s->arena, bool, n);
    w->sorted      = TLY_NEW(s->arena, uint32_t, n);
    w->share       = TLY_NEW(s->arena, uint32_t, n);
    w->order       = TLY_NEW(s->arena, uint32_t, n);
    w->group       = TLY_NEW(s->arena, uint32_t, n);
    w->served      = TLY_NEW(s->arena, bool, n);
    const bool ok  = w->choices != NULL && w->rounded != NULL && w->fraction != NULL &&
                    w->up != NULL && w->sorted != NULL && w->share != NULL && w->order != NULL &&
                    w->group != NULL && w->served != NULL;
    return ok ? TLY_OK : TLY_ENOMEM;
}

static enum tly_err
run(const struct method_input *in, struct tly_arena *arena, struct outcome *out)
{
    static const struct seats_say base = {"quota", "$a votes share $b seats.",
                                          "$a رأی بر $b کرسی تقسیم می‌شود."};
    static const struct seats_say none = {
        "vacant", "No valid votes: $a seats stay vacant.",
        "هیچ رأی معتبری نیست: $a کرسی خالی می‌ماند."};
    struct seats s;
    struct work  w   = {0};
    enum tly_err err = seats_begin(&s, in, arena, out);
    if (err == TLY_OK) {
        err = work_init(&w, &s);
    }
    uint32_t *low  = TLY_NEW(arena, uint32_t, (size_t)in->lists_n + 1);
    uint32_t *high = TLY_NEW(arena, uint32_t, (size_t)in->lists_n + 1);
    if (err != TLY_OK || low == NULL || high == NULL) {
        return TLY_ENOMEM;
    }
    w.divisor =
        in->params[BASE] == BASE_BALLOTS ? (tly_u128)in->seats * in->valid_ballots : s.votes_sum;
    if (w.divisor == 0) {
        out->vacancies = in->seats;
        seats_step(&s, &none, IX_NONE, in->seats, 0);
        return seats_end(&s, false);
    }
    seats_step(&s, &base, IX_NONE, w.divisor < UINT64_MAX ? (uint64_t)w.divisor : UINT64_MAX,
               in->seats);
    threshold(&w);
    fractions(&w);
    first_round(&w);
    if (in->params[OVER_RULE] == OVER_HALT && won_sum(&s) > in->seats) {
        halted(&w, w.group);
    } else {
        settle(&w, low, high);
    }
    return seats_end(&s, in->params[ALTERNATES_RULE] == ALTERNATES_SAME_LIST);
}

const struct method list_ir_method = {
    .name     = "list_ir",
    .source   = "councils law of 19 Esfand 1403, article 24",
    .lists    = true,
    .credits  = true,
    .params   = params,
    .params_n = PARAMS_N,
    .variants = variants,
    .run      = run,
};
