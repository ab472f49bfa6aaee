/* SPDX-License-Identifier: Apache-2.0 */
#include "core/method.h"

#include "methods.h"

#define ROW(name) &name##_method,
static const struct method *const rows[] = {METHODS_TABLE(ROW)};
#undef ROW

const struct method *
method_at(unsigned i)
{
    return i < TLY_N(rows) ? rows[i] : NULL;
}

const struct method *
method_find(struct tly_bytes name)
{
    unsigned i = 0;
    while (i < TLY_N(rows) && !tly_bytes_eq(name, tly_text(rows[i]->name))) {
        i++;
    }
    return method_at(i);
}

int
method_param_find(const struct method *method, struct tly_bytes name)
{
    for (unsigned i = 0; i < method->params_n; i++) {
        if (tly_bytes_eq(name, tly_text(method->params[i].name))) {
            return (int)i;
        }
    }
    return -1;
}
