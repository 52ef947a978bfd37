/* SPDX-License-Identifier: MIT */
/* Makes files slow, to be preloaded: each read(2) of data of a file below a directory takes a while, as it
 * does from a disk that must seek or over a network. Unlike a file system of one's own it needs no
 * privileges, no device and no mount, so it works in any container. It sees calls of read and of nothing
 * else, which is what forkmill's reader and Python's os.read use; stdio inside libc goes its own way.
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

ssize_t read(int fd, void *bytes, size_t length)
{
    static _Atomic(ssize_t(*)(int, void *, size_t)) real;
    if (!real) {
        /* ISO C knows no way from a data pointer to a function; POSIX says that this one works. */
        void *symbol = dlsym(RTLD_NEXT, "read");
        ssize_t (*function)(int, void *, size_t);
        memcpy(&function, &symbol, sizeof function);
        real = function;
    }
    const ssize_t got = real(fd, bytes, length);
    const int code = errno;
    /* To say that a file has ended takes no disk. */
    if (got > 0 && is_slow(fd)) {
        const char *ms = getenv("SLOW_READ_MS");
        wait_ms(ms ? strtod(ms, NULL) : 0);
    }
    errno = code;
    return got;
}
