/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "stages/codec/jpeg_private.h"

/* From this quality on colour keeps its full resolution, as in vips; below, half of it each way. And the
 * quantization tables' finest step for brightness is 1 above it. */
#define FINE_QUALITY 90

struct setting {
    bool optimised;   /* Huffman codes made for the image, in a second pass */
    bool progressive; /* which are always that */
};

/* Speed in MP/s on one core and size, on photographs at quality 85 (medians of four):
 *   fastest, fast    428  1.00   the standard's Huffman codes
 *   balanced         231  0.93
 *   small, smallest   85  0.91
 */
static const struct setting settings[] = {
    [COMPRESSION_FASTEST] = {false, false}, [COMPRESSION_FAST] = {false, false},
    [COMPRESSION_BALANCED] = {true, false}, [COMPRESSION_SMALL] = {true, true},
    [COMPRESSION_SMALLEST] = {true, true},
};

static struct setting setting_of(const struct codec_save *save)
{
    const bool known = save->compression >= COMPRESSION_FASTEST && save->compression <= COMPRESSION_SMALLEST;
    struct setting setting = settings[known ? save->compression : COMPRESSION_FAST];
    setting.progressive = setting.progressive || save->interlace;
    return setting;
}

/* How many samples of brightness there are for one of colour. */
struct sampling {
    uint8_t across, down;
};

static struct sampling sampling_of(const struct codec_save *save, const struct shape *shape)
{
    static const struct sampling samplings[] = {
        [SUBSAMPLING_444] = {1, 1}, [SUBSAMPLING_422] = {2, 1}, [SUBSAMPLING_420] = {2, 2}};
    const int automatic = save->quality < FINE_QUALITY ? SUBSAMPLING_420 : SUBSAMPLING_444;
    return samplings[shape->channels == 1                    ? SUBSAMPLING_444
                     : save->subsampling == SUBSAMPLING_AUTO ? automatic
                                                             : save->subsampling];
}

static int check_shape(const struct shape *shape, struct error *error)
{
    if (shape_has_alpha(shape))
        return error_set(error, ERROR_UNSUPPORTED, "jpeg holds no alpha channel; put flatten last");
    if (shape->sample != SAMPLE_U8)
        return error_set(error, ERROR_UNSUPPORTED, "jpeg holds 8 bits a sample; put cast:type=u8 last");
    if (shape->width > JPEG_MAX_DIMENSION || shape->height > JPEG_MAX_DIMENSION)
        return error_set(error, ERROR_UNSUPPORTED, "jpeg holds up to %ld pixels a side", JPEG_MAX_DIMENSION);
    return 0;
}

static size_t rounded_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

/* The most that the coefficients take. A block of 64 holds no more energy than its samples, 128 squared each,
 * so at quality 100 its costliest coefficients all lie in 128..255, at 18 bits each in the standard tables:
 * 144 bytes. Some are 0xff and take two. From 90 down the quantization tables' finest step for brightness is
 * 2 and more, and 2 bytes a sample are what TurboJPEG's tjBufSize counts. Huffman codes made for the image
 * are shorter, progressive scans no longer. */
static size_t most_bytes(const struct codec_save *save, const struct shape *shape)
{
    const size_t each = save->quality >= FINE_QUALITY ? 3 : 2;
    const struct sampling sampling = sampling_of(save, shape);
    const size_t across = (size_t)sampling.across * DCTSIZE, down = (size_t)sampling.down * DCTSIZE;
    const size_t pixels = rounded_up(shape->width, across) * rounded_up(shape->height, down);
    const size_t colours = shape->channels - 1u;
    return (pixels + colours * pixels / (sampling.across * sampling.down)) * each;
}

/* Up to twice what photographs of 24 MP come to. */
static size_t likely_bytes(const struct codec_save *save, const struct shape *shape)
{
    const size_t pixels = (size_t)shape->width * shape->height;
    return save->quality < FINE_QUALITY ? pixels / 4 : save->quality < 96 ? pixels / 2 : pixels;
}

