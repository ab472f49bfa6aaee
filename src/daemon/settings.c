/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <stddef.h>

#include "base/attr.h"
#include "core/frame.h"

/* A half holds the largest batch. */
#define JOURNAL_BYTES_MIN (2 * ((uint64_t)12 << 20))
_Static_assert(JOURNAL_BYTES_MIN / 2 > FRAME_BYTES_MAX + 512, "a batch fits");

#define F(field) offsetof(struct settings, field)

/* clang-format off */
static const struct config_row rows[] = {
    /* name                type         field            default                            min   max   what it does */
    {"database",                  CONFIG_TEXT,  F(database),               "host=/var/run/postgresql dbname=tally", 1, 1000, "libpq connection text or URI of the election's database"},
    {"journal",                   CONFIG_PATH,  F(journal),                "/var/lib/tallyd/journal",      1, 4000, "folder of the journal, of this daemon alone, on a disk that does not lose what fdatasync wrote"},
    {"journal_size",              CONFIG_BYTES, F(journal_bytes),          "128M",         JOURNAL_BYTES_MIN, (uint64_t)1 << 40, "its size, taken when it is made; it holds the newest half of this and more of what was accepted"},
    {"definition",                CONFIG_PATH,  F(definition),             "definition",   1, 4000, "folder of the definition package"},
    {"registry",                  CONFIG_PATH,  F(registry),               "registry",     1, 4000, "folder of the registry package"},
    {"root_keys",                 CONFIG_TEXT,  F(root_keys),              "root.key",     1, 4000, "files of the root keys, with spaces between; relative ones count from this file's folder"},
    {"signer",                    CONFIG_PATH,  F(signer),                 "/run/tally-signer/socket", 1, 100, "Unix socket of tally-signer, which alone holds the key that signs tree heads"},
    {"log_vkey",                  CONFIG_TEXT,  F(log_vkey),               "",             0, 400,  "the key that the signer must have, as tally-signer --vkey prints it; empty: whichever signed the ledger"},
    {"server_cert",               CONFIG_PATH,  F(server_cert),            "server.crt",   1, 4000, "file of the server's certificate chain"},
    {"server_key",                CONFIG_PATH,  F(server_key),             "server.key",   1, 4000, "file of the server's TLS key; nobody else may read it"},
    {"ingest.address",            CONFIG_TEXT,  F(ingest.address),         "0.0.0.0",      1, 64,   "address for terminals and relays"},
    {"ingest.port",               CONFIG_UINT,  F(ingest.port),            "8443",         0, 65535, "its TCP port; 0: any that is free"},
    {"ingest.workers",            CONFIG_UINT,  F(ingest.workers),         "2",            1, 64,   "threads that read and check bundles; as many as there are cores"},
    {"ingest.connections_max",    CONFIG_UINT,  F(ingest.connections_max), "4096",         16, 100000, "connections at once"},
    {"ingest.per_ip_max",         CONFIG_UINT,  F(ingest.per_ip_max),      "0",            0, 100000, "connections at once from one address; 0: no limit, as it must be where many terminals come through one address"},
    {"ingest.per_terminal_max",   CONFIG_UINT,  F(per_terminal_max),       "8",            0, 100000, "connections at once with one terminal's certificate, over it its oldest ends; 0: no limit"},
    {"ingest.memory",             CONFIG_BYTES, F(ingest.memory_bytes),    "256M",         (uint64_t)16 << 20, (uint64_t)1 << 40, "memory that all requests of this listener may take together: bodies, their bundles, answers"},
    {"api.address",               CONFIG_TEXT,  F(api.address),            "0.0.0.0",      1, 64,   "address for readers"},
    {"api.port",                  CONFIG_UINT,  F(api.port),               "8444",         0, 65535, "its TCP port; 0: any that is free"},
    {"api.workers",               CONFIG_UINT,  F(api.workers),            "2",            1, 64,   "threads that answer readers"},
    {"api.connections_max",       CONFIG_UINT,  F(api.connections_max),    "2048",         16, 100000, "connections at once"},
    {"api.per_ip_max",            CONFIG_UINT,  F(api.per_ip_max),         "0",            0, 100000, "connections at once from one address; 0: no limit"},
    {"api.memory",                CONFIG_BYTES, F(api.memory_bytes),       "256M",         (uint64_t)16 << 20, (uint64_t)1 << 40, "memory that all requests of this listener may take together"},
    {"ops.address",               CONFIG_TEXT,  F(ops.address),            "127.0.0.1",    1, 64,   "address of /metrics, /healthz and /readyz, without TLS"},
    {"ops.port",                  CONFIG_UINT,  F(ops.port),               "9464",         0, 65535, "its TCP port; 0: any that is free"},
    {"handshake_timeout",         CONFIG_MS,    F(handshake_ms),           "10s",          100, 600000, "longest a TLS handshake may take"},
    {"handshakes_max",            CONFIG_UINT,  F(handshakes_max),         "1024",         0, 100000, "TLS handshakes unfinished at once on a listener, over it the oldest ends; 0: no limit"},
    {"idle_timeout",              CONFIG_MS,    F(idle_ms),                "60s",          1000, 86400000, "longest a connection may stand without a request"},
    {"head_timeout",              CONFIG_MS,    F(head_ms),                "10s",          100, 600000, "longest a request's headers may take, from their first byte"},
    {"body_timeout",              CONFIG_MS,    F(body_ms),                "30s",          100, 600000, "longest a request's body may take"},
    {"request_memory",            CONFIG_BYTES, F(request_bytes),          "64M",          (uint64_t)1 << 20, (uint64_t)1 << 30, "memory that one request may take"},
    {"snapshot_interval",         CONFIG_MS,    F(snapshot_ms),            "250ms",        0, 60000, "least time between two published snapshots of the tally"},
    {"publish",                   CONFIG_PATH,  F(publish),                "log",          1, 4000, "folder of the published files: entries, tiles, envelopes, packages; any web server may offer it"},
    {"publish_interval",          CONFIG_MS,    F(publish_ms),             "1s",           0, 60000, "least time between two published checkpoints"},
    {"cosignatures",              CONFIG_PATH,  F(cosignatures),           "",             0, 4000, "folder in which tally-courier lays down what the witnesses of publish_policy signed; empty: none"},
    {"publish_policy",            CONFIG_PATH,  F(publish_policy),         "",             0, 4000, "file with the witness, group and quorum lines of the published policy; empty: quorum none"},
    {"scrub_interval",            CONFIG_MS,    F(scrub_ms),               "60s",          0, 86400000, "every row of the database is compared with memory once in this time; 0: only at the start"},
    {"database_wait",             CONFIG_MS,    F(database_wait_ms),       "0",            0, 86400000, "longest to wait for PostgreSQL at the start; 0: for ever"},
    {"signer_timeout",            CONFIG_MS,    F(signer_ms),              "5s",           10, 600000, "longest to wait for a signature; then senders get 503, and it is asked again"},
    {"stop_timeout",              CONFIG_MS,    F(stop_ms),                "10s",          100, 600000, "longest to wait for requests under way when going down"},
    {"log_debug",                 CONFIG_BOOL,  F(log_debug),              "no",           0, 0,    "log debugging lines too"},
};
/* clang-format on */

const struct config_table settings_table = {
    .rows = rows, .rows_n = TLY_N(rows), .settings_size = sizeof(struct settings)};
