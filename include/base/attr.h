/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes, spelled once.  gnu17 on gcc 12 and clang 14 has no [[nodiscard]]. */
#pragma once

#define TLY_MUST         __attribute__((warn_unused_result))
#define TLY_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define TLY_NORETURN     __attribute__((noreturn))
#define TLY_UNUSED       __attribute__((unused))

/* The variable frees itself on every way out: TLY_AUTO(fd) int fd = ...; calls tly_auto_fd(&fd). */
#define TLY_AUTO(kind) __attribute__((cleanup(tly_auto_##kind)))

/* Moves ownership out of `p`, leaving NULL, so that its TLY_AUTO frees nothing. */
#define TLY_TAKE(p)                                                                                \
    __extension__({                                                                                \
        __typeof__(p) tly_taken_ = (p);                                                            \
        (p)                      = NULL;                                                           \
        tly_taken_;                                                                                \
    })

#define TLY_N(array) (sizeof(array) / sizeof((array)[0]))
