/* SPDX-License-Identifier: MIT */
/* One input's tree, depth first, with a stack of its own. Directories are opened by their path from the root,
 * and closed as soon as their names are read: depth costs neither descriptors nor stack. */
#include "pipeline/files/scan_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/files/beneath.h"
#include "pipeline/files/match.h"

static const char *shown_path(struct scan *scan)
{
    const char *prefix = scan->walk.input->shown_prefix, *path = scan->walk.path;
    const size_t length = strlen(prefix);
    memcpy(scan->shown, prefix, length); /* scan_open has made room for both */
    memcpy(scan->shown + length, path, strlen(path) + 1);
    return scan->shown;
}

static int compare_names(const void *a, const void *b, void *names)
{
    const char *base = names;
    return strcmp(base + *(const uint32_t *)a + 1, base + *(const uint32_t *)b + 1);
}

/* Room for one more name of `length` bytes. */
static bool frame_reserve(struct scan_frame *frame, size_t length)
{
    if (frame->names_bytes + length + 2 > frame->names_size) {
        size_t size = frame->names_size ? 2 * frame->names_size : 4096;
        char *names = realloc(frame->names, size);
        if (!names)
            return false;
        frame->names = names;
        frame->names_size = size;
    }
    if ((frame->count & (frame->count - 1)) == 0 && (frame->count >= 64 || frame->count == 0)) {
        size_t size = frame->count ? 2 * frame->count : 64;
        uint32_t *starts = realloc(frame->starts, size * sizeof *starts);
        if (!starts)
            return false;
        frame->starts = starts;
    }
    return true;
}

/* Reads the next portion of names: all of them where they fit what may be held. */
static void frame_fill(struct scan_walk *walk, struct scan_frame *frame)
{
    walk->held -= frame->count;
    frame->count = frame->next = frame->names_bytes = 0;
    size_t most = walk->held < SCAN_HELD_NAMES ? SCAN_HELD_NAMES - walk->held : 0;
    most = most < SCAN_FLOOR_NAMES ? SCAN_FLOOR_NAMES : most;
    while (frame->dir && frame->count < most) {
        errno = 0;
        const struct dirent *found = readdir(frame->dir);
        if (!found) {
            frame->error = errno;
            closedir(frame->dir);
            frame->dir = NULL;
            break;
        }
        const char *name = found->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        const size_t length = strlen(name);
        if (!frame_reserve(frame, length)) {
            frame->error = ENOMEM;
            closedir(frame->dir);
            frame->dir = NULL;
            break;
        }
        frame->starts[frame->count++] = (uint32_t)frame->names_bytes;
        frame->names[frame->names_bytes] = (char)found->d_type;
        memcpy(frame->names + frame->names_bytes + 1, name, length + 1);
        frame->names_bytes += length + 2;
    }
    walk->held += frame->count;
    if (frame->count > 1)
        qsort_r(frame->starts, frame->count, sizeof *frame->starts, compare_names, frame->names);
}

static void frame_drop(struct scan_walk *walk)
{
    struct scan_frame *frame = &walk->frames[--walk->depth];
    if (frame->dir)
        closedir(frame->dir);
    walk->held -= frame->count;
    free(frame->names);
    free(frame->starts);
}

/* Goes down into the directory at walk->path. 0, or an errno; -1: it is the output directory. */
static int frame_push(struct scan *scan, bool whole)
{
    struct scan_walk *walk = &scan->walk;
    const size_t length = strlen(walk->path);
    if (length >= PATH_MAX)
        return ENAMETOOLONG;
    if (walk->depth == walk->size) {
        size_t size = walk->size ? 2 * walk->size : 16;
        struct scan_frame *frames = realloc(walk->frames, size * sizeof *frames);
        if (!frames)
            return ENOMEM;
        walk->frames = frames;
        walk->size = size;
    }
    int fd = beneath_open(scan->roots[walk->input->root].fd, length ? walk->path : ".",
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW, false);
    if (fd < 0)
        return errno;
    struct stat st;
    const struct scan_options *options = &scan->options;
    if (options->has_output && fstat(fd, &st) == 0 && st.st_dev == options->output_dev &&
        st.st_ino == options->output_ino) {
        close(fd);
        return -1;
    }
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int error = errno;
        close(fd);
        return error;
    }
    walk->frames[walk->depth++] =
        (struct scan_frame){.dir = dir, .path_length = length ? length + 1 : 0, .whole = whole};
    if (length) {
        walk->path[length] = '/';
        walk->path[length + 1] = '\0';
    }
    return 0;
}

static int give_error(struct scan *scan, struct scan_entry *entry, int error, const char *what)
{
    scan_give_error(scan, entry, shown_path(scan), error, what);
    entry->root = scan->walk.input->root;
    entry->path = entry->rel = scan->walk.path;
    return 1;
}

static int visit_directory(struct scan *scan, struct scan_entry *entry, bool whole)
{
    const char *path = scan->walk.path;
    const char *pattern = scan->walk.input->pattern;
    const bool matched = whole || match_path(pattern, path, MATCH_NO_DOTS);
    const bool on_the_way = !whole && match_beneath(pattern, path, MATCH_NO_DOTS);
    if (!matched && !on_the_way)
        return 0;
    if (match_list(scan->options.exclude, path, true)) {
        scan->counts.left_rules++;
        return 0;
    }
    if (!scan->options.recursive && !on_the_way) {
        scan->counts.left_directories++;
        return 0;
    }
    int error = frame_push(scan, matched && scan->options.recursive);
    return error > 0 ? give_error(scan, entry, error, "opening the directory") : 0;
}

