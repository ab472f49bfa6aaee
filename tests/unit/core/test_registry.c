/* SPDX-License-Identifier: Apache-2.0 */
/* Who speaks: found by certificate, key and code, in their dates only; doubles are refused.  Rows that
 * decisions make: found as they stood at every place, also by others while they are made, under TSan. */
#include "core/registry.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/check.h"
#include "election_make.h"
#include "t.h"

#define TERMINALS 300
#define CLIENTS   8
#define OFFICERS  5

static struct election_maker  m;
static struct terminal        terminals[TERMINALS];
static struct client          clients[CLIENTS];
static struct officer         officers[OFFICERS];
static struct registry        registry;
static const struct registry *now = &registry; /* its newest version */
static struct tly_arena       arena;

/* Distinct by the last bytes only: every search walks over all that came before. */
static struct tly_hash
hash(uint32_t kind, uint32_t i)
{
    struct tly_hash h = {{0}};
    h.b[29]           = (uint8_t)(i >> 12);
    h.b[30]           = (uint8_t)(kind << 4 | (i >> 8 & 15));
    h.b[31]           = (uint8_t)i;
    return h;
}

static void
fill(void)
{
    static char names[TERMINALS + CLIENTS + OFFICERS][16];
    unsigned    n = 0;
    for (uint32_t i = 0; i < TERMINALS; i++) {
        (void)snprintf(names[n], sizeof names[n], "t%u", i);
        terminals[i] = (struct terminal){.code       = names[n++],
                                         .branch     = {i == 7 ? IX_NONE : 0},
                                         .keyid      = hash(1, i),
                                         .cert       = hash(2, i),
                                         .not_before = 100,
                                         .not_after  = 200,
                                         .state      = i == 9 ? TERMINAL_REVOKED : TERMINAL_ACTIVE};
    }
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)snprintf(names[n], sizeof names[n], "c%u", i);
        clients[i] = (struct client){.code       = names[n++],
                                     .role       = (enum role)(1U << i),
                                     .area       = {1},
                                     .cert       = hash(3, i),
                                     .not_before = 100,
                                     .not_after  = 200};
    }
    for (uint32_t i = 0; i < OFFICERS; i++) {
        (void)snprintf(names[n], sizeof names[n], "o%u", i);
        officers[i] = (struct officer){.code = names[n++], .keyid = hash(4, i)};
    }
    registry = (struct registry){.terminals   = terminals,
                                 .terminals_n = TERMINALS,
                                 .clients     = clients,
                                 .clients_n   = CLIENTS,
                                 .officers    = officers,
                                 .officers_n  = OFFICERS};
}

static enum tly_err
index_again(struct tly_diag *diag)
{
    tly_arena_done(&arena);
    tly_arena_init(&arena, (size_t)64 << 20);
    now = &registry;
    return registry_index(&registry, &arena, diag);
}

static bool
speaks(struct tly_hash cert, uint64_t second, struct speaker *out)
{
    return registry_speaker(now, &m.e, &cert, second, out);
}

