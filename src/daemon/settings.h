/* SPDX-License-Identifier: Apache-2.0 */
/* What tallyd can be told; the table in settings.c is the parser, the sample and the help. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/config.h"

struct settings {
    const char *database, *journal;
    const char *definition, *registry;
    const char *root_keys; /* paths with spaces between */
    const char *signer, *log_vkey;
    const char *server_cert, *server_key;
    struct settings_listener {
        const char *address;
        uint64_t    port, workers, connections_max, per_ip_max, memory_bytes;
    } ingest, api, ops;
    uint64_t    handshake_ms, idle_ms, head_ms, body_ms, request_bytes;
    uint64_t    journal_bytes;
    uint64_t    snapshot_ms;
    const char *publish, *publish_policy, *cosignatures;
    uint64_t    publish_ms, scrub_ms;
    uint64_t    database_wait_ms, signer_ms, stop_ms;
    uint64_t    per_terminal_max, handshakes_max;
    bool        log_debug;
};

extern const struct config_table settings_table;
