/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>

#include "base/check.h"
#include "base/num.h"
#include "sys/file.h"

#define ROWS_MAX 128 /* of a table: the set of keys already seen is on the stack */

struct unit {
    const char *name;
    uint64_t    factor;
};

/* Largest first, so that printing takes the first that divides. */
static const struct unit ms_units[]    = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
                                          {"s", 1000},     {"ms", 1},      {NULL, 0}};
static const struct unit bytes_units[] = {
    {"G", 1U << 30}, {"M", 1U << 20}, {"K", 1U << 10}, {"", 1}, {NULL, 0}};
static const struct unit plain_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *
units_of(enum config_type type)
{
    if (type == CONFIG_MS) {
        return ms_units;
    }
    return type == CONFIG_BYTES ? bytes_units : plain_units;
}

static bool
is_number(enum config_type type)
{
    return type == CONFIG_UINT || type == CONFIG_MS || type == CONFIG_BYTES;
}

/* Digits and one of the units (a bare 0 needs none); false: malformed or over 2^64-1. */
static bool
number_read(struct tly_bytes text, const struct unit *units, uint64_t *out)
{
    uint64_t value = 0;
    size_t   i     = 0;
    while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9') {
        i++;
    }
    if (!tly_u64_parse((struct tly_bytes){text.data, i}, UINT64_MAX, &value)) {
        return false;
    }
    const struct tly_bytes unit = {text.data + i, text.len - i};
    if (unit.len == 0 && value == 0) {
        *out = 0;
        return true;
    }
    for (; units->name != NULL; units++) {
        if (tly_bytes_eq(unit, tly_text(units->name))) {
            return !__builtin_mul_overflow(value, units->factor, out);
        }
    }
    return false;
}

static void
number_print(uint64_t value, const struct unit *units, char out[static 32])
{
    while (units->factor > 1 && (value == 0 || value % units->factor != 0)) {
        units++;
    }
    (void)snprintf(out, 32, "%" PRIu64 "%s", value / units->factor, units->name);
}

/* "1 to 65535", "1ms to 5m", "yes or no", "1 to 255 bytes of text". */
static void
range_print(const struct config_row *row, char out[static 96])
{
    char min[32];
    char max[32];
    number_print(row->min, units_of(row->type), min);
    number_print(row->max, units_of(row->type), max);
    if (row->type == CONFIG_BOOL) {
        (void)snprintf(out, 96, "yes or no");
    } else if (is_number(row->type)) {
        (void)snprintf(out, 96, "%s to %s", min, max);
    } else {
        (void)snprintf(out, 96, "%s to %s bytes of text", min, max);
    }
}

static bool
bool_read(struct tly_bytes text, bool *out)
{
    *out = tly_bytes_eq(text, tly_text("yes"));
    return *out || tly_bytes_eq(text, tly_text("no"));
}

/* A text into the arena; a relative path behind the folder of the settings file. */
static const char *
text_keep(const struct config_row *row, const char *file, struct tly_bytes text,
          struct tly_arena *arena)
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    if (row->type != CONFIG_PATH || slash == NULL || text.len == 0 || text.data[0] == '/') {
        return tly_arena_text(arena, text);
    }
    const size_t dir_len = (size_t)(slash - file) + 1;
    char        *path    = tly_arena_alloc(arena, dir_len + text.len + 1, 1);
    if (path != NULL) {
        memcpy(path, file, dir_len);
        memcpy(path + dir_len, text.data, text.len);
    }
    return path;
}

/* Sets one field; TLY_EINPUT without a diag when the value does not fit the row. */
static enum tly_err
field_set(const struct config_row *row, const char *file, struct tly_bytes value,
          struct tly_arena *arena, void *settings)
{
    char *field = (char *)settings + row->offset;
    if (is_number(row->type)) {
        uint64_t number;
        if (!number_read(value, units_of(row->type), &number) || number < row->min ||
            number > row->max) {
            return TLY_EINPUT;
        }
        memcpy(field, &number, sizeof number);
        return TLY_OK;
    }
    if (row->type == CONFIG_BOOL) {
        bool yes;
        if (!bool_read(value, &yes)) {
            return TLY_EINPUT;
        }
        memcpy(field, &yes, sizeof yes);
        return TLY_OK;
    }
    if (value.len < row->min || value.len > row->max) {
        return TLY_EINPUT;
    }
    const char *text = text_keep(row, file, value, arena);
    if (text == NULL) {
        return TLY_ENOMEM;
    }
    memcpy(field, &text, sizeof text);
    return TLY_OK;
}

