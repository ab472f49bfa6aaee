/* SPDX-License-Identifier: Apache-2.0 */
/* tallysim record: signs DIR/counts.csv into a recording, as the branches' terminals would. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "core/envelope.h"
#include "dice.h"
#include "pack/keyfile.h"
#include "record_int.h"
#include "sys/progress.h"
#include "sys/sha256.h"

#define REVISION_MAX       50
#define SPREAD_MAX         86400
#define ENVELOPE_ARENA_MAX ((size_t)16 << 20)

static const struct cli_option options[] = {
    {"o", "FILE", "where the recording goes (required)", false},
    {"seed", "S", "the same seed gives the same bytes (default: 1)", false},
    {"spread", "SECONDS", "at_ms of the bundles lie so far apart (default: 600)", false},
    {"revision", "N",
     "corrections: revision N with prev, the officers' signatures and the seed of the one before "
     "(default: 1)",
     false},
    {"after", "FILE",
     "with --revision: the recording of revision N-1 that was sent, when counts.csv has changed "
     "since (default: it is made again from the counts)",
     false},
    {NULL},
};

/* When which branch sends. */
struct moment {
    uint64_t         at_ms;
    struct branch_ix branch;
};

static int
by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    return x->at_ms != y->at_ms ? (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms)
                                : (x->branch.v > y->branch.v) - (x->branch.v < y->branch.v);
}

/* Branches in the order of their moments; most close in the first third of the spread. */
static struct moment *
moments(struct record *r, uint64_t spread_ms)
{
    struct moment *list = TLY_NEW(&r->arena, struct moment, r->election->branches_n);
    struct dice    dice = {r->seed};
    for (uint32_t b = 0; list != NULL && b < r->election->branches_n; b++) {
        const uint64_t x = dice_upto(&dice, 1000), y = dice_upto(&dice, 1000);
        list[b] = (struct moment){spread_ms * x * y / 1000000, {b}};
    }
    if (list != NULL) {
        qsort(list, r->election->branches_n, sizeof *list, by_time);
    }
    return list;
}

/* The officers whose signatures a correction carries: as many of each role as policy `revise`
 * wants, of those whose area holds the branch.  Returns how many; UINT_MAX: too few have keys here.
 */
static unsigned
cosigners(const struct record *r, struct branch_ix branch, struct sign_secret secrets[],
          struct tly_hash keyids[], unsigned n)
{
    const struct quorum *quorum = &r->election->policy.kinds[POLICY_REVISE];
    const struct area_ix area   = r->election->branches[branch.v].area;
    for (unsigned role = 0; role < OFFICER_ROLES_N; role++) {
        uint32_t wanted = quorum->n[role];
        for (uint32_t i = 0; i < r->registry->officers_n && wanted > 0; i++) {
            const struct officer *o          = &r->registry->officers[i];
            const struct tly_key  public_key = sign_public(&r->officer_secrets[i]);
            if ((unsigned)o->role == role && election_within(r->election, area, o->area) &&
                memcmp(&public_key, &o->key, sizeof o->key) == 0 && n < ENVELOPE_SIGNATURES_MAX) {
                secrets[n]  = r->officer_secrets[i];
                keyids[n++] = o->keyid;
                wanted--;
            }
        }
        if (wanted > 0) {
            return UINT32_MAX;
        }
    }
    return n;
}

/* The payload of `revision`; prev is that of the recording sent before, or the ones before are made for
 * their hashes. */
static bool
payload_of(const struct record *r, struct branch_ix branch, const struct terminal *terminal,
           uint32_t revision, struct tly_bytes *out)
{
    struct tly_hash prev = {0};
    if (r->after != NULL) {
        return r->after[branch.v].known &&
               record_payload(r, branch, terminal, revision, &r->after[branch.v].hash, out);
    }
    for (uint32_t i = 1; i <= revision; i++) {
        if (!record_payload(r, branch, terminal, i, i == 1 ? NULL : &prev, out)) {
            return false;
        }
        prev = i < revision ? sys_sha256(*out) : prev;
    }
    return true;
}

