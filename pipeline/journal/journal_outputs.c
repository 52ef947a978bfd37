/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/files/beneath.h"
#include "pipeline/shared/digits.h"

/* Two numbers and the spaces behind them. */
#define NUMBERS_BYTES (2 * DIGITS_BYTES + 2)

int64_t journal_mtime_ns(const struct stat *st)
{
    /* A time beyond the year 2262 wraps; it is only compared with itself. */
    return (int64_t)((uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec);
}

int journal_outputs_add(struct journal_outputs *outputs, const char *own, const char *name,
                        const struct stat *st, struct error *error)
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
    char *at = digits_put(outputs->bytes + outputs->used_bytes, (uint64_t)st->st_size);
    *at++ = ' ';
    at = digits_put_signed(at, journal_mtime_ns(st));
    *at++ = ' ';
    memcpy(at, said, name_bytes);
    outputs->used_bytes = (size_t)(at - outputs->bytes) + name_bytes;
    return 0;
}

/* The entry at *position: 1, 0 at the end, -1 where the list is broken. */
static int next(const char *bytes, size_t length_bytes, size_t *position, uint64_t *size_bytes,
                int64_t *mtime_ns, const char **name)
{
    const char *at = bytes + *position;
    if (*position == length_bytes)
        return 0;
    const char *end = memchr(at, '\0', length_bytes - *position);
    char *behind;
    if (!end || *at < '0' || *at > '9')
        return -1;
    errno = 0;
    *size_bytes = strtoull(at, &behind, 10);
    if (*behind != ' ')
        return -1;
    *mtime_ns = strtoll(behind + 1, &behind, 10);
    if (*behind != ' ' || errno != 0)
        return -1;
    *name = behind + 1;
    *position += (size_t)(end - at) + 1;
    return 1;
}

bool journal_outputs_stand(const char *bytes, size_t length_bytes, const char *own, int directory)
{
    size_t position = 0;
    uint64_t size_bytes;
    int64_t mtime_ns;
    const char *name;
    struct stat st;
    int more;
    while ((more = next(bytes, length_bytes, &position, &size_bytes, &mtime_ns, &name)) > 0) {
        name = *name ? name : own;
        if (!beneath_sound(name) || fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size_bytes || journal_mtime_ns(&st) != mtime_ns)
            return false;
    }
    return more == 0;
}

void journal_outputs_sum(const char *bytes, size_t length_bytes, uint64_t *count, uint64_t *total_bytes)
{
    size_t position = 0;
    uint64_t size_bytes;
    int64_t mtime_ns;
    const char *name;
    while (next(bytes, length_bytes, &position, &size_bytes, &mtime_ns, &name) > 0) {
        *count += 1;
        *total_bytes += size_bytes;
    }
}
