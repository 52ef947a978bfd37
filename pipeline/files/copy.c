/* SPDX-License-Identifier: MIT */
#include "pipeline/files/copy.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define AT_ONCE_BYTES ((size_t)64 << 20)

static int write_all(int to, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(to, bytes, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return wrote < 0 ? errno : EIO;
        bytes += wrote;
        length -= (size_t)wrote;
    }
    return 0;
}

static int by_hand(int from, int to)
{
    uint8_t bytes[65536];
    off_t at = 0;
    for (;;) {
        ssize_t got = pread(from, bytes, sizeof bytes, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : 0;
        int cause = write_all(to, bytes, (size_t)got);
        if (cause != 0)
            return cause;
        at += got;
    }
}

int copy_file(int from, int to)
{
    off_t at = 0;
    if (ioctl(to, FICLONE, from) == 0)
        return 0;
    for (bool any = false;; any = true) {
        ssize_t copied = copy_file_range(from, &at, to, NULL, AT_ONCE_BYTES, 0);
        if (copied < 0 && errno == EINTR)
            continue;
        /* Files of /proc and the like say that they are empty; other file systems say that they cannot. */
        if (copied <= 0 && !any)
            return by_hand(from, to);
        if (copied <= 0)
            return copied < 0 ? errno : 0;
    }
}
