/* SPDX-License-Identifier: MIT */
#include "pipeline/run/arrival.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Reads until `length` bytes are there or the file ends. The number read, or -1 and errno. */
static ssize_t read_fully(int fd, uint8_t *bytes, size_t length)
{
    size_t have = 0;
    while (have < length) {
        ssize_t got = read(fd, bytes + have, length - have);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static int unreadable(struct error *error)
{
    return error_set(error, ERROR_IO, "cannot be read: %s", strerror(errno));
}

static int changed(bool grew, struct error *error)
{
    return error_set(error, ERROR_IO, "the file %s while it was read", grew ? "grew" : "shrank");
}

static int read_head(struct arrival *arrival, uint64_t max_bytes, struct error *error)
{
    uint64_t size = (uint64_t)arrival->st.st_size;
    if (size == 0)
        return error_set(error, ERROR_CORRUPT, "the file is empty");
    if (size > max_bytes)
        return error_set(error, ERROR_LIMIT, "%llu bytes, over max_file %llu; raise it with --max-file",
                         (unsigned long long)size, (unsigned long long)max_bytes);
    /* Asking for a byte more than a small file has shows that it grew. */
    bool whole = size <= CODEC_HEAD_BYTES;
    ssize_t got = read_fully(arrival->fd, arrival->head, whole ? (size_t)size + 1 : CODEC_HEAD_BYTES);
    if (got < 0)
        return unreadable(error);
    if (whole && (uint64_t)got != size)
        return changed((uint64_t)got > size, error);
    if (!whole && (size_t)got != CODEC_HEAD_BYTES)
        return changed(false, error);
    arrival->head_bytes = (size_t)got;
    return 0;
}

static int know_codec(struct arrival *arrival, int format, const char *path, struct error *error)
{
    const struct codec *named = codec_for_name(path);
    arrival->codec_in = codec_sniff(arrival->head, arrival->head_bytes);
    if (!arrival->codec_in)
        return error_set(error, ERROR_CORRUPT, "is not %s%s",
                         named ? named->name : "an image of a known format",
                         named ? ", as its name says" : "");
    if (named && named != arrival->codec_in)
        return error_set(error, ERROR_CORRUPT, "is %s, not %s as its name says", arrival->codec_in->name,
                         named->name);
    arrival->codec_out = format == 0 ? arrival->codec_in : codec_all()[format - 1];
    return 0;
}

int arrival_examine(struct arrival *arrival, const struct job *job, const struct codec_limits *limits,
                    const struct scan *scan, unsigned root, const char *path, struct error *error)
{
    arrival->fd = scan_open_file(scan, root, path, &arrival->st, error);
    TRY(arrival->fd);
    TRY(read_head(arrival, job->settings.max_file_bytes, error));
    TRY(know_codec(arrival, job->settings.save.format, path, error));
    TRY(arrival->codec_in->peek(arrival->head, arrival->head_bytes, (uint64_t)arrival->st.st_size, limits,
                                &arrival->info, error));
    return chain_plan(job, arrival->codec_out, &arrival->info, (size_t)arrival->st.st_size, &arrival->need,
                      error);
}

int arrival_read(const struct arrival *arrival, uint8_t *bytes, struct error *error)
{
    size_t size = (size_t)arrival->st.st_size, head = arrival->head_bytes;
    memcpy(bytes, arrival->head, head);
    if (size <= CODEC_HEAD_BYTES)
        return 0;
    ssize_t got = read_fully(arrival->fd, bytes + head, size - head);
    if (got < 0)
        return unreadable(error);
    uint8_t more;
    if ((size_t)got < size - head)
        return changed(false, error);
    if (read_fully(arrival->fd, &more, 1) > 0)
        return changed(true, error);
    return 0;
}

void arrival_close(struct arrival *arrival)
{
    if (arrival->fd >= 0)
        close(arrival->fd);
    arrival->fd = -1;
}
