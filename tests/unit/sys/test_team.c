/* SPDX-License-Identifier: Apache-2.0 */
/* Every job of a round runs exactly once, rounds do not overlap, whatever their size; under TSan too. */
#include <stdatomic.h>

#include "sys/team.h"

#include "t.h"

#define JOBS_MAX 1000

static atomic_int ran[JOBS_MAX];
static int plain[JOBS_MAX]; /* written by a job, read after team_wait(): TSan sees an overlap */

static void
job(void *arg, size_t i)
{
    const int *round = arg;
    atomic_fetch_add(&ran[i], 1);
    plain[i] = *round;
}

static void
test_rounds(unsigned threads_n)
{
    static const size_t sizes[] = {0, 1, 2, 7, JOBS_MAX, 0, 0, 3};
    struct team        *team    = NULL;
    T_EQ(team_new(threads_n, &team, NULL), TLY_OK, "a team");
    team_wait(team);
    for (int round = 0; round < (int)(sizeof sizes / sizeof *sizes); round++) {
        bool good = true;
        for (size_t i = 0; i < JOBS_MAX; i++) {
            atomic_store(&ran[i], 0);
            plain[i] = -1;
        }
        team_begin(team, job, &round, sizes[round]);
        team_wait(team);
        for (size_t i = 0; i < JOBS_MAX; i++) {
            good = good && atomic_load(&ran[i]) == (i < sizes[round]) &&
                   plain[i] == (i < sizes[round] ? round : -1);
        }
        T_OK(good, "each job once");
    }
    int last = 99;
    team_begin(team, job, &last, JOBS_MAX);
    team_free(team); /* waits for the round */
    bool good = true;
    for (size_t i = 0; i < JOBS_MAX; i++) {
        good = good && plain[i] == 99;
    }
    T_OK(good, "the round under way is finished first");
}

int
main(void)
{
    test_rounds(1);
    test_rounds(4);
    team_free(NULL);
    return T_DONE();
}
