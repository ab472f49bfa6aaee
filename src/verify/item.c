/* SPDX-License-Identifier: Apache-2.0 */
#include "item.h"

#include "sys/sha256.h"

void
item_leaf(struct item *item, struct tly_bytes text)
{
    item->read = true;
    item->hash = merkle_leaf(text);
    item->good = leaf_parse(text, &item->texts, &item->leaf, NULL) == TLY_OK;
    if (!item->good) {
        item_find(item, FOUND_LEAF_SYNTAX);
    }
}

/* ---- stage 4 ---- */

static bool
has_envelope(enum leaf_kind kind)
{
    return kind != LEAF_GENESIS;
}

/* Bundles of small branches may be; nobody can tell where the policy is not known. */
static bool
may_be_withheld(const struct verify *v, enum leaf_kind kind)
{
    return (kind == LEAF_BUNDLE || kind == LEAF_CONFLICT) &&
           (!v->interpreted || v->election->policy.publish_min_ballots > 0);
}

void
item_envelope(const struct verify *v, struct item *item, const struct record *record)
{
    const bool there = record->withheld || record->bytes.len > 0;
    if (!item->good) {
        return;
    }
    if (!has_envelope(item->leaf.kind)) {
        item->found |= there ? FOUND_BIT(FOUND_ENVELOPE_UNEXPECTED) : 0;
        return;
    }
    if (record->withheld && may_be_withheld(v, item->leaf.kind)) {
        item->envelope = ITEM_WITHHELD;
        return;
    }
    if (record->withheld || record->bytes.len == 0) {
        item_find(item, FOUND_ENVELOPE_MISSING);
        return;
    }
    const struct tly_hash hash = sys_sha256(record->bytes);
    if (record->bytes.len != item->leaf.envelope_len || !tly_hash_eq(&hash, &item->leaf.envelope)) {
        item_find(item, FOUND_ENVELOPE_HASH);
        return;
    }
    item->envelope = ITEM_THERE;
    item->bytes    = record->bytes;
}

/* ---- codes ---- */

/* The value of the next line of a decision's target, when it is of this name. */
static bool
target_line(struct tly_bytes *lines, const char *name, struct tly_bytes *value)
{
    const size_t   len = strlen(name);
    const uint8_t *end = lines->len == 0 ? NULL : memchr(lines->data, '\n', lines->len);
    if (end == NULL || lines->len < len || memcmp(lines->data, name, len) != 0) {
        return false;
    }
    *value = (struct tly_bytes){lines->data + len, (size_t)(end - lines->data) - len};
    lines->len -= (size_t)(end + 1 - lines->data);
    lines->data = end + 1;
    return true;
}

/* Of `key`: the terminal is registered, unless it shall be, and the branch is one. */
static bool
key_resolve(const struct item_view *view, struct item *item)
{
    struct tly_bytes lines = item->leaf.held;
    struct tly_bytes text;
    struct tly_bytes code;
    if (!target_line(&lines, "action ", &text) || !target_line(&lines, "terminal ", &code)) {
        return false;
    }
    const bool added = tly_bytes_eq(text, tly_text(decision_action_name(KEY_ADD)));
    item->terminal   = registry_terminal(view->registry, code, REGISTRY_NOW);
    if (target_line(&lines, "branch ", &code)) {
        item->to = election_branch(view->v->election, code);
        return item->to.v != IX_NONE && (added || item->terminal.v != IX_NONE);
    }
    return added || item->terminal.v != IX_NONE;
}

/* Every code that the target names is one of the definition, and they belong together. */
static bool
target_resolve(const struct election *e, struct item *item)
{
    struct tly_bytes lines = item->leaf.held;
    struct tly_bytes code;
    bool             known = true;
    if (target_line(&lines, "branch ", &code)) {
        item->branch = election_branch(e, code);
        known        = item->branch.v != IX_NONE;
    }
    if (target_line(&lines, "contest ", &code)) {
        item->contest = election_contest(e, code);
        known         = known && item->contest.v != IX_NONE;
    }
    if (known && item->branch.v != IX_NONE && item->contest.v != IX_NONE) {
        known = election_slot(e, item->branch, item->contest).v != IX_NONE;
    }
    if (known && target_line(&lines, "candidate ", &code)) {
        item->candidate = election_candidate(e, item->contest, code);
        known           = item->candidate.v != IX_NONE;
    }
    return known;
}

/* May this terminal speak for this branch with this key? */
static bool
key_fits(const struct registry *r, const struct item *item)
{
    if (item->terminal.v == IX_NONE) {
        return false;
    }
    const struct terminal *t = registry_row(r, item->terminal);
    return tly_hash_eq(&t->keyid, &item->leaf.key) && t->state == TERMINAL_ACTIVE &&
           (item->branch.v == IX_NONE || t->branch.v == item->branch.v);
}

