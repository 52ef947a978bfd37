/* SPDX-License-Identifier: MIT */
#include "pipeline/bench/bench_cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipeline/files/scan.h"
#include "pipeline/run/run.h"

/* Pages of the file that are in memory. */
static uint64_t resident(int fd, size_t bytes, size_t pages)
{
    uint64_t count = 0;
    unsigned char *present = malloc(pages);
    void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (present && map != MAP_FAILED && mincore(map, bytes, present) == 0) {
        for (size_t i = 0; i < pages; i++)
            count += present[i] & 1;
    }
    if (map != MAP_FAILED)
        munmap(map, bytes);
    free(present);
    return count;
}

static void drop(struct bench_cache *cache, int fd, off_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = ((size_t)size + page - 1) / page;
    /* Dirty pages are not dropped, so they are written first. */
    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    cache->files++;
    cache->pages += pages;
    if (pages)
        cache->stayed += resident(fd, (size_t)size, pages);
}

int bench_cache_drop(struct bench_cache *cache, const struct settings *settings, struct error *error)
{
    const struct scan_options options = run_scan_options(settings, -1);
    struct scan *scan = NULL;
    struct scan_entry entry;
    int code = scan_open(&scan, &options, error);
    *cache = (struct bench_cache){0};
    while (code == 0 && scan_next(scan, &entry) == 1) {
        struct stat st;
        int fd = entry.kind == SCAN_FILE ? scan_open_file(scan, entry.root, entry.path, &st, NULL) : -1;
        if (fd < 0)
            continue;
        drop(cache, fd, st.st_size);
        close(fd);
    }
    scan_close(scan);
    return code > 0 ? 0 : code; /* an input that is missing is the run's to report */
}
