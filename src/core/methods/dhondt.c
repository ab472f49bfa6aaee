/* SPDX-License-Identifier: Apache-2.0 */
#include "../methods.h"
#include "../seats.h"

static uint64_t
divisor(uint32_t won)
{
    return (uint64_t)won + 1;
}

static enum tly_err
run(const struct method_input *in, struct tly_arena *arena, struct outcome *out)
{
    return seats_divisors(in, arena, out, divisor);
}

const struct method dhondt_method = {
    .name     = "dhondt",
    .source   = "V. D'Hondt 1882: highest quotients by 1, 2, 3",
    .lists    = true,
    .params   = seats_params,
    .params_n = SEATS_PARAMS_N,
    .run      = run,
};
