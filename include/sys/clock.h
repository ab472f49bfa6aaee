/* SPDX-License-Identifier: Apache-2.0 */
/* The time.  Whoever needs it in the core gets it as an argument. */
#pragma once

#include <stdint.h>

uint64_t clock_unix_s(void);  /* seconds since 1970, may be set back */
uint64_t clock_unix_ms(void); /* the same in milliseconds */
uint64_t clock_mono_ms(void); /* milliseconds since some moment, never runs back */
uint64_t clock_mono_us(void); /* the same in microseconds */
uint64_t clock_cpu_us(void);  /* CPU time that all threads of this process took */
