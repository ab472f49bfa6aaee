/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void
tly_check_failed(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "<2>check.failed at=%s:%d condition=\"%s\"\n", file, line, condition);
    abort();
}
