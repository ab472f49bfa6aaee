/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 6 of bundles and conflicts: by the core's readers, but without stopping at the first. */
#include "base/check.h"
#include "core/bundle.h"
#include "item.h"

#define SCRATCH_MAX ((size_t)256 << 20)

/* A signature by the leaf's key over the payload. */
static void
signature_check(const struct item_view *view, struct item *item, const struct envelope *envelope)
{
    const struct registry   *r  = view->registry;
    const struct terminal_ix ix = registry_terminal_by_keyid(r, &item->leaf.key, REGISTRY_NOW);
    if (ix.v == IX_NONE) {
        return; /* leaf.key says it */
    }
    for (unsigned i = 0; i < envelope->signatures_n; i++) {
        if (tly_hash_eq(&envelope->signatures[i].keyid, &item->leaf.key) &&
            envelope_verify(envelope, i, &registry_row(r, ix)->key)) {
            return;
        }
    }
    item_find(item, FOUND_ENVELOPE_SIGNATURE);
}

static void
cosigners_check(const struct item_view *view, struct item *item, const struct envelope *envelope)
{
    const struct bundle_rules rules = {.election = view->v->election, .registry = view->registry};
    if (item->leaf.kind == LEAF_BUNDLE && item->leaf.revision >= 2 && item->branch.v != IX_NONE &&
        !bundle_revise_allowed(&rules, envelope, item->branch)) {
        item_find(item, FOUND_BUNDLE_COSIGNERS);
    }
}

/* The leaf says what the payload says. */
static void
facts_check(const struct item_view *view, struct item *item, const struct payload *p)
{
    const struct leaf *leaf = &item->leaf;
    const bool         same =
        tly_bytes_eq(p->election, tly_text(view->v->election->code)) &&
        tly_bytes_eq(p->election, tly_text(leaf->election)) &&
        p->phase == view->v->election->phase && tly_bytes_eq(p->branch, tly_text(leaf->branch)) &&
        tly_bytes_eq(p->terminal, tly_text(leaf->terminal)) && p->revision == leaf->revision &&
        p->has_prev == leaf->has_prev && (!p->has_prev || tly_hash_eq(&p->prev, &leaf->prev));
    item->found |= same ? 0 : FOUND_BIT(FOUND_PAYLOAD_LEAF);
}

static bool
slots_copy(const struct election *e, const struct checked *from, struct tly_arena *keep,
           struct checked *out)
{
    struct checked_slot *slots = TLY_NEW(keep, struct checked_slot, from->slots_n);
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < from->slots_n; i++) {
        slots[i] = from->slots[i];
        if (slots[i].counts != NULL) {
            const struct contest *c = &e->contests[e->slots[slots[i].slot.v].contest.v];
            const size_t          bytes =
                sizeof(struct counts) + sizeof(uint32_t) * ((size_t)c->lists_n + c->candidates_n);
            void *copy = tly_arena_alloc(keep, bytes, 1);
            if (copy == NULL) {
                return false;
            }
            slots[i].counts = memcpy(copy, slots[i].counts, bytes);
        }
    }
    *out = (struct checked){.slots = slots, .slots_n = from->slots_n};
    return true;
}

/* The checks of the contests, and what only they can say of the payload's form. */
static enum tly_err
checks_check(const struct item_view *view, struct item *item, const struct payload *payload,
             struct tly_arena *scratch, struct tly_arena *keep)
{
    struct checked            checked;
    struct tly_bytes          held;
    const struct checks_input in  = {.election = view->v->election,
                                     .terminal = registry_row(view->registry, item->terminal),
                                     .branch   = item->branch,
                                     .payload  = payload};
    enum tly_err              err = checks_run(&in, scratch, &checked, NULL);
    if (err == TLY_EINPUT || err == TLY_ERANGE) {
        item_find(item, FOUND_PAYLOAD_SYNTAX);
        return TLY_OK;
    }
    if (err == TLY_OK && item->leaf.kind == LEAF_BUNDLE) {
        err = checks_held_lines(view->v->election, &checked, scratch, &held);
        if (err == TLY_OK && !tly_bytes_eq(held, item->leaf.held)) {
            item_find(item, FOUND_LEAF_HELD);
        }
    }
    if (err == TLY_OK && item->leaf.kind == LEAF_BUNDLE && item->found == 0) {
        err = slots_copy(view->v->election, &checked, keep, &item->checked) ? TLY_OK : TLY_ENOMEM;
    }
    return err;
}

static enum tly_err
payload_check(const struct item_view *view, struct item *item, struct tly_bytes text,
              struct tly_arena *scratch, struct tly_arena *keep)
{
    const size_t         votes_max = PAYLOAD_VOTES_MAX(text.len);
    struct payload      *payload   = TLY_NEW(scratch, struct payload, 1);
    struct payload_vote *votes     = TLY_NEW(scratch, struct payload_vote, votes_max);
    if (payload == NULL || votes == NULL) {
        return TLY_ENOMEM;
    }
    if (payload_parse(text, votes, (uint32_t)votes_max, payload, NULL) != TLY_OK) {
        item_find(item, FOUND_PAYLOAD_SYNTAX);
        return TLY_OK;
    }
    facts_check(view, item, payload);
    const uint64_t unsure =
        FOUND_BIT(FOUND_LEAF_KEY) | FOUND_BIT(FOUND_LEAF_BRANCH) | FOUND_BIT(FOUND_PAYLOAD_LEAF);
    return (item->found & unsure) != 0 ? TLY_OK : checks_check(view, item, payload, scratch, keep);
}

enum tly_err
item_bundle(const struct item_view *view, struct item *item, struct tly_arena *keep)
{
    static const struct item_limits  limits  = {ENVELOPE_TYPE_BUNDLE, BUNDLE_ENVELOPE_MAX,
                                                PAYLOAD_BYTES_MAX};
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = SCRATCH_MAX};
    struct envelope                  envelope;
    bool                             opened;
    const enum tly_err               err = item_open(item, &limits, &scratch, &envelope, &opened);
    if (err != TLY_OK || !opened) {
        return err;
    }
    signature_check(view, item, &envelope);
    cosigners_check(view, item, &envelope);
    return payload_check(view, item, envelope.payload, &scratch, keep);
}
