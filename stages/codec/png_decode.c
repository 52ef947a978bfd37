/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "stages/codec/png_private.h"

struct png_read {
    struct codec_decode *job;
    struct png_header header;
};

static void set_shape(struct png_session *session, struct png_read *read)
{
    struct codec_decode *job = read->job;
    uint8_t depth = png_get_bit_depth(session->png, session->info); /* after expansion: 8 or 16 */
    job->shape = (struct shape){.width = read->header.width,
                                .height = read->header.height,
                                .channels = png_get_channels(session->png, session->info),
                                .sample = depth == 16 ? SAMPLE_U16 : SAMPLE_U8,
                                .bits = depth,
                                .orientation = png_orientation(job->bytes, job->length_bytes)};
    if (read->header.depth < 8 && job->shape.channels == 1)
        job->shape.bits = read->header.depth;
    if (!shape_valid(&job->shape) ||
        png_get_rowbytes(session->png, session->info) != shape_row_bytes(&job->shape))
        png_session_fail(session, ERROR_INTERNAL, "libpng made rows of an unexpected size");
    if (shape_bytes(&job->shape) > job->pixels_bytes)
        png_session_fail(session, ERROR_MEMORY, "more room for pixels needed than was planned");
}

static void read_steps(struct png_session *session, void *argument)
{
    struct png_read *read = argument;
    struct codec_decode *job = read->job;
    png_session_start_read(session);
    png_structp png = session->png;
    /* Skip every chunk but the critical ones and tRNS, checking CRCs on the way ... */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    /* ... and these, which libpng checks against each other in a few bytes. */
    static const png_byte checked[] = "gAMA\0sRGB\0cHRM\0pHYs";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, checked, 4);

    png_read_info(png, session->info);
    png_set_expand(png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (read->header.depth == 16)
        png_set_swap(png);
#endif
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, session->info);
    set_shape(session, read);

    size_t row_bytes = shape_row_bytes(&job->shape);
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < job->shape.height; y++)
            png_read_row(png, job->pixels + y * row_bytes, NULL);
    }
    png_read_end(png, session->info);
    if (job->meta)
        png_meta_read(session, &read->header, job);
    if (session->position < session->size_bytes)
        png_session_warn(session, "%zu bytes after the end of the image",
                         session->size_bytes - session->position);
}

int png_decode(struct codec_decode *job, struct error *error)
{
    struct png_read read = {.job = job};
    job->warnings = 0;
    job->warning[0] = '\0';
    TRY(png_header_read(job->bytes, job->length_bytes, job->length_bytes, job->limits, &read.header, error));
    struct png_session session = {.memory = {.scratch = job->scratch},
                                  .error = error,
                                  .code_else = ERROR_CORRUPT,
                                  .warnings = &job->warnings,
                                  .warning = job->warning,
                                  .warning_size = sizeof job->warning,
                                  .in = job->bytes,
                                  .size_bytes = job->length_bytes};
    return png_session_run(&session, read_steps, &read);
}
