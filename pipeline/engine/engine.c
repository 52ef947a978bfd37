/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/engine.h"

const struct engine *engine_at(int index)
{
    static const struct engine *const engines[] = {&engine_process, &engine_thread, &engine_openmp,
                                                   &engine_serial};
    return engines[index];
}

bool engine_built(const struct engine *engine)
{
    return engine->start != NULL;
}
