/* SPDX-License-Identifier: MIT */
#include "pipeline/report/report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(struct error *error, const char *path)
{
    return error_set(error, ERROR_IO, "%.180s: %s", path, strerror(errno));
}

/* Is what is there, a regular file, empty or a report? What cannot be read is taken for none. */
static bool replaceable(const char *path, const char *opening)
{
    char head[32];
    FILE *there = fopen(path, "re");
    if (!there)
        return false;
    const size_t length = fread(head, 1, strlen(opening), there);
    fclose(there);
    return length == 0 || (length == strlen(opening) && memcmp(head, opening, length) == 0);
}

static int open_descriptor(struct report_file *file, const char *opening, struct error *error)
{
    struct stat st;
    const bool exists = stat(file->path, &st) == 0;
    if (exists && S_ISREG(st.st_mode) && !replaceable(file->path, opening))
        return error_set(error, ERROR_USAGE, "%.180s: it holds something else, which is not replaced",
                         file->path);
    if (exists && !S_ISREG(st.st_mode)) {
        int fd = open(file->path, O_WRONLY | O_CLOEXEC);
        return fd >= 0 ? fd : failed(error, file->path);
    }
    if (asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0) {
        file->temporary = NULL;
        return error_set(error, ERROR_MEMORY, "out of memory");
    }
    int fd = mkostemp(file->temporary, O_CLOEXEC);
    if (fd < 0) {
        int code = failed(error, file->path);
        free(file->temporary);
        file->temporary = NULL;
        return code;
    }
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    return fd;
}

int report_file_open(struct report_file *file, const char *path, const char *opening, struct error *error)
{
    *file = (struct report_file){.path = path};
    int fd = open_descriptor(file, opening, error);
    if (fd < 0)
        return fd;
    file->stream = fdopen(fd, "w");
    if (file->stream)
        return 0;
    close(fd);
    report_file_drop(file);
    return error_set(error, ERROR_MEMORY, "out of memory");
}

int report_file_keep(struct report_file *file, struct error *error)
{
    int code = fclose(file->stream) == EOF ? failed(error, file->path) : 0;
    file->stream = NULL;
    if (code == 0 && file->temporary && rename(file->temporary, file->path) < 0)
        code = failed(error, file->path);
    if (code == 0) {
        free(file->temporary);
        file->temporary = NULL;
    }
    report_file_drop(file);
    return code;
}

void report_file_drop(struct report_file *file)
{
    if (file->stream)
        fclose(file->stream);
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    *file = (struct report_file){.path = NULL};
}
