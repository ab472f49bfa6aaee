/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl branches: which branches are silent, held, flagged, counted. */
#include <stdio.h>

#include "base/text.h"
#include "cmd.h"
#include "online.h"
#include "table.h"

static const struct cli_option options[] = {
    {"status", "STATUS", "only silent, held, conflicting, flagged, annulled or counted ones",
     false},
    {"area", "CODE", "only branches of this area and those below it", false},
    {"at", "N", "as it stood when the ledger had N entries", false},
    {"json", NULL, "the objects of the API, one a line", false},
    ONLINE_OPTIONS,
    {NULL},
};

struct listing {
    struct table table;
    bool         json;
    size_t       n;
};

static const char *
string_of(const json_t *value)
{
    return json_is_string(value) ? json_string_value(value) : "?";
}

/* "CONTEST:CODE" for each check that held or flagged a contest of the branch; "(explained)" behind it
 * where officers did so. */
static void
checks_of(const json_t *branch, struct text *out)
{
    size_t  i, k;
    json_t *contest, *check;
    json_array_foreach(json_object_get(branch, "contests"), i, contest)
    {
        json_array_foreach(json_object_get(contest, "checks"), k, check)
        {
            char        one[160];
            struct text text;
            text_init(&text, one, sizeof one);
            text_add(&text, out->len == 0 ? "" : " ");
            text_add(&text, string_of(json_object_get(contest, "contest")));
            text_add(&text, ":");
            text_add(&text, string_of(check));
            text_add(&text,
                     json_is_true(json_object_get(contest, "explained")) ? "(explained)" : "");
            text_add(out, one); /* whole or not at all */
        }
    }
}

static enum tly_err
list_branch(void *arg, json_t *branch, struct tly_diag *diag)
{
    (void)diag;
    struct listing *l = arg;
    l->n++;
    if (l->json) {
        online_print(branch);
        return TLY_OK;
    }
    size_t        i;
    json_t       *status;
    struct text   states, found;
    char          statuses[128], checks[256];
    const json_t *name = json_object_get(branch, "name");
    text_init(&states, statuses, sizeof statuses);
    text_init(&found, checks, sizeof checks);
    json_array_foreach(json_object_get(branch, "status"), i, status)
    {
        text_add(&states, states.len == 0 ? "" : " ");
        text_add(&states, string_of(status));
    }
    checks_of(branch, &found);
    const char *cells[] = {json_string_value(json_object_get(branch, "branch")),
                           json_string_value(json_object_get(branch, "area")), statuses, checks,
                           json_string_value(json_object_get(name, "en"))};
    table_add(&l->table, cells, TLY_N(cells));
    return TLY_OK;
}

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena;
    TLY_AUTO(remote) struct remote  *remote    = NULL;
    struct tly_diag                  diag      = {0};
    struct listing                   l         = {.json = cli_flag(cli, "json")};
    char                             path[512] = "/v1/branches";
    tly_arena_init(&arena, ONLINE_ARENA_MAX);
    if (cli_value(cli, "status", NULL) != NULL) {
        online_query(path, sizeof path, "status", cli_value(cli, "status", NULL));
    }
    if (cli_value(cli, "area", NULL) != NULL) {
        online_query(path, sizeof path, "area", cli_value(cli, "area", NULL));
    }
    if (cli_value(cli, "at", NULL) != NULL) {
        online_query(path, sizeof path, "at", cli_value(cli, "at", NULL));
    }
    table_init(&l.table, &arena, "branch|area|status|checks|name");
    enum tly_err err = online_open(cli, &remote, &diag);
    if (err == TLY_OK) {
        err = remote_each(remote, path, list_branch, &l, &diag);
    }
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    if (!l.json) {
        table_print(&l.table);
        (void)printf("%zu branch%s\n", l.n, l.n == 1 ? "" : "es");
    }
    return CLI_DONE;
}

const struct cli_command ctl_branches = {
    .name    = "branches",
    .args    = "",
    .summary = "branches by status and area, with the checks that held or flagged them",
    .options = options,
    .run     = run,
};
