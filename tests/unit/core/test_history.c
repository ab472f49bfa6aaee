/* SPDX-License-Identifier: Apache-2.0 */
/* The history against what stood: random nights of bundles, revisions, holds, conflicts and decisions,
 * the whole tally copied after an entry and later compared with the replay of that position; readers
 * that replay while the writer appends, also under TSan; and a country's worth of it, measured.
 *
 * TALLY_SEED=N runs one night from that seed. */
#include "core/history.h"

#include "core/checks.h"

#include <pthread.h>

#include "t.h"
#include "tally_make.h"
#include "tally_same.h"

#define NIGHTS      150
#define ENTRIES_MAX 400
#define LONG        6000 /* entries: some chunks of events */
#define READERS     3

/* One night: the live tally and history, as the sequencer has them, and copies of the past. */
struct night {
    uint64_t        rng;
    struct tally    tally;
    struct history *history;
    struct tally   *copies[LONG + 1]; /* after so many entries; NULL: none was made */
    unsigned        kinds[POLICIES_N + 2];
};

static struct night night;

/* ---- entries, each applied and remembered as the sequencer does it ---- */

/* Of the bundle itself: P08 is the tally's to find. */
static uint64_t
some_checks(struct night *n)
{
    return (1 + case_random(&n->rng) / 2) & ~CHECK_BIT(CHECK_P08);
}

static void
bundle(struct night *n, struct branch_ix branch, uint64_t position)
{
    const struct branch *b        = &m.branches[branch.v];
    uint32_t             revision = 0;
    for (uint32_t s = b->slots_first; s < b->slots_first + b->slots_n; s++) {
        revision = n->tally.slots[s].revision > revision ? n->tally.slots[s].revision : revision;
    }
    TLY_CHECK(history_reserve(n->history, b->slots_n + 1));
    for (uint32_t s = b->slots_first; s < b->slots_first + b->slots_n; s++) {
        const bool                not_held = case_below(&n->rng, 8) == 0;
        const bool                held     = case_below(&n->rng, 3) == 0;
        const bool                unread   = held && !not_held && case_below(&n->rng, 3) == 0;
        const struct tally_change change   = {
              .slot     = {s},
              .counts   = not_held || unread ? NULL : counts_random(&n->rng, s),
              .checks   = held || case_below(&n->rng, 4) == 0 ? some_checks(n) : 0,
              .revision = revision + 1,
              .held     = held,
              .not_held = not_held};
        tally_apply(&n->tally, &change, 1, position);
        history_change(n->history, &change);
    }
}

static void
conflict(struct night *n, struct branch_ix branch, uint64_t position)
{
    TLY_CHECK(history_reserve(n->history, 1));
    tally_conflict(&n->tally, branch, position);
    history_conflict(n->history, branch);
}

static bool
may(const struct night *n, const struct decision *d)
{
    if (d->kind == POLICY_LOT || d->kind == POLICY_CERTIFY) {
        return m.e.contests_n > 0;
    }
    if (d->kind == POLICY_KEY || d->kind == POLICY_STATE) {
        return true;
    }
    if (d->kind == POLICY_EXCLUDE) {
        return m.e.candidates_n > 0;
    }
    const struct standing *st = m.e.slots_n == 0 ? NULL : &n->tally.slots[d->slot.v];
    if (st == NULL || st->state == SLOT_EXPECTED) {
        return false;
    }
    if (d->kind == POLICY_RELEASE) {
        return st->state == SLOT_HELD && (st->counts != NULL || st->not_held);
    }
    return d->kind == POLICY_EXPLAIN ||
           (st->state == SLOT_ANNULLED) == (d->kind == POLICY_REINSTATE);
}

/* Any kind, where it can stand; false: there it cannot. */
static bool
decide(struct night *n, uint64_t position)
{
    static const enum policy_kind kinds[] = {POLICY_RELEASE,   POLICY_EXPLAIN, POLICY_ANNUL,
                                             POLICY_REINSTATE, POLICY_LOT,     POLICY_EXCLUDE,
                                             POLICY_CERTIFY,   POLICY_KEY,     POLICY_STATE};
    static const uint32_t         order[] = {1, 0};
    struct decision               d       = {
                            .kind = kinds[case_below(&n->rng, TLY_N(kinds))], .candidates = order, .order_n = 2};
    d.slot    = (struct slot_ix){m.e.slots_n == 0 ? 0 : case_below(&n->rng, m.e.slots_n)};
    d.contest = (struct contest_ix){case_below(&n->rng, m.e.contests_n)};
    d.candidate =
        (struct candidate_ix){m.e.candidates_n == 0 ? 0 : case_below(&n->rng, m.e.candidates_n)};
    if (d.kind == POLICY_KEY) {
        d.key.action   = (enum key_action)case_below(&n->rng, KEY_ACTIONS_N);
        d.key.row.code = "t";
    } else if (d.kind == POLICY_STATE) {
        d.state = (enum election_state)case_below(&n->rng, ELECTION_STATES_N);
        d.until = case_below(&n->rng, 2) == 0 ? ELECTION_NO_UNTIL : case_random(&n->rng) >> 24;
    }
    if (!may(n, &d)) {
        return false;
    }
    TLY_CHECK(history_reserve(n->history, 1) && decision_keep(&d, &arena));
    decision_apply(&n->tally, &d, position);
    history_decision(n->history, &d);
    n->kinds[d.kind]++;
    return true;
}

