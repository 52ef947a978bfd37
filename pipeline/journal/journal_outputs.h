/* SPDX-License-Identifier: MIT */
/* The files that an item made, as they were left: a list in one block of bytes. Each entry is text: size in
 * bytes, a space, time of change in nanoseconds, '~' where it is known from above only (see
 * files/outfile.h), a space, name below the output directory, NUL. A name that is the item's own, as most
 * are, is left out. */
#ifndef PIPELINE_JOURNAL_OUTPUTS_H
#define PIPELINE_JOURNAL_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "pipeline/files/outfile.h"
#include "stages/error.h"

/* Zero it to start; free(bytes) at the end. Emptied by used_bytes = 0. */
struct journal_outputs {
    char *bytes;
    size_t used_bytes, size_bytes;
};

int64_t journal_mtime_ns(const struct stat *st);

/* Appends a file of the item `own`. ERROR_MEMORY. */
int journal_outputs_add(struct journal_outputs *outputs, const char *own, const char *name,
                        const struct outfile_made *made, struct error *error);

/* Do all files of the item `own` stand below the directory as the list says? A list that is none, and names
 * that lead elsewhere: no. */
bool journal_outputs_stand(const char *bytes, size_t length_bytes, const char *own, int directory);

/* How many there are and how many bytes, as the list says. */
void journal_outputs_sum(const char *bytes, size_t length_bytes, uint64_t *count, uint64_t *total_bytes);

#endif
