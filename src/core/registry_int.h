/* SPDX-License-Identifier: Apache-2.0 */
/* What the package's index (registry.c) and the rows made since (registry_version.c) share. */
#pragma once

#include "core/registry.h"

enum registry_by { REGISTRY_BY_KEYID, REGISTRY_BY_CERT, REGISTRY_BYS_N };

/* The last row, as the first `at` entries made it, that has the hash.  first: the package's row that
 * has it, IX_NONE: it has none, so that one made since is looked for. */
struct terminal_ix registry_follow(const struct registry *registry, uint32_t first,
                                   enum registry_by by, const struct tly_hash *hash, uint64_t at);
