/* SPDX-License-Identifier: MIT */
/* An image a few rows at a time: one session of libjpeg that lasts from open to close. */
#include "stages/codec/jpeg_private.h"

struct jpeg_rows {
    struct jpeg_read read;
    struct jpeg_session session;
    uint8_t *pixels;
    uint32_t count;
};

size_t jpeg_rows_scratch(void)
{
    return scratch_need(1, sizeof(struct jpeg_rows));
}

static void start(struct jpeg_session *session, void *argument)
{
    struct jpeg_rows *rows = argument;
    jpeg_read_start(session, &rows->read);
}

static void read_some(struct jpeg_session *session, void *argument)
{
    struct jpeg_rows *rows = argument;
    jpeg_read_rows(session, &rows->read, rows->pixels, rows->count);
}

static void read_rest(struct jpeg_session *session, void *argument)
{
    struct jpeg_rows *rows = argument;
    jpeg_read_rest(session, &rows->read);
}

int jpeg_rows_open(struct codec_decode *job, struct error *error)
{
    struct jpeg_rows *rows = scratch_alloc(job->scratch, 1, sizeof *rows);
    if (!rows)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    *rows = (struct jpeg_rows){0};
    TRY(jpeg_read_prepare(&rows->read, job, &rows->session, error));
    job->state = rows;
    jpeg_session_begin(&rows->session);
    return jpeg_session_go_on(&rows->session, start, rows);
}

int jpeg_rows_next(struct codec_decode *job, uint8_t *pixels, uint32_t count, struct error *error)
{
    struct jpeg_rows *rows = job->state;
    rows->session.error = error;
    rows->pixels = pixels;
    rows->count = count;
    return jpeg_session_go_on(&rows->session, read_some, rows);
}

int jpeg_rows_close(struct codec_decode *job, struct error *error)
{
    struct jpeg_rows *rows = job->state;
    rows->session.error = error;
    return jpeg_session_go_on(&rows->session, read_rest, rows);
}

void jpeg_rows_leave(struct codec_decode *job)
{
    struct jpeg_rows *rows = job->state;
    if (rows)
        jpeg_session_end(&rows->session);
}
