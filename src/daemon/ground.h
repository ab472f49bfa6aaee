/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon stands on: definition, registry, keys, certificates; loaded once, checked whole.
 */
#pragma once

#include "core/election.h"
#include "core/note.h"
#include "core/registry.h"
#include "settings.h"

struct ground {
    struct tly_arena arena;
    struct election *election;
    struct registry *registry;
    struct note_vkey vkey; /* the name at first; the key is the signer's to say */
    const char      *cert_pem, *key_pem;
};

/* Loads and verifies everything that the settings name; every fault of a package is logged.
 * config_file: whose folder relative root keys count from; NULL: none.
 * Errors: those of packages_load(), keyfile_read_*(), file_read(); TLY_EINPUT server_cert and
 * server_key are nothing that a server can show today. */
TLY_MUST enum tly_err ground_load(const struct settings *settings, const char *config_file,
                                  struct ground *out, struct tly_diag *diag);
/* Can all three listeners be had?  Asked before anything slow, and before a daemon that runs is
 * fenced by one that then cannot listen.
 * Errors: TLY_EINPUT, TLY_EIO; TLY_ECONFLICT somebody listens there already. */
TLY_MUST enum tly_err ground_listeners_check(const struct settings *settings,
                                             struct tly_diag       *diag);
void                  ground_done(struct ground *ground);
