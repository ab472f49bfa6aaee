/* SPDX-License-Identifier: Apache-2.0 */
/* What tally-witness can be told; the table in settings.c is the parser, the sample and the help. */
#pragma once

#include "sys/config.h"

struct settings {
    const char *name, *key;
    const char *logs;
    const char *state;
    const char *address, *prefix;
    uint64_t    port, workers, connections_max, per_ip_max, idle_ms;
    const char *server_cert, *server_key; /* "": plain HTTP */
    const char *clients;                  /* fingerprints with spaces between; "": any */
    const char *mirror;                   /* "": none */
    uint64_t    mirror_ms, mirror_timeout_ms;
    const char *mirror_ca, *mirror_client;
    uint64_t    stop_ms;
    bool        log_debug;
};

extern const struct config_table settings_table;
