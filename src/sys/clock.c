/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/clock.h"

#include <time.h>

#include "base/check.h"

static struct timespec
now(clockid_t id)
{
    struct timespec ts;
    const int       error = clock_gettime(id, &ts);
    TLY_CHECK(error == 0);
    return ts;
}

uint64_t
clock_unix_s(void)
{
    return (uint64_t)now(CLOCK_REALTIME).tv_sec;
}

uint64_t
clock_unix_ms(void)
{
    const struct timespec ts = now(CLOCK_REALTIME);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

uint64_t
clock_mono_us(void)
{
    const struct timespec ts = now(CLOCK_MONOTONIC);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
clock_cpu_us(void)
{
    const struct timespec ts = now(CLOCK_PROCESS_CPUTIME_ID);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}
