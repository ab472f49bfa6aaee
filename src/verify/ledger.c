/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "findings.h"
#include "sys/sha256.h"

#define CELLS_FIRST 1024U
#define NONE        UINT32_MAX

/* From a hash to a number; whoever forges hashes does not know where they go. */
struct map {
    struct cell {
        struct tly_hash key;
        uint32_t        value; /* NONE: empty */
    } * cells;
    size_t  cells_n, used;
    uint8_t seed[crypto_shorthash_KEYBYTES];
};

/* A logged bundle. */
struct logged {
    struct tly_hash payload, envelope;
};

struct ledger {
    struct map     payloads;  /* value unused */
    struct map     newest;    /* of a branch: its newest revision */
    struct map     revisions; /* of a branch and a revision: place in bundles */
    struct logged *bundles;
    size_t         bundles_n, bundles_room;
    uint64_t       accepted_ms;                /* of the leaf before */
    char           election[CODE_LEN_MAX + 1]; /* of the genesis; "": none */
};

/* ---- maps ---- */

static struct cell *
cell_of(const struct map *m, const struct tly_hash *key)
{
    uint8_t out[crypto_shorthash_BYTES];
    size_t  i;
    _Static_assert(sizeof out == sizeof i, "one word");
    crypto_shorthash(out, key->b, sizeof key->b, m->seed);
    memcpy(&i, out, sizeof i);
    i &= m->cells_n - 1;
    while (m->cells[i].value != NONE && !tly_hash_eq(&m->cells[i].key, key)) {
        i = (i + 1) & (m->cells_n - 1);
    }
    return &m->cells[i];
}

static bool
map_room(struct map *m, size_t cells_n)
{
    const struct map old = *m;
    m->cells             = calloc(cells_n, sizeof *m->cells);
    if (m->cells == NULL) {
        *m = old;
        return false;
    }
    m->cells_n = cells_n;
    for (size_t i = 0; i < cells_n; i++) {
        m->cells[i].value = NONE;
    }
    for (size_t i = 0; i < old.cells_n; i++) {
        if (old.cells[i].value != NONE) {
            *cell_of(m, &old.cells[i].key) = old.cells[i];
        }
    }
    free(old.cells);
    return true;
}

static bool
map_init(struct map *m)
{
    crypto_shorthash_keygen(m->seed);
    return map_room(m, CELLS_FIRST);
}

static uint32_t
map_get(const struct map *m, const struct tly_hash *key)
{
    return cell_of(m, key)->value;
}

static bool
map_put(struct map *m, const struct tly_hash *key, uint32_t value)
{
    if ((m->used + 1) * 2 > m->cells_n && !map_room(m, m->cells_n * 2)) {
        return false;
    }
    struct cell *cell = cell_of(m, key);
    m->used += cell->value == NONE;
    *cell = (struct cell){*key, value};
    return true;
}

/* ---- the ledger ---- */

enum tly_err
ledger_new(struct ledger **out)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return TLY_ENOMEM;
    }
    if (!map_init(&l->payloads) || !map_init(&l->newest) || !map_init(&l->revisions)) {
        ledger_free(l);
        return TLY_ENOMEM;
    }
    *out = l;
    return TLY_OK;
}

void
ledger_free(struct ledger *l)
{
    if (l != NULL) {
        free(l->payloads.cells);
        free(l->newest.cells);
        free(l->revisions.cells);
        free(l->bundles);
        free(l);
    }
}

/* Codes hold no line feed, so that no two pairs have one text. */
static struct tly_hash
revision_key(const char *branch, uint32_t revision)
{
    char      text[CODE_LEN_MAX + 16];
    const int len = snprintf(text, sizeof text, "%s\n%u", branch, revision);
    TLY_CHECK(len > 0 && (size_t)len < sizeof text);
    return sys_sha256((struct tly_bytes){(const uint8_t *)text, (size_t)len});
}

