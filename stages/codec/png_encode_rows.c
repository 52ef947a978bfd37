/* SPDX-License-Identifier: MIT */
/* An image a few rows at a time, by the fast path. Rows are gathered into sections of as many as the whole
 * image is cut into. What goes before the image data is written last, when the metadata is known, and up
 * against it. */
#include <string.h>

#include "stages/codec/png_private.h"

struct png_putting {
    struct png_stream *stream;
    uint8_t *section; /* the row above it lies before it */
    uint32_t section_rows, held, left;
    uint8_t *idat;
    size_t used_bytes; /* of scratch, before all else */
};

/* Before IDAT, with the metadata that there is: each entry takes more of its block than its chunk does of the
 * file. */
static size_t most_before(const struct codec_encode *job)
{
    return scratch_add(PNG_IHDR_END, job->meta && !job->save->strip ? job->meta->used_bytes : 0);
}

static uint32_t rows_of(const struct codec_save *save, const struct shape *shape)
{
    const uint32_t rows = png_stream_rows(save, shape);
    return rows < shape->height ? rows : shape->height;
}

size_t png_put_scratch(const struct codec_save *save, const struct shape *shape, size_t whole_bytes)
{
    const uint32_t rows = rows_of(save, shape);
    size_t section_bytes = rows * shape_row_bytes(shape);
    if (rows == 0)
        return 0;
    /* With fewer channels than were planned, shorter rows may fill it better. */
    if (rows < shape->height && section_bytes < PNG_SECTION_BYTES)
        section_bytes = PNG_SECTION_BYTES;
    section_bytes = scratch_need(1, scratch_add(section_bytes, shape_row_bytes(shape)));
    return scratch_add(scratch_add(scratch_need(1, sizeof(struct png_putting)), section_bytes), whole_bytes);
}

static int no_room(struct error *error)
{
    return error_set(error, ERROR_ROOM, "the file turns out larger than was expected");
}

int png_put_begin(struct codec_encode *job, struct error *error)
{
    const struct shape *shape = &job->shape;
    const size_t row_bytes = shape_row_bytes(shape), before = most_before(job);
    struct png_putting *putting = scratch_alloc(job->scratch, 1, sizeof *putting);
    job->length_bytes = 0;
    if (!putting)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    *putting = (struct png_putting){.section_rows = rows_of(job->save, shape),
                                    .left = shape->height,
                                    .idat = job->bytes + before,
                                    .used_bytes = job->scratch->used_bytes};
    job->state = putting;
    if (putting->section_rows == 0)
        return error_set(error, ERROR_INTERNAL, "cannot be encoded by rows");
    if (scratch_add(before, PNG_CHUNKS_AROUND) > job->bytes_size)
        return no_room(error);
    putting->section = scratch_alloc(job->scratch, (size_t)putting->section_rows + 1, row_bytes);
    putting->stream =
        png_stream_begin(job, false, putting->idat + 8, job->bytes_size - before - PNG_CHUNKS_AROUND);
    if (!putting->section || !putting->stream)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    putting->section += row_bytes;
    return 0;
}

int png_put_rows(struct codec_encode *job, const uint8_t *pixels, uint32_t count, struct error *error)
{
    struct png_putting *putting = job->state;
    const size_t row_bytes = shape_row_bytes(&job->shape);
    if (count > putting->left)
        return error_set(error, ERROR_INTERNAL, "is given more rows than there are");
    while (count > 0) {
        const uint32_t room = putting->section_rows - putting->held, taken = count < room ? count : room;
        memcpy(putting->section + putting->held * row_bytes, pixels, taken * row_bytes);
        pixels += taken * row_bytes;
        count -= taken;
        putting->held += taken;
        putting->left -= taken;
        if (putting->held < putting->section_rows && putting->left > 0)
            continue;
        if (!png_stream_put(putting->stream, putting->section, putting->held))
            return no_room(error);
        memcpy(putting->section - row_bytes, putting->section + (putting->held - 1) * row_bytes, row_bytes);
        putting->held = 0;
    }
    return 0;
}

int png_put_finish(struct codec_encode *job, struct error *error)
{
    struct png_putting *putting = job->state;
    size_t before_bytes = 0;
    if (putting->left > 0)
        return error_set(error, ERROR_INTERNAL, "is given fewer rows than there are");
    const size_t length_bytes = png_end_file(putting->idat, png_stream_length(putting->stream));
    const size_t before = most_before(job);
    if (scratch_add(before, length_bytes) > job->bytes_size)
        return no_room(error);
    if (before > (size_t)(putting->idat - job->bytes))
        putting->idat = memmove(job->bytes + before, putting->idat, length_bytes);
    job->scratch->used_bytes = putting->used_bytes;
    TRY(png_encode_header(job, job->bytes, (size_t)(putting->idat - job->bytes), &before_bytes, error));
    job->file = memmove(putting->idat - before_bytes, job->bytes, before_bytes);
    job->length_bytes = before_bytes + length_bytes;
    return 0;
}
