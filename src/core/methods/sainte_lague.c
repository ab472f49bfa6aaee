/* SPDX-License-Identifier: Apache-2.0 */
#include "../methods.h"
#include "../seats.h"

static uint64_t
divisor(uint32_t won)
{
    return 2 * (uint64_t)won + 1;
}

static enum tly_err
run(const struct method_input *in, struct tly_arena *arena, struct outcome *out)
{
    return seats_divisors(in, arena, out, divisor);
}

const struct method sainte_lague_method = {
    .name     = "sainte_lague",
    .source   = "A. Sainte-Lague 1910: highest quotients by 1, 3, 5",
    .lists    = true,
    .params   = seats_params,
    .params_n = SEATS_PARAMS_N,
    .run      = run,
};
