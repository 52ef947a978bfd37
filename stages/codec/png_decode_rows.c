/* SPDX-License-Identifier: MIT */
/* An image a few rows at a time: by the fast path while that goes well, which sees to what lies around the
 * image data first. Where it meets what it leaves to libpng, libpng begins anew, passes over the rows that
 * were given and goes on with its own verdict; the rows before are the same to both, as both read them from
 * the same beginning of the same stream. Of a file that comes piece by piece there is no beginning left to go
 * back to: the fast path alone may say that it is sound. */
#include "stages/codec/keep.h"
#include "stages/codec/png_pieces.h"

struct png_rows {
    struct png_read read;
    struct png_session session;
    struct png_fast *fast; /* NULL: by libpng */
    struct png_pieces pieces;
    struct keep_start start;
    uint32_t given; /* rows */
    uint8_t *pixels;
    uint32_t count;
};

size_t png_rows_scratch(void)
{
    return scratch_need(1, sizeof(struct png_rows));
}

/* What comes before the pixels. */
static void begin_fast(struct png_session *session, void *argument)
{
    struct png_rows *rows = argument;
    const struct inflate_source source =
        rows->read.job->feed ? png_pieces_source(&rows->pieces) : png_run_source(&rows->read.run);
    png_read_start(session, &rows->read);
    rows->fast = png_fast_begin(session, &rows->read.header, rows->read.job, &source);
    if (!rows->fast)
        png_session_fail(session, ERROR_CORRUPT, "left to libpng");
}

static void read_rest(struct png_session *session, void *argument)
{
    struct png_rows *rows = argument;
    png_read_rest(session, &rows->read);
}

static void open_fast(struct png_session *session, void *argument)
{
    begin_fast(session, argument);
    read_rest(session, argument);
}

static void open_by_libpng(struct png_session *session, void *argument)
{
    struct png_rows *rows = argument;
    png_read_start(session, &rows->read);
    for (uint32_t y = 0; y < rows->given; y++)
        png_read_row(session->png, NULL, NULL);
}

static void read_rows(struct png_session *session, void *argument)
{
    struct png_rows *rows = argument;
    const size_t row_bytes = shape_row_bytes(&rows->read.job->shape);
    for (uint32_t y = 0; y < rows->count; y++)
        png_read_row(session->png, rows->pixels + y * row_bytes, NULL);
}

static int turn_to_libpng(struct png_rows *rows, struct error *error)
{
    struct codec_decode *job = rows->read.job;
    keep_begin_again(job, &rows->start);
    rows->fast = NULL;
    rows->session = png_session_of(job, error);
    return png_session_run(&rows->session, open_by_libpng, rows);
}

/* Whatever it was, but for what the feed failed with. */
static int want_whole(const struct png_rows *rows, struct error *error)
{
    return rows->pieces.code < 0 ? rows->pieces.code
                                 : error_set(error, ERROR_ROOM, "not to be decoded piece by piece");
}

static int open_pieces(struct png_rows *rows, struct error *error)
{
    struct codec_decode *job = rows->read.job;
    struct png_header *header = &rows->read.header;
    const size_t head_bytes = job->length_bytes < CODEC_HEAD_BYTES ? job->length_bytes : CODEC_HEAD_BYTES;
    if (png_header_read(job->bytes, head_bytes, job->length_bytes, job->limits, header, error) < 0 ||
        !png_pieces_begin(&rows->pieces, job, header, error))
        return want_whole(rows, error);
    rows->session = png_session_of(job, error);
    rows->session.in = rows->pieces.frame;
    rows->session.size_bytes = rows->pieces.frame_bytes;
    return png_session_run(&rows->session, begin_fast, rows) < 0 ? want_whole(rows, error) : 0;
}

static int close_pieces(struct png_rows *rows, struct error *error)
{
    if (!png_pieces_finish(&rows->pieces, error))
        return want_whole(rows, error);
    rows->session.error = error;
    rows->session.size_bytes = rows->pieces.frame_bytes;
    rows->session.beyond_bytes = rows->pieces.after_bytes;
    return png_session_run(&rows->session, read_rest, rows) < 0 ? want_whole(rows, error) : 0;
}

int png_rows_open(struct codec_decode *job, struct error *error)
{
    struct png_rows *rows = scratch_alloc(job->scratch, 1, sizeof *rows);
    if (!rows)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    *rows = (struct png_rows){.read = {.job = job}, .start = keep_start(job)};
    job->state = rows;
    if (job->feed)
        return open_pieces(rows, error);
    TRY(png_header_read(job->bytes, job->length_bytes, job->length_bytes, job->limits, &rows->read.header,
                        error));
    if (rows->read.header.interlaced)
        return error_set(error, ERROR_INTERNAL, "an interlaced image has no rows to be read one by one");
    if (png_fast_find(job, &rows->read.header, &rows->read.run)) {
        rows->session = png_session_of(job, error);
        rows->session.skip_from = rows->read.run.position;
        rows->session.skip_to = rows->read.run.end;
        if (png_session_run(&rows->session, open_fast, rows) == 0)
            return 0;
    }
    return turn_to_libpng(rows, error);
}

int png_rows_next(struct codec_decode *job, uint8_t *pixels, uint32_t count, struct error *error)
{
    struct png_rows *rows = job->state;
    rows->pieces.error = error;
    if (rows->fast && png_fast_rows(rows->fast, pixels, count) && rows->pieces.code == 0) {
        rows->given += count;
        return 0;
    }
    if (job->feed)
        return want_whole(rows, error);
    if (rows->fast)
        TRY(turn_to_libpng(rows, error));
    rows->session.error = error;
    rows->pixels = pixels;
    rows->count = count;
    return png_session_run(&rows->session, read_rows, rows);
}

int png_rows_close(struct codec_decode *job, struct error *error)
{
    struct png_rows *rows = job->state;
    if (job->feed)
        return close_pieces(rows, error);
    if (rows->fast)
        return 0;
    rows->session.error = error;
    return png_session_run(&rows->session, read_rest, rows);
}
