/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"

#undef tly_fail
#undef tly_fail_at

struct row {
    const char    *name;
    const char    *text;
    int            http;
    enum tly_blame blame;
};

#define ROW(name, http, blame, text) [TLY_##name] = {#name, text, http, TLY_##blame},
static const struct row rows[TLY_ERR_N] = {TLY_ERR_TABLE(ROW)};
#undef ROW

static const struct row *
row_of(enum tly_err err)
{
    TLY_CHECK((unsigned)err < TLY_ERR_N);
    return &rows[err];
}

const char *
tly_err_name(enum tly_err err)
{
    return row_of(err)->name;
}

const char *
tly_err_text(enum tly_err err)
{
    return row_of(err)->text;
}

int
tly_err_http(enum tly_err err)
{
    return row_of(err)->http;
}

enum tly_blame
tly_err_blame(enum tly_err err)
{
    return row_of(err)->blame;
}

enum tly_err
tly_fail(struct tly_diag *diag, enum tly_err err, const char *format, ...)
{
    if (diag != NULL) {
        va_list args;
        va_start(args, format);
        diag->code[0]  = '\0';
        diag->field[0] = '\0';
        (void)vsnprintf(diag->text, sizeof diag->text, format, args);
        va_end(args);
    }
    return err;
}

enum tly_err
tly_fail_at(struct tly_diag *diag, enum tly_err err, const char *code, const char *field,
            const char *format, ...)
{
    if (diag != NULL) {
        va_list args;
        va_start(args, format);
        (void)snprintf(diag->code, sizeof diag->code, "%s", code);
        (void)snprintf(diag->field, sizeof diag->field, "%s", field);
        (void)vsnprintf(diag->text, sizeof diag->text, format, args);
        va_end(args);
    }
    return err;
}