static enum tly_err
record_branch(const struct record *r, const struct moment *m, uint32_t revision, FILE *out,
              struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct sign_secret               secrets[ENVELOPE_SIGNATURES_MAX];
    struct tly_hash                  keyids[ENVELOPE_SIGNATURES_MAX];
    struct tly_bytes                 payload = {0}, envelope;
    unsigned                         n       = 1;
    const struct terminal_ix         t       = r->branch_terminals[m->branch.v];
    const char                      *code    = r->election->branches[m->branch.v].code;
    tly_arena_init(&arena, ENVELOPE_ARENA_MAX);
    if (t.v == IX_NONE) {
        return tly_fail(diag, TLY_EINPUT, "branch %s has no active terminal in the registry", code);
    }
    const struct terminal *terminal = &r->registry->terminals[t.v];
    if (!payload_of(r, m->branch, terminal, revision, &payload)) {
        return tly_fail(diag, TLY_EINPUT,
                        "branch %s: no rows in counts.csv, over 1 MiB of them, or no bundle in the "
                        "recording of --after",
                        code);
    }
    secrets[0] = r->secrets[t.v];
    keyids[0]  = terminal->keyid;
    if (revision > 1) {
        n = cosigners(r, m->branch, secrets, keyids, 1);
        if (n > ENVELOPE_SIGNATURES_MAX) {
            return tly_fail(diag, TLY_EINPUT,
                            "branch %s: keys/officers holds too few keys for policy \"revise\"",
                            code);
        }
    }
    const enum tly_err err =
        envelope_write(ENVELOPE_TYPE_BUNDLE, payload, secrets, keyids, n, &arena, &envelope);
    if (err == TLY_OK) {
        (void)fprintf(out, "{\"at_ms\":%" PRIu64 ",\"terminal\":\"%s\",\"envelope\":%.*s}\n",
                      m->at_ms, terminal->code, (int)envelope.len, (const char *)envelope.data);
    }
    for (unsigned i = 0; i < n && i < ENVELOPE_SIGNATURES_MAX; i++) {
        sign_wipe(&secrets[i]);
    }
    return err;
}

static enum tly_err
record_all(struct record *r, uint64_t spread_ms, uint32_t revision, FILE *out,
           struct tly_diag *diag)
{
    struct progress_line progress;
    const struct moment *list = moments(r, spread_ms);
    enum tly_err         err  = list == NULL ? tly_fail(diag, TLY_ENOMEM, "no memory") : TLY_OK;
    progress_begin(&progress, "signed", r->election->branches_n);
    for (uint32_t i = 0; i < r->election->branches_n && err == TLY_OK; i++) {
        err = record_branch(r, &list[i], revision, out, diag);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress, r->election->branches_n);
    return err;
}

static enum tly_err
record_to(const char *path, struct record *r, uint64_t spread_ms, uint32_t revision,
          struct tly_diag *diag)
{
    FILE *out = fopen(path, "we");
    if (out == NULL) {
        return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
    }
    enum tly_err err  = record_all(r, spread_ms, revision, out, diag);
    const bool   good = ferror(out) == 0;
    if (fclose(out) != 0 || !good) {
        err = tly_fail(diag, TLY_EIO, "%s: cannot be written: %s", path, strerrordesc_np(errno));
    }
    return err;
}

static enum cli_exit
run(const struct cli *cli)
{
    struct record   r    = {0};
    struct tly_diag diag = {0};
    uint64_t        spread, revision;
    const char     *path = cli_value(cli, "o", NULL);
    if (path == NULL) {
        return cli_say(cli, CLI_UNUSABLE, "-o FILE is required");
    }
    if (!cli_number(cli, "seed", 1, 0, UINT32_MAX, &r.seed) ||
        !cli_number(cli, "spread", 600, 0, SPREAD_MAX, &spread) ||
        !cli_number(cli, "revision", 1, 1, REVISION_MAX, &revision)) {
        return CLI_UNUSABLE;
    }
    const char *after = cli_value(cli, "after", NULL);
    if (after != NULL && revision == 1) {
        return cli_say(cli, CLI_UNUSABLE, "--after goes with --revision 2 or more");
    }
    enum tly_err err = record_load(cli_arg(cli, 0), &r, &diag);
    if (err == TLY_OK && after != NULL) {
        err = record_after(&r, after, (uint32_t)revision - 1, &diag);
    }
    if (err == TLY_OK) {
        err = record_to(path, &r, spread * 1000, (uint32_t)revision, &diag);
    }
    if (err == TLY_OK) {
        (void)printf("%s: %" PRIu32 " bundles of revision %" PRIu64 "\n", path,
                     r.election->branches_n, revision);
    }
    tly_arena_done(&r.arena);
    return err == TLY_OK ? CLI_DONE : cli_fail(cli, err, &diag);
}

const struct cli_command sim_record = {
    .name     = "record",
    .args     = "DIR",
    .summary  = "sign DIR/counts.csv into a recording, as the branches' terminals would",
    .more     = "Reads DIR/definition, DIR/registry, DIR/keys and DIR/counts.csv; writes a line of "
                "JSON a branch,\n"
                "{\"at_ms\",\"terminal\",\"envelope\"}.  The same seed gives the same bytes.",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
