/* SPDX-License-Identifier: Apache-2.0 */
/* A small election by hand: one area, one contest with two candidates, BRANCHES branches with a
 * terminal each; and a log key. */
#pragma once

#include <stdio.h>

#include "core/book.h"
#include "core/checks.h"
#include "core/note.h"
#include "core/receipt.h"
#include "core/tally.h"

#define BRANCHES 6

static inline uint64_t
rnd(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z          = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z          = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

struct fixture {
    struct area        areas[1];
    struct contest     contests[1];
    struct candidate   candidates[2];
    struct branch      branches[BRANCHES];
    struct slot        slots[BRANCHES];
    struct terminal    terminals[BRANCHES];
    struct election    election;
    struct registry    registry;
    struct sign_secret secret;
    struct note_vkey   vkey;
};

static const char *const fixture_branches[BRANCHES]  = {"b-0", "b-1", "b-2", "b-3", "b-4", "b-5"};
static const char *const fixture_terminals[BRANCHES] = {"t-0", "t-1", "t-2", "t-3", "t-4", "t-5"};

static inline struct tly_hash
fixture_hash(const char *kind, uint64_t n)
{
    char      text[64];
    const int len = snprintf(text, sizeof text, "%s %llu", kind, (unsigned long long)n);
    return merkle_leaf((struct tly_bytes){(uint8_t *)text, (size_t)len});
}

static inline void
fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->areas[0]    = (struct area){.code = "ir", .parent = {IX_NONE}, .contests_n = 1};
    f->contests[0] = (struct contest){
        .code = "c-0", .seats = 1, .max_choices = 1, .candidates_n = 2, .slots_n = BRANCHES};
    f->candidates[0] = (struct candidate){.code = "k-0", .list = {IX_NONE}};
    f->candidates[1] = (struct candidate){.code = "k-1", .list = {IX_NONE}};
    for (uint32_t i = 0; i < BRANCHES; i++) {
        f->branches[i] =
            (struct branch){.code = fixture_branches[i], .slots_first = i, .slots_n = 1};
        f->slots[i]     = (struct slot){.branch = {i}, .contest = {0}};
        f->terminals[i] = (struct terminal){
            .code = fixture_terminals[i], .branch = {i}, .keyid = fixture_hash("key", i)};
    }
    f->election = (struct election){.code         = "x-1",
                                    .domain       = "tally.example",
                                    .definition   = fixture_hash("definition", 0),
                                    .areas        = f->areas,
                                    .areas_n      = 1,
                                    .contests     = f->contests,
                                    .contests_n   = 1,
                                    .candidates   = f->candidates,
                                    .candidates_n = 2,
                                    .branches     = f->branches,
                                    .branches_n   = BRANCHES,
                                    .slots        = f->slots,
                                    .slots_n      = BRANCHES,
                                    .options_n    = 2};
    f->registry = (struct registry){
        .hash = fixture_hash("registry", 0), .terminals = f->terminals, .terminals_n = BRANCHES};
    const uint8_t seed[32] = {7};
    sign_from_seed(seed, &f->secret);
    const struct tly_key key = sign_public(&f->secret);
    note_vkey_make("tally.example/x-1/rehearsal", &key, &f->vkey);
}

static inline struct book_entry
fixture_genesis(void)
{
    return (struct book_entry){.kind = LEAF_GENESIS, .accepted_ms = 1000};
}

static inline void
fixture_sign(const struct fixture *f, const struct book *book, struct book_head *out)
{
    const uint64_t         size = book_size(book);
    const struct note_head head = {.size = size, .root = merkle_root(book_tree(book), size)};
    out->size                   = size;
    note_sign(f->vkey.name, &head, &f->secret, &out->sig);
}
