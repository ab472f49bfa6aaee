/* SPDX-License-Identifier: Apache-2.0 */
#include "online.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum tly_err
online_open(const struct cli *cli, struct remote **out, struct tly_diag *diag)
{
    struct remote_options options = {.url    = cli_value(cli, "url", NULL),
                                     .ca     = cli_value(cli, "ca", NULL),
                                     .client = cli_value(cli, "client", NULL)};
    remote_defaults(&options, "TALLY_URL", "https://localhost:8444");
    return remote_open(&options, out, diag);
}

void
online_segment(char *path, size_t size, const char *value)
{
    size_t len = strlen(path);
    for (; *value != '\0' && len + 4 < size; value++) {
        const unsigned char c = (unsigned char)*value;
        len += (size_t)snprintf(path + len, size - len,
                                isalnum(c) || strchr("._-", c) ? "%c" : "%%%02X", c);
    }
}

void
online_query(char *path, size_t size, const char *name, const char *value)
{
    const size_t len = strlen(path);
    (void)snprintf(path + len, size - len, "%c%s=", strchr(path, '?') == NULL ? '?' : '&', name);
    online_segment(path, size, value);
}

void
online_print(const json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    (void)putchar('\n');
}