static const struct logged *
logged_find(const struct ledger *l, const char *branch, uint32_t revision)
{
    const struct tly_hash key   = revision_key(branch, revision);
    const uint32_t        place = map_get(&l->revisions, &key);
    return place == NONE ? NULL : &l->bundles[place];
}

static bool
logged_add(struct ledger *l, const struct leaf *leaf)
{
    const struct tly_hash branch = revision_key(leaf->branch, 0);
    const struct tly_hash one    = revision_key(leaf->branch, leaf->revision);
    if (l->bundles_n == l->bundles_room) {
        const size_t   room = l->bundles_room * 2 + 1024;
        struct logged *list = reallocarray(l->bundles, room, sizeof *list);
        if (list == NULL) {
            return false;
        }
        l->bundles      = list;
        l->bundles_room = room;
    }
    l->bundles[l->bundles_n] = (struct logged){leaf->payload, leaf->envelope};
    return map_put(&l->revisions, &one, (uint32_t)l->bundles_n++) &&
           map_put(&l->newest, &branch, leaf->revision);
}

/* Where a bundle stands among its branch's revisions. */
static uint64_t
revision_check(const struct ledger *l, const struct leaf *leaf)
{
    const struct tly_hash key    = revision_key(leaf->branch, 0);
    const uint32_t        found  = map_get(&l->newest, &key);
    const uint32_t        newest = found == NONE ? 0 : found;
    if (leaf->revision <= newest) {
        return FOUND_BIT(FOUND_REVISION_TWICE);
    }
    if (leaf->revision > newest + 1) {
        return FOUND_BIT(FOUND_REVISION_GAP);
    }
    const struct logged *before = newest == 0 ? NULL : logged_find(l, leaf->branch, newest);
    const bool           right  = before == NULL
                                      ? !leaf->has_prev
                                      : leaf->has_prev && tly_hash_eq(&leaf->prev, &before->payload);
    return right ? 0 : FOUND_BIT(FOUND_REVISION_PREV);
}

static enum tly_err
bundle_take(struct ledger *l, const struct leaf *leaf, uint64_t skip, uint64_t *found)
{
    const bool twice = map_get(&l->payloads, &leaf->payload) != NONE;
    *found |= twice ? FOUND_BIT(FOUND_PAYLOAD_TWICE) : 0;
    if (!twice && !map_put(&l->payloads, &leaf->payload, 0)) {
        return TLY_ENOMEM;
    }
    if (leaf->kind == LEAF_CONFLICT) {
        const struct logged *first = logged_find(l, leaf->branch, leaf->revision);
        if (first == NULL || !tly_hash_eq(&first->envelope, &leaf->first_envelope)) {
            *found |= FOUND_BIT(FOUND_CONFLICT_FIRST);
        }
        return TLY_OK;
    }
    const uint64_t place = revision_check(l, leaf);
    *found |= place;
    if (twice || place != 0 || (skip & FOUND_BIT(FOUND_LEAF_BRANCH)) != 0) {
        return TLY_OK;
    }
    return logged_add(l, leaf) ? TLY_OK : TLY_ENOMEM;
}

enum tly_err
ledger_take(struct ledger *l, uint64_t position, const struct leaf *leaf, uint64_t skip,
            uint64_t *found)
{
    *found = 0;
    if ((leaf->kind == LEAF_GENESIS) != (position == 0)) {
        *found |= FOUND_BIT(FOUND_LEAF_GENESIS);
    }
    if (position == 0 && leaf->kind == LEAF_GENESIS) {
        (void)snprintf(l->election, sizeof l->election, "%s", leaf->election);
    }
    if (l->election[0] != '\0' && strcmp(l->election, leaf->election) != 0) {
        *found |= FOUND_BIT(FOUND_LEAF_ELECTION);
    }
    if (leaf->accepted_ms < l->accepted_ms) {
        *found |= FOUND_BIT(FOUND_LEAF_TIME);
    }
    l->accepted_ms = leaf->accepted_ms;
    return leaf->kind == LEAF_BUNDLE || leaf->kind == LEAF_CONFLICT
               ? bundle_take(l, leaf, skip, found)
               : TLY_OK;
}
