/* SPDX-License-Identifier: Apache-2.0 */
/* What the verifier says: one line of JSON, the same bytes as the other verifier's, or a text for people. */
#pragma once

#include <stdio.h>

#include "verify.h"

/* Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err report_json(const struct verify *v, FILE *out);
TLY_MUST enum tly_err report_text(const struct verify *v, FILE *out);
