/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/registry_load.h"

#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

#include "fields.h"
#include "pack/keyfile.h"
#include "part.h"

#define SCRATCH_BYTES_MAX ((size_t)1 << 30)
#define KEY_THREADS_MAX   16
#define KEY_THREADS_FROM  1000 /* keys; fewer are not worth a thread */

enum { T_TERMINAL, T_BRANCH, T_KEY, T_CERT, T_FROM, T_TO, T_STATE };
enum { C_CLIENT, C_ROLE, C_AREA, C_CERT, C_FROM, C_TO, C_NAME };
enum { O_OFFICER, O_ROLE, O_AREA, O_KEY, O_NAME };

/* Things that may stand only once, by their text, with the place of the first. */
struct unique {
    struct codes codes;
    struct place {
        const char *file;
        uint32_t    line;
    } * places;
    uint32_t n;
};

enum unique_of { OF_TERMINALS, OF_CLIENTS, OF_OFFICERS, OF_KEYS, OF_CERTS, UNIQUES_N };

struct load {
    struct tly_arena      *arena;
    struct faults         *faults;
    const struct election *election;
    struct registry       *registry;
    struct part            parts[PARTS_MAX];
    struct unique         *uniques; /* by enum unique_of; NULL: registry_index() finds doubles */
    bool                   full;    /* the arena is */
};

static bool
unique_init(struct unique *unique, struct tly_arena *arena, uint32_t n)
{
    unique->n      = 0;
    unique->places = TLY_NEW(arena, struct place, (size_t)n + 1);
    return unique->places != NULL && codes_init(&unique->codes, arena, n);
}

/* A fault when the field's text stood before. */
static void
unique_add(const struct load *l, enum unique_of which, const struct csv *csv, unsigned field)
{
    if (l->uniques == NULL) {
        return;
    }
    struct unique *unique = &l->uniques[which];
    if (codes_add(&unique->codes, 0, csv_text(csv, field), unique->n)) {
        unique->places[unique->n++] = (struct place){csv->file, csv->lines[field]};
        return;
    }
    const struct place *first = &unique->places[codes_find(&unique->codes, 0, csv->fields[field])];
    csv_fault(csv, field, "\"%.80s\" stands in %s line %u already", csv_text(csv, field),
              first->file, first->line);
}

/* A copy that lives as long as the registry. */
static const char *
keep(struct load *l, const struct csv *csv, unsigned field)
{
    const char *text = tly_arena_text(l->arena, csv->fields[field]);
    l->full          = l->full || text == NULL;
    return text;
}

/* A code of its own in its file, copied. */
static const char *
own_code(struct load *l, enum unique_of which, const struct csv *csv, unsigned field)
{
    const char *code = fields_code(csv, field);
    if (code == NULL) {
        return "";
    }
    unique_add(l, which, csv, field);
    return keep(l, csv, field);
}

static void
own_key(struct load *l, const struct csv *csv, unsigned field, struct tly_key *key,
        struct tly_hash *keyid)
{
    if (!fields_hex32(csv, field, key->b)) {
        return;
    }
    /* In the first reading keys_sound() looks at all keys, on all cores. */
    if (l->uniques != NULL && !sign_key_ok(key)) {
        csv_fault(csv, field,
                  "\"%.80s\" is no sound Ed25519 key (of small order, or no point of the curve)",
                  csv_text(csv, field));
    }
    unique_add(l, OF_KEYS, csv, field);
    *keyid = keyfile_keyid(key);
}

static void
own_cert(struct load *l, const struct csv *csv, unsigned field, struct tly_hash *cert)
{
    if (fields_hex32(csv, field, cert->b)) {
        unique_add(l, OF_CERTS, csv, field);
    }
}

/* Two neighbouring fields: from, to. */
static void
dates(const struct csv *csv, unsigned field, uint64_t *from, uint64_t *to)
{
    const bool both = fields_number(csv, field, 0, ELECTION_TIME_MAX, from) &&
                      fields_number(csv, field + 1, 0, ELECTION_TIME_MAX, to);
    if (both && *from > *to) {
        csv_fault(csv, field + 1, "%s lies before not_before %s", csv_text(csv, field + 1),
                  csv_text(csv, field));
    }
}

static struct area_ix
area_of(const struct load *l, const struct csv *csv, unsigned field)
{
    const struct area_ix area = election_area(l->election, csv->fields[field]);
    if (area.v == IX_NONE) {
        csv_fault(csv, field, "\"%.80s\" is no area of the definition", csv_text(csv, field));
    }
    return area;
}

