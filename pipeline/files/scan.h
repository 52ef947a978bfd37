/* SPDX-License-Identifier: MIT */
/* Lists the inputs of a run, one call at a time: nothing is held but one path and, of each directory that is
 * open on the way down, names not handed out yet (65536 over all of them).
 *
 * An input is a directory (its tree is walked), a file (whatever its extension) or a glob (see match.h; quote
 * it from the shell); what exists by that very name is never taken for a glob. A glob takes the files that
 * match it, and walks the directories that match it.
 *
 * In a walk: files are taken whose extension a codec has, or with `include` those that match it (a pattern
 * that ends in bare stars leaves the choice by extension). `exclude` wins, and prunes directories. Names that
 * begin with a dot are left out, unless a component of a glob begins with a dot too; so are the output
 * directory and forkmill's own files. A directory below the input that another run's journal lies in gets a
 * hint: its outputs are taken like any file. Names come in byte order within a directory; where there are
 * more than fit, in sorted portions. Links to files are followed where they stay beneath the directory that
 * was given; links to directories are not followed.
 *
 * A list (`files_from`) names files, relative to the current directory or not; links are followed anywhere,
 * as for files given one by one. Bytes of a line are kept as they are. */
#ifndef PIPELINE_SCAN_H
#define PIPELINE_SCAN_H

#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "stages/stage.h"

/* What forkmill's own files begin with, and temporary ones end in; they are no inputs. sweep.h knows what
 * stands between. */
#define SCAN_TEMP_PREFIX ".forkmill-"
#define SCAN_TEMP_SUFFIX ".tmp"

/* The file by which a run's output directory is known. */
#define SCAN_JOURNAL_NAME SCAN_TEMP_PREFIX "journal.db"

/* The result of scan_open for an input that does not exist: exit code 3. */
#define SCAN_NO_INPUT 1

struct scan_options {
    const struct param_list *inputs; /* may be NULL */
    const char *files_from;          /* NULL, a file, or "-" */
    bool null_separated;
    bool recursive;
    const struct param_list *include, *exclude; /* may be NULL */
    bool has_output;                            /* leave out the directory of this identity */
    dev_t output_dev;
    ino_t output_ino;
    bool (*known)(const char *name); /* has the name an extension worth taking? NULL: ask the codecs */
    int stop_fd;                     /* a wait for standard input ends when this is readable; -1: none */
};

enum scan_kind {
    SCAN_FILE,  /* to be processed */
    SCAN_NOTE,  /* rightly skipped: a fifo, a link to a directory, ... */
    SCAN_HINT,  /* nothing to process or to count: what a user may not know of the files that come next */
    SCAN_ERROR, /* an input that cannot be listed or may not be opened: counts as a failed item */
};

/* All pointers are good until the next call of scan_next. */
struct scan_entry {
    enum scan_kind kind;
    unsigned root;       /* with `path`, for scan_open_file; of notes and hints 0 and "" */
    const char *path;    /* relative to the root */
    const char *rel;     /* where the output goes, its extension not changed yet; of notes, hints and errors
                          * that have no place below an input "" */
    const char *shown;   /* the path as a user would write it; raw bytes */
    struct error reason; /* of notes, hints and errors */
};

struct scan_counts {
    uint64_t files, notes, errors; /* entries so far */
    uint64_t unmatched;            /* those of the errors that say that a glob matches nothing */
    uint64_t left_names;           /* left out: an extension that no codec has */
    uint64_t left_rules;           /* by include or exclude; a directory counts once */
    uint64_t left_hidden;          /* names with a leading dot */
    uint64_t left_directories;     /* subdirectories, where recursive is off */
};

/* Is there anything to do, or to fail, besides globs that match nothing? */
static inline bool scan_found(const struct scan_counts *counts)
{
    return counts->files > 0 || counts->errors > counts->unmatched;
}

struct scan;

/* Looks at every input given, opens directories, lists nothing yet. The options' texts must outlive the scan.
 * 0; SCAN_NO_INPUT with a text that names the one that is missing; ERROR_USAGE where no input is given,
 * ERROR_IO, ERROR_MEMORY. */
int scan_open(struct scan **scan, const struct scan_options *options, struct error *error);

/* The next entry: 1, or 0 at the end. A bad entry is a SCAN_ERROR and never the end. Blocks on the file
 * system and on standard input. One thread. */
int scan_next(struct scan *scan, struct scan_entry *entry);

/* False where scan_next would have to wait for the list of files now and still would after `wait_ms`: time
 * for the caller to see to other things. The thread of scan_next. */
bool scan_ready(const struct scan *scan, int wait_ms);

/* True where nothing more can come; false where it may. The thread of scan_next. */
bool scan_exhausted(const struct scan *scan);

/* Only from the thread of scan_next, or after its end. */
struct scan_counts scan_counts(const struct scan *scan);

/* Opens a listed file for reading and fills *st. The descriptor is the caller's. Callable from any thread
 * until scan_close. ERROR_UNSUPPORTED where it is no regular file or a link leads out of the input;
 * ERROR_MEMORY where descriptors ran out; else ERROR_IO. */
int scan_open_file(const struct scan *scan, unsigned root, const char *path, struct stat *st,
                   struct error *error);

/* The same in two steps, for who opens in another way: the directory that openat2 gets beside the entry's
 * path and `how`, -1 where there is no such root; and whether what was opened so, of which fstat gave `st`,
 * is a file that scan_open_file would have given. */
int scan_open_how(const struct scan *scan, unsigned root, struct open_how *how);
bool scan_takes(const struct stat *st);

/* The directories that are walked, one after the other: a descriptor that lives as long as the scan; -1: no
 * more. And are there files given by name, which may lie anywhere? */
int scan_directory(const struct scan *scan, unsigned index);
bool scan_reads_anywhere(const struct scan *scan);

/* Accepts NULL. */
void scan_close(struct scan *scan);

#endif
