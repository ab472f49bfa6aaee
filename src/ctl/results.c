/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl results: the contests of an election, or one contest with its candidates, as tables. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "online.h"
#include "results_areas.h"
#include "results_document.h"
#include "shown.h"
#include "table.h"

static const struct cli_option options[] = {
    {"contest", "CODE", "one contest, with lists, candidates, ties and steps", false},
    {"areas", NULL, "with --contest: the votes area by area, parents first", false},
    {"area", "CODE", "only contests of this area and those below it", false},
    {"status", "STATUS", "only waiting, partial, complete, tied, certified or annulled ones",
     false},
    {"at", "N", "as it stood when the ledger had N entries", false},
    {"json", NULL, "the objects of the API, one a line", false},
    {"document", "AREA", "a results document of the area, to be cosigned and posted", false},
    {"key", "FILE", "with --document: the first officer's signing key", false},
    {"o", "FILE", "where the document goes (default: standard output)", false},
    ONLINE_OPTIONS,
    {NULL},
};

/* Codes of an array with spaces between. */
static void
join(const json_t *codes, char *out, size_t size)
{
    size_t  i, len = 0;
    json_t *code;
    out[0] = '\0';
    json_array_foreach(codes, i, code)
    {
        const int n = snprintf(out + len, size - len, "%s%s", i == 0 ? "" : " ",
                               json_is_string(code) ? json_string_value(code) : "?");
        if (n < 0 || (size_t)n >= size - len) {
            (void)snprintf(out + size - 4, 4, "...");
            return;
        }
        len += (size_t)n;
    }
}

static void
query_at(const struct cli *cli, char *path, size_t size)
{
    const char *at = cli_value(cli, "at", NULL);
    if (at != NULL) {
        online_query(path, size, "at", at);
    }
}

struct listing {
    struct table table;
    bool         json;
};

static enum tly_err
list_contest(void *arg, json_t *contest, struct tly_diag *diag)
{
    (void)diag;
    struct listing *l = arg;
    if (l->json) {
        online_print(contest);
        return TLY_OK;
    }
    const json_t *progress = json_object_get(contest, "progress");
    const json_t *ballots  = json_object_get(contest, "ballots");
    char          counted[24], expected[24], cast[24], valid[24], seats[24], of[64], winners[64];
    (void)snprintf(of, sizeof of, "%s/%s", shown_number(progress, "counted", counted),
                   shown_number(progress, "expected", expected));
    join(json_object_get(contest, "winners"), winners, sizeof winners);
    const char *cells[] = {shown_text(contest, "contest"),
                           shown_text(contest, "method"),
                           shown_number(contest, "seats", seats),
                           shown_text(contest, "status"),
                           of,
                           shown_number(ballots, "cast", cast),
                           shown_number(ballots, "valid", valid),
                           winners,
                           shown_name(contest)};
    table_add(&l->table, cells, TLY_N(cells));
    return TLY_OK;
}

static enum tly_err
list_contests(const struct cli *cli, struct remote *remote, struct tly_arena *arena,
              struct tly_diag *diag)
{
    struct listing l         = {.json = cli_flag(cli, "json")};
    const char    *area      = cli_value(cli, "area", NULL);
    const char    *status    = cli_value(cli, "status", NULL);
    char           path[512] = "/v1/contests";
    if (area != NULL) {
        online_query(path, sizeof path, "area", area);
    }
    if (status != NULL) {
        online_query(path, sizeof path, "status", status);
    }
    query_at(cli, path, sizeof path);
    table_init(&l.table, arena, "contest|method|>seats|status|>counted|>cast|>valid|winners|name");
    const enum tly_err err = remote_each(remote, path, list_contest, &l, diag);
    if (err == TLY_OK && !l.json) {
        table_print(&l.table);
    }
    return err;
}

static void
print_head(const json_t *c)
{
    char          a[24], b[24], d[24], e[24];
    const json_t *p = json_object_get(c, "progress");
    const json_t *n = json_object_get(c, "ballots");
    (void)printf("%s  %s\n", shown_text(c, "contest"), shown_name(c));
    (void)printf("method %s, seats %s, alternates %s; status %s, %s; ledger position %s\n",
                 shown_text(c, "method"), shown_number(c, "seats", a),
                 shown_number(c, "alternates_n", b), shown_text(c, "status"),
                 json_is_true(json_object_get(c, "final")) ? "final" : "provisional",
                 shown_number(c, "position", d));
    (void)printf("branches: %s expected, %s reported, %s counted, %s held\n",
                 shown_number(p, "expected", a), shown_number(p, "reported", b),
                 shown_number(p, "counted", d), shown_number(p, "held", e));
    (void)printf("ballots: %s cast, %s valid, %s blank, %s invalid\n", shown_number(n, "cast", a),
                 shown_number(n, "valid", b), shown_number(n, "blank", d),
                 shown_number(n, "invalid", e));
}

