/* SPDX-License-Identifier: MIT */
#include "pipeline/files/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/files/scan.h"
#include "pipeline/files/siphash.h"

/* One descriptor is open for each level; a deeper tree is left alone below this. */
#define MOST_LEVELS 200u

#define DIGITS   "0123456789"
#define HEX      DIGITS "abcdef"
#define ALPHANUM DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Steps over at least one byte of the set, or exactly `count` where that is not 0. */
static bool skip(const char **at, const char *set, size_t count)
{
    const size_t length = strspn(*at, set);
    *at += length;
    return count ? length == count : length > 0;
}

static bool skip_text(const char **at, const char *text)
{
    const size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

/* Steps over number and mark of a process, and the hyphens behind them. */
static bool skip_maker(const char **at)
{
    return skip(at, DIGITS, 0) && skip_text(at, "-") && skip(at, HEX, 8) && skip_text(at, "-");
}

/* Is it the name of a temporary file? *maker: where the number of its process begins; NULL for a spool, which
 * has that name for a moment only. */
static bool take_apart(const char *name, const char **maker)
{
    const char *at = name;
    *maker = NULL;
    if (!skip_text(&at, SCAN_TEMP_PREFIX))
        return false;
    const char *output = at, *spool = at, *whole = at;
    if (skip(&spool, DIGITS, 0) && skip_text(&spool, "-spool"))
        return strcmp(spool, SCAN_TEMP_SUFFIX) == 0;
    *maker = at;
    if (skip_maker(&output) && skip(&output, DIGITS, 0) && strcmp(output, SCAN_TEMP_SUFFIX) == 0)
        return true;
    *maker = at + 17;
    return skip(&whole, HEX, 16) && skip_text(&whole, "-") && skip_maker(&whole) &&
           skip(&whole, ALPHANUM, 6) && strcmp(whole, SCAN_TEMP_SUFFIX) == 0;
}

bool sweep_is_temp(const char *name)
{
    const char *maker;
    return take_apart(name, &maker);
}

/* Mark and state of a process; false where nobody can say. */
static bool look_at(long process, uint32_t *mark, char *state)
{
    char path[64], text[1024];
    unsigned long long start;
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    FILE *file = fopen(path, "re");
    const size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[length] = '\0';
    /* Fields 3 and 22; the second is a name in parentheses, of any bytes. */
    const char *name_end = strrchr(text, ')');
    if (!name_end ||
        sscanf(name_end + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", state,
               &start) != 2)
        return false;
    *mark = (uint32_t)start;
    return true;
}

uint32_t sweep_mark(void)
{
    uint32_t mark;
    char state;
    return look_at((long)getpid(), &mark, &state) ? mark : 0;
}

/* Is it a temporary file, and the process that made it gone? */
static bool is_left(const char *name)
{
    const char *maker;
    char *end, state;
    uint32_t mark;
    if (!take_apart(name, &maker))
        return false;
    const long process = maker ? strtol(maker, &end, 10) : 0;
    if (process <= 0)
        return true;
    if (look_at(process, &mark, &state))
        return state == 'Z' || state == 'X' || mark != strtoul(end + 1, NULL, 16);
    return kill((pid_t)process, 0) < 0 && errno == ESRCH;
}

uint64_t sweep_tag(const char *path)
{
    static const uint64_t key[2] = {0x666f726b6d696c6cu, 0x77686f6c65u};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return siphash(key, name, strlen(name));
}

static bool is_file(int directory, const char *name)
{
    struct stat st;
    return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static uint64_t sweep(int directory, unsigned levels)
{
    uint64_t removed = 0;
    DIR *stream = fdopendir(directory);
    if (!stream) {
        close(directory);
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        const char *name = entry->d_name;
        if (is_left(name)) {
            removed += is_file(directory, name) && unlinkat(directory, name, 0) == 0;
            continue;
        }
        if (levels == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
            continue;
        int below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            removed += sweep(below, levels - 1);
    }
    closedir(stream);
    return removed;
}

uint64_t sweep_tree(int directory)
{
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return own >= 0 ? sweep(own, MOST_LEVELS) : 0;
}

uint64_t sweep_beside(const char *path)
{
    char beginning[64], directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    uint64_t removed = 0;
    snprintf(beginning, sizeof beginning, SCAN_TEMP_PREFIX "%016" PRIx64 "-", sweep_tag(path));
    snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash + 1 - path) : 1, slash ? path : ".");
    DIR *stream = opendir(directory);
    for (struct dirent *entry; stream && (entry = readdir(stream)) != NULL;) {
        if (strncmp(entry->d_name, beginning, strlen(beginning)) == 0 && is_left(entry->d_name) &&
            is_file(dirfd(stream), entry->d_name))
            removed += unlinkat(dirfd(stream), entry->d_name, 0) == 0;
    }
    if (stream)
        closedir(stream);
    return removed;
}
