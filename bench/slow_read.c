/* SPDX-License-Identifier: MIT */
/* Makes files slow, to be preloaded: each read(2) and pread(2) of data of a file below a directory takes a
 * while, as it does from a disk that must seek or over a network. Unlike a file system of one's own it needs
 * no privileges, no device and no mount, so it works in any container. It sees these calls and nothing else,
 * which are what forkmill's reader and feeder and Python's os.read use; stdio inside libc goes its own way.
 *
 *   SLOW_READ_UNDER=/absolute/directory SLOW_READ_MS=5 LD_PRELOAD=libforkmill-slow-read.so COMMAND */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

ssize_t read(int fd, void *bytes, size_t length);
ssize_t pread(int fd, void *bytes, size_t length, off_t at);

static bool is_slow(int fd)
{
    const char *under = getenv("SLOW_READ_UNDER");
    char link[32], path[PATH_MAX];
    if (!under || !*under)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t got = readlink(link, path, sizeof path - 1);
    const size_t length = strlen(under);
    return got > (ssize_t)length && memcmp(path, under, length) == 0 && path[length] == '/';
}

static void wait_ms(double ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000)};
    left.tv_nsec = (long)((ms - (double)left.tv_sec * 1000) * 1e6);
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

/* To say that a file has ended, or cannot be read, takes no disk. */
static ssize_t slowed(int fd, ssize_t got)
{
    const int code = errno;
    if (got > 0 && is_slow(fd)) {
        const char *ms = getenv("SLOW_READ_MS");
        wait_ms(ms ? strtod(ms, NULL) : 0);
    }
    errno = code;
    return got;
}

/* The C library's own. ISO C knows no way from a data pointer to a function; POSIX says that this one works.
 */
static void find(const char *name, void *function, size_t size)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(function, &symbol, size);
}

ssize_t read(int fd, void *bytes, size_t length)
{
    static _Atomic(ssize_t(*)(int, void *, size_t)) real;
    if (!real) {
        ssize_t (*function)(int, void *, size_t);
        find("read", &function, sizeof function);
        real = function;
    }
    return slowed(fd, real(fd, bytes, length));
}

ssize_t pread(int fd, void *bytes, size_t length, off_t at)
{
    static _Atomic(ssize_t(*)(int, void *, size_t, off_t)) real;
    if (!real) {
        ssize_t (*function)(int, void *, size_t, off_t);
        find("pread", &function, sizeof function);
        real = function;
    }
    return slowed(fd, real(fd, bytes, length, at));
}