static void
entry(struct night *n, uint64_t position)
{
    const uint32_t         what   = position == 0 ? 0 : case_below(&n->rng, 8);
    const struct branch_ix branch = {case_below(&n->rng, m.e.branches_n)};
    TLY_CHECK(history_reserve(n->history, 1));
    if (what >= 4) {
        bundle(n, branch, position);
        n->kinds[POLICIES_N]++;
    } else if (what == 3) {
        conflict(n, branch, position);
        n->kinds[POLICIES_N + 1]++;
    } else if (what > 0) {
        (void)decide(n, position); /* one that cannot stand leaves an entry that does nothing */
    }
    history_end(n->history, position);
    n->tally.position = position + 1;
}

/* ---- nights ---- */

static void
night_begin(struct night *n, uint64_t seed)
{
    *n = (struct night){.rng = seed};
    tly_arena_init(&arena, COUNTRY_MAX);
    election_random(&n->rng);
    TLY_CHECK(tally_init(&n->tally, &m.e, &arena) == TLY_OK);
    TLY_CHECK(history_new(&arena, &n->history) == TLY_OK);
}

static void
night_end(void)
{
    make_free(&m);
    tly_arena_done(&arena);
}

static struct tally *
copy_of(const struct tally *tally)
{
    struct tally *copy = TLY_NEW(&arena, struct tally, 1);
    TLY_CHECK(copy != NULL && tally_init(copy, &m.e, &arena) == TLY_OK);
    tally_copy(copy, tally);
    return copy;
}

/* What differs between the past as it is made again and as it stood; NULL: nothing. */
static const char *
past_differs(const struct night *n, uint64_t position)
{
    TLY_AUTO(arena) struct tly_arena memory;
    struct tally                     past;
    tly_arena_init(&memory, ARENA_MAX);
    TLY_CHECK(tally_init(&past, &m.e, &memory) == TLY_OK);
    history_replay(n->history, position, &past);
    return tally_differs(&past, n->copies[position]);
}

/* Entries, each `step`th copied; then every copy in any order; the number of wrong ones. */
static unsigned
night_run(struct night *n, uint64_t seed, unsigned entries, unsigned step, unsigned *compared)
{
    unsigned wrong = 0;
    night_begin(n, seed);
    n->copies[0] = copy_of(&n->tally);
    for (unsigned i = 0; i < entries; i++) {
        entry(n, i);
        n->copies[i + 1] = i % step == 0 || i + 1 == entries ? copy_of(&n->tally) : NULL;
    }
    for (unsigned i = entries + 1; i-- > 0;) {
        const char *what = n->copies[i] == NULL ? NULL : past_differs(n, i);
        if (what != NULL) {
            printf("# seed %llu: %s differ at position %u of %u\n", (unsigned long long)seed, what,
                   i, entries);
            wrong++;
        }
        *compared += n->copies[i] != NULL;
    }
    return wrong;
}

static void
check_nights(uint64_t seed, unsigned nights)
{
    unsigned wrong = 0, compared = 0, kinds[TLY_N(night.kinds)] = {0}, missing = 0;
    for (unsigned i = 0; i < nights; i++) {
        uint64_t dice = seed + i;
        wrong += night_run(&night, seed + i, 1 + case_below(&dice, ENTRIES_MAX), 1, &compared);
        for (unsigned k = 0; k < TLY_N(kinds); k++) {
            kinds[k] += night.kinds[k];
        }
        night_end();
    }
    printf(
        "# seed %llu: %u nights, %u positions; release %u explain %u annul %u reinstate %u lot %u "
        "exclude %u certify %u bundle %u conflict %u\n",
        (unsigned long long)seed, nights, compared, kinds[POLICY_RELEASE], kinds[POLICY_EXPLAIN],
        kinds[POLICY_ANNUL], kinds[POLICY_REINSTATE], kinds[POLICY_LOT], kinds[POLICY_EXCLUDE],
        kinds[POLICY_CERTIFY], kinds[POLICIES_N], kinds[POLICIES_N + 1]);
    T_EQ(wrong, 0, "every position is what stood when it was the newest");
    for (unsigned k = 0; k < TLY_N(kinds); k++) {
        missing += kinds[k] == 0 && k != POLICY_KEY && k != POLICY_STATE && k != POLICY_REVISE;
    }
    T_OK(nights == 1 || missing == 0, "with entries of every kind");
}

/* Over the ends of chunks. */
static void
check_long(uint64_t seed)
{
    unsigned compared = 0;
    T_EQ(night_run(&night, seed, LONG, 97, &compared), 0, "a long night, too");
    night_end();
}

/* ---- readers beside the writer ---- */

static pthread_mutex_t publishing = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t  replayed   = PTHREAD_COND_INITIALIZER;
static uint64_t        published;
static unsigned        readers_n, replays, differences;

