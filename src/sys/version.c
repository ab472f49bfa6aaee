/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/version.h"

const char *
version_text(void)
{
    return TLY_VERSION;
}
