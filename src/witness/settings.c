/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <stddef.h>

#include "base/attr.h"

#define F(field) offsetof(struct settings, field)

/* clang-format off */
static const struct config_row rows[] = {
    /* name              type         field               default        min   max     what it does */
    {"name",             CONFIG_TEXT,  F(name),              "witness.example", 1, 200,  "the witness's name in its signature lines, by custom an address without scheme: board-1.example/witness"},
    {"key",              CONFIG_PATH,  F(key),               "witness.key",  1, 4000,  "file of the key that cosigns, made with tallyctl key new; nobody else may read it"},
    {"logs",             CONFIG_PATH,  F(logs),              "logs",         1, 4000,  "file with a line \"log VKEY [URL]\" for each log, and \"quorum none\" (tlog-policy); the URL, or a folder, is where the mirror reads"},
    {"state",            CONFIG_PATH,  F(state),             "state",        1, 4000,  "folder of what was cosigned, a file a log; it must exist, and losing it is losing what the witness knows"},
    {"address",          CONFIG_TEXT,  F(address),           "127.0.0.1",    1, 64,    "address to listen on"},
    {"port",             CONFIG_UINT,  F(port),              "8450",         0, 65535, "its TCP port; 0: any that is free"},
    {"prefix",           CONFIG_TEXT,  F(prefix),            "",             0, 200,   "path before /add-checkpoint, empty or like /board-1"},
    {"workers",          CONFIG_UINT,  F(workers),           "2",            1, 64,    "threads that answer"},
    {"connections_max",  CONFIG_UINT,  F(connections_max),   "256",          16, 100000, "connections at once"},
    {"per_ip_max",       CONFIG_UINT,  F(per_ip_max),        "16",           0, 100000, "connections at once from one address, so that one alone does not fill the port; 0: no limit, as it must be behind a proxy"},
    {"idle_timeout",     CONFIG_MS,    F(idle_ms),           "30s",          1000, 86400000, "longest a connection may stand without a request"},
    {"server_cert",      CONFIG_PATH,  F(server_cert),       "",             0, 4000,  "file of the server's certificate chain; empty: plain HTTP"},
    {"server_key",       CONFIG_PATH,  F(server_key),        "",             0, 4000,  "file of the server's TLS key; nobody else may read it"},
    {"clients",          CONFIG_TEXT,  F(clients),           "",             0, 4000,  "SHA-256 of the client certificates (DER) that may connect by TLS, with spaces between; empty: any certificate"},
    {"mirror",           CONFIG_PATH,  F(mirror),            "",             0, 4000,  "folder for a whole copy of each log, verified, a folder a log; empty: none"},
    {"mirror.interval",  CONFIG_MS,    F(mirror_ms),         "5s",           50, 86400000, "pause between two looks at a log for the mirror"},
    {"mirror.timeout",   CONFIG_MS,    F(mirror_timeout_ms), "30s",          100, 600000, "longest one file may take to come"},
    {"mirror.ca",        CONFIG_PATH,  F(mirror_ca),         "",             0, 4000,  "file of the CA that the logs' servers have their certificates from"},
    {"mirror.client",    CONFIG_PATH,  F(mirror_client),     "",             0, 4000,  "file of our certificate and key for those servers (role witness)"},
    {"stop_timeout",     CONFIG_MS,    F(stop_ms),           "10s",          100, 600000, "longest to wait for requests under way when going down"},
    {"log_debug",        CONFIG_BOOL,  F(log_debug),         "no",           0, 0,     "log debugging lines too"},
};
/* clang-format on */

const struct config_table settings_table = {
    .rows = rows, .rows_n = TLY_N(rows), .settings_size = sizeof(struct settings)};
