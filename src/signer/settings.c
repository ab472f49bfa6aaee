/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <stddef.h>

#include "base/attr.h"

#define F(field) offsetof(struct settings, field)

/* clang-format off */
static const struct config_row rows[] = {
    /* name            type         field          default                         min  max      what it does */
    {"socket",         CONFIG_PATH, F(socket),     "/run/tally-signer/socket",     1,   100,     "Unix socket to listen on, unless systemd passes one"},
    {"group",          CONFIG_TEXT, F(group),      "",                             0,   64,      "group that may open the socket (mode 0660); empty: only the user that runs this (mode 0600)"},
    {"client",         CONFIG_TEXT, F(client),     "tallyd",                       1,   64,      "the one user, by name or number, whose processes are answered"},
    {"key",            CONFIG_PATH, F(key),        "log.key",                      1,   4000,    "file of the key that signs tree heads; nobody else may read it"},
    {"state",          CONFIG_PATH, F(state),      "/var/lib/tally-signer/state",  1,   4000,    "file that remembers the last head that was signed; made by --init, never put back from an older copy"},
    {"origin",         CONFIG_TEXT, F(origin),     "",                             0,   200,     "name of the log, DOMAIN/ELECTION/PHASE; has to be set"},
    {"request_timeout", CONFIG_MS,  F(request_ms), "5s",                           10,  600000,  "longest a request may take from its first byte to its last"},
    {"log_debug",      CONFIG_BOOL, F(log_debug),  "no",                           0,   0,       "log every head that is signed"},
};
/* clang-format on */

const struct config_table settings_table = {
    .rows = rows, .rows_n = TLY_N(rows), .settings_size = sizeof(struct settings)};
