/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 6 of decisions and results documents. */
#include "core/decision.h"

#include "item.h"
#include "pack/json.h"

#define SCRATCH_MAX ((size_t)16 << 20)

/* The target as far as it tells who must sign: by the leaf's lines. */
static struct decision
target_of(const struct item_view *view, const struct item *item, enum policy_kind kind)
{
    struct decision  d    = {.kind = kind, .branch = item->branch, .contest = item->contest};
    struct tly_bytes held = item->leaf.held;
    if (kind == POLICY_KEY) {
        const char *assign = "action assign\n";
        d.key.before       = item->terminal;
        d.key.row.branch   = item->to;
        const bool assigned =
            held.len > strlen(assign) && memcmp(held.data, assign, strlen(assign)) == 0;
        d.key.action = assigned ? KEY_ASSIGN : KEY_ROTATE;
        if (item->to.v == IX_NONE && item->terminal.v != IX_NONE) {
            d.key.row.branch = registry_row(view->registry, item->terminal)->branch;
        }
    }
    return d;
}

static void
signers_check(const struct item_view *view, struct item *item, const struct envelope *envelope)
{
    const struct decision_rules rules = {.election = view->v->election, .registry = view->registry};
    struct decision_areas       areas;
    enum policy_kind            kind;
    if (!decision_of_leaf(item->leaf.kind, &kind)) {
        return;
    }
    const struct decision target = target_of(view, item, kind);
    decision_areas(&rules, &target, &areas);
    if (decision_signers(&rules, envelope, kind, &areas, NULL) != TLY_OK) {
        item_find(item, FOUND_DECISION_SIGNERS);
    }
}

/* The election as the document has its code and phase: that they are others is no fault of its form, but
 * of what the leaf says (payload.leaf). */
static struct election
as_document(const struct election *e, const json_t *root)
{
    struct election copy  = *e;
    const char     *code  = json_string_value(json_object_get(root, "election"));
    const char     *phase = json_string_value(json_object_get(root, "phase"));
    copy.code             = code == NULL ? e->code : code;
    if (phase != NULL) {
        (void)phase_find(tly_text(phase), &copy.phase);
    }
    return copy;
}

/* Leaves the document in the item, if the leaf says what it says. */
static enum tly_err
document_check(const struct item_view *view, struct item *item, struct tly_bytes payload,
               struct tly_arena *keep)
{
    const struct election *e = view->v->election;
    struct decision        d;
    TLY_AUTO(json)
    json_t                     *root = json_loadb((const char *)payload.data, payload.len, 0, NULL);
    const struct election       of   = as_document(e, root);
    const struct decision_rules rules = {.election = &of, .registry = view->registry};
    const enum tly_err          err   = decision_document(&rules, payload, keep, &d, NULL);
    if (err == TLY_ENOMEM) {
        return err;
    }
    if (err != TLY_OK) {
        item_find(item, FOUND_PAYLOAD_SYNTAX);
        return TLY_OK;
    }
    if (strcmp(of.code, e->code) != 0 || strcmp(of.code, item->leaf.election) != 0 ||
        of.phase != e->phase || decision_leaf(d.kind) != item->leaf.kind ||
        !tly_bytes_eq(d.target, item->leaf.held)) {
        item_find(item, FOUND_PAYLOAD_LEAF);
    }
    item->decision        = d;
    item->decision.reason = (struct tly_bytes){0}; /* lies in memory that goes */
    return TLY_OK;
}

static bool
codes_ok(const struct tly_bytes codes[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!codes_valid(codes[i])) {
            return false;
        }
    }
    return true;
}

/* Statuses are those that there are, codes are codes; which of them is for the numbers. */
static bool
words_ok(const struct results *results)
{
    static const char *const statuses[] = {"waiting", "partial",   "complete",
                                           "tied",    "certified", "annulled"};
    for (uint32_t i = 0; i < results->contests_n; i++) {
        const struct results_contest *c     = &results->contests[i];
        bool                          known = false;
        for (unsigned k = 0; k < TLY_N(statuses); k++) {
            known = known || tly_bytes_eq(c->status, tly_text(statuses[k]));
        }
        if (!known || !codes_valid(c->contest) || !codes_ok(c->winners, c->winners_n) ||
            !codes_ok(c->alternates, c->alternates_n) || !codes_ok(c->lists, c->lists_n)) {
            return false;
        }
    }
    return true;
}

static enum tly_err
results_check(const struct item_view *view, struct item *item, const struct envelope *envelope,
              struct tly_arena *keep)
{
    const struct election *e = view->v->election;
    struct tly_bytes       lines;
    TLY_AUTO(json)
    json_t *root = json_loadb((const char *)envelope->payload.data, envelope->payload.len, 0, NULL);
    const struct election       of    = as_document(e, root);
    const struct decision_rules own   = {.election = e, .registry = view->registry};
    const struct decision_rules rules = {.election = &of, .registry = view->registry};
    const struct decision_areas areas = {.at = {item->scope}, .n = 1};
    if (decision_signers(&own, envelope, POLICY_CERTIFY, &areas, NULL) != TLY_OK) {
        item_find(item, FOUND_RESULT_SIGNERS);
    }
    const enum tly_err err =
        results_document(&rules, envelope->payload, keep, &item->results, &lines, NULL);
    if (err == TLY_ENOMEM) {
        return err;
    }
    item->has_results = err == TLY_OK && words_ok(&item->results);
    if (!item->has_results) {
        item_find(item, FOUND_PAYLOAD_SYNTAX);
    } else if (strcmp(of.code, e->code) != 0 || strcmp(of.code, item->leaf.election) != 0 ||
               of.phase != e->phase || !tly_bytes_eq(lines, item->leaf.held)) {
        item_find(item, FOUND_PAYLOAD_LEAF);
    }
    return TLY_OK;
}

/* The document is kept whole: its numbers are compared in order. */
static enum tly_err
item_results(const struct item_view *view, struct item *item, struct tly_arena *keep)
{
    static const struct item_limits limits = {ENVELOPE_TYPE_RESULTS, RESULTS_ENVELOPE_MAX,
                                              RESULTS_PAYLOAD_MAX};
    struct envelope                 envelope;
    bool                            opened;
    const enum tly_err              err = item_open(item, &limits, keep, &envelope, &opened);
    return err != TLY_OK || !opened || item_has(item, FOUND_LEAF_BRANCH)
               ? err
               : results_check(view, item, &envelope, keep);
}

enum tly_err
item_decision(const struct item_view *view, struct item *item, struct tly_arena *keep)
{
    static const struct item_limits  limits  = {ENVELOPE_TYPE_DECISION, DECISION_ENVELOPE_MAX,
                                                DECISION_PAYLOAD_MAX};
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = SCRATCH_MAX};
    struct envelope                  envelope;
    bool                             opened;
    if (item->leaf.kind == LEAF_RESULT) {
        return item_results(view, item, keep);
    }
    const enum tly_err err = item_open(item, &limits, &scratch, &envelope, &opened);
    if (err != TLY_OK || !opened || item_has(item, FOUND_LEAF_BRANCH)) {
        return err;
    }
    signers_check(view, item, &envelope);
    return document_check(view, item, envelope.payload, keep);
}
