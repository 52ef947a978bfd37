/* SPDX-License-Identifier: MIT */
/* Tells how far each item is from its counterpart, the file of the same relative path in another directory,
 * and passes the item on.
 *
 *   psnr       10 log10(range^2 / mse) in dB, to 9 places; inf where nothing differs. The range of an image
 * is that of its samples, 255, 65535 or 1; that of an array goes from the smallest to the largest finite
 * number of the counterpart ssim       of images, see ssim.h; 1 where nothing differs, NaN below 11 x 11 px
 *   mse        mean of the squared differences, over all channels, alpha among them
 *   max_error  the largest difference
 *   equal      1 where nothing differs, else 0
 *
 * psnr and mse are those of scikit-image's metrics. NaN is as far from any number as NaN, and equal to NaN.
 */
#include <math.h>
#include <string.h>

#include "stages/image/floatrow.h"
#include "stages/image/ssim.h"
#include "stages/numeric/difference.h"
#include "stages/stage.h"
#include "stages/synthetic/pass.h"

struct compare_params {
    char *reference;
    double fail_below; /* dB; NaN: never */
};

static const struct param compare_table[] = {
    {.name = "reference",
     .type = PARAM_TEXT,
     .offset = offsetof(struct compare_params, reference),
     .unit = "",
     .help = "Directory with the counterpart of each item, under the same relative path"},
    {.name = "fail_below",
     .type = PARAM_REAL,
     .offset = offsetof(struct compare_params, fail_below),
     .min = 0,
     .max = 1000,
     .initial = "none",
     .choices = "none",
     .unit = "dB",
     .help = "An item with a psnr below it fails"},
    PARAM_END,
};

#define FIELDS 5u

static int compare_check(const void *params, struct error *error)
{
    const char *reference = ((const struct compare_params *)params)->reference;
    if (!reference || !*reference)
        return error_set(error, ERROR_USAGE, "reference: give a directory with a counterpart of each item");
    return 0;
}

static const char *compare_reference(const void *params)
{
    return ((const struct compare_params *)params)->reference;
}

/* Whether the two fit together is seen when both are there: until then either may turn out smaller. */
static int compare_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                        struct error *error)
{
    (void)params, (void)error;
    const struct codec_info alike = {.shape = *in};
    const struct codec_info *info = plan->reference ? &plan->reference->info : &alike;
    pass_plan(in, plan, true);
    plan->whole = true;
    plan->record_bytes = FIELDS * RECORD_NUMBER_BYTES;
    size_t need = scratch_need(1, shape_bytes(&info->shape));
    need = scratch_add(need, scratch_need(1, info->scratch_bytes));
    need = scratch_add(need, scratch_need(1, sizeof(struct difference_room)));
    plan->rows_scratch_bytes = scratch_add(need, in->kind == SHAPE_IMAGE ? ssim_need(in) : 0);
    return 0;
}

/* Are the two of one kind, size and sample type? */
static int check_alike(const struct shape *in, const struct shape *other, struct error *error)
{
    char text[100], other_text[100];
    bool alike = in->kind == other->kind && in->sample == other->sample;
    if (alike && in->kind == SHAPE_IMAGE)
        alike = in->width == other->width && in->height == other->height && in->channels == other->channels;
    if (alike && in->kind == SHAPE_ARRAY)
        alike = in->rank == other->rank && memcmp(in->dims, other->dims, in->rank * sizeof *in->dims) == 0;
    if (alike)
        return 0;
    return error_set(error, ERROR_UNSUPPORTED, "is %.90s, its counterpart %.90s",
                     shape_text(in, text, sizeof text), shape_text(other, other_text, sizeof other_text));
}

/* The samples of the counterpart, in scratch or where they lie in its file. */
static int unpack(const struct stage_run *run, struct scratch *scratch, const uint8_t **samples,
                  struct error *error)
{
    const struct stage_reference *reference = run->reference;
    if (!reference || !reference->bytes)
        return error_set(error, ERROR_INTERNAL, "has no counterpart");
    const struct codec_info *info = &reference->info;
    uint8_t *room = scratch_alloc(scratch, 1, shape_bytes(&info->shape));
    struct scratch inner = {.base = scratch_alloc(scratch, 1, info->scratch_bytes),
                            .size_bytes = info->scratch_bytes};
    if (!room || !inner.base)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    struct codec_decode job = {.limits = run->limits,
                               .bytes = reference->bytes,
                               .length_bytes = reference->length_bytes,
                               .pixels = room,
                               .pixels_bytes = shape_bytes(&info->shape),
                               .found_at = SIZE_MAX,
                               .scratch = &inner};
    struct error reason = {0};
    const int code = reference->codec->decode(&job, &reason);
    if (code < 0)
        return error_set(error, (enum error_code)code, "its counterpart: %.180s", reason.reason);
    *samples = job.found_at == SIZE_MAX ? room : reference->bytes + job.found_at;
    return check_alike(&run->in, &job.shape, error);
}

/* To 9 places: what is beyond depends on the processor's logarithm. */
static double psnr_of(const struct difference *difference, double range)
{
    if (difference->mse == 0)
        return (double)INFINITY;
    return round(20 * log10(range / sqrt(difference->mse)) * 1e9) / 1e9;
}

static int tell(struct record *record, const struct difference *difference, double psnr, const double *ssim)
{
    TRY(record_real(record, "psnr", psnr));
    if (ssim)
        TRY(record_real(record, "ssim", *ssim));
    TRY(record_real(record, "mse", difference->mse));
    TRY(record_real(record, "max_error", difference->most));
    return record_int(record, "equal", difference->equal);
}

static int compare_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                        struct error *error)
{
    const struct compare_params *params = run->params;
    const bool image = run->in.kind == SHAPE_IMAGE;
    const uint8_t *other;
    double ssim = 1;
    TRY(unpack(run, scratch, &other, error));
    struct difference_room *room = scratch_alloc(scratch, 1, sizeof *room);
    if (!room)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    const size_t count = shape_bytes(&run->in) / shape_sample_bytes(run->in.sample);
    const struct difference difference = difference_of(run->in.sample, count, run->src, other, room);
    const double psnr =
        psnr_of(&difference, image ? (double)floatrow_full(run->in.sample) : difference.range);
    if (!isnan(params->fail_below) && !(psnr >= params->fail_below))
        return error_set(error, ERROR_STAGE, "psnr is %.2f dB, and fail_below %g", psnr, params->fail_below);
    if (run->record && image && !difference.equal && ssim_of(&run->in, run->src, other, scratch, &ssim) < 0)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    if (tell(run->record, &difference, psnr, image ? &ssim : NULL) < 0)
        return error_set(error, ERROR_INTERNAL, "the record is smaller than planned");
    pass_rows(run, first, last);
    return 0;
}

const struct stage compare_stage = {
    .name = "compare",
    .group = "image",
    .summary = "Tell PSNR, SSIM and differences to a counterpart of each item, and change nothing",
    .params = compare_table,
    .params_bytes = sizeof(struct compare_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_ARRAYS,
    .records = true,
    .check = compare_check,
    .plan = compare_plan,
    .reference = compare_reference,
    .rows = compare_rows,
};
