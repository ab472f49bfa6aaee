/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator: `sim --seed N` replays one run, `sim --seeds FROM COUNT` runs many and prints TAP.
 * It ends at the first seed that breaks a promise, and says how to see it again. */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#define SLICE 2000

static int
usage(void)
{
    (void)fputs("usage: sim [--seed N | --seeds FROM COUNT] [--verbose]\n"
                "  --seed N            one run, with all that happens in it\n"
                "  --seeds FROM COUNT  so many runs from seed FROM on (1 2000)\n"
                "  --verbose           say all that happens in each\n",
                stderr);
    return 2;
}

/* A TLY_CHECK, or worse: the run is known all the same. */
static void
on_crash(int signal_number)
{
    char      text[128];
    const int len =
        snprintf(text, sizeof text, "not ok 1 - seed %" PRIu64 ": it stopped itself\n", sim.seed);
    (void)!write(STDOUT_FILENO, text, (size_t)len);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static double
now_s(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int
run_all(uint64_t from, uint64_t count, bool verbose)
{
    const double began = now_s();
    uint64_t     seed  = from;
    bool         good  = true;
    while (good && seed < from + count) {
        good = sim_run(seed, verbose);
        seed += good;
    }
    const double took = now_s() - began;
    if (!good) {
        printf("not ok 1 - seed %" PRIu64 ": %s\n# again: %s --seed %" PRIu64 "\n", seed, sim.wrong,
               program_invocation_name, seed);
    } else {
        printf("ok 1 - %" PRIu64 " runs from seed %" PRIu64 " keep every promise\n", count, from);
    }
    printf("# %.0f runs/s; %u deaths, %u power failures, %u second daemons, %u refused to go on, "
           "%u stopped for good\n",
           (double)(seed - from) / took, sim.deaths, sim.powers, sim.seconds, sim.refused,
           sim.failed);
    printf("1..1\n");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool
number(const char *text, uint64_t *out)
{
    char *end = NULL;
    *out      = text == NULL ? 0 : strtoull(text, &end, 10);
    return text != NULL && *text >= '0' && *text <= '9' && *end == '\0';
}

int
main(int argc, char *argv[])
{
    uint64_t from = 1, count = SLICE;
    bool     verbose = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "--seed") == 0 && number(argv[i + 1], &from)) {
            count   = 1;
            verbose = true;
            i++;
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 2 < argc && number(argv[i + 1], &from) &&
                   number(argv[i + 2], &count)) {
            i += 2;
        } else {
            return usage();
        }
    }
    if (sodium_init() < 0) {
        return EXIT_FAILURE;
    }
    /* Memory goes from run to run, but for large blocks that are hardly touched: the kernel's zero
     * pages are cheaper. */
    (void)mallopt(M_MMAP_THRESHOLD, 384 << 10);
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 20);
    (void)mallopt(M_TOP_PAD, 16 << 20);
    (void)signal(SIGABRT, on_crash);
    papers_init();
    const int code = run_all(from, count, verbose);
    papers_done();
    return code;
}
