/* SPDX-License-Identifier: Apache-2.0 */
/* The count on one core: seats of one list contest of 3,000 candidates with every other reading, and
 * the outcome of a country's 40,000 contests. Prints two medians: microseconds, milliseconds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/check.h"
#include "core/readings.h"

#define ROUNDS     15
#define LISTS      60
#define CANDIDATES 3000
#define CONTESTS   40000
#define BLOCK_OF   8 /* candidates of a village: 300,000 in 40,000 contests */

static uint64_t state = 14050724;

static uint32_t
below(uint32_t n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * UINT64_C(2685821657736338717) >> 32) * n >> 32);
}

static double
cpu_us(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median(double us[ROUNDS])
{
    qsort(us, ROUNDS, sizeof us[0], by_size);
    return us[ROUNDS / 2];
}

/* Outcome and readings of one contest. */
static void
count(const struct method *method, const struct method_input *in)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = (size_t)64 << 20};
    struct outcome                   out;
    struct reading                  *list;
    uint32_t                         n;
    TLY_CHECK(outcome_of(method, in, &arena, &out) == TLY_OK);
    TLY_CHECK(readings_of(method, in, &out, &arena, &list, &n) == TLY_OK);
}

/* A third stands alone, the others on 60 lists of up to 50. */
static double
tehran(void)
{
    static uint64_t      ballots[LISTS], personal[CANDIDATES];
    static uint32_t      list[CANDIDATES], params[METHOD_PARAMS_MAX];
    double               us[ROUNDS];
    const struct method *method = method_find(tly_text("list_ir"));
    for (unsigned i = 0; i < method->params_n; i++) {
        params[i] = method->params[i].initial;
    }
    for (uint32_t l = 0; l < LISTS; l++) {
        ballots[l] = below(400000 / (l + 1));
    }
    for (uint32_t c = 0; c < CANDIDATES; c++) {
        list[c]     = c % 3 == 0 ? IX_NONE : c % LISTS;
        personal[c] = below(60000);
    }
    const struct method_input in = {.params         = params,
                                    .seats          = 21,
                                    .alternates     = 11,
                                    .lists_n        = LISTS,
                                    .candidates_n   = CANDIDATES,
                                    .list_ballots   = ballots,
                                    .personal       = personal,
                                    .candidate_list = list,
                                    .valid_ballots  = 6400000};
    for (unsigned i = 0; i < ROUNDS; i++) {
        const double from = cpu_us();
        for (unsigned k = 0; k < 20; k++) {
            count(method, &in);
        }
        us[i] = (cpu_us() - from) / 20;
    }
    return median(us);
}

static double
country(void)
{
    static uint64_t      personal[BLOCK_OF * CONTESTS];
    static uint32_t      list[BLOCK_OF];
    double               us[ROUNDS];
    const struct method *method = method_find(tly_text("block"));
    for (uint32_t c = 0; c < BLOCK_OF * CONTESTS; c++) {
        personal[c] = below(3000);
    }
    for (uint32_t c = 0; c < BLOCK_OF; c++) {
        list[c] = IX_NONE;
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        const double from = cpu_us();
        for (uint32_t k = 0; k < CONTESTS; k++) {
            const struct method_input in = {.seats          = 5,
                                            .alternates     = 3,
                                            .candidates_n   = BLOCK_OF,
                                            .personal       = personal + (size_t)BLOCK_OF * k,
                                            .candidate_list = list};
            count(method, &in);
        }
        us[i] = cpu_us() - from;
    }
    return median(us) / 1000;
}

int
main(void)
{
    (void)printf("%.1f %.1f\n", tehran(), country());
    return 0;
}
