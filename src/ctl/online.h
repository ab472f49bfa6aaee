/* SPDX-License-Identifier: Apache-2.0 */
/* What every command that asks the daemon shares: its connection options and its memory. */
#pragma once

#include "remote.h"
#include "sys/cli.h"

/* Rows for the options table of such a command. */
#define ONLINE_OPTIONS                                                                             \
    {"url", "URL", "the api listener (default: $TALLY_URL, https://localhost:8444)", false},       \
        {"ca", "FILE", "the CA's certificate (default: $TALLY_CA, /etc/tallyd/ca.crt)", false},    \
    {                                                                                              \
        "client", "PEM", "certificate and key (default: $TALLY_CLIENT, /etc/tallyd/client.pem)",   \
            false                                                                                  \
    }

#define ONLINE_ARENA_MAX ((size_t)512 << 20)

/* Opens the connection that the command line asks for.  Errors: as remote_open(). */
TLY_MUST enum tly_err online_open(const struct cli *cli, struct remote **out,
                                  struct tly_diag *diag);
/* One object as a line of JSON on stdout: what --json prints. */
void online_print(const json_t *object);
/* Appends a value, percent-encoded, to a path: "/v1/contests/". */
void online_segment(char *path, size_t size, const char *value);
/* Appends "name=value" to a path with ? or &; the value is percent-encoded. */
void online_query(char *path, size_t size, const char *name, const char *value);