static void
check_found(void)
{
    struct speaker who;
    unsigned       missed = 0;
    fill();
    T_EQ(index_again(NULL), TLY_OK, "indexed");
    for (uint32_t i = 0; i < TERMINALS; i++) {
        const struct tly_hash key = terminals[i].keyid;
        missed += registry_terminal_by_keyid(&registry, &key, REGISTRY_NOW).v != i;
        missed += registry_terminal(&registry, tly_text(terminals[i].code), REGISTRY_NOW).v != i;
        missed += i != 9 && (!speaks(terminals[i].cert, 150, &who) || who.terminal.v != i);
    }
    for (uint32_t i = 0; i < OFFICERS; i++) {
        missed += registry_officer_by_keyid(&registry, &officers[i].keyid).v != i;
        missed +=
            registry_terminal_by_keyid(&registry, &officers[i].keyid, REGISTRY_NOW).v != IX_NONE;
    }
    T_EQ(missed, 0, "everyone is found by code, key and certificate");

    T_OK(speaks(terminals[3].cert, 150, &who) && who.role == ROLE_TERMINAL && who.area.v == 0 &&
             who.client.v == IX_NONE,
         "a terminal has its branch's area");
    T_OK(speaks(terminals[7].cert, 150, &who) && who.area.v == IX_NONE, "a spare has no area");
    T_OK(speaks(clients[1].cert, 150, &who) && who.role == ROLE_RELAY && who.area.v == 1 &&
             who.terminal.v == IX_NONE && who.client.v == 1,
         "a relay");
    T_OK(speaks(terminals[3].cert, 100, &who) && speaks(terminals[3].cert, 200, &who) &&
             speaks(clients[1].cert, 100, &who) && speaks(clients[1].cert, 200, &who),
         "first and last second count");
    T_OK(!speaks(terminals[3].cert, 99, &who) && !speaks(terminals[3].cert, 201, &who) &&
             !speaks(clients[1].cert, 99, &who) && !speaks(clients[1].cert, 201, &who),
         "a second outside the dates does not");
    T_OK(!speaks(terminals[9].cert, 150, &who), "a revoked terminal does not speak");
    T_EQ(registry_terminal_by_keyid(&registry, &terminals[9].keyid, REGISTRY_NOW).v, 9,
         "its key is still known");
    T_OK(!speaks(hash(9, 1), 150, &who), "an unknown certificate does not speak");
    T_OK(!speaks(terminals[3].keyid, 150, &who), "a key id is no certificate");
    T_EQ(registry_terminal(&registry, tly_text("t"), REGISTRY_NOW).v, IX_NONE,
         "an unknown terminal");
}

static void
check_doubles(void)
{
    struct tly_diag diag;
    fill();
    terminals[299].cert = terminals[0].cert;
    T_EQ(index_again(&diag), TLY_ERANGE, "two terminals with one certificate");
    T_STR(diag.text, "t0 and t299 have one certificate", "both are named");
    fill();
    clients[2].cert = terminals[5].cert;
    T_EQ(index_again(&diag), TLY_ERANGE, "a client with a terminal's certificate");
    T_STR(diag.text, "t5 and c2 have one certificate", "both are named");
    fill();
    terminals[8].keyid = terminals[4].keyid;
    T_EQ(index_again(&diag), TLY_ERANGE, "two terminals with one key");
    fill();
    officers[1].keyid = officers[0].keyid;
    T_EQ(index_again(&diag), TLY_ERANGE, "two officers with one key");
    fill();
    officers[1].keyid = terminals[0].keyid;
    T_EQ(index_again(&diag), TLY_ERANGE, "an officer with a terminal's key");
    fill();
    terminals[8].code = terminals[4].code;
    T_EQ(index_again(&diag), TLY_ERANGE, "two terminals with one code");
    fill();
    clients[3].code = clients[2].code;
    T_EQ(index_again(&diag), TLY_ERANGE, "two clients with one code");
    fill();
    officers[3].code = officers[2].code;
    T_EQ(index_again(&diag), TLY_ERANGE, "two officers with one code");
    fill();
    tly_arena_done(&arena);
    tly_arena_init(&arena, 64);
    T_EQ(registry_index(&registry, &arena, &diag), TLY_ENOMEM, "no room");
}

/* ---- rows that decisions make ---- */

/* One more row of terminal i's, behind `from` entries. */
static struct terminal
next_row(uint32_t i, uint64_t from)
{
    struct terminal row = *registry_row(now, registry_newest(now, (struct terminal_ix){i}));
    row.from            = from;
    return row;
}

static void
append(uint32_t before, const struct terminal *row)
{
    const struct terminal_ix newest = before == IX_NONE
                                          ? (struct terminal_ix){IX_NONE}
                                          : registry_newest(now, (struct terminal_ix){before});
    now                             = registry_with(now, newest, row, &arena);
    T_OK(now != NULL, "a version more");
}

static uint32_t
by_key(struct tly_hash keyid, uint64_t at)
{
    return registry_terminal_by_keyid(now, &keyid, at).v;
}

static bool
in_force(uint32_t row, uint64_t at)
{
    return registry_in_force(now, (struct terminal_ix){row}, at);
}

