/* SPDX-License-Identifier: MIT */
/* Do inputs and output overlap? Directories are compared by identity, so links and mounts deceive nobody. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/files/match.h"
#include "pipeline/files/outname.h"
#include "pipeline/files/resolve.h"

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

enum place { PLACE_APART, PLACE_SAME, PLACE_INSIDE };

/* Where the directory `path` lies with regard to the directory `output`: climbs up to the root. */
static enum place place_of(const char *path, const struct stat *output)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    enum place place = PLACE_APART;
    struct stat at, below = {0};
    for (unsigned level = 0; fd >= 0 && fstat(fd, &at) == 0; level++) {
        if (same(&at, output)) {
            place = level ? PLACE_INSIDE : PLACE_SAME;
            break;
        }
        if (level && same(&at, &below))
            break;
        below = at;
        int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = up;
    }
    if (fd >= 0)
        close(fd);
    return place;
}

static int check_directory(const char *input, const char *path, const char *output, const struct stat *st,
                           struct error *error)
{
    switch (place_of(path, st)) {
    case PLACE_SAME:
        return error_set(error, ERROR_USAGE, "input and output are the same directory: %s and %s", input,
                         output);
    case PLACE_INSIDE:
        return error_set(error, ERROR_USAGE,
                         "the input %s lies inside the output directory %s, where outputs could replace it",
                         input, output);
    case PLACE_APART:
        break;
    }
    return 0;
}

static int check_file(const char *input, const struct stat *file, const char *output,
                      const struct outname_form *form, struct error *error)
{
    char name[PATH_MAX], target[2 * PATH_MAX];
    const char *slash = strrchr(input, '/');
    struct stat st;
    if (outname_make(form, slash ? slash + 1 : input, 0, 0, name, sizeof name, NULL) < 0)
        return 0;
    if (snprintf(target, sizeof target, "%s/%s", output, name) >= (int)sizeof target)
        return 0;
    if (stat(target, &st) == 0 && same(&st, file))
        return error_set(error, ERROR_USAGE, "the output of %s would replace it", input);
    return 0;
}

static int check_forms(const char *input, const struct stat *file, const char *output,
                       const struct outname_rule *rule, struct error *error)
{
    for (unsigned i = 0; i < rule->form_count; i++)
        TRY(check_file(input, file, output, &rule->forms[i], error));
    return 0;
}

int outname_check_places(const struct scan_options *options, const char *output,
                         const struct outname_rule *rule, struct error *error)
{
    struct stat out, st;
    if (stat(output, &out) < 0)
        return 0; /* made later, so nothing is in it */
    for (size_t i = 0; options->inputs && i < options->inputs->count; i++) {
        const char *input = options->inputs->texts[i];
        if (stat(input, &st) == 0) {
            TRY(S_ISDIR(st.st_mode) ? check_directory(input, input, output, &out, error)
                                    : check_forms(input, &st, output, rule, error));
        } else if (match_is_pattern(input)) {
            char *prefix = match_unescape(input, match_fixed_prefix(input));
            if (!prefix)
                return error_set(error, ERROR_MEMORY, "out of memory");
            int code = check_directory(input, *prefix ? prefix : ".", output, &out, error);
            free(prefix);
            TRY(code);
        }
    }
    return 0;
}

/* The directory of a path; the caller's to free. NULL: out of memory. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
}

/* Is the directory the output or inside it, and that inside the input? Walks leave the output out. */
static bool left_out(const char *directory, const char *output, const struct stat *input)
{
    struct stat st;
    return stat(output, &st) == 0 && place_of(directory, &st) != PLACE_APART &&
           place_of(output, input) == PLACE_INSIDE;
}

/* The input's directory, or that of a file or of what a glob can match; the caller's to free. NULL: out of
 * memory. */
static char *place_of_input(const char *input)
{
    struct stat st;
    if (stat(input, &st) == 0)
        return S_ISDIR(st.st_mode) ? strdup(input) : directory_of(input);
    char *prefix = match_unescape(input, match_fixed_prefix(input));
    char *place = !prefix || *prefix ? prefix : strdup(".");
    if (place != prefix)
        free(prefix);
    return place;
}

