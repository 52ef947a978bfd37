/* SPDX-License-Identifier: MIT */
/* An image a few rows at a time: one session of libjpeg that lasts from begin to finish. What goes before the
 * quantization tables, JFIF's header and the metadata, is written last by a session of its own, when the
 * metadata is known, and up against the rest. */
#include <string.h>

#include "stages/codec/jpeg_private.h"

struct jpeg_putting {
    struct jpeg_session session;
    struct jpeg_write write;
    size_t head_bytes; /* of JFIF's header */
    uint8_t *data;     /* what the session writes behind that */
    size_t data_bytes;
    const uint8_t *pixels;
    uint32_t count, left; /* rows */
    size_t used_bytes;    /* of scratch, before all else */
    size_t before_bytes;  /* of what goes before */
};

size_t jpeg_put_scratch(size_t whole_bytes)
{
    return scratch_add(scratch_need(1, sizeof(struct jpeg_putting)), whole_bytes);
}

/* Where the metadata that there is will end at most, but for a profile that is packed. */
static size_t guess_before(const struct codec_encode *job)
{
    return job->meta && !job->save->strip ? job->meta->used_bytes : 0;
}

static void start(struct jpeg_session *session, void *argument)
{
    struct jpeg_putting *putting = argument;
    const struct codec_encode *job = putting->write.job;
    const size_t before = guess_before(job);
    if (before > job->bytes_size)
        jpeg_session_fail(session, ERROR_ROOM, "the file turns out larger than was expected");
    jpeg_write_start(session, &putting->write, job->bytes + before, job->bytes_size - before, true);
    putting->head_bytes = jpeg_session_written(session);
    putting->data = job->bytes + before + putting->head_bytes;
}

static void write_some(struct jpeg_session *session, void *argument)
{
    struct jpeg_putting *putting = argument;
    jpeg_write_rows(session, putting->write.job, putting->pixels, putting->count);
}

static void write_end(struct jpeg_session *session, void *argument)
{
    struct jpeg_putting *putting = argument;
    jpeg_finish_compress(&session->jpeg.out);
    putting->data_bytes = jpeg_session_written(session) - putting->head_bytes;
}

static void write_before(struct jpeg_session *session, void *argument)
{
    struct jpeg_putting *putting = argument;
    struct codec_encode *job = putting->write.job;
    jpeg_session_check(session, keep_blocks(job, &putting->write.blocks, session->error));
    jpeg_write_start(session, &putting->write, job->bytes, (size_t)(putting->data - job->bytes), false);
    jpeg_meta_write(session, &putting->write.blocks);
    putting->before_bytes = jpeg_session_written(session);
}

/* Into the room before the data. */
static int try_before(struct jpeg_putting *putting, struct error *error)
{
    struct codec_encode *job = putting->write.job;
    job->scratch->used_bytes = putting->used_bytes;
    TRY(jpeg_write_prepare(job, &putting->session, error));
    putting->session.guessed = true;
    return jpeg_session_run(&putting->session, write_before, putting);
}

int jpeg_put_begin(struct codec_encode *job, struct error *error)
{
    struct jpeg_putting *putting = scratch_alloc(job->scratch, 1, sizeof *putting);
    if (!putting)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    *putting = (struct jpeg_putting){
        .write = {.job = job}, .left = job->shape.height, .used_bytes = job->scratch->used_bytes};
    TRY(jpeg_write_prepare(job, &putting->session, error));
    putting->session.guessed = true;
    job->state = putting;
    jpeg_session_begin(&putting->session);
    return jpeg_session_go_on(&putting->session, start, putting);
}

int jpeg_put_rows(struct codec_encode *job, const uint8_t *pixels, uint32_t count, struct error *error)
{
    struct jpeg_putting *putting = job->state;
    if (count > putting->left)
        return error_set(error, ERROR_INTERNAL, "is given more rows than there are");
    putting->session.error = error;
    putting->pixels = pixels;
    putting->count = count;
    putting->left -= count;
    return jpeg_session_go_on(&putting->session, write_some, putting);
}

int jpeg_put_finish(struct codec_encode *job, struct error *error)
{
    struct jpeg_putting *putting = job->state;
    struct error ignored;
    if (putting->left > 0)
        return error_set(error, ERROR_INTERNAL, "is given fewer rows than there are");
    putting->session.error = error;
    TRY(jpeg_session_go_on(&putting->session, write_end, putting));
    jpeg_session_end(&putting->session);
    if (try_before(putting, &ignored) < 0) {
        uint8_t *const last = job->bytes + (job->bytes_size - putting->data_bytes);
        putting->data = memmove(last, putting->data, putting->data_bytes);
        TRY(try_before(putting, error));
    }
    job->file = memmove(putting->data - putting->before_bytes, job->bytes, putting->before_bytes);
    job->length_bytes = putting->before_bytes + putting->data_bytes;
    return 0;
}

void jpeg_put_abandon(struct codec_encode *job)
{
    struct jpeg_putting *putting = job->state;
    if (putting)
        jpeg_session_end(&putting->session);
}
