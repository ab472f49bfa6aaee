/* SPDX-License-Identifier: Apache-2.0 */
/* What tally-signer can be told; the table in settings.c is the parser, the sample and the help. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/config.h"

struct settings {
    const char *socket, *group, *client;
    const char *key, *state, *origin;
    uint64_t    request_ms;
    bool        log_debug;
};

extern const struct config_table settings_table;
