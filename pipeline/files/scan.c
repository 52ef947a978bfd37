/* SPDX-License-Identifier: MIT */
#include "pipeline/files/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/files/beneath.h"
#include "pipeline/files/cause.h"
#include "pipeline/files/match.h"
#include "pipeline/files/scan_parts.h"
#include "stages/stage.h"

/* The reason for an errno: text and kind. */
static int reason_set(struct error *reason, int error, const char *what)
{
    switch (error) {
    case EXDEV:
        return error_set(reason, ERROR_UNSUPPORTED,
                         "%s: it leads out of the input directory; give its target as an input", what);
    case ENAMETOOLONG:
        return error_set(reason, ERROR_UNSUPPORTED, "%s: the path is longer than %d bytes", what,
                         PATH_MAX - 1);
    default:
        return error_set(reason, cause_code(error) == ERROR_DISK_FULL ? ERROR_IO : cause_code(error),
                         "%s: %s", what, strerror(error));
    }
}

int scan_give_file(struct scan *scan, struct scan_entry *entry, unsigned root, const char *path,
                   const char *rel, const char *shown)
{
    *entry = (struct scan_entry){.kind = SCAN_FILE, .root = root, .path = path, .rel = rel, .shown = shown};
    scan->counts.files++;
    return 1;
}

int scan_give_note(struct scan *scan, struct scan_entry *entry, const char *shown, const char *format, ...)
{
    *entry = (struct scan_entry){.kind = SCAN_NOTE, .path = "", .rel = "", .shown = shown};
    va_list args;
    va_start(args, format);
    vsnprintf(entry->reason.reason, sizeof entry->reason.reason, format, args);
    va_end(args);
    scan->counts.notes++;
    return 1;
}

int scan_give_hint(struct scan_entry *entry, const char *shown, const char *format, ...)
{
    *entry = (struct scan_entry){.kind = SCAN_HINT, .path = "", .rel = "", .shown = shown};
    va_list args;
    va_start(args, format);
    vsnprintf(entry->reason.reason, sizeof entry->reason.reason, format, args);
    va_end(args);
    return 1;
}

int scan_give_error(struct scan *scan, struct scan_entry *entry, const char *shown, int error,
                    const char *what)
{
    *entry = (struct scan_entry){.kind = SCAN_ERROR, .path = "", .rel = "", .shown = shown};
    reason_set(&entry->reason, error, what);
    scan->counts.errors++;
    return 1;
}

bool scan_is_own(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strncmp(slash ? slash + 1 : path, SCAN_TEMP_PREFIX, strlen(SCAN_TEMP_PREFIX)) == 0;
}

int scan_give_own(struct scan *scan, struct scan_entry *entry, const char *shown)
{
    scan_give_error(scan, entry, shown, 0, "");
    error_set(&entry->reason, ERROR_UNSUPPORTED,
              "names that begin with " SCAN_TEMP_PREFIX " are for forkmill's own files");
    return 1;
}

static bool extension_known(const char *name)
{
    return codec_for_name(name) != NULL;
}

bool scan_wants(struct scan *scan, const char *rel, bool vouched)
{
    const struct param_list *include = scan->options.include;
    if (match_list(scan->options.exclude, rel, false)) {
        scan->counts.left_rules++;
        return false;
    }
    if (include && include->count) {
        if (!match_list(include, rel, false)) {
            scan->counts.left_rules++;
            return false;
        }
        vouched = vouched || match_list_named(include, rel);
    }
    if (!vouched && !scan->options.known(rel)) {
        scan->counts.left_names++;
        return false;
    }
    return true;
}

const char *scan_kind_text(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFIFO:
        return "a fifo";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    case S_IFDIR:
        return "a directory";
    default:
        return "not a regular file";
    }
}

/* A directory to list beneath, as the next root. */
static int add_root(struct scan *scan, struct scan_input *input, const char *path, struct error *error)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        const int cause = errno;
        char what[160];
        snprintf(what, sizeof what, "%s", path);
        const int code = reason_set(error, cause, what);
        return cause == ENOENT || cause == ENOTDIR ? SCAN_NO_INPUT : code;
    }
    input->root = scan->root_count;
    scan->roots[scan->root_count++] = (struct scan_root){.fd = fd};
    return 0;
}

