/* SPDX-License-Identifier: MIT */
#include "pipeline/config/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/report/utf8.h"
#include "stages/error.h"

static int read_all(int file, size_t max_bytes, char *bytes, size_t *length_bytes)
{
    *length_bytes = 0;
    while (*length_bytes <= max_bytes) {
        ssize_t got = read(file, bytes + *length_bytes, max_bytes + 1 - *length_bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return 0;
        *length_bytes += (size_t)got;
    }
    return -EFBIG;
}

int config_file_read(const char *path, size_t max_bytes, char **bytes, size_t *length_bytes,
                     struct diag *diag)
{
    const char *hint = "";
    int code = 0;
    *bytes = malloc(max_bytes + 1);
    int file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0)
        code = -errno;
    else
        code = *bytes ? read_all(file, max_bytes, *bytes, length_bytes) : -ENOMEM;
    if (file > STDIN_FILENO)
        close(file);
    if (code == 0)
        return 0;
    if (code == -EISDIR)
        hint = "; a config is a file, inputs are given by -i";
    if (code == -EFBIG)
        diag_error(diag, "%.300s: a config has at most %zu bytes", path, max_bytes);
    else
        diag_error(diag, "%.300s: cannot read the config: %s%s", path, strerror(-code), hint);
    return ERROR_USAGE;
}

int config_file_check(const struct diag_source *source, struct diag *diag)
{
    size_t step;
    for (size_t at = 0; at < source->length; at += step) {
        uint32_t point;
        step = utf8_next(source->bytes + at, source->length - at, &point);
        struct diag_place place = {source, at, at + 1};
        if (step == 0) {
            diag_error_at(diag, place, "byte 0x%02x is not UTF-8; !!binary takes base64 of any bytes",
                          (unsigned char)source->bytes[at]);
            return ERROR_USAGE;
        }
        if ((point < 0x20 && point != '\t' && point != '\n' && point != '\r') || point == 0x7f) {
            diag_error_at(diag, place, "control character 0x%02x", (unsigned)point);
            return ERROR_USAGE;
        }
    }
    return 0;
}
