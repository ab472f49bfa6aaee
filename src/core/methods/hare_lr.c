/* SPDX-License-Identifier: Apache-2.0 */
#include "../methods.h"
#include "../seats.h"

/* The exact quota is votes / seats, a fraction: an entity has V * seats / votes of them. */
static struct seats_quota
quota(uint64_t votes, uint32_t seats)
{
    return (struct seats_quota){.num = seats, .den = votes};
}

static enum tly_err
run(const struct method_input *in, struct tly_arena *arena, struct outcome *out)
{
    return seats_remainders(in, arena, out, quota);
}

const struct method hare_lr_method = {
    .name     = "hare_lr",
    .source   = "T. Hare 1859, A. Hamilton 1792: largest remainders of votes / seats",
    .lists    = true,
    .params   = seats_params,
    .params_n = SEATS_PARAMS_N,
    .run      = run,
};