static int visit_file(struct scan *scan, struct scan_entry *entry, bool whole)
{
    const char *path = scan->walk.path;
    const struct scan_input *input = scan->walk.input;
    if (!scan_wants(scan, path, !whole && !match_ends_in_stars(input->pattern)))
        return 0;
    if (strlen(path) >= PATH_MAX)
        return give_error(scan, entry, ENAMETOOLONG, "opening the file");
    return scan_give_file(scan, entry, input->root, path, path, shown_path(scan));
}

static int visit_other(struct scan *scan, struct scan_entry *entry, mode_t mode)
{
    if (match_list(scan->options.exclude, scan->walk.path, false)) {
        scan->counts.left_rules++;
        return 0;
    }
    return scan_give_note(scan, entry, shown_path(scan), "%s", scan_kind_text(mode));
}

static int visit_linked_directory(struct scan *scan, struct scan_entry *entry)
{
    if (match_list(scan->options.exclude, scan->walk.path, true)) {
        scan->counts.left_rules++;
        return 0;
    }
    return scan_give_note(scan, entry, shown_path(scan), "a symbolic link to a directory");
}

/* A link counts as what it leads to, if that lies beneath the root. */
static int visit_link(struct scan *scan, struct scan_entry *entry, bool whole)
{
    const char *path = scan->walk.path;
    const int root = scan->roots[scan->walk.input->root].fd;
    struct stat st;
    int fd = beneath_open(root, path, O_PATH, true);
    if (fd < 0) {
        const int error = errno;
        if (error == EXDEV && fstatat(root, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
            return visit_linked_directory(scan, entry);
        if (!scan_wants(scan, path, !whole && !match_ends_in_stars(scan->walk.input->pattern)))
            return 0;
        return give_error(scan, entry, error, "following the symbolic link");
    }
    int got = fstat(fd, &st);
    close(fd);
    if (got < 0)
        return give_error(scan, entry, errno, "following the symbolic link");
    if (S_ISDIR(st.st_mode))
        return visit_linked_directory(scan, entry);
    return S_ISREG(st.st_mode) ? visit_file(scan, entry, whole) : visit_other(scan, entry, st.st_mode);
}

/* The walk is in a directory where another run keeps its journal. One that is given as an input is meant. */
static int visit_journal(struct scan *scan, struct scan_entry *entry, size_t path_length)
{
    if (path_length == 0)
        return 0;
    char *path = scan->walk.path;
    path[path_length - 1] = '\0'; /* no slash behind it */
    scan_give_hint(entry, shown_path(scan),
                   "is the output directory of another run; --exclude %.140s leaves it out", path);
    path[path_length - 1] = '/';
    return 1;
}

/* One name of the directory on top; 1 where it makes an entry. */
static int visit(struct scan *scan, struct scan_entry *entry, const char *name, unsigned char type)
{
    struct scan_walk *walk = &scan->walk;
    struct scan_frame *frame = &walk->frames[walk->depth - 1];
    const bool whole = frame->whole;
    walk->path[frame->path_length] = '\0';
    if (scan_is_own(name))
        return strcmp(name, SCAN_JOURNAL_NAME) == 0 ? visit_journal(scan, entry, frame->path_length) : 0;
    if (whole && name[0] == '.') {
        scan->counts.left_hidden++;
        return 0;
    }
    if (strlen(name) > NAME_MAX)
        return give_error(scan, entry, ENAMETOOLONG, "reading the directory");
    /* A directory is entered only while its path is shorter than PATH_MAX, so this fits. */
    memcpy(walk->path + frame->path_length, name, strlen(name) + 1);
    if (type == DT_UNKNOWN) {
        struct stat st;
        if (fstatat(scan->roots[walk->input->root].fd, walk->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return give_error(scan, entry, errno, "looking at the file");
        type = (unsigned char)IFTODT(st.st_mode);
    }
    if (type == DT_DIR)
        return visit_directory(scan, entry, whole);
    if (!whole && !match_path(walk->input->pattern, walk->path, MATCH_NO_DOTS))
        return 0;
    if (type == DT_LNK)
        return visit_link(scan, entry, whole);
    if (type == DT_REG)
        return visit_file(scan, entry, whole);
    return visit_other(scan, entry, DTTOIF((mode_t)type));
}

int scan_walk_begin(struct scan *scan, const struct scan_input *input)
{
    scan->walk.input = input;
    scan->walk.path[0] = '\0';
    scan->walk.taken = 0;
    return frame_push(scan, input->kind == INPUT_DIRECTORY);
}

int scan_walk_next(struct scan *scan, struct scan_entry *entry)
{
    struct scan_walk *walk = &scan->walk;
    while (walk->depth > 0) {
        struct scan_frame *frame = &walk->frames[walk->depth - 1];
        while (frame->next == frame->count && frame->dir)
            frame_fill(walk, frame);
        if (frame->next < frame->count) {
            const char *record = frame->names + frame->starts[frame->next++];
            if (visit(scan, entry, record + 1, (unsigned char)record[0])) {
                walk->taken += entry->kind != SCAN_HINT;
                return 1;
            }
            continue;
        }
        const int error = frame->error;
        walk->path[frame->path_length ? frame->path_length - 1 : 0] = '\0'; /* no slash behind it */
        frame_drop(walk);
        if (error) {
            walk->taken++;
            return give_error(scan, entry, error, "reading the directory");
        }
    }
    return 0;
}

void scan_walk_end(struct scan *scan)
{
    while (scan->walk.depth > 0)
        frame_drop(&scan->walk);
    scan->walk.input = NULL;
}
