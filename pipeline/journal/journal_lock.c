/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two bytes are locked. The first by the open file (F_OFD_SETLK): that lock stays whoever opens and closes
 * the file, and goes when the last descriptor does, so children must have none: the fork server is forked
 * before. The second by the process, which says to others whose lock it is. */
enum { BYTE_LOCK, BYTE_HOLDER };

static struct flock one(off_t byte)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

static int held(int lock, const char *shown, struct error *error)
{
    struct flock other = one(BYTE_HOLDER);
    if (fcntl(lock, F_GETLK, &other) == 0 && other.l_type != F_UNLCK && other.l_pid > 0)
        return error_set(
            error, ERROR_BUSY,
            "another run (process %ld) is at work on %.100s; wait for it, or choose another output",
            (long)other.l_pid, shown);
    return error_set(error, ERROR_BUSY,
                     "another run is at work on %.100s; wait for it, or choose another output", shown);
}

/* Is the opened file still the one of that name? Its last holder may have removed it meanwhile. */
static bool still_there(int directory, int lock)
{
    struct stat opened, named;
    return fstat(lock, &opened) == 0 &&
           fstatat(directory, JOURNAL_LOCK_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Runs that end in between take the file away; so many do not. */
#define LOCK_TRIES 1000u

int journal_lock(int directory, const char *shown, struct error *error)
{
    for (unsigned tries = 0; tries < LOCK_TRIES; tries++) {
        struct flock taken = one(BYTE_LOCK), holder = one(BYTE_HOLDER);
        int lock = openat(directory, JOURNAL_LOCK_FILE,
                          O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
        if (lock < 0)
            return error_set(error, ERROR_IO,
                             "no journal in %.100s: " JOURNAL_LOCK_FILE ": %s; --no-journal does without",
                             shown, strerror(errno));
        if (fcntl(lock, F_OFD_SETLK, &taken) < 0) {
            int code =
                errno == EAGAIN || errno == EACCES
                    ? held(lock, shown, error)
                    : error_set(error, ERROR_IO, "%.100s cannot be locked: %s; --no-journal does without",
                                shown, strerror(errno));
            close(lock);
            return code;
        }
        if (still_there(directory, lock)) {
            fcntl(lock, F_SETLK, &holder);
            return lock;
        }
        close(lock);
    }
    return error_set(
        error, ERROR_IO,
        "%.100s cannot be locked: " JOURNAL_LOCK_FILE " does not stay; --no-journal does without", shown);
}

bool journal_lock_held(const char *output)
{
    struct flock other = one(BYTE_LOCK);
    int directory = open(output, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int lock = openat(directory, JOURNAL_LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const bool held = lock >= 0 && fcntl(lock, F_OFD_GETLK, &other) == 0 && other.l_type != F_UNLCK;
    if (lock >= 0)
        close(lock);
    if (directory >= 0)
        close(directory);
    return held;
}

void journal_unlock(int directory, int lock)
{
    if (lock < 0)
        return;
    unlinkat(directory, JOURNAL_LOCK_FILE, 0);
    close(lock);
}
