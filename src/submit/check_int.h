/* SPDX-License-Identifier: Apache-2.0 */
/* What a check of one bundle came to, for those who print it. */
#pragma once

#include "core/bundle.h"
#include "core/tally.h"
#include "submit/recording.h"

/* One finding, as a line of the report. */
struct check_line {
    const char *code, *level; /* "N02", "HOLD" */
    const char *contest;      /* NULL: the whole bundle */
    const char *field;        /* "": of none */
    bool        has_values;
    uint64_t    left, right, tolerance;
    const char *twin;   /* P08: the other branch */
    const char *detail; /* REJECT: what exactly is wrong, with the value */
    const char *text_en, *text_fa, *advice_en, *advice_fa;
};

struct check_report {
    const char              *file;
    const struct recorded   *item;
    const struct election   *election;
    const struct registry   *registry;
    const struct bundle     *bundle;   /* NULL: refused */
    int                      status;   /* that the daemon would answer; 0: the line is no bundle */
    uint64_t                 revision; /* 0: cannot be read */
    const char              *branch, *terminal; /* as it says; NULL: cannot be read */
    const struct check_line *lines;
    uint32_t                 lines_n;
    bool                     more; /* more was found than there are lines */
};

bool check_is_flagged(const struct check_report *report);
void check_show_text(const struct check_report *report);
void check_show_json(const struct check_report *report);
