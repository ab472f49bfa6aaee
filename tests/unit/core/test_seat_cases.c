/* SPDX-License-Identifier: Apache-2.0 */
/* Real contests: the seat cases under TALLY_SHARED, every expected outcome an official one. */
#include <jansson.h>

#include "outcome_case.h"

#define PATH_LEN_MAX 4096
#define LINE_LEN_MAX 65536

static struct outcome_case c;
static const char         *ids[CASE_CANDIDATES_MAX];
static uint32_t            ids_n;

static uint32_t
id_find(const char *id)
{
    for (uint32_t i = 0; i < ids_n; i++) {
        if (strcmp(ids[i], id) == 0) {
            return i;
        }
    }
    return IX_NONE;
}

static bool
id_in(json_t *array, const char *id)
{
    size_t  i;
    json_t *v;
    json_array_foreach(array, i, v)
    {
        if (strcmp(json_string_value(v), id) == 0) {
            return true;
        }
    }
    return false;
}

/* Our tie must be the file's: same seats at stake, same claimants. */
static bool
same_tie(const struct tie *tie, json_t *ties)
{
    if (tie == NULL || ties == NULL) {
        return tie == NULL && ties == NULL;
    }
    json_t *among = json_object_get(ties, "among");
    bool same = tie->at_stake == (uint32_t)json_integer_value(json_object_get(ties, "at_stake")) &&
                tie->among_n == json_array_size(among);
    for (uint32_t i = 0; same && i < tie->among_n; i++) {
        same = id_in(among, ids[tie->among[i]]);
    }
    return same;
}

static void
lists_read(json_t *json, uint32_t seats)
{
    size_t  i;
    json_t *list;
    ids_n = 0;
    json_array_foreach(json_object_get(json, "lists"), i, list)
    {
        json_t *persons = json_object_get(list, "candidates");
        ids[ids_n++]    = json_string_value(json_object_get(list, "id"));
        (void)case_list(&c, (uint64_t)json_integer_value(json_object_get(list, "votes")),
                        persons != NULL ? (uint32_t)json_integer_value(persons) : seats);
    }
}

static bool
apportion(json_t *json)
{
    const uint32_t seats = (uint32_t)json_integer_value(json_object_get(json, "seats"));
    case_init(&c, json_string_value(json_object_get(json, "method")), seats, 0);
    c.params[0] = (uint32_t)(json_number_value(json_object_get(json, "threshold")) * 10000 + 0.5);
    if (json_object_get(json, "threshold_rule") != NULL) {
        case_param(&c, "threshold_rule=scaled_by_candidates");
    }
    if (json_object_get(json, "equal_quotients_rule") != NULL) {
        case_param(&c, "equal_quotients=more_votes");
    }
    lists_read(json, seats);
    const struct outcome *o        = case_run(&c);
    const struct tie     *tie      = case_tie(o, TIE_LIST);
    json_t               *expected = json_object_get(json, "expected");
    bool                  ok       = same_tie(tie, json_object_get(json, "ties"));
    uint32_t              lots     = 0; /* seats that the real lot gave */
    for (uint32_t l = 0; l < ids_n; l++) {
        const uint32_t want = (uint32_t)json_integer_value(json_object_get(expected, ids[l]));
        const bool     may =
            tie != NULL && id_in(json_object_get(json_object_get(json, "ties"), "among"), ids[l]);
        ok = ok && (o->list_seats[l] == want || (may && o->list_seats[l] + 1 == want));
        lots += want - o->list_seats[l];
    }
    return ok && lots == (tie != NULL ? tie->at_stake : 0);
}

static bool
elect(json_t *json)
{
    size_t  i;
    json_t *candidate;
    case_init(&c, "block", (uint32_t)json_integer_value(json_object_get(json, "seats")), 0);
    ids_n = 0;
    json_array_foreach(json_object_get(json, "candidates"), i, candidate)
    {
        ids[ids_n++] = json_string_value(json_object_get(candidate, "id"));
        case_person(&c, IX_NONE, (uint64_t)json_integer_value(json_object_get(candidate, "votes")));
    }
    const struct outcome *o       = case_run(&c);
    const struct tie     *tie     = case_tie(o, TIE_SEAT);
    json_t               *winners = json_object_get(json, "expected_winners");
    bool                  ok      = same_tie(tie, json_object_get(json, "ties")) &&
              o->vacancies == (uint32_t)json_integer_value(json_object_get(json, "unfilled")) &&
              o->winners_n + (tie != NULL ? tie->at_stake : 0) == json_array_size(winners);
    for (uint32_t w = 0; w < o->winners_n; w++) {
        ok = ok && id_in(winners, ids[o->winners[w]]);
    }
    for (size_t w = 0; ok && w < json_array_size(winners); w++) { /* the lot's choice is among */
        const uint32_t at = id_find(json_string_value(json_array_get(winners, w)));
        bool           in = false;
        for (uint32_t k = 0; k < o->winners_n; k++) {
            in = in || o->winners[k] == at;
        }
        for (uint32_t k = 0; tie != NULL && k < tie->among_n; k++) {
            in = in || tie->among[k] == at;
        }
        ok = in;
    }
    return ok;
}

static void
check_file(const char *shared, const char *name, bool (*check)(json_t *), unsigned least)
{
    char path[PATH_LEN_MAX];
    (void)snprintf(path, sizeof path, "%s/data/seat-cases/%s", shared, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        T_SKIP(name, "not there");
        return;
    }
    static char line[LINE_LEN_MAX];
    unsigned    n = 0, wrong = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        json_t *json = json_loads(line, 0, NULL);
        if (json == NULL || !check(json)) {
            wrong++;
            printf("# %s line %u differs\n", name, n + 1);
        }
        n++;
        case_done(&c);
        json_decref(json);
    }
    (void)fclose(file);
    T_EQ(wrong, 0, name);
    T_OK(n >= least, "all cases were read");
}

int
main(void)
{
    const char *shared = secure_getenv("TALLY_SHARED");
    shared             = shared != NULL ? shared : "../shared";
    check_file(shared, "apportionment.jsonl", apportion, 112);
    check_file(shared, "blockvote.jsonl", elect, 101);
    return T_DONE();
}
