/* SPDX-License-Identifier: Apache-2.0 */
/* Slots with equal numbers stand in a ring; one of each ring, its head, stands in the chain of a
 * bucket.  A contest has as many buckets as branches, all its own: whoever makes hashes collide
 * lengthens a chain by one ring for each terminal that he has, in that contest alone; numbers are
 * compared wherever hashes agree.  So the hash need not resist anybody, and is a cheap one: SipHash
 * took a tenth of what all totals of a bundle take. */
#include "twins.h"

#include "base/check.h"

#define OPTIONS_MIN 2 /* with votes, for numbers that say something */

/* Places are slots plus one, so that zeroed memory is an empty index. */
struct link {
    uint64_t hash;
    uint32_t next, prev; /* in the ring; 0: not in the index */
    uint32_t chain;      /* of a head: the next ring of its bucket */
};

struct twins {
    const struct election *election;
    struct link           *links;   /* slots_n */
    uint32_t              *buckets; /* slots_n, those of a contest side by side */
    bool                   stale;   /* the standings are others than those that were indexed */
};

enum tly_err
twins_new(const struct election *election, struct tly_arena *arena, struct twins **out)
{
    struct twins *t = TLY_NEW(arena, struct twins, 1);
    if (t == NULL) {
        return TLY_ENOMEM;
    }
    t->election = election;
    t->links    = TLY_NEW(arena, struct link, election->slots_n);
    t->buckets  = TLY_NEW(arena, uint32_t, election->slots_n);
    if (t->links == NULL || t->buckets == NULL) {
        return TLY_ENOMEM;
    }
    *out = t;
    return TLY_OK;
}

void
twins_forget(struct twins *twins)
{
    twins->stale = true;
}

static const struct contest *
contest_of(const struct twins *t, struct slot_ix ix)
{
    return &t->election->contests[t->election->slots[ix.v].contest.v];
}

static size_t
counts_size(const struct contest *contest)
{
    return sizeof(struct counts) +
           ((size_t)contest->lists_n + contest->candidates_n) * sizeof(uint32_t);
}

/* Numbers that two honest branches hardly share: enough ballots, and votes for more than one. */
static bool
says_something(const struct twins *t, const struct contest *contest, const struct counts *counts)
{
    const uint32_t min       = t->election->limits.p08_min;
    const uint32_t options_n = contest->lists_n + contest->candidates_n;
    uint32_t       with      = 0;
    if (counts == NULL || min == 0 || contest->slots_n < 2 || counts->n[COUNT_CAST] < min) {
        return false;
    }
    for (uint32_t i = 0; i < options_n && with < OPTIONS_MIN; i++) {
        with += counts->options[i] > 0;
    }
    return with == OPTIONS_MIN;
}

/* A word of numbers at a time, multiplied by the golden ratio's bits; the high half, which the bucket
 * is taken from, depends on all. */
static uint64_t
hash_of(const struct contest *contest, const struct counts *counts)
{
    const uint32_t *numbers = (const uint32_t *)counts; /* nothing but numbers, no gaps */
    const size_t    n       = counts_size(contest) / sizeof *numbers;
    uint64_t        hash    = n;
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ numbers[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

static uint32_t *
bucket_of(const struct twins *t, const struct contest *contest, uint64_t hash)
{
    const uint64_t place = (hash >> 32) * contest->slots_n >> 32;
    return &t->buckets[contest->slots_first + place];
}

struct twins_key
twins_prepare(const struct twins *twins, struct slot_ix ix, const struct counts *counts)
{
    const struct contest *contest = contest_of(twins, ix);
    __builtin_prefetch(&twins->links[ix.v], 1);
    if (!says_something(twins, contest, counts)) {
        return (struct twins_key){0};
    }
    const struct twins_key key = {true, hash_of(contest, counts)};
    __builtin_prefetch(bucket_of(twins, contest, key.hash), 1);
    return key;
}

static void
leave(struct twins *t, struct slot_ix ix)
{
    struct link   *own  = &t->links[ix.v];
    const uint32_t me   = ix.v + 1;
    const uint32_t heir = own->next == me ? 0 : own->next;
    uint32_t      *at   = bucket_of(t, contest_of(t, ix), own->hash);
    while (*at != 0 && *at != me) {
        at = &t->links[*at - 1].chain;
    }
    if (*at == me && heir != 0) { /* the head hands its place to the next of the ring */
        t->links[heir - 1].chain = own->chain;
        *at                      = heir;
    } else if (*at == me) {
        *at = own->chain;
    }
    t->links[own->next - 1].prev = own->prev;
    t->links[own->prev - 1].next = own->next;
    *own                         = (struct link){0};
}

static void
enter(struct twins *t, const struct standing slots[], struct slot_ix ix, uint64_t hash)
{
    const struct contest *contest = contest_of(t, ix);
    const struct counts  *counts  = slots[ix.v].counts;
    const uint32_t        me      = ix.v + 1;
    uint32_t             *first   = bucket_of(t, contest, hash);
    uint32_t              head    = *first;
    while (head != 0 && (t->links[head - 1].hash != hash ||
                         memcmp(slots[head - 1].counts, counts, counts_size(contest)) != 0)) {
        head = t->links[head - 1].chain;
    }
    if (head == 0) {
        t->links[ix.v] = (struct link){.hash = hash, .next = me, .prev = me, .chain = *first};
        *first         = me;
        return;
    }
    struct link *of = &t->links[head - 1];
    t->links[ix.v]  = (struct link){.hash = hash, .next = head, .prev = of->prev};

    t->links[of->prev - 1].next = me;
    of->prev                    = me;
}

static void
refresh(struct twins *t, const struct standing slots[])
{
    const uint32_t n = t->election->slots_n;
    if (!t->stale) {
        return;
    }
    memset(t->links, 0, n * sizeof *t->links);
    memset(t->buckets, 0, n * sizeof *t->buckets);
    for (uint32_t i = 0; i < n; i++) {
        const struct slot_ix   ix  = {i};
        const struct twins_key key = twins_prepare(t, ix, slots[i].counts);
        if (key.says_something) {
            enter(t, slots, ix, key.hash);
        }
    }
    t->stale = false;
}

struct slot_ix
twins_leave(struct twins *twins, const struct standing slots[], struct slot_ix ix)
{
    refresh(twins, slots);
    if (twins->links[ix.v].next == 0) {
        return (struct slot_ix){IX_NONE};
    }
    const struct slot_ix other = twins_other(twins, ix);
    leave(twins, ix);
    return other;
}

struct slot_ix
twins_enter(struct twins *twins, const struct standing slots[], struct slot_ix ix,
            struct twins_key key)
{
    TLY_CHECK(!twins->stale && twins->links[ix.v].next == 0);
    if (!key.says_something) {
        return (struct slot_ix){IX_NONE};
    }
    enter(twins, slots, ix, key.hash);
    return twins_other(twins, ix);
}

struct slot_ix
twins_other(const struct twins *twins, struct slot_ix ix)
{
    const uint32_t next = twins->links[ix.v].next;
    TLY_CHECK(!twins->stale);
    return (struct slot_ix){next == 0 || next == ix.v + 1 ? IX_NONE : next - 1};
}
