/* SPDX-License-Identifier: Apache-2.0 */
/* One entry on its way through the stages: what a thread finds out about it alone, before it is put in
 * order with the others. */
#pragma once

#include "core/checks.h"
#include "core/decision.h"
#include "core/leaf.h"
#include "core/records.h"
#include "verify.h"

/* What an entry is judged by: on a thread the registry of the package, in order the one of its place. */
struct item_view {
    const struct verify   *v;
    const struct registry *registry;
};

enum item_envelope {
    ITEM_UNREAD,   /* no pack that could be read, or nothing belongs there, or a finding */
    ITEM_WITHHELD, /* and it may be */
    ITEM_THERE     /* the bytes are those that were logged */
};

struct item {
    bool               read; /* the leaf's text was */
    bool               good; /* and it is a leaf */
    struct leaf        leaf;
    struct leaf_texts  texts;
    struct tly_hash    hash; /* of the leaf */
    uint64_t           found;
    enum item_envelope envelope;
    struct tly_bytes   bytes; /* the envelope's */

    /* When interpreted: what the leaf's codes are. */
    struct branch_ix    branch;
    struct branch_ix    to; /* of `key`: where the terminal comes to */
    struct contest_ix   contest;
    struct candidate_ix candidate;
    struct area_ix      scope; /* of `result` */
    struct terminal_ix  terminal;

    struct checked  checked;  /* of a bundle without a finding */
    struct decision decision; /* of a decision without a finding */
    struct results  results;  /* of a results document whose syntax is good */
    bool            has_results;
};

/* Reads the leaf's text; leaf.syntax is found here. */
void item_leaf(struct item *item, struct tly_bytes text);
/* Stage 4: the record of the pack. */
void item_envelope(const struct verify *v, struct item *item, const struct record *record);
/* Codes and keys of the leaf against definition and registry (leaf.branch, leaf.key), then stage 6: the
 * document in the envelope.  What the tally needs of it goes to keep, which must live until it is
 * applied.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err item_interpret(const struct item_view *view, struct item *item,
                                     struct tly_arena *keep);
/* The same when the registry in force where the entry stands is known: does nothing where the package's
 * leads to the same. */
TLY_MUST enum tly_err item_again(const struct item_view *view, struct item *item,
                                 struct tly_arena *keep);
TLY_MUST enum tly_err item_bundle(const struct item_view *view, struct item *item,
                                  struct tly_arena *keep);
TLY_MUST enum tly_err item_decision(const struct item_view *view, struct item *item,
                                    struct tly_arena *keep);

/* What both kinds of documents begin with: an envelope of this type and these limits, with the payload that
 * was logged.  false: a finding. */
struct item_limits {
    const char *type;
    size_t      envelope_max, payload_max;
};
TLY_MUST enum tly_err item_open(struct item *item, const struct item_limits *limits,
                                struct tly_arena *scratch, struct envelope *out, bool *opened);

static inline bool
item_has(const struct item *item, enum found found)
{
    return (item->found & FOUND_BIT(found)) != 0;
}
static inline void
item_find(struct item *item, enum found found)
{
    item->found |= FOUND_BIT(found);
}