static void
terminal_read(struct load *l, const struct csv *csv, struct terminal *out)
{
    static const char *const states[] = {"active", "revoked"};
    struct terminal          t        = {.branch = {IX_NONE}};
    t.code                            = own_code(l, OF_TERMINALS, csv, T_TERMINAL);
    own_key(l, csv, T_KEY, &t.key, &t.keyid);
    own_cert(l, csv, T_CERT, &t.cert);
    dates(csv, T_FROM, &t.not_before, &t.not_after);
    if (!fields_empty(csv, T_BRANCH)) {
        t.branch = election_branch(l->election, csv->fields[T_BRANCH]);
        if (t.branch.v == IX_NONE) {
            csv_fault(csv, T_BRANCH, "\"%.80s\" is no branch of the definition",
                      csv_text(csv, T_BRANCH));
        }
    }
    if (tly_bytes_eq(csv->fields[T_STATE], tly_text(states[1]))) {
        t.state = TERMINAL_REVOKED;
    } else if (!tly_bytes_eq(csv->fields[T_STATE], tly_text(states[0]))) {
        csv_fault(csv, T_STATE, "\"%.40s\" is neither active nor revoked", csv_text(csv, T_STATE));
    }
    *out = t;
}

static void
client_read(struct load *l, const struct csv *csv, struct client *out)
{
    struct client c = {.role = ROLE_RELAY};
    c.code          = own_code(l, OF_CLIENTS, csv, C_CLIENT);
    c.name          = keep(l, csv, C_NAME);
    if (!role_find(csv->fields[C_ROLE], &c.role) || c.role == ROLE_TERMINAL) {
        csv_fault(csv, C_ROLE,
                  "\"%.40s\" is none of relay dashboard observer officer auditor operator witness",
                  csv_text(csv, C_ROLE));
    }
    c.area = area_of(l, csv, C_AREA);
    own_cert(l, csv, C_CERT, &c.cert);
    dates(csv, C_FROM, &c.not_before, &c.not_after);
    *out = c;
}

static void
officer_read(struct load *l, const struct csv *csv, struct officer *out)
{
    struct officer o = {.role = OFFICER_COMMISSION};
    o.code           = own_code(l, OF_OFFICERS, csv, O_OFFICER);
    o.name           = keep(l, csv, O_NAME);
    if (!officer_role_find(csv->fields[O_ROLE], &o.role)) {
        csv_fault(csv, O_ROLE, "\"%.40s\" is none of commission supervision operator",
                  csv_text(csv, O_ROLE));
    }
    o.area = area_of(l, csv, O_AREA);
    own_key(l, csv, O_KEY, &o.key, &o.keyid);
    *out = o;
}

static bool
open_csv(struct load *l, const char *name, const char *header, struct csv *csv)
{
    const struct part *part = part_find(l->parts, name);
    *csv                    = (struct csv){0};
    return part->data != NULL && csv_open(csv, name, part->data, part->len, header, l->faults);
}

/* Room for what may stand only once in so many rows. */
static bool
uniques_init(struct load *l, struct tly_arena *scratch, uint32_t terminals_n, uint32_t clients_n,
             uint32_t officers_n)
{
    struct unique *u = l->uniques;
    return u == NULL || (unique_init(&u[OF_TERMINALS], scratch, terminals_n) &&
                         unique_init(&u[OF_CLIENTS], scratch, clients_n) &&
                         unique_init(&u[OF_OFFICERS], scratch, officers_n) &&
                         unique_init(&u[OF_KEYS], scratch, terminals_n + officers_n) &&
                         unique_init(&u[OF_CERTS], scratch, terminals_n + clients_n));
}

/* Reads the three files into arrays of their own size. */
static enum tly_err
tables_read(struct load *l, struct tly_arena *scratch)
{
    struct csv       t, c, o;
    struct registry *r = l->registry;
    const bool       t_open =
        open_csv(l, "terminals.csv",
                 "terminal,branch,signing_key,certificate,not_before,not_after,state", &t);
    const bool c_open =
        open_csv(l, "clients.csv", "client,role,area,certificate,not_before,not_after,name", &c);
    const bool o_open = open_csv(l, "officers.csv", "officer,role,area,signing_key,name", &o);

    struct terminal *terminals = TLY_NEW(l->arena, struct terminal, (size_t)t.rows_max + 1);
    struct client   *clients   = TLY_NEW(l->arena, struct client, (size_t)c.rows_max + 1);
    struct officer  *officers  = TLY_NEW(l->arena, struct officer, (size_t)o.rows_max + 1);
    if (terminals == NULL || clients == NULL || officers == NULL ||
        !uniques_init(l, scratch, t.rows_max, c.rows_max, o.rows_max)) {
        return TLY_ENOMEM;
    }
    while (t_open && csv_next(&t)) {
        terminal_read(l, &t, &terminals[r->terminals_n++]);
    }
    while (c_open && csv_next(&c)) {
        client_read(l, &c, &clients[r->clients_n++]);
    }
    while (o_open && csv_next(&o)) {
        officer_read(l, &o, &officers[r->officers_n++]);
    }
    r->terminals = terminals;
    r->clients   = clients;
    r->officers  = officers;
    return l->full ? TLY_ENOMEM : TLY_OK;
}

