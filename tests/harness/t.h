/* SPDX-License-Identifier: Apache-2.0 */
/* TAP in one header: T_OK and T_EQ print a line each, T_SKIP says why, T_DONE closes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned t_run;
static unsigned t_bad;

static inline bool
t_result(bool ok, const char *what, const char *file, int line)
{
    t_run++;
    if (ok) {
        printf("ok %u - %s\n", t_run, what);
    } else {
        t_bad++;
        printf("not ok %u - %s\n# at %s:%d\n", t_run, what, file, line);
    }
    return ok;
}

static inline bool
t_equal(long long got, long long want, const char *what, const char *file, int line)
{
    const bool ok = t_result(got == want, what, file, line);
    if (!ok) {
        printf("# got %lld, want %lld\n", got, want);
    }
    return ok;
}

static inline bool
t_same(const char *got, const char *want, const char *what, const char *file, int line)
{
    const bool ok = t_result(strcmp(got, want) == 0, what, file, line);
    if (!ok) {
        printf("# got  \"%s\"\n# want \"%s\"\n", got, want);
    }
    return ok;
}

#define T_OK(cond, what) t_result((cond), (what), __FILE__, __LINE__)
#define T_EQ(got, want, what)                                                                      \
    t_equal((long long)(got), (long long)(want), (what), __FILE__, __LINE__)
#define T_STR(got, want, what) t_same((got), (want), (what), __FILE__, __LINE__)
#define T_SKIP(what, why)      (t_run++, (void)printf("ok %u - %s # SKIP %s\n", t_run, (what), (why)))
/* The last statement of main(): return T_DONE(); */
#define T_DONE() (printf("1..%u\n", t_run), t_bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE)
