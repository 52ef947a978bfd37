/* SPDX-License-Identifier: MIT */
/* Stands in for engine_openmp.c where the compiler has no OpenMP. */
#include "pipeline/engine/engine.h"

static int openmp_open(struct crew **crew, struct machine *machine, const struct engine_turns *turns,
                       struct error *error)
{
    (void)crew, (void)machine, (void)turns;
    return error_set(error, ERROR_USAGE, "this build has no OpenMP; engines process, thread and serial work");
}

static void openmp_close(struct crew *crew)
{
    (void)crew;
}

static const char *openmp_runtime(void)
{
    return "";
}

const struct engine engine_openmp = {
    .name = "openmp",
    .summary = "not in this build",
    .one_pool = true,
    .one_member = true,
    .open = openmp_open,
    .runtime = openmp_runtime,
    .close = openmp_close,
};
