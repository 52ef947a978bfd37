/* SPDX-License-Identifier: MIT */
#include "pipeline/run/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/files/scan.h"

static int failed(const char *what, struct error *error)
{
    const int cause = errno;
    return error_set(error, cause == ENOSPC || cause == EDQUOT ? ERROR_DISK_FULL : ERROR_IO, "%s: %s", what,
                     strerror(cause));
}

int spool_open(struct spool *spool, int directory, struct error *error)
{
    *spool = (struct spool){.fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    if (spool->fd < 0) {
        /* Not every file system can make a file without a name: this one loses it at once. */
        char name[64];
        snprintf(name, sizeof name, SCAN_TEMP_PREFIX "%d-spool" SCAN_TEMP_SUFFIX, (int)getpid());
        spool->fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (spool->fd >= 0)
            unlinkat(directory, name, 0);
    }
    return spool->fd < 0 ? failed("a file to put things aside", error) : 0;
}

int spool_put(struct spool *spool, const void *bytes, size_t length, uint64_t *at, struct error *error)
{
    *at = spool->end;
    for (size_t done = 0; done < length;) {
        ssize_t wrote = pwrite(spool->fd, (const char *)bytes + done, length - done, (off_t)(*at + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return failed("putting an item aside", error);
        done += (size_t)wrote;
    }
    spool->end += length;
    return 0;
}

int spool_get(const struct spool *spool, uint64_t at, void *bytes, size_t length, struct error *error)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = pread(spool->fd, (char *)bytes + done, length - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO;
        if (got <= 0)
            return failed("an item put aside", error);
        done += (size_t)got;
    }
    return 0;
}

void spool_clear(struct spool *spool)
{
    /* What stays allocated after a failure is overwritten. */
    if (spool->end > 0 && ftruncate(spool->fd, 0) == 0)
        spool->end = 0;
}

void spool_close(struct spool *spool)
{
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
}
