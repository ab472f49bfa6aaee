/* SPDX-License-Identifier: Apache-2.0 */
#include "../methods.h"
#include "../seats.h"

static uint64_t
divisor(uint32_t won)
{
    /* 1.4, 3, 5, 7, in tenths */
    return won == 0 ? 14 : 20 * (uint64_t)won + 10;
}

static enum tly_err
run(const struct method_input *in, struct tly_arena *arena, struct outcome *out)
{
    return seats_divisors(in, arena, out, divisor);
}

const struct method modified_sainte_lague_method = {
    .name     = "modified_sainte_lague",
    .source   = "Sainte-Lague with 1.4 as the first divisor, then 3, 5, 7",
    .lists    = true,
    .params   = seats_params,
    .params_n = SEATS_PARAMS_N,
    .run      = run,
};
