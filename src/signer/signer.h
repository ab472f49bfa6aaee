/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of tally-signer: its key, what it signed last, who may ask. */
#pragma once

#include <sys/types.h>

#include "core/signwire.h"
#include "settings.h"
#include "slots.h"

struct signer {
    struct sign_secret *secret; /* in memory of its own: secret.c */
    struct note_vkey    vkey;
    struct slots        slots;
};

/* secret.c */

/* No core dump, no debugger, nothing of this process in swap; what cannot be had is logged. */
void signer_close_process(void);
/* Reads the key into memory that is locked and guarded; the vkey comes from it and the origin.
 * Errors: TLY_EINPUT origin or key are none; those of keyfile_read_secret(); TLY_ENOMEM. */
TLY_MUST enum tly_err signer_key(struct signer *signer, const struct settings *settings,
                                 struct tly_diag *diag);
void                  signer_key_wipe(struct signer *signer);

/* answer.c: the answer to a request, whatever its bytes.
 * Errors: TLY_EIO the head could not be remembered: nothing may be answered, the process must end.
 */
TLY_MUST enum tly_err signer_answer(struct signer *signer, struct tly_bytes request,
                                    char out[SIGNWIRE_ANSWER_MAX], size_t *len,
                                    struct tly_diag *diag);

/* listen.c: the socket that systemd passes, or one of our own.
 * Errors: TLY_ECONFLICT somebody listens there; TLY_EINPUT, TLY_EIO. */
TLY_MUST enum tly_err signer_listen(const struct settings *settings, int *out, bool *ours,
                                    struct tly_diag *diag);
/* The user and the group that the settings name.  Errors: TLY_EINPUT there is none of that name. */
TLY_MUST enum tly_err signer_client(const struct settings *settings, uid_t *out,
                                    struct tly_diag *diag);
TLY_MUST enum tly_err signer_group(const struct settings *settings, gid_t *out,
                                   struct tly_diag *diag);

struct serve {
    struct signer *signer;
    int            listen_fd;
    uid_t          client;
    unsigned       request_ms;
};

/* serve.c: answers until SIGTERM or SIGINT.  Errors: TLY_EIO: signer_answer(), or poll failed. */
TLY_MUST enum tly_err signer_serve(const struct serve *serve, struct tly_diag *diag);
