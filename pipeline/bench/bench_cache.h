/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_BENCH_CACHE_H
#define PIPELINE_BENCH_CACHE_H

#include <stdint.h>

#include "pipeline/config/settings.h"

/* What the last call found. */
struct bench_cache {
    uint64_t files, pages;
    uint64_t stayed; /* pages that are in memory all the same: dirty, mapped elsewhere, or of a tmpfs */
};

/* Asks the kernel to drop every input of the job from the page cache (posix_fadvise, POSIX_FADV_DONTNEED),
 * and looks what became of it (mincore). Directories and inodes stay cached. Files that cannot be opened are
 * passed over: the run will say so. ERROR_IO or ERROR_MEMORY where the inputs cannot be listed. */
int bench_cache_drop(struct bench_cache *cache, const struct settings *settings, struct error *error);

#endif