int jpeg_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
              struct codec_plan *plan, struct error *error)
{
    TRY(check_shape(shape, error));
    if (save->strip)
        meta_bytes = 0;
    /* Every part of the metadata takes less as a segment than as an entry, but for what is unpacked. */
    plan->out_bytes =
        scratch_add(most_bytes(save, shape), scratch_add(keep_blocks_bytes(meta_bytes), 1u << 14));
    /* As libjpeg allocates: jcmainct.c (a row of blocks), jcprepct.c (rows of full width), and where codes
     * are made for the image jccoefct.c (all coefficients). */
    const struct setting setting = setting_of(save);
    const size_t across = rounded_up(shape->width, 2 * DCTSIZE),
                 down = rounded_up(shape->height, 2 * DCTSIZE);
    plan->likely_bytes = likely_bytes(save, shape);
    plan->scratch_bytes = scratch_add(JPEG_FIXED_SCRATCH, keep_blocks_scratch(meta_bytes));
    for (unsigned i = 0; i < shape->channels; i++) {
        plan->scratch_bytes = scratch_add(plan->scratch_bytes, jpeg_memory_rows(across, 2 * DCTSIZE));
        plan->scratch_bytes = scratch_add(plan->scratch_bytes, jpeg_memory_rows(across, 8));
        const struct sampling part = i > 0 ? sampling_of(save, shape) : (struct sampling){1, 1};
        if (setting.optimised || setting.progressive)
            plan->scratch_bytes = scratch_add(
                plan->scratch_bytes, jpeg_memory_rows(across / part.across / DCTSIZE * sizeof(JBLOCK),
                                                      down / part.down / DCTSIZE));
    }
    plan->rows_scratch_bytes = jpeg_put_scratch(plan->scratch_bytes);
    return 0;
}

static void set_up(struct jpeg_compress_struct *out, const struct jpeg_write *write, bool whole)
{
    const struct codec_encode *job = write->job;
    const struct setting setting = whole ? setting_of(job->save) : (struct setting){0};
    out->image_width = job->shape.width;
    out->image_height = job->shape.height;
    out->input_components = job->shape.channels;
    out->in_color_space = job->shape.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(out);
    jpeg_set_quality(out, (int)job->save->quality, TRUE);
    out->dct_method = JDCT_ISLOW;
    out->optimize_coding = setting.optimised;
    const struct sampling sampling = sampling_of(job->save, &job->shape);
    out->comp_info[0].h_samp_factor = sampling.across;
    out->comp_info[0].v_samp_factor = sampling.down;
    if (setting.progressive)
        jpeg_simple_progression(out);
    jpeg_meta_density(out, &write->blocks);
}

void jpeg_write_start(struct jpeg_session *session, const struct jpeg_write *write, uint8_t *bytes,
                      size_t room_bytes, bool whole)
{
    struct jpeg_compress_struct *out = &session->jpeg.out;
    session->size_bytes = room_bytes;
    jpeg_session_start_write(session, bytes);
    set_up(out, write, whole);
    jpeg_start_compress(out, TRUE);
}

void jpeg_write_rows(struct jpeg_session *session, const struct codec_encode *job, const uint8_t *pixels,
                     uint32_t count)
{
    struct jpeg_compress_struct *out = &session->jpeg.out;
    const size_t row_bytes = shape_row_bytes(&job->shape);
    const JDIMENSION begin = out->next_scanline, end = begin + count;
    while (out->next_scanline < end) {
        /* libjpeg reads only, whatever its type says. */
        JSAMPROW rows[2 * DCTSIZE];
        const JDIMENSION left = end - out->next_scanline;
        const JDIMENSION most = left < 2 * DCTSIZE ? left : 2 * DCTSIZE;
        for (JDIMENSION i = 0; i < most; i++)
            rows[i] = (JSAMPROW)(uintptr_t)(pixels + (out->next_scanline - begin + i) * row_bytes);
        jpeg_write_scanlines(out, rows, most);
    }
}

static void write_steps(struct jpeg_session *session, void *argument)
{
    struct jpeg_write *write = argument;
    struct codec_encode *job = write->job;
    jpeg_session_check(session, keep_blocks(job, &write->blocks, session->error));
    jpeg_write_start(session, write, job->bytes, job->bytes_size, true);
    jpeg_meta_write(session, &write->blocks);
    jpeg_write_rows(session, job, job->pixels, job->shape.height);
    jpeg_finish_compress(&session->jpeg.out);
    job->length_bytes = jpeg_session_written(session);
}

int jpeg_write_prepare(struct codec_encode *job, struct jpeg_session *session, struct error *error)
{
    job->warnings = 0;
    job->warning[0] = '\0';
    job->length_bytes = 0;
    if (!shape_valid(&job->shape) || check_shape(&job->shape, NULL) < 0)
        return error_set(error, ERROR_INTERNAL, "asked to encode a shape that was not planned");
    *session = (struct jpeg_session){.scratch = job->scratch,
                                     .error = error,
                                     .code_else = ERROR_INTERNAL,
                                     .warnings = &job->warnings,
                                     .warning = job->warning,
                                     .warning_size = sizeof job->warning};
    return 0;
}

int jpeg_encode(struct codec_encode *job, struct error *error)
{
    struct jpeg_write write = {.job = job};
    struct jpeg_session session;
    TRY(jpeg_write_prepare(job, &session, error));
    return jpeg_session_run(&session, write_steps, &write);
}
