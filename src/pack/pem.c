/* SPDX-License-Identifier: Apache-2.0 */
#include "pem.h"

int
pem_no_passphrase(char *buffer, int size, int writing, void *arg)
{
    (void)writing;
    (void)arg;
    if (size > 0) {
        buffer[0] = '\0';
    }
    return -1;
}
