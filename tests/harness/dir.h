/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of the test's own, gone with everything in it when the test ends, also by a failure. */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/check.h"

static char t_dir_path[] = "/tmp/tally-test.XXXXXX";

static inline int
t_dir_remove_one(const char *path, TLY_UNUSED const struct stat *st, TLY_UNUSED int type,
                 TLY_UNUSED struct FTW *at)
{
    return remove(path);
}

static inline void
t_dir_remove(void)
{
    (void)nftw(t_dir_path, t_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Makes it; once a test. */
static inline const char *
t_dir(void)
{
    const char *made = mkdtemp(t_dir_path);
    TLY_CHECK(made != NULL);
    const int error = atexit(t_dir_remove);
    TLY_CHECK(error == 0);
    return t_dir_path;
}
