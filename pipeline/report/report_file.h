/* SPDX-License-Identifier: MIT */
/* A report's file: it is known before the work that it can be written, and an older one stays until the new
 * one is whole. */
#ifndef PIPELINE_REPORT_FILE_H
#define PIPELINE_REPORT_FILE_H

#include <stdio.h>

#include "stages/error.h"

struct report_file {
    FILE *stream; /* NULL: not open */
    const char *path;
    char *temporary; /* NULL: written in place, as a device or pipe has to be */
};

/* How a page and the JSON of a bench begin. */
#define REPORT_FILE_PAGE "<!DOCTYPE html>\n"
#define REPORT_FILE_JSON "{\n  \"version\":"

/* Opens a temporary file beside `path`, or what is there already where that is no regular file. `path` must
 * outlive it. A file that does not begin with `opening`, and is not empty, is somebody's and not replaced:
 * ERROR_USAGE. ERROR_IO or ERROR_MEMORY. */
int report_file_open(struct report_file *file, const char *path, const char *opening, struct error *error);

/* Puts what was written in place. ERROR_IO, and nothing is changed. Closes the file either way. */
int report_file_keep(struct report_file *file, struct error *error);

/* Closes the file and leaves nothing of it. Accepts one that is not open. */
void report_file_drop(struct report_file *file);

#endif
