/* SPDX-License-Identifier: MIT */
/* Writes outputs so that each is whole or absent: a file gets its name when all of it is there (newfile.h). A
 * crash of the program leaves no torn output. A crash of the machine may, unless outputs are
 * durable: then each is forced to the disk before it gets its name, and the names by outfile_sync. */
#ifndef PIPELINE_OUTFILE_H
#define PIPELINE_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "stages/stage.h"

struct outfile;

/* An output as it was left. */
struct outfile_made {
    uint64_t size_bytes;
    struct timespec changed; /* its time of change */
    bool about;              /* that may be earlier by up to OUTFILE_ABOUT_NS, but not later */
};

/* What a write that is not asked about may take, and a tick of the kernel's clock, of which there are a
 * hundred a second at least. */
#define OUTFILE_WRITE_NS 5000000
#define OUTFILE_ABOUT_NS (OUTFILE_WRITE_NS + 10000000)

/* Makes the output directory and its parents where they are missing, and proves that files can be made in it
 * by making and removing one. ERROR_IO or ERROR_DISK_FULL with a text that names path and cause,
 * ERROR_MEMORY. */
int outfile_open(struct outfile **root, const char *path, struct error *error);

/* The output directory itself: a descriptor that lives as long as `root`, and its identity for the scan. */
int outfile_directory(const struct outfile *root, struct stat *st);

/* From now on outputs are forced to the disk. */
void outfile_make_durable(struct outfile *root);

/* Forces to the disk the names of all durable outputs written so far; nothing where there are none. ERROR_IO,
 * ERROR_DISK_FULL. Blocks on the disk. The thread of outfile_write. */
int outfile_sync(struct outfile *root, struct error *error);

/* Writes `length` bytes as the file `rel` beneath the output directory, making directories as needed. What is
 * there already is replaced, unless it is the very file that `input` (NULL: none) describes. ERROR_DISK_FULL
 * where there is no room or quota left; ERROR_UNSUPPORTED where `rel` is absolute, empty, has ".." or is too
 * long; else ERROR_IO, as where a directory or the input is in its place or a link leads out of the output
 * directory, or ERROR_PASSING where another attempt may succeed. After an error there is no temporary file
 * and the old target is as it was. *made (NULL: not wanted) describes the file that was written. One thread
 * at a time for each root. */
int outfile_write(struct outfile *root, const char *rel, const void *bytes, size_t length,
                  const struct stat *input, struct outfile_made *made, struct error *error);

/* The same with what the opened file `fd` holds, which is not replaced either. */
int outfile_copy(struct outfile *root, const char *rel, int fd, struct error *error);

/* Accepts NULL. */
void outfile_close(struct outfile *root);

#endif
