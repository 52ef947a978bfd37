/* SPDX-License-Identifier: MIT */
/* What the files of the scan share among themselves; for nobody else. */
#ifndef PIPELINE_SCAN_PARTS_H
#define PIPELINE_SCAN_PARTS_H

#include <dirent.h>
#include <limits.h>
#include <stddef.h>

#include "pipeline/files/scan.h"

/* Names held over all open directories; below the floor a directory gets its names in portions. */
#define SCAN_HELD_NAMES  65536u
#define SCAN_FLOOR_NAMES 256u

struct scan_root {
    int fd;
    bool anywhere; /* paths are as a user gave them; links are followed wherever they lead */
};

enum input_kind { INPUT_FILE, INPUT_DIRECTORY, INPUT_GLOB, INPUT_OTHER };

struct scan_input {
    enum input_kind kind;
    unsigned root;
    const char *text;    /* as given */
    const char *pattern; /* glob: the part below the fixed prefix, in `text` */
    char *shown_prefix;  /* what `shown` begins with: the directory and its slash; owned */
    mode_t mode;
};

/* One directory on the way down. */
struct scan_frame {
    DIR *dir; /* NULL once every name was read */
    int error;
    char *names; /* for each name: its d_type, the name, NUL */
    uint32_t *starts;
    size_t names_bytes, names_size, count, next;
    size_t path_length; /* of the walk's path, this directory's slash included */
    bool whole;         /* all in it is taken; false: it lies on the way of a glob */
};

struct scan_walk {
    const struct scan_input *input; /* NULL: no walk under way */
    struct scan_frame *frames;
    size_t depth, size;
    size_t held;
    uint64_t taken; /* entries given for this input */
    char path[PATH_MAX + NAME_MAX + 2];
};

struct scan_list {
    int fd; /* -1: no list */
    bool close, end;
    uint64_t line;
    size_t from, to;
    char buffer[16384];
    char path[PATH_MAX + 1];
    char rel[PATH_MAX + 1];
    char shown[PATH_MAX + 64];
};

struct scan {
    struct scan_options options;
    struct scan_root *roots; /* never changes after scan_open: other threads read it */
    unsigned root_count;
    struct scan_input *inputs;
    size_t input_count, input_next;
    struct scan_walk walk;
    struct scan_list list;
    struct scan_counts counts;
    char *shown;
    size_t shown_size;
};

/* Fill the entry and count it, but for hints; always give 1. */
int scan_give_file(struct scan *scan, struct scan_entry *entry, unsigned root, const char *path,
                   const char *rel, const char *shown);
int scan_give_note(struct scan *scan, struct scan_entry *entry, const char *shown, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int scan_give_hint(struct scan_entry *entry, const char *shown, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int scan_give_error(struct scan *scan, struct scan_entry *entry, const char *shown, int error,
                    const char *what);

/* Is the path's last component the name of one of forkmill's own files? To open and close such a file can
 * cost SQLite its locks, so none is an input: walks leave them out, and of those given by name the second
 * makes an error. */
bool scan_is_own(const char *path);
int scan_give_own(struct scan *scan, struct scan_entry *entry, const char *shown);

/* Do include and exclude let the file pass? `vouched`: extension does not matter. Counts what is left out. */
bool scan_wants(struct scan *scan, const char *rel, bool vouched);

/* "a fifo", "a socket", ... */
const char *scan_kind_text(mode_t mode);

/* Walks one input. walk_next gives 1 and an entry, or 0 when the input is done. walk_end may be called at any
 * time. */
int scan_walk_begin(struct scan *scan, const struct scan_input *input);
int scan_walk_next(struct scan *scan, struct scan_entry *entry);
void scan_walk_end(struct scan *scan);

/* Opens the list; can it be read without waiting longer than that; gives entries from it. */
int scan_list_open(struct scan *scan, struct error *error);
bool scan_list_ready(const struct scan *scan, int wait_ms);
int scan_list_next(struct scan *scan, struct scan_entry *entry);

#endif
