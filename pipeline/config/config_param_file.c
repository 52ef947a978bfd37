/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/config/config_chain.h"

/* A matrix or a watermark; what is larger is given by mistake. */
#define MOST_BYTES ((off_t)256 << 20)

static int read_all(int fd, struct param_file *file)
{
    size_t have = 0;
    while (have < file->length_bytes) {
        ssize_t got = read(fd, file->bytes + have, file->length_bytes - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        have += (size_t)got;
    }
    return 0;
}

int config_param_file(struct param_file *file, struct error *error)
{
    struct stat st;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int code = 0;
    if (fd < 0)
        return error_set(error, ERROR_USAGE, "%.120s cannot be opened: %s", file->path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > MOST_BYTES)
        code = error_set(error, ERROR_USAGE, "%.120s is no file of 1 byte to 256 MiB", file->path);
    if (code == 0) {
        file->length_bytes = (size_t)st.st_size;
        file->bytes = malloc(file->length_bytes);
        if (!file->bytes || read_all(fd, file) < 0)
            code = error_set(error, ERROR_USAGE, "%.120s cannot be read", file->path);
    }
    close(fd);
    return code;
}
