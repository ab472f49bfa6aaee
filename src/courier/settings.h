/* SPDX-License-Identifier: Apache-2.0 */
/* What tally-courier can be told; the table in settings.c is the parser, the sample and the help. */
#pragma once

#include "sys/config.h"

struct settings {
    const char *log, *policy, *cosignatures;
    const char *log_ca, *log_client;
    const char *witness_ca, *witness_client;
    uint64_t    interval_ms, refresh_ms, backoff_ms, timeout_ms;
    bool        log_debug;
};

extern const struct config_table settings_table;
