/* SPDX-License-Identifier: Apache-2.0 */
/* Persons on the seats of their list, and the alternates behind them. */
#include "base/check.h"

#include "seats.h"

static bool
tied_for_seats(const struct seats *s)
{
    for (uint32_t i = 0; i < s->out->ties_n; i++) {
        if (s->out->ties[i].kind != TIE_ALTERNATE) {
            return true;
        }
    }
    return false;
}

/* End of the group of equal votes that starts at `from`. */
static uint32_t
group_end(const struct seats *s, const uint32_t order[], uint32_t n, uint32_t from)
{
    uint32_t to = from + 1;
    while (to < n && s->out->votes[order[to]] == s->out->votes[order[from]]) {
        to++;
    }
    return to;
}

void
seats_alternates(struct seats *s, uint32_t order[], uint32_t n, uint32_t places)
{
    struct outcome *out = s->out;
    for (uint32_t i = 0; i < n && places > 0;) {
        if (out->votes[order[i]] == 0) {
            return; /* who has no vote takes no place */
        }
        const uint32_t end     = group_end(s, order, n, i);
        const uint32_t group   = end - i;
        const uint32_t taken   = group < places ? group : places;
        const bool     settled = group > 1 && seats_settled(s, false, &order[i], group);
        if (group > 1 && !settled) {
            seats_tie(s, TIE_ALTERNATE, taken, &order[i], group);
        }
        if (group <= places || settled) {
            memcpy(&out->alternates[out->alternates_n], &order[i], taken * sizeof *order);
            out->alternates_n += taken;
        }
        places -= taken;
        i = end;
    }
}

/* The best `seats` of an entity's members, most votes first. */
static void
persons_elect(struct seats *s, uint32_t entity, uint32_t members[], uint32_t n)
{
    const uint32_t seats = s->won[entity];
    TLY_CHECK(seats <= n);
    for (uint32_t i = 0; i < seats;) {
        uint32_t end = group_end(s, members, n, i);
        if (end > seats && !s->open[entity] && seats_settled(s, false, &members[i], end - i)) {
            end = seats;
        }
        if (end > seats) {
            if (!s->open[entity]) {
                seats_tie(s, TIE_SEAT, seats - i, &members[i], end - i);
            }
            return;
        }
        for (; i < end; i++) {
            s->elected[members[i]] = true;
        }
    }
}

/* Members of each entity one after the other, most votes first within; first[entities_n + 1]. */
static void
persons_group(const struct seats *s, uint32_t members[], uint32_t first[])
{
    for (uint32_t e = 0; e < s->entities_n; e++) {
        first[e + 1] = first[e] + s->cap[e];
    }
    for (uint32_t i = 0; i < s->order_n; i++) {
        const uint32_t c                                          = s->order[i];
        const uint32_t list                                       = s->in->candidate_list[c];
        members[first[list == IX_NONE ? s->in->lists_n : list]++] = c;
    }
    for (uint32_t e = s->entities_n; e > 0; e--) {
        first[e] = first[e - 1];
    }
    first[0] = 0;
}

static uint32_t
without_elected(const struct seats *s, const uint32_t order[], uint32_t n, uint32_t rest[])
{
    uint32_t rest_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!s->elected[order[i]]) {
            rest[rest_n++] = order[i];
        }
    }
    return rest_n;
}

static void
persons_alternates(struct seats *s, const uint32_t members[], const uint32_t first[],
                   uint32_t rest[], bool same_list_next)
{
    if (tied_for_seats(s)) {
        return; /* who loses the draw is next in line: nothing is certain before it */
    }
    if (!same_list_next) {
        const uint32_t n = without_elected(s, s->order, s->order_n, rest);
        seats_alternates(s, rest, n, s->in->alternates);
        return;
    }
    for (uint32_t e = 0; e < s->entities_n; e++) {
        if (s->won[e] > 0) {
            const uint32_t n =
                without_elected(s, &members[first[e]], first[e + 1] - first[e], rest);
            seats_alternates(s, rest, n, s->in->alternates);
        }
    }
}

static void
persons_write(struct seats *s)
{
    static const struct seats_say seats_say = {"elected", "$a seats with $b votes.",
                                               "$a کرسی با $b رأی."};
    struct outcome               *out       = s->out;
    for (uint32_t e = 0; e < s->entities_n; e++) {
        seats_step(s, &seats_say, e, s->won[e], s->votes[e]);
        if (e < s->in->lists_n) {
            out->list_seats[e] = s->won[e];
        } else {
            out->pool_seats = s->won[e];
        }
    }
    for (uint32_t i = 0; i < s->order_n; i++) {
        if (s->elected[s->order[i]]) {
            out->winners[out->winners_n++] = s->order[i];
        }
    }
}

enum tly_err
seats_end(struct seats *s, bool same_list_next)
{
    const uint32_t n       = s->in->candidates_n;
    uint32_t      *members = TLY_NEW(s->arena, uint32_t, n);
    uint32_t      *rest    = TLY_NEW(s->arena, uint32_t, n);
    uint32_t      *first   = TLY_NEW(s->arena, uint32_t, (size_t)s->entities_n + 1);
    s->out->list_seats     = TLY_NEW(s->arena, uint32_t, s->in->lists_n);
    s->out->winners        = TLY_NEW(s->arena, uint32_t, n);
    s->out->alternates     = TLY_NEW(s->arena, uint32_t, n);
    if (members == NULL || rest == NULL || first == NULL || s->out->list_seats == NULL ||
        s->out->winners == NULL || s->out->alternates == NULL) {
        return TLY_ENOMEM;
    }
    if (s->in->totals != NULL) {
        persons_write(s);
        return s->full ? TLY_ENOMEM : TLY_OK;
    }
    persons_group(s, members, first);
    for (uint32_t e = 0; e < s->entities_n; e++) {
        persons_elect(s, e, &members[first[e]], first[e + 1] - first[e]);
    }
    persons_write(s);
    persons_alternates(s, members, first, rest, same_list_next);
    return s->full ? TLY_ENOMEM : TLY_OK;
}
