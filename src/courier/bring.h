/* SPDX-License-Identifier: Apache-2.0 */
/* Brings heads to one witness, and keeps its newest cosignature in a file. */
#pragma once

#include <stdio.h>

#include "core/trust.h"
#include "follow/follow.h"
#include "net/client.h"
#include "settings.h"

struct bring {
    const struct settings      *settings;
    const struct note_vkey     *log;
    const struct trust_witness *witness;
    struct source_url           url;
    struct client              *client;
    char                        path[FILENAME_MAX]; /* of the file */
    struct note_head            have;               /* the newest cosigned head */
    uint64_t                    have_s;             /* its time, Unix seconds; 0: none */
    uint64_t                    brought_ms; /* when it was given to us, by our clock; 0: not yet */
    uint64_t                    known;      /* the size that the witness is thought to know */
    struct tly_diag             said;       /* why it failed last, "" it did not: said once */
};

/* tls: for https, borrowed.  What the file holds already is read.
 * Errors: TLY_EINPUT (the witness's URL or name), TLY_ENOMEM. */
TLY_MUST enum tly_err bring_open(const struct settings *settings, const struct note_vkey *log,
                                 const struct trust_witness *witness, struct client_tls *tls,
                                 struct bring *out, struct tly_diag *diag);
void                  bring_close(struct bring *bring);

/* Must this head be brought (now_s: Unix seconds)?  Not one that it cosigned a moment ago. */
bool bring_due(const struct bring *bring, const struct note_head *head, uint64_t now_s);
/* Brings it, with a proof from the tree.
 *
 * Errors:  TLY_EBUSY      not now: not there, overloaded, half an answer
 *          TLY_ECONFLICT  it knows more than this head: what we read is behind
 *          TLY_ECORRUPT   it knows another root of this size, or does not accept the proof: the log
 *                         was forked
 *          TLY_EFORBID    it does not know the log, or does not take its signature
 *          TLY_EINPUT     the answer is no cosignature of this witness
 *          TLY_EIO        the file cannot be written */
TLY_MUST enum tly_err bring_head(struct bring *bring, const struct follow_head *head,
                                 const struct merkle *tree, struct tly_diag *diag);
/* bring_head(), and a line in the log when something changed.  False: it failed. */
bool bring_and_say(struct bring *bring, const struct follow_head *head, const struct merkle *tree);
