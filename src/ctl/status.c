/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl status: how far the count is, in a few lines. */
#include <stdio.h>

#include "cmd.h"
#include "online.h"
#include "sys/clock.h"

static const struct cli_option options[] = {
    {"json", NULL, "the object of GET /v1/election", false},
    ONLINE_OPTIONS,
    {NULL},
};

static long long
number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *
text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value == NULL ? "?" : value;
}

static void
print(const json_t *e)
{
    const json_t *n = json_object_get(e, "counts");
    const json_t *p = json_object_get(e, "progress");
    (void)printf("election    %s (%s), state %s", text(e, "election"), text(e, "phase"),
                 text(e, "state"));
    if (json_is_integer(json_object_get(e, "until"))) {
        (void)printf(" until %lld", number(e, "until"));
    }
    (void)printf("\n");
    (void)printf("definition  %s\n", text(e, "definition"));
    (void)printf("size        %lld contests, %lld candidates, %lld branches, %lld terminals\n",
                 number(n, "contests"), number(n, "candidates"), number(n, "branches"),
                 number(n, "terminals"));
    (void)printf("progress    %lld of %lld branch-contests reported, %lld counted, %lld held, "
                 "%lld annulled\n",
                 number(p, "reported"), number(p, "expected"), number(p, "counted"),
                 number(p, "held"), number(p, "annulled"));
    (void)printf("ledger      %lld entries accepted, %lld published\n", number(e, "accepted"),
                 number(e, "published"));
    const json_t *w = json_object_get(e, "witnessed");
    if (json_is_object(w)) {
        (void)printf("witnessed   %lld entries, %lld s ago\n", number(w, "size"),
                     (long long)clock_unix_s() - number(w, "as_of"));
    } else {
        (void)printf("witnessed   no cosignature is known\n");
    }
}

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(remote) struct remote *remote   = NULL;
    TLY_AUTO(json) json_t          *election = NULL;
    struct tly_diag                 diag     = {0};
    enum tly_err                    err      = online_open(cli, &remote, &diag);
    if (err == TLY_OK) {
        err = remote_json(remote, "/v1/election", &election, &diag);
    }
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    if (cli_flag(cli, "json")) {
        online_print(election);
    } else {
        print(election);
    }
    return CLI_DONE;
}

const struct cli_command ctl_status = {
    .name    = "status",
    .args    = "",
    .summary = "how far the count is",
    .options = options,
    .run     = run,
};
