/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <stddef.h>

#include "base/attr.h"

#define F(field) offsetof(struct settings, field)

/* clang-format off */
static const struct config_row rows[] = {
    /* name            type         field              default         min max       what it does */
    {"log",            CONFIG_TEXT, F(log),            "/var/lib/tallyd/log", 1, 500, "where the log is read: the folder that tallyd publishes to, or https://HOST:PORT/log"},
    {"policy",         CONFIG_PATH, F(policy),         "policy",       1, 4000,      "file with the log's vkey and each witness's name, vkey and URL (tlog-policy)"},
    {"cosignatures",   CONFIG_PATH, F(cosignatures),   "cosignatures", 1, 4000,      "folder for what the witnesses signed, a file a witness; tallyd reads it"},
    {"log.ca",         CONFIG_PATH, F(log_ca),         "",             0, 4000,      "file of the CA of the log's server, when it is read by https"},
    {"log.client",     CONFIG_PATH, F(log_client),     "",             0, 4000,      "file of our certificate and key for it (role witness)"},
    {"witness.ca",     CONFIG_PATH, F(witness_ca),     "",             0, 4000,      "file of the CAs of the witnesses' servers, when their URLs are https"},
    {"witness.client", CONFIG_PATH, F(witness_client), "",             0, 4000,      "file of our certificate and key for them"},
    {"interval",       CONFIG_MS,   F(interval_ms),    "5s",           50, 86400000, "pause between two looks at the log"},
    {"refresh",        CONFIG_MS,   F(refresh_ms),     "30s",          1000, 86400000, "age at which a cosignature of the newest head is asked for again, so that its time shows that the witness is there"},
    {"backoff",        CONFIG_MS,   F(backoff_ms),     "60s",          50, 86400000, "longest pause before a witness that failed is asked again"},
    {"timeout",        CONFIG_MS,   F(timeout_ms),     "10s",          100, 600000,  "longest one request may take"},
    {"log_debug",      CONFIG_BOOL, F(log_debug),      "no",           0, 0,         "log debugging lines too"},
};
/* clang-format on */

const struct config_table settings_table = {
    .rows = rows, .rows_n = TLY_N(rows), .settings_size = sizeof(struct settings)};
