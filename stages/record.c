/* SPDX-License-Identifier: MIT */
/* A field is: type, length of the name, name, then 8 bytes of a number or 2 of a text's length and the text.
 */
#include "stages/record.h"

#include <string.h>

#include "stages/error.h"

static uint8_t *append(struct record *record, enum record_type type, const char *name, size_t value_bytes)
{
    const size_t prefix = record->prefix ? strlen(record->prefix) : 0, length = strlen(name);
    const size_t need = 2 + prefix + length + value_bytes;
    if (length == 0 || prefix + length > RECORD_MAX_NAME || need > record->size_bytes - record->used_bytes)
        return NULL;
    uint8_t *at = record->block + record->used_bytes;
    at[0] = (uint8_t)type;
    at[1] = (uint8_t)(prefix + length);
    if (prefix)
        memcpy(at + 2, record->prefix, prefix);
    memcpy(at + 2 + prefix, name, length);
    record->used_bytes += need;
    return at + 2 + prefix + length;
}

int record_int(struct record *record, const char *name, int64_t value)
{
    if (!record)
        return 0;
    uint8_t *at = append(record, RECORD_INT, name, sizeof value);
    if (!at)
        return ERROR_INTERNAL;
    memcpy(at, &value, sizeof value);
    return 0;
}

int record_real(struct record *record, const char *name, double value)
{
    if (!record)
        return 0;
    uint8_t *at = append(record, RECORD_REAL, name, sizeof value);
    if (!at)
        return ERROR_INTERNAL;
    memcpy(at, &value, sizeof value);
    return 0;
}

int record_text(struct record *record, const char *name, const char *value)
{
    if (!record)
        return 0;
    const size_t length = strnlen(value, RECORD_MAX_TEXT);
    const uint16_t stored = (uint16_t)length;
    uint8_t *at = append(record, RECORD_TEXT, name, sizeof stored + length);
    if (!at)
        return ERROR_INTERNAL;
    memcpy(at, &stored, sizeof stored);
    memcpy(at + sizeof stored, value, length);
    return 0;
}

/* `length` bytes at the position, which moves behind them; NULL beyond the end. */
static const uint8_t *take(const struct record *record, size_t *position, size_t length)
{
    if (length > record->used_bytes - *position)
        return NULL;
    const uint8_t *at = record->block + *position;
    *position += length;
    return at;
}

int record_next(const struct record *record, size_t *position, struct record_field *field)
{
    if (record->used_bytes > record->size_bytes || *position > record->used_bytes)
        return ERROR_INTERNAL;
    if (*position == record->used_bytes)
        return 0;
    const uint8_t *head = take(record, position, 2);
    if (!head)
        return ERROR_INTERNAL;
    /* Copied before it is judged: who wrote it may still be writing. */
    const uint8_t type = head[0], name_bytes = head[1];
    const uint8_t *name =
        name_bytes && name_bytes <= RECORD_MAX_NAME ? take(record, position, name_bytes) : NULL;
    uint16_t text_bytes = 0;
    const uint8_t *value =
        name && type <= RECORD_TEXT ? take(record, position, type == RECORD_TEXT ? 2 : 8) : NULL;
    if (!value)
        return ERROR_INTERNAL;
    memset(field, 0, offsetof(struct record_field, text) + 1);
    field->type = (enum record_type)type;
    memcpy(field->name, name, name_bytes);
    if (type == RECORD_INT)
        memcpy(&field->integer, value, 8);
    if (type == RECORD_REAL)
        memcpy(&field->real, value, 8);
    if (type != RECORD_TEXT)
        return memchr(field->name, 0, name_bytes) ? ERROR_INTERNAL : 1;
    memcpy(&text_bytes, value, 2);
    const uint8_t *text = text_bytes <= RECORD_MAX_TEXT ? take(record, position, text_bytes) : NULL;
    if (!text)
        return ERROR_INTERNAL;
    memcpy(field->text, text, text_bytes);
    field->text[text_bytes] = '\0';
    return memchr(field->name, 0, name_bytes) || memchr(field->text, 0, text_bytes) ? ERROR_INTERNAL : 1;
}
