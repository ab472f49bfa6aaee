/* SPDX-License-Identifier: Apache-2.0 */
#include "../methods.h"
#include "../seats.h"

/* Whoever is past the last seat stands in line for the alternates; a group of equals across the
 * last seat fills the first alternate places with whoever loses the draw. */
static enum tly_err
run(const struct method_input *in, struct tly_arena *arena, struct outcome *out)
{
    static const struct seats_say last = {
        "elected", "$b candidates are elected; the last has $a votes.",
        "$b نامزد انتخاب می‌شود؛ آخرین آنان $a رأی دارد."};
    static const struct seats_say vacant = {
        "vacant", "$a seats stay vacant: nobody else has a vote.",
        "$a کرسی خالی می‌ماند: کس دیگری رأی ندارد."};
    struct seats s;
    enum tly_err err = seats_begin(&s, in, arena, out);
    out->winners     = TLY_NEW(arena, uint32_t, in->candidates_n);
    out->alternates  = TLY_NEW(arena, uint32_t, in->candidates_n);
    if (err != TLY_OK || out->winners == NULL || out->alternates == NULL) {
        return TLY_ENOMEM;
    }
    uint32_t stand = 0; /* candidates with a vote */
    while (stand < s.order_n && out->votes[s.order[stand]] > 0) {
        stand++;
    }
    const uint32_t seats = in->seats < stand ? in->seats : stand;
    uint32_t       from = seats, to = seats; /* the group of equals across the last seat */
    if (seats > 0 && seats < stand &&
        out->votes[s.order[seats]] == out->votes[s.order[seats - 1]]) {
        while (from > 0 && out->votes[s.order[from - 1]] == out->votes[s.order[seats]]) {
            from--;
        }
        while (to < stand && out->votes[s.order[to]] == out->votes[s.order[seats]]) {
            to++;
        }
        if (seats_settled(&s, false, &s.order[from], to - from)) {
            from = to = seats; /* the losers stand next in line, in their order */
        } else {
            seats_tie(&s, TIE_SEAT, seats - from, &s.order[from], to - from);
        }
    }
    out->winners_n = from;
    memcpy(out->winners, s.order, from * sizeof *s.order);
    out->vacancies = in->seats - seats;
    if (from > 0) {
        seats_step(&s, &last, IX_NONE, out->votes[s.order[from - 1]], from);
    }
    if (out->vacancies > 0) {
        seats_step(&s, &vacant, IX_NONE, out->vacancies, 0);
    }
    const uint32_t losers = to - seats;
    if (losers < in->alternates) {
        seats_alternates(&s, &s.order[to], stand - to, in->alternates - losers);
    }
    return s.full ? TLY_ENOMEM : TLY_OK;
}

const struct method block_method = {
    .name   = "block",
    .source = "plurality-at-large, councils law: old article 17",
    .run    = run,
};
