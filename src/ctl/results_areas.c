/* SPDX-License-Identifier: Apache-2.0 */
#include "results_areas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "online.h"
#include "shown.h"
#include "table.h"

/* What the rows of the areas are collected in. */
struct areas {
    const struct cli *cli;
    struct tly_arena *arena;
    struct table      ballots, votes;
    json_t           *lists, *candidates; /* CODE: the contest's object of it, borrowed */
};

/* Who got votes in an area, as [CODE, N]; most votes first, equals as the definition has them. */
struct got {
    const char   *code;
    json_int_t    votes;
    unsigned      place;
    const char   *kind;
    const json_t *about; /* NULL: the contest has no such option */
};

static int
by_votes(const void *a, const void *b)
{
    const struct got *x = a, *y = b;
    return x->votes != y->votes ? (x->votes < y->votes) - (x->votes > y->votes)
                                : (x->place > y->place) - (x->place < y->place);
}

/* {CODE: object} of an array of objects that name themselves by `key`. */
static json_t *
index_of(const json_t *array, const char *key)
{
    json_t *out = json_object();
    size_t  i;
    json_t *item;
    json_array_foreach(array, i, item)
    {
        (void)json_object_set(out, shown_text(item, key), item);
    }
    return out;
}

static unsigned
got_add(struct got got[], unsigned n, const json_t *pairs, const char *kind, const json_t *about)
{
    size_t  i;
    json_t *pair;
    json_array_foreach(pairs, i, pair)
    {
        const char *code = json_string_value(json_array_get(pair, 0));
        got[n] = (struct got){code == NULL ? "" : code, json_integer_value(json_array_get(pair, 1)),
                              n, kind, code == NULL ? NULL : json_object_get(about, code)};
        n++;
    }
    return n;
}

/* Lists first, then persons: their votes are not the same thing and are never added up here. */
static void
votes_add(struct areas *a, const json_t *area)
{
    const json_t *lists   = json_object_get(area, "lists");
    const json_t *persons = json_object_get(area, "candidates");
    struct got   *got =
        TLY_NEW(a->arena, struct got, json_array_size(lists) + json_array_size(persons) + 1);
    if (got == NULL) {
        a->votes.failed = true;
        return;
    }
    const unsigned lists_n = got_add(got, 0, lists, "list", a->lists);
    const unsigned n       = got_add(got, lists_n, persons, "candidate", a->candidates);
    qsort(got, lists_n, sizeof *got, by_votes);
    qsort(got + lists_n, n - lists_n, sizeof *got, by_votes);
    for (unsigned i = 0; i < n; i++) {
        char votes[24];
        (void)snprintf(votes, sizeof votes, "%" JSON_INTEGER_FORMAT, got[i].votes);
        const char *cells[] = {shown_text(area, "area"), got[i].kind, got[i].code, votes,
                               shown_name(got[i].about)};
        table_add(&a->votes, cells, TLY_N(cells));
    }
}

static enum tly_err
area_add(void *arg, json_t *area, struct tly_diag *diag)
{
    (void)diag;
    struct areas *a = arg;
    if (cli_flag(a->cli, "json")) {
        online_print(area);
        return TLY_OK;
    }
    const json_t *progress = json_object_get(area, "progress");
    const json_t *ballots  = json_object_get(area, "ballots");
    char          counted[24], expected[24], of[64], cast[24], blank[24], invalid[24], excluded[24],
        valid[24], mixed[24];
    (void)snprintf(of, sizeof of, "%s/%s", shown_number(progress, "counted", counted),
                   shown_number(progress, "expected", expected));
    const char *cells[] = {shown_text(area, "area"),
                           shown_text(area, "level"),
                           of,
                           shown_number(ballots, "cast", cast),
                           shown_number(ballots, "valid", valid),
                           shown_number(area, "mixed", mixed),
                           shown_number(ballots, "blank", blank),
                           shown_number(ballots, "invalid", invalid),
                           shown_number(ballots, "excluded", excluded),
                           shown_name(area)};
    table_add(&a->ballots, cells, TLY_N(cells));
    votes_add(a, area);
    return TLY_OK;
}

enum tly_err
results_areas(const struct cli *cli, struct remote *remote, struct tly_arena *arena,
              struct tly_diag *diag)
{
    TLY_AUTO(json) json_t *contest   = NULL;
    char                   path[512] = "/v1/contests/";
    struct areas           a         = {.cli = cli, .arena = arena};
    online_segment(path, sizeof path, cli_value(cli, "contest", ""));
    enum tly_err err = remote_json(remote, path, &contest, diag);
    if (err != TLY_OK) {
        return err;
    }
    TLY_AUTO(json) json_t *lists = index_of(json_object_get(contest, "lists"), "list");
    TLY_AUTO(json)
    json_t *candidates = index_of(json_object_get(contest, "candidates"), "candidate");
    a.lists            = lists;
    a.candidates       = candidates;
    table_init(&a.ballots, arena,
               "area|level|>counted|>cast|>valid|>mixed|>blank|>invalid|>excluded|name");
    table_init(&a.votes, arena, "area|of|code|>votes|name");
    (void)snprintf(path + strlen(path), sizeof path - strlen(path), "/areas");
    if (cli_value(cli, "at", NULL) != NULL) {
        online_query(path, sizeof path, "at", cli_value(cli, "at", NULL));
    }
    err = remote_each(remote, path, area_add, &a, diag);
    if (err == TLY_OK && !cli_flag(cli, "json")) {
        (void)printf("%s  %s\n\n", shown_text(contest, "contest"), shown_name(contest));
        table_print(&a.ballots);
        (void)putchar('\n');
        table_print(&a.votes);
    }
    return err;
}
