/* SPDX-License-Identifier: Apache-2.0 */
/* The published folder (doc/formats.md): what anybody needs to recompute every number, as files
 * that any web server can offer.  They are made from book and envelopes, so that nothing here waits
 * for the disk; at the start the folder is compared with the ledger and completed.
 *
 * One thread at a time: the main one at the start, then the sequencer's.
 *
 *   publish_open() publish_begin()  publish_add() for each entry  publish_complete()
 *   then publish_batch() and publish_turn(), publish_missing() when a write failed */
#pragma once

#include "base/base64.h"
#include "core/book.h"
#include "core/seq.h"

#define PUBLISH_CHECKPOINT "checkpoint"
#define PUBLISH_POLICY     "policy"
#define PUBLISH_DOC        "doc"

struct publish;

/* What is borrowed lives as long as the object. */
struct publish_config {
    const char             *dir;
    const struct election  *election;
    const struct book      *book;
    const struct note_vkey *vkey;
    const char             *definition, *registry; /* the packages' folders */
    struct tly_hash         definition_hash, registry_hash;
    const char             *policy;      /* lines behind the log's; "": "quorum none" */
    unsigned                interval_ms; /* least time between two checkpoints */
};

/* An envelope's exact bytes: head, base64 of payload, tail. */
struct publish_envelope {
    struct tly_bytes head, payload, tail;
    enum tly_base64  alphabet;
};

/* Takes the folder and reads its checkpoint; nothing in it is changed.
 *
 * Errors:  TLY_EBUSY     another process publishes there
 *          TLY_ECORRUPT  its checkpoint is not one of this log and key
 *          TLY_EIO, TLY_ENOMEM */
TLY_MUST enum tly_err publish_open(const struct publish_config *config, struct publish **out,
                                   struct tly_diag *diag);
void                  publish_close(struct publish *p); /* NULL is fine */

/* The head of the checkpoint that publish_open() found; size 0: there was none. */
struct note_head publish_found(const struct publish *p);
/* The ledger has `size` entries as far as is known: what will be compared. */
void publish_begin(struct publish *p, uint64_t size);
/* The next entry, which is in the book.  envelope: NULL has none; withheld: it stays out.
 *
 * Errors:  TLY_ECORRUPT  the folder's checkpoint is of another ledger
 *          TLY_EIO       a file cannot be written */
TLY_MUST enum tly_err publish_add(struct publish *p, uint64_t position,
                                  const struct publish_envelope *envelope, bool withheld,
                                  struct tly_diag *diag);
/* After the newest head was signed: makes all the rest, removes what is stale, names what does not
 * belong there, and puts the checkpoint into its place.
 *
 * Errors:  TLY_ECORRUPT  the folder was published from a longer or another ledger (nothing in it was
 *                        changed then); a package changed since it was loaded
 *          TLY_EIO, TLY_ENOMEM */
TLY_MUST enum tly_err publish_complete(struct publish *p, struct tly_diag *diag);

/* A batch is in the book, and its head signed.  When a file cannot be written its entries are
 * missing from then on: publish_missing().  Errors: TLY_EIO. */
TLY_MUST enum tly_err publish_batch(struct publish *p, const struct seq_batch *batch,
                                    struct tly_diag *diag);
/* A batch is in the book, and shall not be published now: its entries are missing. */
void publish_leave(struct publish *p);
/* True: entries from *from on have to be given to publish_add() again. */
bool publish_missing(struct publish *p, uint64_t *from);
/* Publishes what is new, when the last checkpoint is old enough; now_ms of clock_mono_ms().
 * *due_ms: when to call again, UINT64_MAX: nothing is waiting.  Errors: TLY_EIO. */
TLY_MUST enum tly_err publish_turn(struct publish *p, uint64_t now_ms, uint64_t *due_ms,
                                   struct tly_diag *diag);
/* The first entry of the book that is another than the one that was published at its place under the
 * checkpoint that publish_open() found, and that one's leaf text, in the arena.  False: there is
 * none, or the published entries are not whole. */
TLY_MUST bool publish_blame(const struct publish *p, struct tly_arena *arena, uint64_t *position,
                            struct tly_bytes *leaf);
/* Entries below the checkpoint in the folder. */
uint64_t publish_size(const struct publish *p);
/* Cosignature lines ("— NAME BASE64\n" each) of the head of that size: they stand in the checkpoint
 * as long as it is the one of that size.  Errors: TLY_EINPUT not such lines; TLY_ETOOBIG; TLY_EIO. */
TLY_MUST enum tly_err publish_cosign(struct publish *p, uint64_t size, struct tly_bytes lines,
                                     struct tly_diag *diag);