/* A thread's share of the terminals. */
struct key_range {
    const struct terminal *list;
    uint32_t               n;
    bool                   sound;
};

static void *
range_check(void *arg)
{
    struct key_range *range = arg;
    range->sound            = true;
    for (uint32_t i = 0; i < range->n && range->sound; i++) {
        range->sound = sign_key_ok(&range->list[i].key);
    }
    return NULL;
}

/* Are all signing keys sound?  25 microseconds each, so the terminals' are shared out. */
static bool
keys_sound(const struct registry *r)
{
    struct key_range ranges[KEY_THREADS_MAX];
    pthread_t        threads[KEY_THREADS_MAX];
    bool             running[KEY_THREADS_MAX];
    const long       cores = sysconf(_SC_NPROCESSORS_ONLN);
    const uint32_t   n     = cores < 1 || r->terminals_n < KEY_THREADS_FROM ? 1
                             : cores > KEY_THREADS_MAX                      ? KEY_THREADS_MAX
                                                                            : (uint32_t)cores;
    const uint32_t   share = r->terminals_n / n + 1;
    bool             sound = true;
    for (uint32_t i = 0, at = 0; i < n; i++, at += share) {
        const uint32_t left = at < r->terminals_n ? r->terminals_n - at : 0;
        ranges[i]  = (struct key_range){r->terminals + at, left < share ? left : share, true};
        running[i] = i + 1 < n && pthread_create(&threads[i], NULL, range_check, &ranges[i]) == 0;
        if (!running[i]) { /* the last share, or no thread to be had: done here */
            (void)range_check(&ranges[i]);
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (running[i]) {
            (void)pthread_join(threads[i], NULL);
        }
        sound = sound && ranges[i].sound;
    }
    for (uint32_t i = 0; i < r->officers_n && sound; i++) {
        sound = sign_key_ok(&r->officers[i].key);
    }
    return sound;
}

/* One reading of the whole folder. */
static enum tly_err
folder_read(struct load *l, const struct pack_files *files, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = SCRATCH_BYTES_MAX};
    l->registry                              = TLY_NEW(l->arena, struct registry, 1);
    if (l->registry == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory to load it", files->where);
    }
    enum tly_err err = part_read_all(files, PACKAGE_REGISTRY, l->arena, &scratch, l->faults,
                                     l->parts, &l->registry->hash, diag);
    if (err != TLY_OK) {
        return err == TLY_ENOENT ? TLY_EIO : err;
    }
    err = tables_read(l, &scratch);
    if (err != TLY_OK) {
        return tly_fail(diag, err, "%s: no memory to load it", files->where);
    }
    return TLY_OK;
}

/* Reads once more for the faults: with tables of what may stand only once, so that each double is
 * named with both its places.  They would cost a sound registry a third of its memory. */
static enum tly_err
faults_read(struct load *l, const struct pack_files *files, uint64_t before, uint32_t kept,
            struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena again = {.bytes_max = SCRATCH_BYTES_MAX};
    struct unique                    uniques[UNIQUES_N];
    struct load                      second = *l;
    second.arena                            = &again;
    second.uniques                          = uniques;
    l->faults->n                            = before;
    l->faults->kept                         = kept;
    const enum tly_err err                  = folder_read(&second, files, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (l->faults->n == before) { /* somebody mends it while we look */
        return tly_fail(diag, TLY_EIO, "%s: changed while it was read; try again", files->where);
    }
    faults_sort(l->faults);
    return tly_fail(diag, TLY_EINPUT, "%s: %" PRIu64 " faults", files->where,
                    l->faults->n - before);
}

enum tly_err
registry_read(const struct pack_files *files, const struct election *election,
              struct tly_arena *arena, struct registry **out, struct faults *faults,
              struct tly_diag *diag)
{
    const uint64_t before   = faults->n;
    const uint32_t kept     = faults->kept;
    struct load    l        = {.arena = arena, .faults = faults, .election = election};
    enum tly_err   err      = folder_read(&l, files, diag);
    bool           doubtful = faults->n > before;
    if (err == TLY_OK && !doubtful) {
        err      = registry_index(l.registry, arena, diag);
        doubtful = err == TLY_ERANGE || (err == TLY_OK && !keys_sound(l.registry));
    }
    if (doubtful) {
        return faults_read(&l, files, before, kept, diag);
    }
    if (err == TLY_OK) {
        *out = l.registry;
    }
    return err;
}

enum tly_err
registry_load(const char *dir, const struct election *election, struct tly_arena *arena,
              struct registry **out, struct faults *faults, struct tly_diag *diag)
{
    const struct pack_files files = pack_files_of(dir);
    return registry_read(&files, election, arena, out, faults, diag);
}
