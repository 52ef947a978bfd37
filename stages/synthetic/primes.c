/* SPDX-License-Identifier: MIT */
/* Counts the primes below n by trial division and passes the image on: work of a fixed amount that touches no
 * memory, where spin takes a fixed time. An image that several callers share costs as much in sum. */
#include "stages/synthetic/arithmetic.h"
#include "stages/synthetic/pass.h"

struct primes_params {
    int64_t n;
};

static const struct param primes_table[] = {
    {.name = "n",
     .type = PARAM_INT,
     .offset = offsetof(struct primes_params, n),
     .min = 0,
     .max = 1000000000,
     .initial = "10000",
     .unit = "",
     .help = "Count the primes below this, by trial division"},
    PARAM_END,
};

uint32_t primes_count(uint32_t first, uint32_t last)
{
    uint32_t count = first <= 2 && last > 2;
    for (uint64_t candidate = (first < 3 ? 3 : first) | 1; candidate < last; candidate += 2) {
        const uint32_t number = (uint32_t)candidate; /* division of 32 bits is several times faster */
        uint32_t divisor = 3;
        while ((uint64_t)divisor * divisor <= number && number % divisor != 0)
            divisor += 2;
        count += (uint64_t)divisor * divisor > number;
    }
    return count;
}

static int primes_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    (void)params, (void)error;
    pass_plan(in, plan, true);
    return 0;
}

static int primes_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    (void)scratch, (void)error;
    const uint64_t n = (uint64_t)((const struct primes_params *)run->params)->n;
    const uint64_t start = pass_share(run, 0, first, n), length = pass_share(run, first, last, n);
    volatile uint32_t count = primes_count((uint32_t)start, (uint32_t)(start + length));
    (void)count;
    pass_rows(run, first, last);
    return 0;
}

const struct stage primes_stage = {
    .name = "primes",
    .group = "synthetic",
    .summary = "Count primes by trial division, and change nothing",
    .params = primes_table,
    .params_bytes = sizeof(struct primes_params),
    .accepts = STAGE_ANY,
    .plan = primes_plan,
    .rows = primes_rows,
};
