/* SPDX-License-Identifier: MIT */
#include "pipeline/report/json_put.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/report/escape.h"

static bool is_utf8(const char *text)
{
    uint32_t point;
    for (size_t length; *text; text += length) {
        length = escape_sequence(text, &point);
        if (length == 0)
            return false;
    }
    return true;
}

void json_put(json_t *object, const char *key, json_t *value, bool *failed)
{
    if (json_object_set_new(object, key, value) < 0)
        *failed = true;
}

void json_put_count(json_t *object, const char *key, uint64_t value, bool *failed)
{
    json_put(object, key, json_integer((json_int_t)value), failed);
}

void json_put_text(json_t *object, const char *key, const char *text, bool *failed)
{
    if (!text) {
        json_put(object, key, json_null(), failed);
        return;
    }
    if (is_utf8(text)) {
        json_put(object, key, json_string(text), failed);
        return;
    }
    const size_t size = 4 * strlen(text) + 1;
    char *escaped = malloc(size);
    json_put(object, key, escaped ? json_string(escape_text(text, escaped, size)) : NULL, failed);
    json_put(object, "escaped", json_true(), failed);
    free(escaped);
}
