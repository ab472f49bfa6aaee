/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's side of tally-signer, which alone holds the log's key. */
#pragma once

#include "core/signwire.h"
#include "settings.h"

struct service;

/* A connection, made again whenever it fails.  Zeroed: none yet. */
struct signing {
    bool open;
    int  fd;
    bool away; /* the last attempt failed */
    bool redo; /* the journal is being put back: the signer may know a later head than the ledger */
    struct note_head last; /* the signer's newest head, as it said or as it signed since */
};

/* Says hello and ends: does it hold the key of this log?  vkey: name is the log's, the key is
 * written when it was all zero, else compared.
 * Errors: TLY_EBUSY nobody answers; TLY_EINPUT another log or key than vkey and `log_vkey`. */
TLY_MUST enum tly_err signing_try(const struct settings *settings, struct note_vkey *vkey,
                                  struct tly_diag *diag);
/* Waits for it, saying so, until somebody asks to stop (TLY_ELIMIT); then the log's vkey is known.
 * Errors: TLY_EINPUT as above. */
TLY_MUST enum tly_err signing_wait(struct service *service, struct tly_diag *diag);
/* The signer's newest head is one of this ledger, and none older than the ledger knows; while
 * `redo`, it may be one that the ledger has not reached again.
 * Errors: TLY_ECORRUPT it is not: which of the two went back, and what to do. */
TLY_MUST enum tly_err signing_compare(const struct service *service, struct tly_diag *diag);
/* For seq_effects.  Errors: TLY_EBUSY; TLY_ENOENT as there; TLY_ECORRUPT it refuses, or as
 * signing_compare(). */
TLY_MUST enum tly_err signing_sign(struct service *service, const struct note_head *head,
                                   struct tly_sig *out, struct tly_diag *diag);
/* Is it still there?  A new one is compared as at the start.  Errors: as signing_sign(). */
TLY_MUST enum tly_err signing_look(struct service *service, struct tly_diag *diag);
void                  signing_close(struct signing *c);
