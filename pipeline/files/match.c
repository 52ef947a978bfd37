/* SPDX-License-Identifier: MIT */
#include "pipeline/files/match.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/report/escape.h"

/* One component of a path or pattern: [at, end). */
struct part {
    const char *at, *end;
};

static struct part part_at(const char *text)
{
    return (struct part){text, text + strcspn(text, "/")};
}

/* What follows the component; NULL where it was the last. */
static const char *part_rest(struct part part)
{
    return *part.end == '/' ? part.end + 1 : NULL;
}

static bool part_is_double_star(struct part part)
{
    return part.end - part.at == 2 && part.at[0] == '*' && part.at[1] == '*';
}

/* The character at `at` and where the next one begins; stray bytes get numbers that no character has. */
static const char *take(const char *at, uint32_t *point)
{
    size_t length = escape_sequence(at, point);
    if (length == 0) {
        *point = 0x110000u + (unsigned char)*at;
        length = 1;
    }
    return at + length;
}

/* The set [..] that begins at `at` against a character. Gives what follows the set, or NULL where the bracket
 * is never closed and stands for itself. */
static const char *match_set(const char *at, const char *end, uint32_t point, bool *inside)
{
    const char *s = at + 1;
    bool negated = s < end && (*s == '!' || *s == '^'), hit = false;
    s += negated;
    for (bool first = true; s < end && (first || *s != ']'); first = false) {
        uint32_t low, high;
        if (*s == '\\' && s + 1 < end)
            s++;
        s = take(s, &low);
        high = low;
        if (s + 1 < end && s[0] == '-' && s[1] != ']') {
            s++;
            if (*s == '\\' && s + 1 < end)
                s++;
            s = take(s, &high);
        }
        hit |= point >= low && point <= high;
    }
    if (s >= end)
        return NULL;
    *inside = hit != negated;
    return s + 1;
}

/* One item of a pattern that is not a star, against one character. Gives what follows the item, or NULL where
 * it does not match. */
static const char *match_one(const char *at, const char *end, uint32_t point)
{
    if (*at == '?')
        return at + 1;
    if (*at == '[') {
        bool inside = false;
        const char *rest = match_set(at, end, point, &inside);
        if (rest)
            return inside ? rest : NULL;
    }
    if (*at == '\\' && at + 1 < end)
        at++;
    uint32_t wanted;
    const char *rest = take(at, &wanted);
    return wanted == point ? rest : NULL;
}

/* Only the last star ever needs another try: what an earlier one took can be left as it is. */
static bool match_part(struct part pattern, struct part name, enum match_dots dots)
{
    const char *p = pattern.at, *n = name.at, *retry_p = NULL, *retry_n = NULL;
    if (dots == MATCH_NO_DOTS && n < name.end && *n == '.' && (*p == '*' || *p == '?' || *p == '['))
        return false;
    while (n < name.end) {
        uint32_t point;
        if (p < pattern.end && *p == '*') {
            retry_p = ++p;
            retry_n = n;
            continue;
        }
        const char *next = take(n, &point);
        const char *rest = p < pattern.end ? match_one(p, pattern.end, point) : NULL;
        if (rest) {
            p = rest;
            n = next;
        } else if (retry_p) {
            p = retry_p;
            n = retry_n = take(retry_n, &point);
        } else {
            return false;
        }
    }
    while (p < pattern.end && *p == '*')
        p++;
    return p == pattern.end;
}

/* The same method one level up: `**` is the star, components are the characters. */
bool match_path(const char *pattern, const char *path, enum match_dots dots)
{
    const char *p = pattern, *n = path, *retry_p = NULL, *retry_n = NULL;
    bool starred = false;
    while (n) {
        struct part name = part_at(n);
        if (p && part_is_double_star(part_at(p))) {
            starred = true;
            p = retry_p = part_rest(part_at(p));
            retry_n = n;
            continue;
        }
        if (p && match_part(part_at(p), name, dots)) {
            p = part_rest(part_at(p));
            n = part_rest(name);
            continue;
        }
        if (!starred || (dots == MATCH_NO_DOTS && *retry_n == '.'))
            return false;
        p = retry_p;
        n = retry_n = part_rest(part_at(retry_n));
    }
    while (p && part_is_double_star(part_at(p)))
        p = part_rest(part_at(p));
    return p == NULL;
}

bool match_beneath(const char *pattern, const char *path, enum match_dots dots)
{
    const char *p = pattern, *n = path;
    while (n) {
        struct part name = part_at(n);
        if (!p)
            return false;
        if (part_is_double_star(part_at(p)))
            break;
        if (!match_part(part_at(p), name, dots))
            return false;
        p = part_rest(part_at(p));
        n = part_rest(name);
    }
    /* What is left goes to the double star, which takes no hidden component where dots are special. */
    for (; n && dots == MATCH_NO_DOTS; n = part_rest(part_at(n))) {
        if (*n == '.' && !strstr(p, "/."))
            return false;
    }
    return p != NULL;
}

static bool match_entry(const char *pattern, const char *path, bool directory)
{
    char text[4096];
    size_t length = strlen(pattern);
    const bool anchored = pattern[0] == '/';
    pattern += anchored;
    length -= anchored;
    if (length > 0 && pattern[length - 1] == '/') {
        if (!directory)
            return false;
        length--;
    }
    if (length == 0 || length >= sizeof text)
        return false;
    memcpy(text, pattern, length);
    text[length] = '\0';
    const char *slash = strrchr(path, '/');
    const bool whole = anchored || strchr(text, '/') != NULL;
    return match_path(text, whole || !slash ? path : slash + 1, MATCH_DOTS);
}

bool match_list(const struct param_list *patterns, const char *path, bool directory)
{
    for (size_t i = 0; patterns && i < patterns->count; i++) {
        if (match_entry(patterns->texts[i], path, directory))
            return true;
    }
    return false;
}

bool match_list_named(const struct param_list *patterns, const char *path)
{
    for (size_t i = 0; patterns && i < patterns->count; i++) {
        if (!match_ends_in_stars(patterns->texts[i]) && match_entry(patterns->texts[i], path, false))
            return true;
    }
    return false;
}

bool match_is_pattern(const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' && text[1])
            text++;
        else if (strchr("*?[", *text))
            return true;
    }
    return false;
}

bool match_ends_in_stars(const char *pattern)
{
    const char *slash = strrchr(pattern, '/');
    const char *last = slash ? slash + 1 : pattern;
    return *last && strspn(last, "*") == strlen(last);
}

size_t match_fixed_prefix(const char *pattern)
{
    size_t prefix = 0;
    for (size_t i = 0; pattern[i]; i++) {
        if (pattern[i] == '\\' && pattern[i + 1])
            i++;
        else if (strchr("*?[", pattern[i]))
            break;
        else if (pattern[i] == '/')
            prefix = i + 1;
    }
    return prefix;
}

char *match_unescape(const char *pattern, size_t length)
{
    char *copy = malloc(length + 1);
    size_t used = 0;
    for (size_t i = 0; copy && i < length; i++) {
        if (pattern[i] == '\\' && i + 1 < length)
            i++;
        copy[used++] = pattern[i];
    }
    if (copy)
        copy[used] = '\0';
    return copy;
}
