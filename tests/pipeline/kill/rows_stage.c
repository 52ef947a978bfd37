/* SPDX-License-Identifier: MIT */
#include "rows_stage.h"

#include <string.h>

#include "world.h"

struct told *rows_stage_told;
void (*rows_stage_pause)(struct told *told);

static int plan(const void *params, const struct shape *in, struct stage_plan *planned, struct error *error)
{
    (void)params, (void)in, (void)error;
    planned->in_place = true;
    return 0;
}

static int rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                struct error *error)
{
    (void)scratch, (void)error;
    const uint32_t range = first / ROWS_STAGE_EACH % WORLD_RANGES;
    const size_t row_bytes = shape_row_bytes(&run->in);
    atomic_fetch_add(&rows_stage_told->begun[range], 1);
    if (rows_stage_pause)
        rows_stage_pause(rows_stage_told);
    if (run->dst != run->src)
        memcpy(run->dst + first * row_bytes, run->src + first * row_bytes, (last - first) * row_bytes);
    atomic_fetch_add(&rows_stage_told->done[range], 1);
    return 0;
}

const struct stage rows_stage = {.name = "rows",
                                 .group = "test",
                                 .summary = "Tell of its rows",
                                 .accepts = STAGE_ANY,
                                 .plan = plan,
                                 .rows = rows};
