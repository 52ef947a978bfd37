/* SPDX-License-Identifier: MIT */
/* Which places a run still has to open, once its workers can be forked. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/files/fence.h"
#include "pipeline/run/gather.h"
#include "pipeline/run/run_parts.h"

static void let_write(const struct fence *fence, const char *directory)
{
    const int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fence_let_write(fence, fd);
        close(fd);
    }
}

static void let_write_beside(const struct fence *fence, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash ? strndup(path, (size_t)(slash + 1 - path)) : strdup(".");
    if (directory)
        let_write(fence, directory);
    free(directory);
}

/* Directories are known. What is given file by file may lie anywhere, and so may what a link there points to.
 */
static void let_read_inputs(const struct run *run, const struct fence *fence)
{
    int fd;
    for (unsigned i = 0; (fd = scan_directory(run->scan, i)) >= 0; i++)
        fence_let_read(fence, fd);
    if (scan_reads_anywhere(run->scan) && (fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) >= 0) {
        fence_let_read(fence, fd);
        close(fd);
    }
    if (run->reader.places.reference_fd >= 0)
        fence_let_read(fence, run->reader.places.reference_fd);
}

static void let_write_outputs(const struct run *run, const struct fence *fence)
{
    struct stat st;
    const char *file;
    fence_let_write(fence, outfile_directory(run->out, &st));
    for (unsigned i = 0; run->gather && (file = gather_file(run->gather, i)) != NULL; i++)
        let_write_beside(fence, file);
    if (run->job.settings.quarantine)
        let_write(fence, run->job.settings.quarantine);
    if (run->job.settings.trace)
        let_write_beside(fence, run->job.settings.trace);
}

void run_fence(struct run *run)
{
    struct fence fence;
    /* Commands would be behind it, too, where workers are threads. */
    if (run->job.settings.sandbox == SANDBOX_OFF || job_unconfined(&run->job) || !fence_open(&fence))
        return;
    let_read_inputs(run, &fence);
    let_write_outputs(run, &fence);
    run->fenced = fence_enter(&fence, run->engine == &engine_openmp);
}
