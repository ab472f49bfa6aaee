/* SPDX-License-Identifier: Apache-2.0 */
/* Registries: a good one, and every kind of fault with its place. */
#include "pack/registry_load.h"

#include "dir.h"
#include "pack/definition.h"
#include "pack/package.h"
#include "package_files.h"
#include "t.h"

static const char      *dir;
static char             at[64], definition[64];
static struct tly_arena arena, election_arena;
static struct faults    faults;
static struct election *election;

static enum tly_err
load(const char *name, const char *find, const char *put, struct registry **out)
{
    package_write(at, registry_files, name, find, put);
    tly_arena_done(&arena);
    faults = (struct faults){.arena = &arena};
    return registry_load(at, election, &arena, out, &faults, NULL);
}

static void
good(void)
{
    struct registry *r = NULL;
    struct tly_hash  hash;
    struct speaker   who;
    T_EQ(load(NULL, NULL, NULL, &r), TLY_OK, "a good registry");
    TLY_CHECK(r != NULL);
    T_EQ(r->terminals_n, 2, "terminals");
    T_EQ(r->clients_n, 1, "clients");
    T_EQ(r->officers_n, 1, "officers");
    T_EQ(r->terminals[0].branch.v, election_branch(election, tly_text("b1")).v, "its branch");
    T_EQ(r->terminals[1].branch.v, IX_NONE, "a spare");
    T_EQ(r->terminals[1].state, TERMINAL_REVOKED, "revoked");
    T_EQ(registry_terminal(r, tly_text("t2"), REGISTRY_NOW).v, 1, "by code");
    T_EQ(registry_terminal_by_keyid(r, &r->terminals[0].keyid, REGISTRY_NOW).v, 0, "by key");
    T_OK(registry_speaker(r, election, &r->terminals[0].cert, 2, &who), "by certificate");
    T_EQ(who.role, ROLE_TERMINAL, "as a terminal");
    T_OK(!registry_speaker(r, election, &r->terminals[0].cert, 3, &who), "not after its end");
    T_OK(!registry_speaker(r, election, &r->terminals[1].cert, 1, &who), "not revoked");
    T_EQ(r->clients[0].role, ROLE_RELAY, "role");
    T_EQ(package_hash(at, PACKAGE_REGISTRY, &hash, NULL), TLY_OK, "hashed by itself");
    T_OK(tly_hash_eq(&hash, &r->hash), "the same hash");
}

#define SMALL_ORDER "0100000000000000000000000000000000000000000000000000000000000000"

static const struct {
    const char *file, *find, *put;
    uint32_t    line, column;
    const char *says;
} cases[] = {
    {"terminals.csv", "t2,", "t1,", 3, 1, "stands in terminals.csv line 2 already"},
    {"terminals.csv", "t2,", "t 2,", 3, 1, "no code"},
    {"terminals.csv", "b1,", "b7,", 2, 4, "no branch of the definition"},
    {"terminals.csv", PACKAGE_KEY_2, PACKAGE_KEY_1, 3, 5, "stands in terminals.csv line 2 already"},
    {"terminals.csv", PACKAGE_KEY_2, SMALL_ORDER, 3, 5, "no sound Ed25519 key"},
    {"terminals.csv", PACKAGE_KEY_2, "12", 3, 5, "64 lower-case hexadecimal digits"},
    {"terminals.csv", PACKAGE_HEX_B, PACKAGE_HEX_A, 3, 70, "terminals.csv line 2 already"},
    {"terminals.csv", "revoked", "gone", 3, 139, "neither active nor revoked"},
    {"terminals.csv", "1,2,active", "3,2,active", 2, 139, "2 lies before not_before 3"},
    {"terminals.csv", "1,2,active", "1,1099511627776,active", 2, 139, "1099511627775"},
    {"terminals.csv", "state", "status", 1, 1, "the header row"},
    {"clients.csv", PACKAGE_HEX_C, PACKAGE_HEX_A, 2, 16, "terminals.csv line 2 already"},
    {"clients.csv", "relay,relay", "relay,terminal", 2, 7, "none of relay dashboard"},
    {"clients.csv", ",ir,", ",iq,", 2, 13, "no area of the definition"},
    {"officers.csv", PACKAGE_KEY_3, PACKAGE_KEY_1, 2, 25, "terminals.csv line 2 already"},
    {"officers.csv", "commission", "chairman", 2, 7, "none of commission"},
    {"officers.csv", "tehran", "", 2, 18, "no area of the definition"},
};

static void
one_fault_each(void)
{
    for (unsigned i = 0; i < TLY_N(cases); i++) {
        struct registry *r = NULL;
        T_EQ(load(cases[i].file, cases[i].find, cases[i].put, &r), TLY_EINPUT, cases[i].put);
        T_OK(r == NULL, "output untouched");
        T_EQ(faults.n, 1, "one fault");
        const struct fault *f = &faults.list[0];
        const bool ok = faults.n > 0 && f->line == cases[i].line && f->column == cases[i].column &&
                        strstr(f->text, cases[i].says) != NULL;
        if (!T_OK(ok, cases[i].says) && faults.n > 0) {
            printf("# %s:%u:%u: %s\n", f->file, f->line, f->column, f->text);
        }
    }
}

static void
memory(void)
{
    struct registry *r    = NULL;
    bool             fits = false;
    package_write(at, registry_files, NULL, NULL, NULL);
    for (size_t room = 0; room < 20000 && !fits; room += 256) {
        struct tly_arena small = {.bytes_max = room};
        faults                 = (struct faults){.arena = &arena};
        const enum tly_err err = registry_load(at, election, &small, &r, &faults, NULL);
        fits                   = err == TLY_OK;
        T_OK(fits || err == TLY_ENOMEM, "no room: said so");
        tly_arena_done(&small);
    }
    T_OK(fits, "in 20 KB");
}

int
main(void)
{
    dir = t_dir();
    (void)snprintf(at, sizeof at, "%s/r", dir);
    (void)snprintf(definition, sizeof definition, "%s/d", dir);
    tly_arena_init(&arena, (size_t)64 << 20);
    tly_arena_init(&election_arena, (size_t)64 << 20);
    package_write(definition, definition_files, NULL, NULL, NULL);
    faults                 = (struct faults){.arena = &election_arena};
    const enum tly_err err = definition_load(definition, &election_arena, &election, &faults, NULL);
    TLY_CHECK(err == TLY_OK);
    good();
    one_fault_each();
    memory();
    tly_arena_done(&arena);
    tly_arena_done(&election_arena);
    return T_DONE();
}
