/* SPDX-License-Identifier: Apache-2.0 */
/* The unit of the bench: microseconds of one libsodium Ed25519 verification of a 4 KB message, on
 * one core. Prints the median of several rounds; run before and after what it calibrates. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sodium.h>

#define ROUNDS  15
#define A_ROUND 400

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

int
main(void)
{
    static uint8_t message[4096];
    uint8_t  pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES], sig[crypto_sign_BYTES];
    double   us[ROUNDS];
    unsigned good = 0;
    if (sodium_init() < 0) {
        return EXIT_FAILURE;
    }
    randombytes_buf(message, sizeof message);
    (void)crypto_sign_keypair(pk, sk);
    (void)crypto_sign_detached(sig, NULL, message, sizeof message, sk);
    for (int r = 0; r < ROUNDS; r++) {
        const double start = cpu_us();
        for (int i = 0; i < A_ROUND; i++) {
            good += crypto_sign_verify_detached(sig, message, sizeof message, pk) == 0;
        }
        us[r] = (cpu_us() - start) / A_ROUND;
    }
    qsort(us, ROUNDS, sizeof us[0], by_size);
    printf("%.3f\n", us[ROUNDS / 2]);
    return good == ROUNDS * A_ROUND ? EXIT_SUCCESS : EXIT_FAILURE;
}
