/* SPDX-License-Identifier: Apache-2.0 */
/* What a person decides (doc/formats.md): the document, who signed it, and whether it can stand at
 * its place in the ledger. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/book.h"
#include "core/envelope.h"
#include "core/registry.h"
#include "core/results.h"
#include "core/tally.h"

#define DECISION_PAYLOAD_MAX  ((size_t)96 << 10)
#define DECISION_ENVELOPE_MAX ((size_t)136 << 10)
#define DECISION_REASON_MAX   1000 /* bytes of the reason as it stands in the JSON */
#define DECISION_ORDER_MAX    1024 /* codes of a lot */
#define DECISION_TARGET_MAX   512  /* lines of the leaf */

enum decision_ground { GROUND_VETERAN, GROUND_DEGREE, GROUND_LOT, GROUNDS_N };

enum key_action { KEY_ADD, KEY_ROTATE, KEY_REVOKE, KEY_ASSIGN, KEY_ACTIONS_N };

/* What becomes of a terminal. */
struct decision_key {
    enum key_action        action;
    struct terminal_ix     before; /* its row as the document was read; IX_NONE: there was none */
    struct terminal        row;    /* what it shall be */
    bool                   new_key, new_cert; /* the document gives one */
    bool                   has_branch, has_dates;
    const struct registry *after; /* made by decision_register() */
};

/* A document that was read, a decision's or (results) one of published results, which is signed as a
 * certificate is and of which no other member means anything; indexes are of the election, texts are views of the payload. */
struct decision {
    enum policy_kind     kind;
    uint64_t             position; /* ledger entries that the signers saw */
    uint64_t             made_at;  /* Unix seconds */
    struct tly_bytes     reason;
    struct branch_ix     branch;    /* release explain annul reinstate; else IX_NONE */
    struct slot_ix       slot;      /* as branch */
    struct contest_ix    contest;   /* every kind but key and state: IX_NONE */
    struct candidate_ix  candidate; /* exclude; else IX_NONE */
    enum decision_ground ground;    /* lot */
    /* lot: places in the contest as candidates, and as lists (lists_n: "pool"); NULL: not all are.
     * order_of_lists: which of them the tie is about, set by decision_judge(). */
    const uint32_t     *candidates, *lists;
    uint32_t            order_n;
    bool                order_of_lists;
    uint64_t            at;     /* certify: ledger entries that the result is of */
    struct tly_hash     result; /* certify */
    struct lot         *lot;    /* lot: made by decision_keep() */
    struct decision_key key;    /* key */
    enum election_state state;  /* state */
    uint64_t            until;  /* state: Unix seconds, or ELECTION_NO_UNTIL */

    const struct results *results; /* NULL: a decision */

    struct envelope  envelope;
    struct tly_bytes target; /* lines of the leaf: "branch B\ncontest C\n" */
};

struct decision_rules {
    const struct election *election;
    const struct registry *registry;
    const struct speaker  *sender; /* NULL: stored already; else who posts it */
    uint64_t               at;     /* its position in the ledger; REGISTRY_NOW: it has none yet */
};

/* Reads and verifies an envelope: the document, then that as many different officers of every role
 * signed it as the policy asks for, all of them responsible for the target's area: of a terminal that
 * moves both where it was and where it comes to.
 *
 * Owns:   views of `in` and of the arena; *out untouched on failure.
 * Errors: TLY_EINPUT  S01: not an envelope, not this document; TLY_ETOOBIG
 *         TLY_ERANGE  A05 A07: another phase or election, no such target; a value out of range;
 *                     "kind": no kind of decision
 *         TLY_ENOKEY  A02: no registered officer's key verifies any signature
 *         TLY_EFORBID "quorum": too few of a role (the diag counts them, and says why one does not
 *                     count); "area": the sender is not responsible for the target
 *         TLY_ENOMEM */
TLY_MUST enum tly_err decision_read(const struct decision_rules *rules, struct tly_bytes in,
                                    struct tly_arena *arena, struct decision *out,
                                    struct tly_diag *diag);

/* The parts of decision_read(), for who reports all that is wrong (the verifier).
 *
 * decision_document(): the payload alone.  Errors: as decision_read(), of the document and its target.
 * decision_areas():    where its target lies: who signs or posts must be responsible for all of it.
 * decision_signers():  whether enough officers signed a decision of a kind for these; TLY_ENOKEY,
 *                      TLY_EFORBID. */
struct decision_areas {
    struct area_ix at[2];
    unsigned       n;
};
TLY_MUST enum tly_err decision_document(const struct decision_rules *rules,
                                        struct tly_bytes payload, struct tly_arena *arena,
                                        struct decision *out, struct tly_diag *diag);
void decision_areas(const struct decision_rules *rules, const struct decision *decision,
                    struct decision_areas *out);
TLY_MUST enum tly_err decision_signers(const struct decision_rules *rules,
                                       const struct envelope *envelope, enum policy_kind kind,
                                       const struct decision_areas *areas, struct tly_diag *diag);

/* Can it stand as the ledger's next entry?  The tally, and the book's registry, are as far as the book.
 *
 * Owns:   sets order_of_lists; the arena is for the outcome of the contest.
 * Errors: TLY_ECONFLICT the target changed since `position` (code "changed": the diag says what), or
 *         is not in a state that can be decided so (code "state"); TLY_ENOMEM. */
TLY_MUST enum tly_err decision_judge(const struct tally *tally, const struct book *book,
                                     struct decision *decision, struct tly_arena *arena,
                                     struct tly_diag *diag);
/* The two halves of decision_judge(): the target's state and its changes; and, of a certificate, that
 * the contest is complete, has no tie, and that the result is its result now.  Errors: as there. */
TLY_MUST enum tly_err decision_judge_state(const struct tally *tally, const struct book *book,
                                           struct decision *decision, struct tly_arena *arena,
                                           struct tly_diag *diag);
TLY_MUST enum tly_err decision_judge_result(const struct tally    *tally,
                                            const struct decision *decision,
                                            struct tly_arena *arena, struct tly_diag *diag);
/* Makes what the tally will keep of it, in the tally's arena.  false: no memory. */
TLY_MUST bool decision_keep(struct decision *decision, struct tly_arena *arena);
/* Of `key`: makes what it does at its position, key.after, from the newest version; of any other kind
 * nothing.  false: no memory. */
TLY_MUST bool decision_register(struct decision *decision, const struct registry *registry,
                                uint64_t position, struct tly_arena *arena);
/* Puts it in force; judged and kept. */
void decision_apply(struct tally *tally, const struct decision *decision, uint64_t position);
/* Whether what stands behind it must be judged with it: of key and state. */
bool decision_changes_rules(const struct decision *decision);

enum leaf_kind decision_leaf(enum policy_kind kind);
enum leaf_kind decision_leaf_of(const struct decision *decision); /* of results too */
bool           decision_of_leaf(enum leaf_kind leaf, enum policy_kind *out);
const char    *decision_ground_name(enum decision_ground ground);
const char    *decision_action_name(enum key_action action); /* "add" */
bool           decision_action_find(struct tly_bytes name, enum key_action *out);

/* SHA-256 over the contest's numbers and who is elected by them, as text (doc/api.md): what a
 * certificate names.  Does not depend on the position, nor on the order in the files.
 * Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err decision_result(const struct tally *tally, struct contest_ix contest,
                                      struct tly_arena *arena, struct tly_hash *out);
