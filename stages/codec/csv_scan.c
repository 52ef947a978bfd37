/* SPDX-License-Identifier: MIT */
/* Cuts text into lines and fields. */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "stages/codec/csv_private.h"

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

bool csv_blank(uint8_t byte, uint8_t delimiter)
{
    return (byte == ' ' || byte == '\t') && byte != delimiter;
}

/* The first line end or quote, or `end`. */
static const uint8_t *find_special(const uint8_t *at, const uint8_t *end)
{
#ifdef __SSE2__
    const __m128i newline = _mm_set1_epi8('\n'), carriage = _mm_set1_epi8('\r'), quote = _mm_set1_epi8('"');
    for (; end - at >= 16; at += 16) {
        const __m128i text = _mm_loadu_si128((const __m128i *)(const void *)at);
        const __m128i found =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(text, newline), _mm_cmpeq_epi8(text, quote)),
                         _mm_cmpeq_epi8(text, carriage));
        const unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && !is_line_end(*at) && *at != '"')
        at++;
    return at;
}

static enum csv_end quoted_field(const uint8_t **at, const uint8_t *end, uint8_t delimiter,
                                 struct csv_field *field)
{
    const uint8_t *text = *at + 1, *quote = text;
    for (;;) {
        quote = memchr(quote, '"', (size_t)(end - quote));
        if (!quote) {
            *field = (struct csv_field){text, (size_t)(end - text)};
            *at = end;
            return CSV_UNCLOSED;
        }
        if (quote + 1 == end || quote[1] != '"')
            break;
        quote += 2;
    }
    *field = (struct csv_field){text, (size_t)(quote - text)};
    for (quote++; quote < end && csv_blank(*quote, delimiter);)
        quote++;
    *at = quote;
    if (quote == end || is_line_end(*quote))
        return CSV_LINE;
    if (*quote != delimiter)
        return CSV_AFTER_QUOTE;
    ++*at;
    return CSV_DELIMITER;
}

enum csv_end csv_field(const uint8_t **at, const uint8_t *end, uint8_t delimiter, struct csv_field *field)
{
    const uint8_t *text = *at, *next = text;
    if (text < end && *text == '"')
        return quoted_field(at, end, delimiter, field);
    while (next < end && *next != delimiter && !is_line_end(*next))
        next++;
    *field = (struct csv_field){text, (size_t)(next - text)};
    const bool more = next < end && *next == delimiter;
    *at = next + more;
    return more ? CSV_DELIMITER : CSV_LINE;
}

enum csv_end csv_line(const uint8_t **at, const uint8_t *end, uint8_t delimiter)
{
    const uint8_t *next = find_special(*at, end);
    if (next == end || *next != '"') {
        *at = next;
        return CSV_LINE;
    }
    enum csv_end found;
    struct csv_field field;
    do
        found = csv_field(at, end, delimiter, &field);
    while (found == CSV_DELIMITER);
    return found;
}

const uint8_t *csv_next_line(const uint8_t *at, const uint8_t *end, uint8_t delimiter)
{
    for (const uint8_t *next = at;; next++) {
        while (next < end && csv_blank(*next, delimiter))
            next++;
        if (next == end)
            return end;
        if (!is_line_end(*next))
            return at;
        at = next + 1;
    }
}

size_t csv_line_number(const uint8_t *begin, const uint8_t *at)
{
    size_t number = 1;
    for (const uint8_t *next = begin; next < at; next++)
        number += *next == '\n' || (*next == '\r' && (next + 1 == at || next[1] != '\n'));
    return number;
}

struct csv_field csv_trim(struct csv_field field, uint8_t delimiter)
{
    while (field.length_bytes > 0 && csv_blank(field.text[0], delimiter)) {
        field.text++;
        field.length_bytes--;
    }
    while (field.length_bytes > 0 && csv_blank(field.text[field.length_bytes - 1], delimiter))
        field.length_bytes--;
    return field;
}
