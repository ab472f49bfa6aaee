/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: their form, that nothing foreign breaks a line, cutting, levels; one write a line from
 * many threads at once (also under TSan); and the progress line. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/progress.h"
#include "sys/version.h"
#include "t.h"

static int  stderr_keep;
static int  ends[2];
static char said[1 << 16];

static void
listen_to_stderr(void)
{
    const int error = pipe2(ends, O_NONBLOCK);
    TLY_CHECK(error == 0);
    stderr_keep = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
}

/* What was written to stderr since the last call. */
static const char *
heard(void)
{
    const ssize_t n     = read(ends[0], said, sizeof said - 1);
    said[n < 0 ? 0 : n] = '\0';
    return said;
}

static void
lines(void)
{
    log_event(LOG_NOTICE, "daemon.ready", "ingest=%d api=%d", 1, 2);
    T_STR(heard(), "<5>daemon.ready ingest=1 api=2\n", "level, event, values");
    log_event(LOG_ERR, "store.lost", "");
    T_STR(heard(), "<3>store.lost\n", "no values");
    log_event(LOG_DEBUG, "x", "y=1");
    T_STR(heard(), "", "debug is off at first");
    log_level(LOG_DEBUG);
    log_event(LOG_DEBUG, "x", "y=1");
    T_STR(heard(), "<7>x y=1\n", "and can be on");
    log_level(LOG_WARNING);
    log_event(LOG_NOTICE, "x", "y=1");
    T_STR(heard(), "", "a lower level drops more");
    log_level(LOG_INFO);
    log_event(LOG_INFO, "x", "y=%s", "1\n<3>forged z=2\r\x7f");
    T_STR(heard(), "<6>x y=1?<3>forged z=2??\n", "one event is one line, whatever is in it");

    char longest[3000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    log_event(LOG_INFO, "x", "y=%s", longest);
    T_EQ(strlen(heard()), LOG_LINE_MAX, "cut at the limit");
    T_OK(said[LOG_LINE_MAX - 1] == '\n', "with its newline");
    log_event(LOG_INFO, longest, "y=%s", longest);
    T_EQ(strlen(heard()), LOG_LINE_MAX, "even an event too long");
}

static void
foreign(void)
{
    T_STR(log_text(tly_text("plain text")).s, "\"plain text\"", "quoted");
    T_STR(log_text(tly_text("a\"b\\c\n\x7f")).s, "\"a\\\"b\\\\c\\x0a\\x7f\"", "escaped");
    T_STR(log_text(tly_text("\xd8\xb4")).s, "\"\\xd8\\xb4\"", "not ASCII");
    T_STR(log_text((struct tly_bytes){NULL, 0}).s, "\"\"", "nothing");
    uint8_t bytes[LOG_TEXT_MAX + 1];
    memset(bytes, 0xff, sizeof bytes);
    T_EQ(strlen(log_text((struct tly_bytes){bytes, LOG_TEXT_MAX}).s), 4 * LOG_TEXT_MAX + 2,
         "exactly the limit");
    const struct log_text cut = log_text((struct tly_bytes){bytes, LOG_TEXT_MAX + 1});
    T_EQ(strlen(cut.s), 4 * LOG_TEXT_MAX + 5, "one over the limit");
    T_STR(cut.s + 4 * LOG_TEXT_MAX + 1, "\"...", "says so");
}

/* What a file said cannot end its value, begin another one, or another line. */
static void
reasons(void)
{
    log_event(LOG_ERR, "x", "why=%s", log_why("code \"a\" why=b\n<2>y z=\\").s);
    T_STR(heard(), "<3>x why=\"code \\\"a\\\" why=b\\x0a<2>y z=\\\\\"\n", "one value on one line");
    T_STR(log_why("").s, "\"\"", "nothing");
    char longest[LOG_WHY_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[LOG_WHY_MAX] = '\0';
    T_EQ(strlen(log_why(longest).s), LOG_WHY_MAX + 2, "exactly the limit");
    longest[LOG_WHY_MAX]     = 'a';
    longest[LOG_WHY_MAX + 1] = '\0';
    T_STR(log_why(longest).s + LOG_WHY_MAX, "a\"...", "one over it says so");
    longest[LOG_WHY_MAX - 1] = '"';
    T_STR(log_why(longest).s + LOG_WHY_MAX - 1, "a\"...", "an escape is not cut in two");
}

static void *
log_often(void *who)
{
    for (int i = 0; i < 50; i++) {
        log_event(LOG_INFO, "thread.says", "who=%d i=%02d", *(int *)who, i);
    }
    return NULL;
}

static void
many_threads(void)
{
    pthread_t threads[4];
    int       who[4] = {0, 1, 2, 3};
    for (size_t i = 0; i < TLY_N(threads); i++) {
        const int error = pthread_create(&threads[i], NULL, log_often, &who[i]);
        TLY_CHECK(error == 0);
    }
    for (size_t i = 0; i < TLY_N(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    (void)heard();
    unsigned whole = 0;
    for (const char *p = said; *p != '\0'; p = strchr(p, '\n') + 1) {
        whole += strncmp(p, "<6>thread.says who=", 19) == 0 && strchr(p, '\n') == p + 25;
        if (strchr(p, '\n') == NULL) {
            break;
        }
    }
    T_EQ(whole, 200, "200 whole lines of four threads");
}

static void
progress(void)
{
    struct progress_line p;
    uint64_t             begun;
    do { /* again when this thread did not run meanwhile */
        (void)heard();
        begun = clock_mono_ms();
        progress_begin(&p, "working", 200);
        progress_step(&p, 1);
        progress_end(&p, 200);
    } while (clock_mono_ms() - begun >= 1000);
    T_OK(!p.tty, "a pipe is no terminal");
    T_STR(heard(), "", "what is quick says nothing");

    progress_begin(&p, "working", 200);
    p.started_ms -= 10000; /* as if begun ten seconds ago */
    progress_step(&p, 50);
    T_OK(strncmp(heard(), "working: 50 of 200 (25 %), ", 27) == 0, "what is slow says how far");
    T_OK(said[strlen(said) - 1] == '\n', "on a line of its own");
    progress_step(&p, 51);
    T_STR(heard(), "", "but not at every step");
    p.shown_ms -= 10000;
    progress_step(&p, 52);
    T_OK(strncmp(heard(), "working: 52 of", 14) == 0, "again after a while");
    progress_end(&p, 200);
    T_OK(strncmp(heard(), "working: 200 of 200 (100 %), ", 29) == 0, "and how it ended");

    progress_begin(&p, "reading", 0);
    p.started_ms -= 10000;
    p.tty = true;
    progress_step(&p, 50);
    T_OK(strncmp(heard(), "\r\033[Kreading: 50, ", 16) == 0, "a terminal's line is rewritten");
    T_OK(strchr(said, '\n') == NULL, "in place");
    progress_end(&p, 60);
    T_OK(strchr(heard(), '\n') != NULL, "until its end");
}

int
main(void)
{
    listen_to_stderr();
    lines();
    foreign();
    reasons();
    many_threads();
    progress();
    dup2(stderr_keep, STDERR_FILENO);
    T_OK(strlen(version_text()) > 0, "a version");
    const uint64_t a = clock_mono_us();
    T_OK(clock_mono_us() >= a && clock_mono_ms() >= a / 1000, "time does not run back");
    const uint64_t s  = clock_unix_s();
    const uint64_t ms = clock_unix_ms();
    T_OK(s <= ms / 1000 && ms / 1000 <= clock_unix_s(), "seconds and milliseconds agree");
    return T_DONE();
}
