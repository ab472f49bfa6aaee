/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that depend on a seed only: SplitMix64 (Steele, Lea, Flood 2014).  For made-up elections,
 * never for keys. */
#pragma once

#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t
dice_next(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9E3779B97F4A7C15);
    z          = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z          = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* 0 <= result <= max; the bias of the remainder does not matter here. */
static inline uint32_t
dice_upto(struct dice *dice, uint32_t max)
{
    return (uint32_t)(dice_next(dice) % ((uint64_t)max + 1));
}

static inline uint32_t
dice_between(struct dice *dice, uint32_t min, uint32_t max)
{
    return min + dice_upto(dice, max - min);
}
