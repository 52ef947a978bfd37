/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "stages/codec/jpeg_private.h"

/* Encoders make about 10 scans. Each may pass over the whole image for a handful of bytes, so their number
 * bounds the time that a file can take; djpeg's fuzzers use the same. */
#define SCANS_MAX 500

/* Called before each row of blocks of each scan is read. */
static void on_progress(j_common_ptr jpeg)
{
    struct jpeg_session *session = (struct jpeg_session *)jpeg->err;
    struct jpeg_read *read = (struct jpeg_read *)jpeg->progress;
    const struct jpeg_decompress_struct *in = &session->jpeg.in;
    if (in->input_scan_number > SCANS_MAX)
        jpeg_session_fail(session, ERROR_LIMIT, "has more than %d scans", SCANS_MAX);
    for (int i = 0; in->Ss == 0 && i < in->comps_in_scan; i++)
        read->seen |= 1u << in->cur_comp_info[i]->component_index;
}

static void set_up(struct jpeg_session *session, struct jpeg_read *read)
{
    struct jpeg_decompress_struct *in = &session->jpeg.in;
    jpeg_read_header(in, TRUE);
    if (in->image_width != read->header.width || in->image_height != read->header.height ||
        in->num_components != read->header.components)
        jpeg_session_fail(session, ERROR_INTERNAL, "libjpeg sees another header");
    in->out_color_space = in->num_components == 1   ? JCS_GRAYSCALE
                          : in->num_components == 3 ? JCS_RGB
                                                    : JCS_CMYK;
    in->dct_method = JDCT_ISLOW;
    in->do_block_smoothing = FALSE; /* it only invents what a file lacks */
    in->scale_num = 8u >> read->job->shrink;
    in->scale_denom = 8;
    in->progress = &read->progress;
    jpeg_start_decompress(in);
    if (jpeg_has_multiple_scans(in) && !read->salvage && read->seen != (1u << in->num_components) - 1)
        jpeg_session_fail(session, ERROR_CORRUPT, "file ends early, before a component's first scan");
}

static void set_shape(struct jpeg_session *session, struct jpeg_read *read)
{
    const struct jpeg_decompress_struct *in = &session->jpeg.in;
    struct codec_decode *job = read->job;
    const struct shape full = {.width = read->header.width,
                               .height = read->header.height,
                               .channels = read->header.components == 1 ? 1 : 3,
                               .sample = SAMPLE_U8,
                               .bits = 8,
                               .orientation = read->header.orientation};
    job->shape = codec_shrunk(&full, job->shrink);
    if (in->output_width != job->shape.width || in->output_height != job->shape.height ||
        in->output_components != read->header.components)
        jpeg_session_fail(session, ERROR_INTERNAL, "libjpeg made rows of an unexpected size");
}

/* The nearest to a * b / 255. */
static uint8_t product(unsigned a, unsigned b)
{
    const unsigned sum = a * b + 128;
    return (uint8_t)((sum + (sum >> 8)) >> 8);
}

/* Red is what cyan and black let through, and so on: no profile is looked at. Adobe's programs store light
 * and not ink, and mark their files. */
static void rgb_of_cmyk(const uint8_t *cmyk, uint8_t *rgb, size_t pixels, bool light)
{
    const uint8_t flip = light ? 0 : 255;
    for (size_t i = 0; i < pixels; i++) {
        const unsigned black = cmyk[4 * i + 3] ^ flip;
        for (unsigned c = 0; c < 3; c++)
            rgb[3 * i + c] = product(cmyk[4 * i + c] ^ flip, black);
    }
}

void jpeg_read_start(struct jpeg_session *session, struct jpeg_read *read)
{
    const struct jpeg_decompress_struct *in = &session->jpeg.in;
    jpeg_session_start_read(session, read->job->bytes);
    set_up(session, read);
    set_shape(session, read);
    if (in->out_color_space == JCS_CMYK &&
        !(read->cmyk = scratch_alloc(read->job->scratch, in->output_width, 4)))
        jpeg_session_fail(session, ERROR_MEMORY, "more scratch needed than was planned");
}

