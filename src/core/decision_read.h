/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a decision, before anybody's signature is looked at. */
#pragma once

#include "core/decision.h"

/* Errors: as decision_read(), of the document and its target. */
TLY_MUST enum tly_err decision_document(const struct election *election, struct tly_bytes payload,
                                        struct tly_arena *arena, struct decision *out,
                                        struct tly_diag *diag);