static int add_glob(struct scan *scan, struct scan_input *input, struct error *error)
{
    const size_t prefix = match_fixed_prefix(input->text);
    input->kind = INPUT_GLOB;
    input->pattern = input->text + prefix;
    input->shown_prefix = match_unescape(input->text, prefix);
    if (!input->shown_prefix)
        return error_set(error, ERROR_MEMORY, "out of memory");
    return add_root(scan, input, prefix ? input->shown_prefix : ".", error);
}

static int add_directory(struct scan *scan, struct scan_input *input, struct error *error)
{
    const size_t length = strlen(input->text);
    const bool slash = length > 0 && input->text[length - 1] == '/';
    input->kind = INPUT_DIRECTORY;
    if (asprintf(&input->shown_prefix, "%s%s", input->text, slash ? "" : "/") < 0) {
        input->shown_prefix = NULL;
        return error_set(error, ERROR_MEMORY, "out of memory");
    }
    return add_root(scan, input, input->text, error);
}

/* What kind of input it is; what exists by its very name is no glob. */
static int add_input(struct scan *scan, const char *text, struct error *error)
{
    struct scan_input *input = &scan->inputs[scan->input_count++];
    *input = (struct scan_input){.text = text};
    struct stat st;
    if (stat(text, &st) == 0) {
        input->mode = st.st_mode;
        if (S_ISDIR(st.st_mode))
            return add_directory(scan, input, error);
        input->kind = S_ISREG(st.st_mode) ? INPUT_FILE : INPUT_OTHER;
        return 0;
    }
    const int cause = errno;
    if ((cause == ENOENT || cause == ENOTDIR || cause == ENAMETOOLONG) && match_is_pattern(text))
        return add_glob(scan, input, error);
    error_set(error, ERROR_IO, "%s: %s", *text ? text : "an empty input", strerror(cause));
    return cause == ENOENT || cause == ENOTDIR ? SCAN_NO_INPUT : ERROR_IO;
}

static int open_all(struct scan *scan, struct error *error)
{
    const struct scan_options *options = &scan->options;
    const size_t count = options->inputs ? options->inputs->count : 0;
    if (count == 0 && !options->files_from)
        return error_set(error, ERROR_USAGE, "no input is given");
    scan->inputs = calloc(count + 1, sizeof *scan->inputs);
    scan->roots = calloc(count + 1, sizeof *scan->roots);
    if (!scan->inputs || !scan->roots)
        return error_set(error, ERROR_MEMORY, "out of memory");
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (here < 0)
        return reason_set(error, errno, "the current directory");
    scan->roots[scan->root_count++] = (struct scan_root){.fd = here, .anywhere = true};
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        int code = add_input(scan, options->inputs->texts[i], error);
        if (code)
            return code;
        const char *prefix = scan->inputs[i].shown_prefix;
        const size_t length = prefix ? strlen(prefix) : 0;
        longest = length > longest ? length : longest;
    }
    scan->shown_size = longest + sizeof scan->walk.path;
    scan->shown = malloc(scan->shown_size);
    if (!scan->shown)
        return error_set(error, ERROR_MEMORY, "out of memory");
    return options->files_from ? scan_list_open(scan, error) : 0;
}

int scan_open(struct scan **out, const struct scan_options *options, struct error *error)
{
    *out = NULL;
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return error_set(error, ERROR_MEMORY, "out of memory");
    scan->options = *options;
    if (!scan->options.known)
        scan->options.known = extension_known;
    scan->list.fd = -1;
    int code = open_all(scan, error);
    if (code) {
        scan_close(scan);
        return code;
    }
    *out = scan;
    return 0;
}

/* An input that is not walked. */
static int give_single(struct scan *scan, const struct scan_input *input, struct scan_entry *entry)
{
    const char *slash = strrchr(input->text, '/');
    const char *name = slash ? slash + 1 : input->text;
    if (input->kind == INPUT_OTHER)
        return scan_give_note(scan, entry, input->text, "%s", scan_kind_text(input->mode));
    if (!scan_wants(scan, name, true))
        return 0;
    if (scan_is_own(name))
        return scan_give_own(scan, entry, input->text);
    return scan_give_file(scan, entry, 0, input->text, name, input->text);
}

