/* SPDX-License-Identifier: MIT */
/* The spectrum of real numbers along the last axis, as numpy.fft.rfft: frequencies 0 to n / 2 of n numbers,
 * not scaled. Told as their magnitude, its square, or as complex numbers: then there is one more dimension of
 * 2, real part and imaginary part. Computed in double precision; the result is f32 where that holds all
 * values of the input's type (bool, 8 and 16 bit, f16, f32), else f64.
 *
 * An even number of real numbers is transformed as half as many complex ones, which are then told apart. */
#include <math.h>

#include "stages/numeric/fft.h"
#include "stages/numeric/values.h"
#include "stages/numeric/wide.h"
#include "stages/simd.h"
#include "stages/stage.h"

enum { OUTPUT_ABS, OUTPUT_POWER, OUTPUT_COMPLEX };

struct rfft_params {
    int output;
};

static const struct param rfft_table[] = {
    {.name = "output",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct rfft_params, output),
     .initial = "abs",
     .choices = "abs|power|complex",
     .unit = "",
     .help = "Magnitude, its square, or real and imaginary part in one more dimension"},
    PARAM_END,
};

/* Lines that are transformed together, where they are short. */
#define BATCH      8u
#define BATCH_MOST 2048u

/* Of one line: how many numbers go in, how many are transformed, how many frequencies come out, and how many
 * numbers that is. */
struct lines {
    size_t length, transformed, frequencies, out_length;
    size_t inside; /* see fft.h */
    size_t batch;
};

struct rfft_state {
    struct lines lines;
    struct fft fft;
    double *root_re, *root_im; /* exp(-2 pi i k / length) for k to length / 2 */
};

static struct lines lines_of(const struct rfft_params *params, const struct shape *in)
{
    struct lines lines = {.length = in->dims[in->rank - 1]};
    lines.transformed = lines.length % 2 ? lines.length : lines.length / 2;
    lines.frequencies = lines.length / 2 + 1;
    lines.out_length = params->output == OUTPUT_COMPLEX ? 2 * lines.frequencies : lines.frequencies;
    lines.inside = fft_inside(lines.transformed);
    lines.batch = lines.inside <= BATCH_MOST ? BATCH : 1;
    return lines;
}

static int rfft_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    const struct rfft_params *rfft = params;
    if (in->rank == 0)
        return error_set(error, ERROR_UNSUPPORTED, "a single value has no axis to go along");
    if (in->rank == SHAPE_MAX_RANK && rfft->output == OUTPUT_COMPLEX)
        return error_set(error, ERROR_UNSUPPORTED, "complex output of %d dimensions would have one too many",
                         SHAPE_MAX_RANK);
    if (in->dims[in->rank - 1] == 0)
        return error_set(error, ERROR_UNSUPPORTED, "the last axis is empty: there is nothing to transform");
    const struct lines lines = lines_of(rfft, in);
    plan->out.dims[in->rank - 1] = lines.frequencies;
    if (rfft->output == OUTPUT_COMPLEX)
        plan->out.dims[plan->out.rank++] = 2;
    plan->out.sample = (uint8_t)values_real(in->sample);
    plan->out.bits = shape_sample_bits(plan->out.sample);
    if (shape_bytes(&plan->out) >= SIZE_MAX / 2)
        return error_set(error, ERROR_LIMIT, "the result would be too large");
    /* A long line is made once; the others, where they lie across two blocks, may be made for each. */
    plan->whole = lines.out_length > SHAPE_BLOCK_SAMPLES;
    const size_t roots = scratch_need(lines.frequencies, sizeof(double));
    plan->begin_scratch_bytes =
        scratch_add(scratch_need(1, sizeof(struct rfft_state)), scratch_add(roots, roots));
    plan->begin_scratch_bytes = scratch_add(plan->begin_scratch_bytes, fft_need(lines.transformed));
    const size_t buffer = scratch_need(lines.inside, lines.batch * sizeof(double));
    plan->rows_scratch_bytes = scratch_add(scratch_add(buffer, buffer), scratch_add(buffer, buffer));
    plan->rows_scratch_bytes =
        scratch_add(plan->rows_scratch_bytes, scratch_need(2 * lines.frequencies, sizeof(double)));
    return 0;
}