static void
print_lists(const json_t *c, struct tly_arena *arena)
{
    struct table  table;
    size_t        i;
    json_t       *list;
    const json_t *lists = json_object_get(c, "lists");
    const json_t *pool  = json_object_get(c, "pool");
    char          ballots[24], votes[24], seats[24];
    if (json_array_size(lists) == 0) {
        return;
    }
    table_init(&table, arena, "list|>ballots|>votes|>seats|name");
    json_array_foreach(lists, i, list)
    {
        const char *cells[] = {shown_text(list, "list"), shown_number(list, "ballots", ballots),
                               shown_number(list, "votes", votes),
                               shown_number(list, "seats", seats), shown_name(list)};
        table_add(&table, cells, TLY_N(cells));
    }
    if (json_is_object(pool)) {
        const char *cells[] = {"(independents)", "-", shown_number(pool, "votes", votes),
                               shown_number(pool, "seats", seats), ""};
        table_add(&table, cells, TLY_N(cells));
    }
    (void)putchar('\n');
    table_print(&table);
}

/* Candidates of a contest, first rank first; the API gives them in the definition's order. */
static int
by_rank(const void *a, const void *b)
{
    const json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "rank"));
    const json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "rank"));
    return (x > y) - (x < y);
}

static void
print_candidates(const json_t *c, struct tly_arena *arena)
{
    const json_t *candidates = json_object_get(c, "candidates");
    const size_t  n          = json_array_size(candidates);
    json_t      **sorted     = TLY_NEW(arena, json_t *, n + 1);
    struct table  table;
    char          rank[24], votes[24];
    table_init(&table, arena, ">rank|candidate|list|>votes|elected|name");
    for (size_t i = 0; sorted != NULL && i < n; i++) {
        sorted[i] = json_array_get(candidates, i);
    }
    if (sorted != NULL) {
        /* Pointers are what is sorted.  NOLINTNEXTLINE(bugprone-sizeof-expression) */
        qsort(sorted, n, sizeof *sorted, by_rank);
    }
    for (size_t i = 0; sorted != NULL && i < n; i++) {
        const json_t *candidate = sorted[i];
        const char   *cells[]   = {
                shown_number(candidate, "rank", rank), shown_text(candidate, "candidate"),
                shown_text(candidate, "list"),         shown_number(candidate, "votes", votes),
                shown_text(candidate, "elected"),      shown_name(candidate)};
        table_add(&table, cells, TLY_N(cells));
    }
    (void)putchar('\n');
    table_print(&table);
}

static void
print_ties_and_steps(const json_t *c)
{
    size_t  i;
    json_t *item;
    char    at_stake[24], among[256];
    json_array_foreach(json_object_get(c, "ties"), i, item)
    {
        join(json_object_get(item, "among"), among, sizeof among);
        (void)printf("\nTIE (%s): %s at stake among %s; a signed decision settles it\n",
                     shown_text(item, "kind"), shown_number(item, "at_stake", at_stake), among);
    }
    json_array_foreach(json_object_get(c, "steps"), i, item)
    {
        (void)printf("%s%3zu. %s\n", i == 0 ? "\n" : "", i + 1,
                     shown_text(json_object_get(item, "text"), "en"));
    }
}

static enum tly_err
show_contest(const struct cli *cli, struct remote *remote, struct tly_arena *arena,
             struct tly_diag *diag)
{
    TLY_AUTO(json) json_t *contest   = NULL;
    char                   path[512] = "/v1/contests/";
    online_segment(path, sizeof path, cli_value(cli, "contest", ""));
    query_at(cli, path, sizeof path);
    const enum tly_err err = remote_json(remote, path, &contest, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (cli_flag(cli, "json")) {
        online_print(contest);
        return TLY_OK;
    }
    print_head(contest);
    print_lists(contest, arena);
    print_candidates(contest, arena);
    print_ties_and_steps(contest);
    return TLY_OK;
}

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena;
    TLY_AUTO(remote) struct remote  *remote = NULL;
    struct tly_diag                  diag   = {0};
    const bool                       one    = cli_value(cli, "contest", NULL) != NULL;
    tly_arena_init(&arena, ONLINE_ARENA_MAX);
    if (cli_flag(cli, "areas") && !one) {
        return cli_say(cli, CLI_UNUSABLE, "--areas: of which --contest?");
    }
    enum tly_err err = online_open(cli, &remote, &diag);
    if (err == TLY_OK) {
        err = cli_value(cli, "document", NULL) != NULL
                  ? results_document_make(cli, remote, &arena, &diag)
              : !one                   ? list_contests(cli, remote, &arena, &diag)
              : cli_flag(cli, "areas") ? results_areas(cli, remote, &arena, &diag)
                                       : show_contest(cli, remote, &arena, &diag);
    }
    return err == TLY_OK ? CLI_DONE : cli_fail(cli, err, &diag);
}

const struct cli_command ctl_results = {
    .name    = "results",
    .args    = "",
    .summary = "results as tables, as the daemon publishes them",
    .options = options,
    .run     = run,
};
