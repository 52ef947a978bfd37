/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "stages/codec/keep.h"
#include "stages/codec/png_private.h"

#define SALVAGE_BYTES 128

static void set_shape(struct png_session *session, struct png_read *read)
{
    struct codec_decode *job = read->job;
    uint8_t depth = png_get_bit_depth(session->png, session->info); /* after expansion: 8 or 16 */
    job->shape = (struct shape){.width = read->header.width,
                                .height = read->header.height,
                                .channels = png_get_channels(session->png, session->info),
                                .sample = depth == 16 ? SAMPLE_U16 : SAMPLE_U8,
                                .bits = depth,
                                .orientation = read->header.orientation};
    if (read->header.depth < 8 && job->shape.channels == 1)
        job->shape.bits = read->header.depth;
    if (!shape_valid(&job->shape) ||
        png_get_rowbytes(session->png, session->info) != shape_row_bytes(&job->shape))
        png_session_fail(session, ERROR_INTERNAL, "libpng made rows of an unexpected size");
    if (job->pixels && shape_bytes(&job->shape) > job->pixels_bytes)
        png_session_fail(session, ERROR_MEMORY, "more room for pixels needed than was planned");
}

void png_read_start(struct png_session *session, struct png_read *read)
{
    png_session_start_read(session);
    png_structp png = session->png;
    if (read->salvage) {
        png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
        /* libpng asks for so many bytes at once, and gets none of them where the file ends in between. */
        png_set_compression_buffer_size(png, SALVAGE_BYTES);
    }
    /* Skip every chunk but the critical ones and tRNS, checking CRCs on the way ... */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    /* ... and these, which libpng checks against each other in a few bytes. */
    static const png_byte checked[] = "gAMA\0sRGB\0cHRM\0pHYs";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, checked, 4);

    png_read_info(png, session->info);
    png_get_tRNS(png, session->info, &session->alpha, &session->alphas, NULL);
    png_set_expand(png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (read->header.depth == 16)
        png_set_swap(png);
#endif
    read->passes = png_set_interlace_handling(png);
    png_read_update_info(png, session->info);
    set_shape(session, read);
}

/* Of an animation only the image is read that viewers without animation show (PNG third edition, 4.9). */
static void warn_of_frames(struct png_session *session)
{
    struct png_chunk chunk;
    size_t at = PNG_SIGNATURE_BYTES;
    while (png_chunk_next(session->in, session->position, &at, &chunk)) {
        if (memcmp(chunk.type, "fdAT", 4) == 0) {
            png_session_warn(session, "an animation: its further frames are dropped");
            return;
        }
    }
}

void png_read_rest(struct png_session *session, struct png_read *read)
{
    png_read_end(session->png, session->info);
    if (read->job->meta)
        png_meta_read(session, &read->header, read->job);
    warn_of_frames(session);
    const size_t after_bytes = session->size_bytes - session->position + session->beyond_bytes;
    if (after_bytes > 0)
        png_session_warn(session, "%zu bytes after the end of the image", after_bytes);
}

static void read_steps(struct png_session *session, void *argument)
{
    struct png_read *read = argument;
    struct codec_decode *job = read->job;
    png_read_start(session, read);
    if (read->salvage)
        memset(job->pixels, 0, shape_bytes(&job->shape));
    size_t row_bytes = shape_row_bytes(&job->shape);
    for (int pass = 0; pass < read->passes; pass++) {
        for (uint32_t y = 0; y < job->shape.height; y++, read->rows_read++)
            png_read_row(session->png, job->pixels + y * row_bytes, NULL);
    }
    png_read_rest(session, read);
}

/* libpng sees all of the file but its image data. */
static void read_fast_steps(struct png_session *session, void *argument)
{
    struct png_read *read = argument;
    struct codec_decode *job = read->job;
    png_read_start(session, read);
    const struct inflate_source source = png_run_source(&read->run);
    struct png_fast *fast = png_fast_begin(session, &read->header, job, &source);
    if (!fast || !png_fast_rows(fast, job->pixels, job->shape.height))
        png_session_fail(session, ERROR_CORRUPT, "left to libpng");
    png_read_rest(session, read);
}

static int run(struct png_read *read, void (*steps)(struct png_session *, void *), struct error *error)
{
    struct png_session session = png_session_of(read->job, error);
    session.skip_from = read->run.position;
    session.skip_to = read->run.end;
    return png_session_run(&session, steps, read);
}

int png_decode_by_libpng(struct codec_decode *job, struct error *error)
{
    struct png_read read = {.job = job};
    job->warnings = 0;
    job->warning[0] = '\0';
    TRY(png_header_read(job->bytes, job->length_bytes, job->length_bytes, job->limits, &read.header, error));
    return run(&read, read_steps, error);
}

int png_decode_fast(struct codec_decode *job, struct error *error)
{
    struct png_read read = {.job = job};
    TRY(png_header_read(job->bytes, job->length_bytes, job->length_bytes, job->limits, &read.header, error));
    if (!png_fast_find(job, &read.header, &read.run))
        return error_set(error, ERROR_UNSUPPORTED, "left to libpng");
    return run(&read, read_fast_steps, error);
}

/* What can be read of a damaged image, up to where libpng gives up; `error` says why that is needed. Of an
 * interlaced image the pixels of the passes that were read are there, and zeros between them. */
static int salvage(struct codec_decode *job, struct error *error)
{
    struct png_read read = {.job = job, .salvage = true};
    const struct error reason = *error;
    struct error ignored;
    TRY(png_header_read(job->bytes, job->length_bytes, job->length_bytes, job->limits, &read.header, error));
    if (run(&read, read_steps, &ignored) < 0 && read.rows_read == 0)
        return error_set(error, reason.code, "%s", reason.reason);
    const uint64_t rows = (uint64_t)read.passes * job->shape.height;
    keep_salvaged(job, read.rows_read, rows, &reason);
    return 0;
}

int png_decode(struct codec_decode *job, struct error *error)
{
    const struct keep_start start = keep_start(job);
    if (png_decode_fast(job, error) == 0)
        return 0;
    keep_begin_again(job, &start);
    int code = png_decode_by_libpng(job, error);
    if (code == ERROR_CORRUPT && codec_salvages(job)) {
        keep_begin_again(job, &start);
        code = salvage(job, error);
    }
    return code;
}
