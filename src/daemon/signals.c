/* SPDX-License-Identifier: Apache-2.0 */
/* Signals reach only the main thread, and only where it waits for them. */
#include <signal.h>
#include <time.h>

#include "service.h"
#include "sys/clock.h"
#include "sys/log.h"

static sigset_t
wanted(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void
service_signals_block(void)
{
    const sigset_t         set    = wanted();
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool
service_told_to_stop(unsigned wait_ms)
{
    const sigset_t set   = wanted();
    const uint64_t until = clock_mono_ms() + wait_ms;
    for (;;) {
        const uint64_t        now  = clock_mono_ms();
        const uint64_t        left = now < until ? until - now : 0;
        const struct timespec wait = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};
        const int             sig  = sigtimedwait(&set, NULL, &wait);
        if (sig == SIGTERM || sig == SIGINT) {
            log_event(LOG_NOTICE, "daemon.signal", "signal=%s", sigabbrev_np(sig));
            return true;
        }
        if (sig == SIGHUP) {
            log_event(LOG_WARNING, "daemon.reload",
                      "why=\"not possible yet: restart to read settings\"");
        } else if (left == 0) {
            return false;
        }
    }
}
