/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what payload_parse() read with what jansson reads from the same bytes. */
#pragma once

#include <jansson.h>
#include <stdlib.h>

#include "base/hex.h"
#include "core/payload.h"

static inline bool
pj_text(const json_t *object, const char *key, struct tly_bytes want)
{
    const json_t *v = json_object_get(object, key);
    return json_is_string(v) && json_string_length(v) == want.len &&
           memcmp(json_string_value(v), want.data, want.len) == 0;
}

static inline bool
pj_int(const json_t *object, const char *key, uint64_t want)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) && json_integer_value(v) >= 0 &&
           (uint64_t)json_integer_value(v) == want;
}

static inline bool
pj_hex(const json_t *object, const char *key, const uint8_t *want, size_t len)
{
    char hex[65];
    tly_hex(want, len, hex);
    return pj_text(object, key, tly_text(hex));
}

/* A reason keeps its escapes: jansson reads the raw text between quotes of our own. */
static inline bool
pj_reason(const json_t *contest, struct tly_bytes raw)
{
    const json_t *v    = json_object_get(contest, "not_held");
    char         *text = malloc(raw.len + 4);
    if (text == NULL) {
        abort();
    }
    memcpy(text, "[\"", 2);
    memcpy(text + 2, raw.data, raw.len);
    memcpy(text + 2 + raw.len, "\"]", 2);
    json_t    *alone = json_loadb(text, raw.len + 4, 0, NULL);
    const bool same  = json_is_string(v) && json_equal(json_array_get(alone, 0), v);
    json_decref(alone);
    free(text);
    return same;
}

static inline bool
pj_rows(const json_t *contest, const char *key, const struct payload_vote rows[], uint32_t n)
{
    const json_t *array = json_object_get(contest, key);
    if (!json_is_array(array) || json_array_size(array) != n) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        const json_t *row  = json_array_get(array, i);
        const json_t *code = json_array_get(row, 0);
        const json_t *v    = json_array_get(row, 1);
        if (json_array_size(row) != 2 || !json_is_string(code) ||
            json_string_length(code) != rows[i].code.len ||
            memcmp(json_string_value(code), rows[i].code.data, rows[i].code.len) != 0 ||
            !json_is_integer(v) || json_integer_value(v) != rows[i].votes) {
            return false;
        }
    }
    return true;
}

static inline bool
pj_contest(const json_t *j, const struct payload_contest *c, const struct payload_vote votes[])
{
    static const char *const plain[] = {"issued", "cast", "blank", "invalid", "valid", "excluded"};
    if (!pj_text(j, "contest", c->code)) {
        return false;
    }
    if (c->not_held.data != NULL) {
        return json_object_size(j) == 2 && pj_reason(j, c->not_held);
    }
    const json_t *a = json_object_get(j, "authenticated");
    bool same       = json_object_size(j) == (c->has_lists ? 11 : 9) && json_object_size(a) == 3 &&
                pj_int(a, "online", c->counts[COUNT_ONLINE]) &&
                pj_int(a, "offline", c->counts[COUNT_OFFLINE]) &&
                pj_int(a, "manual", c->counts[COUNT_MANUAL]);
    for (unsigned i = 0; i < TLY_N(plain); i++) {
        same = same && pj_int(j, plain[i], c->counts[COUNT_ISSUED + i]);
    }
    if (c->has_lists) {
        same = same && pj_int(j, "mixed", c->counts[COUNT_MIXED]) &&
               pj_rows(j, "lists", votes + c->lists_first, c->lists_n);
    }
    return same && pj_rows(j, "candidates", votes + c->candidates_first, c->candidates_n);
}

/* Does jansson accept the bytes too, with equal values? */
static inline bool
pj_agrees(struct tly_bytes in, const struct payload *p)
{
    json_t       *j = json_loadb((const char *)in.data, in.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *contests = json_object_get(j, "contests");
    bool          same =
        json_object_size(j) == 12 && pj_text(j, "election", p->election) &&
        pj_hex(j, "definition", p->definition.b, 32) &&
        pj_text(j, "phase", tly_text(p->phase == PHASE_OFFICIAL ? "official" : "rehearsal")) &&
        pj_text(j, "branch", p->branch) && pj_text(j, "terminal", p->terminal) &&
        pj_int(j, "revision", p->revision) && pj_hex(j, "salt", p->salt, 16) &&
        pj_int(j, "opened_at", p->opened_at) && pj_int(j, "closed_at", p->closed_at) &&
        pj_int(j, "made_at", p->made_at) &&
        (p->has_prev ? pj_hex(j, "prev", p->prev.b, 32)
                     : json_is_null(json_object_get(j, "prev"))) &&
        json_array_size(contests) == p->contests_n;
    for (uint32_t i = 0; i < p->contests_n && same; i++) {
        same = pj_contest(json_array_get(contests, i), &p->contests[i], p->votes);
    }
    json_decref(j);
    return same;
}
