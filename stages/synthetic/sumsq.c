/* SPDX-License-Identifier: MIT */
/* Adds up squares and passes the item on. Of an image those below n: work of a fixed amount, where spin takes
 * a fixed time; an image that several callers share costs as much in sum. Of an array those of its samples,
 * and tells the record. */
#include "stages/numeric/sumsq.h"
#include "stages/simd.h"
#include "stages/synthetic/arithmetic.h"
#include "stages/synthetic/pass.h"

struct sumsq_params {
    int64_t n;
};

static const struct param sumsq_table[] = {
    {.name = "n",
     .type = PARAM_INT,
     .offset = offsetof(struct sumsq_params, n),
     .min = 0,
     .max = 4000000000,
     .initial = "100000",
     .unit = "",
     .help = "Images: add up the squares of the numbers below this. Arrays: has no effect"},
    PARAM_END,
};

/* Numbers in hand at a time. */
#define BLOCK 1024u

/* A compiler may know the formula for the sum. It does not know what is in memory after the empty assembly,
 * and so has to compute each square, as many at a time as it likes. */
SIMD_CLONES static uint64_t add_squares(uint32_t first, uint32_t last)
{
    uint32_t numbers[BLOCK];
    uint64_t sum = 0;
    for (uint32_t length; first < last; first += length) {
        length = last - first < BLOCK ? last - first : BLOCK;
        for (uint32_t i = 0; i < length; i++)
            numbers[i] = first + i;
        __asm__ volatile("" : : "r"(numbers) : "memory");
        for (uint32_t i = 0; i < length; i++)
            sum += (uint64_t)numbers[i] * numbers[i];
    }
    return sum;
}

uint64_t sumsq_sum(uint32_t first, uint32_t last)
{
    return add_squares(first, last);
}

static int sumsq_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                      struct error *error)
{
    (void)params, (void)error;
    pass_plan(in, plan, true);
    if (in->kind == SHAPE_ARRAY) {
        plan->whole = true;
        plan->record_bytes = RECORD_NUMBER_BYTES;
    }
    return 0;
}

static int tell_samples(const struct stage_run *run, struct error *error)
{
    const struct sumsq sum = sumsq_samples(run->in.sample, run->src, shape_samples(&run->in));
    const int code = sum.exact ? record_int(run->record, "sumsq", sum.integer)
                               : record_real(run->record, "sumsq", sum.real);
    return code < 0 ? error_set(error, code, "the record is smaller than planned") : 0;
}

static int sumsq_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                      struct error *error)
{
    (void)scratch;
    if (run->in.kind == SHAPE_ARRAY) {
        TRY(tell_samples(run, error));
        pass_rows(run, first, last);
        return 0;
    }
    const uint64_t n = (uint64_t)((const struct sumsq_params *)run->params)->n;
    const uint64_t start = pass_share(run, 0, first, n), length = pass_share(run, first, last, n);
    volatile uint64_t sum = sumsq_sum((uint32_t)start, (uint32_t)(start + length));
    (void)sum;
    pass_rows(run, first, last);
    return 0;
}

const struct stage sumsq_stage = {
    .name = "sumsq",
    .group = "synthetic",
    .summary = "Add up squares, of an array's samples or of the numbers below n, and change nothing",
    .params = sumsq_table,
    .params_bytes = sizeof(struct sumsq_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_ARRAYS,
    .records = true,
    .plan = sumsq_plan,
    .rows = sumsq_rows,
};