/* The lines that output samples [begin, end) lie in. */
static void lines_in(const struct lines *lines, size_t begin, size_t end, size_t *first, size_t *last)
{
    *first = begin / lines->out_length;
    *last = end / lines->out_length + (end % lines->out_length > 0);
}

static void rfft_source_rows(const void *params, const struct shape *in, const struct shape *out,
                             uint32_t *first, uint32_t *last)
{
    const struct lines lines = lines_of(params, in);
    size_t begin, end, first_line, last_line;
    shape_span(out, *first, *last, &begin, &end);
    if (begin == end) {
        *first = 0;
        *last = 1;
        return;
    }
    lines_in(&lines, begin, end, &first_line, &last_line);
    *first = (uint32_t)(first_line * lines.length / SHAPE_BLOCK_SAMPLES);
    *last = (uint32_t)((last_line * lines.length - 1) / SHAPE_BLOCK_SAMPLES + 1);
}

static int rfft_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    struct rfft_state *state = scratch_alloc(scratch, 1, sizeof *state);
    if (!state)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    state->lines = lines_of(run->params, &run->in);
    const size_t length = state->lines.length, frequencies = state->lines.frequencies;
    state->root_re = scratch_alloc(scratch, frequencies, sizeof(double));
    state->root_im = scratch_alloc(scratch, frequencies, sizeof(double));
    if (!state->root_re || !state->root_im)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    for (size_t k = 0; k < frequencies && k < length; k++)
        fft_root(k, length, &state->root_re[k], &state->root_im[k]);
    run->state = state;
    return fft_open(&state->fft, state->lines.transformed, scratch, error);
}

/* What one caller of rows works in. */
struct work {
    const struct stage_run *run;
    const struct rfft_state *state;
    struct fft_buffers buffers;
    double *line; /* a line as it comes, and its frequencies: real part, imaginary part, real part, ... */
};

static void load_line(const struct work *work, size_t number, size_t place)
{
    const struct lines *lines = &work->state->lines;
    const struct fft_buffers *buffers = &work->buffers;
    const size_t bytes = shape_sample_bytes(work->run->in.sample), batch = lines->batch;
    const double *line = work->line;
    wide_load_f64(work->run->in.sample, work->run->src + number * lines->length * bytes, lines->length,
                  work->line);
    if (lines->length % 2 == 0) {
        for (size_t t = 0; t < lines->transformed; t++) {
            buffers->re[t * batch + place] = line[2 * t];
            buffers->im[t * batch + place] = line[2 * t + 1];
        }
    } else {
        for (size_t t = 0; t < lines->transformed; t++) {
            buffers->re[t * batch + place] = line[t];
            buffers->im[t * batch + place] = 0;
        }
    }
}

/* Numbers 2t are the real parts of what was transformed to z, numbers 2t + 1 the imaginary ones: with m half
 * the length and z' the conjugate, (z[k] + z'[m - k]) / 2 is the transform of the former, that divided by i
 * with a minus that of the latter. */
static void tell_apart(const struct work *work, size_t place)
{
    const struct rfft_state *state = work->state;
    const size_t batch = state->lines.batch, half = state->lines.transformed;
    const double *re = work->buffers.re + place, *im = work->buffers.im + place;
    for (size_t k = 0; k <= half; k++) {
        const size_t here = k < half ? k * batch : 0, there = k > 0 ? (half - k) * batch : 0;
        const double even_re = (re[here] + re[there]) / 2, even_im = (im[here] - im[there]) / 2;
        const double odd_re = (im[here] + im[there]) / 2, odd_im = (re[there] - re[here]) / 2;
        const double root_re = state->root_re[k], root_im = state->root_im[k];
        work->line[2 * k] = even_re + (odd_re * root_re - odd_im * root_im);
        work->line[2 * k + 1] = even_im + (odd_re * root_im + odd_im * root_re);
    }
    work->line[2 * half + 1] = 0;
}

