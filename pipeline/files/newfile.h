/* SPDX-License-Identifier: MIT */
/* A file that gets its name when all of it is there. Until then it has none, so that nothing of it can be
 * left over; where that cannot be, and where files are being replaced, it has a temporary one in the same
 * directory (see sweep.h). Without a name it also costs less: on ext4 a quarter of the calls' time. */
#ifndef PIPELINE_NEWFILE_H
#define PIPELINE_NEWFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "stages/stage.h"

struct newfile_maker {
    int opened_fd;  /* the directory in which every open file has a name: /proc/self/fd; -1: none */
    bool by_opened; /* files get their names by those there, and not by their descriptors */
    char temp[64];  /* what temporary files are called, up to `temp_bytes`, then `counter` */
    size_t temp_bytes;
    uint64_t counter;
};

struct newfile {
    int fd;
    char temp[64]; /* its temporary name; "": none */
};

void newfile_maker_open(struct newfile_maker *maker);
void newfile_maker_close(struct newfile_maker *maker);

/* A new, empty file in the directory, for writing. Without a name where *nameless, which becomes false where
 * that cannot be. 0, or -1 and errno. Its descriptor is the caller's to close, before newfile_name where it
 * has a temporary name, and afterwards where it has none. */
int newfile_open(struct newfile_maker *maker, int directory, bool *nameless, struct newfile *file);

/* Gives it its name. What has that name already is replaced, unless it is a directory, or the very file that
 * `input` (NULL: none) describes; *nameless then becomes false, as the next one may be replaced as well. 0;
 * ERROR_IO, ERROR_DISK_FULL, ERROR_PASSING, ERROR_UNSUPPORTED; 1 where it could get no name because it had
 * none: it has to be made again, and *nameless is false. After anything but 0 call newfile_drop. */
int newfile_name(struct newfile_maker *maker, struct newfile *file, int directory, const char *name,
                 const struct stat *input, bool *nameless, struct error *error);

/* Removes its temporary name, if it has one. */
void newfile_drop(const struct newfile *file, int directory);

/* An error for what the system said while doing `what`: what stands in the way may be gone next time, a name
 * stays too long. */
int newfile_failed(struct error *error, int cause, const char *what);

#define NEWFILE_WRITING "writing the output"

#endif
