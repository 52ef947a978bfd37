/* SPDX-License-Identifier: MIT */
/* Primes by trial division. count: those below n, and the item passes: work of a fixed amount that touches no
 * memory, where spin takes a fixed time. An image that several callers share costs as much in sum; of an
 * array the record is told. each: whether each sample of an array is one. */
#include "stages/synthetic/arithmetic.h"
#include "stages/synthetic/pass.h"

enum primes_mode { PRIMES_COUNT, PRIMES_EACH };

struct primes_params {
    int64_t n;
    int mode; /* enum primes_mode */
};

static const struct param primes_table[] = {
    {.name = "n",
     .type = PARAM_INT,
     .offset = offsetof(struct primes_params, n),
     .min = 0,
     .max = 1000000000,
     .initial = "10000",
     .unit = "",
     .help = "mode=count: count the primes below this, by trial division"},
    {.name = "mode",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct primes_params, mode),
     .initial = "count",
     .choices = "count|each",
     .unit = "",
     .help =
         "Count primes and change nothing, or turn each sample of an array of integers into whether it is "
         "prime"},
    PARAM_END,
};

/* Has an odd number no odd divisor from 3 up to its root? */
static inline bool lacks_divisor(uint32_t number)
{
    uint32_t divisor = 3;
    while ((uint64_t)divisor * divisor <= number && number % divisor != 0)
        divisor += 2;
    return (uint64_t)divisor * divisor > number;
}

uint32_t primes_count(uint32_t first, uint32_t last)
{
    uint32_t count = first <= 2 && last > 2;
    for (uint64_t candidate = (first < 3 ? 3 : first) | 1; candidate < last; candidate += 2)
        count += lacks_divisor((uint32_t)candidate); /* division of 32 bits is several times faster */
    return count;
}

bool primes_is(uint64_t number)
{
    if (number < 4 || number % 2 == 0)
        return number == 2 || number == 3;
    if (number <= UINT32_MAX)
        return lacks_divisor((uint32_t)number);
    uint64_t divisor = 3;
    while (number / divisor >= divisor && number % divisor != 0)
        divisor += 2;
    return number / divisor < divisor;
}

static int primes_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    const struct primes_params *primes = params;
    pass_plan(in, plan, true);
    if (primes->mode == PRIMES_EACH) {
        if (in->kind == SHAPE_IMAGE)
            return error_set(error, ERROR_UNSUPPORTED, "mode=each works on arrays; put to_array before it");
        plan->out.sample = SAMPLE_BOOL;
        plan->out.bits = shape_sample_bits(SAMPLE_BOOL);
        plan->in_place = shape_sample_bytes(in->sample) == shape_sample_bytes(SAMPLE_BOOL);
    } else if (in->kind == SHAPE_ARRAY) {
        plan->whole = true;
        plan->record_bytes = RECORD_NUMBER_BYTES;
    }
    return 0;
}

/* Negative numbers are none. */
static void each_sample(const struct stage_run *run, size_t begin, size_t end)
{
    uint8_t *dst = run->dst;
#define EACH(type)                                                                                           \
    do {                                                                                                     \
        const type *numbers = (const void *)run->src;                                                        \
        for (size_t i = begin; i < end; i++)                                                                 \
            dst[i] = numbers[i] > 0 && primes_is((uint64_t)numbers[i]);                                      \
    } while (0)
    switch ((enum sample)run->in.sample) {
    case SAMPLE_I8:
        EACH(int8_t);
        break;
    case SAMPLE_I16:
        EACH(int16_t);
        break;
    case SAMPLE_I32:
        EACH(int32_t);
        break;
    case SAMPLE_I64:
        EACH(int64_t);
        break;
    case SAMPLE_U16:
        EACH(uint16_t);
        break;
    case SAMPLE_U32:
        EACH(uint32_t);
        break;
    case SAMPLE_U64:
        EACH(uint64_t);
        break;
    default:
        EACH(uint8_t);
    }
#undef EACH
}

static int primes_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    (void)scratch;
    const struct primes_params *primes = run->params;
    const uint64_t n = (uint64_t)primes->n;
    if (primes->mode == PRIMES_EACH) {
        size_t begin, end;
        shape_span(&run->in, first, last, &begin, &end);
        each_sample(run, begin, end);
        return 0;
    }
    const uint64_t start = pass_share(run, 0, first, n), length = pass_share(run, first, last, n);
    volatile uint32_t count = primes_count((uint32_t)start, (uint32_t)(start + length));
    pass_rows(run, first, last);
    if (run->in.kind == SHAPE_ARRAY && record_int(run->record, "primes", count) < 0)
        return error_set(error, ERROR_INTERNAL, "the record is smaller than planned");
    return 0;
}

const struct stage primes_stage = {
    .name = "primes",
    .group = "synthetic",
    .summary = "Count primes by trial division, or find those among the samples of an array",
    .params = primes_table,
    .params_bytes = sizeof(struct primes_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_INTEGERS,
    .records = true,
    .plan = primes_plan,
    .rows = primes_rows,
};
