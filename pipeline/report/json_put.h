/* SPDX-License-Identifier: MIT */
/* Members of JSON objects. Jansson ends up with NULL values where memory runs out, which these notice;
 * `failed` keeps that for the end. */
#ifndef PIPELINE_JSON_PUT_H
#define PIPELINE_JSON_PUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes over `value`. */
void json_put(json_t *object, const char *key, json_t *value, bool *failed);

void json_put_count(json_t *object, const char *key, uint64_t value, bool *failed);

/* NULL is null. A text that is no UTF-8 is given as escape_text writes it, and the object says so with
 * "escaped": true. */
void json_put_text(json_t *object, const char *key, const char *text, bool *failed);

#endif
