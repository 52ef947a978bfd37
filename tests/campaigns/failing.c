/* SPDX-License-Identifier: MIT */
/* Makes calls fail, to be preloaded: one by its number, or every one; or kills the main process before one.
 *
 *   FAILING_CALL=openat FAILING_CODE=24 FAILING_NTH=3 FAILING_FILE=F LD_PRELOAD=libforkmill-failing.so
 * COMMAND
 *
 * FAILING_NTH counts the calls of all processes of the command together, from 1; 0 means all. FAILING_FILE is
 * a file of two zeroed 64-bit numbers, which count the calls and those that failed. With FAILING_CODE=KILL
 * the process that COMMAND is, whose calls alone then count, is killed instead (SIGKILL), just before. Calls
 * from inside libc to itself are not seen. Of what is allocated, all is, but for what libseccomp allocates:
 * as of 2.5 it frees twice, or follows a null pointer, where that fails. It asks for some kilobytes, once,
 * before work begins.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

struct tally {
    _Atomic uint64_t calls, failed;
};

static struct tally *tally; /* NULL: not yet, or not asked for */
static const char *chosen;
static uint64_t nth;
static int code;
static pid_t victim; /* 0: calls fail, nobody is killed */

/* True where this call of `name` shall fail; errno is set then. */
static bool fails(const char *name)
{
    if (!tally || strcmp(name, chosen) != 0 || (victim != 0 && getpid() != victim))
        return false;
    const uint64_t number = tally->calls++ + 1;
    if (nth != 0 && number != nth)
        return false;
    tally->failed++;
    if (victim != 0)
        kill(victim, SIGKILL);
    errno = code;
    return true;
}

/* Where the code of libseccomp lies; empty where it is not loaded. */
static uintptr_t spared_from, spared_to;

static int spare(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size, (void)context;
    if (!strstr(object->dlpi_name, "/libseccomp."))
        return 0;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const uintptr_t end = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr + object->dlpi_phdr[i].p_memsz;
        if (object->dlpi_phdr[i].p_type == PT_LOAD && end > spared_to)
            spared_to = end;
    }
    spared_from = object->dlpi_addr;
    return 1;
}

static bool starves(const char *name, const void *caller)
{
    const uintptr_t from = (uintptr_t)caller;
    return (from < spared_from || from >= spared_to) && fails(name);
}

static void find(const char *name, void *function)
{
    /* ISO C knows no way from a data pointer to a function; POSIX says that this one works. */
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(function, &symbol, sizeof symbol);
}

#define FAILING(type, name, parameters, arguments, result)                                                   \
    type name parameters;                                                                                    \
    type name parameters                                                                                     \
    {                                                                                                        \
        static type(*_Atomic real) parameters;                                                               \
        if (!real) {                                                                                         \
            type(*found) parameters;                                                                         \
            find(#name, &found);                                                                             \
            real = found;                                                                                    \
        }                                                                                                    \
        return fails(#name) ? (result) : real arguments;                                                     \
    }

FAILING(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size), -1)
FAILING(ssize_t, pread, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at), -1)
FAILING(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size), -1)
FAILING(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at), -1)
/* SQLite's names of the same. */
FAILING(ssize_t, pread64, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at), -1)
FAILING(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at), -1)
FAILING(int, ftruncate64, (int fd, off_t size), (fd, size), -1)
FAILING(ssize_t, recv, (int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags), -1)
FAILING(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags), -1)
FAILING(int, rename, (const char *from, const char *to), (from, to), -1)
FAILING(int, renameat, (int from_at, const char *from, int to_at, const char *to), (from_at, from, to_at, to),
        -1)
FAILING(int, renameat2, (int from_at, const char *from, int to_at, const char *to, unsigned flags),
        (from_at, from, to_at, to, flags), -1)
FAILING(int, unlink, (const char *path), (path), -1)
FAILING(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), -1)
FAILING(int, linkat, (int from_at, const char *from, int to_at, const char *to, int flags),
        (from_at, from, to_at, to, flags), -1)
