/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include <jerror.h>

#include "stages/codec/jpeg_private.h"

static struct jpeg_session *session_of(j_common_ptr jpeg)
{
    return (struct jpeg_session *)jpeg->err;
}

void jpeg_session_fail(struct jpeg_session *session, enum error_code code, const char *format, ...)
{
    char text[sizeof session->error->reason];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    session->code = error_set(session->error, code, "%s", text);
    longjmp(session->failed, 1);
}

void jpeg_session_check(struct jpeg_session *session, int code)
{
    if (code == 0)
        return;
    session->code = code;
    longjmp(session->failed, 1);
}

static void on_error(j_common_ptr jpeg)
{
    struct jpeg_session *session = session_of(jpeg);
    char text[JMSG_LENGTH_MAX];
    (*jpeg->err->format_message)(jpeg, text);
    switch (jpeg->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        jpeg_session_fail(session, ERROR_MEMORY, "more scratch needed than was planned");
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_NOT_COMPILED:
        jpeg_session_fail(session, ERROR_UNSUPPORTED, "%s", text);
    default:
        jpeg_session_fail(session, session->code_else, "%s", text);
    }
}

/* libjpeg goes on after damage, with grey where pixels should be. These do no harm; all others end the run.
 */
static void on_message(j_common_ptr jpeg, int level)
{
    struct jpeg_session *session = session_of(jpeg);
    char text[JMSG_LENGTH_MAX];
    if (level >= 0)
        return;
    const int code = jpeg->err->msg_code;
    const bool harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
    if (!harmless && !session->salvage)
        on_error(jpeg);
    session->damaged = session->damaged || !harmless;
    (*jpeg->err->format_message)(jpeg, text);
    keep_warn(session->warnings, session->warning, session->warning_size, "%s", text);
}

static void say_nothing(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void do_nothing_in(j_decompress_ptr in)
{
    (void)in;
}

static boolean file_ended(j_decompress_ptr in)
{
    static const JOCTET end_of_image[] = {0xff, JPEG_EOI};
    struct jpeg_session *session = session_of((j_common_ptr)in);
    if (session->salvage) {
        session->damaged = true;
        in->src->next_input_byte = end_of_image;
        in->src->bytes_in_buffer = sizeof end_of_image;
        return TRUE;
    }
    jpeg_session_fail(session, ERROR_CORRUPT, "file ends early, after %zu bytes", session->size_bytes);
}

static void skip(j_decompress_ptr in, long count)
{
    if (count <= 0)
        return;
    if ((size_t)count > in->src->bytes_in_buffer) {
        file_ended(in);
        return;
    }
    in->src->next_input_byte += count;
    in->src->bytes_in_buffer -= (size_t)count;
}

static void do_nothing_out(j_compress_ptr out)
{
    (void)out;
}

/* libjpeg wants room for one byte more than it writes: that is in the session. */
static boolean room_ended(j_compress_ptr out)
{
    struct jpeg_session *session = session_of((j_common_ptr)out);
    if (!session->full) {
        session->full = true;
        out->dest->next_output_byte = session->spare;
        out->dest->free_in_buffer = sizeof session->spare;
        return TRUE;
    }
    if (session->guessed)
        jpeg_session_fail(session, ERROR_ROOM, "the file turns out larger than was expected");
    jpeg_session_fail(session, ERROR_INTERNAL, "the file came out larger than planned");
}

/* From here on libjpeg's memory is ours. What it made before, some 20 KiB whatever the image, it frees
 * itself. */
static void take_over(struct jpeg_session *session)
{
    session->first_memory = session->jpeg.common.mem;
    jpeg_memory_set_up(&session->memory, session->scratch);
    session->jpeg.common.mem = &session->memory.manager;
}

void jpeg_session_start_read(struct jpeg_session *session, const uint8_t *bytes)
{
    jpeg_create_decompress(&session->jpeg.in);
    take_over(session);
    session->source = (struct jpeg_source_mgr){.next_input_byte = bytes,
                                               .bytes_in_buffer = session->size_bytes,
                                               .init_source = do_nothing_in,
                                               .fill_input_buffer = file_ended,
                                               .skip_input_data = skip,
                                               .resync_to_restart = jpeg_resync_to_restart,
                                               .term_source = do_nothing_in};
    session->jpeg.in.src = &session->source;
}

void jpeg_session_start_write(struct jpeg_session *session, uint8_t *bytes)
{
    jpeg_create_compress(&session->jpeg.out);
    take_over(session);
    session->sink = (struct jpeg_destination_mgr){.next_output_byte = bytes,
                                                  .free_in_buffer = session->size_bytes,
                                                  .init_destination = do_nothing_out,
                                                  .empty_output_buffer = room_ended,
                                                  .term_destination = do_nothing_out};
    session->jpeg.out.dest = &session->sink;
    session->full = false;
    if (session->size_bytes == 0)
        room_ended(&session->jpeg.out);
}

size_t jpeg_session_written(const struct jpeg_session *session)
{
    return session->size_bytes - (session->full ? 0 : session->sink.free_in_buffer);
}

void jpeg_session_begin(struct jpeg_session *session)
{
    jpeg_std_error(&session->errors);
    session->errors.error_exit = on_error;
    session->errors.emit_message = on_message;
    session->errors.output_message = say_nothing;
    session->jpeg.common.err = &session->errors;
}

int jpeg_session_go_on(struct jpeg_session *session, void (*steps)(struct jpeg_session *, void *), void *job)
{
    session->code = 0;
    /* Nothing local changes between setjmp and longjmp, so nothing needs to be volatile. */
    if (!setjmp(session->failed))
        steps(session, job);
    if (session->code < 0)
        jpeg_session_end(session);
    return session->code;
}

void jpeg_session_end(struct jpeg_session *session)
{
    if (session->first_memory)
        session->jpeg.common.mem = session->first_memory;
    session->first_memory = NULL;
    jpeg_destroy(&session->jpeg.common);
}

int jpeg_session_run(struct jpeg_session *session, void (*steps)(struct jpeg_session *, void *), void *job)
{
    jpeg_session_begin(session);
    const int code = jpeg_session_go_on(session, steps, job);
    jpeg_session_end(session);
    return code;
}
