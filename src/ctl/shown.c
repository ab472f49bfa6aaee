/* SPDX-License-Identifier: Apache-2.0 */
#include "shown.h"

#include <stdio.h>

const char *
shown_number(const json_t *object, const char *key, char out[24])
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value)) {
        return "-";
    }
    (void)snprintf(out, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return out;
}

const char *
shown_text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value == NULL ? "" : value;
}

const char *
shown_name(const json_t *object)
{
    const json_t *name = json_object_get(object, "name");
    const char   *en   = json_string_value(json_object_get(name, "en"));
    const char   *fa   = json_string_value(json_object_get(name, "fa"));
    return en != NULL && en[0] != '\0' ? en : fa != NULL ? fa : "";
}
