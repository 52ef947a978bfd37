/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/files/beneath.h"
#include "pipeline/shared/digits.h"

/* Two numbers, the mark, and the spaces behind them. */
#define NUMBERS_BYTES (2 * DIGITS_BYTES + 3)

#define ABOUT '~'

/* An entry of the list. */
struct output {
    uint64_t size_bytes;
    int64_t changed_ns;
    bool about;
    const char *name;
};

static int64_t time_ns(const struct timespec *time)
{
    /* A time beyond the year 2262 wraps; it is only compared with others. */
    return (int64_t)((uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec);
}

int64_t journal_mtime_ns(const struct stat *st)
{
    return time_ns(&st->st_mtim);
}

int journal_outputs_add(struct journal_outputs *outputs, const char *own, const char *name,
                        const struct outfile_made *made, struct error *error)
{
    const char *said = strcmp(name, own) == 0 ? "" : name;
    const size_t name_bytes = strlen(said) + 1, wanted = outputs->used_bytes + NUMBERS_BYTES + name_bytes;
    if (wanted > outputs->size_bytes) {
        char *bytes = realloc(outputs->bytes, 2 * wanted);
        if (!bytes)
            return error_set(error, ERROR_MEMORY, "out of memory");
        outputs->bytes = bytes;
        outputs->size_bytes = 2 * wanted;
    }
    char *at = digits_put(outputs->bytes + outputs->used_bytes, made->size_bytes);
    *at++ = ' ';
    at = digits_put_signed(at, time_ns(&made->changed));
    if (made->about)
        *at++ = ABOUT;
    *at++ = ' ';
    memcpy(at, said, name_bytes);
    outputs->used_bytes = (size_t)(at - outputs->bytes) + name_bytes;
    return 0;
}

/* The entry at *position: 1, 0 at the end, -1 where the list is broken. */
static int next(const char *bytes, size_t length_bytes, size_t *position, struct output *output)
{
    const char *at = bytes + *position;
    if (*position == length_bytes)
        return 0;
    const char *end = memchr(at, '\0', length_bytes - *position);
    char *behind;
    if (!end || *at < '0' || *at > '9')
        return -1;
    errno = 0;
    output->size_bytes = strtoull(at, &behind, 10);
    if (*behind != ' ')
        return -1;
    output->changed_ns = strtoll(behind + 1, &behind, 10);
    output->about = *behind == ABOUT;
    behind += output->about;
    if (*behind != ' ' || errno != 0)
        return -1;
    output->name = behind + 1;
    *position += (size_t)(end - at) + 1;
    return 1;
}

static bool unchanged(const struct output *output, const struct stat *st)
{
    const uint64_t before_ns = (uint64_t)output->changed_ns - (uint64_t)journal_mtime_ns(st);
    return S_ISREG(st->st_mode) && (uint64_t)st->st_size == output->size_bytes &&
           before_ns <= (output->about ? (uint64_t)OUTFILE_ABOUT_NS : 0);
}

bool journal_outputs_stand(const char *bytes, size_t length_bytes, const char *own, int directory)
{
    size_t position = 0;
    struct output output;
    struct stat st;
    int more;
    while ((more = next(bytes, length_bytes, &position, &output)) > 0) {
        const char *name = *output.name ? output.name : own;
        if (!beneath_sound(name) || fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !unchanged(&output, &st))
            return false;
    }
    return more == 0;
}

void journal_outputs_sum(const char *bytes, size_t length_bytes, uint64_t *count, uint64_t *total_bytes)
{
    size_t position = 0;
    struct output output;
    while (next(bytes, length_bytes, &position, &output) > 0) {
        *count += 1;
        *total_bytes += output.size_bytes;
    }
}
