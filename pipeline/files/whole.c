/* SPDX-License-Identifier: MIT */
#include "pipeline/files/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/files/scan.h"
#include "pipeline/files/sweep.h"

struct whole {
    FILE *file;
    char *path, *temp;
};

static int failed(const char *path, struct error *error)
{
    const int cause = errno;
    const enum error_code code = cause == ENOSPC || cause == EDQUOT   ? ERROR_DISK_FULL
                                 : cause == EMFILE || cause == ENOMEM ? ERROR_MEMORY
                                                                      : ERROR_IO;
    return error_set(error, code, "%.160s: %s", path, strerror(cause));
}

int whole_open(struct whole **out, const char *path, struct error *error)
{
    struct whole *whole = calloc(1, sizeof *whole);
    const char *slash = strrchr(path, '/');
    struct stat st;
    int fd = -1;
    *out = NULL;
    if (whole && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        free(whole);
        return error_set(error, ERROR_USAGE, "%.160s: is a directory", path);
    }
    if (whole && asprintf(&whole->temp,
                          "%.*s" SCAN_TEMP_PREFIX "%016" PRIx64 "-%ld-%08" PRIx32 "-XXXXXX" SCAN_TEMP_SUFFIX,
                          slash ? (int)(slash + 1 - path) : 0, path, sweep_tag(path), (long)getpid(),
                          sweep_mark()) < 0)
        whole->temp = NULL;
    if (!whole || !whole->temp || !(whole->path = strdup(path))) {
        whole_discard(whole);
        return error_set(error, ERROR_MEMORY, "out of memory");
    }
    /* mkostemps makes it for the owner alone; outputs are as the umask says. */
    fd = mkostemps(whole->temp, sizeof SCAN_TEMP_SUFFIX - 1, O_CLOEXEC);
    const mode_t mask = umask(0);
    umask(mask);
    if (fd < 0 || fchmod(fd, 0666 & ~mask) < 0 || !(whole->file = fdopen(fd, "w+"))) {
        int code = failed(path, error);
        if (fd >= 0) {
            unlink(whole->temp);
            close(fd);
        }
        free(whole->temp);
        whole->temp = NULL;
        whole_discard(whole);
        return code;
    }
    *out = whole;
    return 0;
}

FILE *whole_file(struct whole *whole)
{
    return whole->file;
}

const char *whole_path(const struct whole *whole)
{
    return whole->temp;
}

int whole_commit(struct whole *whole, struct error *error)
{
    int code = 0;
    errno = EIO;
    bool bad = ferror(whole->file) != 0;
    bad = fclose(whole->file) != 0 || bad;
    whole->file = NULL;
    if (bad || rename(whole->temp, whole->path) < 0)
        code = failed(whole->path, error);
    if (code == 0) {
        free(whole->temp);
        whole->temp = NULL;
    }
    whole_discard(whole);
    return code;
}

void whole_discard(struct whole *whole)
{
    if (!whole)
        return;
    if (whole->file)
        fclose(whole->file);
    if (whole->temp)
        unlink(whole->temp);
    free(whole->temp);
    free(whole->path);
    free(whole);
}