static void take_apart(const struct work *work, size_t place)
{
    const struct lines *lines = &work->state->lines;
    for (size_t k = 0; k < lines->frequencies; k++) {
        work->line[2 * k] = work->buffers.re[k * lines->batch + place];
        work->line[2 * k + 1] = work->buffers.im[k * lines->batch + place];
    }
}

/* Without leaving the range of doubles on the way to a result within it. */
static double magnitude(double re, double im)
{
    const double power = re * re + im * im;
    if (power > 0x1p-900 && power < INFINITY)
        return sqrt(power);
    re *= power < 1 ? 0x1p600 : 0x1p-600;
    im *= power < 1 ? 0x1p600 : 0x1p-600;
    return sqrt(re * re + im * im) * (power < 1 ? 0x1p-600 : 0x1p600);
}

/* The part of output line `number` that lies in [begin, end). */
static void store_line(const struct work *work, size_t number, size_t place, size_t begin, size_t end)
{
    const struct lines *lines = &work->state->lines;
    const int output = ((const struct rfft_params *)work->run->params)->output;
    double *line = work->line;
    if (lines->length % 2 == 0)
        tell_apart(work, place);
    else
        take_apart(work, place);
    line[1] = 0; /* the sum of real numbers */
    for (size_t k = 0; k < lines->frequencies && output != OUTPUT_COMPLEX; k++) {
        const double re = line[2 * k], im = line[2 * k + 1];
        line[k] = output == OUTPUT_ABS ? magnitude(re, im) : re * re + im * im;
    }
    const size_t at = number * lines->out_length;
    const size_t from = at > begin ? at : begin;
    const size_t to = at + lines->out_length < end ? at + lines->out_length : end;
    values_store(work->run->out.sample, line + (from - at),
                 work->run->dst + from * shape_sample_bytes(work->run->out.sample), to - from);
}

static int open_work(struct work *work, const struct stage_run *run, struct scratch *scratch,
                     struct error *error)
{
    const struct lines *lines = &((const struct rfft_state *)run->state)->lines;
    *work = (struct work){.run = run, .state = run->state};
    double **const buffers[] = {&work->buffers.re, &work->buffers.im, &work->buffers.spare_re,
                                &work->buffers.spare_im};
    bool enough = true;
    for (size_t i = 0; i < 4; i++) {
        *buffers[i] = scratch_alloc(scratch, lines->inside, lines->batch * sizeof(double));
        enough = enough && *buffers[i];
    }
    work->line = scratch_alloc(scratch, 2 * lines->frequencies, sizeof(double));
    return enough && work->line ? 0 : error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
}

static int rfft_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    const struct rfft_state *state = run->state;
    const size_t batch = state->lines.batch;
    struct work work;
    size_t begin, end, first_line, last_line;
    shape_span(&run->out, first, last, &begin, &end);
    TRY(open_work(&work, run, scratch, error));
    lines_in(&state->lines, begin, end, &first_line, &last_line);
    for (size_t line = first_line; line < last_line; line += batch) {
        const size_t count = last_line - line < batch ? last_line - line : batch;
        for (size_t b = 0; b < batch; b++) /* the last one again, where there are too few */
            load_line(&work, line + (b < count ? b : count - 1), b);
        fft_run(&state->fft, &work.buffers, batch);
        for (size_t b = 0; b < count; b++)
            store_line(&work, line + b, b, begin, end);
    }
    return 0;
}

const struct stage rfft_stage = {
    .name = "rfft",
    .group = "numeric",
    .summary = "The spectrum of real numbers along the last axis",
    .params = rfft_table,
    .params_bytes = sizeof(struct rfft_params),
    .arrays = STAGE_ARRAYS,
    .gives = STAGE_GIVES_ARRAY,
    .plan = rfft_plan,
    .source_rows = rfft_source_rows,
    .begin = rfft_begin,
    .rows = rfft_rows,
};
