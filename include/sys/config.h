/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: one table row each is the parser, the range check, --print-config and the sample file.
 *
 * A file is lines `key = value`; empty lines and lines that begin with '#' are skipped.  A key that
 * is unknown or stands twice, and a value out of range, are refused with file, line and range. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define CONFIG_FILE_MAX ((size_t)64 << 10) /* bytes of a settings file */

/*          field in the struct   written as                  min and max are */
enum config_type {
    CONFIG_UINT,  /* uint64_t     4096                        values */
    CONFIG_MS,    /* uint64_t     250ms 30s 5m 2h 1d          milliseconds */
    CONFIG_BYTES, /* uint64_t     4096 64K 64M 2G (1024s)     bytes */
    CONFIG_BOOL,  /* bool         yes no                      not used */
    CONFIG_TEXT,  /* const char * the rest of the line        lengths */
    CONFIG_PATH,  /* const char * the same; a relative one counts from the settings file's folder */
};

struct config_row {
    const char      *name;
    enum config_type type;
    size_t           offset;   /* offsetof the field */
    const char      *standard; /* the default, written as in a file */
    uint64_t         min, max;
    const char      *sentence; /* what it does, for the sample file */
};

struct config_table {
    const struct config_row *rows;
    size_t                   rows_n;
    size_t                   settings_size; /* sizeof the struct that the offsets are of */
};

/* Fills the whole struct: each row's field from the text or from its default, all else with zero.
 *
 * file:    for the diag, and whose folder relative paths count from.
 * Owns:    texts are in the arena; *settings is written on failure, too: read into a fresh struct
 *          and swap.
 * Errors:  TLY_EINPUT (diag: "FILE:LINE: ..." with the range), TLY_ENOMEM */
TLY_MUST enum tly_err config_parse(const struct config_table *table, const char *file,
                                   struct tly_bytes text, struct tly_arena *arena, void *settings,
                                   struct tly_diag *diag);
/* Reads the file and parses it; NULL: only defaults.  Errors: those of file_read() as well. */
TLY_MUST enum tly_err config_load(const struct config_table *table, const char *file,
                                  struct tly_arena *arena, void *settings, struct tly_diag *diag);

/* Every setting in force, as a file that config_parse() takes. */
void config_print(const struct config_table *table, const void *settings, FILE *out);
/* The sample file: every setting with its sentence and range, commented out at its default. */
void config_sample(const struct config_table *table, FILE *out);
