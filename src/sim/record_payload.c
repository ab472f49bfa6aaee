/* SPDX-License-Identifier: Apache-2.0 */
/* The payload that a branch's terminal would sign (doc/formats.md), from its rows of counts.csv. */
#include "record_int.h"

#include "base/text.h"
#include "dice.h"

#define BASE_CLOSES_AT                                                                             \
    UINT64_C(1792182600) /* where no contest says when it closes: 16 October 2026, 20:30 UTC */
#define OPEN_SECONDS   (16 * 3600)
#define REVISION_LATER 3600 /* seconds from one revision to the next */

static uint32_t
number_of(const struct record *r, struct slot_ix slot, enum count count)
{
    for (uint32_t i = r->counts.first[slot.v]; i < r->counts.first[slot.v + 1]; i++) {
        const struct counts_row *row = &r->counts.rows[i];
        if (row->kind == COUNTS_NUMBER && row->count == count) {
            return row->value;
        }
    }
    return 0;
}

static void
add_number(struct text *t, const char *key, uint64_t n)
{
    text_add(t, ",\"");
    text_add(t, key);
    text_add(t, "\":");
    text_add_u64(t, n);
}

/* ,"KEY":[["CODE",N],...] of one kind; options without votes are left out, as terminals do. */
static void
add_votes(const struct record *r, struct text *t, struct slot_ix slot, enum counts_kind kind,
          const char *key)
{
    bool first = true;
    text_add(t, ",\"");
    text_add(t, key);
    text_add(t, "\":[");
    for (uint32_t i = r->counts.first[slot.v]; i < r->counts.first[slot.v + 1]; i++) {
        const struct counts_row *row = &r->counts.rows[i];
        if (row->kind == kind && row->value > 0) {
            text_add(t, first ? "[\"" : ",[\"");
            text_add(t, row->code);
            text_add(t, "\",");
            text_add_u64(t, row->value);
            text_add(t, "]");
            first = false;
        }
    }
    text_add(t, "]");
}

static void
add_contest(const struct record *r, struct text *t, struct slot_ix slot)
{
    const struct contest    *contest = &r->election->contests[r->election->slots[slot.v].contest.v];
    const struct counts_row *first   = &r->counts.rows[r->counts.first[slot.v]];
    text_add(t, "{\"contest\":\"");
    text_add(t, contest->code);
    if (first->kind == COUNTS_NOT_HELD) {
        text_add(t, "\",\"not_held\":\"");
        text_add(t, first->code);
        text_add(t, "\"}");
        return;
    }
    text_add(t, "\",\"authenticated\":{\"online\":");
    text_add_u64(t, number_of(r, slot, COUNT_ONLINE));
    add_number(t, "offline", number_of(r, slot, COUNT_OFFLINE));
    add_number(t, "manual", number_of(r, slot, COUNT_MANUAL));
    text_add(t, "}");
    for (enum count c = COUNT_ISSUED; c <= COUNT_EXCLUDED; c++) {
        add_number(t, count_name(c), number_of(r, slot, c));
    }
    if (r->election->rules[contest->rule].method->lists) {
        add_votes(r, t, slot, COUNTS_LIST, "lists");
        add_number(t, "mixed", number_of(r, slot, COUNT_MIXED));
    }
    add_votes(r, t, slot, COUNTS_CANDIDATE, "candidates");
    text_add(t, "}");
}

static uint64_t
closes_at(const struct election *election, const struct branch *branch)
{
    uint64_t latest = 0;
    for (uint32_t i = 0; i < branch->slots_n; i++) {
        const struct contest *c =
            &election->contests[election->slots[branch->slots_first + i].contest.v];
        if (c->has_closes_at && c->closes_at > latest) {
            latest = c->closes_at;
        }
    }
    return latest == 0 ? BASE_CLOSES_AT : latest;
}

static void
add_head(const struct record *r, struct text *t, struct branch_ix branch,
         const struct terminal *terminal, uint32_t revision, const struct tly_hash *prev)
{
    struct dice          dice   = {r->seed ^ (uint64_t)branch.v << 20 ^ revision};
    const struct branch *b      = &r->election->branches[branch.v];
    const uint64_t       salt[] = {dice_next(&dice), dice_next(&dice)};
    const uint64_t       closed = closes_at(r->election, b) + dice_upto(&dice, 600);
    text_add(t, "{\"election\":\"");
    text_add(t, r->election->code);
    text_add(t, "\",\"definition\":\"");
    text_add_hex(t, r->election->definition.b, sizeof r->election->definition.b);
    text_add(t, "\",\"phase\":\"");
    text_add(t, phase_name(r->election->phase));
    text_add(t, "\",\"branch\":\"");
    text_add(t, b->code);
    text_add(t, "\",\"terminal\":\"");
    text_add(t, terminal->code);
    text_add(t, "\"");
    add_number(t, "revision", revision);
    text_add(t, prev == NULL ? ",\"prev\":null" : ",\"prev\":\"");
    if (prev != NULL) {
        text_add_hex(t, prev->b, sizeof prev->b);
        text_add(t, "\"");
    }
    text_add(t, ",\"salt\":\"");
    text_add_hex(t, (const uint8_t *)salt, sizeof salt);
    text_add(t, "\"");
    add_number(t, "opened_at", closed - OPEN_SECONDS);
    add_number(t, "closed_at", closed);
    add_number(t, "made_at",
               closed + 60 + dice_upto(&dice, 300) + (uint64_t)(revision - 1) * REVISION_LATER);
}

bool
record_payload(const struct record *r, struct branch_ix branch, const struct terminal *terminal,
               uint32_t revision, const struct tly_hash *prev, struct tly_bytes *out)
{
    const struct branch *b     = &r->election->branches[branch.v];
    bool                 first = true;
    struct text          t;
    text_init(&t, r->buffer, RECORD_BUFFER_SIZE);
    add_head(r, &t, branch, terminal, revision, prev);
    text_add(&t, ",\"contests\":[");
    for (uint32_t i = 0; i < b->slots_n; i++) {
        const struct slot_ix slot = {b->slots_first + i};
        if (r->counts.first[slot.v] < r->counts.first[slot.v + 1]) {
            text_add(&t, first ? "" : ",");
            add_contest(r, &t, slot);
            first = false;
        }
    }
    text_add(&t, "]}");
    *out = (struct tly_bytes){(const uint8_t *)r->buffer, t.len};
    return !first && !t.cut;
}
