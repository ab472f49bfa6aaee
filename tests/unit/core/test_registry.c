/* SPDX-License-Identifier: Apache-2.0 */
/* Who speaks: found by certificate, key and code, in their dates only; doubles are refused. */
#include "core/registry.h"

#include "election_make.h"
#include "t.h"

#define TERMINALS 300
#define CLIENTS   8
#define OFFICERS  5

static struct election_maker m;
static struct terminal       terminals[TERMINALS];
static struct client         clients[CLIENTS];
static struct officer        officers[OFFICERS];
static struct registry       registry;
static struct tly_arena      arena;

/* Distinct by the last bytes only: every search walks over all that came before. */
static struct tly_hash
hash(uint32_t kind, uint32_t i)
{
    struct tly_hash h = {{0}};
    h.b[30]           = (uint8_t)(kind << 4 | i >> 8);
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
    tly_arena_init(&arena, 1 << 20);
    return registry_index(&registry, &arena, diag);
}

static bool
speaks(struct tly_hash cert, uint64_t now, struct speaker *out)
{
    return registry_speaker(&registry, &m.e, &cert, now, out);
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
        missed += registry_terminal_by_keyid(&registry, &key).v != i;
        missed += registry_terminal(&registry, tly_text(terminals[i].code)).v != i;
        missed += i != 9 && (!speaks(terminals[i].cert, 150, &who) || who.terminal.v != i);
    }
    for (uint32_t i = 0; i < OFFICERS; i++) {
        missed += registry_officer_by_keyid(&registry, &officers[i].keyid).v != i;
        missed += registry_terminal_by_keyid(&registry, &officers[i].keyid).v != IX_NONE;
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
    T_EQ(registry_terminal_by_keyid(&registry, &terminals[9].keyid).v, 9, "its key is still known");
    T_OK(!speaks(hash(9, 1), 150, &who), "an unknown certificate does not speak");
    T_OK(!speaks(terminals[3].keyid, 150, &who), "a key id is no certificate");
    T_EQ(registry_terminal(&registry, tly_text("t")).v, IX_NONE, "an unknown terminal");
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
    check_empty();
    tly_arena_done(&arena);
    make_free(&m);
    return T_DONE();
}