static int give_input(struct scan *scan, const struct scan_input *input, struct scan_entry *entry)
{
    if (input->kind == INPUT_FILE || input->kind == INPUT_OTHER)
        return give_single(scan, input, entry);
    int error = scan_walk_begin(scan, input);
    if (error <= 0)
        return 0;
    scan_walk_end(scan);
    return scan_give_error(scan, entry, input->text, error, "opening the directory");
}

int scan_next(struct scan *scan, struct scan_entry *entry)
{
    for (;;) {
        const struct scan_input *walked = scan->walk.input;
        if (walked) {
            if (scan_walk_next(scan, entry))
                return 1;
            scan_walk_end(scan);
            if (walked->kind == INPUT_GLOB && scan->walk.taken == 0) {
                scan_give_error(scan, entry, walked->text, ENOENT, "the pattern matches nothing to take");
                error_set(&entry->reason, ERROR_USAGE, "the pattern matches nothing to take");
                scan->counts.unmatched++;
                return 1;
            }
        } else if (scan->input_next < scan->input_count) {
            if (give_input(scan, &scan->inputs[scan->input_next++], entry))
                return 1;
        } else {
            return scan_list_next(scan, entry);
        }
    }
}

bool scan_ready(const struct scan *scan, int wait_ms)
{
    return scan->walk.input || scan->input_next < scan->input_count || scan_list_ready(scan, wait_ms);
}

bool scan_exhausted(const struct scan *scan)
{
    const struct scan_list *list = &scan->list;
    if (scan->input_next < scan->input_count || (list->fd >= 0 && !(list->end && list->from == list->to)))
        return false;
    for (size_t i = 0; i < scan->walk.depth; i++) {
        const struct scan_frame *frame = &scan->walk.frames[i];
        if (frame->dir || frame->error || frame->next < frame->count)
            return false;
    }
    return true;
}

struct scan_counts scan_counts(const struct scan *scan)
{
    return scan->counts;
}

/* O_NONBLOCK: the file may have become a fifo since it was listed. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

int scan_open_how(const struct scan *scan, unsigned root, struct open_how *how)
{
    if (root >= scan->root_count)
        return -1;
    *how =
        scan->roots[root].anywhere ? (struct open_how){.flags = OPEN_FLAGS} : beneath_how(OPEN_FLAGS, true);
    return scan->roots[root].fd;
}

bool scan_takes(const struct stat *st)
{
    return S_ISREG(st->st_mode);
}

int scan_open_file(const struct scan *scan, unsigned root, const char *path, struct stat *st,
                   struct error *error)
{
    if (root >= scan->root_count)
        return error_set(error, ERROR_INTERNAL, "there is no input root %u", root);
    const struct scan_root *from = &scan->roots[root];
    int fd =
        from->anywhere ? openat(from->fd, path, OPEN_FLAGS) : beneath_open(from->fd, path, OPEN_FLAGS, true);
    if (fd < 0)
        return reason_set(error, errno, "opening the file");
    if (fstat(fd, st) < 0) {
        const int cause = errno;
        close(fd);
        return reason_set(error, cause, "looking at the file");
    }
    if (!scan_takes(st)) {
        close(fd);
        return error_set(error, ERROR_UNSUPPORTED, "not a regular file but %s", scan_kind_text(st->st_mode));
    }
    return fd;
}

int scan_directory(const struct scan *scan, unsigned index)
{
    return index + 1 < scan->root_count ? scan->roots[index + 1].fd : -1; /* root 0 is where names begin */
}

bool scan_reads_anywhere(const struct scan *scan)
{
    for (size_t i = 0; i < scan->input_count; i++) {
        if (scan->inputs[i].kind == INPUT_FILE)
            return true;
    }
    return scan->list.fd >= 0;
}

void scan_close(struct scan *scan)
{
    if (!scan)
        return;
    scan_walk_end(scan);
    free(scan->walk.frames);
    for (unsigned i = 0; i < scan->root_count; i++)
        close(scan->roots[i].fd);
    for (size_t i = 0; i < scan->input_count; i++)
        free(scan->inputs[i].shown_prefix);
    if (scan->list.close)
        close(scan->list.fd);
    free(scan->roots);
    free(scan->inputs);
    free(scan->shown);
    free(scan);
}
