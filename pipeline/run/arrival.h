/* SPDX-License-Identifier: MIT */
/* A file at the door: opened, its header read, and everything found out that can be said before it takes any
 * memory. Used by the reader, and by a dry run, which goes no further. */
#ifndef PIPELINE_ARRIVAL_H
#define PIPELINE_ARRIVAL_H

#include <sys/stat.h>

#include "pipeline/engine/chain.h"
#include "pipeline/files/scan.h"

struct arrival {
    int fd, reference_fd; /* -1: not open; the caller may have opened the first ahead, with `st` */
    struct stat st;
    bool among_few;         /* the caller's: there are fewer items than workers, who may share its rows */
    bool may_feed;          /* the caller's: a large file may be read while it is decoded */
    bool rather_whole;      /* the caller's: but only where it does not fit otherwise */
    uint8_t *head;          /* CODEC_HEAD_BYTES + 1, the caller's, who may have read it, too */
    struct slot_need found; /* the caller's: what an earlier attempt found out that it needs */
    size_t head_bytes;      /* all of a file of at most CODEC_HEAD_BYTES, or that many; 0: not read */
    struct slot_ticket ticket;
    struct codec_info info; /* of a file whose head says it; else zero */
    struct slot_need need;
};

/* Where the files are that items are made of. */
struct arrival_places {
    struct scan *scan;
    int reference_fd; /* the directory of counterparts; -1: the job has none */
};

/* Opens root/path, where it is not open, and fills `fd` and `st`. ERROR_IO, ERROR_UNSUPPORTED, ERROR_MEMORY.
 * Close with arrival_close either way. Blocks on the file system, as does the next. */
int arrival_open(struct arrival *arrival, const struct arrival_places *places, unsigned root,
                 const char *path, struct error *error);

/* Looks at an opened file and fills everything but `head`, `among_few` and `found`. `rel` is what the scan
 * calls it. ERROR_IO, or ERROR_PASSING where another attempt may succeed, when the file cannot be read,
 * ERROR_CORRUPT, ERROR_UNSUPPORTED, ERROR_LIMIT. */
int arrival_examine(struct arrival *arrival, const struct job *job, const struct codec_limits *limits,
                    const struct arrival_places *places, const char *path, const char *rel,
                    struct error *error);

/* Tells the system that the whole file will be read soon, so that it comes from the disk meanwhile. */
void arrival_foretell(const struct arrival *arrival);

/* `count` bytes of a file that had `size` bytes when it was opened, from byte `from` on; with its last bytes
 * a look whether there are more now. A file that has grown or shrunk meanwhile is ERROR_IO. */
int arrival_read_part(int fd, uint8_t *bytes, uint64_t from, size_t count, uint64_t size,
                      struct error *error);

/* The whole file into `bytes`, which has room for st.st_size: the head again, and the rest. Errors as
 * above. Of a file that is fed the head alone, which is all that the reader brings in. */
int arrival_read(const struct arrival *arrival, uint8_t *bytes, struct error *error);

/* The same for the counterpart, where there is one. */
int arrival_read_reference(const struct arrival *arrival, uint8_t *bytes, struct error *error);

void arrival_close(struct arrival *arrival);

#endif
