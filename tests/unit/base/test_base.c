/* SPDX-License-Identifier: Apache-2.0 */
/* The common words: errors and their diag, hex, sums, and that a failed check stops the process. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/num.h"
#include "t.h"

static void
errors(void)
{
    for (unsigned e = 0; e < TLY_ERR_N; e++) {
        const int http = tly_err_http((enum tly_err)e);
        T_OK(strlen(tly_err_name((enum tly_err)e)) > 0 && strlen(tly_err_text((enum tly_err)e)) > 0,
             "has a name and a text");
        switch (tly_err_blame((enum tly_err)e)) {
        case TLY_NOBODY:
            T_EQ(http, 200, "nobody's");
            break;
        case TLY_THEIRS:
            T_OK(http >= 400 && http < 429, "theirs");
            break;
        case TLY_LATER:
            T_OK(http == 429 || http == 503, "later");
            break;
        case TLY_UNSURE:
            T_EQ(http, 503, "unsure");
            break;
        case TLY_OURS:
            T_EQ(http, 500, "ours");
            break;
        }
    }
    struct tly_diag diag = {.code = "S01", .field = "cast"};
    T_EQ(tly_fail(&diag, TLY_ERANGE, "%d is over %d", 3, 2), TLY_ERANGE, "gives back the error");
    T_STR(diag.text, "3 is over 2", "and writes why");
    T_OK(diag.code[0] == '\0' && diag.field[0] == '\0', "without an earlier code or field");
    T_EQ(tly_fail_at(&diag, TLY_EINPUT, "S01", "contests[1].cast", "%s", "x"), TLY_EINPUT, "same");
    T_STR(diag.code, "S01", "code");
    T_STR(diag.field, "contests[1].cast", "field");
    T_EQ(tly_fail(NULL, TLY_EIO, "nobody reads it"), TLY_EIO, "no diag");
    T_EQ(tly_fail_at(NULL, TLY_EIO, "a", "b", "nobody reads it"), TLY_EIO, "no diag");
    char longest[1000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    T_EQ(tly_fail_at(&diag, TLY_EINPUT, longest, longest, "%s", longest), TLY_EINPUT, "too long");
    T_OK(strlen(diag.text) == sizeof diag.text - 1 && strlen(diag.code) == sizeof diag.code - 1 &&
             strlen(diag.field) == sizeof diag.field - 1,
         "is cut");
}

static void
hex(void)
{
    uint8_t bytes[256];
    uint8_t back[256];
    char    text[513];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    tly_hex(bytes, sizeof bytes, text);
    T_OK(strlen(text) == 512 && strncmp(text, "000102", 6) == 0, "every byte in order");
    T_OK(tly_unhex(tly_text(text), back, sizeof back) && memcmp(back, bytes, 256) == 0, "and back");
    static const char *const bad[] = {"",
                                      "0",
                                      "000",
                                      "0g",
                                      "g0",
                                      "0A",
                                      "A0",
                                      " 0",
                                      "0x",
                                      "00 ",
                                      "0000",
                                      "/0",
                                      ":0",
                                      "`0",
                                      "@0",
                                      "\xff"
                                      "0"};
    for (size_t i = 0; i < TLY_N(bad); i++) {
        uint8_t one = 0x77;
        T_OK(!tly_unhex(tly_text(bad[i]), &one, 1) && one == 0x77, "refused, untouched");
    }
}

static void
numbers(void)
{
    uint64_t n = 7;
    T_OK(tly_add_u64(UINT64_MAX - 1, 1, &n) && n == UINT64_MAX, "as much as fits");
    T_OK(!tly_add_u64(UINT64_MAX, 1, &n) && n == UINT64_MAX, "one more: untouched");
    T_OK(tly_sub_u64(5, 5, &n) && n == 0, "down to nothing");
    T_OK(!tly_sub_u64(5, 6, &n) && n == 0, "below: untouched");
}

static void
decimals(void)
{
    static const char *const bad[] = {"",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "1a",
                                      "\xdb\xb1",
                                      "18446744073709551616",
                                      "18446744073709551620",
                                      "99999999999999999999999"};
    uint64_t                 n     = 7;
    for (size_t i = 0; i < TLY_N(bad); i++) {
        T_OK(!tly_u64_parse(tly_text(bad[i]), UINT64_MAX, &n) && n == 7, "no number: untouched");
    }
    T_OK(!tly_u64_parse((struct tly_bytes){(const uint8_t *)"1\0", 2}, 99, &n), "a NUL inside");
    T_OK(!tly_u64_parse((struct tly_bytes){NULL, 0}, 99, &n) && n == 7, "nothing at all");
    T_OK(tly_u64_parse(tly_text("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX,
         "the largest");
    T_OK(tly_u64_parse(tly_text("0"), 0, &n) && n == 0, "the smallest");
    T_OK(tly_u64_parse(tly_text("007"), 7, &n) && n == 7, "zeros in front");
    T_OK(tly_u64_parse(tly_text("1000"), 1000, &n) && n == 1000, "exactly max");
    T_OK(!tly_u64_parse(tly_text("1001"), 1000, &n) && n == 1000, "one over max: untouched");
    T_OK(tly_u64_parse((struct tly_bytes){(const uint8_t *)"123", 2}, 99, &n) && n == 12,
         "no further than its length");
}

static void
check_stops(void)
{
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        (void)close(STDERR_FILENO);
        TLY_CHECK(child != 0);
        _exit(0);
    }
    int status = 0;
    T_OK(waitpid(child, &status, 0) == child, "a child");
    T_OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "is stopped by its failed check");
}

int
main(void)
{
    errors();
    hex();
    numbers();
    decimals();
    check_stops();
    return T_DONE();
}
