/* SPDX-License-Identifier: MIT */
#include "pipeline/files/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(int fd, int error)
{
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

bool beneath_sound(const char *path)
{
    if (*path == '\0' || *path == '/' || path[strlen(path) - 1] == '/')
        return false;
    for (const char *part = path; *part;) {
        const size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.')
            return false;
        part += length;
        part += strspn(part, "/");
    }
    return true;
}

int beneath_open_parts(int root, const char *path, int flags)
{
    if (*path == '/')
        return fail(-1, EXDEV);
    int at = root, owned = -1;
    for (;;) {
        char name[NAME_MAX + 1];
        const size_t length = strcspn(path, "/");
        if (length > NAME_MAX)
            return fail(owned, ENAMETOOLONG);
        memcpy(name, path, length);
        name[length] = '\0';
        if (strcmp(name, "..") == 0)
            return fail(owned, EXDEV);
        path += length;
        path += strspn(path, "/");
        const bool last = *path == '\0';
        const int how = last ? flags : O_PATH | O_DIRECTORY;
        int next = openat(at, name, how | O_NOFOLLOW | O_CLOEXEC);
        const int error = errno;
        if (owned >= 0)
            close(owned);
        if (next < 0)
            return fail(-1, error);
        if (last) {
            /* O_PATH with O_NOFOLLOW opens a link itself, which no caller wants. */
            struct stat st;
            if ((flags & O_PATH) && fstat(next, &st) == 0 && S_ISLNK(st.st_mode))
                return fail(next, ELOOP);
            return next;
        }
        at = owned = next;
    }
}

struct open_how beneath_how(int flags, bool links)
{
    return (struct open_how){
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (links ? 0 : RESOLVE_NO_SYMLINKS),
    };
}

int beneath_open(int root, const char *path, int flags, bool links)
{
    struct open_how how = beneath_how(flags, links);
    /* EAGAIN: a directory moved while the kernel looked. */
    for (int attempt = 0; attempt < 32; attempt++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno == ENOSYS || errno == EPERM) /* EPERM: a container's filter that does not know the call */
            return beneath_open_parts(root, path, flags);
        if (errno != EAGAIN && errno != EINTR)
            return -1;
    }
    return -1;
}