static struct tly_bytes
trim(struct tly_bytes text)
{
    while (text.len > 0 && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

/* Where a file is being read, and what was set so far. */
struct reader {
    const struct config_table *table;
    const char                *file;
    struct tly_arena          *arena;
    void                      *settings;
    unsigned                   line;
    bool                       seen[ROWS_MAX];
};

static const struct config_row *
row_find(const struct config_table *table, struct tly_bytes name)
{
    for (size_t i = 0; i < table->rows_n; i++) {
        if (tly_bytes_eq(name, tly_text(table->rows[i].name))) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static bool
has_control(struct tly_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((text.data[i] < 0x20 && text.data[i] != '\t') || text.data[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

static enum tly_err
line_read(struct reader *rd, struct tly_bytes line, struct tly_diag *diag)
{
    line = trim(line);
    if (line.len == 0 || line.data[0] == '#') {
        return TLY_OK;
    }
    const uint8_t *equals = memchr(line.data, '=', line.len);
    if (equals == NULL || has_control(line)) {
        return tly_fail(diag, TLY_EINPUT, "%s:%u: not a line of the form key = value", rd->file,
                        rd->line);
    }
    const struct tly_bytes name = trim((struct tly_bytes){line.data, (size_t)(equals - line.data)});
    const struct tly_bytes value =
        trim((struct tly_bytes){equals + 1, line.len - (size_t)(equals - line.data) - 1});
    const struct config_row *row = row_find(rd->table, name);
    if (row == NULL) {
        return tly_fail(diag, TLY_EINPUT, "%s:%u: no setting is called \"%.*s\"", rd->file,
                        rd->line, name.len > 64 ? 64 : (int)name.len, (const char *)name.data);
    }
    bool *seen = &rd->seen[row - rd->table->rows];
    if (*seen) {
        return tly_fail(diag, TLY_EINPUT, "%s:%u: %s is set twice", rd->file, rd->line, row->name);
    }
    *seen                  = true;
    const enum tly_err err = field_set(row, rd->file, value, rd->arena, rd->settings);
    if (err == TLY_EINPUT) {
        char range[96];
        range_print(row, range);
        return tly_fail(diag, err, "%s:%u: %s = \"%.*s\" is not in %s", rd->file, rd->line,
                        row->name, value.len > 64 ? 64 : (int)value.len, (const char *)value.data,
                        range);
    }
    return err;
}

enum tly_err
config_parse(const struct config_table *table, const char *file, struct tly_bytes text,
             struct tly_arena *arena, void *settings, struct tly_diag *diag)
{
    TLY_CHECK(table->rows_n <= ROWS_MAX);
    struct reader rd = {.table = table, .file = file, .arena = arena, .settings = settings};
    memset(settings, 0, table->settings_size);
    for (size_t at = 0; at < text.len;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        const size_t   len = end == NULL ? text.len - at : (size_t)(end - (text.data + at));
        rd.line++;
        const enum tly_err err = line_read(&rd, (struct tly_bytes){text.data + at, len}, diag);
        if (err != TLY_OK) {
            return err;
        }
        at += len + 1;
    }
    for (size_t i = 0; i < table->rows_n; i++) {
        if (!rd.seen[i]) {
            const struct config_row *row = &table->rows[i];
            const enum tly_err err = field_set(row, file, tly_text(row->standard), arena, settings);
            TLY_CHECK(err != TLY_EINPUT); /* a default outside its own range */
            if (err != TLY_OK) {
                return err;
            }
        }
    }
    return TLY_OK;
}

enum tly_err
config_load(const struct config_table *table, const char *file, struct tly_arena *arena,
            void *settings, struct tly_diag *diag)
{
    struct tly_bytes text = {NULL, 0};
    if (file != NULL) {
        const enum tly_err err = file_read(file, CONFIG_FILE_MAX, arena, &text, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return config_parse(table, file, text, arena, settings, diag);
}

void
config_print(const struct config_table *table, const void *settings, FILE *out)
{
    for (size_t i = 0; i < table->rows_n; i++) {
        const struct config_row *row   = &table->rows[i];
        const char              *field = (const char *)settings + row->offset;
        char                     number[32];
        const char              *text = number;
        if (is_number(row->type)) {
            uint64_t value;
            memcpy(&value, field, sizeof value);
            number_print(value, units_of(row->type), number);
        } else if (row->type == CONFIG_BOOL) {
            bool yes;
            memcpy(&yes, field, sizeof yes);
            text = yes ? "yes" : "no";
        } else {
            memcpy(&text, field, sizeof text);
        }
        (void)fprintf(out, "%s = %s\n", row->name, text);
    }
}

void
config_sample(const struct config_table *table, FILE *out)
{
    for (size_t i = 0; i < table->rows_n; i++) {
        const struct config_row *row = &table->rows[i];
        char                     range[96];
        range_print(row, range);
        (void)fprintf(out, "%s# %s (%s)\n#%s = %s\n", i == 0 ? "" : "\n", row->sentence, range,
                      row->name, row->standard);
    }
}
