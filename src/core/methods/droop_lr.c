/* SPDX-License-Identifier: Apache-2.0 */
#include "../methods.h"
#include "../seats.h"

/* The whole number after votes / (seats + 1). */
static struct seats_quota
quota(uint64_t votes, uint32_t seats)
{
    return (struct seats_quota){.num = 1, .den = votes / ((uint64_t)seats + 1) + 1};
}

static enum tly_err
run(const struct method_input *in, struct tly_arena *arena, struct outcome *out)
{
    return seats_remainders(in, arena, out, quota);
}

const struct method droop_lr_method = {
    .name     = "droop_lr",
    .source   = "H. R. Droop 1868: largest remainders of votes / (seats + 1), rounded up past it",
    .lists    = true,
    .params   = seats_params,
    .params_n = SEATS_PARAMS_N,
    .run      = run,
};
