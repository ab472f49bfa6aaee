/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl seats: contests in, seats or winners out, a line each. */
#include "seats.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "pack/json.h"
#include "sys/file.h"

#define WHERE_MAX 96

struct session {
    const struct cli *cli;
    bool              table, persian;
    uint64_t          line_n;
    uint64_t          contests, refused;
};

static void
tly_auto_text(char **text)
{
    free(*text);
}

/* The key of an object whose number was too large to be a whole one: read again as fractions, it is
 * 2^63 or more.  NULL: none. */
static const char *
large_key(const json_t *object)
{
    static const char *const keys[] = {"seats", "alternates", "valid_ballots", "votes",
                                       "candidates"};
    for (unsigned i = 0; i < TLY_N(keys); i++) {
        if (json_real_value(json_object_get(object, keys[i])) >= 0x1p63) {
            return keys[i];
        }
    }
    return NULL;
}

/* Where in a line that is; false: nowhere. */
static bool
large_field(const json_t *root, char out[WHERE_MAX])
{
    static const char *const arrays[] = {"lists", "candidates"};
    const char              *key      = large_key(root);
    const char              *in_pool  = large_key(json_object_get(root, "pool"));
    if (key != NULL || in_pool != NULL) {
        (void)snprintf(out, WHERE_MAX, "%s%s", key != NULL ? "" : "pool.",
                       key != NULL ? key : in_pool);
        return true;
    }
    for (unsigned k = 0; k < TLY_N(arrays); k++) {
        size_t  i;
        json_t *object;
        json_array_foreach(json_object_get(root, arrays[k]), i, object)
        {
            key = large_key(object);
            if (key != NULL) {
                (void)snprintf(out, WHERE_MAX, "%s[%zu].%s", arrays[k], i, key);
                return true;
            }
        }
    }
    return false;
}

/* *out: the line; of one with a number too large what can be read of it, else NULL. */
static enum tly_err
parse(const char *line, size_t len, json_t **out, struct tly_diag *diag)
{
    json_error_t error;
    char         where[WHERE_MAX];
    if (len > SEATS_LINE_BYTES_MAX) {
        return tly_fail(diag, TLY_ETOOBIG, "the line is longer than %zu bytes",
                        SEATS_LINE_BYTES_MAX);
    }
    *out = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
    if (*out != NULL) {
        return TLY_OK;
    }
    if (json_error_code(&error) == json_error_numeric_overflow) {
        TLY_AUTO(json)
        json_t *again =
            json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
        if (large_field(again, where)) {
            *out = TLY_TAKE(again); /* who it was */
            return tly_fail_at(diag, TLY_ERANGE, "", where, "%s is larger than %" PRIi64, where,
                               INT64_MAX);
        }
    }
    return tly_fail(diag, TLY_EINPUT, "not JSON: %.200s (byte %d)", error.text, error.position);
}

static void
print_json(json_t *line)
{
    TLY_AUTO(json) json_t *held = line;
    (void)json_dumpf(held, stdout, JSON_COMPACT);
    (void)putchar('\n');
}

/* A line for a line, so that whoever scripts this can put them side by side. */
static void
refuse(struct session *s, const json_t *root, const struct tly_diag *diag)
{
    s->refused++;
    if (s->table) {
        (void)fprintf(stderr, "line %" PRIu64 ": %s\n", s->line_n, diag->text);
        return;
    }
    json_t *line = json_object();
    json_t *id   = json_object_get(root, "id");
    (void)json_object_set(line, "id", id == NULL ? json_null() : id);
    (void)json_object_set_new(line, "line", json_integer((json_int_t)s->line_n));
    if (diag->field[0] != '\0') {
        (void)json_object_set_new(line, "field", json_string(diag->field));
    }
    (void)json_object_set_new(line, "error", json_string(diag->text));
    print_json(line);
}

static enum tly_err
answer(struct session *s, json_t *root, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = SEATS_ARENA_MAX};
    struct seats_contest             contest;
    struct seats_result              result;
    enum tly_err                     err = seats_read(root, &arena, &contest, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (contest.unread != NULL) {
        (void)fprintf(stderr, "line %" PRIu64 ": %s does not know \"%.60s\": not used\n", s->line_n,
                      contest.method->name, contest.unread);
    }
    err = seats_count(&contest, &arena, &result);
    if (err != TLY_OK) {
        return err;
    }
    if (s->table) {
        seats_page(&contest, &result, s->persian, &arena);
    } else {
        print_json(seats_json(&contest, &result));
    }
    return TLY_OK;
}

