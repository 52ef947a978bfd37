/* SPDX-License-Identifier: MIT */
#include "pipeline/shared/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SHM_FOLDER "/dev/shm"

/* Since Linux 6.1; older headers do not know it. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static size_t round_up(size_t bytes, size_t unit)
{
    return bytes > SIZE_MAX - unit ? SIZE_MAX : (bytes + unit - 1) / unit * unit;
}

size_t arena_round(size_t bytes)
{
    return round_up(bytes, ARENA_GRAIN_BYTES);
}

size_t arena_round_huge(size_t bytes)
{
    return round_up(bytes, ARENA_HUGE_BYTES);
}

/* Room in /dev/shm, or 0 where there is none to ask. */
static uint64_t shm_free_bytes(void)
{
    struct statfs room;
    if (statfs(SHM_FOLDER, &room) < 0)
        return 0;
    if (room.f_blocks == 0)
        return UINT64_MAX; /* a tmpfs without a limit */
    return (uint64_t)room.f_bavail * (uint64_t)room.f_bsize;
}

/* A POSIX shared memory object that no other process can guess, and whose name is gone at once. */
static int open_shm(void)
{
    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t lot[2];
        char name[64];
        if (getrandom(lot, sizeof lot, 0) != sizeof lot)
            return -1;
        snprintf(name, sizeof name, "/forkmill-%016llx%016llx", (unsigned long long)lot[0],
                 (unsigned long long)lot[1]);
        int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            shm_unlink(name);
            return fd;
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

static int open_object(struct arena *arena, size_t need_bytes, struct error *error)
{
    uint64_t room = shm_free_bytes();
    if (room >= need_bytes && (arena->fd = open_shm()) >= 0)
        return 0;
    if (room < need_bytes)
        snprintf(arena->why_memfd, sizeof arena->why_memfd,
                 SHM_FOLDER " has %llu MiB free of the %llu needed", (unsigned long long)(room >> 20),
                 (unsigned long long)need_bytes >> 20);
    else
        snprintf(arena->why_memfd, sizeof arena->why_memfd, "shm_open: %s", strerror(errno));
    arena->memfd = true;
    arena->fd = memfd_create("forkmill", MFD_CLOEXEC);
    if (arena->fd < 0)
        return error_set(error, ERROR_MEMORY, "no shared memory: %s; memfd_create: %s", arena->why_memfd,
                         strerror(errno));
    return 0;
}

/* The whole object, from a multiple of ARENA_HUGE_BYTES on. */
static void *map_aligned(int fd, size_t size_bytes)
{
    const size_t room_bytes = arena_round(size_bytes) + ARENA_HUGE_BYTES;
    uint8_t *room = mmap(NULL, room_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return room;
    const size_t before = (size_t)(-(uintptr_t)room % ARENA_HUGE_BYTES);
    void *base = mmap(room + before, size_bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED) {
        munmap(room, room_bytes);
        return base;
    }
    if (before)
        munmap(room, before);
    munmap(room + before + arena_round(size_bytes), ARENA_HUGE_BYTES - before);
    return base;
}

int arena_open(struct arena *arena, size_t size_bytes, size_t need_bytes, struct error *error)
{
    *arena = (struct arena){.fd = -1, .size_bytes = size_bytes};
    TRY(open_object(arena, need_bytes, error));
    if (ftruncate(arena->fd, (off_t)size_bytes) < 0) {
        int code = error_set(error, ERROR_MEMORY, "cannot size %zu GiB of shared memory: %s%s",
                             size_bytes >> 30, strerror(errno), errno == EFBIG ? " (ulimit -f)" : "");
        arena_close(arena);
        return code;
    }
    void *base = map_aligned(arena->fd, size_bytes);
    if (base == MAP_FAILED) {
        int code =
            error_set(error, ERROR_MEMORY,
                      "cannot reserve %zu MiB of address space: %s; a smaller memory or queue needs less",
                      size_bytes >> 20, strerror(errno));
        arena_close(arena);
        return code;
    }
    arena->base = base;
    /* A core dump of a worker would otherwise hold every image in flight. */
    madvise(base, size_bytes, MADV_DONTDUMP);
    return 0;
}

/* Fills whole huge pages, where the kernel has them to give; what it leaves out is committed page by page.
 * A huge page can be made only where there is a small one, and from one alone it is made fastest. */
static void commit_huge(struct arena *arena, size_t offset, size_t length)
{
    const size_t first = offset / ARENA_HUGE_BYTES * ARENA_HUGE_BYTES;
    const size_t last = (offset + length) / ARENA_HUGE_BYTES * ARENA_HUGE_BYTES;
    if (last <= first || arena->plain)
        return;
    for (size_t at = arena_round_huge(offset); at < last; at += ARENA_HUGE_BYTES) {
        if (fallocate(arena->fd, 0, (off_t)at, 1) < 0)
            return;
    }
    arena->plain = madvise(arena->base + first, last - first, MADV_COLLAPSE) < 0 && errno == EINVAL;
}

int arena_commit(struct arena *arena, size_t offset, size_t length, struct error *error)
{
    if (offset > arena->size_bytes || length > arena->size_bytes - offset)
        return error_set(error, ERROR_INTERNAL, "commit beyond the arena");
    if (length == 0)
        return 0;
    commit_huge(arena, offset, length);
    int failure;
    do
        failure = posix_fallocate(arena->fd, (off_t)offset, (off_t)length);
    while (failure == EINTR);
    if (failure) {
        arena_release(arena, offset, length);
        return error_set(error, ERROR_MEMORY, "%s: cannot commit %zu bytes of shared memory: %s",
                         arena->memfd ? "memfd" : SHM_FOLDER, length, strerror(failure));
    }
    return 0;
}

void arena_release(struct arena *arena, size_t offset, size_t length)
{
    if (length)
        fallocate(arena->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length);
}

void arena_close(struct arena *arena)
{
    if (arena->base)
        munmap(arena->base, arena->size_bytes);
    if (arena->fd > 0)
        close(arena->fd);
    arena->base = NULL;
    arena->fd = -1;
}