/* Is there something? What cannot be asked is an error: a guess might let an input be replaced. */
static int look(const char *path, struct stat *st, bool *exists, struct error *error)
{
    *exists = stat(path, st) == 0;
    if (*exists || errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
        return 0;
    return error_set(error, ERROR_IO, "%.120s: %s", path, strerror(errno));
}

/* Would a walk of this input, a directory or a glob, take a file called like that? */
static bool takes(const char *input, bool directory, const char *path)
{
    const char *slash = strrchr(path, '/'), *last = strrchr(input, '/');
    return codec_for_name(path) &&
           (directory || match_path(last ? last + 1 : input, slash ? slash + 1 : path, 0));
}

static int check_extra(const char *input, const char *output, const char *path, struct error *error)
{
    struct stat file, st;
    bool exists, given;
    TRY(look(path, &file, &exists, error));
    TRY(look(input, &st, &given, error));
    if (exists && given && same(&st, &file))
        return error_set(error, ERROR_USAGE, "%.120s is an input, and would be replaced", path);
    if ((given && !S_ISDIR(st.st_mode)) || !takes(input, given, path))
        return 0;
    char *place = given ? strdup(input) : place_of_input(input), *directory = directory_of(path);
    int code = place && directory ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
    if (code == 0 && stat(place, &st) == 0 && place_of(directory, &st) != PLACE_APART &&
        !left_out(directory, output, &st))
        code = exists ? error_set(error, ERROR_USAGE, "%.120s is an input, and would be replaced", path)
                      : error_set(error, ERROR_USAGE,
                                  "%.80s lies in the input %.80s, where the next run would find it", path,
                                  input);
    free(place);
    free(directory);
    return code;
}

/* Is it the list of files, or one of those that are listed there? A list that can be read only once is left
 * alone. */
static int check_listed(const struct scan_options *options, const char *path, struct error *error)
{
    struct stat file, st;
    struct scan *scan;
    struct scan_entry entry;
    bool exists;
    TRY(look(path, &file, &exists, error));
    if (!exists || !options->files_from || !outname_can_look(options))
        return 0;
    if (stat(options->files_from, &st) == 0 && same(&st, &file))
        return error_set(error, ERROR_USAGE, "%.120s is the list of files, and would be replaced", path);
    TRY(scan_open(&scan, options, error));
    int code = 0;
    while (code == 0 && scan_next(scan, &entry)) {
        if (stat(entry.shown, &st) == 0 && same(&st, &file))
            code = error_set(error, ERROR_USAGE, "%.120s is an input, and would be replaced", path);
    }
    scan_close(scan);
    return code;
}

int outname_check_extra(const struct scan_options *options, const char *output, const char *path,
                        struct error *error)
{
    TRY(outname_check_own(path, error));
    TRY(check_listed(options, path, error));
    for (size_t i = 0; options->inputs && i < options->inputs->count; i++)
        TRY(check_extra(options->inputs->texts[i], output, path, error));
    return 0;
}

static int check_input_aside(const char *input, const char *output, const char *directory,
                             const struct stat *aside, struct error *error)
{
    struct stat st;
    char *place = place_of_input(input);
    if (!place)
        return error_set(error, ERROR_MEMORY, "out of memory");
    const bool is_directory = stat(input, &st) < 0 || S_ISDIR(st.st_mode);
    int code = 0;
    if (place_of(place, aside) != PLACE_APART)
        code =
            error_set(error, ERROR_USAGE,
                      "quarantine: %.80s is the input %.80s or around it, where copies could replace inputs",
                      directory, input);
    else if (is_directory && stat(place, &st) == 0 && place_of(directory, &st) != PLACE_APART &&
             !left_out(directory, output, &st))
        code = error_set(error, ERROR_USAGE,
                         "quarantine: %.80s lies inside the input %.80s, where the next run would find it",
                         directory, input);
    free(place);
    return code;
}

int outname_check_aside(const struct scan_options *options, const char *output, const char *directory,
                        struct error *error)
{
    struct stat out, aside;
    if (stat(directory, &aside) < 0)
        return error_set(error, ERROR_IO, "quarantine: %.120s: %s", directory, strerror(errno));
    if (stat(output, &out) == 0 && place_of(output, &aside) != PLACE_APART)
        return error_set(
            error, ERROR_USAGE,
            "quarantine: %.120s is the output directory or around it, where copies could replace outputs",
            directory);
    for (size_t i = 0; options->inputs && i < options->inputs->count; i++)
        TRY(check_input_aside(options->inputs->texts[i], output, directory, &aside, error));
    return 0;
}

char *outname_of_extra(const char *output, const char *path)
{
    char *directory = NULL, *name = NULL;
    if (asprintf(&directory, "%s/", output) < 0)
        return NULL;
    char *root = resolve_place(directory), *place = resolve_place(path);
    const size_t length = root ? strlen(root) : 0;
    if (root && place && strncmp(place, root, length) == 0)
        name = strdup(place + length);
    free(directory);
    free(root);
    free(place);
    return name;
}