static void
resolve(const struct item_view *view, struct item *item)
{
    const struct election *e     = view->v->election;
    bool                   known = true;
    item->branch                 = (struct branch_ix){IX_NONE};
    item->to                     = (struct branch_ix){IX_NONE};
    item->contest                = (struct contest_ix){IX_NONE};
    item->candidate              = (struct candidate_ix){IX_NONE};
    item->terminal               = (struct terminal_ix){IX_NONE};
    if (item->leaf.kind == LEAF_BUNDLE || item->leaf.kind == LEAF_CONFLICT) {
        item->branch = election_branch(e, tly_text(item->leaf.branch));
        item->terminal =
            registry_terminal(view->registry, tly_text(item->leaf.terminal), REGISTRY_NOW);
        known = item->branch.v != IX_NONE;
        item->found |= key_fits(view->registry, item) ? 0 : FOUND_BIT(FOUND_LEAF_KEY);
    } else if (item->leaf.kind == LEAF_RESULT) {
        struct tly_bytes lines = item->leaf.held;
        struct tly_bytes code  = {0};
        item->scope.v          = IX_NONE;
        if (target_line(&lines, "scope ", &code)) {
            item->scope = election_area(e, code);
        }
        known = item->scope.v != IX_NONE;
    } else if (item->leaf.kind == LEAF_KEY) {
        known = key_resolve(view, item);
    } else if (leaf_is_decision(item->leaf.kind)) {
        known = target_resolve(e, item);
    }
    item->found |= known ? 0 : FOUND_BIT(FOUND_LEAF_BRANCH);
}

/* ---- stage 6: what all documents have ---- */

enum tly_err
item_open(struct item *item, const struct item_limits *limits, struct tly_arena *scratch,
          struct envelope *out, bool *opened)
{
    *opened          = false;
    enum tly_err err = item->bytes.len > limits->envelope_max
                           ? TLY_ETOOBIG
                           : envelope_parse(item->bytes, limits->payload_max, scratch, out, NULL);
    if (err == TLY_ENOMEM) {
        return err;
    }
    if (err != TLY_OK) {
        item_find(item, FOUND_ENVELOPE_SYNTAX);
        return TLY_OK;
    }
    if (!tly_bytes_eq(out->type, tly_text(limits->type))) {
        item_find(item, FOUND_ENVELOPE_TYPE);
        return TLY_OK;
    }
    const struct tly_hash hash = sys_sha256(out->payload);
    if (out->payload.len != item->leaf.payload_len || !tly_hash_eq(&hash, &item->leaf.payload)) {
        item_find(item, FOUND_PAYLOAD_HASH);
        return TLY_OK;
    }
    *opened = true;
    return TLY_OK;
}

enum tly_err
item_interpret(const struct item_view *view, struct item *item, struct tly_arena *keep)
{
    resolve(view, item);
    if (item->envelope != ITEM_THERE) {
        return TLY_OK;
    }
    return leaf_is_decision(item->leaf.kind) ? item_decision(view, item, keep)
                                             : item_bundle(view, item, keep);
}

/* What item_interpret() can find. */
#define INTERPRETED                                                                                \
    (FOUND_BIT(FOUND_LEAF_BRANCH) | FOUND_BIT(FOUND_LEAF_KEY) | FOUND_BIT(FOUND_ENVELOPE_SYNTAX) | \
     FOUND_BIT(FOUND_ENVELOPE_TYPE) | FOUND_BIT(FOUND_PAYLOAD_HASH) |                              \
     FOUND_BIT(FOUND_ENVELOPE_SIGNATURE) | FOUND_BIT(FOUND_BUNDLE_COSIGNERS) |                     \
     FOUND_BIT(FOUND_DECISION_SIGNERS) | FOUND_BIT(FOUND_RESULT_SIGNERS) |                         \
     FOUND_BIT(FOUND_PAYLOAD_SYNTAX) | FOUND_BIT(FOUND_PAYLOAD_LEAF) | FOUND_BIT(FOUND_LEAF_HELD))

/* Is the registry of the package as good as the newer one for this entry? */
static bool
is_same(const struct item_view *view, const struct item *item)
{
    const struct registry *before = view->v->registry;
    if (item->leaf.kind != LEAF_BUNDLE && item->leaf.kind != LEAF_CONFLICT) {
        return item->leaf.kind != LEAF_KEY;
    }
    return registry_terminal(view->registry, tly_text(item->leaf.terminal), REGISTRY_NOW).v ==
               item->terminal.v &&
           registry_terminal_by_keyid(view->registry, &item->leaf.key, REGISTRY_NOW).v ==
               registry_terminal_by_keyid(before, &item->leaf.key, REGISTRY_NOW).v;
}

enum tly_err
item_again(const struct item_view *view, struct item *item, struct tly_arena *keep)
{
    if (!item->good || view->registry == view->v->registry || is_same(view, item)) {
        return TLY_OK;
    }
    item->found &= ~INTERPRETED;
    return item_interpret(view, item, keep);
}