static void
check_changes(void)
{
    struct speaker who;
    fill();
    T_OK(index_again(NULL) == TLY_OK, "opened");
    T_OK(in_force(3, REGISTRY_NOW) && in_force(3, 1) && !in_force(9, 1),
         "the package's rows stand, but for the revoked");
    const struct tly_hash old_key = terminals[3].keyid, old_cert = terminals[3].cert;
    struct terminal       row = next_row(3, 10); /* rotate, entry 9 */
    row.keyid                 = hash(5, 0);
    append(3, &row);
    row      = next_row(3, 20); /* rotate the certificate, entry 19 */
    row.cert = hash(6, 0);
    append(3, &row);
    row        = next_row(3, 30); /* assign, entry 29 */
    row.branch = (struct branch_ix){IX_NONE};
    append(3, &row);
    row       = next_row(3, 40); /* revoke, entry 39 */
    row.state = TERMINAL_REVOKED;
    append(3, &row);
    const uint32_t first = TERMINALS;
    T_EQ(registry_rows_n(now), TERMINALS + 4, "four rows more");
    T_OK(by_key(old_key, 9) == 3 && in_force(3, 9), "entry 9: the old key");
    T_OK(by_key(old_key, 10) == 3 && !in_force(3, 10), "entry 10: not any more");
    T_OK(by_key(hash(5, 0), 9) == IX_NONE, "entry 9: the new one not yet");
    T_OK(by_key(hash(5, 0), 10) == first && in_force(first, 10), "entry 10: the new one");
    T_OK(by_key(hash(5, 0), 20) == first + 1 && by_key(hash(5, 0), 29) == first + 1 &&
             in_force(first + 1, 29) && !in_force(first + 1, 30),
         "the same key with another certificate");
    T_OK(by_key(hash(5, 0), 30) == first + 2 && by_key(hash(5, 0), REGISTRY_NOW) == first + 3,
         "each row has its time");
    T_OK(in_force(first + 2, 39) && !in_force(first + 3, 40) && !in_force(first + 3, REGISTRY_NOW),
         "then it is revoked");
    T_EQ(registry_terminal(now, tly_text("t3"), 25).v, first + 1, "found by code, too");
    T_OK(registry_first(now, (struct terminal_ix){first + 3}).v == 3 &&
             registry_newest(now, (struct terminal_ix){3}).v == first + 3,
         "all are one terminal");
    T_OK(!speaks(old_cert, 150, &who) && !speaks(hash(6, 0), 150, &who),
         "neither its old certificate speaks nor that of the revoked");
    T_OK(registry_knows_cert(now, &old_cert) && registry_knows_key(now, &old_key),
         "both stay known");

    row = (struct terminal){.code       = "new",
                            .keyid      = hash(7, 0),
                            .cert       = hash(7, 1),
                            .from       = 50,
                            .not_before = 100,
                            .not_after  = 200,
                            .branch     = {IX_NONE}};
    append(IX_NONE, &row);
    T_OK(registry_terminal(now, tly_text("new"), 49).v == IX_NONE &&
             registry_terminal(now, tly_text("new"), 50).v == first + 4,
         "one more, from its place on");
    T_OK(speaks(hash(7, 1), 150, &who) && who.terminal.v == first + 4 && who.area.v == IX_NONE,
         "which speaks");
    row        = next_row(first + 4, 60);
    row.branch = (struct branch_ix){0};
    append(first + 4, &row);
    T_OK(speaks(hash(7, 1), 150, &who) && who.area.v == 0 &&
             registry_first(now, who.terminal).v == first + 4,
         "and comes to a branch");
    T_OK(!registry_knows_key(now, &(struct tly_hash){{9}}) &&
             !registry_knows_cert(now, &(struct tly_hash){{9}}),
         "a stranger is not known");
    T_OK(registry_knows_key(now, &officers[0].keyid) && registry_knows_cert(now, &clients[0].cert),
         "officers and clients are");
}

/* ---- versions ---- */

#define ROUNDS  3000
#define READERS 3

static _Atomic(const struct registry *) newest;
static struct tly_hash                  names[ROUNDS + 1]; /* of the keys that come */