static void
one_line(struct session *s, const char *line, size_t len)
{
    TLY_AUTO(json) json_t *root = NULL;
    struct tly_diag        diag = {0};
    s->line_n++;
    if (strspn(line, " \t\r\n") == len) {
        return;
    }
    s->contests++;
    enum tly_err err = parse(line, len, &root, &diag);
    if (err == TLY_OK) {
        err = answer(s, root, &diag);
    }
    if (err == TLY_ENOMEM) {
        (void)tly_fail(&diag, err, "no memory for this contest");
    }
    if (err != TLY_OK) {
        refuse(s, root, &diag);
    }
}

static enum cli_exit
run(const struct cli *cli)
{
    const char          *path    = cli_arg(cli, 0);
    const bool           from_in = path == NULL || strcmp(path, "-") == 0;
    TLY_AUTO(file) FILE *file    = from_in ? stdin : fopen(path, "re");
    TLY_AUTO(text) char *line    = NULL;
    size_t               size    = 0;
    struct session       s       = {
                    .cli = cli, .table = cli_flag(cli, "table"), .persian = cli_flag(cli, "fa")};
    if (file == NULL) {
        return cli_say(cli, CLI_UNUSABLE, "%s: %s", path, strerrordesc_np(errno));
    }
    (void)setvbuf(stdout, NULL, _IOLBF,
                  BUFSIZ); /* who asks line by line is answered line by line */
    for (ssize_t len; (len = getline(&line, &size, file)) >= 0;) {
        one_line(&s, line, (size_t)len);
    }
    if (ferror(file)) {
        return cli_say(cli, CLI_UNUSABLE, "%s: %s", path, strerrordesc_np(errno));
    }
    if (s.contests == 0) {
        return cli_say(cli, CLI_UNUSABLE, "%s holds no contest", from_in ? "the input" : path);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return cli_say(cli, CLI_UNUSABLE, "cannot write: %s", strerrordesc_np(errno));
    }
    return s.refused == 0 ? CLI_DONE : CLI_REFUSED;
}

static const struct cli_option options[] = {
    {"table", NULL, "tables and the steps as sentences, for people", false},
    {"fa", NULL, "with --table: in Persian", false},
    {NULL, NULL, NULL, false},
};

const struct cli_command ctl_seats = {
    .name    = "seats",
    .args    = "[FILE]",
    .summary = "seat calculator: contests in, seats and winners out, a JSON line each",
    .more =
        "Reads FILE or the input, one contest a line:\n"
        "\n"
        "  {\"id\":\"a\",\"method\":\"dhondt\",\"seats\":15,\"threshold\":0.05,\n"
        "   \"lists\":[{\"id\":\"1\",\"votes\":77925,\"candidates\":15},...]}\n"
        "  "
        "{\"id\":\"b\",\"seats\":5,\"alternates\":3,\"candidates\":[{\"id\":\"x\",\"votes\":910},.."
        ".]}\n"
        "  "
        "{\"id\":\"c\",\"method\":\"list_ir\",\"seats\":21,\"parameters\":{\"first_round\":"
        "\"floor\"},\n"
        "   \"lists\":[...],\"pool\":{\"votes\":1800,\"candidates\":30},\"valid_ballots\":1000}\n"
        "\n"
        "Methods: block (nothing said, and candidates at the top), list_ir, hare_lr, droop_lr,\n"
        "dhondt, sainte_lague, modified_sainte_lague.  A threshold is a share with at most four\n"
        "places; \"threshold_rule\":\"scaled_by_candidates\" lowers it for short lists; any\n"
        "\"equal_quotients_rule\" gives equal quotients to more votes first.  Without\n"
        "\"candidates\" a list is long enough.  Where equals claim the last seats they are named\n"
        "in \"ties\", and only the certain seats are given: nothing is ever drawn.\n"
        "\n"
        "A contest that cannot be read gets a line with \"error\" and \"field\"; the others are\n"
        "answered, and the exit code is 1.",
    .args_max = 1,
    .options  = options,
    .run      = run,
};