void jpeg_read_rows(struct jpeg_session *session, struct jpeg_read *read, uint8_t *pixels, uint32_t count)
{
    struct jpeg_decompress_struct *in = &session->jpeg.in;
    const size_t row_bytes = shape_row_bytes(&read->job->shape);
    const JDIMENSION begin = in->output_scanline, end = begin + count;
    while (in->output_scanline < end) {
        JSAMPROW rows[2 * DCTSIZE];
        uint8_t *const first = pixels + (in->output_scanline - begin) * row_bytes;
        JDIMENSION most = read->cmyk ? 1 : end - in->output_scanline;
        most = most < 2 * DCTSIZE ? most : 2 * DCTSIZE;
        for (JDIMENSION i = 0; i < most; i++)
            rows[i] = read->cmyk ? read->cmyk : first + i * row_bytes;
        jpeg_read_scanlines(in, rows, most);
        if (read->cmyk)
            rgb_of_cmyk(read->cmyk, first, in->output_width, in->saw_Adobe_marker);
        read->rows_read = in->output_scanline;
        read->rows_sound = session->damaged ? read->rows_sound : in->output_scanline;
    }
}

void jpeg_read_rest(struct jpeg_session *session, struct jpeg_read *read)
{
    struct codec_decode *job = read->job;
    jpeg_finish_decompress(&session->jpeg.in);
    if (job->meta)
        jpeg_session_check(session, jpeg_meta_read(job, &session->jpeg.in, session->error));
    if (session->source.bytes_in_buffer > 0)
        keep_warn(&job->warnings, job->warning, sizeof job->warning, "%zu bytes after the end of the image",
                  session->source.bytes_in_buffer);
}

static void read_steps(struct jpeg_session *session, void *argument)
{
    struct jpeg_read *read = argument;
    const struct codec_decode *job = read->job;
    jpeg_read_start(session, read);
    if (shape_bytes(&job->shape) > job->pixels_bytes)
        jpeg_session_fail(session, ERROR_MEMORY, "more room for pixels needed than was planned");
    if (read->salvage)
        memset(job->pixels, 0, shape_bytes(&job->shape));
    jpeg_read_rows(session, read, job->pixels, job->shape.height);
    jpeg_read_rest(session, read);
}

int jpeg_read_prepare(struct jpeg_read *read, struct codec_decode *job, struct jpeg_session *session,
                      struct error *error)
{
    read->progress.progress_monitor = on_progress;
    read->job = job;
    job->warnings = 0;
    job->warning[0] = '\0';
    TRY(jpeg_header_read(job->bytes, job->length_bytes, job->length_bytes, job->limits, &read->header,
                         error));
    *session = (struct jpeg_session){.scratch = job->scratch,
                                     .error = error,
                                     .code_else = ERROR_CORRUPT,
                                     .warnings = &job->warnings,
                                     .warning = job->warning,
                                     .warning_size = sizeof job->warning,
                                     .size_bytes = job->length_bytes,
                                     .salvage = read->salvage};
    return 0;
}

static int run(struct codec_decode *job, struct jpeg_read *read, struct error *error)
{
    struct jpeg_session session;
    TRY(jpeg_read_prepare(read, job, &session, error));
    return jpeg_session_run(&session, read_steps, read);
}

int jpeg_decode(struct codec_decode *job, struct error *error)
{
    const struct keep_start start = keep_start(job);
    struct jpeg_read strict = {0};
    const int code = run(job, &strict, error);
    if (code != ERROR_CORRUPT || !codec_salvages(job))
        return code;
    keep_begin_again(job, &start);
    struct jpeg_read read = {.salvage = true};
    struct error ignored;
    if (run(job, &read, &ignored) < 0 && read.rows_read == 0)
        return code;
    keep_salvaged(job, read.rows_sound, job->shape.height, error);
    return 0;
}