/* A version says what stood, whatever became of the registry since. */
static unsigned
version_wrong(const struct registry *r)
{
    const uint32_t n     = registry_rows_n(r) - TERMINALS;
    unsigned       wrong = 0;
    for (uint32_t k = n > 20 ? n - 20 : 0; k <= n + 3 && k <= ROUNDS; k++) {
        const struct terminal_ix row = registry_terminal_by_keyid(r, &names[k], REGISTRY_NOW);
        if (k == 0 || k > n) {
            wrong += row.v != IX_NONE;
            continue;
        }
        wrong += row.v != TERMINALS + k - 1;
        wrong += registry_in_force(r, row, REGISTRY_NOW) != (k + 7 > n);
        wrong += registry_terminal_by_keyid(r, &names[k], k - 1).v != IX_NONE && k > 1;
        wrong += !registry_in_force(r, row, k) || registry_in_force(r, row, k + 7) != (k + 7 > n);
        wrong += registry_newest(r, row).v < row.v || registry_first(r, row).v != 11 + k % 7;
    }
    return wrong;
}

static void *
read_on(void *wrong)
{
    for (const struct registry *r = atomic_load(&newest);; r = atomic_load(&newest)) {
        *(unsigned *)wrong += version_wrong(r);
        if (registry_rows_n(r) == TERMINALS + ROUNDS) {
            return NULL;
        }
    }
}

static void
check_versions(void)
{
    static const struct registry *all[ROUNDS + 1];
    pthread_t                     threads[READERS];
    unsigned                      wrong[READERS] = {0}, bad = 0;
    fill();
    T_OK(index_again(NULL) == TLY_OK, "indexed");
    for (uint32_t n = 0; n <= ROUNDS; n++) { /* a third of them differ at the end only */
        names[n]      = hash(8, n);
        names[n].b[0] = (uint8_t)(n % 3 * n);
        names[n].b[1] = (uint8_t)(n % 3 * (n >> 8));
    }
    atomic_store(&newest, now);
    all[0] = now;
    for (unsigned i = 0; i < READERS; i++) {
        TLY_CHECK(pthread_create(&threads[i], NULL, read_on, &wrong[i]) == 0);
    }
    for (uint32_t n = 1; n <= ROUNDS; n++) {
        const struct terminal_ix of  = registry_newest(now, (struct terminal_ix){11 + n % 7});
        struct terminal          row = *registry_row(now, of);
        row.from                     = n;
        row.keyid                    = names[n];
        now                          = registry_with(now, of, &row, &arena);
        TLY_CHECK(now != NULL);
        all[n] = now;
        atomic_store(&newest, now);
    }
    for (unsigned i = 0; i < READERS; i++) {
        TLY_CHECK(pthread_join(threads[i], NULL) == 0);
        bad += wrong[i];
    }
    T_EQ(bad, 0, "readers see whole versions while others are made");
    for (uint32_t n = 0; n <= ROUNDS; n++) {
        bad += version_wrong(all[n]);
    }
    T_EQ(bad, 0, "and each stays what it was");
    printf("# %u versions in %zu KiB\n", ROUNDS, arena.bytes / 1024);
}

static void
check_empty(void)
{
    struct speaker who;
    registry = (struct registry){0};
    T_EQ(index_again(NULL), TLY_OK, "an empty registry");
    T_OK(!speaks(hash(2, 0), 150, &who), "in which nobody speaks");
    for (unsigned i = 0; i < CLIENTS; i++) {
        enum role back;
        T_OK(role_find(tly_text(role_name((enum role)(1U << i))), &back) && back == 1U << i,
             role_name((enum role)(1U << i)));
    }
    enum role kept = ROLE_RELAY;
    T_OK(!role_find(tly_text("root"), &kept) && kept == ROLE_RELAY, "no such role");
}

int
main(void)
{
    make_begin(&m, 1 << 20);
    const struct area_ix root = make_area(&m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    (void)make_area(&m, "p", root, LEVEL_PROVINCE);
    (void)make_branch(&m, "b", root, 0);
    (void)make_done(&m);
    check_found();
    check_doubles();
    check_changes();
    check_versions();
    check_empty();
    tly_arena_done(&arena);
    make_free(&m);
    return T_DONE();
}
