/* SPDX-License-Identifier: MIT */
#include "pipeline/files/sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
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

bool sweep_is_temp(const char *name)
{
    const char *at = name;
    if (!skip_text(&at, SCAN_TEMP_PREFIX))
        return false;
    const char *output = at, *spool = at, *whole = at;
    if (skip(&output, DIGITS, 0) && skip_text(&output, "-") && skip(&output, HEX, 8) &&
        skip_text(&output, "-") && skip(&output, DIGITS, 0))
        return strcmp(output, SCAN_TEMP_SUFFIX) == 0;
    if (skip(&spool, DIGITS, 0) && skip_text(&spool, "-spool"))
        return strcmp(spool, SCAN_TEMP_SUFFIX) == 0;
    return skip(&whole, HEX, 16) && skip_text(&whole, "-") && skip(&whole, ALPHANUM, 6) &&
           strcmp(whole, SCAN_TEMP_SUFFIX) == 0;
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
        if (sweep_is_temp(name)) {
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
        if (strncmp(entry->d_name, beginning, strlen(beginning)) == 0 && sweep_is_temp(entry->d_name) &&
            is_file(dirfd(stream), entry->d_name))
            removed += unlinkat(dirfd(stream), entry->d_name, 0) == 0;
    }
    if (stream)
        closedir(stream);
    return removed;
}
