/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What `git describe` said at build time ("0" outside a clone). */
const char *version_text(void);
