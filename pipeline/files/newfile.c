/* SPDX-License-Identifier: MIT */
#include "pipeline/files/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pipeline/files/cause.h"
#include "pipeline/files/scan.h"
#include "pipeline/files/sweep.h"
#include "pipeline/shared/digits.h"

int newfile_failed(struct error *error, int cause, const char *what)
{
    switch (cause) {
    case EXDEV:
        return error_set(error, ERROR_IO, "%s: a link leads out of the output directory", what);
    case ENAMETOOLONG:
        return error_set(error, ERROR_UNSUPPORTED, "%s: %s", what, strerror(cause));
    default:
        return error_set(error, cause_code(cause), "%s: %s", what, strerror(cause));
    }
}

/* Only the kernel's own has open files in it, whatever else may be mounted there. */
static int open_opened(void)
{
    struct statfs about;
    const int fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fstatfs(fd, &about) == 0 && about.f_type == PROC_SUPER_MAGIC))
        return fd;
    close(fd);
    return -1;
}

void newfile_maker_open(struct newfile_maker *maker)
{
    *maker = (struct newfile_maker){.opened_fd = open_opened()};
    maker->temp_bytes = (size_t)snprintf(maker->temp, sizeof maker->temp, SCAN_TEMP_PREFIX "%ld-%08x-",
                                         (long)getpid(), sweep_mark());
}

void newfile_maker_close(struct newfile_maker *maker)
{
    if (maker->opened_fd >= 0)
        close(maker->opened_fd);
    maker->opened_fd = -1;
}

static void next_temp(struct newfile_maker *maker, char *temp)
{
    memcpy(temp, maker->temp, maker->temp_bytes);
    char *end = digits_put(temp + maker->temp_bytes, maker->counter++);
    memcpy(end, SCAN_TEMP_SUFFIX, sizeof SCAN_TEMP_SUFFIX);
}

/* Others may have taken a temporary name by chance, or to stand in the way. */
#define MOST_ATTEMPTS 100

int newfile_open(struct newfile_maker *maker, int directory, bool *nameless, struct newfile *file)
{
    file->temp[0] = '\0';
    if (*nameless && maker->opened_fd >= 0) {
        file->fd = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
        if (file->fd >= 0)
            return 0;
    }
    *nameless = false;
    for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        next_temp(maker, file->temp);
        file->fd = openat(directory, file->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file->fd >= 0)
            return 0;
        if (errno != EEXIST && errno != EINTR)
            break;
    }
    file->temp[0] = '\0';
    return -1;
}

/* May `name` be replaced? 0 or an error. */
static int check_target(int directory, const char *name, const struct stat *input, struct error *error)
{
    struct stat st;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : newfile_failed(error, errno, NEWFILE_WRITING);
    if (S_ISDIR(st.st_mode))
        return error_set(error, ERROR_IO, "a directory is in the place of the output");
    if (input && st.st_dev == input->st_dev && st.st_ino == input->st_ino)
        return error_set(error, ERROR_IO, "the output would replace the input");
    return 0;
}

static int replace(const struct newfile *file, int directory, const char *name, const struct stat *input,
                   struct error *error)
{
    TRY(check_target(directory, name, input, error));
    return renameat(directory, file->temp, directory, name) < 0
               ? newfile_failed(error, errno, NEWFILE_WRITING)
               : 0;
}

/* Mostly nothing has that name yet, and one call does; where something has, or the file system cannot tell,
 * or a container's filter does not know the call (EPERM), it is looked at first. */
static int rename_to(const struct newfile *file, int directory, const char *name, const struct stat *input,
                     struct error *error)
{
    if (renameat2(directory, file->temp, directory, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EEXIST && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM)
        return newfile_failed(error, errno, NEWFILE_WRITING);
    return replace(file, directory, name, input, error);
}

/* Would a file with a temporary name fare no better? */
static bool is_final(int cause)
{
    return cause == ENOSPC || cause == EDQUOT || cause == EIO || cause == EROFS || cause == ENAMETOOLONG;
}

/* Gives a file without a name this one. 0, or -1 and errno. By the descriptor itself; before Linux 6.10 only
 * the privileged may do that, and it goes by the name that it has among the open ones. That takes a path more
 * to follow: of a small file on a tmpfs a seventh of all its calls' time. */
static int link_to(struct newfile_maker *maker, int fd, int directory, const char *name)
{
    char number[DIGITS_BYTES + 1];
    if (!maker->by_opened) {
        if (linkat(fd, "", directory, name, AT_EMPTY_PATH) == 0)
            return 0;
        if (errno == EEXIST || is_final(errno))
            return -1;
    }
    *digits_put(number, (uint64_t)fd) = '\0';
    const int result = linkat(maker->opened_fd, number, directory, name, AT_SYMLINK_FOLLOW);
    maker->by_opened = maker->by_opened || result == 0;
    return result;
}

/* A link replaces nothing: what is to replace something needs a name of its own first. */
static int link_to_temp(struct newfile_maker *maker, struct newfile *file, int directory)
{
    for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        next_temp(maker, file->temp);
        if (link_to(maker, file->fd, directory, file->temp) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    file->temp[0] = '\0';
    return -1;
}

int newfile_name(struct newfile_maker *maker, struct newfile *file, int directory, const char *name,
                 const struct stat *input, bool *nameless, struct error *error)
{
    if (file->temp[0])
        return rename_to(file, directory, name, input, error);
    if (link_to(maker, file->fd, directory, name) == 0)
        return 0;
    if (errno == EEXIST) {
        *nameless = false;
        TRY(check_target(directory, name, input, error));
        if (link_to_temp(maker, file, directory) == 0)
            return replace(file, directory, name, input, error);
    }
    if (is_final(errno))
        return newfile_failed(error, errno, NEWFILE_WRITING);
    *nameless = false;
    return 1;
}

void newfile_drop(const struct newfile *file, int directory)
{
    if (file->temp[0])
        unlinkat(directory, file->temp, 0);
}
