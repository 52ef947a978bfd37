/* SPDX-License-Identifier: MIT */
#include "pipeline/report/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/report/utf8.h"

/* Ranges of code points that a terminal shows as nothing, or that move or reorder what it shows (Unicode
 * categories Cc, Cf, Zl, Zp, noncharacters, and the tag characters of plane 14). */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},   {0x180e, 0x180e},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0xfdd0, 0xfdef}, {0xfeff, 0xfeff},
    {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe0fff},
};

static bool is_hidden(uint32_t point)
{
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (point >= hidden[i].first && point <= hidden[i].last)
            return true;
    }
    return false;
}

size_t escape_sequence(const char *text, uint32_t *point)
{
    /* The NUL counts as a byte that may be looked at: it is no continuation. */
    return utf8_next(text, strnlen(text, 3) + 1, point);
}

/* The text of the next character into piece[20]; returns how many bytes of input it stands for. */
static size_t next_piece(const char *s, char *piece)
{
    uint32_t point = 0;
    size_t length = escape_sequence(s, &point);
    if (length > 0 && !is_hidden(point) && point != '\\') {
        memcpy(piece, s, length);
        piece[length] = '\0';
        return length;
    }
    static const char named[] = "\nn\rr\tt\\\\";
    for (const char *name = named; *name; name += 2) {
        if (s[0] == name[0]) {
            snprintf(piece, 20, "\\%c", name[1]);
            return 1;
        }
    }
    length = length ? length : 1;
    for (size_t i = 0; i < length; i++)
        snprintf(piece + 4 * i, 20 - 4 * i, "\\x%02x", (unsigned char)s[i]);
    return length;
}

const char *escape_text(const char *bytes, char *out, size_t size)
{
    if (size == 0)
        return out;
    const size_t dots = size > 3 ? 3 : size - 1;
    size_t used = 0, mark = 0; /* mark: the last end of a piece after which the dots still fit */
    while (*bytes) {
        char piece[20];
        size_t taken = next_piece(bytes, piece), length = strlen(piece);
        if (used + length >= size) {
            memset(out + mark, '.', dots);
            used = mark + dots;
            break;
        }
        memcpy(out + used, piece, length);
        used += length;
        if (used + dots < size)
            mark = used;
        bytes += taken;
    }
    out[used] = '\0';
    return out;
}
