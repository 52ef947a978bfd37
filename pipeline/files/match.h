/* SPDX-License-Identifier: MIT */
/* Glob patterns for names and paths. In a component `*` stands for any characters, `?` for one, [a-z] and
 * [!a-z] for one of a set, and a backslash takes the next character as it is. A component that is `**` stands
 * for any number of components, none included. Characters are those of UTF-8; a byte that is none counts as a
 * character of its own. Matching takes time proportional to pattern times text, whatever the pattern. */
#ifndef PIPELINE_MATCH_H
#define PIPELINE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "stages/stage.h"

enum match_dots {
    MATCH_DOTS,    /* wildcards stand for a leading dot as for any character */
    MATCH_NO_DOTS, /* a component's leading dot is matched by a dot alone, as in shells */
};

/* Does the pattern match the whole path? Both without leading or doubled slashes. */
bool match_path(const char *pattern, const char *path, enum match_dots dots);

/* Could something beneath the directory `path` match? */
bool match_beneath(const char *pattern, const char *path, enum match_dots dots);

/* Does a pattern of the list match? One without a slash is compared with the last component of `path`, one
 * with a slash with all of it (a leading slash only says that). One that ends in a slash matches directories
 * only. */
bool match_list(const struct param_list *patterns, const char *path, bool directory);

/* The same, leaving aside patterns whose last component is nothing but stars: those speak of places, not of
 * kinds of files. */
bool match_list_named(const struct param_list *patterns, const char *path);

/* Has the text a wildcard (not behind a backslash)? */
bool match_is_pattern(const char *text);

/* Is the last component nothing but stars? */
bool match_ends_in_stars(const char *pattern);

/* Length of the longest part of `pattern` that ends in a slash and has no wildcard: "photos/2024/" of
 * "photos/2024/img_*.png"; 0 where there is none. */
size_t match_fixed_prefix(const char *pattern);

/* A copy of the first `length` bytes without the backslashes that take a character as it is: a plain path.
 * The caller's to free; NULL: out of memory. */
char *match_unescape(const char *pattern, size_t length);

#endif
