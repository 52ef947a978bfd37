/* SPDX-License-Identifier: MIT */
/* An item's key in the journal, however the user wrote its path. */
#ifndef PIPELINE_JOURNAL_NAME_H
#define PIPELINE_JOURNAL_NAME_H

#include <limits.h>
#include <stddef.h>

/* The path is absolute, without "." and double slashes; ".." and links stay as they are. Its first
 * `root_bytes` are the root: the directory that `rel` begins in, with its slash. Where the path does not end
 * in `rel`, the root is all of it. */
struct journal_name {
    char path[2 * PATH_MAX];
    size_t length, root_bytes;
};

/* `here` is the current directory, as getcwd tells it. */
void journal_name_make(struct journal_name *name, const char *here, const char *shown, const char *rel);

#endif
