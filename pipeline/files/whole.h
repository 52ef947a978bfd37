/* SPDX-License-Identifier: MIT */
/* A file that is written bit by bit and is whole or absent all the same: a temporary file beside it, then
 * rename. For what a run makes once, such as a table of all items; outputs of items go through outfile.h. */
#ifndef PIPELINE_WHOLE_H
#define PIPELINE_WHOLE_H

#include <stdio.h>

#include "stages/error.h"

struct whole;

/* Makes the temporary file in the directory of `path`, which must exist. ERROR_IO, ERROR_DISK_FULL,
 * ERROR_MEMORY; ERROR_USAGE where `path` is a directory. */
int whole_open(struct whole **whole, const char *path, struct error *error);

/* To write to; the position is the caller's. Errors may be left to whole_commit. */
FILE *whole_file(struct whole *whole);

/* The temporary file's path, for a library that wants to write it by itself. */
const char *whole_path(const struct whole *whole);

/* Gives it its name, in place of what had it; frees. After an error nothing has changed. */
int whole_commit(struct whole *whole, struct error *error);

/* Throws it away. Accepts NULL. */
void whole_discard(struct whole *whole);

#endif
