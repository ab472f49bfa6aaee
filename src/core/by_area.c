/* SPDX-License-Identifier: Apache-2.0 */
#include "core/by_area.h"

#include "base/check.h"
#include "base/num.h"

static struct area_ix
area_of(const struct election *e, struct slot_ix slot)
{
    return e->branches[e->slots[slot.v].branch.v].area;
}

/* Gives every area its run: its own slots first, then those of each child.  A parent stands before
 * its children: one pass backwards adds up, one forwards hands out.  next[]: where the area's next
 * own slot goes, then its next child. */
static void
runs_lay(const struct election *e, const struct contest *c, struct by_area *by, uint32_t next[])
{
    for (uint32_t i = 0; i < c->slots_n; i++) {
        by->n[area_of(e, e->contest_slots[c->slots_first + i]).v]++;
    }
    memcpy(next, by->n, e->areas_n * sizeof *next);
    for (uint32_t i = e->areas_n; i-- > 1;) {
        TLY_CHECK(e->areas[i].parent.v < i);
        by->n[e->areas[i].parent.v] += by->n[i];
    }
    for (uint32_t i = 1; i < e->areas_n; i++) { /* the root begins at 0 */
        const uint32_t parent = e->areas[i].parent.v;
        by->first[i]          = by->first[parent] + next[parent];
        next[parent] += by->n[i];
    }
    memcpy(next, by->first, e->areas_n * sizeof *next);
}

enum tly_err
by_area_init(const struct tally *tally, struct contest_ix ix, struct tly_arena *arena,
             struct by_area *out)
{
    const struct election *e = tally->election;
    TLY_CHECK(ix.v < e->contests_n);
    const struct contest *c    = &e->contests[ix.v];
    uint32_t             *next = TLY_NEW(arena, uint32_t, e->areas_n);
    struct by_area        by   = {.tally   = tally,
                                  .contest = ix,
                                  .slots   = TLY_NEW(arena, struct slot_ix, c->slots_n),
                                  .first   = TLY_NEW(arena, uint32_t, e->areas_n),
                                  .n       = TLY_NEW(arena, uint32_t, e->areas_n)};
    if (next == NULL || by.slots == NULL || by.first == NULL || by.n == NULL) {
        return TLY_ENOMEM;
    }
    runs_lay(e, c, &by, next);
    for (uint32_t i = 0; i < c->slots_n; i++) {
        const struct slot_ix slot            = e->contest_slots[c->slots_first + i];
        by.slots[next[area_of(e, slot).v]++] = slot;
    }
    *out = by;
    return TLY_OK;
}

bool
by_area_has(const struct by_area *by, struct area_ix area)
{
    TLY_CHECK(area.v < by->tally->election->areas_n);
    return by->n[area.v] > 0;
}

static void
progress_add(struct progress *p, enum slot_state state)
{
    p->expected++;
    p->reported += state != SLOT_EXPECTED;
    p->counted += state == SLOT_COUNTED || state == SLOT_CORRECTED;
    p->held += state == SLOT_HELD;
    p->annulled += state == SLOT_ANNULLED;
}

void
by_area_sum(const struct by_area *by, struct area_ix area, struct area_sum *out, uint64_t options[])
{
    TLY_CHECK(area.v < by->tally->election->areas_n);
    const struct contest *c         = &by->tally->election->contests[by->contest.v];
    const uint32_t        options_n = options == NULL ? 0 : c->lists_n + c->candidates_n;
    struct area_sum       sum       = {0};
    if (options_n > 0) {
        memset(options, 0, options_n * sizeof *options);
    }
    for (uint32_t i = 0; i < by->n[area.v]; i++) {
        const struct standing *st = &by->tally->slots[by->slots[by->first[area.v] + i].v];
        progress_add(&sum.progress, (enum slot_state)st->state);
        if (st->counts == NULL || (st->state != SLOT_COUNTED && st->state != SLOT_CORRECTED)) {
            continue;
        }
        /* Terms of 32 bits, fewer than 2^32 of them: 64 bits hold every sum. */
        for (unsigned k = 0; k < COUNTS_N; k++) {
            sum.totals.n[k] += st->counts->n[k];
        }
        for (uint32_t k = 0; k < options_n; k++) {
            options[k] += st->counts->options[k];
        }
    }
    *out = sum;
}