FAILING(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), -1)
FAILING(int, fstat, (int fd, struct stat *status), (fd, status), -1)
FAILING(int, stat, (const char *path, struct stat *status), (path, status), -1)
FAILING(int, fstatat, (int at, const char *path, struct stat *status, int flags), (at, path, status, flags),
        -1)
FAILING(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
FAILING(int, ftruncate, (int fd, off_t size), (fd, size), -1)
FAILING(int, posix_fallocate, (int fd, off_t at, off_t size), (fd, at, size), code)
FAILING(int, fdatasync, (int fd), (fd), -1)
FAILING(int, fsync, (int fd), (fd), -1)
FAILING(pid_t, fork, (void), (), -1)
FAILING(int, pthread_create,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context),
        (thread, attributes, start, context), code)
FAILING(int, pipe2, (int ends[2], int flags), (ends, flags), -1)
FAILING(int, socketpair, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends),
        -1)
FAILING(int, eventfd, (unsigned count, int flags), (count, flags), -1)
FAILING(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags), -1)
FAILING(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1)
FAILING(int, shm_open, (const char *name, int flags, mode_t mode), (name, flags, mode), -1)
FAILING(int, poll, (struct pollfd * wait, nfds_t count, int timeout_ms), (wait, count, timeout_ms), -1)
FAILING(int, dup2, (int from, int to), (from, to), -1)
FAILING(void *, mmap, (void *where, size_t size, int protection, int flags, int fd, off_t at),
        (where, size, protection, flags, fd, at), MAP_FAILED)

/* All that are called have at most six arguments, as machine words. */
long syscall(long number, ...)
{
    static long (*_Atomic real)(long, long, long, long, long, long, long);
    if (!real) {
        long (*found)(long, long, long, long, long, long, long);
        find("syscall", &found);
        real = found;
    }
    long words[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        words[i] = va_arg(list, long);
    va_end(list);
    return fails("syscall") ? -1 : real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

static mode_t mode_of(int flags, va_list list)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(list, mode_t) : 0;
}

#define OPENING(name)                                                                                        \
    int name(const char *path, int flags, ...)                                                               \
    {                                                                                                        \
        static int (*_Atomic real)(const char *, int, ...);                                                  \
        if (!real) {                                                                                         \
            int (*found)(const char *, int, ...);                                                            \
            find(#name, &found);                                                                             \
            real = found;                                                                                    \
        }                                                                                                    \
        va_list list;                                                                                        \
        va_start(list, flags);                                                                               \
        const mode_t mode = mode_of(flags, list);                                                            \
        va_end(list);                                                                                        \
        return fails(#name) ? -1 : real(path, flags, mode);                                                  \
    }

OPENING(open)
OPENING(open64) /* SQLite's name */

int openat(int at, const char *path, int flags, ...)
{
    static int (*_Atomic real)(int, const char *, int, ...);
    if (!real) {
        int (*found)(int, const char *, int, ...);
        find("openat", &found);
        real = found;
    }
    va_list list;
    va_start(list, flags);
    const mode_t mode = mode_of(flags, list);
    va_end(list);
    return fails("openat") ? -1 : real(at, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
    static int (*_Atomic real)(int, int, ...);
    if (!real) {
        int (*found)(int, int, ...);
        find("fcntl", &found);
        real = found;
    }
    va_list list;
    va_start(list, command);
    long argument = va_arg(list, long);
    va_end(list);
    return fails("fcntl") ? -1 : real(fd, command, argument);
}

/* What dlsym itself allocates with must be there before it is asked, so these go by libc's other names. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    return starves("malloc", __builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return starves("calloc", __builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return starves("realloc", __builtin_return_address(0)) ? NULL : __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails("aligned_alloc") ? NULL : __libc_memalign(alignment, size);
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAILING_FILE"), *which = getenv("FAILING_NTH"),
               *number = getenv("FAILING_CODE");
    chosen = getenv("FAILING_CALL");
    if (!path || !chosen || !which || !number)
        return;
    nth = strtoull(which, NULL, 10);
    code = atoi(number);
    victim = strcmp(number, "KILL") == 0 ? getpid() : 0;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        abort();
    void *shared = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        abort();
    close(fd);
    dl_iterate_phdr(spare, NULL);
    tally = shared;
}
