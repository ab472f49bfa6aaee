/* SPDX-License-Identifier: Apache-2.0 */
#include "results_document.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/envelope.h"
#include "core/note.h"
#include "decision_file.h"
#include "online.h"
#include "pack/keyfile.h"
#include "sys/version.h"

#define SALT_BYTES 16
#define PATH_SIZE  512

/* What is asked for, and the head that it is asked at. */
struct making {
    const struct cli *cli;
    struct remote    *remote;
    const char       *area;
    struct note_head  head;
    char              origin[NOTE_LEN_MAX];
    json_t           *contests;
};

static void
path_at(const struct making *m, char *path)
{
    char at[24];
    (void)snprintf(at, sizeof at, "%" PRIu64, m->head.size);
    online_query(path, PATH_SIZE, "at", at);
}

/* The published head: numbers are asked as of it, and its root stands in the document. */
static enum tly_err
head_get(struct making *m, struct tly_arena *arena, struct tly_diag *diag)
{
    struct tly_bytes text, origin;
    struct note      note;
    uint64_t         at  = 0;
    enum tly_err     err = remote_get(m->remote, "/log/checkpoint", arena, &text, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (!note_split(text, &note) || !note_body_parse(note.body, &origin, &m->head)) {
        return tly_fail(diag, TLY_EINPUT, "/log/checkpoint is no checkpoint");
    }
    (void)snprintf(m->origin, sizeof m->origin, "%.*s", (int)origin.len, (const char *)origin.data);
    if (!cli_number(m->cli, "at", m->head.size, 1, UINT32_MAX, &at)) {
        return tly_fail(diag, TLY_EINPUT, "--at is no position");
    }
    return at == m->head.size ? TLY_OK
                              : tly_fail(diag, TLY_EINPUT,
                                         "a document is of a published head; that is of %" PRIu64
                                         " entries now, not of %" PRIu64,
                                         m->head.size, at);
}

/* ---- contests ---- */

static json_t *
seats_of(const json_t *contest)
{
    json_t       *seats = json_array();
    const json_t *pool  = json_object_get(contest, "pool");
    size_t        i;
    json_t       *list;
    json_array_foreach(json_object_get(contest, "lists"), i, list)
    {
        if (json_is_integer(json_object_get(list, "seats"))) {
            json_array_append_new(seats, json_pack("[O,O]", json_object_get(list, "list"),
                                                   json_object_get(list, "seats")));
        }
    }
    if (json_is_object(pool)) {
        json_array_append_new(seats, json_pack("[s,O]", "pool", json_object_get(pool, "seats")));
    }
    return seats;
}

static enum tly_err
contest_add(void *arg, json_t *item, struct tly_diag *diag)
{
    struct making         *m               = arg;
    TLY_AUTO(json) json_t *c               = NULL;
    char                   path[PATH_SIZE] = "/v1/contests/";
    online_segment(path, sizeof path, json_string_value(json_object_get(item, "contest")));
    path_at(m, path);
    const enum tly_err err = remote_json(m->remote, path, &c, diag);
    if (err != TLY_OK) {
        return err;
    }
    const json_t *ballots = json_object_get(c, "ballots");
    json_t       *cast    = json_is_object(ballots) ? json_object_get(ballots, "cast") : NULL;
    json_t       *one     = json_pack(
                  "{s:O,s:O,s:o,s:O,s:O,s:o,s:O}", "contest", json_object_get(c, "contest"), "status",
                  json_object_get(c, "status"), "ballots", cast == NULL ? json_null() : json_incref(cast),
                  "winners", json_object_get(c, "winners"), "alternates", json_object_get(c, "alternates"),
                  "seats", seats_of(c), "result", json_object_get(c, "result"));
    return json_array_append_new(m->contests, one) == 0
               ? TLY_OK
               : tly_fail(diag, TLY_EINPUT, "a contest of the daemon lacks a member");
}

static enum tly_err
contests_get(struct making *m, struct tly_diag *diag)
{
    char path[PATH_SIZE] = "/v1/contests";
    online_query(path, sizeof path, "area", m->area);
    path_at(m, path);
    m->contests = json_array();
    return remote_each(m->remote, path, contest_add, m, diag);
}

/* ---- the rest ---- */

static enum tly_err
units_get(const struct making *m, json_t **out, struct tly_diag *diag)
{
    TLY_AUTO(json) json_t *area            = NULL;
    char                   path[PATH_SIZE] = "/v1/areas/";
    online_segment(path, sizeof path, m->area);
    path_at(m, path);
    const enum tly_err err = remote_json(m->remote, path, &area, diag);
    if (err != TLY_OK) {
        return err;
    }
    const json_t    *p        = json_object_get(area, "progress");
    const json_int_t expected = json_integer_value(json_object_get(p, "expected"));
    *out                      = json_pack("{s:I,s:O,s:O,s:O,s:I}", "expected", expected, "counted",
                                          json_object_get(p, "counted"), "held", json_object_get(p, "held"), "annulled",
                                          json_object_get(p, "annulled"), "missing",
                                          expected - json_integer_value(json_object_get(p, "reported")));
    return *out != NULL ? TLY_OK : tly_fail(diag, TLY_EINPUT, "the area has no progress");
}

/* On which document of the area the next one follows. */
static enum tly_err
newest_get(const struct making *m, json_int_t *serial, json_t **prev, struct tly_diag *diag)
{
    TLY_AUTO(json) json_t *newest          = NULL;
    char                   path[PATH_SIZE] = "/v1/results/";
    online_segment(path, sizeof path, m->area);
    const enum tly_err err = remote_json(m->remote, path, &newest, diag);
    if (err == TLY_ENOENT) {
        *serial = 1;
        *prev   = json_null();
        return TLY_OK;
    }
    if (err == TLY_OK) {
        *serial = json_integer_value(json_object_get(newest, "serial")) + 1;
        *prev   = json_incref(json_object_get(newest, "payload"));
    }
    return err;
}

/* Steals units and prev. */
static char *
document_text(struct making *m, const json_t *about, json_t *units, json_int_t serial, json_t *prev)
{
    unsigned char salt[SALT_BYTES];
    char          hex[2 * SALT_BYTES + 1];
    char          root[TLY_BASE64_LEN(sizeof m->head.root.b) + 1] = {0};
    randombytes_buf(salt, sizeof salt);
    sodium_bin2hex(hex, sizeof hex, salt, sizeof salt);
    tly_base64_encode((struct tly_bytes){m->head.root.b, sizeof m->head.root.b}, TLY_BASE64_STD,
                      root);
    TLY_AUTO(json)
    json_t *o =
        json_pack("{s:O,s:O,s:s,s:{s:s,s:I,s:s},s:o,s:O,s:s,s:I,s:o,s:s}", "election",
                  json_object_get(about, "election"), "phase", json_object_get(about, "phase"),
                  "scope", m->area, "log", "origin", m->origin, "size", (json_int_t)m->head.size,
                  "root", root, "units", units, "contests", m->contests, "software", version_text(),
                  "serial", serial, "prev", prev, "salt", hex);
    return o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
}

static enum tly_err
document_get(struct making *m, char **text, struct tly_diag *diag)
{
    TLY_AUTO(json) json_t *about  = NULL;
    json_t                *units  = NULL;
    json_t                *prev   = NULL;
    json_int_t             serial = 0;
    enum tly_err           err    = remote_json(m->remote, "/v1/election", &about, diag);
    if (err == TLY_OK) {
        err = contests_get(m, diag);
    }
    if (err == TLY_OK) {
        err = newest_get(m, &serial, &prev, diag);
    }
    if (err == TLY_OK) {
        err = units_get(m, &units, diag);
    }
    if (err != TLY_OK) {
        json_decref(prev);
        return err;
    }
    *text = document_text(m, about, units, serial, prev);
    return *text == NULL ? TLY_ENOMEM : TLY_OK;
}

static enum tly_err
document_sign(const struct making *m, const char *text, struct tly_arena *arena,
              struct tly_diag *diag)
{
    TLY_AUTO(secret) struct sign_secret secret = {0};
    struct tly_bytes                    envelope;
    enum tly_err err = keyfile_read_secret(cli_value(m->cli, "key", ""), &secret, diag);
    if (err != TLY_OK) {
        return err;
    }
    const struct tly_key  key   = sign_public(&secret);
    const struct tly_hash keyid = keyfile_keyid(&key);
    err =
        envelope_write(ENVELOPE_TYPE_RESULTS, tly_text(text), &secret, &keyid, 1, arena, &envelope);
    return err == TLY_OK ? decision_file_new(cli_value(m->cli, "o", NULL), envelope, arena, diag)
                         : err;
}

enum tly_err
results_document_make(const struct cli *cli, struct remote *remote, struct tly_arena *arena,
                      struct tly_diag *diag)
{
    struct making m    = {.cli = cli, .remote = remote, .area = cli_value(cli, "document", "")};
    char         *text = NULL;
    if (cli_value(cli, "key", NULL) == NULL) {
        return tly_fail(diag, TLY_EINPUT, "--document: --key FILE of the first officer is missing");
    }
    enum tly_err err = head_get(&m, arena, diag);
    if (err == TLY_OK) {
        err = document_get(&m, &text, diag);
    }
    if (err == TLY_OK) {
        (void)fprintf(stderr, "%s\n", text);
        err = document_sign(&m, text, arena, diag);
    }
    json_decref(m.contests);
    free(text);
    return err;
}
