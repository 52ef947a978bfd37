/* SPDX-License-Identifier: MIT */
#include "pipeline/config/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/report/escape.h"

/* How much of a long line is shown before and behind the place, in bytes. */
#define BEFORE_BYTES 60u
#define BEHIND_BYTES 60u

static void append(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(struct diag *diag, const char *format, ...)
{
    char *piece;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&piece, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : realloc(diag->text, diag->length_bytes + (size_t)length + 1);
    if (!text)
        diag->starved = true;
    if (text) {
        memcpy(text + diag->length_bytes, piece, (size_t)length + 1);
        diag->text = text;
        diag->length_bytes += (size_t)length;
    }
    if (length >= 0)
        free(piece);
}

static void append_message(struct diag *diag, const char *head, const char *format, va_list args)
{
    char message[512], safe[1024];
    vsnprintf(message, sizeof message, format, args);
    append(diag, "%s%s\n", head, escape_text(message, safe, sizeof safe));
}

/* Counts an error; false where it is one too many to write. */
static bool counted(struct diag *diag)
{
    diag->hidden += diag->errors++ >= DIAG_MAX_ERRORS;
    return diag->errors <= DIAG_MAX_ERRORS;
}

void diag_error(struct diag *diag, const char *format, ...)
{
    if (!counted(diag))
        return;
    va_list args;
    va_start(args, format);
    append_message(diag, "forkmill: error: ", format, args);
    va_end(args);
}

void diag_starve(struct diag *diag)
{
    diag->errors++;
    diag->starved = true;
}

void diag_warning(struct diag *diag, const char *format, ...)
{
    diag->warnings++;
    va_list args;
    va_start(args, format);
    append_message(diag, "forkmill: warning: ", format, args);
    va_end(args);
}

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

static size_t line_start(const struct diag_source *source, size_t at)
{
    while (at > 0 && source->bytes[at - 1] != '\n')
        at--;
    if (at == 0 && source->length >= 3 && memcmp(source->bytes, "\xef\xbb\xbf", 3) == 0)
        at = 3; /* a byte order mark is no character of the first line */
    return at;
}

static size_t characters(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += starts_character(text[i]);
    return count;
}

void diag_position(struct diag_place place, unsigned *line, unsigned *column)
{
    const struct diag_source *source = place.source;
    size_t at = place.start < source->length ? place.start : source->length;
    size_t start = line_start(source, at);
    *line = 1;
    for (size_t i = 0; i < start; i++)
        *line += source->bytes[i] == '\n';
    *column = 1 + (unsigned)(at > start ? characters(source->bytes + start, at - start) : 0);
}

/* Bytes [start, end) of the source as they are shown; returns how many characters that are. */
static size_t shown(const struct diag_source *source, size_t start, size_t end, char *out, size_t size)
{
    char raw[BEFORE_BYTES + BEHIND_BYTES + 8];
    size_t length = end > start ? end - start : 0;
    if (length >= sizeof raw)
        length = sizeof raw - 1;
    for (size_t i = 0; i < length; i++) {
        char byte = source->bytes[start + i];
        raw[i] = byte == '\t' || byte == '\0' ? ' ' : byte;
    }
    raw[length] = '\0';
    escape_text(raw, out, size);
    return characters(out, strlen(out));
}

/* The line of the place and a caret below it: a window of it, where the line is long. */
static void append_source(struct diag *diag, struct diag_place place, unsigned line)
{
    const struct diag_source *source = place.source;
    size_t at = place.start < source->length ? place.start : source->length;
    size_t start = line_start(source, at), end = at;
    while (end < source->length && source->bytes[end] != '\n' && source->bytes[end] != '\r')
        end++;
    start = start < at ? start : at;
    size_t first = at - start > BEFORE_BYTES ? at - BEFORE_BYTES : start;
    while (first < at && !starts_character(source->bytes[first]))
        first++;
    size_t last = end - at > BEHIND_BYTES ? at + BEHIND_BYTES : end;
    while (last < end && !starts_character(source->bytes[last]))
        last++;
    size_t marked = place.end < last ? place.end : last;

    char before[640], behind[640], under[640];
    size_t indent = shown(source, first, at, before, sizeof before);
    shown(source, at, last, behind, sizeof behind);
    size_t width = shown(source, at, marked, under, sizeof under);
    indent += first > start ? 3 : 0;
    if (source->argument)
        append(diag, "      | ");
    else
        append(diag, "%5u | ", line);
    append(diag, "%s%s%s%s\n", first > start ? "..." : "", before, behind, last < end ? "..." : "");
    append(diag, "      | %*s^", (int)indent, "");
    for (size_t i = 1; i < width; i++)
        append(diag, "~");
    append(diag, "\n");
}

void diag_error_at(struct diag *diag, struct diag_place place, const char *format, ...)
{
    if (!counted(diag))
        return;
    char name[512], head[600];
    unsigned line, column;
    diag_position(place, &line, &column);
    escape_text(place.source->name, name, sizeof name);
    if (place.source->argument)
        snprintf(head, sizeof head, "forkmill: error: %s: ", name);
    else
        snprintf(head, sizeof head, "%s:%u:%u: error: ", name, line, column);
    va_list args;
    va_start(args, format);
    append_message(diag, head, format, args);
    va_end(args);
    append_source(diag, place, line);
}

void diag_reason_at(struct diag *diag, struct diag_place place, const struct error *error)
{
    if (error->code == ERROR_MEMORY)
        diag_starve(diag);
    else
        diag_error_at(diag, place, "%s", error->reason);
}

void diag_allowed(struct diag *diag, const char *what, const char *words)
{
    if (diag->errors > DIAG_MAX_ERRORS)
        return;
    char list[2048], safe[2048];
    size_t used = 0, column = 0;
    for (const char *word = words; *word && used + 80 < sizeof list;) {
        size_t length = strcspn(word, "|");
        const char *gap = used == 0 ? "" : column + length > 85 ? ",\n          " : ", ";
        column = gap[0] == ',' && gap[1] == '\n' ? 0 : column;
        int more =
            snprintf(list + used, sizeof list - used, "%s%.*s", gap, (int)(length < 64 ? length : 64), word);
        used += (size_t)more;
        column += (size_t)more;
        word += length + (word[length] == '|');
    }
    list[used] = '\0';
    escape_text(what, safe, sizeof safe);
    if (!diag->text || !strstr(diag->text, list))
        append(diag, "      = %s: %s\n", safe, list);
}

void diag_free(struct diag *diag)
{
    free(diag->text);
    *diag = (struct diag){0};
}