static uint64_t
published_now(void)
{
    pthread_mutex_lock(&publishing);
    const uint64_t position = published;
    pthread_mutex_unlock(&publishing);
    return position;
}

static void
publish(uint64_t position)
{
    pthread_mutex_lock(&publishing);
    published = position;
    while (position == ENTRIES_MAX / 2 && readers_n < READERS) { /* so that all are under way */
        pthread_cond_wait(&replayed, &publishing);
    }
    pthread_mutex_unlock(&publishing);
}

/* Replays the newest position and one below it, until the whole night was seen. */
static void *
reader_run(void *arg)
{
    uint64_t dice = *(const uint64_t *)arg;
    uint64_t last = 0;
    for (unsigned n = 1; last < ENTRIES_MAX; n++) {
        last                     = published_now();
        const uint64_t any       = case_below(&dice, (uint32_t)last + 1);
        const bool     now_wrong = past_differs(&night, last) != NULL;
        const bool     any_wrong = past_differs(&night, any) != NULL;
        pthread_mutex_lock(&publishing);
        differences += now_wrong;
        differences += any_wrong;
        replays += 2;
        readers_n += n == 1;
        pthread_cond_signal(&replayed);
        pthread_mutex_unlock(&publishing);
    }
    return NULL;
}

/* The copy is made before the position is published, as the history is. */
static void
check_readers(uint64_t seed)
{
    pthread_t threads[READERS];
    uint64_t  dice[READERS];
    night_begin(&night, seed);
    night.copies[0] = copy_of(&night.tally);
    for (unsigned i = 0; i < READERS; i++) {
        dice[i] = seed + i;
        TLY_CHECK(pthread_create(&threads[i], NULL, reader_run, &dice[i]) == 0);
    }
    for (unsigned i = 0; i < ENTRIES_MAX; i++) {
        entry(&night, i);
        night.copies[i + 1] = copy_of(&night.tally);
        publish(i + 1);
    }
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("# %u times the past was made while it went on\n", replays);
    T_EQ(differences, 0, "readers beside the writer get what stood then");
    night_end();
}

/* ---- memory ---- */

static void
check_room(void)
{
    TLY_AUTO(arena) struct tly_arena memory;
    struct history                  *history;
    tly_arena_init(&memory, (size_t)8 << 10);
    T_EQ(history_new(&memory, &history), TLY_ENOMEM, "no room");
    tly_arena_done(&memory);
    tly_arena_init(&memory, (size_t)100 << 10);
    T_EQ(history_new(&memory, &history), TLY_OK, "room for three chunks");
    const size_t bytes = memory.bytes;
    T_OK(history_reserve(history, 1000) && memory.bytes == bytes, "what there is room for is free");
    T_OK(!history_reserve(history, 1000000), "too much is refused");
    T_OK(history_reserve(history, 2000), "and leaves what there is");
}

static void
check_country(void)
{
    uint64_t rng = 7;
    tly_arena_init(&arena, COUNTRY_MAX);
    country_make();
    TLY_AUTO(arena) struct tly_arena memory;
    TLY_AUTO(arena) struct tly_arena past_memory;
    struct tally                    *tally = &night.tally;
    struct tally                     past;
    tly_arena_init(&memory, COUNTRY_MAX);
    tly_arena_init(&past_memory, COUNTRY_MAX);
    TLY_CHECK(tally_init(tally, &m.e, &arena) == TLY_OK);
    TLY_CHECK(history_new(&memory, &night.history) == TLY_OK);
    for (uint32_t i = 0; i < m.e.branches_n; i++) {
        const struct branch *b = &m.branches[i];
        TLY_CHECK(history_reserve(night.history, b->slots_n + 1));
        for (uint32_t s = b->slots_first; s < b->slots_first + b->slots_n; s++) {
            const struct tally_change change = {
                .slot = {s}, .counts = counts_random(&rng, s), .revision = 1};
            tally_apply(tally, &change, 1, i);
            history_change(night.history, &change);
        }
        history_end(night.history, i);
    }
    const uint64_t start = cpu_us();
    TLY_CHECK(tally_init(&past, &m.e, &past_memory) == TLY_OK);
    history_replay(night.history, m.e.branches_n, &past);
    const uint64_t took = cpu_us() - start;
    const size_t   each = memory.bytes / m.e.slots_n;
    printf(
        "# %u bundles of 2 contests: %zu bytes of history a contest; a past takes %llu us and %zu "
        "KiB\n",
        m.e.branches_n, each, (unsigned long long)took, past_memory.bytes >> 10);
    T_OK(each <= 48, "at most 48 bytes for a branch's contest");
    T_OK(tally_differs(&past, tally) == NULL,
         "the country of the last bundle is the one that stands");
    make_free(&m);
    tly_arena_done(&arena);
}

int
main(void)
{
    const char    *told = getenv("TALLY_SEED");
    const uint64_t seed = told == NULL ? 14050811 : strtoull(told, NULL, 10);
    check_room();
    check_nights(seed, told == NULL ? NIGHTS : 1);
    check_long(seed + 1);
    check_readers(seed + 2);
    check_country();
    return T_DONE();
}
